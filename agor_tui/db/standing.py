"""What a login on a PostgreSQL server may do, and whether the database and the schema are there."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping

from agor_tui.config.places import PostgresPlace
from agor_tui.db.engine import Database
from agor_tui.errors import DatabaseError

_MAINTENANCE = "postgres"
_PRODUCT = re.compile(r"CockroachDB|YugabyteDB|-YB-|Redshift|Greenplum|CrateDB|Materialize|QuestDB|RisingWave", re.I)
_FACTS = text("""
SELECT current_user::text AS "user", current_setting('server_version') AS version,
  pg_catalog.pg_is_in_recovery() AS standby,
  (SELECT rolsuper OR rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user) AS creates_databases,
  EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = :database) AS has_database,
  has_database_privilege(current_database(), 'CREATE') AS creates_schemas,
  CASE WHEN CAST(:schema AS text) IS NULL THEN current_schema()::text
       ELSE (SELECT nspname::text FROM pg_catalog.pg_namespace WHERE nspname = :schema) END AS schema,
  (SELECT CASE WHEN ssl THEN version ELSE '' END FROM pg_catalog.pg_stat_ssl WHERE pid = pg_backend_pid()) AS tls
""")
_CREATES_TABLES = text("SELECT has_schema_privilege(:schema, 'CREATE')")


@dataclass(frozen=True, slots=True)
class Standing:
    """Who is logged in and what is there. ``schema`` is None where it is still to be made.

    ``has_database`` false: it was asked from another database of the server. ``tls`` is the version, empty without.
    """

    user: str
    version: str
    standby: bool
    tls: str
    has_database: bool
    creates_databases: bool
    creates_schemas: bool
    schema: str | None
    creates_tables: bool


def standing(place: PostgresPlace) -> Standing:
    """Log in and ask; where the database is missing, in the server's own database ``postgres``.

    Raises:
        DatabaseError: the server refuses the login, cannot be reached, or is another product.
    """
    try:
        return _ask(place, place)
    except DatabaseError as failure:
        if place.database is None or place.service:
            raise
        try:
            found = _ask(replace(place, database=_MAINTENANCE, schema=None), place)
        except DatabaseError:
            raise failure from None
        if found.has_database:  # so it was something else that failed
            raise failure from None
        return replace(found, schema=None, creates_tables=False)


def _ask(through: PostgresPlace, place: PostgresPlace) -> Standing:
    with Database(through) as database:
        product = database.read(lambda connection: str(connection.exec_driver_sql("SELECT version()").scalar()))
        if found := _PRODUCT.search(product):
            name = "YugabyteDB" if found[0] == "-YB-" else found[0]
            raise DatabaseError(
                f"The server is {name}, which only speaks PostgreSQL's protocol.",
                "agor-tui needs PostgreSQL itself, or SQLite.",
            )
        facts, creates_tables = database.read(lambda connection: _facts(connection, through, place))
    return Standing(
        user=facts["user"],
        version=str(facts["version"]).partition(" ")[0],
        standby=bool(facts["standby"]),
        tls=facts["tls"] or "",
        has_database=bool(facts["has_database"]) or place.database is None,
        creates_databases=bool(facts["creates_databases"]),
        creates_schemas=bool(facts["creates_schemas"]),
        schema=facts["schema"],
        creates_tables=creates_tables,
    )


def _facts(connection: Connection, through: PostgresPlace, place: PostgresPlace) -> tuple[RowMapping, bool]:
    facts = connection.execute(_FACTS, {"database": place.database, "schema": through.schema}).mappings().one()
    if facts["schema"] is None:
        return facts, False
    return facts, bool(connection.scalar(_CREATES_TABLES, {"schema": facts["schema"]}))
