"""Sessions in numbered pages, each read from the nearest place in the list that is known already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from agor_tui.filters import SessionFilter
from agor_tui.records import Count, Cursor, Page, Session, Sort

PAGE = 128
"""Rows of a page: two to three screenfuls, so that paging meets a page's edge seldom."""
CAP = 10_000
"""Up to here a list is counted at once; the rest is counted after that has been said."""


class Listing(Protocol):
    """What gives sessions: a browser, or a part of one."""

    def session_page(
        self,
        filter: SessionFilter,
        sort: Sort,
        *,
        after: Cursor | None = None,
        before: Cursor | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> Page[Session]:
        """As ``Browser.session_page``."""

    def session_count(self, filter: SessionFilter, cap: int | None = None) -> Count:
        """As ``Browser.session_count``."""


class SessionPages:
    """The sessions of a filter in an order, as a page source for a table.

    A page next to one that was read begins at a cursor, which costs the same at any depth; so do the first pages and,
    once the count is known, the last. Only a jump into the middle skips rows, from the nearest cursor.
    """

    cap = CAP

    def __init__(self, browser: Listing, filter: SessionFilter, sort: Sort, page_size: int = PAGE) -> None:
        self.page_size = page_size
        self._browser = browser
        self._filter = filter
        self._sort = sort
        self._count: int | None = None
        self._starts: dict[int, Cursor] = {}
        self._ends: dict[int, Cursor] = {}
        self._last: int | None = None

    def page(self, number: int) -> tuple[Session, ...]:
        """The sessions of a page, from 0; empty behind the end.

        Raises:
            AgorError: the database does not answer.
        """
        if self._last is not None and number > self._last:
            return ()
        page = self._read(number)
        if page.next is not None:
            self._starts[number + 1] = page.next
        elif len(page.rows) < self.page_size:
            self._last = number
        if page.previous is not None and number > 0:
            self._ends[number - 1] = page.previous
        return page.rows

    def counts(self) -> Iterator[Count]:
        """The number of sessions: at most ``cap`` at first, then all."""
        first = self._browser.session_count(self._filter, self.cap)
        yield first
        exact = first if first.exact else self._browser.session_count(self._filter)
        self._count = exact.value
        if not first.exact:
            yield exact

    def _read(self, number: int) -> Page[Session]:
        """Read a page from the place that is the fewest rows away."""
        ask, size = self._browser.session_page, self.page_size
        start = max((n for n in self._starts if n <= number), default=0)
        ahead = (number - start) * size
        end = min((n for n in self._ends if n >= number), default=None)
        back = None if end is None else (end - number) * size
        if back is not None and end is not None and back < ahead:
            return ask(self._filter, self._sort, before=self._ends[end], offset=back, limit=size)
        if self._count is not None:
            behind = self._count - (number + 1) * size
            if max(0, behind) < ahead and self._count > number * size:
                return self._from_the_end(behind)
        return ask(self._filter, self._sort, after=self._starts.get(start), offset=ahead, limit=size)

    def _from_the_end(self, behind: int) -> Page[Session]:
        from agor_tui.services.browser import END

        limit = self.page_size + min(0, behind)
        return self._browser.session_page(self._filter, self._sort, before=END, offset=max(0, behind), limit=limit)
