"""Reading again what is seen of a list, so that the new rows take the place of the old ones in one frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from agor_tui.tui.widgets.table_pages import PageSource

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Seen:
    """What of a list is seen: the cursor's row and its record's key, the topmost row, and how many rows fit.

    ``pinned``: the reader has not left the top, so new rows come into sight there.
    """

    index: int
    key: str | None
    top: int
    height: int
    pinned: bool


@dataclass(frozen=True, slots=True)
class Renewal(Generic[R]):
    """The pages that were read, and where the cursor and the top are among them."""

    pages: Mapping[int, Sequence[R]]
    index: int
    top: int


def read_again(source: PageSource[R], key_of: Callable[[R], str], seen: Seen) -> Renewal[R]:
    """Read the pages around the record that the cursor is on; blocks, and is called in a thread.

    The record keeps its line on the screen. It is looked for where it was, at the top, where changed rows go by
    default, and on the neighbouring pages; where it is on none of them, the cursor keeps its row.

    Raises:
        AgorError: the rows cannot be had.
    """
    size = source.page_size
    pages: dict[int, Sequence[R]] = {}

    def page(number: int) -> Sequence[R]:
        if number not in pages:
            pages[number] = source.page(number)
        return pages[number]

    home = seen.index // size
    while home > 0 and not page(home):  # the list has become shorter
        home -= 1
    index = min(seen.index, home * size + max(0, len(page(home)) - 1))
    if seen.key is not None:
        for number in dict.fromkeys((home, 0, home + 1, max(home - 1, 0))):
            found = place_in({number: page(number)}, key_of, seen.key, size)
            if found is not None:
                index = found
                break
    top = 0 if seen.pinned else max(0, seen.top + index - seen.index)
    for number in range(top // size, (max(index, top + seen.height - 1)) // size + 1):
        page(number)
    return Renewal({number: rows for number, rows in pages.items() if rows or number == 0}, index, top)


def place_in(pages: Mapping[int, Sequence[R]], key_of: Callable[[R], str], key: str, size: int) -> int | None:
    """The row on which the record with this key is; None where it is on none of these pages."""
    return next(
        (
            number * size + place
            for number, rows in pages.items()
            for place, row in enumerate(rows)
            if key_of(row) == key
        ),
        None,
    )
