"""The two lines that say what is done to which database and how it stands, and the rule under them."""

from __future__ import annotations

from textual.strip import Strip
from textual.widget import Widget

from agor_tui.cells import cell_len
from agor_tui.errors import Cancelled
from agor_tui.paths import shown
from agor_tui.statuses import Tone
from agor_tui.text import duration, printable
from agor_tui.tui.tones import tones_of
from agor_tui.tui.upkeep.flow import UpkeepFlow
from agor_tui.tui.widgets.table_lines import draw_spans

Spans = list[tuple[str, Tone]]
_LONGEST = 300


class UpkeepHeading(Widget):
    """What is done and how far it is; from where to where."""

    DEFAULT_CSS = "UpkeepHeading { height: 3; background: $background; }"
    ALLOW_SELECT = False

    def __init__(self, flow: UpkeepFlow) -> None:
        super().__init__()
        self._flow = flow

    def render_line(self, y: int) -> Strip:
        """Title and state, the way, a rule."""
        width, style = self.size.width, tones_of(self.app).style
        if y == 2:
            return draw_spans([("─" * width, "rule")], width, style)
        if y == 1:
            return draw_spans(self._way(), width, style)
        right = self._state()
        room = max(0, width - sum(cell_len(text) for text, _ in right) - 1)
        return Strip([*draw_spans(self._title(), room, style), *draw_spans(right, width - room, style)], width)

    def _title(self) -> Spans:
        upkeep = self._flow.upkeep
        return [(f" {upkeep.verb} ", "muted"), (printable(upkeep.subject.name, _LONGEST), "strong")]

    def _way(self) -> Spans:
        here, there = (printable(shown(text), _LONGEST) for text in self._flow.upkeep.way(self._flow.values))
        way: Spans = [(f" {here}", "muted")]
        return [*way, (f" {self._flow.upkeep.between} ", "accent"), (there, "muted")] if there else way

    def _state(self) -> Spans:
        flow = self._flow
        if flow.step == "form" or flow.job is None:
            return []
        took = duration(flow.job.seconds * 1000)
        if flow.busy:
            doing = "stopping" if flow.job.stopping else "looking" if flow.step == "planning" else "running"
            return [("● ", "accent"), (doing, "text"), (f" · {took}", "muted")]
        if flow.step == "plan":
            return [("○ ", "accent"), ("nothing is done yet", "muted")]
        if flow.outcome is not None:
            good = flow.outcome.good
            sign: Spans = [("✓ ", "success"), ("done", "text")] if good else [("✗ ", "error"), ("see below", "text")]
            return [*sign, (f" · {took}", "muted")]
        if isinstance(flow.error, Cancelled):
            return [("■ ", "warning"), ("stopped", "text"), (f" · {took}", "muted")]
        return [("✗ ", "error"), ("failed", "text"), (f" · {took}", "muted")]
