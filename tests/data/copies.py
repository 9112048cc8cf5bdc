"""Databases to copy, and short ways to look at what became of them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agor_tui.config.places import Place
from agor_tui.db import transfer_marks
from agor_tui.db.engine import Database
from agor_tui.db.row_format import FORMATS, Row
from agor_tui.transfer.sources import open_source

T0 = 1_760_000_000_000


def insert(path: Path, table: str, *rows: dict[str, Any], foreign_keys: bool = False) -> None:
    """Insert rows, as SQLite stores them, into a native file; without the rules of foreign keys and checks."""
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA foreign_keys = {foreign_keys}")
    connection.execute("PRAGMA ignore_check_constraints = ON")
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" for _ in row)
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))
    connection.commit()
    connection.close()


def session(id: str, **given: Any) -> dict[str, Any]:
    """A row of ``sessions`` in the worktree ``w1``."""
    row = {"session_id": id, "created_at": T0, "updated_at": T0, "status": "idle", "agentic_tool": "codex"}
    return {**row, "worktree_id": "w1", "data": json.dumps({"title": id}), **given}


def message(id: str | bytes, session_id: str, **given: Any) -> dict[str, Any]:
    """A row of ``messages``."""
    row = {"message_id": id, "session_id": session_id, "created_at": T0, "type": "user", "role": "user"}
    return {**row, "index": 0, "timestamp": T0, "data": '{"content": "x"}', **given}


def task(id: str, session_id: str, **given: Any) -> dict[str, Any]:
    """A row of ``tasks``."""
    return {"task_id": id, "session_id": session_id, "created_at": T0, "status": "created", "data": "{}", **given}


def ground(path: Path) -> None:
    """A board, a repository and the worktree ``w1`` on both."""
    insert(path, "boards", {"board_id": "b1", "created_at": T0, "name": "B", "slug": "main", "data": "{}"})
    insert(path, "repos", {"repo_id": "r1", "created_at": T0, "slug": "tidepool", "data": "{}"})
    tree = {"worktree_id": "w1", "repo_id": "r1", "created_at": T0, "name": "w", "ref": "main", "data": "{}"}
    insert(path, "worktrees", {**tree, "worktree_unique_id": 1, "board_id": "b1"})


def rows_of(place: Place, tables: Sequence[str] = tuple(FORMATS)) -> dict[str, list[Row]]:
    """All rows, their documents decoded: the two dialects spell them differently."""
    with open_source(place) as source:
        return {
            name: [_decoded(name, row) for batch in source.rows(name) for row in batch]
            for name in tables
            if name in source.tables
        }


def _decoded(table: str, row: Row) -> Row:
    documents = FORMATS[table].at("json")
    return tuple(_document(value) if place in documents else value for place, value in enumerate(row))


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def value_of(place: Place, table: str, key: str, column: str) -> Any:
    """One value as rows have it."""
    form = FORMATS[table]
    with open_source(place) as source:
        rows = {row[form.key_at or 0]: row for batch in source.rows(table) for row in batch}
    return rows[key][form.names.index(column)]


def is_unfinished(place: Place) -> bool:
    """Whether the record of a copy is there."""
    with Database(place) as database:
        return database.read(transfer_marks.unfinished) is not None


def state(folder: Path) -> dict[str, tuple[str, int]]:
    """What is in a folder: bytes and times of its files."""
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.iterdir())
    }
