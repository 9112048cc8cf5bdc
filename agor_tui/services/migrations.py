"""Making, migrating and testing databases: what the ``db`` commands and the migration screen ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from agor_tui.config.places import Place, describe
from agor_tui.errors import ForeignDatabaseError
from agor_tui.records import DatabaseTest, MigrationRun, MigrationStatus, Revision

Progress = Callable[[Revision], None]
"""Called with each revision when it is applied, or undone, for good."""


def init(place: Place, progress: Progress | None = None) -> MigrationRun:
    """Make a native database; ``agor_tui.db.migrator`` says what this and the next four do and raise."""
    from agor_tui.db import migrator

    with _owner_named(place):
        return migrator.init(place, progress)


def migrate(place: Place, target: str = "head", progress: Progress | None = None) -> MigrationRun:
    """Apply the pending revisions up to ``target``."""
    from agor_tui.db import migrator

    with _owner_named(place):
        return migrator.upgrade(place, target, progress)


def downgrade(place: Place, target: str, progress: Progress | None = None) -> MigrationRun:
    """Undo the revisions after ``target``."""
    from agor_tui.db import migrator

    with _owner_named(place):
        return migrator.downgrade(place, target, progress)


def reset(place: Place, progress: Progress | None = None) -> MigrationRun:
    """Drop all tables of a native database and make them anew."""
    from agor_tui.db import migrator

    with _owner_named(place):
        return migrator.reset(place, progress)


def preview(place: Place, target: str = "head") -> str:
    """Return the SQL of moving to ``target``, in the database's dialect."""
    from agor_tui.db import migrator

    with _owner_named(place):
        return migrator.preview(place, target)


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
