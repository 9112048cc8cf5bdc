"""What answers at a place, whatever it holds: nothing is changed, and an empty or unknown database is no error."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import Connection

from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, SqlitePlace, describe
from agor_tui.database_records import Access, DatabaseInfo, DatabaseSurvey, DatabaseTest, SchemaState
from agor_tui.db.access import access
from agor_tui.db.engine import Database
from agor_tui.db.foreign import foreign_revisions
from agor_tui.db.revision import REVISIONS, current_revision, ownership
from agor_tui.errors import DatabaseError, UnknownSchemaError
from agor_tui.filters import SessionFilter
from agor_tui.repositories.base import Store
from agor_tui.repositories.sessions import SessionRepository
from agor_tui.repositories.store import learn
from agor_tui.schemas import recognise
from agor_tui.schemas.agor_tables import DEFAULT_TENANT
from agor_tui.schemas.base import Schema

_LIBSQL_SIZE = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"

T = TypeVar("T")

MOST_COUNTED = 100_000
"""Sessions are counted no further: some milliseconds on either dialect."""

_ROUND_TRIPS = 5

# Its tables with their indexes and the parts stored apart; a size needs no right to read them.
_SCHEMA_SIZE = """
SELECT sum(pg_total_relation_size(c.oid)) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'm')
"""


def probe(place: Place) -> DatabaseTest:
    """Connect, and measure the opening and a round trip. The kind is ``empty`` or ``unknown`` where it is none of ours.

    Raises:
        DatabaseError: the database cannot be reached or read.
    """
    started = time.perf_counter()
    with Database(place) as database:
        return _identify(database, started)[0]


def survey(database: Database) -> DatabaseSurvey:
    """Ask a database that was just opened for reading who it is, where its tables stand and how much it holds.

    Raises:
        DatabaseError: the database cannot be reached or read. Cancelled: it was cancelled meanwhile.
    """
    found, schema = _identify(database, time.perf_counter())
    database.tenant = found.info.tenant
    return DatabaseSurvey(
        info=found.info,
        connect_ms=found.connect_ms,
        latency_ms=found.latency_ms,
        schema=database.read(_schema_state(found.info.kind)),
        sessions=_allowed(lambda: SessionRepository(Store(database, schema)).count(SessionFilter(), MOST_COUNTED))
        if schema
        else None,
        size=_allowed(lambda: _size(database)),
    )


def _identify(database: Database, started: float) -> tuple[DatabaseTest, Schema | None]:
    """Return who answers, and the mapping of its tables where they are of a known kind."""
    place = database.place
    catalog, version = database.read(learn)
    connect_ms = (time.perf_counter() - started) * 1000
    tenant = None
    if isinstance(place, PostgresPlace) and catalog.has("sessions", "tenant_id"):
        tenant = place.tenant or DEFAULT_TENANT
    owned = database.read(ownership)
    schema = None
    try:
        schema = recognise(catalog, database.dialect, tenant, place)
    except UnknownSchemaError:
        words = {
            "native": ("native", "agor-tui"),
            "empty": ("empty", "nobody"),
            "foreign": ("unknown", "another program"),
        }
        kind, owner = words[owned]
    else:
        kind, owner = schema.kind, schema.owner
    allowed = Access()
    if owned != "foreign":
        allowed = database.read(lambda connection: access(connection, place))
    latency_ms = database.read(_round_trip_ms)
    info = DatabaseInfo(
        label=place.label,
        dialect=database.dialect,
        server_version=version,
        kind=kind,
        place=describe(place),
        read_only=owned == "foreign" or bool(allowed.obstacle),
        access=allowed,
        owner=owner,
        origin=place.origin,
        tenant=tenant,
        name=place.name,
        note=database.staleness,
    )
    return DatabaseTest(info, connect_ms, latency_ms), schema


def _schema_state(kind: str) -> Callable[[Connection], SchemaState]:
    def work(connection: Connection) -> SchemaState:
        if kind == "empty":
            return SchemaState("empty")
        if kind != "native":
            return SchemaState("unknown" if kind == "unknown" else "theirs", number=len(foreign_revisions(connection)))
        revision = current_revision(connection)
        if revision is None:
            return SchemaState("behind", None, len(REVISIONS))
        if revision not in REVISIONS:
            return SchemaState("newer", revision)
        pending = len(REVISIONS) - 1 - REVISIONS.index(revision)
        return SchemaState("behind" if pending else "current", revision, pending)

    return work


def _allowed(ask: Callable[[], T]) -> T | None:
    """Return the answer to what one can do without: None where it may not be asked, or tables lack a part."""
    try:
        return ask()
    except DatabaseError:
        return None


def _size(database: Database) -> int | None:
    place = database.place
    if isinstance(place, SqlitePlace):
        with contextlib.suppress(OSError):
            return place.path.stat().st_size + _log_size(place.path)
        return None
    if isinstance(place, LibsqlPlace):
        return int(database.read(lambda connection: connection.exec_driver_sql(_LIBSQL_SIZE).scalar()) or 0)
    query = _SCHEMA_SIZE if place.schema else "SELECT pg_database_size(current_database())"
    size = database.read(lambda connection: connection.exec_driver_sql(query).scalar())
    return None if size is None else int(size)


def _log_size(path: Path) -> int:
    try:
        return Path(f"{os.path.realpath(path)}-wal").stat().st_size
    except OSError:
        return 0


def _round_trip_ms(connection: Connection) -> float:
    times = []
    for _ in range(_ROUND_TRIPS):
        started = time.perf_counter()
        connection.exec_driver_sql("SELECT 1").scalar()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)
