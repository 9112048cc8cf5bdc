"""What can be read of a damaged SQLite file: every whole row of its tables, put into a file of our own.

Rows are read from the tables themselves, never through an index, a window of row numbers at a time; where a window
cannot be read, ever smaller ones are, down to one row. The damaged file is only read.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from agor_tui.db.backup import RULES
from agor_tui.db.sqlite_failures import is_damage

_WINDOW = 1_000
"""Rows that are copied by one statement."""
_NEAR = 20_000
"""Row numbers tried one by one behind damage: a page holds fewer rows. Behind them the distances double."""
_LAST = 2**63 - 1
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Gap:
    """Rows of ``table`` that cannot be read: those numbered ``first`` to ``last`` (None: to the end), as far as there
    were such rows; ``id`` where it is one whose id can be read."""

    table: str
    first: int
    last: int | None
    id: str | None = None

    @property
    def rows(self) -> str:
        """Which rows, in words."""
        if self.id is not None:
            return self.id
        if self.last is None:
            return f"all from number {self.first}"
        return f"number {self.first}" if self.first == self.last else f"numbers {self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What came of it: the ``gaps``, and the ``lines`` that SQLite's own check says of the damage."""

    gaps: tuple[Gap, ...]
    lines: tuple[str, ...]
    tables: tuple[str, ...]
    """Tables of which nothing can be read."""
    rows: int
    """How many rows could be read."""

    def sentence(self, place: str) -> str:
        """What is damaged and what could not be read, to be shown."""
        where = f" ({self.lines[0]})" if self.lines else ""
        lost = [f"{gap.table}: {gap.rows}" for gap in self.gaps[:_MOST_NAMED]] + [
            f"all of {each}" for each in self.tables
        ]
        if not lost:
            return f"{place} is damaged{where}; every row of its tables can still be read."
        more = len(self.gaps) - _MOST_NAMED
        rest = f"; and {more:,} more places" if more > 0 else ""
        return f"{place} is damaged{where}. What can be read is shown; what cannot: {'; '.join(lost)}{rest}."


def salvage(connection: sqlite3.Connection, target: str) -> Salvaged:
    """Put what can be read of the file that ``connection`` reads into ``target``, the URI of a file that is made.

    Raises:
        sqlite3.DatabaseError: its list of tables cannot be read, or ``target`` not be written.
    """
    connection.execute("PRAGMA query_only = OFF")
    connection.execute("ATTACH ? AS salvaged", (target,))
    usual = connection.text_factory
    try:
        connection.execute("PRAGMA salvaged.journal_mode = off")
        connection.execute("PRAGMA salvaged.synchronous = off")
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        return _salvage(connection)
    finally:
        connection.text_factory = usual
        connection.execute("DETACH salvaged")


def _salvage(connection: sqlite3.Connection) -> Salvaged:
    listed = connection.execute(
        "SELECT type, name, sql, rootpage FROM main.sqlite_master WHERE sql IS NOT NULL OR type = 'index'"
    ).fetchall()
    before = connection.total_changes
    gaps: list[Gap] = []
    lost: list[str] = []
    for kind, name, _, root in listed:
        if kind == "table" and root and not name.startswith("sqlite_"):
            try:
                gaps += _Table(connection, name).copy()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                lost.append(name)
    rows = connection.total_changes - before
    for kind, name, sql, _ in listed:
        if kind == "index" and sql is not None and not name.startswith("sqlite_"):
            with suppress(sqlite3.DatabaseError):  # over what is not here; it is only for speed
                connection.execute(re.sub(r"(?i)^CREATE\s+(UNIQUE\s+)?INDEX\s+", "CREATE INDEX salvaged.", sql))
    return Salvaged(tuple(_joined(gaps)), tuple(_lines(connection)), tuple(lost), rows)


class _Table:
    """One table on its way."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self.name = name
        self._from = f"main.{_quoted(name)}"
        self._columns = list(connection.execute(f"PRAGMA main.table_info({_quoted(name)})"))

    def copy(self) -> Iterator[Gap]:
        """Make the table and fill it."""
        connection = self._connection
        columns = ", ".join(f"{_quoted(name)} {kind}" for _, name, kind, *_ in self._columns)
        connection.execute(f"CREATE TABLE salvaged.{_quoted(self.name)} ({columns})")
        yield from list(self._filled())
        key = [_quoted(name) for _, name, _, _, _, place in sorted(self._columns, key=lambda each: each[5]) if place]
        if key:
            index = _quoted(f"key of {self.name}")
            connection.execute(f"CREATE INDEX salvaged.{index} ON {_quoted(self.name)} ({', '.join(key)})")

    def _filled(self) -> Iterator[Gap]:
        at: int | None = -(2**63)
        while at is not None:
            try:
                found = self._next(at)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                at = max(at, 1)
                end = self._behind(at)
                yield Gap(self.name, at, None if end is None else end - 1)
                at = end
                continue
            if found is None:
                return
            last = min(found + _WINDOW - 1, _LAST)
            yield from self._window(found, last)
            at = last + 1 if last < _LAST else None

    def _next(self, at: int) -> int | None:
        row = self._connection.execute(
            f"SELECT rowid FROM {self._from} NOT INDEXED WHERE rowid >= ? ORDER BY rowid LIMIT 1", (at,)
        ).fetchone()
        return None if row is None else int(row[0])

    def _readable(self, at: int) -> bool:
        try:
            self._next(at)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            return False
        return True

    def _behind(self, at: int) -> int | None:
        """The first row number past damage from which on can be read; None where there is none."""
        for each in range(at + 1, at + _NEAR):
            if self._readable(each):
                return each
        low, step = at + _NEAR - 1, _NEAR
        while low + step < _LAST and not self._readable(low + step):
            low, step = low + step, 2 * step
        high = low + step
        if high >= _LAST or self._next(high) is None:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._readable(middle) else (middle, high)
        return high

    def _window(self, first: int, last: int) -> Iterator[Gap]:
        """Copy the rows of some numbers; halve where that fails."""
        names = ", ".join(_quoted(name) for _, name, *_ in self._columns)
        insert = (
            f"INSERT INTO salvaged.{_quoted(self.name)} (rowid, {names}) "
            f"SELECT rowid, {names} FROM {self._from} NOT INDEXED WHERE rowid BETWEEN ? AND ?"
        )
        try:
            self._connection.execute(insert, (first, last))
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            if first == last:
                yield Gap(self.name, first, last, self._id(first))
                return
            middle = (first + last) // 2
            yield from self._window(first, middle)
            yield from self._window(middle + 1, last)

    def _id(self, row: int) -> str | None:
        """The id of a row of which not all can be read."""
        name = next((name for _, name, *_ in self._columns), None)
        with suppress(sqlite3.DatabaseError):
            found = self._connection.execute(
                f"SELECT {_quoted(name or '')} FROM {self._from} NOT INDEXED WHERE rowid = ?", (row,)
            ).fetchone()
            return str(found[0]) if found else None
        return None


def _joined(gaps: list[Gap]) -> Iterator[Gap]:
    """Neighbouring rows without an id as one gap."""
    before: Gap | None = None
    for gap in gaps:
        if (
            before is not None
            and (before.table, before.id, gap.id) == (gap.table, None, None)
            and before.last is not None
            and before.last + 1 == gap.first
        ):
            before = Gap(gap.table, before.first, gap.last)
            continue
        if before is not None:
            yield before
        before = gap
    if before is not None:
        yield before


def _lines(connection: sqlite3.Connection) -> Iterator[str]:
    """What SQLite's own check finds in the pages."""
    try:
        for (line,) in connection.execute("PRAGMA main.quick_check(100)"):
            if line != "ok" and not RULES.match(line):
                yield line.removeprefix("*** in database main ***\n")
    except sqlite3.DatabaseError as error:
        yield str(error)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
