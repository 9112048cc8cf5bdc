"""The columns of a record table: what each shows of a record, and which give way when the table is narrow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.cells import cell_len

from agor_tui.statuses import Tone

R = TypeVar("R")

Spans = Sequence[tuple[str, Tone]]
"""A cell's text in pieces, each in a tone of the theme."""


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column.

    ``least`` is the width below which it is left out, ``ideal`` the one it is given where there is room, both in
    cells; a ``whole`` column has either the one or the other, after the rest have theirs. Of several columns the one
    with the highest ``gives_way`` is left out first; 0 never is, and takes the room that remains. ``fits`` columns are
    only as wide as the widest cell seen so far, between ``least`` and ``ideal``.
    """

    key: str
    title: str
    cell: Callable[[R], Spans]
    least: int
    ideal: int
    gives_way: int = 0
    right: bool = False
    fits: bool = False
    whole: bool = False
    stretches: bool = False
    """Whether it takes the room that remains, while it is shown, instead of the one that never gives way."""
    sort: str | None = None
    """The sort key that a click on the title asks for."""
    brief: str = ""
    """The title where the whole one does not fit."""
    cuts_few: bool = False
    """Whether a column that fits goes by nine in ten of its cells, and cuts the few that are wider still."""


@dataclass(frozen=True, slots=True)
class Place(Generic[R]):
    """A column where it stands: from cell ``x``, ``width`` cells."""

    column: Column[R]
    x: int
    width: int


def arrange(columns: Sequence[Column[R]], width: int, seen: Mapping[str, int], margin: int = 1) -> tuple[Place[R], ...]:
    """Give ``columns`` their places in ``width`` cells; ``seen`` is the widest cell of each column that fits.

    First columns shrink to their least width, then the gaps to one cell, then columns are left out in their order.
    """

    def least(column: Column[R]) -> int:
        return min(max(column.least, seen.get(column.key, 0)), column.ideal) if column.fits else column.least

    def ideal(column: Column[R]) -> int:
        return least(column) if column.fits else column.ideal

    shown = list(columns)
    gap = 2
    while len(shown) > 1 and sum(map(least, shown)) + gap * (len(shown) - 1) + margin > width:
        if gap == 2:
            gap = 1
            continue
        loser = max(shown, key=lambda column: column.gives_way)
        if loser.gives_way == 0:
            break
        shown.remove(loser)
    widths = {column.key: least(column) for column in shown}
    spare = width - margin - sum(widths.values()) - gap * (len(shown) - 1)
    for column in sorted(shown, key=lambda column: (column.whole, column.gives_way)):
        missing = ideal(column) - widths[column.key]
        more = max(0, min(spare, missing))
        if column.whole and more < missing:
            continue
        widths[column.key] += more
        spare -= more
    for column in sorted(shown, key=lambda column: not column.stretches):
        if column.stretches or column.gives_way == 0:
            widths[column.key] = max(1, widths[column.key] + spare)
            break
    places: list[Place[R]] = []
    x = margin
    for column in shown:
        places.append(Place(column, x, widths[column.key]))
        x += widths[column.key] + gap
    return tuple(places)


def widest(column: Column[R], records: Sequence[R]) -> int:
    """The width that a column needs for these records, in cells."""
    widths = sorted(sum(cell_len(text) for text, _ in column.cell(record)) for record in records)
    if not widths:
        return 0
    return widths[(len(widths) - 1) * 9 // 10] if column.cuts_few else widths[-1]
