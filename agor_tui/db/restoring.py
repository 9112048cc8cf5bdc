"""Putting all that one SQLite file holds in the place of what another holds, in one transaction of it."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from agor_tui.config.places import SqlitePlace, describe
from agor_tui.db.backup import LONGEST_WAIT_S, Steps, damage_in, fill, unwritten
from agor_tui.db.catalog import read_catalog
from agor_tui.db.engine import Database
from agor_tui.db.landing import landing
from agor_tui.db.row_format import FORMATS
from agor_tui.db.stopping import stopping
from agor_tui.db.tables import metadata, sessions
from agor_tui.errors import DatabaseError, FileError
from agor_tui.transfers import Progress, Tell

_AS_IT_WAS = "The database is as it was."


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a native database holds: its sessions (None: they cannot be counted), and when the newest was changed."""

    sessions: int | None
    newest: datetime | None


def holdings(connection: Connection) -> Holdings:
    """Count the sessions of a native database."""
    if not read_catalog(connection).has("sessions", "updated_at"):
        return Holdings(0, None)
    row = connection.execute(select(func.count(), func.max(sessions.c.updated_at)).select_from(sessions)).one()
    return Holdings(row[0], row[1])


def empty_tables(connection: Connection) -> None:
    """Take all rows out of the native tables, in the caller's transaction."""
    tables = [metadata.tables[name] for name in FORMATS]
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LONGEST_WAIT_S}s'")
        connection.exec_driver_sql(f"TRUNCATE {', '.join(table.name for table in tables)}")
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        return
    for table in reversed(tables):
        connection.execute(table.delete())


def damage_of(database: Database, tell: Tell | None, stop: threading.Event | None) -> str:
    """Return the first thing that is wrong with an open SQLite file, empty where nothing is. Raises Cancelled."""
    if tell:
        tell(Progress("check", "", 0, None, 0))

    def work(connection: Connection) -> str:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        return damage_in(driver)

    with stopping(stop, database.cancel):
        return database.read(work)


def put_in_place(
    backup: Database, place: SqlitePlace, *, tell: Tell | None = None, stop: threading.Event | None = None
) -> None:
    """Make the file of ``place`` hold what the open file ``backup`` holds; others may have it open.

    Whoever dies or stops on the way leaves the file as it was: all pages go into one transaction of it.

    Raises:
        FileError: it cannot be written. DatabaseError: another program keeps it locked. Cancelled: ``stop`` was set.
    """
    if place.path.exists():
        _overwrite(backup, place, tell, stop)
        return
    for suffix in ("-wal", "-journal"):
        if os.path.lexists(f"{place.path}{suffix}"):
            raise FileError(
                f"{place.path}{suffix} is left of a database that is gone, and would be taken into this one.",
                "Move it away, and try again.",
            )
    with landing(place.path) as part:
        fill(backup, part, tell=tell, stop=stop, target=place.path)


def _overwrite(backup: Database, place: SqlitePlace, tell: Tell | None, stop: threading.Event | None) -> None:
    try:
        with closing(_connect(place)) as target:
            backup.read(lambda connection: _pour(connection, target, place, tell, stop))
            with suppress(sqlite3.Error):  # whoever reads meanwhile keeps the log for a while
                target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise _failed(place, error) from None


def _connect(place: SqlitePlace) -> sqlite3.Connection:
    # A lock is waited for from step to step, where the user may end it.
    return sqlite3.connect(f"{place.path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=0.1)


def _pour(
    connection: Connection,
    target: sqlite3.Connection,
    place: SqlitePlace,
    tell: Tell | None,
    stop: threading.Event | None,
) -> None:
    source = connection.connection.driver_connection
    assert isinstance(source, sqlite3.Connection)
    connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()  # one state of it, to the end
    sizes = [each.execute("PRAGMA page_size").fetchone() for each in (source, target)]
    if sizes[0] != sizes[1]:
        # A log cannot take pages of another size.
        target.execute("PRAGMA journal_mode=DELETE")
    Steps(source, "restore", tell, stop).run(source, target)


def _failed(place: SqlitePlace, error: sqlite3.Error) -> FileError | DatabaseError:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DatabaseError(
            f"{describe(place)} is in use by another program that does not let go of it.",
            f"{_AS_IT_WAS} Close that program, and try again.",
        )
    return unwritten(place.path, error, _AS_IT_WAS)
