"""What the planners make of the queries that must not grow with the database: searches of an index, never a scan."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection

from agor_tui.config.places import LibsqlPlace
from agor_tui.filters import SessionFilter, TaskFilter, parse_session_filter
from agor_tui.records import Sort
from agor_tui.repositories.bulk import insert_tables
from agor_tui.services.browser import END, Browser

pytestmark = pytest.mark.libsql

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SESSIONS = 6_000
BIG = ("sessions", "tasks", "messages")


@pytest.fixture
def filled(native: Browser) -> Browser:
    """Enough sessions for an index to pay, each with a task and a message; a few have children."""
    chance = random.Random(7)

    def new_id(ms: int) -> str:
        return f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7{chance.getrandbits(12):03x}-8000-{chance.getrandbits(48):012x}"

    repo = {"repo_id": new_id(1), "created_at": NOON, "slug": "quay/harbor", "data": "{}"}
    worktrees = [
        {"worktree_id": new_id(2), "repo_id": repo["repo_id"], "created_at": NOON, "name": f"w{number}", "ref": "main",
         "worktree_unique_id": number, "data": "{}", "archived": number == 0}
        for number in range(20)
    ]  # fmt: skip
    sessions: list[dict[str, Any]] = []
    tasks: list[dict[str, Any]] = []
    messages: list[dict[str, Any]] = []
    for number in range(SESSIONS):
        time = NOON + timedelta(minutes=number)
        ms = int(time.timestamp() * 1000)
        parent = sessions[-3]["session_id"] if number % 50 == 49 else None
        session = new_id(ms)
        sessions.append(
            {"session_id": session, "created_at": time, "updated_at": time, "status": chance.choice(["idle", "failed"]),
             "agentic_tool": chance.choice(["codex", "gemini"]), "worktree_id": chance.choice(worktrees)["worktree_id"],
             "parent_session_id": parent, "archived": number % 9 == 0, "data": "{}"}
        )  # fmt: skip
        task = new_id(ms)
        tasks.append({"task_id": task, "session_id": session, "created_at": time, "status": "completed", "data": "{}"})
        messages.append(
            {"message_id": new_id(ms), "session_id": session, "task_id": task, "created_at": time, "timestamp": time,
             "type": "user", "role": "user", "index": 0, "data": "{}"}
        )  # fmt: skip
    rows = {"repos": [repo], "worktrees": worktrees, "sessions": sessions, "tasks": tasks, "messages": messages}
    insert_tables(native.store.database, rows)
    if not isinstance(native.store.database.place, LibsqlPlace):  # whose server does not let clients do that
        native.store.database.write(lambda connection: connection.exec_driver_sql("ANALYZE"))
    return native


def scans(browser: Browser, ask: Callable[[], object]) -> list[str]:
    """Return the lines of the plans of all that ``ask`` runs in which a big table is read from end to end."""
    database = browser.store.database
    ran: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        ran.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    sqlite = database.dialect == "sqlite"

    def plans(connection: Connection) -> list[str]:
        found = []
        for statement, parameters in ran:
            if statement.startswith(("SELECT", "WITH")):
                explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
                found += [
                    str(row[3 if sqlite else 0]) for row in connection.exec_driver_sql(explain + statement, parameters)
                ]
        return found

    lines = database.read(plans)
    assert lines
    if sqlite:
        return [
            line for line in lines if line.startswith(tuple(f"SCAN {table}" for table in BIG)) and "INDEX" not in line
        ]
    return [line for line in lines if any(f"Seq Scan on {table}" in line for table in BIG)]


def test_pages_are_walks_of_an_index(filled: Browser) -> None:
    for line in ("", "status:failed", "tool:gemini", "worktree:w3", "archived:any", "status:failed tool:codex"):
        wanted = parse_session_filter(line, NOON)
        page = filled.session_page(wanted, Sort())
        for after, before in ((None, None), (page.next, None), (None, END)):
            found = scans(filled, lambda: filled.session_page(wanted, Sort(), after=after, before=before))  # noqa: B023
            assert not found, (line, found)
    for sort in (Sort("created"), Sort("id", descending=False)):
        assert not scans(filled, lambda: filled.session_page(SessionFilter(), sort))  # noqa: B023
    assert not scans(filled, lambda: filled.task_page(TaskFilter()))


def test_a_prefix_is_a_search(filled: Browser) -> None:
    session = filled.session_page(SessionFilter(), Sort(), limit=1).rows[0]
    for prefix in (session.id, session.short_id, session.id[:6]):
        assert not scans(filled, lambda: filled.candidates(prefix, ("session",)))  # noqa: B023
        assert not scans(filled, lambda: filled.candidates(prefix))  # noqa: B023


def test_a_session_its_family_and_its_conversation_are_searches(filled: Browser) -> None:
    child = filled.session_page(parse_session_filter("has:parent", NOON), Sort(), limit=1).rows[0]
    assert not scans(filled, lambda: filled.session_detail(child.id))
    assert not scans(filled, lambda: filled.tree(child.id))
    assert not scans(filled, lambda: filled.ancestors(child.id))
    assert not scans(filled, lambda: filled.tasks_of(child.id))
    assert not scans(filled, lambda: filled.conversation(child.id, 0, 50))
    assert not scans(filled, lambda: filled.message_count(child.id))
