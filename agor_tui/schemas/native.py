"""Our own tables: of Agor's shape, made and owned by our migrations, and therefore writable."""

from __future__ import annotations

from dataclasses import replace

from agor_tui.db.catalog import Catalog
from agor_tui.db.revision import VERSION_TABLE
from agor_tui.schemas import agor
from agor_tui.schemas.base import Schema

_LEFT_ASIDE = {
    VERSION_TABLE: "the revision of the tables themselves",
    "schema_migrations": "the record of this database's own migrations",
    "agor_tui_transfer": "the record of a copy that is not finished",
}


def detect(catalog: Catalog) -> bool:
    """Tell whether our migrations made these tables: our version table is there."""
    return catalog.has(VERSION_TABLE) and catalog.has("sessions", "session_id")


def build(catalog: Catalog, dialect: str, tenant: str | None) -> Schema:
    """Return the mapping of our tables."""
    schema = agor.build(catalog, dialect, tenant, kind="native")
    return replace(
        schema,
        capabilities=schema.capabilities | {"write"},
        mapped_tables=schema.mapped_tables - {"branches"},
        left_aside=_LEFT_ASIDE,
    )
