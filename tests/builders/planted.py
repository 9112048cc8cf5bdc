"""Any database of a known kind with a secret in every place that may hold one."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

SECRET = "FAKESECRETvalue7"

_IDS = ("id", "ids", "key", "type", "role", "status", "slug", "ref", "hash", "index", "checksum", "version")
_WORDS = {
    "title", "description", "text", "content", "prompt", "full_prompt", "output", "input", "command", "error", "report",
    "message", "thinking", "notes", "name", "label", "question", "display_name", "content_preview",
    "start_command", "stop_command", "logs_command", "app_url", "health_check_url", "password", "value",
    "access_token", "refresh_token", "secret", "url", "share_url", "resource",
}  # fmt: skip
_TEXTS = (
    f" --token {SECRET}", f" PASSWORD={SECRET} run", f" https://ann:{SECRET}@example.org/x.git",
    f" Authorization: Bearer {SECRET}", f' {{"api_key": "{SECRET}"}}', f" postgresql://u:{SECRET}@h/d",
    f" sshpass -p {SECRET} ssh h", f" host=h;password={SECRET};x=y", f"\nx-api-key: {SECRET}\n",
)  # fmt: skip
_PAIRS = {
    "api_key": SECRET,
    "password": SECRET,
    "env": {"ANY": SECRET},
    "headers": {"X-Own": SECRET, "Authorization": f"Bearer {SECRET}"},
    "remote_url": f"https://u:{SECRET}@h/x",
    "args": ["--token", SECRET, f"--password={SECRET}"],
    "command": f"run --password='{SECRET} {SECRET}'",
    "note_on_it": f"export TOKEN={SECRET}",
}


def plant(path: Path) -> int:
    """Write the secret into all tables of an SQLite file; return how many values have it now."""
    planted = 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA trusted_schema = ON")
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        for (table,) in tables.fetchall():
            if "migration" in table or table.endswith(("_idx", "_data", "_config", "_docsize", "_content")):
                continue
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")') if row[2] != "INTEGER"]
            rows = connection.execute(f'SELECT rowid, * FROM "{table}"')
            names = [each[0] for each in rows.description]
            for number, row in enumerate(rows.fetchall()):
                for name, value in zip(names[1:], row[1:], strict=True):
                    new = _planted(name, value, number) if name in columns else value
                    if new != value:
                        connection.execute(f'UPDATE "{table}" SET "{name}" = ? WHERE rowid = ?', (new, row[0]))
                        planted += 1
        connection.commit()
    return planted


def plant_postgresql(url: str) -> int:
    """The same for a PostgreSQL database."""
    planted = 0
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns"
            " WHERE table_schema = 'public' AND is_generated = 'NEVER'"
            " AND data_type IN ('text', 'character varying', 'json', 'jsonb') GROUP BY 1"
        )
        for table, columns in found.fetchall():
            if "migration" in table:
                continue
            names = [sql.Identifier(name) for name in columns]
            query = sql.SQL("SELECT ctid::text, {} FROM {}").format(sql.SQL(", ").join(names), sql.Identifier(table))
            for number, (place, *values) in enumerate(connection.execute(query).fetchall()):
                new = {}
                for name, value in zip(columns, values, strict=True):
                    whole = isinstance(value, (dict, list))
                    other = _in_json(value, name, number) if whole else _planted(name, value, number)
                    if other != value:
                        new[name] = Jsonb(other) if whole else other
                if new:
                    sets = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in new)
                    update = sql.SQL("UPDATE {} SET {} WHERE ctid = %s::tid").format(sql.Identifier(table), sets)
                    connection.execute(update, [*new.values(), place])
                    planted += len(new)
    return planted


def _planted(name: str, value: Any, number: int) -> Any:
    if not isinstance(value, str):
        return value
    if value.startswith(("{", "[")):
        try:
            return json.dumps(_in_json(json.loads(value), name, number))
        except ValueError:
            pass
    return value + _TEXTS[number % len(_TEXTS)] if name in _WORDS else value


def _in_json(value: Any, name: str, number: int) -> Any:
    if isinstance(value, dict):
        inner = {key: _in_json(part, key, number + n) for n, (key, part) in enumerate(value.items())}
        return inner | {key: part for key, part in _PAIRS.items() if key not in inner} if name not in _IDS else inner
    if isinstance(value, list):
        return [_in_json(part, name, number + n) for n, part in enumerate(value)]
    if isinstance(value, str) and name in _WORDS and value not in ("user", "assistant"):
        return value + _TEXTS[number % len(_TEXTS)]
    return value
