"""Sessions that several databases of one program have: each is listed once, as it is where it was changed last.

OpenCode and Kilo keep a file for each channel that they were installed from, and bring sessions from one to another.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agor_tui.errors import AgorError, Cancelled
from agor_tui.filters import SessionFilter
from agor_tui.records import Count, Cursor, Page, Session, Sort

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

_IN_CHANNELS = ("opencode", "kilo")
"""The kinds of databases that share sessions, each among its own."""
_NEVER = datetime.min.replace(tzinfo=UTC)


class Twins:
    """Which sessions of ``browsers`` another of them has, too; of equal ones the first database's count.

    What the databases hold is asked once, when it is first needed, in the thread that needs it.
    """

    def __init__(self, browsers: Mapping[str, Browser]) -> None:
        self._browsers = dict(browsers)
        self._older: dict[str, dict[str, str]] | None = None
        self._guard = threading.Lock()

    def of_same(self, browsers: Mapping[str, Browser]) -> bool:
        """Tell whether this is about ``browsers``."""
        return self._browsers == dict(browsers)

    def older(self, name: str) -> Mapping[str, str]:
        """The ids of the sessions of a database that another one has newer, each with that one's name."""
        with self._guard:
            if self._older is None:
                self._older = self._compared()
            return self._older.get(name, {})

    def told(self, name: str) -> str:
        """Half a sentence on the sessions of a database that are left out; empty for none, or where none is known."""
        older = (self._older or {}).get(name, {})
        if not older:
            return ""
        number, others = len(older), " and ".join(sorted(set(older.values())))
        return f"{number:,} session{'' if number == 1 else 's'} listed as in {others}, where {_they(number)} newer"

    def _compared(self) -> dict[str, dict[str, str]]:
        older: dict[str, dict[str, str]] = {}
        for kind in _IN_CHANNELS:
            names = [name for name, browser in self._browsers.items() if browser.info.kind == kind]
            if len(names) < 2:
                continue
            newest: dict[str, tuple[str, datetime]] = {}
            for name in names:
                try:
                    changes = self._browsers[name].session_changes()
                except Cancelled:
                    raise
                except AgorError:  # the list, which asks the same database, says what is wrong
                    continue
                for id, changed in changes:
                    when = changed or _NEVER
                    held = newest.get(id)
                    if held is None:
                        newest[id] = (name, when)
                    elif when > held[1]:
                        older.setdefault(held[0], {})[id] = name
                        newest[id] = (name, when)
                    else:
                        older.setdefault(name, {})[id] = held[0]
            for ids in older.values():  # of three, the one that has it newest
                ids.update({id: newest[id][0] for id in ids if id in newest})
        return older


class Once:
    """The sessions of one database without those that another one has newer."""

    def __init__(self, name: str, browser: Browser, twins: Twins) -> None:
        self._name = name
        self._browser = browser
        self._twins = twins

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
        return self._browser.session_page(
            self._without(filter), sort, after=after, before=before, offset=offset, limit=limit
        )

    def session_count(self, filter: SessionFilter, cap: int | None = None) -> Count:
        """As ``Browser.session_count``."""
        return self._browser.session_count(self._without(filter), cap)

    def _without(self, filter: SessionFilter) -> SessionFilter:
        return replace(filter, hidden=tuple(sorted(self._twins.older(self._name))))


def _they(number: int) -> str:
    return "it is" if number == 1 else "they are"
