"""The migration tables of other programs, read to be shown: what columns there are is never inferred from them."""

from __future__ import annotations

import re

from sqlalchemy import Column, MetaData, Table, select
from sqlalchemy.engine import Connection

from agor_tui.database_records import Revision
from agor_tui.db.catalog import read_catalog
from agor_tui.db.types import EpochMs, Text

_DRIZZLE_READABLE = """
SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'drizzle' AND c.relname = '__drizzle_migrations'
"""


def foreign_revisions(connection: Connection) -> tuple[Revision, ...]:
    """Return the applied revisions that another program recorded, oldest first; empty where it recorded none.

    Known are the table of Drizzle, ``__drizzle_migrations(hash, created_at ms)``, on PostgreSQL in the schema
    ``drizzle``, and OpenCode's own ``migration(id, time_completed ms)``.
    """
    catalog = read_catalog(connection)
    if catalog.has("__drizzle_migrations", "hash", "created_at"):
        return _drizzle(connection, None)
    if connection.dialect.name == "postgresql" and connection.exec_driver_sql(_DRIZZLE_READABLE).scalar():
        return _drizzle(connection, "drizzle")
    if catalog.has("migration", "id", "time_completed"):
        table = Table("migration", MetaData(), Column("id", Text), Column("time_completed", EpochMs))
        rows = connection.execute(select(table).order_by(table.c.time_completed, table.c.id))
        return tuple(
            Revision(row.id or "", _written(row.id or ""), "applied", applied_at=row.time_completed) for row in rows
        )
    return ()


def _written(id: str) -> str:
    """When a migration was written, which its id begins with, as in ``20260225215848_workspace``."""
    if time := re.match(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)\d\d(?!\d)", id):
        year, month, day, hour, minute = time.groups()
        return f"written {year}-{month}-{day} {hour}:{minute}"
    return ""


def _drizzle(connection: Connection, schema: str | None) -> tuple[Revision, ...]:
    columns = Column("hash", Text), Column("created_at", EpochMs)
    table = Table("__drizzle_migrations", MetaData(), *columns, schema=schema)
    # created_at is when the migration was written, not when it was applied.
    rows = connection.execute(select(table).order_by(table.c.created_at))
    return tuple(
        Revision(
            id=(row.hash or "")[:12],
            name=f"written {row.created_at:%Y-%m-%d %H:%M}" if row.created_at else "",
            state="applied",
            checksum=row.hash,
        )
        for row in rows
    )
