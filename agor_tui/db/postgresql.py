"""Connecting to PostgreSQL; settings are made in each transaction, so that a transaction pooler may stand between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import set_json_dumps, set_json_loads
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine

from agor_tui.config.places import Place, PostgresPlace

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000


class _LenientTimestamp(TimestamptzLoader):
    """Reads a time that Python cannot hold (infinity, past the year 9999) as None."""

    def load(self, data: Any) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return None


def make_engine(place: PostgresPlace) -> Engine:
    """Return an engine on ``place``; nothing is connected yet."""
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: _connect(place),
        isolation_level="AUTOCOMMIT",  # units of work say BEGIN themselves, with their settings, in one round trip
        pool_size=max(place.pool_min, 1),
        max_overflow=max(place.pool_max - max(place.pool_min, 1), 0),
        pool_recycle=max(place.idle_timeout_ms // 1000, 1),
    )


def _connect(place: PostgresPlace) -> psycopg.Connection[Any]:
    parameters: dict[str, Any] = {
        "application_name": "agor-tui",
        "connect_timeout": CONNECT_TIMEOUT_S,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": STATEMENT_TIMEOUT_MS + 10_000,
        **place.conninfo(),
    }
    # Without prepared statements, since a transaction pooler may run the next transaction on another server process.
    connection = psycopg.connect("", autocommit=True, prepare_threshold=None, **parameters)
    # JSON passes as its text both ways; it is decoded where it is shown.
    set_json_dumps(str, connection)
    set_json_loads(_undecoded, connection)
    connection.adapters.register_loader("timestamptz", _LenientTimestamp)
    return connection


def _undecoded(data: str | bytes) -> str:
    return data.decode() if isinstance(data, bytes) else data


@contextmanager
def json_decoded(connection: Connection) -> Iterator[None]:
    """Let the driver decode JSON meanwhile, as SQLAlchemy needs it to reflect columns; nothing on SQLite."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        yield
        return
    set_json_loads(json.loads, driver)
    try:
        yield
    finally:
        set_json_loads(_undecoded, driver)


def begin(connection: Connection, place: Place, *, read_only: bool, tenant: str | None) -> None:
    """Begin a transaction with the place's settings, in one round trip; a reading one sees a single state."""
    assert isinstance(place, PostgresPlace)
    driver = connection.connection.driver_connection
    mode = "ISOLATION LEVEL REPEATABLE READ READ ONLY" if read_only else "READ WRITE"
    statements = [f"BEGIN {mode}", f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"]
    if place.schema:
        statements.append(f"SET LOCAL search_path = {sql.Identifier(place.schema).as_string(driver)}")
    if tenant is not None:
        value = sql.Literal(tenant).as_string(driver)
        statements.append(f"SET LOCAL agor.tenant_id = {value}")
    # Straight to the driver: a % of a name must not be taken for a parameter.
    assert driver is not None
    with driver.cursor() as cursor:
        cursor.execute("; ".join(statements).encode())


def cancel(driver: Any) -> None:
    """Ask the server to stop what ``driver``, a psycopg connection in use by another thread, runs now."""
    try:
        driver.cancel_safe(timeout=CONNECT_TIMEOUT_S)
    except psycopg.Error:
        driver.close()  # a server that does not answer a cancel will not answer the query either
