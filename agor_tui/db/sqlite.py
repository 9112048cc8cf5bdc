"""Opening SQLite files: our own for writing, everything else so that nothing is changed and nothing is left behind."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from urllib.parse import quote

from sqlalchemy import create_engine, event, exc
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool, QueuePool

from agor_tui.config.command_lines import command_for
from agor_tui.config.places import SqlitePlace
from agor_tui.db.revision import VERSION_TABLE
from agor_tui.db.types import decode_stored
from agor_tui.errors import AbsentError, DatabaseError, ForeignDatabaseError
from agor_tui.scratch import make_private

_HEADER = b"SQLite format 3\x00"
_NEWEST_FORMAT = 2
"""The version of the format that is needed to read a file, in byte 19 of its header (sqlite.org/fileformat2.html)."""

MOST_UNLOCKED = 5
"""So many readings without locks are tried on a file that another program writes to."""


@dataclass(frozen=True, slots=True)
class Source:
    """An engine on the file, and the file's fingerprint where it is read without locks (None: with locks)."""

    engine: Engine
    fingerprint: tuple[int, ...] | None


class SqliteFile:
    """One SQLite file.

    Read without locks (``immutable``) while no other program has it open, since a plain reader of a WAL file leaves
    -wal and -shm beside it; with locks where a -wal holds changes; and from a private copy where that -wal lost its
    -shm, or a rollback journal is left by a program that died: reading those in place would write to them.
    """

    def __init__(self, place: SqlitePlace, *, writable: bool, create: bool) -> None:
        self.place = place
        self.path = _target(place.path)
        self._writable = writable
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._copied: tuple[tuple[int, ...], Source] | None = None
        self._immutable: Source | None = None
        self._live: Source | None = None
        self._identity: tuple[int, ...] = ()
        if create:
            _make(self.path)
        _check(self.path, command_for(place, "db init"))

    def source(self, *, attempt: int = 0) -> Source:
        """Return how to read (or write) the file now; ``attempt`` counts the readings that the file changed under."""
        if self._writable:
            return self._own()
        if _size(self.path, "-wal"):
            return self._locked("ro") if Path(f"{self.path}-shm").exists() else self.private_copy()
        # A journal is a writer at work, whose locks are heeded. A file of WAL kind is never opened with locks while
        # it has no -wal: that would make one.
        if not _is_wal(self.path) and (_size(self.path, "-journal") or attempt >= MOST_UNLOCKED):
            return self._locked("ro")
        fingerprint = _fingerprint(self.path)
        if self._immutable is None or self._immutable.fingerprint != fingerprint:
            if self._immutable is not None:
                self._immutable.engine.dispose()
            engine = self._engine(f"{_uri(self.path)}?mode=ro&immutable=1", pooled=True)
            self._immutable = Source(engine, fingerprint)
        return self._immutable

    def steady_source(self, *, ours: bool) -> Source:
        """Return how to read one state of the file for long, in one transaction that others' writes do not disturb.

        ``ours`` says that we own it: then a log may be beside it meanwhile. What is read of another program's file of
        WAL kind counts only as long as ``changed`` says no.
        """
        if self._writable or _size(self.path, "-wal") or (_is_wal(self.path) and not ours):
            return self.source()
        if not _is_wal(self.path):
            locked = self._locked("ro")
            if self.left_unfinished():  # by a writer at work, whose locks are heeded, or by one that died
                try:
                    with locked.engine.connect() as connection:
                        connection.exec_driver_sql("SELECT 1 FROM sqlite_master").scalar()
                except exc.DBAPIError as error:
                    if "locked" not in str(error.orig):
                        return self.private_copy()
            return locked
        folder = self.path.parent
        # Only who may write removes the log again that reading a file of WAL kind makes.
        return self._locked("rw") if os.access(self.path, os.W_OK) and os.access(folder, os.W_OK) else self.source()

    def _own(self) -> Source:
        """The file for writing: the one that has the name now, for SQLite would go on with one that had it before."""
        identity = _fingerprint(self.path)[:2]
        if self._live is not None and identity != self._identity:
            if not identity:
                raise DatabaseError(f"{self.path} is not there any more.", "Put it back, or open another database.")
            if _size(self.path, "-wal"):  # opening the new file would mix the changes of the old one into it
                raise DatabaseError(
                    f"{self.path} was replaced while it was open, and {self.path.name}-wal belongs to the file before.",
                    f"Quit, delete {self.path.name}-wal if the new file shall count, and open it again.",
                )
            self._require_ours()
            self._live.engine.dispose()
            self._live = None
        self._identity = identity
        return self._locked("rw", pooled=True)

    def _require_ours(self) -> None:
        """Raise for another program's file in the place of ours: to open it for writing would change it already."""
        uri = f"{_uri(self.path)}?mode=ro&immutable=1"
        try:
            with closing(_connect(uri, self.place.busy_timeout_ms, None)) as connection:
                tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
        except sqlite3.DatabaseError:
            return  # it says itself what is wrong with it
        if (VERSION_TABLE,) not in tables:
            raise ForeignDatabaseError(
                f"{self.path} was replaced while it was open, by a database that agor-tui did not make.",
                "Nothing of it was changed. Quit, and open it again to read it.",
            )

    def _locked(self, mode: str, *, pooled: bool = False) -> Source:
        if self._live is None:
            self._live = Source(self._engine(f"{_uri(self.path)}?mode={mode}", pooled=pooled), None)
        return self._live

    def left_unfinished(self) -> bool:
        """Tell whether a program that died left a rollback journal, which only a copy can be read without."""
        return not self._writable and bool(_size(self.path, "-journal"))

    def changed(self, source: Source) -> bool:
        """Tell whether another program wrote to the file since ``source`` was opened without locks."""
        if source.fingerprint is None:
            return False
        return bool(_size(self.path, "-wal")) or _fingerprint(self.path) != source.fingerprint

    def close(self) -> None:
        """Close all connections and remove a private copy."""
        for source in (self._immutable, self._live, self._copied and self._copied[1]):
            if source is not None:
                source.engine.dispose()
        if self._copy is not None:
            self._copy.cleanup()

    def private_copy(self) -> Source:
        """Return a source on a copy of the file and its log, in the temporary folder; made anew when they changed.

        Raises:
            DatabaseError: there is no room for it, or the file does not keep still.
        """
        before = self._state()
        if self._copied is not None:
            if self._copied[0] == before:
                return self._copied[1]
            self._copied[1].engine.dispose()
        if self._copy is None:
            self._copy = tempfile.TemporaryDirectory(prefix="agor-tui-")
        target = Path(self._copy.name, "copy.db")
        for _ in range(MOST_UNLOCKED):
            try:
                for suffix in ("", "-wal", "-journal"):
                    Path(f"{target}{suffix}").unlink(missing_ok=True)
                    if _size(self.path, suffix):
                        shutil.copyfile(f"{self.path}{suffix}", f"{target}{suffix}")
            except OSError as error:
                raise DatabaseError(
                    f"{self.path} was left with unfinished changes by another program, and a copy to read them from "
                    f"cannot be made ({error.strerror}).",
                    "Start and stop the program that owns it, or free some space in the temporary folder.",
                ) from None
            after = self._state()
            if after == before:
                source = Source(self._engine(f"{_uri(target)}?mode=rw", pooled=True), None)
                self._copied = (after, source)
                return source
            before = after
        raise restless(self.path)

    def _state(self) -> tuple[int, ...]:
        return (*_fingerprint(self.path), _size(self.path, "-wal"), _size(self.path, "-journal"))

    def _engine(self, uri: str, *, pooled: bool) -> Engine:
        connect = partial(_connect, uri, self.place.busy_timeout_ms, self.place.wal_mode if self._writable else None)
        engine = create_engine(
            "sqlite://",
            creator=connect,
            poolclass=QueuePool if pooled else NullPool,
            hide_parameters=True,  # a statement that failed is written to the log
        )
        event.listen(engine, "begin", _no_driver_transaction)
        return engine


def restless(path: Path) -> DatabaseError:
    """Return the error for a file that changes faster than it can be read."""
    return DatabaseError(f"{path} is being rewritten by another program all the time.", "Try again when it rests.")


def _no_driver_transaction(_: object) -> None:
    """Nothing: units of work say BEGIN themselves, since the driver's own begins too late and ends too early."""


def _connect(uri: str, busy_timeout_ms: int, wal: bool | None) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=busy_timeout_ms / 1000
    )
    connection.text_factory = decode_stored
    connection.execute(f"PRAGMA trusted_schema={'OFF' if _needs_no_trust() else 'ON'}")
    if wal is None:
        connection.execute("PRAGMA query_only=ON")
    else:
        connection.execute(f"PRAGMA journal_mode={'WAL' if wal else 'DELETE'}").fetchone()
        connection.execute("PRAGMA foreign_keys=ON")
    return connection


@cache
def _needs_no_trust() -> bool:
    """Tell whether an index or a column over ``json_extract`` is read of a file that is not trusted.

    SQLite before 3.42 or so counts its JSON functions among those that might do harm, and refuses every query on such
    a file. Trust there gives a hostile file nothing to reach beyond itself with: no functions of ours are registered,
    no extensions may be loaded, SQLite keeps its own dangerous functions out of every schema, and views are not read.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA trusted_schema=OFF")
        try:
            connection.execute("CREATE TABLE t (d, a AS (json_extract(d, '$.a')))")
        except sqlite3.Error:
            return False
        return True


def _uri(path: Path) -> str:
    return f"file:{quote(str(path.absolute()), errors='surrogateescape')}"


def _size(path: Path, suffix: str) -> int:
    try:
        return Path(f"{path}{suffix}").stat().st_size
    except OSError:
        return 0


def _fingerprint(path: Path) -> tuple[int, ...]:
    try:
        stat = path.stat()
    except OSError:
        return ()
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)


def _is_wal(path: Path) -> bool:
    # Bytes 18 and 19 of the header (sqlite.org/fileformat2.html): 2 means a write-ahead log.
    try:
        with path.open("rb") as file:
            return file.read(20)[18:] == b"\x02\x02"
    except OSError:
        return False


def _make(path: Path) -> None:
    try:
        make_private(path.parent)
        path.touch(mode=0o600)
    except OSError as error:
        raise DatabaseError(f"{path} cannot be created: {error.strerror}.", "Choose another place for it.") from None


def _target(path: Path) -> Path:
    # SQLite keeps the log and the journal beside the file itself, not beside a link to it.
    try:
        return path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError):  # a link to itself
        return path


def _check(path: Path, making: str) -> None:
    """Raise a DatabaseError for what is no SQLite file, before SQLite says it in its own words.

    ``making`` is the command that makes one there.
    """
    try:
        mode = path.stat().st_mode
        if S_ISDIR(mode):
            raise DatabaseError(f"{path} is a folder, not a database file.", "Give the path of the file inside it.")
        if not S_ISREG(mode):  # opening a pipe would wait for its writer
            raise DatabaseError(f"{path} is no file but a device or a pipe.", "Check the path.")
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        raise AbsentError(
            f"{path} does not exist.",
            f"Check the path, or make a database there with: {making}",
        ) from None
    except OSError as error:
        raise DatabaseError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from None
    if head and not head.startswith(_HEADER):
        raise DatabaseError(f"{path} is not an SQLite database.", "Check the path.")
    if head and len(head) < 100:
        raise DatabaseError(
            f"{path} is cut short: it is no whole SQLite database.",
            "Take it from a backup, or copy it again.",
        )
    if head and head[19] > _NEWEST_FORMAT:
        raise DatabaseError(
            f"{path} has a format that SQLite {sqlite3.sqlite_version} does not know (version {head[19]}).",
            "A newer SQLite made it, or a program that changes what SQLite writes: open it with that.",
        )
