"""What the board says: the lines of a card, the title of a column, the words for the ways to divide a board."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from agor_tui.cells import cell_len, fit, wrapped
from agor_tui.records import BoardMode, Card, CardColumn, Count, Session
from agor_tui.statuses import Tone, status_glyph, status_tone, status_word
from agor_tui.text import count, duration, printable, title_text
from agor_tui.tui.session_columns import SHOWN, tool_name

Spans = list[tuple[str, Tone]]

LEAST = 4
"""Cells of a fact; where there are fewer, it is left out."""
TITLE_LINES = 2
CARD = TITLE_LINES + 3
"""Lines of a card: its title, two lines of facts, and a blank one below."""

MODES: dict[BoardMode, str] = {
    "sessions": "sessions by status",
    "tasks": "tasks by status",
    "zones": "sessions by zone",
}
NO_ZONE = "no zone"


def column_name(mode: BoardMode, column: CardColumn) -> str:
    """A column's name in a sentence: the word of a status, or a zone's label."""
    if mode == "zones":
        return printable(column.title, 60) or NO_ZONE
    return status_word(column.key)


def column_title(mode: BoardMode, column: CardColumn) -> Spans:
    """A column's name, a status after its glyph."""
    if mode == "zones":
        return [(column_name(mode, column), "strong" if column.key else "muted")]
    return [(f"{status_glyph(column.key)} ", status_tone(column.key)), (status_word(column.key), "strong")]


def number(value: Count) -> str:
    """A capped count: ``12``, ``999+``."""
    return count(value.value) if value.exact else f"{count(value.value)}+"


def card_title(card: Card) -> str:
    """The title of a card's session or task."""
    return title_text(card.record.title, SHOWN)


def card_lines(card: Card, width: int, when: Callable[[datetime | None], str]) -> list[Spans]:
    """A card's lines in ``width`` cells, but the blank one: title; status, tool and age; id and counts."""
    record = card.record
    lines: list[Spans] = [[(line, "text" if record.title else "faint")] for line in _title_lines(card, width)]
    if isinstance(record, Session):
        about, time = tool_name(record.tool), record.updated_at
        amounts = [_amount(record.task_count, "task"), _amount(record.message_count, "message")]
        brief = f"{count(record.task_count)} t · {count(record.message_count)} m"
    else:
        about, time = printable(record.model or "", 40), record.created_at
        took = [] if record.duration_ms is None else [duration(record.duration_ms)]
        amounts = ([] if record.tool_use_count is None else [_amount(record.tool_use_count, "tool")]) + took
        brief = "".join(took)
    facts: Spans = [(f"{status_glyph(record.status)} ", status_tone(record.status))]
    facts.append((printable(status_word(record.status), 20), "muted"))
    if about:
        facts += [(" · ", "faint"), (about, "muted")]
    lines.append(_both_ends(facts, [(when(time), "muted")], width))
    named: Spans = [(printable(record.short_id, 40), "faint")]
    if card.placement is not None:
        named += [(" · ", "faint"), (printable(card.placement.worktree, 60), "muted")]
    room = width - sum(cell_len(text) for text, _ in named) - 1
    counts = next((text for text in (" · ".join(amounts), brief) if cell_len(text) <= room), "")
    lines.append(_both_ends(named, [(counts, "faint")], width))
    return lines


def _title_lines(card: Card, width: int) -> list[str]:
    lines = wrapped(card_title(card), max(1, width))
    if len(lines) > TITLE_LINES:
        lines[TITLE_LINES - 1] = fit(f"{lines[TITLE_LINES - 1]} {lines[TITLE_LINES]}", width)
        if not lines[TITLE_LINES - 1].endswith("…"):
            lines[TITLE_LINES - 1] = fit(lines[TITLE_LINES - 1], width - 1) + "…"
    return (lines + [""] * TITLE_LINES)[:TITLE_LINES]


def _both_ends(left: Spans, right: Spans, width: int) -> Spans:
    """``left`` cut so that ``right`` stands whole at the end."""
    room = width - sum(cell_len(text) for text, _ in right) - 1
    kept: Spans = []
    for text, tone in left:
        cells = cell_len(text)
        if cells > room:
            if room >= LEAST:
                kept.append((fit(text, room), tone))
                room = 0
            elif kept and kept[-1][0] == " · ":
                room += cell_len(kept.pop()[0])
            break
        kept.append((text, tone))
        room -= cells
    return [*kept, (" " * max(1, room + 1), "text"), *right]


def _amount(value: int, word: str) -> str:
    return f"{count(value)} {word}{'' if value == 1 else 's'}"
