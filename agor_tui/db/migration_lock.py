"""The transaction of a migration: it holds the database's write lock from its start, and who comes second waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import exc
from sqlalchemy.engine import Connection

from agor_tui.config.places import Place, PostgresPlace, SqlitePlace, describe
from agor_tui.db import postgresql
from agor_tui.db.engine import Database
from agor_tui.db.failures import explain
from agor_tui.errors import DatabaseError

LOCK_WAIT_S = 60
_PAUSE_S = 0.1

Waiting = Callable[[], None]
"""Called again and again while another program has the lock; what it raises ends the wait."""


@contextmanager
def transaction(database: Database, waiting: Waiting | None = None) -> Iterator[Connection]:
    """A transaction that holds the write lock; what is raised inside undoes it.

    Raises:
        DatabaseError: another program has held the lock for ``LOCK_WAIT_S``, or the database does not answer.
    """
    place = database.place
    try:
        with database.engine.connect() as connection:
            try:
                if isinstance(place, PostgresPlace):
                    _begin_postgresql(connection, place)
                    _wait(lambda: _lock_postgresql(connection), place, waiting)
                else:
                    # Foreign keys rest while Alembic copies tables; they can only be switched outside a transaction.
                    connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
                    in_file = isinstance(place, SqlitePlace)  # a libSQL server waits as it likes
                    if in_file:
                        connection.exec_driver_sql("PRAGMA busy_timeout=0")
                    _wait(lambda: _begin_sqlite(connection), place, waiting)
                    if in_file:
                        connection.exec_driver_sql(f"PRAGMA busy_timeout={LOCK_WAIT_S * 1000}")
                yield connection
                connection.exec_driver_sql("COMMIT")
            finally:
                # Its settings are not those of a unit of work; a transaction not committed ends with it.
                connection.invalidate()
    except exc.DBAPIError as error:
        raise explain(place, error) from None


def _wait(take: Callable[[], bool], place: Place, waiting: Waiting | None) -> None:
    # Asked again and again, and not once with a timeout, so that the wait can be shown and left.
    end = time.monotonic() + LOCK_WAIT_S
    while not take():
        if time.monotonic() > end:
            raise DatabaseError(
                f"Another program has been writing to {describe(place)} for {LOCK_WAIT_S} s.",
                "Nothing was changed. Try again when it has ended.",
            )
        if waiting:
            waiting()
        time.sleep(_PAUSE_S)


def _begin_sqlite(connection: Connection) -> bool:
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except exc.OperationalError as error:
        if "locked" in str(error.orig):
            return False
        raise
    return True


def _begin_postgresql(connection: Connection, place: PostgresPlace) -> None:
    postgresql.begin(connection, place, read_only=False, tenant=None)
    postgresql.without_limits(connection)
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'")


def _lock_postgresql(connection: Connection) -> bool:
    lock = "SELECT pg_try_advisory_xact_lock(hashtext('agor-tui'), hashtext(coalesce(current_schema(), '')))"
    return bool(connection.exec_driver_sql(lock).scalar())
