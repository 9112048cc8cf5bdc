"""Opening SQLite files: our own for writing, everything else so that nothing is changed and nobody is disturbed."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from sqlalchemy import event, exc
from sqlalchemy.engine import Engine

from agor_tui.config.command_lines import command_for
from agor_tui.config.places import SqlitePlace
from agor_tui.db.descriptors import Descriptor
from agor_tui.db.private_copy import NoRoomError, PrivateCopy, copy_with_log, recovered_copy, steady_copy
from agor_tui.db.revision import VERSION_TABLE
from agor_tui.db.sqlite_connection import connect, make_engine, uri_of
from agor_tui.db.sqlite_looks import FileLooks, Looks, identity
from agor_tui.errors import AbsentError, DatabaseError, ForeignDatabaseError
from agor_tui.scratch import make_private

_HEADER = b"SQLite format 3\x00"
_NEWEST_FORMAT = 2
"""The version of the format that is needed to read a file, in byte 19 of its header (sqlite.org/fileformat2.html)."""

MOST_UNLOCKED = 10
"""So many readings without locks are tried on a file that another program writes to, each between two changes."""
_MOST_COPIES = 5
"""So many copies are tried of a file that changes while it is copied."""
_LONGEST_WAIT_S = 10
"""So long, or for the busy timeout, a pause of a program is waited for to make a copy."""
_FRESH_S, _FRESH_FACTOR = 0.5, 20
"""A copy of a file that never rests is read for so long, and for so many times what it took to make."""


@dataclass(frozen=True, slots=True)
class Source:
    """An engine on the file, and how the file looked where it is read without locks (None: with locks, or a copy)."""

    engine: Engine
    looks: Looks | None


@dataclass(slots=True)
class _Copied:
    """A private copy that is read: of what state it is, and until when (monotonic) it is fresh."""

    copy: PrivateCopy
    engine: Engine
    state: Looks | None
    until: float

    def close(self) -> None:
        self.engine.dispose()
        self.copy.close()


class SqliteFile:
    """One SQLite file, which is read without a trace and without disturbing the programs that write to it.

    It is read without locks (``immutable``) where its pages can be read as they are, and anew where they were changed
    meanwhile; with its log where that holds changes, whose index is not written to; and from a private copy where a
    program never rests, or died and left what has to be recovered first.
    """

    def __init__(self, place: SqlitePlace, *, writable: bool, create: bool) -> None:
        self.place = place
        self.path = _target(place.path)
        self._writable = writable
        self._looks = FileLooks(self.path)
        self._guard = threading.Lock()
        self._unlocked: Source | None = None
        self._live: Engine | None = None
        self._logged: Engine | None = None
        self._passive: dict[int, Descriptor] = {}
        self._copies: list[_Copied] = []
        self._identity: tuple[int, ...] = ()
        if create:
            _make(self.path)
        _require_file(self.path, command_for(place, "db init"))
        with ExitStack() as opened:
            opened.callback(self.close)
            try:
                _check(self.path, self._looks.descriptor().head(100))
                if writable:
                    self._looks.descriptor().write_from_now(self._patience_s)
            except OSError as error:
                raise _unreadable(self.path, error) from None
            opened.pop_all()

    def source(self, *, attempt: int = 0) -> Source:
        """Return how to read (or write) the file now; ``attempt`` counts the readings that the file changed under.

        Raises:
            DatabaseError: it cannot be read, is locked, never rests, or needs a copy that there is no room for.
        """
        if self._writable:
            return Source(self._own(), None)
        try:
            descriptor = self._looks.descriptor()
            if descriptor.written_here:
                return Source(self._locked("ro"), None)
            if descriptor.is_being_changed() is None and self._looks.size("-journal"):
                return Source(self._locked("ro"), None)  # where locks cannot be seen, they are heeded
            return self._without_locks(attempt)
        except OSError as error:
            raise _unreadable(self.path, error) from None

    def _with_its_log(self) -> Source:
        if not os.access(f"{self.path}-shm", os.R_OK):
            return self.private_copy()
        return Source(self._passive_engine(), None if self._looks.is_log_in_use() else self._looks.log_looks())

    def _without_locks(self, attempt: int) -> Source:
        end = time.monotonic() + self._patience_s
        while True:
            if self._looks.size("-wal"):
                return self._with_its_log()
            if self._looks.is_left_unfinished():
                return self.private_copy()
            if attempt >= MOST_UNLOCKED:
                return self._steady_copy()
            looks = self._looks.when_still(after_a_change=attempt > 0)
            if looks is not None:
                return self._as_it_is(looks)
            if time.monotonic() > end:
                raise _locked_by_another(self.path)

    def steady_source(self, *, ours: bool) -> Source:
        """Return how to read one state of the file for long, in one transaction that disturbs no writer.

        That is a private copy where another program may write to it meanwhile and there is room for one, else the file
        itself: what is read of it without locks counts only as long as ``changed`` says no. ``ours`` says that we own
        it: then a log may be beside it. Raises as ``source``.
        """
        try:
            if self._writable or self._looks.descriptor().written_here:
                return self.source()
            has_log = bool(self._looks.size("-wal"))
            if self._looks.is_wal() and ours:
                # Only who may write removes the log again that reading a file of WAL kind makes.
                removes = os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)
                return Source(self._locked("rw"), None) if removes and not has_log else self.source()
            if self._looks.is_left_unfinished() or self._looks.is_rested():
                return self.source()
            if has_log:
                return self._copy_with_log() if self._looks.is_log_in_use() else self.source()
            return self._steady_copy()
        except NoRoomError:
            return self.source()
        except OSError as error:
            raise _unreadable(self.path, error) from None

    def _own(self) -> Engine:
        """The file for writing: the one that has the name now, for SQLite would go on with one that had it before."""
        now = identity(self.path)
        if self._live is not None and now != self._identity:
            if not now:
                raise DatabaseError(f"{self.path} is not there any more.", "Put it back, or open another database.")
            if self._looks.size("-wal"):  # opening the new file would mix the changes of the old one into it
                raise DatabaseError(
                    f"{self.path} was replaced while it was open, and {self.path.name}-wal belongs to the file before.",
                    f"Quit, delete {self.path.name}-wal if the new file shall count, and open it again.",
                )
            self._require_ours()
            self._live.dispose()
            self._live = None
            self._looks.descriptor().write_from_now(self._patience_s)
        self._identity = now
        return self._locked("rw", pooled=True)

    def _require_ours(self) -> None:
        """Raise for another program's file in the place of ours: to open it for writing would change it already."""
        uri = uri_of(self.path, "mode=ro&immutable=1")
        try:
            with closing(connect(uri, self.place.busy_timeout_ms, None)) as connection:
                tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
        except sqlite3.DatabaseError:
            return  # it says itself what is wrong with it
        if (VERSION_TABLE,) not in tables:
            raise ForeignDatabaseError(
                f"{self.path} was replaced while it was open, by a database that agor-tui did not make.",
                "Nothing of it was changed. Quit, and open it again to read it.",
            )

    def changed(self, source: Source) -> bool:
        """Tell whether another program wrote to the file since ``source`` was opened without locks."""
        if source.looks is None:
            return False
        try:
            if source.engine is self._logged:
                return self._looks.log_looks() != source.looks
            if not self._looks.is_still(source.looks):
                return True
        except OSError:
            return True
        for copied in self._copies[-1:]:
            copied.until = 0.0  # what was read now is newer
        return False

    def left_looks(self) -> Looks:
        """How the file and all that is beside it look now."""
        return self._looks.left_looks()

    def cannot_use_log(self, source: Source, error: object) -> bool:
        """Tell whether ``error`` says that ``source`` cannot read with the log: it has gone, or is to be recovered."""
        if source.engine is not self._logged or not isinstance(error, sqlite3.Error):
            return False
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)

    @property
    def _patience_s(self) -> float:
        return self.place.busy_timeout_ms / 1000

    # Engines

    def _as_it_is(self, looks: Looks) -> Source:
        with self._guard:
            if self._unlocked is None or self._unlocked.looks != looks:
                if self._unlocked is not None:
                    self._unlocked.engine.dispose()
                self._unlocked = Source(self._engine(uri_of(self.path, "mode=ro&immutable=1"), pooled=True), looks)
            return self._unlocked

    def _locked(self, mode: str, *, pooled: bool = False) -> Engine:
        if self._live is None:
            self._live = self._engine(uri_of(self.path, f"mode={mode}"), pooled=pooled)
        return self._live

    def _passive_engine(self) -> Engine:
        """An engine for reading with the log, which does not write to the index of it as readers else do.

        Its connections are closed after each reading: one that is open keeps the owner from removing its log.
        """
        with self._guard:
            if self._logged is None:
                self._logged = make_engine(self._connect_passively, pooled=False)
                event.listen(self._logged, "close", self._detach)
            return self._logged

    def _connect_passively(self) -> sqlite3.Connection:
        descriptor = self._looks.descriptor()
        descriptor.attach()
        try:
            connection = connect(uri_of(self.path, "mode=ro&readonly_shm=1"), self.place.busy_timeout_ms, None)
        except BaseException:
            descriptor.detach()
            raise
        self._passive[id(connection)] = descriptor
        return connection

    def _detach(self, connection: object, _: object) -> None:
        if descriptor := self._passive.pop(id(connection), None):
            descriptor.detach()

    def _engine(self, uri: str, *, pooled: bool) -> Engine:
        wal = self.place.wal_mode if self._writable else None
        return make_engine(partial(connect, uri, self.place.busy_timeout_ms, wal), pooled=pooled)

    # Copies

    def private_copy(self) -> Source:
        """Return a source on a copy of the file and what was left beside it, recovered; made anew when they changed.

        Raises:
            DatabaseError: there is no room for it, or the file does not keep still.
        """
        state = self._looks.left_looks()
        with self._guard:
            for copied in self._copies[-1:]:
                if copied.state == state:
                    return Source(copied.engine, None)
        copy = recovered_copy(self.path, self._looks, _MOST_COPIES)
        return self._read_copy(copy, state)

    def _steady_copy(self) -> Source:
        """A source on a copy of the file between two changes."""
        began = time.monotonic()
        with self._guard:
            for copied in self._copies[-1:]:
                if began < copied.until:
                    return Source(copied.engine, None)
        copy = steady_copy(self.path, self._looks, max(self._patience_s, _LONGEST_WAIT_S))
        now = time.monotonic()
        return self._read_copy(copy, None, now + max(_FRESH_S, _FRESH_FACTOR * (now - began)))

    def _copy_with_log(self) -> Source:
        """A source on a copy of the file and its log, which a program writes to."""
        connection = self._passive_engine().raw_connection()
        try:
            driver = connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            copy = copy_with_log(self.path, driver)
        except sqlite3.Error as error:
            raise exc.OperationalError("copy", None, error) from None
        finally:
            connection.close()
        return self._read_copy(copy, None)

    def _read_copy(self, copy: PrivateCopy | None, state: Looks | None, until: float = 0.0) -> Source:
        if copy is None:
            raise restless(self.path)
        mode = "mode=ro&immutable=1" if copy.is_plain else "mode=rw"
        engine = self._engine(uri_of(copy.path, mode), pooled=True)
        with self._guard:
            self._copies.append(_Copied(copy, engine, state, until))
            # The one before this may just be about to be opened.
            older, self._copies = self._copies[:-2], self._copies[-2:]
        for copied in older:
            copied.close()
        return Source(engine, None)

    def close(self, *, in_use: bool = False) -> None:
        """Close all connections and remove private copies; ``in_use`` where another thread still has a connection."""
        for engine in (self._unlocked.engine if self._unlocked else None, self._live, self._logged):
            if engine is not None:
                engine.dispose()
        with self._guard:
            copies, self._copies = self._copies, []
        for copied in copies:
            copied.close()
        self._looks.close(in_use=in_use)


def restless(path: Path) -> DatabaseError:
    """Return the error for a file that changes faster than it can be read."""
    return DatabaseError(f"{path} is being rewritten by another program all the time.", "Try again when it rests.")


def _make(path: Path) -> None:
    try:
        make_private(path.parent)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        os.close(descriptor)
    except FileExistsError:
        return
    except OSError as error:
        raise DatabaseError(f"{path} cannot be created: {error.strerror}.", "Choose another place for it.") from None


def _target(path: Path) -> Path:
    # SQLite keeps the log and the journal beside the file itself, not beside a link to it.
    try:
        return path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError):  # a link to itself
        return path


def _require_file(path: Path, making: str) -> None:
    """Raise a DatabaseError for what is no file: to open a pipe would wait for its writer.

    ``making`` is the command that makes one there.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise AbsentError(
            f"{path} does not exist.",
            f"Check the path, or make a database there with: {making}",
        ) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if S_ISDIR(mode):
        raise DatabaseError(f"{path} is a folder, not a database file.", "Give the path of the file inside it.")
    if not S_ISREG(mode):
        raise DatabaseError(f"{path} is no file but a device or a pipe.", "Check the path.")


def _unreadable(path: Path, error: OSError) -> DatabaseError:
    return DatabaseError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.")


def _locked_by_another(path: Path) -> DatabaseError:
    return DatabaseError(f"{path} is locked by another program.", "Wait until it has finished, or close it.")


def _check(path: Path, head: bytes) -> None:
    """Raise a DatabaseError for what is no SQLite file, before SQLite says it in its own words."""
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
