"""Agor's sessions: the table joined with where they belong, and its tokens and costs summed from the tasks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import FromClause, case, func, literal, or_, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import BigInteger

from agor_tui.db.types import Flag, Instant, JsonSql, JsonString, Text
from agor_tui.schemas.agor_tables import Tables, board_of, filled, first
from agor_tui.schemas.base import SESSIONS, columns


def _own(tables: Tables, json: JsonSql, s: FromClause) -> dict[str, ColumnElement[Any] | None]:
    """Return the common columns that the table of sessions alone gives."""
    data = s.c.data
    return {
        "id": s.c.session_id,
        "created_at": s.c.created_at,
        "updated_at": _updated(tables, s),
        "created_by": s.c.created_by,
        "store_status": s.c.status,
        "tool": s.c.agentic_tool,
        "title": func.coalesce(
            filled(json.text(data, "title")),
            filled(json.text(data, "description")),
            s.c.agentic_tool,
            type_=JsonString(),
        ),
        "description": json.text(data, "description"),
        "parent_id": s.c.get("parent_session_id"),
        "forked_from_id": s.c.get("forked_from_session_id"),
        "data": data,
    }


def session_keys(tables: Tables, json: JsonSql, place: str) -> FromClause:
    """Return what sessions are filtered and sorted by: the columns of their own table."""
    s = tables("sessions")
    given = _own(tables, json, s)
    given |= {
        "worktree_id": s.c.get("branch_id" if place == "branches" else "worktree_id"),
        "board_id": s.c.get("board_id"),
        "archived": _archived(tables, s),
    }
    return select(*columns(SESSIONS, **given)).subquery("sessions")


def sessions(tables: Tables, json: JsonSql) -> FromClause:
    """Return the sessions with all common columns."""
    s = tables("sessions")
    given = _own(tables, json, s)
    given |= _usage(tables, json, s)
    source: FromClause = s
    archived_self = s.c.get("archived")
    archived_worktree: ColumnElement[Any] | None = None
    board: ColumnElement[Any] | None = s.c.get("board_id")
    for place, key in (("branches", "branch_id"), ("worktrees", "worktree_id")):
        if key in s.c and tables.has(place, key):
            w = tables(place)
            source = source.outerjoin(w, w.c[key] == s.c[key])
            given |= {
                "worktree_id": s.c[key],
                "worktree": w.c.name,
                "branch": func.nullif(w.c.ref, "", type_=Text()),
                "repo_id": w.c.repo_id,
            }
            archived_worktree = w.c.get("archived")
            board = first(board, board_of(tables, w, key))
            if tables.has("repos"):
                r = tables("repos")
                source = source.outerjoin(r, r.c.repo_id == w.c.repo_id)
                given["repo"] = r.c.slug
            break
    if board is not None and tables.has("boards"):
        b = tables("boards")
        source = source.outerjoin(b, b.c.board_id == board)
        given |= {"board_id": board, "board": b.c.name}
    no = literal(False, Flag())
    either = [each == literal(True, Flag()) for each in (archived_self, archived_worktree) if each is not None]
    given["archived"] = case((or_(*either), literal(True, Flag())), else_=no) if either else no
    return (
        select(
            *columns(SESSIONS, **given),
        )
        .select_from(source)
        .subquery("sessions")
    )


def _updated(tables: Tables, s: FromClause) -> ColumnElement[Any]:
    if tables.kind == "native":
        return s.c.updated_at  # never NULL there, and the bare column is what the index serves
    return func.coalesce(s.c.updated_at, s.c.created_at, type_=Instant())


def _archived(tables: Tables, s: FromClause) -> ColumnElement[Any] | None:
    if tables.kind == "native":
        return s.c.archived  # as above
    return first(s.c.get("archived"), literal(False, Flag()))


def task_usage(json: JsonSql, data: ColumnElement[Any]) -> dict[str, ColumnElement[Any]]:
    """Tokens and cost of a task: the program's normalized figures, else those of each agent's raw answer."""
    usage, raw = ("normalized_sdk_response", "tokenUsage"), ("raw_sdk_response", "usage")
    gemini = ("raw_sdk_response", "value", "usageMetadata")

    def whole(*paths: tuple[str, ...]) -> ColumnElement[Any]:
        return func.coalesce(*(json.integer(data, *path) for path in paths), type_=BigInteger())

    return {
        "tokens_input": whole((*usage, "inputTokens"), (*raw, "input_tokens"), (*gemini, "promptTokenCount")),
        "tokens_output": whole((*usage, "outputTokens"), (*raw, "output_tokens"), (*gemini, "candidatesTokenCount")),
        "tokens_cache_read": whole(
            (*usage, "cacheReadTokens"), (*raw, "cache_read_input_tokens"), (*raw, "cached_input_tokens")
        ),
        "tokens_cache_write": whole((*usage, "cacheCreationTokens"), (*raw, "cache_creation_input_tokens")),
        "cost": func.coalesce(
            json.number(data, "normalized_sdk_response", "costUsd"),
            json.number(data, "raw_sdk_response", "total_cost_usd"),
        ),
    }


def _usage(tables: Tables, json: JsonSql, s: FromClause) -> dict[str, ColumnElement[Any] | None]:
    def of_tasks(name: str) -> ColumnElement[Any]:
        t = tables("tasks")
        value = task_usage(json, t.c.data)[name]
        total = func.sum(value) if name == "cost" else sql_cast(func.sum(value), BigInteger())  # else a numeric
        return select(total).where(t.c.session_id == s.c.session_id).correlate(s).scalar_subquery()

    def of_last_task(value: Any) -> ColumnElement[Any]:
        t = tables("tasks")
        found = value(t.c.data)
        return (
            select(found)
            .where(t.c.session_id == s.c.session_id, found.is_not(None))
            .order_by(t.c.created_at.desc(), t.c.task_id.desc())
            .limit(1)
            .correlate(s)
            .scalar_subquery()
        )

    data = s.c.data
    return {
        "model": func.coalesce(
            json.text(data, "model_config", "model"),
            of_last_task(lambda d: json.text(d, "model")),
            type_=JsonString(),
        ),
        # Sessions that were copied from a store with totals of its own keep those.
        "tokens_input": func.coalesce(json.integer(data, "totals", "tokens_input"), of_tasks("tokens_input")),
        "tokens_output": func.coalesce(json.integer(data, "totals", "tokens_output"), of_tasks("tokens_output")),
        "cost": func.coalesce(json.number(data, "totals", "cost"), of_tasks("cost")),
        "context_used": func.coalesce(
            json.integer(data, "current_context_usage"),
            of_last_task(lambda d: json.integer(d, "computed_context_window")),
        ),
        "context_limit": func.coalesce(
            json.integer(data, "context_window_limit"),
            of_last_task(lambda d: json.integer(d, "normalized_sdk_response", "contextWindowLimit")),
        ),
    }
