"""The app begun with the wizard, and what its tests do in it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from agor_tui.services.configuration import Configuration
from agor_tui.tui.app import AgorApp
from agor_tui.tui.screens.setup import SetupScreen
from agor_tui.tui.screens.setup_step import SetupStep
from agor_tui.tui.widgets.menu import Menu

from .lists import until

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


def setup_app(theme: str | None = None) -> AgorApp:
    """The app on the settings of this test's home, begun with the wizard."""
    configuration = Configuration()
    app = AgorApp(configuration.open, clock=lambda: NOW, configuration=configuration, theme=theme, setup=True)
    app.animation_level = "none"
    return app


@asynccontextmanager
async def wizard(size: tuple[int, int] = (100, 36)) -> AsyncIterator[Pilot[None]]:
    """The wizard at its first question; what it opened is closed in the end."""
    app = setup_app()
    async with app.run_test(size=size) as pilot:
        try:
            await asks(pilot, "Which database")
            yield pilot
        finally:
            if app.browser is not None:
                app.browser.close()


def step_of(pilot: Pilot[None]) -> SetupStep:
    """The present question."""
    screen = pilot.app.screen
    assert isinstance(screen, SetupScreen)
    return screen.step


async def asks(pilot: Pilot[None], title: str) -> None:
    """Wait until a question is asked, and its keys arrive."""

    def asked() -> bool:
        screen = pilot.app.screen
        if not isinstance(screen, SetupScreen) or not screen._path or not screen.step.is_mounted:
            return False
        found = list(screen.step.query(".title"))
        return bool(found) and title in str(found[0].render()) and screen.focused is not None

    await until(pilot, asked)


async def chooses(pilot: Pilot[None], value: str) -> None:
    """Take an answer of the present menu, once it is offered."""
    menu = step_of(pilot).query_one(Menu)
    await until(pilot, lambda: any(item.value == value for item in menu._items))
    menu.choose(value)
    await pilot.press("enter")


async def fills(pilot: Pilot[None], **values: str) -> None:
    """Type into fields of the present form, in place of what stands there."""
    for name, value in values.items():
        field = step_of(pilot).query_one(f"#field-{name}", Input)
        field.focus()
        await pilot.pause()
        field.value = value
        await pilot.pause()


def files() -> list[str]:
    """All files in this test's home."""
    home = Path(os.environ["HOME"])
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def config_text() -> str:
    """The config file."""
    return Configuration().file.read_text()
