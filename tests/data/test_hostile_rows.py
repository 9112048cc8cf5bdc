"""Rows that a sound program would never write: read without a fault, a secret or an escape sequence coming out."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from agor_tui.errors import DatabaseError
from agor_tui.filters import SessionFilter, TaskFilter
from agor_tui.records import Cursor, Sort, SortKey
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from agor_tui.services.export import dumps, session_detail_json, task_detail_json
from tests.builders.agor import build_postgresql, build_sqlite

pytestmark = pytest.mark.libsql

ALL = SessionFilter(archived="any")
CUT_OFF = '{"title": "cut off", "mcp_token": "FAKESECRET'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An Agor file."""
    found = tmp_path / "agor.db"
    build_sqlite(found, "2026")
    return found


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def all_pages(browser: Browser, sort: Sort) -> Iterator[str]:
    after: Cursor | None = None
    while True:
        page = browser.session_page(ALL, sort, after=after, limit=3)
        yield from (session.id for session in page.rows)
        after = page.next
        if after is None:
            return


def test_json_that_was_cut_off_hides_what_follows_the_name_of_a_secret(path: Path) -> None:
    change(path, f"UPDATE sessions SET data = '{CUT_OFF}'", f"UPDATE tasks SET data = '{CUT_OFF}'")
    with open_database(str(path), environ={}) as browser:
        session = browser.session_page(ALL, Sort(), limit=1).rows[0]
        task = browser.task_page(TaskFilter(archived="any"), limit=1).rows[0]
        shown = dumps(session_detail_json(browser.session_detail(session.id), (), ()))
        shown += dumps(task_detail_json(browser.task_detail(task.id)))
    assert b"cut off" in shown
    assert b"FAKESECRET" not in shown


def test_bytes_where_text_and_numbers_should_be(path: Path) -> None:
    change(path, "UPDATE sessions SET agentic_tool = x'ff00fe', data = '{}'", "UPDATE tasks SET queue_position = x'ff'")
    with open_database(str(path), environ={}) as browser:
        assert {session.title for session in browser.session_page(ALL, Sort()).rows} == {"\ufffd\x00\ufffd"}
        task = browser.task_page(TaskFilter(archived="any"), limit=1).rows[0]
        assert b"queue_position" in dumps(task_detail_json(browser.task_detail(task.id)))


@pytest.mark.parametrize("shape", ["0199CBC0-1FA0-7594-B295-{}", "aaaa-{}", "no uuid % at _ all {}"])
def test_an_id_of_another_form_is_found_when_it_is_given_whole(path: Path, shape: str) -> None:
    wanted = shape.format("F99D86BA3F7A")
    change(path, f"UPDATE sessions SET session_id = '{wanted}' WHERE rowid = 1")
    with open_database(str(path), environ={}) as browser:
        assert browser.session(wanted).id == wanted
        assert browser.resolve(wanted).id == wanted
        if shape[:4] == "0199":
            assert browser.session(browser.session(wanted).short_id).id == wanted


def test_a_log_beside_the_file_that_a_link_leads_to_is_heeded(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "links" / "link.db"
    link.parent.mkdir()
    link.symlink_to(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = wal")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("""UPDATE sessions SET data = '{"title": "new"}'""")
        with open_database(str(link), environ={}) as browser:
            assert {session.title for session in browser.session_page(ALL, Sort()).rows} == {"new"}
    assert os.listdir(link.parent) == ["link.db"]


@pytest.fixture
def hostile_postgres(postgres18_url: str) -> str:
    """An Agor database on PostgreSQL with times and numbers that Python and floats cannot hold."""
    build_postgresql(postgres18_url)
    with psycopg.connect(postgres18_url) as connection:
        for number, time in enumerate(("infinity", "-infinity", "20000-01-01")):
            connection.execute(
                "UPDATE sessions SET updated_at = %s, created_at = %s WHERE session_id IN"
                " (SELECT session_id FROM sessions WHERE tenant_id = 'default' ORDER BY 1 OFFSET %s LIMIT 5)",
                (time, time, 5 * number),
            )
        for path in ("duration_ms", "normalized_sdk_response"):
            value = "1e400" if path == "duration_ms" else '{"costUsd": 1e-400, "tokenUsage": {"inputTokens": 9e18}}'
            connection.execute("UPDATE tasks SET data = jsonb_set(data, %s, %s::jsonb)", (f"{{{path}}}", value))
    return postgres18_url


@pytest.mark.parametrize("key", ["updated", "created"])
@pytest.mark.parametrize("descending", [True, False])
def test_no_row_is_lost_behind_a_time_that_python_cannot_hold(
    hostile_postgres: str, key: SortKey, descending: bool
) -> None:
    with open_database(hostile_postgres, environ={}) as browser:
        whole = browser.session_page(ALL, Sort(key, descending), limit=0).rows
        assert any(session.updated_at is None for session in whole)
        assert list(all_pages(browser, Sort(key, descending))) == [session.id for session in whole]


def test_numbers_that_no_float_holds_read_as_absent(hostile_postgres: str) -> None:
    with open_database(hostile_postgres, environ={}) as browser:
        assert None in {task.duration_ms for task in browser.task_page(TaskFilter(archived="any"), limit=0).rows}
        assert {session.tokens_input for session in browser.session_page(ALL, Sort(), limit=0).rows} == {None}


def test_a_filter_that_sqlite_finds_too_long(path: Path) -> None:
    with open_database(str(path), environ={}) as browser:
        for words in (("x" * 100_000,), tuple(f"word{number}" for number in range(2_000))):
            with pytest.raises(DatabaseError) as refused:
                browser.session_page(SessionFilter(words=words), Sort())
            assert refused.value.hint == "Shorten the filter."
