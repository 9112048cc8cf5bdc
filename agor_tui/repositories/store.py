"""Opening a place: whose tables it holds, and whether it may be written."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text
from sqlalchemy.engine import Connection

from agor_tui.config.places import Place, PostgresPlace, describe
from agor_tui.database_records import Access, DatabaseInfo
from agor_tui.db.access import access
from agor_tui.db.catalog import Catalog, read_catalog
from agor_tui.db.engine import Database
from agor_tui.db.revision import VERSION_TABLE, require_current
from agor_tui.errors import DatabaseError
from agor_tui.repositories.base import Store
from agor_tui.schemas import recognise
from agor_tui.schemas.agor_tables import DEFAULT_TENANT


def open_store(place: Place, *, tenant: str | None = None, read_only: bool = False) -> tuple[Store, DatabaseInfo]:
    """Open ``place``: for reading first, to learn whose it is; for writing only where it is ours and may be written.

    Raises:
        DatabaseError: it cannot be opened, is of no known kind, or of a revision that this program does not know.
    """
    database = Database(place)
    try:
        catalog, version = database.read(learn)
        wanted = tenant or (place.tenant if isinstance(place, PostgresPlace) else None)
        has_tenants = catalog.has("sessions", "tenant_id")
        if tenant is not None and not has_tenants:
            raise DatabaseError(f"{describe(place)} has no tenants.", "Leave out --tenant.")
        if catalog.has(VERSION_TABLE):
            database.read(lambda connection: require_current(connection, place))
        schema = recognise(catalog, database.dialect, wanted, place)
        if has_tenants:
            database.tenant = wanted or DEFAULT_TENANT
        allowed = Access()
        if schema.kind == "native" and not read_only:
            allowed = database.read(lambda connection: access(connection, place))
            # A server may allow later what it does not now, a standby that is promoted: its edits are asked for anew.
            if not allowed.obstacle or (isinstance(place, PostgresPlace) and not place.read_only):
                database.close()
                database = Database(place, writable=True)
        if database.read_only:
            schema = replace(schema, capabilities=schema.capabilities - {"write"})
    except BaseException:
        database.close()
        raise
    return Store(database, schema), DatabaseInfo(
        label=place.label,
        dialect=database.dialect,
        server_version=version,
        kind=schema.kind,
        place=describe(place),
        read_only=database.read_only or bool(allowed.obstacle),
        owner=schema.owner,
        origin=place.origin,
        tenant=database.tenant,
        capabilities=schema.capabilities,
        name=place.name,
        note=database.staleness,
        access=allowed,
    )


def learn(connection: Connection) -> tuple[Catalog, str]:
    """Return what tables there are, and the version of SQLite or of the server."""
    if connection.dialect.name == "sqlite":
        return read_catalog(connection), str(connection.scalar(text("SELECT sqlite_version()")))
    version = connection.scalar(text("SHOW server_version"))
    return read_catalog(connection), str(version).partition(" ")[0]
