"""Backing up an SQLite file while others write to it, and restoring it over others who read: all of it or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from stat import S_IMODE

import pytest

from agor_tui.config.places import SqlitePlace
from agor_tui.db import backup as backup_module
from agor_tui.errors import AgorError, Cancelled, DatabaseError, FileError, ForeignDatabaseError, SchemaVersionError
from agor_tui.services.care import backups, restoring
from agor_tui.services.care.file_sums import sum_path
from agor_tui.services.comparing import compare_places
from agor_tui.transfers import Progress
from tests.builders.agor import build_sqlite
from tests.conftest import place_of

from .one_row_each import count, execute, fill

MANY = """
INSERT INTO tasks (task_id, session_id, created_at, status, created_by, data)
WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 400)
SELECT printf('t-%06d', n), 's1', 1700000000000 + n, 'created', 'anonymous',
  json_object('n', n, 'text', hex(randomblob(1500))) FROM n
"""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies in small steps, each of which is told."""
    monkeypatch.setattr(backup_module, "_STEP_BYTES", 100_000)
    monkeypatch.setattr(backup_module, "_TELL_S", -1.0)


@pytest.fixture
def place(tmp_path: Path, native_templates: Callable[[str], str]) -> SqlitePlace:
    """A native file of a megabyte and more, in a folder of its own."""
    path = tmp_path / "data" / "team.db"
    path.parent.mkdir()
    path.write_bytes(Path(native_templates("sqlite")).read_bytes())
    found = place_of(path)
    assert isinstance(found, SqlitePlace)
    fill(found)
    execute(found, MANY)
    return found


def state(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def sole(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def set_journal(place: SqlitePlace, mode: str) -> None:
    with closing(sqlite3.connect(place.path)) as connection:
        assert connection.execute(f"PRAGMA journal_mode={mode}").fetchone() == (mode,)


def test_a_backup_holds_what_the_file_holds(place: SqlitePlace, steps: None) -> None:
    told: list[Progress] = []
    report = backups.back_up(place, tell=told.append)
    assert report.path.parent == place.path.parent / "backups"
    assert report.path.name.startswith("team-2")
    assert S_IMODE(report.path.stat().st_mode) == 0o600
    assert S_IMODE(report.path.parent.stat().st_mode) == 0o700
    assert (report.size, report.notes) == (report.path.stat().st_size, ())
    assert sum_path(report.path).read_text().split() == [
        hashlib.sha256(report.path.read_bytes()).hexdigest(),
        report.path.name,
    ]
    assert sorted(each.name for each in report.path.parent.iterdir()) == [report.path.name, sum_path(report.path).name]
    assert compare_places(place, place_of(report.path)).equal
    copied = [each for each in told if each.stage == "copy"]
    assert len(copied) > 5
    assert copied[-1].rows == copied[-1].total
    assert backups.back_up(place).path != report.path


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_others_write_meanwhile(place: SqlitePlace, journal: str, steps: None) -> None:
    """A writer commits at every step, and is kept from none of it."""
    set_journal(place, journal)
    written = 0
    with closing(sqlite3.connect(place.path, timeout=0, isolation_level=None)) as writer:
        writer.execute("UPDATE tasks SET completed_at = 0")

        def write(progress: Progress) -> None:
            nonlocal written
            writer.execute(f"UPDATE tasks SET completed_at = {written + 1}")  # the first page and the last
            written += 1

        report = backups.back_up(place, tell=write)
    assert written > 5
    with closing(sqlite3.connect(report.path)) as copy:
        assert len(copy.execute("SELECT DISTINCT completed_at FROM tasks").fetchall()) == 1
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert not report.notes


def test_a_backup_that_is_stopped_leaves_nothing(place: SqlitePlace, steps: None, tmp_path: Path) -> None:
    before, stop = state(tmp_path), threading.Event()
    with pytest.raises(Cancelled):
        backups.back_up(place, tmp_path / "b.db", tell=lambda _: stop.set(), stop=stop)
    assert state(tmp_path) == before


def test_another_programs_file_is_backed_up_without_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "agor" / "agor.db"
    path.parent.mkdir()
    build_sqlite(path, "2026", wal=True)
    before = state(path.parent)
    report = backups.back_up(place_of(path))
    assert state(path.parent) == before
    assert report.path.is_relative_to(Path.home())
    assert compare_places(place_of(path), place_of(report.path)).equal


def dangling(folder: Path) -> Path:
    (folder / "link.db").symlink_to(folder / "nowhere.db")
    return folder / "link.db"


@pytest.mark.parametrize(
    ("dest", "says"),
    [
        (lambda folder: folder / "data" / "team.db", "exists already"),
        (lambda folder: folder / "missing" / "b.db", "missing does not exist"),
        (lambda folder: folder / "data" / "team.db" / "b.db", "team.db is no folder"),
        (dangling, "exists already"),
    ],
)
def test_where_no_backup_can_go(place: SqlitePlace, tmp_path: Path, dest: Callable[[Path], Path], says: str) -> None:
    target = dest(tmp_path)
    before = state(tmp_path)
    with pytest.raises(FileError, match=says):
        backups.back_up(place, target)
    assert state(tmp_path) == before


FULL = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
from agor_tui.cli.main import main
print([main(command) for command in json.loads(sys.argv[1])])
"""


def test_a_full_disk(place: SqlitePlace, tmp_path: Path) -> None:
    """No file can grow beyond 400 kB, which looks like a full disk."""
    good = str(backups.back_up(place, tmp_path / "good.db").path)
    before = state(tmp_path)
    commands = [
        ["db", "backup", str(tmp_path / "b.db"), "-d", str(place.path)],
        ["db", "restore", good, "-d", str(place.path), "--yes"],
        ["db", "restore", good, "-d", str(tmp_path / "fresh.db"), "--yes"],
    ]
    done = subprocess.run(
        [sys.executable, "-c", FULL, json.dumps(commands)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[1, 1, 1]"
    assert done.stderr.count("there is no room for it") == 3
    assert state(tmp_path) == before


def test_a_restore_puts_back_what_was_there(place: SqlitePlace, steps: None) -> None:
    saved = backups.back_up(place).path
    execute(place, "DELETE FROM tasks WHERE task_id BETWEEN 't-000101' AND 't-999999'")
    execute(place, "UPDATE boards SET name = 'Changed'")
    planned = restoring.plan(place, saved)
    assert (planned.form, planned.now, planned.then) == ("sqlite", planned.then, planned.now)
    with closing(sqlite3.connect(place.path)) as reader:  # it has the file open, and reads on
        assert reader.execute("SELECT name FROM boards").fetchone() == ("Changed",)
        report = restoring.restore(planned)
        assert reader.execute("SELECT name FROM boards").fetchone() == ("Main",)
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert compare_places(place, place_of(saved)).equal
    assert report.safety is not None
    safety = place_of(report.safety)
    assert (count(safety, "tasks"), count(place, "tasks")) == (101, 401)
    assert S_IMODE(report.safety.stat().st_mode) == 0o600


def test_a_restore_where_nothing_is_yet(place: SqlitePlace, tmp_path: Path) -> None:
    saved = backups.back_up(place).path
    fresh = place_of(tmp_path / "fresh.db")
    assert isinstance(fresh, SqlitePlace)
    planned = restoring.plan(fresh, saved)
    assert (planned.now, planned.then.sessions) == (None, 1)
    assert restoring.restore(planned).safety is None
    assert compare_places(place, fresh).equal
    assert S_IMODE(fresh.path.stat().st_mode) == 0o600
    fresh.path.rename(tmp_path / "moved.db")
    Path(f"{fresh.path}-wal").write_bytes(b"left over")
    with pytest.raises(FileError, match=r"fresh\.db-wal is left"):
        restoring.restore(restoring.plan(fresh, saved))
    assert not fresh.path.exists()


def test_pages_of_another_size_and_a_log(place: SqlitePlace) -> None:
    saved = backups.back_up(place).path
    set_journal(place, "delete")
    with closing(sqlite3.connect(place.path)) as connection:
        connection.execute("PRAGMA page_size=8192")
        connection.execute("VACUUM")
        connection.execute("DELETE FROM tasks")
        connection.commit()
    set_journal(place, "wal")
    restoring.restore(restoring.plan(place, saved))
    assert compare_places(place, place_of(saved)).equal


def test_a_damaged_database_is_restored(place: SqlitePlace) -> None:
    saved = backups.back_up(place).path
    set_journal(place, "delete")
    with closing(sqlite3.connect(place.path)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'sessions'").fetchone()[0]
    with place.path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(DatabaseError, match="is damaged"):
        backups.back_up(place)
    planned = restoring.plan(place, saved)
    report = restoring.restore(planned)
    assert report.safety is not None
    assert report.safety.exists()
    assert compare_places(place, place_of(saved)).equal


def altered(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_without_checksum(path: Path) -> None:
    cut(path)
    sum_path(path).unlink()


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE agor_tui_version SET version_num = '9999'")
    sum_path(path).unlink()


def foreign(path: Path) -> None:
    path.unlink()
    build_sqlite(path, "2026")
    sum_path(path).unlink()


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        (altered, FileError, "was cut or altered"),
        (cut, FileError, "was cut or altered"),
        (cut_without_checksum, FileError, "is damaged"),
        (newer, SchemaVersionError, "9999"),
        (foreign, ForeignDatabaseError, "is no backup of a database of agor-tui"),
        (lambda path: path.write_bytes(b""), FileError, "is empty"),
        (lambda path: path.write_bytes(b"PGDMP\1"), FileError, "pg_restore"),
        (lambda path: path.write_bytes(b"nonsense"), FileError, "is no export"),
        (lambda path: path.unlink(), FileError, "does not exist"),
    ],
)
def test_what_is_no_backup(
    place: SqlitePlace, change: Callable[[Path], object], kind: type[AgorError], says: str
) -> None:
    saved = backups.back_up(place).path
    change(saved)
    before = state(place.path.parent)
    with pytest.raises(kind, match=says) as caught:
        restoring.plan(place, saved)
    assert str(saved) in caught.value.message
    assert state(place.path.parent) == before


def test_what_is_not_restored_over(place: SqlitePlace, tmp_path: Path) -> None:
    saved = backups.back_up(place).path
    agor = tmp_path / "agor.db"
    build_sqlite(agor, "2026")
    link = tmp_path / "link.db"
    link.symlink_to(place.path)
    odd = tmp_path / "odd.db"
    odd.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    before = state(tmp_path)
    for target, backup, says in (
        (agor, saved, "belongs to Agor"),
        (place.path, link, "is the database itself"),
        (odd, saved, "odd.db"),
    ):
        with pytest.raises(AgorError, match=says):
            restoring.plan(place_of(target), backup)
    assert state(tmp_path) == before


def test_a_database_that_is_locked(place: SqlitePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = backups.back_up(place).path
    planned = restoring.plan(place, saved)
    monkeypatch.setattr(backup_module, "LONGEST_WAIT_S", 0)
    with closing(sqlite3.connect(place.path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match="locked"):
            restoring.restore(planned)
        writer.execute("ROLLBACK")
    assert compare_places(place, place_of(saved)).equal


def killed_restore(place: SqlitePlace, saved: Path, step: int) -> int:
    """Restore in a process of its own that is killed after so many steps; return its wait status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    left = step

    def tell(progress: Progress) -> None:
        nonlocal left
        left -= progress.stage == "restore"
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        restoring.restore(restoring.plan(place, saved), tell=tell)
    finally:
        os._exit(1)


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_restore_that_is_killed_leaves_the_old_or_the_new(place: SqlitePlace, steps: None, journal: str) -> None:
    saved = place_of(backups.back_up(place).path)
    execute(place, "UPDATE tasks SET data = json_object('other', hex(randomblob(2000)))")
    execute(place, "DELETE FROM tasks WHERE task_id > 't-000300'")
    old = place_of(backups.back_up(place).path)
    set_journal(place, journal)
    assert isinstance(saved, SqlitePlace)
    total = saved.path.stat().st_size // 100_000
    chosen = random.Random(20261121)
    for step in [0, *sorted(chosen.sample(range(1, total), 2)), total]:
        assert killed_restore(place, saved.path, step) == signal.SIGKILL
        with closing(sqlite3.connect(place.path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        # The last step is told of when the transaction is over.
        assert compare_places(place, saved if step == total else old).equal, step
