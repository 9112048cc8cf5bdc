"""Drawing the lines of a record table: cells cut and padded to their places, in the tones of the theme."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from agor_tui.cells import fit
from agor_tui.statuses import Tone
from agor_tui.tui.widgets.table_columns import Place, Spans

StyleOf = Callable[[Tone], Style]

EMOJI_STYLE = "\ufe0f"
"""The selector that widens a character in some terminals and not in others; without it all of them agree."""

NOT_LOADED: Spans = (("·", "faint"),)


def fitted(spans: Spans, width: int, right: bool = False) -> list[tuple[str, Tone]]:
    """The spans in exactly ``width`` cells, the end cut with an ellipsis where they are wider."""
    room = width
    pieces: list[tuple[str, Tone]] = []
    for text, tone in spans:
        if EMOJI_STYLE in text:
            text = text.replace(EMOJI_STYLE, "")
        cells = cell_len(text)
        if cells > room:
            text = fit(text, room)
            pieces.append((text, tone))
            room -= cell_len(text)
            break
        if cells:
            pieces.append((text, tone))
            room -= cells
    if room > 0:
        pieces.insert(0 if right else len(pieces), (" " * room, "text"))
    return pieces


def joined(spans: Iterable[tuple[str, Tone]], style_of: StyleOf) -> list[Segment]:
    """The spans as segments, as few as can be: blanks take the tone before them, for fewer bytes to the terminal."""
    segments: list[Segment] = []
    run: list[str] = []
    current: Tone | None = None
    for text, tone in spans:
        if current is None or tone == current or text.isspace():
            current = current or tone
        else:
            segments.append(Segment("".join(run), style_of(current)))
            run, current = [], tone
        run.append(text)
    if current is not None:
        segments.append(Segment("".join(run), style_of(current)))
    return segments


def draw_spans(spans: Spans, width: int, style_of: StyleOf) -> Strip:
    """One line of spans in exactly ``width`` cells."""
    return Strip(joined(fitted(spans, width), style_of), width)


def draw_row(
    places: Sequence[Place[Any]], cells: Sequence[Spans], width: int, style_of: StyleOf, mark: tuple[str, Tone]
) -> Strip:
    """One line: the mark in the margin, then each cell in its place."""
    pieces = [mark]
    x = cell_len(mark[0])
    for place, spans in zip(places, cells, strict=True):
        if place.x > x:
            pieces.append((" " * (place.x - x), "text"))
        pieces += fitted(spans, place.width, place.column.right)
        x = place.x + place.width
    if x < width:
        pieces.append((" " * (width - x), "text"))
    strip = Strip(joined(pieces, style_of), max(x, width))
    return strip.crop(0, width) if x > width else strip


def header_spans(place: Place[Any], sorted_by: str | None, descending: bool) -> Spans:
    """A column's title; the one sorted by carries a mark, which stays when the title does not fit."""
    column = place.column
    marked = column.sort is not None and column.sort == sorted_by
    room = place.width - marked
    title = column.title if cell_len(column.title) <= room else fit(column.brief or column.title, max(0, room))
    return ((title, "accent"), ("▾" if descending else "▴", "accent")) if marked else ((title, "faint"),)
