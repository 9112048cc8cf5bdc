"""Looking into files that SQLite may have open: their first bytes, and which locks are held on them.

POSIX drops all locks that a process has on a file as soon as it closes any descriptor of it, those too that SQLite
took through another one. So each file has one descriptor here, which stays open for as long as anybody in this process
has the file open.
"""

from __future__ import annotations

import os
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

# Bytes that SQLite locks (os.h and os_unix.c of SQLite): of the database file, and of the index of its log.
_RESERVED = (0x40000001, 1)
_SHARED = (0x40000002, 510)
_INDEX_IN_USE = (128, 1)

# ``struct flock``, and where the kind of lock stands in it.
_LAYOUTS = {"linux": ("hhqqi", 0), "darwin": ("qqihh", 3)}

_PAUSE_S = 0.00002

Key = tuple[int, int]
"""Device and inode."""


@dataclass(slots=True)
class _Open:
    """A file that this process has open; ``numbers`` are descriptors of it, which are closed together."""

    numbers: list[int] = field(default_factory=list)
    users: int = 0
    writers: int = 0
    passive: int = 0
    """Connections that may not write to the index of its log."""


_files: dict[Key, _Open] = {}
_changed = threading.Condition()


class Descriptor:
    """One user's share of the descriptor of a file, to be given up with ``close``."""

    def __init__(self, path: Path) -> None:
        """Open ``path``. Raises OSError."""
        with _changed:
            key = _key(path)
            if key not in _files:
                number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
                found = os.fstat(number)
                key = (found.st_dev, found.st_ino)
                _files.setdefault(key, _Open()).numbers.append(number)
            self.key: Key = key
            self._file = _files[key]
            self._file.users += 1
        self._is_writer = False

    @property
    def number(self) -> int:
        """The descriptor."""
        return self._file.numbers[0]

    def head(self, size: int) -> bytes:
        """The first bytes. Raises OSError."""
        if hasattr(os, "pread"):
            return os.pread(self.number, size, 0)
        os.lseek(self.number, 0, os.SEEK_SET)
        return os.read(self.number, size)

    @property
    def written_here(self) -> bool:
        """Whether somebody in this process has it open for writing."""
        return self._file.writers > 0

    def is_reserved(self) -> bool | None:
        """Tell whether somebody is about to change the database; None where nobody can tell."""
        return _is_locked(self.number, "F_WRLCK", _RESERVED)

    def is_being_changed(self) -> bool | None:
        """Tell whether somebody may be changing pages of the database right now; None: nobody can tell."""
        return _is_locked(self.number, "F_RDLCK", _SHARED)

    def is_index_in_use(self) -> bool | None:
        """Of the index of a log: tell whether somebody has the database open; None: nobody can tell."""
        return _is_locked(self.number, "F_WRLCK", _INDEX_IN_USE)

    @contextmanager
    def kept_from_changing(self, patience_s: float) -> Iterator[bool]:
        """Keep everybody from changing pages while the block lasts, from the next pause of a writer on.

        Gives False where there was no such pause in time, or this system has no locks of that kind.
        """
        import fcntl

        command = getattr(fcntl, "F_OFD_SETLK", None)  # a lock of this descriptor's own, whatever else is closed
        layout = _LAYOUTS.get(sys.platform)
        if command is None or layout is None:
            yield False
            return
        end = time.monotonic() + patience_s
        has_it = False
        while not has_it and time.monotonic() < end:
            try:
                fcntl.fcntl(self.number, command, _flock(layout, fcntl.F_RDLCK, _SHARED))
                has_it = True
            except BlockingIOError:
                time.sleep(_PAUSE_S)  # the pauses of a writer at full speed are shorter than a tenth of a millisecond
            except OSError:
                break
        try:
            yield has_it
        finally:
            if has_it:
                fcntl.fcntl(self.number, command, _flock(layout, fcntl.F_UNLCK, _SHARED))

    def write_from_now(self, patience_s: float) -> None:
        """Note that this process writes to the database from now on.

        Connections in one process share the index of the log, and the first one decides whether it may be written:
        those that may not are waited for.
        """
        with _changed:
            self._is_writer = True
            self._file.writers += 1
            _changed.wait_for(lambda: not self._file.passive, patience_s)

    def attach(self) -> None:
        """Note a connection that may not write to the index of the log."""
        with _changed:
            self._file.passive += 1

    def detach(self) -> None:
        """Note that such a connection is closed."""
        with _changed:
            self._file.passive -= 1
            _changed.notify_all()

    def close(self, *, leave_open: bool = False) -> None:
        """Give it up; ``leave_open`` where a connection to the file is still in use, whose locks are to stay."""
        with _changed:
            self._file.writers -= self._is_writer
            self._file.users -= not leave_open
            if self._file.users:
                return
            del _files[self.key]
            for number in self._file.numbers:
                with suppress(OSError):
                    os.close(number)


@contextmanager
def descriptor_of(path: Path) -> Iterator[Descriptor]:
    """A descriptor of ``path`` while the block lasts. Raises OSError."""
    descriptor = Descriptor(path)
    try:
        yield descriptor
    finally:
        descriptor.close()


def _key(path: Path) -> Key:
    found = os.stat(path)
    return (found.st_dev, found.st_ino)


def _is_locked(number: int, kind: str, where: tuple[int, int]) -> bool | None:
    """Ask whether a lock of this kind would be refused for one that is held; none is taken."""
    layout = _LAYOUTS.get(sys.platform)
    if layout is None:
        return None
    import fcntl

    form, at = layout
    try:
        # Where the system knows it, the way of asking that is told of this process' own locks too.
        answer = fcntl.fcntl(
            number, getattr(fcntl, "F_OFD_GETLK", fcntl.F_GETLK), _flock(layout, getattr(fcntl, kind), where)
        )
    except OSError:  # not every file system has locks
        return None
    return bool(struct.unpack(form, answer)[at] != fcntl.F_UNLCK)


def _flock(layout: tuple[str, int], kind: int, where: tuple[int, int]) -> bytes:
    form, at = layout
    return struct.pack(form, *((kind, os.SEEK_SET, *where, 0) if at == 0 else (*where, 0, kind, os.SEEK_SET)))
