"""What lists of sessions ask: one database, or several as if they were one."""

from __future__ import annotations

from typing import Protocol

from agor_tui.filters import SessionFilter
from agor_tui.records import Count, SortKey


class SessionSource(Protocol):
    """What such a list asks: one database, or several as if they were one. All of it blocks."""

    @property
    def sorts(self) -> tuple[SortKey, ...]:
        """The keys that sessions can be sorted by."""

    def session_count(self, filter: SessionFilter) -> Count:
        """How many sessions there are."""

    def explain_filter(self, filter: SessionFilter) -> tuple[str, ...]:
        """A sentence for each name in a filter that is not known."""

    def filter_values(self, field: str) -> tuple[str, ...]:
        """The values that completion offers for a field of the filter."""

    def cancel(self) -> None:
        """Stop what is asked now."""
