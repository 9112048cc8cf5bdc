"""What stands where rows would be: an empty list, a load under way, an error, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from agor_tui.cells import wrapped
from agor_tui.statuses import Tone
from agor_tui.text import printable
from agor_tui.tui.widgets.table_columns import Spans

MOST_CELLS = 72


@dataclass(frozen=True, slots=True)
class Notice:
    """A heading, a sentence and what to do next; all plain text."""

    title: str
    text: str = ""
    hint: str = ""
    tone: Tone = "strong"


def notice_line(notice: Notice | None, y: int, width: int, height: int) -> Spans:
    """Line ``y`` of an area in which the notice stands in the upper third."""
    if notice is None:
        return ()
    lines = notice_lines(notice, min(MOST_CELLS, width - 4))
    y -= max(0, min((height - len(lines)) // 3, 8))
    return (("  ", "text"), lines[y]) if 0 <= y < len(lines) else ()


def notice_lines(notice: Notice, width: int) -> list[tuple[str, Tone]]:
    """The notice wrapped to ``width`` cells, a line an entry."""
    lines: list[tuple[str, Tone]] = []
    tones: tuple[Tone, Tone, Tone] = (notice.tone, "text", "muted")
    for text, tone in zip((notice.title, notice.text, notice.hint), tones, strict=True):
        if text:
            if lines:
                lines.append(("", "text"))
            lines += [(line, tone) for line in wrapped(printable(text), max(1, width))]
    return lines
