"""A program that keeps a server: makes its data, starts it, and stops it when nobody uses it any more.

A process of its own, since an app may be killed, and whoever started the server need not be the last to use it. It is
given the data folder and writes one line of JSON to its standard output: ``{"state": "ready"}``, ``{"state": "other"}``
where another one keeps that server, or ``{"state": "failed", "message": …, "hint": …}``. Then it lives as long as the
server, which is stopped when the keeper is told to end, and by the system (on Linux; elsewhere by the next keeper) when
the keeper is killed.
"""

from __future__ import annotations

import json
import os
import pwd
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from agor_tui.db.embedded import cluster, locks, root, sockets
from agor_tui.db.embedded.postmaster import pid_file, read_postmaster, serves
from agor_tui.db.embedded.process import PAUSE_S, ServerProcess, die_with_parent
from agor_tui.db.postgresql_programs import bin_folders
from agor_tui.errors import DatabaseError

_TAKING_S = 0.5
"""So long the lock is tried: whoever looks whether there is a keeper holds it for a moment."""
_ENDING_S = 30.0
"""So long an older server may take to end, and what a killed one left to go."""


def main() -> None:
    """Do what the module's text says."""
    if os.fork():
        os._exit(0)  # so that it is the system's child, and whoever asked has nothing to wait for
    os.setsid()
    os.umask(0o077)
    os.chdir("/")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    folder = Path(sys.argv[1])
    failed = f"The embedded PostgreSQL server in {folder} does not start"
    try:
        _keep(folder)
    except DatabaseError as error:
        _tell("failed", error.message, error.hint)
    except OSError as error:
        _tell("failed", f"{failed}: {error.filename or folder}: {error.strerror}.")
    except Exception as error:  # whoever waits is told, whatever it is
        _tell("failed", f"{failed}: {type(error).__name__}: {error}.")


def _keep(folder: Path) -> None:
    lock = locks.open_lock(locks.keeper_file(folder))
    end = time.monotonic() + _TAKING_S
    while not locks.take(lock, locks.ALONE):
        if time.monotonic() > end:
            _tell("other")
            return
        time.sleep(PAUSE_S)
    locks.say_sockets(lock, None)
    users = locks.open_lock(locks.users_file(folder))
    installed, user, data = bin_folders(), _own_name(), folder.resolve()
    if (server_user := root.find_user()) is not None:
        installed = {version: root.runnable(programs, server_user) for version, programs in installed.items()}
        root.drop(server_user)
    version = cluster.claim(data, installed)
    data.chmod(0o700)
    _end_older(data)
    if version is None:
        version = next(iter(installed))
        cluster.make(data, version, installed[version], die_with_parent(signal.SIGKILL))
    cluster.tighten(data, user)
    server = _start(data, installed[version], users)
    locks.say_sockets(lock, server.sockets)
    _tell("ready")
    server.wait()
    sockets.remove_socket(server.sockets, data)
    os._exit(0)  # the thread that waits for the users may do so still


def _start(data: Path, programs: Path, users: int) -> ServerProcess:
    end = time.monotonic() + _ENDING_S
    while True:
        server = ServerProcess(data, programs)
        signal.signal(signal.SIGTERM, _stopper(server))
        threading.Thread(target=_stop_unused, args=(users, server), daemon=True).start()
        if server.wait_ready():
            return server
        sockets.remove_socket(server.sockets, data)
        complaint = server.complaint()
        if "shared memory block" not in complaint or time.monotonic() > end:
            raise DatabaseError(
                f"The embedded PostgreSQL server in {data} does not start: {complaint}.", f"Its log: {server.log}"
            )
        time.sleep(PAUSE_S)  # clients of a server that was killed have not noticed yet


def _stopper(server: ServerProcess) -> Callable[[int, FrameType | None], None]:
    return lambda _number, _frame: server.stop()


def _stop_unused(users: int, server: ServerProcess) -> None:
    locks.wait_alone(users)
    server.stop()


def _end_older(data: Path) -> None:
    """End a server that runs there without a keeper, and clear what one that was killed has left."""
    found = read_postmaster(data)
    end = time.monotonic() + _ENDING_S
    while found is not None and serves(found.pid, data):
        if time.monotonic() > end:
            raise DatabaseError(f"An older server of {data} does not end.", f"End the process {found.pid}.")
        os.kill(found.pid, signal.SIGTERM if found.single else signal.SIGINT)
        time.sleep(10 * PAUSE_S)
        found = read_postmaster(data)
    # Its number may be another process's by now, for which PostgreSQL would take it for running. One that does run is
    # found all the same, by its shared memory.
    for folder in (data, found.sockets if found is not None else None):
        if folder is not None:
            sockets.remove_socket(folder, data)
    pid_file(data).unlink(missing_ok=True)


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise DatabaseError(
            f"The user of number {os.geteuid()} has no name on this machine, and PostgreSQL needs one.",
            "Add the user to /etc/passwd, or use an SQLite file.",
        ) from None


def _tell(state: str, message: str = "", hint: str = "") -> None:
    print(json.dumps({"state": state, "message": message, "hint": hint}), flush=True)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


if __name__ == "__main__":
    main()
