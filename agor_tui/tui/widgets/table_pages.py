"""The pages that a record table holds, and the protocol by which it is given them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from agor_tui.errors import AgorError
from agor_tui.records import Count

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

KEPT_PAGES = 24
AHEAD = 2
"""Pages asked for beyond the visible ones, in the direction of scrolling."""


class PageSource(Protocol[R_co]):
    """Where a table's rows come from. Its methods block; the table calls them in threads."""

    @property
    def page_size(self) -> int:
        """Rows of a page."""

    def page(self, number: int) -> Sequence[R_co]:
        """The rows of a page, from 0; fewer than ``page_size`` only at the end of the list.

        Raises:
            AgorError: the rows cannot be had.
        """

    def counts(self) -> Iterator[Count]:
        """How many rows there are: a quick answer first, better ones after it; the last is exact where it can be."""


class ListSource(Generic[R]):
    """A page source over rows that are in memory already."""

    page_size = 128

    def __init__(self, rows: Sequence[R]) -> None:
        self._rows = rows

    def page(self, number: int) -> Sequence[R]:
        """The rows of a page."""
        return self._rows[number * self.page_size : (number + 1) * self.page_size]

    def counts(self) -> Iterator[Count]:
        """The number of rows."""
        yield Count(len(self._rows))


class PageCache(Generic[R]):
    """The pages of one source that are held, the longest unused given up first, and what is known of the count."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.known = 0
        """Rows that certainly exist."""
        self.exact = False
        """Whether ``known`` is all of them."""
        self.failed: dict[int, AgorError] = {}
        self.end_read = False
        """Whether the page was met on which the list ends."""
        self._pages: OrderedDict[int, Sequence[R]] = OrderedDict()

    def __contains__(self, number: int) -> bool:
        return number in self._pages

    @property
    def pages(self) -> tuple[Sequence[R], ...]:
        """The rows of each page that is held."""
        return tuple(self._pages.values())

    def put(self, number: int, rows: Sequence[R]) -> None:
        """Keep a page; a short one tells where the list ends."""
        self._pages[number] = rows
        self._pages.move_to_end(number)
        self.failed.pop(number, None)
        end = number * self.size + len(rows)
        if len(rows) == self.size:
            self.known = max(self.known, end)
        elif rows or number == 0:
            self.known, self.exact, self.end_read = end, True, True
        else:
            self.known = min(self.known, end)
        while len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)

    def learn(self, count: Count) -> None:
        """Take in a count; where the list's end was read, that is known better."""
        if not self.end_read:
            self.known = max(count.value, self.known) if not count.exact else count.value
            self.exact = count.exact

    def row(self, index: int) -> R | None:
        """The row at an index, or None where its page is not held."""
        number, offset = divmod(index, self.size)
        page = self._pages.get(number)
        if page is None or offset >= len(page):
            return None
        self._pages.move_to_end(number)
        return page[offset]

    def place_of(self, fits: Callable[[R], bool]) -> int | None:
        """The index of a record that is held; None where none fits."""
        for number, rows in self._pages.items():
            for offset, row in enumerate(rows):
                if fits(row):
                    return number * self.size + offset
        return None

    def replace(self, index: int, record: R) -> None:
        """Put another record in the place of one that is held."""
        number, offset = divmod(index, self.size)
        rows = self._pages[number]
        self._pages[number] = (*rows[:offset], record, *rows[offset + 1 :])


def wanted_pages(cache: PageCache[R], top: int, height: int, forward: bool) -> list[int]:
    """The pages that rows ``top`` to ``top + height`` need and the cache lacks, then those ahead in the direction."""
    first, last = top // cache.size, (top + height - 1) // cache.size
    ahead = [last + n for n in range(1, AHEAD + 1)] if forward else [first - n for n in range(1, AHEAD + 1)]
    near = [*range(first, last + 1), *ahead, first - 1 if forward else last + 1]
    # Where the count is not known yet, one page more may exist than is known.
    end = (cache.known - 1) // cache.size + (not cache.exact)
    return [n for n in near if 0 <= n <= end and n not in cache and n not in cache.failed]
