"""Rows of Agor's tables loaded raw into a native database: the same columns, the same values."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, bindparam, update

from agor_tui.config.places import Place
from agor_tui.db import migrator
from agor_tui.db.engine import Database
from agor_tui.db.tables import metadata, sessions
from agor_tui.db.types import Flag, Instant, instant_of_ms

_LINKS = ("parent_session_id", "forked_from_session_id")


def rows_of_sqlite(path: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows of the tables that the native schema has as well."""
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        names = [table.name for table in metadata.sorted_tables if table.name in there]
        return {name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')] for name in names}
    finally:
        connection.close()


def load_native(place: Place, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Make a native database at ``place`` with these rows, whose times are epoch milliseconds."""
    migrator.init(place)

    def load(connection: Connection) -> None:
        for table in metadata.sorted_tables:
            given = [_converted(table, row) for row in rows.get(table.name, ())]
            if given:
                # Links between sessions come after all of them are there: they may form a cycle.
                connection.execute(table.insert(), [{**row, **dict.fromkeys(_links(table))} for row in given])
        for name in _LINKS:
            linked = [
                {"key": row["session_id"], "link": row[name]} for row in rows["sessions"] if row.get(name) is not None
            ]
            if linked:
                where = sessions.c.session_id == bindparam("key")
                connection.execute(update(sessions).where(where).values({name: bindparam("link")}), linked)

    with Database(place, writable=True) as database:
        database.write(load)


def _links(table: Table) -> tuple[str, ...]:
    return _LINKS if table.name == "sessions" else ()


def _converted(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    converted = {}
    for column in table.columns:
        value = row.get(column.name)
        if value is None and not column.nullable and column.server_default is not None:
            continue
        if isinstance(column.type, Instant):
            value = instant_of_ms(value)
        elif isinstance(column.type, Flag) and value is not None:
            value = bool(value)
        converted[column.name] = value
    if table.name == "sessions" and converted["updated_at"] is None:
        converted["updated_at"] = converted["created_at"]
    return converted
