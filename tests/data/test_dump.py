"""A database goes into one file and comes back the same, from every dialect and in every format."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from agor_tui.config.places import Place, PostgresPlace
from agor_tui.services.dump.exporting import export_database
from agor_tui.services.dump.importing import import_file
from tests.conftest import place_of

from .awkward import every_awkward_value, write_sqlite
from .dumps import Templates, empty_file, same


@pytest.fixture
def awkward(native_templates: Templates, tmp_path: Path) -> Place:
    """A native file with every awkward value."""
    write_sqlite(native_templates("sqlite"), tmp_path / "awkward.db", every_awkward_value())
    return place_of(tmp_path / "awkward.db")


def test_there_and_back_through_a_file(
    awkward: Place, place: Place, native_templates: Templates, tmp_path: Path
) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl.zst"
    report = export_database(awkward, first, include_secrets=True)
    assert (report.findings, report.left_empty) == ((), {})
    assert first.stat().st_mode & 0o777 == 0o600
    done = import_file(first, place)
    assert (done.lossless, done.verified, done.resumed) == (True, True, False)
    export_database(place, second, include_secrets=True)
    back = empty_file(native_templates, tmp_path / "back.db")
    assert import_file(second, back, batches=True).lossless
    assert same(awkward, back)
    assert not [each for each in os.listdir(tmp_path) if "part" in each]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl.gz"])
def test_every_format_brings_back_the_same(
    awkward: Place, native_templates: Templates, tmp_path: Path, name: str
) -> None:
    export_database(awkward, tmp_path / name, include_secrets=True)
    renamed = (tmp_path / name).rename(tmp_path / "of another name")
    back = empty_file(native_templates, tmp_path / "back.db")
    assert import_file(renamed, back).lossless
    assert same(awkward, back)


def test_sql_of_either_dialect_makes_the_same_database(awkward: Place, place: Place, tmp_path: Path) -> None:
    dialect = "postgresql" if isinstance(place, PostgresPlace) else "sqlite"
    export_database(awkward, tmp_path / "a.sql", dialect=dialect, include_secrets=True)
    script = (tmp_path / "a.sql").read_bytes().decode()
    if isinstance(place, PostgresPlace):
        with psycopg.connect(**place.conninfo(), autocommit=True) as connection:
            connection.execute(script.encode())
    else:
        with closing(sqlite3.connect(place.path)) as connection:  # type: ignore[union-attr]
            connection.executescript(script)
    assert same(awkward, place)


def test_an_export_is_the_same_when_it_is_made_again(awkward: Place, tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        export_database(awkward, tmp_path / name)
    first, second = ((tmp_path / name).read_bytes().splitlines()[1:-1] for name in ("a.jsonl", "b.jsonl"))
    assert first == second
