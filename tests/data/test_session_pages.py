"""Numbered pages of sessions: the same rows in whatever order the pages are asked for, on every dialect."""

from __future__ import annotations

import random
from typing import Any

import pytest

from agor_tui.filters import SessionFilter
from agor_tui.records import Count, Sort, SortKey
from agor_tui.services.browser import Browser
from agor_tui.services.session_pages import SessionPages

from .test_repositories import World

pytestmark = pytest.mark.libsql

TOTAL = 45
SIZE = 6
LAST = (TOTAL - 1) // SIZE


class SmallPages(SessionPages):
    """Pages of six."""

    cap = 10

    def __init__(self, browser: Browser, filter: SessionFilter, sort: Sort) -> None:
        super().__init__(browser, filter, sort, SIZE)


@pytest.fixture
def filled(native: Browser) -> Browser:
    """A native database with 45 sessions."""
    world = World(native)
    for number in range(TOTAL):
        world.session(number, title=f"title {number % 7}")
    return native


class Watched:
    """A browser that remembers how pages were asked for."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.offsets: list[int] = []

    def session_page(self, *args: Any, **asked: Any) -> Any:
        """Remember the rows skipped."""
        self.offsets.append(asked.get("offset", 0))
        return self._browser.session_page(*args, **asked)

    def session_count(self, *args: Any) -> Count:
        """Pass on."""
        return self._browser.session_count(*args)


@pytest.mark.parametrize("key", ["updated", "title", "id"])
@pytest.mark.parametrize("counted", [False, True])
def test_pages_are_the_list_in_any_order_of_asking(filled: Browser, key: SortKey, counted: bool) -> None:
    sort = Sort(key, descending=key == "updated")
    whole = [row.id for row in filled.session_page(SessionFilter(), sort, limit=0).rows]
    assert len(whole) == TOTAL
    for seed in range(6):
        pages = SmallPages(filled, SessionFilter(), sort)
        if counted:
            assert list(pages.counts()) == [Count(10, False), Count(TOTAL)]
        order = list(range(LAST + 2)) * 2
        random.Random(seed).shuffle(order)
        for number in order:
            assert [row.id for row in pages.page(number)] == whole[number * SIZE : (number + 1) * SIZE], order


def test_pages_next_to_known_ones_and_the_last_skip_no_rows(filled: Browser) -> None:
    watched: Any = Watched(filled)
    pages = SmallPages(watched, SessionFilter(), Sort())
    list(pages.counts())
    for number in (0, 1, 2, LAST, LAST - 1, LAST - 2, 3):
        assert pages.page(number)
    assert watched.offsets == [0] * 7


def test_a_jump_into_the_middle_skips_from_the_nearest_place(filled: Browser) -> None:
    watched: Any = Watched(filled)
    pages = SmallPages(watched, SessionFilter(), Sort())
    list(pages.counts())
    for number in (0, 2, LAST - 1, LAST - 3):
        assert pages.page(number)
    assert watched.offsets == [0, SIZE, TOTAL - (LAST * SIZE), SIZE]


def test_a_small_list_is_counted_once(native: Browser) -> None:
    pages = SmallPages(native, SessionFilter(), Sort())
    assert list(pages.counts()) == [Count(0)]
    assert pages.page(0) == ()
    assert pages.page(3) == ()
