"""Agor's tables in three generations, as CREATE TABLE statements for SQLite and PostgreSQL.

Columns after Agor's published migrations: the first one, late 2025's,
    and 2026's (of its many tables only those that a
reader meets, and some that it must not read). A line is ``name kind``: ``!`` is NOT NULL, ``=`` a default.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Generation = Literal["first", "2025", "2026"]
Dialect = Literal["sqlite", "postgresql"]

_KINDS: dict[Dialect, dict[str, str]] = {
    "sqlite": {"id": "text(36)", "text": "text", "int": "integer", "ms": "integer", "epoch": "integer",
               "flag": "integer", "json": "text"},
    "postgresql": {"id": "varchar(36)", "text": "text", "int": "integer", "ms": "timestamptz", "epoch": "bigint",
                   "flag": "boolean", "json": "jsonb"},
}  # fmt: skip

_COMMON = {
    "repos": "repo_id id!, created_at ms!, updated_at ms, slug text!, data json!",
    "users": (
        "user_id id!, created_at ms!, updated_at ms, email text!, password text!, name text, emoji text,"
        " role text!='member', onboarding_completed flag!=false, data json!"
    ),
    "mcp_servers": (
        "mcp_server_id id!, created_at ms!, updated_at ms, name text!, transport text!, scope text!, enabled "
        "flag!=true,"
        " owner_user_id id, source text!, data json!"
    ),
    "session_mcp_servers": "session_id id!, mcp_server_id id!, enabled flag!=true, added_at ms!",
}

_FIRST = {
    **_COMMON,
    "boards": (
        "board_id id!, created_at ms!, updated_at ms, created_by id!='anonymous', name text!, slug text, data json!"
    ),
    "worktrees": (
        "worktree_id id!, repo_id id!, created_at ms!, updated_at ms, created_by id!='anonymous', name text!, ref "
        "text!,"
        " worktree_unique_id int!, board_id id, data json!"
    ),
    "sessions": (
        "session_id id!, created_at ms!, updated_at ms, created_by id!='anonymous', status text!, agentic_tool text!,"
        " board_id id, parent_session_id id, forked_from_session_id id, worktree_id id!, data json!"
    ),
    "tasks": (
        "task_id id!, session_id id!, created_at ms!, completed_at ms, status text!, created_by id!='anonymous', "
        "data json!"
    ),
    "messages": (
        "message_id id!, created_at ms!, session_id id!, task_id id, type text!, role text!, index int!, timestamp "
        "ms!,"
        " content_preview text, data json!"
    ),
    "board_objects": "object_id id!, board_id id!, created_at ms!, worktree_id id!, data json!",
}

_LATE_2025 = {
    **_FIRST,
    "worktrees": (
        _FIRST["worktrees"] + ", schedule_enabled flag!=false, schedule_cron text, schedule_last_triggered_at ms,"
        " schedule_next_run_at ms, start_command text, stop_command text, health_check_url text, app_url text,"
        " logs_command text, needs_attention flag!=false, archived flag!=false, archived_at ms, archived_by id,"
        " filesystem_status text"
    ),
    "sessions": (
        _FIRST["sessions"] + ", scheduled_run_at ms, scheduled_from_worktree flag!=false, ready_for_prompt "
        "flag!=false,"
        " archived flag!=false, archived_reason text"
    ),
    "tasks": _FIRST["tasks"] + ", started_at ms",
    "messages": _FIRST["messages"] + ", parent_tool_use_id text, status text, queue_position int",
    "board_comments": (
        "comment_id id!, created_at ms!, updated_at ms, board_id id!, created_by id!='anonymous', session_id id, "
        "task_id id,"
        " message_id id, worktree_id id, content text!, content_preview text!, parent_comment_id id, resolved "
        "flag!=false,"
        " edited flag!=false, reactions json!='[]', data json!"
    ),
}

_2026 = {
    **_COMMON,
    "repos": _COMMON["repos"] + ", repo_type text!='remote', cleanup_policy json",
    "users": _COMMON["users"] + ", unix_username text, must_change_password flag!=false",
    "boards": (
        "board_id id!, created_at ms!, updated_at ms, created_by id!, primary_owner_user_id id, name text!, slug "
        "text,"
        " data json!, archived flag!=false, archived_at ms, archived_by id"
    ),
    "branches": (
        "branch_id id!, repo_id id!, created_at ms!, updated_at ms, created_by id!, name text!, ref text!, "
        "ref_type text,"
        " branch_unique_id int!, start_command text, app_url text, environment_health_claim_token text, board_id id,"
        " needs_attention flag!=true, archived flag!=false, archived_at ms, archived_by id, deletion_status text,"
        " filesystem_status text, storage_mode text!='worktree', data json!"
    ),
    "schedules": (
        "schedule_id id!, branch_id id!, name text!, cron_expression text!, prompt text!, enabled flag!=true,"
        " last_run_at epoch, next_run_at epoch, created_at ms!, updated_at ms!, created_by id!"
    ),
    "sessions": (
        "session_id id!, created_at ms!, updated_at ms!, created_by id!, unix_username text, status text!,"
        " agentic_tool text!, board_id id, parent_session_id id, forked_from_session_id id, branch_id id!,"
        " scheduled_run_at epoch, scheduled_from_branch flag!=false, schedule_id id, ready_for_prompt flag!=false,"
        " archived flag!=false, archived_reason text, data json!"
    ),
    "session_relationships": (
        "relationship_id id!, source_session_id id!, target_session_id id!, relationship_type text!, created_by id!,"
        " created_at ms!, callback_enabled flag!=false, callback_session_id id, data json"
    ),
    "tasks": (
        "task_id id!, session_id id!, created_at ms!, started_at ms, executor_connected_at ms, completed_at ms,"
        " last_executor_heartbeat_at ms, termination_coordination_token text, status text!, queue_position int,"
        " created_by id!, data json!"
    ),
    "messages": (
        "message_id id!, created_at ms!, session_id id!, task_id id, type text!, role text!, index int!, timestamp "
        "ms!,"
        " content_preview text, parent_tool_use_id text, data json!"
    ),
    "board_objects": "object_id id!, board_id id!, created_at ms!, branch_id id, card_id id, data json!",
    "board_comments": (
        "comment_id id!, created_at ms!, updated_at ms, board_id id!, created_by id!, session_id id, task_id id, "
        "message_id id,"
        " branch_id id, content text!, content_preview text!, parent_comment_id id, resolved flag!=false, edited "
        "flag!=false,"
        " reactions json!='[]', data json!"
    ),
    "user_api_keys": "id id!, user_id id!, name text!, prefix text!, key_hash text!, created_at ms!",
    "app_variables": "variable_id id!, namespace text!, key text!, value_encrypted text, is_encrypted flag!=true",
    "gateway_channels": "id id!, created_at ms!, name text!, channel_type text!, channel_key text!, config json",
}

_GENERATIONS: dict[Generation, dict[str, str]] = {"first": _FIRST, "2025": _LATE_2025, "2026": _2026}

_INDEXES = (
    "CREATE INDEX tasks_session_idx ON tasks (session_id)",
    'CREATE INDEX messages_session_index_idx ON messages (session_id, "index")',
    "CREATE INDEX messages_task_id_idx ON messages (task_id)",
    "CREATE INDEX sessions_parent_idx ON sessions (parent_session_id)",
    "CREATE INDEX sessions_forked_from_idx ON sessions (forked_from_session_id)",
    "CREATE INDEX sessions_created_idx ON sessions (created_at)",
)

_TENANT = "(tenant_id = COALESCE(NULLIF(current_setting('agor.tenant_id', true), ''), 'default'))"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; ``kind`` is one of id, text, int, ms, epoch, flag, json."""

    name: str
    kind: str
    required: bool
    default: str | None


def columns(generation: Generation) -> dict[str, list[Column]]:
    """The tables of a generation with their columns."""
    return {
        table: [_column(line.strip()) for line in text.split(",")] for table, text in _GENERATIONS[generation].items()
    }


def _column(line: str) -> Column:
    declared, _, default = line.partition("=")
    name, _, kind = declared.partition(" ")
    return Column(name, kind.rstrip("!"), kind.endswith("!"), default or None)


def statements(generation: Generation, dialect: Dialect) -> Iterator[str]:
    """The statements that make the tables; on PostgreSQL with tenants and forced row level security."""
    for table, found in columns(generation).items():
        lines = [_definition(column, dialect) for column in found]
        if table != "session_mcp_servers":  # which has no key in any generation of SQLite
            lines.append(f'PRIMARY KEY ("{found[0].name}")')
        if dialect == "postgresql":
            lines.insert(0, "tenant_id text DEFAULT 'default' NOT NULL")
        yield f"CREATE TABLE {table} ({', '.join(lines)})"
        if dialect == "postgresql":
            yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
            yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
            yield f"CREATE POLICY tenant_isolation_{table} ON {table} USING {_TENANT} WITH CHECK {_TENANT}"
    yield from _INDEXES
    if dialect == "sqlite":
        yield "CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)"
        yield "INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('5d1f', 1760000000000)"
    else:
        yield "CREATE SCHEMA drizzle"
        yield "CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)"
        yield "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('5d1f', 1760000000000)"


def _definition(column: Column, dialect: Dialect) -> str:
    text = f'"{column.name}" {_KINDS[dialect][column.kind]}'
    if column.default is not None:
        text += f" DEFAULT {column.default}"
    return text + (" NOT NULL" if column.required else "")
