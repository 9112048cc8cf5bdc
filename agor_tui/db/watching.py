"""Seeing that an open database was changed, by whomever, at the least cost that its kind allows."""

from __future__ import annotations

from typing import Protocol

from agor_tui.config.places import LibsqlPlace, SqlitePlace, replica_path
from agor_tui.db.engine import Database


class Lookout(Protocol):
    """One way of seeing changes; used by one thread at a time. What it needs it opens at the first look."""

    @property
    def interval_s(self) -> float:
        """Seconds between two looks."""

    def look(self) -> bool:
        """Tell whether the database may have been changed since the last look; the first one says that it has.

        Raises:
            DatabaseError: it cannot be reached; the next look tries again from the beginning.
        """

    def close(self) -> None:
        """Give up what was opened; a look after that begins anew."""


def lookout(database: Database, *, native: bool) -> Lookout:
    """Return the best way to see changes of ``database``; ``native``: its tables are ours."""
    place = database.place
    if database.server is not None:
        from agor_tui.db.watch_postgresql import ServerLookout

        return ServerLookout(database.server, native=native)
    if isinstance(place, LibsqlPlace) and not place.sync_url:
        from agor_tui.db.watch_rows import RowsLookout

        return RowsLookout(database)
    from agor_tui.db.watch_sqlite import OwnFileLookout, TracelessLookout

    if isinstance(place, LibsqlPlace):
        return TracelessLookout(SqlitePlace(place.name, place.label, replica_path(place), place.origin))
    assert isinstance(place, SqlitePlace)
    return TracelessLookout(place) if database.read_only else OwnFileLookout(place)
