"""Agor's tables, of every generation and on both dialects; our own native tables are of the same shape.

Source: Agor's published schema (the SQLite migrations of 2025, and both dialects' schema of 2026). What came when is
detected by columns: ``worktrees`` became ``branches``; the queue moved from messages to tasks; PostgreSQL has a tenant
on every row. Facts that hold for all: a session's board is its worktree's; it is archived when it *or its worktree* is;
genealogy stands in the columns (the copy in ``data`` goes stale).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from sqlalchemy import FromClause, and_, case, false, func, literal, not_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from agor_tui.db.catalog import Catalog
from agor_tui.db.types import Flag, JsonSql, JsonString, Text
from agor_tui.records import Kind
from agor_tui.schemas import agor_facts
from agor_tui.schemas.agor_content import blocks
from agor_tui.schemas.agor_sessions import session_keys, sessions, task_usage
from agor_tui.schemas.agor_tables import Tables, board_of, filled, first
from agor_tui.schemas.base import (
    BOARDS,
    MESSAGES,
    PLACEMENTS,
    REPOS,
    TASKS,
    USERS,
    WORKTREES,
    Schema,
    columns,
)

SESSION_STATUSES = {
    "idle": "idle",
    "running": "running",
    "stopping": "running",
    "awaiting_permission": "awaiting_permission",
    "awaiting_input": "awaiting_input",
    "completed": "completed",
    "failed": "failed",
    "timed_out": "failed",
    "stopped": "stopped",
}
TASK_STATUSES = {
    "created": "created",
    "queued": "created",
    "pending": "created",
    "running": "running",
    "dispatching": "running",
    "stopping": "running",
    "awaiting_permission": "awaiting_permission",
    "awaiting_input": "awaiting_input",
    "completed": "completed",
    "failed": "failed",
    "timed_out": "failed",
    "stopped": "stopped",
}
_MAPPED = frozenset(
    {
        *("repos", "boards", "users", "worktrees", "branches", "sessions", "tasks", "messages", "board_comments"),
        *("board_objects", "mcp_servers", "session_mcp_servers"),
    }
)
_CREDENTIALS = "logins and keys, which are never read"
_SERVER = "what a server has under way"
_LEFT_ASIDE = {
    **dict.fromkeys(
        (
            *("user_api_keys", "app_variables", "user_mcp_oauth_tokens", "mcp_oauth_pending_flows"),
            *("mcp_oauth_client_registrations", "user_provider_oauth_grants", "claude_oauth_attempts"),
            *("codex_device_auth_attempts", "executor_session_token_authorities", "github_install_states"),
            *("gateway_channels", "user_external_identities", "session_env_selections"),
        ),
        _CREDENTIALS,
    ),
    **dict.fromkeys(("gateway_inbound_events", "gateway_outbound_messages", "discord_message_deliveries"), _SERVER),
    "__drizzle_migrations": "the program's record of its own migrations",
}
_WAITING = ("created", "queued", "pending")
_FINISHED = ("completed", "failed", "timed_out", "stopped")


def detect(catalog: Catalog) -> bool:
    """Tell whether these are Agor's tables."""
    return (
        catalog.has("sessions", "session_id", "agentic_tool", "data")
        and catalog.has("tasks", "task_id", "session_id", "data")
        and catalog.has("messages", "message_id", "session_id", "index", "data")
    )


def build(
    catalog: Catalog,
    dialect: str,
    tenant: str | None,
    *,
    kind: Literal["native", "agor"] = "agor",
) -> Schema:
    """Return the mapping of the tables in ``catalog``."""
    tables = Tables(catalog, tenant, kind)
    json = JsonSql(dialect)
    place = "branches" if tables.has("branches") else "worktrees"
    keys = session_keys(tables, json, place)
    worktrees = _worktrees(tables, json, place) if tables.has(place) else None

    def in_worktrees(condition: Callable[[FromClause], ColumnElement[bool]]) -> ColumnElement[bool]:
        if worktrees is None:
            return false()
        rows = worktrees.alias()
        inner = select(rows.c.id).where(condition(rows)).correlate_except(rows)  # boards may be a query's column
        return keys.c.worktree_id.in_(inner)

    def in_boards(boards: Sequence[Any]) -> ColumnElement[bool]:
        on_board = in_worktrees(lambda rows: rows.c.board_id.in_(boards))
        return or_(keys.c.board_id.in_(boards), and_(keys.c.board_id.is_(None), on_board))

    archived_worktree = in_worktrees(lambda rows: rows.c.archived == literal(True, Flag()))
    messages = _messages(tables, json)
    indexed = {
        key for key, name in (("updated", "updated_at"), ("created", "created_at")) if catalog.indexed("sessions", name)
    }
    return Schema(
        kind=kind,
        owner="agor-tui" if kind == "native" else "Agor",
        sessions=sessions(tables, json),
        session_keys=keys,
        archived=or_(keys.c.archived == literal(True, Flag()), archived_worktree),
        not_archived=and_(
            keys.c.archived == literal(False, Flag()), or_(keys.c.worktree_id.is_(None), not_(archived_worktree))
        ),
        in_repos=lambda repos: in_worktrees(lambda rows: rows.c.repo_id.in_(repos)),
        in_boards=in_boards,
        tasks=_tasks(tables, json),
        messages=messages,
        boards=_boards(tables, json) if tables.has("boards") else None,
        repos=_repos(tables, json) if tables.has("repos") else None,
        worktrees=worktrees,
        placements=_placements(tables, json, place),
        users=_users(tables, json) if tables.has("users") else None,
        session_statuses=SESSION_STATUSES,
        task_statuses=TASK_STATUSES,
        blocks=blocks,
        ids=_ids(tables, place),
        message_order=("index", "timestamp", "created_at", "id"),
        waiting=messages.c.index < 0,
        mapped_tables=_MAPPED,
        left_aside=_LEFT_ASIDE,
        capabilities=frozenset({"boards", "repos", "worktrees", "users", "forks", "archive", "cost"}),
        indexed_sorts=frozenset({"id", *indexed}),
        details=agor_facts.details,
        session_facts=agor_facts.session_facts(tables, place),
    )


def _ids(tables: Tables, place: str) -> dict[Kind, FromClause]:
    keys: dict[Kind, tuple[str, str]] = {
        "session": ("sessions", "session_id"),
        "task": ("tasks", "task_id"),
        "message": ("messages", "message_id"),
        "board": ("boards", "board_id"),
        "repo": ("repos", "repo_id"),
        "worktree": (place, "branch_id" if place == "branches" else "worktree_id"),
        "user": ("users", "user_id"),
    }
    found = {kind: (tables(name), key) for kind, (name, key) in keys.items() if tables.has(name)}
    return {kind: select(rows.c[key].label("id")).subquery() for kind, (rows, key) in found.items()}


def _tasks(tables: Tables, json: JsonSql) -> FromClause:
    t = tables("tasks")
    data = t.c.data
    prompt = json.text(data, "full_prompt")
    over = t.c.status.in_(_FINISHED)
    given: dict[str, ColumnElement[Any] | None] = {
        "id": t.c.task_id,
        "session_id": t.c.session_id,
        "created_at": t.c.created_at,
        "started_at": t.c.get("started_at"),
        "completed_at": t.c.completed_at,
        "range_start": case((t.c.status.not_in(_WAITING), json.text(data, "message_range", "start_timestamp"))),
        "range_end": case((over, json.text(data, "message_range", "end_timestamp"))),
        "duration_ms": func.coalesce(
            json.integer(data, "duration_ms"), json.integer(data, "normalized_sdk_response", "durationMs")
        ),
        "store_status": t.c.status,
        "title": func.coalesce(
            filled(json.text(data, "description")),
            func.substr(prompt, 1, 200, type_=JsonString()),
            "",
            type_=JsonString(),
        ),
        "prompt": func.coalesce(prompt, json.text(data, "description"), type_=JsonString()),
        "model": func.coalesce(
            json.text(data, "model"), json.text(data, "normalized_sdk_response", "primaryModel"), type_=JsonString()
        ),
        "tool_use_count": func.coalesce(
            json.integer(data, "recorded_tool_count"), json.integer(data, "tool_use_count")
        ),
        "error": json.text(data, "error_message"),
        "sha_start": json.text(data, "git_state", "sha_at_start"),
        "sha_end": json.text(data, "git_state", "sha_at_end"),
        "report": func.coalesce(json.text(data, "report", "path"), json.text(data, "report"), type_=Text()),
        "queue_position": first(t.c.get("queue_position"), json.integer(data, "queue_position")),
        "data": data,
        **task_usage(json, data),
    }
    return select(*columns(TASKS, **given)).subquery("tasks")


def _messages(tables: Tables, json: JsonSql) -> FromClause:
    m = tables("messages")
    data = m.c.data
    parent = m.c.get("parent_tool_use_id")
    queued = m.c.index < 0
    prompt = [
        m.c.role == "user",
        not_(queued),
        func.coalesce(json.text(data, "content", "0", "type"), "") != "tool_result",
    ]
    if parent is not None:
        prompt.append(parent.is_(None))
    yes, no = literal(True, Flag()), literal(False, Flag())
    given: dict[str, ColumnElement[Any] | None] = {
        "id": m.c.message_id,
        "session_id": m.c.session_id,
        "task_id": m.c.task_id,
        "index": m.c.index,
        "role": m.c.role,
        "type": m.c.type,
        "timestamp": m.c.timestamp,
        "created_at": m.c.created_at,
        "parent_tool_id": parent,
        "queued": case((queued, yes), else_=no),
        "queue_position": m.c.get("queue_position"),
        # Agor's cannot be taken back; those of another store, copied into ours, may have been.
        "reverted": case((json.text(data, "metadata", "reverted").in_(("true", "1")), yes), else_=no),
        "is_prompt": case((and_(*prompt), yes), else_=no),
        "data": data,
    }
    return select(*columns(MESSAGES, **given)).subquery("messages")


def _boards(tables: Tables, json: JsonSql) -> FromClause:
    b = tables("boards")
    yes, no = literal(True, Flag()), literal(False, Flag())
    given: dict[str, ColumnElement[Any] | None] = {
        "id": b.c.board_id,
        "created_at": b.c.created_at,
        "updated_at": b.c.updated_at,
        "created_by": b.c.created_by,
        "name": b.c.name,
        "slug": b.c.get("slug"),
        "description": json.text(b.c.data, "description"),
        # Where there is no column for it, our own boards say so in their data.
        "archived": first(
            b.c.get("archived"), case((json.text(b.c.data, "archived").in_(("true", "1")), yes), else_=no)
        ),
        "data": b.c.data,
    }
    return select(*columns(BOARDS, **given)).subquery("boards")


def _repos(tables: Tables, json: JsonSql) -> FromClause:
    r = tables("repos")
    given: dict[str, ColumnElement[Any] | None] = {
        "id": r.c.repo_id,
        "created_at": r.c.created_at,
        "name": r.c.slug,
        "path": json.text(r.c.data, "local_path"),
        "remote_url": json.text(r.c.data, "remote_url"),
        "default_branch": json.text(r.c.data, "default_branch"),
        "data": r.c.data,
    }
    return select(*columns(REPOS, **given)).subquery("repos")


def _worktrees(tables: Tables, json: JsonSql, place: str) -> FromClause:
    w = tables(place)
    key = "branch_id" if place == "branches" else "worktree_id"
    source: FromClause = w
    board = board_of(tables, w, key)
    given: dict[str, ColumnElement[Any] | None] = {
        "id": w.c[key],
        "created_at": w.c.created_at,
        "repo_id": w.c.repo_id,
        "name": w.c.name,
        "branch": func.nullif(w.c.ref, "", type_=Text()),
        "path": json.text(w.c.data, "path"),
        "board_id": board,
        "archived": first(w.c.get("archived"), literal(False, Flag())),
        "data": w.c.data,
    }
    if tables.has("repos"):
        r = tables("repos")
        source = source.outerjoin(r, r.c.repo_id == w.c.repo_id)
        given["repo"] = r.c.slug
    if board is not None and tables.has("boards"):
        b = tables("boards")
        source = source.outerjoin(b, b.c.board_id == board)
        given["board"] = b.c.name
    return select(*columns(WORKTREES, **given)).select_from(source).subquery("worktrees")


def _placements(tables: Tables, json: JsonSql, place: str) -> FromClause | None:
    key = "branch_id" if place == "branches" else "worktree_id"
    if not tables.has("board_objects", "board_id", key, "data"):
        return None
    o = tables("board_objects")
    given: dict[str, ColumnElement[Any] | None] = {
        "id": o.c.object_id,
        "board_id": o.c.board_id,
        "worktree_id": o.c[key],
        "zone_id": json.text(o.c.data, "zone_id"),
    }
    # In newer databases other things than worktrees stand on boards, too.
    return select(*columns(PLACEMENTS, **given)).where(o.c[key].is_not(None)).subquery("placements")


def _users(tables: Tables, json: JsonSql) -> FromClause:
    u = tables("users")
    given: dict[str, ColumnElement[Any] | None] = {
        "id": u.c.user_id,
        "created_at": u.c.created_at,
        "name": u.c.name,
        "email": u.c.email,
        "role": u.c.get("role"),
        # Our own users have it in their data, where a copy puts what has no column.
        "login": first(u.c.get("unix_username"), json.text(u.c.data, "unix_username")) if "data" in u.c else None,
    }
    return select(*columns(USERS, **given)).subquery("users")
