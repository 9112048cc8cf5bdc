"""The columns of the tables of sessions and of tasks."""

from __future__ import annotations

from agor_tui.cli.tables import Column, id_column, status_column, time_column
from agor_tui.ids import compact
from agor_tui.records import Session, Task
from agor_tui.text import duration, place, title_text


def where(row: Session) -> str:
    """Repository and worktree in one."""
    return place(row.repo, row.worktree)


def session_columns() -> list[Column[Session]]:
    """The columns of a list of sessions."""
    return [
        id_column(),
        status_column(),
        Column("TITLE", lambda row: title_text(row.title), stretch=True),
        Column("TOOL", lambda row: row.tool, drop=2),
        Column("WHERE", where, drop=5, most=32),
        Column("TASKS", lambda row: str(row.task_count), right=True, drop=4),
        Column("MSGS", lambda row: str(row.message_count), right=True, drop=3),
        time_column("UPDATED", lambda row: row.updated_at or row.created_at, drop=1),
    ]


def task_columns(*, with_session: bool) -> list[Column[Task]]:
    """The columns of a list of tasks, of one session or ``with_session`` of several."""
    # Twelve digits are the milliseconds of a UUIDv7, which tell sessions apart but for those of one burst.
    session: Column[Task] = Column(
        "SESSION", lambda row: compact(row.session_id)[:12], whole=lambda row: row.session_id, drop=4
    )
    return [
        id_column(),
        status_column(),
        Column("TITLE", lambda row: title_text(row.title), stretch=True),
        *([session] if with_session else []),
        Column("TOOLS", lambda row: _number(row.tool_use_count), right=True, drop=3),
        Column("TOOK", lambda row: "" if row.duration_ms is None else duration(row.duration_ms), right=True, drop=2),
        time_column("CREATED", lambda row: row.created_at, drop=1),
    ]


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
