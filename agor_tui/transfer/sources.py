"""Opening any database that can be read as a source of native rows."""

from __future__ import annotations

from agor_tui.config.places import Place
from agor_tui.db.row_source import MappedSource, NativeSource, RowSource
from agor_tui.db.unmapped import Declared
from agor_tui.errors import UnknownSchemaError
from agor_tui.repositories.store import open_store


def open_source(place: Place, *, tenant: str | None = None) -> RowSource:
    """Open ``place`` for reading one state of it as native rows; to be closed by the caller.

    Raises:
        DatabaseError: it cannot be opened, is of no known kind, or is native and not at this program's revision.
    """
    store, info = open_store(place, tenant=tenant, read_only=True)
    if info.kind == "native":
        return NativeSource(store.database)
    declared = Declared(store.schema.mapped_tables, store.schema.left_aside)
    if info.kind == "agor":
        from agor_tui.schemas import agor_rows

        return MappedSource(store.database, info.kind, declared, agor_rows.rows_of)
    if info.kind in ("opencode", "kilo"):
        from agor_tui.schemas import opencode_rows

        return MappedSource(store.database, info.kind, declared, opencode_rows.rows_of)
    store.database.close()
    raise UnknownSchemaError(f"{info.place} is {info.owner}'s and cannot be read as rows of agor-tui.")
