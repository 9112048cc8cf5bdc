"""Backing up a database on a server, and restoring it there: in one transaction, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from stat import S_IMODE

import psycopg
import pytest

from agor_tui.config.places import Place, PostgresPlace, SqlitePlace
from agor_tui.db import migrator, pg_dump
from agor_tui.errors import AgorError, Cancelled, DatabaseError, FileError
from agor_tui.services.care import backups, restoring
from agor_tui.services.comparing import compare_places
from agor_tui.services.dump.exporting import export_database
from tests import servers
from tests.builders.agor import build_postgresql
from tests.conftest import place_of

from .migrating import address
from .one_row_each import count, execute, fill

TASKS = """
INSERT INTO tasks (task_id, session_id, created_at, status, created_by, data)
SELECT 't-' || n, 's1', created_at, 'created', 'anonymous', data FROM tasks
CROSS JOIN (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3) AS numbers
"""


def held_by(path: Path, folder: Path) -> Place:
    """A database of its own that holds what a backup holds."""
    fresh = place_of(folder / f"{path.name}.db")
    restoring.restore(restoring.plan(fresh, path))
    return fresh


@pytest.mark.libsql
def test_there_and_back(place: Place, tmp_path: Path) -> None:
    fill(place)
    execute(place, TASKS)
    folder = tmp_path / "to"
    folder.mkdir()
    saved = backups.back_up(place, folder)
    execute(place, "DELETE FROM tasks WHERE task_id <> 't1'")
    execute(place, "UPDATE boards SET name = 'Changed'")
    planned = restoring.plan(place, saved.path)
    assert planned.then.sessions == 1
    assert planned.now is not None
    assert planned.now.sessions == 1
    report = restoring.restore(planned)
    assert compare_places(place, held_by(saved.path, tmp_path)).equal
    assert count(place, "tasks") == 4
    assert report.safety is not None
    assert report.safety.exists()
    assert {S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}
    assert saved.form == ("sqlite" if isinstance(place, SqlitePlace) else "jsonl")
    assert (saved.also is not None) == isinstance(place, PostgresPlace)


def test_pg_dump_makes_a_file_that_pg_restore_reads(
    postgres18_url: str, postgres_server: Callable[[int], servers.PostgresServer], tmp_path: Path
) -> None:
    server = postgres_server(18)
    place = place_of(postgres18_url)
    migrator.init(place)
    fill(place)
    made = backups.back_up(place, tmp_path / "b.jsonl").also
    assert made == tmp_path / "b.dump"
    fresh = server.create_database()
    subprocess.run([server.bin_path / "pg_restore", "--no-owner", f"--dbname={fresh}", made], check=True)
    assert compare_places(place, place_of(fresh)).equal
    server.drop_database(fresh)
    with pytest.raises(FileError, match="pg_restore"):
        restoring.plan(place, made)


SPY = """#!/bin/sh
case "$1" in --version) exec {real} "$@";; esac
echo "$@" > {log}
env | grep -c '^PGPASSWORD={password}$' >> {log}
exec {real} "$@"
"""


def test_the_password_is_not_on_the_command_line(
    postgres16_url: str,
    postgres_server: Callable[[int], servers.PostgresServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = postgres16_url.replace("postgres@", f"{servers.PASSWORD_ROLE}:{servers.PASSWORD}@")
    place = place_of(url)
    migrator.init(place)
    spy, log = tmp_path / "bin" / "pg_dump", tmp_path / "log"
    spy.parent.mkdir()
    real = postgres_server(16).bin_path / "pg_dump"
    spy.write_text(SPY.format(real=real, log=log, password=servers.PASSWORD))
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}{os.pathsep}{os.environ['PATH']}")
    report = backups.back_up(place, tmp_path / "b.jsonl")
    assert report.also is not None
    arguments, found = log.read_text().splitlines()
    assert servers.PASSWORD not in arguments
    assert "dbname=test_" in arguments
    assert found == "1"


def test_another_programs_server(postgres16_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_postgresql(postgres16_url)
    place = place_of(postgres16_url)
    report = backups.back_up(place, tmp_path)
    assert (report.form, report.path.suffix, report.also) == ("pg_dump", ".dump", None)
    assert report.path.read_bytes().startswith(b"PGDMP")
    own = place_of(tmp_path / "own.db")
    migrator.init(own)
    export_database(own, tmp_path / "own.jsonl", include_secrets=True)
    with pytest.raises(AgorError, match="belongs to Agor"):
        restoring.plan(place, tmp_path / "own.jsonl")
    monkeypatch.setattr(pg_dump, "_programs", lambda: iter(()))
    with pytest.raises(DatabaseError, match="takes pg_dump 16 or newer"):
        backups.back_up(place, tmp_path)


def test_there_is_nothing_to_back_up(empty_place: Place, tmp_path: Path) -> None:
    if isinstance(empty_place, SqlitePlace):
        empty_place.path.touch()
    with pytest.raises(DatabaseError, match="holds no tables"):
        backups.back_up(empty_place, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_without_pg_dump(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pg_dump, "_programs", lambda: iter(()))
    report = backups.back_up(place, tmp_path / "b")
    assert (report.also, report.notes) == (None, ())


def test_what_is_not_restored_to_a_server(place: Place, tmp_path: Path) -> None:
    fill(place)
    file = place_of(tmp_path / "file.db")
    migrator.init(file)
    export_database(file, tmp_path / "bare.jsonl")
    assert not restoring.plan(place, tmp_path / "bare.jsonl").secrets
    lines = (tmp_path / "bare.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "cut.jsonl").write_bytes(b"".join(lines[:-1]))
    (tmp_path / "later.jsonl").write_bytes(lines[0].replace(b'"0002"', b'"0999"') + b"".join(lines[1:]))
    cases = [("cut.jsonl", "cut"), ("later.jsonl", "0999")]
    if isinstance(place, PostgresPlace):
        cases.append(("file.db", "is a backup of a file"))
    for name, says in cases:
        with pytest.raises(AgorError, match=says) as caught:
            restoring.plan(place, tmp_path / name)
        assert name in caught.value.message
    with pytest.raises(AgorError, match="for reading only"):
        restoring.plan(replace(place, read_only=True), tmp_path / "bare.jsonl")
    assert count(place, "tasks") == 1


def test_locked_rows_are_not_waited_for_without_end(postgres16_url: str, tmp_path: Path) -> None:
    place = place_of(postgres16_url)
    migrator.init(place)
    fill(place)
    export_database(place, tmp_path / "b.jsonl", include_secrets=True)
    planned = restoring.plan(place, tmp_path / "b.jsonl")
    with psycopg.connect(postgres16_url) as other, pytest.MonkeyPatch.context() as patch:
        patch.setattr("agor_tui.db.restoring.LONGEST_WAIT_S", 1)
        other.execute("LOCK TABLE tasks IN ROW EXCLUSIVE MODE")
        with pytest.raises(DatabaseError, match="being changed by another program"):
            restoring.restore(planned)
    assert count(place, "tasks") == 1


def test_a_restore_that_is_stopped_changes_nothing(place: Place, tmp_path: Path) -> None:
    fill(place)
    saved = backups.back_up(place, tmp_path / "b").path
    execute(place, "DELETE FROM tasks")
    planned = restoring.plan(place, saved)
    stop = threading.Event()
    with pytest.raises(Cancelled):
        restoring.restore(planned, tell=lambda progress: stop.set(), stop=stop)
    assert count(place, "tasks") == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from agor_tui.config import resolve
from agor_tui.services.care import restoring
from agor_tui.services.dump.source import DumpSource
def run(self, *_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
DumpSource.finish = run
place = resolve(sys.argv[1], config_path=None, environ={})
restoring.restore(restoring.plan(place, Path(sys.argv[2])))
"""


def test_a_restore_that_is_killed_before_its_end_changes_nothing(postgres16_url: str, tmp_path: Path) -> None:
    """All rows are written when it dies, and the old ones gone, but for the end of the transaction.

    How a restore into a file is killed is in test_backup.
    """
    place = place_of(postgres16_url)
    migrator.init(place)
    fill(place)
    export_database(place, tmp_path / "b.jsonl", include_secrets=True)
    execute(place, TASKS)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, address(place), str(tmp_path / "b.jsonl")],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert count(place, "tasks") == 4
