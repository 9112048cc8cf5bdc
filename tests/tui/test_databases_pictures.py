"""Pictures of the databases screen, its dialogs and the quick switcher: every state beside every other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, SqlitePlace
from agor_tui.database_records import DatabaseInfo, DatabaseSurvey, SchemaState
from agor_tui.errors import AbsentError, AgorError, ConfigError, DatabaseError
from agor_tui.records import Count
from agor_tui.services import overview
from agor_tui.services.browser import Browser
from agor_tui.services.configuration import Configuration, NamedDatabase
from agor_tui.services.databases import open_database
from agor_tui.services.memory import Memory, key_of
from agor_tui.services.overview import NoAnswerError
from agor_tui.tui.app import AgorApp
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.database_edit import DatabaseEditScreen
from agor_tui.tui.screens.databases import DatabasesScreen
from agor_tui.tui.screens.switcher import SwitcherModal
from agor_tui.tui.themes import DARK, LIGHT

from .lists import screen_text, until

NOW = datetime(2025, 10, 12, 12, 0, tzinfo=UTC)
Compare = Callable[..., bool]

CONFIG = """
database: {dialect: sqlite, sqlite: {path: /home/robin/.agor/agor.db, readOnly: true}}
databases:
  team:
    dialect: postgresql
    postgresql: {host: db.example, database: agor, user: robin, passwordEnv: TEAM, tenant: acme, ssl: true}
  laptop: {dialect: sqlite, sqlite: {path: /home/robin/.local/share/agor-tui/agor.db}}
  opencode: {dialect: sqlite, sqlite: {path: /home/robin/.local/share/opencode/opencode.db}}
  edge: {dialect: sqlite, sqlite: {path: /home/robin/edge.db, syncUrl: "libsql://edge.example"}}
  old: {dialect: postgresql, postgresql: {host: 10.0.0.7, database: agor, user: robin}}
  旧いデータ: {dialect: sqlite, sqlite: {path: /mnt/archive/2024/backups/agents/agor-old.db}}
  next: {dialect: sqlite, sqlite: {path: /home/robin/next.db}}
  "[b]bold[red]": {dialect: postgresql, postgresql: {host: localhost, port: 5433, database: agor, schema: agents}}
active: laptop
"""

_CURRENT = SchemaState("current", "0004")
ANSWERS: dict[str, tuple[str, str, str, SchemaState, Count | None, int, float] | AgorError] = {
    "agor.db": ("3.50.4", "agor", "Agor", SchemaState("theirs", None, 114), Count(60), 2_500_000, 0.03),
    "team": ("18.4", "native", "agor-tui", _CURRENT, Count(100_000, False), 1_410_000_000, 4.2),
    "laptop": ("3.50.4", "native", "agor-tui", _CURRENT, Count(1204), 38_200_000, 0.21),
    "opencode": ("3.50.4", "opencode", "OpenCode", SchemaState("theirs", None, 38), Count(22), 1_400_000, 0.02),
    "edge": ("3.50.4", "native", "agor-tui", _CURRENT, Count(7), 254_000, 0.04),
    "old": NoAnswerError("robin@10.0.0.7/agor gave no answer in 5 s.", "Check that the server runs.", 5.0),
    "旧いデータ": ("3.50.4", "native", "agor-tui", SchemaState("behind", "0003", 1), Count(9), 812, 12.4),
    "next": AbsentError("/home/robin/next.db does not exist.", "Check the path."),
    "[b]bold[red]": DatabaseError(
        "localhost:5433/agor refused the user or the password.",
        "Check user and password (passwordEnv, passwordCommand, .pgpass or the URL).",
    ),
}
"""What each database answers, written here so that the pictures are the same on every machine."""


def answer(find: Callable[[], Place], limit_s: float | None = None) -> DatabaseSurvey:
    """What the database at a place answers."""
    place = find()
    found = ANSWERS[place.label]
    if isinstance(found, AgorError):
        raise found
    version, kind, owner, schema, sessions, size, latency = found
    dialect = "postgresql" if isinstance(place, PostgresPlace) else "sqlite"
    tenant = "acme" if isinstance(place, PostgresPlace) else None
    info = DatabaseInfo(place.label, dialect, version, kind, "", owner != "agor-tui", owner, "", tenant)
    survey = DatabaseSurvey(info, 3.0, latency, schema, sessions, size)
    if not isinstance(place, LibsqlPlace):
        return survey
    away = f"{place.sync_url} cannot be reached."
    return replace(survey, away=away, synced_at=NOW - timedelta(hours=3))


class Settings(Configuration):
    """The config file above, said to be where it would be; what opens is a family of sessions."""

    def __init__(self, file: Path, family: SqlitePlace) -> None:
        super().__init__(file, {"HOME": "/home/robin"})
        self._real = Configuration(file, {"HOME": "/home/robin"})
        self._family = family

    @property
    def file(self) -> Path:
        return Path("/home/robin/.config/agor-tui/config.yaml")

    def databases(self) -> tuple[NamedDatabase, ...]:
        return self._real.databases()

    def place(self, target: str | None = None) -> Place:
        return next(each.place for each in self._real.databases() if each.target == target and each.place)

    def open(self, target: str | None = None, *, read_only: bool = False) -> Browser:
        browser = open_database(str(self._family.path), environ={})
        browser.info = replace(
            browser.info, label="laptop", name="laptop", server_version="3.50.4", origin="config.yaml: active laptop"
        )
        return browser


@pytest.fixture
def settings(family: SqlitePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Nine databases, some of them opened before."""
    monkeypatch.setenv("HOME", "/home/robin")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(overview, "look", answer)
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    made = Settings(file, family)
    for name, ago in (("team", timedelta(minutes=3)), ("opencode", timedelta(days=2)), ("old", timedelta(days=40))):
        Memory().opened(key_of(made.place(name)), NOW - ago)
    return made


def app_on(settings: Configuration, theme: str = DARK.name) -> AgorApp:
    """The app with what differs between machines fixed."""
    app = AgorApp(lambda: settings.open(None), clock=lambda: NOW, configuration=settings, theme=theme)
    app.animation_level = "none"
    return app


def after(*keys: str, until_true: Callable[[DatabasesScreen], bool] = lambda screen: True) -> Any:
    """Go to the databases, press keys when all have answered, and wait until something is so."""

    async def run(pilot: Pilot[None]) -> None:
        first = pilot.app.screen_stack[0]
        assert isinstance(first, BrowserScreen)
        await until(pilot, lambda: bool(first.query("RecordTable")) and first._key is not None)
        await until(pilot, lambda: first.table.count.exact and not first.table.busy)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabasesScreen))
        screen = pilot.app.screen
        assert isinstance(screen, DatabasesScreen)
        await until(pilot, lambda: screen.table.notice is not None or bool(screen._rows))
        await until(pilot, lambda: not any(row.asking for row in screen._rows) and not screen.table.busy)
        await pilot.press(*keys)
        await until(pilot, lambda: until_true(screen) and not screen.table.busy)

    return run


@pytest.mark.parametrize(
    ("size", "theme"),
    [((80, 24), DARK), ((160, 48), DARK), ((160, 48), LIGHT), ((110, 24), DARK), ((40, 10), LIGHT)],
    ids=["narrow-dark", "wide-dark", "wide-light", "medium", "smallest"],
)
def test_the_databases(snap_compare: Compare, settings: Settings, size: tuple[int, int], theme: Any) -> None:
    """Each state by its sign and in words; the open one marked; wide characters and markup as they are."""
    assert snap_compare(app_on(settings, theme.name), terminal_size=size, run_before=after())


def test_one_that_cannot_be_read(snap_compare: Compare, settings: Settings) -> None:
    """The whole error, and what to do; two are marked."""
    keys = after("home", "down", "space", "space", "end")
    assert snap_compare(app_on(settings), terminal_size=(120, 30), run_before=keys)


def test_a_filter_that_nothing_fits(snap_compare: Compare, settings: Settings) -> None:
    """Says which, and how to see all again."""
    keys = after("slash", *"zebra", "enter", until_true=lambda screen: screen.table.count.value == 0)
    assert snap_compare(app_on(settings), terminal_size=(80, 24), run_before=keys)


def test_no_database_is_named(snap_compare: Compare, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the open one, and how to add others."""
    monkeypatch.setattr(settings, "databases", lambda: ())
    monkeypatch.setattr("agor_tui.tui.screens.databases.DatabasesScreen._opened", lambda self: None)
    keys = after(until_true=lambda screen: screen.table.notice is not None)
    assert snap_compare(app_on(settings), terminal_size=(80, 24), run_before=keys)


def test_settings_that_cannot_be_read(
    snap_compare: Compare, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line of the file, and what to do."""

    def broken() -> tuple[NamedDatabase, ...]:
        raise ConfigError(
            "/home/robin/.config/agor-tui/config.yaml, line 3, column 1: this is not YAML: found a tab.",
            "Check indentation (spaces, no tabs).",
        )

    monkeypatch.setattr(settings, "databases", broken)
    assert snap_compare(app_on(settings), terminal_size=(80, 24), run_before=after())


def in_dialog(*keys: str) -> Any:
    """A dialog above the databases, the cursor on ``team``."""

    async def run(pilot: Pilot[None]) -> None:
        await after("home", "down")(pilot)
        await pilot.press(*keys)
        await until(pilot, lambda: not isinstance(pilot.app.screen, DatabasesScreen))
        await pilot.pause()

    return run


def test_adding(snap_compare: Compare, settings: Settings) -> None:
    """The kind is chosen first."""
    assert snap_compare(app_on(settings), terminal_size=(80, 24), run_before=in_dialog("a"))


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_editing(snap_compare: Compare, settings: Settings, theme: Any) -> None:
    """All fields of a server; the password's variable is named."""

    async def run(pilot: Pilot[None]) -> None:
        await in_dialog("e")(pilot)
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabaseEditScreen))
        await pilot.pause()

    assert snap_compare(app_on(settings, theme.name), terminal_size=(80, 24), run_before=run)


def test_removing(snap_compare: Compare, settings: Settings) -> None:
    """Says that the database itself is not touched."""
    assert snap_compare(app_on(settings), terminal_size=(80, 24), run_before=in_dialog("x"))


@pytest.mark.parametrize(("size", "theme"), [((80, 24), DARK), ((160, 48), LIGHT)], ids=["narrow-dark", "wide-light"])
def test_the_switcher(snap_compare: Compare, settings: Settings, size: tuple[int, int], theme: Any) -> None:
    """The open one first, the cursor on the one before it."""

    async def run(pilot: Pilot[None]) -> None:
        first = pilot.app.screen_stack[0]
        assert isinstance(first, BrowserScreen)
        await until(pilot, lambda: bool(first.query("RecordTable")) and first._key is not None)
        await until(pilot, lambda: first.table.count.exact and not first.table.busy)
        await until(pilot, lambda: not first.panel.display or first.panel.filled)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, SwitcherModal) and "team" in screen_text(pilot))
        await until(pilot, lambda: not pilot.app.screen.query_one("RecordTable").busy)  # type: ignore[attr-defined]

    assert snap_compare(app_on(settings, theme.name), terminal_size=size, run_before=run)
