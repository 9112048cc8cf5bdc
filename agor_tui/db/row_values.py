"""From what a driver reads to the values of a row (see ``row_format``), a whole column of a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agor_tui.db.row_format import BrokenText, Kind, Row, TableFormat
from agor_tui.db.types import EPOCH, escape_surrogates, keep_text, restore_json
from agor_tui.transfers import Finding

#: PostgreSQL counts microseconds from here (its documentation, "COPY", binary format; timestamptz is an int8).
_PG_EPOCH_MS = (datetime(2000, 1, 1, tzinfo=UTC) - EPOCH).days * 86_400_000

LATEST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""
EARLIEST_MS = -62_135_596_800_000
"""The first of the year 1."""
_PG_FIRST_MS = -210_866_803_200_000  # 4713 BC
_PG_LAST_MS = 9_224_318_015_999_999  # the end of 294276

_NUL = keep_text("\x00")
_INFINITIES = {2**63 - 1: LATEST_MS, -(2**63): EARLIEST_MS}

POSTGRESQL_TYPES: dict[Kind, str] = {
    "id": "text",
    "text": "text",
    "instant": "int8",
    "flag": "bool",
    "json": "text",
    "integer": "int4",
}
"""The types to tell psycopg for a binary COPY: the same bytes as the column's own types, and the cheapest to make."""

Convert = Callable[[Sequence[Any]], Sequence[Any]]
"""From a column of a batch to that column as it is wanted."""


def _flags(column: Sequence[Any]) -> Sequence[Any]:
    return [bool(value) if value in (0, 1) and isinstance(value, int) else value for value in column]


def _texts(column: Sequence[Any]) -> Sequence[Any]:
    return [
        value if value is None or (type(value) is str and "\x00" not in value) else _kept(value, keep_text)
        for value in column
    ]


def _json_texts(column: Sequence[Any]) -> Sequence[Any]:
    if not {bytes, BrokenText}.intersection(map(type, column)):
        return column
    return [_kept(value, escape_surrogates) for value in column]


def _kept(value: Any, keep: Callable[[str], str]) -> Any:
    """The stored form of a text, also of bytes that are one but for lone surrogates; other values as they are."""
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return value
        return keep(value)
    return value.replace("\x00", _NUL) if isinstance(value, str) and keep is keep_text else value


def _pg_instants(column: Sequence[Any]) -> Sequence[Any]:
    return [
        None if value is None else _INFINITIES[value] if value in _INFINITIES else value // 1000 + _PG_EPOCH_MS
        for value in column
    ]


def _pg_json(column: Sequence[Any]) -> Sequence[Any]:
    # The first byte of a binary jsonb is its version, 1.
    return [None if value is None else restore_json(value[1:]) for value in column]


FROM_SQLITE: Mapping[Kind, Convert] = {"flag": _flags, "text": _texts, "json": _json_texts}
FROM_POSTGRESQL: Mapping[Kind, Convert] = {"instant": _pg_instants, "json": _pg_json}


def pg_instant(ms: int) -> int:
    """Return the int8 of a timestamptz."""
    return (ms - _PG_EPOCH_MS) * 1000


def in_pg_range(ms: int) -> bool:
    """Tell whether PostgreSQL has a timestamptz for it."""
    return _PG_FIRST_MS <= ms <= _PG_LAST_MS


def converted(table: TableFormat, rows: list[Row], converts: Mapping[Kind, Convert]) -> list[Row]:
    """Return ``rows`` with each column of a kind in ``converts`` converted."""
    wanted = [(place, convert) for kind, convert in converts.items() for place in table.at(kind)]
    if not wanted or not rows:
        return rows
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place, convert in wanted:
        columns[place] = convert(columns[place])
    return list(zip(*columns, strict=True))


def cut_times(table: TableFormat, rows: list[Row]) -> Iterator[Finding]:
    """Yield a finding for each time of PostgreSQL's, as it sends it, that milliseconds cannot say."""
    for place in table.at("instant"):
        for row in rows:
            value = row[place]
            if value is None or not value % 1000:
                continue
            key = row[table.key_at or 0]
            name = table.columns[place].name
            if value in _INFINITIES:
                word = "infinity" if value > 0 else "-infinity"
                yield Finding(
                    table.name, key, name, f"the time is {word}", f"kept as the year {9999 if value > 0 else 1}"
                )
            else:
                yield Finding(
                    table.name, key, name, f"the time has {value % 1000} microseconds", "cut to the millisecond"
                )
