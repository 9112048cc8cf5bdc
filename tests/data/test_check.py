"""Checking a database: each thing that can be wrong is named with its rows, and nothing else is."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_IMODE
from typing import Any

import psycopg
import pytest

from agor_tui.config.places import Place, SqlitePlace
from agor_tui.db import checks
from agor_tui.db.engine import Database
from agor_tui.db.stopping import stopping
from agor_tui.errors import Cancelled, FileError, ForeignDatabaseError
from agor_tui.services.care import restoring
from agor_tui.services.care.checking import check
from agor_tui.services.care.repairing import repair
from agor_tui.services.comparing import compare_places
from agor_tui.transfers import CheckReport, Progress, RepairReport
from tests.builders.agor import build_sqlite
from tests.conftest import place_of

from .migrating import address
from .one_row_each import WHEN, execute, fill

NOW = WHEN + timedelta(hours=1)
LATE_MS = int((NOW + timedelta(days=2)).timestamp() * 1000)


def break_rules(place: Place, *statements: str) -> None:
    """Run statements with no foreign key and no CHECK in force."""
    if isinstance(place, SqlitePlace):
        with closing(sqlite3.connect(place.path)) as connection, connection:
            connection.execute("PRAGMA ignore_check_constraints=ON")
            for statement in statements:
                connection.execute(statement)
        return
    with psycopg.connect(address(place), autocommit=True) as server:
        server.execute("SET session_replication_role = replica")
        for table, name in server.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
        ).fetchall():
            server.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")  # type: ignore[arg-type]
        for statement in statements:
            server.execute(statement)  # type: ignore[arg-type]


def wrong(report: CheckReport) -> dict[tuple[str, str, str], tuple[int, tuple[str, ...]]]:
    return {(each.check, each.table, each.column): (each.count, each.found) for each in report.items if not each.well}


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables read in many pieces."""
    monkeypatch.setattr(checks, "PIECE", 2)


def test_nothing_is_wrong_with_a_sound_database(place: Place) -> None:
    fill(place)
    told: list[Progress] = []
    report = check(place, now=NOW, tell=told.append)
    assert (wrong(report), report.well, report.kind) == ({}, True, "native")
    assert {each.check for each in report.items} >= {"integrity", "references", "JSON", "cycles", "drift", "revision"}
    assert {each.table for each in told} >= {"sessions", "messages"}


COPIES = """
INSERT INTO sessions (session_id, created_at, updated_at, created_by, status, agentic_tool, worktree_id, data)
SELECT 's' || n, created_at, updated_at, created_by, status, agentic_tool, worktree_id, data
FROM sessions CROSS JOIN (SELECT 2 AS n UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) AS numbers
"""
"""Of s1, as s2 to s5."""

ORPHANS = (
    "UPDATE messages SET task_id = 'gone' WHERE message_id = 'm1'",
    "UPDATE sessions SET board_id = 'gone', worktree_id = 'gone' WHERE session_id IN ('s4', 's5')",
    "UPDATE sessions SET parent_session_id = 's3' WHERE session_id = 's2'",
    "UPDATE sessions SET parent_session_id = 's2' WHERE session_id = 's3'",
    "UPDATE sessions SET parent_session_id = 's2' WHERE session_id = 's1'",
    "UPDATE sessions SET forked_from_session_id = 's4' WHERE session_id = 's4'",
    "UPDATE tasks SET status = 'lost'",
    "INSERT INTO session_mcp_servers SELECT * FROM session_mcp_servers",
)

FOUND: dict[tuple[str, str, str], tuple[int, tuple[str, ...]]] = {
    ("references", "messages", "task_id"): (1, ("m1",)),
    ("references", "sessions", "board_id"): (2, ("s4", "s5")),
    ("references", "sessions", "worktree_id"): (2, ("s4", "s5")),
    ("cycles", "sessions", "parent_session_id"): (2, ("s2", "s3")),
    ("cycles", "sessions", "forked_from_session_id"): (1, ("s4",)),
    ("words", "tasks", "status"): (1, ("t1",)),
    ("pairs", "session_mcp_servers", ""): (1, ("s1 x1",)),
    ("clock", "repos", "updated_at"): (1, ("r1",)),
    ("clock", "users", "updated_at"): (1, ("u1",)),
    ("JSON", "boards", "data"): (1, ("b1",)),
}

ON_SQLITE = (
    f"UPDATE repos SET updated_at = {LATE_MS}",
    "UPDATE users SET updated_at = 12",
    f"UPDATE sessions SET scheduled_run_at = {LATE_MS}",
    "UPDATE boards SET data = '{\"cut'",
    "UPDATE mcp_servers SET data = x'00ff'",
    "UPDATE tasks SET started_at = 'soon'",
    "UPDATE worktrees SET archived = 7",
)
ON_POSTGRESQL = (
    f"UPDATE repos SET updated_at = to_timestamp({LATE_MS / 1000})",
    "UPDATE users SET updated_at = to_timestamp(0)",
    f"UPDATE sessions SET scheduled_run_at = to_timestamp({LATE_MS / 1000})",
    'UPDATE boards SET data = \'{"a": "good \ufdd00000, broken \ufdd0zz"}\'',
    'UPDATE mcp_servers SET data = \'{"a": "\ufdd00000"}\'',
    "UPDATE tasks SET started_at = 'infinity'",
)


def test_each_fault_is_named_with_its_rows(place: Place, pieces: None) -> None:
    sqlite = isinstance(place, SqlitePlace)
    fill(place)
    execute(place, COPIES)
    break_rules(place, *ORPHANS, *(ON_SQLITE if sqlite else ON_POSTGRESQL))
    expected: dict[tuple[str, str, str], Any] = {**FOUND, ("times", "tasks", "started_at"): (1, ("t1",))}
    if sqlite:
        expected[("JSON", "mcp_servers", "data")] = (1, ("x1",))
        expected[("types", "worktrees", "archived")] = (1, ("w1",))
    found = wrong(check(place, now=NOW))
    if sqlite:
        assert found.pop(("foreign keys", "", ""))[0] == 5
    else:
        assert len(found.pop(("drift", "", ""))[1]) > 5  # the dropped checks
    assert found == expected


def test_ids_are_counted_to_the_end_and_listed_to_a_bound(place: Place) -> None:
    fill(place)
    numbers = " UNION ALL ".join(f"SELECT {n} AS n" for n in range(10, 60))
    execute(
        place,
        "INSERT INTO tasks (task_id, session_id, created_at, status, created_by, data) SELECT 't' || n, session_id,"
        f" created_at, status, created_by, data FROM tasks CROSS JOIN ({numbers}) AS numbers",
    )
    break_rules(place, "UPDATE tasks SET session_id = 'gone', status = 'lost' WHERE task_id <> 't1'")
    found = wrong(check(place, now=NOW))
    for key in (("references", "tasks", "session_id"), ("words", "tasks", "status")):
        assert found[key] == (50, tuple(f"t{n}" for n in range(10, 10 + checks.MOST_SHOWN)))


def test_a_check_is_stopped_between_two_looks(place: Place) -> None:
    stop = threading.Event()
    with pytest.raises(Cancelled):
        check(place, now=NOW, tell=lambda progress: stop.set(), stop=stop)


def test_a_check_is_stopped_within_a_long_statement(place: Place) -> None:
    """A statement without end, which nothing but its being interrupted ends."""
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n"
    stop = threading.Event()
    stop.set()
    with (
        pytest.raises(Cancelled),
        Database(place) as database,
        stopping(stop, database.cancel),
        database.snapshot(ours=True) as snapshot,
        snapshot.explained(),
    ):
        snapshot.connection.exec_driver_sql(endless).scalar()


def test_a_damaged_file_is_looked_at_as_far_as_it_goes(tmp_path: Path, native_templates: Any) -> None:
    path = tmp_path / "damaged.db"
    path.write_bytes(Path(native_templates("sqlite")).read_bytes())
    place = place_of(path)
    fill(place)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    found = wrong(check(place, now=NOW))
    assert found[("integrity", "", "")][0] >= 1
    assert {check for check, *_ in found} >= {"integrity", "references", "JSON"}
    assert not any(check == "cycles" for check, *_ in found)


def test_another_programs_file_is_checked_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "agor.db"
    build_sqlite(path, "2026", wal=True)
    before = (hashlib.sha256(path.read_bytes()).hexdigest(), sorted(each.name for each in tmp_path.iterdir()))
    report = check(place_of(path), now=datetime.now(UTC))
    assert (report.kind, report.owner) == ("agor", "Agor")
    assert report.unseen == "The tables are Agor's: their rows were not looked at."
    assert {each.check for each in report.items} == {"integrity", "foreign keys"}
    assert (hashlib.sha256(path.read_bytes()).hexdigest(), sorted(each.name for each in tmp_path.iterdir())) == before


def test_a_revision_behind_is_named(place: Place) -> None:
    from agor_tui.db import migrator

    migrator.downgrade(place, "0001")
    assert set(wrong(check(place, now=NOW))) == {("revision", "", "")}


def test_a_copy_that_was_not_finished_is_named(place: Place) -> None:
    execute(place, "CREATE TABLE agor_tui_transfer (part TEXT)")
    assert set(wrong(check(place, now=NOW))) == {("copy", "", ""), ("drift", "", "")}


def test_cycles() -> None:
    assert checks.cycles({"a": "b", "b": "c", "c": "a", "d": "a", "e": "e", "f": "g"}) == ["a", "b", "c", "e"]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_repaired_copy(tmp_path: Path, native_templates: Any) -> None:
    """References are emptied, rows go where they may not be without them with all that hangs on them; then restored."""
    path = tmp_path / "team.db"
    path.write_bytes(Path(native_templates("sqlite")).read_bytes())
    place = place_of(path)
    fill(place)
    execute(place, COPIES)
    execute(place, "INSERT INTO tasks SELECT 't4', 's4', created_at, NULL, status, created_by, data, NULL FROM tasks")
    break_rules(place, *ORPHANS, "UPDATE boards SET data = '{cut'", "UPDATE messages SET task_id = 't4'")
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    found = check(place, now=NOW)
    report = repair(place, found)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert report.path == tmp_path / "team.repaired.db"
    assert report.removed_to == tmp_path / "team.repaired.removed.jsonl"
    assert {S_IMODE(each.stat().st_mode) for each in (report.path, report.removed_to)} == {0o600}
    assert report.removed == {"sessions.worktree_id": 2, "tasks.session_id": 1, "session_mcp_servers": 1}
    assert report.emptied == {"messages.task_id": 1}
    assert [(row["table"], row.get("session_id")) for row in lines(report.removed_to)] == [
        ("sessions", "s4"),
        ("sessions", "s5"),
        ("tasks", "s4"),
        ("session_mcp_servers", "s1"),
    ]
    assert report.after is not None
    assert set(wrong(report.after)) == {
        ("cycles", "sessions", "parent_session_id"),
        ("JSON", "boards", "data"),
        ("words", "tasks", "status"),
    }
    with pytest.raises(FileError, match=r"team\.repaired\.db exists already"):
        repair(place, found)
    kept = report.removed_to.read_bytes()
    report.path.unlink()  # as where a repair was killed between the two files
    again = repair(place, found)
    assert again.removed_to == tmp_path / "team.repaired.removed-2.jsonl"
    assert report.removed_to.read_bytes() == again.removed_to.read_bytes() == kept
    restoring.restore(restoring.plan(place, report.path))
    assert compare_places(place, place_of(report.path)).equal


def test_what_a_repair_leaves_alone(tmp_path: Path, place: Place) -> None:
    fill(place)
    execute(place, COPIES)
    break_rules(place, "UPDATE tasks SET status = 'lost'")
    assert repair(place, check(place, now=NOW)) == RepairReport()
    if isinstance(place, SqlitePlace):
        build_sqlite(tmp_path / "agor.db", "2026")
        agor = place_of(tmp_path / "agor.db")
        with pytest.raises(ForeignDatabaseError, match="belongs to Agor"):
            repair(agor, check(agor))
        return
    break_rules(place, *ORPHANS[:2], ORPHANS[-1])
    report = repair(place, check(place, now=NOW))
    assert (report.path, len(report.sql)) == (None, 4)
    break_rules(place, *report.sql)
    assert {check for check, *_ in wrong(check(place, now=NOW))} == {"words", "drift"}


def test_an_index_is_built_anew(tmp_path: Path, native_templates: Any) -> None:
    path = tmp_path / "team.db"
    path.write_bytes(Path(native_templates("sqlite")).read_bytes())
    place = place_of(path)
    fill(place)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'ix_boards_odd'")
        connection.execute("CREATE INDEX ix_boards_odd ON boards (name)")
        connection.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX ix_boards_odd ON boards (slug)' WHERE name = 'ix_boards_odd'"
        )
        connection.commit()
    found = check(place, now=NOW)
    assert ("integrity", "", "") in wrong(found)
    report = repair(place, found)
    assert report.after is not None
    assert set(wrong(report.after)) == {("drift", "", "")}
