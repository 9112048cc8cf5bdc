"""Agor's databases, of every generation and on both dialects, become native ones that answer the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
import pytest

from agor_tui.config.places import Place
from agor_tui.filters import TaskFilter
from agor_tui.repositories.store import open_store
from agor_tui.schemas.agor_rows import _with_more
from agor_tui.services import export
from agor_tui.services.browser import Browser
from agor_tui.services.transfer import copy
from agor_tui.transfers import CopyOptions, CopyReport
from tests.builders.agor import build_postgresql, build_sqlite
from tests.builders.agor_rows import SECRET
from tests.builders.agor_tables import Generation
from tests.conftest import place_of

from .answers import ALL
from .copies import rows_of, state


def lists(place: Place, tenant: str | None = None) -> dict[str, Any]:
    """The lists and the conversations, which name nothing that only one generation has."""
    with Browser(*open_store(place, tenant=tenant, read_only=True)) as browser:
        sessions = browser.session_page(ALL, browser.default_sort, limit=0).rows
        found: dict[str, Any] = {"sessions": [export.session_json(each) for each in sessions]}
        tasks = browser.task_page(TaskFilter(archived="any"), limit=0).rows
        found["tasks"] = [export.task_json(each) for each in tasks]
        found["boards"] = [export.board_json(each) for each in browser.boards()]
        found["places"] = [asdict(row) for row in (*browser.repos(), *browser.worktrees(), *browser.users())]
        for each in sessions:
            found[each.id] = [export.message_json(turn.message) for turn in browser.conversation(each.id, 0, 0)]
        return found


def details(place: Place) -> dict[str, Any]:
    """Some sessions and tasks with all that is known of them, raw JSON and all."""
    with Browser(*open_store(place, read_only=True)) as browser:
        found = {}
        for each in browser.session_page(ALL, browser.default_sort, limit=0).rows[::7]:
            around = browser.ancestors(each.id), browser.children(each.id)
            found[each.id] = export.session_detail_json(browser.session_detail(each.id), *around)
            found |= {
                task.id: export.task_detail_json(browser.task_detail(task.id)) for task in browser.tasks_of(each.id)
            }
        return found


def by_table(report: CopyReport) -> dict[str, int]:
    return {table.table: table.rows for table in report.tables if table.rows}


def test_the_fixture_answers_the_same_json(fixtures_dir: Path, postgres18_url: str) -> None:
    source, native_place = place_of(fixtures_dir / "agor" / "agor.db"), place_of(postgres18_url)
    before = state(fixtures_dir / "agor")
    report = copy(source, native_place, CopyOptions())
    assert (report.lossless, report.source_kind, report.finding_count) == (True, "agor", 0)
    assert {name: len(rows) for name, rows in rows_of(source).items() if rows} == by_table(report)
    assert len(by_table(report)) == 11
    expected = lists(source) | details(source)
    found = lists(native_place) | details(native_place)
    for question in expected.keys() | found.keys():
        assert found[question] == expected[question], question
    assert state(fixtures_dir / "agor") == before


@pytest.mark.parametrize(("generation", "dialect"), [("first", "sqlite"), ("2025", "postgresql"), ("2026", "sqlite")])
def test_every_generation(generation: Generation, dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Broken rows and all; what cannot be held is found, and all else answers the same."""
    build_sqlite(tmp_path / "agor.db", generation)
    source = place_of(tmp_path / "agor.db")
    target = place_of(tmp_path / "b.db" if dialect == "sqlite" else request.getfixturevalue("postgres16_url"))
    report = copy(source, target, CopyOptions())
    unknown = {each.table for each in report.findings if not each.id}
    assert unknown == ({"session_relationships"} if generation == "2026" else set())
    expected, found = lists(source), lists(target)
    dangling = {each.id for each in report.findings if each.table == "sessions" and each.done == "left empty"}
    assert dangling
    for answer in (expected, found):
        for each in answer["sessions"]:
            if each["id"] in dangling:
                del each["parent_id"], each["forked_from_id"]
    for question in expected.keys() | found.keys():
        assert found[question] == expected[question], question


def test_one_tenant_of_several(postgres16_url: str, tmp_path: Path) -> None:
    made = build_postgresql(postgres16_url)
    with psycopg.connect(postgres16_url) as connection:
        connection.execute("UPDATE repos SET updated_at = 'infinity'")
        connection.execute("UPDATE users SET updated_at = '2026-01-31 12:00:00.123456Z'")
    source, native_place = place_of(postgres16_url), place_of(tmp_path / "b.db")
    report = copy(source, native_place, CopyOptions(), tenant="acme-labs")
    assert {(each.table, each.done) for each in report.findings if each.column == "updated_at"} == {
        ("users", "cut to the millisecond"),
        ("repos", "kept as the year 9999"),
    }
    assert by_table(report)["sessions"] == len(made["acme-labs"].tables["sessions"])
    expected, found = lists(source, "acme-labs"), lists(native_place)
    for question in expected.keys() | found.keys():
        assert found[question] == expected[question], question
    kept = repr(rows_of(native_place))
    assert f"{SECRET}-mcp_token" in kept  # the user's own secrets travel with the user's own rows
    assert not [word for word in ("claim", "termination", "hash-", "channel", "var-") if f"{SECRET}-{word}" in kept]


def test_what_has_no_column_goes_into_data(tmp_path: Path) -> None:
    build_sqlite(tmp_path / "agor.db", "2026")
    with closing(sqlite3.connect(tmp_path / "agor.db")) as connection:
        connection.execute("UPDATE users SET name = CAST(x'61ff' AS TEXT)")
        connection.execute("UPDATE sessions SET unix_username = x'ff'")
        connection.commit()
    target = place_of(tmp_path / "b.db")
    report = copy(place_of(tmp_path / "agor.db"), target, CopyOptions())
    assert "kept with � in the place of what cannot be read" in [each.done for each in report.findings]
    rows = rows_of(target)
    assert rows["users"][0][-1]["unix_username"] == "ada"
    assert rows["worktrees"][0][9]["storage_mode"] == "worktree"
    assert sorted(row[6]["queue_position"] for row in rows["tasks"] if "queue_position" in row[6]) == [1, 2]


@pytest.mark.parametrize(
    ("data", "more", "expected"),
    [
        ("{}", {"a": 1}, '{"a":1}'),
        (' {"n": 1e400 } ', {"a": "x", "b": True}, '{"n": 1e400,"a":"x","b":true}'),
        ('{"a": {"b": 2}}', {"a": 1, "b": 3}, '{"a": {"b": 2},"b":3}'),
        ('{"a": ', {"b": 1}, '{"a": '),
        ("[1]", {"b": 1}, "[1]"),
        ("{}", {"p": '{"x": [1]}', "q": "{broken"}, '{"p":{"x": [1]},"q":"{broken"}'),
    ],
)
def test_further_keys_leave_the_document_as_it_is(data: str, more: dict[str, Any], expected: str) -> None:
    assert _with_more(data, more) == expected


def test_a_part_of_it(tmp_path: Path) -> None:
    rows = build_sqlite(tmp_path / "agor.db", "2025", leave_out="unsound")
    stamps = sorted(row["updated_at"] for row in rows.tables["sessions"])
    since = stamps[len(stamps) // 2]
    with closing(sqlite3.connect(tmp_path / "agor.db")) as connection:
        connection.execute("UPDATE sessions SET updated_at = 'soon' WHERE updated_at = ?", stamps[:1])
        connection.commit()
    next(row for row in rows.tables["sessions"] if row["updated_at"] == stamps[0])["updated_at"] = since
    target = place_of(tmp_path / "b.db")
    report = copy(place_of(tmp_path / "agor.db"), target, CopyOptions(since_ms=since))
    chosen = {row["session_id"] for row in rows.tables["sessions"] if row["updated_at"] >= since}
    found = rows_of(target)
    assert {row[0] for row in found["sessions"]} == chosen
    assert len(found["messages"]) == sum(row["session_id"] in chosen for row in rows.tables["messages"])
    assert by_table(report)["repos"] == 1
