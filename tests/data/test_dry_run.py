"""A dry run says what the copy does then, whatever TO is like: the same numbers, and the same findings."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg import sql

from agor_tui.config.places import Place
from agor_tui.db import migrator
from agor_tui.services.transfer import copy
from agor_tui.transfers import CopyOptions, CopyReport, OnConflict
from tests import servers
from tests.conftest import place_of

from .awkward import every_awkward_value, write_sqlite
from .copies import T0, ground, insert, message, rows_of, session, task

ENCODINGS = ("UTF8", "LATIN1", "EUC_JP", "SQL_ASCII", "WIN1252")


@pytest.fixture(params=servers.VERSIONS)
def made(
    request: pytest.FixtureRequest, postgres_server: Callable[[int], servers.PostgresServer]
) -> Iterator[Callable[[str], Place]]:
    """A function that makes an empty database in an encoding."""
    server = postgres_server(request.param)
    urls = []

    def make(encoding: str) -> Place:
        name = f"encoded_{server.worker}_{len(urls)}"
        create = "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'"
        server.execute(sql.SQL(create).format(sql.Identifier(name), sql.Literal(encoding)))
        urls.append(server.url(name))
        return place_of(urls[-1])

    yield make
    for url in urls:
        server.drop_database(url)


@pytest.fixture
def plain(native_templates: Callable[[str], str], tmp_path: Path) -> Path:
    """Rows with text of several scripts, of which some belong to others."""
    path = tmp_path / "plain.db"
    shutil.copyfile(native_templates("sqlite"), path)
    ground(path)
    insert(path, "boards", {"board_id": "b2", "created_at": T0, "name": "予定", "slug": "plan", "data": "{}"})
    tree = {"worktree_id": "w2", "repo_id": "r1", "created_at": T0, "name": "w", "ref": "main", "data": "{}"}
    insert(path, "worktrees", {**tree, "worktree_unique_id": 2, "board_id": "b2"})
    insert(
        path,
        "sessions",
        session("s1", data='{"title": "café"}'),
        session("s2", data='{"title": "日本語"}'),
        session("s3", data='{"title": "\\u65e5"}', parent_session_id="s2"),
        session("s4", data='{"title": "🙂"}', worktree_id="w2"),
        session("s5", parent_session_id="s4", forked_from_session_id="s6"),
        session("s6", data='{"title": "€"}'),
        session("s7", status="no such word"),
        session("s8", data="no JSON: 日本"),
        session("s9", data='{"a": "\\u0000"}'),
    )
    insert(path, "tasks", *(task(f"t{n}", f"s{n}") for n in range(1, 10)))
    insert(path, "messages", *(message(f"m{n}", f"s{n}", task_id=f"t{n}") for n in range(1, 10)))
    insert(path, "messages", message("m99", "nobody"), message("m98", "s1", timestamp="noon"))
    return path


@pytest.fixture
def awkward(native_templates: Callable[[str], str], tmp_path: Path) -> Path:
    """Every awkward value."""
    path = tmp_path / "awkward.db"
    write_sqlite(native_templates("sqlite"), path, every_awkward_value())
    return path


def outcome(report: CopyReport) -> tuple[object, ...]:
    """The numbers of each table, and all findings."""
    tables = [(each.table, each.rows, each.overwritten, each.skipped, each.left_out) for each in report.tables]
    return tables, report.finding_count, sorted(report.findings, key=repr)


def require_the_same(source: Path, target: Place, on_conflict: OnConflict = "fail") -> CopyReport:
    dry = copy(place_of(source), target, CopyOptions(on_conflict=on_conflict, dry_run=True))
    real = copy(place_of(source), target, CopyOptions(on_conflict=on_conflict))
    assert outcome(dry) == outcome(real)
    there = {name: len(rows) for name, rows in rows_of(target).items()}
    if on_conflict == "fail":
        assert there == {each.table: each.rows for each in real.tables}
    return dry


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("state", ["empty", "native"])
def test_a_database_in_another_encoding(
    made: Callable[[str], Place], plain: Path, awkward: Path, encoding: str, state: str
) -> None:
    for file in (plain, awkward):
        target = made(encoding)
        if state == "native":
            migrator.init(target)
        report = require_the_same(file, target)
        told = {each.what for each in report.findings if "encoding" in each.what}
        assert told == (
            set() if encoding in ("UTF8", "SQL_ASCII") else {f"it has text that the encoding {encoding} cannot hold"}
        )


def test_a_name_that_cannot_be_held_costs_no_other_row(made: Callable[[str], Place], plain: Path) -> None:
    """The worktree on that board is on none then, and its sessions stay."""
    report = require_the_same(plain, made("LATIN1"))
    left = {each.table: each.left_out for each in report.tables if each.left_out}
    assert left["boards"] == 1
    assert "worktrees" not in left
    assert [each.done for each in report.findings if each.id == "b2"] == [
        "the row is left out; a database in UTF8 would hold it"
    ]


@pytest.mark.parametrize("on_conflict", ["skip", "newer"])
def test_rows_that_are_there_already(
    made: Callable[[str], Place], plain: Path, tmp_path: Path, on_conflict: OnConflict
) -> None:
    for encoding in ("UTF8", "LATIN1"):
        target = made(encoding)
        copy(place_of(plain), target, CopyOptions())
        later = tmp_path / f"{encoding}.db"
        shutil.copyfile(plain, later)
        insert(later, "sessions", session("sa", data='{"title": "後"}', updated_at=T0 + 5), session("sb"))
        insert(later, "messages", message("ma", "sa"), message("mb", "sb"))
        require_the_same(later, target, on_conflict)
