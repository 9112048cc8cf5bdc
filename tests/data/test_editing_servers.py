"""Editing where a server has its own ideas: other programs' locks, defaults of a role, missing rights, encodings."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from agor_tui.config.places import PostgresPlace
from agor_tui.db import migrator, postgresql
from agor_tui.errors import AgorError, DatabaseError, EditConflictError
from agor_tui.filters import SessionFilter
from agor_tui.records import Sort
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser

from ..conftest import place_of
from .test_repositories import World


@pytest.fixture(params=["postgres16_url", "postgres18_url"])
def url(request: pytest.FixtureRequest) -> str:
    """A native database on each server."""
    found = str(request.getfixturevalue(request.param))
    migrator.init(place_of(found))
    return found


@pytest.fixture
def world(url: str) -> Iterator[World]:
    with Browser(*open_store(place_of(url))) as browser:
        yield World(browser)


@pytest.fixture
def other(url: str) -> Iterator[psycopg.Connection[Any]]:
    """The connection of another program."""
    with psycopg.connect(url) as connection:
        yield connection


def test_a_row_that_another_program_holds_is_not_waited_for_long(
    world: World, other: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT_MS", 100)
    editor, made = world.browser.editor, world.session(title="Old")
    assert editor is not None
    other.execute("SELECT FROM sessions FOR UPDATE")
    for change in (lambda: editor.rename_session(made, "New"), lambda: editor.delete_session(made)):
        with pytest.raises(DatabaseError, match="is being changed by another program right now"):
            change()
    other.rollback()
    editor.rename_session(made, "New")
    assert world.sessions.get(made.id).title == "New"


def test_who_waited_is_told_what_changed_whatever_the_role_s_isolation(
    url: str, world: World, other: psycopg.Connection[Any]
) -> None:
    made = world.session(title="Old")
    name = conninfo_to_dict(url)["dbname"]
    other.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'".encode())
    other.commit()
    caught: list[AgorError] = []

    def rename() -> None:
        with Browser(*open_store(place_of(url))) as late:
            assert late.editor is not None
            try:
                late.editor.rename_session(made, "Mine")
            except AgorError as error:
                caught.append(error)

    other.execute("UPDATE sessions SET data = jsonb_set(data, '{title}', '\"Theirs\"')")
    waiter = threading.Thread(target=rename)
    waiter.start()
    while other.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() != (1,):
        assert waiter.is_alive()
    other.commit()
    waiter.join()
    assert [type(error) for error in caught] == [EditConflictError]
    assert world.sessions.get(made.id).title == "Theirs"


def test_a_user_who_may_only_read(url: str, world: World, other: psycopg.Connection[Any]) -> None:
    made, place = world.session(title="Old"), place_of(url)
    assert isinstance(place, PostgresPlace)
    role = f"reader_{place.database}"
    other.execute(f"CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}".encode())
    other.commit()
    try:
        with Browser(*open_store(replace(place, user=role))) as reader:
            assert reader.editor is None
            assert reader.info.access.obstacle == f"{role} has no right to change its tables."
            other.execute(f"GRANT UPDATE ON sessions TO {role}".encode())
            other.commit()
            reader.renew_access()
            assert reader.editor is not None
            other.execute(f"REVOKE UPDATE ON sessions FROM {role}".encode())
            other.commit()
            with pytest.raises(DatabaseError, match="does not allow this user to change it") as caught:
                reader.editor.rename_session(made, "New")
            assert "right to change rows on table sessions" in caught.value.hint
    finally:
        other.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())
        other.commit()


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_is_not_in_utf8(url: str, encoding: str) -> None:
    name = f"{conninfo_to_dict(url)['dbname']}_{encoding.lower()}"
    with psycopg.connect(url, autocommit=True) as server:
        made = f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        server.execute(made.encode())
        try:
            place = place_of(url.rpartition("/")[0] + f"/{name}")
            migrator.init(place)
            with Browser(*open_store(place)) as browser:
                world = World(browser)
                assert world.session(title="café").title == "café"
                if encoding == "SQL_ASCII":
                    made = world.session(title="日本語")
                    assert made.title == "日本語"
                    with psycopg.connect(url.rpartition("/")[0] + f"/{name}") as other:
                        bad = "UPDATE sessions SET data = jsonb_build_object('title', E'caf\\351'), status = 'failed'"
                        other.execute(f"{bad} WHERE session_id = '{made.id}'".encode())
                    page = browser.session_page(SessionFilter(), Sort("updated"))
                    assert {session.title for session in page.rows} == {"caf\ufffd", "café"}
                    assert browser.session_detail(made.id).raw["title"] == "caf\ufffd"
                    assert migrator.status(place).drift == ()
                    with pytest.raises(DatabaseError, match="holds text that is not UTF-8"):
                        world.sessions.update(made.id, {"status": "failed"})
                else:
                    with pytest.raises(DatabaseError, match="has an encoding that cannot hold this text"):
                        world.session(title="日本語")
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
