"""Seeing changes of a libSQL database: by the number of changes that each answer of its server brings.

A server that keeps it to itself is asked a few figures that indexes answer.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, literal_column, select
from sqlalchemy.engine import Connection

from agor_tui.db.engine import Database
from agor_tui.db.tables import boards, messages, sessions, tasks


class RowsLookout:
    """Asks for the number of changes, else for the newest row of each table and the newest change of a session.

    By these a change of an older task or message that leaves its session's time alone is not seen.
    """

    interval_s = 1.0

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: tuple[Any, ...] = ()

    def look(self) -> bool:
        """Compare the figures."""
        before, self._seen = self._seen, self._database.read(_figures)
        return before != self._seen

    def close(self) -> None:
        """Forget them."""
        self._seen = ()


def _figures(connection: Connection) -> tuple[Any, ...]:
    connection.exec_driver_sql("SELECT 1")
    changes = getattr(connection.connection.driver_connection, "changes", None)
    if changes is not None:
        return (changes,)
    newest = [select(func.max(literal_column("rowid"))).select_from(table).scalar_subquery()
              for table in (sessions, tasks, messages, boards)]  # fmt: skip
    changed = select(func.max(sessions.c.updated_at)).scalar_subquery()
    return tuple(connection.execute(select(changed, *newest)).one())
