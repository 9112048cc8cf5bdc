"""An open database: units of work that read or write, cancelled from another thread, on either dialect."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from sqlalchemy import exc
from sqlalchemy.engine import Connection, Engine

from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, SqlitePlace, primary
from agor_tui.db.failures import explain, is_row_fault
from agor_tui.db.named_files import require_plain_files
from agor_tui.db.private_copy import clear_untrue
from agor_tui.db.salvaged_file import SalvagedFile
from agor_tui.db.sqlite import Source, SqliteFile
from agor_tui.db.sqlite_failures import is_damage
from agor_tui.db.statement import careful
from agor_tui.errors import Cancelled, ReadOnlyError
from agor_tui.scratch import clear_leftovers

if TYPE_CHECKING:
    from typing import Self

    from agor_tui.db.replica import Replica
    from agor_tui.db.salvage import Salvaged
    from agor_tui.db.snapshot import Snapshot

T = TypeVar("T")

_MOST_CLOSINGS = 3
"""So often a log may have gone while it was to be opened."""


class Database:
    """One open database. Thread-safe: each unit of work has a connection and a transaction of its own.

    ``writable`` opens a database that we own; everything else is opened for reading at the lowest level and leaves no
    trace. ``create`` makes a missing SQLite file, with its folders.
    """

    def __init__(
        self, place: Place, *, writable: bool = False, create: bool = False, tenant: str | None = None
    ) -> None:
        _clear_once()
        self.place = place
        self.read_only = not writable
        self.tenant = tenant
        self._running: set[Any] = set()
        self._closed = False
        self._guard = threading.Lock()
        self._file: SqliteFile | None = None
        self._replica: Replica | None = None
        self._pool: Engine | None = None
        self.damage: str | None = None
        """What of the file is damaged, and what of it cannot be read, as far as that was met."""
        self._salvaged: SalvagedFile | None = None
        self._salvaging = False
        self.server: PostgresPlace | None = None
        """How a PostgreSQL database is reached: the place itself, unless that is an embedded server's."""
        if isinstance(place, PostgresPlace):
            from agor_tui.db import postgresql  # psycopg takes long to import, and an SQLite file needs none

            self._postgresql = postgresql
            self.server = _running(place) if place.embedded else place
            require_plain_files(self.server, os.environ)
            self._pool = postgresql.make_engine(self.server)
        elif isinstance(place, SqlitePlace):
            self._file = SqliteFile(place, writable=writable, create=create)
        else:
            self._open_libsql(place, writable=writable)

    def _open_libsql(self, place: LibsqlPlace, *, writable: bool) -> None:
        if place.sync_url:
            from agor_tui.db.replica import Replica

            self._replica = Replica(place)
        if writable or not place.sync_url:
            from agor_tui.db import libsql

            source = primary(place)
            assert isinstance(source, LibsqlPlace)
            self._pool = libsql.make_engine(source, read_only=not writable)

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """The name of the dialect."""
        return "postgresql" if isinstance(self.place, PostgresPlace) else "sqlite"

    @property
    def staleness(self) -> str | None:
        """Why a local copy is not up to date, and since when, in one sentence; None where there is nothing to say."""
        return self._replica.staleness if self._replica else None

    def read(self, work: Callable[[Connection], T], *, at_length: bool = False) -> T:
        """Run ``work`` in a read-only transaction that sees one state of the database; return its result.

        A unit may run several times: an SQLite file that changed under an unlocked reading is read again (but of a unit
        that takes long, ``at_length``, a copy is read at once), and a PostgreSQL connection that the server dropped is
        made anew.

        Raises:
            DatabaseError: the database cannot be reached or read.
            Cancelled: ``cancel`` was called meanwhile.
        """
        if self._replica is not None:
            return self._read_file(self._replica.file(), work, at_length=at_length)
        if self._file is not None:
            return self._read_file(self._file, work, at_length=at_length)
        if isinstance(self.place, PostgresPlace):
            return self._read_postgresql(work)
        with self._explained():
            try:
                return self._read_sqlite(self.engine, work)
            except exc.DBAPIError as error:
                if not is_row_fault(error):
                    raise
                return self._read_sqlite(self.engine, work, careful_now=True)

    def _read_file(self, file: SqliteFile, work: Callable[[Connection], T], *, at_length: bool) -> T:
        careful_now = False
        for attempt in count():
            if self.damage and self._salvaged and (rescue := self._salvaged.rescue):
                with self._explained():
                    return self._read_sqlite(rescue.engine, work, careful_now=careful_now)
            source = file.steady_source(ours=False) if at_length else file.source(attempt=attempt)
            try:
                return self._read_sqlite(source.engine, work, file, source, careful_now=careful_now)
            except _ChangedMeanwhile:
                continue
            except exc.DBAPIError as error:
                if is_row_fault(error) and not careful_now:
                    careful_now = True
                    continue
                if isinstance(error.orig, sqlite3.Error) and is_damage(error.orig) and self._rescued(file):
                    continue
                if not file.cannot_use_log(source, error.orig):
                    raise explain(file.place, error) from None
                if attempt < _MOST_CLOSINGS:
                    continue  # its program was just closing it
            with self._explained():
                return self._read_sqlite(file.private_copy().engine, work, careful_now=careful_now)
        raise AssertionError("unreachable")

    def _rescued(self, file: SqliteFile) -> bool:
        """Have the file, which is damaged, read from what can be read of it; tell whether that is anything."""
        self._salvaged = self._salvaged or SalvagedFile(file)
        try:
            found = self._salvaged.make().salvaged
        except sqlite3.DatabaseError:
            return False
        self.damage = found.sentence(str(file.path)) if found.rows else None
        return found.rows > 0

    def _read_sqlite(
        self,
        engine: Engine,
        work: Callable[[Connection], T],
        file: SqliteFile | None = None,
        source: Source | None = None,
        *,
        careful_now: bool = False,
    ) -> T:
        with self._unit(engine) as connection:
            if careful_now:
                careful(connection)
            try:
                connection.exec_driver_sql("BEGIN")
                result = work(connection)
            except (Cancelled, KeyboardInterrupt):
                raise
            except BaseException as error:
                if file and source and not _is_interrupted(error) and file.changed(source):
                    connection.invalidate()
                    raise _ChangedMeanwhile from None  # what was read may have been anything
                raise
            if file and source and file.changed(source):
                connection.invalidate()  # with all pages that it remembers
                raise _ChangedMeanwhile
            return result

    def _read_postgresql(self, work: Callable[[Connection], T]) -> T:
        assert self._pool is not None
        careful_now = False
        for attempt in ("first", "second", "third"):
            try:
                with self._unit(self._pool) as connection:
                    if careful_now:
                        careful(connection)
                    self._postgresql.begin(connection, self.place, read_only=True, tenant=self.tenant, to_show=True)
                    result = work(connection)
                    connection.exec_driver_sql("COMMIT")
                    return result
            except exc.DBAPIError as error:
                # A pooled connection may have died while it lay idle; a fresh one tells.
                shown = explain(self.place, error)
                again = error.connection_invalidated and attempt == "first"
                again = again and not isinstance(error.orig, self._postgresql.SilentError)
                if is_row_fault(error) and not careful_now:
                    again = careful_now = True
                if isinstance(shown, Cancelled) or not again:
                    raise shown from None
        raise AssertionError("unreachable")

    def salvage(self) -> Salvaged | None:
        """Have snapshots read what can be read of a damaged SQLite file; return what that is; None without a file.

        Raises:
            DatabaseError: nothing of it can be read.
        """
        if self._file is None:
            return None
        self._salvaging = True
        self._salvaged = self._salvaged or SalvagedFile(self._file)
        try:
            return self._salvaged.make().salvaged
        except sqlite3.DatabaseError as error:
            raise explain(self.place, exc.DBAPIError(None, None, error)) from None

    @contextmanager
    def snapshot(self, *, ours: bool = False) -> Iterator[Snapshot]:
        """A reading transaction on one state of the database, for as long as it takes; cancelled by ``cancel``.

        ``ours`` says that the tables are native: only then may SQLite keep a log beside the file meanwhile.

        Raises:
            DatabaseError: the database cannot be reached or read.
        """
        from agor_tui.db.snapshot import open_snapshot

        file = self._replica.file() if self._replica is not None else self._file
        source = file.steady_source(ours=ours) if file is not None else None
        if self._salvaging and self._salvaged is not None:
            source = Source(self._salvaged.make().engine, None)
        with self._explained(), self._unit(source.engine if source else self.engine) as connection:
            try:
                yield open_snapshot(self, connection, file, source, ours=ours)
            finally:
                connection.invalidate()  # its settings are not those of a unit of work, and it may be lost

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction that is committed when it returns and rolled back when it raises.

        Raises:
            ReadOnlyError: the database was opened for reading.
            DatabaseError: as for ``read``.
        """
        if self.read_only:
            raise ReadOnlyError(
                f"{self.place.label} is open for reading only.",
                "Only databases made by agor-tui are written to.",
            )
        with self._explained(), self._unit(self.engine) as connection:
            if self.dialect == "sqlite":
                # IMMEDIATE: a reader that turns writer half-way would fail where another program wrote meanwhile.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                self._postgresql.begin(connection, self.place, read_only=False, tenant=self.tenant)
            try:
                result = work(connection)
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                if not connection.invalidated:
                    # A full disk has made SQLite roll back by itself: what failed is to be told, not that.
                    with suppress(exc.DBAPIError):
                        connection.exec_driver_sql("ROLLBACK")
                raise
        if self._replica is not None:
            self._replica.sync()
        return result

    @property
    def engine(self) -> Engine:
        """The engine for units of work that manage their own transactions, as migrations do."""
        if self._file:
            return self._file.source().engine
        assert self._pool is not None, "a local copy that is open for reading"
        return self._pool

    def cancel(self) -> None:
        """Stop whatever runs now in other threads; their units of work raise ``Cancelled``."""
        with self._guard:
            running = list(self._running)
        for connection in running:
            if isinstance(self.place, PostgresPlace):
                self._postgresql.cancel(connection)
            else:
                connection.interrupt()
        if self._replica is not None:
            self._replica.cancel()

    def close(self) -> None:
        """Close all connections; one that is in use by another thread as soon as its unit of work ends."""
        self._closed = True
        if self._pool is not None:
            self._pool.dispose()
        if self._salvaged is not None:
            self._salvaged.close()
        if self._file is not None:
            self._file.close(in_use=bool(self._running))
        if self._replica is not None:
            self._replica.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except exc.DBAPIError as error:
            raise explain(primary(self.place), error) from None

    @contextmanager
    def _unit(self, engine: Engine) -> Iterator[Connection]:
        with engine.connect() as connection:
            driver = connection.connection.driver_connection
            with self._guard:
                self._running.add(driver)
            try:
                yield connection
            finally:
                with self._guard:
                    self._running.discard(driver)
                if self._closed:
                    connection.invalidate()  # else it goes back into a pool that nobody empties any more


class _ChangedMeanwhile(Exception):
    """Another program wrote to the file while it was read."""


def _is_interrupted(error: BaseException) -> bool:
    return isinstance(error, exc.DBAPIError) and "interrupted" in str(error.orig)


@cache
def _clear_once() -> None:
    """Clear what others left that died, when the first database is opened: nobody waits for a screen by then."""
    clear_leftovers()
    clear_untrue()


def _running(place: PostgresPlace) -> PostgresPlace:
    """Start or join the embedded server; return how its database is reached."""
    from agor_tui import paths
    from agor_tui.db.embedded.server import shared_server

    return shared_server(paths.embedded_folder()).place(place)
