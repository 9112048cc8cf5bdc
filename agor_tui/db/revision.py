"""Which of our revisions a database is at: read with plain SQL, since Alembic takes long to import."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import inspect, select
from sqlalchemy.engine import Connection

from agor_tui.config.command_lines import command_for
from agor_tui.config.places import Place, describe
from agor_tui.db.catalog import require_usable
from agor_tui.errors import SchemaVersionError

#: Alembic's table under a name of our own: another program's ``alembic_version`` is never taken for ours.
VERSION_TABLE = "agor_tui_version"

#: All revisions from the first to the newest: the history has no branches.
REVISIONS = ("0001", "0002")
HEAD = REVISIONS[-1]

_SQLITE_NAMES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT GLOB 'sqlite_*'"

_POSTGRESQL_NAMES = """
SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                AND d.objid = c.oid AND d.deptype = 'e')
"""


def ownership(connection: Connection) -> Literal["empty", "native", "foreign"]:
    """Tell whose tables the database (PostgreSQL: the current schema) has; those of extensions do not count.

    Raises:
        DatabaseError: the schema may not be used.
    """
    sqlite = connection.dialect.name == "sqlite"
    names = set(connection.exec_driver_sql(_SQLITE_NAMES if sqlite else _POSTGRESQL_NAMES).scalars())
    if VERSION_TABLE in names:
        return "native"
    if not names:
        require_usable(connection)
    return "foreign" if names else "empty"


def current_revision(connection: Connection) -> str | None:
    """Return the revision that a native database is at; None where all were undone."""
    return connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()


def require_known(connection: Connection, place: Place) -> str | None:
    """Return the revision that a native database is at.

    Raises:
        SchemaVersionError: a newer program made it, and this one does not know it.
    """
    revision = current_revision(connection)
    if revision is None or revision in REVISIONS:
        return revision
    from agor_tui.db.tables import schema_migrations  # its import brings the PostgreSQL dialect, and takes long

    version = None
    if inspect(connection).has_table(schema_migrations.name):
        made_by = select(schema_migrations.c.tool_version).where(schema_migrations.c.revision == revision)
        version = connection.execute(made_by).scalar()
    raise SchemaVersionError(
        f"{describe(place)} is at revision {revision}, which this version of agor-tui does not know"
        + (f": agor-tui {version} made it." if version else "."),
        "Update agor-tui to open it.",
    )


def require_current(connection: Connection, place: Place) -> None:
    """Raise a SchemaVersionError unless a native database is at the newest revision."""
    revision = require_known(connection, place)
    if revision != HEAD:
        raise SchemaVersionError(
            f"{describe(place)} is at revision {revision or 'base'}, and this version of agor-tui needs {HEAD}.",
            f"Migrate it with: {command_for(place, 'db migrate')}",
        )
