"""The checksum beside a file, in the form that ``sha256sum -c`` reads: what tells whether it was cut or altered."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from pathlib import Path

from agor_tui.db.landing import landing, taken
from agor_tui.errors import Cancelled, FileError
from agor_tui.transfers import Progress, Tell

_PIECE = 4_000_000
_LINE = re.compile(r"^([0-9a-f]{64}) [ *]", re.I)


def sum_path(path: Path) -> Path:
    """Where the checksum of ``path`` is kept."""
    return path.with_name(f"{path.name}.sha256")


def require_free(path: Path) -> None:
    """Raise a FileError where a file, or a checksum of another, stands where this one and its own are to be made."""
    for each in (path, sum_path(path)):
        if os.path.lexists(each):
            raise taken(each)


def write_sum(path: Path, tell: Tell | None, stop: threading.Event | None) -> None:
    """Write the checksum of a file beside it. Raises FileError, Cancelled."""
    digest = _digest(path, tell, stop)
    with landing(sum_path(path)) as part:
        part.write_bytes(f"{digest}  ".encode() + os.fsencode(path.name) + b"\n")


def require_unaltered(path: Path, tell: Tell | None, stop: threading.Event | None) -> None:
    """Compare a file with the checksum beside it, where there is one.

    Raises:
        FileError: it was cut or altered, or cannot be read. Cancelled: ``stop`` was set.
    """
    try:
        found = _LINE.match(sum_path(path).read_bytes()[:80].decode("ascii", "replace"))
    except FileNotFoundError:
        return
    except OSError as error:
        raise FileError(f"{sum_path(path)} cannot be read: {error.strerror}.", "Check its permissions.") from None
    if found is None:
        raise FileError(f"{sum_path(path)} holds no checksum.", "Take it away to do without.")
    if _digest(path, tell, stop) != found[1].lower():
        raise FileError(
            f"{path} was cut or altered since it was made: it is not what {sum_path(path).name} says.",
            "Nothing was changed. Take another backup.",
        )


def _digest(path: Path, tell: Tell | None, stop: threading.Event | None) -> str:
    digest, done = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                if stop is not None and stop.is_set():
                    raise Cancelled("The check of the file was stopped. Nothing was changed.")
                digest.update(piece)
                done += len(piece)
                if tell:
                    tell(Progress("checksum", "", 0, None, done))
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from None
    return digest.hexdigest()
