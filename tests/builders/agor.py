"""Agor's databases, made by the tests themselves: every generation on SQLite, 2026's with two tenants on PostgreSQL."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from .agor_rows import Leave, Row, Rows, make_rows
from .agor_tables import Column, Generation, columns, statements

READER = "agor_reader"
"""A role of PostgreSQL without rights beyond reading: row level security holds it back."""


def build_sqlite(
    path: Path, generation: Generation, *, extra: int = 0, wal: bool = False, leave_out: Leave = "nothing"
) -> Rows:
    """Make ``path`` and return what is in it; ``wal`` sets the header that Agor leaves, in one closed file."""
    rows = make_rows(generation, extra=extra, leave_out=leave_out)
    connection = sqlite3.connect(path)
    try:
        if wal:
            connection.execute("PRAGMA journal_mode = wal")
        for statement in statements(generation, "sqlite"):
            connection.execute(statement)
        for table, found in columns(generation).items():
            names = ", ".join(f'"{column.name}"' for column in found)
            places = ", ".join("?" * len(found))
            values = [[_value(row, column, "sqlite") for column in found] for row in _rows_of(rows, table)]
            connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", values)
        connection.commit()
    finally:
        connection.close()
    return rows


def build_postgresql(
    url: str, *, tenants: tuple[str, ...] = ("default", "acme-labs"), extra: int = 0
) -> dict[str, Rows]:
    """Fill an empty database in the shape of 2026; returns tenant -> what it has. ``READER`` may read all of it."""
    made = {tenant: make_rows("2026", tenant=tenant, extra=extra, leave_out="unstorable") for tenant in tenants}
    with psycopg.connect(url) as connection:
        for statement in statements("2026", "postgresql"):
            connection.execute(statement.encode())
        for tenant, rows in made.items():
            for table, found in columns("2026").items():
                names = ["tenant_id", *(column.name for column in found)]
                copy = sql.SQL("COPY {} ({}) FROM STDIN").format(
                    sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
                )
                with connection.cursor() as cursor, cursor.copy(copy) as stream:
                    for row in _rows_of(rows, table):
                        stream.write_row([tenant, *(_value(row, column, "postgresql") for column in found)])
        make_reader(connection)
    return made


def make_reader(connection: psycopg.Connection[Any]) -> None:
    """Make the role that row level security holds back, and let it read."""
    taken = (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation)  # the latter when two make it at once
    with contextlib.suppress(*taken), connection.transaction():
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(READER)))
    connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(sql.Identifier(READER)))


def as_reader(url: str) -> str:
    """The same database for the role that row level security holds back."""
    parts = conninfo_to_dict(url)
    return f"postgresql://{READER}@{parts['host']}:{parts['port']}/{parts['dbname']}"


def _rows_of(rows: Rows, table: str) -> list[Row]:
    return rows.tables["worktrees" if table == "branches" else table]


def _value(row: Row, column: Column, dialect: str) -> Any:
    value = row.get(column.name)
    if value is None and column.required and column.default is not None:
        value = _DEFAULTS.get(column.default, column.default.strip("'"))
    if value is None or dialect == "sqlite":
        return int(value) if isinstance(value, bool) else value
    if column.kind == "ms":
        return datetime.fromtimestamp(value / 1000, UTC)
    return value


_DEFAULTS = {"true": True, "false": False}
