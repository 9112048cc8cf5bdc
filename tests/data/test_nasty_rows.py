"""One row's fault costs that row: files of every kind with each value that SQLite can hold in each column.

PostgreSQL's columns have types and rules; what is odd there all the same stands in ``test_hostile_rows``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agor_tui.errors import AgorError
from agor_tui.filters import SessionFilter, TaskFilter
from agor_tui.records import Cursor, Sort
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from agor_tui.services.export import board_json, dumps, message_json, session_json, task_json
from agor_tui.services.transfer import copy
from agor_tui.transfers import CopyOptions
from tests.builders import nasty
from tests.conftest import place_of

ALL = SessionFilter(archived="any")
TABLES: dict[nasty.Kind, tuple[str, str]] = {
    "native": ("sessions", "session_id"),
    "agor": ("sessions", "session_id"),
    "opencode": ("session", "id"),
}


@pytest.fixture(scope="module", params=[(kind, what) for kind in nasty.KINDS for what in ("values", "shapes")], ids=str)
def nasty_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nasty.Kind]:
    """A file of each kind, full of odd values in its columns or in its JSON."""
    kind, what = request.param
    path = tmp_path_factory.mktemp("nasty") / "nasty.db"
    nasty.build(path, kind)
    nasty.loosen(path)
    (nasty.add_values if what == "values" else nasty.add_shapes)(path, kind)
    return path, kind


@pytest.fixture
def browser(nasty_file: tuple[Path, nasty.Kind]) -> Iterator[Browser]:
    with open_database(str(nasty_file[0]), environ={}, read_only=True) as found:
        yield found


def number_of_sessions(path: Path, kind: nasty.Kind) -> tuple[int, int]:
    """How many sessions have an id, and how many have none."""
    table, key = TABLES[kind]
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f'SELECT count("{key}"), count(*) - count("{key}") FROM {table}').fetchone()


def pages(browser: Browser, sort: Sort, limit: int) -> Iterator[tuple[str, ...]]:
    after: Cursor | None = None
    while True:
        page = browser.session_page(ALL, sort, after=after, limit=limit)
        yield tuple(session.id for session in page.rows)
        after = page.next
        if after is None:
            return


@pytest.mark.parametrize("key", ["updated", "created", "title", "status", "tool", "id"])
@pytest.mark.parametrize("descending", [True, False])
def test_every_session_with_an_id_is_listed_once_whatever_its_row_holds(
    nasty_file: tuple[Path, nasty.Kind], browser: Browser, key: str, descending: bool
) -> None:
    there, nameless = number_of_sessions(*nasty_file)
    sort = Sort(key, descending)  # type: ignore[arg-type]
    whole = browser.session_page(ALL, sort, limit=0).rows
    assert len(whole) == there
    assert [id for page in pages(browser, sort, 100) for id in page] == [session.id for session in whole]
    dumps([session_json(session) for session in whole])
    assert (f"{nameless} row{'s have' if nameless != 1 else ' has'} no id" in str(browser.faults)) == bool(nameless)


def test_what_is_no_id_is_named_with_the_reason(nasty_file: tuple[Path, nasty.Kind], browser: Browser) -> None:
    lost = [row for row in browser.session_page(ALL, Sort("id"), limit=0).rows if row.title.startswith("cannot be")]
    table, key = TABLES[nasty_file[1]]
    with closing(sqlite3.connect(nasty_file[0])) as connection:
        connection.text_factory = bytes
        found = connection.execute(f"SELECT {key}, typeof({key}) FROM {table} WHERE {key} IS NOT NULL").fetchall()
    bad = [id for id, kind in found if kind != b"text" or not is_utf_8(id) or b"\0" in id]
    assert len(lost) == len(bad)
    assert all("its id is no text" in row.title for row in lost)
    assert not lost or "its id is no text" in str(browser.faults)


def is_utf_8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_everything_else_is_shown_too(browser: Browser) -> None:
    """What cannot be shown of one row is said of it: in a sentence, never by a fault."""
    tasks = browser.task_page(TaskFilter(archived="any"), limit=0).rows
    dumps([task_json(task) for task in tasks])
    dumps([board_json(board) for board in browser.boards()])
    assert browser.repos() is not None
    assert browser.worktrees() is not None
    assert browser.users() is not None
    for session in browser.session_page(ALL, Sort(), limit=0).rows[::5]:
        for ask in (browser.session_detail, browser.tree, browser.ancestors, browser.tasks_of):
            assert answers(ask, session.id) or session.title.startswith("cannot be read") or not session.id
        dumps([message_json(turn.message) for turn in browser.conversation(session.id, 0, 50)])
    for task in tasks[::5]:
        assert answers(browser.task_detail, task.id) or task.title.startswith("cannot be read") or not task.id


def answers(ask: Callable[[str], object], id: str) -> bool:
    """Whether there is an answer; where there is none, the reason is one for a user."""
    try:
        ask(id)
    except AgorError:
        return False
    return True


def test_a_copy_takes_every_row_that_can_be_held_and_names_the_others(
    nasty_file: tuple[Path, nasty.Kind], tmp_path: Path
) -> None:
    report = copy(place_of(nasty_file[0]), place_of(tmp_path / "copy.db"), CopyOptions())
    assert report.lossless == (not report.finding_count)
    assert sum(table.rows for table in report.tables) > 500
    assert report.verified is not None
