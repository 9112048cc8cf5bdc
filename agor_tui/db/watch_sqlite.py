"""Seeing changes of an SQLite file: by its data_version where we may open it, else by its looks alone."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from time import monotonic
from urllib.parse import quote

from agor_tui.config.places import SqlitePlace
from agor_tui.errors import DatabaseError

_INTERVAL_S = 0.5
_SETTLED_S = 1.0
"""So long after a change was seen, one more is reported: a commit is seen by readers only after it is written, and two
changes in one tick of the file system's clock look alike."""

_Looks = tuple[tuple[int, ...], ...]


class OwnFileLookout:
    """For a file that we write to: SQLite counts the commits of other connections, our own among them.

    A connection costs no trace there, for the app's own are open all the while.
    """

    interval_s = _INTERVAL_S

    def __init__(self, place: SqlitePlace) -> None:
        self._place = place
        self._path = place.path.resolve()
        self._connection: sqlite3.Connection | None = None
        self._seen: tuple[int, ...] = ()

    def look(self) -> bool:
        """Compare the data_version, and which file it is that has the name."""
        identity = _identity(self._path)
        if not identity:
            self.close()
            raise _gone(self._place)
        if self._connection is not None and self._seen[:2] != identity:
            self.close()
        try:
            if self._connection is None:
                self._connection = _connect(self._path)
            version = int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return False  # someone writes right now: the next look sees it
            self.close()
            raise DatabaseError(f"{self._place.path} cannot be watched: {error}.") from None
        before, self._seen = self._seen, (*identity, version)
        return before != self._seen

    def close(self) -> None:
        """Close the connection."""
        self._seen = ()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class TracelessLookout:
    """For a file that is only read: sizes and times of the file, its log and its journal, which opens none of them.

    Opening and closing the file itself would also take away the locks that SQLite holds on it for this process.
    """

    interval_s = _INTERVAL_S

    def __init__(self, place: SqlitePlace) -> None:
        self._place = place
        self._path = place.path.resolve()
        self._seen: _Looks = ()
        self._again_at: float | None = None

    def look(self) -> bool:
        """Compare how the files look, and once more after they have settled."""
        looks = tuple(_looks(f"{self._path}{suffix}") for suffix in ("", "-wal", "-journal"))
        if not looks[0]:
            self.close()
            raise _gone(self._place)
        if looks != self._seen:
            self._seen = looks
            self._again_at = monotonic() + _SETTLED_S
            return True
        if self._again_at is not None and monotonic() >= self._again_at:
            self._again_at = None
            return True
        return False

    def close(self) -> None:
        """Forget how they looked."""
        self._seen, self._again_at = (), None


def _connect(path: Path) -> sqlite3.Connection:
    # Not mode=ro: were this the last connection to close, it could not take the log away.
    uri = f"file:{quote(str(path), errors='surrogateescape')}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=0)
    connection.execute("PRAGMA query_only=ON")
    return connection


def _identity(path: Path) -> tuple[int, ...]:
    try:
        stat = os.stat(path)
    except OSError:
        return ()
    return (stat.st_dev, stat.st_ino)


def _looks(path: str) -> tuple[int, ...]:
    try:
        stat = os.stat(path)
    except OSError:
        return ()
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)


def _gone(place: SqlitePlace) -> DatabaseError:
    return DatabaseError(f"{place.path} is not there any more.", "Put it back, or open another database.")
