"""The session screen over a real database, and what its tests see of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from textual.pilot import Pilot
from textual.screen import Screen

from agor_tui.config.places import Place
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser
from agor_tui.tui import app
from agor_tui.tui.app import AgorApp
from agor_tui.tui.modes import SESSIONS
from agor_tui.tui.screens.session import SessionScreen
from agor_tui.tui.themes import DARK
from agor_tui.tui.widgets.session_heading import Tab

from .stored import MAIN

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


def opened(place: Place) -> Browser:
    """The database, read-only, with what differs between machines fixed."""
    store, info = open_store(place, read_only=True)
    return Browser(store, replace(info, server_version="3.50" if info.dialect == "sqlite" else "18"))


class SessionApp(AgorApp):
    """The app with nothing under the session screen; it reads anew by itself only where a test wants it ``live``."""

    CSS_PATH = str(Path(app.__file__).with_name("app.tcss"))
    MODES = {**AgorApp.MODES, SESSIONS: Screen}

    def __init__(
        self,
        connect: Callable[[], Browser],
        tab: Tab = "conversation",
        theme: str = DARK.name,
        session_id: str = MAIN,
        live: bool = False,
    ) -> None:
        super().__init__(connect, clock=lambda: NOW, theme=theme)
        self.preferences = replace(self.preferences, live=live)
        self.tab = tab
        self.shown_id = session_id

    def on_mount(self) -> None:
        self.push_screen(SessionScreen(self.shown_id, self.tab))


@asynccontextmanager
async def running(
    place: Place, tab: Tab = "conversation", size: tuple[int, int] = (130, 36), session_id: str = MAIN
) -> AsyncIterator[Pilot[None]]:
    """The app on a session; its database is closed in the end."""
    with opened(place) as browser:
        async with SessionApp(lambda: browser, tab, session_id=session_id).run_test(size=size) as pilot:
            yield pilot
