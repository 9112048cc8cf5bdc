"""Several databases at once: opened side by side for reading, and asked as if they were one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Literal, TypeVar

from agor_tui import folders
from agor_tui.errors import AgorError, AmbiguousIdError, NotFoundError, UsageError
from agor_tui.filters import SessionFilter
from agor_tui.records import Ambiguity, Count, Kind, Match, Sort, SortKey
from agor_tui.services.merged_pages import MergedPages
from agor_tui.services.merged_stream import LIMIT_S, Stream, start_thread
from agor_tui.services.merged_twins import Once, Twins
from agor_tui.services.session_pages import PAGE

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

T = TypeVar("T")

OPENING_LIMIT_S = 5.0
"""After so long a database that is being opened is said to give no answer; it is in the list when it comes."""
MOST_LISTED = 20
"""So many rows an ambiguous id is listed with."""


class Member:
    """One of the databases. ``state``: it is ``opening``, ``open``, or ``failed`` with ``error``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: Literal["opening", "open", "failed"] = "opening"
        self.browser: Browser | None = None
        self.error: AgorError | None = None
        self.asked_at = monotonic()
        self.attempt = 0

    @property
    def slow(self) -> bool:
        """Whether it has been opening for longer than it should take."""
        return self.state == "opening" and monotonic() - self.asked_at >= OPENING_LIMIT_S


class MergedBrowser:
    """The databases ``names``, each opened by ``open`` in a thread of its own.

    ``told`` is called, in any thread, when one has answered, failed or fallen silent. What is asked of all is asked of
    those that are open, each with a time limit; one that does not answer is left out.
    """

    def __init__(self, names: Sequence[str], open: Callable[[str], Browser], told: Callable[[], object]) -> None:
        self.members = tuple(Member(name) for name in dict.fromkeys(names))
        self._open = open
        self._told = told
        self._guard = threading.Lock()
        self._closed = False
        self._twins = Twins({})

    # Opening and closing

    def start(self) -> None:
        """Begin to open all that are not open; those under way as well, since they may never answer."""
        self._twins = Twins({})  # what changed since is asked anew
        for member in self.members:
            with self._guard:
                if member.state == "open":
                    continue
                member.state, member.error = "opening", None
                member.asked_at = monotonic()
                member.attempt += 1
                attempt = member.attempt
            start_thread(self._open_member, member, attempt)

    def _open_member(self, member: Member, attempt: int) -> None:
        browser: Browser | None = None
        error: AgorError | None = None
        try:
            browser = self._open(member.name)
            browser.default_sort  # noqa: B018 - asked here, where it may take its time; the browser remembers it
        except AgorError as problem:
            error = problem
        except Exception as problem:  # whatever it is, the user gets a sentence
            from agor_tui.services.faults import unexpected

            error = unexpected(problem)
        with self._guard:
            unwanted = self._closed or member.state == "open" or (error is not None and attempt != member.attempt)
            if not unwanted:
                member.error = error
                member.browser = browser if error is None else None
                member.state = "open" if error is None else "failed"
        if browser is not None and (unwanted or error is not None):
            _close(browser)
        if not unwanted:
            self._told()

    def close(self) -> None:
        """Close all; what they still do for us is cancelled. Blocks as long as they need for that."""
        with self._guard:
            self._closed = True
        for member in self.opened:
            if member.browser is not None:
                _close(member.browser)

    def cancel(self) -> None:
        """Stop what is asked of the databases now."""
        for browser in self.browsers.values():
            with contextlib.suppress(AgorError):
                browser.cancel()

    @property
    def opened(self) -> tuple[Member, ...]:
        """Those that are open."""
        return tuple(member for member in self.members if member.state == "open")

    @property
    def browsers(self) -> Mapping[str, Browser]:
        """Those that are open, by name."""
        return {member.name: member.browser for member in self.members if member.browser is not None}

    # Sessions

    @property
    def twins(self) -> Twins:
        """Which sessions several of those that are open have."""
        browsers = self.browsers
        if not self._twins.of_same(browsers):
            self._twins = Twins(browsers)
        return self._twins

    @property
    def sorts(self) -> tuple[SortKey, ...]:
        """The keys that all of them can be sorted by."""
        common: tuple[SortKey, ...] | None = None
        for browser in self.browsers.values():
            common = browser.sorts if common is None else tuple(key for key in common if key in browser.sorts)
        return common or ()

    @property
    def default_sort(self) -> Sort:
        """Newest change first; newest first of all where a database would need a long sort for its changes.

        One list has one order: a database that lists by creation makes all of them do so.
        """
        sorts = [browser.default_sort for browser in self.browsers.values()]
        return next((sort for sort in sorts if sort.key != "updated"), Sort("updated"))

    def pages(
        self, filter: SessionFilter, sort: Sort, before: MergedPages | None = None, page_size: int = PAGE
    ) -> MergedPages:
        """The sessions of those that are open; answers that came too late for the list ``before`` are in this one."""
        same = before is not None and (before.filter, before.sort, before.page_size) == (filter, sort, page_size)
        late = {
            stream.name: stream
            for stream in (before.streams if before is not None and same else ())
            if stream.state in ("late", "asked") and stream.browser is self.browsers.get(stream.name)
        }
        for stream in late.values():
            if stream.state == "late":
                stream.state = "in"
        twins = self.twins
        streams = [
            late.get(name) or Stream(name, browser, Once(name, browser, twins), filter, sort, page_size)
            for name, browser in self.browsers.items()
        ]
        return MergedPages(streams, filter, sort, self._told, page_size)

    def session_count(self, filter: SessionFilter) -> Count:
        """How many sessions there are in all that answer in time."""
        twins = self.twins
        names = {id(browser): name for name, browser in self.browsers.items()}
        counts = self._ask_all(lambda browser: Once(names.get(id(browser), ""), browser, twins).session_count(filter))
        return Count(sum(count.value for count in counts.values()), len(counts) == len(self.members))

    def explain_filter(self, filter: SessionFilter) -> tuple[str, ...]:
        """A sentence for each name in a filter that none of them knows."""
        notes = list(self._ask_all(lambda browser: browser.explain_filter(filter)).values())
        if not notes:
            return ()
        # The nearest known name, behind the semicolon, is another one in each database.
        said = [{note.partition(";")[0].rstrip(".") for note in each} for each in notes]
        common = set.intersection(*said)
        return tuple(note for note in notes[0] if note.partition(";")[0].rstrip(".") in common)

    def filter_values(self, field: str) -> tuple[str, ...]:
        """The values that completion offers for a field of the filter."""
        found = self._ask_all(lambda browser: browser.filter_values(field))
        return folders.once(value for values in found.values() for value in values)

    # Ids

    def candidates(self, prefix: str, kinds: tuple[Kind, ...]) -> Ambiguity:
        """How many rows a prefix fits in all of them, and the first 20, each with its database.

        Raises:
            UsageError: it is no id in any of them.
        """
        wrong: list[UsageError] = []

        def ask(browser: Browser) -> Ambiguity | None:
            try:
                return browser.candidates(prefix, kinds)
            except UsageError as error:
                wrong.append(error)
                return None

        found = {name: each for name, each in self._ask_all(ask).items() if each is not None}
        if not found and wrong:
            raise wrong[0]
        twins = self.twins
        every = [(name, match) for name, each in found.items() for match in each.matches]
        matches = [
            replace(match, database=name)
            for name, match in every
            if (match.session_id or match.id) not in twins.older(name)
        ]
        text = next((each.prefix for each in found.values()), prefix)
        count = sum(each.count for each in found.values()) - len(every) + len(matches)
        return Ambiguity(text, count, tuple(matches[:MOST_LISTED]))

    def resolve(self, prefix: str, kinds: tuple[Kind, ...]) -> Match:
        """The one row in all of them that an id or a prefix names.

        Raises:
            NotFoundError: none; the nearest id is named. AmbiguousIdError: several.
        """
        found = self.candidates(prefix, kinds)
        if found.count == 1:
            return found.matches[0]
        if found.count:
            raise AmbiguousIdError(f"{found.count} rows have ids beginning with {found.prefix}.", found)

        def nearest(browser: Browser) -> str:
            try:
                browser.resolve(prefix, kinds)
            except AgorError as error:
                return error.hint
            return ""

        hints = [hint for hint in self._ask_all(nearest).values() if hint]
        raise NotFoundError(f"No row has an id beginning with {found.prefix}.", hints[0] if hints else "")

    def _ask_all(self, question: Callable[[Browser], T]) -> dict[str, T]:
        """The answers of those that are open and answer in time, in their order."""
        answers: dict[str, T] = {}

        def ask(name: str, browser: Browser) -> None:
            with contextlib.suppress(AgorError):  # the list, which asks the same database, says what is wrong
                answers[name] = question(browser)

        browsers = self.browsers
        threads = [start_thread(ask, name, browser) for name, browser in browsers.items()]
        end = monotonic() + LIMIT_S
        for thread in threads:
            thread.join(max(0.0, end - monotonic()))
        return {name: answers[name] for name in browsers if name in answers}


def _close(browser: Browser) -> None:
    with contextlib.suppress(AgorError):
        browser.cancel()
        browser.close()
