"""``db backup``, ``db restore`` and ``db check``: what they print, ask and answer, and how they end."""

from __future__ import annotations

import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import place_of
from tests.data.one_row_each import count, execute, fill

from .conftest import Run

DEADLINE_S = 30


@pytest.fixture
def team(run: Run, tmp_path: Path) -> Path:
    """A native file with a few rows."""
    path = tmp_path / "team.db"
    assert run("db", "init", "-d", path).code == 0
    fill(place_of(path))
    return path


@pytest.fixture
def saved(run: Run, team: Path, tmp_path: Path) -> Path:
    """A backup of it, after which its task was taken out."""
    made: str = run("db", "backup", tmp_path / "saved.db", "-d", team, "--json").json["path"]
    execute(place_of(team), "DELETE FROM tasks")
    return Path(made)


def break_references(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE messages SET task_id = 'gone', message_id = 'm\x1b[31m1'")
        connection.execute("UPDATE session_mcp_servers SET mcp_server_id = 'gone'")


def test_backup(run: Run, team: Path) -> None:
    answer = run("db", "backup", "-d", team)
    assert (answer.code, answer.err) == (0, "")
    made = Path(answer.out.partition(" (")[0])
    assert made.parent == team.parent / "backups"
    again = run("db", "backup", made, "-d", team)
    assert (again.code, again.out) == (1, "")
    assert again.err.splitlines() == [
        f"agor-tui: {made} exists already and is left as it is.",
        "Name another file, or move it away.",
    ]
    nowhere = run("db", "backup", f"{team.parent}/none/", "-d", team)
    assert nowhere.code == 2


def test_check(run: Run, team: Path) -> None:
    sound = run("db", "check", "-d", team)
    assert (sound.code, "✗" in sound.out, sound.out.splitlines()[-1]) == (0, False, f"{team}: nothing is wrong.")
    assert run("db", "check", "-d", team, "--json").json["well"] is True
    break_references(team)
    before = team.read_bytes()
    broken = run("db", "check", "-d", team)
    assert broken.code == 5
    assert "✗ references: messages.task_id names a row of tasks that is not there (1)\n    m␛[31m1\n" in broken.out
    assert team.read_bytes() == before


def test_a_repaired_copy_is_taken_by_the_command_that_is_named(run: Run, team: Path) -> None:
    break_references(team)
    answer = run("db", "check", "--repair", "-d", team)
    assert answer.code == 0, answer.out
    assert "messages.task_id: 1 emptied" in answer.out
    assert "session_mcp_servers.mcp_server_id: 1 row taken out" in answer.out
    words = shlex.split(answer.out.splitlines()[-1].removeprefix("To use it: agor-tui "))
    assert run(*words, "--yes").code == 0
    assert run("db", "check", "-d", team).code == 0
    assert run("db", "check", "--repair", "-d", team).code == 0


def test_a_restore_is_asked_about(run: Run, team: Path, saved: Path) -> None:
    refused = run("db", "restore", saved, "-d", team)
    assert (refused.code, refused.out) == (2, "")
    assert "--yes" in refused.err
    assert count(place_of(team), "tasks") == 0
    done = run("db", "restore", saved, "-d", team, "--yes")
    assert done.code == 0
    assert [line.split("  ")[0] for line in done.err.splitlines()] == ["database", "", "backup", ""]
    assert done.out.startswith(f"backed up first to {team.parent / 'backups'}")
    assert count(place_of(team), "tasks") == 1
    fresh = run("db", "restore", saved, "-d", team.parent / "fresh.db", "--yes", "--json").json
    assert (fresh["sessions"], fresh["safety"]) == (1, None)


@pytest.mark.parametrize(("typed", "code", "tasks"), [(b"y\n", 1, 0), (b"yes\n", 0, 1)])
def test_a_restore_takes_an_answer_from_a_terminal(
    terminal: Run, team: Path, saved: Path, typed: bytes, code: int, tasks: int
) -> None:
    answer = terminal("db", "restore", saved, "-d", team, typed=typed, width=200)
    assert (answer.code, count(place_of(team), "tasks")) == (code, tasks)
    assert "now     1 session in all, the newest of 2026-03-29 01:59:59 UTC" in answer.out


def test_an_interrupted_restore_leaves_what_was_there(team: Path, saved: Path) -> None:
    """It waits for a writer; Ctrl-C ends that at once."""
    with closing(sqlite3.connect(team, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with subprocess.Popen(
            [sys.executable, "-m", "agor_tui", "db", "restore", saved, "-d", team, "--yes"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as program:
            deadline = time.monotonic() + DEADLINE_S
            while not list(team.parent.glob("backups/team-before-restore-*.db")):
                assert time.monotonic() < deadline
                assert program.poll() is None
            program.send_signal(signal.SIGINT)
            assert program.wait(DEADLINE_S) == 130
            assert program.stderr is not None
            assert b"Traceback" not in program.stderr.read()
        writer.execute("ROLLBACK")
    assert count(place_of(team), "tasks") == 0
    assert not list(team.parent.glob(".agor-tui-*"))


@pytest.mark.parametrize("command", [("backup",), ("check",), ("restore", "{}")])
def test_a_database_that_is_not_there(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    there = tmp_path / "there.db"
    answer = run("db", *(each.format(there) for each in command), "-d", tmp_path / "none.db", "--json")
    assert (answer.code, answer.out) == (2 if command[0] == "restore" else 1, "")
    assert len(answer.err.splitlines()) <= 2
    assert not list(tmp_path.iterdir())


def test_a_database_of_no_known_kind_is_told_as_that(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes AS SELECT 1 AS n")
        connection.commit()
    status = run("db", "status", "-d", path)
    assert status.out == "unknown, looked after by another program\nIt records no revisions that can be shown.\n"
    checked = run("db", "check", "-d", path)
    assert checked.out.splitlines()[-1] == (
        f"{path}: nothing is wrong with what was looked at. "
        "The tables are of no known kind: their rows were not looked at."
    )
    tested = run("db", "test", "-d", path)
    assert re.search(r"^owner +another program$", tested.out, re.MULTILINE)
