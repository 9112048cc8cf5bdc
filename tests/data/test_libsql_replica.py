"""A local copy of a libSQL database: read as a file, written through its server, and honest about its age."""

from __future__ import annotations

import http.client
import os
import re
import socket
import sqlite3
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from sqlalchemy import text

from agor_tui.config.places import LibsqlPlace, Place, Secret, describe, primary, replica_path
from agor_tui.db import migrator, replica
from agor_tui.db.engine import Database
from agor_tui.db.replica_relay import Relay
from agor_tui.db.watching import lookout
from agor_tui.errors import Cancelled, ConfigError, DatabaseError
from agor_tui.records import Count
from agor_tui.repositories.places import BoardRepository
from agor_tui.repositories.store import open_store
from agor_tui.services import migrations
from agor_tui.services.browser import Browser
from agor_tui.services.configuration import NamedDatabase
from agor_tui.services.examination import Finding, Leash, examine
from agor_tui.services.overview import look
from agor_tui.tui.database_rows import DatabaseRow, state_words
from tests import libsql_server
from tests.conftest import place_of

from .test_libsql import encrypted, in_thread, listener
from .test_overview import traces


@pytest.fixture
def copy(native_libsql: Callable[[], Place], tmp_path: Path) -> LibsqlPlace:
    """A copy, not made yet, of a native database without rows."""
    pytest.importorskip("libsql_experimental")
    source = native_libsql()
    assert isinstance(source, LibsqlPlace)
    return replace(source, url=(tmp_path / "copies" / "copy 日本.db").as_uri(), sync_url=source.url)


def boards(database: Database) -> int:
    """How many there are, as this database sees it."""
    return int(database.read(lambda connection: connection.scalar(text("SELECT count(*) FROM boards"))) or 0)


def add_board(place: Place, name: str) -> None:
    """Make a board as another program would: on the server."""
    with Browser(*open_store(primary(place))) as other:
        BoardRepository(other.store).create(name=name, created_by="anonymous")


def age(place: LibsqlPlace) -> None:
    """Make the copy look an hour older than it is, and as if another program had made it."""
    replica._tried.clear()
    then = time.time() - 3600
    os.utime(f"{replica_path(place)}-sync", (then, then))


def test_a_copy_is_made_and_brought_up_to_date_at_each_opening(copy: LibsqlPlace) -> None:
    add_board(copy, "first")
    with Browser(*open_store(copy)) as browser:
        assert [board.name for board in browser.boards()] == ["first"]
        assert (browser.info.dialect, browser.info.kind, browser.info.note) == ("sqlite", "native", None)
        assert browser.info.place == f"{replica_path(copy)} (replica of {copy.sync_url})"
        assert {each.stat().st_mode & 0o777 for each in replica_path(copy).parent.iterdir()} == {0o600}
    add_board(copy, "second")
    age(copy)
    with Browser(*open_store(copy)) as browser:
        assert {board.name for board in browser.boards()} == {"first", "second"}


def test_writing_goes_to_the_server_and_comes_back(copy: LibsqlPlace) -> None:
    with Browser(*open_store(copy)) as browser:
        made = BoardRepository(browser.store).create(name="日本", created_by="anonymous")
        assert made.name == "日本"
        assert browser.boards() == (made,)
        with Database(primary(copy)) as server:
            assert boards(server) == 1
    with sqlite3.connect(f"file:{quote(str(replica_path(copy)))}?mode=ro", uri=True) as file:
        assert file.execute("SELECT name FROM boards").fetchall() == [("日本",)]
    file.close()


def test_what_others_do_comes_in_the_interval(copy: LibsqlPlace) -> None:
    with Database(replace(copy, sync_interval_s=1)) as database:
        assert boards(database) == 0
        with closing(lookout(database, native=True)) as looking:
            assert looking.look()
            add_board(copy, "another's")
            end = time.monotonic() + 20
            while boards(database) == 0:
                assert time.monotonic() < end
            while not looking.look():
                assert time.monotonic() < end


def test_without_the_server_the_copy_opens_and_says_how_old_it_is(copy: LibsqlPlace) -> None:
    with Database(copy) as database:
        boards(database)
    age(copy)
    gone = replace(copy, sync_url="libsql://127.0.0.1:1?tls=0")
    found = [(each.topic, each.state) for each in examine(gone, Leash()) if isinstance(each, Finding)]
    assert found == [("server", "note"), ("copy", "good"), ("tables", "good")]
    with Browser(*open_store(gone)) as browser:
        assert browser.boards() == ()
        note = browser.info.note or ""
        assert re.fullmatch(
            r"This copy was up to date last at \d{4}-\d\d-\d\d \d\d:\d\d UTC: "
            r"libsql://127\.0\.0\.1:1\?tls=0 cannot be reached\.",
            note,
        )
        with pytest.raises(DatabaseError, match="cannot be reached"):
            BoardRepository(browser.store).create(name="x", created_by="anonymous")


@pytest.mark.parametrize("silent", [False, True])
def test_looking_at_a_copy_whose_server_is_away(copy: LibsqlPlace, silent: bool) -> None:
    """It is read as it is, in bounded time, and said to be a copy; nothing is written."""
    add_board(copy, "first")
    with Database(copy) as database:
        boards(database)
    assert look(lambda: copy).away == ""
    age(copy)
    before = traces(replica_path(copy).parent)
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = replace(copy, sync_url=f"libsql://127.0.0.1:{server.getsockname()[1] if silent else 1}?tls=0")
        found = look(lambda: gone, 1.0)
    assert (found.info.kind, found.info.place, found.schema.state) == ("native", describe(gone), "current")
    assert found.sessions == Count(0, True)
    assert ("gave no answer in 1 s" if silent else "cannot be reached") in found.away
    assert found.synced_at is not None
    assert found.synced_at.timestamp() < time.time() - 3500
    assert traces(replica_path(copy).parent) == before
    assert state_words(DatabaseRow(NamedDatabase(None, gone, None, False, ""), survey=found))[::2] == (
        "▲",
        "server away · copy",
    )
    replica_path(copy).unlink()
    with pytest.raises(DatabaseError):
        look(lambda: gone, 0.5)


def test_without_server_and_copy_there_is_a_sentence(copy: LibsqlPlace) -> None:
    with pytest.raises(DatabaseError, match="cannot be reached"):
        open_store(replace(copy, sync_url="libsql://127.0.0.1:1?tls=0"))
    assert not replica_path(copy).exists() or replica_path(copy).stat().st_size == 0
    with Browser(*open_store(copy)) as browser:  # what that left does not stand in the way
        assert browser.boards() == ()


def test_a_silent_server_is_given_up(copy: LibsqlPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bounded time, and the app runs meanwhile: another process waits."""
    with Database(copy) as database:
        boards(database)
    age(copy)
    monkeypatch.setattr(replica, "_AGAIN_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = replace(copy, sync_url=f"libsql://127.0.0.1:{silent.getsockname()[1]}?tls=0")
        with Database(place) as database:
            assert boards(database) == 0
            assert "did not answer in time" in (database.staleness or "")


def test_leaving_while_the_first_copy_is_made(copy: LibsqlPlace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = replace(copy, sync_url=f"libsql://127.0.0.1:{silent.getsockname()[1]}?tls=0")
        with Database(place) as database:
            thread, raised = in_thread(lambda: boards(database))
            end = time.monotonic() + 10
            while thread.is_alive() and time.monotonic() < end:
                database.cancel()
                thread.join(0.05)
            assert not thread.is_alive()
    assert [type(error) for error in raised] == [Cancelled]


def test_a_file_that_is_no_copy_is_left_alone(copy: LibsqlPlace) -> None:
    path = replica_path(copy)
    path.parent.mkdir()
    path.write_bytes(b"mine")
    with pytest.raises(DatabaseError, match="is there already, and is no copy"):
        open_store(copy)
    assert path.read_bytes() == b"mine"


def test_without_the_extra(copy: LibsqlPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database itself opens without; its copy says how to get it."""
    monkeypatch.setitem(sys.modules, "libsql_experimental", None)
    with pytest.raises(ConfigError) as caught:
        open_store(copy)
    assert "-m pip install 'libsql-experimental>=" in caught.value.hint
    with pytest.raises(ConfigError):
        look(lambda: copy)
    with Browser(*open_store(primary(copy))) as browser:
        assert browser.info.kind == "native"


def test_migrating_a_copy_migrates_the_server(libsql: libsql_server.LibsqlServer, tmp_path: Path) -> None:
    pytest.importorskip("libsql_experimental")
    libsql.empty()
    copy = LibsqlPlace(None, "copy.db", "test", (tmp_path / "copy.db").as_uri(), sync_url=libsql.url)
    assert migrator.status(copy).kind == "empty"
    assert [each.id for each in migrator.init(copy).revisions]
    assert migrator.status(place_of(libsql.url)).kind == "native"
    found = migrations.test(copy).info
    assert (found.kind, found.owner) == ("native", "agor-tui")


def test_the_token_of_a_copy_goes_to_its_server_alone(tmp_path: Path) -> None:
    """Nor does another program of this machine get anything by the address that the library is given meanwhile."""
    pytest.importorskip("libsql_experimental")
    moved: list[bytes] = []

    class Home(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            moved.append(self.headers.get("authorization", "").encode())
            if self.path == "/info":
                self._answer(200, b'{"current_generation":1}')
            else:
                self.send_response(307)
                self.send_header("location", f"http://127.0.0.1:{port}{self.path}")
                self.send_header("content-length", "0")
                self.end_headers()

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with listener() as (port, heard), ThreadingHTTPServer(("127.0.0.1", 0), Home) as home:
        threading.Thread(target=home.serve_forever, daemon=True).start()
        place = LibsqlPlace(
            None,
            "copy",
            "here",
            (tmp_path / "copy.db").as_uri(),
            auth_token=Secret("FAKESECRET"),
            sync_url=f"libsql://127.0.0.1:{home.server_port}?tls=0",
        )
        with pytest.raises(DatabaseError) as caught:
            open_store(place)
        home.shutdown()
    assert caught.value.message == (
        f"libsql://127.0.0.1:{home.server_port}?tls=0 sends on to another address, http://127.0.0.1:{port};"
        " nothing of yours went there."
    )
    assert heard == []
    assert set(moved) == {b"Bearer FAKESECRET"}


def test_the_relay_serves_nobody_without_its_key(native_libsql: Callable[[], Place]) -> None:
    source = native_libsql()
    assert isinstance(source, LibsqlPlace)
    relay = Relay(source)
    try:
        for header in ({}, {"authorization": "Bearer x"}, {"x-authorization": f"Bearer {relay.key}x"}):
            with pytest.raises((OSError, http.client.HTTPException)):
                urllib.request.urlopen(urllib.request.Request(f"{relay.url}/health", headers=header), timeout=10)
        good = urllib.request.Request(f"{relay.url}/health", headers={"authorization": f"Bearer {relay.key}"})
        with urllib.request.urlopen(good, timeout=10) as answer:
            assert answer.status == 200
    finally:
        relay.close()


def test_a_copy_of_an_encrypted_server(servers_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("libsql_experimental")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    server = libsql_server.start(servers_folder / tmp_path.name, namespaces=False)
    migrator.init(place_of(server.url))
    with encrypted(authority, server.port) as port:
        copy = LibsqlPlace(None, "copy", "here", (tmp_path / "copy.db").as_uri(), sync_url=f"libsql://localhost:{port}")
        with pytest.raises(DatabaseError) as caught:
            open_store(copy)
        assert caught.value.message.endswith("showed a certificate that cannot be checked.")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        with Database(copy) as database:
            assert boards(database) == 0
    server.stop()


def test_a_copy_that_was_begun_by_a_process_that_was_killed_is_made_anew(copy: LibsqlPlace) -> None:
    path = replica_path(copy)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half of a database")
    Path(f"{path}-sync").touch()
    with Database(copy) as database:
        assert boards(database) == 0
