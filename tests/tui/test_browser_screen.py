"""The session browser on a real database: list, filter, sort, ids, errors, and that nothing holds it up."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.command import CommandList
from textual.pilot import Pilot

from agor_tui.config.places import Place
from agor_tui.errors import AgorError, Cancelled, DatabaseError
from agor_tui.records import Session
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from agor_tui.tui.app import AgorApp
from agor_tui.tui.screen import Palette
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.error import ErrorScreen
from agor_tui.tui.screens.go_to import GoToModal
from agor_tui.tui.screens.help import HelpScreen
from agor_tui.tui.screens.session import SessionScreen
from agor_tui.tui.screens.sort import SortModal
from agor_tui.tui.themes import LIGHT
from agor_tui.tui.widgets.filter_line import FilterRule
from agor_tui.tui.widgets.header_bar import HeaderBar
from agor_tui.tui.widgets.key_bar import KeyBar

from ..builders.agor import build_sqlite
from ..builders.agor_rows import Rows
from ..data.test_repositories import World
from .lists import screen_text, until

NOW = datetime(2025, 10, 12, 12, 0, tzinfo=UTC)
Connect = Callable[[], Browser]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    """A small and nasty Agor database: 21 sessions in sight."""
    path = tmp_path_factory.mktemp("built") / "agor.db"
    return path, build_sqlite(path, "2026")


@pytest.fixture
def connect(built: tuple[Path, Rows]) -> Connect:
    """Opens it."""
    return lambda: open_database(str(built[0]), environ={})


@asynccontextmanager
async def browsing(connect: Connect, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Pilot[None]]:
    """The app with the first rows there."""
    app = AgorApp(connect, clock=lambda: NOW)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: screen_of(pilot).table.count.exact and not screen_of(pilot).table.busy)
        yield pilot


def screen_of(pilot: Pilot[None]) -> BrowserScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, BrowserScreen)
    return screen


def titles(pilot: Pilot[None]) -> list[str]:
    table = screen_of(pilot).table
    rows: list[Session | None] = [table.row(index) for index in range(table.count.value)]
    return [row.title for row in rows if row is not None]


def count_text(pilot: Pilot[None]) -> str:
    from agor_tui.tui.widgets.filter_line import ListCount

    return pilot.app.screen_stack[0].query_one(ListCount).text.removesuffix(" · ◉ live")


def explanation(pilot: Pilot[None]) -> str:
    from agor_tui.tui.widgets.filter_line import FilterRule

    return pilot.app.screen_stack[0].query_one(FilterRule).note


async def type_in(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*(" " if char == " " else char for char in text))


async def test_it_lists_the_sessions_newest_first(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        assert len(titles(pilot)) == 21
        assert titles(pilot)[-1] == "Root of a family"
        assert count_text(pilot) == "21 sessions"
        assert "agor.db · sqlite" in screen_text(pilot)
        assert "read-only" in screen_text(pilot)


async def test_it_browses_every_dialect(native_place: Place) -> None:
    with Browser(*open_store(native_place)) as browser:
        world = World(browser)
        for number in range(300):
            world.session(number, status="running" if number % 3 == 0 else "idle")
    async with browsing(lambda: Browser(*open_store(native_place))) as pilot:
        assert count_text(pilot) == "300 sessions"
        table = screen_of(pilot).table
        for key, title in (("end", "Session 0"), ("pageup", ""), ("home", "Session 299"), ("pagedown", "")):
            await pilot.press(key)
            await until(pilot, lambda: table.current is not None)
            assert not title or table.current.title == title  # type: ignore[union-attr]
        await pilot.press("slash")
        await type_in(pilot, "status:running")
        await pilot.press("enter")
        await until(pilot, lambda: count_text(pilot) == "100 of 300")


async def test_it_paints_before_the_database_is_open(connect: Connect) -> None:
    gate = threading.Event()

    def slow() -> Browser:
        assert gate.wait(10)
        return connect()

    app = AgorApp(slow, clock=lambda: NOW)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        shown = screen_text(pilot)
        assert "agor-tui" in shown
        assert "Opening the database" in shown
        assert "opening…" in shown
        await pilot.press("down", "t", "y", "slash", "escape", "escape", "R")
        gate.set()
        await until(pilot, lambda: screen_of(pilot).table.count.value == 21)


async def test_escape_leaves_a_server_that_hangs_and_r_tries_again(connect: Connect) -> None:
    gate = threading.Event()
    tries = []

    def hanging() -> Browser:
        tries.append(1)
        if len(tries) == 1:
            assert gate.wait(10)
        return connect()

    app = AgorApp(hanging, clock=lambda: NOW)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("escape")
        await pilot.pause()
        assert "No database is open" in screen_text(pilot)
        gate.set()
        await pilot.pause(0.05)
        assert app.browser is None
        await pilot.press("R")
        await until(pilot, lambda: screen_of(pilot).table.count.value == 21)


async def test_a_database_that_cannot_be_opened_gets_a_screen_that_can_be_left(
    connect: Connect, tmp_path: Path
) -> None:
    path = tmp_path / "later.db"

    app = AgorApp(lambda: open_database(str(path), environ={}), clock=lambda: NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ErrorScreen))
        await until(pilot, lambda: "does not exist" in screen_text(pilot))
        assert "Traceback" not in screen_text(pilot)
        assert not path.exists()
        await pilot.press("escape")
        assert isinstance(app.screen, BrowserScreen)
        assert "No database is open" in screen_text(pilot)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, ErrorScreen))
        build_sqlite(path, "2026")
        await pilot.press("r")
        await until(pilot, lambda: screen_of(pilot).table.count.value == 21)
        assert isinstance(app.screen, BrowserScreen)


async def test_a_fault_nobody_foresaw_is_one_sentence(tmp_path: Path) -> None:
    def faulty() -> Browser:
        raise RuntimeError("postgresql://ada:hunter2@db/agor")

    app = AgorApp(faulty, clock=lambda: NOW)
    async with app.run_test(size=(100, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ErrorScreen))
        await pilot.pause()
        shown = screen_text(pilot)
        assert "RuntimeError" in shown
        assert "hunter2" not in shown
        assert "Traceback" not in shown
        log = next(Path.home().rglob("agor-tui.log")).read_text()
        assert "RuntimeError" in log
        assert "hunter2" not in log


async def test_a_server_that_goes_away_is_said_in_the_list_and_r_reads_again(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        browser: Any = pilot.app.browser  # type: ignore[attr-defined]
        whole = browser.session_page

        def gone(*args: Any, **more: Any) -> Any:
            raise DatabaseError("The server at db:5432 does not answer.", "Is it running?")

        browser.session_page = gone
        await pilot.press("R")
        await until(pilot, lambda: "does not answer" in screen_text(pilot))
        assert "Is it running?" in screen_text(pilot)
        assert isinstance(pilot.app.screen, BrowserScreen)
        browser.session_page = whole
        await pilot.press("R")
        await until(pilot, lambda: len(titles(pilot)) == 21)


async def test_escape_leaves_a_running_load_and_cancels_it(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        browser: Any = pilot.app.browser  # type: ignore[attr-defined]
        gate = threading.Event()
        whole, cancel = browser.session_page, browser.cancel

        def slow(*args: Any, **more: Any) -> Any:
            assert gate.wait(10)
            raise Cancelled("Left.")

        def cancelled() -> None:
            gate.set()
            cancel()

        browser.session_page, browser.cancel = slow, cancelled
        await pilot.press("S")
        await until(pilot, lambda: screen_of(pilot).table.busy)
        assert count_text(pilot) == "reading…"
        await pilot.press("escape")
        await until(pilot, gate.is_set)
        assert not screen_of(pilot).table.busy
        assert len(titles(pilot)) == 21
        browser.session_page = whole
        await pilot.press("S")
        await until(pilot, lambda: not screen_of(pilot).table.busy)


async def test_filtering_while_typing_and_escape_takes_it_away(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        await pilot.press("slash")
        await type_in(pilot, "twin")
        await until(pilot, lambda: len(titles(pilot)) == 4)
        await until(pilot, lambda: count_text(pilot) == "4 of 21")
        await pilot.press("enter")
        assert screen_of(pilot).table.has_focus
        await pilot.press("escape")
        await until(pilot, lambda: len(titles(pilot)) == 21)
        assert screen_of(pilot).filter_line.text == ""


async def test_a_filter_that_nothing_fits_says_which_and_how_to_go_on(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        await pilot.press("slash")
        await type_in(pilot, "zebra")
        await pilot.press("enter")
        await until(pilot, lambda: "No session matches" in screen_text(pilot))
        assert "Nothing fits the filter zebra" in screen_text(pilot)
        assert "esc takes the filter away" in screen_text(pilot)
        await pilot.press("enter", "t", "y", "end", "home")
        assert isinstance(pilot.app.screen, BrowserScreen)


async def test_what_a_filter_says_wrong_is_explained_in_its_place(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        await pilot.press("slash")
        await type_in(pilot, "stat:running")
        await pilot.press("enter")
        await until(pilot, lambda: "status" in explanation(pilot))
        assert screen_of(pilot).filter_line.input.has_focus
        assert len(titles(pilot)) == 21
        await pilot.press("backspace")
        assert explanation(pilot) == ""
        screen_of(pilot).filter_line.input.value = ""
        await type_in(pilot, "repo:nowhere")
        await pilot.press("enter")
        await until(pilot, lambda: "nowhere" in explanation(pilot))


async def test_the_filter_line_completes_words_and_values(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        line = screen_of(pilot).filter_line
        await pilot.press("slash", "s", "t", "tab")
        assert line.text == "status:"
        await pilot.press("r", "tab")
        assert line.text == "status:running"
        await until(pilot, lambda: titles(pilot) == ["Queue"])
        await pilot.press("space", "t", "o", "o", "tab")
        assert line.text == "status:running tool:"
        await until(pilot, lambda: line._completions.first is not None)
        await pilot.press("down", "up", "down", "down")
        chosen = line._completions.chosen
        assert chosen is not None
        await pilot.press("enter")
        assert line.text == f"status:running tool:{chosen.text}"
        await pilot.press("escape")
        assert screen_of(pilot).table.has_focus


async def test_keys_that_come_in_one_go_with_the_slash_are_the_filters(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        from textual.events import Key

        for key, char in (("slash", "/"), ("q", "q"), ("g", "g"), ("s", "s")):
            pilot.app.post_message(Key(key, char))
        await until(pilot, lambda: screen_of(pilot).filter_line.text == "qgs")
        assert isinstance(pilot.app.screen, BrowserScreen)


async def test_sorting_by_menu_by_key_and_by_click(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        await pilot.press("s")
        assert isinstance(pilot.app.screen, SortModal)
        await pilot.pause()
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: titles(pilot)[0] == "Child")
        assert "TITLE▴" in screen_text(pilot)
        await pilot.press("S")
        await until(pilot, lambda: titles(pilot)[-1] == "Child" and "TITLE▾" in screen_text(pilot))
        await pilot.click("RecordTable", offset=(2, 0))
        await until(pilot, lambda: "ID▾" in screen_text(pilot))
        await pilot.press("s", "escape")
        assert isinstance(pilot.app.screen, BrowserScreen)


async def test_an_id_is_found_while_it_is_typed(connect: Connect, built: tuple[Path, Rows]) -> None:
    rows = built[1]
    async with browsing(connect) as pilot:
        await pilot.press("g")
        modal = pilot.app.screen
        assert isinstance(modal, GoToModal)
        await type_in(pilot, "0199cc69")
        await until(pilot, lambda: " fit" in screen_text(pilot))
        assert "Twin one" in screen_text(pilot)
        await type_in(pilot, "zz")
        await until(pilot, lambda: "Not understood" in screen_text(pilot))
        await pilot.press("backspace", "backspace")
        await until(pilot, lambda: " fit" in screen_text(pilot))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))
        assert pilot.app.screen.session_id in rows.sessions.values()  # type: ignore[attr-defined]
        await pilot.press("escape")
        await pilot.press("g")
        await type_in(pilot, "ffffffff")
        await until(pilot, lambda: "No such id" in screen_text(pilot))
        await pilot.press("enter", "escape")
        assert isinstance(pilot.app.screen, BrowserScreen)


async def test_enter_and_double_click_open_a_session_and_t_its_tree(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))
        await pilot.press("escape")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))
        assert pilot.app.screen._tab == "tree"  # type: ignore[attr-defined]
        await pilot.press("1")
        assert isinstance(pilot.app.screen, BrowserScreen)
        await pilot.click("RecordTable", offset=(20, 3), times=2)
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))


async def test_y_copies_the_whole_id(connect: Connect, built: tuple[Path, Rows]) -> None:
    async with browsing(connect) as pilot:
        await pilot.press("end", "y")
        assert pilot.app.clipboard == built[1].sessions["root"]
        await until(pilot, lambda: "Copied" in screen_text(pilot))


async def test_help_lists_the_keys_and_the_filter_language(connect: Connect) -> None:
    async with browsing(connect, (100, 60)) as pilot:
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        await pilot.pause()
        shown = screen_text(pilot)
        for words in ("Go to an id or its beginning", "Reverse the order", "status:", "archived:", "Leave agor-tui"):
            assert words in shown
        await pilot.press("j", "k", "escape")
        assert isinstance(pilot.app.screen, BrowserScreen)


async def test_the_palette_does_what_keys_do_and_changes_the_theme(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        names = [command.title for command in pilot.app.get_system_commands(pilot.app.screen)]
        assert "sessions: go to id" in names
        assert "view: light theme" in names
        assert "app: quit" in names
        await pilot.press("ctrl+p")
        await type_in(pilot, "light theme")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.theme == LIGHT.name)


async def test_the_palette_opens_again_while_the_one_before_closes(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        app = pilot.app
        app.action_command_palette()
        await until(pilot, lambda: app.screen.is_active and bool(app.screen.query(CommandList)))
        before = app.screen
        before.dismiss()
        app.action_command_palette()
        await until(pilot, lambda: isinstance(app.screen, Palette) and app.screen is not before)


async def test_a_page_of_a_palette_without_room_for_its_list(connect: Connect) -> None:
    async with browsing(connect, (30, 8)) as pilot:
        await pilot.press("ctrl+p")
        await until(pilot, lambda: pilot.app.screen.query_one(CommandList).option_count > 1)
        await pilot.resize_terminal(30, 3)
        await until(pilot, lambda: not pilot.app.screen.query_one(CommandList).scrollable_content_region)
        pilot.app.screen.query_one(CommandList).highlighted = 1
        await pilot.press("pagedown", "pageup")
        assert isinstance(pilot.app.screen, Palette)


async def test_the_footer_shows_at_most_nine_keys_that_work_here(connect: Connect) -> None:
    async with browsing(connect, (200, 30)) as pilot:
        bar = pilot.app.screen.query_one(KeyBar)
        keys = [word for _, _, word in bar._keys(200)]
        assert keys == ["move", "open", "filter", "go to id", "sort", "tree", "copy id", "database", "help"]
        assert [word for _, _, word in bar._keys(30)][-1] == "help"
        await pilot.press("slash")
        assert "sort" not in [word for _, _, word in bar._keys(200)]
        await pilot.press("escape", "escape")
        await pilot.click(KeyBar, offset=(1 + len("↑↓ move  ⏎ open  / filter  "), 0))
        await until(pilot, lambda: isinstance(pilot.app.screen, GoToModal))


async def test_the_selected_session_stands_beside_the_list_where_there_is_room(connect: Connect) -> None:
    async with browsing(connect, (160, 40)) as pilot:
        await pilot.press("end")
        await until(
            pilot, lambda: "TASKS" in screen_text(pilot) and "Root of a family" in screen_text(pilot).split("│")[1]
        )
        assert "LAST" in screen_text(pilot)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: not screen_of(pilot).panel.display)
        await pilot.resize_terminal(80, 50)
        await until(pilot, lambda: "TASKS" in screen_text(pilot))


@pytest.mark.parametrize("size", [(1, 1), (10, 4), (40, 10), (80, 24), (109, 24), (110, 24), (200, 60)])
async def test_it_is_usable_at_any_size(connect: Connect, size: tuple[int, int]) -> None:
    async with browsing(connect, (80, 24)) as pilot:
        await pilot.resize_terminal(*size)
        await pilot.press("down", "pagedown", "end", "home", "slash", "s", "escape", "escape", "g", "escape")
        await pilot.press("s", "escape", "question_mark", "escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, BrowserScreen)
        if size[0] >= 40:
            assert "TITLE" in screen_text(pilot)


async def test_the_header_gives_way_in_its_order(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        bar = pilot.app.screen.query_one(HeaderBar)
        for width in range(1, 200):
            text = "".join(text for text, _ in bar.spans(width))
            assert ("Board" in text) <= ("sqlite" in text) <= ("agor.db" in text)
            assert "Sessions" in text[:width] or width < 24
            if width > 50:
                assert "agor.db · " in text
            if width >= 40:
                assert "read-only " in text[:width]


async def test_the_count_is_whole_in_the_smallest_terminal(connect: Connect) -> None:
    async with browsing(connect, (40, 12)) as pilot:
        line = screen_text(pilot).splitlines()[1]
        assert " sessions" in line
        assert "…" not in line


@pytest.mark.parametrize("width", range(40, 120, 7))
def test_what_is_wrong_with_a_filter_stands_in_a_rule_of_the_whole_width(width: int) -> None:
    rule = FilterRule()
    rule.note, rule.at = "This is no key to filter by.", 5
    text = "".join(text for text, _ in rule.spans(width))
    assert (cell_len(text), "…" in text) == (width, False)


async def test_a_copy_that_is_out_of_date_is_marked(connect: Connect) -> None:
    async with browsing(connect) as pilot:
        app = pilot.app
        assert isinstance(app, AgorApp)
        assert app.info is not None
        app.info = replace(app.info, note="This copy was up to date last at 2026-03-02 14:00 UTC: no answer")
        bar = app.screen.query_one(HeaderBar)
        assert all("▲ old copy" in "".join(text for text, _ in bar.spans(width)) for width in (80, 120))
        app._look_at_note()  # as it does every few seconds: of this database there is nothing to say
        assert "▲" not in "".join(text for text, _ in bar.spans(120))


async def test_text_of_the_database_does_no_harm(connect: Connect) -> None:
    async with browsing(connect, (160, 40)) as pilot:
        for _ in range(21):
            await pilot.press("down")
        await pilot.pause(0.2)
        shown = screen_text(pilot)
        assert "\x1b" not in shown
        assert "[bold]no[/bold]" in shown


async def test_a_list_of_no_sessions_says_so(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "empty.db"
    build_sqlite(path, "2026")
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM sessions")
    connection.commit()
    connection.close()
    async with browsing(lambda: open_database(str(path), environ={})) as pilot:
        await until(pilot, lambda: "No sessions yet" in screen_text(pilot))
        assert count_text(pilot) == "0 sessions"


async def test_the_fixture_is_listed_whole(fixtures_dir: Path) -> None:
    path = fixtures_dir / "agor" / "agor.db"
    async with browsing(lambda: open_database(str(path), environ={})) as pilot:
        await pilot.press("slash")
        await type_in(pilot, "archived:any")
        await pilot.press("enter")
        await until(pilot, lambda: screen_of(pilot).table.count.value == 60)


async def test_no_error_of_ours_is_left_without_a_way_out() -> None:
    app = AgorApp(lambda: open_database("/nowhere/at/all.db", environ={}))
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, ErrorScreen))
        assert isinstance(app.screen.error, AgorError)  # type: ignore[attr-defined]
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0
