"""Looking after databases in the app: each way from its form to its result, on real databases."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from agor_tui.config.places import Place, SqlitePlace
from agor_tui.db.row_target import RowTarget
from agor_tui.errors import Cancelled
from agor_tui.services.comparing import compare_places
from agor_tui.tui.commands import commands_of
from agor_tui.tui.screens import databases
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.choose import ChooseModal
from agor_tui.tui.screens.confirm import ConfirmModal
from agor_tui.tui.screens.databases import DatabasesScreen
from agor_tui.tui.screens.switcher import SwitcherModal
from agor_tui.tui.screens.upkeep import UpkeepScreen
from agor_tui.tui.upkeep.begin import ALL
from agor_tui.tui.upkeep.flow import UpkeepFlow
from agor_tui.tui.upkeep.task import file_of
from agor_tui.tui.widgets.form_field import ChoiceLine, FormInput

from ..conftest import place_of
from ..data.one_row_each import count, execute
from .lists import screen_text, until
from .stored import MAIN, WORKTREE
from .test_databases_screen import app, configured, go_to, on_databases, rows

SIZE = (110, 34)
PATIENCE = 60.0
"""Seconds after which something will never come, on a machine that does much else."""


@pytest.fixture(params=["sqlite", "postgresql-18"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Another database: a file that is not there yet, and an empty one on a server."""
    if request.param == "sqlite":
        return place_of(tmp_path / "other.db")
    return place_of(request.getfixturevalue("postgres18_url"))


@asynccontextmanager
async def looking_after(tmp_path: Path, of: str, **places: Place | Path) -> AsyncIterator[Pilot[None]]:
    """The app on its databases, the cursor on the one that is looked after."""
    async with on_databases(configured(tmp_path, places), SIZE) as pilot:
        await go_to(pilot, of)
        yield pilot


async def choose(pilot: Pilot[Any], way: str, other: str = "") -> None:
    """Take a way from the menu, and another database where one is asked for."""
    await pilot.press("c")
    await until(pilot, lambda: isinstance(pilot.app.screen, ChooseModal))
    await pilot.press(*way.split()[0].lower())
    await until(pilot, lambda: way.casefold() in screen_text(pilot).casefold())
    await pilot.press("enter")
    if other:
        await until(pilot, lambda: isinstance(pilot.app.screen, SwitcherModal))
        pilot.app.screen.query_one(Input).value = other
        await pilot.pause()
        await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, UpkeepScreen))


def flow_of(pilot: Pilot[Any]) -> UpkeepFlow:
    flow = app(pilot).upkeep
    assert flow is not None
    return flow


async def fill(pilot: Pilot[Any], **values: str) -> None:
    """Put these into the fields of the form."""
    for name, value in values.items():
        line = pilot.app.screen.query_one(f"#field-{name}")
        line.focus()
        await pilot.pause()
        if isinstance(line, FormInput):
            line.value = value
        else:
            assert isinstance(line, ChoiceLine)
            while line.value != value:
                await pilot.press("right")
        await until(pilot, lambda name=name, value=value: flow_of(pilot).values[name] == value)  # type: ignore[misc]


async def comes_to(pilot: Pilot[Any], step: str, *texts: str) -> str:
    """Wait for a step, and until the screen shows all of these, as far as long paths let them stand in one line."""
    end = time.monotonic() + PATIENCE
    while flow_of(pilot).step != step:
        assert time.monotonic() < end, f"{step} never came:\n{screen_text(pilot)}"
        await asyncio.sleep(0.05)  # what works in a thread is not to be kept from it

    def shown() -> str:
        return f"{screen_text(pilot)}\n{' '.join(screen_text(pilot).split())}"

    await until(pilot, lambda: all(text in shown() for text in texts))
    return screen_text(pilot)


async def type_word(pilot: Pilot[Any], word: str) -> None:
    """Type what a question asks for."""
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal))
    await pilot.press("enter")
    assert isinstance(pilot.app.screen, ConfirmModal)  # nothing goes on before the word is there
    await pilot.press(*word, "enter")
    await until(pilot, lambda: not isinstance(pilot.app.screen, ConfirmModal))


async def test_a_copy_is_compared_and_can_be_opened(family: SqlitePlace, other: Place, tmp_path: Path) -> None:
    """What would be copied first, then the rows and checksums of both sides, then the copy itself."""
    async with looking_after(tmp_path, "team", team=family, other=other) as pilot:
        await choose(pilot, "Copy to", "other")
        await pilot.press("enter")
        await comes_to(pilot, "plan", "nothing is done yet", "other", "would be", "copies", "messages")
        await pilot.press("enter")
        await comes_to(pilot, "result", "and compared: nothing was lost.", "✓ equal")
        assert compare_places(family, other).equal
        await pilot.press("o")
        await until(pilot, lambda: (info := app(pilot).info) is not None and info.name == "other")
        assert isinstance(pilot.app.screen, DatabasesScreen)


async def test_compared_and_then_brought_up_to_date(family: SqlitePlace, tmp_path: Path) -> None:
    """What differs is named by table, id and column; newer rows replace others only when the name is typed."""
    other = place_of(shutil.copyfile(family.path, tmp_path / "other.db"))
    execute(other, f"UPDATE sessions SET updated_at = 1, status = 'idle' WHERE session_id = '{MAIN}'")
    async with looking_after(tmp_path, "team", team=family, other=other) as pilot:
        await choose(pilot, "Compare with", "other")
        await pilot.press("enter")
        await comes_to(pilot, "result", "They differ in 1 row of 1 table.", "SESSIONS  1 differ", MAIN, "idle")
        await pilot.press("escape")
        await choose(pilot, "Copy to", "other")
        await pilot.press("enter")
        await comes_to(pilot, "form", "✗ ", "is not empty", "Choose above what becomes of the rows that are there")
        assert pilot.app.screen.query_one("#field-to", FormInput).value == "other"
        await fill(pilot, conflict="newer")
        await pilot.press("enter")
        await comes_to(pilot, "plan", "REPLACED")
        await pilot.press("enter")
        await type_word(pilot, "other")
        await comes_to(pilot, "result", "and compared: nothing was lost.")
    assert compare_places(family, other).equal


async def test_out_to_a_file_and_in_again(
    family: SqlitePlace, native_templates: Callable[[str], str], tmp_path: Path
) -> None:
    """The file's name goes with the format; it is checked before anything is written."""
    empty = place_of(shutil.copyfile(native_templates("sqlite"), tmp_path / "empty.db"))
    file = tmp_path / "out.jsonl.gz"
    async with looking_after(tmp_path, "team", team=family, empty=empty) as pilot:
        await choose(pilot, "Export")
        await fill(pilot, file=str(file), format="json", secrets="in")
        assert flow_of(pilot).values["file"] == str(tmp_path / "out.json.gz")
        await fill(pilot, format="jsonl", filter="status:nonsense")
        await pilot.press("enter")
        await comes_to(pilot, "form", "✗")
        await fill(pilot, filter="")
        await pilot.press("enter")
        await comes_to(pilot, "result", "rows exported in", "keep the file to yourself")
        await pilot.press("y")
        assert pilot.app.clipboard == str(file)
        await pilot.press("escape")
        await go_to(pilot, "empty")
        await choose(pilot, "Import")
        await fill(pilot, file=str(file))
        await pilot.press("enter")
        await comes_to(pilot, "plan", "The file is whole", "imports")
        await pilot.press("enter")
        await comes_to(pilot, "result", "nothing was lost.", "✓ as in the file")
        assert compare_places(family, empty).equal
        file.write_bytes(file.read_bytes()[:-9])
        await pilot.press("R")
        await comes_to(pilot, "form", "✗")


async def test_backed_up_and_restored(family: SqlitePlace, tmp_path: Path) -> None:
    """Restoring says what goes and what comes, and takes the name of the database for a yes."""
    async with looking_after(tmp_path, "team", team=family) as pilot:
        await choose(pilot, "Back up")
        await comes_to(pilot, "form", "the usual folder of backups")
        await pilot.press("enter")
        await comes_to(pilot, "result", "team is backed up")
        await pilot.press("y")
        file = pilot.app.clipboard
        await pilot.press("escape")
        execute(family, "DELETE FROM sessions")
        await choose(pilot, "Restore")
        assert file_of(flow_of(pilot).values["file"]) == Path(file)  # the newest
        await pilot.press("enter")
        await comes_to(pilot, "plan", "The backup is whole.", "holds     0 sessions", "holds     4 sessions")
        await pilot.press("enter")
        await type_word(pilot, "team")
        await comes_to(pilot, "result", "team holds what the backup holds: 4 sessions.", "before-restore")
        assert count(family, "sessions") == 4
        before = app(pilot).browser
        await pilot.press("escape")
        await until(pilot, lambda: app(pilot).browser is not before)  # the open database is another one now


async def test_a_check_from_the_palette_and_a_copy_is_mended(family: SqlitePlace, tmp_path: Path) -> None:
    """The palette has each way for the open database; rows are named by their ids; ``r`` makes a copy that is well."""
    with closing(sqlite3.connect(family.path)) as connection, connection:  # which checks no foreign keys
        connection.execute("DELETE FROM worktrees WHERE worktree_id = ?", (WORKTREE,))
    async with looking_after(tmp_path, "team", team=family) as pilot:
        commands = {each.title: each for each in commands_of(pilot.app, pilot.app.screen)}
        assert {f"database: {way.word.lower()}" for way in ALL} <= set(commands)
        commands["database: check"].callback()
        await until(pilot, lambda: isinstance(pilot.app.screen, UpkeepScreen))
        await comes_to(pilot, "result", "things that were looked at", "✗ references", MAIN)
        await pilot.press("r")
        await comes_to(pilot, "result", "is a mended copy")
        assert (tmp_path / "team.repaired.db").exists()


class Gate:
    """Holds a copy back when it comes to a table, until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
        self.reached, self._open = threading.Event(), threading.Event()
        write = RowTarget.write

        def held(target: RowTarget, connection: Any, form: Any, batch: Any) -> Any:
            if form.name == table:
                self.reached.set()
                assert self._open.wait(PATIENCE)
            return write(target, connection, form, batch)

        monkeypatch.setattr(RowTarget, "write", held)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Holds a copy back at its messages."""
    return Gate(monkeypatch, "messages")


async def begin_held(pilot: Pilot[Any], gate: Gate) -> None:
    """Begin a copy, and wait until it is held back."""
    await choose(pilot, "Copy to", "other")
    await pilot.press("enter")
    await comes_to(pilot, "plan", "copies")
    await pilot.press("enter")
    assert await asyncio.to_thread(gate.reached.wait, PATIENCE)


async def test_stopped_and_continued(
    family: SqlitePlace, postgres18_url: str, tmp_path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks, says what is there, and goes on from there; then the list of databases tells of it."""
    monkeypatch.setattr(databases, "FRESH_S", 1e9)
    other = place_of(postgres18_url)
    async with looking_after(tmp_path, "team", team=family, other=other) as pilot:
        await begin_held(pilot, gate)
        await comes_to(pilot, "running", "✓ sessions", "● messages", "○ board_comments")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal) and "whole batches" in screen_text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: "stopping" in screen_text(pilot))
        gate.open()
        await comes_to(pilot, "result", "■ stopped", "The copy was stopped", "R continues it.")
        await pilot.press("R")
        await comes_to(pilot, "plan", "continued where it ended")
        await pilot.press("enter")
        await comes_to(pilot, "result", "nothing was lost.")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabasesScreen))
        await until(pilot, lambda: (found := rows(pilot)["other"].survey) is not None and found.info.kind == "native")
    assert compare_places(family, other).equal


async def test_it_goes_on_when_its_screen_is_left(family: SqlitePlace, tmp_path: Path, gate: Gate) -> None:
    """Leaving the app is asked about, one runs at a time, and its end is said wherever one is."""
    other = place_of(tmp_path / "other.db")
    async with looking_after(tmp_path, "team", team=family, other=other) as pilot:
        await begin_held(pilot, gate)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal) and "still runs" in screen_text(pilot))
        await pilot.press("escape", "3")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatabasesScreen) and bool(rows(pilot)))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(pilot.app.screen, UpkeepScreen))
        await comes_to(pilot, "running", "● messages")
        await pilot.press("1")
        await until(pilot, lambda: isinstance(pilot.app.screen, BrowserScreen))
        gate.open()
        await comes_to(pilot, "result", "rows copied in")  # in a toast
    assert compare_places(family, other).equal


async def test_leaving_the_app_stops_it_first(family: SqlitePlace, tmp_path: Path, gate: Gate) -> None:
    """After a yes it ends in good order, then the app does."""
    other = place_of(tmp_path / "other.db")
    async with looking_after(tmp_path, "team", team=family, other=other) as pilot:
        await begin_held(pilot, gate)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal))
        await pilot.press("y")
        assert flow_of(pilot).busy
        gate.open()
        await comes_to(pilot, "result")
        await until(pilot, lambda: pilot.app._exit)
        assert isinstance(flow_of(pilot).error, Cancelled)
    assert count(other, "sessions") == count(family, "sessions")


async def test_a_refusal_keeps_what_was_typed(family: SqlitePlace, tmp_path: Path, fixtures_dir: Path) -> None:
    """The same database under another name, another program's, and a password that is never shown."""
    theirs = tmp_path / "theirs.db"
    shutil.copyfile(fixtures_dir / "agor" / "agor.db", theirs)
    before = theirs.read_bytes()
    async with looking_after(tmp_path, "team", team=family, theirs=theirs) as pilot:
        await choose(pilot, "Copy to", "theirs")
        for to, words in (
            ("theirs", "Agor"),
            (str(family.path), "are the same database"),
            ("nonsense", "nonsense"),
            ("postgresql://u:correct-horse@127.0.0.1:1/agor", "refused the connection"),
        ):
            await fill(pilot, to=to)
            await pilot.press("enter")
            await comes_to(pilot, "form", "✗", words)
            assert pilot.app.screen.query_one("#field-to", FormInput).value == to
            assert "correct-horse" not in screen_text(pilot)
    assert theirs.read_bytes() == before
