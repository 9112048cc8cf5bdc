"""What is done to rows that a native database cannot hold as they are: the nearest that it can hold, and a finding."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from agor_tui.db.row_format import ColumnFormat, Row, TableFormat
from agor_tui.db.row_values import EARLIEST_MS, LATEST_MS, in_pg_range
from agor_tui.db.types import EPOCH, dump_json, instant_of_ms, instant_of_text, keep_text, restore_text
from agor_tui.redact import HIDDEN, hide_words, names_secret, redact_broken
from agor_tui.transfers import Finding

_INT4 = 2**31
_SHOWN = 60
_MOST_READ = 1_000

Present = Callable[[str, Collection[str]], set[str]]
"""Tells which keys of a table are in TO."""


def repaired(
    table: TableFormat, rows: Sequence[Row], *, postgresql: bool, present: Present
) -> tuple[list[Row], list[Finding]]:
    """Return ``rows`` as the database can hold them, without those that it cannot, and what was done.

    References that name a row neither in TO nor among the rows kept so far are left empty, or cost the row where they
    are required.
    """
    wanted: dict[str, set[str]] = {}
    places = {reference.column: table.names.index(reference.column) for reference in table.references}
    for reference in table.references:
        named = {row[places[reference.column]] for row in rows}
        wanted.setdefault(reference.table, set()).update(key for key in named if isinstance(key, str))
    there = {name: present(name, keys) for name, keys in wanted.items()}
    kept: list[Row] = []
    findings: list[Finding] = []
    for row in rows:
        values = list(row)
        found = list(_values(table, values, postgresql=postgresql))
        reason = _reason(table, values, there, places, found)
        if reason is not None:
            column, what = reason
            findings.append(Finding(table.name, key_of(table, row), column, what, "the row is left out"))
            continue
        findings += found
        kept.append(tuple(values))
        if table.name in there and table.key_at is not None:
            there[table.name].add(values[table.key_at])
    return kept, findings


def no_such_row(table: str, key: str, column: str, named: str, value: Any) -> Finding:
    """The finding of a reference to a row of ``named`` that is not there."""
    return Finding(table, key, column, f"no row of {named} has the id {shown(value)}", "left empty")


def no_json(table: TableFormat, row: Row, place: int) -> Finding:
    """The finding of a text in the place of JSON that PostgreSQL cannot hold as JSON."""
    what = f"{shown(redact_broken(_text(row[place])[:_MOST_READ]))!r} is no JSON that PostgreSQL can hold"
    return Finding(table.name, key_of(table, row), table.names[place], what, "kept as its text")


def key_of(table: TableFormat, row: Row) -> str:
    """Return how a row is named to people: its key, or all its ids where it has none; some are folders or addresses."""
    if table.key_at is not None:
        return hide_words(_text(row[table.key_at]))
    return hide_words(" ".join(_text(row[place]) for place in table.at("id")))


def shown(value: Any) -> str:
    """Return ``value`` for a sentence: short, and without secrets."""
    text = hide_words(_text(value)[:_MOST_READ])
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return restore_text(value) if isinstance(value, str) else str(value)


def _values(table: TableFormat, values: list[Any], *, postgresql: bool) -> Sequence[Finding]:
    """Put the nearest values in place that the types of the columns can hold."""
    key = key_of(table, tuple(values))
    found = []
    for place, column in enumerate(table.columns):
        value = values[place]
        if value is None:
            continue
        near = _near(column, value) if postgresql else _near_text(column, value)
        if near is not None:
            values[place], what, done = near
            if names_secret(column.name):
                what = f"what is there ({HIDDEN}) is not what the column is for"
            found.append(Finding(table.name, key, column.name, what, done))
    return found


def _reason(
    table: TableFormat,
    values: list[Any],
    there: dict[str, set[str]],
    places: dict[str, int],
    found: list[Finding],
) -> tuple[str, str] | None:
    """Why a row cannot be held at all: the column, and what is wrong. References that may be empty are emptied."""
    for place, column in enumerate(table.columns):
        if values[place] is None and not column.nullable:
            return column.name, "there is no value, and one is needed"
    for name in table.filled:
        if values[table.names.index(name)] == "":
            return name, "it is empty, and may not be"
    for name, words in table.words.items():
        value = values[table.names.index(name)]
        if value is not None and value not in words:
            return name, f"{shown(value)!r} is none of the words that it may be"
    for reference in table.references:
        value = values[places[reference.column]]
        to_itself = reference.table == table.name and value == values[table.key_at or 0]
        if value is None or to_itself or value in there[reference.table]:
            continue
        dangling = no_such_row(table.name, key_of(table, tuple(values)), reference.column, reference.table, value)
        if reference.required:
            return reference.column, dangling.what
        values[places[reference.column]] = None
        found.append(dangling)
    return None


def _near_text(column: ColumnFormat, value: Any) -> tuple[Any, str, str] | None:
    """The text of bytes that stand in the place of text."""
    if not isinstance(value, bytes) or column.kind not in ("id", "text", "json"):
        return None
    text = value.decode("utf-8", "replace")
    return (
        text if column.kind == "json" else keep_text(text),
        "the text is not UTF-8",
        "kept with � in the place of what cannot be read",
    )


def _near(column: ColumnFormat, value: Any) -> tuple[Any, str, str] | None:
    """What PostgreSQL can hold in the place of ``value``, what was wrong, and what was done; None: nothing is wrong."""
    kind = column.kind
    if kind in ("id", "text", "json"):
        if isinstance(value, str):
            return None
        if isinstance(value, bytes):
            return _near_text(column, value)
        return (dump_json(value) if kind == "json" else str(value)), f"{shown(value)} is no text", "kept as its digits"
    if kind == "flag":
        if isinstance(value, bool):
            return None
        flag = value not in ("0", "", "false")
        return flag, f"{shown(value)!r} is neither true nor false", f"kept as {'true' if flag else 'false'}"
    if kind == "instant":
        return _near_instant(column, value)
    return _near_integer(column, value)


def _near_instant(column: ColumnFormat, value: Any) -> tuple[Any, str, str] | None:
    if isinstance(value, int):
        if in_pg_range(value):
            return None
        near, year = (LATEST_MS, "9999-12-31") if value > 0 else (EARLIEST_MS, "0001-01-01")
        return near, f"the time {value} ms is out of PostgreSQL's range", f"kept as {year}"
    read = instant_of_text(value) if isinstance(value, str) else instant_of_ms(value)
    what = f"{shown(value)!r} is no number of milliseconds"
    if read is not None:
        return int((read - EPOCH).total_seconds() * 1000), what, f"kept as {read.isoformat(timespec='milliseconds')}"
    return (None, what, "left empty") if column.nullable else (0, what, "kept as 1970-01-01")


def _near_integer(column: ColumnFormat, value: Any) -> tuple[Any, str, str] | None:
    if isinstance(value, float) and abs(value) < _INT4:
        return int(value), f"{value} is no whole number", f"kept as {int(value)}"
    if isinstance(value, (int, float)):
        near = max(-_INT4, min(_INT4 - 1, value))
        return None if near == value else (int(near), f"{value} is out of PostgreSQL's range", f"kept as {int(near)}")
    what = f"{shown(value)!r} is no number"
    return (None, what, "left empty") if column.nullable else (0, what, "kept as 0")
