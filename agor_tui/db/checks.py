"""What can be wrong with the rows of a native database, whatever its constraints say; looked for in SQL.

Every check reads the tables once, in pieces, and holds no more than the first rows that it finds.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import exc, text

from agor_tui.db.catalog import Catalog
from agor_tui.db.row_format import FORMATS, ColumnFormat, TableFormat
from agor_tui.db.snapshot import Snapshot
from agor_tui.db.transfer_marks import NAME as COPY_RECORD
from agor_tui.db.types import EPOCH, restore_text
from agor_tui.transfers import Check, CheckItem, Progress, Tell

MOST_SHOWN = 20
"""So many ids are listed for each thing that is wrong."""

PIECE = 10_000
"""Rows looked at between two looks at the clock and the user."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No agent ran before: an earlier time is a clock that was off, or a 0."""

CLOCK_OFF = timedelta(days=1)
"""A time further ahead than this was written by a clock that is off."""

AHEAD = frozenset({"scheduled_run_at", "schedule_next_run_at"})
"""Times that are meant to lie ahead."""

_LONG_AGO_MS = (EARLIEST - EPOCH) // timedelta(milliseconds=1)
_MARK = "\ufdd0"

WELL: Mapping[Check, str] = {
    "references": "every row that is named is there",
    "JSON": "all of it can be read",
    "times": "all of them are times",
    "clock": "no time is far off",
    "words": "every status, type and role is one that there is",
    "types": "every value is of its column's type",
    "pairs": "none stands there twice",
    "cycles": "no session is its own ancestor",
}
"""What is said where a check finds nothing."""

_WRONG: Mapping[Check, str] = {
    "JSON": "is no JSON",
    "times": "is no time",
    "clock": "is before 2000, or more than a day ahead",
    "words": "is no word that there is",
    "types": "is of another type than its column",
}


class Looker:
    """The checks of one state of a native database; ``now`` is what its times are compared with."""

    def __init__(self, snapshot: Snapshot, catalog: Catalog, now: datetime, tell: Tell | None = None) -> None:
        self._snapshot = snapshot
        self._tell: Tell = tell or (lambda _: None)
        self._catalog = catalog
        self._forms = [form for form in FORMATS.values() if catalog.has(form.name, *form.names)]
        self._conditions = _Conditions(snapshot.postgresql, now)

    def items(self) -> Iterator[CheckItem]:
        """Look at all of it: an item for each check that is well, and for each column of a check that is not.

        Raises:
            DatabaseError: the database cannot be read. Cancelled: it was cancelled.
        """
        with self._snapshot.explained():
            yield from self._whole(("references",), self._orphans)
            yield from self._whole(("JSON", "times", "clock", "words", "types"), self._rows)
            yield from self._whole(("pairs",), self._pairs)
            yield from self._whole(("cycles",), self._cycles)
            yield from self._unfinished()

    def _whole(self, checks: tuple[Check, ...], look: Callable[[], Iterator[CheckItem]]) -> Iterator[CheckItem]:
        wrong = set()
        try:
            for item in look():
                wrong.add(item.check)
                yield item
        except exc.DatabaseError as error:
            if not isinstance(error.orig, sqlite3.DatabaseError) or "interrupted" in str(error.orig):
                raise
            wrong.update(checks)  # of a damaged file as much is said as can be
            yield CheckItem(checks[0], False, f"cannot be looked at: {error.orig}", count=1)
        for check in checks:
            if check not in wrong:
                yield CheckItem(check, True, WELL[check])

    def _orphans(self) -> Iterator[CheckItem]:
        for form in self._forms:
            for reference in form.references:
                self._tell(Progress("check references", form.name, 0, None, 0))
                if not self._catalog.has(reference.table):
                    continue
                parent = FORMATS[reference.table]
                wrong = orphaned(form.name, reference.column, parent.name, parent.key[0])
                number, found = self._some(form, wrong)
                if number:
                    act = f'DELETE FROM "{form.name}"'
                    if not reference.required:
                        act = f'UPDATE "{form.name}" SET "{reference.column}" = NULL'
                    yield CheckItem(
                        "references",
                        False,
                        f"names a row of {parent.name} that is not there",
                        form.name,
                        reference.column,
                        number,
                        found,
                        f"{act} WHERE {wrong};",
                    )

    def _rows(self) -> Iterator[CheckItem]:
        for form in self._forms:
            tests = list(self._conditions.of(form))
            counts: Counter[int] = Counter()
            found: dict[int, list[str]] = {}
            flags = ", ".join(f"({wrong}) AS c{number}" for number, (_, _, wrong) in enumerate(tests))
            anything = " OR ".join(f"({wrong})" for _, _, wrong in tests)
            for piece in self._pieces(form):
                query = f'SELECT {_key(form)}, {flags} FROM "{form.name}" WHERE ({anything}) AND {piece[0]}'
                width = len(form.key) or len(form.references)
                for row in self._execute(query, **piece[1]):
                    for number, flag in enumerate(row[width:]):
                        if flag:
                            counts[number] += 1
                            ids = found.setdefault(number, [])
                            if len(ids) < MOST_SHOWN:
                                ids.append(_named(row[:width]))
            for number, (check, column, _) in enumerate(tests):
                if counts[number]:
                    shown = tuple(found[number])
                    yield CheckItem(check, False, _WRONG[check], form.name, column, counts[number], shown)

    def _pieces(self, form: TableFormat) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give conditions that cut a table into pieces of ``PIECE`` rows, each when it is wanted."""
        total = int(self._execute(f'SELECT count(*) FROM "{form.name}"')[0][0])
        self._tell(Progress("check rows", form.name, 0, total, 0))
        if not form.key:
            yield "1 = 1", {}
            return
        key, done, after = form.key[0], 0, None
        while True:
            past = f'"{key}" > :after' if after is not None else "1 = 1"
            known: dict[str, Any] = {} if after is None else {"after": after}
            ends = self._execute(
                f'SELECT "{key}" FROM "{form.name}" WHERE {past} ORDER BY "{key}" LIMIT 1 OFFSET {PIECE - 1}', **known
            )
            if not ends:
                yield past, known
                break
            yield f'{past} AND "{key}" <= :upto', {**known, "upto": ends[0][0]}
            done, after = done + PIECE, ends[0][0]
            self._tell(Progress("check rows", form.name, min(done, total), total, 0))
            self._snapshot.require_still()
        self._tell(Progress("check rows", form.name, total, total, 0))
        self._snapshot.require_still()

    def _pairs(self) -> Iterator[CheckItem]:
        for form in self._forms:
            if form.key:
                continue
            pair = _key(form)
            twice = f'SELECT {pair} FROM "{form.name}" GROUP BY {pair} HAVING count(*) > 1'
            rows = self._execute(f"{twice} ORDER BY {pair} LIMIT {MOST_SHOWN + 1}")
            if rows:
                number = len(rows)
                if number > MOST_SHOWN:
                    number = int(self._execute(f"SELECT count(*) FROM ({twice}) AS twice")[0][0])
                mend = f'DELETE FROM "{form.name}" WHERE {second_ones(form, postgresql=self._snapshot.postgresql)};'
                ids = tuple(map(_named, rows[:MOST_SHOWN]))
                yield CheckItem("pairs", False, "stands there more than once", form.name, "", number, ids, mend)

    def _cycles(self) -> Iterator[CheckItem]:
        form = next((form for form in self._forms if form.name == "sessions"), None)
        for column in form.self_references if form else ():
            self._tell(Progress("check ancestors", "sessions", 0, None, 0))
            # Only who has a parent and is one can be in a circle; so few are held, however many sessions there are.
            links = self._execute(
                f'SELECT session_id, "{column}" FROM sessions s WHERE "{column}" IS NOT NULL'
                f' AND EXISTS (SELECT 1 FROM sessions c WHERE c."{column}" = s.session_id)'
            )
            circles = cycles({str(child): str(parent) for child, parent in links})
            if circles:
                ids = tuple(restore_text(each) for each in circles[:MOST_SHOWN])
                yield CheckItem(
                    "cycles", False, "leads back to the session itself", "sessions", column, len(circles), ids
                )

    def _unfinished(self) -> Iterator[CheckItem]:
        if self._catalog.has(COPY_RECORD):
            yield CheckItem("copy", False, "a copy or an import into it was not finished: run it again", count=1)

    def _some(self, form: TableFormat, wrong: str) -> tuple[int, tuple[str, ...]]:
        """Return how many rows meet a condition, and the first of their ids."""
        key = _key(form)
        rows = self._execute(f'SELECT {key} FROM "{form.name}" WHERE {wrong} ORDER BY {key} LIMIT {MOST_SHOWN + 1}')
        number = len(rows)
        if number > MOST_SHOWN:
            number = int(self._execute(f'SELECT count(*) FROM "{form.name}" WHERE {wrong}')[0][0])
        self._snapshot.require_still()
        return number, tuple(map(_named, rows[:MOST_SHOWN]))

    def _execute(self, query: str, **parameters: Any) -> list[Any]:
        return list(self._snapshot.connection.execute(text(query), parameters))


def orphaned(child: str, column: str, parent: str, key: str) -> str:
    """Return the condition that a row of ``child`` names a row of ``parent`` that is not there."""
    there = f'SELECT 1 FROM "{parent}" AS p WHERE p."{key}" = "{child}"."{column}"'
    return f'"{child}"."{column}" IS NOT NULL AND NOT EXISTS ({there})'


def second_ones(form: TableFormat, *, postgresql: bool = False) -> str:
    """Return the condition that a row of a table without a key stands there again, and is not the first."""
    place = "ctid" if postgresql else "rowid"
    return f'{place} NOT IN (SELECT min({place}) FROM "{form.name}" GROUP BY {_key(form)})'


def cycles(parents: Mapping[str, str]) -> list[str]:
    """Return who is its own ancestor, sorted; ``parents`` names one for each."""
    found: list[str] = []
    seen: dict[str, int] = {}
    for number, start in enumerate(parents):
        at: str | None = start
        while at is not None and at not in seen:
            seen[at] = number
            at = parents.get(at)
        if at is not None and seen[at] == number:  # this walk came back to itself
            circle = [at]
            while (after := parents[circle[-1]]) != at:
                circle.append(after)
            found += circle
    return sorted(found)


class _Conditions:
    """SQL that is true of a value that ``types`` would not have written, for one dialect."""

    def __init__(self, postgresql: bool, now: datetime) -> None:
        self._postgresql = postgresql
        self._late = now + CLOCK_OFF

    def of(self, form: TableFormat) -> Iterator[tuple[Check, str, str]]:
        """Give the check, the column and the condition for all that can be wrong in one row of a table."""
        for column in form.columns:
            for check, wrong in self._of_kind(column):
                yield check, column.name, f'"{column.name}" IS NOT NULL AND ({wrong})'
        for name, words in form.words.items():
            listed = ", ".join(f"'{word}'" for word in sorted(words))
            yield "words", name, f'"{name}" NOT IN ({listed})'

    def _of_kind(self, column: ColumnFormat) -> Iterator[tuple[Check, str]]:
        name = f'"{column.name}"'
        if self._postgresql:
            if column.kind == "json":
                # Of our own marks (see types) as many as can be undone; JSONB holds nothing else that is no JSON.
                yield "JSON", f"strpos({name}::text, '{_MARK}') > 0 AND {name}::text ~ '{_MARK}(?![0-9a-f]{{4}})'"
            elif column.kind == "instant":
                yield "times", f"NOT isfinite({name})"
                late = "" if column.name in AHEAD else f" OR {name} > '{self._late.isoformat()}'"
                yield "clock", f"isfinite({name}) AND ({name} < '{EARLIEST.isoformat()}'{late})"
            return
        if column.kind == "json":
            yield "JSON", f"typeof({name}) <> 'text' OR json_valid({name}) = 0"
        elif column.kind == "instant":
            yield "times", f"typeof({name}) <> 'integer'"
            late_ms = (self._late - EPOCH) // timedelta(milliseconds=1)
            late = "" if column.name in AHEAD else f" OR {name} > {late_ms}"
            yield "clock", f"typeof({name}) = 'integer' AND ({name} < {_LONG_AGO_MS}{late})"
        elif column.kind == "flag":
            yield "types", f"typeof({name}) <> 'integer' OR {name} NOT IN (0, 1)"
        elif column.kind == "integer":
            yield "types", f"typeof({name}) <> 'integer'"
        else:
            yield "types", f"typeof({name}) <> 'text'"


def _key(form: TableFormat) -> str:
    """The columns that name a row: its key, or where it has none what it refers to."""
    return ", ".join(f'"{name}"' for name in form.key or [each.column for each in form.references])


def _named(values: Any) -> str:
    return " ".join(
        value.decode("utf-8", "replace") if isinstance(value, bytes) else restore_text(str(value)) for value in values
    )
