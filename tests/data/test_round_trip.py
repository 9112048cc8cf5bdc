"""Whatever a database holds, it goes through every dialect and through a file, and comes back the same."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings

from agor_tui.db.row_format import FORMATS, Row, TableFormat
from agor_tui.services import transfer
from agor_tui.services.comparing import compare_places
from agor_tui.services.dump.exporting import export_database
from agor_tui.services.dump.importing import import_file
from agor_tui.transfers import CopyOptions
from tests import servers
from tests.conftest import place_of

from .awkward import Rows, databases, every_awkward_value, read_sqlite, write_sqlite


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders for the files of one example each."""
    root = tmp_path_factory.mktemp("trips")
    return (root / str(number) for number in itertools.count())


@settings(max_examples=3, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@given(rows=databases())
@example(rows=every_awkward_value())
def test_nothing_is_lost_on_the_way_round(
    rows: Rows,
    folder: Iterator[Path],
    native_templates: Callable[[str], str],
    postgres_server: Callable[[int], servers.PostgresServer],
) -> None:
    here = next(folder)
    here.mkdir()
    first, back, file, last = (here / name for name in ("first.db", "back.db", "rows.jsonl", "last.db"))
    write_sqlite(native_templates("sqlite"), first, rows)
    for path in (back, last):
        shutil.copyfile(native_templates("sqlite"), path)
    with ExitStack() as stack:
        stations = [place_of(first)]
        for version in (16, 18):
            server = postgres_server(version)
            url = server.create_database(native_templates(f"postgresql-{version}"))
            stack.callback(server.drop_database, url)
            stations.append(place_of(url))
        stations.append(place_of(back))
        for source, target in itertools.pairwise(stations):
            report = transfer.copy(source, target, CopyOptions())
            assert report.lossless
            assert report.verified is not None
            assert report.verified.equal
        export_database(place_of(back), file, include_secrets=True)
        import_file(file, place_of(last))
        assert compare_places(place_of(back), place_of(last)).equal
        assert compare_places(place_of(first), place_of(last)).equal
    assert exactly(read_sqlite(back)) == exactly(read_sqlite(last)) == exactly(rows)


def exactly(rows: Rows) -> dict[str, list[str]]:
    """All rows in an order of their own, their documents decoded by Python's own means: no number is a float."""
    return {name: sorted(repr(_decoded(FORMATS[name], row)) for row in some) for name, some in rows.items()}


def _decoded(table: TableFormat, row: Row) -> list[Any]:
    documents = table.at("json")
    return [
        _sorted(json.loads(value, parse_float=Fraction, parse_int=Fraction)) if place in documents else value
        for place, value in enumerate(row)
    ]


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    return {key: _sorted(value[key]) for key in sorted(value)} if isinstance(value, dict) else value
