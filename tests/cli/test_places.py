"""``--after`` goes on where a list ended, also when the row that it ended with is gone; on each dialect."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agor_tui.config.places import Place
from agor_tui.db.engine import Database
from agor_tui.db.tables import sessions
from agor_tui.errors import UsageError
from agor_tui.filters import SessionFilter
from agor_tui.records import Cursor, Sort, SortKey
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser
from agor_tui.services.cursors import place_of, place_text
from agor_tui.services.demo import fill

from .conftest import Run

ALL = SessionFilter(archived="any")


@pytest.mark.parametrize("key", ["updated", "created", "title", "status", "tool", "id"])
@pytest.mark.parametrize("descending", [True, False])
def test_a_list_goes_on_behind_a_row_that_is_gone(native_place: Place, key: SortKey, descending: bool) -> None:
    fill(native_place)
    sort, order = Sort(key, descending), f"{descending}{key}"
    with Browser(*open_store(native_place)) as browser:
        whole = [row.id for row in browser.session_page(ALL, sort, limit=0).rows]
        page = browser.session_page(ALL, sort, limit=4)
        assert page.next is not None
        place = place_text(page.next, order)
    with Database(native_place, writable=True) as database:
        database.write(
            lambda connection: connection.execute(sessions.delete().where(sessions.c.session_id == whole[3]))
        )
    with Browser(*open_store(native_place)) as browser:
        rest = browser.session_page(ALL, sort, after=place_of(place, order), limit=0)
        there = [row.id for row in browser.session_page(ALL, sort, limit=0).rows]
    assert [row.id for row in rest.rows] == [id for id in whole[4:] if id in there]


@pytest.mark.parametrize("key", [None, 12, 1.5, "a\ud83d", "x" * 2_000, b"\xff\x00"])
def test_every_key_comes_back_as_it_was(key: object) -> None:
    assert place_of(place_text(Cursor(key, "id"), "title"), "title") == Cursor(key, "id")


def test_a_key_too_long_for_a_command_leaves_the_id() -> None:
    assert place_text(Cursor("x" * 100_000, "0199b73d"), "title") == "0199b73d"
    assert place_of("0199b73d", "title") is None


@pytest.mark.parametrize("text", ["@", "@@@", "@W10", "@bnVsbA", "@" + "W" * 4_001, "@é"])
def test_what_is_no_place_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UsageError):
        place_of(text, "id")


def test_a_place_of_another_order_is_refused() -> None:
    with pytest.raises(UsageError, match="ordered by"):
        place_of(place_text(Cursor(1, "id"), "created"), "updated")


@pytest.mark.parametrize("command", ["db init -d {0}", "session list -d {0}", "db copy {1} {0}"])
def test_a_name_that_is_too_long_is_said_to_be(run: Run, agor_db: Path, tmp_path: Path, command: str) -> None:
    words = command.format(tmp_path / ("x" * 260), agor_db).split()
    answer = run(*words)
    assert answer.code == 1
    assert "File name too long" in answer.err
    assert "Something failed" not in answer.err


def test_a_conversation_goes_on_where_it_was_left_also_when_that_message_is_gone(
    run: Run, agor_db: Path, tmp_path: Path
) -> None:
    path = tmp_path / "agor.db"
    shutil.copyfile(agor_db, path)
    sessions_there = run("session", "list", "archived:any", "--limit", "0", "--json", "-d", path).json
    busy = max(sessions_there, key=lambda row: row["message_count"])["id"]
    whole = run("message", "list", busy, "--limit", "0", "--json", "-d", path).json
    place = run("message", "list", busy, "--limit", "3", "-d", path).err.split()[-1]
    assert run("message", "list", busy, "--after", place, "--limit", "0", "--json", "-d", path).json == whole[3:]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM messages WHERE message_id = ?", (whole[2]["id"],))
        connection.commit()
    rest = run("message", "list", busy, "--after", place, "--limit", "0", "--json", "-d", path).json
    assert [row["id"] for row in rest] == [row["id"] for row in whole[3:]]
