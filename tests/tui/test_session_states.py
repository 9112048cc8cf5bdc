"""The session screen while its database is slow, gone, broken or locked: what it says, and that it recovers."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from textual.pilot import Pilot

from agor_tui.config.places import Place, PostgresPlace, SqlitePlace
from agor_tui.tui.screens.session import SessionScreen
from agor_tui.tui.widgets.session_heading import Tab

from .lists import screen_text, sees, until
from .session_app import running
from .stored import MAIN, fill

KEYS: dict[Tab, str] = {"conversation": "c", "tasks": "a", "tree": "t"}
CONTENTS: dict[Tab, str] = {"conversation": "claude  14:02", "tasks": "0199d001", "tree": "Retry audit"}
TABS = list(KEYS)
_WAITING = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@contextmanager
def admin(place: Place) -> Iterator[psycopg.Connection]:
    """Another connection to the database, for what an administrator may do to it."""
    assert isinstance(place, PostgresPlace)
    with closing(
        psycopg.connect(host=place.host, port=place.port, user=place.user, dbname=place.database, autocommit=True)
    ) as connection:
        yield connection


@contextmanager
def locked(place: Place, table: str) -> Iterator[None]:
    """Nobody else can read a table meanwhile."""
    with admin(place) as connection, connection.transaction():
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield


def waiting(connection: psycopg.Connection) -> int:
    """How many connections wait for a lock."""
    row = connection.execute(f"SELECT count(*) {_WAITING}".encode()).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def broken(place: SqlitePlace) -> Iterator[None]:
    """The file is another one meanwhile, which is no database."""
    kept = place.path.with_suffix(".kept")
    os.replace(place.path, kept)
    place.path.write_bytes(b"not a database, but long enough to be taken for one " * 40)
    yield
    os.replace(kept, place.path)


def rename(path: Path, old: str, new: str) -> None:
    """Give the main session another id, as if it were gone."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE sessions SET session_id = ? WHERE session_id = ?", (new, old))


async def test_escape_leaves_a_slow_server_and_stops_its_work(server_family: Place) -> None:
    with admin(server_family) as connection:
        async with running(server_family) as pilot:
            await sees(pilot, "claude  14:02")
            await pilot.press("escape")
            with locked(server_family, "messages"):
                pilot.app.push_screen(SessionScreen(MAIN))
                await sees(pilot, "Opening the conversation")
                await until(pilot, lambda: waiting(connection) > 0)
                await pilot.press("escape")
                assert not isinstance(pilot.app.screen, SessionScreen)
                await until(pilot, lambda: waiting(connection) == 0)
            pilot.app.push_screen(SessionScreen(MAIN))
            await sees(pilot, "claude  14:02")


@pytest.mark.parametrize(
    ("tab", "table", "says"),
    [("conversation", "messages", "Opening the conversation"), ("tasks", "tasks", "Reading"),
     ("tree", "sessions", "Reading the family")],
)  # fmt: skip
async def test_escape_leaves_a_slow_tab_and_stops_its_work(
    server_family: Place, tab: Tab, table: str, says: str
) -> None:
    with admin(server_family) as connection:
        async with running(server_family, "details") as pilot:
            await sees(pilot, "SESSION")
            with locked(server_family, table):
                await pilot.press(KEYS[tab])
                await sees(pilot, says)
                await until(pilot, lambda: waiting(connection) > 0)
                await pilot.press("escape")
                assert not isinstance(pilot.app.screen, SessionScreen)
                await until(pilot, lambda: waiting(connection) == 0)


@pytest.mark.parametrize("tab", [*TABS, "details"])
async def test_a_session_that_is_gone(family: SqlitePlace, tab: Tab) -> None:
    elsewhere = MAIN.replace("0199b73d", "0299b73d")
    rename(family.path, MAIN, elsewhere)
    async with running(family, tab) as pilot:
        await sees(pilot, "No session has an id beginning with 0199b73db52e", "The nearest is 0199b73d1aaa")
        rename(family.path, elsewhere, MAIN)
        await pilot.press("R")
        await sees(pilot, "Fix retry swallowing")
        await until(pilot, lambda: "The nearest is" not in screen_text(pilot))


@pytest.mark.parametrize("tab", TABS)
async def test_a_broken_file_says_so(family: SqlitePlace, tab: Tab) -> None:
    async with running(family, "details") as pilot:
        await sees(pilot, "SESSION")
        with broken(family):
            await pilot.press(KEYS[tab])
            await sees(pilot, "team.db is not an SQLite database", "Check the path.")
        await _recovers(pilot, tab, "is not an SQLite")


async def test_what_was_read_stays_when_the_file_breaks(family: SqlitePlace) -> None:
    async with running(family) as pilot:
        await sees(pilot, CONTENTS["conversation"])
        with broken(family):
            await pilot.press("R")
            told = pilot.app._notifications
            await until(pilot, lambda: any("is not an SQLite database" in note.message for note in told))
            assert CONTENTS["conversation"] in screen_text(pilot)


@pytest.mark.parametrize("tab", TABS)
async def test_a_file_that_another_program_locks_is_read_as_it_was(family: SqlitePlace, tab: Tab) -> None:
    """It is read without a lock, which nobody can refuse."""
    with closing(sqlite3.connect(family.path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        async with running(replace(family, busy_timeout_ms=20), "details") as pilot:
            await sees(pilot, "SESSION")
            other.execute("BEGIN EXCLUSIVE")
            other.execute("UPDATE sessions SET status = 'failed'")
            await pilot.press(KEYS[tab])
            await sees(pilot, CONTENTS[tab])
            assert "failed" not in screen_text(pilot).splitlines()[1]
            other.execute("COMMIT")
            await pilot.press("R")
            await until(pilot, lambda: "failed" in screen_text(pilot).splitlines()[1])


@pytest.mark.parametrize("tab", TABS)
async def test_a_server_that_ends_the_connection_says_so(server_family: Place, tab: Tab) -> None:
    """It is asked once more by itself; when that fails as well, the reader is told."""
    table = {"conversation": "messages", "tasks": "tasks", "tree": "sessions"}[tab]
    with admin(server_family) as connection:
        async with running(server_family, "details") as pilot:
            await sees(pilot, "SESSION")
            with locked(server_family, table):
                await pilot.press(KEYS[tab])

                def ended() -> bool:
                    connection.execute(f"SELECT pg_terminate_backend(pid) {_WAITING}".encode())
                    return "closed the connection." in screen_text(pilot)

                await until(pilot, ended)
            await _recovers(pilot, tab, "closed the connection")


async def test_a_connection_that_died_idle_is_made_anew(server_family: Place) -> None:
    with admin(server_family) as connection:
        async with running(server_family, "details") as pilot:
            await sees(pilot, "SESSION")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await pilot.press("t")
            await sees(pilot, CONTENTS["tree"])


async def _recovers(pilot: Pilot[None], tab: Tab, said: str) -> None:
    """Read anew, the tab shows what it holds, and no error."""
    await pilot.press("R")
    await sees(pilot, CONTENTS[tab])
    await until(pilot, lambda: said not in screen_text(pilot))


async def test_empty_tabs_say_so(empty: Place) -> None:
    fill(empty, [])
    async with running(empty) as pilot:
        await sees(pilot, "No messages yet")
        await pilot.press("a")
        await sees(pilot, "No tasks")
