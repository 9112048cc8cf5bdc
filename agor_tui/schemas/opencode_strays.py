"""The rows of OpenCode's mapped tables that no session, task or message is made of: what a copy leaves of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, and_, func, not_, or_, select
from sqlalchemy.engine import Connection

from agor_tui.schemas.opencode_entries import UNSAID, unattached
from agor_tui.schemas.opencode_tables import Column, Tables
from agor_tui.text import count
from agor_tui.transfers import NOT_COPIED, Finding, LeftAside

_UPGRADED = "what an upgrade left behind: newer tables hold these sessions"
_UNSAID = "changes of model and agent, and notes for the model alone"


def strays(connection: Connection, tables: Tables) -> Iterator[Finding]:
    """Give a finding for each thing that is not there though rows say that they belong to it, and for loose entries."""
    if tables.has_messages:
        p, m = tables("part"), tables("message")
        for id, number in connection.execute(_without(p.c.message_id, [m.c.id])):
            what = f"{_counted(number, 'part')} of a message that is not there"
            yield Finding("messages", _named(id), None, what, NOT_COPIED)
    if tables.has_todos:
        t = tables("todo")
        for id, number in connection.execute(_without(t.c.session_id, [tables(name).c.id for name in tables.sessions])):
            what = f"{_counted(number, 'todo')} of a session that is not there"
            yield Finding("sessions", _named(id), None, what, NOT_COPIED)
    if tables.has_entries:
        for id, type in connection.execute(unattached(tables)):
            what = f"{str(type)[:60]!r} is no message, and its session has none that it could stand with"
            yield Finding("messages", _named(id), "type", what, NOT_COPIED)
    if tables.has_entries and tables.has_inputs:
        i, e = tables("session_input"), tables("session_message")
        gone = ~select(e.c.id).where(e.c.id == i.c.id).correlate(i).exists()
        promoted = select(i.c.id).where(i.c.promoted_seq.is_not(None), gone).order_by(i.c.id)
        for (id,) in connection.execute(promoted):
            yield Finding("messages", _named(id), None, "a prompt whose message is not there", NOT_COPIED)


def left_behind(connection: Connection, tables: Tables) -> Iterator[LeftAside]:
    """Give the tables of which some rows are knowingly not read, with how many these are."""
    for name in tables.sessions:
        s = tables(name)
        if newer := tables.once(s, name):
            yield from _aside(
                connection, name, select(func.count()).select_from(s).where(not_(and_(*newer))), _UPGRADED
            )
    if tables.has_messages and tables.has_entries:
        m = tables("message")
        frozen = or_(*(not_(each) for each in tables.living(m)))
        yield from _aside(connection, "message", select(func.count()).select_from(m).where(frozen), _UPGRADED)
    if tables.has_entries:
        e = tables("session_message")
        unsaid = select(func.count()).select_from(e).where(e.c.type.in_(UNSAID))
        yield from _aside(connection, "session_message", unsaid, _UNSAID)


def _without(owner: Column, ids: list[Column]) -> Select[Any, int]:
    """Return how many rows name each ``owner`` that is none of ``ids``."""
    there = [select(id).where(id == owner).correlate(owner.table).exists() for id in ids]
    return select(owner, func.count()).where(~or_(*there)).group_by(owner).order_by(owner)


def _aside(connection: Connection, table: str, counted: Select[Any], reason: str) -> Iterator[LeftAside]:
    if number := int(connection.execute(counted).scalar_one()):
        yield LeftAside(table, number, reason)


def _counted(number: int, noun: str) -> str:
    return f"{count(number)} {noun}{'s' * (number != 1)}"


def _named(id: str | None) -> str:
    return id or "without an id"
