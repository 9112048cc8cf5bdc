"""The words of the filter language: its keys and the values that are known beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agor_tui.records import SESSION_STATUSES, TASK_STATUSES

HAS: Mapping[str, str] = MappingProxyType(
    {
        "tasks": "at least one task",
        "messages": "at least one message",
        "parent": "spawned or forked from another session",
        "children": "has spawned or been forked into others",
    }
)
ARCHIVED: Mapping[str, str] = MappingProxyType(
    {"yes": "only archived ones", "no": "none that are archived (as without this word)", "any": "both"}
)
TIMES: Mapping[str, str] = MappingProxyType(
    {
        "today": "since midnight",
        "yesterday": "the day before",
        "1h": "an hour ago; also 30m, 12h",
        "7d": "seven days ago; also 3w",
        "2mo": "two months of 30 days ago",
        "1y": "365 days ago",
    }
)
STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "running": "at work now",
        "awaiting": "for a permission or an answer",
        "awaiting_permission": "asks whether it may use a tool",
        "awaiting_input": "asks the user something",
        "created": "not yet begun, queued prompts too",
        "idle": "has nothing to do",
        "completed": "done",
        "failed": "ended by an error or out of time",
        "stopped": "by the user",
    }
)
# What people and stores say for a common status.
STATUS_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "done": ("completed",),
        "finished": ("completed",),
        "active": ("running",),
        "dispatching": ("running",),
        "stopping": ("running",),
        "waiting": ("awaiting_permission", "awaiting_input"),
        "permission": ("awaiting_permission",),
        "input": ("awaiting_input",),
        "error": ("failed",),
        "timed_out": ("failed",),
        "cancelled": ("stopped",),
        "canceled": ("stopped",),
        "queued": ("created",),
        "pending": ("created",),
    }
)
TOOL_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType({"claude": ("claude-code", "claude-code-cli")})

_COMMON_KEYS = {
    "status": "running, awaiting, completed, failed and others",
    "tool": "the agent: claude, codex, gemini and others",
    "repo": "the repository's name",
    "worktree": "the worktree's name",
    "board": "the board's name",
    "user": "who made it; me for yourself",
    "since": "from a time on: 7d, today, 2025-10-24",
    "until": "before a time, or up to the end of a day",
    "archived": "yes, no or any",
}


@dataclass(frozen=True, slots=True)
class Language:
    """The keys that one kind of list understands, with a line on each, and the statuses it can have."""

    keys: Mapping[str, str]
    statuses: tuple[str, ...]


SESSION_LANGUAGE = Language(
    MappingProxyType({**_COMMON_KEYS, "has": "tasks, messages, parent or children"}), SESSION_STATUSES
)
TASK_LANGUAGE = Language(
    MappingProxyType({**_COMMON_KEYS, "session": "the id of one session, or its beginning"}), TASK_STATUSES
)
