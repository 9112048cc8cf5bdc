"""The databases screen and the quick switcher, with a real config file and real databases behind them."""

from __future__ import annotations

import gc
import shutil
import socket
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from agor_tui.config.places import Place, PostgresPlace, SqlitePlace
from agor_tui.errors import ConfigError
from agor_tui.records import Session
from agor_tui.services import overview
from agor_tui.services.configuration import Configuration, NamedDatabase
from agor_tui.services.memory import Memory, key_of
from agor_tui.tui.app import AgorApp
from agor_tui.tui.database_rows import DatabaseRow, state_words, targets_of
from agor_tui.tui.screens.all_sessions import AllSessionsScreen, DatabasesLine
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.confirm import ConfirmModal
from agor_tui.tui.screens.database_edit import DatabaseEditScreen
from agor_tui.tui.screens.database_test import DatabaseTestModal
from agor_tui.tui.screens.databases import DatabasesScreen
from agor_tui.tui.screens.error import ErrorScreen
from agor_tui.tui.screens.migrations import MigrationsScreen
from agor_tui.tui.screens.session import SessionScreen
from agor_tui.tui.screens.switcher import SwitcherModal
from agor_tui.tui.widgets.find_bar import FindBar
from agor_tui.tui.widgets.form_field import ChoiceLine, FormInput
from agor_tui.tui.widgets.record_table import RecordTable

from ..conftest import place_of
from .lists import screen_text, sees, until

NOW = datetime(2025, 10, 12, 12, 0, tzinfo=UTC)
SECRET = "correct-horse"


def entry(place: Place | str | Path) -> str:
    """The entry of a database, in YAML's short form."""
    if isinstance(place, SqlitePlace):
        place = place.path
    if isinstance(place, PostgresPlace):
        where = f"host: {place.host}, port: {place.port}, database: {place.database}, user: {place.user}"
        return f"{{dialect: postgresql, postgresql: {{{where}}}}}"
    return f"{{dialect: sqlite, sqlite: {{path: {place}}}}}"


def configured(folder: Path, entries: Mapping[str, Place | str | Path], active: str | None = None) -> Configuration:
    """A config file with these databases; an entry that is text with braces stands as it is."""
    lines = ["# kept", "databases:"]
    for name, place in entries.items():
        lines.append(f"  {name}: {place if isinstance(place, str) and place.startswith('{') else entry(place)}")
    lines.append(f"active: {active or next(iter(entries))}")
    file = folder / "config.yaml"
    file.write_text("\n".join(lines) + "\n")
    return Configuration(file, {"HOME": str(folder)})


def app_of(configuration: Configuration) -> AgorApp:
    app = AgorApp(lambda: configuration.open(None), clock=lambda: NOW, configuration=configuration)
    app.animation_level = "none"
    return app


@asynccontextmanager
async def running(configuration: Configuration, size: tuple[int, int] = (120, 30)) -> AsyncIterator[Pilot[None]]:
    """The app, its first database open."""
    async with app_of(configuration).run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: browser_list(pilot).count.exact and not browser_list(pilot).busy)
        yield pilot


@asynccontextmanager
async def on_databases(configuration: Configuration, size: tuple[int, int] = (120, 30)) -> AsyncIterator[Pilot[None]]:
    """The same on the databases screen, when all have answered."""
    async with running(configuration, size) as pilot:
        await pilot.press("3")
        await answered(pilot)
        yield pilot


async def answered(pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, DatabasesScreen))
    await until(pilot, lambda: bool(rows(pilot)) and not any(row.asking for row in rows(pilot).values()))


def app(pilot: Pilot[Any]) -> AgorApp:
    assert isinstance(pilot.app, AgorApp)
    return pilot.app


def browser_list(pilot: Pilot[Any]) -> RecordTable[Session]:
    screen = pilot.app.get_screen_stack("sessions")[0]
    assert isinstance(screen, BrowserScreen)
    return screen.table


def ids(pilot: Pilot[Any]) -> list[str]:
    table = browser_list(pilot)
    found = [table.row(index) for index in range(table.count.value)]
    return [session.id for session in found if session is not None]


def databases(pilot: Pilot[Any]) -> DatabasesScreen:
    screen = pilot.app.get_screen_stack("databases")[0]
    assert isinstance(screen, DatabasesScreen)
    return screen


def rows(pilot: Pilot[Any]) -> dict[str, DatabaseRow]:
    return {row.name: row for row in databases(pilot)._rows}


async def go_to(pilot: Pilot[Any], name: str) -> None:
    """Put the cursor on a database."""
    table = databases(pilot).table
    await until(pilot, lambda: not table.busy and table.count.value == len(rows(pilot)))
    table.cursor = next(n for n in range(table.count.value) if (row := table.row(n)) is not None and row.name == name)
    await pilot.pause()


async def type_in(pilot: Pilot[Any], field: str, text: str) -> None:
    """Type a text into a field of the form in place of what is there."""
    line = pilot.app.screen.query_one(f"#field-{field}", FormInput)
    line.focus()
    line.value = text
    await pilot.pause()


@pytest.fixture
def hanging() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(20)
        yield entry(
            PostgresPlace(None, "", "", host="127.0.0.1", port=server.getsockname()[1], database="agor", user="u")
        )


@pytest.fixture(params=["sqlite", "postgresql-18"])
def other(request: pytest.FixtureRequest, tmp_path: Path, native_templates: Callable[[str], str]) -> Place:
    """A second database, with the same family of sessions on PostgreSQL, and without any in SQLite."""
    if request.param == "sqlite":
        return place_of(shutil.copyfile(native_templates("sqlite"), tmp_path / "other.db"))
    found: Place = request.getfixturevalue("server_family")
    return found


# What is shown


async def test_all_are_asked_at_once_and_none_harms_another(
    family: SqlitePlace, tmp_path: Path, fixtures_dir: Path, hanging: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "LIMIT_S", 4.0)  # those that do answer need some time on a busy machine
    (tmp_path / "garbage.db").write_bytes(b"x" * 4096)
    (tmp_path / "empty.db").touch()
    configuration = configured(
        tmp_path,
        {
            "team": family,
            "agor": fixtures_dir / "agor" / "agor.db",
            "silent": hanging,
            "dead": "{dialect: postgresql, postgresql: {host: 127.0.0.1, port: 1, database: agor}}",
            "garbage": tmp_path / "garbage.db",
            "empty": tmp_path / "empty.db",
            "none": tmp_path / "none.db",
            "folder": tmp_path,
        },
    )
    async with running(configuration, (160, 40)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabasesScreen) and "theirs · 9" in screen_text(pilot))
        before = [line.split()[:2] for line in screen_text(pilot).splitlines()[2:11]]
        await answered(pilot)
        text = screen_text(pilot)
        assert [line.split()[:2] for line in text.splitlines()[2:11]] == before  # nothing jumped
        for word in ("0002 · current", "not set up", "does not exist", "refused the connection", "4 cannot be read"):
            assert word in text
        silent = next(line for line in text.splitlines() if " silent " in line)
        assert "no answer in 4 s" in silent
        opened = next(line for line in text.splitlines() if " team default " in line)
        assert "●" in opened
        assert " now " in opened


async def test_columns_give_way_and_the_panel_has_the_rest(family: SqlitePlace, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"team": family})
    async with on_databases(configuration, (160, 40)) as pilot:
        header = screen_text(pilot).splitlines()[2]
        for title in ("NAME", "DIALECT", "KIND", "WHERE", "OWNER", "SESSIONS", "SIZE", "LATENCY", "OPENED", "SCHEMA"):
            assert title in header
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "OWNER" not in screen_text(pilot).splitlines()[2])
        narrow = screen_text(pilot)
        header = narrow.splitlines()[2]
        assert "SCHEMA" in header
        assert "SESSIONS" in header
        assert str(family.path) in "".join(line.strip() for line in narrow.splitlines())
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert "team" in screen_text(pilot)


async def test_a_database_without_a_name_has_a_row_while_it_is_open(family: SqlitePlace, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"none": tmp_path / "none.db"})
    app = AgorApp(lambda: configuration.open(str(family.path)), clock=lambda: NOW, configuration=configuration)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: browser_list(pilot).count.exact)
        await pilot.press("3")
        await answered(pilot)
        assert [(row.name, row.is_open) for row in databases(pilot)._rows] == [("team.db", True), ("none", False)]
        assert rows(pilot)["team.db"].survey is not None


async def test_wrong_settings_are_said_and_nothing_else_is_lost(family: SqlitePlace, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"team": family})
    async with on_databases(configuration) as pilot:
        good = configuration.file.read_text()
        configuration.file.write_text("databases: [")
        await pilot.press("R")
        await sees(pilot, "this is not YAML")
        configuration.file.write_text(good)
        await pilot.press("R")
        await until(pilot, lambda: "0002 · current" in screen_text(pilot))


async def test_the_filter_narrows_the_list(family: SqlitePlace, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"team": family, "none": tmp_path / "none.db", "nine": tmp_path / "nine.db"})
    async with on_databases(configuration) as pilot:
        await pilot.press("slash", *"NONE", "enter")
        await until(pilot, lambda: databases(pilot).table.count.value == 1)
        assert databases(pilot).table.has_focus
        await pilot.press("escape")
        await until(pilot, lambda: databases(pilot).table.count.value == 3)
        await pilot.press("slash", *"zebra", "enter")
        await until(pilot, lambda: "No database fits" in screen_text(pilot))
        await pilot.press("escape")
        assert not databases(pilot).query_one(FindBar).is_open


async def test_the_place_is_copied_without_a_secret(tmp_path: Path, family: SqlitePlace) -> None:
    with_password = f"{{dialect: postgresql, postgresql: {{url: 'postgresql://u:{SECRET}@127.0.0.1:1/agor'}}}}"
    configuration = configured(tmp_path, {"team": family, "dead": with_password})
    async with on_databases(configuration) as pilot:
        await go_to(pilot, "dead")
        await pilot.press("y")
        assert pilot.app.clipboard == "postgresql://u@127.0.0.1:1/agor"
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabaseEditScreen))
        await pilot.pause()
        assert SECRET not in screen_text(pilot)
        assert "unchanged" in screen_text(pilot)


# Switching


async def test_switching_leaves_nothing_of_the_old_database(family: SqlitePlace, other: Place, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"team": family, "other": other})
    async with running(configuration) as pilot:
        before = app(pilot).browser
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))
        session = weakref.ref(pilot.app.screen)
        await pilot.press("3")
        await answered(pilot)
        await go_to(pilot, "other")
        await pilot.press("enter")
        await until(pilot, lambda: app(pilot).browser is not before)
        await until(pilot, lambda: rows(pilot)["other"].is_open and not rows(pilot)["team"].is_open)
        await pilot.press("1")
        await until(pilot, lambda: isinstance(pilot.app.screen, BrowserScreen))
        await until(pilot, lambda: not browser_list(pilot).busy and browser_list(pilot).count.exact)
        if isinstance(other, SqlitePlace):
            await until(pilot, lambda: "No sessions yet" in screen_text(pilot))
            text = screen_text(pilot)
            assert "retry" not in text
            assert "0 sessions" in text
        assert "other" in screen_text(pilot).splitlines()[0]
        info = app(pilot).info
        assert info is not None
        assert (info.name, info.origin) == ("other", "config.yaml: databases")
        await until(pilot, lambda: gc.collect() >= 0 and session() is None)  # nor in memory


async def test_the_old_connections_are_closed(server_family: Place, family: SqlitePlace, tmp_path: Path) -> None:
    assert isinstance(server_family, PostgresPlace)
    url = f"postgresql://postgres@{server_family.host}:{server_family.port}/{server_family.database}"
    ours = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'agor-tui'"
    with psycopg.connect(url, autocommit=True) as watcher:

        def connections() -> int:
            row = watcher.execute(ours).fetchone()
            return row[0] if row else 0

        async with running(configured(tmp_path, {"server": server_family, "file": family})) as pilot:
            assert connections() > 0
            await pilot.press("d")
            await until(pilot, lambda: isinstance(pilot.app.screen, SwitcherModal))
            await pilot.press(*"file", "enter")
            await until(pilot, lambda: "file" in screen_text(pilot).splitlines()[0])
            await until(pilot, lambda: connections() == 0)


async def test_a_switch_that_fails_keeps_the_old_database(family: SqlitePlace, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"team": family, "none": tmp_path / "none.db"})
    async with on_databases(configuration) as pilot:
        before = app(pilot).browser
        await go_to(pilot, "none")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ErrorScreen))
        await sees(pilot, "does not exist")
        await pilot.press("escape")
        assert app(pilot).browser is before
        assert rows(pilot)["team"].is_open
        assert not (tmp_path / "none.db").exists()
        await pilot.press("1")
        await pilot.pause()
        assert ids(pilot)


async def test_opened_read_only(other: Place, family: SqlitePlace, tmp_path: Path) -> None:
    async with on_databases(configured(tmp_path, {"team": family, "other": other})) as pilot:
        await go_to(pilot, "other")
        await pilot.press("o")
        await until(pilot, lambda: rows(pilot)["other"].is_open)
        info = app(pilot).info
        assert info is not None
        assert (info.name, info.read_only) == ("other", True)


async def test_each_database_keeps_its_filter_its_order_and_its_session(
    family: SqlitePlace, server_family: Place, tmp_path: Path
) -> None:
    configuration = configured(tmp_path, {"team": family, "server": server_family})

    def screen() -> BrowserScreen:
        found = pilot.app.get_screen_stack("sessions")[0]
        assert isinstance(found, BrowserScreen)
        return found

    def settled() -> bool:
        return not screen().table.busy and screen().table.count.exact

    async def switch(name: str) -> None:
        before = app(pilot).browser
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, SwitcherModal))
        await pilot.press(*name, "enter")
        await until(pilot, lambda: app(pilot).browser is not before)
        await until(pilot, lambda: screen()._key is not None and settled())

    async with running(configuration) as pilot:
        await pilot.press("slash", *"archived:any", "enter", "S", "down", "down")
        await until(pilot, settled)
        selected = screen().table.current
        assert selected is not None
        await switch("server")
        assert screen().filter_line.text == ""
        assert screen()._sort.descending
        await pilot.press("slash", *"retry", "enter")
        await until(pilot, settled)
        await switch("team")
        assert screen().filter_line.text == "archived:any"
        assert not screen()._sort.descending
        current = screen().table.current
        assert current is not None
        assert current.id == selected.id
    async with running(configuration) as pilot:  # the app was left on it
        await until(pilot, lambda: screen().filter_line.text == "archived:any")
        assert not screen()._sort.descending
    assert Memory().recall(key_of(server_family)).filter == "retry"
    assert Memory().recall(key_of(family)).opened_at == NOW


# Changing the config


async def test_a_database_is_added(family: SqlitePlace, other: Place, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"team": family})
    async with on_databases(configuration) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabaseEditScreen))
        if isinstance(other, SqlitePlace):
            await type_in(pilot, "path", str(other.path))
        else:
            assert isinstance(other, PostgresPlace)
            pilot.app.screen.query_one("#field-kind", ChoiceLine).focus()
            await pilot.press("right")
            await until(pilot, lambda: bool(pilot.app.screen.query("#field-url")))
            await type_in(pilot, "url", f"postgresql://{other.user}@{other.host}:{other.port}/{other.database}")
        await type_in(pilot, "name", "team")
        await pilot.press("enter")
        await until(pilot, lambda: "already" in screen_text(pilot))
        assert configuration.file.read_text().count("team") == 3  # the name, the file, active
        await type_in(pilot, "name", "second")
        await pilot.press("enter")
        await answered(pilot)
        await until(pilot, lambda: "second" in rows(pilot) and rows(pilot)["second"].survey is not None)
        assert databases(pilot).table.current is rows(pilot)["second"]
        assert configuration.file.read_text().startswith("# kept")
        assert configuration.file.stat().st_mode & 0o777 == 0o600


async def test_keys_reach_the_fields_of_another_kind_and_the_first_wrong_one(
    family: SqlitePlace, tmp_path: Path
) -> None:
    """Tab right after the choice of a kind; enter with a password that has no home yet."""
    async with on_databases(configured(tmp_path, {"mine": family})) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabaseEditScreen))
        kind = pilot.app.screen.query_one("#field-kind", ChoiceLine)
        kind.focus()
        await pilot.pause()
        kind.action_move(1)
        pilot.app.screen.focus_next()  # the fields of the kind before are still there
        await until(pilot, lambda: bool(pilot.app.screen.query("#field-url")))
        await until(pilot, lambda: getattr(pilot.app.screen.focused, "name", "") == "name")
        await pilot.press(*"team", "tab")
        await type_in(pilot, "url", "postgresql://me:secret@db.example/agor")
        await pilot.press("enter")
        await until(pilot, lambda: "Say where the password is to be kept" in screen_text(pilot))
        assert getattr(pilot.app.screen.focused, "name", "") == "home"
        await pilot.press("escape")
        await until(pilot, lambda: "Discard what you typed?" in screen_text(pilot))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("/a b/c.yaml, line 9: databases.x.postgresql.passwordKeyring: the keyring is shut.", "the keyring is shut"),
        (
            "c.yaml, line 9: databases.x.postgresql.passwordEnv names X, which is not.",
            "passwordEnv names X, which is not",
        ),
        ("me@h/d cannot be reached.", "cannot be reached"),
    ],
)
def test_what_is_wrong_comes_before_where_that_stands(said: str, shown: str) -> None:
    place = PostgresPlace("x", "x", "", host="h", user="me", database="d")
    row = DatabaseRow(NamedDatabase("x", place, None, False, ""), error=ConfigError(said))
    assert state_words(row)[2] == shown


async def test_a_password_goes_where_it_shall_and_is_never_shown(
    family: SqlitePlace, tmp_path: Path, keyring: Any
) -> None:
    configuration = configured(tmp_path, {"team": family})
    async with on_databases(configuration) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabaseEditScreen))
        pilot.app.screen.query_one("#field-kind", ChoiceLine).focus()
        await pilot.press("right")
        await until(pilot, lambda: bool(pilot.app.screen.query("#field-url")))
        await type_in(pilot, "name", "dead")
        await type_in(pilot, "url", f"postgresql://u:{SECRET}@127.0.0.1:1/agor")
        await pilot.press("enter")
        await until(pilot, lambda: "Say where the password is to be kept" in screen_text(pilot))
        assert SECRET not in screen_text(pilot)
        pilot.app.screen.query_one("#field-home", ChoiceLine).value = "file"
        await pilot.press("enter")
        await until(pilot, lambda: "dead" in rows(pilot))
        assert SECRET in configuration.file.read_text()
        await until(pilot, lambda: not rows(pilot)["dead"].asking)
        # Edited without a word on the password, it stays.
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabaseEditScreen))
        await type_in(pilot, "database", "other")
        await pilot.press("enter")
        await until(pilot, lambda: "database: other" in configuration.file.read_text())
        assert SECRET in configuration.file.read_text()
        assert SECRET not in screen_text(pilot)
        # From the file it can go elsewhere; what the keyring has is to be typed for another home.
        for home in ("keyring", "file"):
            await until(pilot, lambda: not rows(pilot)["dead"].asking)
            await pilot.press("e")
            await until(pilot, lambda: isinstance(pilot.app.screen, DatabaseEditScreen))
            pilot.app.screen.query_one("#field-home", ChoiceLine).value = home
            await pilot.press("enter")
            if home == "keyring":
                await until(pilot, lambda: "passwordKeyring: true" in configuration.file.read_text())
        await until(pilot, lambda: "Type the password that is to be kept there" in screen_text(pilot))
        assert SECRET not in configuration.file.read_text()
        assert keyring.get_password("agor-tui", "dead") == SECRET


async def test_an_edit_that_somebody_else_overtook_is_refused(family: SqlitePlace, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"team": family, "none": tmp_path / "none.db"})
    async with on_databases(configuration) as pilot:
        await go_to(pilot, "none")
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabaseEditScreen))
        await type_in(pilot, "path", str(tmp_path / "mine.db"))
        text = configuration.file.read_text()
        configuration.file.write_text(text.replace("none.db", "theirs.db"))
        await pilot.press("enter")
        await until(pilot, lambda: "theirs.db" in screen_text(pilot))
        assert "path was" in screen_text(pilot)
        assert "mine.db" not in configuration.file.read_text()
        assert pilot.app.screen.query_one("#field-path", FormInput).value.endswith("mine.db")
        await pilot.press("enter")
        await until(pilot, lambda: "mine.db" in configuration.file.read_text())


async def test_a_file_that_may_not_be_written_keeps_the_form(family: SqlitePlace, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"team": family, "none": tmp_path / "none.db"})
    configuration.file.chmod(0o400)
    async with on_databases(configuration) as pilot:
        await go_to(pilot, "none")
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabaseEditScreen))
        await type_in(pilot, "path", str(tmp_path / "mine.db"))
        await pilot.press("enter")
        await until(pilot, lambda: "Nothing was changed." in screen_text(pilot))
        assert pilot.app.screen.query_one("#field-path", FormInput).value.endswith("mine.db")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabasesScreen))


async def test_a_database_is_removed_from_the_config_alone(family: SqlitePlace, other: Place, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"team": family, "other": other})
    async with on_databases(configuration) as pilot:
        await go_to(pilot, "other")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal))
        assert "itself is not touched" in " ".join(screen_text(pilot).split())
        await pilot.press("escape")
        await pilot.pause()
        assert "other" in configuration.file.read_text()
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal))
        before = configuration.file.read_text()
        changed = before.replace("  other: ", f"  other: {entry(tmp_path / 'by-hand.db')} # ")
        configuration.file.write_text(changed)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(pilot.app.screen, ErrorScreen))
        assert "was changed in" in screen_text(pilot)
        assert configuration.file.read_text() == changed
        configuration.file.write_text(before)
        await pilot.press("escape", "R")
        await answered(pilot)
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal))
        await pilot.press("y")
        await until(pilot, lambda: "other" not in rows(pilot))
        assert overview.look(lambda: other).schema.state == "current"


async def test_what_opens_by_default_is_chosen(family: SqlitePlace, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"team": family, "none": tmp_path / "none.db"})
    async with on_databases(configuration) as pilot:
        await go_to(pilot, "none")
        await pilot.press("u")
        await until(pilot, lambda: rows(pilot)["none"].database.is_default)
        assert "active: none" in configuration.file.read_text()
        assert not rows(pilot)["team"].database.is_default


async def test_an_empty_place_is_set_up(empty_place: Place, family: SqlitePlace, tmp_path: Path) -> None:
    async with on_databases(configured(tmp_path, {"team": family, "new": empty_place})) as pilot:
        await go_to(pilot, "new")
        await pilot.press("i")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal))
        await pilot.press("escape")
        await pilot.pause()
        row = rows(pilot)["new"]
        assert row.absent or (row.survey is not None and row.survey.schema.state == "empty")
        await pilot.press("i", "y")
        await until(pilot, lambda: (new := rows(pilot)["new"].survey) is not None and new.schema.state == "current")
        assert not rows(pilot)["new"].may("set_up")


async def test_a_test_shows_its_steps(family: SqlitePlace, hanging: str, tmp_path: Path) -> None:
    async with running(configured(tmp_path, {"team": family, "silent": hanging})) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabasesScreen) and len(rows(pilot)) == 2)
        await go_to(pilot, "team")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabaseTestModal) and pilot.app.screen.done)
        text = screen_text(pilot)
        for word in ("file", "rights", "latency", "It can be opened."):
            assert word in text
        await pilot.press("escape")
        await go_to(pilot, "silent")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabaseTestModal))
        await pilot.press("escape")  # it is not waited for
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabasesScreen))


async def test_the_migrations_of_another_database(family: SqlitePlace, fixtures_dir: Path, tmp_path: Path) -> None:
    agor = fixtures_dir / "agor" / "agor.db"
    async with on_databases(configured(tmp_path, {"team": family, "agor": agor})) as pilot:
        await go_to(pilot, "agor")
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, MigrationsScreen))
        await until(pilot, lambda: "Agor" in screen_text(pilot))


async def test_what_does_not_apply_is_not_offered(family: SqlitePlace, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"team": family, "none": tmp_path / "none.db"})
    async with on_databases(configuration) as pilot:
        screen = databases(pilot)
        await go_to(pilot, "team")
        assert [action for action in ("set_up", "default", "remove") if screen.check_action(action, ())] == ["remove"]
        await go_to(pilot, "none")
        assert [action for action in ("set_up", "migrations") if screen.check_action(action, ())] == ["set_up"]
        await pilot.press("space")
        assert rows(pilot)["none"].marked
        assert "1 marked" in screen_text(pilot)
        await pilot.press("escape")
        assert not rows(pilot)["none"].marked


async def test_the_sessions_of_all_that_are_marked(family: SqlitePlace, other: Place, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"team": family, "other": other, "none": tmp_path / "none.db"})
    async with on_databases(configuration) as pilot:
        await go_to(pilot, "team")
        await pilot.press("space", "space", "A")
        await until(pilot, lambda: isinstance(pilot.app.screen, AllSessionsScreen))
        screen = pilot.app.screen
        assert isinstance(screen, AllSessionsScreen)
        await until(pilot, lambda: screen.table.count.exact and not screen.table.busy and screen.table.count.value > 0)
        assert "none" not in "\n".join(screen_text(pilot).splitlines()[:4])


async def test_all_of_them_go_by_short_names_and_a_file_that_nobody_made_is_not_missed(
    family: SqlitePlace, tmp_path: Path
) -> None:
    """One that only a variable names is among them."""
    file = tmp_path / "config.yaml"
    file.write_text("ui: {theme: dark}\n")
    configuration = Configuration(file, {"HOME": str(tmp_path), "AGOR_DB_PATH": str(family.path)})
    async with on_databases(configuration) as pilot:
        await pilot.press("A")
        await until(pilot, lambda: isinstance(pilot.app.screen, AllSessionsScreen))
        screen = pilot.app.screen
        assert isinstance(screen, AllSessionsScreen)
        await until(pilot, lambda: screen.table.count.exact and not screen.table.busy and screen.table.count.value > 0)
        assert "1 database" in screen_text(pilot)
        assert screen.query_one(DatabasesLine).said == (("team.db", "listed", ""),)


def test_two_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    files = [tmp_path / folder / "agor.db" for folder in "ab"]
    places = [SqlitePlace(None, file.name, file, "") for file in files]
    rows = [DatabaseRow(NamedDatabase(None, place, None, False, "", str(place.path))) for place in places]
    assert targets_of(rows) == {"agor.db": str(files[0]), str(files[1]): str(files[1])}


# The quick switcher


async def switcher(pilot: Pilot[Any]) -> SwitcherModal:
    await pilot.press("d")
    await until(pilot, lambda: isinstance(pilot.app.screen, SwitcherModal) and pilot.app.screen._rows is not None)
    screen = pilot.app.screen
    assert isinstance(screen, SwitcherModal)
    await until(pilot, lambda: not screen._table.busy)
    return screen


def offered(screen: SwitcherModal) -> list[str]:
    table = screen._table
    return [row.name for index in range(table.count.value) if (row := table.row(index)) is not None]


async def test_the_switcher_lists_the_last_opened_first(family: SqlitePlace, hanging: str, tmp_path: Path) -> None:
    places = {name: place_of(tmp_path / f"{name}.db") for name in ("alpha", "beta", "gamma", "db")}
    Memory().opened(key_of(places["beta"]), NOW - timedelta(days=2))
    Memory().opened(key_of(places["gamma"]), NOW - timedelta(hours=1))
    async with running(configured(tmp_path, {**places, "silent": hanging, "team": family}, "team")) as pilot:
        screen = await switcher(pilot)
        assert offered(screen) == ["team", "gamma", "beta", "alpha", "db", "silent"]
        current = screen._table.current
        assert current is not None
        assert current.name == "gamma"  # enter goes back to the one before
        assert "2d" in screen_text(pilot)
        for name in ("db", "team"):  # a whole name comes before a place that holds it, and before those not open
            screen.query_one(Input).value = name
            await until(pilot, lambda name=name: offered(screen)[:1] == [name] and not screen._table.busy)  # type: ignore[misc]
            assert screen._table.current is not None
            assert screen._table.current.name == name
        browser_list(pilot).action_select()  # a key before it that is only heeded now
        await pilot.pause()
        await pilot.pause()
        assert pilot.app.screen is screen
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, BrowserScreen)


async def test_the_switcher_narrows_and_takes_a_path(family: SqlitePlace, other: Place, tmp_path: Path) -> None:
    async with running(configured(tmp_path, {"team": family, "other": other})) as pilot:
        screen = await switcher(pilot)
        await pilot.press(*"zebra")
        await until(pilot, lambda: "No database fits" in screen_text(pilot))
        await pilot.press("enter")
        assert pilot.app.screen is screen
        target = str(other.path) if isinstance(other, SqlitePlace) else _url(other)
        screen.query_one(Input).value = target
        await until(pilot, lambda: screen._table.count.value > 0 and not screen._table.busy)
        await pilot.press("enter")
        label = "other.db" if isinstance(other, SqlitePlace) else _database(other)
        await until(pilot, lambda: label in screen_text(pilot).splitlines()[0])
        await pilot.press("3")
        await answered(pilot)
        assert [row.is_open for row in databases(pilot)._rows].count(True) == 1


async def test_a_name_typed_at_once_is_switched_to(family: SqlitePlace, other: Place, tmp_path: Path) -> None:
    """Keys that arrive before the settings are read are not lost."""
    async with running(configured(tmp_path, {"team": family, "other": other})) as pilot:
        await pilot.press("d", *"oth", "enter")
        await until(pilot, lambda: "other" in screen_text(pilot).splitlines()[0])


async def test_the_password_of_a_url_is_not_repeated(family: SqlitePlace, tmp_path: Path) -> None:
    async with running(configured(tmp_path, {"team": family})) as pilot:
        screen = await switcher(pilot)
        screen.query_one(Input).value = f"postgresql://u:{SECRET}@127.0.0.1:1/agor"
        await until(pilot, lambda: offered(screen) == ["the URL as typed"])
        assert screen_text(pilot).count(SECRET) <= 1  # where it is typed
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ErrorScreen))
        assert SECRET not in screen_text(pilot)


async def test_a_broken_config_leaves_the_switcher_its_paths(family: SqlitePlace, other: Place, tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"team": family})
    async with running(configuration) as pilot:
        configuration.file.write_text("databases: [")
        screen = await switcher(pilot)
        await sees(pilot, "this is not YAML")
        screen.query_one(Input).value = str(tmp_path / "x.db")
        await until(pilot, lambda: len(offered(screen)) == 1)


def _url(place: Place) -> str:
    assert isinstance(place, PostgresPlace)
    return f"postgresql://{place.user}@{place.host}:{place.port}/{place.database}"


def _database(place: Place) -> str:
    assert isinstance(place, PostgresPlace)
    return place.database or ""
