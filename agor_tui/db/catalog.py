"""What tables and columns a database has: read once when it is opened, so that schemas detect columns, not versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from agor_tui.errors import DatabaseError

# Tables of pages: to ask a virtual one for its columns runs its module, which may not be there.
_SQLITE = """
SELECT m.name, p.name, lower(p.type)
FROM sqlite_master m JOIN pragma_table_info(m.name) p
WHERE m.type = 'table' AND m.rootpage > 0 AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
"""

_POSTGRESQL = """
SELECT c.relname, a.attname, format_type(a.atttypid, NULL)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
"""

_SQLITE_INDEXES = """
SELECT m.name, i.name, x.seqno, x.name
FROM sqlite_master m JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) x
WHERE m.type = 'table' AND m.rootpage > 0 AND i.partial = 0 ORDER BY 1, 2, 3
"""

_POSTGRESQL_INDEXES = """
SELECT c.relname, i.indexrelid::regclass::text, k.n, a.attname
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
WHERE n.nspname = current_schema() AND i.indpred IS NULL AND i.indisvalid ORDER BY 1, 2, 3
"""

SCHEMA_OPTION = "agor_tui_schema"
"""The execution option of a PostgreSQL engine that has the schema which the config or the URL names, or None."""

_HIDDEN = """
SELECT current_database(), n.nspname, current_user
FROM pg_catalog.pg_namespace n
WHERE current_schema() IS NULL AND NOT has_schema_privilege(n.oid, 'USAGE')
AND n.nspname = ANY (regexp_split_to_array(replace(current_setting('search_path'), '"', ''), ', *'))
"""

# Those with tables that look like sessions come first.
_PATHLESS = """
SELECT current_database(), current_user, ARRAY(
  SELECT n.nspname::text FROM pg_catalog.pg_namespace n
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND has_schema_privilege(n.oid, 'USAGE')
  ORDER BY EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'sessions') DESC,
    n.nspname LIMIT 5)
WHERE current_schema() IS NULL
"""


@dataclass(frozen=True, slots=True)
class Catalog:
    """``tables``: table name -> column name -> declared type, lower case; ``indexes``: table name -> column lists."""

    tables: Mapping[str, Mapping[str, str]]
    indexes: Mapping[str, tuple[tuple[str, ...], ...]]

    def __hash__(self) -> int:
        return hash(frozenset(self.tables))

    def has(self, table: str, *columns: str) -> bool:
        """Tell whether ``table`` exists and has all ``columns``."""
        found = self.tables.get(table)
        return found is not None and all(column in found for column in columns)

    def indexed(self, table: str, column: str) -> bool:
        """Tell whether an index of ``table`` begins with ``column``."""
        return any(index[:1] == (column,) for index in self.indexes.get(table, ()))


def read_catalog(connection: Connection) -> Catalog:
    """Read the tables, columns and indexes of the open database (PostgreSQL: of the current schema).

    Raises:
        DatabaseError: the schema may not be used.
    """
    sqlite = connection.dialect.name == "sqlite"
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.exec_driver_sql(_SQLITE if sqlite else _POSTGRESQL):
        tables.setdefault(table, {})[column] = kind or ""
    if not tables:
        require_usable(connection)
    indexes: dict[str, dict[str, list[str]]] = {}
    for table, index, _, column in connection.exec_driver_sql(_SQLITE_INDEXES if sqlite else _POSTGRESQL_INDEXES):
        indexes.setdefault(table, {}).setdefault(index, []).append(column or "")
    return Catalog(tables, {table: tuple(map(tuple, found.values())) for table, found in indexes.items()})


def require_usable(connection: Connection) -> None:
    """Raise a DatabaseError where no tables are seen since the schema they would be in may not be used, or is none."""
    if connection.dialect.name == "sqlite":
        return
    hidden = connection.exec_driver_sql(_HIDDEN, execution_options={"no_parameters": True}).first()
    if hidden is not None:
        database, schema, user = hidden
        raise DatabaseError(
            f"{user} may not use the schema {schema} of the database {database}.",
            f'Ask its owner for: GRANT USAGE ON SCHEMA "{schema}" TO "{user}"',
        )
    if connection.get_execution_options().get(SCHEMA_OPTION) is not None:
        return  # it may still have to be made
    pathless = connection.exec_driver_sql(_PATHLESS).first()
    if pathless is not None:
        database, user, schemas = pathless
        there = f" There: {', '.join(schemas)}." if schemas else ""
        raise DatabaseError(
            f"No schema is named: the search_path of {user} leads to none in the database {database}.",
            f"Add ?schema={schemas[0] if schemas else 'NAME'} to the URL, or schema to the config.{there}",
        )
