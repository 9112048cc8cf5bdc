"""Connecting to PostgreSQL; settings are made in each transaction, so that a transaction pooler may stand between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import psycopg
from psycopg import sql
from psycopg.abc import PQGen
from psycopg.adapt import Loader
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import set_json_dumps, set_json_loads
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine

from agor_tui.config.places import Place, PostgresPlace

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 5_000
"""So long a change waits for another program that holds the row; as long as SQLite does."""
SILENCE_S = STATEMENT_TIMEOUT_MS / 1000 + 5
"""So long is waited for an answer of a reading transaction: the server itself should have given up before."""
_OTHER = 0
"""To the driver, every type that it does not know, such as an enumeration."""


class _LenientTimestamp(TimestamptzLoader):
    """Reads a time that Python cannot hold (infinity, past the year 9999) as text, which a cursor can hold."""

    def load(self, data: Any) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


class _LenientText(Loader):
    """Reads text of a server without an encoding, which may be anything: what is not UTF-8 shows as U+FFFD."""

    def load(self, data: Any) -> str:
        return bytes(data).decode(errors="replace")


class _Connection(psycopg.Connection[Any]):
    """A connection that does not wait for ever on a server that fell silent: a stopped one keeps its sockets open."""

    bounded = False
    """Whether an answer must come within ``silence_s``."""
    silence_s = SILENCE_S
    left = False
    """Whether the answer is not wanted any more."""
    deadline: float | None = None

    def wait(self, gen: PQGen[Any], *arguments: Any, **named: Any) -> Any:
        self.left = False
        self.deadline = monotonic() + self.silence_s if self.bounded else None
        return super().wait(self._watched(gen), *arguments, **named)

    def leave(self) -> None:
        """Let the thread that waits now wait only as long as the server needs to cancel the statement."""
        self.left, self.deadline = True, monotonic() + CONNECT_TIMEOUT_S

    def _watched(self, gen: PQGen[Any]) -> PQGen[Any]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted  # nothing is ready: a moment has passed
                if not ready and self.deadline is not None and monotonic() > self.deadline:
                    self.pgconn.finish()
                    if self.left:
                        raise psycopg.errors.QueryCanceled("canceling statement due to user request")
                    raise psycopg.OperationalError("timeout expired: the server does not answer")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value


def make_engine(place: PostgresPlace) -> Engine:
    """Return an engine on ``place``; nothing is connected yet."""
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(place),
        isolation_level="AUTOCOMMIT",  # units of work say BEGIN themselves, with their settings, in one round trip
        pool_size=max(place.pool_min, 1),
        max_overflow=max(place.pool_max - max(place.pool_min, 1), 0),
        pool_recycle=max(place.idle_timeout_ms // 1000, 1),
    )


def connect(place: PostgresPlace, *, silence_s: float | None = None) -> psycopg.Connection[Any]:
    """Return a connection that commits each statement; ``silence_s`` bounds the seconds waited for any answer."""
    parameters: dict[str, Any] = {
        "application_name": "agor-tui",
        "connect_timeout": CONNECT_TIMEOUT_S,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": STATEMENT_TIMEOUT_MS + 10_000,
        **place.conninfo(),
        "client_encoding": "utf-8",  # of a server without an encoding (SQL_ASCII) text would come as bytes
    }
    if place.service is None:
        # Where none is given, OpenSSL would ask the terminal for the passphrase of a client's key, amidst the app.
        parameters.setdefault("sslpassword", " ")
    # Without prepared statements, since a transaction pooler may run the next transaction on another server process.
    connection = _Connection.connect("", autocommit=True, prepare_threshold=None, **parameters)
    # JSON passes as its text both ways; it is decoded where it is shown.
    set_json_dumps(str, connection)
    set_json_loads(_undecoded, connection)
    connection.adapters.register_loader("timestamptz", _LenientTimestamp)
    if _has_no_encoding(connection):
        for kind in (_OTHER, '"char"', "bpchar", "name", "text", "varchar"):
            connection.adapters.register_loader(kind, _LenientText)
    if silence_s is not None:
        connection.bounded, connection.silence_s = True, silence_s
    return connection


def _undecoded(data: str | bytes) -> str:
    return data.decode(errors="replace") if isinstance(data, bytes) else data


def _has_no_encoding(connection: psycopg.Connection[Any]) -> bool:
    return connection.info.parameter_status("server_encoding") == "SQL_ASCII"


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


def begin(connection: Connection, place: Place, *, read_only: bool, tenant: str | None, to_show: bool = False) -> None:
    """Begin a transaction with the place's settings, in one round trip; a reading one sees a single state.

    ``to_show``: text that is not UTF-8 is replaced where it is not, instead of being an error.
    """
    assert isinstance(place, PostgresPlace)
    driver = connection.connection.driver_connection
    # READ COMMITTED whatever the role's default: who waited for a row's lock compares what the other one left.
    mode = "REPEATABLE READ READ ONLY" if read_only else "READ COMMITTED READ WRITE"
    statements = [f"BEGIN ISOLATION LEVEL {mode}", f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"]
    if not read_only:
        statements.append(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
    if place.schema:
        statements.append(f"SET LOCAL search_path = {sql.Identifier(place.schema).as_string(driver)}")
    if tenant is not None:
        value = sql.Literal(tenant).as_string(driver)
        statements.append(f"SET LOCAL agor.tenant_id = {value}")
    assert isinstance(driver, _Connection)
    if to_show and _has_no_encoding(driver):
        statements.append("SET LOCAL client_encoding = 'SQL_ASCII'")  # else the server refuses the whole answer
    driver.bounded = read_only
    # A % of a name must not be taken for a parameter.
    connection.exec_driver_sql("; ".join(statements), execution_options={"no_parameters": True})


def cancel(driver: Any) -> None:
    """Ask the server to stop what ``driver``, a psycopg connection in use by another thread, runs now."""
    driver.leave()
    try:
        driver.cancel_safe(timeout=CONNECT_TIMEOUT_S)
    except psycopg.Error:
        driver.close()  # a server that does not answer a cancel will not answer the query either
