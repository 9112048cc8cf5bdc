"""A native database with one row in most tables, and short ways to look at it and to change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, inspect, select, text
from sqlalchemy.engine import Connection

from agor_tui.config.places import Place
from agor_tui.db import migrator
from agor_tui.db.engine import Database
from agor_tui.db.tables import metadata

WHEN = datetime(2026, 3, 29, 1, 59, 59, 987000, tzinfo=UTC)

ROWS: Mapping[str, Mapping[str, Any]] = {
    "repos": {"repo_id": "r1", "created_at": WHEN, "slug": "tidepool", "data": "{}"},
    "boards": {"board_id": "b1", "created_at": WHEN, "name": "Main", "slug": "main", "data": "{}"},
    "users": {"user_id": "u1", "created_at": WHEN, "email": "a@b.c", "password": "x", "data": "{}"},
    "worktrees": {
        "worktree_id": "w1",
        "repo_id": "r1",
        "created_at": WHEN,
        "name": "main",
        "ref": "main",
        "worktree_unique_id": 1,
        "board_id": "b1",
        "data": "{}",
    },
    "sessions": {
        "session_id": "s1",
        "created_at": WHEN,
        "updated_at": WHEN,
        "status": "idle",
        "agentic_tool": "codex",
        "worktree_id": "w1",
        "data": '{"title": "One"}',
    },
    "tasks": {"task_id": "t1", "session_id": "s1", "created_at": WHEN, "status": "created", "data": "{}"},
    "messages": {
        "message_id": "m1",
        "created_at": WHEN,
        "session_id": "s1",
        "task_id": "t1",
        "type": "user",
        "role": "user",
        "index": 0,
        "timestamp": WHEN,
        "data": "{}",
    },
    "mcp_servers": {
        "mcp_server_id": "x1",
        "created_at": WHEN,
        "name": "files",
        "transport": "stdio",
        "scope": "global",
        "source": "user",
        "data": "{}",
    },
    "session_mcp_servers": {"session_id": "s1", "mcp_server_id": "x1", "added_at": WHEN},
}


def fill(place: Place) -> None:
    """Insert ``ROWS``."""

    def insert(connection: Connection) -> None:
        for name, row in ROWS.items():
            connection.execute(metadata.tables[name].insert().values(**row))

    write(place, insert)


def write(place: Place, work: Callable[[Connection], Any]) -> Any:
    """Run ``work`` in a transaction of its own and return its result."""
    with Database(place, writable=True) as database:
        return database.write(work)


def execute(place: Place, statement: str) -> None:
    """Run one statement in a transaction of its own."""
    write(place, lambda connection: connection.execute(text(statement)))


def count(place: Place, table: str) -> int:
    """The number of rows of a native table."""
    with Database(place) as database:
        query = select(func.count()).select_from(metadata.tables[table])
        return int(database.read(lambda connection: connection.execute(query).scalar_one()))


def tables(place: Place) -> set[str]:
    """The names of all tables."""
    with Database(place) as database:
        return set(database.read(lambda connection: inspect(connection).get_table_names()))


def states(place: Place) -> list[tuple[str, str]]:
    """The id and the state of each revision, in order."""
    return [(found.id, found.state) for found in migrator.status(place).revisions]
