"""The rows that a filter of sessions means, in any database that can be read as native rows."""

from __future__ import annotations

from sqlalchemy import select

from agor_tui.config.places import Place
from agor_tui.db.row_source import Selection
from agor_tui.db.tables import sessions
from agor_tui.db.types import among, id_list, keep_text
from agor_tui.filters import SessionFilter
from agor_tui.repositories.sessions import SessionRepository
from agor_tui.repositories.store import open_store


def choose_sessions(place: Place, filter: SessionFilter, *, tenant: str | None = None) -> Selection:
    """Return the sessions that ``filter`` lets through.

    Raises:
        DatabaseError: the database cannot be opened or read.
    """
    store, info = open_store(place, tenant=tenant, read_only=True)
    with store.database:
        ids = SessionRepository(store).chosen(filter)
    if info.kind != "native":
        return Selection(frozenset(map(keep_text, ids)))
    chosen = among(sessions.c.session_id, info.dialect, "chosen")
    return Selection(select(sessions.c.session_id).where(chosen).params(chosen=id_list(ids, info.dialect)))
