"""``db copy`` and ``db migrate-to-postgres``: what they print, to people and to programs, and how they end."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agor_tui.cli.transfer import _verdict
from agor_tui.transfers import CompareReport, CopyReport, TableCompared, TableCopied
from tests.data.copies import ground, insert, message, session

from .conftest import Run


@pytest.fixture
def file(native_templates: Callable[[str], str], tmp_path: Path) -> Path:
    """A native file with two sessions."""
    path = tmp_path / "a.db"
    shutil.copyfile(native_templates("sqlite"), path)
    ground(path)
    insert(path, "sessions", session("s1"), session("s2"))
    insert(path, "messages", message("m1", "s1"))
    return path


def test_to_postgresql_and_back(run: Run, file: Path, postgres18_url: str, tmp_path: Path) -> None:
    planned = run("db", "copy", file, postgres18_url, "--dry-run")
    assert (planned.code, planned.err) == (0, "")
    assert "would be given its tables." in planned.out
    assert planned.out.splitlines()[-1] == "6 rows (70 B) would be copied; nothing was written."
    there = run("db", "migrate-to-postgres", "--source", file, "--target", postgres18_url)
    assert (there.code, there.err) == (0, "")
    assert "✓ 6 rows (70 B) copied in " in there.out
    assert there.out.splitlines()[-1].endswith("; compared: nothing was lost.")
    back = run("db", "copy", postgres18_url, tmp_path / "b.db", "--json").json
    assert (back["lossless"], back["dry_run"], back["source_kind"]) == (True, False, "native")
    assert {table["table"]: table["rows"] for table in back["tables"] if table["rows"]}["sessions"] == 2
    assert back["verified"]["equal"] is True
    assert run("session", "list", "-d", tmp_path / "b.db", "--json").json == run(
        "session", "list", "-d", file, "--json"
    ).json  # fmt: skip


def test_what_cannot_be_held_is_said(run: Run, file: Path, tmp_path: Path) -> None:
    insert(file, "messages", message("m2", "gone\x1b[31m"))
    answer = run("db", "copy", file, tmp_path / "b.db")
    assert answer.code == 5
    assert "  messages m2 session_id: no row of sessions has the id gone␛[31m; the row is left out" in answer.out
    assert "✗ 6 rows" in answer.out.splitlines()[-1]
    assert answer.out.splitlines()[-1].endswith("; not as in FROM: 1 row left out.")
    insert(file, "messages", *(message(f"n{n}", "gone") for n in range(30)))
    again = run("db", "copy", file, tmp_path / "c.db")
    assert "  and 11 more" in again.out


def test_overwriting_is_asked_about(run: Run, file: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.db"
    assert run("db", "copy", file, target).code == 0
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE sessions SET updated_at = updated_at + 1 WHERE session_id = 's1'")
    connection.close()
    refused = run("db", "copy", file, target, "--on-conflict", "newer")
    assert (refused.code, refused.out) == (2, "")
    assert "Add --yes." in refused.err
    answer = run("db", "copy", file, target, "--on-conflict", "newer", "--yes", "--only", "sessions", "--json").json
    assert [(each["table"], each["overwritten"], each["skipped"]) for each in answer["tables"]] == [("sessions", 1, 1)]
    assert "OVERWRITTEN" not in run("db", "copy", file, target, "--on-conflict", "skip").out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["db", "copy", "A"], 2, "Missing argument 'TO'"),
        (["db", "copy", "A", "A"], 2, "are the same database"),
        (["db", "copy", "A", "B", "--since", "soon"], 2, "--since is no time: “soon”"),
        (["db", "copy", "A", "B", "--only", "sesions"], 2, "the nearest is “sessions”"),
        (["db", "copy", "none.db", "B"], 1, "none.db does not exist"),
        (["db", "migrate-to-postgres", "--source", "A", "--target", "B"], 2, "is no PostgreSQL database"),
        (["db", "copy", "A", "postgresql://u:hidden@127.0.0.1:1/x"], 1, "refused the connection"),
    ],
)
def test_bad_input(run: Run, file: Path, tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    names = {"A": str(file), "B": str(tmp_path / "b.db"), "none.db": str(tmp_path / "none.db")}
    answer = run(*(names.get(each, each) for each in arguments))
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert "hidden" not in answer.err
    assert not (tmp_path / "b.db").exists()


def test_sessions_since_yesterday(run: Run, file: Path, tmp_path: Path) -> None:
    answer = run("db", "copy", file, tmp_path / "b.db", "--since", "2100-01-01", "--json").json
    assert {each["table"] for each in answer["tables"] if each["rows"]} == {"boards", "repos", "worktrees"}


def test_a_terminal_sees_the_progress(terminal: Run, file: Path, tmp_path: Path) -> None:
    answer = terminal("db", "copy", file, tmp_path / "b.db", width=100)
    assert answer.code == 0
    assert "copy messages" in answer.out
    assert "1 of 1" in answer.out


def test_the_database_that_opens_anyway(
    run: Run, file: Path, postgres16_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGOR_DB_PATH", str(file))
    answer = run("db", "migrate-to-postgres", "--target", postgres16_url, "--dry-run", "--json")
    assert json.loads(answer.out)["source"] == str(file)


def test_rows_that_are_not_as_in_from_are_said() -> None:
    """Those that stay by the rule for conflicts, and what changed while a copy was interrupted."""
    differing = CompareReport("a", "b", (TableCompared("users", 2, 2, "1", "2", changed=2),))
    report = CopyReport("a", "b", "native", (TableCopied("users", 0, skipped=2),), verified=differing)
    kept, *_ = _verdict(replace(report, on_conflict="skip"))
    assert "2 rows stay as TO has them" in kept
    *_, hint = _verdict(replace(report, resumed=True))
    assert "--on-conflict newer" in hint


def test_a_table_that_nobody_maps_is_named_by_all_that_read_everything(run: Run, file: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute('CREATE TABLE "no\x1btes" AS SELECT 1 AS n')
        connection.commit()
    for command, more in (
        (("db", "copy", file, tmp_path / "b.db"), ("--dry-run",)),
        (("db", "copy", file, tmp_path / "b.db"), ()),
        (("db", "compare", file, tmp_path / "b.db"), ()),
        (("db", "export", tmp_path / "a.jsonl"), ("-d", file)),
    ):
        answer = run(*command, *more)
        assert answer.code == 5, command
        assert "no␛tes" in answer.out + answer.err
        assert "1 row of a table that agor-tui has not" in answer.out + answer.err
        assert "nothing was lost" not in answer.out
        assert "✓" not in answer.out.splitlines()[-1:]


def test_tables_that_are_left_aside_are_told_with_the_reason(run: Run, agor_db: Path, tmp_path: Path) -> None:
    copied = run("db", "copy", agor_db, tmp_path / "b.db")
    assert "not copied, on purpose:\n" in copied.out
    compared = run("db", "compare", agor_db, tmp_path / "b.db")
    assert "Not compared, on purpose:\n" in compared.out
    exported = run("db", "export", tmp_path / "a.jsonl", "-d", agor_db)
    assert "Not exported, on purpose:\n" in exported.err
    line = "logins and keys, which are never read"
    assert all(line in text for text in (copied.out, compared.out, exported.err))
