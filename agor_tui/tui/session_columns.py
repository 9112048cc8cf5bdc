"""The columns of the session list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from agor_tui.records import Session, Sort
from agor_tui.statuses import status_glyph, status_tone, status_word
from agor_tui.text import NOTHING, count, place, printable, title_text
from agor_tui.tui.moments import CELLS, RELATIVE_CELLS, Moments
from agor_tui.tui.widgets.table_columns import Column, Spans

if TYPE_CHECKING:
    from agor_tui.services.merged_stream import MergedSession

SHOWN = 300
"""Characters of a title that are looked at; no terminal shows more in a column."""


def session_columns(moments: Moments, sort: Sort) -> Sequence[Column[Session]]:
    """The columns in order; the last shows the time that the list is sorted by, else the last update's."""
    created = sort.key == "created"

    def age(session: Session) -> Spans:
        return ((moments.cell(session.created_at if created else session.updated_at), "muted"),)

    return (
        Column("id", "ID", _id, least=8, ideal=16, gives_way=3, fits=True, sort="id", cuts_few=True),
        Column("status", "STATUS", _status, least=2, ideal=12, gives_way=1, whole=True, sort="status", brief="ST"),
        Column("title", "TITLE", title_spans, least=22, ideal=32, sort="title"),
        Column("tool", "TOOL", _tool, least=5, ideal=11, gives_way=5, fits=True, sort="tool"),
        Column("where", "WHERE", _where, least=12, ideal=24, gives_way=4),
        Column("tasks", "T", lambda s: _number(s.task_count), least=2, ideal=7, gives_way=7, right=True, fits=True),
        Column("messages", "M", lambda s: _number(s.message_count), 3, 9, gives_way=6, right=True, fits=True),
        Column(
            "age",
            "MADE" if created else "AGE" if moments.relative else "CHANGED",
            age,
            least=4,
            ideal=RELATIVE_CELLS if moments.relative else CELLS,
            gives_way=2,
            right=True,
            fits=True,
            sort="created" if created else "updated",
            brief="AGE",
        ),
    )


def merged_columns(moments: Moments, sort: Sort) -> Sequence[Column[MergedSession]]:
    """The same for sessions of several databases; behind the title stands which."""
    columns = [_of_merged(column) for column in session_columns(moments, sort)]
    database: Column[MergedSession] = Column(
        "database", "DATABASE", lambda row: ((printable(row.database, 40), "muted"),), 8, 16, 1, fits=True
    )
    behind = next(at for at, column in enumerate(columns) if column.key == "title") + 1
    return [*columns[:behind], database, *columns[behind:]]


def _of_merged(column: Column[Session]) -> Column[MergedSession]:
    def cell(row: MergedSession) -> Spans:
        return column.cell(row.session)

    return cast("Column[MergedSession]", replace(cast("Column[Any]", column), cell=cell))


def title_spans(session: Session) -> Spans:
    """The title, before it a sign of where the session came from: ``↳`` spawned, ``↱`` forked."""
    sign = "↱ " if session.forked_from_id else "↳ " if session.parent_id else ""
    title = title_text(session.title, SHOWN)
    if title == "untitled":
        return ((sign, "faint"), (title, "faint"))
    return ((sign, "faint"), (title, "muted" if session.archived else "text"))


def tool_name(tool: str) -> str:
    """The tool as people call it: ``claude-code`` is ``claude``."""
    return printable(tool, 40).removesuffix("-code") or NOTHING


def where(session: Session) -> str:
    """Repository and worktree."""
    return printable(place(session.repo, session.worktree), 200) or NOTHING


def _id(session: Session) -> Spans:
    return ((printable(session.short_id, 64), "muted"),)


def _status(session: Session) -> Spans:
    return (
        (f"{status_glyph(session.status)} ", status_tone(session.status)),
        (printable(status_word(session.status), 20), "muted"),
    )


def _tool(session: Session) -> Spans:
    return ((tool_name(session.tool), "muted"),)


def _where(session: Session) -> Spans:
    return ((where(session), "muted"),)


def _number(value: int) -> Spans:
    return ((count(value), "muted" if value else "faint"),)
