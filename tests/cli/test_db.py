"""``db``: making, migrating, emptying and testing databases on every dialect."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from agor_tui.repositories.places import BoardRepository
from agor_tui.services.databases import open_database
from tests.conftest import DIALECTS

from .conftest import Run


@pytest.fixture(params=DIALECTS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a database can be made: a path of no file, or an empty PostgreSQL database."""
    if request.param == "sqlite":
        return str(tmp_path / "new" / "native.db")
    url: str = request.getfixturevalue(request.param.replace("postgresql-", "postgres") + "_url")
    return url


def add_board(target: str) -> None:
    with open_database(target) as browser:
        BoardRepository(browser.store).create(name="Kept?", created_by="anonymous")


def test_the_life_of_a_database(run: Run, target: str) -> None:
    made = run("db", "init", "-d", target)
    assert (made.code, made.err) == (0, "")
    assert "applied 0001" in made.out
    assert made.out.splitlines()[-1].endswith("is ready.")
    again = run("db", "init", "-d", target)
    assert (again.code, "applied" in again.out) == (0, False)
    status = run("db", "status", "-d", target, "--json").json
    assert (status["kind"], status["owner"], status["drift"]) == ("native", "agor-tui", [])
    assert status["current"] == status["head"]
    assert {revision["state"] for revision in status["revisions"]} == {"applied"}
    assert run("session", "list", "-d", target, "--json").json == []

    undone = run("db", "downgrade", "-d", target, "--target", "base", "--yes")
    assert (undone.code, undone.out.splitlines()[-1].endswith("no revision applied.")) == (0, True)
    states = [revision["state"] for revision in run("db", "status", "-d", target, "--json").json["revisions"]]
    assert set(states) == {"pending"}
    assert "db migrate" in run("db", "status", "-d", target).out
    assert run("db", "migrate", "-d", target).code == 0
    assert run("db", "status", "-d", target, "--json").json["current"] == status["head"]


def test_reset_asks_first(run: Run, target: str) -> None:
    assert run("db", "init", "-d", target).code == 0
    add_board(target)
    refused = run("db", "reset", "-d", target)
    assert (refused.code, refused.out) == (2, "")
    assert "--yes" in refused.err
    assert len(run("board", "list", "-d", target, "--json").json) == 1
    emptied = run("db", "reset", "-d", target, "--yes")
    assert emptied.code == 0
    assert run("board", "list", "-d", target, "--json").json == []
    if not target.startswith("postgresql:"):
        copy = next(line for line in emptied.out.splitlines() if line.startswith("copied first to "))
        with sqlite3.connect(copy.removeprefix("copied first to ")) as connection:
            assert connection.execute("SELECT count(*) FROM boards").fetchone() == (1,)
        connection.close()


@pytest.mark.parametrize(("typed", "code", "left"), [(b"n\n", 1, 1), (b"y\n", 0, 0)])
def test_reset_takes_an_answer_from_a_terminal(
    run: Run, terminal: Run, tmp_path: Path, typed: bytes, code: int, left: int
) -> None:
    path = tmp_path / "native.db"
    assert run("db", "init", "-d", path).code == 0
    add_board(str(path))
    answer = terminal("db", "reset", "-d", path, typed=typed, width=200)
    assert answer.code == code
    assert f"Empty {path}?" in answer.out
    assert len(run("board", "list", "-d", path, "--json").json) == left


def test_downgrade_asks_first(run: Run, terminal: Run, tmp_path: Path) -> None:
    path = tmp_path / "native.db"
    assert run("db", "init", "-d", path).code == 0
    add_board(str(path))
    refused = run("db", "downgrade", "-d", path, "--target", "base")
    assert (refused.code, refused.out) == (2, "")
    assert "--yes" in refused.err
    answer = terminal("db", "downgrade", "-d", path, "--target", "base", typed=b"n\n", width=200)
    assert (answer.code, f"Undo revisions of {path} down to base?" in answer.out) == (1, True)
    assert len(run("board", "list", "-d", path, "--json").json) == 1


def test_test_says_what_answers(run: Run, target: str) -> None:
    run("db", "init", "-d", target)
    found = run("db", "test", "-d", target, "--json").json
    assert (found["kind"], found["owner"], found["read_only"]) == ("native", "agor-tui", False)
    assert found["dialect"] == ("postgresql" if target.startswith("postgresql:") else "sqlite")
    assert found["server_version"]
    assert 0 < found["latency_ms"] < 10_000
    shown = run("db", "test", "-d", target).out
    for word in ("native", "agor-tui", "latency", found["server_version"]):
        assert word in shown


def test_another_programs_database_is_left_alone(run: Run, agor_db: Path) -> None:
    before = agor_db.read_bytes()
    for command in (["init"], ["migrate"], ["downgrade", "--yes"], ["reset", "--yes"]):
        answer = run("db", *command, "-d", agor_db)
        assert (answer.code, answer.out) == (1, "")
        assert "Agor" in answer.err
    assert run("db", "test", "-d", agor_db, "--json").json["owner"] == "Agor"
    assert run("db", "status", "-d", agor_db, "--json").json["kind"] == "agor"
    assert agor_db.read_bytes() == before


def test_read_only_is_kept(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "native.db"
    assert run("db", "init", "-d", path).code == 0
    before = path.read_bytes()
    for command in (["migrate"], ["downgrade", "--yes"], ["reset", "--yes"]):
        answer = run("db", *command, "-d", path, "--read-only")
        assert (answer.code, answer.out) == (1, "")
    assert run("session", "list", "-d", path, "--read-only", "--json").json == []
    assert path.read_bytes() == before


def test_a_dialect_chooses_or_must_agree(run: Run, tmp_path: Path) -> None:
    assert run("db", "init", "--dialect", "postgresql", "-d", tmp_path / "x.db").code == 2
    assert run("db", "init", "--dialect", "sqlite", "-d", tmp_path / "x.db").code == 0
    nowhere = run("db", "init", "--dialect", "postgresql")
    assert (nowhere.code, nowhere.out) == (1, "")
    assert "DATABASE_URL" in nowhere.err


def test_a_dialect_takes_the_config_s_section(run: Run, tmp_path: Path, postgres18_url: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        f"database:\n  dialect: sqlite\n  sqlite: {{path: {tmp_path}/x.db}}\n"
        f"  postgresql: {{url: '{postgres18_url}'}}\n"
    )
    assert run("db", "init", "--dialect", "postgresql", "--config", config).code == 0
    assert run("db", "test", "-d", postgres18_url, "--json").json["kind"] == "native"
    assert not (tmp_path / "x.db").exists()
    assert run("db", "init", "--config", config).code == 0
    assert (tmp_path / "x.db").exists()


def test_an_unknown_revision(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "native.db"
    assert run("db", "init", "-d", path).code == 0
    answer = run("db", "migrate", "-d", path, "--target", "7777")
    assert (answer.code, answer.out) == (2, "")
    assert "0001" in answer.err


def test_the_demo_is_made_once_and_opens_like_any_other(run: Run) -> None:
    first, second = run("demo", "--no-open"), run("demo", "--no-open")
    assert (first.code, first.err) == (0, "")
    assert first.out == second.out
    path = first.out.strip()
    assert len(run("session", "list", "-d", path, "--limit", "0", "--json").json) > 100
    assert run("db", "test", "-d", path, "--json").json["kind"] == "native"
