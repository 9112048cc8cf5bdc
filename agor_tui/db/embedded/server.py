"""The embedded PostgreSQL server, from the binaries that the extra ``postgres-embedded`` brings."""

from __future__ import annotations

import atexit
import json
import os
import pwd
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

import agor_tui
from agor_tui.config.places import PostgresPlace
from agor_tui.db.embedded import keeper, locks, root
from agor_tui.db.embedded.cluster import reason
from agor_tui.db.embedded.postmaster import PORT, SUPERUSER, read_postmaster, serves
from agor_tui.db.embedded.sockets import is_private
from agor_tui.errors import ConfigError, DatabaseError
from agor_tui.hints import has_extra, install_hint
from agor_tui.scratch import make_private

_STARTING_S, _ENDING_S = 60.0, 10.0
"""So long the server may take to let clients in, and so long the last one to leave waits for its end."""
_REFUSING_S = 5.0
"""So long a server that says that it is ready may let nobody in."""
_PAUSE_S = 0.02
_MAKING = 7_203_002
"""Key of an advisory lock, held by whoever makes a database."""
_OTHER_CLIENTS = (
    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


class EmbeddedServer:
    """A running server, whose socket is in the folder ``sockets``."""

    def __init__(self, sockets: Path, connection: psycopg.Connection[Any]) -> None:
        self._sockets = sockets
        self._connection = connection

    def url(self, database: str) -> str:
        """The URL of a database on this server."""
        from urllib.parse import quote, urlencode

        query = urlencode({"host": str(self._sockets), "port": PORT, **_options()}, quote_via=quote, safe="")
        return f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?{query}"

    def place(self, place: PostgresPlace) -> PostgresPlace:
        """How a place on the embedded server is reached."""
        return replace(
            place,
            embedded=False,
            host=str(self._sockets),
            port=PORT,
            database=place.database or SUPERUSER,
            user=SUPERUSER,
            options=_options(),
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

    It ends with its last user, also where that was killed.

    Raises:
        ConfigError: the extra is not installed.
        DatabaseError: the server does not start.
    """
    if not has_extra("postgres-embedded"):
        raise ConfigError("The embedded PostgreSQL server is not installed.", install_hint("postgres-embedded"))
    try:
        if os.geteuid() == 0:
            root.settle(folder)
        make_private(folder.parent)
        held = locks.open_lock(locks.users_file(folder))
    except OSError as error:
        raise _not_started(folder, f"{error.filename or folder}: {error.strerror}") from None
    try:
        try:
            sockets, connection = _join(folder, held)
        except OSError as error:  # such as of a file system without locks
            raise _not_started(folder, f"{error.filename or folder}: {error.strerror}") from None
        with closing(connection):
            yield EmbeddedServer(sockets, connection)
    finally:
        is_last = locks.take(held, locks.ALONE)
        os.close(held)
        if is_last:
            _wait_for_end(folder)


def _join(folder: Path, held: int) -> tuple[Path, psycopg.Connection[Any]]:
    """Become a user of the server, by the lock ``held``; return its folder of sockets, and a connection."""
    end = time.monotonic() + _STARTING_S
    refused_since: float | None = None
    while time.monotonic() < end:
        if not locks.take(held, locks.SHARED):
            pass  # a server that nobody used is being stopped
        elif not locks.keeper_lives(folder):
            _refuse_used(folder.resolve())
            _start_keeper(folder, end)
            continue
        elif sockets := locks.kept_sockets(folder):
            if not is_private(sockets, *_owners()):
                raise _not_started(folder, f"others can reach into the folder of its socket, {sockets}")
            try:
                return sockets, _connection(sockets)
            except psycopg.Error as error:
                refused_since = refused_since or time.monotonic()
                if time.monotonic() - refused_since > _REFUSING_S:
                    raise _not_started(folder, reason(str(error)) or "it lets nobody in") from None
        time.sleep(_PAUSE_S)
    raise _not_started(folder, f"no answer in {_STARTING_S:g} s. It may be recovering")


def _start_keeper(folder: Path, end: float) -> None:
    """Start the program that keeps the server, and wait until that runs; also where another one keeps it already."""
    package = str(Path(agor_tui.__file__).parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", keeper.__name__, str(folder.absolute())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([package, *([inherited] if inherited else [])])},
    )
    with process:  # which ends at once; what it started does not
        assert process.stdout is not None
        answers, _, _ = select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))
        line = process.stdout.readline() if answers else b""
    try:
        answer = json.loads(line)
    except ValueError:
        if answers:
            raise _not_started(folder, "the program that keeps it broke off") from None
        return
    if answer["state"] == "failed":
        raise DatabaseError(answer["message"], answer["hint"])


def _refuse_used(data: Path) -> None:
    """Raise where a server without a keeper, such as an older release started, has users: it is to be ended."""
    found = read_postmaster(data)
    if found is None or found.sockets is None or not serves(found.pid, data):
        return
    try:
        with _connection(found.sockets) as connection:
            answer = connection.execute(_OTHER_CLIENTS).fetchone()
    except psycopg.Error:
        return
    if answer and answer[0]:
        raise DatabaseError(
            f"The embedded PostgreSQL server in {data} was not started by this agor-tui, and is in use.",
            f"End what uses it, such as an older agor-tui, or the server itself: process {found.pid}.",
        )


def _connection(sockets: Path) -> psycopg.Connection[Any]:
    address = make_conninfo("", host=str(sockets), port=PORT, user=SUPERUSER, dbname=SUPERUSER, **_options())
    return psycopg.connect(address, autocommit=True, connect_timeout=10)


def _options() -> dict[str, str]:
    """What libpq is told beside the address: whose process is to answer, and nothing that is set for other servers."""
    options = {"hostaddr": "", "target_session_attrs": "any", "gssencmode": "disable", "channel_binding": "prefer"}
    if "PGREQUIREAUTH" in os.environ:  # which older versions of libpq do not know
        options["require_auth"] = ""
    with suppress(KeyError):
        options["requirepeer"] = pwd.getpwuid(_owners()[-1]).pw_name
    return options


def _owners() -> tuple[int, ...]:
    """Who may own the folder of the socket; the last one runs the server."""
    user = root.find_user()
    return (os.geteuid(), user.pw_uid) if user else (os.geteuid(),)


def _not_started(folder: Path, why: str) -> DatabaseError:
    return DatabaseError(
        f"The embedded PostgreSQL server in {folder} does not start: {why}.",
        f"Its log may say more: {folder / 'log'}",
    )


def _wait_for_end(folder: Path) -> None:
    end = time.monotonic() + _ENDING_S
    with suppress(KeyboardInterrupt):  # it ends all the same
        while locks.keeper_lives(folder) and time.monotonic() < end:
            time.sleep(_PAUSE_S)


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
    """Leave all servers that this program uses; whoever is the last one waits until they have ended.

    A program that ends in any other way has left them too.
    """
    if not _sharing.acquire(timeout=1):
        return  # a thread waits for a server that starts, which will have no user
    try:
        for _, held in _shared.values():
            held.close()
        _shared.clear()
    finally:
        _sharing.release()
