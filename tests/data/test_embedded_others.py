"""The embedded server where several users of a machine have one, and where the app runs as root."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import agor_tui
from agor_tui.db.embedded import locks, root
from agor_tui.db.embedded.postmaster import read_postmaster
from agor_tui.db.embedded.server import embedded_server
from agor_tui.db.postgresql_programs import bin_folders
from agor_tui.errors import DatabaseError

from .test_embedded_keeper import OLD_RULES, contents, databases, fresh, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users")

USERS = ("daemon", "games")

#: Makes a database on the server of the user's own folder, says where that is, and goes on until it is told to end.
PROGRAM = """
import sys
from pathlib import Path
import psycopg
from agor_tui.db.embedded.server import embedded_server
with embedded_server(Path(sys.argv[1])) as server:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE mine")
        print(connection.info.host, flush=True)
    sys.stdin.read()
"""
CONNECT = """
import sys, psycopg
try:
    psycopg.connect(host=sys.argv[1], user="postgres", dbname="mine", connect_timeout=10)
except psycopg.OperationalError as error:
    sys.exit("Permission denied" not in str(error))
sys.exit(2)
"""


@pytest.fixture
def homes(servers_folder: Path) -> Iterator[dict[str, Path]]:
    """A private folder for each of two users."""
    base = fresh(servers_folder)
    made = {}
    for name in USERS:
        made[name] = base / name
        made[name].mkdir(mode=0o700)
        shutil.chown(made[name], name)
    yield made
    for home in made.values():
        for keeper in home.rglob("*.keeper"):
            folder = keeper.with_suffix("")
            until(lambda folder=folder: not locks.keeper_lives(folder))


@pytest.fixture
def closed(servers_folder: Path) -> Iterator[Path]:
    """Where the data may be in a home that root alone may enter."""
    home = fresh(servers_folder)
    home.chmod(0o700)
    folder = home / "share" / "postgresql"
    yield folder
    until(lambda: not locks.keeper_lives(folder))
    if folder.is_symlink():
        shutil.rmtree(folder.resolve(), ignore_errors=True)


def python() -> str:
    """An interpreter that other users can run: this one, or another of the same version."""
    user = pwd.getpwnam(USERS[0])
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for path in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        try:
            subprocess.run([path, "-c", ""], user=user.pw_uid, group=user.pw_gid, extra_groups=[], check=True)
        except (OSError, subprocess.SubprocessError):
            continue
        return path
    pytest.skip(f"no {name} that an ordinary user can run")


def started(name: str, *arguments: str, program: str = PROGRAM, **environ: str) -> subprocess.Popen[str]:
    """A program of this user."""
    user = pwd.getpwnam(name)
    packages = [str(Path(module.__file__).parent.parent) for module in (agor_tui, psycopg)]  # type: ignore[arg-type]
    return subprocess.Popen(
        [python(), "-P", "-c", program, *arguments],
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(packages), "PYTHONDONTWRITEBYTECODE": "1", **environ},
        cwd="/",
        umask=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("length", [10, 150])
def test_two_users_at_once(homes: dict[str, Path], length: int) -> None:
    """Each has a server, into which the other, and nobody else, gets; whatever new files may be by their umask."""
    folders = {name: home / ("long" * (length // 4)) / "postgresql" for name, home in homes.items()}
    running = {name: started(name, str(folder)) for name, folder in folders.items()}
    sockets = {name: program.stdout.readline().strip() for name, program in running.items()}  # type: ignore[union-attr]
    assert all(sockets.values())
    for name, place in sockets.items():
        owner = pwd.getpwnam(name).pw_uid
        found = Path(place).stat()
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (owner, 0o700)
        server = read_postmaster(folders[name])
        assert server is not None
        assert Path(f"/proc/{server.pid}").stat().st_uid == owner
        for other in {*USERS, "nobody"} - {name}:
            intruder = started(other, place, program=CONNECT)
            _, said = intruder.communicate()
            assert intruder.returncode == 0, said
        with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
            psycopg.connect(host=place, user="postgres", dbname="mine")  # as root, for whom no folder is closed
        assert not [path for path in homes[name].rglob("*") if path.lstat().st_uid != owner]
    for name, program in running.items():
        program.kill()
        program.communicate()
        until(lambda name=name: not locks.keeper_lives(folders[name]))  # type: ignore[misc]
        assert not Path(sockets[name]).exists() or Path(sockets[name]) == folders[name]


def test_a_folder_of_another_user(homes: dict[str, Path]) -> None:
    """Neither root nor another user takes it over."""
    folder = homes["daemon"] / "postgresql"
    program = started("daemon", str(folder))
    assert program.stdout.readline()  # type: ignore[union-attr]
    program.communicate("")
    until(lambda: not locks.keeper_lives(folder))
    before = contents(folder.parent)
    with pytest.raises(DatabaseError) as caught:
        databases(folder)
    assert caught.value.message == f"{folder} belongs to daemon, and agor-tui runs as root."
    assert caught.value.hint == "Run agor-tui as daemon."
    with pytest.raises(DatabaseError, match="belongs to daemon"):
        databases(homes["daemon"] / "new" / "postgresql")
    homes["daemon"].chmod(0o777)
    os.chmod(folder.parent, 0o777)
    stranger = started("games", str(folder))
    _, said = stranger.communicate("")
    assert stranger.returncode == 1
    assert "DatabaseError" in said
    homes["daemon"].chmod(0o700)
    assert contents(folder.parent) == before


def test_root_opens_nothing_of_its_home(closed: Path) -> None:
    """The server is the system user's, its data in a folder of the system, and its programs where that can run them."""
    with embedded_server(closed) as server, psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE mine")
        data = closed.resolve()
        assert data.parent == Path("/var/lib/agor-tui")
        assert (data.owner(), stat.S_IMODE(data.stat().st_mode)) == (root.SERVER_USER, 0o700)
        assert connection.execute("SELECT auth_method FROM pg_hba_file_rules").fetchall() == [("peer",)]
        found = read_postmaster(data)
        assert found is not None
        status = Path(f"/proc/{found.pid}/status").read_text()
        assert status.partition("Groups:")[2].split("\n")[0].split() == []
        assert Path(f"/proc/{found.pid}").owner() == root.SERVER_USER
    assert [stat.S_IMODE(path.stat().st_mode) for path in (closed.parent, closed.parent.parent)] == [0o700, 0o700]
    assert databases(closed) >= {"mine"}
    closed.unlink()  # the link was lost
    assert databases(closed) >= {"mine"}


@pytest.mark.parametrize("home_mode", [0o755, 0o700])
def test_roots_data_of_the_release_before(closed: Path, home_mode: int) -> None:
    """In a home that it opened, or that was closed since: they go on opening, and nothing is opened again."""
    with embedded_server(closed) as server, psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE mine")
    data = closed.resolve()
    closed.unlink()
    data.rename(closed)
    (closed / "pg_hba.conf").write_text(OLD_RULES)
    for path in (closed.parent, closed.parent.parent):
        path.chmod(home_mode)
    assert databases(closed) >= {"mine"}
    assert closed.is_symlink() is (home_mode == 0o700)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (closed.parent, closed.parent.parent)] == [home_mode] * 2
    assert "trust" not in (closed / "pg_hba.conf").read_text()


@pytest.mark.parametrize("name", ["notes.txt", "PG_VERSION"])
def test_roots_own_files_are_let_be(closed: Path, name: str) -> None:
    closed.mkdir(parents=True)
    (closed / name).write_text("mine")
    before = contents(closed)
    with pytest.raises(DatabaseError, match="is no folder of PostgreSQL's data"):
        databases(closed)
    assert contents(closed) == before


def test_programs_that_only_root_can_read(closed: Path) -> None:
    """They are copied for the server's user, who cannot change them; an older copy goes."""
    user = root.ensure_user()
    source = closed.parent / "programs"
    shutil.copytree(bin_folders()[18].parent, source, symlinks=True)
    first = root.runnable(source / "bin", user)
    assert root.runnable(source / "bin", user) == first
    assert not [path for path in first.parent.rglob("*") if path.lstat().st_uid or path.stat().st_mode & 0o022]
    os.utime(source / "bin" / "postgres")
    second = root.runnable(source / "bin", user)
    try:
        assert second != first
        assert not first.exists()
        assert (second / "initdb").stat().st_mode & 0o001
    finally:
        shutil.rmtree(second.parent)
    assert stat.S_IMODE(closed.parent.parent.stat().st_mode) == 0o700
