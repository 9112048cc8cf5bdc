"""What others do in the open database shows by itself, on SQLite and PostgreSQL, and what is looked at holds still."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, update
from textual.pilot import Pilot

from agor_tui.config.places import Place, PostgresPlace, SqlitePlace
from agor_tui.db.tables import messages, sessions, tasks
from agor_tui.records import LiveState
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from agor_tui.tui.app import AgorApp
from agor_tui.tui.commands import commands_of
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.session import SessionScreen
from agor_tui.tui.widgets.conversation import Conversation
from agor_tui.tui.widgets.filter_line import ListCount
from agor_tui.tui.widgets.record_table import RecordTable

from ..data.migrating import address
from ..data.one_row_each import write
from .lists import screen_text, sees, until
from .session_app import NOW
from .stored import MAIN, WORKTREE, fill, message_id
from .talks import START, Long

_numbers = itertools.count()
BOTH = pytest.mark.parametrize("dialect", ["empty", "empty_server"])


@pytest.fixture
def place(request: pytest.FixtureRequest, dialect: str) -> Place:
    """A family of sessions, its main one with forty messages."""
    where: Place = request.getfixturevalue(dialect)
    fill(where, Long(40).window(0, 40))
    return where


class Asked(Browser):
    """Notes how often a page was asked for."""

    pages = 0

    def session_page(self, *arguments: Any, **named: Any) -> Any:
        self.pages += 1
        return super().session_page(*arguments, **named)


@asynccontextmanager
async def browsing(place: Place, *, live: bool = True, size: tuple[int, int] = (100, 24)) -> AsyncIterator[Pilot[None]]:
    """The app on a database, its first rows there."""
    with open_database(address(place), environ={}) as opened:
        browser = Asked(opened.store, opened.info)
        app = AgorApp(lambda: browser, clock=lambda: NOW)
        app.preferences = replace(app.preferences, live=live)
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: table(pilot).count.value > 0 and not table(pilot).busy)
            if live:
                await until(pilot, lambda: browser.pages >= 2)  # the watch has begun
                await until(pilot, lambda: not table(pilot)._renewing)
            yield pilot


def table(pilot: Pilot[None]) -> RecordTable[Any]:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, BrowserScreen)
    return screen.table


def talk(pilot: Pilot[None]) -> Conversation:
    return pilot.app.screen.query_one(Conversation)


def sign(pilot: Pilot[None]) -> str:
    return pilot.app.screen_stack[0].query_one(ListCount).text.rpartition(" · ")[2]


def line_of(pilot: Pilot[None], text: str) -> int:
    """The line of the screen that has this text; -1 where none has."""
    return next((y for y, line in enumerate(screen_text(pilot).split("\n")) if text in line), -1)


def _rows(pilot: Pilot[None]) -> list[str]:
    """What the rows of the list show, the scroll bar left out."""
    return [line[:98].rstrip() for line in screen_text(pilot).split("\n")[4:-1]]


def add_sessions(place: Place, *titles: str) -> None:
    """Another program adds sessions, each newer than all others."""

    def work(connection: Connection) -> None:
        for title in titles:
            number = next(_numbers)
            time = START + timedelta(hours=1, minutes=number)
            row = {
                "session_id": f"0199f000-{number:04x}-7000-8000-000000000000",
                "created_at": time,
                "updated_at": time,
                "status": "running",
                "agentic_tool": "codex",
                "worktree_id": WORKTREE,
                "data": json.dumps({"title": title}),
            }
            connection.execute(insert(sessions).values(row))

    write(place, work)


def add_message(place: Place, text: str) -> None:
    """The agent says something more in the main session."""
    number = 500 + next(_numbers)
    row = {
        "message_id": message_id(number),
        "created_at": START + timedelta(hours=1),
        "session_id": MAIN,
        "type": "assistant",
        "role": "assistant",
        "index": number,
        "timestamp": START + timedelta(hours=1),
        "data": json.dumps({"content": [{"type": "text", "text": text}]}),
    }
    write(place, lambda connection: connection.execute(insert(messages).values(row)))


class TestList:
    """The list of sessions."""

    @BOTH
    async def test_new_sessions_come_on_top(self, place: Place) -> None:
        """Who has not moved sees them; the cursor stays on its session."""
        async with browsing(place) as pilot:
            before = table(pilot).current
            add_sessions(place, "Mend the tide table")
            await sees(pilot, "Mend the tide table", "5 sessions · ◉ live")
            assert table(pilot).current == before
            assert (table(pilot).cursor, table(pilot).scroll_offset.y) == (1, 0)
            add_sessions(place, "Sound the horn", "Light the lamp")
            await sees(pilot, "Light the lamp", "7 sessions")
            assert table(pilot).cursor == 3
            assert line_of(pilot, "Light the lamp") == 4

    @BOTH
    async def test_what_is_selected_keeps_its_line(self, place: Place) -> None:
        add_sessions(place, *(f"Older {number}" for number in range(60)))
        async with browsing(place) as pilot:
            await pilot.press("pagedown", "down")
            current = table(pilot).current
            assert current is not None
            await pilot.pause()
            line = line_of(pilot, current.title)
            shown = _rows(pilot)
            add_sessions(place, "One", "Two", "Three")
            await until(pilot, lambda: table(pilot).count.value == 67)
            assert table(pilot).current == current
            assert line_of(pilot, current.title) == line
            assert _rows(pilot) == shown

    @BOTH
    async def test_a_status_and_a_deletion(self, place: Place) -> None:
        async with browsing(place) as pilot:
            await sees(pilot, "0199b73db  ●")
            session = sessions.c.session_id == MAIN
            write(place, lambda connection: connection.execute(update(sessions).where(session).values(status="failed")))
            await sees(pilot, "0199b73db  ✗")
            write(place, lambda connection: connection.execute(delete(sessions).where(session)))
            await sees(pilot, "3 sessions")

    @BOTH
    async def test_a_filter_goes_on(self, place: Place) -> None:
        async with browsing(place) as pilot:
            await pilot.press("/", *"lamp", "enter")
            await sees(pilot, "No session matches")
            add_sessions(place, "Light the lamp", "Another")
            await sees(pilot, "Light the lamp")
            assert table(pilot).count.value == 1

    @pytest.mark.parametrize("dialect", ["empty"])
    async def test_many_changes_are_few_reads(self, place: Place) -> None:
        """At most one a second; each costs one page."""
        async with browsing(place) as pilot:
            browser = pilot.app.browser  # type: ignore[attr-defined]
            before, changed = browser.pages, pilot.app.changed  # type: ignore[attr-defined]
            for number in range(50):
                add_sessions(place, f"Number {number}")
            await until(pilot, lambda: table(pilot).count.value == 54 and not table(pilot)._renewing)
            told = pilot.app.changed - changed  # type: ignore[attr-defined]
            assert browser.pages - before <= told <= 8

    @pytest.mark.parametrize("dialect", ["empty"])
    async def test_a_screen_that_is_not_seen_waits(self, place: Place) -> None:
        async with browsing(place) as pilot:
            browser = pilot.app.browser  # type: ignore[attr-defined]
            await _open(pilot)
            before, changed = browser.pages, pilot.app.changed  # type: ignore[attr-defined]
            add_sessions(place, "Light the lamp")
            await until(pilot, lambda: pilot.app.changed > changed)  # type: ignore[attr-defined]
            assert browser.pages == before
            await pilot.press("escape")
            await sees(pilot, "Light the lamp")


class TestConversation:
    """A session that runs while it is read."""

    @BOTH
    async def test_at_the_end_it_follows(self, place: Place) -> None:
        async with browsing(place) as pilot:
            await _open(pilot)
            await pilot.press("end")
            await sees(pilot, "file_38")
            for number in range(6):
                add_message(place, f"And then number {number}")
            await sees(pilot, "And then number 5")
            await sees(pilot, "46 messages")
            assert "new below" not in screen_text(pilot)

    @BOTH
    async def test_elsewhere_it_says_what_came(self, place: Place) -> None:
        """Place, cursor, folds and finds stay."""
        async with browsing(place) as pilot:
            await _open(pilot)
            await pilot.press("slash", *"file_2.py", "enter", "escape", "space")
            await sees(pilot, "file_2.py")
            await pilot.pause(0.3)
            cursor, lines = talk(pilot)._cursor, _talk_lines(pilot)
            add_message(place, "And then")
            await sees(pilot, "↓ 1 new below")
            assert talk(pilot)._cursor == cursor
            assert _talk_lines(pilot)[:-1] == lines[:-1]
            add_message(place, "And last")
            await sees(pilot, "↓ 2 new below")
            await pilot.press("end")
            await sees(pilot, "And last")
            assert "new below" not in screen_text(pilot)

    @BOTH
    async def test_what_was_said_changes(self, place: Place) -> None:
        async with browsing(place) as pilot:
            await _open(pilot)
            await sees(pilot, "Prompt 0")
            data = json.dumps({"content": [{"type": "text", "text": "Said anew."}]})
            where = messages.c.message_id == message_id(1)
            write(place, lambda connection: connection.execute(update(messages).where(where).values(data=data)))
            await sees(pilot, "Prompt 0", "Said anew.")

    @BOTH
    async def test_the_heading_and_the_tasks(self, place: Place) -> None:
        async with browsing(place) as pilot:
            await _open(pilot)
            await pilot.press("a")
            await sees(pilot, "No tasks")
            write(place, _add_task)
            await sees(pilot, "Ring the bell", "● running")
            session = sessions.c.session_id == MAIN
            write(place, lambda connection: connection.execute(update(sessions).where(session).values(status="failed")))
            await sees(pilot, "✗ failed")

    @BOTH
    async def test_a_session_deleted_meanwhile(self, place: Place) -> None:
        async with browsing(place) as pilot:
            await _open(pilot)
            await sees(pilot, "Prompt 0")
            write(place, lambda connection: connection.execute(delete(sessions).where(sessions.c.session_id == MAIN)))
            told = pilot.app._notifications
            await until(pilot, lambda: any("was deleted" in note.message for note in told))
            assert "Prompt 0" in screen_text(pilot)


def _talk_lines(pilot: Pilot[None]) -> list[str]:
    """The lines of the conversation, without the bar beside them, whose thumb shrinks with what comes."""
    return [line[:98].rstrip() for line in screen_text(pilot).split("\n")[4:-2]]


def _add_task(connection: Connection) -> None:
    row = {
        "task_id": "0199d009-0000-7000-8000-000000000000",
        "session_id": MAIN,
        "created_at": START,
        "status": "running",
        "created_by": "anonymous",
        "data": json.dumps({"description": "Ring the bell"}),
    }
    connection.execute(insert(tasks).values(row))


async def _open(pilot: Pilot[None]) -> None:
    """Open the main session."""
    await pilot.app.push_screen(SessionScreen(MAIN))
    await until(pilot, lambda: "messages" in screen_text(pilot) and talk(pilot).is_open)


class TestSwitch:
    """On, off, and why."""

    @pytest.mark.parametrize("dialect", ["empty"])
    async def test_by_key(self, place: Place) -> None:
        async with browsing(place) as pilot:
            assert sign(pilot) == "◉ live"
            await pilot.press("L")
            await until(pilot, lambda: sign(pilot) == "○ live off")
            assert pilot.app.live == LiveState(False, "switched off; L switches it on")  # type: ignore[attr-defined]
            add_sessions(place, "Light the lamp")
            await pilot.pause(1.5)
            assert "Light the lamp" not in screen_text(pilot)
            await pilot.press("L")
            await sees(pilot, "Light the lamp", "◉ live")

    @pytest.mark.parametrize("dialect", ["empty"])
    async def test_by_the_settings(self, place: Place) -> None:
        async with browsing(place, live=False) as pilot:
            assert sign(pilot) == "○ live off"
            count = pilot.app.screen.query_one(ListCount)
            assert count.tooltip == "Live off: off in the settings"
            app = pilot.app
            assert isinstance(app, AgorApp)
            assert [c.help for c in commands_of(app, app.screen) if "Off now: off in the settings" in c.help]
            app.preferences = replace(app.preferences, live=True)
            await until(pilot, lambda: sign(pilot) == "◉ live")
            assert count.tooltip is None

    @pytest.mark.parametrize("dialect", ["empty_server"])
    async def test_a_connection_that_is_lost(self, place: Place) -> None:
        import psycopg

        assert isinstance(place, PostgresPlace)
        async with browsing(place) as pilot:
            with psycopg.connect(address(place), autocommit=True) as server:
                server.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'agor-tui' AND datname = current_database()"
                )
            told = pilot.app._notifications
            await until(pilot, lambda: any("closed the connection; tries again in 1 s" in n.message for n in told))
            await until(pilot, lambda: sign(pilot) == "◉ live")
            add_sessions(place, "Light the lamp")
            await sees(pilot, "Light the lamp")

    @pytest.mark.parametrize("dialect", ["empty"])
    async def test_nothing_is_left_beside_the_file(self, place: Place) -> None:
        assert isinstance(place, SqlitePlace)
        async with browsing(place) as pilot:
            add_sessions(place, "Light the lamp")
            await sees(pilot, "Light the lamp")
            await pilot.press("q")
        assert os.listdir(place.path.parent) == [place.path.name]
