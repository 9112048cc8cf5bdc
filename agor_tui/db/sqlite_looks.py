"""How an SQLite file and what stands beside it look now, seen without SQLite and without a lock."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from agor_tui.db.descriptors import Descriptor

Looks = tuple[object, ...]
"""How files look: equal as long as nobody has written to them."""

RESTED_S = 600
"""A file that was not changed for so long is taken for one that rests."""
_MOMENT_S, _PAUSE_S = 0.02, 0.0002
"""So long is waited for a pause of a writer, and so long between two looks."""


class FileLooks:
    """What can be seen of one file, its log and its journal. Thread-safe; its methods raise OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._journal = Path(f"{path}-journal")
        self._guard = threading.Lock()
        self._descriptors: dict[str, Descriptor] = {}

    def descriptor(self, suffix: str = "") -> Descriptor:
        """The descriptor of the file that has the name now."""
        path = Path(f"{self._path}{suffix}")
        with self._guard:
            known = self._descriptors.get(suffix)
            if known is None or known.key != identity(path):
                self._descriptors[suffix] = Descriptor(path)
                if known is not None:
                    known.close()
            return self._descriptors[suffix]

    def size(self, suffix: str) -> int:
        """Bytes of what stands beside it under this suffix, 0 where nothing does."""
        try:
            return os.stat(f"{self._path}{suffix}").st_size
        except OSError:
            return 0

    def is_wal(self) -> bool:
        """Whether it is of the kind that has a write-ahead log: 2 in bytes 18 and 19 (sqlite.org/fileformat2.html)."""
        return self.descriptor().head(20)[18:] == b"\x02\x02"

    def looks(self) -> Looks:
        """Which file it is, its size and time, its header, in which SQLite counts the changes, and if a log has any."""
        return (*_times(self._path), self.descriptor().head(100), bool(self.size("-wal")))

    def when_still(self, *, after_a_change: bool = False) -> Looks | None:
        """Wait a moment until all of it stands in its pages and nobody changes them; return how it looks then.

        ``after_a_change`` waits first until something changes, if that is soon: then the longest pause of its writer
        has just begun. None where it was not still in that time, or has a log.
        """
        end = time.monotonic() + _MOMENT_S
        first = self.looks()
        has_changed = not after_a_change
        while not first[-1]:
            looks = self.looks()
            is_being_changed = self._is_being_changed()
            has_changed = has_changed or is_being_changed or looks != first
            is_late = time.monotonic() > end
            if not is_being_changed and (has_changed or is_late):
                return None if looks[-1] else looks
            if is_late:
                return None
            time.sleep(_PAUSE_S)
        return None

    def is_still(self, looks: Looks) -> bool:
        """Tell whether nobody has changed it, nor begun to, since it looked like that."""
        # First the lock and then the looks: who began to write before is seen by the one, who ended by the other.
        return not self._is_being_changed() and self.looks() == looks

    def _is_being_changed(self) -> bool:
        """Tell whether pages of it may be half changed.

        A program that changes them holds a lock, for most of the time only to wait for the disk: before its journal is
        there for good, which is when that gets its header (sqlite.org/fileformat2.html), it has changed nothing.
        """
        if not self.descriptor().is_being_changed():
            return False
        header = _head(self._journal, 12)
        return len(header) < 12 or bool(header.strip(b"\0"))

    def log_looks(self) -> Looks:
        """How it and a log look that nobody writes to."""
        log = Path(f"{self._path}-wal")
        return (*_times(self._path), *_times(log), _head(log, 32))

    def left_looks(self) -> Looks:
        """How it looks with all that a program that died left beside it."""
        return (*self.looks(), *self.log_looks(), *_times(self._journal))

    def anchor(self) -> Looks:
        """What stays the same while the file and what is beside it can be copied one after the other.

        With a log that is this log: all that is written into the file meanwhile stands in it. A journal is of a program
        that is gone.
        """
        if self.is_wal():
            return (*identity(self._path), _head(Path(f"{self._path}-wal"), 32))
        return self.left_looks()

    def is_log_in_use(self) -> bool:
        """Tell whether another process has the file and its log open, as far as that can be seen."""
        try:
            return self.descriptor("-shm").is_index_in_use() is not False
        except OSError:
            return False

    def is_left_unfinished(self) -> bool:
        """Tell whether a program that died left a rollback journal, which only a copy can be read without.

        While a program lives it holds a lock as long as its journal is there, and no two journals begin alike.
        """
        before = _head(self._journal, 28)
        if not before.strip(b"\0") or self.descriptor().is_reserved() is not False:
            return False
        return _head(self._journal, 28) == before

    def is_rested(self) -> bool:
        """Tell whether nothing was written to it for a while."""
        if self.size("-wal") or self.size("-journal"):
            return False
        return time.time() - os.stat(self._path).st_mtime > RESTED_S

    def close(self, *, in_use: bool) -> None:
        """Let the files go; ``in_use`` where a connection to them is still used, whose locks are to stay."""
        with self._guard:
            for descriptor in self._descriptors.values():
                descriptor.close(leave_open=in_use)
            self._descriptors.clear()


def identity(path: Path) -> tuple[int, ...]:
    """Device and inode of a file; empty where there is none."""
    return _times(path)[:2]


def _times(path: Path) -> tuple[int, ...]:
    try:
        stat = os.stat(path)
    except OSError:
        return ()
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)


def _head(path: Path, size: int) -> bytes:
    """The first bytes of a log or a journal, which SQLite does not lock; empty where there is none."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""
