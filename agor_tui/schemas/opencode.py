"""OpenCode's tables (SQLite only), their contents in JSON; Kilo's, a fork's, are the same and more.

Source: the program's own databases, https://github.com/anomalyco/opencode (``packages/opencode/src/session``), and
public reports of version 2. ``opencode_tables`` says where sessions and conversations are kept in which version. A task
is a user message. Ids of messages and parts ascend with time, those of sessions descend. Statuses stand nowhere: they
follow from the last assistant message. ``account``, ``credential``, ``control_account`` and ``session_share`` hold
secrets and are never read.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import (
    CompoundSelect,
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
from sqlalchemy.types import BigInteger

from agor_tui.db.catalog import Catalog
from agor_tui.db.types import Id, Json, Text
from agor_tui.records import Kind
from agor_tui.schemas import opencode_entries as entries
from agor_tui.schemas import opencode_tasks as tasks
from agor_tui.schemas.base import MESSAGES, REPOS, WORKTREES, Schema, columns
from agor_tui.schemas.opencode_content import blocks
from agor_tui.schemas.opencode_facts import details
from agor_tui.schemas.opencode_sessions import project_name, sessions_of
from agor_tui.schemas.opencode_tables import NO, SAID, YES, Column, Tables, even, is_prompt, json

_SECRETS = "logins and keys, which are never read"
_MIGRATIONS = "the program's record of its own migrations"
_EVENTS = "the log of changes to the rows that are read themselves"
_NOTES = "notes between agents, no messages of a conversation"
_LEFT_ASIDE = {
    **dict.fromkeys(("account", "account_state", "control_account", "credential"), _SECRETS),
    "session_share": "the secrets of sessions that were shared",
    **dict.fromkeys(("event", "event_sequence"), _EVENTS),
    **dict.fromkeys(("migration", "data_migration", "__drizzle_migrations"), _MIGRATIONS),
    "permission": "what tools may do in a project from now on, nothing of a session",
    "project_directory": "folders of projects, which sessions name themselves",
    "session_context_epoch": "the instructions that a model was given, no messages",
}
_KILO_LEFT_ASIDE = {**_LEFT_ASIDE, **dict.fromkeys(("kilo_board", "kilo_board_message"), _NOTES)}

_OWNERS: dict[Literal["opencode", "kilo"], str] = {"opencode": "OpenCode", "kilo": "Kilo"}


def detect(catalog: Catalog) -> bool:
    """Tell whether these are OpenCode's tables: sessions of either version, and a store of conversations."""
    tables = Tables(catalog)
    return bool(tables.sessions) and (tables.has_messages or tables.has_entries)


def detect_kilo(catalog: Catalog) -> bool:
    """Tell whether these are Kilo's tables: OpenCode's, and a board of its own."""
    return catalog.has("kilo_board") and detect(catalog)


def build(catalog: Catalog, dialect: str, tenant: str | None) -> Schema:
    """Return the mapping of the tables in ``catalog``; the program has SQLite and no tenants."""
    kind: Literal["opencode", "kilo"] = "kilo" if detect_kilo(catalog) else "opencode"
    tables = Tables(catalog)
    sessions = sessions_of(tables, kind)
    capabilities = {"cost", "worktrees"}
    capabilities |= {"repos"} if catalog.has("project", "id", "worktree") else set()
    capabilities |= {"archive"} if tables.has("session", "time_archived") else set()
    capabilities |= {"forks"} if tables.has("session", "fork_session_id") else set()
    messages = _messages(tables)
    task_parts, message_parts = _parts(tables)
    return Schema(
        kind=kind,
        owner=_OWNERS[kind],
        sessions=sessions,
        tasks=_tasks(tables),
        messages=messages,
        boards=None,
        repos=_repos(tables) if "repos" in capabilities else None,
        worktrees=_worktrees(tables),
        users=None,
        session_statuses={word: word for word in ("idle", "running", "failed", "stopped")},
        task_statuses={word: word for word in ("created", "running", "completed", "failed", "stopped")},
        blocks=blocks,
        ids=_ids(tables, capabilities),
        task_order=("store", "at", "id") if tables.has_entries else ("created_at", "id"),
        message_order=("store", "at", "id") if tables.has_entries or tables.has_inputs else ("at", "id"),
        parts={"task": tuple(task_parts), "message": tuple(message_parts)},
        waiting=messages.c.queued == YES if tables.has_inputs else None,
        mapped_tables=tables.mapped,
        left_aside=_KILO_LEFT_ASIDE if kind == "kilo" else _LEFT_ASIDE,
        uuid_ids=False,
        capabilities=frozenset(capabilities),
        indexed_sorts=frozenset({"id"}),
        session_keys=sessions,
        archived=sessions.c.archived == YES,
        not_archived=sessions.c.time_archived.is_(None),
        in_repos=lambda repos: sessions.c.repo_id.in_(repos),
        in_boards=lambda boards: false(),
        details=details,
        session_facts=_session_facts(tables),
    )


def _union(arms: list[Select[Any]]) -> Select[Any] | CompoundSelect[Any]:
    return arms[0].union_all(*arms[1:]) if len(arms) > 1 else arms[0]


def _tasks(tables: Tables) -> FromClause:
    arms: list[Select[Any]] = []
    if tables.has_messages:
        arms.append(tasks.tasks_of(tables))
    if tables.has_entries:
        arms.append(entries.tasks_of(tables))
    return _union(arms).subquery("tasks")


def _messages(tables: Tables) -> FromClause:
    arms: list[Select[Any]] = []
    if tables.has_messages:
        arms.append(_old_messages(tables))
    if tables.has_entries:
        arms.append(entries.messages_of(tables, lambda e: _old_count(tables, e), lambda e: _revert(tables, e)))
    if tables.has_inputs:
        arms.append(entries.waiting_of(tables))
    return _union(arms).subquery("messages")


def _old_messages(tables: Tables) -> Select[Any]:
    m, p, earlier = tables("message"), tables("part"), tables("message")
    role = func.coalesce(json.text(m.c.data, "role"), "system", type_=Text())
    position = (
        select(func.count())
        .where(
            earlier.c.session_id == m.c.session_id,
            tuple_(earlier.c.time_created, earlier.c.id) < tuple_(m.c.time_created, m.c.id),
            *tables.living(earlier),
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
        "reverted": case((m.c.id >= _revert(tables, m), YES), else_=NO),
        "is_prompt": case((is_prompt(m), YES), else_=NO),
        "data": m.c.data,
        # The parts' texts undecoded, as strings: one that is not JSON must not take the others with it.
        "parts": select(func.json_group_array(ordered.c.data, type_=Json())).scalar_subquery(),
    }
    at = type_coerce(m.c.time_created, BigInteger()).label("at")
    return select(*even([*columns(MESSAGES, **given), literal(0).label("store"), at])).where(*tables.living(m))


def _old_count(tables: Tables, e: FromClause) -> Column:
    """How many messages of the first store the session of an entry has: they come before all entries."""
    if not tables.has_messages:
        return literal(0)
    m = tables("message")
    counted = select(func.count()).where(m.c.session_id == e.c.session_id, *tables.living(m))
    return counted.correlate(e).scalar_subquery()


def _revert(tables: Tables, m: FromClause) -> Column:
    """The message from which on a session was taken back; NULL where it was not."""
    found = []
    for name in tables.sessions:
        s = tables(name)
        if "revert" in s.c:
            query = select(json.text(s.c.revert, "messageID")).where(s.c.id == m.c.session_id, *tables.once(s, name))
            found.append(query.correlate(m).scalar_subquery())
    return func.coalesce(*found, None, type_=Text())


def _repos(tables: Tables) -> FromClause:
    p = tables("project")
    given: dict[str, Column | None] = {
        "id": p.c.id,
        "created_at": p.c.get("time_created"),
        "name": project_name(p),
        "path": p.c.worktree,
    }
    return select(*columns(REPOS, **given)).subquery("repos")


def _worktrees(tables: Tables) -> FromClause:
    """The folders that sessions ran in; the store has no rows for them, so their paths are their ids."""
    s = tables.every_session()
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
        given["repo"] = project_name(p)
    return select(*columns(WORKTREES, **given)).select_from(source).subquery("worktrees")


def _parts(tables: Tables) -> tuple[list[FromClause], list[FromClause]]:
    """The bare rows of tasks and of messages, id and session_id, of each table that holds some."""
    prompts: list[Select[Any]] = []
    messages: list[Select[Any]] = []
    if tables.has_messages:
        u, m = tables("message"), tables("message")
        prompts.append(select(u.c.id, u.c.session_id).where(is_prompt(u), *tables.living(u)))
        messages.append(select(m.c.id, m.c.session_id).where(*tables.living(m)))
    if tables.has_entries:
        u, m = tables("session_message"), tables("session_message")
        prompts.append(select(u.c.id, u.c.session_id).where(u.c.type == "user"))
        messages.append(select(m.c.id, m.c.session_id).where(m.c.type.in_(SAID)))
    if tables.has_inputs:
        i = tables("session_input")
        messages.append(select(i.c.id, i.c.session_id).where(*entries.is_waiting(tables, i)))
    return [each.subquery() for each in prompts], [each.subquery() for each in messages]


def _ids(tables: Tables, capabilities: set[str]) -> dict[Kind, FromClause]:
    d = tables.every_session()
    sessions = []
    for name in tables.sessions:
        s = tables(name)
        sessions.append(select(s.c.id).where(*tables.once(s, name)))
    prompts, messages = _parts(tables)
    bare: dict[Kind, FromClause] = {
        "session": _union(sessions).subquery("session_ids"),
        "task": _union([select(each.c.id) for each in prompts]).subquery("task_ids"),
        "message": _union([select(each.c.id) for each in messages]).subquery("message_ids"),
        "worktree": select(type_coerce(d.c.directory, Id()).label("id")).distinct().subquery("worktree_ids"),
    }
    if "repos" in capabilities:
        bare["repo"] = select(tables("project").c.id).subquery("repo_ids")
    return bare


def _session_facts(tables: Tables) -> dict[str, Select[Any]]:
    this = bindparam("session_id", type_=Id())
    facts: dict[str, Select[Any]] = {}
    if tables.has_todos:
        t = tables("todo")
        facts["Todos"] = (
            select(t.c.content, t.c.status, t.c.priority).where(t.c.session_id == this).order_by(t.c.position)
        )
    return facts
