"""A copy of an SQLite file, made while it may be in use."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import exc
from sqlalchemy.engine import Connection

from agor_tui.config.command_lines import command_for
from agor_tui.config.places import describe
from agor_tui.db.engine import Database
from agor_tui.db.landing import landing
from agor_tui.db.sqlite_failures import is_damage
from agor_tui.db.stopping import stopping
from agor_tui.errors import Cancelled, DatabaseError, FileError, MigrationError
from agor_tui.transfers import Progress, Tell

LONGEST_WAIT_S = 60
"""So long a copy waits for another program to let go of the file."""

_STEP_BYTES = 4_000_000
_TELL_S = 0.2
_PAUSE_S = 0.05
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR_SHORT_READ)
RULES = re.compile(r"CHECK constraint failed in|NULL value in|(non-\w+|NUMERIC|TEXT) value in")
"""What SQLite says in an integrity check of rows that break the rules of their table; that is no damage."""

_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_TRUNCATE)


def copy_file(source: sqlite3.Connection, path: Path, revision: str) -> Path:
    """Copy the open database beside its ``path`` by SQLite's backup API; return where the copy is (mode 0600).

    Raises:
        MigrationError: there is no room or no right to write there; nothing is left behind.
    """
    copy = copy_path(path, revision, datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ"))
    try:
        with landing(copy) as part, closing(sqlite3.connect(part)) as target:
            target.execute("PRAGMA journal_mode=OFF")  # one that is not whole never becomes the copy
            source.backup(target)
    except (FileError, sqlite3.Error) as error:
        raise MigrationError(
            f"{path} could not be copied to {copy.name} before the change: {str(error).rstrip('.')}.",
            "Nothing was changed. Make room in its folder, or check its permissions.",
        ) from None
    return copy


def copy_path(path: Path, revision: str, made: str) -> Path:
    """Where the copy of a file at a revision is kept; ``made`` stands for the time."""
    return path.with_name(f"{path.name}.{revision}.{made}.bak")


def back_up(
    database: Database,
    target: Path,
    *,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
    damaged_too: bool = False,
) -> None:
    """Write one state of an open SQLite file to the new file ``target``: whole, checked, on the disk, mode 0600.

    Others may write meanwhile. The copy is a plain file without a log. ``damaged_too`` keeps one with damage.

    Raises:
        FileError: ``target`` exists or cannot be written. DatabaseError: the database cannot be read, or is damaged.
        Cancelled: ``stop`` was set; nothing is left.
    """
    with landing(target) as part:
        fill(database, part, tell=tell, stop=stop, target=target)
        found = damage(part, tell=tell, stop=stop)
        if found and not damaged_too:
            raise DatabaseError(
                f"{describe(database.place)} is damaged ({found}), and so would be a backup of it.",
                f"See what is wrong with: {command_for(database.place, 'db check')}",
            )


def fill(
    database: Database,
    part: Path,
    *,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
    target: Path | None = None,
) -> None:
    """Fill the file ``part`` with one state of an open SQLite file, as ``back_up`` does; errors name ``target``."""
    shown = target or part
    try:
        database.read(lambda connection: _copy(connection, part, tell, stop), at_length=True)
        with closing(sqlite3.connect(part)) as copy:
            copy.execute("PRAGMA journal_mode=DELETE")  # the header of a WAL file would want a log to be beside it
    except sqlite3.Error as error:
        raise unwritten(shown, error) from None


def damage(path: Path, *, tell: Tell | None = None, stop: threading.Event | None = None) -> str:
    """Return the first thing that is wrong with an SQLite file that nobody has open; empty where nothing is."""
    if tell:
        tell(Progress("check", "", 0, None, path.stat().st_size))
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with (
        closing(sqlite3.connect(uri, uri=True, check_same_thread=False)) as connection,
        stopping(stop, connection.interrupt),
    ):
        return damage_in(connection)


def damage_in(connection: sqlite3.Connection) -> str:
    """Return the first thing that is wrong with the pages and the indexes of an open file; empty where nothing is.

    Rows that break their table's own rules are no damage: they are kept as they are. Neither is what this SQLite lacks
    to look at all of it, such as a collation of another program's. Indexes are compared with their tables: what one
    lacks is not found through it. Raises Cancelled where it was interrupted.
    """
    lines: list[str] = []
    try:
        lines.extend(str(row[0]) for row in connection.execute("PRAGMA integrity_check"))
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise Cancelled("The check was stopped. Nothing was changed.") from None
        if is_damage(error):
            return str(error)
    found = next((line for line in lines if line != "ok" and not RULES.match(line)), "")
    return found.removeprefix("*** in database main ***\n").partition("\n")[0]


def unwritten(path: Path, error: sqlite3.Error, after: str = "Nothing of it was kept.") -> FileError:
    """The error for a file that SQLite could not write; ``after`` says how it is left."""
    if getattr(error, "sqlite_errorcode", None) in _NO_ROOM:
        return FileError(
            f"{path} cannot be written: there is no room for it ({error}).",
            f"{after} Free some space, or name another place.",
        )
    return FileError(f"{path} cannot be written: {error}.", after)


def _copy(connection: Connection, part: Path, tell: Tell | None, stop: threading.Event | None) -> None:
    source = connection.connection.driver_connection
    assert isinstance(source, sqlite3.Connection)
    connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()  # one state of it, to the end
    try:
        _pour(source, part, Steps(source, "copy", tell, stop))
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) not in _DAMAGED:
            raise
        # Read without locks while another program wrote, perhaps: the unit of work is done again then.
        raise exc.DatabaseError("backup", None, error) from None


def _pour(source: sqlite3.Connection, part: Path, steps: Steps) -> None:
    """Copy ``source`` over the file ``part``, which nobody else has open, without care for its being half done."""
    os.truncate(part, 0)
    with closing(sqlite3.connect(part)) as target:
        target.execute("PRAGMA journal_mode=OFF")
        target.execute("PRAGMA synchronous=OFF")
        steps.run(source, target)


class Steps:
    """Looks on while pages are copied: tells how far it is, and ends what is stopped or stuck."""

    def __init__(self, source: sqlite3.Connection, stage: str, tell: Tell | None, stop: threading.Event | None) -> None:
        self._page_size = int(source.execute("PRAGMA page_size").fetchone()[0])
        self._stage, self._tell, self._stop = stage, tell, stop
        self._moved = self._told = time.monotonic()

    def run(self, source: sqlite3.Connection, target: sqlite3.Connection) -> None:
        """Copy all pages; in ``target`` they are one transaction."""
        source.backup(target, pages=max(_STEP_BYTES // self._page_size, 1), progress=self, sleep=_PAUSE_S)

    def __call__(self, status: int, remaining: int, total: int) -> None:
        """Look at one step. Raises Cancelled, DatabaseError, or what ``tell`` raises."""
        if self._stop is not None and self._stop.is_set():
            raise Cancelled("The copy was stopped; nothing of it was kept.")
        now = time.monotonic()
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            if now > self._moved + LONGEST_WAIT_S:
                raise DatabaseError(
                    f"Another program has kept the file locked for {LONGEST_WAIT_S} s.",
                    "Nothing was changed. Try again when it has finished.",
                )
            return
        self._moved = now
        if self._tell and (now > self._told + _TELL_S or not remaining):
            self._told = now
            done = total - remaining
            self._tell(Progress(self._stage, "", done, total, done * self._page_size))
