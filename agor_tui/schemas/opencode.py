"""OpenCode's tables: ``session``, ``message`` and ``part`` (SQLite only), their contents in JSON.

Source: the program's own database and https://github.com/anomalyco/opencode,
``packages/opencode/src/session``. A task is a user message; the assistant messages that answer it name it as
``parentID``. Ids of messages and parts ascend with time, those of sessions descend. Statuses stand nowhere:
they follow from the last assistant message. Older databases lack columns of ``session``. ``account``,
``credential``, ``control_account`` and ``session_share`` hold secrets and are never read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    FromClause,
    Select,
    bindparam,
    case,
    false,
    func,
    literal,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import BigInteger, NullType

from agor_tui.db.catalog import Catalog
from agor_tui.db.types import Id, Json, Text
from agor_tui.records import Kind
from agor_tui.schemas.base import MESSAGES, REPOS, SESSIONS, WORKTREES, Schema, columns
from agor_tui.schemas.opencode_content import blocks
from agor_tui.schemas.opencode_facts import details
from agor_tui.schemas.opencode_tables import (
    NO,
    YES,
    Column,
    Tables,
    is_prompt,
    json,
    model_of,
    reply_status,
    sum_of_costs,
)
from agor_tui.schemas.opencode_tasks import tasks_of

_MAPPED = frozenset({"project", "workspace", "session", "message", "part", "todo"})
_SECRETS = "logins and keys, which are never read"
_MIGRATIONS = "the program's record of its own migrations"
_EVENTS = "the log of changes to the rows that are read themselves"
_LEFT_ASIDE = {
    **dict.fromkeys(("account", "account_state", "control_account", "credential"), _SECRETS),
    "session_share": "the secrets of sessions that were shared",
    **dict.fromkeys(("event", "event_sequence"), _EVENTS),
    **dict.fromkeys(("migration", "data_migration", "__drizzle_migrations"), _MIGRATIONS),
    "permission": "what tools may do in a project from now on, nothing of a session",
    "project_directory": "folders of projects, which sessions name themselves",
    "session_context_epoch": "the instructions that a model was given, no messages",
}


def detect(catalog: Catalog) -> bool:
    """Tell whether these are OpenCode's tables."""
    return (
        catalog.has("session", "id", "project_id", "directory", "title", "time_created", "time_updated")
        and catalog.has("message", "id", "session_id", "time_created", "data")
        and catalog.has("part", "id", "message_id", "data")
    )


def build(catalog: Catalog, dialect: str, tenant: str | None) -> Schema:
    """Return the mapping of the tables in ``catalog``; the program has SQLite and no tenants."""
    tables = Tables(catalog)
    sessions = _sessions(tables)
    capabilities = {"cost", "worktrees"}
    capabilities |= {"repos"} if catalog.has("project", "id", "worktree") else set()
    capabilities |= {"archive"} if catalog.has("session", "time_archived") else set()
    return Schema(
        kind="opencode",
        owner="OpenCode",
        sessions=sessions,
        tasks=tasks_of(tables),
        messages=_messages(tables),
        boards=None,
        repos=_repos(tables) if "repos" in capabilities else None,
        worktrees=_worktrees(tables),
        users=None,
        session_statuses={word: word for word in ("idle", "running", "failed", "stopped")},
        task_statuses={word: word for word in ("created", "running", "completed", "failed", "stopped")},
        blocks=blocks,
        ids=_ids(tables, capabilities),
        message_order=("created_at", "id"),
        mapped_tables=_MAPPED,
        left_aside=_LEFT_ASIDE,
        uuid_ids=False,
        capabilities=frozenset(capabilities),
        indexed_sorts=frozenset({"id"}),
        session_keys=sessions,
        archived=sessions.c.archived == YES,
        not_archived=sessions.c.time_archived.is_(None) if "archive" in capabilities else sessions.c.archived == NO,
        in_repos=lambda repos: sessions.c.repo_id.in_(repos),
        in_boards=lambda boards: false(),
        details=details,
        session_facts=_session_facts(tables),
    )


def _sessions(tables: Tables) -> FromClause:
    s = tables("session")
    source: FromClause = s
    given: dict[str, Column | None] = {
        "id": s.c.id,
        "created_at": s.c.time_created,
        "updated_at": s.c.time_updated,
        "store_status": _session_status(tables, s),
        "tool": literal("opencode", Text()),
        "title": func.coalesce(func.nullif(s.c.title, ""), "opencode", type_=Text()),
        "parent_id": s.c.get("parent_id"),
        "worktree_id": s.c.directory,
        "worktree": s.c.directory,
        "data": _row_as_json(s),
        **_session_usage(tables, s),
    }
    if tables.catalog.has("project", "id", "worktree"):
        p = tables("project")
        source = source.outerjoin(p, p.c.id == s.c.project_id)
        given |= {"repo_id": s.c.project_id, "repo": _project_name(p)}
    if tables.catalog.has("workspace", "id", "branch") and "workspace_id" in s.c:
        w = tables("workspace")
        source = source.outerjoin(w, w.c.id == s.c.workspace_id)
        given["branch"] = w.c.branch
    archived = s.c.get("time_archived")
    given["archived"] = NO if archived is None else case((archived.is_(None), NO), else_=YES)
    selected = columns(SESSIONS, **given)
    if archived is not None:
        selected.append(archived.label("time_archived"))
    return select(*selected).select_from(source).subquery("sessions")


def _project_name(p: FromClause) -> Column:
    """The name that a user gave the project, else the last part of its path, else its id (``global``)."""
    path = func.rtrim(func.replace(p.c.worktree, "\\", "/"), "/")
    folder = func.rtrim(path, func.replace(path, "/", ""))  # all up to the last slash
    last = func.nullif(func.substr(path, func.length(folder) + 1), "")
    own = [func.nullif(p.c.name, "")] if "name" in p.c else []
    return func.coalesce(*own, last, p.c.id, type_=Text())


def _session_usage(tables: Tables, s: FromClause) -> dict[str, Column | None]:
    """Model, tokens and cost: the session's own where its table has them, else from its messages."""
    m = tables("message")

    def total(value: Column) -> Column:
        found = select(value).where(m.c.session_id == s.c.id).correlate(s).scalar_subquery()
        return func.coalesce(found, 0, type_=value.type)

    def tokens(kind: str) -> Column:
        return total(func.sum(json.integer(m.c.data, "tokens", kind), type_=BigInteger()))

    return {
        "model": json.text(s.c.model, "id") if "model" in s.c else _last_reply(tables, s, model_of),
        "tokens_input": s.c.tokens_input if "tokens_input" in s.c else tokens("input"),
        "tokens_output": s.c.tokens_output if "tokens_output" in s.c else tokens("output"),
        "cost": s.c.cost if "cost" in s.c else total(sum_of_costs(m)),
        "context_used": _last_reply(tables, s, _context_used),
    }


def _last_reply(tables: Tables, s: FromClause, value: Callable[[Column], Column]) -> Column:
    """Return ``value`` of the last assistant message of a session for which it is not NULL."""
    m = tables("message")
    found = value(m.c.data)
    return (
        select(found)
        .where(m.c.session_id == s.c.id, json.text(m.c.data, "role") == "assistant", found.is_not(None))
        .order_by(m.c.time_created.desc(), m.c.id.desc())
        .limit(1)
        .correlate(s)
        .scalar_subquery()
    )


def _context_used(data: Column) -> Column:
    return func.nullif(json.integer(data, "tokens", "total"), 0, type_=BigInteger())


def _session_status(tables: Tables, s: FromClause) -> Column:
    m = tables("message")
    last = (
        select(case((json.text(m.c.data, "role") == "assistant", reply_status(m.c.data, finished="idle"))))
        .where(m.c.session_id == s.c.id)
        .order_by(m.c.time_created.desc(), m.c.id.desc())
        .limit(1)
        .correlate(s)
        .scalar_subquery()
    )
    return func.coalesce(last, "idle", type_=Text())


def _row_as_json(s: FromClause) -> Column:
    """The whole row as one JSON object, good JSON of its columns as a part of it."""
    pairs: list[Column] = []
    for name, value in s.c.items():
        raw = type_coerce(value, NullType())
        stored = case((func.typeof(raw) == "blob", func.hex(raw)), else_=raw)  # JSON has no bytes
        nested = case((func.json_valid(stored) == 1, func.json(stored)), else_=stored)
        pairs += (literal(name), nested if isinstance(value.type, Json) else stored)
    return func.json_object(*pairs, type_=Json())


def _messages(tables: Tables) -> FromClause:
    m, s, p, earlier = tables("message"), tables("session"), tables("part"), tables("message")
    role = func.coalesce(json.text(m.c.data, "role"), "system", type_=Text())
    position = (
        select(func.count())
        .where(
            earlier.c.session_id == m.c.session_id,
            tuple_(earlier.c.time_created, earlier.c.id) < tuple_(m.c.time_created, m.c.id),
        )
        .correlate(m)
        .scalar_subquery()
    )
    ordered = (
        select(sql_cast(p.c.data, Text()).label("data"))
        .where(p.c.message_id == m.c.id)
        .order_by(p.c.id)
        .correlate(m)
        .subquery()
    )
    given: dict[str, Column | None] = {
        "id": m.c.id,
        "session_id": m.c.session_id,
        "task_id": case((is_prompt(m), m.c.id), else_=json.text(m.c.data, "parentID")),
        "index": position,
        "role": role,
        "type": role,
        "timestamp": m.c.time_created,
        "created_at": m.c.time_created,
        "queued": NO,
        "reverted": NO,
        "is_prompt": case((is_prompt(m), YES), else_=NO),
        "data": m.c.data,
        # The parts' texts undecoded, as strings: one that is not JSON must not take the others with it.
        "parts": select(func.json_group_array(ordered.c.data, type_=Json())).scalar_subquery(),
    }
    source: FromClause = m
    if "revert" in s.c:
        source = m.outerjoin(s, s.c.id == m.c.session_id)
        given["reverted"] = case((m.c.id >= json.text(s.c.revert, "messageID"), YES), else_=NO)
    return select(*columns(MESSAGES, **given)).select_from(source).subquery("messages")


def _repos(tables: Tables) -> FromClause:
    p = tables("project")
    given: dict[str, Column | None] = {
        "id": p.c.id,
        "created_at": p.c.get("time_created"),
        "name": _project_name(p),
        "path": p.c.worktree,
    }
    return select(*columns(REPOS, **given)).subquery("repos")


def _worktrees(tables: Tables) -> FromClause:
    """The folders that sessions ran in; the store has no rows for them, so their paths are their ids."""
    s = tables("session")
    d = (
        select(s.c.directory, func.max(s.c.project_id, type_=Id()).label("project_id"))
        .group_by(s.c.directory)
        .subquery()
    )
    source: FromClause = d
    given: dict[str, Column | None] = {
        "id": type_coerce(d.c.directory, Id()),
        "repo_id": d.c.project_id,
        "name": d.c.directory,
        "path": d.c.directory,
        "archived": NO,
    }
    if tables.catalog.has("project", "id", "worktree"):
        p = tables("project")
        source = d.outerjoin(p, p.c.id == d.c.project_id)
        given["repo"] = _project_name(p)
    return select(*columns(WORKTREES, **given)).select_from(source).subquery("worktrees")


def _ids(tables: Tables, capabilities: set[str]) -> dict[Kind, FromClause]:
    s, d, u, m = tables("session"), tables("session"), tables("message"), tables("message")
    bare: dict[Kind, FromClause] = {
        "session": select(s.c.id).subquery("session_ids"),
        "task": select(u.c.id).where(is_prompt(u)).subquery("task_ids"),
        "message": select(m.c.id).subquery("message_ids"),
        "worktree": select(type_coerce(d.c.directory, Id()).label("id")).distinct().subquery("worktree_ids"),
    }
    if "repos" in capabilities:
        bare["repo"] = select(tables("project").c.id).subquery("repo_ids")
    return bare


def _session_facts(tables: Tables) -> dict[str, Select[Any]]:
    this = bindparam("session_id", type_=Id())
    facts: dict[str, Select[Any]] = {}
    if tables.catalog.has("todo", "session_id", "content", "status", "priority", "position"):
        t = tables("todo")
        facts["Todos"] = (
            select(t.c.content, t.c.status, t.c.priority).where(t.c.session_id == this).order_by(t.c.position)
        )
    return facts
