"""A native database that rows are moved into, a batch in a transaction.

A row that names a later one of its own table (``sessions.parent_session_id``) goes in without that reference, which is
put into the record of ``transfer_marks`` and set when all rows are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.engine import Connection

from agor_tui.config.places import PostgresPlace, SqlitePlace, describe
from agor_tui.db import transfer_marks
from agor_tui.db.engine import Database
from agor_tui.db.row_encoding import held, repaired_and_held
from agor_tui.db.row_format import FORMATS, Row, TableFormat
from agor_tui.db.row_repair import key_of, no_json, no_such_row, repaired, shown
from agor_tui.db.row_writing import Refused, RowWriter, StoredJson, newest, stamp_columns, writer
from agor_tui.db.types import keep_no_json, restore_text
from agor_tui.errors import DatabaseError
from agor_tui.transfers import Finding, OnConflict

T = TypeVar("T")

LINKS_AT_ONCE = 1_000

_ROOM = ("cache_size=-65536", "wal_autocheckpoint=16384")
"""64 MB of pages in memory, and as much in the log before it is brought over: several batches."""


@dataclass(slots=True)
class Written:
    """What became of the rows of one batch."""

    rows: int = 0
    """Rows inserted or overwritten."""
    overwritten: int = 0
    skipped: int = 0
    left_out: int = 0
    findings: list[Finding] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    """References to later rows of the same table: ``column:key`` and what it refers to."""


class RowTarget:
    """Writes rows into an open native database. ``on_conflict`` says what becomes of rows whose key is there."""

    def __init__(self, database: Database, on_conflict: OnConflict = "fail") -> None:
        self.database = database
        self.label = describe(database.place)
        self.on_conflict = on_conflict

    def transaction(self, work: Callable[[Connection], T], *, last: bool = False) -> T:
        """Run ``work`` in a transaction without a limit of time; raises as ``Database.write``.

        Only the ``last`` one waits for the disk: a computer that crashes may lose whole transactions from before it,
        never parts of them.
        """
        place = self.database.place
        if isinstance(place, SqlitePlace):
            # Of the one connection that is used again and again; this cannot be said inside a transaction.
            with self.database.engine.connect() as connection:
                for setting in (f"synchronous={'FULL' if last else 'NORMAL'}", *_ROOM):
                    connection.exec_driver_sql(f"PRAGMA {setting}")
        if not isinstance(place, PostgresPlace):
            return self.database.write(work)

        def patient(connection: Connection) -> T:
            from agor_tui.db.postgresql import without_limits  # psycopg takes long to import

            without_limits(connection)  # the other side may have to be waited for
            connection.exec_driver_sql(f"SET LOCAL synchronous_commit = {'on' if last else 'off'}")
            return work(connection)

        return self.database.write(patient)

    def write(self, connection: Connection, table: TableFormat, rows: Sequence[Row]) -> Written:
        """Write ``rows`` in the caller's transaction; what cannot be held becomes findings.

        Raises:
            DatabaseError: a value that must differ (a slug, an address) is another row's.
        """
        into = writer(connection)
        done = Written()
        rows, refused = held(into, table, with_text_keys(table, rows, done))
        done.left_out += len(refused)
        done.findings += refused
        fresh, older = self.chosen(into, table, rows, done)
        for chosen, put in ((fresh, into.insert), (older, into.overwrite)):
            if not chosen:
                continue
            chosen = without_later(table, chosen, done.links)
            kept = _Batch(into, table, self.label, done).put(chosen, put)
            done.rows += kept
            done.left_out += len(chosen) - kept
            if put == into.overwrite:
                done.overwritten += kept
        return done

    def set_links(self, connection: Connection) -> tuple[int, list[Finding]]:
        """Set some of the references that were left open; return how many were taken up, 0 when there are no more."""
        entries = transfer_marks.take(connection, "link", LINKS_AT_ONCE)
        into = writer(connection)
        by_column: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for name, value in entries.items():
            table, column, key = name.split(":", 2)
            by_column.setdefault((table, column), []).append((key, value))
        findings = []
        for (name, column), links in by_column.items():
            table_format = FORMATS[name]
            there = into.present(name, [value for _, value in links])
            into.link(table_format, column, [link for link in links if link[1] in there])
            for key, value in links:
                if value not in there:
                    findings.append(no_such_row(name, shown(key), column, name, value))
        return len(entries), findings

    def chosen(
        self, into: RowWriter, table: TableFormat, rows: Sequence[Row], done: Written
    ) -> tuple[list[Row], list[Row]]:
        """Return the rows to insert and those to overwrite, by the rule for conflicts; ``done`` counts the others."""
        if self.on_conflict == "fail":
            return list(rows), []
        if table.key_at is None:
            return self._new_pairs(into, table, rows, done), []
        place = table.key_at
        stamps = into.stamps(table, [row[place] for row in rows])
        fresh = [row for row in rows if row[place] not in stamps]
        older: list[Row] = []
        if self.on_conflict == "newer":
            older = [row for row in rows if row[place] in stamps and _stamp(table, row) > stamps[row[place]]]
        done.skipped += len(rows) - len(fresh) - len(older)
        return fresh, older

    def _new_pairs(self, into: RowWriter, table: TableFormat, rows: Sequence[Row], done: Written) -> list[Row]:
        """Of a table without a key, the rows whose references TO does not have together yet."""
        there = into.pairs(table, rows)
        places = [table.names.index(each.column) for each in table.references]
        fresh = [row for row in rows if tuple(row[place] for place in places) not in there]
        done.skipped += len(rows) - len(fresh)
        return fresh


def _stamp(table: TableFormat, row: Row) -> int:
    values = dict(zip(table.names, row, strict=True))
    return newest(table, [values[name] for name in stamp_columns(table)])


def with_text_keys(table: TableFormat, rows: Sequence[Row], done: Written) -> Sequence[Row]:
    """Return the rows without those whose key is no text, which only an SQLite file can hold; ``done`` counts those."""
    place = table.key_at
    if place is None or all(isinstance(row[place], str) for row in rows):
        return rows
    odd = [row for row in rows if not isinstance(row[place], str)]
    done.left_out += len(odd)
    done.findings += [
        Finding(table.name, key_of(table, row), table.key[0], "the id is no text", "the row is left out") for row in odd
    ]
    return [row for row in rows if isinstance(row[place], str)]


def without_later(table: TableFormat, rows: Iterable[Row], links: dict[str, str]) -> list[Row]:
    """Return the rows with those references empty that name a later row of the same table; those go to ``links``."""
    if not table.self_references or table.key_at is None:
        return list(rows)
    places = [table.names.index(name) for name in table.self_references]
    found = []
    for row in rows:
        key = row[table.key_at]
        later = [place for place in places if isinstance(row[place], str) and row[place] > key]
        if later:
            for place in later:
                links[f"{table.name}:{table.names[place]}:{key}"] = row[place]
            row = tuple(None if place in later else value for place, value in enumerate(row))
        found.append(row)
    return found


Put = Callable[[TableFormat, Sequence[Row]], None]


class _Batch:
    """Rows of one table on their way into the database at ``label``, and what becomes of them."""

    def __init__(self, into: RowWriter, table: TableFormat, label: str, done: Written) -> None:
        self._into = into
        self._table = table
        self._label = label
        self._done = done

    def put(self, rows: list[Row], put: Put) -> int:
        """Write ``rows``, at once where they can be held, else without what cannot; return how many are there."""
        if self._into.sound(self._table, rows):
            try:
                put(self._table, rows)
            except Refused:
                pass
            else:
                return len(rows)
        postgresql = self._into.dialect == "postgresql"
        kept, findings = repaired_and_held(
            self._table,
            rows,
            lambda some: repaired(self._table, some, postgresql=postgresql, present=self._into.present),
            lambda some: held(self._into, self._table, some),
        )
        self._done.findings += findings
        return self._parts(kept, put)

    def _parts(self, rows: list[Row], put: Put) -> int:
        """Write ``rows``, halving them until those are alone that the database refuses."""
        if not rows:
            return 0
        try:
            put(self._table, rows)
        except Refused as refused:
            if len(rows) == 1:
                return self._alone(rows[0], put, refused)
            middle = len(rows) // 2
            return self._parts(rows[:middle], put) + self._parts(rows[middle:], put)
        return len(rows)

    def _alone(self, row: Row, put: Put, refused: Refused) -> int:
        """Write a row that was refused without what cannot be read in it, or leave it out."""
        self._refuse_clash(row)
        table = self._table
        if self._into.refused_value(refused.error):
            near = list(row)
            found = []
            for place in table.at("json"):
                value = row[place]
                if value is None or isinstance(value, StoredJson) or self._into.takes_json(value):
                    continue
                near[place] = StoredJson(keep_no_json(value))
                found.append(no_json(table, row, place))
            if found:
                kept = self._parts([tuple(near)], put)
                self._done.findings += found[: len(found) * kept]
                return kept
        reason = str(refused.error).strip().splitlines()[0]
        left = Finding(table.name, key_of(table, row), None, f"refused: {reason}", "the row is left out")
        self._done.findings.append(left)
        return 0

    def _refuse_clash(self, row: Row) -> None:
        """Raise a DatabaseError where the row is refused for a value, or a key, that another row has."""
        table = self._table
        if table.key_at is None:
            return
        key = row[table.key_at]
        for column in table.unique:
            value = row[table.names.index(column)]
            other = None if value is None else self._into.key_of(table, column, value)
            if other is not None and other != restore_text(key):
                raise clash(table, column, value, key, other, self._label)


def clash(table: TableFormat, column: str, value: str, key: str, other: str, label: str) -> DatabaseError:
    """The error for a row ``key`` whose ``value`` in a unique column is that of another row of the target."""
    return DatabaseError(
        f"{column} {shown(value)!r} of {shown(key)} in {table.name} is that of {shown(other)} in {label}.",
        f"Nothing of this batch was written. Change one of the two, or leave {table.name} out with --only.",
    )
