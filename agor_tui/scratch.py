"""Files and folders of ours that are there only while a process works on them, and what a process that died leaves.

Each has a name of its own (``.agor-tui-….part``), is for the user's eyes only and is locked as long as its process
lives. Where it is stands in a register in the user's state folder, so that the next start finds it wherever it lies. On
Windows, where nothing is locked, nothing is registered or cleared.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agor_tui import paths

_SIDES = ("", "-journal", "-wal", "-shm")
_PART = re.compile(r"\.agor-tui-([0-9a-f]{12})\.part")
_SETTLED_S = 10
"""Seconds in which a part that was just made is not taken for one that was left, before it is locked."""
_FORGOTTEN_S = 30 * 24 * 3600
"""So long a part in a folder that is not there now, such as on a disk that was taken out, stays in the register."""


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the user's eyes only whatever the umask.

    What is there already keeps its mode. Raises OSError.
    """
    missing = []
    for path in (folder, *folder.parents):
        if path.exists():
            break
        missing.append(path)
    for path in reversed(missing):
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:  # another process was quicker, or a link that leads nowhere
            if not path.is_dir():
                raise
        else:
            path.chmod(0o700)  # a umask may have taken away more than others' rights
    if not folder.is_dir():
        raise NotADirectoryError(20, os.strerror(20), str(folder))


@contextmanager
def scratch_file(folder: Path) -> Iterator[Path]:
    """An empty file in ``folder`` (mode 0600) that is gone when the block ends, unless it was given another name.

    Raises OSError.
    """
    path = _name(folder)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    if os.name == "nt":
        os.close(descriptor)
    else:
        os.fchmod(descriptor, 0o600)  # a umask may have taken away more than others' rights
    with _held(path, descriptor):
        yield path


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """An empty folder in ``folder`` (mode 0700) that is gone with all in it when the block ends. Raises OSError."""
    path = _name(folder)
    path.mkdir(mode=0o700)
    path.chmod(0o700)
    with _held(path, -1 if os.name == "nt" else os.open(path, os.O_RDONLY)):
        yield path


def clear_leftovers(folder: Path | None = None) -> None:
    """Remove what processes that died have left, wherever that is; what cannot be removed stays for the next time.

    In ``folder`` that goes also for what no register has, such as another machine's.
    """
    if os.name == "nt":
        return
    with suppress(OSError), os.scandir(_register()) as entries:
        for entry in list(entries):
            with suppress(OSError):
                _clear_entry(Path(entry.path))
    if folder is None:
        return
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in [entry for entry in entries if _PART.fullmatch(entry.name)]:
            with suppress(OSError):
                if time.time() - os.lstat(entry.path).st_mtime >= _SETTLED_S:
                    _clear(Path(entry.path))


def lock(descriptor: int, *, shared: bool = False) -> None:
    """Lock an open file or folder without waiting. Raises BlockingIOError where somebody else has it, OSError."""
    import fcntl

    fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _name(folder: Path) -> Path:
    return folder / f".agor-tui-{os.urandom(6).hex()}.part"


@contextmanager
def _held(path: Path, descriptor: int) -> Iterator[None]:
    """Lock and register what is open as ``descriptor``, while nothing is in it yet; remove it in the end."""
    entry = None
    try:
        if os.name != "nt":
            with suppress(OSError):  # not every file system has locks, and not every home can be written to
                lock(descriptor)
                entry = _enter(path)
        yield
    finally:
        _remove(path)
        if entry is not None:
            with suppress(OSError):
                entry.unlink()
        if os.name != "nt":
            os.close(descriptor)  # not earlier: SQLite's own locks on the file would go with it


def _register() -> Path:
    return paths.state_file().parent / "unfinished"


def _enter(path: Path) -> Path:
    """Write down where a part is."""
    found = _PART.fullmatch(path.name)
    assert found
    entry = _register() / found[1]
    make_private(entry.parent)
    descriptor = os.open(entry, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(descriptor, os.fsencode(path.absolute()))
    finally:
        os.close(descriptor)
    return entry


def _clear_entry(entry: Path) -> None:
    path = Path(os.fsdecode(entry.read_bytes()))
    age_s = time.time() - entry.stat().st_mtime
    if path.name != f".agor-tui-{entry.name}.part":
        gone = age_s > _SETTLED_S  # its process died while it wrote this
    elif os.path.lexists(path):
        gone = _clear(path)
    else:
        gone = path.parent.is_dir() or age_s > _FORGOTTEN_S
    if gone:
        entry.unlink()


def _clear(path: Path) -> bool:
    """Remove a part whose process is gone; tell whether it was. Raises OSError."""
    found = os.lstat(path)
    if found.st_uid != os.geteuid() or not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        return False
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        lock(descriptor)
        _remove(path)
    finally:
        os.close(descriptor)
    return not os.path.lexists(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        import shutil  # only where there is a folder to remove: it takes its time

        shutil.rmtree(path, ignore_errors=True)
        return
    for suffix in _SIDES:
        with suppress(OSError):
            os.unlink(f"{path}{suffix}")
