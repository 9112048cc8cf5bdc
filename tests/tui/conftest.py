"""Tests of the app: a test that is a coroutine runs in an event loop of its own."""

from __future__ import annotations

import asyncio
import inspect
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import textual._wait

from agor_tui.config.places import Place, SqlitePlace

from ..conftest import place_of
from ..data.conftest import next_revision
from ..servers import PostgresServer

__all__ = ["next_revision"]

# After each key Textual's pilot sleeps until the process was idle for so many seconds, twice. Its own measure, 20 ms,
# made half of the time of these tests; what takes the app longer is waited for by ``until``.
textual._wait.SLEEP_GRANULARITY = 0.01
textual._wait.SLEEP_IDLE = 0.0005


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test to its end."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(scope="session")
def family_file(native_templates: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SQLite file of a family of sessions, to be copied."""
    from .stored import fill

    path = tmp_path_factory.mktemp("family") / "team.db"
    shutil.copyfile(native_templates("sqlite"), path)
    fill(place_of(path))
    return path


@pytest.fixture
def family(family_file: Path, tmp_path: Path) -> SqlitePlace:
    """A family of sessions in an SQLite file of the test's own."""
    place = place_of(shutil.copyfile(family_file, tmp_path / "team.db"))
    assert isinstance(place, SqlitePlace)
    return place


@pytest.fixture
def empty(native_templates: Callable[[str], str], tmp_path: Path) -> Place:
    """A native SQLite database without rows."""
    return place_of(shutil.copyfile(native_templates("sqlite"), tmp_path / "team.db"))


@pytest.fixture
def empty_server(
    postgres_server: Callable[[int], PostgresServer], native_templates: Callable[[str], str]
) -> Iterator[Place]:
    """A native database without rows on PostgreSQL 18."""
    url = postgres_server(18).create_database(native_templates("postgresql-18"))
    yield place_of(url)
    postgres_server(18).drop_database(url)


@pytest.fixture(params=["empty", "empty_server"], ids=["sqlite", "postgresql-18"])
def place(request: pytest.FixtureRequest) -> Place:
    """A native database without rows, on each dialect."""
    found: Place = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def server_family(
    postgres_server: Callable[[int], PostgresServer], native_templates: Callable[[str], str]
) -> Iterator[Place]:
    """A family of sessions on PostgreSQL 18."""
    from .stored import fill

    server = postgres_server(18)
    url = server.create_database(native_templates("postgresql-18"))
    fill(place_of(url))
    yield place_of(url)
    server.drop_database(url)
