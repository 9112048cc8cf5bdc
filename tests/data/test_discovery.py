"""What a machine has already is found at its usual places, each place once, and nothing is touched."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from agor_tui import paths
from agor_tui.config.places import PostgresPlace, SqlitePlace
from agor_tui.services.discovery import candidates, unopened
from agor_tui.services.overview import look


@pytest.fixture
def home() -> Path:
    """The empty home of this test."""
    return Path(os.environ["HOME"])


def put(path: Path, content: str = "") -> Path:
    """Make a file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def environ(**more: str) -> dict[str, str]:
    """This test's environment and some variables."""
    return {**os.environ, **more}


def titles(**more: str) -> list[tuple[str, str]]:
    """Whose databases are found, and what named them."""
    return [(each.title, each.source) for each in candidates(environ(**more))]


def test_an_empty_machine_has_nothing() -> None:
    assert candidates(environ()) == ()
    assert unopened(environ()) == ()


def test_every_usual_place(home: Path) -> None:
    put(home / ".agor/agor.db")
    put(home / ".local/share/opencode/opencode.db")
    put(home / ".local/share/kilo/kilo.db")
    put(paths.default_database())
    assert titles() == [
        ("agor-tui's own file", "default"),
        ("Agor", "~/.agor/agor.db"),
        ("OpenCode", "~/.local/share/opencode/opencode.db"),
        ("Kilo", "~/.local/share/kilo/kilo.db"),
    ]


def test_the_environment_names_databases(home: Path) -> None:
    file = put(home / "x/agor.db")
    code = put(home / "code.db")
    data = put(home / "data/opencode/opencode.db")
    found = candidates(
        environ(
            AGOR_DB_PATH=f"file:{file}",
            DATABASE_URL="postgresql://ada:secret@db.example/team",
            PGHOST="other.example",
            PGDATABASE="agor",
            OPENCODE_DB=str(code),
            XDG_DATA_HOME=str(home / "data"),
        )
    )
    assert [each.source for each in found] == [
        "AGOR_DB_PATH",
        "DATABASE_URL",
        "PG*",
        "OPENCODE_DB",
        "~/data/opencode/opencode.db",
    ]
    assert isinstance(found[1].place, PostgresPlace)
    assert found[1].place.host == "db.example"
    assert isinstance(found[2].place, PostgresPlace)
    assert (found[2].place.host, found[2].place.database) == ("other.example", "agor")
    assert isinstance(found[4].place, SqlitePlace)
    assert found[4].place.path == data
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("title", "name", "variable"), [("OpenCode", "opencode", "OPENCODE_DB"), ("Kilo", "kilo", "KILO_DB")]
)
def test_every_channel_of_a_program(home: Path, title: str, name: str, variable: str) -> None:
    usual, data = home / ".local/share" / name, home / "data" / name
    for each in ("local", "stable"):
        put(usual / f"{name}-{each}.db")
    put(usual / f"{name}.db")
    for other in (f"{name}.db-wal", f"{name}.db.bak", "other.db", f"{name}.json"):
        put(usual / other)
    (usual / f"{name}-folder.db").mkdir()
    put(data / f"{name}-beta.db")
    put(data / "elsewhere/mine.db")
    shown = [(f"{title}{channel}", f"~/.local/share/{name}/{name}{end}.db") for channel, end in (
        ("", ""), (" (local)", "-local"), (" (stable)", "-stable"))]  # fmt: skip
    assert titles() == shown
    assert [each.name for each in candidates(environ())] == [name, f"{name}-local", f"{name}-stable"]
    there = {"XDG_DATA_HOME": str(home / "data")}
    assert titles(**there) == [(f"{title} (beta)", f"~/data/{name}/{name}-beta.db"), *shown]
    # A relative path counts from the program's data folder, wherever we are.
    assert titles(**there, **{variable: "elsewhere/mine.db"})[0] == (title, variable)
    assert titles(**{variable: "elsewhere/mine.db"}) == shown
    assert titles(**{variable: f"{name}-stable.db"}) == [(title, variable), *shown[:2]]
    assert titles(**{variable: ":memory:"}) == shown


def test_a_place_that_two_things_name_is_found_once(home: Path) -> None:
    file = put(home / ".agor/agor.db")
    (home / "link.db").symlink_to(file)
    assert titles(AGOR_DB_PATH=str(home / "link.db")) == [("the environment", "AGOR_DB_PATH")]


def test_agors_own_config(home: Path) -> None:
    put(home / ".agor/config.yaml", "daemon: {port: 3030}\ncredentials: {KEY: s3cret}\n")
    assert titles() == []
    put(
        home / ".agor/config.yaml",
        "credentials: {KEY: s3cret}\n"
        "database: {dialect: postgresql, postgresql: {host: db.example, database: agor, password: kept}}\n",
    )
    (found,) = candidates(environ())
    assert (found.title, found.source) == ("Agor", "~/.agor/config.yaml")
    assert isinstance(found.place, PostgresPlace)
    assert found.place.host == "db.example"
    assert "s3cret" not in repr(found)
    assert "kept" not in repr(found)


@pytest.mark.parametrize("content", ["[", "database: 7", "database: {dialect: mysql}", "\x00", "- a"])
def test_what_cannot_be_read_names_nothing(home: Path, content: str) -> None:
    put(home / ".agor/config.yaml", content)
    assert titles(DATABASE_URL="mysql://x", AGOR_DB_PATH="postgresql://x:1@y/z", PGHOST="a b://c") == []


def test_a_folder_in_the_place_of_a_file_is_no_database(home: Path) -> None:
    (home / ".agor/agor.db").mkdir(parents=True)
    assert titles(AGOR_DB_PATH=str(home)) == []


def test_programs_whose_files_are_not_opened_yet(home: Path) -> None:
    (home / ".claude/projects").mkdir(parents=True)
    (home / "codex/sessions").mkdir(parents=True)
    found = unopened(environ(CODEX_HOME=str(home / "codex")))
    assert [each.title for each in found] == ["Claude Code", "Codex"]


def test_what_is_found_can_be_looked_at(home: Path, fixtures_dir: Path) -> None:
    (home / ".agor").mkdir()
    shutil.copyfile(fixtures_dir / "agor" / "agor.db", home / ".agor" / "agor.db")
    (found,) = candidates(environ())
    survey = look(lambda: found.place)
    assert survey.info.kind == "agor"
    assert survey.sessions is not None
    assert survey.sessions.value > 0
    assert os.listdir(home / ".agor") == ["agor.db"]
