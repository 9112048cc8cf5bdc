"""The settings screen: what is changed counts at once, is written, and can be taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from agor_tui.config.places import SqlitePlace
from agor_tui.config.preferences import Preferences
from agor_tui.errors import ConfigError
from agor_tui.services.browser import Browser
from agor_tui.services.configuration import Configuration
from agor_tui.tui.app import AgorApp
from agor_tui.tui.key_map import all_keys, clash, keys_of
from agor_tui.tui.moments import Moments
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.capture import CaptureModal
from agor_tui.tui.screens.choose import ChooseModal
from agor_tui.tui.screens.confirm import ConfirmModal
from agor_tui.tui.screens.help import HelpScreen
from agor_tui.tui.screens.prompt import PromptModal
from agor_tui.tui.screens.settings import SettingsScreen
from agor_tui.tui.setting_rows import SettingRow
from agor_tui.tui.themes import DARK, LIGHT

from .lists import screen_text, until

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
Compare = Callable[..., bool]


def app_on(place: SqlitePlace, config: Path, content: str | None = "{}\n", theme: str = DARK.name) -> AgorApp:
    """The app with a config of its own."""
    if content is not None:
        config.write_text(content)
    configuration = Configuration(config, environ={})

    def connect() -> Browser:
        browser = configuration.open(str(place.path))
        browser.info = replace(browser.info, server_version="3.50")
        return browser

    app = AgorApp(connect, clock=lambda: NOW, configuration=configuration, theme=theme)
    app.animation_level = "none"
    return app


@asynccontextmanager
async def setting(
    place: SqlitePlace, config: Path, content: str | None = "{}\n", size: tuple[int, int] = (140, 40)
) -> AsyncIterator[Pilot[None]]:
    """The app on its settings, all keys known."""
    app = app_on(place, config, content)
    async with app.run_test(size=size, notifications=True) as pilot:
        await to_settings(pilot)
        yield pilot


async def to_settings(pilot: Pilot[None]) -> None:
    """Go to the settings and wait until all is there."""
    app = app_of(pilot)
    await until(pilot, lambda: app.browser is not None)
    await pilot.press("5")
    await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
    await until(pilot, lambda: table_of(pilot).count.value > 50 and "Keys:" in screen_text(pilot))


def app_of(pilot: Pilot[None]) -> AgorApp:
    assert isinstance(pilot.app, AgorApp)
    return pilot.app


def table_of(pilot: Pilot[None]) -> Any:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, SettingsScreen)
    return screen.table


def row(pilot: Pilot[None], name: str) -> SettingRow:
    """The row of a setting, by its name or the id of a binding."""
    table = table_of(pilot)
    rows = [table.row(index) for index in range(table.count.value)]
    return next(each for each in rows if each is not None and each.name == name)


async def go_to(pilot: Pilot[None], name: str) -> None:
    """Put the cursor on a setting."""
    table = table_of(pilot)
    await until(pilot, lambda: not table.busy)
    rows = [table.row(index) for index in range(table.count.value)]
    table.cursor = next(n for n, each in enumerate(rows) if each is not None and each.name == name)
    await pilot.pause()


async def saved(pilot: Pilot[None], config: Path, text: str) -> None:
    """Wait until the file has some words."""
    await until(pilot, lambda: text in config.read_text())


async def test_the_theme_is_shown_as_one_moves(family: SqlitePlace, tmp_path: Path) -> None:
    """At once, and written; the comment in the file stays."""
    config = tmp_path / "config.yaml"
    async with setting(family, config, "# mine\nui:\n  live: false\n") as pilot:
        app = app_of(pilot)
        assert app.theme == DARK.name
        await pilot.press("right")
        assert app.theme == LIGHT.name
        await saved(pilot, config, "theme: light")
        await until(pilot, lambda: row(pilot, "Theme").origin == "config.yaml, line 4")
        await until(pilot, lambda: "✓ saved" in screen_text(pilot))
        await pilot.press("left")
        assert app.theme == DARK.name
        await until(pilot, lambda: "theme" not in config.read_text())
        await until(pilot, lambda: row(pilot, "Theme").origin == "default")
        assert "# mine" in config.read_text()
        await pilot.press("right", "right", "right")  # the last one counts, however fast
        await saved(pilot, config, "theme: light")
        await pilot.press("r")
        await until(pilot, lambda: "theme" not in config.read_text())
        assert app.preferences.theme == "dark"


async def test_times_are_shown_anew_everywhere(family: SqlitePlace, tmp_path: Path) -> None:
    """Relative or absolute, in the zone that was chosen."""
    config = tmp_path / "config.yaml"
    async with setting(family, config, size=(160, 40)) as pilot:
        app = app_of(pilot)
        await go_to(pilot, "Times")
        await pilot.press("enter")
        assert app.preferences.times == "absolute"
        await go_to(pilot, "Time zone")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChooseModal))
        await pilot.press(*"Tokyo")
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: app.preferences.time_zone == "Asia/Tokyo")
        await saved(pilot, config, "timeZone: Asia/Tokyo")
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, BrowserScreen))
        session = app.screen.table.row(0)  # type: ignore[attr-defined]
        there = app.moments.minute(session.updated_at)
        await until(pilot, lambda: there in screen_text(pilot))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: there[:10] in screen_text(pilot) and there not in screen_text(pilot))


async def test_the_size_of_pages(family: SqlitePlace, tmp_path: Path) -> None:
    """Typed or stepped through; what is no number is said under the field."""
    config = tmp_path / "config.yaml"
    async with setting(family, config) as pilot:
        app = app_of(pilot)
        await go_to(pilot, "Page size")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PromptModal))
        for wrong in ("0", "99999", "viele"):
            await pilot.press("ctrl+u", *wrong, "enter")
            assert isinstance(app.screen, PromptModal)
        await until(pilot, lambda: "A whole number from 10 to 1,000." in screen_text(pilot))
        await pilot.press("ctrl+u", *"20", "enter")
        await until(pilot, lambda: app.preferences.page_size == 20)
        await saved(pilot, config, "pageSize: 20")
        await pilot.press("left")
        assert app.preferences.page_size == 512
        await saved(pilot, config, "pageSize: 512")


async def test_a_key_is_taken_over_at_once(family: SqlitePlace, tmp_path: Path) -> None:
    """The list, the footer and the help have the new one; a clash is told; a second key can be added."""
    config = tmp_path / "config.yaml"
    async with setting(family, config) as pilot:
        app = app_of(pilot)
        await go_to(pilot, "browser.sort")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureModal))
        await pilot.press("q")
        await until(pilot, lambda: "q is taken by app.quit: Leave agor-tui." in screen_text(pilot))
        await pilot.press("tab")
        await until(pilot, lambda: "keeps its meaning everywhere" in screen_text(pilot))
        await pilot.press("o")
        await until(pilot, lambda: app.preferences.keys.get("browser.sort") == "o")
        await saved(pilot, config, "browser.sort: o")
        await until(pilot, lambda: row(pilot, "browser.sort").value == "o")
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, CaptureModal))
        await pilot.press("comma")
        await until(pilot, lambda: row(pilot, "browser.sort").value == "o ,")
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, BrowserScreen))
        await until(pilot, lambda: "o sort" in screen_text(pilot))
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await until(pilot, lambda: "Choose the order" in screen_text(pilot))
        line = next(each for each in screen_text(pilot).splitlines() if "Choose the order" in each)
        assert "o ," in line
        await pilot.press("escape")
        await pilot.press("s")
        assert isinstance(app.screen, BrowserScreen)
        await pilot.press("comma")
        await until(pilot, lambda: not isinstance(app.screen, BrowserScreen))


async def test_leaving_the_capture_and_resetting(family: SqlitePlace, tmp_path: Path) -> None:
    """Escape changes nothing; one key or all of them go back."""
    config = tmp_path / "config.yaml"
    content = "ui: {keys: {browser.sort: o, app.help: f1, no.such: z}}\n"
    async with setting(family, config, content) as pilot:
        app = app_of(pilot)
        await go_to(pilot, "browser.sort")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureModal))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        assert row(pilot, "browser.sort").value == "o"
        assert row(pilot, "no.such").warning
        await pilot.press("r")
        await until(pilot, lambda: row(pilot, "browser.sort").value == "s")
        await until(pilot, lambda: "browser.sort" not in config.read_text())
        await pilot.press("X")
        await until(pilot, lambda: isinstance(app.screen, ConfirmModal))
        await pilot.press("enter")
        await until(pilot, lambda: not app.preferences.keys)
        await until(pilot, lambda: "keys" not in config.read_text())
        await until(pilot, lambda: row(pilot, "app.help").value == "?")


async def test_a_config_that_cannot_be_written(
    family: SqlitePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said on the screen; the setting holds for this run."""

    def refuse(*_: object) -> None:
        raise ConfigError("The config file /etc/config.yaml may not be written.", "Check its permissions.")

    monkeypatch.setattr(Configuration, "set_preference", refuse)
    async with setting(family, tmp_path / "config.yaml") as pilot:
        await pilot.press("right")
        await until(pilot, lambda: "Not saved, it holds for this run only: The config" in screen_text(pilot))
        assert pilot.app.theme == LIGHT.name
        await until(pilot, lambda: row(pilot, "Theme").origin == "this run only")


async def test_a_config_that_became_wrong(family: SqlitePlace, tmp_path: Path) -> None:
    """By someone's hand, while the app runs: it is not overwritten."""
    config = tmp_path / "config.yaml"
    async with setting(family, config) as pilot:
        config.write_text("ui: {theme: [\n")
        await pilot.press("right")
        await until(pilot, lambda: "it holds for this run only" in screen_text(pilot))
        assert config.read_text() == "ui: {theme: [\n"


async def test_a_filter(family: SqlitePlace, tmp_path: Path) -> None:
    """Words of the name, the value or what it does."""
    async with setting(family, tmp_path / "config.yaml") as pilot:
        await pilot.press("slash", *"board", "enter")
        await until(pilot, lambda: 0 < table_of(pilot).count.value < 40)
        assert "app.board" in screen_text(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: table_of(pilot).count.value > 50)


async def test_a_narrow_terminal_keeps_name_and_value(family: SqlitePlace, tmp_path: Path) -> None:
    """What a setting does gives way; the line below the list says it of the selected one."""
    async with setting(family, tmp_path / "config.yaml") as pilot:
        await pilot.resize_terminal(44, 14)
        await until(pilot, lambda: "WHAT IT DOES" not in screen_text(pilot))
        head, first = screen_text(pilot).splitlines()[2:4]
        assert head.split() == ["SETTING", "NOW"]
        assert first.strip("▌ ").split() == ["Theme", "dark"]


async def test_the_file_is_read_anew(family: SqlitePlace, tmp_path: Path) -> None:
    """After an edit by hand."""
    config = tmp_path / "config.yaml"
    async with setting(family, config) as pilot:
        config.write_text("ui:\n  times: absolute\n")
        await pilot.press("R")
        await until(pilot, lambda: row(pilot, "Times").origin == "config.yaml, line 2")
        assert app_of(pilot).preferences.times == "absolute"


def test_clashes() -> None:
    """A key of the app is taken everywhere, one of a screen only there."""
    rows = all_keys()
    by_id = {each.id: each for each in rows}
    assert len(by_id) == len(rows)
    assert all(each.text for each in rows if each.id.startswith(("app.", "table.", "browser.", "settings.")))
    found = clash("browser.sort", "q", rows, {})
    assert found is not None
    assert found.id == "app.quit"
    assert clash("migrations.upgrade", "s", rows, {}) is None
    assert clash("app.help", "s", rows, {}) is not None
    assert clash("browser.sort", "q", rows, {"app.quit": "x"}) is None
    assert keys_of(by_id["table.down"], {}) == ["down", "j"]


def test_moments() -> None:
    """In the zone, with the day alone where it is narrow; near the end of time it does not fail."""
    narrow = False
    preferences = Preferences(times="absolute", time_zone="Asia/Tokyo")
    moments = Moments(lambda: NOW, lambda: preferences, lambda: narrow)
    assert moments.text(NOW) == "2026-11-21 21:00"
    assert moments.cell(NOW) == "2026-11-21 21:00"
    narrow = True
    assert moments.cell(NOW) == "2026-11-21"
    assert moments.text(None) == "–"
    assert moments.local(datetime.max.replace(tzinfo=UTC)).year == 9999
    relative = Moments(lambda: NOW, lambda: Preferences(time_zone="UTC"), lambda: False)
    assert relative.text(NOW) == "now"
    assert relative.cell(datetime(2026, 3, 2, tzinfo=UTC)) == "2 Mar"
    assert relative.cell(datetime(2025, 3, 2, tzinfo=UTC)) == "Mar 2025"


# Pictures

MARKED = "ui:\n  times: absolute\n  keys: {browser.filter: f, browser.sort: t, 日本語: z}\n"


@pytest.mark.parametrize(
    ("size", "theme"),
    [((80, 24), DARK), ((160, 48), DARK), ((160, 48), LIGHT)],
    ids=["narrow-dark", "wide-dark", "wide-light"],
)
def test_picture(
    snap_compare: Compare, family: SqlitePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: Any, theme: Any
) -> None:
    """Preferences and keys; what is changed is marked, a clash too."""

    async def run(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app_of(pilot).browser is not None)
        await pilot.press("5")
        await until(pilot, lambda: isinstance(pilot.app.screen, SettingsScreen))
        await until(pilot, lambda: table_of(pilot).count.value > 10 and "config.yaml, l" in screen_text(pilot))
        await go_to(pilot, "Times")

    few = tuple(each for each in all_keys() if each.id.startswith(("app.", "browser.")))
    monkeypatch.setattr("agor_tui.tui.screens.settings.all_keys", lambda: few)
    app = app_on(family, tmp_path / "config.yaml", MARKED, theme.name)
    origins = app.configuration.show()
    monkeypatch.setattr(Configuration, "show", lambda self: origins)
    monkeypatch.setattr(Configuration, "file", Path("/home/ada/.config/agor-tui/データ/config.yaml"))
    assert snap_compare(app, terminal_size=size, run_before=run)


def test_picture_of_capturing(
    snap_compare: Compare, family: SqlitePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key that was pressed is taken."""
    few = tuple(each for each in all_keys() if each.id.startswith(("app.", "browser.")))
    monkeypatch.setattr("agor_tui.tui.screens.settings.all_keys", lambda: few)

    async def run(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app_of(pilot).browser is not None)
        await pilot.press("5")
        await until(pilot, lambda: isinstance(pilot.app.screen, SettingsScreen))
        await until(pilot, lambda: table_of(pilot).count.value > 10)
        await go_to(pilot, "browser.sort")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, CaptureModal))
        await pilot.press("q")
        await until(pilot, lambda: "is taken" in screen_text(pilot))

    app = app_on(family, tmp_path / "config.yaml")
    monkeypatch.setattr(Configuration, "file", Path("/home/ada/.config/agor-tui/config.yaml"))
    monkeypatch.setattr(Configuration, "show", lambda self: ())
    assert snap_compare(app, terminal_size=(80, 24), run_before=run)


def test_picture_of_an_error(
    snap_compare: Compare, family: SqlitePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The config may not be written; the filter fits nothing."""

    def refuse(*_: object) -> None:
        raise ConfigError("The config file /etc/agor.yaml may not be written.", "Check its permissions.")

    few = tuple(each for each in all_keys() if each.id.startswith("app."))
    monkeypatch.setattr("agor_tui.tui.screens.settings.all_keys", lambda: few)
    monkeypatch.setattr(Configuration, "set_preference", refuse)

    async def run(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app_of(pilot).browser is not None)
        await pilot.press("5")
        await until(pilot, lambda: isinstance(pilot.app.screen, SettingsScreen))
        await until(pilot, lambda: table_of(pilot).count.value > 10)
        await pilot.press("down", "right")
        await until(pilot, lambda: "for this run only" in screen_text(pilot))
        await pilot.press("slash", *"zebra", "enter")
        await until(pilot, lambda: "No setting fits" in screen_text(pilot))

    app = app_on(family, tmp_path / "config.yaml")
    monkeypatch.setattr(Configuration, "show", lambda self: ())
    assert snap_compare(app, terminal_size=(80, 24), run_before=run)
