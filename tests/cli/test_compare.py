"""``db compare``: what it prints, and its exit codes."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import place_of
from tests.data.one_row_each import fill

from .conftest import Run


@pytest.fixture
def pair(native_templates: Callable[[str], str], tmp_path: Path) -> tuple[Path, Path]:
    """Two native files with the same rows."""
    a, b = tmp_path / "a.db", tmp_path / "b.db"
    shutil.copyfile(native_templates("sqlite"), a)
    fill(place_of(a))
    shutil.copyfile(a, b)
    return a, b


def change(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


def test_equal_databases(run: Run, pair: tuple[Path, Path]) -> None:
    answer = run("db", "compare", *pair)
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0].split() == ["A", str(pair[0])]
    assert lines[2].split() == ["TABLE", "ROWS", "IN", "A", "ROWS", "IN", "B", "CHECKSUM"]
    assert [line.split()[-2:] for line in lines[3:-1]] == [["✓", "equal"]] * 11
    assert lines[-1] == "✓ Both hold the same 9 rows in 11 tables."
    assert run("db", "compare", *pair, "--only", "tasks, users").out.endswith("the same 2 rows in 2 tables.\n")


def test_databases_that_differ(run: Run, pair: tuple[Path, Path]) -> None:
    change(pair[1], "UPDATE sessions SET data = '{\"title\": \"\\u001b[31mTwo\"}', status = 'failed'")
    change(pair[1], "DELETE FROM tasks")
    answer = run("db", "compare", *pair)
    assert (answer.code, answer.err) == (5, "")
    assert answer.out.splitlines()[14:] == [
        "",
        "sessions",
        "  s1  status: “idle” in A, “failed” in B",
        "  s1  data.title: “One” in A, “␛[31mTwo” in B",
        "",
        "tasks",
        "  t1  only in A",
        "",
        "✗ They differ in 2 rows of 2 tables.",
    ]


def test_a_comparison_for_programs(run: Run, pair: tuple[Path, Path]) -> None:
    assert run("db", "compare", *pair, "--json").json["equal"] is True
    change(pair[1], "UPDATE users SET password = 'other'")
    answer = run("db", "compare", *pair, "--json", "--only", "users,boards")
    assert answer.code == 5
    found = json.loads(answer.out)
    assert (found["equal"], found["a"], found["b"]) == (False, *map(str, pair))
    boards, users = found["tables"]
    assert (boards["equal"], boards["differences"], len(boards["checksum_a"])) == (True, [], 32)
    assert (users["equal"], users["rows_a"], users["rows_b"], users["changed"]) == (False, 1, 1, 1)
    hidden = {"where": "password", "a": "‹hidden›", "b": "‹hidden›"}
    assert users["differences"] == [{"id": "u1", "only_in": None, "values": [hidden]}]
    assert "  u1  password: not the same, ‹hidden› in both" in run("db", "compare", *pair).out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--only", "session"], 2, "There is no table “session”; the nearest is “sessions”."),
        (["--only", ","], 2, "--only names no table."),
        (["--only", ""], 2, "--only names no table."),
    ],
)
def test_tables_that_are_none(run: Run, pair: tuple[Path, Path], words: list[str], code: int, says: str) -> None:
    answer = run("db", "compare", *pair, *words)
    assert (answer.code, answer.out) == (code, "")
    assert says in answer.err


def test_a_database_that_is_none(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    answer = run("db", "compare", pair[0], tmp_path / "missing.db")
    assert (answer.code, answer.out) == (1, "")
    assert "missing.db does not exist." in answer.err
    assert run("db", "compare", pair[0]).code == 2


def test_a_person_sees_how_far_it_is(terminal: Run, pair: tuple[Path, Path]) -> None:
    answer = terminal("db", "compare", *pair)
    assert answer.code == 0
    assert "\rverify messages  ████████████████████  1 of 1 " in answer.out
    assert answer.out.endswith("✓ Both hold the same 9 rows in 11 tables.\n")
