"""What OpenCode's own pages show of a session beside the common fields: the groups of the Details tab."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agor_tui.records import Detail, DetailGroup

_GROUPS = (
    ("Agent", (("agent", "agent"), ("version", "version"), ("slug", "slug"), ("shared at", "share_url"))),
    (
        "Changes",
        (
            ("files", "summary_files"),
            ("lines added", "summary_additions"),
            ("lines removed", "summary_deletions"),
        ),
    ),
    (
        "Tokens",
        (
            ("reasoning", "tokens_reasoning"),
            ("cache read", "tokens_cache_read"),
            ("cache write", "tokens_cache_write"),
        ),
    ),
    ("Undo", (("reverted from", "revert"),)),
)


def details(data: Mapping[str, Any]) -> tuple[DetailGroup, ...]:
    """Return the groups that the row of a session fills."""
    groups = []
    for title, entries in _GROUPS:
        found = tuple(Detail(label, data[name]) for label, name in entries if data.get(name) not in (None, "", 0))
        if found:
            groups.append(DetailGroup(title, found))
    return tuple(groups)
