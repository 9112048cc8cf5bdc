"""Rows of a store that cannot be read as they should: which, and why. One row's fault costs that row, not its list."""

from __future__ import annotations

import threading
from typing import Any

from agor_tui.records import Kind
from agor_tui.text import printable

MOST_NAMED = 3
"""So many rows are named in the sentence; all are counted."""
MOST_KEPT = 1_000
_LONGEST_ID = 60


class Faults:
    """What was met while a store was read. Thread-safe."""

    def __init__(self) -> None:
        self._found: dict[tuple[Kind, str, str], None] = {}
        self._more = 0
        self._guard = threading.Lock()

    def add(self, kind: Kind, id: str, why: str) -> None:
        """Note that the row ``id``, or what stands in the place of one, has a fault; ``why`` is half a sentence."""
        key = (kind, id, why)
        with self._guard:
            if key in self._found or len(self._found) < MOST_KEPT:
                self._found[key] = None
            else:
                self._more += 1

    @property
    def sentence(self) -> str | None:
        """What was met, to be shown; None where nothing was."""
        with self._guard:
            found, more = sorted(self._found, key=lambda each: each[1]), self._more
        if not found:
            return None
        number = len(found) + more
        named = "; ".join(
            f"{kind} {printable(id, _LONGEST_ID)}: {why}" if id else f"{kind}: {why}"
            for kind, id, why in found[:MOST_NAMED]
        )
        rest = number - min(number, MOST_NAMED)
        return (
            f"{number:,} row{'s' * (number != 1)} cannot be read as {'they' if number != 1 else 'it'} should: {named}"
            + (f"; and {rest:,} more." if rest else ".")
        )


class Unread:
    """Stands in for a row that cannot be read: it says why where its name would be, and nothing else."""

    def __init__(self, id: str, why: str) -> None:
        self.id = id
        self.title = self.name = f"cannot be read: {why}"
        self.why = why

    def __getattr__(self, column: str) -> Any:
        return 0 if column.endswith("_count") else None
