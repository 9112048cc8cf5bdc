"""The sessions of several databases as one list, in numbered pages.

Every page has a split: how many rows of each database stand before it. A page is merged forward from its split, which
gives the split of the next one. A split that is far from all known ones, as after a jump, is found by halving: that
reads a few rows of each database, however long the lists are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Any

from agor_tui.errors import AgorError, Cancelled, DatabaseError
from agor_tui.filters import SessionFilter
from agor_tui.records import Count, Session, Sort
from agor_tui.services.merged_stream import LIMIT_S, MergedSession, Stream, start_thread
from agor_tui.services.session_pages import PAGE

COUNT_S = 30.0
"""So long a jump waits for the counts that it goes by."""
GRACE_S = 0.3
"""So much longer than the fastest a database has to be in the list from the beginning."""
WALK = 8
"""Up to so many pages are merged to get from a known split to the one that is wanted."""


class MergedPages:
    """The sessions of ``streams`` in the order of ``sort``: a page source for a table.

    The first page is there as soon as the fastest have answered; a database that fails or is slow is left out from
    there on, and the others go on. ``told`` is called, in any thread, when what is known of a database changes.
    Sessions with equal keys are ordered by id, then by the order of ``streams``; missing keys count as the smallest.
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        filter: SessionFilter,
        sort: Sort,
        told: Callable[[], object],
        page_size: int = PAGE,
    ) -> None:
        self.streams = tuple(streams)
        self.filter = filter
        self.sort = sort
        self.page_size = page_size
        self._told = told
        self.shrunk = False
        """Whether a database was lost whose rows were counted; who reads it, resets it."""
        self._begun = False
        self._one_at_a_time = threading.Lock()
        self._news = threading.Condition()
        self._splits: dict[int, tuple[int, ...]] = {0: (0,) * len(self.streams)}
        self._cut: dict[int, int] = {}
        """Of the streams that are not in the list any more: how many of their rows stay."""
        self._counting: int | None = None
        """How many databases still count their sessions; None before they were asked to."""

    def page(self, number: int) -> tuple[MergedSession, ...]:
        """The rows of a page, from 0; empty behind the end.

        Raises:
            Cancelled: the user left. AgorError: no database answers, or one whose rows stood here is gone.
        """
        with self._one_at_a_time:
            while True:
                try:
                    if not self._begun:
                        self._begin()
                    split = self._split(number)
                    return () if split is None else self._merged(number, split)
                except _Lost as lost:
                    self._go_on_without(lost.streams, number)

    def counts(self) -> Iterator[Count]:
        """The sum of what each database counts: first when all have begun to, at last when all is counted."""
        self._start_counting()
        shown: Count | None = None
        patience = monotonic() + LIMIT_S
        while True:
            with self._news:
                over, total = not self._counting, self._total()
                left = patience - monotonic()
                if not over and left > 0 and not self._all_counted():
                    self._news.wait(left)
                    continue
                if not over and total == shown:
                    self._news.wait()
                    continue
            if total != shown:
                shown = total
                yield total
            if over:
                return

    def _start_counting(self) -> None:
        """Let each database count its sessions, once."""
        with self._news:
            if self._counting is not None:
                return
            counting = [stream for stream in self.streams if stream.state == "in"]
            self._counting = len(counting)
        for stream in counting:
            start_thread(self._count, stream)

    def _count(self, stream: Stream) -> None:
        # A count that fails is no reason to say so: the rows are there, and their end will be met in reading.
        try:
            for count in stream.pages.counts():
                with self._news:
                    stream.count = count
                    self._news.notify_all()
        except AgorError:
            pass
        finally:
            with self._news:
                self._counting = (self._counting or 1) - 1
                self._news.notify_all()

    def _all_counted(self) -> bool:
        return all(at in self._cut or self._known(at) != Count(0, exact=False) for at in range(len(self.streams)))

    def _known(self, at: int) -> Count:
        """What is known of how many rows of a database are in the list."""
        stream = self.streams[at]
        if at in self._cut:
            return Count(self._cut[at])
        return stream.count if stream.end is None else Count(stream.end)

    def _total(self) -> Count:
        known = [self._known(at) for at in range(len(self.streams))]
        return Count(sum(count.value for count in known), all(count.exact for count in known))

    # Asking the databases

    def _begin(self) -> None:
        """Ask all for their first page; those that take much longer than the fastest are not in this list."""
        asked = [(stream, 0) for stream in self.streams if stream.state == "in" and not stream.holds(0)]
        silent = self._ask(asked, first=len(asked) == len(self.streams)) if asked else []
        self._cut = {at: 0 for at, stream in enumerate(self.streams) if stream.state != "in"}
        if silent or any(stream.state != "in" for stream in self.streams):
            self._told()
        if all(stream.state != "in" for stream in self.streams):
            errors = [stream.error for stream in self.streams if stream.error is not None]
            if len(self.streams) == len(errors) == 1:
                raise errors[0]
            raise DatabaseError("None of the databases answers.", "R tries again.")
        self._begun = True

    def _need(self, ranks: Sequence[tuple[int, int]]) -> None:
        """See to it that these rows (stream, rank) are held; raises _Lost where a database does not give them."""
        asked = [(self.streams[at], rank) for at, rank in ranks if at not in self._cut]
        asked = [(stream, rank) for stream, rank in asked if not stream.holds(rank)]
        if asked and (lost := self._ask(asked)):
            raise _Lost(lost)

    def _ask(self, asked: Sequence[tuple[Stream, int]], *, first: bool = False) -> list[Stream]:
        """Read pages of several databases at once; return those that failed or did not answer in time."""
        open_questions = {stream.name: stream for stream, _ in asked}
        answered = 0

        def read(stream: Stream, rank: int) -> None:
            nonlocal answered
            error: AgorError | None = None
            try:
                stream.read(rank)
            except AgorError as problem:
                error = problem
            except Exception as problem:  # whatever it is, the user gets a sentence
                from agor_tui.services.faults import unexpected

                error = unexpected(problem)
            with self._news:
                if stream.name in open_questions:
                    del open_questions[stream.name]
                stream.error = error
                answered += error is None
                too_late = stream.state == "asked"
                if error is not None:
                    stream.state = "failed"
                elif too_late:
                    stream.state = "late"
                self._news.notify_all()
            if too_late:
                self._told()

        end = monotonic() + LIMIT_S
        for stream, rank in asked:
            stream.asked_at = monotonic()
            start_thread(read, stream, rank)
        with self._news:
            while open_questions and (left := end - monotonic()) > 0:
                self._news.wait(left)
                if first and answered:
                    end, first = min(end, monotonic() + GRACE_S), False
            for stream in open_questions.values():
                stream.state = "asked"
        cancelled = [stream for stream, _ in asked if isinstance(stream.error, Cancelled)]
        if cancelled:
            for stream in cancelled:
                stream.state, stream.error = "in", None
            raise Cancelled("You left before the databases answered.")
        return [stream for stream, _ in asked if stream.state != "in"]

    def _go_on_without(self, lost: Sequence[Stream], number: int) -> None:
        """Go on without some databases: of their rows stay those that stand before the page that was asked for."""
        known = max(each for each in self._splits if each <= number)
        for at, stream in enumerate(self.streams):
            if stream in lost:
                self._cut[at] = self._splits[known][at]
        for each in [each for each in self._splits if each > known]:
            del self._splits[each]
        self.shrunk = True
        self._told()

    # Merging

    def _order(self, at: int, row: Session) -> tuple[Any, ...]:
        """What rows are compared by; ``at`` is the place of their stream."""
        value: Any = _VALUES[self.sort.key](row)
        missing = value is None
        return (not missing, "" if missing else value, row.id, -at if self.sort.descending else at)

    def _row(self, at: int, rank: int) -> Session | None:
        """A row of a stream; None behind what the list has of it."""
        return None if rank >= self._cut.get(at, rank + 1) else self.streams[at].row(rank)

    def _next(self, ranks: Sequence[int]) -> int | None:
        """Which stream has the row that follows on these ranks."""
        rows = [(at, self._row(at, rank)) for at, rank in enumerate(ranks)]
        keys = [(self._order(at, row), at) for at, row in rows if row is not None]
        if not keys:
            return None
        return (max if self.sort.descending else min)(keys)[1]

    def _before(self, ranks: Sequence[int]) -> int | None:
        """Which stream has the row that stands just before these ranks."""
        rows = [(at, self._row(at, rank - 1)) for at, rank in enumerate(ranks) if rank > 0]
        keys = [(self._order(at, row), at) for at, row in rows if row is not None]
        if not keys:
            return None
        return (min if self.sort.descending else max)(keys)[1]

    def _merged(self, number: int, split: tuple[int, ...]) -> tuple[MergedSession, ...]:
        """The rows from a split on; the next split is then known."""
        ranks = list(split)
        rows: list[MergedSession] = []
        self._need(list(enumerate(ranks)))
        while len(rows) < self.page_size:
            at = self._next(ranks)
            if at is None:
                break
            row = self._row(at, ranks[at])
            assert row is not None
            rows.append(MergedSession(self.streams[at].name, row))
            ranks[at] += 1
            self._need([(at, ranks[at])])
        if len(rows) == self.page_size:
            self._splits[number + 1] = tuple(ranks)
        return tuple(rows)

    def _split(self, number: int) -> tuple[int, ...] | None:
        """The split of a page; None where the list ends before it."""
        below = max(each for each in self._splits if each <= number)
        if number - below > WALK:
            ends = self._ends()
            if ends is not None:
                wanted = number * self.page_size
                left = sum(ends) - wanted
                if left <= 0:
                    return None
                near = left <= WALK * self.page_size
                split = self._back(ends, left) if near else self._chosen(ends, wanted)
                self._splits[number] = split
                return split
        above = min((each for each in self._splits if each >= number), default=None)
        if above is not None and above - number < number - below:
            for each in range(above, number, -1):
                self._splits[each - 1] = self._back(self._splits[each], self.page_size)
            return self._splits[number]
        for each in range(below, number):
            if len(self._merged(each, self._splits[each])) < self.page_size:
                return None
        return self._splits.get(number)

    def _back(self, split: Sequence[int], rows: int) -> tuple[int, ...]:
        """The split that is so many rows before another one."""
        ranks = list(split)
        self._need([(at, rank - 1) for at, rank in enumerate(ranks) if rank > 0])
        for _ in range(rows):
            at = self._before(ranks)
            if at is None:
                break
            ranks[at] -= 1
            if ranks[at] > 0:
                self._need([(at, ranks[at] - 1)])
        return tuple(ranks)

    def _ends(self) -> tuple[int, ...] | None:
        """How many rows each has in the list, where all were counted to the end."""
        self._start_counting()
        with self._news:
            self._news.wait_for(lambda: not self._counting or self._total().exact, COUNT_S)
            return tuple(self._known(at).value for at in range(len(self.streams))) if self._total().exact else None

    def _chosen(self, ends: Sequence[int], wanted: int) -> tuple[int, ...]:
        """The split with ``wanted`` rows before it.

        Of each stream the row in the middle of what is still in question is looked at. The last of these rows in
        order cannot be among the wanted ones if all up to them are more than that; else the first of them is.
        """
        low, high = [0] * len(ends), list(ends)
        falling = self.sort.descending
        while open_ones := [at for at in range(len(ends)) if low[at] < high[at]]:
            middle = {at: (low[at] + high[at]) // 2 for at in open_ones}
            self._need(list(middle.items()))
            keys = []
            for at, rank in middle.items():
                row = self._row(at, rank)
                if row is None:  # fewer rows than were counted
                    high[at] = rank
                    break
                keys.append((self._order(at, row), at))
            else:
                first = (max if falling else min)(keys)[1]
                last = (min if falling else max)(keys)[1]
                up_to_them = sum(middle[at] + 1 if at in middle else low[at] for at in range(len(ends)))
                if up_to_them > wanted:
                    high[last] = middle[last]
                else:
                    low[first] = middle[first] + 1
        return tuple(low)


class _Lost(Exception):
    """Some databases failed or fell silent."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        super().__init__()
        self.streams = tuple(streams)


_VALUES: dict[str, Callable[[Session], Any]] = {
    "updated": lambda row: row.updated_at,
    "created": lambda row: row.created_at,
    "title": lambda row: row.title,
    "status": lambda row: row.store_status,
    "tool": lambda row: row.tool,
    "id": lambda row: "",
}
