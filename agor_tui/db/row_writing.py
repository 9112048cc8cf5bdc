"""Many native rows into a native table through the driver itself: COPY on PostgreSQL, one statement on SQLite.

Rows are as ``row_format`` has them. All this runs in the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import exc, select
from sqlalchemy.engine import Connection

from agor_tui.db.row_format import FORMATS, Kind, Row, TableFormat
from agor_tui.db.row_values import POSTGRESQL_TYPES, Convert, converted, in_pg_range, pg_instant
from agor_tui.db.tables import metadata
from agor_tui.db.types import EPOCH, among, id_list, keep_json, keep_text, restore_text

_NONE = type(None)
_SAVEPOINT = "agor_tui_batch"
_STAGE = "agor_tui_stage"


class StoredJson(str):
    """JSON text that is in the form already in which PostgreSQL keeps it."""

    __slots__ = ()


class Refused(Exception):
    """The database refused rows for what they hold; the transaction is as it was before them."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class RowWriter(ABC):
    """Writes rows through one connection that has a transaction open."""

    types: Mapping[Kind, frozenset[type]]
    """The types of the values that the database takes as they are, by kind; None besides."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect.name
        self.driver: Any = connection.connection.driver_connection

    def sound(self, table: TableFormat, rows: Sequence[Row]) -> bool:
        """Tell whether all values are of the types and in the ranges that this database takes."""
        columns = zip(*rows, strict=True)
        return all(
            set(map(type, column)) - {_NONE} <= self.types[form.kind] and self._in_range(form.kind, column)
            for form, column in zip(table.columns, columns, strict=True)
        )

    def _in_range(self, kind: Kind, column: Sequence[Any]) -> bool:
        return True

    def insert(self, table: TableFormat, rows: Sequence[Row]) -> None:
        """Insert ``rows``, all or none. Raises Refused where they break a rule of the table."""
        with self._savepoint():
            self._insert(table.name, table, rows)

    def overwrite(self, table: TableFormat, rows: Sequence[Row]) -> None:
        """Give the rows that are there the values of ``rows``, all or none. Raises Refused."""
        with self._savepoint():
            self._overwrite(table, rows)

    def present(self, table: str, keys: Iterable[str], column: str = "") -> set[str]:
        """Return which of ``keys`` rows of ``table`` have (in ``column``, the key where that is empty)."""
        rows = metadata.tables[table]
        wanted = list(set(keys))
        if not wanted:
            return set()
        sought = rows.c[column or FORMATS[table].key[0]]
        statement = select(sought).where(among(sought, self.dialect, "keys"))
        found = self.connection.execute(statement, {"keys": self._list(wanted)}).scalars()
        stored = {restore_text(each): each for each in wanted}
        return {stored[each] for each in found if each in stored}

    def stamps(self, table: TableFormat, keys: Sequence[str]) -> dict[str, int]:
        """Return for those of ``keys`` that are there when they were last changed, in epoch milliseconds."""
        rows = metadata.tables[table.name]
        key = rows.c[table.key[0]]
        statement = select(key, *(rows.c[name] for name in stamp_columns(table)))
        found = self.connection.execute(
            statement.where(among(key, self.dialect, "keys")), {"keys": self._list(keys)}
        ).all()
        stored = {restore_text(each): each for each in keys}
        return {
            stored[each]: newest(table, [at and int((at - EPOCH).total_seconds() * 1000) for at in times])
            for each, *times in found
        }

    def pairs(self, table: TableFormat, rows: Sequence[Row]) -> set[tuple[Any, ...]]:
        """Return what the references of a table's rows are there for the first references of ``rows``."""
        there = metadata.tables[table.name]
        columns = [there.c[reference.column] for reference in table.references]
        first = table.names.index(table.references[0].column)
        statement = select(*columns).where(among(columns[0], self.dialect, "keys"))
        found = self.connection.execute(statement, {"keys": self._list({row[first] for row in rows})})
        return {tuple(map(keep_text, row)) for row in found}

    def texts(self, table: TableFormat, keys: Sequence[str]) -> dict[str, Row]:
        """Return the rows that have ``keys``, with their texts and JSON alone: NULL stands for all else."""
        rows = metadata.tables[table.name]
        places = table.at("text", "json")
        key = rows.c[table.key[0]]
        columns = [rows.c[table.names[place]] for place in places]
        found = self.connection.execute(
            select(key, *columns).where(among(key, self.dialect, "keys")), {"keys": self._list(keys)}
        )
        stored = {restore_text(each): each for each in keys}
        there: dict[str, Row] = {}
        for own, *values in found:
            row: list[Any] = [None] * len(table.columns)
            for place, value in zip(places, values, strict=True):
                is_text = value is not None and table.columns[place].kind == "text"
                row[place] = keep_text(value) if is_text else value
            there[stored[own]] = tuple(row)
        return there

    encoding = "UTF8"
    """What the database keeps text in, as PostgreSQL calls it."""

    def takes_json(self, text: str) -> bool:
        """Tell whether the database takes ``text`` for JSON."""
        return True

    def takes(self, texts: Sequence[str], documents: Sequence[str]) -> bool:
        """Tell whether the database can hold all these texts, and these as JSON."""
        return True

    def key_of(self, table: TableFormat, column: str, value: Any) -> str | None:
        """Return the key of the row that has ``value`` in a unique ``column``."""
        rows = metadata.tables[table.name]
        found = self.connection.execute(
            select(rows.c[table.key[0]]).where(rows.c[column] == restore_text(value))
        ).scalar()
        return None if found is None else str(found)

    def link(self, table: TableFormat, column: str, links: Sequence[tuple[str, str]]) -> None:
        """Set ``column`` of the rows with the keys of ``links`` to what stands beside them."""
        rows = metadata.tables[table.name]
        for key, value in links:
            self.connection.execute(
                rows.update().where(rows.c[table.key[0]] == restore_text(key)).values({column: restore_text(value)})
            )

    def _list(self, keys: Iterable[str]) -> Any:
        return id_list([restore_text(key) for key in keys], self.dialect)

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        self.connection.exec_driver_sql(f"SAVEPOINT {_SAVEPOINT}")
        try:
            yield
        except Exception as error:
            driver_error = error.orig if isinstance(error, exc.DBAPIError) else error
            if not isinstance(driver_error, Exception) or not self._is_refusal(driver_error):
                raise self._as_unit(error) from None
            self.connection.exec_driver_sql(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            raise Refused(driver_error) from None
        self.connection.exec_driver_sql(f"RELEASE SAVEPOINT {_SAVEPOINT}")

    def _as_unit(self, error: Exception) -> Exception:
        """The error as units of work expect it: the driver's own errors wrapped, as SQLAlchemy wraps them."""
        dbapi = self.connection.dialect.dbapi
        assert dbapi is not None
        return exc.DBAPIError(None, None, error) if isinstance(error, dbapi.Error) else error

    @abstractmethod
    def refused_value(self, error: Exception) -> bool:
        """Tell whether a refusal is for a value that cannot be read, such as JSON that is none; not for a rule."""

    @abstractmethod
    def _is_refusal(self, error: Exception) -> bool:
        """Tell whether the database refused what rows hold, as against being lost or full."""

    @abstractmethod
    def _insert(self, target: str, table: TableFormat, rows: Sequence[Row]) -> None: ...

    @abstractmethod
    def _overwrite(self, table: TableFormat, rows: Sequence[Row]) -> None: ...


def stamp_columns(table: TableFormat) -> tuple[str, ...]:
    """The columns that tell when a row was last changed, as far as the table says it."""
    names = ("updated_at",) if "updated_at" in table.names else ("completed_at", "started_at")
    return (*(name for name in names if name in table.names), "created_at")


def newest(table: TableFormat, times: Sequence[Any]) -> int:
    """When a row was last changed by what stands in its ``stamp_columns``, in epoch milliseconds; 0: nobody knows."""
    known = [time for time in times if isinstance(time, int)]
    return (known[0] if "updated_at" in table.names else max(known)) if known else 0


def writer(connection: Connection) -> RowWriter:
    """Return the writer for the dialect of ``connection``."""
    return PostgresqlWriter(connection) if connection.dialect.name == "postgresql" else SqliteWriter(connection)


class PostgresqlWriter(RowWriter):
    """Writes by binary COPY."""

    types = {
        "id": frozenset({str}), "text": frozenset({str}), "json": frozenset({str}), "flag": frozenset({bool}),
        "instant": frozenset({int}), "integer": frozenset({int}),
    }  # fmt: skip

    def _in_range(self, kind: Kind, column: Sequence[Any]) -> bool:
        if kind not in ("instant", "integer"):
            return True
        values = [value for value in column if value is not None]
        if not values:
            return True
        if kind == "instant":
            return in_pg_range(min(values)) and in_pg_range(max(values))
        return all(-(2**31) <= value < 2**31 for value in (min(values), max(values)))

    def _insert(self, target: str, table: TableFormat, rows: Sequence[Row]) -> None:
        statement = f"COPY {target} ({_names(table)}) FROM STDIN (FORMAT BINARY)"
        with self.driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types([POSTGRESQL_TYPES[column.kind] for column in table.columns])
            for row in converted(table, list(rows), _TO_POSTGRESQL):
                copy.write_row(row)

    def _overwrite(self, table: TableFormat, rows: Sequence[Row]) -> None:
        run = self.connection.exec_driver_sql
        run(f"CREATE TEMPORARY TABLE {_STAGE} (LIKE {table.name}) ON COMMIT DROP")
        self._insert(f"pg_temp.{_STAGE}", table, rows)
        names = _names(table)
        run(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM pg_temp.{_STAGE} {_on_conflict(table)}")
        run(f"DROP TABLE pg_temp.{_STAGE}")

    def _is_refusal(self, error: Exception) -> bool:
        # Data exceptions (some are psycopg's own), integrity violations, limits: PostgreSQL's manual, appendix A.
        return self.refused_value(error) or str(getattr(error, "sqlstate", None) or "").startswith("23")

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.encoding = self.driver.info.parameter_status("server_encoding") or "UTF8"

    def takes(self, texts: Sequence[str], documents: Sequence[str]) -> bool:
        try:
            with self._savepoint():
                self.driver.execute("SELECT cardinality(%s::text[])", (list(texts),))
                counted = "SELECT count(CAST(d AS jsonb)) FROM unnest(%s::text[]) AS d"
                self.driver.execute(counted, (list(documents),))
        except Refused:
            return False
        return True

    def takes_json(self, text: str) -> bool:
        try:
            with self._savepoint():
                self.driver.execute("SELECT CAST(%s AS jsonb)", (keep_json(text),))
        except Refused:
            return False
        return True

    def refused_value(self, error: Exception) -> bool:
        dbapi: Any = self.connection.dialect.dbapi
        return isinstance(error, dbapi.DataError) or str(getattr(error, "sqlstate", None) or "").startswith("54")


class SqliteWriter(RowWriter):
    """Writes by one statement for many rows, on a file or on a libSQL server."""

    # SQLite keeps whatever it is given; only bytes that are no text would come back as something else.
    types = {kind: frozenset({str, int, float, bool}) for kind in POSTGRESQL_TYPES}

    def _insert(self, target: str, table: TableFormat, rows: Sequence[Row]) -> None:
        self._run(f"INSERT INTO {target} ({_names(table)}) VALUES ({_marks(table)})", rows)

    def _overwrite(self, table: TableFormat, rows: Sequence[Row]) -> None:
        self._run(f"INSERT INTO {table.name} ({_names(table)}) VALUES ({_marks(table)}) {_on_conflict(table)}", rows)

    def _run(self, statement: str, rows: Sequence[Row]) -> None:
        self.driver.cursor().executemany(statement, rows)

    def _is_refusal(self, error: Exception) -> bool:
        if isinstance(error, OverflowError):
            return True
        dbapi: Any = self.connection.dialect.dbapi
        return isinstance(error, (dbapi.IntegrityError, sqlite3.DataError))

    def refused_value(self, error: Exception) -> bool:
        return not isinstance(error, self.connection.dialect.dbapi.IntegrityError)  # type: ignore[union-attr]


def _names(table: TableFormat) -> str:
    return ", ".join(f'"{name}"' for name in table.names)


def _marks(table: TableFormat) -> str:
    return ", ".join("?" for _ in table.names)


def _on_conflict(table: TableFormat) -> str:
    settings = ", ".join(f'"{name}" = excluded."{name}"' for name in table.names if name not in table.key)
    return f"ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {settings}"


def _instants_out(column: Sequence[Any]) -> Sequence[Any]:
    return [None if value is None else pg_instant(value) for value in column]


def _json_out(column: Sequence[Any]) -> Sequence[Any]:
    # A binary jsonb is a byte for its version, 1, and its text. What has to be marked shows by one of these.
    return [
        None if text is None else "\x01" + (_marked(text) if "\\u" in text or "\ufdd0" in text else text)
        for text in column
    ]


def _marked(text: str) -> str:
    return text if isinstance(text, StoredJson) else keep_json(text)


_TO_POSTGRESQL: Mapping[Kind, Convert] = {"instant": _instants_out, "json": _json_out}
