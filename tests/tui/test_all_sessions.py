"""Several databases in one list, on SQLite and PostgreSQL: what it shows, and what a slow or dead one does to it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from agor_tui.errors import DatabaseError
from agor_tui.records import Session
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser
from agor_tui.services.configuration import Configuration
from agor_tui.tui.app import AgorApp
from agor_tui.tui.screens.all_sessions import AllSessionsScreen
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.session import SessionScreen
from agor_tui.tui.widgets.header_bar import HeaderBar

from ..conftest import place_of
from ..data.test_repositories import NOON, World
from ..servers import PostgresServer
from .lists import PATIENCE, screen_text, until

SIZES = {"laptop": 200, "team": 150, "old": 3}
NAMES = tuple(SIZES)


@pytest.fixture(scope="module")
def places(
    postgres_server: Callable[[int], PostgresServer],
    native_templates: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """Three databases with sessions of turn and turn about: two files and one on PostgreSQL 18."""
    folder = tmp_path_factory.mktemp("all")
    server = postgres_server(18)
    made = {name: str(shutil.copyfile(native_templates("sqlite"), folder / f"{name}.db")) for name in ("laptop", "old")}
    made["team"] = server.create_database(native_templates("postgresql-18"))
    for offset, (name, size) in enumerate(SIZES.items()):
        with Browser(*open_store(place_of(made[name]))) as browser:
            world = World(browser)
            for number in range(size):
                status = "running" if number % 3 == 0 else "idle"
                world.session(number * len(SIZES) + offset, title=f"{name} {number} 日本語", status=status)
    yield made
    server.drop_database(made["team"])


class Gated(Configuration):
    """Settings whose databases open when a test says so."""

    gates: dict[str, threading.Event]
    opened: list[Browser]

    def open(self, target: str | None = None, *, read_only: bool = False) -> Browser:
        """Open one, after its gate."""
        if target in self.gates:
            assert self.gates[target].wait(PATIENCE)
        self.opened.append(super().open(target, read_only=read_only))
        return self.opened[-1]


@pytest.fixture
def settings(places: dict[str, str], tmp_path: Path) -> Gated:
    """Settings that name them, and one more that refuses."""
    lines = ["databases:"]
    for name, target in places.items():
        kind, key = ("postgresql", "url") if "://" in target else ("sqlite", "path")
        lines += [f"  {name}:", f"    dialect: {kind}", f"    {kind}:", f"      {key}: {target}"]
    lines += ["  dead:", "    dialect: postgresql", "    postgresql: {host: 127.0.0.1, port: 1, database: x}"]
    file = tmp_path / "config.yaml"
    file.write_text("\n".join(lines) + "\nactive: laptop\n", "utf-8")
    found = Gated(file, {})
    found.gates, found.opened = {}, []
    return found


@asynccontextmanager
async def listing(
    settings: Gated, names: tuple[str, ...] = NAMES, size: tuple[int, int] = (120, 30)
) -> AsyncIterator[Pilot[None]]:
    """The app with the merged list of some databases."""
    app = AgorApp(lambda: settings.open("laptop"), clock=lambda: NOON, configuration=settings)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.browser is not None and isinstance(app.screen, BrowserScreen))
        app.push_screen(AllSessionsScreen({name: name for name in names}))
        await until(pilot, lambda: isinstance(app.screen, AllSessionsScreen))
        yield pilot


def screen_of(pilot: Pilot[None]) -> AllSessionsScreen:
    return next(each for each in pilot.app.screen_stack if isinstance(each, AllSessionsScreen))


def sessions(pilot: Pilot[None]) -> list[tuple[str, Session]]:
    table = screen_of(pilot).table
    rows = [table.row(index) for index in range(table.count.value)]
    return [(row.database, row.session) for row in rows if row is not None]


async def counted(pilot: Pilot[None], number: int) -> None:
    table = screen_of(pilot).table
    await until(pilot, lambda: table.count.exact and not table.busy and table.count.value == number)


async def type_in(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*(" " if char == " " else char for char in text))


async def test_all_are_in_one_list_newest_first(settings: Gated) -> None:
    async with listing(settings) as pilot:
        await counted(pilot, 353)
        rows = sessions(pilot)
        assert rows[0][0] == "laptop"
        assert [database for database, _ in rows[50:150]] == ["team", "laptop"] * 50
        times = [session.updated_at for _, session in rows]
        assert times == sorted(times, reverse=True)  # type: ignore[type-var]
        text = screen_text(pilot)
        assert "DATABASE" in text
        assert "3 databases · read-only" in text
        assert "353 sessions" in text
        assert "● laptop  ● team  ● old" in text
        await pilot.press("end")
        await until(pilot, lambda: screen_of(pilot).table.current is not None)
        assert screen_of(pilot).table.current.session.title == "laptop 0 日本語"  # type: ignore[union-attr]


async def test_the_filter_the_order_and_copying_are_the_browsers(settings: Gated) -> None:
    async with listing(settings) as pilot:
        await counted(pilot, 353)
        await pilot.press("slash")
        await type_in(pilot, "status:running")
        await pilot.press("enter")
        await counted(pilot, 67 + 50 + 1)
        await until(pilot, lambda: "118 of 353" in screen_text(pilot))
        await pilot.press("S")
        await until(pilot, lambda: bool(sessions(pilot)) and sessions(pilot)[0][1].title == "laptop 0 日本語")
        await pilot.press("y")
        assert pilot.app.clipboard == sessions(pilot)[0][1].id
        await pilot.press("escape")
        await counted(pilot, 353)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, BrowserScreen)
        await until(pilot, lambda: len(settings.opened) == 4)


async def test_a_session_opens_from_its_own_database(settings: Gated) -> None:
    async with listing(settings) as pilot:
        await counted(pilot, 353)
        await pilot.press("home")
        table = screen_of(pilot).table
        while table.current is None or table.current.database != "team":
            await pilot.press("down")
        wanted = table.current.session
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))
        await until(pilot, lambda: wanted.title in screen_text(pilot))
        screen: Any = pilot.app.screen
        assert screen.session_id == wanted.id
        assert screen.query_one(HeaderBar).info.name == "team"
        await pilot.press("t")
        await until(pilot, lambda: "FAMILY" in screen_text(pilot))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, AllSessionsScreen)
        assert table.current.session == wanted


async def test_an_id_is_found_in_whichever_database_it_is(settings: Gated) -> None:
    async with listing(settings) as pilot:
        await counted(pilot, 353)
        wanted = next(session for database, session in sessions(pilot) if database == "old")
        await pilot.press("g")
        await type_in(pilot, wanted.id[:9])
        await until(pilot, lambda: " fit" in screen_text(pilot))
        assert "DATABASE" in screen_text(pilot)
        await type_in(pilot, wanted.id[9:])
        await until(pilot, lambda: "1 fit" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))
        await until(pilot, lambda: wanted.title in screen_text(pilot))


async def test_a_dead_one_is_named_and_the_others_go_on(settings: Gated) -> None:
    async with listing(settings, (*NAMES, "dead")) as pilot:
        await counted(pilot, 353)
        await until(pilot, lambda: "dead: " in screen_text(pilot))
        assert "R tries again" in screen_text(pilot)
        assert "✗" in screen_text(pilot)


async def test_none_that_opens_is_said(settings: Gated) -> None:
    async with listing(settings, ("dead", "nowhere")) as pilot:
        await until(pilot, lambda: "None of the databases opens" in screen_text(pilot))
        assert "nowhere" in screen_text(pilot)
        await pilot.press("g", "s", "slash", "escape", "escape", "R")
        await until(pilot, lambda: "None of the databases opens" in screen_text(pilot))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, BrowserScreen)


async def test_one_that_comes_late_joins_at_the_top_but_not_under_the_reader(
    settings: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("services.merged", "tui.screens.all_sessions"):
        monkeypatch.setattr(f"agor_tui.{module}.OPENING_LIMIT_S", 0.1)
    settings.gates = {"team": threading.Event(), "old": threading.Event()}
    async with listing(settings) as pilot:
        await counted(pilot, 200)
        await until(pilot, lambda: "team: no answer in 0.1 s · R tries again" in screen_text(pilot))
        settings.gates["old"].set()
        await counted(pilot, 203)
        await pilot.press("down", "down")
        current = screen_of(pilot).table.current
        settings.gates["team"].set()
        await until(pilot, lambda: "team: has answered · R shows it" in screen_text(pilot))
        assert screen_of(pilot).table.current == current
        assert screen_of(pilot).table.count.value == 203
        await pilot.press("R")
        await counted(pilot, 353)
        assert "R shows it" not in screen_text(pilot)


async def test_one_that_dies_while_it_is_read_is_named(settings: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    with settings.file.open("a", encoding="utf-8") as file:
        file.write("ui: {pageSize: 20}\n")
    async with listing(settings) as pilot:
        await counted(pilot, 353)
        team = next(browser for browser in settings.opened if browser.info.name == "team")

        def gone(*args: Any, **more: Any) -> Any:
            raise DatabaseError("The server closed the connection.")

        monkeypatch.setattr(team, "session_page", gone)
        for _ in range(6):
            await pilot.press("pagedown")
        await until(pilot, lambda: "team: The server closed the connection. · R tries again" in screen_text(pilot))
        await until(pilot, lambda: screen_of(pilot).table.count.exact and screen_of(pilot).table.count.value < 353)
        await pilot.press("end")
        await until(pilot, lambda: screen_of(pilot).table.current is not None)
        assert screen_of(pilot).table.current.session.title == "laptop 0 日本語"  # type: ignore[union-attr]
        monkeypatch.undo()
        await pilot.press("R")
        await counted(pilot, 353)


async def test_leaving_closes_all(settings: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.gates = {"old": threading.Event()}
    closed = []
    whole = Browser.close
    monkeypatch.setattr(Browser, "close", lambda self: (closed.append(self.info.name), whole(self)))
    async with listing(settings) as pilot:
        await counted(pilot, 350)
        await pilot.press("escape")
        await until(pilot, lambda: set(closed) == {"laptop", "team"})
        settings.gates["old"].set()
        await until(pilot, lambda: set(closed) == {"laptop", "team", "old"})


@pytest.mark.parametrize("size", [(1, 1), (20, 6), (40, 10), (80, 24), (200, 60)])
async def test_it_is_usable_at_any_size(settings: Gated, size: tuple[int, int]) -> None:
    async with listing(settings, (*NAMES, "dead")) as pilot:
        await counted(pilot, 353)
        await pilot.resize_terminal(*size)
        await pilot.press("down", "pagedown", "end", "home", "slash", "s", "escape", "escape", "g", "escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, (AllSessionsScreen, BrowserScreen))
