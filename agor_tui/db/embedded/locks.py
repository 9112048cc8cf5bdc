"""Who uses a server and who keeps it: two locks beside its data, which the system lets go when their holder dies.

Each user holds ``….users`` shared; the keeper gets it alone exactly when there is no user any more, and stops the
server then. The keeper holds ``….keeper`` for as long as it lives: there is one at a time. In that file stands the
folder of the server's socket, from when the server lets clients in.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

SHARED, ALONE = fcntl.LOCK_SH, fcntl.LOCK_EX


def users_file(folder: Path) -> Path:
    """The lock of those who use the server whose data is in ``folder``."""
    return folder.with_name(f"{folder.name}.users")


def keeper_file(folder: Path) -> Path:
    """The lock of who keeps that server."""
    return folder.with_name(f"{folder.name}.keeper")


def open_lock(path: Path) -> int:
    """Open a lock, made where missing.

    Raises:
        PermissionError: it is another user's. OSError: it cannot be made or opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.fstat(descriptor).st_uid != os.geteuid():
        os.close(descriptor)
        raise PermissionError(1, "it belongs to another user", str(path))
    os.fchmod(descriptor, 0o600)  # a umask may have taken away more than others' rights
    return descriptor


def take(descriptor: int, how: int) -> bool:
    """Take a lock, or turn the one that is held into another kind; False, at once, where others hold it."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_alone(descriptor: int) -> None:
    """Wait until nobody else holds a lock, and take it."""
    fcntl.flock(descriptor, ALONE)


def keeper_lives(folder: Path) -> bool:
    """Tell whether somebody keeps the server whose data is in ``folder``."""
    try:
        descriptor = os.open(keeper_file(folder), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not take(descriptor, SHARED)
    finally:
        os.close(descriptor)


def say_sockets(descriptor: int, sockets: Path | None) -> None:
    """Write into the keeper's lock where the server's socket is; None: there is no server yet."""
    os.ftruncate(descriptor, 0)
    if sockets is not None:
        os.pwrite(descriptor, os.fsencode(sockets) + b"\n", 0)


def kept_sockets(folder: Path) -> Path | None:
    """Return where the server's socket is, as a keeper that lives has written it; None while it has not."""
    try:
        said = keeper_file(folder).read_bytes()
    except OSError:
        return None
    return Path(os.fsdecode(said[:-1])) if said.endswith(b"\n") else None
