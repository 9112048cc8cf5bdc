"""The second store of OpenCode's conversations: ``session_message`` and the prompts that wait in ``session_input``.

Source: databases of version 1.18 made through ``/api/session``, and public reports of version 2. An entry of type user
is a prompt and so a task; the entries of type assistant up to the next prompt answer it. ``seq`` orders the entries of
a session; where there is none, their times do. What is no message (a shell command of the user's own, a compaction, a
type that is not known) belongs to the message before it, the first ones to the first message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import FromClause, Select, case, func, literal, or_, select, tuple_, type_coerce
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import BigInteger, NullType

from agor_tui.db.types import Instant, Json, Text
from agor_tui.schemas.base import MESSAGES, TASKS, columns
from agor_tui.schemas.opencode_tables import NO, SAID, YES, Column, Tables, even, first_line, json, sum_of_costs

UNSAID = ("model-switched", "agent-switched", "synthetic", "system")
"""The types of entries that a reader of the conversation has no use for: what they say stands in the messages, or is
said to the model alone."""

_FIRST, _LAST = literal(-1, BigInteger()), literal(1 << 62, BigInteger())
_ABORTED = ("aborted", "abort", "MessageAbortedError", "AbortError", "interrupted")


def at(e: FromClause) -> Column:
    """Return where an entry stands in its session."""
    time = type_coerce(e.c.time_created, BigInteger())
    return func.coalesce(e.c.seq, time, type_=BigInteger()) if "seq" in e.c else time


def _said(e: FromClause) -> Column:
    return e.c.type.in_(SAID)


def _place(e: FromClause) -> Column:
    return tuple_(at(e), e.c.id)


def model_of(data: Column) -> Column:
    """The model that wrote an assistant's entry."""
    return func.coalesce(json.text(data, "model", "id"), json.text(data, "modelID"), type_=Text())


def status_of(data: Column, *, finished: str) -> Column:
    """How an assistant's entry ended. One that is not completed is being written, or its program died."""
    error = func.coalesce(json.text(data, "error", "type"), json.text(data, "error", "name"), type_=Text())
    return case(
        (error.in_(_ABORTED), "stopped"),
        (json.text(data, "error").is_not(None), "failed"),
        (json.text(data, "finish") == "error", "failed"),
        (json.number(data, "time", "completed").is_(None), "running"),
        else_=finished,
    )


def context_of(data: Column) -> Column:
    """The tokens that a model had before it, and wrote, for an assistant's entry; NULL where it says nothing."""
    parts = [("input",), ("output",), ("reasoning",), ("cache", "read"), ("cache", "write")]
    counts: list[Column] = [func.coalesce(json.integer(data, "tokens", *path), 0, type_=BigInteger()) for path in parts]
    total = json.integer(data, "tokens", "total")
    return func.nullif(func.coalesce(total, sum(counts[1:], counts[0])), 0, type_=BigInteger())


def last_entry(tables: Tables, s: FromClause, value: Callable[[FromClause], Column], *, replies: bool = True) -> Column:
    """Return ``value`` of the last message of a session, or of its last reply for which that is not NULL."""
    e = tables("session_message")
    found = value(e)
    query = select(found).where(e.c.session_id == s.c.id)
    query = query.where(e.c.type == "assistant", found.is_not(None)) if replies else query.where(_said(e))
    return query.order_by(at(e).desc(), e.c.id.desc()).limit(1).correlate(s).scalar_subquery()


def sum_of_entries(tables: Tables, s: FromClause, value: Callable[[FromClause], Column]) -> Column:
    """Return an aggregate over the replies of a session."""
    e = tables("session_message")
    query = select(value(e)).where(e.c.session_id == s.c.id, e.c.type == "assistant")
    return query.correlate(s).scalar_subquery()


def last_change(tables: Tables, s: FromClause) -> Column:
    """Return when an entry of a session last changed; NULL where it has none."""
    e = tables("session_message")
    time = e.c.time_updated if "time_updated" in e.c else e.c.time_created
    query = select(func.max(time, type_=Instant())).where(e.c.session_id == s.c.id)
    return query.correlate(s).scalar_subquery()


def first_prompt(tables: Tables, s: FromClause) -> Column:
    """Return the first line of what a session was first asked; NULL where it says nothing."""
    u = tables("session_message")
    title = _title(u)
    query = select(title).where(u.c.session_id == s.c.id, u.c.type == "user").order_by(at(u), u.c.id).limit(1)
    return query.correlate(s).scalar_subquery()


def messages_of(
    tables: Tables, before: Callable[[FromClause], Column], reverted: Callable[[FromClause], Column]
) -> Select[Any]:
    """Return the messages of this store. ``before`` counts those of the first store that the session of an entry has,
    ``reverted`` is the id from which on it was taken back.

    ``parts`` is a JSON object whose ``marks`` are the texts of what else happened: [before the message, data, type].
    """
    e, earlier, u = tables("session_message"), tables("session_message"), tables("session_message")
    position = (
        select(func.count())
        .where(earlier.c.session_id == e.c.session_id, _said(earlier), _place(earlier) < _place(e))
        .correlate(e)
        .scalar_subquery()
    )
    asked = (
        select(u.c.id)
        .where(u.c.session_id == e.c.session_id, u.c.type == "user", _place(u) < _place(e))
        .order_by(at(u).desc(), u.c.id.desc())
        .limit(1)
        .correlate(e)
        .scalar_subquery()
    )
    given: dict[str, Column | None] = {
        "id": e.c.id,
        "session_id": e.c.session_id,
        "task_id": case((e.c.type == "user", e.c.id), else_=asked),
        "index": before(e) + position,
        "role": e.c.type,
        "type": e.c.type,
        "timestamp": e.c.time_created,
        "created_at": e.c.time_created,
        "queued": NO,
        "reverted": case((e.c.id >= reverted(e), YES), else_=NO),
        "is_prompt": case((e.c.type == "user", YES), else_=NO),
        "data": e.c.data,
        "parts": func.json_object("marks", _marks(tables, e), type_=Json()),
    }
    return select(*even([*columns(MESSAGES, **given), literal(1).label("store"), at(e).label("at")])).where(_said(e))


def _marks(tables: Tables, e: FromClause) -> Column:
    x, before, behind = tables("session_message"), tables("session_message"), tables("session_message")
    is_first = ~(
        select(before.c.id)
        .where(before.c.session_id == e.c.session_id, _said(before), _place(before) < _place(e))
        .correlate(e)
        .exists()
    )
    following = (
        select(func.min(at(behind), type_=BigInteger()))
        .where(behind.c.session_id == e.c.session_id, _said(behind), _place(behind) > _place(e))
        .correlate(e)
        .scalar_subquery()
    )
    found = (
        select(
            func.json_array(at(x) < at(e), sql_cast(x.c.data, Text()), x.c.type, type_=Json()).label("mark"),
        )
        .where(
            x.c.session_id == e.c.session_id,
            x.c.type.not_in((*SAID, *UNSAID)),
            at(x) >= case((is_first, _FIRST), else_=at(e)),
            at(x) < func.coalesce(following, _LAST),
        )
        .order_by(at(x), x.c.id)
        .correlate(e)
        .subquery()
    )
    return select(func.json_group_array(func.json(found.c.mark), type_=Json())).scalar_subquery()


def unattached(tables: Tables) -> Select[Any]:
    """Return id and type of the entries that belong to no message: their session has none, or they have no type."""
    x, e = tables("session_message"), tables("session_message")
    said = select(e.c.id).where(e.c.session_id == x.c.session_id, _said(e)).correlate(x).exists()
    loose = or_(x.c.type.is_(None), x.c.type.not_in((*SAID, *UNSAID)) & ~said)
    return select(x.c.id, x.c.type).where(loose).order_by(x.c.id)


def waiting_of(tables: Tables) -> Select[Any]:
    """Return the prompts that wait in the queue of their session."""
    i = tables("session_input")
    given: dict[str, Column | None] = {
        "id": i.c.id,
        "session_id": i.c.session_id,
        "index": literal(-1, BigInteger()),
        "role": literal("user", Text()),
        "type": literal("user", Text()),
        "timestamp": i.c.time_created,
        "created_at": i.c.time_created,
        "queued": YES,
        "reverted": NO,
        "is_prompt": NO,
        "queue_position": i.c.admitted_seq,
        "data": i.c.prompt,
        "parts": literal('{"marks":[]}', Json()),
    }
    cells = [*columns(MESSAGES, **given), literal(2).label("store"), i.c.admitted_seq.label("at")]
    return select(*even(cells)).where(*is_waiting(tables, i))


def is_waiting(tables: Tables, i: FromClause) -> list[Column]:
    """Return the conditions that a prompt was taken in and is not part of the conversation yet."""
    found: list[Column] = [i.c.promoted_seq.is_(None)]
    if tables.has_entries:
        e = tables("session_message")
        found.append(~select(e.c.id).where(e.c.id == i.c.id).correlate(i).exists())
    return found


class _Answers:
    """The entries that answer the prompt ``u``: those of an assistant up to the next prompt."""

    def __init__(self, tables: Tables, u: FromClause) -> None:
        self.u = u
        self.tables = tables
        later = tables("session_message")
        following = select(func.min(at(later), type_=BigInteger())).where(
            later.c.session_id == u.c.session_id, later.c.type == "user", _place(later) > _place(u)
        )
        self._following = following.correlate(u).scalar_subquery()

    def _of(self, value: Column, e: FromClause, *others: FromClause) -> Select[Any]:
        """Return a query for ``value`` over the answers ``e``."""
        # The limit keeps SQLite from asking for the next prompt anew at each entry.
        end = select(func.coalesce(self._following, _LAST).label("at")).limit(1).correlate(self.u).subquery()
        source = end.join(e, literal(True))
        for other in others:
            source = source.join(other, literal(True))
        return (
            select(value)
            .select_from(source)
            .where(
                e.c.session_id == self.u.c.session_id,
                e.c.type == "assistant",
                _place(e) > _place(self.u),
                at(e) < end.c.at,
            )
            .correlate(self.u)
        )

    def all(self, value: Callable[[FromClause], Column]) -> Column:
        """Return an aggregate over the answers."""
        e = self.tables("session_message")
        return self._of(value(e), e).scalar_subquery()

    def last(self, value: Callable[[Column], Column]) -> Column:
        """Return ``value`` of the data of the last answer, NULL where there is none."""
        e = self.tables("session_message")
        return self._of(value(e.c.data), e).order_by(at(e).desc(), e.c.id.desc()).limit(1).scalar_subquery()

    def tool_calls(self) -> Column:
        """Return how many tools the answers used."""
        e = self.tables("session_message")
        whole = case((func.json_valid(e.c.data) == 1, e.c.data), else_=literal("{}", Json()))
        items = func.json_each(type_coerce(whole, NullType()), "$.content").table_valued("value", "type")
        kind = case((items.c.type == "object", func.json_extract(items.c.value, "$.type")))
        return self._of(func.count(), e, items).where(kind == "tool").scalar_subquery()


def tasks_of(tables: Tables) -> Select[Any]:
    """Return the tasks of this store."""
    u = tables("session_message")
    answers = _Answers(tables, u)
    status = func.coalesce(answers.last(lambda data: status_of(data, finished="completed")), "created", type_=Text())
    started = answers.all(lambda e: func.min(e.c.time_created, type_=Instant()))
    completed = answers.last(lambda data: type_coerce(json.integer(data, "time", "completed"), Instant()))

    def total(*path: str) -> Column:
        return answers.all(lambda e: func.sum(json.integer(e.c.data, *path), type_=BigInteger()))

    given: dict[str, Column | None] = {
        "id": u.c.id,
        "session_id": u.c.session_id,
        "created_at": u.c.time_created,
        "started_at": started,
        "completed_at": completed,
        "duration_ms": type_coerce(completed, BigInteger()) - type_coerce(started, BigInteger()),
        "store_status": status,
        "title": func.coalesce(_title(u), "", type_=Text()),
        "prompt": json.text(u.c.data, "text"),
        "model": answers.last(model_of),
        "tool_use_count": answers.tool_calls(),
        "tokens_input": total("tokens", "input"),
        "tokens_output": total("tokens", "output"),
        "tokens_cache_read": total("tokens", "cache", "read"),
        "tokens_cache_write": total("tokens", "cache", "write"),
        "cost": answers.all(sum_of_costs),
        "error": answers.last(
            lambda data: func.coalesce(
                json.text(data, "error", "message"), json.text(data, "error", "type"), json.text(data, "error"),
                type_=Text(),
            )
        ),
        "data": u.c.data,
    }  # fmt: skip
    cells = [*columns(TASKS, **given), literal(1).label("store"), at(u).label("at")]
    return select(*even(cells)).where(u.c.type == "user")


def _title(u: FromClause) -> Column:
    text = select(json.text(u.c.data, "text").label("text")).correlate(u).subquery()
    file = func.coalesce(json.text(u.c.data, "files", "0", "name"), json.text(u.c.data, "files", "0", "uri"))
    return func.coalesce(first_line(text), file, type_=Text())
