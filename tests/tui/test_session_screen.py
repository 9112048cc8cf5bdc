"""The session screen: its heading, its four tabs, and what it does while the database is slow or fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from agor_tui.errors import DatabaseError, NotFoundError
from agor_tui.tui.screens.session import SessionScreen
from agor_tui.tui.screens.text import TextScreen
from agor_tui.tui.widgets.conversation import Conversation
from agor_tui.tui.widgets.details_pane import DetailsView
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.session_heading import SessionHeading
from agor_tui.tui.widgets.tasks_pane import TaskDetailView
from agor_tui.tui.widgets.tree_pane import tree_rows

from .fake_browser import MAIN, FakeBrowser, SessionApp, named
from .talks import Long, Talk, rich_talk


def screen_text(app: SessionApp) -> str:
    """What the whole screen shows."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    for _ in range(300):
        await pilot.pause(0.01)
        if true():
            return
    raise AssertionError(f"it did not come about:\n{screen_text(pilot.app)}")  # type: ignore[arg-type]


async def sees(pilot: Pilot[None], *texts: str) -> str:
    """Wait until the screen shows all of these."""
    app: Any = pilot.app
    await until(pilot, lambda: all(text in screen_text(app) for text in texts))
    return screen_text(app)


@asynccontextmanager
async def running(
    browser: FakeBrowser, tab: Any = "conversation", size: tuple[int, int] = (130, 36)
) -> AsyncIterator[Pilot[None]]:
    app = SessionApp(browser, tab)
    async with app.run_test(size=size) as pilot:
        yield pilot


async def test_says_which_session_it_is() -> None:
    async with running(FakeBrowser()) as pilot:
        text = await sees(pilot, "claude  14:02")
        lines = text.split("\n")
        assert lines[1].startswith(" 0199b73d · Fix retry swallowing the last exception")
        assert lines[1].endswith("● running")
        assert lines[2].startswith(" lanternctl/fix-retry · claude · 18 messages · opus · started 14:02, 12m")
        assert "▸ Read lantern/retry.py · 88 lines" in text


async def test_only_the_tab_that_is_seen_is_read() -> None:
    browser = FakeBrowser()
    async with running(browser, "details") as pilot:
        await sees(pilot, "SESSION")
        assert browser.asked == ["session_detail"]
        await pilot.press("t")
        await sees(pilot, "Retry audit")
        assert browser.asked == ["session_detail", "tree"]
        await pilot.press("i", "t")
        await pilot.pause()
        assert browser.asked == ["session_detail", "tree"]


async def test_tabs_by_key_and_mouse() -> None:
    async with running(FakeBrowser()) as pilot:
        await sees(pilot, "claude  14:02")
        heading = pilot.app.screen.query_one(SessionHeading)
        for key, tab in (("tab", "tasks"), ("right", "tree"), ("tab", "details"), ("tab", "conversation")):
            await pilot.press(key)
            assert heading.tab == tab
        await pilot.press("shift+tab")
        assert heading.tab == "details"
        x = heading._places(130)["tasks"][0]
        await pilot.click(SessionHeading, offset=(x + 1, 1))
        assert heading.tab == "tasks"


async def test_tasks_in_order_with_all_of_the_one_under_the_cursor() -> None:
    async with running(FakeBrowser(), "tasks") as pilot:
        text = await sees(pilot, "REPORT")
        rows = [line for line in text.split("\n") if line.strip().startswith(("t1", "t2", "t3", "▌t1"))]
        assert [row.split()[0].strip("▌") for row in rows] == ["t1", "t2", "t3"]
        assert "queued 1 · Then write" in rows[2]
        for words in ("12m", "18", "14k in · 5.6k out", "94k read · 1.2k written", "$0.15", "3f2a91c0aa → 88b01de4bb"):
            assert words in text
        await pilot.press("down")
        await sees(pilot, "ERROR", "The tests failed: 2 of 14.")


async def test_a_task_leads_to_its_place_in_the_conversation() -> None:
    async with running(FakeBrowser(), "tasks", (100, 20)) as pilot:
        await sees(pilot, "runtime")
        await pilot.press("down", "enter")
        text = await sees(pilot, "Add tests for zero attempts.")
        assert "task 2 of 3" in text
        assert pilot.app.screen.query_one(Conversation).has_focus


async def test_a_task_without_messages_says_so() -> None:
    async with running(FakeBrowser(), "tasks") as pilot:
        await sees(pilot, "REPORT")
        await pilot.press("end", "enter")
        told = pilot.app._notifications
        await until(pilot, lambda: any(note.message == "This task has no messages." for note in told))


async def test_the_family_and_its_edges() -> None:
    async with running(FakeBrowser(), "tree") as pilot:
        text = await sees(pilot, "Retry audit")
        for words in (
            "╰──▸ Fix retry swallowing the last exception  ← this one",
            "   ├──▸ Survey exception handling",
            "   │  ╰┄┄◇ … Fix retry swallowing",
            "stands above",
            "   ╰┄┄◇ Try a decorator instead — 日本語",
            "spawned",
            "forked",
        ):
            assert words in text
        table = pilot.app.screen.query_one(RecordTable)
        assert table.cursor == 1
        await pilot.press("down", "enter")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 3)
        await sees(pilot, " 0199b73d · Survey exception handling")
        await pilot.press("escape")
        await sees(pilot, "Try a decorator instead")


def test_a_family_of_any_depth() -> None:
    from agor_tui.records import TreeNode

    node = TreeNode(MAIN, "spawned")
    for _ in range(5_000):
        node = TreeNode(named("x"), "spawned", (node,))
    rows = list(tree_rows(node, "none"))
    assert len(rows) == 5_001
    assert len(rows[-1].lead) < 60


async def test_details_and_raw_json() -> None:
    async with running(FakeBrowser(), "details") as pilot:
        text = await sees(pilot, "SESSION")
        assert "context               ▇▇▇▇▇▇▁▁▁▁ 61% · 61,000 of 100,000" in text
        await pilot.press("end")
        text = await sees(pilot, "RAW JSON")
        for words in ("GIT", "3f2a91c", "dirty", "no", "日本語のメモ", "line 2", '"title": "Fix retry swallowing'):
            assert words in text
        await pilot.press("y")
        assert pilot.app.clipboard.startswith("{\n")
        await pilot.press("o")
        await until(pilot, lambda: isinstance(pilot.app.screen, TextScreen))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, SessionScreen)


async def test_huge_json_is_cut() -> None:
    browser = FakeBrowser()
    ask = browser.session_detail

    def huge(id: str) -> Any:
        from dataclasses import replace

        return replace(ask(id), raw={"rows": list(range(200_000)), "line": "x" * 500_000})

    browser.session_detail = huge  # type: ignore[method-assign]
    async with running(browser, "details") as pilot:
        await sees(pilot, "SESSION")
        await pilot.press("end")
        await sees(pilot, "more lines: o opens all of it")


async def test_finding_by_key() -> None:
    async with running(FakeBrowser(), size=(100, 24)) as pilot:
        await sees(pilot, "claude  14:02")
        await pilot.press("slash", *"zero")
        await sees(pilot, "1 of 1", "Add tests for zero attempts.")
        await pilot.press("enter")
        assert pilot.app.screen.query_one(Conversation).has_focus
        await pilot.press("escape")
        await until(
            pilot, lambda: not pilot.app.screen.query_one(Input).display or "1 of 1" not in screen_text(pilot.app)
        )  # type: ignore[arg-type]
        assert isinstance(pilot.app.screen, SessionScreen)
        await pilot.press("slash", *"nowhere", "enter")
        await sees(pilot, "not found")


async def test_reads_all_of_a_block() -> None:
    async with running(FakeBrowser()) as pilot:
        await sees(pilot, "claude  14:02")
        await pilot.press("down", "down", "o")
        await until(pilot, lambda: isinstance(pilot.app.screen, TextScreen))
        await sees(pilot, "Read", "lines")


async def test_escape_leaves_a_slow_database() -> None:
    browser = FakeBrowser()
    browser.gate.clear()
    async with running(browser) as pilot:
        await sees(pilot, "Opening the conversation")
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, SessionScreen)
        await until(pilot, lambda: browser.cancelled == 1)
        browser.gate.set()
        await pilot.pause(0.05)


@pytest.mark.parametrize("tab", ["conversation", "tasks", "tree", "details"])
async def test_a_session_that_is_gone(tab: str) -> None:
    browser = FakeBrowser()
    browser.errors["session_detail"] = NotFoundError("No session has the id 0199b73d.", "The nearest is 0199b740.")
    async with running(browser, tab) as pilot:
        await sees(pilot, "No session has the id 0199b73d.", "The nearest is 0199b740.")
        browser.errors.clear()
        await pilot.press("R")
        await sees(pilot, "Fix retry swallowing")


@pytest.mark.parametrize(("tab", "method"), [("conversation", "conversation"), ("tasks", "tasks_of"), ("tree", "tree")])
async def test_what_cannot_be_read_says_why(tab: str, method: str) -> None:
    browser = FakeBrowser()
    browser.errors[method] = DatabaseError("The file team.db is locked by another program.", "Try again in a moment.")
    async with running(browser, tab) as pilot:
        await sees(pilot, "The file team.db is locked by another program.", "Try again in a moment.")
        browser.errors.clear()
        await pilot.press("R")
        await sees(pilot, "Fix retry swallowing")
        await until(pilot, lambda: "locked" not in screen_text(pilot.app))  # type: ignore[arg-type]


async def test_empty_tabs_say_so() -> None:
    browser = FakeBrowser(Talk([]))
    async with running(browser) as pilot:
        await sees(pilot, "No messages yet")
        await pilot.press("a")
        await sees(pilot, "No tasks")


async def test_reading_anew_keeps_the_place() -> None:
    async with running(FakeBrowser(Long(3_000)), size=(100, 24)) as pilot:
        await sees(pilot, "Prompt 0:")
        await pilot.press("right_square_bracket", "right_square_bracket")
        await sees(pilot, "Prompt 20:")
        talk = pilot.app.screen.query_one(Conversation)
        before = [talk.render_line(y).text for y in range(15)]
        await pilot.press("R")
        await until(pilot, lambda: not talk.busy)
        assert [talk.render_line(y).text for y in range(15)] == before


@pytest.mark.parametrize("fixture", ["agor/agor.db", "agor-2026/agor.db", "opencode/opencode.db"])
async def test_other_programs_sessions(fixtures_dir: Path, fixture: str) -> None:
    """Every tab of the longest and of the youngest session of each store draws, and shows no secret."""
    from agor_tui.filters import SessionFilter
    from agor_tui.services.databases import open_database

    with open_database(str(fixtures_dir / fixture), environ={}) as browser:
        rows = browser.session_page(SessionFilter(archived="any"), browser.default_sort, limit=0).rows
        longest = max(rows, key=lambda row: row.message_count)
        for each in (longest, rows[0]):
            app = SessionApp(browser, session_id=each.id)  # type: ignore[arg-type]
            async with app.run_test(size=(120, 40)) as pilot:
                talk = app.screen.query_one(Conversation)
                await until(pilot, lambda talk=talk, app=app: talk.is_open or "No messages" in screen_text(app))
                talk.action_fold_all(1)
                seen = ""
                for key in ["pagedown"] * 12 + ["end", "a", "t", "i", "end"]:
                    await pilot.press(key)
                    await pilot.pause(0.02)
                    seen += screen_text(app)
                assert "FAKESECRET" not in seen
                assert "\x1b" not in seen
                assert app.screen.query_one(DetailsView).virtual_size.height > 10
                assert app.screen.query(TaskDetailView)


SNAPSHOTS = [
    ("conversation", (160, 48), "agor-dark"),
    ("conversation", (80, 24), "agor-light"),
    ("tasks", (160, 48), "agor-light"),
    ("tasks", (80, 24), "agor-dark"),
    ("tree", (160, 48), "agor-dark"),
    ("tree", (80, 24), "agor-light"),
    ("details", (160, 48), "agor-light"),
    ("details", (80, 24), "agor-dark"),
]


@pytest.mark.parametrize(("tab", "size", "theme"), SNAPSHOTS, ids=[f"{t}-{s[0]}-{h}" for t, s, h in SNAPSHOTS])
def test_pictures(snap_compare: Any, tab: Any, size: tuple[int, int], theme: str) -> None:
    async def settle(pilot: Pilot[None]) -> None:
        ready = {"conversation": "claude  14:02", "tasks": "runtime", "tree": "Retry audit", "details": "SESSION"}
        await sees(pilot, ready[tab])
        await pilot.pause(0.1)

    assert snap_compare(SessionApp(FakeBrowser(), tab, theme), terminal_size=size, run_before=settle)


def test_picture_of_everything_unfolded(snap_compare: Any) -> None:
    async def settle(pilot: Pilot[None]) -> None:
        await sees(pilot, "claude  14:02")
        await pilot.press("Z", "home")
        await pilot.pause(0.1)

    assert snap_compare(SessionApp(FakeBrowser(rich_talk())), terminal_size=(120, 130), run_before=settle)


def test_picture_of_an_error(snap_compare: Any) -> None:
    browser = FakeBrowser()
    browser.errors["session_detail"] = NotFoundError("No session has the id 0199b73d.", "The nearest is 0199b740.")

    async def settle(pilot: Pilot[None]) -> None:
        await sees(pilot, "The nearest is")

    assert snap_compare(SessionApp(browser), terminal_size=(80, 24), run_before=settle)


def test_picture_of_an_empty_conversation(snap_compare: Any) -> None:
    async def settle(pilot: Pilot[None]) -> None:
        await sees(pilot, "No messages yet")

    browser = FakeBrowser(Talk([]), named("見出し" * 40))
    assert snap_compare(SessionApp(browser), terminal_size=(80, 24), run_before=settle)
