"""A widget of one line that draws itself from spans; the header and the key bar are such."""

from __future__ import annotations

from functools import partial

from rich.cells import cell_len
from textual.strip import Strip
from textual.widget import Widget

from agor_tui.statuses import Tone
from agor_tui.tui.tones import tones_of
from agor_tui.tui.widgets.table_lines import draw_spans


class Line(Widget):
    """One line of spans. Subclasses give ``spans``; ``BACKGROUND`` is the name of a theme variable."""

    DEFAULT_CSS = "Line { height: 1; }"
    BACKGROUND = "background"
    ALLOW_SELECT = False

    def spans(self, width: int) -> list[tuple[str, Tone]]:
        """What the line says in ``width`` cells."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """Draw the one line."""
        width = self.size.width
        style_of = partial(tones_of(self.app).style, background=self.BACKGROUND)
        return draw_spans(self.spans(width) if y == 0 else (), width, style_of)


def cells_of(spans: list[tuple[str, Tone]]) -> int:
    """The width of spans."""
    return sum(cell_len(text) for text, _ in spans)
