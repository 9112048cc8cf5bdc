"""Reads a table's pages and count in threads; late answers of older sources never reach the table."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Generic, TypeVar

from agor_tui.errors import AgorError
from agor_tui.records import Count
from agor_tui.tui.asking import start_thread
from agor_tui.tui.widgets.table_pages import PageSource

R = TypeVar("R")

COUNT_RESTS = 50
"""The rows of a list that is read again are counted again after so many times as long as the last count took."""


@dataclass(slots=True)
class Asked(Generic[R]):
    """A source that has not answered yet, and the row or the record that the cursor shall be on."""

    source: PageSource[R]
    index: int
    key: str | None

    @property
    def page(self) -> int:
        """The page that is needed first."""
        return self.index // self.source.page_size


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """A page, or why it cannot be had."""

    number: int
    rows: Sequence[R] = ()
    error: AgorError | None = None


class Loader(Generic[R]):
    """One source at a time. ``deliver`` runs a function where the table lives; the other two are run by it there."""

    def __init__(
        self,
        deliver: Callable[[Callable[[], None]], object],
        answered: Callable[[Answer[R]], None],
        counted: Callable[[Count], None],
    ) -> None:
        self.asked: Asked[R] | None = None
        """A source that has not answered yet."""
        self._deliver = deliver
        self._answered = answered
        self._counted = counted
        self.source: PageSource[R] | None = None
        """The source that has answered."""
        self._queue = PageQueue()
        self._list = 0
        """Goes up with each list that is asked; sources that are exchanged are of the same list."""
        self._counting = 0
        self._count_after = 0.0

    def ask(self, asked: Asked[R]) -> None:
        """Ask a new source for its first page; what was asked before is forgotten."""
        self.leave()
        self.asked = asked
        self.fetch([asked.page])

    def leave(self) -> None:
        """Forget what was asked; the source that has answered stays."""
        self._abandon()
        self._list += 1
        self._count_after = 0.0
        self.asked = None

    def _abandon(self) -> None:
        self._queue.abandon()
        self._queue = PageQueue()

    def settle(self, source: PageSource[R] | None) -> None:
        """The source asked has answered, and is now the table's; None: the table has none."""
        self.asked = None
        self.source = source
        if source is not None:
            start_thread(self._count, source, self._list)

    def exchange(self, source: PageSource[R], *, counting: bool) -> None:
        """Put a source that asks the same in the place of the one that has answered.

        ``counting``: its rows are counted, unless that was done lately for how long it takes.
        """
        self._abandon()
        self.source = source
        if counting and self._counting != self._list and monotonic() >= self._count_after:
            start_thread(self._count, source, self._list)

    def fetch(self, numbers: Sequence[int]) -> None:
        """Fetch these pages, in this order, in place of those that were wanted before."""
        source = self.asked.source if self.asked else self.source
        if source is not None and self._queue.want(numbers):
            start_thread(self._read, source, self._queue)

    def _read(self, source: PageSource[R], queue: PageQueue) -> None:
        while (number := queue.take()) is not None:
            try:
                answer = Answer(number, source.page(number))
            except AgorError as error:
                answer = Answer(number, error=error)
            except Exception as error:  # whatever it is, the user gets a sentence
                from agor_tui.services.faults import unexpected

                answer = Answer(number, error=unexpected(error))
            self._deliver(partial(self._take, queue, answer))

    def _take(self, queue: PageQueue, answer: Answer[R]) -> None:
        if queue is self._queue:
            queue.done(answer.number)
            self._answered(answer)

    def _count(self, source: PageSource[R], number: int) -> None:
        self._counting = number
        started = monotonic()
        # A count that fails is no reason to hide the rows: they are there, and their end will be met in reading.
        with contextlib.suppress(Exception):
            for count in source.counts():
                if number != self._list:
                    return
                self._deliver(partial(self._take_count, number, count))
        if number == self._list:
            ended = monotonic()
            self._counting, self._count_after = 0, ended + COUNT_RESTS * (ended - started)

    def _take_count(self, number: int, count: Count) -> None:
        if number == self._list and self.asked is None:
            self._counted(count)


class PageQueue:
    """The pages of one source that are still to be fetched, in order of need, for its one fetching thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: list[int] = []
        self._under_way: set[int] = set()
        self._fetching = False

    def want(self, numbers: Sequence[int]) -> bool:
        """Replace what is wanted; say whether a thread must be started for it."""
        with self._lock:
            self._wanted = [number for number in numbers if number not in self._under_way]
            if self._fetching or not self._wanted:
                return False
            self._fetching = True
            return True

    def take(self) -> int | None:
        """The next page to fetch; None ends the thread."""
        with self._lock:
            if not self._wanted:
                self._fetching = False
                return None
            number = self._wanted.pop(0)
            self._under_way.add(number)
            return number

    def done(self, number: int) -> None:
        """The table has this page, or its error."""
        with self._lock:
            self._under_way.discard(number)

    def abandon(self) -> None:
        """Nothing is wanted any more."""
        with self._lock:
            self._wanted = []
