"""Exporting sessions from the list and from the session screen, on SQLite and PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from agor_tui.config.places import Place
from agor_tui.services.configuration import Configuration
from agor_tui.transfers import Progress
from agor_tui.tui.app import AgorApp
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.choose import ChooseModal
from agor_tui.tui.screens.confirm import ConfirmModal
from agor_tui.tui.screens.exporting import ExportModal
from agor_tui.tui.screens.prompt import PromptModal
from agor_tui.tui.screens.session import SessionScreen
from agor_tui.tui.themes import LIGHT

from .lists import screen_text, sees, until
from .session_app import NOW, SessionApp, opened, running
from .stored import MAIN_TITLE


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is the user's own."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    return home


@pytest.fixture(params=["family", "server_family"], ids=["sqlite", "postgresql-18"])
def place(request: pytest.FixtureRequest) -> Place:
    """A family of sessions."""
    found: Place = request.getfixturevalue(request.param)
    return found


@asynccontextmanager
async def browsing(place: Place, size: tuple[int, int] = (120, 30)) -> AsyncIterator[Pilot[None]]:
    """The app on the list of sessions."""
    file = Path.home() / "config.yaml"
    file.write_text("ui: {live: false}", "utf-8")
    app = AgorApp(lambda: opened(place), clock=lambda: NOW, configuration=Configuration(file, {}))
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BrowserScreen) and app.screen.table.current is not None)
        await until(pilot, lambda: app.screen.table.count.exact)  # type: ignore[attr-defined]
        yield pilot


def told(pilot: Pilot[None], text: str) -> bool:
    return any(text in note.message for note in pilot.app._notifications)


async def shows(pilot: Pilot[None], kind: type[Screen[Any]], *texts: str) -> None:
    """Wait for a dialog that says these."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind))
    await until(pilot, lambda: all(text in screen_text(pilot) for text in texts))


async def export_as(pilot: Pilot[None], key: str, format: str, path: str | None = None) -> str:
    """Ask for an export in a format, to the file that is proposed or another; returns what was proposed."""
    await pilot.press(key)
    await shows(pilot, ChooseModal, "md", "html", "txt", "json")
    await pilot.press(*format, "enter")
    await shows(pilot, PromptModal, "Export ")
    field = pilot.app.screen.query_one(Input)
    proposed = field.value
    field.value = proposed if path is None else path
    await pilot.pause()
    await pilot.press("enter")
    return proposed


async def test_the_selected_session_goes_where_it_is_said(place: Place, folder: Path) -> None:
    async with browsing(place) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, BrowserScreen)
        await until(pilot, lambda: any(screen.table.row(n).title == MAIN_TITLE for n in range(4)))  # type: ignore[union-attr]
        row = next(n for n in range(4) if screen.table.row(n).title == MAIN_TITLE)  # type: ignore[union-attr]
        await pilot.press(*["down"] * row)
        proposed = await export_as(pilot, "e", "html")
        assert proposed.startswith("~/fix-retry-swallowing-the-last-exception-0199b73d")
        await until(pilot, lambda: told(pilot, f"to {proposed}"))
        path = Path(proposed).expanduser()
        assert path.read_text().endswith("</main></body></html>\n")
        # Once more: what is there is not replaced in silence, and another place can be named.
        path.write_text("mine")
        await export_as(pilot, "E", "html")
        await shows(pilot, ConfirmModal, "Replace the file?", "0199b73db.html is there")
        await pilot.press("escape")
        await shows(pilot, PromptModal, "Export ")
        assert pilot.app.screen.query_one(Input).value == proposed
        assert path.read_text() == "mine"
        await pilot.press("enter")
        await shows(pilot, ConfirmModal, "Replace the file?")
        await pilot.press("enter")
        await until(pilot, lambda: path.read_text() != "mine")


async def test_marked_sessions_go_to_a_folder(place: Place, folder: Path) -> None:
    async with browsing(place) as pilot:
        await pilot.press("space", "space")
        await until(pilot, lambda: "2 marked" in screen_text(pilot))
        assert await export_as(pilot, "e", "txt", "~/kept/here") == "~/sessions"
        await until(pilot, lambda: told(pilot, "Wrote 2 files"))
        assert len(list((folder / "kept" / "here").glob("*.txt"))) == 2
        await export_as(pilot, "e", "txt", "~/kept/here")
        await shows(pilot, ConfirmModal, "Replace 2 of 2 files?")
        await pilot.press("escape")
        await shows(pilot, PromptModal, "2 sessions")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, BrowserScreen))


async def test_the_session_screen_exports_what_it_shows(place: Place, folder: Path) -> None:
    async with running(place) as pilot:
        await sees(pilot, "claude  14:02")
        await export_as(pilot, "E", "json", str(folder))
        await until(pilot, lambda: bool(list(folder.glob("fix-retry-*.json"))))
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))


async def test_what_goes_wrong_is_said_and_asked_again(family: Place, folder: Path) -> None:
    """On SQLite only: no database is asked for what is tested here, nor in the next one."""
    async with browsing(family) as pilot:
        await export_as(pilot, "e", "md", "")
        await until(pilot, lambda: "at least one character" in screen_text(pilot))
        pilot.app.screen.query_one(Input).value = "~/none/there.md"
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: told(pilot, "~/none does not exist."))
        await shows(pilot, PromptModal, "~/none/there.md")
        await pilot.press("escape")
        assert not list(folder.glob("*.md"))


async def test_a_long_export_is_shown_and_can_be_stopped(family: Place, folder: Path) -> None:
    """A pipe that nobody reads stands for a slow disk."""
    os.mkfifo(folder / "pipe.md")
    async with browsing(family) as pilot:
        await export_as(pilot, "e", "md", "~/pipe.md")
        await shows(pilot, ExportModal, "Exporting", "esc stop")
        await pilot.press("escape")
        await until(pilot, lambda: "Stopping…" in screen_text(pilot))
        reader = os.open(folder / "pipe.md", os.O_RDONLY | os.O_NONBLOCK)
        await until(pilot, lambda: told(pilot, "The export was stopped"))
        await until(pilot, lambda: isinstance(pilot.app.screen, BrowserScreen))
        os.close(reader)


Settle = Callable[[Pilot[None]], Any]


async def _choosing(pilot: Pilot[None]) -> None:
    await pilot.press("E")
    await shows(pilot, ChooseModal, "json")


async def _naming(pilot: Pilot[None]) -> None:
    await _choosing(pilot)
    await pilot.press("enter")
    await shows(pilot, PromptModal, "export")


async def _replacing(pilot: Pilot[None]) -> None:
    (Path.home() / "there.md").write_text("")
    await _naming(pilot)
    pilot.app.screen.query_one(Input).value = "~/there.md"
    await pilot.press("enter")
    await shows(pilot, ConfirmModal, "Replace the file?")


async def _exporting(pilot: Pilot[None]) -> None:
    os.mkfifo(Path.home() / "pipe.md")
    await _naming(pilot)
    pilot.app.screen.query_one(Input).value = "~/pipe.md"
    await pilot.press("enter")
    await shows(pilot, ExportModal, "Exporting")
    screen = pilot.app.screen
    assert isinstance(screen, ExportModal)
    screen.take(Progress("export", "messages", 1_250, 5_000, 31_400_000))


@pytest.mark.parametrize(
    ("step", "size"),
    [
        (_choosing, (80, 24)),
        (_naming, (80, 24)),
        (_naming, (160, 48)),
        (_replacing, (80, 24)),
        (_exporting, (80, 24)),
        (_exporting, (160, 48)),
    ],
    ids=["choosing", "naming", "naming-wide", "replacing", "exporting", "exporting-wide"],
)
def test_pictures(snap_compare: Any, family: Place, step: Settle, size: tuple[int, int]) -> None:
    async def settle(pilot: Pilot[None]) -> None:
        await sees(pilot, "claude  14:02")
        await step(pilot)
        await pilot.pause(0.1)

    with opened(family) as browser:
        theme = LIGHT.name if size[0] == 160 else "agor-dark"
        app = SessionApp(lambda: browser, theme=theme)
        assert snap_compare(app, terminal_size=size, run_before=settle)
        pipe = Path.home() / "pipe.md"
        if pipe.exists():  # let the thread that waits for a reader come to its end
            os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
