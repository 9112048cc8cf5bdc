"""Backups: making one of any database that opens."""

from __future__ import annotations

import os
import re
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from agor_tui import paths
from agor_tui.config.command_lines import command_for
from agor_tui.config.places import Place, PostgresPlace, SqlitePlace, describe, primary
from agor_tui.errors import AgorError, Cancelled, DatabaseError, FileError
from agor_tui.hints import own_command
from agor_tui.scratch import make_private
from agor_tui.services.care.file_sums import require_free, write_sum
from agor_tui.services.migrations import name_of
from agor_tui.transfers import BackupReport, Progress, Tell

_OWN_FORMAT = ".dump"
_ROWS = ".jsonl"
_VERSION = "SHOW server_version_num"
_EXPORTS = re.compile(r"\.(jsonl|json)(\.gz|\.zst)?$")


def back_up(
    place: Place, dest: Path | None = None, *, tell: Tell | None = None, stop: threading.Event | None = None
) -> BackupReport:
    """Back up a database to ``dest``, a new file or a folder, while others use it.

    An SQLite file is copied as it is, whoever made it, with its checksum in a file beside it. A database of ours on a
    server is written as an export with its secrets, and by pg_dump besides where there is one for it; another
    program's only by pg_dump.
    Without ``dest`` a backup of our own file goes to ``backups`` beside it, any other to ``paths.backups_folder()``.

    Raises:
        FileError: ``dest`` cannot be written. DatabaseError: the database cannot be read, or is damaged.
        Cancelled: ``stop`` was set; nothing is left.
    """
    started = time.monotonic()
    if isinstance(place, SqlitePlace):
        report = _back_up_file(place, dest, tell, stop)
    else:
        report = _back_up_server(place, dest, tell, stop)
    return replace(report, size=report.path.stat().st_size, seconds=time.monotonic() - started)


def _back_up_file(
    place: SqlitePlace, dest: Path | None, tell: Tell | None, stop: threading.Event | None
) -> BackupReport:
    from agor_tui.db import backup
    from agor_tui.db.engine import Database
    from agor_tui.db.revision import ownership

    with Database(place) as database:
        owned = database.read(ownership)
        if owned == "empty":
            raise _nothing(place)
        folder = paths.backups_folder() if owned == "foreign" else place.path.parent / "backups"
        target = target_path(dest, folder, place.path.stem, ".db")
        require_free(target)
        backup.back_up(database, target, tell=tell, stop=stop)
    try:
        write_sum(target, tell, stop)
    except BaseException:
        target.unlink()
        raise
    return BackupReport(describe(place), target, "sqlite", 0, 0.0)


def _back_up_server(place: Place, dest: Path | None, tell: Tell | None, stop: threading.Event | None) -> BackupReport:
    from agor_tui.db.engine import Database
    from agor_tui.db.revision import HEAD, current_revision, ownership

    place = primary(place)
    with Database(place) as database:
        owned: str = database.read(ownership)
        if owned == "native" and database.read(current_revision) == HEAD:
            owned = "current"
        version = 0
        if isinstance(place, PostgresPlace):
            version = int(database.read(lambda connection: connection.exec_driver_sql(_VERSION).scalar_one()))
        reached = database.server
    source = describe(place)
    if owned == "empty":
        raise _nothing(place)
    folder, name = paths.backups_folder(), name_of(place)
    if owned != "current":
        target = target_path(dest, folder, name, _OWN_FORMAT)
        _require_pg_dump(place, version, owned)
        assert reached is not None
        _dump(reached, version, target, tell, stop)
        return BackupReport(source, target, "pg_dump", 0, 0.0, notes=(_restored_by(target, "it"),))
    target = target_path(dest, folder, name, _ROWS)
    notes = _export(place, target, tell, stop)
    if reached is None:
        return BackupReport(source, target, "jsonl", 0, 0.0, notes=notes)
    also = target.with_name(_EXPORTS.sub("", target.name) + _OWN_FORMAT)
    try:
        made = _dump(reached, version, also, tell, stop)
    except Cancelled:
        raise
    except AgorError as error:
        return BackupReport(source, target, "jsonl", 0, 0.0, notes=(*notes, f"Without pg_dump's file: {error.message}"))
    if not made:
        return BackupReport(source, target, "jsonl", 0, 0.0, notes=notes)
    return BackupReport(source, target, "jsonl", 0, 0.0, also=also, notes=(*notes, _restored_by(also, also.name)))


def _nothing(place: Place) -> DatabaseError:
    return DatabaseError(f"{describe(place)} holds no tables, so there is nothing to back up.")


def _export(place: Place, target: Path, tell: Tell | None, stop: threading.Event | None) -> tuple[str, ...]:
    """Write the rows with their secrets; return what is to be known of it."""
    from agor_tui.services.dump.exporting import export_database

    report = export_database(place, target, format="jsonl", include_secrets=True, tell=tell, stop=stop)
    tables = [each for each in report.findings if not each.id and each.column is None]
    beside = tuple(f"{each.table} is not in it: {each.what}." for each in tables)
    changed = report.finding_count - len(beside) + sum(report.left_empty.values())
    if not changed:
        return beside
    return (
        *beside,
        f"In {changed:,} places it could not be written as it is (see {command_for(place, 'db check')}).",
    )


def _require_pg_dump(place: Place, version: int, owned: str) -> None:
    from agor_tui.db.pg_dump import find_pg_dump

    if isinstance(place, PostgresPlace) and find_pg_dump(version // 10_000) is not None:
        return
    whose = "belongs to another program" if owned == "foreign" else "is not at this agor-tui's revision"
    needed = f"pg_dump {version // 10_000} or newer, and none is found" if version else "a program of its server's"
    raise DatabaseError(
        f"{describe(place)} {whose}: backing it up takes {needed}.",
        "Install PostgreSQL's client programs." if version else "Back it up with the tools of its server.",
    )


def _dump(place: PostgresPlace, version: int, target: Path, tell: Tell | None, stop: threading.Event | None) -> bool:
    """Let pg_dump write its file; False where there is none for this server."""
    from agor_tui.db.pg_dump import find_pg_dump, run_pg_dump

    program = find_pg_dump(version // 10_000)
    if program is None:
        return False
    if tell:
        tell(Progress("pg_dump", "", 0, None, 0))
    run_pg_dump(program, place, target, stop)
    return True


def _restored_by(path: Path, what: str) -> str:
    return f"PostgreSQL's own programs restore {what}: pg_restore --dbname=... {paths.shown(path)}"


def target_path(dest: Path | None, folder: Path, name: str, suffix: str) -> Path:
    """The file to make: ``dest`` itself, or a name of the database and the time in it, or in ``folder``."""
    if dest is not None and not dest.is_dir():
        return dest
    if dest is None:
        try:
            make_private(folder)
        except OSError as error:
            raise FileError(
                f"{folder} cannot be made: {error.strerror}.", f"Name the backup: {own_command('db backup DEST')}"
            ) from None
    stem = _stem(name) + datetime.now(UTC).strftime("-%Y%m%dT%H%M%SZ")
    names = (f"{stem}{more}{suffix}" for more in ("", *(f"-{number}" for number in range(2, 100))))
    inside = [(dest or folder) / each for each in names]
    return next((path for path in inside if not os.path.lexists(path)), inside[0])


def newest(place: Place) -> Path | None:
    """The newest backup of a database of ours in the usual folder, by the time in its name; None: there is none."""
    if isinstance(place, SqlitePlace):
        folder, name, suffix = place.path.parent / "backups", place.path.stem, ".db"
    else:
        folder, name, suffix = paths.backups_folder(), name_of(primary(place)), _ROWS
    pattern = re.compile(rf"{re.escape(_stem(name))}-\d{{8}}T\d{{6}}Z(-\d+)?{re.escape(suffix)}")
    try:
        found = [each for each in os.listdir(folder) if pattern.fullmatch(each)]
    except OSError:
        return None
    return folder / max(found) if found else None


def _stem(name: str) -> str:
    return re.sub(r"[^\w-]+", "_", name).strip("_")[:100] or "database"
