"""Pictures of the session browser, at several sizes and in both themes, and of its states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from agor_tui.tui.app import AgorApp
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.error import ErrorScreen
from agor_tui.tui.themes import DARK, LIGHT
from agor_tui.tui.widgets.filter_line import FilterInput
from agor_tui.tui.widgets.record_table import RecordTable

from ..builders.agor import build_sqlite
from .lists import screen_text, until

NOW = datetime(2025, 10, 12, 12, 0, tzinfo=UTC)
Compare = Callable[..., bool]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small and nasty Agor database."""
    path = tmp_path_factory.mktemp("pictures") / "agor.db"
    build_sqlite(path, "2026")
    return path


def app_on(path: Path, theme: str = DARK.name) -> AgorApp:
    """The app with what differs between machines fixed."""

    def connect() -> Browser:
        browser = open_database(str(path), environ={})
        browser.info = replace(browser.info, server_version="3.50")
        return browser

    app = AgorApp(connect, clock=lambda: NOW, theme=theme)
    app.animation_level = "none"
    return app


def after(*keys: str, until_true: Callable[[BrowserScreen], bool] = lambda screen: True) -> Any:
    """Press keys once the list and its panel are there, then wait until something is so."""

    async def run(pilot: Pilot[None]) -> None:
        screen = pilot.app.screen_stack[0]
        assert isinstance(screen, BrowserScreen)
        await until(pilot, lambda: bool(screen.query(RecordTable)))
        await until(pilot, lambda: screen.table.count.exact and not screen.table.busy)
        await pilot.press(*keys)
        await until(pilot, lambda: until_true(screen) and not screen.table.busy)
        await until(pilot, lambda: not screen.panel.display or screen.table.current is None or screen.panel.filled)

    return run


@pytest.mark.parametrize(
    ("size", "theme"),
    [((80, 24), DARK), ((80, 24), LIGHT), ((160, 48), DARK), ((160, 48), LIGHT), ((40, 10), DARK), ((90, 50), LIGHT)],
    ids=["narrow-dark", "narrow-light", "wide-dark", "wide-light", "smallest", "tall-light"],
)
def test_the_list(snap_compare: Compare, path: Path, size: tuple[int, int], theme: Any) -> None:
    """Every status by its shape, numbers to the right, at the end a family; markup and wide characters as they are."""
    assert snap_compare(app_on(path, theme.name), terminal_size=size, run_before=after("end"))


def test_nothing_fits(snap_compare: Compare, path: Path) -> None:
    """Says which filter, and how to take it away."""
    assert snap_compare(app_on(path), terminal_size=(100, 24), run_before=typed("zebra", "enter", "0 of 21"))


def typed(text: str, key: str, shown: str) -> Any:
    """Write a filter at once (a pause in it would have the list follow the half), press a key, wait for what shows."""

    async def run(pilot: Pilot[None]) -> None:
        await after("slash")(pilot)
        pilot.app.screen_stack[0].query_one(FilterInput).value = text
        await pilot.press(key)
        await until(pilot, lambda: shown in screen_text(pilot))

    return run


def test_a_filter_with_a_fault(snap_compare: Compare, path: Path) -> None:
    """The word at fault is underlined, under it stands why."""

    assert snap_compare(app_on(path), terminal_size=(100, 24), run_before=typed("stat:x", "enter", "filter by"))


def test_completions(snap_compare: Compare, path: Path) -> None:
    """The statuses with a line on each, one chosen."""

    async def choose(pilot: Pilot[None]) -> None:
        await typed("status:", "down", "awaiting_permission")(pilot)
        await pilot.press("down")

    assert snap_compare(app_on(path), terminal_size=(100, 24), run_before=choose)


def test_going_to_an_id(snap_compare: Compare, path: Path) -> None:
    """Four twins, each by the shortest prefix that sets it apart."""

    async def run(pilot: Pilot[None]) -> None:
        await after("g")(pilot)
        await pilot.press(*"0199cc69")
        await until(pilot, lambda: pilot.app.screen._table.count.value > 0)  # type: ignore[attr-defined]

    assert snap_compare(app_on(path), terminal_size=(100, 24), run_before=run)


def test_choosing_the_order(snap_compare: Compare, path: Path) -> None:
    """The present order is marked."""
    assert snap_compare(app_on(path, LIGHT.name), terminal_size=(80, 24), run_before=after("s"))


def test_help(snap_compare: Compare, path: Path) -> None:
    """All keys in groups and the filter language."""
    assert snap_compare(app_on(path), terminal_size=(100, 50), run_before=after("question_mark"))


def test_an_error(snap_compare: Compare, path: Path) -> None:
    """Title, sentence, hint, and the keys that lead on."""

    async def run(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: isinstance(pilot.app.screen, ErrorScreen))

    app = AgorApp(lambda: open_database("/nowhere/agor.db", environ={}), clock=lambda: NOW)
    assert snap_compare(app, terminal_size=(80, 24), run_before=run)


def test_opening(snap_compare: Compare) -> None:
    """The frame, before there is a database."""
    import threading

    def never() -> Browser:
        threading.Event().wait(10)
        raise AssertionError

    async def run(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: bool(pilot.app.screen.query(RecordTable)))

    assert snap_compare(AgorApp(never, clock=lambda: NOW), terminal_size=(80, 24), run_before=run)
