"""Changes that others make are seen within two seconds, without a trace, on every dialect and kind of schema."""

from __future__ import annotations

import dataclasses
import itertools
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from agor_tui.config.places import Place, PostgresPlace, SqlitePlace
from agor_tui.db import migrator
from agor_tui.db.watch_postgresql import ServerLookout
from agor_tui.db.watch_sqlite import TracelessLookout
from agor_tui.errors import DatabaseError
from agor_tui.filters import SessionFilter
from agor_tui.records import LiveState, Sort
from agor_tui.services import live
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from agor_tui.services.live import Watch, watch

from ..builders.agor import as_reader, build_postgresql, build_sqlite
from ..conftest import place_of
from ..servers import PostgresServer
from .migrating import address
from .one_row_each import execute, fill
from .pooler import pooled

DEADLINE = 2.0
"""Seconds within which a change must be seen."""
_numbers = itertools.count()


def settled(browser: Browser) -> Watch:
    """A watch that has nothing left to report."""
    found = watch(browser)
    assert found.wait(5)
    settle(found)
    return found


def settle(found: Watch) -> None:
    """Take all that is still to be reported: a file that is only looked at reports a change twice."""
    quiet = found.interval_s + (1.0 if isinstance(found._lookout, TracelessLookout) else 0.3)
    while found.wait(quiet):
        pass


def sees(found: Watch, change: Callable[[], object]) -> bool:
    """Whether a change that is made while one waits for it is seen in time."""
    writer = threading.Thread(target=change)
    writer.start()
    seen = found.wait(DEADLINE)
    writer.join()
    return seen


@pytest.fixture
def native(native_place: Place) -> Iterator[Browser]:
    """A native database with a row in most tables, open for writing."""
    fill(native_place)
    with open_database(address(native_place), environ={}) as browser:
        yield browser


def place(browser: Browser) -> Place:
    return browser.store.database.place


def add_message(where: Place) -> None:
    number = next(_numbers)
    execute(
        where,
        f"""INSERT INTO messages (message_id, created_at, session_id, type, role, "index", timestamp, data)
        SELECT 'new{number}', created_at, session_id, type, role, 100 + {number}, timestamp, data FROM messages
        WHERE message_id = 'm1'""",
    )


CHANGES: dict[str, Callable[[Place], None]] = {
    "a message": add_message,
    "a status": lambda where: execute(where, "UPDATE tasks SET status = 'running'"),
    "a deletion": lambda where: execute(where, "DELETE FROM sessions"),
}


class TestNative:
    """Databases of our own."""

    def test_each_kind_of_change(self, native: Browser) -> None:
        found = settled(native)
        for change in CHANGES.values():
            assert sees(found, lambda change=change: change(place(native)))  # type: ignore[misc]
            settle(found)
        assert found.state == LiveState()
        assert found.cost_ms is not None
        found.close()

    def test_nothing_is_reported_while_nothing_happens(self, native: Browser) -> None:
        found = settled(native)
        for _ in range(3):
            native.session("s1")
            assert not found.wait(0.6)
        found.close()

    def test_our_own_changes_count(self, native: Browser) -> None:
        found = settled(native)
        assert native.editor is not None
        native.editor.rename_session(native.session("s1"), "Another")
        assert found.wait(DEADLINE)
        found.close()

    def test_who_waits_leaves_at_once(self, native: Browser) -> None:
        found = settled(native)
        started = time.monotonic()
        threading.Timer(0.2, found.close).start()
        assert not found.wait(60)
        assert time.monotonic() - started < 5

    def test_opened_for_reading_only(self, native_place: Place) -> None:
        fill(native_place)
        with open_database(address(native_place), environ={}, read_only=True) as browser:
            found = settled(browser)
            assert sees(found, lambda: add_message(native_place))
            found.close()
        if isinstance(native_place, SqlitePlace):
            assert os.listdir(native_place.path.parent) == [native_place.path.name]


class TestLibsql:
    """A server that tells nothing: new rows and the sessions' times are asked for."""

    def test_new_rows(self, native_libsql: Callable[[], Place]) -> None:
        where = native_libsql()
        fill(where)
        with open_database(where.url, environ={}) as browser:  # type: ignore[union-attr]
            found = settled(browser)
            assert sees(found, lambda: add_message(where))
            assert not found.wait(1.5)
            found.close()


@pytest.fixture(params=["wal", "delete"])
def agor(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Another program's file in a folder of its own, in both journal modes."""
    path = tmp_path / "agor" / "agor.db"
    path.parent.mkdir()
    build_sqlite(path, "2026")
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode={request.param}")
    connection.close()
    return path


class TestOthersFiles:
    """Files that are only read."""

    def test_a_program_that_keeps_its_file_open(self, agor: Path) -> None:
        """Also when its log begins anew or is cut, so that no file grows."""
        with open_database(str(agor), environ={}) as browser:
            writer = sqlite3.connect(agor, isolation_level=None, check_same_thread=False)
            writer.execute("UPDATE sessions SET status = 'running'")
            found = settled(browser)
            for checkpoint in ("", "PRAGMA wal_checkpoint(RESTART)", "PRAGMA wal_checkpoint(TRUNCATE)", ""):
                if checkpoint:
                    writer.execute(checkpoint)
                    settle(found)
                assert sees(found, lambda: writer.execute("UPDATE tasks SET created_at = created_at + 1"))
                settle(found)
            writer.close()
            found.close()
        assert os.listdir(agor.parent) == ["agor.db"]

    def test_a_program_that_comes_and_goes(self, agor: Path) -> None:
        def change() -> None:
            connection = sqlite3.connect(agor)
            connection.execute("UPDATE sessions SET status = 'failed'")
            connection.commit()
            connection.close()

        with open_database(str(agor), environ={}) as browser:
            found = settled(browser)
            assert sees(found, change)
            settle(found)
            assert {row.status for row in browser.session_page(SessionFilter(archived="any"), Sort()).rows} == {
                "failed"
            }
            assert os.listdir(agor.parent) == ["agor.db"]
            found.close()

    def test_looking_leaves_no_trace(self, agor: Path) -> None:
        before = agor.stat()
        with open_database(str(agor), environ={}) as browser:
            found = settled(browser)
            assert not found.wait(1.2)
            found.close()
        after = agor.stat()
        assert (before.st_size, before.st_mtime_ns, before.st_ino) == (after.st_size, after.st_mtime_ns, after.st_ino)
        assert os.listdir(agor.parent) == ["agor.db"]

    def test_another_file_in_its_place(self, agor: Path, tmp_path: Path) -> None:
        copy = shutil.copyfile(agor, tmp_path / "copy.db")
        with open_database(str(agor), environ={}) as browser:
            found = settled(browser)
            assert sees(found, lambda: os.replace(copy, agor))
            found.close()

    def test_a_file_that_goes_and_comes_back(self, agor: Path, tmp_path: Path) -> None:
        with open_database(str(agor), environ={}) as browser:
            found = settled(browser)
            shutil.move(agor, tmp_path / "away.db")
            assert not found.wait(0.8)
            assert found.state == LiveState(False, f"{agor} is not there any more; tries again in 1 s")
            shutil.move(tmp_path / "away.db", agor)
            assert found.wait(DEADLINE)
            assert found.state.on
            found.close()


@pytest.fixture(params=[16, 18])
def server(request: pytest.FixtureRequest, postgres_server: Callable[[int], PostgresServer]) -> PostgresServer:
    """PostgreSQL 16 and 18."""
    return postgres_server(request.param)


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    """An empty database."""
    url = server.create_database()
    yield url
    server.drop_database(url)


def listens(found: Watch) -> bool:
    assert isinstance(found._lookout, ServerLookout)
    return found._lookout.listening


def connections(url: str) -> list[str]:
    """What the other connections to a database do now."""
    with psycopg.connect(url) as connection:
        query = (
            "SELECT application_name, state FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        found = connection.execute(query).fetchall()
    assert {name for name, _ in found} <= {"agor-tui"}
    return [state for _, state in found]


class TestPostgresql:
    """Told by the server where our triggers are, asked for elsewhere."""

    def test_its_connection(self, url: str) -> None:
        """Told, one connection more, never in a transaction, and gone in the end."""
        migrator.init(place_of(url))
        fill(place_of(url))
        with open_database(url, environ={}) as browser:
            found = settled(browser)
            assert listens(found)
            before = connections(url)
            assert set(before) == {"idle"}
            found.close()
            assert len(connections(url)) == len(before) - 1

    def test_another_schema_is_not_told_of(self, url: str) -> None:
        first, second = (
            dataclasses.replace(_postgres(url), schema=name, label=name) for name in ("team one", "team two")
        )
        for where in (first, second):
            migrator.init(where)
            fill(where)
        found = Watch(ServerLookout(first, native=True))
        assert found.wait(5)
        assert listens(found)
        assert not sees(found, lambda: add_message(second))
        assert sees(found, lambda: add_message(first))
        found.close()

    @pytest.mark.parametrize(
        "statement",
        ["ALTER TABLE messages DISABLE TRIGGER agor_tui_changed", "DROP FUNCTION agor_tui_changed CASCADE"],
    )
    def test_without_the_triggers_it_asks(self, url: str, statement: str) -> None:
        where = place_of(url)
        migrator.init(where)
        fill(where)
        execute(where, statement)
        with open_database(url, environ={}) as browser:
            found = settled(browser)
            assert not listens(found)
            assert sees(found, lambda: add_message(where))
            found.close()

    def test_triggers_that_do_not_fire_are_made_up_for(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is restored or replicated fires none: one who listens asks as well, now and then."""
        monkeypatch.setattr("agor_tui.db.watch_postgresql._CHECK_S", 0.5)
        where = place_of(url)
        migrator.init(where)
        fill(where)
        with open_database(url, environ={}) as browser:
            found = settled(browser)
            assert listens(found)
            assert sees(found, lambda: _replicated(url))
            found.close()

    def test_behind_a_pooler_it_asks(self, url: str) -> None:
        migrator.init(place_of(url))
        fill(place_of(url))
        with pooled(url) as through, open_database(through, environ={}) as browser:
            found = settled(browser)
            assert not listens(found)
            assert sees(found, lambda: add_message(place_of(url)))
            found.close()

    def test_another_program_s_tables_for_a_reader(self, url: str) -> None:
        build_postgresql(url)
        with open_database(as_reader(url), environ={}) as browser:
            found = settled(browser)
            assert not listens(found)
            assert sees(found, lambda: _run(url, "UPDATE tasks SET status = 'failed'"))
            assert set(connections(url)) == {"idle"}
            found.close()

    def test_a_connection_that_is_lost(self, url: str) -> None:
        """Says so, tries again, and reports a change when it is back: nobody knows what happened meanwhile."""
        migrator.init(place_of(url))
        with open_database(url, environ={}) as browser:
            found = settled(browser)
            ours = "application_name = 'agor-tui' AND datname = current_database()"
            _run(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
            assert not found.wait(0.6)
            assert not found.state.on
            assert found.state.reason.endswith("closed the connection; tries again in 1 s")
            assert found.wait(DEADLINE)
            assert found.state.on
            found.close()


def _postgres(url: str) -> PostgresPlace:
    where = place_of(url)
    assert isinstance(where, PostgresPlace)
    return where


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())


def _replicated(url: str) -> None:
    _run(url, "SET session_replication_role = replica; UPDATE tasks SET status = 'failed'")


class Broken:
    """A database that cannot be reached."""

    interval_s = 0.01

    def __init__(self) -> None:
        self.looks = 0

    def look(self) -> bool:
        self.looks += 1
        raise DatabaseError("The server is away.", "Wait.")

    def close(self) -> None:
        pass


def test_the_pauses_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PAUSES_S", (0.01, 0.02, 0.04, 30))
    lookout = Broken()
    found = Watch(lookout)
    for _ in range(8):
        assert not found.wait(0.05)
    assert lookout.looks == 4
    assert found.state == LiveState(False, "The server is away; tries again in 30 s")
    found.close()
