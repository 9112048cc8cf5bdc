"""What a killed process left half made: the same command, or the next one of any kind, finishes or clears it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agor_tui.config.places import Place, SqlitePlace
from agor_tui.db import migrator
from agor_tui.db.engine import Database
from agor_tui.db.revision import ownership
from agor_tui.services import transfer
from agor_tui.services.care import restoring
from agor_tui.services.care.checking import check
from agor_tui.services.dump.exporting import export_database
from agor_tui.services.dump.importing import import_file
from agor_tui.transfers import CopyOptions
from tests import servers
from tests.conftest import place_of

from .copies import is_unfinished
from .dumps import Templates, empty_file, same
from .one_row_each import count, fill

# The command itself, which is killed where it comes to call this.
_KILLED = """
import os, signal, sys
from importlib import import_module
module, name, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
called = getattr(import_module(module), name)
def kill(*arguments, **named):
    global number
    number -= 1
    if number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return called(*arguments, **named)
setattr(import_module(module), name, kill)
from agor_tui.cli.main import main
sys.exit(main(sys.argv[4:]))
"""


def killed(where: str, *command: str | Path, number: int = 1) -> None:
    """Run a command that is killed where it calls ``module:name`` for the so manieth time."""
    module, _, name = where.partition(":")
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, module, name, str(number), *map(str, command)], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def ran(*command: str | Path) -> str:
    """Run a command as it is, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "agor_tui", *map(str, command)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def source(native_templates: Templates, tmp_path: Path) -> SqlitePlace:
    """A native file with a row of each kind."""
    place = empty_file(native_templates, tmp_path / "from.db")
    fill(place)
    return place


@pytest.fixture(params=["a file", "a server"])
def empty(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_server: Callable[[int], servers.PostgresServer]
) -> str:
    """Where there is nothing yet: a path of no file, or an empty database of a server."""
    return str(tmp_path / "to.db") if request.param == "a file" else postgres_server(18).create_database()


def test_killed_between_two_revisions_of_a_new_target(source: SqlitePlace, empty: str) -> None:
    killed("agor_tui.db.scripts:run", "db", "copy", source.path, empty, number=2)
    with Database(place_of(empty)) as database:
        assert database.read(ownership) == "empty"  # all of them or none
    assert "nothing was lost" in ran("db", "copy", source.path, empty)
    assert same(source, place_of(empty))


def test_a_target_without_rows_that_is_behind_is_brought_up(source: SqlitePlace, empty: str) -> None:
    """As an older agor-tui left it that was killed between two revisions."""
    migrator.init(place_of(empty))
    migrator.downgrade(place_of(empty), "-1")
    assert transfer.copy(source, place_of(empty), CopyOptions()).lossless
    assert same(source, place_of(empty))


def test_an_import_that_was_killed_before_it_was_compared_is_known_again(
    source: SqlitePlace, empty: str, tmp_path: Path
) -> None:
    dump = tmp_path / "a.jsonl"
    export_database(source, dump, include_secrets=True)
    killed("agor_tui.services.dump.importing:_differing", "db", "import", dump, "-d", empty)
    place = place_of(empty)
    assert count(place, "messages") == count(source, "messages")
    assert is_unfinished(place)
    assert "copy" in [item.check for item in check(place).items if not item.well]
    assert "✓ The database has what the file has" in ran("db", "import", dump, "-d", empty)
    assert same(source, place)
    assert not is_unfinished(place)
    # And in place of what it is, which is a restore on a server.
    killed("agor_tui.services.dump.importing:_differing", "db", "restore", dump, "-d", empty, "--yes")
    ran("db", "restore", dump, "-d", empty, "--yes")
    assert same(source, place)
    assert not is_unfinished(place)
    assert import_file(dump, place, on_conflict="skip").resumed is False


def test_a_restore_that_was_killed_leaves_nothing_after_the_next_start(source: SqlitePlace, tmp_path: Path) -> None:
    folder, dump = tmp_path / "mine", tmp_path / "a.jsonl"
    folder.mkdir()
    export_database(source, dump, include_secrets=True)
    killed("agor_tui.services.care.restoring:_put_in_place", "db", "restore", dump, "-d", folder / "a.db", "--yes")
    assert [path.name for path in folder.glob(".*/*.db")] == ["import.db"]
    ran("session", "list", "-d", source.path)
    assert list(folder.iterdir()) == []
    restoring.restore(restoring.plan(place_of(folder / "a.db"), dump))
    assert same(source, place_of(folder / "a.db"))
    assert [path.name for path in folder.iterdir()] == ["a.db"]


def test_an_init_that_was_killed_anywhere_is_finished_by_the_next(
    postgres_server: Callable[[int], servers.PostgresServer], tmp_path: Path
) -> None:
    """The server may just be making the database for a process that is gone."""
    server = postgres_server(18)
    like = server.create_database()
    rng = random.Random(8)
    for number in range(4):
        url = f"{like}_{number}"
        process = subprocess.Popen(
            [sys.executable, "-m", "agor_tui", "db", "init", "-d", url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(0.2 + rng.random())
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert "is ready" in ran("db", "init", "-d", url)
        assert "✓ applied" in ran("db", "status", "-d", url)
        server.drop_database(url)


def test_a_database_that_was_just_made_for_another_process(
    postgres_server: Callable[[int], servers.PostgresServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not there when it was opened, and is when the server is asked."""
    server = postgres_server(18)
    url = f"{server.create_database()}_late"
    reach, asked = migrator._reach, []

    def first_too_early(place: Place) -> None:
        asked.append(place)
        if len(asked) < 3:
            with pytest.raises(Exception, match="has no database") as absent:
                reach(place_of(f"{url}_not"))  # type: ignore[arg-type]
            raise absent.value
        reach(place)  # type: ignore[arg-type]

    server_made = place_of(url)
    migrator.init(server_made)
    monkeypatch.setattr(migrator, "_reach", first_too_early)
    assert migrator.init(server_made).revisions == ()
    assert len(asked) == 3
    server.drop_database(url)
