"""Databases that earlier versions made, saved as SQL: each is migrated to today's schema with all it holds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
import pytest

from agor_tui.config.places import Place, PostgresPlace, SqlitePlace
from agor_tui.db import migrator, revision
from agor_tui.errors import SchemaVersionError
from agor_tui.services.databases import open_database

from .migrating import address
from .one_row_each import ROWS, count, states

SAVED = Path(__file__).with_name("saved")


@pytest.fixture
def saved(empty_place: Place) -> Place:
    """The database of revision 0001, with a row in most tables."""
    if isinstance(empty_place, SqlitePlace):
        connection = sqlite3.connect(empty_place.path)
        connection.executescript((SAVED / "0001.sqlite.sql").read_text())
        connection.close()
    else:
        assert isinstance(empty_place, PostgresPlace)
        with psycopg.connect(address(empty_place)) as server:
            server.execute((SAVED / "0001.postgresql.sql").read_bytes())
    return empty_place


def test_it_is_migrated_whole(saved: Place) -> None:
    first = ("0001", "applied")
    assert states(saved) == [first, *((name, "pending") for name in revision.REVISIONS[1:])]
    with pytest.raises(SchemaVersionError, match="is at revision 0001"):
        open_database(address(saved), environ={})
    migrator.upgrade(saved)
    assert states(saved) == [(name, "applied") for name in revision.REVISIONS]
    assert migrator.status(saved).drift == ()
    assert {name: count(saved, name) for name in ROWS} == dict.fromkeys(ROWS, 1)
    with open_database(address(saved), environ={}) as browser:
        assert browser.session("s1").title == "One"


def test_and_back(saved: Place) -> None:
    migrator.upgrade(saved)
    migrator.downgrade(saved, "0001")
    assert {name: count(saved, name) for name in ROWS} == dict.fromkeys(ROWS, 1)
    migrator.upgrade(saved)
    assert migrator.status(saved).drift == ()
