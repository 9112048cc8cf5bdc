"""Browsing changes not one byte, leaves no file behind, and shows no secret."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.builders import agor, opencode
from tests.builders.agor_rows import SECRET

from .conftest import Answer, Run

FILES = ("agor/agor.db", "agor-2026/agor.db", "opencode/opencode.db")
NOBODY = 65534


def fingerprint(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Each file of a folder, and the folder itself: what is in it, when it changed, who may do what."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        stat = path.stat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = (content, stat.st_mtime_ns, stat.st_mode)
    return found


def every_command(run: Callable[..., Answer]) -> Iterator[Answer]:
    """The answers of all commands that read, on some rows of a database."""
    sessions = run("session", "list", "archived:any", "--limit", "0", "--json")
    tasks = run("task", "list", "archived:any", "--limit", "0", "--json")
    yield from (sessions, tasks)
    for extra in ([], ["--json"]):
        yield run("session", "list", *extra)
        yield run("board", "list", *extra)
        yield run("db", "status", *extra)
        yield run("db", "test", *extra)
        for row in sessions.json[:: len(sessions.json) // 2 or 1]:
            yield run("session", "show", row["id"], *extra)
            yield run("session", "tree", row["id"], *extra)
            yield run("message", "list", row["id"], "--limit", "0", *extra)
        for row in tasks.json[:: len(tasks.json) // 2 or 1]:
            yield run("task", "show", row["id"], *extra)
            yield run("id", row["id"], *extra)
    yield run("id", "ffffffffffffffff")
    yield run("db", "migrate")
    yield run("db", "init")
    yield run("db", "reset", "--yes")


@pytest.mark.parametrize("name", ["built agor", "built opencode", *FILES])
def test_no_command_changes_a_byte(
    run: Run, tmp_path: Path, request: pytest.FixtureRequest, agor_db: Path, name: str
) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    path = folder / "it.db"
    if name == "built opencode":
        opencode.build(path)
    else:
        shutil.copy(agor_db if name == "built agor" else request.getfixturevalue("fixtures_dir") / name, path)
    before = fingerprint(folder)
    answers = list(every_command(lambda *words: run(*words, "-d", path)))
    assert [answer.code for answer in answers[:-4]] == [0] * len(answers[:-4])
    assert [answer.code for answer in answers[-4:]] == [4, 1, 1, 1]
    assert fingerprint(folder) == before
    assert SECRET.encode() in path.read_bytes() or name.startswith(("agor/", "opencode/"))
    assert_no_secret(answers)


def test_the_fixtures_themselves_are_read_in_place(program: Run, fixtures_dir: Path) -> None:
    before = fingerprint(fixtures_dir)
    for name in FILES:
        assert program("session", "list", "-d", fixtures_dir / name, "--json").json
    assert fingerprint(fixtures_dir) == before


@pytest.fixture
def read_only_store(agor_db: Path) -> Iterator[Path]:
    """A database in a folder where nobody may write, out of the reach of the test's own private folders."""
    folder = Path(tempfile.mkdtemp(prefix="agor-tui-ro-"))
    path = folder / "agor.db"
    shutil.copy(agor_db, path)
    path.chmod(0o444)
    folder.chmod(0o555)
    yield path
    folder.chmod(0o755)
    shutil.rmtree(folder)


# Root may write anywhere, so as root the program goes on as nobody. By then it has imported all it needs, since nobody
# may not read root's Python; a first run on another database sees to that.
_AS_NOBODY = """
import contextlib, io, json, os, sys
from agor_tui.cli.main import main
commands, other, path, nobody = json.loads(sys.argv[1]), *sys.argv[2:]
with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):
    for command in commands:
        main([*command, "-d", other])
if os.geteuid() == 0:
    os.setgid(int(nobody))
    os.setuid(int(nobody))
try:
    open(path, "ab")
except PermissionError:
    sys.exit(max(main([*command, "-d", path]) for command in commands))
sys.exit("the file may be written after all")
"""


def test_a_read_only_file_in_a_read_only_folder(agor_db: Path, read_only_store: Path, run: Run) -> None:
    before = fingerprint(read_only_store.parent)
    session = max(run("session", "list", "-d", agor_db, "--json").json, key=lambda row: row["message_count"])["id"]
    commands = [["session", "list", "--json"], ["message", "list", session, "--json"], ["db", "test"]]
    done = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, json.dumps(commands), str(agor_db), str(read_only_store), str(NOBODY)],
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    wanted = [run(*command, "-d", agor_db).out for command in commands[:2]]
    assert done.stdout.decode().startswith("".join(wanted))
    assert "read-only" in done.stdout.decode()
    assert fingerprint(read_only_store.parent) == before


# Secrets


def assert_no_secret(answers: Iterable[Answer]) -> None:
    shown = 0
    for answer in answers:
        assert SECRET not in answer.out
        assert SECRET not in answer.err
        shown += len(answer.out)
    assert shown > 10_000


def test_no_secret_of_a_built_postgresql(run: Run, keep_open: None, postgres18_url: str) -> None:
    agor.build_postgresql(postgres18_url)
    assert_no_secret(every_command(lambda *words: run("-d", postgres18_url, *words)))


def every_row(run: Callable[..., Answer]) -> Iterator[Answer]:
    """All that the commands show of all sessions and tasks."""
    sessions = run("session", "list", "archived:any", "--limit", "0", "--json")
    tasks = run("task", "list", "archived:any", "--limit", "0", "--json")
    yield from (sessions, tasks, run("board", "list", "--json"))
    for row in sessions.json:
        yield run("session", "show", row["id"], "--json")
        yield run("message", "list", row["id"], "--limit", "0", "--json")
    for row in tasks.json[::4]:
        yield run("task", "show", row["id"], "--json")


def test_no_secret_of_the_fixture(run: Run, keep_open: None, fixtures_dir: Path) -> None:
    path = fixtures_dir / "agor-2026" / "agor.db"
    assert_no_secret(every_row(lambda *words: run("-d", path, *words)))


@pytest.mark.parametrize("tenant", ["default", "acme-labs"])
def test_no_secret_of_the_restored_dump(run: Run, keep_open: None, restored: Callable[[int], str], tenant: str) -> None:
    url = restored(18)
    assert_no_secret(every_row(lambda *words: run("-d", url, "--tenant", tenant, *words)))


def test_a_password_in_the_environment_is_never_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:hunter2@no-such-host.invalid/team?password=hunter2")
    for command in (["session", "list"], ["db", "test"], ["db", "test", "--json"], ["db", "init"]):
        answer = run(*command)
        assert answer.code == 1
        assert "hunter2" not in json.dumps([answer.out, answer.err])
