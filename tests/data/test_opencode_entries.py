"""OpenCode's second store, beside the first and after an upgrade to version 2, and Kilo's file: each session once.

SQLite alone: the programs have nothing else. ``test_opencode_rows`` has the copies of these, on all dialects.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from agor_tui.errors import UnknownSchemaError
from agor_tui.filters import SessionFilter, TaskFilter, parse_session_filter
from agor_tui.records import AttachmentBlock, NoticeBlock, Session, Sort, TextBlock, ToolCall, UnknownBlock
from agor_tui.repositories.sessions import SessionRepository
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from tests.builders import opencode, opencode_entries
from tests.builders.opencode import START

EVERYTHING = SessionFilter(archived="any")


class Built:
    """An open database, with the names of its rows."""

    def __init__(self, browser: Browser, ids: dict[str, str]) -> None:
        self.browser = browser
        self.ids = ids

    def sessions(self) -> dict[str, Session]:
        """All sessions by name."""
        names = {id: name for name, id in self.ids.items()}
        rows = self.browser.session_page(EVERYTHING, Sort("updated"), limit=0).rows
        found = {names[row.id]: row for row in rows}
        assert len(found) == len(rows), "a session is listed twice"
        return found

    def said(self, name: str) -> list[str]:
        """The texts of a conversation."""
        turns = self.browser.conversation(self.ids[name], 0, 100)
        return ["|".join(each.text for each in turn.message.blocks if isinstance(each, TextBlock)) for turn in turns]


def opened(path: Path, ids: dict[str, str]) -> Iterator[Built]:
    with open_database(str(path), environ={}) as browser:
        yield Built(browser, ids)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Built]:
    path = tmp_path / "opencode-both.db"
    yield from opened(path, opencode_entries.build_both(path))


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[Built]:
    path = tmp_path / "opencode.db"
    yield from opened(path, opencode_entries.build_upgraded(path))


def test_each_session_is_read_from_the_store_it_is_in(both: Built) -> None:
    found = both.sessions()
    assert {name: (each.task_count, each.message_count) for name, each in found.items()} == {
        "old": (1, 2), "new": (2, 5), "both": (2, 4), "switched": (1, 2), "empty": (0, 0), "unnumbered": (2, 3),
        "broken": (2, 5), "waiting": (1, 4), "failed": (1, 2), "stopped": (1, 2), "early": (1, 1),
    }  # fmt: skip
    for name, session in found.items():
        assert len(both.browser.conversation(session.id, 0, 100)) == session.message_count, name
        assert len(both.browser.tasks_of(session.id)) == session.task_count, name
    assert both.said("both") == ["First both.", "Done.", "Second both.", "Also done."]
    assert both.said("unnumbered") == ["Early?", "Yes.", "Late?"]
    assert [each.index for each in both.browser.message_window(both.ids["both"], 0, 0)] == [0, 1, 2, 3]


def test_titles_that_the_program_made_up_give_way_to_the_first_prompt(both: Built) -> None:
    found = both.sessions()
    assert found["new"].title == 'Why so "slow"?'
    assert found["switched"].title == "First switched."
    assert found["old"].title == "The old one"
    words = parse_session_filter("slow", datetime.now(UTC))
    assert [each.id for each in both.browser.session_page(words, Sort(), limit=0).rows] == [both.ids["new"]]


def test_a_session_says_what_its_entries_add_up_to(both: Built) -> None:
    found = both.sessions()
    new = found["new"]
    assert (new.tokens_input, new.tokens_output, new.cost, new.model) == (300, 30, 0.75, "fake-coder")
    assert new.updated_at == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=START + 25_502)
    old, mixed = found["old"], found["both"]
    assert (old.tokens_input, old.cost) == (0, 0)  # its own columns say so
    assert (mixed.tokens_input, mixed.cost) == (100, 0.25)
    assert {name: each.status for name, each in found.items() if each.status != "idle"} == {
        "new": "running", "broken": "failed", "failed": "failed", "stopped": "stopped",
    }  # fmt: skip
    groups = {group.title: group.details for group in both.browser.session_detail(both.ids["new"]).groups}
    assert [each.value for each in groups["Agent"] if each.label == "agent"] == ["build"]
    assert both.browser.session_detail(both.ids["new"]).context_used == 116


def test_the_order_of_a_conversation_is_not_that_of_its_times(both: Built) -> None:
    turns = both.browser.conversation(both.ids["new"], 0, 100)
    first, looking, sorts, second, unfinished = (turn.message for turn in turns)
    assert first.blocks == (
        TextBlock('"Why so \\"slow\\"?\nSay it."'),
        AttachmentBlock("file", "README.md", "text/markdown", None),
    )
    call = ToolCall("call_0", "bash", {"command": "ls"}, "completed", "out\nExit code 0.", duration_ms=12)
    assert looking.blocks[:2] == (TextBlock("Looking."), call)
    assert sorts.blocks == (
        TextBlock("It sorts."),
        NoticeBlock("shell", "$ git status\n M a"),
        NoticeBlock("compaction", "Conversation compacted automatically\nSo far."),
        UnknownBlock("hologram", '{"beam": "on"}'),
    )
    assert [each.model for each in (first, looking)] == [None, "tide-mini"]
    assert [each.task_id for each in (first, looking, sorts)] == [both.ids["prompt"]] * 3
    assert [each.task_id for each in (second, unfinished)] == [both.ids["second"]] * 2
    assert [turn.task is not None for turn in turns] == [True, False, False, True, False]
    (early,) = both.browser.conversation(both.ids["early"], 0, 100)
    assert early.message.blocks == (NoticeBlock("shell", "$ ls"), TextBlock("What was that?"))


def test_tasks_of_entries(both: Built) -> None:
    first, second = both.browser.tasks_of(both.ids["new"])
    assert (first.title, first.status, first.tool_use_count, first.model) == (
        'Why so "slow"?',
        "completed",
        2,
        "tide-mini",
    )
    assert (second.title, second.status, second.tool_use_count) == ("And now?", "running", 0)
    detail = both.browser.task_detail(first.id)
    assert (detail.tokens_input, detail.tokens_cache_read, detail.cost, detail.message_count) == (200, 8, 0.5, 3)
    (failed,) = both.browser.tasks_of(both.ids["failed"])
    assert (failed.status, both.browser.task_detail(failed.id).error) == ("failed", "no quota")
    (stopped,) = both.browser.tasks_of(both.ids["stopped"])
    assert (stopped.status, both.browser.task_detail(stopped.id).error) == ("stopped", "Aborted")


def test_prompts_that_wait_stand_last_in_their_order(both: Built) -> None:
    messages = both.browser.message_window(both.ids["waiting"], 0, 0)
    assert [(each.queued, each.index) for each in messages] == [(False, 0), (False, 1), (True, -1), (True, -1)]
    assert [each.id for each in messages[2:]] == [both.ids["queued 1"], both.ids["queued 2"]]
    assert both.said("waiting") == ["Asked first.", "Answered.", "First this.", "Then this."]


def test_broken_entries_break_nothing_else(both: Built) -> None:
    turns = both.browser.conversation(both.ids["broken"], 0, 100)
    assert [turn.message.role for turn in turns] == ["user", "assistant", "assistant", "user", "assistant"]
    assert turns[0].message.blocks == (UnknownBlock("broken JSON", '{"text": "cut of'),)
    assert turns[4].message.blocks[-1] == UnknownBlock("broken JSON", "\x00")
    assert NoticeBlock("error", "plain") in turns[4].message.blocks
    session = both.sessions()["broken"]
    assert (session.tokens_input, session.cost) == (0, 0)


def test_ids_of_both_stores_are_found(both: Built) -> None:
    assert both.browser.resolve(both.ids["prompt"], ("message",)).kind == "message"
    assert both.browser.resolve(both.ids["prompt"], ("task",)).id == both.ids["prompt"]
    assert both.browser.resolve(both.ids["queued 1"], ("message",)).session_id == both.ids["waiting"]
    tasks = both.browser.task_page(TaskFilter(archived="any"), limit=0).rows
    assert len({each.id for each in tasks}) == len(tasks) == 14
    assert all(both.browser.resolve(each.short_id, ("task",)).id == each.id for each in tasks)


def test_any_window_shows_the_same(both: Built) -> None:
    for name in ("new", "both", "waiting"):
        everything = both.browser.message_window(both.ids[name], 0, 0)
        for size in (1, 2, 3):
            pieces = [both.browser.message_window(both.ids[name], start, size) for start in range(0, 6, size)]
            assert tuple(each for piece in pieces for each in piece) == everything


def test_pages_in_every_order(both: Built, upgraded: Built) -> None:
    for built in (both, upgraded):
        for key in ("updated", "created", "title", "status", "tool", "id"):
            for descending in (False, True):
                sort = Sort(key, descending=descending)
                whole = [each.id for each in built.browser.session_page(EVERYTHING, sort, limit=0).rows]
                pieces: list[str] = []
                cursor = None
                while True:
                    page = built.browser.session_page(EVERYTHING, sort, after=cursor, limit=2)
                    pieces += [each.id for each in page.rows]
                    if (cursor := page.next) is None:
                        break
                assert pieces == whole
                assert len(set(whole)) == len(built.sessions())


def test_an_upgraded_store_shows_what_lives(upgraded: Built) -> None:
    found = upgraded.sessions()
    assert {name: (each.title, each.task_count, each.message_count) for name, each in found.items()} == {
        "living": ("The living one", 2, 3),
        "frozen": ("The frozen one, as it was", 1, 2),
        "kept": ("The kept one", 1, 2),
        "converted": ("The same.", 1, 1),
        "unfinished": ("The unfinished one", 1, 2),
        "fresh": ("The fresh one", 1, 1),
    }
    assert upgraded.said("living") == ["First living, now.", "Done, now.", "More."]
    assert upgraded.said("kept") == ["First kept.", "Done."]
    living = found["living"]
    assert (living.tokens_input, living.tokens_output, living.cost) == (7, 3, 0.5)
    assert not any(each.archived for each in found.values())  # the older row of one was
    assert {name: each.status for name, each in found.items() if each.status != "idle"} == {"unfinished": "stopped"}
    assert found["fresh"].forked_from_id == upgraded.ids["living"]
    tree = upgraded.browser.tree(upgraded.ids["fresh"])
    assert (tree.session.id, [node.relation for node in tree.children]) == (upgraded.ids["living"], ["forked"])
    tasks = upgraded.browser.task_page(TaskFilter(archived="any"), limit=0).rows
    assert len(tasks) == sum(each.task_count for each in found.values())
    assert all(upgraded.browser.resolve(each.short_id).id == each.id for each in found.values())


CHANGED: dict[str, tuple[str, Callable[[dict[str, tuple[int, int]]], dict[str, tuple[int, int]]]]] = {
    "no row in session_v2": (
        "DELETE FROM session_v2; DELETE FROM session_message",
        lambda counts: {"living": (1, 2), "frozen": (1, 2), "kept": (1, 2), "converted": (1, 1), "unfinished": (0, 0)},
    ),
    "session is empty": (
        "DELETE FROM session",
        lambda counts: {name: each for name, each in counts.items() if name != "frozen"},
    ),
    "the older tables are gone": (
        "DROP TABLE session; DROP TABLE message; DROP TABLE part; DROP TABLE todo",
        lambda counts: {name: each for name, each in counts.items() if name != "frozen"} | {"kept": (0, 0)},
    ),
    "no table but those of version 2": (
        "DROP TABLE session; DROP TABLE message; DROP TABLE part; DROP TABLE todo; DROP TABLE project;"
        "DROP TABLE workspace",
        lambda counts: {name: each for name, each in counts.items() if name != "frozen"} | {"kept": (0, 0)},
    ),
    "session_message is empty": (
        "DELETE FROM session_message",
        lambda counts: {
            "living": (1, 2), "frozen": (1, 2), "kept": (1, 2), "converted": (1, 1), "unfinished": (0, 0),
            "fresh": (0, 0),
        },
    ),
    "no seq": ("DROP INDEX session_message_session_seq_idx; DROP INDEX session_message_session_type_seq_idx;"
               "ALTER TABLE session_message DROP COLUMN seq", lambda counts: counts),
    "only what is needed": (
        "ALTER TABLE session_v2 DROP COLUMN fork_session_id; ALTER TABLE session_v2 DROP COLUMN model;"
        "ALTER TABLE session_v2 DROP COLUMN project_id; ALTER TABLE session_v2 DROP COLUMN cost;"
        "ALTER TABLE session_v2 DROP COLUMN tokens_input; ALTER TABLE session_v2 DROP COLUMN tokens_output;"
        "ALTER TABLE session_v2 DROP COLUMN revert; ALTER TABLE session_v2 DROP COLUMN time_archived;"
        "ALTER TABLE session_v2 DROP COLUMN time_idle; ALTER TABLE session_v2 DROP COLUMN parent_id;"
        "ALTER TABLE session_message DROP COLUMN time_updated",
        lambda counts: counts,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_tables_that_are_empty_gone_or_older(tmp_path: Path, name: str) -> None:
    path = tmp_path / "opencode.db"
    ids = opencode_entries.build_upgraded(path)
    script, expected = CHANGED[name]
    for built in opened(path, ids):
        before = {key: (each.task_count, each.message_count) for key, each in built.sessions().items()}
    opencode_entries.run_script(path, script)
    for built in opened(path, ids):
        assert built.browser.info.kind == "opencode"
        counts = {key: (each.task_count, each.message_count) for key, each in built.sessions().items()}
        assert counts == expected(before)
        for session in built.sessions().values():
            assert len(built.browser.conversation(session.id, 0, 100)) == session.message_count
            built.browser.session_detail(session.id)
            assert len(built.browser.tasks_of(session.id)) == session.task_count


def test_sessions_without_any_store_of_messages_are_of_no_known_kind(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    opencode_entries.build_upgraded(path)
    opencode_entries.run_script(path, "DROP TABLE session_message; DROP TABLE part")
    with pytest.raises(UnknownSchemaError, match="no known kind"), open_database(str(path), environ={}):
        pass


def plan(browser: Browser, query: Any) -> list[str]:
    text = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    return browser.store.database.read(
        lambda connection: [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    )


def test_what_is_asked_often_is_answered_by_indexes(both: Built) -> None:
    schema = both.browser.store.schema
    sessions, messages, tasks = schema.sessions, schema.messages, schema.tasks
    this = both.ids["new"]
    page = plan(both.browser, select(sessions).where(sessions.c.id > this).order_by(sessions.c.id).limit(51))
    window = plan(both.browser, select(messages).where(messages.c.session_id == this))
    of_session = plan(both.browser, select(tasks).where(tasks.c.session_id == this))
    one = plan(both.browser, select(messages).where(messages.c.id.in_([this])))
    for steps in (page, window, of_session, one):
        assert not [each for each in steps if re.match(r"SCAN (session|message|part|session_message)_\d", each)], steps


def test_each_store_is_asked_by_itself(both: Built) -> None:
    """Their union is never made up with all its columns, nor for each session anew."""
    schema = both.browser.store.schema
    sessions, messages, tasks = schema.sessions, schema.messages, schema.tasks
    listed = SessionRepository(both.browser.store).list_columns(sessions)
    newest = select(tasks.c.id, tasks.c.created_at).order_by(tasks.c.created_at.desc(), tasks.c.id.desc()).limit(51)
    order = [messages.c[name] for name in schema.message_order]
    ordered = select(messages.c.id, *order).where(messages.c.session_id == both.ids["new"]).order_by(*order)
    for query in (select(*listed).where(sessions.c.id == both.ids["new"]), newest, ordered):
        steps = plan(both.browser, query)
        assert not [each for each in steps if each in ("CO-ROUTINE tasks", "CO-ROUTINE messages")], steps


FIXTURES = ("opencode-v2", "opencode-2x", "kilo")


@pytest.mark.parametrize("name", FIXTURES)
def test_a_real_file_against_its_manifest(fixtures_dir: Path, name: str) -> None:
    truth = json.loads((fixtures_dir / name / "MANIFEST.json").read_text())
    with open_database(str(fixtures_dir / name / truth["file"]), environ={}) as browser:
        kind = "kilo" if name == "kilo" else "opencode"
        assert (browser.info.kind, browser.info.owner) == (kind, {"kilo": "Kilo"}.get(kind, "OpenCode"))
        found = {each.id: each for each in browser.session_page(EVERYTHING, Sort("updated"), limit=0).rows}
        assert len(found) == len(truth["sessions"])
        for wanted in truth["sessions"]:
            session = found[wanted["id"]]
            messages = browser.message_window(session.id, 0, 0)
            calls = [each for message in messages for each in message.blocks if isinstance(each, ToolCall)]
            title = wanted["first_prompt"] if wanted.get("default_title") else None
            assert session.title == (title or wanted["title"])
            assert session.tool == kind
            assert (session.parent_id, session.archived, session.model, session.worktree) == (
                wanted["parent_id"], wanted["archived"], wanted["model"], wanted["cwd"],
            )  # fmt: skip
            assert (session.task_count, session.message_count, len(messages), len(calls)) == (
                wanted["prompts"], wanted["messages"], wanted["messages"], wanted["tool_calls"],
            )  # fmt: skip
            assert (session.tokens_input, session.tokens_output) == (wanted["tokens_input"], wanted["tokens_output"])
            assert session.cost == pytest.approx(wanted["cost"], abs=1e-9)
            if "forked_from" in wanted:
                assert session.forked_from_id == wanted["forked_from"]
            if "tool_calls_failed" in wanted:
                assert sum(call.status == "error" for call in calls) == wanted["tool_calls_failed"]
                assert sum(each.reverted for each in messages) == wanted["messages_hidden_by_revert"]
                assert session.updated_at == datetime.fromisoformat(wanted["updated"])
                word = {"error": "failed", "unfinished": "running"}.get(wanted["status"], "idle")
                assert session.status == word
        sample = truth.get("sample_session", {"messages": []})
        turns = browser.message_window(sample["id"], 0, 0) if sample["messages"] else ()
        assert [
            [
                each.role,
                "".join(block.text for block in each.blocks if isinstance(block, TextBlock))[:80],
                [block.name for block in each.blocks if isinstance(block, ToolCall)],
            ]
            for each in turns
        ] == sample["messages"]


def test_kilo_is_opencode_with_a_board_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "kilo.db"
    opencode.build(path)
    opencode_entries.run_script(path, "CREATE TABLE kilo_board (root_session_id TEXT PRIMARY KEY, objective TEXT)")
    with open_database(str(path), environ={}) as browser:
        assert (browser.info.kind, browser.info.owner, browser.info.read_only) == ("kilo", "Kilo", True)
        assert {each.tool for each in browser.session_page(EVERYTHING, Sort(), limit=0).rows} == {"kilo"}


@pytest.mark.parametrize("name", FIXTURES)
def test_a_real_file_is_left_as_it_is(fixtures_dir: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    shutil.copytree(fixtures_dir / name, folder)
    before = {each.name: each.read_bytes() for each in folder.iterdir()}
    (path,) = folder.glob("*.db")
    with closing(open_database(str(path), environ={})) as browser:
        for session in browser.session_page(EVERYTHING, Sort(), limit=0).rows:
            browser.conversation(session.id, 0, 100)
            shown = f"{browser.session_detail(session.id)}"
            assert "FAKESECRET" not in shown
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == before
