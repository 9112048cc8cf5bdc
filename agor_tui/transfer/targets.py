"""Where rows are moved to: whether they may go there, and what has to be made first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import exists, literal, select, table
from sqlalchemy.engine import Connection

from agor_tui.config.command_lines import command_for
from agor_tui.config.places import Place, SqlitePlace, describe, primary
from agor_tui.db import identity, transfer_marks
from agor_tui.db.access import require_access
from agor_tui.db.catalog import read_catalog
from agor_tui.db.engine import Database
from agor_tui.db.revision import HEAD, ownership, require_current, require_known
from agor_tui.db.row_format import FORMATS
from agor_tui.errors import (
    AbsentError,
    DatabaseError,
    ForeignDatabaseError,
    OccupiedError,
    ReadOnlyError,
    UsageError,
)
from agor_tui.repositories.store import open_store
from agor_tui.transfers import OnConflict


@dataclass(frozen=True, slots=True)
class Ground:
    """What a target is like now: ``absent`` (no file, no such database), ``empty`` of tables, or ``native``.

    ``unfinished`` is what an unfinished transfer into it noted of itself.
    """

    state: Literal["absent", "empty", "native"]
    unfinished: Mapping[str, str] | None = None


def refuse_same(source: Place, target: Place) -> None:
    """Raise a UsageError where both are one database, whatever they are called.

    Raises:
        DatabaseError: one of them cannot be asked.
    """
    first = identity.identity(source)
    try:
        second = identity.identity(target)
    except AbsentError:
        return
    if first.same_as(second) or identity.copies(source) & second.found or identity.copies(target) & first.found:
        raise UsageError(
            f"{describe(source)} and {describe(target)} are the same database.", "Name two different databases."
        )


def survey(place: Place, on_conflict: OnConflict, facts: Mapping[str, str]) -> Ground:
    """Look at a target, which is left as it is; ``facts`` say what is to be moved there.

    Raises:
        ReadOnlyError: the config says that it is for reading only.
        ForeignDatabaseError: another program's tables are there.
        SchemaVersionError: it is native and not at this program's revision.
        DatabaseError: it has rows, and nothing says what is to become of them; another transfer is unfinished there;
            or it cannot be reached.
    """
    if place.read_only:
        raise ReadOnlyError(
            f"{describe(place)} is to be opened for reading only, so nothing is copied into it.",
            "Leave out --read-only, or set readOnly: false in the config.",
        )
    if isinstance(place, SqlitePlace) and place.path.exists() and not place.path.stat().st_size:
        return Ground("empty")
    try:
        database = Database(primary(place))
        with database:
            return database.read(lambda connection: _look(connection, place, on_conflict, facts))
    except AbsentError:
        return Ground("absent")


def _look(connection: Connection, place: Place, on_conflict: OnConflict, facts: Mapping[str, str]) -> Ground:
    owner = ownership(connection)
    if owner != "foreign":
        require_access(connection, place, "fill" if owner == "native" else "make")
    if owner == "empty":
        return Ground("empty")
    if owner == "foreign":
        raise _foreign(place)
    unfinished = transfer_marks.unfinished(connection)
    if unfinished is None and require_known(connection, place) != HEAD and not _filled(connection):
        return Ground("empty")  # whoever began to make it was killed, or undid it
    require_current(connection, place)
    if unfinished is not None:
        _require_same_facts(unfinished, facts, place)
        return Ground("native", unfinished)
    if on_conflict == "fail" and (filled := _filled(connection)):
        raise OccupiedError(
            f"{describe(place)} is not empty: it has rows in {', '.join(filled)}.",
            "Name an empty database, or say what is to become of rows that are in both: "
            "--on-conflict skip (its own stay) or newer (the newer ones stay).",
        )
    return Ground("native")


def _filled(connection: Connection) -> list[str]:
    """The native tables that have rows; of those that an older revision has."""
    catalog = read_catalog(connection)
    there = [name for name in FORMATS if catalog.has(name)]
    rows = {name: exists(select(literal(1)).select_from(table(name))) for name in there}
    return [name for name in there if connection.execute(select(rows[name])).scalar()]


def _foreign(place: Place) -> ForeignDatabaseError:
    owner = "another program"
    try:
        store, info = open_store(place, read_only=True)
    except DatabaseError:
        pass  # nobody's that we know
    else:
        store.database.close()
        owner = info.owner
    return ForeignDatabaseError(
        f"{describe(place)} belongs to {owner}, and agor-tui never writes to it.",
        "Name an empty database, another schema, or a new file.",
    )


def _require_same_facts(unfinished: Mapping[str, str], facts: Mapping[str, str], place: Place) -> None:
    if all(unfinished.get(name) == value for name, value in facts.items()):
        return
    other = f"of {unfinished.get('label', 'another database')}"
    what = f"{other} with other options" if unfinished.get("source") == facts.get("source") else other
    raise DatabaseError(
        f"{describe(place)} holds an unfinished copy {what}.",
        f"Begin the same copy again to continue it; or empty it first: {command_for(place, 'db reset')}",
    )


def made(ground: Ground, place: Place, *, dry_run: bool) -> str:
    """Say what was made there for the rows, or would be, in one sentence; empty where all was there."""
    verb = "would be" if dry_run else "was"
    if ground.state == "native":
        return ""
    return (
        f"{describe(place)} {verb} made." if ground.state == "absent" else f"{describe(place)} {verb} given its tables."
    )
