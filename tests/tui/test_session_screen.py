"""The session screen on real databases: its heading and what its four tabs show and do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from agor_tui.config.places import Place
from agor_tui.config.preferences import Preferences
from agor_tui.filters import SessionFilter
from agor_tui.records import TreeNode
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from agor_tui.tui.moments import Moments
from agor_tui.tui.screens.session import SessionScreen
from agor_tui.tui.screens.text import TextScreen
from agor_tui.tui.widgets.conversation import Conversation
from agor_tui.tui.widgets.details_pane import DetailsView
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.session_heading import SessionHeading
from agor_tui.tui.widgets.tasks_pane import TaskDetailView
from agor_tui.tui.widgets.tree_pane import tree_columns, tree_rows

from ..builders.agor import build_postgresql, build_sqlite
from ..builders.planted import SECRET, plant, plant_postgresql
from ..conftest import place_of
from .lists import screen_text, sees, until
from .session_app import NOW, SessionApp, opened, running
from .stored import MAIN, fill
from .talks import ordinary


@pytest.mark.parametrize("dialect", ["family", "server_family"])
async def test_all_tabs_alike_on_sqlite_and_postgresql(request: pytest.FixtureRequest, dialect: str) -> None:
    async with running(request.getfixturevalue(dialect), size=(130, 60)) as pilot:
        await sees(
            pilot, "claude  14:02", "▸ Read lantern/retry.py · 88 lines", "── Conversation compacted (155,000 tokens"
        )
        await pilot.press("end")
        await sees(pilot, "✗ failed", "日本語のテストも", "▣ screen.png · image · image/png · 24 KB", "changelog")
        await pilot.press("tab")
        await sees(pilot, "0199d001", "0199d002", "REPORT", "14k in · 5.6k out")
        await pilot.press("tab")
        await sees(pilot, "Retry audit", "← this one", "stands above", "◇ Try a decorator instead — 日本語")
        await pilot.press("tab")
        await sees(pilot, "created by            Mira Holloway", "61% · 61,000 of 100,000", "needs_attention       no")
        await pilot.press("end")
        await sees(pilot, "RAW JSON", '"base_sha": "3f2a91c"')


async def test_says_which_session_it_is(family: Place) -> None:
    async with running(family) as pilot:
        text = await sees(pilot, "claude  14:02")
        lines = text.split("\n")
        assert lines[1].startswith(" 0199b73db · Fix retry swallowing the last exception")
        assert lines[1].endswith("● running")
        assert lines[2].startswith(" lanternctl/fix-retry · claude · 16 messages · opus · started 14:02, 12m")
        assert "▸ Read lantern/retry.py · 88 lines" in text
        assert "▌ Mira Holloway  14:02" in text


async def test_a_narrow_terminal_has_room_for_the_tabs_alone(family: Place) -> None:
    async with running(family, size=(40, 14)) as pilot:
        lines = (await sees(pilot, "claude  14:02")).split("\n")
        assert lines[2].split() == ["Conversation", "Tasks", "Tree", "Details"]


class Noting(Browser):
    """Notes for which tab it was asked."""

    asked: list[str]

    @classmethod
    def of(cls, browser: Browser) -> Noting:
        noting = cls(browser.store, browser.info)
        noting.asked = []
        return noting

    def session_detail(self, id_or_prefix: str) -> Any:
        self.asked.append("detail")
        return super().session_detail(id_or_prefix)

    def tree(self, id_or_prefix: str) -> Any:
        self.asked.append("tree")
        return super().tree(id_or_prefix)

    def tasks_of(self, session_id: str) -> Any:
        self.asked.append("tasks")
        return super().tasks_of(session_id)

    def conversation(self, session_id: str, start: int, limit: int) -> Any:
        self.asked.append("conversation")
        return super().conversation(session_id, start, limit)


async def test_only_the_tab_that_is_seen_is_read(family: Place) -> None:
    with Noting.of(opened(family)) as browser:
        async with SessionApp(lambda: browser, "details").run_test(size=(130, 36)) as pilot:
            await sees(pilot, "SESSION")
            assert browser.asked == ["detail"]
            await pilot.press("t")
            await sees(pilot, "Retry audit")
            assert browser.asked == ["detail", "tree"]
            await pilot.press("i", "t")
            await pilot.pause()
            assert browser.asked == ["detail", "tree"]


async def test_tabs_by_key_and_mouse(family: Place) -> None:
    async with running(family) as pilot:
        await sees(pilot, "claude  14:02")
        heading = pilot.app.screen.query_one(SessionHeading)
        walk = (("tab", "tasks"), ("right", "tree"), ("tab", "details"), ("tab", "conversation"))
        for key, tab in (*walk, ("shift+tab", "details")):
            await pilot.press(key)
            assert heading.tab == tab
        x = heading._places(130)["tasks"][0]
        await pilot.click(SessionHeading, offset=(x + 1, 1))
        assert heading.tab == "tasks"


async def test_tasks_in_order_with_all_of_the_one_under_the_cursor(family: Place) -> None:
    async with running(family, "tasks") as pilot:
        text = await sees(pilot, "REPORT")
        rows = [line.strip(" ▌") for line in text.split("\n")]
        assert [row.split()[0] for row in rows if row.startswith("0199d00") and "-" not in row[:12]] == [
            "0199d001",
            "0199d002",
            "0199d003",
        ]
        for words in ("12m", "18", "14k in · 5.6k out", "94k read · 1.2k written", "$0.15", "3f2a91c0aa → 88b01de4bb"):
            assert words in text
        await pilot.press("down")
        await sees(pilot, "ERROR", "The tests failed: 2 of 14.")


async def test_tasks_that_wait_say_their_place(tmp_path: Path) -> None:
    rows = build_sqlite(tmp_path / "agor.db", "2026")
    async with running(place_of(tmp_path / "agor.db"), "tasks", session_id=rows.sessions["queue"]) as pilot:
        text = await sees(pilot, "queued 2 · ")
        assert text.index("Prompt 0 of queue") < text.index("queued 1 · ") < text.index("queued 2 · ")


async def test_a_task_leads_to_its_place_in_the_conversation(family: Place) -> None:
    async with running(family, "tasks", (100, 20)) as pilot:
        await sees(pilot, "runtime")
        await pilot.press("down", "enter")
        text = await sees(pilot, "Add tests for zero attempts.")
        assert "task 2 of 3" in text
        assert pilot.app.screen.query_one(Conversation).has_focus


async def test_a_task_without_messages_says_so(family: Place) -> None:
    async with running(family, "tasks") as pilot:
        await sees(pilot, "REPORT")
        await pilot.press("end", "enter")
        told = pilot.app._notifications
        await until(pilot, lambda: any(note.message == "This task has no messages." for note in told))


async def test_the_family_and_its_edges(family: Place) -> None:
    async with running(family, "tree") as pilot:
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
        await sees(pilot, " 0199b73d1 · Survey exception handling")
        await pilot.press("escape")
        await sees(pilot, "Try a decorator instead")


def test_a_family_of_any_depth(family: Place) -> None:
    with opened(family) as browser:
        session = browser.session(MAIN)
    node = TreeNode(session, "spawned")
    for _ in range(5_000):
        node = TreeNode(session, "spawned", (node,))
    rows = list(tree_rows(node, "none"))
    assert len(rows) == 5_001
    assert len(rows[-1].lead) < 60


def test_a_family_too_large_says_on_the_screen_how_many_are_missing(family: Place) -> None:
    with opened(family) as browser:
        session = browser.session(MAIN)
    root = TreeNode(
        session, "root", (TreeNode(session, "spawned", more=7), TreeNode(session, "forked")), False, 501, 12
    )
    rows = list(tree_rows(root, "none"))
    assert [row.missing for row in rows] == ["12 more above", "", "", "7 more", "", "501 more"]
    assert [row.lead for row in rows] == ["", "", "├──▸ ", "│  ╰── ", "├┄┄◇ ", "╰── "]
    assert len({row.key for row in rows}) == len(rows)
    moments = Moments(lambda: NOW, Preferences, lambda: False)
    for column in tree_columns(moments):
        text = "".join(part for part, _ in column.cell(rows[3]))
        assert text == ("│  ╰── … 7 more" if column.key == "title" else "")


async def test_details_and_raw_json(family: Place) -> None:
    async with running(family, "details", (130, 50)) as pilot:
        text = await sees(pilot, "SESSION")
        assert "context               ▇▇▇▇▇▇▁▁▁▁ 61% · 61,000 of 100,000" in text
        await pilot.press("end")
        text = await sees(pilot, "RAW JSON")
        for words in ("GIT", "3f2a91c", "needs_attention       no", '日本語のメモ\\nline 2"', '"title": "Fix retry'):
            assert words in text
        await pilot.press("y")
        assert pilot.app.clipboard.startswith("{\n")
        await pilot.press("o")
        await until(pilot, lambda: isinstance(pilot.app.screen, TextScreen))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, SessionScreen)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
async def test_secrets_are_hidden_in_every_tab_until_a_key_shows_them(
    request: pytest.FixtureRequest, tmp_path: Path, dialect: str
) -> None:
    if dialect == "sqlite":
        path = tmp_path / "planted.db"
        build_sqlite(path, "2026")
        plant(path)
        place = place_of(path)
    else:
        url = request.getfixturevalue("postgres18_url")
        build_postgresql(url, tenants=("default",))
        plant_postgresql(url)
        place = place_of(url)
    with opened(place) as browser:
        session = max(browser.session_page(SessionFilter(), browser.default_sort).rows, key=lambda row: row.task_count)
    async with running(place, size=(150, 60), session_id=session.id) as pilot:

        async def tabs() -> list[str]:
            seen = []
            for key, words in (("c", "claude"), ("a", "PROMPT"), ("t", "this one"), ("i", "RAW JSON")):
                await pilot.press(key)
                seen.append(await sees(pilot, words))
            return seen

        heading = pilot.app.screen.query_one(SessionHeading)
        for text in await tabs():
            assert SECRET not in text
            assert "SECRETS ARE SHOWN" not in text
        await pilot.press("S")
        await sees(pilot, "SECRETS ARE SHOWN", SECRET)
        assert heading.session is not None
        assert SECRET in heading.session.title
        for text in await tabs():
            assert "SECRETS ARE SHOWN" in text
        await pilot.press("S")
        await until(pilot, lambda: SECRET not in screen_text(pilot))
        for text in await tabs():
            assert SECRET not in text


async def test_huge_json_is_cut(empty: Place) -> None:
    fill(empty, data={"rows": list(range(200_000)), "line": "x" * 500_000})
    async with running(empty, "details") as pilot:
        await sees(pilot, "SESSION")
        await pilot.press("end")
        await sees(pilot, "more lines: o opens all of it")


async def test_finding_by_key(family: Place) -> None:
    async with running(family, size=(100, 24)) as pilot:
        await sees(pilot, "claude  14:02")
        await pilot.press("slash", *"zero")
        await sees(pilot, "1 of 1", "Add tests for zero attempts.")
        await pilot.press("enter")
        assert pilot.app.screen.query_one(Conversation).has_focus
        await pilot.press("escape")
        await until(pilot, lambda: not pilot.app.screen.query_one(Input).display or "1 of 1" not in screen_text(pilot))
        assert isinstance(pilot.app.screen, SessionScreen)
        await pilot.press("slash", *"nowhere", "enter")
        await sees(pilot, "not found")


async def test_reads_all_of_a_block(family: Place) -> None:
    async with running(family) as pilot:
        await sees(pilot, "claude  14:02")
        await pilot.press("down", "down", "o")
        await until(pilot, lambda: isinstance(pilot.app.screen, TextScreen))
        await sees(pilot, "Read", "lines")


async def test_reading_anew_keeps_the_place(empty: Place) -> None:
    fill(empty, [ordinary(number) for number in range(3_000)])
    async with running(empty, size=(100, 24)) as pilot:
        await sees(pilot, "Prompt 0:")
        await pilot.press("right_square_bracket", "right_square_bracket")
        await sees(pilot, "Prompt 20:")
        talk = pilot.app.screen.query_one(Conversation)
        before = [talk.render_line(y).text for y in range(15)]
        await pilot.press("R")
        await until(pilot, lambda: not talk.busy)
        assert [talk.render_line(y).text for y in range(15)] == before


async def _has_opened(pilot: Pilot[None]) -> None:
    talk = pilot.app.screen.query_one(Conversation)
    await until(pilot, lambda: talk.is_open or "No messages" in screen_text(pilot))


@pytest.mark.parametrize("fixture", ["agor/agor.db", "agor-2026/agor.db", "opencode/opencode.db"])
async def test_other_programs_sessions(fixtures_dir: Path, fixture: str) -> None:
    """Every tab of the longest and of the youngest session of each store draws, and shows no secret."""
    with open_database(str(fixtures_dir / fixture), environ={}) as browser:
        rows = browser.session_page(SessionFilter(archived="any"), browser.default_sort, limit=0).rows
        longest = max(rows, key=lambda row: row.message_count)
        for each in (longest, rows[0]):
            app = SessionApp(lambda: browser, session_id=each.id)
            async with app.run_test(size=(120, 40)) as pilot:
                await _has_opened(pilot)
                app.screen.query_one(Conversation).action_fold_all(1)
                seen = ""
                for key in ["pagedown"] * 12 + ["end", "a", "t", "i", "end"]:
                    await pilot.press(key)
                    await pilot.pause(0.02)
                    seen += screen_text(pilot)
                assert "FAKESECRET" not in seen
                assert "\x1b" not in seen
                assert app.screen.query_one(DetailsView).virtual_size.height > 10
                assert app.screen.query(TaskDetailView)
