"""What goes to standard output and how: JSON for programs, tables for people, on terminals, pipes and full disks."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.builders.agor_rows import Rows
from tests.data.copies import ground, insert, session

from .conftest import Run

SESSION = [
    *("id", "short_id", "title", "status", "store_status", "tool", "created_at", "updated_at", "created_by"),
    *("parent_id", "forked_from_id", "repo", "worktree", "branch", "board", "archived", "model"),
    *("task_count", "message_count", "tokens_input", "tokens_output", "cost"),
]
TASK = [
    *("id", "short_id", "session_id", "title", "status", "store_status", "created_at", "started_at"),
    *("completed_at", "duration_ms", "model", "tool_use_count"),
]
MESSAGE = ["id", "session_id", "task_id", "index", "role", "type", "timestamp", "text", "tool_calls"]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def rows(run: Run, db: Path, *command: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run(*command, "-d", db, "--json", "--limit", "0").json
    return found


def test_the_fields_of_json_and_their_order(run: Run, agor_db: Path) -> None:
    sessions = rows(run, agor_db, "session", "list", "archived:any")
    tasks = rows(run, agor_db, "task", "list", "archived:any")
    assert all(list(row) == SESSION for row in sessions)
    assert all(list(row) == TASK for row in tasks)
    for row in [*sessions, *tasks]:
        assert all(row[key] is None or TIME.fullmatch(row[key]) for key in row if key.endswith("_at"))
    busy = max(sessions, key=lambda row: row["message_count"])
    messages = rows(run, agor_db, "message", "list", busy["id"])
    assert all(list(row) == MESSAGE for row in messages)
    calls = [call for row in messages for call in row["tool_calls"]]
    assert all(list(call) == ["name", "input", "status", "output"] for call in calls)
    shown = run("session", "show", busy["id"], "-d", agor_db, "--json").json
    assert list(shown)[: len(SESSION)] == SESSION
    assert {key: shown[key] for key in SESSION} == busy
    assert {"description", "ancestors", "children", "details", "raw"} <= shown.keys()
    task = next(row for row in tasks if row["session_id"] == busy["id"])
    shown = run("task", "show", task["id"], "-d", agor_db, "--json").json
    assert list(shown)[: len(TASK)] == TASK
    assert {"prompt", "error", "report", "cost", "sha_start", "sha_end", "raw"} <= shown.keys()


def test_json_of_nothing_is_an_empty_array(run: Run, agor_db: Path) -> None:
    answer = run("session", "list", "no-such-words-anywhere", "-d", agor_db, "--json")
    assert (answer.code, answer.json, answer.err) == (0, [], "")


def test_json_is_the_same_in_any_locale_and_has_no_half_of_a_pair(program: Run, agor_rows: tuple[Path, Rows]) -> None:
    path, _ = agor_rows
    answer = program("session", "list", "archived:any", "-d", path, "--json", env={"PYTHONIOENCODING": "ascii"})
    titles = [row["title"] for row in answer.json]
    assert "half \ufffd of it" in titles
    assert any(not title.isascii() for title in titles)


@pytest.mark.parametrize("command", [["session", "list", "archived:any"], ["task", "list"], ["board", "list"]])
def test_nothing_hostile_reaches_a_reader(run: Run, agor_db: Path, command: list[str]) -> None:
    for more in ([], ["--json"]):
        answer = run(*command, "-d", agor_db, *more)
        assert answer.code == 0
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", answer.out)
        assert not more or not re.search(r"\\ud[89ab]..(?!\\ud[c-f])", answer.out)


def test_every_session_can_be_shown_and_read(run: Run, keep_open: None, agor_db: Path) -> None:
    for row in rows(run, agor_db, "session", "list", "archived:any"):
        for command in (["session", "show"], ["session", "tree"], ["message", "list"]):
            answer = run(*command, row["id"], "-d", agor_db)
            assert (answer.code, "Traceback" in answer.err) == (0, False)
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", answer.out)


def test_pages_joined_by_after_are_the_whole_list(run: Run, agor_db: Path) -> None:
    for command, more in ((["session", "list", "archived:any"], ["--sort", "title"]), (["task", "list"], [])):
        whole = [row["id"] for row in rows(run, agor_db, *command, *more)]
        found: list[str] = []
        while True:
            after = ["--after", found[-1]] if found else []
            page = run(*command, *more, *after, "-d", agor_db, "--limit", "5", "--json").json
            found += [row["id"] for row in page]
            if len(page) < 5:
                break
        assert found == whole
    busy = max(rows(run, agor_db, "session", "list", "archived:any"), key=lambda row: row["message_count"])["id"]
    whole = rows(run, agor_db, "message", "list", busy)
    third = run("message", "list", busy, "--after", whole[2]["id"], "--limit", "2", "-d", agor_db, "--json").json
    assert third == whole[3:5]
    tasks = {row["task_id"] for row in whole} - {None}
    for task in tasks:
        found = rows(run, agor_db, "message", "list", busy, "--task", task)
        assert [row["id"] for row in found] == [row["id"] for row in whole if row["task_id"] == task]


def test_a_reader_is_told_of_more_apart_from_the_data(run: Run, agor_db: Path) -> None:
    answer = run("session", "list", "-d", agor_db, "--limit", "2")
    whole = rows(run, agor_db, "session", "list")
    told, _, place = answer.err.strip().rpartition(" ")
    assert told == f"Showing 2 of {len(whole)} sessions · more: --after"
    assert rows(run, agor_db, "session", "list", "--after", place) == whole[2:]
    assert rows(run, agor_db, "session", "list", "--after", whole[1]["id"]) == whole[2:]
    assert run("session", "list", "-d", agor_db, "--limit", "2", "--json").err == ""
    assert run("session", "list", "-d", agor_db, "--limit", "0").err == ""


def test_sorting(run: Run, agor_db: Path) -> None:
    up = [row["created_at"] for row in rows(run, agor_db, "session", "list", "--sort", "created")]
    down = [row["created_at"] for row in rows(run, agor_db, "session", "list", "--sort", "-created")]
    assert up == sorted(up)
    assert down == sorted(up, reverse=True)
    answer = run("session", "list", "-d", agor_db, "--sort", "colour")
    assert (answer.code, answer.out) == (2, "")
    assert "created" in answer.err


def test_a_pipe_gets_whole_ids_and_no_colour(run: Run, agor_db: Path) -> None:
    answer = run("session", "list", "-d", agor_db, "--limit", "0")
    ids = [line.split()[0] for line in answer.out.splitlines()[1:]]
    assert ids == [row["id"] for row in rows(run, agor_db, "session", "list")]
    assert "\x1b" not in answer.out


def test_a_terminal_gets_lines_that_fit_and_colour(terminal: Run, agor_db: Path) -> None:
    command = ("session", "list", "archived:any", "-d", agor_db)
    wide, narrow, plain = (
        terminal(*command, width=160),
        terminal(*command, width=50),
        terminal(*command, width=80, env={"NO_COLOR": "1"}),
    )
    assert "\x1b[" in wide.out
    assert "\x1b[" not in plain.out
    for answer, width in ((wide, 160), (narrow, 50), (plain, 80)):
        lines = [line for line in answer.out.splitlines() if not line.startswith("Showing")]
        from agor_tui.cells import cell_len

        assert max(cell_len(re.sub(r"\x1b\[\d+m", "", line)) for line in lines) <= width
    heads = [re.sub(r"\x1b\[\d+m", "", answer.out.splitlines()[0]).split() for answer in (wide, narrow)]
    assert heads[0] == ["ID", "STATUS", "TITLE", "TOOL", "WHERE", "TASKS", "MSGS", "UPDATED"]
    assert heads[1][:3] == ["ID", "STATUS", "TITLE"]


def piped(arguments: Sequence[str], reader: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program into a reader that leaves early; standard error and the exit code are the program's."""
    script = f'{{ "$0" -m agor_tui "$@"; echo "code $?" >&2; }} | {reader}'
    return subprocess.run(
        ["bash", "-c", script, sys.executable, *arguments], capture_output=True, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("reader", ["head -1", "true"])
@pytest.mark.parametrize("options", [["--json"], []])
def test_a_closed_pipe_ends_it_quietly(agor_db: Path, reader: str, options: list[str]) -> None:
    done = piped(["session", "list", "archived:any", "-d", str(agor_db), "--limit", "0", *options], reader)
    assert done.stderr.decode() == "code 0\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_is_one_sentence(program: Run, agor_db: Path) -> None:
    with open("/dev/full", "w") as full:
        answer = program("session", "list", "-d", agor_db, "--json", stdout=full)
    assert (answer.code, answer.err) == (1, "agor-tui: The output cannot be written: No space left on device.\n")


def test_closed_streams_are_no_fault(agor_db: Path) -> None:
    script = f'"$0" -m agor_tui session list -d {agor_db} >&- 2>&- <&-'
    assert subprocess.run(["bash", "-c", script, sys.executable], check=False).returncode == 0


@pytest.mark.parametrize("locale", ["C", "POSIX", "nonsense"])
def test_a_broken_locale_changes_nothing(program: Run, agor_db: Path, locale: str) -> None:
    env = {"LC_ALL": locale, "LANG": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = ("session", "list", "archived:any", "-d", agor_db)
    assert program(*command, env=env).out == program(*command).out


def test_the_tree_is_drawn(run: Run, agor_db: Path) -> None:
    sessions = {row["id"]: row for row in rows(run, agor_db, "session", "list", "archived:any")}
    child = next(row for row in sessions.values() if row["parent_id"] in sessions and row["parent_id"] != row["id"])
    answer = run("session", "tree", child["id"], "-d", agor_db)
    first, *others = answer.out.splitlines()
    assert not first.startswith(("└", "├", "│"))
    assert others
    assert all(re.match(r"(   |│  )*(└─ |├─ )", line) for line in others)
    assert sum(line.endswith("← this one") for line in [first, *others]) == 1


def test_interrupting_is_quiet(agor_db: Path) -> None:
    script = (
        "import signal\n"
        "from agor_tui.cli import commands\n"
        "from agor_tui.cli.main import run\n"
        "commands.Settings.open_browser = lambda settings: signal.raise_signal(signal.SIGINT)\n"
        "run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "session", "list"],
        capture_output=True,
        check=False,
        env={**os.environ},
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_a_fault_of_ours_is_one_sentence_and_a_log(run: Run, monkeypatch: pytest.MonkeyPatch, agor_db: Path) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("postgresql://ada:hunter2@host/db")

    monkeypatch.setattr("agor_tui.services.browser.Browser.boards", fail)
    answer = run("board", "list", "-d", agor_db)
    assert (answer.code, answer.out) == (1, "")
    assert "ZeroDivisionError" in answer.err
    assert "Traceback" not in answer.err
    found = re.search(r"(/\S+\.log)", answer.err)
    assert found
    log = Path(found[1])
    assert "Traceback" in log.read_text()
    assert "hunter2" not in log.read_text() + answer.err
    assert log.stat().st_mode & 0o077 == 0


def test_the_help_of_a_command_is_data(program: Run) -> None:
    answer = program("session", "list", "--help")
    assert answer.err == ""
    assert "--limit" in answer.out
    assert json.dumps(answer.code) == "0"


def test_nothing_hostile_of_ids_and_statuses_reaches_a_reader(run: Run, agor_db: Path, tmp_path: Path) -> None:
    path = tmp_path / "hostile.db"
    shutil.copy(agor_db, path)
    hostile = "line\nbreak\x1b[31m\u202ered"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys = off")
        busiest = "SELECT session_id FROM messages WHERE task_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
        busy = connection.execute(busiest).fetchone()[0]
        for table in ("tasks", "messages", "sessions"):
            connection.execute(f"UPDATE {table} SET session_id = ? WHERE session_id = ?", (hostile, busy))
            if table != "sessions":
                connection.execute(f"UPDATE {table} SET task_id = char(27) || task_id")
        connection.execute("UPDATE sessions SET status = ?", (hostile,))
        connection.execute("UPDATE tasks SET status = ?", (hostile,))
    connection.close()
    for command in (["session", "show"], ["session", "tree"], ["message", "list"], ["id"]):
        answer = run(*command, hostile, "-d", path)
        assert answer.code == 0
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", answer.out + answer.err)


def test_a_family_too_large_says_what_it_does_not_show(
    run: Run, native_templates: Callable[[str], str], tmp_path: Path
) -> None:
    path = tmp_path / "a.db"
    shutil.copyfile(native_templates("sqlite"), path)
    ground(path)
    links = [None, *["s0000"] * 2_500]
    insert(path, "sessions", *(session(f"s{n:04}", parent_session_id=above) for n, above in enumerate(links)))
    people = run("session", "tree", "s2500", "-d", path)
    assert people.out.splitlines()[-1].endswith("└─ … 501 more")
    assert "s2500" in people.out
    assert people.err == "Shown are 2,000 sessions of this family; 501 more below are not.\n"
    programs = run("session", "tree", "s2500", "-d", path, "--json")
    assert (programs.json["cut"], programs.json["more"], programs.json["above"]) == (True, 501, 0)
    assert programs.err == people.err
    insert(
        path, "sessions", *(session(f"t{n:04}", parent_session_id=f"t{n - 1:04}" if n else None) for n in range(2_000))
    )
    deep = run("session", "tree", "t1999", "-d", path)
    assert deep.out.splitlines()[0] == "… 500 sessions above"
    assert deep.err == "Shown are 1,500 sessions of this family; 500 above are not.\n"


def test_a_title_of_spaces_is_told(run: Run, native_templates: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    shutil.copyfile(native_templates("sqlite"), path)
    ground(path)
    insert(path, "sessions", session("s1", data='{"title": "   "}'))
    for command in (("session", "list"), ("session", "show", "s1"), ("session", "tree", "s1"), ("id", "s1")):
        assert "untitled" in run(*command, "-d", path).out, command
