"""Native databases of ten thousand and of a million sessions, made once in a folder and kept there.

Each session has a task and a message, one in eight a parent or an origin; the newest two have a conversation of 50
and one of 5,000 messages. The
"""

from __future__ import annotations

import json
import random
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from agor_tui import config
from agor_tui.db import migrator
from agor_tui.db.embedded.server import embedded_server

SIZES = (10_000, 1_000_000)
EDITION = "3"

SMALL, LARGE = 50, 5_000
"""Messages of the newest session and of the one after it."""

_START = 1_700_000_000_000
_STEP = 67_000
_STATUSES = ("idle", "completed", "completed", "completed", "failed", "stopped", "running")
_TOOLS = ("claude-code", "claude-code", "codex", "gemini", "opencode")
_WORDS = ("retry", "parser", "cache", "upload", "berth", "ledger", "tide", "socket", "panel", "index", "queue", "token")

Row = tuple[Any, ...]

COLUMNS = {
    "repos": ("repo_id", "created_at", "slug", "data"),
    "boards": ("board_id", "created_at", "created_by", "name", "slug", "data"),
    "users": ("user_id", "created_at", "email", "password", "name", "role", "data"),
    "worktrees": (
        "worktree_id", "repo_id", "created_at", "created_by", "name", "ref", "worktree_unique_id", "board_id", "data",
    ),
    "sessions": (
        "session_id", "created_at", "updated_at", "created_by", "status", "agentic_tool", "parent_session_id",
        "forked_from_session_id", "worktree_id", "data", "archived",
    ),
    "tasks": ("task_id", "session_id", "created_at", "completed_at", "status", "created_by", "data"),
    "messages": (
        "message_id", "created_at", "session_id", "task_id", "type", "role", "index", "timestamp", "content_preview",
        "data",
    ),
}  # fmt: skip
_TIMES = {"created_at", "updated_at", "completed_at", "timestamp"}


def title(number: int) -> str:
    """The title of the session of this number, a single word that is easy to find on a screen."""
    return f"bench-{number:07d}"


def prepare_sqlite(folder: Path, size: int) -> Path:
    """Return the file of so many sessions, made first where it is missing."""
    path = folder / f"sqlite-{size}-{EDITION}.db"
    if path.exists():
        return path
    making = path.with_suffix(".making")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{making}{suffix}").unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    migrator.init(config.resolve(str(making), config_path=None, environ={}))
    connection = sqlite3.connect(making, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = off")
    connection.execute("PRAGMA synchronous = off")
    connection.execute("PRAGMA cache_size = -400000")
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in found:
        connection.execute(f'DROP INDEX "{name}"')
    connection.execute("BEGIN")
    for table, names in COLUMNS.items():
        listed = ", ".join(f'"{name}"' for name in names)
        places = ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO {table} ({listed}) VALUES ({places})", _rows(table, size))
    connection.execute("COMMIT")
    for _, statement in found:
        connection.execute(statement)
    connection.execute("ANALYZE")
    connection.close()
    making.rename(path)
    return path


@contextmanager
def postgresql_server(folder: Path, sizes: tuple[int, ...]) -> Iterator[dict[int, str]]:
    """The URLs of the databases of these sizes on an embedded server, which runs meanwhile."""
    with embedded_server(folder / "postgresql") as server:
        for size in sizes:
            name = f"bench_{size}_{EDITION}"
            if not server.has(name):
                server.drop("making")
                _fill_postgresql(server.url("making"), size)
                server.rename("making", name)
        yield {size: server.url(f"bench_{size}_{EDITION}") for size in sizes}


def _fill_postgresql(url: str, size: int) -> None:
    migrator.init(config.resolve(url, config_path=None, environ={}))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # no checks of foreign keys, row by row
        connection.execute("SET maintenance_work_mem = '512MB'")
        found = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'ix_%'"
        ).fetchall()
        for name, _ in found:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        for table, names in COLUMNS.items():
            listed = sql.SQL(", ").join(map(sql.Identifier, names))
            copy = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), listed)
            with connection.cursor() as cursor, cursor.copy(copy) as stream:
                for row in _rows(table, size):
                    stream.write_row(
                        [
                            datetime.fromtimestamp(value / 1000, UTC) if name in _TIMES else value
                            for name, value in zip(names, row, strict=True)
                        ]
                    )
        for _, definition in found:
            connection.execute(definition.encode())
        connection.execute("VACUUM ANALYZE")


def session_id(number: int) -> str:
    """A UUIDv7 whose time is that of the session of this number."""
    return _uuid7(_START + number * _STEP, number)


def _uuid7(ms: int, number: int) -> str:
    # Knuth's multiplier spreads the numbers over the random bits, so that ids need no generator's state.
    spread = number * 6364136223846793005 & 0x3FFFFFFFFFFFFFFF
    digits = f"{ms:012x}7{number & 0xFFF:03x}{2 << 62 | spread:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _fixed(kind: int, number: int) -> str:
    return str(uuid.UUID(int=(kind << 100) + number, version=4))


def _rows(table: str, size: int) -> Iterator[Row]:
    match table:
        case "repos":
            for number in range(5):
                yield _fixed(1, number), _START, f"bench/repo-{number}", json.dumps({"name": f"Repo {number}"})
        case "boards":
            for number in range(4):
                yield _fixed(2, number), _START, "anonymous", f"Board {number}", f"board-{number}", "{}"
        case "users":
            for number in range(6):
                yield _fixed(3, number), _START, f"user{number}@bench.example", "!", f"User {number}", "member", "{}"
        case "worktrees":
            for number in range(20):
                yield (
                    _fixed(4, number), _fixed(1, number % 5), _START, "anonymous", f"tree-{number}",
                    f"feat/tree-{number}", number, _fixed(2, number % 4), json.dumps({"path": f"/src/tree-{number}"}),
                )  # fmt: skip
        case "sessions":
            yield from _sessions(size)
        case "tasks":
            yield from _tasks(size)
        case "messages":
            yield from _messages(size)


def _sessions(size: int) -> Iterator[Row]:
    rng = random.Random(1)
    filler = "The retry loop keeps the last error and raises it after the loop; nothing else depends on the order. " * 4
    for number in range(size):
        made = _START + number * _STEP
        word = _WORDS[number % len(_WORDS)]
        data = (
            f'{{"title": "{title(number)} {word}", "description": "{filler}", "model_config": {{"mode": "alias",'
            f' "model": "claude-sonnet-4-5"}}, "current_context_usage": {number % 200_000},'
            f' "context_window_limit": 200000}}'
        )
        yield (
            session_id(number), made, made + 40_000, _fixed(3, number % 6), _STATUSES[number * 7 % 11 % 7],
            _TOOLS[number * 3 % 5], session_id(number - 3) if number % 10 == 7 else None,
            session_id(number - 5) if number % 50 == 9 else None, _fixed(4, int(rng.random() * 20)), data,
            number % 20 == 3,
        )  # fmt: skip


def _tasks(size: int) -> Iterator[Row]:
    for number in range(size):
        made = _START + number * _STEP
        data = (
            f'{{"full_prompt": "Look at {_WORDS[number % len(_WORDS)]} again", "model": "claude-sonnet-4-5",'
            f' "normalized_sdk_response": {{"tokenUsage": {{"inputTokens": {number % 9000}, "outputTokens": 812}},'
            f' "costUsd": 0.125}}, "duration_ms": 40000}}'
        )
        yield (
            _uuid7(made + 1, number),
            session_id(number),
            made,
            made + 40_000,
            "completed",
            _fixed(3, number % 6),
            data,
        )


def _messages(size: int) -> Iterator[Row]:
    for number in range(size):
        count = {size - 1: SMALL, size - 2: LARGE}.get(number, 1)
        made = _START + number * _STEP
        task = _uuid7(made + 1, number)
        for index in range(count):
            time = made + 10 + index
            role = "user" if index % 10 == 0 else "assistant"
            key = _uuid7(time, number * 7919 + index)
            text = _text(number, index)
            yield key, time, session_id(number), task, role, role, index, time, text[:200], _content(role, text, index)


def _text(number: int, index: int) -> str:
    words = " ".join(_WORDS[(number + index + step) % len(_WORDS)] for step in range(24))
    return f"Turn {index}: {words}."


def _content(role: str, text: str, index: int) -> str:
    if role == "user" or index % 3:
        return json.dumps({"content": text if role == "user" else [{"type": "text", "text": text}]})
    call = {
        "type": "tool_use",
        "id": f"call_{index}",
        "name": "Bash",
        "input": {"command": f"pytest -q -k case_{index}"},
    }
    result = {"type": "tool_result", "tool_use_id": f"call_{index}", "content": "3 passed\n" * 6}
    code = f"```python\ndef case_{index}():\n    return {index}\n```\n"
    return json.dumps({"content": [{"type": "text", "text": f"{text}\n\n{code}"}, call, result]})
