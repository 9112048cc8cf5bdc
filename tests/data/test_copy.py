"""Copying a native database: all rows arrive, an interrupted copy is continued, and rules for conflicts hold."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agor_tui.config.places import Place
from agor_tui.db import migrator, row_source
from agor_tui.db.engine import Database
from agor_tui.errors import Cancelled, DatabaseError
from agor_tui.services.transfer import copy
from agor_tui.transfer.sources import open_source
from agor_tui.transfers import CopyOptions, Progress
from tests.conftest import place_of

from .awkward import every_awkward_value, write_sqlite
from .copies import T0, ground, insert, is_unfinished, message, rows_of, session, state, task, value_of


@pytest.fixture
def file(native_templates: Callable[[str], str], tmp_path: Path) -> Path:
    """A native file in a folder of its own: the session s1 names its child and its child names it, s4 itself."""
    path = tmp_path / "from" / "a.db"
    path.parent.mkdir()
    shutil.copyfile(native_templates("sqlite"), path)
    ground(path)
    insert(
        path,
        "sessions",
        session("s1", parent_session_id="s2", forked_from_session_id="s3"),
        session("s2", parent_session_id="s1", updated_at=T0 + 5_000),
        session("s3", updated_at=T0 + 9_000),
        session("s4", parent_session_id="s4"),
    )
    insert(path, "tasks", *(task(f"t{n}", f"s{n}") for n in range(1, 5)))
    insert(path, "messages", *(message(f"m{n}{k}", f"s{n}", task_id=f"t{n}") for n in range(1, 5) for k in range(9)))
    return path


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some rows make a batch."""
    monkeypatch.setattr(row_source, "BATCH_BYTES", 60)


@pytest.mark.libsql
@pytest.mark.usefixtures("small_batches")
def test_to_each_dialect_and_back(file: Path, native_place: Place, tmp_path: Path) -> None:
    before = state(file.parent)
    there = copy(place_of(file), native_place, CopyOptions())
    back = place_of(tmp_path / "back" / "b.db")
    and_back = copy(native_place, back, CopyOptions())
    for report in (there, and_back):
        assert (report.lossless, report.findings, report.resumed) == (True, (), False)
        assert {table.table: table.rows for table in report.tables if table.rows} == {
            "boards": 1, "repos": 1, "worktrees": 1, "sessions": 4, "tasks": 4, "messages": 36,
        }  # fmt: skip
    assert (there.made, and_back.made) == ("", f"{tmp_path / 'back' / 'b.db'} was made.")
    assert rows_of(place_of(file)) == rows_of(native_place) == rows_of(back)
    assert not is_unfinished(native_place)
    assert migrator.status(back).drift == ()
    assert state(file.parent) == before


def test_a_file_that_is_written_to_meanwhile(file: Path, tmp_path: Path, small_batches: None) -> None:
    """The copy is of the state that the file had when it began."""
    before = rows_of(place_of(file))

    def tell(progress: Progress) -> None:
        if (progress.stage, progress.table, progress.rows) == ("copy", "boards", 0):
            insert(file, "sessions", session("s0"), session("s5"))

    target = place_of(tmp_path / "b.db")
    assert copy(place_of(file), target, CopyOptions(), tell=tell).lossless
    assert rows_of(target) == before
    assert len(rows_of(place_of(file))["sessions"]) == 6


def test_what_is_told(file: Path, tmp_path: Path) -> None:
    told: list[Progress] = []
    copy(place_of(file), place_of(tmp_path / "b.db"), CopyOptions(), tell=told.append)
    last = {each.table: each for each in told if each.stage == "copy"}
    assert (last["messages"].rows, last["messages"].total) == (36, 36)
    assert last["messages"].bytes == 36 * len('{"content": "x"}')


# Continuing


@pytest.mark.usefixtures("small_batches")
def test_a_copy_that_is_stopped_is_continued(file: Path, native_place: Place) -> None:
    stop = threading.Event()

    def tell(progress: Progress) -> None:
        if progress.table == "messages":
            stop.set()

    with pytest.raises(Cancelled, match=r"holds [0-9]+ rows of it, in whole batches") as stopped:
        copy(place_of(file), native_place, CopyOptions(), tell=tell, stop=stop)
    assert stopped.value.hint == "The same copy, begun again, continues it."
    assert is_unfinished(native_place)
    assert [each for each in migrator.status(native_place).drift if "unfinished" in each]
    there = rows_of(native_place)
    assert there["sessions"][0][7:9] == (None, None)  # s1 names later sessions: that comes last
    rehearsed = copy(place_of(file), native_place, CopyOptions(dry_run=True))
    assert rehearsed.resumed
    report = copy(place_of(file), native_place, CopyOptions())
    assert (report.resumed, report.lossless) == (True, True)
    assert sum(table.rows for table in report.tables) == 47
    assert rows_of(place_of(file)) == rows_of(native_place)
    assert not is_unfinished(native_place)


@pytest.mark.usefixtures("small_batches")
def test_a_server_that_is_lost(file: Path, postgres18_url: str, postgres16_url: str) -> None:
    """As TO and as FROM: what was copied stays, and the same command continues."""
    import psycopg

    def lose(url: str) -> Callable[[Progress], None]:
        def tell(progress: Progress) -> None:
            if progress.table == "tasks":
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
                    )

        return tell

    def again(source: Place, target: Place, lost: str) -> None:
        with pytest.raises(DatabaseError, match="closed the connection") as failed:
            copy(source, target, CopyOptions(), tell=lose(lost))
        assert failed.value.hint.endswith("the same copy continues after it.")
        report = copy(source, target, CopyOptions())
        assert (report.resumed, report.lossless) == (True, True)

    again(place_of(file), place_of(postgres18_url), postgres18_url)
    again(place_of(postgres18_url), place_of(postgres16_url), postgres18_url)
    assert rows_of(place_of(file)) == rows_of(place_of(postgres16_url))


@pytest.mark.usefixtures("small_batches")
def test_two_copies_at_once(file: Path, native_place: Place) -> None:
    """The second takes over, and the first gives up without having harmed it."""
    begun = False

    def tell(progress: Progress) -> None:
        nonlocal begun
        if progress.table == "messages" and not begun:
            begun = True
            assert copy(place_of(file), native_place, CopyOptions()).resumed

    with pytest.raises(DatabaseError, match="Another program has begun to copy"):
        copy(place_of(file), native_place, CopyOptions(), tell=tell)
    assert rows_of(place_of(file)) == rows_of(native_place)


def test_another_copy_than_the_unfinished_one(file: Path, tmp_path: Path) -> None:
    target = place_of(tmp_path / "b.db")
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        copy(place_of(file), target, CopyOptions(), stop=stop)
    other = tmp_path / "other.db"
    shutil.copyfile(file, other)
    with pytest.raises(DatabaseError, match=f"unfinished copy of {file}.") as refused:
        copy(place_of(other), target, CopyOptions())
    assert "db reset" in refused.value.hint
    with pytest.raises(DatabaseError, match="with other options"):
        copy(place_of(file), target, CopyOptions(only=("boards",)))
    migrator.reset(target)
    assert copy(place_of(other), target, CopyOptions()).lossless


# What is there already


@pytest.mark.libsql
def test_rules_for_rows_that_are_there(file: Path, native_place: Place) -> None:
    assert copy(place_of(file), native_place, CopyOptions()).lossless
    pairs = [{"session_id": "s1", "mcp_server_id": "x1", "added_at": T0}] * 2
    server = {"mcp_server_id": "x1", "created_at": T0, "name": "n", "transport": "t", "scope": "s", "source": "u"}
    insert(file, "mcp_servers", {**server, "data": "{}"})
    insert(file, "session_mcp_servers", *pairs)
    insert(file, "sessions", session("s0", parent_session_id="s9"), session("s9"))
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE sessions SET archived_reason = 'older', updated_at = updated_at - 1 "
                           "WHERE session_id = 's2'")  # fmt: skip
        connection.execute("UPDATE sessions SET archived_reason = 'newer', updated_at = updated_at + 1 "
                           "WHERE session_id = 's3'")  # fmt: skip
        connection.execute("UPDATE tasks SET status = 'failed', completed_at = created_at + 1 WHERE rowid = 1")
    with pytest.raises(DatabaseError, match="is not empty: it has rows in boards, repos, worktrees, sessions"):
        copy(place_of(file), native_place, CopyOptions())
    rehearsed = copy(place_of(file), native_place, CopyOptions(on_conflict="newer", dry_run=True))
    skipped = copy(place_of(file), native_place, CopyOptions(on_conflict="skip"))
    assert (skipped.lossless, skipped.kept_otherwise) == (True, 3)
    numbers = {table.table: (table.rows, table.overwritten, table.skipped) for table in skipped.tables}
    assert (numbers["sessions"], numbers["session_mcp_servers"]) == ((2, 0, 4), (2, 0, 0))
    assert value_of(native_place, "sessions", "s0", "parent_session_id") == "s9"
    assert value_of(native_place, "sessions", "s3", "archived_reason") is None
    newer = copy(place_of(file), native_place, CopyOptions(on_conflict="newer"))
    assert (newer.lossless, newer.kept_otherwise) == (True, 1)
    numbers = {table.table: (table.rows, table.overwritten, table.skipped) for table in newer.tables}
    assert (numbers["sessions"], numbers["session_mcp_servers"]) == ((1, 1, 5), (0, 0, 2))
    assert numbers["tasks"][:2] == (1, 1)
    before = {table.table: (table.rows, table.overwritten, table.skipped) for table in rehearsed.tables}
    assert before["sessions"] == (3, 1, 3)
    assert value_of(native_place, "sessions", "s3", "archived_reason") == "newer"
    assert value_of(native_place, "sessions", "s2", "archived_reason") is None
    assert len(rows_of(native_place)["messages"]) == 36  # what belongs to an overwritten row stays


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_value_that_another_row_has(file: Path, native_place: Place, dry_run: bool) -> None:
    assert copy(place_of(file), native_place, CopyOptions()).lossless
    insert(file, "boards", {"board_id": "b0", "created_at": T0, "name": "fine", "data": "{}"})
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE boards SET board_id = 'b2' WHERE board_id = 'b1'")
    with pytest.raises(DatabaseError, match="slug 'main' of b2 in boards is that of b1 in "):
        copy(place_of(file), native_place, CopyOptions(on_conflict="skip", dry_run=dry_run))
    assert [row[0] for row in rows_of(native_place)["boards"]] == ["b1"]  # b0 was in the same batch


# A part of it


def test_some_tables(file: Path, native_place: Place) -> None:
    report = copy(place_of(file), native_place, CopyOptions(only=("repos", "worktrees", "sessions")))
    assert {each.what for each in report.findings} == {"no row of boards has the id b1"}
    assert not report.lossless
    found = rows_of(native_place)
    assert [len(found[name]) for name in ("repos", "worktrees", "sessions", "tasks")] == [1, 1, 4, 0]
    rest = copy(place_of(file), native_place, CopyOptions(only=("tasks",), on_conflict="skip"))
    assert (rest.lossless, len(rows_of(native_place)["tasks"])) == (True, 4)


def test_sessions_since_a_time(file: Path, native_place: Place) -> None:
    server = {"mcp_server_id": "x1", "created_at": T0, "name": "n", "transport": "t", "scope": "s", "source": "u"}
    insert(file, "mcp_servers", {**server, "data": "{}", "session_id": "s1"})
    insert(file, "mcp_servers", {**server, "data": "{}", "mcp_server_id": "x2"})
    report = copy(place_of(file), native_place, CopyOptions(since_ms=T0 + 5_000))
    found = rows_of(native_place)
    assert [row[0] for row in found["sessions"]] == ["s2", "s3"]
    assert {row[1] for row in found["tasks"]} == {row[2] for row in found["messages"]} == {"s2", "s3"}
    assert [row[0] for row in found["mcp_servers"]] == ["x2"]
    (finding,) = report.findings
    assert (finding.id, finding.column, finding.done) == ("s2", "parent_session_id", "left empty")
    rehearsed = copy(place_of(file), place_of(file.parent / "new.db"), CopyOptions(since_ms=T0 + 5_000, dry_run=True))
    assert rehearsed.findings == report.findings
    assert not (file.parent / "new.db").exists()


def test_a_dry_run_says_what_the_copy_does(native_templates: Callable[[str], str], tmp_path: Path) -> None:
    source, target = tmp_path / "a.db", place_of(tmp_path / "b.db")
    write_sqlite(native_templates("sqlite"), source, every_awkward_value())
    rehearsed = copy(place_of(source), target, CopyOptions(dry_run=True))
    assert (rehearsed.dry_run, rehearsed.findings, (tmp_path / "b.db").exists()) == (True, (), False)
    done = copy(place_of(source), target, CopyOptions())
    assert [(each.table, each.rows, each.bytes) for each in rehearsed.tables] == [
        (each.table, each.rows, each.bytes) for each in done.tables
    ]


def test_a_source_reads_one_state(native_place: Place, file: Path) -> None:
    """However long it is open; and in the order of the keys' bytes."""
    copy(place_of(file), native_place, CopyOptions())
    with open_source(native_place) as source, Database(native_place, writable=True) as other:
        other.write(lambda connection: connection.exec_driver_sql("DELETE FROM sessions"))
        (rows,) = source.rows("sessions")
        assert [row[0] for row in rows] == ["s1", "s2", "s3", "s4"]
        assert [row[0] for batch in source.rows("sessions", after="s2") for row in batch] == ["s3", "s4"]
