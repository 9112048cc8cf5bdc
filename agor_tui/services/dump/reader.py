"""Reading a dump line by line: its header, its rows, and at the end whether it is as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from agor_tui.db.revision import HEAD, REVISIONS
from agor_tui.db.row_format import FORMATS, Row
from agor_tui.db.row_source import BATCH_BYTES, BATCH_ROWS
from agor_tui.errors import FileError, SchemaVersionError, quoted
from agor_tui.services.dump.compression import lines_of
from agor_tui.services.dump.form import (
    BEGIN_DOCUMENT,
    BEGIN_FOOTER,
    BEGIN_ROW,
    BEGIN_ROWS,
    END_ROWS,
    SHA256,
    Footer,
    Header,
    columns_of,
    damaged,
    parse_footer,
    parse_header,
)
from agor_tui.services.dump.rows import RowDecoder, RowError, key_in

_AGAIN = "Export it again with this version of agor-tui."


@dataclass(slots=True)
class Batch:
    """Some rows of one table, one after the other in the file; ``lines`` are their numbers there."""

    table: str
    rows: list[Row]
    lines: range
    bytes: int = 0


class DumpReader:
    """A dump. ``header`` is read at once; ``batches`` reads the rest, after which ``footer`` and ``sha256`` are known.

    Raises:
        FileError: the file cannot be read or is no dump that can be imported. SchemaVersionError: of a later revision.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = str(path)
        self.footer = Footer({}, {})
        self.sha256 = ""
        if path.exists() and not path.is_file() and not path.is_dir():
            raise FileError(f"{self.file} is no ordinary file, and it has to be read twice.", "Name a file.")
        first = next(lines_of(path), b"")
        if first.startswith(b"-- ") and b" as agor-tui " in first:
            raise FileError(
                f"{self.file} is an export in SQL, which the database's own program runs.",
                "Run it with sqlite3 -bail or psql, as its first lines say; or export jsonl, and import that.",
            )
        self._document = first.startswith(BEGIN_DOCUMENT)
        self.header: Header = parse_header(
            first[len(BEGIN_DOCUMENT) : -len(BEGIN_ROWS) - 1] if self._document else first, self.file
        )
        self._require_known()

    def _require_known(self) -> None:
        header = self.header
        if header.revision not in REVISIONS:
            raise SchemaVersionError(
                f"{self.file} has the tables of revision {quoted(header.revision)}, and this agor-tui knows {HEAD}.",
                f"It was written by agor-tui {header.tool_version}: update to that, or to a later one.",
            )
        for name, columns in header.tables.items():
            if name not in FORMATS:
                raise FileError(
                    f"{self.file} has rows of a table {quoted(name)}, which agor-tui does not know.", _AGAIN
                )
            if columns != columns_of(FORMATS[name]):
                odd = sorted(set(columns) ^ set(columns_of(FORMATS[name])))
                raise FileError(
                    f"{self.file} has other columns of the table {name} than agor-tui"
                    + (f": {quoted(str(odd[0]))}." if odd else "."),
                    _AGAIN,
                )

    def batches(self, *, checked: bool = False) -> Iterator[Batch]:
        """Give the rows in the order of the file. ``checked``: it was read to its end before, and found sound.

        Raises:
            FileError: the file is not as it was written; the footer, read last, says so of every byte.
        """
        decoders = {name.encode(): (name, RowDecoder(FORMATS[name])) for name in self.header.tables}
        name, decoder = "", None
        rows: list[Row] = []
        first, held, current = 2, 0, b""
        number = 1
        for number, line in self._row_lines():
            begin = line[: line.find(b'"', len(BEGIN_ROW)) + 1]
            if begin != current or held > BATCH_BYTES or len(rows) == BATCH_ROWS:
                if rows:
                    yield Batch(name, rows, range(first, number), held)
                first, held, rows = number, 0, []
                if begin != current:
                    name, decoder = decoders.get(begin[len(BEGIN_ROW) : -1], ("", None))
                    if decoder is None:
                        raise damaged(self.file, number, "this is no row of a table that the header names")
                    current = begin
            assert decoder is not None
            try:
                rows.append(decoder.row(line, checked=checked))
            except RowError as error:
                raise self._row_fault(number, name, line, error) from None
            except ValueError:  # another file than was checked
                raise damaged(self.file, number, "this is no row") from None
            held += len(line)
        if rows:
            yield Batch(name, rows, range(first, number + 1), held)

    def has_messages(self, wanted: set[str]) -> set[str]:
        """Return those of ``wanted`` that are ids of messages in the file, which was read to its end before."""
        place = FORMATS["messages"].key_at
        found: set[str] = set()
        for batch in self.batches(checked=True):
            if batch.table == "messages":
                found |= wanted.intersection(row[place or 0] for row in batch.rows)
        return found

    def _row_lines(self) -> Iterator[tuple[int, bytes]]:
        """Give number and bytes of each row's line, and read the footer."""
        total = sha256()
        ends = END_ROWS if self._document else BEGIN_FOOTER
        behind = b",\n" if self._document else b"\n"
        lines = lines_of(self.path)
        total.update(next(lines, b""))
        number = 1
        for number, line in enumerate(lines, 2):
            if line.startswith(BEGIN_ROW):
                total.update(line)
                yield number, line[: -len(behind)] if line.endswith(behind) else line.rstrip(b"\n")
            elif line.startswith(ends):
                self._read_footer(number, line, total)
                break
            else:
                raise damaged(self.file, number, "this is no row")
        else:
            raise damaged(self.file, number, "the file ends here, and its last line is missing")
        if next(lines, None) is not None:
            raise damaged(self.file, number + 1, "something follows the last line")

    def _read_footer(self, number: int, line: bytes, total: Any) -> None:
        at = line.rfind(SHA256) + len(SHA256)
        total.update(line[:at])
        self.sha256 = total.hexdigest()
        if line[at:] != f'{self.sha256}"}}{"}" if self._document else ""}\n'.encode():
            raise damaged(self.file, number, "the checksum in the last line is not that of the file")
        footer = parse_footer(b"{" + line[2:at] if self._document else line[:at])
        if footer is None:
            raise damaged(self.file, number, "the last line is not as agor-tui writes it")
        self.footer = footer

    def _row_fault(self, line_number: int, table: str, line: bytes, error: RowError) -> FileError:
        where = f"{self.file}, line {line_number:,}: {table} {key_in(line)}".rstrip()
        what = f": {quoted(error.column)} {error.what}" if error.column else f": the line {error.what}"
        return FileError(f"{where}{what}.", "Nothing was written.")
