"""The list of completions under the filter line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from agor_tui.filters import Completion
from agor_tui.text import printable
from agor_tui.tui.tones import tones_of
from agor_tui.tui.widgets.table_columns import Spans
from agor_tui.tui.widgets.table_lines import draw_spans

MOST = 8
"""Lines that are shown at once."""


class Completions(Widget):
    """What may be typed at the cursor. It never takes the focus: the input's keys move in it."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Completions { display: none; overlay: screen; background: $panel; }"

    selected: reactive[int] = reactive(-1)
    """The index of the chosen one, -1 for none."""

    @dataclass
    class Clicked(Message):
        """One was clicked."""

        completion: Completion

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._items: Sequence[Completion] = ()

    @property
    def chosen(self) -> Completion | None:
        """The chosen one."""
        return self._items[self.selected] if 0 <= self.selected < len(self._items) else None

    @property
    def first(self) -> Completion | None:
        """The chosen one, or the first."""
        return self.chosen or (self._items[0] if self._items else None)

    def offer(self, items: Sequence[Completion], x: int = 0) -> None:
        """Show these at cell ``x``; none hides the list."""
        self._items = items
        self.selected = -1
        self.display = bool(items)
        if items:
            room = max(12, self.screen.size.width - 2)
            words = max(cell_len(printable(item.text)) for item in items)
            texts = max(cell_len(item.description) for item in items)
            width = min(room, words + (texts + 2 if texts else 0) + 2)
            self.styles.width = width
            self.styles.height = min(MOST, len(items))
            self.styles.offset = (max(0, min(x - 1, room - width)), 0)
            self.refresh()

    def move(self, by: int) -> None:
        """Choose another; past either end none is chosen."""
        count = len(self._items) + 1
        self.selected = (self.selected + 1 + by) % count - 1

    def render_line(self, y: int) -> Strip:
        """A completion and what it means."""
        width = self.size.width
        index = self._top + y
        tones = tones_of(self.app)
        if not 0 <= index < len(self._items):
            return draw_spans((), width, partial(tones.style, background="panel"))
        item = self._items[index]
        words = max(cell_len(printable(each.text)) for each in self._items)
        word = printable(item.text)
        background = "cursor" if index == self.selected else "panel"
        pad = " " * (words - cell_len(word) + 2) if item.description else ""
        spans: Spans = ((" ", "text"), (word, "text"), (pad, "text"), (item.description, "muted"))
        return draw_spans(spans, width, partial(tones.style, background=background))

    def on_click(self, event: events.Click) -> None:
        """Take the one under the mouse."""
        event.stop()
        index = self._top + event.y
        if 0 <= index < len(self._items):
            self.post_message(self.Clicked(self._items[index]))

    @property
    def _top(self) -> int:
        return max(0, self.selected - MOST + 1)
