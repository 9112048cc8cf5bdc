"""What answers at a place, whatever it holds: nothing is changed, and an empty or unknown database is no error."""

from __future__ import annotations

import statistics
import time

from sqlalchemy.engine import Connection

from agor_tui.config.places import Place, PostgresPlace, describe
from agor_tui.db.engine import Database
from agor_tui.db.revision import ownership
from agor_tui.errors import UnknownSchemaError
from agor_tui.records import DatabaseInfo, DatabaseTest
from agor_tui.repositories.store import learn, writable
from agor_tui.schemas import recognise
from agor_tui.schemas.agor_tables import DEFAULT_TENANT

_ROUND_TRIPS = 5


def probe(place: Place) -> DatabaseTest:
    """Connect, and measure the opening and a round trip. The kind is ``empty`` or ``unknown`` where it is none of ours.

    Raises:
        DatabaseError: the database cannot be reached or read.
    """
    started = time.perf_counter()
    with Database(place) as database:
        catalog, version = database.read(learn)
        connect_ms = (time.perf_counter() - started) * 1000
        tenant = None
        if isinstance(place, PostgresPlace) and catalog.has("sessions", "tenant_id"):
            tenant = place.tenant or DEFAULT_TENANT
        owned = database.read(ownership)
        try:
            schema = recognise(catalog, database.dialect, tenant, describe(place))
        except UnknownSchemaError:
            words = {"native": ("native", "agor-tui"), "empty": ("empty", "nobody"), "foreign": ("unknown", "unknown")}
            kind, owner = words[owned]
        else:
            kind, owner = schema.kind, schema.owner
        latency_ms = database.read(_round_trip_ms)
    info = DatabaseInfo(
        label=place.label,
        dialect=database.dialect,
        server_version=version,
        kind=kind,
        place=describe(place),
        read_only=place.read_only or owned == "foreign" or not writable(place),
        owner=owner,
        origin=place.origin,
        tenant=tenant,
    )
    return DatabaseTest(info, connect_ms, latency_ms)


def _round_trip_ms(connection: Connection) -> float:
    times = []
    for _ in range(_ROUND_TRIPS):
        started = time.perf_counter()
        connection.exec_driver_sql("SELECT 1").scalar()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)
