"""Going to a message or a task by its id: its session's conversation opens there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from agor_tui.config.places import Place
from agor_tui.filters import SessionFilter
from agor_tui.records import TextBlock, ToolCall, Turn
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from agor_tui.tui.app import AgorApp
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.go_to import GoToModal
from agor_tui.tui.screens.session import SessionScreen
from agor_tui.tui.widgets.conversation import Conversation
from agor_tui.tui.widgets.session_heading import SessionHeading

from .lists import screen_text, sees, until
from .session_app import NOW, opened
from .stored import MAIN, fill, message_id, task_id
from .talks import ordinary, turn


@asynccontextmanager
async def gone_to(browser: Browser, id: str, size: tuple[int, int] = (110, 24)) -> AsyncIterator[Pilot[None]]:
    """The app after an id was pasted and opened."""
    app = AgorApp(lambda: browser, clock=lambda: NOW)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.browser is not None and isinstance(app.screen, BrowserScreen))
        await pilot.press("g")
        await until(pilot, lambda: isinstance(app.screen, GoToModal))
        app.post_message(Paste(id))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SessionScreen))
        yield pilot


async def under_cursor(pilot: Pilot[None]) -> int:
    """The turn that the cursor is on, once the conversation has come to rest."""
    await until(pilot, lambda: bool(pilot.app.screen.query(Conversation)))
    talk = pilot.app.screen.query_one(Conversation)
    await until(pilot, lambda: talk.is_open and not talk.busy and talk._jump is None and talk._current() is not None)
    assert talk._cursor is not None
    return talk._cursor.ordinal


@pytest.mark.parametrize("dialect", ["family", "server_family"])
async def test_a_message_opens_its_conversation_there(request: pytest.FixtureRequest, dialect: str) -> None:
    with opened(request.getfixturevalue(dialect)) as browser:
        async with gone_to(browser, message_id(13)) as pilot:
            await sees(pilot, "Add tests for zero attempts.")
            assert await under_cursor(pilot) == 13
            assert pilot.app.screen.session_id == MAIN  # type: ignore[attr-defined]
            await pilot.press("R")
            assert await under_cursor(pilot) == 13
            await pilot.press("escape")
            assert isinstance(pilot.app.screen, BrowserScreen)


async def test_a_sub_agents_message_is_unfolded(family: Place) -> None:
    with opened(family) as browser:
        async with gone_to(browser, message_id(9)) as pilot:
            await sees(pilot, "One place: retry.py.")
            assert await under_cursor(pilot) == 9


async def test_a_sub_agents_message_far_below_its_call(empty: Place) -> None:
    """The call comes into memory later than the message, which then moves below it."""

    def made(at: int) -> Turn:
        if at == 150:
            return turn(at, "assistant", ToolCall("c1", "Task", {"prompt": "Find all."}, "completed", "Found."))
        parent = "c1" if 150 < at < 300 else None
        return turn(at, "assistant", TextBlock(f"Answer {at}."), parent_tool_id=parent)

    fill(empty, [made(at) for at in range(400)])
    with opened(empty) as browser:
        async with gone_to(browser, message_id(250)) as pilot:
            await sees(pilot, "Answer 250.")
            talk = pilot.app.screen.query_one(Conversation)
            await pilot.press("up", "down")
            await until(pilot, lambda: not talk.busy and talk._column.store.get(150) is not None)
            await sees(pilot, "Answer 250.")
            assert await under_cursor(pilot) == 250


async def test_a_message_far_down(empty: Place) -> None:
    fill(empty, [ordinary(number) for number in range(3_000)])
    with opened(empty) as browser:
        async with gone_to(browser, message_id(2_463)) as pilot:
            await sees(pilot, "Answer 2463.")
            assert await under_cursor(pilot) == 2_463


@pytest.mark.parametrize(("number", "first"), [(1, 0), (2, 13)])
async def test_a_task_opens_at_its_first_turn(family: Place, number: int, first: int) -> None:
    with opened(family) as browser:
        async with gone_to(browser, task_id(number)) as pilot:
            await sees(pilot, f"── task {number} of 3")
            assert await under_cursor(pilot) == first


async def test_a_task_without_messages_opens_the_tasks(family: Place) -> None:
    with opened(family) as browser:
        async with gone_to(browser, task_id(3)) as pilot:
            await sees(pilot, "This task has no messages.")
            heading = pilot.app.screen.query_one(SessionHeading)
            await until(pilot, lambda: heading.tab == "tasks" and "0199d003" in screen_text(pilot))


@pytest.mark.parametrize("fixture", ["agor/agor.db", "agor-2026/agor.db", "opencode/opencode.db"])
async def test_messages_of_other_programs(fixtures_dir: Path, fixture: str) -> None:
    """One that holds nothing but a result is found at its call."""
    with open_database(str(fixtures_dir / fixture), environ={}) as browser:
        rows = browser.session_page(SessionFilter(archived="any"), browser.default_sort, limit=0).rows
        longest = max(rows, key=lambda row: row.message_count)
        turns = browser.conversation(longest.id, longest.message_count // 2, 100)
        own = [turn for turn in turns if not (turn.message.parent_tool_id or turn.message.queued)]
        plain = next(turn for turn in own if turn.message.blocks)
        async with gone_to(browser, plain.message.id) as pilot:
            assert await under_cursor(pilot) == plain.ordinal
        result = next((turn for turn in own if not turn.message.blocks and not turn.prompt), None)
        assert result is not None or fixture.startswith("opencode")
        if result is not None:
            async with gone_to(browser, result.message.id) as pilot:
                assert await under_cursor(pilot) < result.ordinal


async def test_the_number_of_what_fits_is_said(family: Place) -> None:
    with opened(family) as browser:
        app = AgorApp(lambda: browser, clock=lambda: NOW)
        async with app.run_test(size=(110, 24)) as pilot:
            await until(pilot, lambda: app.browser is not None and isinstance(app.screen, BrowserScreen))
            await pilot.press("g")
            await until(pilot, lambda: isinstance(app.screen, GoToModal))
            app.post_message(Paste(MAIN))
            await sees(pilot, "1 fits")
