"""A database in memory with one family of sessions, for the tests of the session screen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from textual.screen import Screen

from agor_tui.records import (
    DatabaseInfo,
    Detail,
    DetailGroup,
    Session,
    SessionDetail,
    Sort,
    Task,
    TaskDetail,
    TreeNode,
    Turn,
)
from agor_tui.tui import app
from agor_tui.tui.app import AgorApp
from agor_tui.tui.screens.session import SessionScreen
from agor_tui.tui.themes import DARK

from .talks import START, Talk, rich_talk, task

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


def session(id: str, title: str, **more: Any) -> Session:
    values: dict[str, Any] = {
        "short_id": id[:8],
        "status": "running",
        "store_status": "running",
        "tool": "claude-code",
        "created_at": START,
        "updated_at": START + timedelta(minutes=12),
        "created_by": "u1",
        "parent_id": None,
        "forked_from_id": None,
        "repo": "lanternctl",
        "worktree": "fix-retry",
        "branch": "fix/retry",
        "board": "Lighthouse",
        "archived": False,
        "model": "opus",
        "task_count": 3,
        "message_count": 18,
        "tokens_input": 41_200,
        "tokens_output": 9_050,
        "cost": 0.83,
    }
    return Session(id, title=title, **(values | more))


MAIN = session("0199b73d-b52e-7ed1-b028-277d6ad08cef", "Fix retry swallowing the last exception")


class FakeBrowser:
    """Answers what the session screen asks; ``gate`` holds every answer back until it is set."""

    info = DatabaseInfo("team", "sqlite", "3.50", "native", "/data/team.db", False, "agor-tui", "config.yaml")

    default_sort = Sort()

    def __init__(self, talk: Talk | None = None, main: Session = MAIN) -> None:
        self.talk = talk or rich_talk()
        self.main = main
        self.gate = threading.Event()
        self.gate.set()
        self.errors: dict[str, Exception] = {}
        self.asked: list[str] = []
        self.cancelled = 0

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        self.gate.wait(10)
        if name in self.errors:
            raise self.errors[name]

    def cancel(self) -> None:
        self.cancelled += 1

    def close(self) -> None:
        """Nothing is open."""

    def session_detail(self, id: str) -> SessionDetail:
        self._ask("session_detail")
        current = self.main if id == self.main.id else session(id, "Survey exception handling")
        groups = (
            DetailGroup("Agent", (Detail("version", "1.0.120"), Detail("permission mode", "acceptEdits"))),
            DetailGroup(
                "Git", (Detail("base", "3f2a91c"), Detail("dirty", False), Detail("notes", "日本語のメモ\nline 2"))
            ),
            DetailGroup("Links", (Detail("issue", "https://example.org/issues/7"), Detail("pull request", None))),
        )
        raw = {
            "session_id": id,
            "data": {"title": current.title, "tasks": ["t1", "t2"], "archived": False, "cost": 0.83},
        }
        return SessionDetail(current, "The retry loop returns None.", None, 61_000, 100_000, 2, groups, raw)

    def tasks_of(self, id: str) -> tuple[Task, ...]:
        self._ask("tasks_of")
        queued = task(
            "t3", "Then write the changelog", "created", queue_position=1, duration_ms=None, tool_use_count=None
        )
        return (*self.talk.tasks(), queued) if self.talk.tasks() else ()

    def task_detail(self, id: str) -> TaskDetail:
        self._ask("task_detail")
        found = next(each for each in self.tasks_of("s1") if each.id == id)
        error = "The tests failed: 2 of 14." if found.status == "failed" else None
        report = "Kept the **last** error.\n\n- raises after the loop" if found.status == "completed" else None
        return TaskDetail(
            found, f"{found.title}, please.", 14_200, 5_600, 94_000, 1_200, 0.15, error, "3f2a91c0aa11", "88b01de4bb22",
            report, 12, {},
        )  # fmt: skip

    def task_ordinal(self, session_id: str, task_id: str) -> int | None:
        self._ask("task_ordinal")
        return next((turn.ordinal for turn in self.talk.turns if turn.message.task_id == task_id), None)

    def message_count(self, id: str) -> int:
        self._ask("message_count")
        return self.talk.count()

    def conversation(self, id: str, start: int, limit: int) -> tuple[Turn, ...]:
        self._ask("conversation")
        return self.talk.window(start, limit)

    def prompt_ordinals(self, id: str) -> tuple[int, ...]:
        self._ask("prompt_ordinals")
        return self.talk.prompts()

    def tree(self, id: str) -> TreeNode:
        self._ask("tree")
        child = session("0199b73d-1aaa-7000-8000-000000000001", "Survey exception handling", status="awaiting_input")
        fork = session(
            "0199b8ff-2bbb-7000-8000-000000000002", "Try a decorator instead — 日本語", status="failed", tool="codex"
        )
        again = TreeNode(self.main, "forked", (), cut=True)
        here = TreeNode(self.main, "spawned", (TreeNode(child, "spawned", (again,)), TreeNode(fork, "forked")))
        return TreeNode(
            session("0199b001-0ccc-7000-8000-000000000003", "Retry audit", status="completed"), "root", (here,)
        )


class SessionApp(AgorApp):
    """The app with nothing under the session screen."""

    CSS_PATH = Path(app.__file__).with_name("app.tcss")

    def __init__(
        self,
        browser: FakeBrowser,
        tab: Literal["conversation", "tasks", "tree", "details"] = "conversation",
        theme: str = DARK.name,
        connect: Callable[[], Any] | None = None,
        session_id: str = MAIN.id,
    ) -> None:
        super().__init__(connect or (lambda: browser), clock=lambda: NOW, theme=theme)
        self.tab = tab
        self.shown_id = session_id

    def get_default_screen(self) -> Screen[Any]:
        return Screen()

    def on_mount(self) -> None:
        self.push_screen(SessionScreen(self.shown_id, self.tab))


def named(title: str) -> Session:
    """The main session under another title."""
    return replace(MAIN, title=title)
