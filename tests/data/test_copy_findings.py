"""What a database cannot hold: found, put as near as can be, said, and never lost in silence."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agor_tui.config.places import Place
from agor_tui.db.row_writing import PostgresqlWriter
from agor_tui.services.databases import open_database
from agor_tui.services.dump.exporting import export_database
from agor_tui.services.dump.importing import import_file
from agor_tui.services.transfer import copy
from agor_tui.transfer.comparing import compare
from agor_tui.transfer.sources import open_source
from agor_tui.transfers import CopyOptions, Finding
from tests.conftest import place_of

from .copies import T0, ground, insert, message, session, task, value_of

DEEP = "[" * 100_000 + "]" * 100_000
BROKEN = {
    "broken": '{"title": "cut o',
    "secret": '{"token": "hush',
    "empty": "",
    "nan": '{"a": NaN}',
    "large": '{"a": 1e400000}',
    "deep": DEEP,
    "kept": '"\ufdd0text:{}\x00\\ud800',
}


@pytest.fixture
def file(native_templates: Callable[[str], str], tmp_path: Path) -> Path:
    """A native file that nothing kept in order."""
    path = tmp_path / "hostile.db"
    shutil.copyfile(native_templates("sqlite"), path)
    ground(path)
    insert(path, "sessions", session("s1"))
    return path


def found(place: Place, target: Place) -> list[tuple[str, str, str | None, str]]:
    """The findings of a copy, which the dry run before it has found too: table, id, column, what was done."""
    rehearsed = copy(place, target, CopyOptions(dry_run=True))
    report = copy(place, target, CopyOptions())
    assert sorted(map(_key, rehearsed.findings)) == sorted(map(_key, report.findings))
    assert [each.rows for each in rehearsed.tables] == [each.rows for each in report.tables]
    assert report.finding_count == len(report.findings)
    assert not report.lossless
    return sorted(map(_key, report.findings), key=repr)


def _key(finding: Finding) -> tuple[str, str, str | None, str]:
    return finding.table, finding.id, finding.column, finding.done


def test_values_that_postgresql_cannot_hold(file: Path, postgres18_url: str) -> None:
    insert(
        file,
        "sessions",
        session("s2", updated_at=10**17, scheduled_run_at=-(10**17), archived="perhaps"),
        session("s3", updated_at="2026-01-31T12:00:00Z", scheduled_run_at="soon", created_at="long ago"),
        session("s4", archived_reason=b"\xff\xfe half"),
    )
    insert(
        file,
        "messages",
        message("m1", "s1", index=2**40),
        message("m2", "s1", index="first", queue_position="second", timestamp=T0 + 0.25),
        message("m3", "s1", content_preview=b"\xed\xa0\x80 alone"),  # a half of a pair, as SQLite hands it out
        message("m4", "s1", content_preview="nul \0 in it"),
    )
    target = place_of(postgres18_url)
    expected = [
        ("messages", "m1", "index", "kept as 2147483647"),
        ("messages", "m2", "index", "kept as 0"),
        ("messages", "m2", "queue_position", "left empty"),
        ("messages", "m2", "timestamp", "kept as 2025-10-09T08:53:20.000+00:00"),
        ("sessions", "s2", "archived", "kept as true"),
        ("sessions", "s2", "scheduled_run_at", "kept as 0001-01-01"),
        ("sessions", "s2", "updated_at", "kept as 9999-12-31"),
        ("sessions", "s3", "created_at", "kept as 1970-01-01"),
        ("sessions", "s3", "scheduled_run_at", "left empty"),
        ("sessions", "s3", "updated_at", "kept as 2026-01-31T12:00:00.000+00:00"),
        ("sessions", "s4", "archived_reason", "kept with � in the place of what cannot be read"),
    ]
    assert found(place_of(file), target) == expected
    script = export_database(place_of(file), file.with_suffix(".sql"), dialect="postgresql", include_secrets=True)
    assert sorted(map(_key, script.findings)) == expected
    assert value_of(target, "messages", "m4", "content_preview") == "nul \ufdd00000 in it"
    with open_database(postgres18_url) as there, open_database(str(file)) as here:
        assert there.session("s1").title == here.session("s1").title == "s1"


def test_json_that_postgresql_cannot_hold(file: Path, postgres16_url: str) -> None:
    """It is kept as its text, comes back as it was, and reads in the app as it did in the file."""
    insert(file, "messages", *(message(key, "s1", data=text) for key, text in BROKEN.items()))
    insert(file, "messages", message("fine", "s1", data='{"content": "\\ud800 \\u0000 \ufdd0"}'))
    target, back = place_of(postgres16_url), file.parent / "back.db"
    assert [row[1:] for row in found(place_of(file), target)] == [
        (key, "data", "kept as its text") for key in sorted(BROKEN)
    ]
    for key, text in BROKEN.items():
        assert value_of(target, "messages", key, "data") == text
    script = export_database(place_of(file), file.with_suffix(".sql"), dialect="postgresql", include_secrets=True)
    assert {each.id for each in script.findings} >= BROKEN.keys()
    assert "hush" not in repr(script.findings)
    assert copy(target, place_of(back), CopyOptions()).lossless
    with sqlite3.connect(back) as connection:
        kept = dict(connection.execute("SELECT message_id, data FROM messages").fetchall())
    assert {key: kept[key] for key in BROKEN} == BROKEN
    assert json.loads(kept["fine"]) == {"content": "\ud800 \0 \ufdd0"}
    with open_database(postgres16_url) as there, open_database(str(file)) as here:
        shown = [
            [(turn.message.id, turn.message.blocks) for turn in browser.conversation("s1", 0, 0)]
            for browser in (there, here)
        ]
    assert shown[0] == shown[1]


def test_a_row_that_no_spelling_helps(file: Path, postgres16_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As JSON of more than 256 MB, which PostgreSQL takes as its text no more than as itself."""
    monkeypatch.setattr(PostgresqlWriter, "takes_json", lambda *_: False)
    long = "".join(map(str, range(20_000)))  # for the index of what must differ
    insert(file, "repos", {"repo_id": "r2", "created_at": T0, "slug": long, "data": "{}"})
    report = copy(place_of(file), place_of(postgres16_url), CopyOptions())
    assert [(each.id, each.done) for each in report.findings] == [("r2", "the row is left out")]


def test_rows_that_refer_to_nothing(file: Path, native_place: Place) -> None:
    """On every dialect: the reference is left empty, or the row left out that must have one, and its own with it.

    What somebody added to the tables is said, too.
    """
    insert(
        file,
        "sessions",
        session("s2", parent_session_id="gone", forked_from_session_id="zone", board_id="gone"),
        session("s3", worktree_id="gone"),
        session("s4", parent_session_id="s3", status="asleep"),
        session("s5", agentic_tool=""),
        session("s6", parent_session_id="s4"),
        session("s7", parent_session_id=b"s1\xff"),
        session("s2-of-s4", parent_session_id="s4"),
    )
    insert(file, "tasks", task("t2", "s2"), task("t3", "s3"))
    insert(file, "messages", message("m1", "s1", task_id="t3"), message("m2", "s3"), message(b"m0", "s1"))
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ALTER TABLE sessions ADD COLUMN colour")
        connection.execute("UPDATE sessions SET colour = 'red' WHERE session_id <> 's1'")
        connection.execute("CREATE TABLE elephants AS SELECT 1")
        connection.commit()
    out = "the row is left out"
    assert found(place_of(file), native_place) == [
        ("elephants", "", None, "not copied"),
        ("messages", "m0", "message_id", out),
        ("messages", "m1", "task_id", "left empty"),
        ("messages", "m2", "session_id", out),
        ("sessions", "", "colour", "not copied"),
        ("sessions", "s2", "board_id", "left empty"),
        ("sessions", "s2", "forked_from_session_id", "left empty"),
        ("sessions", "s2", "parent_session_id", "left empty"),
        ("sessions", "s2-of-s4", "parent_session_id", "left empty"),
        ("sessions", "s3", "worktree_id", out),
        ("sessions", "s4", "status", out),
        ("sessions", "s5", "agentic_tool", out),
        ("sessions", "s6", "parent_session_id", "left empty"),
        ("sessions", "s7", "parent_session_id", "kept with � in the place of what cannot be read"),
        ("sessions", "s7", "parent_session_id", "left empty"),
        ("tasks", "t3", "session_id", out),
    ]
    dump = file.with_suffix(".jsonl")
    assert ("sessions", "s4", "status", out) in map(_key, export_database(place_of(file), dump).findings)
    import_file(dump, place_of(file.parent / "imported.db"))  # which refuses what names a row that is not there
    with open_source(native_place) as source:
        assert [row[0] for batch in source.rows("sessions") for row in batch] == ["s1", "s2", "s2-of-s4", "s6", "s7"]
    with open_source(place_of(file)) as source, open_source(native_place) as copied:
        ids = [each.id for each in compare(source, copied, ["messages"]).tables[0].differences]
    assert ids == ["m1", "m2", "m0"]  # SQLite has bytes behind all texts


def test_times_that_milliseconds_cannot_say(file: Path, postgres18_url: str) -> None:
    """PostgreSQL's microseconds are cut, its infinities become the ends of what we show, and all that is said."""
    import psycopg

    server = place_of(postgres18_url)
    assert copy(place_of(file), server, CopyOptions()).lossless
    with psycopg.connect(postgres18_url) as connection:
        connection.execute("UPDATE sessions SET created_at = '2026-01-31 12:00:00.123456Z', updated_at = 'infinity'")
    target = place_of(file.parent / "back.db")
    report = copy(server, target, CopyOptions())
    assert [(each.column, each.done) for each in report.findings] == [
        ("created_at", "cut to the millisecond"),
        ("updated_at", "kept as the year 9999"),
    ]
    assert value_of(target, "sessions", "s1", "created_at") == 1_769_860_800_123


def test_many_findings_are_counted(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from agor_tui.transfer import copying

    monkeypatch.setattr(copying, "FINDINGS_KEPT", 5)
    insert(file, "messages", *(message(f"m{n}", "gone") for n in range(20)))
    report = copy(place_of(file), place_of(tmp_path / "b.db"), CopyOptions())
    assert (len(report.findings), report.finding_count) == (5, 20)
    assert {each.table: each.left_out for each in report.tables}["messages"] == 20
