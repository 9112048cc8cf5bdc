"""Comparing two databases: equal where they hold the same rows, else the rows that differ by name."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from agor_tui.config.places import Place
from agor_tui.db.tables import metadata
from agor_tui.errors import Cancelled, DatabaseError
from agor_tui.services import transfer
from agor_tui.services.comparing import compare_places
from agor_tui.transfer import comparing
from agor_tui.transfer.sources import open_source
from agor_tui.transfers import CompareReport, CopyOptions, Progress, RowDifference, TableCompared
from tests.conftest import place_of

from .one_row_each import ROWS, execute, fill, write


@pytest.fixture
def sqlite_place(native_templates: Callable[[str], str], tmp_path: Path) -> Place:
    """A native SQLite file with one row in most tables."""
    path = tmp_path / "a.db"
    shutil.copyfile(native_templates("sqlite"), path)
    fill(place_of(path))
    return place_of(path)


def change(place: Place, table: str, **values: Any) -> None:
    write(place, lambda connection: connection.execute(update(metadata.tables[table]).values(**values)))


def add(place: Place, table: str, *rows: dict[str, Any]) -> None:
    made = [{**ROWS[table], **row} for row in rows]
    write(place, lambda connection: connection.execute(insert(metadata.tables[table]), made))


def found(report: CompareReport) -> dict[str, TableCompared]:
    return {table.table: table for table in report.tables if not table.equal}


@pytest.mark.libsql
def test_the_same_rows_are_equal_however_their_json_is_spelled(sqlite_place: Place, place: Place) -> None:
    fill(place)
    strings = '{"s": "\\ud83d\\ude00 \\u0000 \\ud800 \\ufdd0", "l": {"b": null, "a": ""}'
    document = strings + ', "n": [1e5, 1.50, 12345678901234567890123]}'
    spelled = '{"l":{"a":"old","b":null,"a":""},"s":"😀 \\u0000 \\uD800 \\uFDD0",'
    spelled += '"n":[100000.0,15e-1,12345678901234567890123]}'
    change(sqlite_place, "sessions", data=document)
    change(place, "sessions", data=spelled)
    report = compare_places(sqlite_place, place)
    assert report.equal
    assert [table.table for table in report.tables if table.rows_a] == [
        name for name in comparing.FORMATS if name in ROWS
    ]
    assert {table.rows_b for table in report.tables if table.table in ROWS} == {1}
    assert compare_places(place, sqlite_place).tables[0].checksum_a == report.tables[0].checksum_a
    change(place, "sessions", data=spelled.replace("890123", "890124"))
    (table,) = found(compare_places(sqlite_place, place)).values()
    (row,) = table.differences
    assert [(value.where, value.a[-6:], value.b[-6:]) for value in row.values] == [("data.n[2]", "890123", "890124")]


@pytest.mark.libsql
def test_each_difference_is_counted_and_named(sqlite_place: Place, place: Place) -> None:
    fill(place)
    add(sqlite_place, "boards", {"board_id": "b0", "slug": "zero"})
    add(place, "boards", {"board_id": "b2", "slug": "two"}, {"board_id": "b3", "slug": "three"})
    change(place, "sessions", archived=True, created_by="", data='{"title": "Two"}')
    change(place, "users", password="y", name="postgres://u:secret@h/x", data='{"env": {"A": "secret"}}')
    change(place, "tasks", data='{"a": null}')
    add(sqlite_place, "session_mcp_servers", {}, {"enabled": False})
    report = compare_places(sqlite_place, place)
    tables = found(report)
    assert not report.equal
    assert {name: (table.only_in_a, table.only_in_b, table.changed) for name, table in tables.items()} == {
        "boards": (1, 2, 0),
        "users": (0, 0, 1),
        "sessions": (0, 0, 1),
        "tasks": (0, 0, 1),
        "session_mcp_servers": (2, 0, 0),
    }
    assert [(row.id, row.only_in) for row in tables["boards"].differences] == [("b0", "a"), ("b2", "b"), ("b3", "b")]
    assert values(tables["sessions"]) == [
        ("created_by", "“anonymous”", "“”"),
        ("data.title", "“One”", "“Two”"),
        ("archived", "false", "true"),
    ]
    assert values(tables["tasks"]) == [("data.a", "nothing", "null")]
    assert values(tables["users"]) == [
        ("password", "‹hidden›", "‹hidden›"),
        ("name", "NULL", "“postgres://u:***@h/x”"),
        ("data.env", "nothing", "‹hidden›"),
    ]
    assert {row.id for row in tables["session_mcp_servers"].differences} == {"s1 x1"}
    assert len({(table.checksum_a, table.checksum_b) for table in tables.values()}) == 5
    assert found(compare_places(sqlite_place, place, only=["tasks", "messages"])).keys() == {"tasks"}


def values(table: TableCompared) -> list[tuple[str, str, str]]:
    (row,) = table.differences
    return [(value.where, value.a, value.b) for value in row.values]


def test_all_differences_are_counted_and_the_first_are_listed(
    sqlite_place: Place, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "MOST_LISTED", 3)
    fill(place)
    add(place, "boards", *({"board_id": f"b{n:02d}", "slug": f"{n}"} for n in range(30, 0, -1)))
    (table,) = found(compare_places(sqlite_place, place)).values()
    assert (table.rows_a, table.rows_b, table.only_in_b) == (1, 31, 30)
    assert table.differences == tuple(RowDifference(f"b{n:02d}", "b") for n in (1, 2, 3))


def test_it_tells_how_far_it_is_and_stops_when_asked(sqlite_place: Place, place: Place) -> None:
    fill(place)
    told: list[Progress] = []
    stop = threading.Event()

    def tell(progress: Progress) -> None:
        told.append(progress)
        if progress.table == "sessions":
            stop.set()

    with pytest.raises(Cancelled, match="stopped"):
        compare_places(sqlite_place, place, tell=tell, stop=stop)
    assert [each for each in told if each.table == "repos"][-1] == Progress("verify", "repos", 1, 1, told[3].bytes)
    assert "messages" not in {each.table for each in told}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("agor-tui-reading")]
    assert compare_places(sqlite_place, place).equal


def test_a_server_that_is_lost_ends_it_in_a_sentence(sqlite_place: Place, postgres18_url: str) -> None:
    # PostgreSQL alone: an SQLite file has no server.
    from agor_tui.db import migrator

    place = place_of(postgres18_url)
    migrator.init(place)
    fill(place)

    def tell(progress: Progress) -> None:
        if progress.table == "messages":
            execute(
                place,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )

    with pytest.raises(DatabaseError, match="closed the connection") as caught:
        compare_places(sqlite_place, place, tell=tell)
    assert "\n" not in caught.value.message


def test_what_native_rows_cannot_have_is_told(sqlite_place: Place, postgres16_url: str) -> None:
    # PostgreSQL alone: only its times are finer than a millisecond.
    from agor_tui.db import migrator

    place = place_of(postgres16_url)
    migrator.init(place)
    fill(place)
    execute(place, "UPDATE boards SET created_at = created_at + interval '7 microseconds'")
    report = compare_places(sqlite_place, place)
    assert (report.equal, report.findings_a, report.finding_count) == (True, (), 1)
    assert [(each.table, each.id, each.column) for each in report.findings_b] == [("boards", "b1", "created_at")]


def test_a_table_that_one_has_not_is_empty_there(sqlite_place: Place, place: Place) -> None:
    with open_source(sqlite_place) as a, open_source(place) as b:
        b.tables = ("boards", "repos")
        report = comparing.compare(a, b)
    tables = found(report)
    assert tables.keys() == ROWS.keys()
    assert {table.missing_in for table in tables.values()} == {None, "b"}
    assert [(table.table, table.missing_in) for table in report.tables if table.equal] == [
        ("board_objects", "b"),
        ("board_comments", "b"),
    ]
    assert {(table.rows_a, table.rows_b, table.only_in_a) for table in tables.values()} == {(1, 0, 1)}


def test_a_database_of_agor_and_its_copy_hold_the_same(fixtures_dir: Path, place: Place) -> None:
    agor = place_of(fixtures_dir / "agor" / "agor.db")
    report = transfer.copy(agor, place, CopyOptions()).verified
    assert report is not None
    assert report.equal
    again = compare_places(place, agor)
    assert (again.equal, again.finding_count) == (True, 0)
    assert sum(table.rows_a for table in again.tables) == 1948
    change(place, "mcp_servers", enabled=False)
    assert found(compare_places(agor, place)).keys() == {"mcp_servers"}


def test_what_only_a_file_can_hold_counts(sqlite_place: Place, tmp_path: Path) -> None:
    # SQLite alone: no other dialect lets such values in.
    other = place_of(tmp_path / "b.db")
    shutil.copyfile(tmp_path / "a.db", tmp_path / "b.db")
    execute(sqlite_place, "UPDATE sessions SET data = '{\"title\": password=abc'")
    execute(other, "UPDATE sessions SET data = '{\"title\": password=abd'")
    execute(sqlite_place, "UPDATE boards SET name = CAST(x'ff41' AS TEXT)")
    execute(other, "UPDATE boards SET name = CAST(x'fe41' AS TEXT)")
    execute(other, "UPDATE repos SET updated_at = 'soon'")
    tables = found(compare_places(sqlite_place, other))
    assert values(tables["sessions"]) == [("data", '{"title": password= ‹hidden›', '{"title": password= ‹hidden›')]
    assert values(tables["boards"]) == [("name", "bytes ff 41", "bytes fe 41")]
    assert values(tables["repos"]) == [("updated_at", "NULL", "“soon”")]
    execute(other, "UPDATE boards SET name = CAST(x'ff41' AS TEXT)")
    assert found(compare_places(sqlite_place, other)).keys() == {"sessions", "repos"}


def test_rows_that_come_out_of_order_are_not_told_apart_in_silence(sqlite_place: Place, place: Place) -> None:
    fill(place)
    add(place, "boards", {"board_id": "b2", "slug": "two"}, {"board_id": "b3", "slug": "three"})
    with open_source(sqlite_place) as a, open_source(place) as b:
        in_order = b.rows
        b.rows = lambda table, **more: (batch[::-1] for batch in in_order(table, **more))  # type: ignore[method-assign]
        with pytest.raises(DatabaseError, match="order of its keys: b2 comes too late"):
            comparing.compare(a, b)
