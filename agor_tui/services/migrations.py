"""Making, migrating and testing databases: what the ``db`` commands and the migration screen ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from agor_tui.config.places import Place, PostgresPlace, SqlitePlace, describe
from agor_tui.database_records import (
    DatabaseTest,
    MigrationEvent,
    MigrationPlan,
    MigrationRun,
    MigrationStatus,
    Revision,
)
from agor_tui.errors import ForeignDatabaseError

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

Progress = Callable[[Revision], None]
"""Called with each revision when it is applied for good."""

Tell = Callable[[MigrationEvent], None]
"""Called with all that happens, in the thread that migrates; raising ``Cancelled`` ends it before its next revision."""


def init(place: Place, progress: Progress | None = None) -> MigrationRun:
    """Make a native database; ``agor_tui.db.migrator`` says what this and the next five do and raise."""
    from agor_tui.db import migrator

    with _owner_named(place):
        return migrator.init(place, progress)


def migrate(place: Place, target: str = "head", tell: Tell | None = None) -> MigrationRun:
    """Apply the pending revisions up to ``target``."""
    from agor_tui.db import migrator

    with _owner_named(place):
        return migrator.upgrade(place, target, tell)


def downgrade(place: Place, target: str, tell: Tell | None = None) -> MigrationRun:
    """Undo the revisions after ``target``."""
    from agor_tui.db import migrator

    with _owner_named(place):
        return migrator.downgrade(place, target, tell)


def reset(place: Place, progress: Progress | None = None) -> MigrationRun:
    """Drop all tables of a native database and make them anew."""
    from agor_tui.db import migrator

    with _owner_named(place):
        return migrator.reset(place, progress)


def plan(place: Place, target: str = "head") -> MigrationPlan:
    """Return what moving to ``target`` would do, and its SQL in the database's dialect."""
    from agor_tui.db import migrator

    with _owner_named(place):
        return migrator.plan(place, target)


def status(place: Place) -> MigrationStatus:
    """Return where the database stands: our revisions, or those that the program which owns it recorded.

    Raises:
        DatabaseError: the database cannot be read.
    """
    from agor_tui.db import migrator

    found = migrator.status(place)
    if found.kind != "foreign":
        return found
    info = test(place).info
    return replace(found, kind=info.kind, owner=info.owner)


def place_of(browser: Browser) -> Place:
    """Where an open database is; for reading only where it was opened so."""
    place = browser.store.database.place
    return replace(place, read_only=place.read_only or browser.info.read_only)


def name_of(place: Place) -> str:
    """What a database is called before it is changed: its name in the config, else its file or its own name."""
    if place.name is not None:
        return place.name
    if isinstance(place, SqlitePlace):
        return place.path.name
    return (place.database if isinstance(place, PostgresPlace) else None) or place.label


def test(place: Place) -> DatabaseTest:
    """Connect and measure; say what is there, whatever it is.

    Raises:
        DatabaseError: the database cannot be reached or read.
    """
    from agor_tui.repositories.probe import probe

    return probe(place)


@contextmanager
def _owner_named(place: Place) -> Iterator[None]:
    """Name the program that owns the database in the refusal to touch it."""
    try:
        yield
    except ForeignDatabaseError as error:
        info = test(place).info
        if info.kind == "unknown":
            raise
        raise ForeignDatabaseError(
            f"{describe(place)} belongs to {info.owner}, so agor-tui leaves its tables as they are.", error.hint
        ) from None
