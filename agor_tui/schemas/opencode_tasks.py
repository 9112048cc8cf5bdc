"""OpenCode's tasks: its user messages, with what the assistant messages that answer each of them add up to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import FromClause, Select, and_, case, func, literal, select, type_coerce
from sqlalchemy.types import BigInteger

from agor_tui.db.types import Instant, Text
from agor_tui.schemas.base import TASKS, columns
from agor_tui.schemas.opencode_tables import (
    Column,
    Tables,
    even,
    first_line,
    is_prompt,
    json,
    model_of,
    reply_status,
    sum_of_costs,
)

_FOREVER = literal(1 << 62, BigInteger())


class _Answers:
    """The assistant messages that name the user message ``u`` as their parent.

    They are sought among the messages from ``u`` to the first one that answers a later prompt, since nothing
    in the store indexes ``parentID``.
    """

    def __init__(self, tables: Tables, u: FromClause) -> None:
        self.u = u
        self.tables = tables
        later = tables("message")
        self._end = (
            select(later.c.time_created)
            .where(
                later.c.session_id == u.c.session_id,
                later.c.time_created >= u.c.time_created,
                json.text(later.c.data, "parentID") > u.c.id,
            )
            .order_by(later.c.time_created, later.c.id)
            .limit(1)
            .correlate(u)
            .scalar_subquery()
        )

    def _among(self, m: FromClause) -> Column:
        u = self.u
        return and_(
            m.c.session_id == u.c.session_id,
            m.c.time_created >= u.c.time_created,
            m.c.time_created <= func.coalesce(self._end, _FOREVER),
            json.text(m.c.data, "parentID") == u.c.id,
        )

    def all(self, value: Callable[[FromClause], Column]) -> Column:
        """Return an aggregate over the answers."""
        m = self.tables("message")
        return select(value(m)).where(self._among(m)).correlate(self.u).scalar_subquery()

    def last(self, value: Callable[[Column], Column]) -> Column:
        """Return ``value`` of the data of the last answer, NULL where there is none."""
        m = self.tables("message")
        return (
            select(value(m.c.data))
            .where(self._among(m))
            .order_by(m.c.time_created.desc(), m.c.id.desc())
            .limit(1)
            .correlate(self.u)
            .scalar_subquery()
        )

    def tool_calls(self) -> Column:
        """Return how many tools the answers used."""
        m, p = self.tables("message"), self.tables("part")
        return (
            select(func.count())
            .select_from(m.join(p, p.c.message_id == m.c.id))
            .where(self._among(m), json.text(p.c.data, "type") == "tool")
            .correlate(self.u)
            .scalar_subquery()
        )


def tasks_of(tables: Tables) -> Select[Any]:
    """Return the tasks of the first store."""
    u = tables("message")
    answers = _Answers(tables, u)
    status = func.coalesce(answers.last(lambda data: reply_status(data, finished="completed")), "created", type_=Text())
    started = answers.all(lambda m: func.min(m.c.time_created, type_=Instant()))
    completed = answers.last(lambda data: type_coerce(json.integer(data, "time", "completed"), Instant()))

    def total(*path: str) -> Column:
        return answers.all(lambda m: func.sum(json.integer(m.c.data, *path), type_=BigInteger()))

    given: dict[str, Column | None] = {
        "id": u.c.id,
        "session_id": u.c.session_id,
        "created_at": u.c.time_created,
        "started_at": started,
        "completed_at": completed,
        "duration_ms": type_coerce(completed, BigInteger()) - type_coerce(started, BigInteger()),
        "store_status": status,
        "title": func.coalesce(title_of(tables, u), "", type_=Text()),
        "prompt": _prompt(tables, u),
        "model": func.coalesce(answers.last(model_of), json.text(u.c.data, "model", "modelID"), type_=Text()),
        "tool_use_count": answers.tool_calls(),
        "tokens_input": total("tokens", "input"),
        "tokens_output": total("tokens", "output"),
        "tokens_cache_read": total("tokens", "cache", "read"),
        "tokens_cache_write": total("tokens", "cache", "write"),
        "cost": answers.all(sum_of_costs),
        "error": answers.last(
            lambda data: func.coalesce(
                json.text(data, "error", "data", "message"), json.text(data, "error", "name"), type_=Text()
            )
        ),
        "data": u.c.data,
    }
    at = type_coerce(u.c.time_created, BigInteger()).label("at")
    return select(*even([*columns(TASKS, **given), literal(0).label("store"), at])).where(
        is_prompt(u), *tables.living(u)
    )


def _written(tables: Tables, u: FromClause) -> Select[Any]:
    """Return a query for the texts of a prompt in order, without what the program put in for the model."""
    p = tables("part")
    return (
        select(json.text(p.c.data, "text").label("text"))
        .where(
            p.c.message_id == u.c.id,
            json.text(p.c.data, "type") == "text",
            func.coalesce(json.text(p.c.data, "synthetic"), "0") != "1",
        )
        .order_by(p.c.id)
        .correlate(u)
    )


def _prompt(tables: Tables, u: FromClause) -> Column:
    texts = _written(tables, u).subquery()
    return select(func.group_concat(texts.c.text, "\n\n", type_=Text())).scalar_subquery()


def title_of(tables: Tables, u: FromClause) -> Column:
    """Return the first line of a prompt, else what is in it instead of a text; NULL for nothing."""
    p = tables("part")
    kind = json.text(p.c.data, "type")
    other = (
        select(
            case(
                (kind == "compaction", "Compaction"),
                (kind == "subtask", json.text(p.c.data, "description")),
                (kind == "file", json.text(p.c.data, "filename")),
            )
        )
        .where(p.c.message_id == u.c.id, kind.in_(("compaction", "subtask", "file")))
        .order_by(p.c.id)
        .limit(1)
        .correlate(u)
        .scalar_subquery()
    )
    return func.coalesce(first_line(_written(tables, u).limit(1).subquery()), other, type_=Text())
