"""What every test stands on: an isolated environment, the fixtures, and empty databases on every dialect."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from . import libsql_server, servers

if TYPE_CHECKING:
    from agor_tui.config.places import Place

settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci")

DIALECTS = ("sqlite", "postgresql-16", "postgresql-18")
LIBSQL = "libsql"

_FIXTURES = Path(os.environ.get("AGOR_TUI_FIXTURES") or Path(__file__).resolve().parents[2] / "shared" / "fixtures")
_SERVERS = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """The controlling process makes the folder of the servers; its workers are told of it."""
    worker = getattr(config, "workerinput", None)
    config.addinivalue_line("markers", "libsql: what runs on each dialect runs on a libSQL server as well")
    config.stash[_SERVERS] = Path(worker["servers"]) if worker else servers.make_folder()


def pytest_collection_finish() -> None:
    """Let the collector pass over all that was imported: going through that again and again took a sixth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for a place on each dialect, and where it is marked so on libSQL too."""
    also = (LIBSQL,) if metafunc.definition.get_closest_marker("libsql") else ()
    for name in ("empty_place", "native_place"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, DIALECTS + also, indirect=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the servers are."""
    node.workerinput["servers"] = str(node.config.stash[_SERVERS])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers when the run ends."""
    if not hasattr(config, "workerinput") and _SERVERS in config.stash:
        servers.stop_all(config.stash[_SERVERS])


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("homes")
    return (root / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, _homes: Iterator[Path]) -> None:
    """Keep the developer's home, settings, databases, locale and terminal out of every test."""
    for name in list(os.environ):
        if name == "TEXTUAL_SNAPSHOT_TEMPDIR":  # where the snapshot plugin keeps its report
            continue
        if name.startswith(("XDG_", "AGOR", "PG", "DB_", "OPENCODE", "KILO", "TEXTUAL")):
            monkeypatch.delenv(name)
    for name in ("DATABASE_URL", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "PAGER", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    home = next(_homes)
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    time.tzset()


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A real keyring, in a file of this test's home; ``keyring.backends.fail`` is everyone else's."""
    from keyring import core
    from keyrings.alt.file import PlaintextKeyring

    backend = PlaintextKeyring()
    monkeypatch.setattr(core, "_keyring_backend", backend)
    return backend


@pytest.fixture(scope="session")
def fixtures_dir() -> Path:
    """The folder of databases that other programs wrote."""
    if not _FIXTURES.is_dir():
        pytest.skip(f"the fixtures are not at {_FIXTURES} (AGOR_TUI_FIXTURES names another folder)")
    return _FIXTURES


@pytest.fixture(scope="session")
def servers_folder(request: pytest.FixtureRequest) -> Path:
    """The folder of this run's servers; what still runs there when the run ends is stopped."""
    return request.config.stash[_SERVERS]


@pytest.fixture(scope="session")
def postgres_server(servers_folder: Path) -> Callable[[int], servers.PostgresServer]:
    """A function that returns the shared server of a version (16 or 18), started when first asked for."""
    folder = servers_folder
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    running: dict[int, servers.PostgresServer] = {}

    def server(version: int) -> servers.PostgresServer:
        if version not in running:
            running[version] = servers.running_server(folder, version, worker)
        return running[version]

    return server


def _database(server: servers.PostgresServer) -> Iterator[str]:
    url = server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture
def postgres16_url(postgres_server: Callable[[int], servers.PostgresServer]) -> Iterator[str]:
    """The URL of an empty database on PostgreSQL 16."""
    yield from _database(postgres_server(16))


@pytest.fixture
def postgres18_url(postgres_server: Callable[[int], servers.PostgresServer]) -> Iterator[str]:
    """The URL of an empty database on PostgreSQL 18."""
    yield from _database(postgres_server(18))


def place_of(target: str | Path) -> Place:
    """The place that a path or a URL names, with no config file and no environment."""
    from agor_tui import config

    return config.resolve(str(target), config_path=None, environ={})


@pytest.fixture(scope="session")
def libsql(servers_folder: Path) -> Iterator[libsql_server.LibsqlServer]:
    """The libSQL server of this worker."""
    server = libsql_server.start(servers_folder / f"libsql-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def native_libsql(libsql: libsql_server.LibsqlServer) -> Callable[[], Place]:
    """A function that makes the database of the libSQL server a native one without rows."""
    from agor_tui.db import migrator

    libsql.empty()
    migrator.init(place_of(libsql.url))
    libsql.keep_as("native")

    def make() -> Place:
        libsql.take("native")
        return place_of(libsql.url)

    return make


@pytest.fixture
def empty_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place with nothing in it yet: a path of no file, or an empty database of a server."""
    if request.param == "sqlite":
        return place_of(tmp_path / "native.db")
    if request.param == LIBSQL:
        server = request.getfixturevalue("libsql")
        server.empty()
        return place_of(server.url)
    return place_of(request.getfixturevalue(request.param.replace("postgresql-", "postgres") + "_url"))


@pytest.fixture(scope="session")
def native_templates(
    postgres_server: Callable[[int], servers.PostgresServer], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """A function that returns the native database to copy for a dialect, made once: a path, or a database's name."""
    from agor_tui.db import migrator

    made: dict[str, str] = {}

    def template(dialect: str) -> str:
        if dialect not in made:
            if dialect == "sqlite":
                made[dialect] = str(tmp_path_factory.mktemp("template") / "native.db")
                migrator.init(place_of(made[dialect]))
            else:
                url = postgres_server(int(dialect[-2:])).create_database()
                migrator.init(place_of(url))
                made[dialect] = url.rpartition("/")[2]
        return made[dialect]

    return template


@pytest.fixture
def native_place(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    postgres_server: Callable[[int], servers.PostgresServer],
    native_templates: Callable[[str], str],
) -> Iterator[Place]:
    """A native database without rows."""
    if request.param == "sqlite":
        path = tmp_path / "native.db"
        shutil.copyfile(native_templates("sqlite"), path)
        yield place_of(path)
        return
    if request.param == LIBSQL:
        yield request.getfixturevalue("native_libsql")()
        return
    server = postgres_server(int(request.param[-2:]))
    url = server.create_database(native_templates(request.param))
    yield place_of(url)
    server.drop_database(url)
