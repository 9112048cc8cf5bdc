"""A fault in one screen closes that screen, says so and is logged; the app goes on, and every other screen with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from types import MethodType
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from agor_tui import paths
from agor_tui.config.places import SqlitePlace
from agor_tui.errors import NotFoundError
from agor_tui.services.configuration import Configuration
from agor_tui.tui import enduring
from agor_tui.tui.app import AgorApp
from agor_tui.tui.asking import ask
from agor_tui.tui.screens.board import BoardScreen
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.databases import DatabasesScreen
from agor_tui.tui.screens.error import ErrorScreen
from agor_tui.tui.screens.help import HelpScreen
from agor_tui.tui.screens.migrations import MigrationsScreen
from agor_tui.tui.screens.session import SessionScreen
from agor_tui.tui.screens.settings import SettingsScreen
from agor_tui.tui.screens.sort import SortModal
from agor_tui.tui.widgets.header_bar import HeaderBar

from .lists import screen_text, until
from .session_app import NOW, opened

Main = BrowserScreen | BoardScreen | DatabasesScreen | MigrationsScreen | SettingsScreen
MAIN: dict[str, type[Screen[Any]]] = {
    "2": BoardScreen,
    "3": DatabasesScreen,
    "4": MigrationsScreen,
    "5": SettingsScreen,
    "1": BrowserScreen,
}
SECRET = "sk-live-0123456789abcdef"


class Broken(Exception):
    """What the tests let happen."""


def broken(*_: object, **__: object) -> Any:
    raise Broken(f"postgresql://agor:{SECRET}@db.example/agor")


@asynccontextmanager
async def running(place: SqlitePlace) -> AsyncIterator[Pilot[None]]:
    """The app with the list of a database; a fault that a test has not looked at fails it in the end."""
    with opened(place) as browser:
        app = AgorApp(lambda: browser, clock=lambda: NOW, configuration=Configuration())
        app.animation_level = "none"
        app.preferences = replace(app.preferences, live=False)
        async with app.run_test(size=(120, 30), notifications=True) as pilot:
            await until(pilot, lambda: list_is_there(pilot))
            yield pilot


def list_is_there(pilot: Pilot[None]) -> bool:
    screen = pilot.app.get_screen_stack("sessions")[0]
    if not isinstance(screen, BrowserScreen) or not screen.is_mounted:
        return False
    return bool(screen.table.count.value) and not screen.table.busy


async def shows(pilot: Pilot[None], kind: type[Screen[Any]]) -> Any:
    """Wait for a screen of this kind in front; return it."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted)
    return pilot.app.screen


async def fault_is_said(pilot: Pilot[None], *sentences: str) -> None:
    """The fault is on the screen and in the log, and its secret on neither."""

    def said() -> str:
        return " ".join(screen_text(pilot).split())

    while pilot.app._exception is None or any(screen in pilot.app._failed for screen in pilot.app.screen_stack):
        await asyncio.sleep(0.005)  # not by the pilot: it draws by itself, and what is broken may be that
    await until(pilot, lambda: "(Broken)" in said())
    assert [sentence for sentence in sentences if sentence not in said()] == [], said()
    log = paths.log_file().read_text()
    assert log.count("--- 20") == 1, log
    assert SECRET not in log + said()
    forgive(pilot)


def forgive(pilot: Pilot[None]) -> None:
    """Textual's pilot fails with the first fault of an app, even with one that it has lived through."""
    assert isinstance(pilot.app._exception, Broken)
    pilot.app._exception = None
    pilot.app._exception_event.clear()
    paths.log_file().unlink()


async def is_usable(pilot: Pilot[None]) -> None:
    """Every main screen can be gone to, and a session be opened from the list."""
    for key, kind in MAIN.items():
        await pilot.press(key)
        await shows(pilot, kind)
    await until(pilot, lambda: list_is_there(pilot))
    await pilot.press("enter")
    await shows(pilot, SessionScreen)
    await pilot.press("escape")
    await shows(pilot, BrowserScreen)
    assert not paths.log_file().exists()


def a_widget(screen: Screen[Any]) -> Widget:
    return next(widget for widget in screen.query(Widget).results() if widget.size and not widget.children)


def own(widget: Widget) -> Callable[..., None]:
    """A method of the widget that fails."""

    def fails(self: Widget, *_: object) -> None:
        broken(self)

    return MethodType(fails, widget)


def draw_wrong(screen: Screen[Any]) -> None:
    widget = a_widget(screen)
    widget.render_lines = own(widget)  # type: ignore[assignment]
    widget.refresh()


def measure_wrong(screen: Screen[Any]) -> None:
    screen._compositor.reflow = broken  # type: ignore[method-assign]
    screen.refresh(layout=True)


def fail_for_a_key(screen: Screen[Any]) -> None:
    screen.action_fail = own(screen)  # type: ignore[attr-defined]
    screen.app.call_later(screen.run_action, "fail")


def fail_in_a_watcher(screen: Screen[Any]) -> None:
    screen.watch(screen.app, "upkept", own(screen), init=False)
    screen.app.call_later(setattr, screen.app, "upkept", screen.app.upkept + 1)  # type: ignore[attr-defined]


def fail_to_say_which_keys(screen: Screen[Any]) -> None:
    screen.check_action = own(screen)  # type: ignore[assignment]
    screen.app.call_later(screen.run_action, "dismiss")


WAYS: dict[str, Callable[[Screen[Any]], object]] = {
    "a callback": lambda screen: screen.call_later(broken),
    "after a refresh": lambda screen: screen.call_after_refresh(own(screen)),
    "a widget of it": lambda screen: a_widget(screen).call_later(broken),
    "a timer": lambda screen: screen.set_timer(0.001, broken),
    "a timer again and again": lambda screen: a_widget(screen).set_interval(0.001, broken),
    "an answer from a thread": lambda screen: ask(screen, lambda: 1, broken, broken),
    "drawing": draw_wrong,
    "layout": measure_wrong,
    "a key": fail_for_a_key,
    "a watcher": fail_in_a_watcher,
    "which keys there are": fail_to_say_which_keys,
}
"""What can fail in a screen that is shown."""


@pytest.fixture
def far_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fault of a test counts as if it were the first one for long."""
    monkeypatch.setattr(enduring, "SPELL_S", 0.0)


@pytest.mark.usefixtures("far_between")
async def test_a_fault_in_a_dialog_closes_the_dialog(family: SqlitePlace) -> None:
    async with running(family) as pilot:
        for way, fail in WAYS.items():
            await pilot.press("s")
            fail(await shows(pilot, SortModal))
            await fault_is_said(pilot, "The sort dialog was closed.")
            await pilot.press("escape")
            await shows(pilot, BrowserScreen)
            assert len(pilot.app.screen_stack) == 1, way
        await is_usable(pilot)


@pytest.mark.usefixtures("far_between")
async def test_a_fault_in_a_screen_closes_it_with_what_lies_over_it(family: SqlitePlace) -> None:
    async with running(family) as pilot:
        for way, fail in WAYS.items():
            await pilot.press("enter")
            screen = await shows(pilot, SessionScreen)
            await pilot.press("question_mark")
            await shows(pilot, HelpScreen)
            fail(screen)
            await fault_is_said(pilot, "The session screen was closed.")
            await pilot.press("escape")
            await shows(pilot, BrowserScreen)
            assert len(pilot.app.screen_stack) == 1, way
        await is_usable(pilot)


@pytest.mark.usefixtures("far_between")
@pytest.mark.parametrize(("key", "name"), [("1", "browser"), ("2", "board"), ("5", "settings")])
async def test_a_fault_in_a_main_screen_makes_it_anew(key: str, name: str, family: SqlitePlace) -> None:
    async with running(family) as pilot:
        for way, fail in WAYS.items():
            await pilot.press(key)
            before = await shows(pilot, MAIN[key])
            fail(before)
            await fault_is_said(pilot, f"The {name} screen was made anew.")
            await pilot.press("escape")
            assert await shows(pilot, MAIN[key]) is not before, way
            assert len(pilot.app.screen_stack) == 1, way
        await is_usable(pilot)


@pytest.mark.usefixtures("far_between")
async def test_a_fault_in_a_main_screen_that_is_not_shown(family: SqlitePlace) -> None:
    """It is made anew when it is gone to."""
    async with running(family) as pilot:
        await pilot.press("2")
        before = await shows(pilot, BoardScreen)
        await pilot.press("1")
        await shows(pilot, BrowserScreen)
        before.call_later(broken)
        await fault_is_said(pilot, "The board screen was closed.")
        await pilot.press("escape", "2")
        assert await shows(pilot, BoardScreen) is not before
        await is_usable(pilot)


@pytest.mark.usefixtures("far_between")
@pytest.mark.parametrize("name", ["__init__", "half of __init__", "compose", "on_mount", "on_screen_resume", "CSS"])
async def test_a_dialog_that_cannot_be_made(name: str, family: SqlitePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(family) as pilot:
        with monkeypatch.context() as patch:
            if name == "CSS":
                patch.setattr(SortModal, "CSS", "SortModal { height: 1xy; }")
            elif name == "half of __init__":
                patch.setattr(SortModal, "__init__", lambda self, *_, **__: broken(self))
            else:
                patch.setattr(SortModal, name, broken, raising=False)
            await pilot.press("s")
            if name == "CSS":
                await until(pilot, lambda: pilot.app._exception is not None)
                pilot.app._exception = Broken()
                await shows(pilot, ErrorScreen)
                forgive(pilot)
            else:
                await fault_is_said(pilot)
        await pilot.press("escape")
        await shows(pilot, BrowserScreen)
        assert len(pilot.app.screen_stack) == 1
        await is_usable(pilot)


@pytest.mark.parametrize("name", ["__init__", "compose", "on_mount", "on_screen_resume"])
async def test_a_main_screen_that_cannot_be_made_gives_way_to_another(
    name: str, family: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(family) as pilot:
        with monkeypatch.context() as patch:
            patch.setattr(BoardScreen, name, broken, raising=False)
            await pilot.press("2")
            await until(pilot, lambda: "(Broken)" in screen_text(pilot))
            await pilot.press("escape")
            await shows(pilot, BrowserScreen)
            forgive(pilot)
        await is_usable(pilot)


async def test_a_screen_that_fails_as_often_as_it_is_opened(
    family: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user may try for ever."""
    monkeypatch.setattr(enduring, "SPELL_S", 0.1)
    async with running(family) as pilot:
        with monkeypatch.context() as patch:
            patch.setattr(SortModal, "on_mount", broken)
            for _ in range(2 * enduring.MOST):
                await pilot.press("s")
                await fault_is_said(pilot, "The sort dialog was closed.")
                await pilot.press("escape")
                await shows(pilot, BrowserScreen)
                await pilot.pause(0.1 / enduring.MOST * 2)
        await is_usable(pilot)


@pytest.mark.usefixtures("far_between")
async def test_a_fault_of_the_app_itself(family: SqlitePlace) -> None:
    """It closes no screen, and keys are taken as before."""
    async with running(family) as pilot:
        for fail in (
            lambda app: app.call_later(broken),
            lambda app: app.call_next(broken),
            lambda app: app.set_timer(0.001, broken),
            lambda app: app.set_interval(0.001, broken),
            lambda app: ask(app, lambda: 1, broken, broken),
        ):
            fail(pilot.app)
            await fault_is_said(pilot, "Something failed that should not")
            assert "was closed" not in screen_text(pilot)
            await pilot.press("escape")
            await shows(pilot, BrowserScreen)
        await is_usable(pilot)


@pytest.mark.usefixtures("far_between")
async def test_a_fault_of_the_screen_that_says_what_failed(family: SqlitePlace) -> None:
    """It is said in a corner instead."""
    async with running(family) as pilot:
        pilot.app.show_error(NotFoundError("There is none."))  # type: ignore[attr-defined]
        (await shows(pilot, ErrorScreen)).call_later(broken)
        await fault_is_said(pilot, "The error screen was closed.")
        await shows(pilot, BrowserScreen)
        await is_usable(pilot)


async def test_what_fails_on_every_screen_ends_the_app_with_a_sentence(
    family: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(family) as pilot:
        monkeypatch.setattr(HeaderBar, "render_line", broken)
        pilot.app.screen.query_one(HeaderBar).refresh()
        while not pilot.app._exit:
            await asyncio.sleep(0.01)
        assert pilot.app.return_code == 1
        pilot.app._exception = None
    log = paths.log_file().read_text()
    assert SECRET not in log
    assert log.count("--- 20") < 4 * enduring.MOST


async def test_what_is_sought_in_a_screen_that_goes_is_no_fault(
    family: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SortModal, "on_unmount", lambda self: self.query_one("#none"), raising=False)
    async with running(family) as pilot:
        await pilot.press("s")
        dialog = await shows(pilot, SortModal)
        await pilot.press("escape")
        dialog.call_later(dialog.query_one, "#none")
        ask(dialog, lambda: 1, broken, broken)
        await is_usable(pilot)


async def test_what_is_sought_in_a_screen_that_comes_while_the_app_goes_is_no_fault(
    family: SqlitePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_mount(self: SortModal) -> None:
        self.app.exit()
        self.query_one("#none")

    monkeypatch.setattr(SortModal, "on_mount", on_mount)
    async with running(family) as pilot:
        pilot.app.post_message(events.Key("s", "s"))  # the pilot would wait for the app
        while not pilot.app._exit:
            await asyncio.sleep(0.01)
    assert not paths.log_file().exists()


@pytest.mark.usefixtures("far_between")
@pytest.mark.parametrize("way", ["a callback", "a widget of it", "drawing", "a watcher", "a timer"])
async def test_a_screen_that_has_failed_takes_no_part_any_more(way: str, family: SqlitePlace) -> None:
    """What it has watched changes, and it is not asked to show it."""
    async with running(family) as pilot:
        app = pilot.app
        assert isinstance(app, AgorApp)
        for key in ("3", "2", "1"):
            await pilot.press(key)
            WAYS[way](await shows(pilot, MAIN[key]))
            await fault_is_said(pilot, "was made anew.")
            await pilot.press("escape")
            await shows(pilot, MAIN[key])
            app.opening = True
            app.opening = False
            app.changed += 1
            app.upkept += 1
            app.preferences = replace(app.preferences, times="iso")
            app.preferences = replace(app.preferences, times="relative")
            await pilot.pause()
        await is_usable(pilot)


async def test_a_worker_of_a_screen_that_is_gone_is_no_fault(family: SqlitePlace) -> None:
    """As that of the palette, which is closed before it has found the commands."""
    async with running(family) as pilot:
        await pilot.press("s")
        dialog = await shows(pilot, SortModal)
        gone = asyncio.Event()

        async def work() -> None:
            await gone.wait()
            dialog.query_one("#none")

        worker = pilot.app.run_worker(work())
        await pilot.press("escape")
        await shows(pilot, BrowserScreen)
        gone.set()
        await until(pilot, lambda: worker.is_finished)
        assert not paths.log_file().exists()
        assert isinstance(pilot.app.screen, BrowserScreen)
