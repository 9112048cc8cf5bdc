"""Tables with rows that nobody maps: a copy, a dry run, an export and a comparison name them; those left aside, too."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import pytest

from agor_tui.config.places import Place
from agor_tui.db.engine import Database
from agor_tui.services.comparing import compare_places
from agor_tui.services.dump.exporting import export_database
from agor_tui.services.transfer import copy
from agor_tui.transfer.sources import open_source
from agor_tui.transfers import CopyOptions, Finding, LeftAside
from tests.builders import agor, opencode
from tests.conftest import place_of

BESIDE = (
    "CREATE TABLE notes (id integer, words text)",
    "INSERT INTO notes VALUES (1, 'read me')",
    "CREATE TABLE nothing_yet (id integer)",
    "CREATE TABLE trail (id integer)",
    "INSERT INTO trail WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001) SELECT i FROM n",
    "CREATE VIEW notes_by_words AS SELECT words FROM notes",
)
ONLY_SQLITE = (
    "CREATE VIRTUAL TABLE diary USING fts5(words)",
    "INSERT INTO diary VALUES ('kept nowhere else')",
    "CREATE VIRTUAL TABLE notes_index USING fts5(words, content='notes')",
    "INSERT INTO notes_index(notes_index) VALUES ('rebuild')",
)
ONLY_POSTGRESQL = (
    "CREATE TABLE parted (id integer) PARTITION BY RANGE (id)",
    "CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (10)",
    "INSERT INTO parted VALUES (1), (2)",
)
NAMED = {
    "notes": "1 row of a table that agor-tui has not",
    "trail": "over 10,000 rows of a table that agor-tui has not",
}
NAMED_IN_SQLITE = NAMED | {"diary": "1 row of a table that agor-tui has not"}
NAMED_ON_A_SERVER = NAMED | {"parted": "2 rows of a table that agor-tui has not"}


def write(place: Place, statements: Sequence[str]) -> None:
    with Database(place, writable=True) as database:
        for statement in statements:
            database.write(lambda connection, statement=statement: connection.exec_driver_sql(statement))  # type: ignore[misc]


def write_file(path: Path, statements: Sequence[str]) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def tables(findings: Sequence[Finding]) -> dict[str, str]:
    """What is said of whole tables."""
    return {each.table: each.what for each in findings if not each.id and each.column is None}


def everywhere(source: Place, tmp_path: Path) -> tuple[dict[str, str], tuple[LeftAside, ...]]:
    """What is said of whole tables, which is the same in everything that reads all rows."""
    target = place_of(tmp_path / "copied.db")
    planned = copy(source, target, CopyOptions(dry_run=True))
    copied = copy(source, target, CopyOptions())
    exported = export_database(source, io.BytesIO(), format="jsonl")
    compared = compare_places(source, target)
    back = compare_places(target, source)
    told = tables(copied.findings)
    for findings in (planned.findings, exported.findings, compared.findings_a, back.findings_b):
        assert tables(findings) == told
    aside = copied.left_aside
    assert planned.left_aside == exported.left_aside == compared.left_aside_a == back.left_aside_b == aside
    assert (planned.lossless, copied.lossless) == (False, False)
    assert all(report.finding_count >= len(told) for report in (planned, copied, exported, compared, back))
    return told, aside


@pytest.mark.libsql
def test_beside_our_own_tables(native_place: Place, tmp_path: Path) -> None:
    with Database(native_place) as database:
        server = database.dialect == "postgresql"
    write(native_place, (*BESIDE, *(ONLY_POSTGRESQL if server else ONLY_SQLITE)))
    assert everywhere(native_place, tmp_path) == (NAMED_ON_A_SERVER if server else NAMED_IN_SQLITE, ())


def test_in_a_file_of_agors(tmp_path: Path) -> None:
    path = tmp_path / "agor.db"
    agor.build_sqlite(path, "2025")
    write_file(path, (*BESIDE, *ONLY_SQLITE, "CREATE TABLE app_variables (id)", "INSERT INTO app_variables VALUES (1)"))
    told, aside = everywhere(place_of(path), tmp_path)
    assert told == NAMED_IN_SQLITE
    assert LeftAside("app_variables", 1, "logins and keys, which are never read") in aside


def test_in_agors_database_on_a_server(postgres18_url: str, tmp_path: Path) -> None:
    agor.build_postgresql(postgres18_url)
    with psycopg.connect(postgres18_url) as connection:
        for statement in (*BESIDE, *ONLY_POSTGRESQL):
            connection.execute(statement.encode())
    assert NAMED_ON_A_SERVER.items() <= everywhere(place_of(postgres18_url), tmp_path)[0].items()


def test_in_opencodes_file(tmp_path: Path) -> None:
    """Its program has no other dialect."""
    path = tmp_path / "opencode.db"
    opencode.build(path, "current")
    write_file(path, (*BESIDE, *ONLY_SQLITE))
    assert NAMED_IN_SQLITE.items() <= everywhere(place_of(path), tmp_path)[0].items()


@pytest.mark.parametrize("version", [16, 18])
def test_a_table_that_may_not_be_read(
    request: pytest.FixtureRequest, version: int, tmp_path: Path, native_templates: Callable[[str], str]
) -> None:
    """On a server alone: an SQLite file has no rights of its own."""
    from agor_tui.db import migrator

    url = request.getfixturevalue(f"postgres{version}_url")
    migrator.init(place_of(url))
    write(place_of(url), BESIDE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS unmapped_reader")
        connection.execute("CREATE ROLE unmapped_reader LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO unmapped_reader")
        connection.execute("REVOKE SELECT ON notes FROM unmapped_reader")
        user = connection.info.user
    reader = url.replace(f"//{user}", "//unmapped_reader", 1)
    try:
        with open_source(place_of(reader)) as source:
            told = tables(source.findings)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY unmapped_reader")
            connection.execute("DROP ROLE unmapped_reader")
    assert told["notes"] == "a table that agor-tui has not, and this user may not read it"
    assert told["trail"] == NAMED["trail"]
