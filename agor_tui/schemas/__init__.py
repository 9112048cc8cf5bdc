"""The schema kinds: whose tables a database holds, and the selectables over them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from agor_tui.config.command_lines import command_for
from agor_tui.config.places import Place, describe
from agor_tui.db.catalog import Catalog
from agor_tui.errors import UnknownSchemaError
from agor_tui.schemas import agor, native, opencode
from agor_tui.schemas.base import Schema

Build = Callable[[Catalog, str, str | None], Schema]

# Native before Agor: our tables have its names, and our version table besides.
KINDS: tuple[tuple[Callable[[Catalog], bool], Build], ...] = (
    (native.detect, native.build),
    (opencode.detect, opencode.build),
    (agor.detect, agor.build),
)


def recognise(catalog: Catalog, dialect: str, tenant: str | None, place: Place) -> Schema:
    """Return the mapping for the tables in ``catalog``; ``place`` is where the database is, for the error.

    Raises:
        UnknownSchemaError: the tables are nobody's that we know.
    """
    for detect, build in KINDS:
        if detect(catalog):
            return _built(build, catalog, dialect, tenant)
    if not catalog.tables:
        raise UnknownSchemaError(
            f"{describe(place)} has no tables.", f"To make it a database of agor-tui: {command_for(place, 'db init')}"
        )
    some = ", ".join(sorted(catalog.tables)[:5])
    raise UnknownSchemaError(
        f"{describe(place)} holds tables of no known kind ({some}).",
        "Known are databases of agor-tui, Agor, OpenCode and Kilo.",
    )


@lru_cache(maxsize=16)
def _built(build: Build, catalog: Catalog, dialect: str, tenant: str | None) -> Schema:
    # Most databases of a kind have the same tables: the next one that is opened finds its statements compiled.
    return build(catalog, dialect, tenant)
