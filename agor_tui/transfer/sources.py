"""Opening any database that can be read as a source of native rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agor_tui.config.places import Place, describe
from agor_tui.database_records import DatabaseInfo
from agor_tui.db.row_source import MappedSource, NativeSource, RowSource
from agor_tui.db.unmapped import Declared
from agor_tui.errors import DamagedError, UnknownSchemaError
from agor_tui.repositories.base import Store
from agor_tui.repositories.store import open_store
from agor_tui.transfers import UNREAD, Finding

if TYPE_CHECKING:
    from agor_tui.db.engine import Database
    from agor_tui.db.salvage import Salvaged


def open_source(place: Place, *, tenant: str | None = None, salvage: bool = False) -> RowSource:
    """Open ``place`` for reading one state of it as native rows; to be closed by the caller.

    ``salvage``: of a damaged SQLite file give what can be read; its findings name the rest.

    Raises:
        DatabaseError: it cannot be opened, is of no known kind, or is native and not at this program's revision.
    """
    try:
        store, info = open_store(place, tenant=tenant, read_only=True)
        salvaged = _salvaged(store.database) if salvage else None
    except DamagedError:
        if not salvage:
            raise
        raise DamagedError(
            f"{describe(place)} is damaged where its list of tables is, so nothing of it can be copied.",
            "Take it from a backup. SQLite's own shell may still get rows out of it, with its command .recover",
        ) from None
    source = _source(store, info)
    if salvaged is not None:
        source.findings += _unread(salvaged)
    return source


def _salvaged(database: Database) -> Salvaged | None:
    try:
        return database.salvage()
    except BaseException:
        database.close()
        raise


def _unread(salvaged: Salvaged) -> Iterator[Finding]:
    """What of a damaged file is not among its rows."""
    for gap in salvaged.gaps:
        yield Finding(gap.table, gap.rows, None, "the file is damaged there", UNREAD)
    for name in salvaged.tables:
        yield Finding(name, "all rows", None, "the file is damaged there", UNREAD)
    for line in salvaged.lines:
        yield Finding("file", "", "damage", line, UNREAD)


def _source(store: Store, info: DatabaseInfo) -> RowSource:
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
