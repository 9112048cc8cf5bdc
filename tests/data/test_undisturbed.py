"""Reading disturbs no program that writes to the same SQLite file, and leaves no byte of it or beside it changed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from agor_tui import paths
from agor_tui.cli.main import main
from agor_tui.db import migrator, private_copy
from agor_tui.db.engine import Database
from agor_tui.db.sqlite import MOST_UNLOCKED
from agor_tui.errors import DatabaseError
from agor_tui.repositories.probe import probe
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser
from agor_tui.services.care import backups
from agor_tui.services.care.checking import check
from agor_tui.services.dump.exporting import export_database
from tests.builders.agor import build_sqlite

from ..conftest import place_of

_COUNT = text("SELECT count(*), sum(updated_at) FROM sessions")

# A program that waits for no lock: it does what each line says, and answers what came of it.
_OWNER = """
import os, sqlite3, sys
owner = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
for pragma in sys.argv[2:]:
    owner.execute(f"PRAGMA {pragma}").fetchall()
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "die":
        os._exit(1)
    try:
        owner.execute(line)
        print("done", flush=True)
    except sqlite3.Error as error:
        print(error, flush=True)
"""
_CHANGE = "UPDATE sessions SET updated_at = updated_at + 1"


class Owner:
    """The program that owns the file, a process of its own."""

    def __init__(self, path: Path, *pragmas: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _OWNER, str(path), *pragmas],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.answer()

    def answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def does(self, statement: str) -> str:
        assert self._process.stdin
        print(statement, file=self._process.stdin, flush=True)
        return self.answer()

    def end(self) -> None:
        """Let it end, whether it died or not."""
        self._process.communicate()


@contextmanager
def owner_of(path: Path, *pragmas: str) -> Iterator[Owner]:
    """The owner at work."""
    owner = Owner(path, *pragmas)
    try:
        yield owner
    finally:
        owner.end()


@pytest.fixture
def agor(tmp_path: Path) -> Path:
    """A file of Agor's without a log, in a folder of its own, not touched for a while."""
    path = tmp_path / "agor" / "agor.db"
    path.parent.mkdir()
    build_sqlite(path, "2025")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def with_log(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",)


def state(folder: Path) -> dict[str, tuple[str, int, int]]:
    """What is in each file of a folder, and when it was changed; the folder's own time too."""
    found = {".": ("", folder.stat().st_mtime_ns, 0)}
    for path in folder.iterdir():
        stat = path.stat()
        found[path.name] = (hashlib.sha256(path.read_bytes()).hexdigest(), stat.st_mtime_ns, stat.st_mode)
    return found


def copies() -> list[Path]:
    folder = paths.cache_dir() / "copies"
    return list(folder.iterdir()) if folder.exists() else []


def living_log(path: Path) -> Iterator[None]:
    """Its program has it open, with changes in the log."""
    with_log(path)
    with owner_of(path, "wal_autocheckpoint=0") as owner:
        assert owner.does(_CHANGE) == "done"
        yield


def dead_log(path: Path) -> Iterator[None]:
    """Its program died, and left the log and the index of that."""
    with_log(path)
    owner = Owner(path, "wal_autocheckpoint=0")
    assert owner.does(_CHANGE) == "done"
    owner.does("die")
    owner.end()
    yield


def dead_log_without_index(path: Path) -> Iterator[None]:
    """The same, and the index is gone."""
    for _ in dead_log(path):
        Path(f"{path}-shm").unlink()
        yield


def closed_log(path: Path) -> Iterator[None]:
    """Its program ended well."""
    with_log(path)
    yield


def dead_journal(path: Path) -> Iterator[None]:
    """Its program died in the middle of a change."""
    owner = Owner(path, "cache_size=2")
    assert owner.does("BEGIN IMMEDIATE") == "done"
    assert owner.does("UPDATE messages SET data = data || ' '") == "done"
    assert owner.does("DELETE FROM sessions") == "done"
    owner.does("die")
    owner.end()
    assert Path(f"{path}-journal").read_bytes()[0]
    yield


def change_begun(path: Path) -> Iterator[None]:
    """Its program has begun a change, and nothing of it stands in the file yet."""
    with owner_of(path) as owner:
        assert owner.does("BEGIN IMMEDIATE") == "done"
        assert owner.does(_CHANGE) == "done"
        assert Path(f"{path}-journal").exists()
        yield


STATES = (living_log, dead_log, dead_log_without_index, closed_log, dead_journal, change_begun)


@pytest.mark.parametrize("make", STATES, ids=lambda make: make.__name__)
@pytest.mark.parametrize("is_read_only", [False, True], ids=["", "read-only folder"])
def test_no_command_changes_a_byte(
    agor: Path,
    tmp_path: Path,
    make: Callable[[Path], Iterator[None]],
    is_read_only: bool,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with Database(place_of(agor)) as database:
        whole = database.read(lambda connection: connection.execute(_COUNT).one())
    making = make(agor)
    next(making)
    changed = make in (living_log, dead_log, dead_log_without_index)
    if is_read_only:
        agor.parent.chmod(0o555)
    before = state(agor.parent)
    assert main(["session", "list", "archived:any", "--json", "-d", str(agor)]) == 0
    rows = json.loads(capfd.readouterr().out)
    assert len(rows) == whole[0]
    for command in (
        ["session", "show", rows[0]["id"]],
        ["message", "list", rows[0]["id"], "--json"],
        ["session", "tree", rows[0]["id"]],
        ["board", "list"],
        ["db", "status"],
        ["db", "test"],
        ["db", "check"],
        ["db", "backup", str(tmp_path / "b.db")],
        ["db", "export", str(tmp_path / "e.jsonl")],
        ["db", "copy", "--dry-run", str(agor), str(tmp_path / "c.db")],
    ):
        where = [] if "copy" in command else ["-d", str(agor)]
        assert main([*command, *where]) in (0, 5), (command, capfd.readouterr().err)
        assert state(agor.parent) == before, command
    with Database(place_of(agor)) as database:
        found = database.read(lambda connection: connection.execute(_COUNT).one())
    assert tuple(found) == (whole[0], whole[1] + whole[0] * changed)
    assert state(agor.parent) == before
    agor.parent.chmod(0o755)
    for _ in making:
        pass


def test_a_writer_that_waits_for_nothing_is_kept_from_nothing(agor: Path) -> None:
    """It commits in the middle of each reading, and each reading sees one state."""
    with owner_of(agor, "synchronous=OFF") as owner, Database(place_of(agor)) as database:
        answers: list[str] = []

        def read(connection: object) -> tuple[int, ...]:
            first = connection.execute(_COUNT).one()  # type: ignore[attr-defined]
            answers.append(owner.does(_CHANGE))
            rows = connection.execute(text("SELECT 1, updated_at FROM sessions"))  # type: ignore[attr-defined]
            found = [sum(column) for column in zip(*rows, strict=True)]
            assert len(answers) <= MOST_UNLOCKED or found == list(first)
            return tuple(found)

        number, total = database.read(read)
        assert answers == ["done"] * (MOST_UNLOCKED + 1)  # the last one read a copy
        assert total % number == database.read(lambda connection: connection.execute(_COUNT).one())[1] % number


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_long_readings_are_made_from_a_copy_while_another_program_writes(
    agor: Path, tmp_path: Path, journal: str
) -> None:
    with owner_of(agor, f"journal_mode={journal}", "synchronous=OFF") as owner:
        answers: list[str] = []

        def commit(_: object) -> None:
            answers.append(owner.does(_CHANGE))

        commit(None)
        backups.back_up(place_of(agor), tmp_path / "b.db", tell=commit)
        check(place_of(agor), tell=commit)
        export_database(place_of(agor), tmp_path / "e.jsonl", tell=commit)
        with Database(place_of(agor)) as database, database.snapshot() as snapshot:
            first = snapshot.connection.execute(_COUNT).one()
            commit(None)
            assert snapshot.connection.execute(_COUNT).one() == first
            snapshot.require_still()
            log = Path(f"{agor}-wal")
            if journal == "wal":  # nobody holds back the owner's tidying up
                assert owner.does("PRAGMA wal_checkpoint(TRUNCATE)") == "done"
                assert log.stat().st_size == 0
        assert set(answers) == {"done"}
    assert copies() == []


def test_a_change_that_is_undone_is_never_seen(agor: Path) -> None:
    """Pages that a large change puts into the file before its end are not read, not even from what is remembered."""
    with owner_of(agor, "cache_size=2") as owner, Database(place_of(agor)) as database:
        before = tuple(database.read(lambda connection: connection.execute(_COUNT).one()))
        attempts: list[tuple[int, ...]] = []

        def read(connection: object) -> tuple[int, ...]:
            if not attempts:
                owner.does("BEGIN IMMEDIATE")
                owner.does("UPDATE messages SET data = data || ' '")
                owner.does(_CHANGE)
            attempts.append(tuple(connection.execute(_COUNT).one()))  # type: ignore[attr-defined]
            if len(attempts) == 1:
                owner.does("ROLLBACK")
            return attempts[-1]

        assert database.read(read) == before


def test_a_database_of_ours_loses_no_change_when_it_is_looked_at_meanwhile(tmp_path: Path) -> None:
    """What another process closes while the app has it open is not cleared away under the app."""
    path = tmp_path / "mine.db"
    migrator.init(place_of(path))
    with Browser(*open_store(place_of(path))) as browser:
        assert browser.editor
        browser.editor.create_board("First")
        probe(place_of(path))
        script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(c.execute(sys.argv[2]).fetchall())"
        names = [sys.executable, "-c", f"{script}; c.close()", str(path), "SELECT name FROM boards ORDER BY name"]
        assert subprocess.check_output(names, text=True).strip() == "[('First',)]"
        browser.editor.create_board("Second")
        assert subprocess.check_output(names, text=True).strip() == "[('First',), ('Second',)]"
        assert [board.name for board in browser.boards()] == ["First", "Second"]


# Private copies


def read_anew(path: Path) -> int:
    with Database(place_of(path)) as database:
        return int(database.read(lambda connection: connection.execute(_COUNT).one())[0])


@pytest.mark.parametrize("make", [dead_log_without_index, dead_journal], ids=lambda make: make.__name__)
def test_one_copy_is_kept_while_it_is_true(agor: Path, make: Callable[[Path], Iterator[None]]) -> None:
    for _ in make(agor):
        first = read_anew(agor)
        (kept,) = copies()
        assert kept.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in kept.iterdir() if path.suffix == ".db"} == {0o600}
        made = (kept / "copy.db").stat().st_ino
        assert read_anew(agor) == first
        assert [(path, (path / "copy.db").stat().st_ino) for path in copies()] == [(kept, made)]
        with closing(sqlite3.connect(agor)) as owner:  # which recovers it
            owner.execute("DELETE FROM messages")
            owner.commit()
        private_copy.clear_untrue()
        assert copies() == []


def test_a_copy_that_is_in_use_or_unused_for_a_day(agor: Path) -> None:
    for _ in dead_journal(agor):
        with Database(place_of(agor)) as database:
            database.read(lambda connection: connection.execute(_COUNT).one())
            (kept,) = copies()
            os.utime(kept, (1_700_000_000, 1_700_000_000))
            private_copy.clear_untrue()
            assert copies() == [kept]
        private_copy.clear_untrue()
        assert copies() == []


def test_a_copy_of_a_command_that_was_killed_is_cleared_by_the_next(agor: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from agor_tui.db import private_copy\n"
        "from agor_tui.cli.main import main\n"
        "private_copy._recover = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "main(['session', 'list', '-d', sys.argv[1]])\n"
    )
    other = agor.with_name("other.db")
    shutil.copyfile(agor, other)
    for _ in dead_journal(agor):
        subprocess.run([sys.executable, "-c", script, str(agor)], check=False)
        assert [path.name[:10] for path in copies()] == [".agor-tui-"]
        subprocess.run([sys.executable, "-m", "agor_tui", "board", "list", "-d", str(other)], check=True)
        assert copies() == []


def test_no_room_for_a_copy_is_said_before(agor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_copy, "_SPARE", 1 << 62)
    for _ in dead_journal(agor):
        with pytest.raises(DatabaseError, match=r"no room for it: it takes .* 0 B are free"):
            read_anew(agor)
        assert copies() == []
