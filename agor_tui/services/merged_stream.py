"""The sessions of one of several databases, as the merged list reads them: by their rank in its order."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Literal

from agor_tui.errors import AgorError, DatabaseError
from agor_tui.filters import SessionFilter
from agor_tui.records import Count, Session, Sort
from agor_tui.services.session_pages import Listing, SessionPages

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

LIMIT_S = 3.0
"""So long a database has for a page, once its rows are in the list."""
HELD = 24
"""Pages of each database that are kept."""


@dataclass(frozen=True, slots=True)
class MergedSession:
    """A session and the name of the database that it is in."""

    database: str
    session: Session

    @property
    def key(self) -> str:
        """What tells it from all others: ids are only unique within a database."""
        return f"{self.database}\0{self.session.id}"


State = Literal["in", "asked", "late", "failed"]


class Stream:
    """The sessions of one database in an order.

    ``state``: its rows are ``in`` the list; it is ``asked`` still, after the list went on without it; its answer came
    ``late``; it ``failed`` with ``error``. ``end`` is the number of its rows, None while that is not known.
    ``listing`` is what of the database is in the list.
    """

    def __init__(
        self, name: str, browser: Browser, listing: Listing, filter: SessionFilter, sort: Sort, page_size: int
    ) -> None:
        self.name = name
        self.browser = browser
        self.state: State = "in"
        self.error: AgorError | None = None
        self.asked_at = 0.0
        self.end: int | None = None
        self.count = Count(0, exact=False)
        self.pages = SessionPages(listing, filter, sort, page_size)
        self._held: OrderedDict[int, tuple[Session, ...]] = OrderedDict()
        self._guard = threading.Lock()

    @property
    def slow(self) -> bool:
        """Whether it has been asked for longer than it should take."""
        return self.state == "asked" and monotonic() - self.asked_at >= LIMIT_S

    def holds(self, rank: int) -> bool:
        """Whether the row of a rank is here, or known not to be."""
        return (self.end is not None and rank >= self.end) or rank // self.pages.page_size in self._held

    def read(self, rank: int) -> None:
        """Read the page that a rank is on; blocks, and raises AgorError where it cannot be had."""
        number = rank // self.pages.page_size
        rows = self.pages.page(number)
        start = number * self.pages.page_size
        with self._guard:
            self._held[number] = rows
            if len(rows) < self.pages.page_size:
                self.end = start + len(rows) if rows else min(start, start if self.end is None else self.end)
            while len(self._held) > HELD:
                self._held.popitem(last=False)

    def row(self, rank: int) -> Session | None:
        """The row of a rank that it holds; None behind the end.

        Raises:
            DatabaseError: the row is gone with its database.
        """
        number, offset = divmod(rank, self.pages.page_size)
        with self._guard:
            if self.end is not None and rank >= self.end:
                return None
            page = self._held.get(number)
            if page is None:
                raise DatabaseError(f"{self.name} does not answer any more.", "R reads the list without it.")
            self._held.move_to_end(number)
            return page[offset]


def start_thread(work: Callable[..., None], *arguments: object) -> threading.Thread:
    """Call ``work`` in a thread that the program does not wait for when it ends."""
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread
