"""What a login may change in a database, asked before anybody types or any work begins."""

from __future__ import annotations

import base64
import json
import os
from typing import Literal

from sqlalchemy import text
from sqlalchemy.engine import Connection

from agor_tui.config.places import LibsqlPlace, Place, SqlitePlace, describe, primary
from agor_tui.database_records import Access
from agor_tui.db.row_format import FORMATS
from agor_tui.errors import ReadOnlyError

Purpose = Literal["make", "fill", "migrate"]
"""Making the native tables, putting rows into all of them, altering them."""

_LEAST_ROOM = 65_536
"""Bytes that SQLite needs for the smallest change and its log."""
_EDITED = ("board_objects", "boards", "sessions", "tasks")
"""The tables that ``services.editing`` writes to; what belongs to their rows goes by the foreign keys' own rights."""

_SERVER = text("""
SELECT current_user::text AS login, pg_catalog.pg_is_in_recovery() AS standby,
  current_setting('default_transaction_read_only')::bool AS reads_by_default,
  current_setting('session_replication_role') <> 'origin' AND NOT rolsuper AS without_rules,
  current_schema()::text AS schema,
  current_schema() IS NOT NULL AND has_schema_privilege(current_schema(), 'CREATE') AS makes_tables
FROM pg_catalog.pg_roles WHERE rolname = current_user
""")
_MISSING = text("""
SELECT c.relname, r.name
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (VALUES ('INSERT', 'a'), ('UPDATE', 'w'), ('DELETE', 'd')) AS r(name, command)
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND c.relname = ANY (:tables) AND NOT (
  (has_table_privilege(c.oid, r.name) OR r.name <> 'DELETE' AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    AND NOT has_column_privilege(c.oid, a.attnum, r.name)))
  AND (NOT row_security_active(c.oid) OR EXISTS (
    SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive
    AND p.polcmd::text IN ('*', r.command)
    AND EXISTS (SELECT FROM unnest(p.polroles) AS o(role) WHERE o.role = 0 OR pg_has_role(o.role, 'USAGE')))))
ORDER BY 1, 2
""")
_NOT_OWNED = text("""
SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relname = ANY (:tables) AND NOT pg_has_role(c.relowner, 'USAGE')
ORDER BY 1 LIMIT 1
""")


def access(connection: Connection, place: Place) -> Access:
    """Return what may be edited in a native database, or in an empty one. Nothing is written to find out."""
    place = primary(place)
    if place.read_only:
        return Access("Its settings say that it is for reading only.")
    if isinstance(place, SqlitePlace):
        return Access(_of_file(place))
    if isinstance(place, LibsqlPlace):
        return Access(_of_token(place))
    facts = connection.execute(_SERVER).mappings().one()
    if obstacle := _of_server(facts["login"], facts["standby"], facts["reads_by_default"], facts["without_rules"]):
        return Access(obstacle)
    missing = frozenset((table, right) for table, right in connection.execute(_MISSING, {"tables": list(_EDITED)}))
    if len(missing) == 3 * len(_EDITED):
        return Access(f"{facts['login']} has no right to change its tables.", missing=missing)
    return Access(login=facts["login"], missing=missing)


def require_access(connection: Connection, place: Place, purpose: Purpose) -> None:
    """Raise a ReadOnlyError where work for ``purpose`` would end in a refusal."""
    reason = _reason(connection, primary(place), purpose)
    if reason:
        raise ReadOnlyError(f"{describe(place)} cannot be written: {reason}", "Nothing was changed.")


def _reason(connection: Connection, place: Place, purpose: Purpose) -> str:
    found = access(connection, place)
    if isinstance(place, SqlitePlace | LibsqlPlace) or place.read_only:
        return found.obstacle
    facts = connection.execute(_SERVER).mappings().one()
    if reason := _of_server(facts["login"], facts["standby"], facts["reads_by_default"], facts["without_rules"]):
        return reason
    if facts["schema"] is not None and not facts["makes_tables"]:
        return f"{facts['login']} may not make tables in the schema {facts['schema']} (GRANT CREATE ON SCHEMA)."
    if purpose == "fill":
        for table, right in connection.execute(_MISSING, {"tables": list(FORMATS)}):
            if right != "DELETE":
                return f"{facts['login']} has no right to {right} in the table {table}."
    if purpose == "migrate":
        theirs = connection.scalar(_NOT_OWNED, {"tables": list(FORMATS)})
        if theirs is not None:
            return f"{facts['login']} does not own the table {theirs}."
    return ""


def _of_server(login: str, standby: bool, reads_by_default: bool, without_rules: bool) -> str:
    if standby:
        return "The server is a standby, on which nothing may be changed."
    if reads_by_default:
        return f"{login} is for reading only here (default_transaction_read_only)."
    if without_rules:
        return f"session_replication_role is set for {login}, so that foreign keys would not hold."
    return ""


def _of_file(place: SqlitePlace) -> str:
    """What stands in the way of a change to a file; the folder counts, where SQLite keeps its log."""
    folder = place.path.parent
    if place.path.exists() and not os.access(place.path, os.W_OK):
        return f"The file {place.path.name} may not be written by you."
    if folder.exists() and not os.access(folder, os.W_OK):
        return f"The folder {folder} may not be written by you."
    try:
        room = os.statvfs(folder)
    except (OSError, AttributeError):
        return ""  # Windows has no such call
    if room.f_blocks and room.f_bavail * room.f_frsize < _LEAST_ROOM:
        return "There is no room left on its disk."
    return ""


def _of_token(place: LibsqlPlace) -> str:
    """A libSQL token is a JWT whose claim ``a`` says ``ro`` or ``rw`` (Turso's documents, "Authentication")."""
    if place.auth_token is None:
        return ""
    parts = place.auth_token.reveal().split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        only_reads = claims.get("a") == "ro"
    except (IndexError, ValueError, AttributeError):
        return ""  # a token of another form says nothing
    return "Its token is for reading only." if only_reads else ""
