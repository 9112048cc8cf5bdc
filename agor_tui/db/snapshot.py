"""One state of a database, read for as long as it takes through the driver itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exc
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Executable

from agor_tui.config.places import Place, PostgresPlace, describe
from agor_tui.db.engine import Database
from agor_tui.db.failures import explain
from agor_tui.db.sqlite import Source, SqliteFile
from agor_tui.errors import DatabaseError

_SILENCE_S = 300.0
"""The server may sort for so long before the first row."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A reading transaction. ``driver`` is the driver's own connection, whose errors ``explained`` translates."""

    place: Place
    connection: Connection
    _file: SqliteFile | None
    _source: Source | None

    @property
    def driver(self) -> Any:
        """The connection of the driver: sqlite3, psycopg or hrana."""
        return self.connection.connection.driver_connection

    @property
    def postgresql(self) -> bool:
        """Whether this is PostgreSQL."""
        return isinstance(self.place, PostgresPlace)

    def require_still(self) -> None:
        """Raise a DatabaseError where an SQLite file that is read without locks was changed by another program.

        What was read before this was asked is of one state.
        """
        if self._file is not None and self._source is not None and self._file.changed(self._source):
            raise DatabaseError(
                f"{describe(self.place)} was changed by another program while it was read.",
                "Try again when it rests.",
            )

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn the driver's errors into those that a user is shown."""
        with explained(self.place, self.connection):
            yield


@contextmanager
def explained(place: Place, connection: Connection) -> Iterator[None]:
    """Turn the errors of the driver of ``connection`` into those that a user is shown."""
    dbapi = connection.dialect.dbapi
    assert dbapi is not None
    try:
        yield
    except exc.DBAPIError as error:
        raise explain(place, error) from None
    except dbapi.Error as error:
        raise explain(place, exc.DBAPIError(None, None, error)) from None


def open_snapshot(
    database: Database, connection: Connection, file: SqliteFile | None, source: Source | None, *, ours: bool
) -> Snapshot:
    """Begin the transaction of a snapshot, and see its state; of tables that are ours no row may be hidden."""
    place = database.place
    if isinstance(place, PostgresPlace):
        from agor_tui.db import postgresql

        postgresql.begin(connection, place, read_only=True, tenant=database.tenant)
        postgresql.without_limits(connection)  # of a long reading, or a pause of it while the other side writes
        # Rows are wanted in the order of their keys, from the index and not from a sort of them all.
        for setting in ("enable_sort", *(["row_security"] if ours else [])):
            connection.exec_driver_sql(f"SET LOCAL {setting} = off")
        driver: Any = connection.connection.driver_connection
        driver.bounded, driver.silence_s = True, _SILENCE_S
        connection.exec_driver_sql("SELECT 1")  # the state is taken by the first query
    else:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").scalar()
    return Snapshot(place, connection, file, source)


def rendered(statement: Executable, connection: Connection) -> tuple[str, Any]:
    """Return the text and the parameters of ``statement`` for the driver's own cursor. Lists cannot be parameters."""
    dialect = connection.dialect
    compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    values = {}
    for name, value in compiled.construct_params().items():
        process = compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        values[name] = process(value) if process else value
    if compiled.positiontup is not None:
        return str(compiled), tuple(values[name] for name in compiled.positiontup)
    return str(compiled), values
