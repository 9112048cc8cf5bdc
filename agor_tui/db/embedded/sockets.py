"""The folder of a server's socket: nobody else can reach into it, and its name is short enough for a socket."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from agor_tui.db.embedded.postmaster import PORT
from agor_tui.errors import DatabaseError

_PREFIX = "agor-tui-"
_NAME = f".s.PGSQL.{PORT}"
_PROBE = ".s.PGSQL.probe"
"""Not shorter than the socket's own name: where it fits, that does (107 bytes on Linux, 103 on macOS)."""


def choose_folder(data: Path, environ: Mapping[str, str]) -> Path:
    """Return a folder for the socket: the data's own, or a new one where that cannot have it.

    The new one is made under a name that nobody knew, in the user's runtime folder or a folder for temporary files.

    Raises:
        DatabaseError: there is none.
    """
    if is_private(data, os.geteuid()) and _holds_sockets(data):
        return data
    for name in (environ.get("XDG_RUNTIME_DIR"), environ.get("TMPDIR"), "/tmp"):
        if not name or not os.path.isabs(name):
            continue
        base = Path(os.path.realpath(name))  # a link could be another one later
        if not _is_trusted(base):
            continue
        try:
            made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        except OSError:
            continue
        if _holds_sockets(made):
            return made
        made.rmdir()
    raise DatabaseError(
        "The embedded PostgreSQL server finds no folder for its socket.",
        "Set XDG_RUNTIME_DIR to a folder of yours (mode 0700) with a short path.",
    )


def remove_socket(folder: Path, data: Path) -> None:
    """Remove the socket of a server that has ended, and its folder where that was made for it."""
    if not is_private(folder, os.geteuid()):
        return
    with suppress(OSError):
        for name in (_NAME, f"{_NAME}.lock", _PROBE):
            (folder / name).unlink(missing_ok=True)
        if folder != data and folder.name.startswith(_PREFIX):
            folder.rmdir()


def is_private(folder: Path, *owners: int) -> bool:
    """Tell whether this is a folder, no link, that belongs to one of these users and that nobody else may enter."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid in owners and not found.st_mode & 0o077


def _is_trusted(base: Path) -> bool:
    """Whether what is made there cannot be taken away and replaced by others."""
    try:
        found = base.stat()
    except OSError:
        return False
    others_write = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
    return stat.S_ISDIR(found.st_mode) and found.st_uid in (0, os.geteuid()) and not others_write


def _holds_sockets(folder: Path) -> bool:
    """Whether a socket can be made there: the path may be too long, the file system have none, a client not name it."""
    path = str(folder)
    if "," in path or "\n" in path or path != path.strip():
        return False
    probe = folder / _PROBE
    with suppress(OSError):
        probe.unlink(missing_ok=True)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(probe))
    except (OSError, UnicodeError):
        return False
    with suppress(OSError):
        probe.unlink()
    return True
