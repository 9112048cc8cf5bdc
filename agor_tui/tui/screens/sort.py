"""Choosing the order of the session list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from agor_tui.records import Sort, SortKey
from agor_tui.tui.screen import Dialog
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.table_columns import Column
from agor_tui.tui.widgets.table_pages import ListSource

NAMES: dict[SortKey, tuple[str, str, str]] = {
    "updated": ("last update", "newest first", "oldest first"),
    "created": ("creation", "newest first", "oldest first"),
    "title": ("title", "Z to A", "A to Z"),
    "status": ("status", "Z to A", "A to Z"),
    "tool": ("tool", "Z to A", "A to Z"),
    "id": ("id", "last first", "first first"),
}
FALLING: tuple[SortKey, ...] = ("updated", "created", "id")
"""The keys that begin with the greatest."""


def chosen_sort(key: str, current: Sort) -> Sort:
    """The order after choosing ``key``: the same key again reverses."""
    for known in NAMES:
        if known == key:
            return Sort(known, not current.descending if current.key == known else known in FALLING)
    return current


class SortModal(Dialog[Sort | None]):
    """The keys to sort by; the present one is marked, choosing it again reverses."""

    CSS = """
    SortModal { align: center middle; background: $background 60%; }
    SortModal > Vertical {
        width: 54; max-width: 96%; height: auto; background: $background; border: round $rule; padding: 0 1;
    }
    SortModal RecordTable { height: 7; max-height: 60vh; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,s,q", "dismiss", "close", id="sort.close", tooltip="Keep the order")
    ]

    def __init__(self, keys: Sequence[SortKey], current: Sort) -> None:
        super().__init__()
        self._keys = tuple(keys)
        self._current = current

    def compose(self) -> ComposeResult:
        """A small list."""
        current = self._current
        columns: tuple[Column[SortKey], ...] = (
            Column("mark", "", lambda key: (("•" if key == current.key else " ", "accent"),), 1, 1, gives_way=1),
            Column("name", "SORT BY", lambda key: ((NAMES[key][0], "text"),), 8, 16),
            Column("order", "", lambda key: ((self._order(key), "muted"),), 28, 28, gives_way=2),
        )
        with Vertical():
            yield RecordTable(columns, str)

    def on_mount(self) -> None:
        """Begin on the present order."""
        self.query_one(RecordTable).show(ListSource(self._keys), key=self._current.key)

    def _order(self, key: SortKey) -> str:
        if key == self._current.key:
            return f"{NAMES[key][1 if self._current.descending else 2]}, again reverses"
        return NAMES[key][1 if key in FALLING else 2]

    @on(RecordTable.Selected)
    def _selected(self, event: RecordTable.Selected[SortKey]) -> None:
        event.stop()
        self.dismiss(chosen_sort(event.record, self._current))
