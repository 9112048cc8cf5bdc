"""Rows as INSERT statements for an initialised empty database: for ``sqlite3`` or ``psql``, in one transaction."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import IO, Any

import orjson

from agor_tui.db.row_format import Kind, Row, TableFormat
from agor_tui.db.row_repair import no_json, repaired
from agor_tui.db.types import keep_json, keep_no_json, keep_text
from agor_tui.services.dump.form import Footer, Header
from agor_tui.services.dump.rows import iso_of_ms
from agor_tui.text import printable
from agor_tui.transfers import Finding

_COPIED = 1 << 20
_PIECE = 1 << 16

_BEGIN = {
    "sqlite": "-- Run it with: sqlite3 -bail FILE < THIS\nBEGIN;\n",
    "postgresql": "-- Run it with: psql -v ON_ERROR_STOP=1 -f THIS URL\n"
    "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\nSET TimeZone = 'UTC';\nBEGIN;\n",
}


class SqlWriter:
    """SQL of ``dialect`` into ``stream``; ``bytes`` of it so far. Links between sessions are set when all are there."""

    def __init__(self, stream: IO[bytes], dialect: str, header: Header) -> None:
        self._stream = stream
        self._dialect = dialect
        self._literals = _LITERALS[dialect]
        self._begins: dict[str, str] = {}
        self._links = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this
        self.bytes = 0
        secrets = "with its secrets" if header.secrets else "without its secrets"
        self._write(
            f"-- {printable(header.label)} as agor-tui {header.tool_version} exported it at {header.exported_at},"
            f" {secrets}.\n-- It goes into a database that agor-tui {header.revision} initialised and that is empty.\n"
        )
        self._write(_BEGIN[dialect])

    def row(self, form: TableFormat, row: Row, *, sound: bool) -> Sequence[Finding]:
        """Add a row, and return what of it the dialect cannot hold; ``sound`` makes no difference here."""
        found: list[Finding] = []
        if self._dialect == "postgresql":
            kept, found = repaired(form, [row], postgresql=True, present=lambda table, keys: set(keys))
            if not kept:
                return found
            row = kept[0]
        links = {}
        for name in form.self_references:
            place = form.names.index(name)
            if row[place] is not None:
                links[name] = row[place]
                row = (*row[:place], None, *row[place + 1 :])
        literals = [
            "NULL" if value is None else self._literals[column.kind](value)
            for column, value in zip(form.columns, row, strict=True)
        ]
        if self._dialect == "postgresql":
            found += [no_json(form, row, place) for place in form.at("json") if literals[place].startswith(_PG_NO_JSON)]
        values = ", ".join(literals)
        begin = self._begins.get(form.name)
        if begin is None:
            names = ", ".join(f'"{name}"' for name in form.names)
            begin = self._begins[form.name] = f'INSERT INTO "{form.name}" ({names}) VALUES ('
        self._write(f"{begin}{values});\n")
        if links:
            text = self._literals["id"]
            set_ = ", ".join(f'"{name}" = {text(value)}' for name, value in links.items())
            key = text(row[form.key_at or 0])
            self._links.write(f'UPDATE "{form.name}" SET {set_} WHERE "{form.key[0]}" = {key};\n'.encode())
        return found

    def end(self, footer: Footer) -> None:
        """Add the links and the end."""
        self._links.seek(0)
        while piece := self._links.read(_COPIED):
            self._stream.write(piece)
            self.bytes += len(piece)
        counts = ", ".join(f"{name} {each.rows}" for name, each in footer.tables.items())
        self._write(f"COMMIT;\n-- Rows: {counts}\n")

    def close(self) -> None:
        """Let the links go."""
        self._links.close()

    def _write(self, text: str) -> None:
        encoded = text.encode()
        self.bytes += len(encoded)
        self._stream.write(encoded)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _sqlite_text(value: Any) -> str:
    if not isinstance(value, str):
        return _sqlite_number(value)
    if "\x00" in value or "\r" in value:  # the one ends a statement, of the other sqlite3 loses some
        return f"CAST(X'{value.encode().hex()}' AS TEXT)"
    return _quoted(value)


def _sqlite_number(value: Any) -> str:
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, float) and not math.isfinite(value):
        return "NULL" if math.isnan(value) else f"{'-' if value < 0 else ''}9e999"
    return _sqlite_text(value) if isinstance(value, str) else repr(int(value) if isinstance(value, bool) else value)


def _pg_text(value: Any) -> str:
    return _quoted(value if "\x00" not in value else keep_text(value))


def _pg_json(value: str) -> str:
    kept = keep_json(value)
    try:
        orjson.loads(kept)
    except ValueError:
        kept = keep_no_json(value)
    return _quoted(kept)


def _pg_instant(value: int) -> str:
    text = iso_of_ms(value)
    if isinstance(text, str):
        return f"'{text}'"
    passed = timedelta(milliseconds=value)
    return f"(TIMESTAMPTZ 'epoch' + INTERVAL '{passed.days} days {value - passed.days * 86_400_000} milliseconds')"


_PG_NO_JSON = _quoted(keep_no_json(""))[:-2]
"""How a literal begins that ``_pg_json`` had to make a text of."""

_LITERALS: dict[str, dict[Kind, Callable[[Any], str]]] = {
    "sqlite": {
        "id": _sqlite_text, "text": _sqlite_text, "json": _sqlite_text, "instant": _sqlite_number,
        "flag": _sqlite_number, "integer": _sqlite_number,
    },
    "postgresql": {
        "id": _pg_text, "text": _pg_text, "json": _pg_json, "instant": _pg_instant,
        "flag": lambda value: "true" if value else "false", "integer": str,
    },
}  # fmt: skip
