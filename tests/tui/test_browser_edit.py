"""Changing sessions in the browser and on the session screen, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from agor_tui.config.places import Place, PostgresPlace
from agor_tui.db import migrator
from agor_tui.errors import NotFoundError
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser
from agor_tui.services.configuration import Configuration
from agor_tui.tui.app import AgorApp
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.choose import ChooseModal
from agor_tui.tui.screens.confirm import ConfirmModal
from agor_tui.tui.screens.conflict import ConflictModal
from agor_tui.tui.screens.prompt import PromptModal
from agor_tui.tui.screens.session import SessionScreen

from ..conftest import place_of
from ..data.test_repositories import NOON, World
from .lists import screen_text, until

COUNT = 30


@pytest.fixture
def world(place: Place) -> Iterator[World]:
    """Somebody else who writes to it: thirty sessions, the newest with tasks, messages and children."""
    with Browser(*open_store(place)) as browser:
        made = World(browser)
        for number in range(COUNT):
            made.session(number)
        top = made.session(COUNT, title="Parent")
        for number in range(2):
            task = made.tasks.create(session_id=top.id, title=f"Task {number}", created_by=made.user.id)
            made.messages.create(session_id=top.id, task_id=task.id, index=number, content="hello")
        for number in range(4):
            made.session(-1 - number, title=f"Child {number}", parent_id=top.id)
        yield made


@asynccontextmanager
async def browsing(
    place: Place, *, read_only: bool = False, settings: str = "ui: {live: false}", size: tuple[int, int] = (120, 30)
) -> AsyncIterator[Pilot[None]]:
    """The app on the list of sessions."""
    file = Path.home() / "config.yaml"
    file.write_text(settings, "utf-8")
    app = AgorApp(
        lambda: Browser(*open_store(place, read_only=read_only)),
        clock=lambda: NOON,
        configuration=Configuration(file, {}),
    )
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BrowserScreen) and app.screen.table.current is not None)
        await until(pilot, lambda: screen_of(pilot).table.count.exact)
        yield pilot


def screen_of(pilot: Pilot[None]) -> BrowserScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, BrowserScreen)
    return screen


def row(pilot: Pilot[None], index: int) -> str:
    found = screen_of(pilot).table.row(index)
    return "" if found is None else found.title


def told(pilot: Pilot[None], text: str) -> bool:
    return any(text in note.message for note in pilot.app._notifications)


async def shows(pilot: Pilot[None], kind: type[Screen[object]], *texts: str) -> None:
    """Wait for a modal that says these."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind))
    await until(pilot, lambda: all(text in screen_text(pilot) for text in texts))


async def type_over(pilot: Pilot[None], old: str, text: str) -> None:
    await pilot.press(*["backspace"] * len(old), *(" " if char == " " else char for char in text))


async def test_a_session_is_renamed_where_it_stands_and_back(place: Place, world: World) -> None:
    async with browsing(place) as pilot:
        await pilot.press(*["down"] * 12, "r")
        old = row(pilot, 12)
        await shows(pilot, PromptModal, old)
        await type_over(pilot, old, "")
        await pilot.press("enter")
        await until(pilot, lambda: "at least one character" in screen_text(pilot))
        await type_over(pilot, "", "New [b]name")
        await pilot.press("enter")
        await until(pilot, lambda: row(pilot, 12) == "New [b]name")
        assert screen_of(pilot).table.cursor == 12
        assert told(pilot, "u takes it back")
        assert world.browser.session(screen_of(pilot).table.current.id).title == "New [b]name"  # type: ignore[union-attr]
        await pilot.press("u")
        await until(pilot, lambda: row(pilot, 12) == old)
        await pilot.press("u")
        await until(pilot, lambda: told(pilot, "nothing to take back"))


async def test_archived_sessions_leave_the_list_and_come_back(place: Place, world: World) -> None:
    async with browsing(place) as pilot:
        total = screen_of(pilot).table.count.value
        below = row(pilot, 6)
        await pilot.press(*["down"] * 5, "a")
        await until(pilot, lambda: row(pilot, 5) == below)
        await until(pilot, lambda: f"{total - 1} sessions" in screen_text(pilot))
        assert screen_of(pilot).table.cursor == 5
        await pilot.press("u")
        await until(pilot, lambda: f"{total} sessions" in screen_text(pilot))


async def test_several_are_marked_and_changed_at_once(place: Place, world: World) -> None:
    async with browsing(place) as pilot:
        total = screen_of(pilot).table.count.value
        await pilot.press("space", "space", "down", "space")
        assert "◆" in screen_text(pilot)
        await until(pilot, lambda: "3 marked" in screen_text(pilot))
        await pilot.press("c")
        await shows(pilot, ChooseModal, "Status of 3 sessions")
        await pilot.press(*"failed", "enter")
        await until(pilot, lambda: told(pilot, "Set to failed: 3 sessions"))
        await until(pilot, lambda: "marked" not in screen_text(pilot))
        statuses = [screen_of(pilot).table.row(index).status for index in range(4)]  # type: ignore[union-attr]
        assert statuses == ["failed", "failed", "idle", "failed"]
        await pilot.press("u")
        await until(pilot, lambda: screen_of(pilot).table.row(0).status == "idle")  # type: ignore[union-attr]
        await pilot.press("home", "space", "space", "x")
        await until(pilot, lambda: told(pilot, "One session at a time"))
        await pilot.press("escape")
        assert "marked" not in screen_text(pilot)
        assert screen_of(pilot).table.count.value == total


async def test_a_session_is_moved_to_a_board(place: Place, world: World) -> None:
    world.boards.create(name="Release", slug=None, created_by=world.user.id)
    async with browsing(place) as pilot:
        await pilot.press("down", "b")
        await shows(pilot, ChooseModal, "Release", "Checkout", "the board of its worktree")
        await pilot.press(*"rel", "enter")
        await until(pilot, lambda: screen_of(pilot).table.row(1).board == "Release")  # type: ignore[union-attr]


async def test_deleting_says_what_goes_and_what_stays(place: Place, world: World) -> None:
    async with browsing(place) as pilot:
        total = screen_of(pilot).table.count.value
        parent = screen_of(pilot).table.current
        assert parent is not None
        await pilot.press("x")
        await shows(pilot, ConfirmModal, "Delete “Parent”?", "2 tasks and 2 messages are deleted with it")
        effects = list(pilot.app.screen._effects)  # type: ignore[attr-defined]
        assert effects[1].startswith("4 sessions that came of it stay, without the link: “Child")
        assert effects[1].endswith("” and 1 more.")
        await pilot.press("escape")
        assert row(pilot, 0) == "Parent"
        await pilot.press("x")
        await shows(pilot, ConfirmModal, "Delete “Parent”?")
        await pilot.press("enter")
        await until(pilot, lambda: f"{total - 1} sessions" in screen_text(pilot))
        assert row(pilot, 0) == f"Session {COUNT - 1}"
        with pytest.raises(NotFoundError):
            world.browser.session(parent.id)


async def test_what_two_change_is_shown_and_never_overwritten_in_silence(place: Place, world: World) -> None:
    async with browsing(place) as pilot:
        session = screen_of(pilot).table.current
        assert session is not None
        world.sessions.update(session.id, {"title": "Theirs"})
        await pilot.press("r")
        await shows(pilot, PromptModal, "Parent")
        await type_over(pilot, "Parent", "Mine")
        await pilot.press("enter")
        await shows(pilot, ConflictModal, "Changed by someone else", "was  Parent", "now  Theirs")
        await pilot.press("escape")
        await until(pilot, lambda: row(pilot, 0) == "Theirs")
        assert world.browser.session(session.id).title == "Theirs"
        world.sessions.update(session.id, {"title": "Theirs again"})
        await pilot.press("r")
        await type_over(pilot, "Theirs", "Mine")
        await pilot.press("enter")
        await shows(pilot, ConflictModal, "Theirs again")
        await pilot.press("o")
        await until(pilot, lambda: row(pilot, 0) == "Mine")
        assert world.browser.session(session.id).title == "Mine"


async def test_what_somebody_deleted_leaves_the_list(place: Place, world: World) -> None:
    async with browsing(place) as pilot:
        total = screen_of(pilot).table.count.value
        for key, answer in (("a", ()), ("x", ()), ("r", ("enter",))):
            session = screen_of(pilot).table.current
            assert session is not None
            if key == "r":
                await pilot.press("r")
                await shows(pilot, PromptModal)
                await pilot.press("z")
            world.sessions.delete(session.id)
            total -= 1
            await pilot.press(*((key,) if key != "r" else answer))
            await until(pilot, lambda: f"{total} sessions" in screen_text(pilot))  # noqa: B023
            await until(pilot, lambda: told(pilot, "does not exist any more"))
            pilot.app.clear_notifications()


async def test_every_change_is_asked_for_where_the_user_wants_that(place: Place, world: World) -> None:
    async with browsing(place, settings="ui: {live: false, confirm: changes}") as pilot:
        await pilot.press("down", "a")
        await shows(pilot, ConfirmModal, f"Archive “Session {COUNT - 1}”?")
        await pilot.press("escape", "a")
        await shows(pilot, ConfirmModal)
        await pilot.press("enter")
        await until(pilot, lambda: row(pilot, 1) == f"Session {COUNT - 2}")


async def test_a_filter_that_the_change_is_about_lets_it_go(place: Place, world: World) -> None:
    async with browsing(place) as pilot:
        await pilot.press("slash", *"status:idle", "enter")
        total = COUNT + 5
        await until(pilot, lambda: f"{total} of {total}" in screen_text(pilot))
        await pilot.press("c")
        await shows(pilot, ChooseModal)
        await pilot.press(*"stopped", "enter")
        await until(pilot, lambda: f"{total - 1} of {total}" in screen_text(pilot))


async def test_read_only_says_why(place: Place, world: World) -> None:
    async with browsing(place, read_only=True) as pilot:
        for key in "racbxu":
            await pilot.press(key)
            await until(pilot, lambda: told(pilot, "is open for reading only"))
            assert isinstance(pilot.app.screen, BrowserScreen)
            pilot.app.clear_notifications()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))
        await until(pilot, lambda: "Conversation" in screen_text(pilot) and "Parent" in screen_text(pilot))
        await pilot.press("e")
        await until(pilot, lambda: told(pilot, "is open for reading only"))


async def test_the_session_screen_changes_it_as_well(place: Place, world: World) -> None:
    async with browsing(place) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: "Parent" in screen_text(pilot) and "● live" not in screen_text(pilot))
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen) and pilot.app.screen._detail is not None)
        await pilot.press("e")
        await shows(pilot, ChooseModal, "rename", "archive", "delete")
        await pilot.press("enter")
        await shows(pilot, PromptModal)
        await type_over(pilot, "Parent", "Renamed")
        await pilot.press("enter")
        await until(pilot, lambda: "Renamed" in screen_text(pilot).split("\n")[1])
        await pilot.press("escape")
        await until(pilot, lambda: row(pilot, 0) == "Renamed")
        await pilot.press("enter", "e")
        await until(pilot, lambda: isinstance(pilot.app.screen, (ChooseModal, SessionScreen)))
        if not isinstance(pilot.app.screen, ChooseModal):  # the session was not read yet
            await until(pilot, lambda: pilot.app.screen._detail is not None)  # type: ignore[attr-defined]
            await pilot.press("e")
        await shows(pilot, ChooseModal)
        await pilot.press(*"delete", "enter")
        await shows(pilot, ConfirmModal)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, BrowserScreen))
        await until(pilot, lambda: row(pilot, 0) == f"Session {COUNT - 1}")


async def test_a_server_that_allows_less_says_so_before_anything_is_typed(postgres18_url: str) -> None:
    """The next key after a right is given finds it; the header shows it."""
    there = place_of(postgres18_url)
    assert isinstance(there, PostgresPlace)
    migrator.init(there)
    role = f"onlooker_{there.database}"
    with Browser(*open_store(there)) as browser, psycopg.connect(postgres18_url, autocommit=True) as owner:
        World(browser).session(title="Old")
        owner.execute(f"CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}".encode())
        try:
            async with browsing(replace(there, user=role)) as pilot:
                assert "read-only" in screen_text(pilot)
                await pilot.press("r")
                await until(pilot, lambda: told(pilot, f"{role} has no right to change its tables."))
                owner.execute(f"GRANT UPDATE ON sessions TO {role}".encode())
                await pilot.press("x")
                await until(pilot, lambda: told(pilot, f"{role} has no right to DELETE in the table sessions."))
                await until(pilot, lambda: "read-write" in screen_text(pilot))
                await pilot.press("r")
                await until(pilot, lambda: isinstance(pilot.app.screen, PromptModal))
        finally:
            owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())
