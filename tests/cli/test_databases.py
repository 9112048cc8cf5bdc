"""``databases``: the named ones, listed, added, removed, chosen and tested."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from .conftest import Answer, Run
from .test_config import check


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "config.yaml"


@pytest.fixture
def databases(run: Run, file: Path) -> Run:
    return partial(run, "--config", file, "databases")


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def said(answer: Answer, *words: str) -> None:
    """A command went well, and told the person this."""
    assert answer.code == 0
    for word in words:
        assert word in answer.err


def test_the_life_of_a_name(databases: Run, run: Run, file: Path, agor_db: Path) -> None:
    (only,) = databases("list", "--json").json
    assert (only["name"], only["default"], only["origin"]) == (None, True, "default")
    assert databases("add", "mine", agor_db).out == f"mine is {agor_db}.\n"
    assert databases("add", "naïve 日本", agor_db, "--use", "--read-only").code == 0
    rows = {row["name"]: row for row in databases("list", "--json").json}
    assert [name for name, row in rows.items() if row["default"]] == ["naïve 日本"]
    assert (rows["naïve 日本"]["read_only"], rows["mine"]["read_only"]) == (True, False)
    assert rows["mine"] == {
        "name": "mine", "target": "mine", "default": False, "dialect": "sqlite", "place": str(agor_db),
        "read_only": False, "password": "none", "origin": "config.yaml: databases", "error": None,
    }  # fmt: skip
    assert run("board", "list", "--json", "--config", file).json == run("board", "list", "--json", "-d", agor_db).json
    assert databases("use", "mine").out == "mine opens by default.\n"
    assert "✓ default" in next(line for line in databases("list").out.splitlines() if line.startswith("mine"))
    assert databases("remove", "mine").out.endswith("The database itself was not touched.\n")
    assert agor_db.exists()
    assert "active" not in file.read_text()
    check(databases("remove", "mine"), 4, "No database is named “mine”")
    check(databases("use", "naive"), 4, "the nearest is “naïve 日本”")


def test_the_default_section_can_be_chosen_and_opened(databases: Run, run: Run, file: Path, agor_db: Path) -> None:
    file.parent.mkdir()
    file.write_text(
        f"database: {{sqlite: {{path: {agor_db}}}}}\ndatabases: {{x: {{sqlite: {{path: x.db}}}}}}\nactive: x\n"
    )
    assert run("db", "test", "-d", "database", "--json", "--config", file).json["place"] == str(agor_db)
    assert databases("use", "database").code == 0
    assert [row["default"] for row in databases("list", "--json").json] == [True, False]


def test_a_variable_that_comes_first_is_shown_and_said(
    databases: Run, agor_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@h/d")
    said(databases("add", "mine", agor_db, "--use"), "DATABASE_URL is set", "comes before it")
    first, second = databases("list", "--json").json
    assert (first["target"], first["default"], first["origin"], second["default"]) == (
        None,
        True,
        "DATABASE_URL",
        False,
    )
    assert "(environment)" in databases("list").out
    assert "hunter2" not in databases("list").out


def test_passwords_and_where_they_go(databases: Run, file: Path) -> None:
    url = "postgresql://u:hunter%40%3A%2F%25@h/d"
    said(databases("add", "a", url), "stands in", str(file), "--password-env", "--password-keyring")
    assert "password: hunter@:/%\n" in file.read_text()
    databases("remove", "a")
    said(databases("add", "b", url, "--password-env", "PW"), "was not kept")
    said(databases("add", "c", url, "--password-command", "pass show 'my db'"), "was not kept")
    assert "hunter" not in file.read_text()
    said(databases("add", "d", "postgresql://u@h/d", "--password-keyring"), "keyring set agor-tui d")
    assert [row["password"] for row in databases("list", "--json").json][-3:] == ["variable", "command", "keyring"]


def test_the_password_for_the_keyring_is_asked_for_and_not_shown(file: Path) -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "agor_tui", "--config", str(file), "databases", "add", "k", "postgresql://u@h/d",
         "--password-keyring"],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # what Linux says when the other end is closed
        while piece := os.read(ours, 4096):
            shown += piece
            if shown.endswith(b"system keyring: "):
                os.write(ours, b"hunter2\n")
    os.close(ours)
    text = shown.decode()
    assert process.wait(60) == 1
    assert "this system has no keyring" in text
    assert "hunter2" not in text
    assert not file.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["", "x.db"], 2, ["is no name"]),
        (["  ", "x.db"], 2, ["is no name"]),
        (["a/b", "x.db"], 2, ["is no name"]),
        (["x.db", "x.db"], 2, ["is no name"]),
        (["database", "x.db"], 2, ["default database"]),
        (["postgresql://u:hunter2@h/d", "x.db"], 2, ["is no name"]),
        (["team", "x.db"], 2, ["is named “team” already"]),
        (["n", ""], 2, ["target is empty"]),
        (["n", "  "], 2, ["target is empty"]),
        (["n", "word"], 2, ["no URL, and no file here", "./word"]),
        (["n", "/"], 1, ["is a folder"]),
        (["n", "postgresql://u@h:0/d"], 1, ["port that is not a number from 1 to 65535"]),
        (["n", "postgresql://u@h:99999/d"], 1, ["port that is not a number from 1 to 65535"]),
        (["n", "postgresql://u:hunter2/@h/d"], 1, ["%2F"]),
        (["n", "postgresql://u:hunter2%@h/d"], 1, ["hexadecimal"]),
        (["n", "mysql://u:hunter2@h/d"], 1, ["mysql", "not known"]),
        (["n", "u:hunter2@h/d"], 1, ["looks like a connection string"]),
        (["n", "x.db", "--password-env", "X"], 2, ["Only a PostgreSQL database"]),
        (["n", "pg://h/d", "--password-env", ""], 2, ["must not be empty"]),
        (["n", "pg://h/d", "--password-env", "no name"], 2, ["name of an environment variable"]),
        (["n", "pg://h/d", "--password-env", "X", "--password-keyring"], 2, ["one place only"]),
    ],
)  # fmt: skip
def test_what_cannot_be_added(databases: Run, file: Path, arguments: list[str], code: int, words: list[str]) -> None:
    assert databases("add", "team", "pg://h/d").code == 0
    before = file.read_bytes()
    check(databases("add", *arguments), code, *words)
    assert file.read_bytes() == before


def test_a_file_that_is_still_to_be_made_is_said(databases: Run, file: Path, tmp_path: Path) -> None:
    said(databases("add", "new", tmp_path / "new.db"), "no such file yet", "agor-tui db init -d new")
    assert not (tmp_path / "new.db").exists()


def test_all_are_tested_at_once_and_a_dead_one_harms_none(
    databases: Run, agor_db: Path, tmp_path: Path, silent: int, postgres18_url: str
) -> None:
    databases("add", "good", agor_db)
    databases("add", "empty", postgres18_url)
    databases("add", "missing", tmp_path / "missing.db")
    databases("add", "silent1", f"postgresql://u@127.0.0.1:{silent}/d")
    databases("add", "silent2", f"postgresql://u@127.0.0.1:{silent}/d")
    began = time.monotonic()
    answer = databases("test", "good", "empty", "missing", "silent1", "silent2")
    assert time.monotonic() - began < 9  # the limit of one, which is 5 s
    assert answer.code == 1
    lines = {line.split()[0]: line for line in answer.out.splitlines()}
    assert "✓ SQLite" in lines["good"]
    assert "✓ PostgreSQL 18" in lines["empty"]
    assert "does not exist" in lines["missing"]
    assert "✗" in lines["silent1"]
    assert "✗" in lines["silent2"]


def test_testing_by_name(databases: Run, agor_db: Path, tmp_path: Path) -> None:
    databases("add", "good", agor_db)
    databases("add", "missing", tmp_path / "missing.db")
    (row,) = databases("test", "good", "--json").json
    assert (row["ok"], row["kind"], row["schema"]) == (True, "agor", "theirs")
    assert databases("test", "good", "good").out.count("✓ SQLite") == 1
    failed = databases("test", "missing", "--json")
    assert failed.code == 1
    assert '"ok":false' in failed.out
    check(databases("test", "god"), 4, "the nearest is “good”")
    good, missing = databases("list", "--probe", "--json").json[-2:]
    assert (good["ok"], missing["ok"]) == (True, False)
