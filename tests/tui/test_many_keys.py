"""Keys twice, and random keys while the app is late: it is alive afterwards, with nothing in its log."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.keys import _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot
from textual.screen import Screen

from agor_tui import paths
from agor_tui.config.places import Place, SqlitePlace
from agor_tui.services.configuration import Configuration
from agor_tui.tui import asking
from agor_tui.tui.app import AgorApp
from agor_tui.tui.modes import SESSIONS
from agor_tui.tui.screens.browser import BrowserScreen

from ..builders import agor, opencode
from ..keys.pressing import LEAVING, random_keys
from .lists import until
from .session_app import NOW
from .test_databases_screen import configured

KINDS = ("native", "native on PostgreSQL", "agor", "opencode", "all", "none")
MANY = 120
"""Random keys of one test: some seconds."""


def make(kind: str, folder: Path, native: Place, server: Callable[[], Place]) -> Configuration:
    """The settings of a kind; the first database of them opens by itself."""
    places: dict[str, Place | Path] = {}
    if kind in ("native", "all"):
        places["native"] = native
    if kind == "native on PostgreSQL":
        places["server"] = server()
    if kind in ("agor", "all"):
        agor.build_sqlite(folder / "agor.db", "2026", extra=20)
        places["agor"] = folder / "agor.db"
    if kind in ("opencode", "all"):
        opencode.build(folder / "opencode.db")
        places["opencode"] = folder / "opencode.db"
    return configured(folder, places) if places else Configuration()


class Typist:
    """Presses keys without waiting for what they do, in an app that may run late."""

    def __init__(self, app: AgorApp, pilot: Pilot[None], seed: int = 1) -> None:
        self.app = app
        self.pilot = pilot
        self.dice = random.Random(seed)

    def hit(self, *keys: str) -> None:
        """Press keys at once, one after the other."""
        for key in keys:
            self.app.post_message(as_event(key))

    async def wait(self) -> None:
        """Let the app come some way: a few turns of its loop, or some milliseconds, in which it may stand still."""
        turns = self.dice.choice((0, 0, 1, 2, 3, 5, 8, 20, 60))
        for _ in range(turns):
            await asyncio.sleep(0)
        if self.dice.random() < 0.2:
            time.sleep(self.dice.uniform(0, 0.01))
        if self.dice.random() < 0.2:
            await asyncio.sleep(self.dice.uniform(0, 0.03))

    async def go_home(self) -> None:
        """To the list of sessions, everything above it closed."""
        await self.pilot.pause()
        while self.app.current_mode != SESSIONS or len(self.app.screen_stack) > 1:
            self.app.call_later(self.app._to_the_roots)
            self.app.call_later(self.app.action_show, SESSIONS)
            await self.pilot.pause()

    def is_well(self, pressed: Iterable[str]) -> None:
        """Nothing has failed."""
        log = paths.log_file()
        said = log.read_text() if log.exists() else ""
        assert not said, f"{said}\nafter {' '.join(pressed)}"
        assert not self.app._exit


def as_event(key: str) -> events.Key:
    """A key as a terminal's reader tells it."""
    if len(key) == 1:
        return events.Key(_character_to_key(key), key)
    try:
        return events.Key(key, unicodedata.lookup(_get_unicode_name_from_key(key)))
    except KeyError:
        return events.Key(key, None)


@asynccontextmanager
async def typing(configuration: Configuration, *, setup: bool = False) -> AsyncIterator[Typist]:
    """The app on these settings, and who types."""
    app = AgorApp(lambda: configuration.open(None), clock=lambda: NOW, configuration=configuration, setup=setup)
    app.animation_level = "none"
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, lambda: not app.opening and app.screen.is_mounted)
        yield Typist(app, pilot)
        if app.browser is not None:
            app.browser.close()


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs in a thread ends late, each time by another bit."""
    dice, start = random.Random(2), asking.start_thread

    def start_late(work: Callable[..., None], *arguments: object) -> Any:
        pause = dice.choice((0.0, 0.005, 0.05))

        def run() -> None:
            time.sleep(pause)
            work(*arguments)

        return start(run)

    monkeypatch.setattr(asking, "start_thread", start_late)


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The terminal is lent to no other program, and what is exported lies in the test's own folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAGER", "true")
    monkeypatch.setattr(AgorApp, "suspend", contextlib.nullcontext)


WAYS = {
    "sessions": ("", "slash", "s", "r", "x", "question_mark", "ctrl+p", "d", "g"),
    "session": ("enter", "enter a", "enter t", "enter i", "enter slash", "enter e"),
    "board": ("2", "2 b", "2 n"),
    "databases": ("3", "3 slash", "3 e", "3 t", "3 A", "3 c"),
    "others": ("4", "4 v", "5", "5 slash", "5 end enter", "w"),
}
"""The keys that lead from the list of sessions to each screen and dialog."""


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("area", WAYS)
async def test_every_key_of_every_screen_twice(area: str, family: SqlitePlace, tmp_path: Path) -> None:
    seen: set[tuple[str, str]] = set()
    async with typing(configured(tmp_path, {"team": family})) as typist:
        app, pilot = typist.app, typist.pilot

        async def go(way: str) -> Screen[Any]:
            await typist.go_home()
            for key in way.split():
                typist.hit(key)
                await pilot.pause()
            return app.screen

        for way in WAYS[area]:
            for key, active in (await go(way)).active_bindings.items():
                place = (type(active.node).__name__, key)
                if place in seen or key in LEAVING or "quit" in active.binding.action:
                    continue
                seen.add(place)
                await go(way)
                typist.hit(key, key)
                await pilot.pause()
                typist.hit(key, "enter", "enter", "escape", "escape")
                await pilot.pause()
                typist.is_well([*way.split(), key, key, key, "enter", "enter", "escape", "escape"])
    assert len(seen) > 20


@pytest.mark.usefixtures("apart", "late")
@pytest.mark.parametrize("kind", KINDS)
async def test_random_keys(kind: str, request: pytest.FixtureRequest, family: SqlitePlace, tmp_path: Path) -> None:
    configuration = make(kind, tmp_path, family, lambda: request.getfixturevalue("server_family"))
    pressed: list[str] = []
    keys = random_keys(KINDS.index(kind) + 1)
    async with typing(configuration, setup=kind == "none") as typist:
        for _ in range(MANY):
            pressed.append(next(keys))
            typist.hit(pressed[-1])
            await typist.wait()
            typist.is_well(pressed[-40:])
        await typist.go_home()
        assert isinstance(typist.app.screen, BrowserScreen)
        typist.is_well(pressed[-40:])


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize(
    ("way", "first", "then"),
    [
        ("w enter", "enter", "escape"),
        ("3 a", "right", "f5"),
        ("enter", "t", "escape"),
        ("2", "v", "b"),
        ("", "g", "escape"),
    ],
)
async def test_a_key_at_any_moment_of_what_the_key_before_does(
    way: str, first: str, then: str, family: SqlitePlace, tmp_path: Path
) -> None:
    async with typing(configured(tmp_path, {"team": family})) as typist:
        for turns in range(0, 40, 2):
            await typist.go_home()
            for key in way.split():
                typist.hit(key)
                await typist.pilot.pause()
            typist.hit(first)
            for _ in range(turns):
                await asyncio.sleep(0)
            typist.hit(then)
            await typist.pilot.pause()
            typist.is_well([way, first, str(turns), then])
