"""What starting costs and imports, and the app without a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import agor_tui

from .conftest import Run

_HEAVY = ("sqlalchemy", "textual", "psycopg", "alembic", "yaml", "platformdirs", "sqlite3")
_PROBE = """
import contextlib, io, json, sys
sys.argv = ["agor-tui", *json.loads(sys.argv[1])]
from agor_tui.__main__ import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    with contextlib.suppress(SystemExit):
        main()
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def imported_by(*arguments: str) -> set[str]:
    """The packages that a command has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, json.dumps(arguments)], capture_output=True, check=True, stdin=subprocess.DEVNULL
    )
    return set(json.loads(done.stdout))


def test_version(program: Run) -> None:
    answer = program("--version")
    assert (answer.code, answer.out, answer.err) == (0, f"agor-tui {agor_tui.__version__}\n", "")


def test_version_imports_nothing_but_itself() -> None:
    assert not imported_by("--version") & {*_HEAVY, "click"}


@pytest.mark.parametrize("arguments", [["--help"], ["session", "list", "--help"], ["db", "--help"], ["nosuch"]])
def test_help_and_usage_errors_import_nothing_heavy(arguments: list[str]) -> None:
    assert not imported_by(*arguments) & set(_HEAVY)


def test_a_command_imports_no_textual_and_what_it_does_not_need(agor_db: Path) -> None:
    found = imported_by("session", "list", "-d", str(agor_db), "--json")
    assert "sqlalchemy" in found
    assert not found & {"textual", "alembic", "yaml"}


@pytest.mark.parametrize(
    "noun", [["session", "list"], ["session", "show"], ["session", "tree"], ["session", "export"], ["task", "list"],
             ["task", "show"], ["message", "list"], ["board", "list"], ["id"], ["db", "init"], ["db", "migrate"],
             ["db", "downgrade"], ["db", "status"], ["db", "reset"], ["db", "test"], ["demo"], ["completion"],
             ["config", "path"], ["config", "show"], ["config", "get"], ["config", "set"], ["config", "unset"],
             ["databases", "list"], ["databases", "add"], ["databases", "remove"], ["databases", "use"],
             ["databases", "test"]]
)  # fmt: skip
def test_every_command_has_help_and_takes_the_global_options(run: Run, noun: list[str]) -> None:
    answer = run(*noun, "--help")
    assert answer.code == 0
    assert answer.err == ""
    for option in ("--database", "--config", "--tenant", "--read-only"):
        assert option in answer.out
    assert len(answer.out.splitlines()[2].strip()) > 10  # a sentence on what it does


def test_the_help_names_every_command_there_is(run: Run) -> None:
    shown = run("--help").out
    for noun in ("session", "task", "message", "board", "id", "db", "databases", "config", "demo", "completion"):
        assert f"\n  {noun} " in shown


def test_a_noun_alone_shows_its_verbs(run: Run) -> None:
    answer = run("session")
    assert (answer.code, answer.out) == (2, "")
    assert "tree" in answer.err


@pytest.mark.parametrize("arguments", [[], ["demo"]])
def test_the_app_says_so_where_there_is_no_terminal(program: Run, arguments: list[str]) -> None:
    answer = program(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("agor-tui: The app needs a terminal")


def test_global_options_stand_before_or_behind_the_command(run: Run, agor_db: Path) -> None:
    wanted = run("-d", agor_db, "board", "list", "--json").out
    assert wanted != "[]\n"
    assert run("board", "-d", agor_db, "list", "--json").out == wanted
    assert run("board", "list", "--json", "--database", agor_db).out == wanted
    assert run("-d", "/nowhere/at.all", "board", "list", "-d", agor_db, "--json").out == wanted  # the innermost wins
