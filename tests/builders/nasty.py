"""SQLite files of every kind with values that no sound program writes: one row for each column and each such value.

SQLite keeps any value in any column. What a table's own rules would refuse comes in all the same: the tables are made
anew without them first.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from agor_tui.config.places import SqlitePlace

from . import opencode
from .agor import build_sqlite
from .native import load_native, rows_of_sqlite

Kind = Literal["native", "agor", "opencode"]
KINDS: tuple[Kind, ...] = ("native", "agor", "opencode")

DEEP = "[" * 2_000 + "]" * 2_000

VALUES: Mapping[str, Any] = {
    "null": None,
    "no bytes": b"",
    "bytes": b"\x00\xff\xfe{",
    "empty": "",
    "word": "a word",
    "digits": "12",
    "broken text": b"text:a\xff\xc3",
    "half a pair": b"text:a\xed\xa0\xbd",
    "zero byte": "a\x00b",
    "lines": "a\nb\x1b[31m\x9b2J\u202e",
    "long": "x" * 20_000,
    "zero": 0,
    "minus": -1,
    "largest": 2**63 - 1,
    "smallest": -(2**63),
    "far": 10**18,
    "before": -(10**15),
    "half": 1.5,
    "infinity": float("inf"),
    "minus infinity": float("-inf"),
    "iso": "2026-01-31T10:00:00+99:99",
    "cut off": '{"title": "cut',
    "list": "[1]",
    "string": '"text"',
    "json null": "null",
    "number": "1e999",
    "not a number": "NaN",
    "deep": DEEP,
    "deep within": '{"title": ' + DEEP + "}",
}
"""Name -> value; bytes after ``text:`` are a text that is no UTF-8."""

SHAPES: tuple[str, ...] = (
    "null", "true", "-1", "1.5", "1e400", "9" * 400, '""', '"text"', '"a\\u0000\\ud83d"', "[]", "[null]", "[[1]]",
    '[{"type": 1}]', '["text"]', "{}", '{"type": []}', '{"a": {"b": 1}}',
)  # fmt: skip
"""What may stand in the place of a value within JSON."""

TABLES: Mapping[Kind, tuple[str, ...]] = {
    "native": (
        "repos", "boards", "users", "worktrees", "sessions", "tasks", "messages", "board_objects", "board_comments",
        "mcp_servers", "session_mcp_servers",
    ),
    "agor": ("repos", "boards", "users", "branches", "sessions", "tasks", "messages", "board_objects"),
    "opencode": ("project", "workspace", "session", "message", "part", "todo"),
}  # fmt: skip
"""The tables of a kind that are read."""


def build(path: Path, kind: Kind) -> None:
    """Make a sound file of a kind with rows in its tables."""
    if kind == "opencode":
        opencode.build(path)
    elif kind == "agor":
        build_sqlite(path, "2026")
    else:
        source = path.with_name(f"{path.name}.agor")
        build_sqlite(source, "2025", leave_out="unstorable")
        load_native(SqlitePlace(None, path.name, path, "a test"), rows_of_sqlite(source))
        source.unlink()


def loosen(path: Path) -> None:
    """Take every rule off the tables: what is left are the names and the types of their columns, and the indexes."""
    made = "SELECT name, sql FROM sqlite_master WHERE type = ? AND name NOT LIKE 'sqlite_%'"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = delete")
        connection.execute("PRAGMA foreign_keys = off")
        connection.execute("PRAGMA legacy_alter_table = on")
        tables = [name for name, _ in connection.execute(made, ("table",))]
        indexes = [sql for _, sql in connection.execute(made, ("index",))]
        connection.execute("BEGIN")
        for table in tables:
            columns = ", ".join(f'"{name}" {kind}' for name, kind in columns_of(connection, table))
            connection.execute(f'ALTER TABLE "{table}" RENAME TO "old {table}"')
            connection.execute(f'CREATE TABLE "{table}" ({columns})')
            connection.execute(f'INSERT INTO "{table}" SELECT * FROM "old {table}"')
            connection.execute(f'DROP TABLE "old {table}"')
        for sql in indexes:
            connection.execute(sql.replace("CREATE UNIQUE", "CREATE"))
        connection.execute("COMMIT")


def columns_of(connection: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    """The names and declared types of the columns of ``table``."""
    return [(name, kind) for _, name, kind, *_ in connection.execute(f'PRAGMA table_info("{table}")')]


_UNIQUE = ("slug", "email")


def add_values(path: Path, kind: Kind) -> dict[tuple[str, str, str], str]:
    """Add a row for each column of each table and each of ``VALUES``; return (table, column, value) -> its id."""
    made = {}
    with closing(sqlite3.connect(path)) as connection:
        for table in TABLES[kind]:
            columns = columns_of(connection, table)
            sample = connection.execute(f'SELECT * FROM "{table}" LIMIT 1').fetchone()
            if sample is None:
                continue
            for place, (column, _) in enumerate(columns):
                for name, value in VALUES.items():
                    if column in _UNIQUE and value in (b"", None):
                        continue
                    row = list(sample)
                    row[0] = new_id(kind, sample[0], table, column, name)
                    for other, (unique, _) in enumerate(columns):
                        if unique in _UNIQUE:
                            row[other] = row[0]
                    row[place] = value
                    insert(connection, table, row)
                    made[table, column, name] = row[0] if place else value
        connection.commit()
    return made


def add_shapes(path: Path, kind: Kind) -> dict[tuple[str, str, str], str]:
    """Add a row for each value within the JSON of each table and each of ``SHAPES``; return where, shape -> its id."""
    made = {}
    with closing(sqlite3.connect(path)) as connection:
        for table in TABLES[kind]:
            known: set[str] = set()
            for row in connection.execute(f'SELECT * FROM "{table}" LIMIT 500').fetchall():
                for place, value in enumerate(row):
                    for where, outside in _places(value):
                        if (key := f"{place} {where}") in known:
                            continue
                        known.add(key)
                        for shape in SHAPES:
                            new = list(row)
                            new[0] = new_id(kind, row[0], table, key, shape)
                            for other, (column, _) in enumerate(columns_of(connection, table)):
                                if column in _UNIQUE:
                                    new[other] = new[0]
                            new[place] = outside.replace(_HERE, shape)
                            insert(connection, table, new)
                            made[table, key, shape] = new[0]
        connection.commit()
    return made


_HERE = json.dumps("<here>")


def _places(text: Any) -> Iterator[tuple[str, str]]:
    """Give each path within JSON, list places as one, and the JSON with ``_HERE`` in that place."""
    try:
        whole = json.loads(text) if isinstance(text, str) and text[:1] in "{[" else None
    except ValueError:
        return
    if not isinstance(whole, (dict, list)):
        return

    def below(value: Any, where: str) -> Iterator[str]:
        inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in inner:
            here = f"{where}.{key}" if isinstance(value, dict) else f"{where}[]"
            value[key] = "<here>"
            yield here
            value[key] = item
            yield from below(item, here)

    for where in below(whole, ""):
        yield where, json.dumps(whole)


def new_id(kind: Kind, like: Any, *of: str) -> str:
    """An id in the form of ``like`` that only the row for ``of`` has."""
    made = uuid.uuid5(uuid.NAMESPACE_OID, " ".join(map(str, of)))
    return f"{str(like)[:4]}{made.hex}" if kind == "opencode" else str(made)


def insert(connection: sqlite3.Connection, table: str, row: Sequence[Any]) -> None:
    """Insert a row; bytes after ``text:`` become a text that is no UTF-8."""
    marks = ["CAST(? AS TEXT)" if isinstance(each, bytes) and each.startswith(b"text:") else "?" for each in row]
    values = [each[5:] if isinstance(each, bytes) and each.startswith(b"text:") else each for each in row]
    connection.execute(f'INSERT INTO "{table}" VALUES ({", ".join(marks)})', values)
