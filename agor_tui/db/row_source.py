"""Reading the rows of a database table by table, in the order of their keys, for whoever moves or compares them.

``NativeSource`` reads our own tables through the driver: JSON stays text, times stay numbers. Another program's
database is a ``MappedSource`` over a ``RowMapping``, which its schema module makes.
``transfer.sources.open_source`` opens whichever a place is.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import ColumnElement, Select, Text, column, func, literal, or_, select, table
from sqlalchemy.engine import Connection

from agor_tui.config.places import describe
from agor_tui.db import transfer_marks
from agor_tui.db.backup import damage_in
from agor_tui.db.catalog import read_catalog
from agor_tui.db.revision import VERSION_TABLE
from agor_tui.db.row_format import FORMATS, BrokenText, Row, TableFormat, row_bytes
from agor_tui.db.row_repair import shown
from agor_tui.db.row_values import FROM_POSTGRESQL, FROM_SQLITE, converted, cut_times
from agor_tui.db.snapshot import Snapshot, rendered
from agor_tui.db.sqlite_failures import damaged
from agor_tui.db.tables import metadata, sessions
from agor_tui.db.unmapped import Declared, unmapped
from agor_tui.transfers import NOT_COPIED, Finding, LeftAside

if TYPE_CHECKING:
    from typing import Self

    from agor_tui.db.engine import Database

BATCH_BYTES = 8_000_000
BATCH_ROWS = 20_000
_CURSOR = "agor_tui_rows"
_FETCH_BYTES = 1_000_000
_PAGE = 500
"""Rows of one answer of a libSQL server."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The sessions that are meant, with all that belongs to them; what belongs to no session is meant whole.

    ``sessions`` is a query for their ids in the native tables, or the set of their ids.
    """

    sessions: Select[Any] | frozenset[str]

    def has(self, table: TableFormat, row: Row) -> bool:
        """Tell whether ``row`` is meant, where ``sessions`` is a set."""
        if not isinstance(self.sessions, frozenset) or "session_id" not in table.names:
            return True
        session = row[table.names.index("session_id")]
        return session is None or session in self.sessions


class RowSource(ABC):
    """The rows of one database, in one state of it for as long as this is open; nothing is written there."""

    label: str
    """Where it is, to be shown."""
    kind: str
    """The schema kind: native, agor, opencode, kilo."""
    tables: tuple[str, ...]
    """The native tables that there are rows for, in the order of foreign keys."""

    _snapshot: Snapshot

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        """What the rows read so far had that native rows cannot have, and tables that are not mapped."""
        self.left_aside: list[LeftAside] = []
        """The tables with rows that are knowingly not read."""
        self._open = ExitStack()
        self._database: Database | None = None

    @abstractmethod
    def count(self, table: str, selection: Selection | None = None) -> int | None:
        """Return how many rows ``rows`` gives; None where only reading them tells."""

    @abstractmethod
    def rows(self, table: str, *, after: str | None = None, selection: Selection | None = None) -> Iterator[list[Row]]:
        """Give the native rows of ``table`` in batches, ordered by the bytes of the key, those past ``after`` only.

        A batch has about ``BATCH_BYTES`` of text, or one row where that is larger, and at most ``BATCH_ROWS`` rows.
        A table without a key is ordered by all its columns and has no ``after``. One table is read at a time.

        Raises:
            DatabaseError: the database cannot be read, or an SQLite file was changed under a reading without locks.
        """

    @abstractmethod
    def since(self, ms: int) -> Selection:
        """Return the selection of the sessions changed at ``ms`` (epoch milliseconds) or later."""

    def require_whole(self) -> None:
        """Raise a DatabaseError where SQLite's own check finds damage: not all of it fails a reading."""
        if isinstance(self._snapshot.driver, sqlite3.Connection):
            with self._snapshot.explained():
                found = damage_in(self._snapshot.driver)
            if found:
                raise damaged(self.label, found)

    def cancel(self) -> None:
        """Stop what is read in another thread now, which raises ``Cancelled``."""
        if self._database is not None:
            self._database.cancel()

    def close(self) -> None:
        """Let the database go."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class NativeSource(RowSource):
    """The native tables of an open database; ``close`` closes the database too."""

    kind = "native"

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.label = describe(database.place)
        self.tables = tuple(FORMATS)
        with ExitStack() as opened:
            opened.callback(database.close)
            self._snapshot = opened.enter_context(database.snapshot(ours=True))
            with self._snapshot.explained():
                self.findings += _beyond(self._snapshot.connection)
                self.findings += unmapped(self._snapshot.connection, _OURS, None)[0]
            self._open = opened.pop_all()
        self._database = database

    def since(self, ms: int) -> Selection:
        from agor_tui.db.types import instant_of_ms

        return Selection(select(sessions.c.session_id).where(sessions.c.updated_at >= instant_of_ms(ms)))

    def count(self, table: str, selection: Selection | None = None) -> int | None:
        if selection is not None and isinstance(selection.sessions, frozenset):
            return None
        form = FORMATS[table]
        statement = select(func.count()).select_from(_TABLES[table]).where(*_conditions(form, None, selection))
        with self._snapshot.explained():
            return int(self._snapshot.connection.execute(statement).scalar_one())

    def rows(self, table: str, *, after: str | None = None, selection: Selection | None = None) -> Iterator[list[Row]]:
        form = FORMATS[table]
        snapshot = self._snapshot
        converts = FROM_POSTGRESQL if snapshot.postgresql else FROM_SQLITE
        with snapshot.explained():
            for batch in batches(form, _read(snapshot, form, after, selection)):
                snapshot.require_still()
                if snapshot.postgresql:
                    self.findings += cut_times(form, batch)
                found = converted(form, batch, converts)
                if selection is not None and isinstance(selection.sessions, frozenset):
                    found = [row for row in found if selection.has(form, row)]
                if found:
                    yield found


class RowMapping(Protocol):
    """How another program's tables read as native rows: what a schema module gives for ``MappedSource``.

    It is made as ``rows_of(connection, tenant, found) -> RowMapping`` over an open transaction of SQLAlchemy's, whose
    state does not change; ``found`` takes what native rows cannot have (append a ``Finding``).
    """

    tables: tuple[str, ...]
    """The native tables that it gives rows for, in the order of ``FORMATS``."""

    left_aside: tuple[LeftAside, ...]
    """The tables of which it knowingly leaves some rows out."""

    def count(self, table: str) -> int | None:
        """Return how many rows ``rows`` gives; None where only reading them tells."""

    def rows(self, table: str, after: str | None) -> Iterator[Row]:
        """Give native rows (see ``row_format``), ordered by the bytes of their key, those whose key is past ``after``.

        They stream: never all of a table in memory.
        """


class MappedSource(RowSource):
    """The native rows that a mapping makes of another program's tables."""

    def __init__(
        self,
        database: Database,
        kind: str,
        declared: Declared,
        make: Callable[[Connection, str | None, list[Finding]], RowMapping],
    ) -> None:
        super().__init__()
        self.label = describe(database.place)
        self.kind = kind
        with ExitStack() as opened:
            opened.callback(database.close)
            self._snapshot = opened.enter_context(database.snapshot())
            # Of Agor's rows the values pass as they are; the other mappings make texts of their own.
            if kind == "agor" and isinstance(self._snapshot.driver, sqlite3.Connection):
                self._snapshot.driver.text_factory = _text_or_bytes
            with self._snapshot.explained():
                self._mapping = make(self._snapshot.connection, database.tenant, self.findings)
                beyond = unmapped(self._snapshot.connection, declared, database.tenant)
            self.findings += beyond[0]
            self.left_aside += [*beyond[1], *self._mapping.left_aside]
            self._open = opened.pop_all()
        self._database = database
        self.tables = self._mapping.tables

    def since(self, ms: int) -> Selection:
        form = FORMATS["sessions"]
        key, updated = form.names.index("session_id"), form.names.index("updated_at")
        with self._snapshot.explained():
            before = len(self.findings)
            # What is no time is kept rather than lost, as where SQLite compares it.
            rows = self._mapping.rows("sessions", None)
            chosen = frozenset(row[key] for row in rows if not isinstance(row[updated], int) or row[updated] >= ms)
            del self.findings[before:]  # they are found again when the rows are read
        return Selection(chosen)

    def count(self, table: str, selection: Selection | None = None) -> int | None:
        with self._snapshot.explained():
            return self._mapping.count(table) if selection is None else None

    def rows(self, table: str, *, after: str | None = None, selection: Selection | None = None) -> Iterator[list[Row]]:
        form = FORMATS[table]
        with self._snapshot.explained():
            rows: Iterable[Row] = self._once(form, self._mapping.rows(table, after))
            if selection is not None:
                rows = (row for row in rows if selection.has(form, row))
            for batch in batches(form, rows):
                self._snapshot.require_still()
                yield batch if self._snapshot.postgresql else converted(form, batch, FROM_SQLITE)

    def _once(self, form: TableFormat, rows: Iterable[Row]) -> Iterator[Row]:
        """Give of rows with the same key, which come one after another, the first: no table of ours takes two."""
        place, last = form.key_at, None
        for row in rows:
            if place is not None:
                if last is not None and row[place] == last:
                    self.findings.append(Finding(form.name, shown(last), None, "several rows have this id", NOT_COPIED))
                    continue
                last = row[place]
            yield row


class SelectedSource(RowSource):
    """The rows that a selection means of another source, which this does not close."""

    def __init__(self, source: RowSource, selection: Selection) -> None:
        super().__init__()
        self._source = source
        self._selection = selection
        self.label, self.kind, self.tables = source.label, source.kind, source.tables
        self.findings, self.left_aside = source.findings, source.left_aside

    def since(self, ms: int) -> Selection:
        return self._source.since(ms)

    def count(self, table: str, selection: Selection | None = None) -> int | None:
        return self._source.count(table, selection or self._selection)

    def rows(self, table: str, *, after: str | None = None, selection: Selection | None = None) -> Iterator[list[Row]]:
        return self._source.rows(table, after=after, selection=selection or self._selection)


def ahead(batches: Iterator[list[Row]]) -> Iterator[list[Row]]:
    """Give ``batches``, each read in a thread of its own while the one before it is dealt with."""
    with ThreadPoolExecutor(1, "agor-tui-reading") as reader:
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch


def batches(table: TableFormat, rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Cut ``rows`` into lists of about ``BATCH_BYTES``, or one row where that is larger."""
    heavy = table.at("text", "json")
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        for place in heavy:
            value = row[place]
            if value is not None:
                size += len(value) if isinstance(value, (str, bytes)) else 8
        if size > BATCH_BYTES or len(batch) == BATCH_ROWS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _beyond(connection: Connection) -> Iterator[Finding]:
    """The columns that somebody added to our tables, and filled."""
    catalog = read_catalog(connection)
    for name, form in FORMATS.items():
        for added in [each for each in catalog.tables.get(name, ()) if each not in form.names]:
            filled = select(func.count(column(added))).select_from(table(name, column(added)))
            if number := connection.execute(filled).scalar_one():
                what = f"{number} row{'s have' if number != 1 else ' has'} a value in a column that agor-tui has not"
                yield Finding(name, "", added, what, NOT_COPIED)


_OURS = Declared({*metadata.tables, VERSION_TABLE, transfer_marks.NAME}, {})

_TABLES = {name: table(name, *map(column, form.names)) for name, form in FORMATS.items()}
"""The native tables without types: values pass as the driver has them."""


def _conditions(form: TableFormat, after: str | None, selection: Selection | None) -> list[ColumnElement[bool]]:
    rows = _TABLES[form.name]
    found: list[ColumnElement[bool]] = []
    if after is not None:
        found.append(rows.c[form.key[0]] > literal(after, Text()))
    if selection is not None and isinstance(selection.sessions, Select) and "session_id" in form.names:
        chosen = rows.c.session_id.in_(selection.sessions)
        optional = any(each.column == "session_id" and not each.required for each in form.references)
        found.append(or_(rows.c.session_id.is_(None), chosen) if optional else chosen)
    return found


def _read(snapshot: Snapshot, form: TableFormat, after: str | None, selection: Selection | None) -> Iterator[Row]:
    """Give the rows as the driver has them."""
    rows = _TABLES[form.name]
    order = [rows.c[name] for name in form.key or form.names]
    statement = select(*rows.c).where(*_conditions(form, after, selection)).order_by(*order)
    if snapshot.postgresql:
        return _fetched(snapshot, form, statement)
    if isinstance(snapshot.driver, sqlite3.Connection):
        return _selected(snapshot, statement)
    return _paged(snapshot, form, after, selection)


def _fetched(snapshot: Snapshot, form: TableFormat, statement: Select[Any]) -> Iterator[Row]:
    from psycopg.types.numeric import Int8BinaryLoader
    from psycopg.types.string import TextBinaryLoader

    text, parameters = rendered(statement, snapshot.connection)
    with snapshot.driver.cursor(_CURSOR, binary=True) as cursor:
        # As the bytes are: a timestamptz is an int8, a jsonb a byte and its text.
        cursor.adapters.register_loader("timestamptz", Int8BinaryLoader)
        cursor.adapters.register_loader("jsonb", TextBinaryLoader)
        cursor.execute(text, parameters)
        wanted = 50
        while rows := cursor.fetchmany(wanted):
            yield from rows
            wanted = min(max(_FETCH_BYTES * len(rows) // max(row_bytes(form, rows), 1), 1), 2_000)


def _selected(snapshot: Snapshot, statement: Select[Any]) -> Iterator[Row]:
    text, parameters = rendered(statement, snapshot.connection)
    driver = snapshot.driver
    usual, given = driver.text_factory, 0
    try:
        driver.text_factory = str  # the fast way, which ends at what is no UTF-8
        for row in driver.execute(text, parameters):
            given += 1
            yield row
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
        driver.text_factory = _text_or_bytes
        yield from islice(driver.execute(text, parameters), given, None)
    finally:
        driver.text_factory = usual


def _text_or_bytes(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return BrokenText(value)


def _paged(snapshot: Snapshot, form: TableFormat, after: str | None, selection: Selection | None) -> Iterator[Row]:
    # A libSQL server sends all rows of a statement in one answer.
    rows = _TABLES[form.name]
    key = form.key_at
    while True:
        statement = select(*rows.c).where(*_conditions(form, after, selection))
        if key is not None:
            statement = statement.limit(_PAGE)
        statement = statement.order_by(*(rows.c[name] for name in form.key or form.names))
        text, parameters = rendered(statement, snapshot.connection)
        page = snapshot.driver.cursor().execute(text, parameters).fetchall()
        yield from page
        if key is None or len(page) < _PAGE:
            return
        after = page[-1][key]
