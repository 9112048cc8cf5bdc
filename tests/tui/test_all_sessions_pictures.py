"""Pictures of the merged list and of what is asked before a session is changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from agor_tui.errors import EditConflictError
from agor_tui.services.browser import Browser
from agor_tui.services.configuration import Configuration
from agor_tui.tui.app import AgorApp
from agor_tui.tui.screens.all_sessions import AllSessionsScreen
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.conflict import ConflictModal
from agor_tui.tui.themes import DARK, LIGHT

from ..builders.agor import build_sqlite
from .lists import until

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
Compare = Callable[..., bool]


@pytest.fixture
def settings(family_file: Path, native_templates: Callable[[str], str], tmp_path: Path) -> Configuration:
    """A family, somebody's Agor, an empty file and a server that refuses."""
    files = {name: tmp_path / f"{name}.db" for name in ("laptop", "agor", "empty")}
    shutil.copyfile(family_file, files["laptop"])
    shutil.copyfile(native_templates("sqlite"), files["empty"])
    build_sqlite(files["agor"], "2026")
    text = "ui: {live: false}\nactive: laptop\ndatabases:\n"
    text += "".join(f"  {name}: {{dialect: sqlite, sqlite: {{path: {path}}}}}\n" for name, path in files.items())
    text += "  team: {dialect: postgresql, postgresql: {host: 127.0.0.1, port: 1, database: agor}}\n"
    file = tmp_path / "config.yaml"
    file.write_text(text, "utf-8")
    return Configuration(file, {})


def app_on(settings: Configuration, theme: str = DARK.name) -> AgorApp:
    """The app with what differs between machines fixed."""

    def connect() -> Browser:
        browser = settings.open("laptop")
        browser.info = replace(browser.info, server_version="3.50")
        return browser

    app = AgorApp(connect, clock=lambda: NOW, configuration=settings, theme=theme)
    app.animation_level = "none"
    return app


def merged(*names: str, keys: tuple[str, ...] = ()) -> Any:
    """Open the merged list and wait until it is there."""

    async def run(pilot: Pilot[None]) -> None:
        app = pilot.app
        await until(pilot, lambda: isinstance(app.screen, BrowserScreen) and app.screen.table.current is not None)
        await app.push_screen(AllSessionsScreen({name: name for name in names}))
        screen = app.screen
        assert isinstance(screen, AllSessionsScreen)
        await until(pilot, lambda: all(state != "opening" for _, state, _ in screen._states()))
        await until(
            pilot, lambda: not screen.table.busy and (screen.table.count.exact or screen.table.notice is not None)
        )
        await pilot.press(*keys)
        await until(pilot, lambda: not screen.table.busy)
        await until(pilot, lambda: not screen.panel.display or screen.table.current is None or screen.panel.filled)

    return run


@pytest.mark.parametrize(
    ("size", "theme"),
    [((80, 24), DARK), ((160, 48), DARK), ((160, 48), LIGHT), ((40, 10), DARK)],
    ids=["narrow-dark", "wide-dark", "wide-light", "smallest"],
)
def test_all_in_one_list(snap_compare: Compare, settings: Configuration, size: tuple[int, int], theme: Any) -> None:
    """A column says which database, newest first, wide characters as they are; the one that refuses is named."""
    run = merged("laptop", "agor", "team", keys=("down", "down"))
    assert snap_compare(app_on(settings, theme.name), terminal_size=size, run_before=run)


def test_no_sessions_at_all(snap_compare: Compare, settings: Configuration) -> None:
    """Says so, and how to see archived ones."""
    assert snap_compare(app_on(settings), terminal_size=(80, 24), run_before=merged("empty"))


def test_none_opens(snap_compare: Compare, settings: Configuration) -> None:
    """Why not stands above the list."""
    assert snap_compare(app_on(settings), terminal_size=(100, 24), run_before=merged("team"))


def test_going_to_an_id_in_all(snap_compare: Compare, settings: Configuration) -> None:
    """The ids that fit, each with its database."""

    async def run(pilot: Pilot[None]) -> None:
        await merged("laptop", "agor")(pilot)
        await pilot.press("g", *"0199")
        await until(pilot, lambda: pilot.app.screen._table.count.value > 0)  # type: ignore[attr-defined]

    assert snap_compare(app_on(settings), terminal_size=(80, 24), run_before=run)


def in_browser(*keys: str) -> Any:
    """Press keys in the browser and wait for the modal that follows."""

    async def run(pilot: Pilot[None]) -> None:
        app = pilot.app
        await until(pilot, lambda: isinstance(app.screen, BrowserScreen) and app.screen.table.count.exact)
        await until(pilot, lambda: app.screen.table.current is not None)  # type: ignore[attr-defined]
        await pilot.press(*keys)
        if keys[-1] != "space":
            await until(pilot, lambda: not isinstance(app.screen, BrowserScreen))

    return run


@pytest.mark.parametrize("keys", [("r",), ("c",), ("b",), ("x",), ("space", "down", "space")], ids="".join)
def test_before_a_change(snap_compare: Compare, settings: Configuration, keys: tuple[str, ...]) -> None:
    """What is asked, with what it means; marked rows by their shape."""
    assert snap_compare(app_on(settings), terminal_size=(80, 24), run_before=in_browser(*keys))


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_a_conflict(snap_compare: Compare, settings: Configuration, theme: Any) -> None:
    """What it was and what it is now, and both ways on."""
    error = EditConflictError(
        "Someone changed the session “Fix retry” meanwhile: its title is now “再試行 [b]fix”.",
        (("title", "Fix retry", "再試行 [b]fix"), ("status", "", "failed")),
        "Nothing was written.",
    )

    async def run(pilot: Pilot[None]) -> None:
        await in_browser("space")(pilot)
        await pilot.app.push_screen(ConflictModal(error))
        await pilot.pause()

    assert snap_compare(app_on(settings, theme.name), terminal_size=(80, 24), run_before=run)
