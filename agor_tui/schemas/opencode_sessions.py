"""OpenCode's sessions, out of each of the tables that hold some; what their rows leave open follows from the messages.

A session of the newer clients keeps its tokens, cost and agent at nothing and its time at the beginning: there its
entries tell. A title that the program made up (``New session - <time>``) says less than the first prompt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import FromClause, Select, case, func, literal, literal_column, or_, select, type_coerce
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import BigInteger, Float, NullType

from agor_tui.db.types import Instant, Json, Text
from agor_tui.schemas import opencode_entries as entries
from agor_tui.schemas.base import SESSIONS, columns
from agor_tui.schemas.opencode_tables import (
    NO,
    YES,
    Column,
    Tables,
    even,
    json,
    model_of,
    reply_status,
    sum_of_costs,
)
from agor_tui.schemas.opencode_tasks import title_of

_MADE_UP = ("New session - [0-9]*T*Z", "Child session - [0-9]*T*Z")
"""The titles that the program gives until it has made one, as SQLite's GLOB has them."""


def sessions_of(tables: Tables, tool: str) -> FromClause:
    """Return the selectable of all sessions, each once; ``tool`` is the program. ``time_archived`` is a column more."""
    arms = [_of_table(tables, name, tool) for name in tables.sessions]
    return (arms[0].union_all(*arms[1:]) if len(arms) > 1 else arms[0]).subquery("sessions")


def project_name(p: FromClause) -> Column:
    """The name that a user gave the project, else the last part of its path, else its id (``global``)."""
    path = func.rtrim(func.replace(p.c.worktree, "\\", "/"), "/")
    folder = func.rtrim(path, func.replace(path, "/", ""))  # all up to the last slash
    last = func.nullif(func.substr(path, func.length(folder) + 1), "")
    own = [func.nullif(p.c.name, "")] if "name" in p.c else []
    return func.coalesce(*own, last, p.c.id, type_=Text())


def _of_table(tables: Tables, name: str, tool: str) -> Select[Any]:
    s = tables(name)
    source: FromClause = s
    given: dict[str, Column | None] = {
        "id": s.c.id,
        "created_at": s.c.time_created,
        "updated_at": _updated(tables, s),
        "store_status": _status(tables, s),
        "tool": literal(tool, Text()),
        "title": _title(tables, s, tool),
        "parent_id": s.c.get("parent_id"),
        "forked_from_id": s.c.get("fork_session_id"),
        "worktree_id": s.c.directory,
        "worktree": s.c.directory,
        "repo_id": s.c.get("project_id"),
        "data": _row_as_json(tables, s),
        **_usage(tables, s),
    }
    if tables.catalog.has("project", "id", "worktree") and "project_id" in s.c:
        p = tables("project")
        source = source.outerjoin(p, p.c.id == s.c.project_id)
        given["repo"] = project_name(p)
    if tables.catalog.has("workspace", "id", "branch") and "workspace_id" in s.c:
        w = tables("workspace")
        source = source.outerjoin(w, w.c.id == s.c.workspace_id)
        given["branch"] = w.c.branch
    archived = s.c.get("time_archived")
    given["archived"] = NO if archived is None else case((archived.is_(None), NO), else_=YES)
    selected = columns(SESSIONS, **given)
    selected.append((sql_cast(None, BigInteger()) if archived is None else archived).label("time_archived"))
    return select(*even(selected)).select_from(source).where(*tables.once(s, name))


def _title(tables: Tables, s: FromClause, tool: str) -> Column:
    title = func.nullif(func.trim(s.c.title), "", type_=Text())
    asked: list[Column] = []
    if tables.has_entries:
        asked.append(entries.first_prompt(tables, s))
    if tables.has_messages:
        asked.append(_first_prompt(tables, s))
    made_up = or_(title.is_(None), *(s.c.title.op("GLOB")(pattern) for pattern in _MADE_UP))
    return case((made_up, func.coalesce(*asked, title, tool, type_=Text())), else_=s.c.title)


def _first_prompt(tables: Tables, s: FromClause) -> Column:
    u = tables("message")
    query = select(title_of(tables, u)).where(
        u.c.session_id == s.c.id, json.text(u.c.data, "role") == "user", *tables.living(u)
    )
    return query.order_by(u.c.time_created, u.c.id).limit(1).correlate(s).scalar_subquery()


def _updated(tables: Tables, s: FromClause) -> Column:
    if not tables.has_entries:
        return s.c.time_updated
    changed = type_coerce(func.coalesce(entries.last_change(tables, s), 0), BigInteger())
    return type_coerce(func.max(type_coerce(s.c.time_updated, BigInteger()), changed), Instant())


def _usage(tables: Tables, s: FromClause) -> dict[str, Column | None]:
    """Model, tokens and cost: the session's own where its table has them and fills them, else from its messages."""

    def replies(old: Callable[[Column], Column] | None, new: Callable[[Column], Column]) -> list[Column]:
        found: list[Column] = []
        if tables.has_entries:
            found.append(entries.last_entry(tables, s, lambda e: new(e.c.data)))
        if tables.has_messages and old is not None:
            found.append(_last_reply(tables, s, old))
        return found

    def tokens(kind: str) -> Column:
        return _total(
            tables, s, f"tokens_{kind}", lambda m: func.sum(json.integer(m.c.data, "tokens", kind), type_=BigInteger())
        )

    has_model = "model" in s.c
    models = [json.text(s.c.model, "id")] if has_model else []
    models += replies(None if has_model else model_of, entries.model_of)
    return {
        "model": func.coalesce(*models, None, type_=Text()),
        "tokens_input": tokens("input"),
        "tokens_output": tokens("output"),
        "cost": _total(tables, s, "cost", sum_of_costs),
        "context_used": func.coalesce(*replies(_context_used, entries.context_of), None, type_=BigInteger()),
    }


def _total(tables: Tables, s: FromClause, name: str, sum_: Callable[[FromClause], Column]) -> Column:
    """Return what a session used. Its own column counts the first store alone, or both; only what is seen is added."""
    in_entries = entries.sum_of_entries(tables, s, sum_) if tables.has_entries else None
    in_messages: Column | None = None
    any_messages: Column | None = None
    if tables.has_messages:
        m = tables("message")
        own = select(sum_(m)).where(m.c.session_id == s.c.id, *tables.living(m))
        in_messages = own.correlate(s).scalar_subquery()
        m = tables("message")
        any_messages = select(m.c.id).where(m.c.session_id == s.c.id, *tables.living(m)).correlate(s).exists()
    kind = Float(53) if name == "cost" else BigInteger()
    if name not in s.c:
        found = [func.coalesce(each, 0, type_=kind) for each in (in_messages, in_entries) if each is not None]
        return sum(found[1:], found[0])
    stored = s.c[name]
    if in_entries is None:
        return stored
    alone = func.coalesce(func.nullif(stored, 0), in_entries, 0, type_=kind)
    if any_messages is None:
        return alone
    both = func.coalesce(stored, 0, type_=kind) + func.coalesce(in_entries, 0, type_=kind)
    return type_coerce(case((any_messages, both), else_=alone), kind)


def _last_reply(tables: Tables, s: FromClause, value: Callable[[Column], Column]) -> Column:
    """Return ``value`` of the last assistant message of a session for which it is not NULL."""
    m = tables("message")
    found = value(m.c.data)
    return (
        select(found)
        .where(
            m.c.session_id == s.c.id,
            json.text(m.c.data, "role") == "assistant",
            found.is_not(None),
            *tables.living(m),
        )
        .order_by(m.c.time_created.desc(), m.c.id.desc())
        .limit(1)
        .correlate(s)
        .scalar_subquery()
    )


def _context_used(data: Column) -> Column:
    return func.nullif(json.integer(data, "tokens", "total"), 0, type_=BigInteger())


def _status(tables: Tables, s: FromClause) -> Column:
    found: list[Column] = []
    if tables.has_entries:

        def ended(e: FromClause) -> Column:
            status = entries.status_of(e.c.data, finished="idle")
            given_up = [s.c[name] >= e.c.time_created for name in ("time_idle", "time_suspended") if name in s.c]
            if given_up:  # the program says itself that nothing runs any more
                status = case((status == "running", case((or_(*given_up), "stopped"), else_="running")), else_=status)
            return case((e.c.type == "assistant", status), else_="idle")

        found.append(entries.last_entry(tables, s, ended, replies=False))
    if tables.has_messages:
        m = tables("message")
        found.append(
            select(case((json.text(m.c.data, "role") == "assistant", reply_status(m.c.data, finished="idle"))))
            .where(m.c.session_id == s.c.id, *tables.living(m))
            .order_by(m.c.time_created.desc(), m.c.id.desc())
            .limit(1)
            .correlate(s)
            .scalar_subquery()
        )
    return func.coalesce(*found, "idle", type_=Text())


def _row_as_json(tables: Tables, s: FromClause) -> Column:
    """The whole row as one JSON object, good JSON of its columns as a part of it."""
    pairs: list[Column] = []
    for name, value in s.c.items():
        raw = type_coerce(value, NullType())
        stored: Column = case(
            (func.typeof(raw) == "blob", func.hex(raw)),  # JSON has no bytes, and no number that is infinite
            (
                (func.typeof(raw) == "real") & (func.abs(raw) > literal_column("1.7976931348623157e308")),
                sql_cast(raw, Text()),
            ),
            else_=raw,
        )
        if name == "agent" and tables.has_entries:
            of_reply = entries.last_entry(tables, s, lambda e: json.text(e.c.data, "agent"))
            stored = func.coalesce(stored, of_reply)
        nested = case((func.json_valid(stored) == 1, func.json(stored)), else_=stored)
        pairs += (literal(name), nested if isinstance(value.type, Json) else stored)
    return func.json_object(*pairs, type_=Json())
