"""SQLite files of other programs: read whole in whatever state they are met, and left as they were."""

from __future__ import annotations

import hashlib
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agor_tui.db import migrator
from agor_tui.errors import DatabaseError, ForeignDatabaseError
from agor_tui.filters import SessionFilter
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from tests.builders.agor import build_sqlite

from ..conftest import place_of

ALL = SessionFilter(archived="any")


@pytest.fixture(params=["wal", "delete"])
def agor(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An Agor file in a folder of its own, in both journal modes."""
    path = tmp_path / "agor" / "agor.db"
    path.parent.mkdir()
    build_sqlite(path, "2025")
    connection = sqlite3.connect(path)
    assert connection.execute(f"PRAGMA journal_mode={request.param}").fetchone() == (request.param,)
    connection.close()
    return path


def state(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def add_session(connection: sqlite3.Connection, session_id: str) -> None:
    names = [row[1] for row in connection.execute("PRAGMA table_info(sessions)") if row[1] != "session_id"]
    listed = ", ".join(names)
    connection.execute(
        f"INSERT INTO sessions (session_id, {listed}) SELECT ?, {listed} FROM sessions LIMIT 1", (session_id,)
    )


def count(browser: Browser) -> int:
    return browser.session_count(ALL).value


def test_reading_leaves_no_trace(agor: Path) -> None:
    before = state(agor.parent)
    with open_database(str(agor), environ={}) as browser:
        assert count(browser) > 0
        assert state(agor.parent) == before
    assert state(agor.parent) == before


def test_what_another_program_writes_meanwhile_is_seen(agor: Path) -> None:
    with open_database(str(agor), environ={}) as browser:
        first = count(browser)
        writer = sqlite3.connect(agor)
        add_session(writer, "0199b73d-0000-7000-8000-00000000000a")
        writer.commit()
        assert count(browser) == first + 1
        writer.close()
        assert count(browser) == first + 1
        assert not Path(f"{agor}-wal").exists()


def test_changes_in_a_log_without_its_index_are_seen(tmp_path: Path, agor: Path) -> None:
    if Path(f"{agor}").read_bytes()[18] != 2:
        pytest.skip("only a WAL file has a log")
    writer = sqlite3.connect(agor)
    first = writer.execute("SELECT count(*) FROM sessions").fetchone()[0]
    add_session(writer, "0199b73d-0000-7000-8000-00000000000a")
    writer.commit()
    folder = tmp_path / "moved"
    folder.mkdir()
    for suffix in ("", "-wal"):
        Path(folder, f"agor.db{suffix}").write_bytes(Path(f"{agor}{suffix}").read_bytes())
    writer.close()
    before = state(folder)
    with open_database(str(folder / "agor.db"), environ={}) as browser:
        assert count(browser) == first + 1
    assert state(folder) == before


def test_the_journal_of_a_program_that_died_is_heeded(agor: Path) -> None:
    if agor.read_bytes()[18] == 2:
        pytest.skip("a WAL file has no rollback journal")
    with open_database(str(agor), environ={}) as browser:
        whole = count(browser)
    script = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA cache_size=2'); c.execute('BEGIN IMMEDIATE')\n"
        "c.execute(\"UPDATE messages SET data = data || ' '\"); c.execute('DELETE FROM sessions')\n"
        "os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(agor)], check=False)
    assert Path(f"{agor}-journal").stat().st_size > 0
    before = state(agor.parent)
    with open_database(str(agor), environ={}) as browser:
        assert count(browser) == whole
    assert state(agor.parent) == before


def test_a_locked_file_says_so(agor: Path) -> None:
    if agor.read_bytes()[18] == 2:
        pytest.skip("a WAL file can be read while it is written")
    writer = sqlite3.connect(agor, isolation_level=None)
    writer.execute("PRAGMA cache_size=2")
    writer.execute("BEGIN EXCLUSIVE")
    writer.execute("UPDATE messages SET data = data || ' '")
    config = agor.parent.parent / "config.yaml"
    config.write_text(f"database: {{dialect: sqlite, sqlite: {{path: {agor}, busyTimeout: 50}}}}\n")
    with pytest.raises(DatabaseError, match="locked by another program"):
        open_database(environ={"AGOR_TUI_CONFIG": str(config)})
    writer.execute("ROLLBACK")
    with open_database(environ={"AGOR_TUI_CONFIG": str(config)}) as browser:
        assert count(browser) > 0


def test_readers_see_whole_states_while_another_program_writes(agor: Path) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []
    first = sqlite3.connect(agor).execute("SELECT count(*) FROM sessions").fetchone()[0]

    def write() -> None:
        writer = sqlite3.connect(agor, timeout=30)
        number = 0
        while not stop.is_set() and number < 400:
            for _ in range(2):  # always two at once: a reader never sees an odd number
                add_session(writer, f"0199b73d-0000-7000-8000-{number:012d}")
                number += 1
            writer.commit()
        writer.close()

    def read() -> None:
        try:
            with open_database(str(agor), environ={}) as browser:
                for _ in range(25):
                    found = count(browser) - first
                    assert found >= 0
                    assert found % 2 == 0
        except BaseException as error:  # handed to the test's own thread
            failures.append(error)
        finally:
            stop.set()

    threads = [threading.Thread(target=work) for work in (write, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_file_of_ours_that_is_replaced_or_gone_gets_no_change_of_the_one_before(tmp_path: Path) -> None:
    place = place_of(tmp_path / "mine.db")
    migrator.init(place)
    mine, other = tmp_path / "mine.db", tmp_path / "other.db"
    log = tmp_path / "mine.db-wal"
    for name in ("first", "second", "third"):
        shutil.copyfile(mine, tmp_path / name)
    with Browser(*open_store(place)) as browser:
        editor = browser.editor
        assert editor is not None
        assert browser.boards() == ()
        (tmp_path / "first").replace(mine)
        editor.create_board("In the first")
        assert [board.name for board in browser.boards()] == ["In the first"]
        mine.rename(other)
        for change in (lambda: editor.create_board("Lost"), browser.boards):
            with pytest.raises(DatabaseError, match="is not there any more"):
                change()
        assert log.stat().st_size
        (tmp_path / "second").replace(mine)
        before = mine.read_bytes(), log.read_bytes()
        for change in (lambda: editor.create_board("Mixed"), browser.boards):
            with pytest.raises(DatabaseError, match=r"replaced while it was open, and mine\.db-wal"):
                change()
        assert (mine.read_bytes(), log.read_bytes()) == before
        log.unlink()
        build_sqlite(tmp_path / "agor.db", "2025")
        (tmp_path / "agor.db").replace(mine)  # another program's
        foreign = mine.read_bytes()
        for change in (lambda: editor.create_board("Not ours"), browser.boards):
            with pytest.raises(ForeignDatabaseError, match="replaced while it was open, by a database"):
                change()
        assert mine.read_bytes() == foreign
        assert not log.exists()
    (tmp_path / "third").replace(mine)
    with Browser(*open_store(place)) as browser:
        assert browser.boards() == ()


def test_a_disk_that_is_full_is_said_and_nothing_is_half_written(tmp_path: Path) -> None:
    place = place_of(tmp_path / "mine.db")
    migrator.init(place)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Browser(*open_store(place)) as browser:
        assert browser.editor is not None
        browser.editor.create_board("First")
        room = (tmp_path / "mine.db-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        try:
            with pytest.raises(DatabaseError, match="cannot be read or written: the disk reports an error"):
                browser.editor.create_board("Too much")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        browser.editor.create_board("Last")
        assert sorted(board.name for board in browser.boards()) == ["First", "Last"]
