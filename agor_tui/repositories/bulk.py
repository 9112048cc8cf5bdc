"""Many rows at once into a native database, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from agor_tui.db.engine import Database
from agor_tui.db.tables import metadata

_BATCH = 1_000


def insert_tables(database: Database, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Insert ``rows`` (table name -> rows, each a mapping of that table's columns), all of them or none.

    Values are Python's: aware datetimes, booleans, JSON as its text. Tables are filled in the order of their foreign
    keys, and the rows of one table must all have the same columns. Raises DatabaseError.
    """

    def insert(connection: Connection) -> None:
        for table in metadata.sorted_tables:
            given = rows.get(table.name, ())
            for start in range(0, len(given), _BATCH):
                connection.execute(table.insert(), [dict(row) for row in given[start : start + _BATCH]])

    database.write(insert)
