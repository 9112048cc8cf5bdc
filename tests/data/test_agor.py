"""Agor's own databases of every generation, made by the tests: read alike, never written, no secret out."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from agor_tui.config.places import Place
from agor_tui.errors import AmbiguousIdError, DatabaseError, NotFoundError, ReadOnlyError, UsageError
from agor_tui.filters import Choice, SessionFilter, TaskFilter
from agor_tui.records import NoticeBlock, RequestBlock, Sort, TextBlock, ToolCall, TreeNode, UnknownBlock
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from tests.builders import agor
from tests.builders.agor_rows import SECRET, Rows
from tests.builders.agor_tables import Generation
from tests.builders.native import load_native
from tests.data.answers import json_answers, session_ids, shown

SQLITE: tuple[Generation, ...] = ("first", "2025", "2026")
STORES = (*SQLITE, "2026 postgresql-16", "2026 postgresql-18")


class Store:
    """An open database and what was put into it."""

    def __init__(self, browser: Browser, rows: Rows) -> None:
        self.browser = browser
        self.rows = rows

    def id(self, name: str) -> str:
        """The id of the session that is there for ``name``."""
        return self.rows.sessions[name]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database of each generation and dialect; on PostgreSQL seen by a role that row level security holds."""
    generation, _, server = request.param.partition(" ")
    if server:
        url = request.getfixturevalue(server.replace("postgresql-", "postgres") + "_url")
        rows = agor.build_postgresql(url)["default"]
        target = agor.as_reader(url)
    else:
        target = str(tmp_path / "agor.db")
        rows = agor.build_sqlite(Path(target), generation, wal=True)
    with open_database(target, environ={}) as browser:
        yield Store(browser, rows)


def test_recognised_and_read_only(store: Store) -> None:
    info = store.browser.info
    assert (info.kind, info.owner, info.read_only) == ("agor", "Agor", True)
    assert "write" not in info.capabilities
    with pytest.raises(ReadOnlyError):
        store.browser.store.database.write(lambda connection: None)


def test_lowest_level_refuses_to_write(store: Store) -> None:
    def delete(connection: Connection) -> None:
        connection.exec_driver_sql("DELETE FROM sessions")

    with pytest.raises(DatabaseError):
        store.browser.store.database.read(delete)


def test_counts_are_rows(store: Store) -> None:
    """Trap 6: data.message_count says 1 everywhere."""
    page = store.browser.session_page(SessionFilter(archived="any"), Sort(), limit=0)
    assert len(page.rows) == len(store.rows.tables["sessions"])
    for session in page.rows:
        assert session.task_count == len(store.rows.of("tasks", session.id))
        assert session.message_count == len(store.rows.of("messages", session.id))
        assert store.browser.message_count(session.id) == session.message_count
        assert len(store.browser.tasks_of(session.id)) == session.task_count
        assert len(store.browser.conversation(session.id, 0, 0)) == session.message_count
    assert store.browser.session_count(SessionFilter(archived="any")).value == len(page.rows)


def test_genealogy_is_in_the_columns(store: Store) -> None:
    """Trap 1: the copy in data goes stale."""
    browser, id = store.browser, store.id
    assert [each.id for each in browser.ancestors(id("grandchild"))] == [id("child"), id("root")]
    assert [each.id for each in browser.children(id("root"))] == [id("child"), id("fork")]
    assert browser.ancestors(id("stale")) == ()
    assert browser.session(id("stale")).parent_id is None
    tree = browser.tree(id("grandchild"))
    assert (tree.session.id, tree.relation) == (id("root"), "root")
    assert [(node.session.id, node.relation) for node in tree.children] == [
        (id("child"), "spawned"),
        (id("fork"), "forked"),
    ]


def test_a_cycle_ends(store: Store) -> None:
    browser, id = store.browser, store.id
    assert [each.id for each in browser.ancestors(id("loop one"))] == [id("loop two")]
    assert browser.ancestors(id("own parent")) == ()
    for name in ("loop one", "loop two", "own parent"):
        found = _ids_in(browser.tree(id(name)))
        assert id(name) in found
        assert len(found) <= 3


def _ids_in(node: TreeNode) -> list[str]:
    return [node.session.id, *(id for child in node.children for id in _ids_in(child))]


def test_a_board_is_the_worktrees(store: Store) -> None:
    """Trap 2: sessions.board_id is always NULL."""
    main, other = (row["name"] for row in store.rows.tables["boards"])
    assert store.browser.session(store.id("root")).board == main
    assert store.browser.session(store.id("fork")).board == other  # by board_objects
    assert store.browser.session(store.id("twin one")).board is None
    on_board = session_ids(store.browser, SessionFilter(archived="any", board=Choice((main,))))
    assert store.id("root") in on_board
    assert store.id("fork") not in on_board
    counted = {board.name: board.session_count for board in store.browser.boards()}
    for name in (main, other):
        assert counted[name] == store.browser.session_count(SessionFilter(board=Choice((name,)))).value


def test_archived_with_its_worktree(store: Store) -> None:
    """Trap 3."""
    listed = set(session_ids(store.browser, SessionFilter()))
    archived = set(session_ids(store.browser, SessionFilter(archived="yes")))
    if store.rows.generation == "first":  # which knew no archive
        assert not archived
        return
    assert archived == {store.id("archived"), store.id("in an archived worktree")}
    assert not archived & listed
    assert store.browser.session(store.id("in an archived worktree")).archived


def test_times_of_tasks(store: Store) -> None:
    """Trap 4: started_at and completed_at are NULL; message_range has them."""
    task = store.browser.tasks_of(store.id("root"))[0]
    assert task.started_at is not None
    assert task.completed_at is not None
    assert task.duration_ms == 90_000
    assert (task.status, task.tool_use_count) == ("completed", 1)


def test_messages_with_the_same_index(store: Store) -> None:
    """Trap 5."""
    texts = [turn.message.blocks[0] for turn in store.browser.conversation(store.id("same index"), 0, 0)]
    assert texts == [TextBlock(word) for word in ("first", "second", "third", "fourth", "fifth")]
    window = store.browser.message_window(store.id("same index"), 1, 2)
    assert [message.blocks[0] for message in window] == texts[1:3]


def test_lone_surrogates_and_broken_json(store: Store) -> None:
    """Trap 7."""
    if "surrogate" not in store.rows.sessions:  # jsonb cannot hold them
        return
    session = store.browser.session(store.id("surrogate"))
    assert session.title == "half \ud83e of it"
    first, cut, empty = (turn.message.blocks for turn in store.browser.conversation(session.id, 0, 0))
    assert first == (TextBlock("nul \x00 and half \udc4d end"),)
    assert isinstance(cut[0], UnknownBlock)
    assert '{"content": [{"type"' in cut[0].text
    assert all(isinstance(block, UnknownBlock) for block in empty)
    broken = store.browser.session_detail(store.id("broken"))
    assert broken.session.title == "claude-code"
    assert broken.session.task_count == 1


def test_queued_prompts_stand_last_in_their_order(store: Store) -> None:
    id = store.id("queue")
    turns = store.browser.conversation(id, 0, 0)
    tasks = store.browser.tasks_of(id)
    if store.rows.generation == "2025":
        assert [turn.message.blocks for turn in turns[-2:]] == [(TextBlock("Queued 1"),), (TextBlock("Queued 2"),)]
        assert [turn.message.queued for turn in turns[-3:]] == [False, True, True]
    elif store.rows.generation == "2026":
        waiting = [task for task in tasks if task.store_status == "queued"]
        assert [(task.title, task.queue_position, task.status) for task in waiting] == [
            ("Queued 1", 1, "created"),
            ("Queued 2", 2, "created"),
        ]
        assert tasks[-2:] == tuple(waiting)


def test_titles(store: Store) -> None:
    titles = {name: store.browser.session(store.id(name)).title for name in ("root", "untitled", "nameless")}
    assert titles == {"root": "Root of a family", "untitled": "The prompt of untitled", "nameless": "opencode"}


def test_awkward_content(store: Store) -> None:
    turns = store.browser.conversation(store.id("awkward"), 0, 0)
    blocks = [turn.message.blocks for turn in turns]
    assert blocks[0] == (TextBlock("long " + "x" * 50_000),)
    assert blocks[1] == (TextBlock("esc \x1b]0;owned\x07 bell"),)
    assert any(isinstance(block, UnknownBlock) for block in blocks[2])
    requests = [block for found in blocks for block in found if isinstance(block, RequestBlock)]
    assert [(request.title, request.status) for request in requests] == [("Bash", "pending")]
    assert any(isinstance(block, NoticeBlock) and "132,060" in block.text for found in blocks for block in found)
    task = store.browser.task_detail(store.rows.tasks["awkward 0"])
    assert (task.task.status, task.error) == ("failed", "Executor exited with code 1")


def test_conversation_pairs_calls_with_results(store: Store) -> None:
    turns = store.browser.conversation(store.id("root"), 0, 0)
    call = turns[1].message.blocks[1]
    assert isinstance(call, ToolCall)
    assert (call.name, call.status, call.output) == ("Read", "completed", "print('hello')")
    nested = [turn.message for turn in turns if turn.message.parent_tool_id]
    assert len(nested) == (0 if store.rows.generation == "first" else 1)
    only = store.browser.conversation(store.id("prompt in the task"), 0, 0)
    assert [turn.prompt for turn in only] == ["Said only in the task"]


def test_tokens_and_cost(store: Store) -> None:
    session = store.browser.session(store.id("root"))
    assert (session.tokens_input, session.tokens_output, session.cost) == (3000, 600, 0.75)
    detail = store.browser.task_detail(store.rows.tasks["root 0"])
    expected = (50, 7) if store.rows.generation == "2026" else (None, None)
    assert (detail.tokens_cache_read, detail.tokens_cache_write) == expected


def test_prefixes(store: Store) -> None:
    """Trap 9: prefixes of any length, never a pattern."""
    browser, id = store.browser, store.id
    with pytest.raises(AmbiguousIdError) as caught:
        browser.resolve(id("twin one")[:8], ("session",))
    assert caught.value.ambiguity.count == 4
    with pytest.raises(AmbiguousIdError) as caught:
        browser.resolve(id("twin one")[:13].upper(), ("session",))
    assert caught.value.ambiguity.count == 2
    assert browser.resolve(id("twin three").replace("-", "")[:12], ("session",)).id == id("twin three")
    assert browser.resolve(id("grandchild")[:8], ("session",)).id == id("grandchild")
    assert browser.resolve(store.rows.tasks["root 0"]).kind == "task"
    with pytest.raises(NotFoundError) as missing:
        browser.resolve("ffffffff")
    assert missing.value.hint
    shorts = [session.short_id for session in browser.session_page(SessionFilter(archived="any"), Sort(), limit=0).rows]
    assert len(set(shorts)) == len(shorts)
    assert all(len(short) >= 8 for short in shorts)


def test_no_secret_comes_out(store: Store) -> None:
    planted = sum(SECRET in repr(row) for rows in store.rows.tables.values() for row in rows)
    assert planted > 20
    assert SECRET not in shown(json_answers(store.browser))


def test_details_of_other_tables(store: Store) -> None:
    groups = {group.title: group.details for group in store.browser.session_detail(store.id("root")).groups}
    assert "MCP servers" in groups
    assert ("Comments" in groups) == (store.rows.generation != "first")
    assert ("Relationships" in groups) == (store.rows.generation == "2026")


def test_filters(store: Store) -> None:
    browser = store.browser
    assert session_ids(browser, SessionFilter(status=Choice(("failed",)))) == [store.id("grandchild")]
    assert session_ids(browser, SessionFilter(worktree=Choice(("placed",)))) == [store.id("fork")]
    tools = Counter(browser.session(id).tool for id in session_ids(browser, SessionFilter(tool=Choice((), ("codex",)))))
    assert "codex" not in tools
    failed = browser.task_page(TaskFilter(status=Choice(("failed",))), limit=0).rows
    assert [task.id for task in failed] == [store.rows.tasks["awkward 0"]]


@pytest.mark.parametrize("version", [16, 18])
def test_one_tenant_at_a_time(version: int, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(f"postgres{version}_url")
    made = agor.build_postgresql(url)
    for target in (agor.as_reader(url), url):  # row level security holds the first; the second is a superuser
        for tenant, rows in made.items():
            with open_database(target, tenant=tenant, environ={}) as browser:
                assert browser.info.tenant == tenant
                assert set(session_ids(browser)) == set(rows.sessions.values())
                assert {user.name for user in browser.users()} == {f"Ada of {tenant}"}
                other = next(found for name, found in made.items() if name != tenant)
                with pytest.raises(NotFoundError):
                    browser.session(other.sessions["root"])
                tasks = browser.task_page(TaskFilter(archived="any"), limit=0).rows
                assert {task.session_id for task in tasks} <= set(rows.sessions.values())
                assert browser.message_window(other.sessions["root"], 0, 0) == ()
        with open_database(target, environ={}) as browser:
            assert browser.info.tenant == "default"
            assert set(session_ids(browser)) == set(made["default"].sessions.values())
        with open_database(target, tenant="nobody", environ={}) as browser:
            assert session_ids(browser) == []


def test_tenant_of_a_store_without_tenants(tmp_path: Path) -> None:
    agor.build_sqlite(tmp_path / "agor.db", "2025")
    with pytest.raises(UsageError, match="tenant"):
        open_database(f"{tmp_path / 'agor.db'}", tenant="acme-labs", environ={})


# Loaded raw into our own tables


@pytest.fixture(scope="module")
def answers_of_the_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, dict[str, object]]:
    """A file of late 2025's shape without broken rows, and what it answers."""
    path = tmp_path_factory.mktemp("raw") / "agor.db"
    rows = agor.build_sqlite(path, "2025", leave_out="unsound")
    with open_database(str(path), environ={}) as browser:
        return rows, json_answers(browser)


def test_loaded_into_native_tables_it_answers_the_same(
    answers_of_the_file: tuple[Rows, dict[str, object]], empty_place: Place
) -> None:
    rows, expected = answers_of_the_file
    load_native(empty_place, rows.tables)
    with Browser(*open_store(empty_place)) as browser:
        assert browser.info.kind == "native"
        found = json_answers(browser)
    assert found.keys() == expected.keys()
    for question in expected:
        assert found[question] == expected[question], question


# Nothing is written, nothing is left behind


def _state(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.iterdir())
    }


@pytest.mark.parametrize("wal", [True, False])
@pytest.mark.parametrize("generation", SQLITE)
def test_browsing_leaves_no_trace(generation: Generation, wal: bool, tmp_path: Path) -> None:
    agor.build_sqlite(tmp_path / "agor.db", generation, wal=wal)
    before = _state(tmp_path)
    with open_database(str(tmp_path / "agor.db"), environ={}) as browser:
        for id in session_ids(browser)[:3]:
            browser.session_detail(id)
            browser.conversation(id, 0, 0)
        assert _state(tmp_path) == before
    assert _state(tmp_path) == before


_READ_AS_NOBODY = """
import os, sys
from agor_tui.services.databases import open_database

def messages(path):
    with open_database(path, environ={}) as browser:
        return sum(session.message_count for session in browser.session_page(FILTER, Sort(), limit=0).rows)

from agor_tui.filters import SessionFilter
from agor_tui.records import Sort
FILTER = SessionFilter(archived="any")
messages(sys.argv[1])  # all modules are loaded now: nobody may not be allowed to read them
if os.geteuid() == 0:
    os.setuid(65534)
print(messages(sys.argv[2]))
"""


def test_read_only_file_and_folder() -> None:
    """As someone whom permissions hold, which root is not."""
    with tempfile.TemporaryDirectory() as root:
        locked, other = Path(root, "locked"), Path(root, "other.db")
        locked.mkdir()
        rows = agor.build_sqlite(locked / "agor.db", "2025", wal=True)
        agor.build_sqlite(other, "2025")
        before = _state(locked)
        Path(root).chmod(0o755)
        (locked / "agor.db").chmod(0o444)
        locked.chmod(0o555)
        try:
            command = [sys.executable, "-c", _READ_AS_NOBODY, other, locked / "agor.db"]
            done = subprocess.run(command, capture_output=True, text=True)
        finally:
            locked.chmod(0o755)
        assert (done.stdout.strip(), done.returncode) == (str(len(rows.tables["messages"])), 0), done.stderr
        assert _state(locked) == before
