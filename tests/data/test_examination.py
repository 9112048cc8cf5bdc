"""The test of a connection: what works, what is to be made, and each thing that may be wrong, in one sentence."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, SqlitePlace
from agor_tui.db import migrator, reach
from agor_tui.services import examination
from agor_tui.services.examination import Finding, Leash, Outlook, examine
from tests.builders.agor import build_postgresql
from tests.conftest import place_of
from tests.servers import PostgresServer

Answer = Callable[[socket.socket], None]


def examined(place: Place) -> tuple[list[Finding], Outlook | None]:
    """All findings, and the outlook if it came to one."""
    found = list(examine(place, Leash()))
    outlook = next((each for each in found if isinstance(each, Outlook)), None)
    return [each for each in found if isinstance(each, Finding)], outlook


def refused(place: Place) -> Finding:
    """The finding that ended a test."""
    findings, outlook = examined(place)
    assert outlook is None
    assert [finding.state for finding in findings].count("bad") == 1
    assert findings[-1].state == "bad"
    return findings[-1]


@contextlib.contextmanager
def listening(answer: Answer) -> Iterator[PostgresPlace]:
    """A place where something other than a PostgreSQL server answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    kept.append(connection)
                    answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield as_server(place_of(f"postgresql://127.0.0.1:{server.getsockname()[1]}/x"))
        for connection in kept:
            connection.close()


def as_server(place: Place) -> PostgresPlace:
    """The place, which is one of a server."""
    assert isinstance(place, PostgresPlace)
    return place


def test_nothing_is_there_yet(tmp_path: Path) -> None:
    findings, outlook = examined(place_of(tmp_path / "deep" / "new.db"))
    assert [(each.topic, each.state) for each in findings] == [("file", "note"), ("rights", "good")]
    assert outlook is not None
    assert outlook.action == "make"
    assert os.listdir(tmp_path) == []


def test_an_empty_database_is_to_be_made(empty_place: Place) -> None:
    findings, outlook = examined(empty_place)
    assert all(each.state != "bad" for each in findings)
    assert outlook is not None
    assert (outlook.action, outlook.rows, outlook.read_only) == ("make", False, False)


def test_a_native_database_is_opened(native_place: Place) -> None:
    findings, outlook = examined(native_place)
    assert {each.state for each in findings} == {"good"}
    assert "no sessions yet" in next(each.text for each in findings if each.topic == "tables")
    assert outlook is not None
    assert (outlook.action, outlook.kind, outlook.rows, outlook.read_only) == ("open", "native", False, False)


def test_one_that_is_behind_is_to_be_migrated(native_place: Place) -> None:
    migrator.downgrade(native_place, "-1")
    findings, outlook = examined(native_place)
    assert any("behind by 1 revision" in each.text for each in findings)
    assert outlook is not None
    assert (outlook.action, outlook.pending) == ("migrate", 1)


def test_another_programs_database_is_opened_for_reading(fixtures_dir: Path, postgres18_url: str) -> None:
    build_postgresql(postgres18_url)
    for place in (place_of(fixtures_dir / "agor" / "agor.db"), place_of(postgres18_url)):
        findings, outlook = examined(place)
        assert any("changes nothing in it" in each.text for each in findings)
        assert outlook is not None
        assert (outlook.action, outlook.kind, outlook.read_only, outlook.rows) == ("open", "agor", True, True)


def test_the_findings_of_a_server(postgres18_url: str) -> None:
    findings, _ = examined(place_of(postgres18_url))
    assert [each.topic for each in findings] == [
        "server",
        "login",
        "version",
        "database",
        "rights",
        "tables",
        "latency",
    ]
    assert findings[0].text.startswith("reachable in ")
    assert findings[1].text == "as postgres, not encrypted"
    assert findings[2].text.startswith("PostgreSQL 18")


# What is wrong


def test_files_that_are_none(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("these are notes, long enough not to be taken for an empty file\n" * 20)
    assert "not an SQLite database" in refused(place_of(text)).text
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE wine (year)")
    found = refused(place_of(other))
    assert "no kind that agor-tui knows" in found.text
    assert found.hint


def test_an_empty_file_that_may_only_be_read(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    assert "may not be written" in refused(SqlitePlace(None, "x", path, "", read_only=True)).text
    missing = SqlitePlace(None, "x", tmp_path / "none.db", "", read_only=True)
    assert "reading only" in refused(missing).text


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = refused(place_of(f"postgresql://127.0.0.1:{port}/x"))
    assert (found.topic, found.text) == ("server", f"127.0.0.1:{port} refused the connection.")
    assert found.hint


def test_a_host_that_nobody_knows() -> None:
    assert refused(place_of("postgresql://nobody.invalid/x")).text == "The host name nobody.invalid is not known."


def test_hosts_that_cannot_be_one() -> None:
    assert "host" in refused(PostgresPlace(None, "", "", host="a" * 70 + ".example", database="x")).text
    assert refused(PostgresPlace(None, "", "", host="/no/such/folder", database="x")).text == (
        "There is no socket /no/such/folder/.s.PGSQL.5432."
    )


@pytest.mark.parametrize(
    ("said", "product"),
    [
        (b"J\x00\x00\x00\x0a8.4.0\x00", "MySQL"),
        (b"\x5b\x00\x00\x00\x0a5.5.5-10.11.6-MariaDB\x00", "MariaDB"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "web server"),
        (b"-ERR unknown command\r\n", "Redis"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS"),
        (b"hello", "is not PostgreSQL."),
    ],
)
def test_another_product_is_named(said: bytes, product: str) -> None:
    with listening(lambda connection: connection.sendall(said)) as place:
        found = refused(place)
    assert "is not PostgreSQL" in found.text
    assert product in found.text


def test_a_server_that_closes_at_once() -> None:
    with listening(lambda connection: connection.close()) as place:
        assert "closed it at once" in refused(place).text


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_GREETING_S", 0.2)
    with listening(lambda connection: None) as place:
        assert "said nothing for 0.2 s" in refused(place).text


def test_a_server_that_greets_and_then_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "LIMIT_S", 0.5)

    def greet(connection: socket.socket) -> None:
        connection.recv(8)
        connection.sendall(b"N")

    with listening(greet) as place:
        began = time.monotonic()
        findings, outlook = examined(place)
        assert time.monotonic() - began < 5
    assert outlook is None
    assert findings[0].topic == "server"
    assert "no answer in 0.5 s" in findings[-1].text


def test_a_server_that_stops_answering_mid_probe(postgres18_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Greeting and login are passed on to a real server; the connection after them finds silence."""
    monkeypatch.setattr(examination, "LIMIT_S", 1.0)
    port = as_server(place_of(postgres18_url)).port
    passed: list[socket.socket] = []

    def proxy(connection: socket.socket) -> None:
        if len(passed) < 2:
            passed.append(socket.create_connection(("127.0.0.1", port or 0)))
            for source, target in ((connection, passed[-1]), (passed[-1], connection)):
                threading.Thread(target=copy, args=(source, target), daemon=True).start()

    def copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    with listening(proxy) as place:
        began = time.monotonic()
        name, user = postgres18_url.rpartition("/")[2], "postgres"
        findings, outlook = examined(replace(place, database=name, user=user))
        assert time.monotonic() - began < 8
    for each in passed:
        each.close()
    assert outlook is None
    assert [each.topic for each in findings[:4]] == ["server", "login", "version", "database"]
    assert findings[-1].state == "bad"
    assert "no answer in 1 s" in findings[-1].text


def test_a_test_is_left_at_once() -> None:
    leash = Leash()
    with listening(lambda connection: None) as place:
        threading.Timer(0.2, leash.cut).start()
        began = time.monotonic()
        assert list(examine(place, leash)) == []
        assert time.monotonic() - began < 2


def test_wrong_passwords_users_and_rights(
    postgres_server: Callable[[int], PostgresServer], postgres18_url: str
) -> None:
    server = postgres_server(18)
    name = postgres18_url.rpartition("/")[2]
    found = refused(place_of(f"postgresql://keeper:wr%40ng@127.0.0.1:{server.port}/{name}"))
    assert found.topic == "login"
    assert "refused the user or the password" in found.text
    assert "wr@ng" not in f"{found}"
    with psycopg.connect(postgres18_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE setup_guest LOGIN")
        try:
            guest = f"postgresql://setup_guest@127.0.0.1:{server.port}"
            empty = refused(place_of(f"{guest}/{name}"))
            assert (empty.topic, empty.text) == ("rights", "setup_guest may not make tables in the schema “public”.")
            missing = refused(place_of(f"{guest}/not_there"))
            assert missing.text == "“not_there” does not exist, and setup_guest may not make it."
            assert 'CREATE DATABASE "not_there" OWNER "setup_guest"' in missing.hint
            schema = refused(place_of(f"{guest}/{name}?schema=agents"))
            assert "The schema “agents” does not exist" in schema.text
        finally:
            connection.execute("DROP ROLE setup_guest")


def test_a_database_and_a_schema_that_may_be_made(postgres18_url: str) -> None:
    place = as_server(place_of(postgres18_url))
    findings, outlook = examined(replace(place, database="setup not there"))
    assert findings[-1].text == "“setup not there” does not exist yet: it may be made"
    assert outlook is not None
    assert outlook.action == "make"
    findings, outlook = examined(replace(place, schema="日本"))
    assert findings[-1].text == "“日本” does not exist yet: it may be made"
    assert outlook is not None
    assert outlook.action == "make"


def test_a_table_of_someone_else_in_the_way(postgres16_url: str) -> None:
    with psycopg.connect(postgres16_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE TABLE wine (year int)"))
    assert "no kind that agor-tui knows" in refused(place_of(postgres16_url)).text


def test_a_libsql_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    place = LibsqlPlace(None, "x", "", f"libsql://127.0.0.1:{port}?tls=0")
    assert refused(place).topic == "server"


def test_the_greeting_takes_little(postgres18_url: str) -> None:
    ms = reach.greet(as_server(place_of(postgres18_url)), 5)
    assert ms is not None
    assert ms < 1000
