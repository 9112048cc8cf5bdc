"""A scrolled view of lines that are in memory, of any number: only those seen are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from agor_tui.tui.tones import tones_of
from agor_tui.tui.widgets.notice import Notice, notice_lines
from agor_tui.tui.widgets.prose import strip_of

_MOVE = Binding.Group("Move")

Lines = Sequence[Text]
Fold = Callable[[int], Lines]
"""Makes the lines for a width in cells."""


class LinesView(ScrollView, can_focus=True):
    """Lines made by a function of the width; a notice where there are none yet."""

    DEFAULT_CSS = """
    LinesView { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; background: $background; }
    """
    ALLOW_SELECT = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_down", "down", show=False, id="lines.down", tooltip="Down a line", group=_MOVE),
        Binding("up,k", "scroll_up", "up", show=False, id="lines.up", tooltip="Up a line", group=_MOVE),
        Binding("pagedown", "page_down", "page on", show=False, id="lines.page_down", tooltip="On a page", group=_MOVE),
        Binding("pageup", "page_up", "page up", show=False, id="lines.page_up", tooltip="Back a page", group=_MOVE),
        Binding("home", "scroll_home", "first", show=False, id="lines.first", tooltip="To the start", group=_MOVE),
        Binding("end", "scroll_end", "last", show=False, id="lines.last", tooltip="To the end", group=_MOVE),
    ]  # fmt: skip

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.notice: Notice | None = None
        self._fold: Fold | None = None
        self._lines: Lines = ()
        self._folded_at = 0
        self._draw = lru_cache(maxsize=512)(self._drawn)

    def say(self, notice: Notice) -> None:
        """Show a notice in place of lines."""
        self.notice, self._fold, self._lines = notice, None, ()
        self._show()

    def show(self, fold: Fold, *, keep: bool = False) -> None:
        """Show lines from their beginning; ``keep`` stays where the view is."""
        self.notice, self._fold, self._folded_at = None, fold, 0
        if not keep:
            self.scroll_home(animate=False)
        self._refold()

    def on_resize(self, event: events.Resize) -> None:
        """Fold for the new width."""
        self._refold()

    def scroll_to(self, x: float | None = None, y: float | None = None, **_: object) -> None:
        """Move at once."""
        super().scroll_to(x, y, animate=False)

    def _refold(self) -> None:
        width = self.scrollable_content_region.width
        if self._fold is not None and width > 0 and width != self._folded_at:
            self._folded_at = width
            self._lines = self._fold(width)
            self._show()

    def _show(self) -> None:
        self._draw.cache_clear()
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))
        self.refresh()

    def _drawn(self, number: int) -> Strip:
        return strip_of(self._lines[number])

    def render_line(self, y: int) -> Strip:
        """A line of the text, or of the notice."""
        width, base = self.size.width, self.rich_style
        if self.notice is not None:
            return notice_strip(self, self.notice, y, width)
        number = y + self.scroll_offset.y
        strip = self._draw(number) if number < len(self._lines) else Strip([])
        return strip.apply_style(base).adjust_cell_length(width, base)


def notice_strip(widget: ScrollView, notice: Notice, y: int, width: int) -> Strip:
    """Line ``y`` of a widget that says a notice: in the middle where there is room."""
    style = tones_of(widget.app).style
    said = notice_lines(notice, max(10, min(width - 4, 70)))
    at = y - max(1, widget.size.height // 3)
    text, tone = said[at] if 0 <= at < len(said) else ("", "text")
    indent = " " * max(2, (width - 70) // 2)
    return Strip([Segment(f"{indent}{text}", style(tone))]).adjust_cell_length(width, style("text"))
