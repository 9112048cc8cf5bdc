"""A PostgreSQL server that ends, falls silent or refuses: read again, or one sentence in bounded time."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import Connection, text

from agor_tui.db import postgresql
from agor_tui.db.engine import Database
from agor_tui.errors import AgorError, Cancelled, DatabaseError
from agor_tui.services.databases import open_database
from tests.builders.agor import READER, as_reader, build_postgresql
from tests.conftest import place_of


@pytest.fixture
def database(postgres18_url: str) -> Iterator[Database]:
    """An open database, of whose pool one connection was used."""
    with Database(place_of(postgres18_url)) as found:
        ask(found)
        yield found


def ask(database: Database) -> int:
    """The process id of the server process that answers."""
    return int(database.read(lambda connection: connection.scalar(text("SELECT pg_backend_pid()"))) or 0)


@contextmanager
def silent(process: int) -> Iterator[None]:
    """Stop a server process; its sockets stay open, so that nothing tells."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_connection_that_ended_while_it_lay_idle_is_made_anew(
    database: Database, postgres18_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = ask(database)
    with psycopg.connect(postgres18_url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (before,))
    assert ask(database) not in (0, before)
    assert capfd.readouterr().err == ""


def test_a_server_that_falls_silent_is_given_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql._Connection, "silence_s", 0.5)
    before = ask(database)
    with silent(before):
        assert ask(database) not in (0, before)


def test_what_a_silent_server_is_asked_can_be_left(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "CONNECT_TIMEOUT_S", 1)
    raised: list[AgorError] = []

    def work() -> None:
        try:
            ask(database)
        except AgorError as error:
            raised.append(error)

    with silent(ask(database)):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        time.sleep(0.5)
        database.cancel()
        thread.join(10)
        assert not thread.is_alive()
    assert [type(error) for error in raised] == [Cancelled]


def test_what_is_asked_while_it_is_closed_leaves_no_connection(database: Database, postgres18_url: str) -> None:
    """Also by a thread that comes too late. (A file has no count of its connections.)"""

    def close_and_ask(connection: Connection) -> None:
        database.close()
        connection.exec_driver_sql("SELECT 1")

    database.read(close_and_ask)
    assert ask(database)
    with psycopg.connect(postgres18_url, autocommit=True) as other:
        found = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        end = time.monotonic() + 10
        while other.execute(found).fetchone() != (0,):
            assert time.monotonic() < end, "a connection is still open"


def test_a_table_that_may_not_be_read_is_named(postgres18_url: str) -> None:
    build_postgresql(postgres18_url)
    with psycopg.connect(postgres18_url) as connection:
        connection.execute(f"REVOKE SELECT ON repos FROM {READER}")
    with (
        open_database(as_reader(postgres18_url), environ={}) as browser,
        pytest.raises(DatabaseError) as refused,
    ):
        browser.repos()
    assert refused.value.hint == "Ask for the right to SELECT on table repos."
