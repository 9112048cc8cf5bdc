"""What a filter line says, as values for the repositories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agor_tui.errors import UsageError

Archived = Literal["no", "yes", "any"]


class FilterError(UsageError):
    """A filter line is not understood; ``start`` and ``end`` are the positions of the part at fault."""

    def __init__(self, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message, hint)
        self.start = start
        self.end = end


@dataclass(frozen=True, slots=True)
class Choice:
    """The values a field may have (any where none are named) and may not; true when it says something."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude)


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions to list.

    ``status`` holds common statuses, ``has`` words of ``HAS``; names and ``words`` are as typed and match in
    any case. A session fits when ``since <= updated_at < until``, both aware and in UTC, when its title or
    description contains each of ``words`` and none of ``without``. ``user`` may hold ``me``. ``hidden`` are ids that
    are left out, whatever fits.
    """

    status: Choice = Choice()
    tool: Choice = Choice()
    repo: Choice = Choice()
    worktree: Choice = Choice()
    board: Choice = Choice()
    user: Choice = Choice()
    has: Choice = Choice()
    since: datetime | None = None
    until: datetime | None = None
    archived: Archived = "no"
    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks to list; ``session_id`` is an id or prefix as typed.

    ``status`` is the task's, ``since`` and ``until`` bound its creation, ``words`` are sought in its title
    and prompt; the other fields are those of its session.
    """

    status: Choice = Choice()
    tool: Choice = Choice()
    repo: Choice = Choice()
    worktree: Choice = Choice()
    board: Choice = Choice()
    user: Choice = Choice()
    session_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    archived: Archived = "no"
    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
