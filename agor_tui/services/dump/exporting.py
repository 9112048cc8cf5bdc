"""Exporting a database, or some of its sessions, into one file."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from agor_tui import __version__
from agor_tui.config.places import Place, PostgresPlace, SqlitePlace
from agor_tui.db.id_ledger import IdLedger
from agor_tui.db.landing import landing
from agor_tui.db.revision import HEAD
from agor_tui.db.row_checksum import TableChecksum
from agor_tui.db.row_format import FORMATS, Row, TableFormat
from agor_tui.db.row_repair import key_of, repaired, shown
from agor_tui.db.row_source import RowSource, ahead
from agor_tui.db.row_target import Written, with_text_keys
from agor_tui.db.stopping import stopping
from agor_tui.errors import Cancelled, UsageError, quoted
from agor_tui.filters import SessionFilter
from agor_tui.repositories.choosing import choose_sessions
from agor_tui.services.dump.closure import Closure
from agor_tui.services.dump.compression import compressing
from agor_tui.services.dump.form import Footer, Format, Header, TableSum, format_of
from agor_tui.services.dump.rows import RowEncoder
from agor_tui.services.dump.secrets import SecretRemover
from agor_tui.services.dump.sql import SqlWriter
from agor_tui.services.dump.writer import DumpWriter
from agor_tui.services.export import iso
from agor_tui.transfer.sources import open_source
from agor_tui.transfers import ExportReport, Finding, Progress, TableExported, Tell

_EMPTY = "it is empty, which it may not be"
_LEFT_OUT = "the row is left out"
_MOST_FINDINGS = 1_000
_TELL_EVERY_S = 0.2
_REFERRED_TO = {reference.table for form in FORMATS.values() for reference in form.references} - {"messages"}


class _Sink(Protocol):
    @property
    def bytes(self) -> int: ...

    def row(self, form: TableFormat, row: Row, *, sound: bool) -> Sequence[Finding]: ...

    def end(self, footer: Footer) -> None: ...

    def close(self) -> None: ...


def export_database(
    place: Place,
    out: Path | BinaryIO,
    *,
    format: Format | None = None,
    dialect: str | None = None,
    filter: SessionFilter | None = None,
    filter_text: str = "",
    include_secrets: bool = False,
    replace: bool = False,
    tenant: str | None = None,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
) -> ExportReport:
    """Write the rows of ``place`` to ``out``, a file that is there whole at the end or not at all, or a stream.

    ``format`` and ``dialect`` (of SQL) None: as the name of the file says, else jsonl; as the database is. ``filter``
    None: everything, else some sessions with what belongs to them; ``filter_text`` is how it was typed. ``replace``: a
    file that is there gives way.

    Raises:
        UsageError: this does not fit together. FileError: the file cannot be written.
        DatabaseError: the database cannot be read. Cancelled: ``stop`` was set; there is no file.
    """
    began = time.monotonic()
    path = out if isinstance(out, Path) else None
    named, compression = format_of(path)
    if dialect is not None and (format or named) != "sql":
        raise UsageError("--dialect is for SQL only.", "Add --format sql, or leave out --dialect.")
    if path is not None and isinstance(place, SqlitePlace) and _same(path, place.path):
        raise UsageError(f"{path} is the database itself.", "Name another file.")
    if path is not None and format is None and named is None and path.suffix:
        raise UsageError(
            f"{path.name} ends in {quoted(path.suffix)}, which says no format of an export.",
            "Let it end in .jsonl, .json or .sql (and .gz or .zst to compress it), or say which: --format.",
        )
    format = format or named or "jsonl"
    selection = None if filter is None else choose_sessions(place, filter, tenant=tenant)
    own_dialect = "postgresql" if isinstance(place, PostgresPlace) else "sqlite"
    with (
        _opened(out, replace=replace) as file,
        open_source(place, tenant=tenant) as source,
        stopping(stop, source.cancel),
        IdLedger() as ledger,
        compressing(file, compression) as stream,
    ):
        source.require_whole()
        header = Header(
            label=place.label,
            kind=source.kind,
            dialect=own_dialect,
            revision=HEAD,
            exported_at=iso(datetime.now(UTC)) or "",
            tool_version=__version__,
            secrets=include_secrets,
            filter=filter_text,
        )
        sink: _Sink = (
            SqlWriter(stream, dialect or own_dialect, header)
            if format == "sql"
            else _Lines(DumpWriter(stream, format, header))
        )
        with closing(sink):
            closure = Closure(source, selection, ledger)
            export = _Export(source, closure, ledger, sink, secrets=include_secrets, tell=tell, stop=stop)
            footer = export.run()
    read = list(dict.fromkeys(source.findings))  # some tables are read twice
    found = [*read, *export.findings]
    return ExportReport(
        source=source.label,
        file=str(path or "-"),
        tables=tuple(TableExported(name, each.rows, each.checksum) for name, each in footer.tables.items()),
        left_empty=footer.left_empty,
        secrets=include_secrets,
        bytes=sink.bytes,
        size=path.stat().st_size if path else None,
        findings=tuple(found[:_MOST_FINDINGS]),
        finding_count=len(read) + export.finding_count,
        left_aside=tuple(source.left_aside),
        seconds=time.monotonic() - began,
        secrets_hidden=export.secrets_hidden,
    )


def _not_exported(id: Any) -> str:
    return f"no row of that id ({shown(id)}) is exported"


def _same(a: Path, b: Path) -> bool:
    return a.exists() and b.exists() and a.samefile(b)


@contextmanager
def _opened(out: Path | BinaryIO, *, replace: bool) -> Iterator[BinaryIO]:
    if not isinstance(out, Path):
        yield out
        return
    with landing(out, replace=replace) as part, open(part, "wb") as file:
        yield file


class _Lines:
    """A dump of lines, each table with an encoder of its own."""

    def __init__(self, writer: DumpWriter) -> None:
        self._writer = writer
        self._encoders = {name: RowEncoder(form) for name, form in FORMATS.items()}
        self.end, self.close = writer.end, writer.close

    @property
    def bytes(self) -> int:
        return self._writer.bytes

    def row(self, form: TableFormat, row: Row, *, sound: bool) -> Sequence[Finding]:
        self._writer.row(self._encoders[form.name].line(row, sound=sound))
        return ()


class _Export:
    """One export under way."""

    def __init__(
        self,
        source: RowSource,
        closure: Closure,
        ledger: IdLedger,
        sink: _Sink,
        *,
        secrets: bool,
        tell: Tell | None,
        stop: threading.Event | None,
    ) -> None:
        self._source = source
        self._closure = closure
        self._ledger = ledger
        self._sink = sink
        self._secrets = secrets
        self._tell = tell
        self._stop = stop
        self._left_empty: dict[str, int] = {}
        self._told = 0.0
        self.findings: list[Finding] = []
        self.finding_count = 0
        self.secrets_hidden = 0

    def run(self) -> Footer:
        """Write all rows; return what there is of them."""
        footer = Footer({name: self._table(FORMATS[name]) for name in FORMATS}, self._left_empty)
        self._sink.end(footer)
        return footer

    def _table(self, form: TableFormat) -> TableSum:
        total = TableChecksum(column.kind for column in form.columns)
        if form.name not in self._source.tables:
            return TableSum(0, total.hex)
        remover = None if self._secrets else SecretRemover(form)
        selection = self._closure.selection
        if form.self_references:
            self._know_kept(form)
        expected = self._source.count(form.name, selection) if self._tell else None
        for batch in ahead(self._source.rows(form.name, selection=selection)):
            if self._stop is not None and self._stop.is_set():
                raise Cancelled("The export was stopped; no file was written.")
            rows: Sequence[Row] = batch
            if selection is not None:
                rows = [row for row in batch if self._closure.has(form.name, row)]
            if not rows:
                continue
            rows = self._sound(form, rows)
            for row in rows:
                kept, sound = (row, False) if remover is None else remover.without_secrets(row)
                total.add(kept)
                if found := self._sink.row(form, kept, sound=sound):
                    self._note(found)
            if form.name in _REFERRED_TO:
                self._ledger.add(form.name, [row[form.key_at or 0] for row in rows])
            elif form.name == "messages":
                self._ledger.add(form.name, self._closure.messages.intersection(row[form.key_at or 0] for row in rows))
            self._say(form.name, total.rows, expected)
        self._say(form.name, total.rows, expected, last=True)
        self.secrets_hidden += remover.count if remover is not None else 0
        return TableSum(total.rows, total.hex)

    def _sound(self, form: TableFormat, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows without references to what is not exported, and without those that cannot be without theirs."""
        rows, findings = self._holdable(form, rows)
        self._note(findings)
        if not rows:
            return rows
        columns = list(zip(*rows, strict=True))
        for reference in form.references:
            place = form.names.index(reference.column)
            missing = self._missing(reference.table, set(columns[place]) - {None})
            if missing:
                rows = [self._without(form, row, place) if row[place] in missing else row for row in rows]
        return rows

    def _holdable(self, form: TableFormat, rows: Sequence[Row]) -> tuple[Sequence[Row], list[Finding]]:
        """The rows that a native database can have, and why not the others."""
        findings: list[Finding] = []
        for place, column in enumerate(form.columns):
            if not column.nullable and any(row[place] is None for row in rows):
                gone = [row for row in rows if row[place] is None]
                findings += [Finding(form.name, key_of(form, row), column.name, _EMPTY, _LEFT_OUT) for row in gone]
                rows = [row for row in rows if row[place] is not None]
        done = Written()
        rows = with_text_keys(form, rows, done)
        findings += done.findings
        for reference in form.references:
            place = form.names.index(reference.column)
            missing = self._missing(reference.table, {row[place] for row in rows}) if reference.required else None
            if missing:
                findings += [
                    Finding(form.name, key_of(form, row), reference.column, _not_exported(row[place]), _LEFT_OUT)
                    for row in rows
                    if row[place] in missing
                ]
                rows = [row for row in rows if row[place] not in missing]
        for name, words in form.words.items():
            place = form.names.index(name)
            odd = [row for row in rows if row[place] is not None and row[place] not in words]
            if odd:
                findings += repaired(form, odd, postgresql=False, present=lambda table, keys: set(keys))[1]
                rows = [row for row in rows if row[place] is None or row[place] in words]
        return rows, findings

    def _know_kept(self, form: TableFormat) -> None:
        """Note the ids of all rows that will be exported, of a table whose rows may name later ones."""
        for batch in self._source.rows(form.name, selection=self._closure.selection):
            rows, _ = self._holdable(form, [row for row in batch if self._closure.has(form.name, row)])
            self._ledger.add(form.name, [row[form.key_at or 0] for row in rows])

    def _missing(self, target: str, wanted: set[Any]) -> set[Any]:
        odd = {each for each in wanted if not isinstance(each, str)}
        return odd | self._ledger.missing(target, wanted - odd)

    def _without(self, form: TableFormat, row: Row, place: int) -> Row:
        """The row with nothing at ``place``."""
        name = f"{form.name}.{form.names[place]}"
        self._left_empty[name] = self._left_empty.get(name, 0) + 1
        return (*row[:place], None, *row[place + 1 :])

    def _note(self, findings: Sequence[Finding]) -> None:
        self.finding_count += len(findings)
        self.findings += findings[: _MOST_FINDINGS - len(self.findings)]

    def _say(self, table: str, rows: int, total: int | None, *, last: bool = False) -> None:
        if self._tell is not None and (last or time.monotonic() - self._told >= _TELL_EVERY_S):
            self._told = time.monotonic()
            self._tell(Progress("export", table, rows, total, self._sink.bytes))
