"""OpenCode's databases through the common repositories: built here in two shapes, and the real one of the fixtures."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection

from agor_tui.errors import AmbiguousIdError
from agor_tui.filters import SessionFilter, TaskFilter, parse_session_filter
from agor_tui.records import NoticeBlock, Session, Sort, TextBlock, ToolCall, UnknownBlock
from agor_tui.services import migrations
from agor_tui.services.browser import Browser
from agor_tui.services.conversation import readable_text
from agor_tui.services.databases import open_database
from agor_tui.text import place
from tests.builders import opencode
from tests.conftest import place_of

EVERYTHING = SessionFilter(archived="any")
START = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=opencode.START)


@dataclass
class Built:
    """A database made here: open, and with the names of its rows."""

    browser: Browser
    ids: dict[str, str]
    shape: opencode.Shape

    def session(self, name: str) -> Session:
        """The session that goes by ``name``."""
        return self.browser.session(self.ids[name])

    def listed(self, line: str) -> set[str]:
        """The names of the sessions that a filter lets through."""
        names = {id: name for name, id in self.ids.items()}
        found = self.browser.session_page(parse_session_filter(line, START + timedelta(days=1)), Sort(), limit=0)
        return {names[session.id] for session in found.rows}


@pytest.fixture(params=["current", "older"])
def built(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Built]:
    path = tmp_path / "opencode.db"
    ids = opencode.build(path, request.param)
    with open_database(str(path), environ={}) as browser:
        yield Built(browser, ids, request.param)


@pytest.fixture
def current(tmp_path: Path) -> Iterator[Built]:
    path = tmp_path / "opencode.db"
    ids = opencode.build(path)
    with open_database(str(path), environ={}) as browser:
        yield Built(browser, ids, "current")


def test_it_is_recognised_and_says_what_it_has(built: Built) -> None:
    info = built.browser.info
    assert (info.kind, info.owner, info.read_only) == ("opencode", "OpenCode", True)
    assert {"repos", "worktrees", "cost"} <= info.capabilities
    assert ("archive" in info.capabilities) == (built.shape == "current")
    assert not info.capabilities & {"boards", "users", "forks", "write"}
    assert built.browser.boards() == built.browser.users() == ()


def test_a_session(built: Built) -> None:
    session = built.session("main")
    assert session.title == "Fix the retry"
    assert (session.status, session.tool, session.model) == ("idle", "opencode", "fake-coder")
    assert (session.repo, session.worktree) == ("lanternctl", "/home/robin/src/lanternctl")
    assert (session.task_count, session.message_count) == (4, 8)
    assert (session.tokens_input, session.tokens_output, session.cost) == (400, 40, 1.0)
    assert session.created_at == START
    assert session.updated_at == START + timedelta(seconds=90)
    assert (session.parent_id, session.forked_from_id, session.board, session.created_by) == (None,) * 4


def test_the_status_is_that_of_the_last_answer(built: Built) -> None:
    found = {name: built.session(name).status for name in ("running", "stopped", "failed", "empty", "reverted")}
    assert found == {
        "running": "running",
        "stopped": "stopped",
        "failed": "failed",
        "empty": "idle",
        "reverted": "idle",
    }
    assert built.listed("status:running") == {"running"}
    assert built.listed("status:failed,stopped") == {"failed", "stopped"}


def test_names_of_repos_and_worktrees(built: Built) -> None:
    assert built.session("branch").repo == "Tidepool"
    assert built.session("empty").repo == "global"
    assert built.session("empty").title == "opencode"
    assert {repo.name for repo in built.browser.repos()} == {"lanternctl", "Tidepool", "global"}
    assert {tree.name for tree in built.browser.worktrees()} == {
        "/home/robin/src/lanternctl", "/home/robin/src/tidepool-api", "/home/robin/wt/tides", "/tmp",
    }  # fmt: skip
    assert built.listed("repo:tidepool worktree:tides") == {"branch"}
    assert built.session("branch").branch == ("fix/tides" if built.shape == "current" else None)


def test_archived_sessions(built: Built) -> None:
    archived = {"archived"} if built.shape == "current" else set()
    assert built.listed("archived:yes") == archived
    assert built.listed("archived:no") == built.listed("archived:any") - archived


def test_a_sub_agent_is_a_child(built: Built) -> None:
    assert [child.id for child in built.browser.children(built.ids["main"])] == [built.ids["child"]]
    tree = built.browser.tree(built.ids["child"])
    assert tree.session.id == built.ids["main"]
    assert [(node.relation, node.session.id) for node in tree.children] == [("spawned", built.ids["child"])]


def test_tasks_are_prompts(built: Built) -> None:
    tasks = built.browser.tasks_of(built.ids["main"])
    assert [(task.title, task.status, task.tool_use_count) for task in tasks] == [
        ('Fix retry() and say "done".', "completed", 2),
        ("And a test.", "completed", 0),
        ("note.txt", "completed", 0),
        ("Not begun yet.", "created", 0),
    ]
    first = tasks[0]
    assert first.created_at == START + timedelta(seconds=1)
    assert first.started_at == START + timedelta(seconds=2)
    assert first.completed_at == START + timedelta(milliseconds=4900)
    assert first.duration_ms == 2900
    # The second was answered after the third had been asked.
    assert [task.duration_ms for task in tasks[1:]] == [900, 900, None]


@pytest.mark.parametrize("name", ["running", "stopped", "failed"])
def test_tasks_that_did_not_end_well(built: Built, name: str) -> None:
    (task,) = built.browser.tasks_of(built.ids[name])
    assert task.status == name
    errors = {"running": None, "stopped": "Aborted", "failed": "no such model"}
    assert built.browser.task_detail(task.id).error == errors[name]


def test_what_a_task_cost(built: Built) -> None:
    detail = built.browser.task_detail(built.ids["prompt"])
    assert detail.prompt == '"Fix retry() and say \\"done\\".\nThen stop."'
    assert (detail.tokens_input, detail.tokens_output) == (200, 20)
    assert (detail.tokens_cache_read, detail.tokens_cache_write, detail.cost) == (8, 2, 0.5)
    assert detail.message_count == 3
    assert [message.index for message in built.browser.messages_of_task(built.ids["prompt"])] == [0, 1, 2]


def test_a_prompt_of_several_texts_without_the_synthetic_one(built: Built) -> None:
    second = built.browser.tasks_of(built.ids["main"])[1]
    assert built.browser.task_detail(second.id).prompt == "And a test.\n\nPlease."


def test_a_compaction_is_a_task_too(built: Built) -> None:
    (task,) = built.browser.tasks_of(built.ids["compacted"])
    assert task.title == "Compaction"
    turns = built.browser.conversation(built.ids["compacted"], 0, 50)
    assert [turn.message.blocks for turn in turns] == [
        (NoticeBlock("compaction", "Conversation compacted automatically"),),
        (TextBlock("So far."),),
    ]


def test_a_conversation(built: Built) -> None:
    turns = built.browser.conversation(built.ids["main"], 0, 3)
    assert [(turn.ordinal, turn.message.index, turn.message.role) for turn in turns] == [
        (0, 0, "user"), (1, 1, "assistant"), (2, 2, "assistant"),
    ]  # fmt: skip
    assert turns[0].task is not None
    assert turns[0].task.id == turns[2].message.task_id == built.ids["prompt"]
    assert turns[0].prompt is None
    call = ToolCall("call_read", "read", {"command": "ls"}, "completed", "source", duration_ms=12)
    assert turns[1].message.blocks == (TextBlock("Looking."), call)
    assert turns[2].message.blocks == (
        ToolCall("call_bash", "bash", {"command": "ls"}, "error", "exit 1", duration_ms=12),
    )
    assert built.browser.prompt_ordinals(built.ids["main"]) == (0, 3, 4, 7)


def test_any_window_shows_the_same(built: Built) -> None:
    everything = built.browser.conversation(built.ids["main"], 0, 100)
    assert len(everything) == 8
    for size in (1, 3):
        pieces = [built.browser.conversation(built.ids["main"], start, size) for start in range(0, 8, size)]
        assert tuple(turn for piece in pieces for turn in piece) == everything


def test_messages_that_were_taken_back(built: Built) -> None:
    messages = built.browser.message_window(built.ids["reverted"], 0, 10)
    assert [message.reverted for message in messages] == [False, False, True, True]


def test_an_error_stands_in_the_conversation_without_what_the_server_sent(built: Built) -> None:
    (message,) = built.browser.message_window(built.ids["failed"], 1, 1)
    assert message.blocks == (NoticeBlock("error", "APIError: no such model"),)


def test_broken_rows_break_nothing_else(built: Built) -> None:
    session = built.session("broken")
    assert (session.task_count, session.message_count) == (1, 4)
    messages = built.browser.message_window(session.id, 0, 10)
    assert [(message.role, message.task_id is None) for message in messages] == [
        ("user", False), ("system", True), ("assistant", False), ("system", True),
    ]  # fmt: skip
    assert messages[0].blocks == (
        TextBlock("Fine."),
        UnknownBlock("broken JSON", '{"type": "te'),
        UnknownBlock("broken JSON", "\x00"),
        TextBlock("a\ud800b"),
    )
    assert messages[1].blocks == (TextBlock("Whose?"), UnknownBlock("broken JSON", '{"role": "us'))
    assert built.browser.session_detail(session.id).raw["revert"] == "{"


def test_details(current: Built) -> None:
    detail = current.browser.session_detail(current.ids["main"])
    groups = {group.title: {each.label: each.value for each in group.details} for group in detail.groups}
    assert groups["Agent"]["agent"] == "build"
    assert detail.raw["model"] == {"id": "fake-coder", "providerID": "fake"}
    assert detail.context_used == 115
    assert "Todos" in groups
    assert detail.child_count == 1


def test_ids_are_prefixes_of_any_case_that_the_store_wrote(built: Built) -> None:
    whole = built.ids["child"]
    assert built.browser.resolve(whole[:22], ("session",)).id == whole
    for pasted in (whole.upper(), f"{whole[:22].swapcase()}…", f"`opencode -s {whole}`", f'"{whole}",'):
        assert built.browser.resolve(pasted, ("session",)).id == whole
    with pytest.raises(AmbiguousIdError) as error:
        built.browser.session("ses_efff")
    assert error.value.ambiguity.count == len(built.listed("archived:any"))


def test_a_prompt_is_one_row_though_it_is_a_task_and_a_message(built: Built) -> None:
    found = built.browser.resolve(built.ids["prompt"])
    assert (found.kind, found.session_id) == ("task", built.ids["main"])
    assert built.browser.resolve(built.ids["prompt"], ("message",)).kind == "message"


def test_pages_follow_each_other(built: Built) -> None:
    for sort in (Sort("id", descending=False), Sort("updated"), Sort("status")):
        whole = [session.id for session in built.browser.session_page(EVERYTHING, sort, limit=0).rows]
        paged: list[str] = []
        page = built.browser.session_page(EVERYTHING, sort, limit=4)
        paged += [session.id for session in page.rows]
        while page.next is not None:
            page = built.browser.session_page(EVERYTHING, sort, after=page.next, limit=4)
            paged += [session.id for session in page.rows]
        assert paged == whole


def test_no_secret_comes_out(built: Built) -> None:
    browser = built.browser
    shown: list[Any] = [browser.info, browser.repos(), browser.worktrees()]
    for session in browser.session_page(EVERYTHING, Sort(), limit=0).rows:
        shown += [browser.session_detail(session.id), browser.conversation(session.id, 0, 100)]
        shown += [browser.task_detail(task.id) for task in browser.tasks_of(session.id)]
    assert opencode.SECRET not in repr(shown)


def plan(browser: Browser, query: Select[Any]) -> list[str]:
    """How the database would answer ``query``: one line a step."""
    sql = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))

    def explain(connection: Connection) -> list[str]:
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]

    return browser.store.database.read(explain)


def test_what_is_asked_often_is_answered_by_indexes(current: Built) -> None:
    schema = current.browser.store.schema
    sessions, messages, tasks, bare = schema.sessions, schema.messages, schema.tasks, schema.ids["session"]
    main = current.ids["main"]
    listed = [sessions.c[name] for name in ("id", "title", "store_status", "repo", "branch", "archived")]
    page = plan(current.browser, select(*listed).where(sessions.c.id > main).order_by(sessions.c.id).limit(51))
    prefix = plan(current.browser, select(bare).where(bare.c.id.between("ses_e", "ses_f")))
    order = [messages.c[name] for name in schema.message_order]
    window = plan(current.browser, select(messages).where(messages.c.session_id == main).order_by(*order).limit(50))
    of_session = plan(
        current.browser, select(tasks).where(tasks.c.session_id == main).order_by(tasks.c.created_at, tasks.c.id)
    )
    assert page[0].startswith("SEARCH session_1 USING INDEX sqlite_autoindex_session_1 (id>?)")
    assert prefix == ["SEARCH session_1 USING COVERING INDEX sqlite_autoindex_session_1 (id>? AND id<?)"]
    assert window[0].startswith("SEARCH message_1 USING INDEX message_session_time_created_id_idx (session_id=?)")
    for steps in (page, prefix, window, of_session):
        assert not [step for step in steps if step.startswith("SCAN") and "anon" not in step]
        assert not [step for step in steps if "TEMP B-TREE" in step]


@pytest.fixture
def real(fixtures_dir: Path) -> Iterator[tuple[Browser, dict[str, Any]]]:
    path = fixtures_dir / "opencode" / "opencode.db"
    before = hashlib.sha256(path.read_bytes()).hexdigest(), sorted(path.parent.iterdir())
    with open_database(str(path), environ={}) as browser:
        yield browser, json.loads((path.parent / "MANIFEST.json").read_text())
    assert (hashlib.sha256(path.read_bytes()).hexdigest(), sorted(path.parent.iterdir())) == before


def test_the_manifest_s_sessions(real: tuple[Browser, dict[str, Any]]) -> None:
    browser, manifest = real
    found = {session.id: session for session in browser.session_page(EVERYTHING, Sort("id"), limit=0).rows}
    assert len(found) == manifest["sessions"]
    for expected in manifest["session_list"]:
        session = found[expected["id"]]
        assert session.title == expected["title"]
        assert session.parent_id == expected["parent_id"]
        assert session.worktree == expected["directory"]
        assert session.archived == expected["archived"]
        assert session.model == expected["model"]
        assert session.cost == pytest.approx(expected["cost"], abs=1e-6)
        assert session.message_count == expected["messages"]
        assert session.task_count == expected["user_messages"]
        for time, stored in (session.created_at, "time_created"), (session.updated_at, "time_updated"):
            assert time == datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=expected[stored])
        messages = browser.message_window(session.id, 0, 0)
        calls = [block for message in messages for block in message.blocks if isinstance(block, ToolCall)]
        assert len(calls) == expected["tool_calls"]
        assert any(message.reverted for message in messages) == expected["has_revert"]
    running = [session.id for session in found.values() if session.status == "running"]
    assert running == [session for _, session in manifest["unfinished_assistant_messages"]]
    stopped = [session.id for session in found.values() if session.status == "stopped"]
    assert stopped == [session for _, session in manifest["with_error"]]


def test_the_manifest_s_messages(real: tuple[Browser, dict[str, Any]]) -> None:
    browser, manifest = real
    sessions = browser.session_page(EVERYTHING, Sort("id"), limit=0).rows
    messages = [message for session in sessions for message in browser.message_window(session.id, 0, 0)]
    calls = [block for message in messages for block in message.blocks if isinstance(block, ToolCall)]
    assert Counter(message.role for message in messages) == manifest["messages_by_role"]
    assert Counter(call.name for call in calls) == manifest["tool_calls_by_name"]
    assert Counter(call.status for call in calls) == manifest["tool_calls_by_status"]
    assert not [block for message in messages for block in message.blocks if isinstance(block, UnknownBlock)]
    assert len(browser.task_page(TaskFilter(archived="any"), limit=0).rows) == manifest["messages_by_role"]["user"]


def test_the_manifest_s_conversation(real: tuple[Browser, dict[str, Any]]) -> None:
    browser, manifest = real
    sample = manifest["sample_session"]
    messages = browser.message_window(sample["id"], 0, 0)
    assert [message.id for message in messages] == [expected["id"] for expected in sample["messages"]]
    for message, expected in zip(messages, sample["messages"], strict=True):
        assert message.role == expected["role"]
        texts = [block.text for block in message.blocks if isinstance(block, TextBlock)]
        assert texts == expected["texts"]
        assert all(text in readable_text(message) for text in texts)
        calls = [[block.name, block.status] for block in message.blocks if isinstance(block, ToolCall)]
        assert calls == expected["tools"]


def test_a_folder_of_windows_is_one_in_filters_and_lists_however_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    made = opencode.build(path, "current")
    spellings = ["C:\\src\\harbour", "c:/src/harbour/", "C:/src/harbour"]
    ids = sorted(made[name] for name in ("main", "child"))
    with closing(sqlite3.connect(path)) as connection:
        for row_id, folder in zip(ids, spellings, strict=False):
            connection.execute("UPDATE session SET directory = ? WHERE id = ?", (folder, row_id))
        connection.commit()
    with open_database(str(path), environ={}) as browser:
        offered = [name for name in browser.filter_values("worktree") if "harbour" in name]
        assert len(offered) == 1
        for typed in (*offered, *spellings, "harbour"):
            line = f'archived:any worktree:"{typed}"'
            found = browser.session_page(parse_session_filter(line, START), Sort(), limit=0).rows
            assert sorted(session.id for session in found) == ids, typed
        assert {place(session.repo, session.worktree) for session in found} == {place(found[0].repo, spellings[0])}


def test_its_own_migrations_are_named_by_when_they_were_written(tmp_path: Path) -> None:
    """The id is not repeated in their place. SQLite alone: these programs have no other."""
    path = tmp_path / "opencode.db"
    opencode.build(path, "current")
    ids = ["20260225215848_workspace", "20260410174513", "first", None]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE IF EXISTS migration")
        connection.execute("CREATE TABLE migration (id TEXT, time_completed INTEGER)")
        connection.executemany("INSERT INTO migration VALUES (?, ?)", [(id, at) for at, id in enumerate(ids)])
        connection.commit()
    found = [(each.id, each.name) for each in migrations.status(place_of(path)).revisions]
    assert found == [
        ("20260225215848_workspace", "written 2026-02-25 21:58"),
        ("20260410174513", "written 2026-04-10 17:45"),
        ("first", ""),
        ("", ""),
    ]
