"""OpenCode's tables with the columns that a database has, and what its sessions and tasks both say by.

The program keeps conversations in two stores, which may stand in one file. The first is ``message`` with ``part``; the
second, of its newer clients, is ``session_message`` (here: entries). Sessions themselves are in ``session``, from
version 2 on in ``session_v2``; an upgraded file keeps the older tables as they were on that day. So whatever is asked
is asked of each session: the newer row of a session counts, and its older messages only where it has no entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnClause,
    FromClause,
    Label,
    and_,
    case,
    column,
    func,
    literal,
    not_,
    select,
    table,
    type_coerce,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.sql.elements import ColumnElement, TypeCoerce
from sqlalchemy.types import BigInteger, Float, Integer

from agor_tui.db.catalog import Catalog
from agor_tui.db.types import Flag, Id, Instant, Json, JsonSql, Real, Text, Whole

Column = ColumnElement[Any]

json = JsonSql("sqlite")
YES, NO = literal(True, Flag()), literal(False, Flag())

_JSON_COLUMNS = ("data", "model", "revert", "metadata", "permission", "summary_diffs", "prompt")
_SESSION = ("id", "directory", "title", "time_created", "time_updated")

SAID = ("user", "assistant")
"""The types of entries that are messages."""

_CORE = ("id", "project_id", "directory", "time_created", "revert")


class Tables:
    """OpenCode's tables as selectables with the columns they have here."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.sessions = tuple(name for name in ("session_v2", "session") if catalog.has(name, *_SESSION))
        """The tables of sessions that are there; a session in both is the one in the first."""
        self.has_todos = catalog.has("todo", "session_id", "content", "status", "priority", "position")
        self.has_messages = catalog.has("message", "id", "session_id", "time_created", "data") and catalog.has(
            "part", "id", "message_id", "data"
        )
        self.has_entries = catalog.has("session_message", "id", "session_id", "type", "time_created", "data")
        self.has_inputs = catalog.has(
            "session_input", "id", "session_id", "prompt", "admitted_seq", "promoted_seq", "time_created"
        )

    @property
    def mapped(self) -> frozenset[str]:
        """The tables whose rows are read; one that lacks what is needed of it is not among them."""
        found = {*self.sessions}
        found |= {"project"} if self.catalog.has("project", "id", "worktree") else set()
        found |= {"workspace"} if self.catalog.has("workspace", "id", "branch") else set()
        found |= {"message", "part"} if self.has_messages else set()
        found |= {"session_message"} if self.has_entries else set()
        found |= {"session_input"} if self.has_inputs else set()
        return frozenset(found | ({"todo"} if self.has_todos else set()))

    def __call__(self, name: str) -> FromClause:
        """Return a new alias of the table ``name``."""
        found = self.catalog.tables[name]
        return table(name, *(column(key, _type(key, kind)) for key, kind in found.items())).alias()

    def has(self, name: str, key: str) -> bool:
        """Tell whether one of the tables of sessions, or the table ``name``, has the column ``key``."""
        return any(self.catalog.has(each, key) for each in (self.sessions if name == "session" else (name,)))

    def every_session(self) -> FromClause:
        """Return the core columns of all sessions, each once: id, project_id, directory, time_created, revert."""
        arms = []
        for name in self.sessions:
            s = self(name)
            cells = [s.c[key] if key in s.c else sql_cast(None, Text()).label(key) for key in _CORE]
            arms.append(select(*cells).where(*self.once(s, name)))
        return (arms[0].union_all(*arms[1:]) if len(arms) > 1 else arms[0]).subquery()

    def once(self, s: FromClause, name: str) -> list[ColumnElement[bool]]:
        """Return the conditions that a row of the sessions' table ``name`` is not there in a newer one as well."""
        newer = [self(each) for each in self.sessions[: self.sessions.index(name)]]
        return [s.c.id.not_in(select(each.c.id).where(each.c.id.is_not(None))) for each in newer]

    def living(self, m: FromClause) -> list[ColumnElement[bool]]:
        """Return the conditions that a row of ``message`` is not what an upgrade left behind, or an entry as well."""
        if not self.has_entries:
            return []
        same = self("session_message")
        found = [not_(select(same.c.id).where(same.c.id == m.c.id).correlate(m).exists())]
        if "session_v2" in self.sessions:
            v, e = self("session_v2"), self("session_message")
            newer = select(v.c.id).join_from(v, e, e.c.session_id == v.c.id)
            found.append(not_(newer.where(v.c.id == m.c.session_id, e.c.type.in_(SAID)).correlate(m).exists()))
        return found


def _type(name: str, declared: str) -> Any:
    if name.startswith("time_"):
        return Instant()
    if name in _JSON_COLUMNS:
        return Json()
    if name == "id" or name.endswith("_id"):
        return Id()
    return {"integer": BigInteger(), "real": Float(53)}.get(declared, Text())


def even(cells: Iterable[Label[Any]]) -> list[Label[Any]]:
    """Return ``cells`` with the types of SQLite that the same cells of the other stores have.

    Only where they agree in all of them does SQLite ask each store by itself, and no more of it than is needed.
    """
    found = []
    for cell in cells:
        inner = cell.element
        if not isinstance(inner.clause if isinstance(inner, TypeCoerce) else inner, ColumnClause):
            kind = next((plain for kinds, plain in _PLAIN if isinstance(cell.type, kinds)), Text())
            inner = type_coerce(sql_cast(inner, kind), cell.type)
        found.append(inner.label(cell.name))
    return found


_PLAIN: tuple[tuple[tuple[type, ...], Any], ...] = (
    ((Instant, Flag, Whole, Integer), BigInteger()),
    ((Real, Float), Float(53)),
)


def is_prompt(m: FromClause) -> ColumnElement[bool]:
    """Tell whether a message is a user's, and so a task."""
    return json.text(m.c.data, "role") == "user"


def model_of(data: Column) -> Column:
    """The model that wrote an assistant message."""
    return json.text(data, "modelID")


def sum_of_costs(m: FromClause) -> Column:
    """What messages cost together, in dollars."""
    return func.sum(sql_cast(json.number(m.c.data, "cost"), Float()), type_=Float(53))


def reply_status(data: Column, *, finished: str) -> Column:
    """How an assistant message ended. One that is not completed is being written, or its program died."""
    return case(
        (json.text(data, "error", "name") == "MessageAbortedError", "stopped"),
        (json.text(data, "error").is_not(None), "failed"),
        (json.number(data, "time", "completed").is_(None), "running"),
        else_=finished,
    )


_BLANKS = " \t\r\n"


def first_line(said: FromClause) -> Column:
    """Return the first line of the one ``text`` in ``said``, without the quotes that the command line puts around it.

    NULL where there is no text, or a blank one.
    """
    trimmed = select(func.trim(said.c.text, _BLANKS, type_=Text()).label("text")).subquery()
    text = trimmed.c.text
    inside = func.substr(text, 2, func.length(text) - 2)
    quoted = and_(
        func.length(text) > 1,
        func.substr(text, 1, 1) == '"',
        func.substr(text, -1) == '"',
        func.instr(func.replace(inside, '\\"', ""), '"') == 0,
    )
    unquoted = case((quoted, func.replace(inside, '\\"', '"')), else_=text)
    bare = select(func.trim(unquoted, _BLANKS).label("text")).subquery()
    line = func.substr(bare.c.text, 1, func.instr(bare.c.text.concat("\n"), "\n") - 1)
    return select(func.nullif(func.substr(line, 1, 200), "", type_=Text())).scalar_subquery()
