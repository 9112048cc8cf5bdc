"""The board on SQLite and PostgreSQL: cards moved by key and by mouse, boards changed, others met, and its pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.events import MouseMove
from textual.pilot import Pilot

from agor_tui.config.places import Place
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser
from agor_tui.services.configuration import Configuration
from agor_tui.tui.app import AgorApp
from agor_tui.tui.screens.board import BoardScreen
from agor_tui.tui.screens.choose import ChooseModal
from agor_tui.tui.screens.confirm import ConfirmModal
from agor_tui.tui.screens.conflict import ConflictModal
from agor_tui.tui.screens.prompt import PromptModal
from agor_tui.tui.themes import DARK, LIGHT

from ..data.test_repositories import NOON, World
from .lists import screen_text, until

Compare = Callable[..., bool]
TITLES = (
    "Fix retry",
    "日本語の見出し 👨‍👩‍👧",
    "[b]A title of many words that takes two lines and more[/b]",
)


@pytest.fixture
def world(place: Place) -> Iterator[World]:
    """Somebody else who writes to it: a board with three idle sessions and a completed one."""
    with Browser(*open_store(place)) as browser:
        made = World(browser)
        for number, title in enumerate(TITLES):
            made.session(number, title=title, status="idle")
        made.session(9, title="Done", status="completed")
        yield made


def app_on(place: Place, *, read_only: bool = False, theme: str = DARK.name) -> AgorApp:
    """The app, which reads anew only when asked."""
    file = Path.home() / "config.yaml"
    file.write_text("ui: {live: false}", "utf-8")

    def connect() -> Browser:
        store, info = open_store(place, read_only=read_only)
        return Browser(store, replace(info, label="team", server_version="1", origin="--database"))

    app = AgorApp(connect, clock=lambda: NOON, configuration=Configuration(file, {}), theme=theme)
    app.animation_level = "none"
    return app


async def to_the_board(pilot: Pilot[None]) -> None:
    """Go to the board and wait for its cards."""
    app = pilot.app
    assert isinstance(app, AgorApp)
    await until(pilot, lambda: app.browser is not None)
    await pilot.press("2")
    await until(pilot, lambda: isinstance(app.screen, BoardScreen) and bool(app.screen.view.columns))


@asynccontextmanager
async def boarding(place: Place, *, read_only: bool = False) -> AsyncIterator[Pilot[None]]:
    """The app on the board."""
    app = app_on(place, read_only=read_only)
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        try:
            await to_the_board(pilot)
            yield pilot
        finally:
            if app.browser is not None:
                app.browser.close()


def board(pilot: Pilot[None]) -> BoardScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, BoardScreen)
    return screen


def column(pilot: Pilot[None], key: str) -> list[str]:
    """The titles in a column."""
    cards = next(each.cards for each in board(pilot).view.columns if each.cards.key == key)
    return [card.record.title for card in cards.cards]


def told(pilot: Pilot[None], text: str) -> bool:
    return any(text in note.message for note in pilot.app._notifications)


async def types(pilot: Pilot[None], text: str) -> None:
    """Answer the question that is asked."""
    await until(pilot, lambda: isinstance(pilot.app.screen, PromptModal))
    await pilot.press("ctrl+u", *(" " if char == " " else char for char in text), "enter")


async def test_a_card_is_moved_by_keys_and_back(place: Place, world: World) -> None:
    async with boarding(place) as pilot:
        moved = column(pilot, "idle")[0]
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseModal))
        await pilot.press(*"failed", "enter")
        await until(pilot, lambda: column(pilot, "failed") == [moved])
        assert moved not in column(pilot, "idle")
        assert board(pilot).view.current.record.title == moved  # type: ignore[union-attr]
        await pilot.press("u")
        await until(pilot, lambda: moved in column(pilot, "idle") and column(pilot, "failed") == [])


async def test_a_card_is_dragged(place: Place, world: World) -> None:
    async with boarding(place) as pilot:
        moved = column(pilot, "idle")[0]
        columns = {each.cards.key: each for each in board(pilot).view.columns}
        await pilot.mouse_down(columns["idle"], offset=(3, 4))
        for key in ("running", "completed"):  # on the first no card may be dropped
            await pilot._post_mouse_events([MouseMove], columns[key], offset=(3, 6), button=1)
            await until(pilot, lambda: board(pilot).view.dragging)
        await pilot.mouse_up(columns["completed"], offset=(3, 6))
        await until(pilot, lambda: moved in column(pilot, "completed"))
        assert moved not in column(pilot, "idle")


async def test_a_card_that_somebody_else_moved_is_not_overwritten(place: Place, world: World) -> None:
    async with boarding(place) as pilot:
        card = board(pilot).view.current
        assert card is not None
        world.sessions.update(card.id, {"status": "failed"})
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseModal))
        await pilot.press(*"stopped", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConflictModal))
        await pilot.press("escape")
        await until(pilot, lambda: column(pilot, "failed") == [card.record.title])
        assert world.browser.session(card.id).store_status == "failed"


async def test_a_board_is_made_renamed_and_deleted(place: Place, world: World) -> None:
    async with boarding(place) as pilot:
        await pilot.press("n")
        await types(pilot, " ")
        await until(pilot, lambda: "at least one character" in screen_text(pilot))
        await types(pilot, "Release")
        await until(pilot, lambda: board(pilot).board is not None and board(pilot).board.name == "Release")  # type: ignore[union-attr]
        await until(pilot, lambda: "nothing here" in screen_text(pilot))
        await pilot.press("r")
        await types(pilot, "Checkout")
        await until(pilot, lambda: "There is already one named" in screen_text(pilot))
        await types(pilot, "Launch")
        await until(pilot, lambda: "Launch" in screen_text(pilot).split("\n")[1])
        await pilot.press("u")
        await until(pilot, lambda: "Release" in screen_text(pilot).split("\n")[1])
        await pilot.press("n")
        await types(pilot, "Short")
        await until(pilot, lambda: "Short" in screen_text(pilot).split("\n")[1])
        (short,) = (each for each in world.browser.boards() if each.name == "Short")
        assert world.browser.editor is not None
        world.browser.editor.delete_board(short)  # by somebody else, while it is open
        await pilot.press("R")
        await until(pilot, lambda: told(pilot, "The board “Short” was deleted."))
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseModal))
        assert [choice.label for choice in pilot.app.screen._choices][1:] == ["Checkout", "Release"]  # type: ignore[attr-defined]
        await pilot.press(*"Release", "enter")
        await until(pilot, lambda: "Release" in screen_text(pilot).split("\n")[1])
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal))
        await pilot.press("enter")
        await until(pilot, lambda: all(each.name != "Release" for each in world.browser.boards()))


async def test_a_read_only_database_says_so(place: Place, world: World) -> None:
    async with boarding(place, read_only=True) as pilot:
        before = column(pilot, "idle")
        await pilot.press("m", "n", "x", "shift+right")
        await until(pilot, lambda: told(pilot, "read"))
        assert isinstance(pilot.app.screen, BoardScreen)
        assert column(pilot, "idle") == before


# Pictures


@pytest.mark.parametrize(
    ("size", "theme", "keys"),
    [
        ((80, 24), DARK, ()),
        ((160, 48), DARK, ()),
        ((160, 48), LIGHT, ()),
        ((40, 12), DARK, ()),
        ((100, 30), DARK, ("b",)),
    ],
    ids=["narrow-dark", "wide-dark", "wide-light", "smallest", "choosing"],
)
def test_picture(snap_compare: Compare, empty: Place, size: Any, theme: Any, keys: tuple[str, ...]) -> None:
    """Cards in columns, wide characters and markup among them."""
    with Browser(*open_store(empty)) as browser:
        world = World(browser)
        for number, title in enumerate(TITLES):
            identity = f"0199d00{number}-0000-7000-8000-000000000000"
            world.sessions.create(
                id=identity, title=title, tool="codex", worktree_id=world.worktree.id, created_at=NOON, updated_at=NOON
            )

    async def run(pilot: Pilot[None]) -> None:
        await to_the_board(pilot)
        await until(pilot, lambda: "many words" in screen_text(pilot))
        await pilot.press(*keys)
        await until(pilot, lambda: not keys or "Checkout" in screen_text(pilot))

    assert snap_compare(app_on(empty, theme=theme.name), terminal_size=size, run_before=run)


def test_picture_of_an_empty_one(snap_compare: Compare, empty: Place) -> None:
    """No session, so no card."""

    async def run(pilot: Pilot[None]) -> None:
        await to_the_board(pilot)
        await until(pilot, lambda: "nothing here" in screen_text(pilot))

    assert snap_compare(app_on(empty), terminal_size=(80, 24), run_before=run)
