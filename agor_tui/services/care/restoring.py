"""Restoring a backup into a database of ours: looked at whole first, put in place in one go, and never over others'."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agor_tui.config.places import Place, SqlitePlace, describe, primary
from agor_tui.errors import (
    AbsentError,
    Cancelled,
    DatabaseError,
    FileError,
    ForeignDatabaseError,
    ReadOnlyError,
    UsageError,
)
from agor_tui.hints import own_command
from agor_tui.scratch import clear_leftovers, scratch_folder
from agor_tui.services import migrations
from agor_tui.services.care import backups
from agor_tui.services.care.file_sums import require_unaltered
from agor_tui.transfers import RestoreReport, Tell

if TYPE_CHECKING:
    from agor_tui.db.restoring import Holdings

_UNCHANGED = "Nothing was changed."


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What a restore will do: ``place`` holds ``now`` (None: nothing yet), and will hold ``then``.

    ``made_at`` is when the backup was made, ``revision`` that of its tables.
    """

    place: Place
    backup: Path
    form: Literal["sqlite", "jsonl"]
    made_at: datetime | None
    revision: str
    now: Holdings | None
    then: Holdings
    secrets: bool = True
    """Whether the backup has them; an export may not."""


def plan(place: Place, backup: Path, *, tell: Tell | None = None, stop: threading.Event | None = None) -> RestorePlan:
    """Look at the backup as a whole, and at what it is to replace; nothing is changed.

    Raises:
        FileError: the backup cannot be read, is none, was cut or altered. SchemaVersionError: a newer agor-tui made it.
        ForeignDatabaseError: the database, or the backup, is another program's. ReadOnlyError: it may not be written.
        UsageError: the backup is the database itself. Cancelled: ``stop`` was set.
    """
    place = primary(place)
    if place.read_only:
        raise ReadOnlyError(
            f"{describe(place)} is to be opened for reading only.",
            "Leave out --read-only, or set readOnly: false in the config.",
        )
    form = _form(backup)
    if isinstance(place, SqlitePlace) and place.path.exists() and place.path.samefile(backup):
        raise UsageError(f"{backup} is the database itself.", "Name a backup, or another database with -d.")
    now = _held(place)
    if form == "jsonl":
        return _look_at_export(place, backup, now, tell, stop)
    if not isinstance(place, SqlitePlace):
        raise UsageError(
            f"{backup} is a backup of a file, and {describe(place)} is on a server.",
            f"Restore an export (.jsonl) there, or copy with: {own_command('db copy')}",
        )
    made_at, revision, then = _look_at_file(backup, tell, stop)
    return RestorePlan(place, backup, form, made_at, revision, now, then)


def restore(planned: RestorePlan, *, tell: Tell | None = None, stop: threading.Event | None = None) -> RestoreReport:
    """Do what was planned, after a backup of what is there; others may have the database open.

    Killed or stopped at any moment, the database holds what it held, or what the backup holds.

    Raises: as ``plan``, and FileError or DatabaseError where it cannot be written; it is as it was then.
    """
    started = time.monotonic()
    place, safety = planned.place, None
    if _held(place) is not None:
        safety = _safety_copy(place, tell, stop)
    if stop is not None and stop.is_set():
        raise Cancelled("The restore was stopped. Nothing was changed.")
    if not isinstance(place, SqlitePlace):
        _import(planned, place, tell, stop, replacing=safety is not None)
    elif planned.form == "sqlite":
        _put_in_place(_file(planned.backup), place, tell, stop)
    else:
        with _beside(place.path) as folder:
            made = _file(folder / "import.db", read_only=False)
            _import(planned, made, tell, stop, replacing=False)
            _put_in_place(made, place, tell, stop)
    from agor_tui.db.revision import HEAD

    return RestoreReport(
        target=describe(place),
        backup=planned.backup,
        sessions=planned.then.sessions,
        revision=planned.revision,
        behind=planned.form == "sqlite" and planned.revision != HEAD,
        safety=safety,
        seconds=time.monotonic() - started,
    )


def _put_in_place(backup: SqlitePlace, place: SqlitePlace, tell: Tell | None, stop: threading.Event | None) -> None:
    from agor_tui.db.engine import Database
    from agor_tui.db.restoring import put_in_place

    with Database(backup) as source:
        put_in_place(source, place, tell=tell, stop=stop)


def _import(
    planned: RestorePlan, place: Place, tell: Tell | None, stop: threading.Event | None, *, replacing: bool
) -> None:
    from agor_tui.services.dump.importing import import_file

    import_file(planned.backup, place, replacing=replacing, tell=tell, stop=stop)


def _safety_copy(place: Place, tell: Tell | None, stop: threading.Event | None) -> Path:
    """Back up what is about to be replaced, damaged as it may be; return where that is."""
    if not isinstance(place, SqlitePlace):
        return backups.back_up(place, tell=tell, stop=stop).path
    from agor_tui.db import backup
    from agor_tui.db.engine import Database

    target = backups.target_path(None, place.path.parent / "backups", f"{place.path.stem}-before-restore", ".db")
    with Database(place) as database:
        backup.back_up(database, target, tell=tell, stop=stop, damaged_too=True)
    return target


def _held(place: Place) -> Holdings | None:
    """What a database holds that may be replaced; None where there is nothing."""
    from agor_tui.db.engine import Database
    from agor_tui.db.restoring import Holdings, holdings
    from agor_tui.db.revision import ownership, require_current

    try:
        with Database(place) as database:
            owned = database.read(ownership)
            if owned == "native":
                if not isinstance(place, SqlitePlace):  # rows go into the tables that are there
                    database.read(lambda connection: require_current(connection, place))
                try:
                    return database.read(holdings)
                except DatabaseError:  # damaged, and the more in need of being replaced
                    return Holdings(None, None)
    except AbsentError:
        return None
    except DatabaseError as error:
        if not isinstance(place, SqlitePlace):
            raise
        raise DatabaseError(
            error.message, "Nobody can tell whose it is, so it is not replaced. Move it away, and restore again."
        ) from None
    if owned == "foreign":
        owner = migrations.test(place).info.owner
        raise ForeignDatabaseError(
            f"{describe(place)} belongs to {owner}, so nothing is restored over it.",
            "Name another file or database with -d.",
        )
    return None


def _form(backup: Path) -> Literal["sqlite", "jsonl"]:
    """What kind of backup a file is, by its first bytes."""
    try:
        if not backup.is_file():
            if not os.path.lexists(backup):
                raise FileError(f"{backup} does not exist.", "Check the path.")
            raise FileError(f"{backup} is no file.", "Name the backup itself.")
        with backup.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise FileError(f"{backup} cannot be read: {error.strerror}.", "Check its permissions.") from None
    if not head:
        raise FileError(f"{backup} is empty.", _UNCHANGED)
    if head.startswith(b"PGDMP"):
        raise FileError(
            f"{backup} was made by pg_dump, and only PostgreSQL's own pg_restore reads it.",
            "db restore reads the .jsonl file that was made with it.",
        )
    return "sqlite" if head == b"SQLite format 3\0" else "jsonl"


def _look_at_file(backup: Path, tell: Tell | None, stop: threading.Event | None) -> tuple[datetime, str, Holdings]:
    from agor_tui.db.engine import Database
    from agor_tui.db.restoring import damage_of, holdings
    from agor_tui.db.revision import ownership, require_known

    require_unaltered(backup, tell, stop)
    place = _file(backup)
    with Database(place) as database:
        damage = damage_of(database, tell, stop)
        if damage:
            raise FileError(f"{backup} is damaged: {damage}.", f"{_UNCHANGED} Take another backup.")
        owned = database.read(ownership)
        if owned == "foreign":
            raise ForeignDatabaseError(
                f"{backup} is no backup of a database of agor-tui: its tables are another program's.",
                "Restore it with that program.",
            )
        if owned == "empty":
            raise FileError(f"{backup} holds no tables.", _UNCHANGED)
        revision = database.read(lambda connection: require_known(connection, place))
        return datetime.fromtimestamp(backup.stat().st_mtime, UTC), revision or "base", database.read(holdings)


def _look_at_export(
    place: Place, backup: Path, now: Holdings | None, tell: Tell | None, stop: threading.Event | None
) -> RestorePlan:
    from agor_tui.db.restoring import Holdings
    from agor_tui.services.dump.importing import check_file

    reader = check_file(backup, tell=tell, stop=stop)
    header, sessions = reader.header, reader.footer.tables.get("sessions")
    if header.filter:
        raise FileError(
            f"{backup} holds some of a database only ({header.filter}).", f"Import it: {own_command('db import')}"
        )
    then = Holdings(sessions.rows if sessions else 0, None)
    return RestorePlan(place, backup, "jsonl", _time(header.exported_at), header.revision, now, then, header.secrets)


def _time(text: str) -> datetime | None:
    from agor_tui.db.types import instant_of_text

    return instant_of_text(text)


def _file(path: Path, *, read_only: bool = True) -> SqlitePlace:
    return SqlitePlace(None, path.name, path, "", read_only=read_only)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A folder beside ``path`` that vanishes with all in it."""
    clear_leftovers(path.parent)
    with ExitStack() as stack:
        try:
            made = stack.enter_context(scratch_folder(path.parent))
        except OSError as error:
            raise FileError(
                f"{path} cannot be written: {error.strerror}.", "Check the permissions of its folder."
            ) from None
        yield made
