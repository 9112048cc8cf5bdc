"""Connecting to PostgreSQL; settings are made in each transaction, so that a transaction pooler may stand between."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from select import select
from time import monotonic
from typing import Any
from weakref import proxy

import psycopg
from psycopg import sql
from psycopg.abc import PQGen
from psycopg.adapt import Loader
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import set_json_dumps, set_json_loads
from sqlalchemy import create_engine, event, exc
from sqlalchemy.engine import Connection, Engine

try:
    import resource
except ImportError:  # Windows has none
    resource = None  # type: ignore[assignment]

from agor_tui.config.places import Place, PostgresPlace
from agor_tui.db.catalog import SCHEMA_OPTION

logging.getLogger("psycopg").addHandler(logging.NullHandler())  # else its warnings go to where the app draws

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 5_000
"""So long a change waits for another program that holds the row; as long as SQLite does."""
SILENCE_S = STATEMENT_TIMEOUT_MS / 1000 + 5
"""So long is waited for an answer of a reading transaction: the server itself should have given up before."""
MOST_NOTICES = 10_000
"""So many one statement may bring; what we ask brings none."""
MOST_MEMORY = 1 << 30
"""Bytes that one answer may take."""
_LEFT = "canceling statement due to user request"
_OTHER = 0
"""To the driver, every type that it does not know, such as an enumeration."""

_RELIED_ON = (
    # How values are written and read.
    "DateStyle = ISO", "IntervalStyle = postgres", "TimeZone = UTC", "bytea_output = hex", "extra_float_digits = 1",
    "xmloption = content", "xmlbinary = base64",
    # How statements and their parameters are understood, and names are written.
    "standard_conforming_strings = on", "transform_null_equals = off", "array_nulls = on",
    "quote_all_identifiers = off",
    # What would end a unit of work that is not stuck, or give a part of its rows for all.
    f"statement_timeout = {STATEMENT_TIMEOUT_MS}", f"idle_in_transaction_session_timeout = {STATEMENT_TIMEOUT_MS}",
    "row_security = on", "gin_fuzzy_search_limit = 0", "client_min_messages = error",
)  # fmt: skip
"""What we rely on, and a server, a database or a role may have set otherwise; everybody may set these."""
_SINCE_17 = "transaction_timeout = 0"
_RULES_APPLY = (
    "SELECT pg_catalog.set_config('session_replication_role', 'origin', true) "
    "FROM pg_catalog.current_setting('session_replication_role') AS s(role) WHERE role OPERATOR(pg_catalog.<>) 'origin'"
)
"""Without it a foreign key would not hold, and what belongs to a deleted row would stay. Not everybody may set it."""
_FIRST_SCHEMA = (
    "SELECT pg_catalog.set_config('search_path', pg_catalog.concat(pg_catalog.quote_ident(name), ', pg_temp'), true) "
    "FROM (SELECT name FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS s(name, place) "
    "WHERE name OPERATOR(pg_catalog.!~) '^pg_' ORDER BY place LIMIT 1) AS s"
)
"""Of the search path, the first schema that may be used; where there is none, the path stays as it is."""


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


class SilentError(psycopg.OperationalError):
    """A server that says nothing to a new connection, or does not come to an end; it is not asked a second time."""


def peak_memory() -> int:
    """The most bytes that this process had so far; 0 where the system does not say."""
    if resource is None:
        return 0
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found * 1024


class _Connection(psycopg.Connection[Any]):
    """A connection that does not wait for ever on a server that fell silent: a stopped one keeps its sockets open."""

    bounded = True
    """Whether an answer must begin within ``silence_s``, be whole in twice that time, and fit into ``MOST_MEMORY``."""
    silence_s = SILENCE_S
    left = False
    """Whether the answer is not wanted any more."""
    deadline: float | None = None
    answered = False
    """Whether it has had a transaction: its process may have ended since, and another one answer."""
    notices = 0
    """How many notices came since the last statement was sent."""

    def wait(self, gen: PQGen[Any], *arguments: Any, **named: Any) -> Any:
        self.left, self.notices = False, 0
        self.deadline = monotonic() + self.silence_s if self.bounded else None
        try:
            return super().wait(self._watched(gen), *arguments, **named)
        except psycopg.errors.QueryCanceled:
            if self.left:  # the server says it in its own language
                raise psycopg.errors.QueryCanceled(_LEFT) from None
            raise

    def leave(self) -> None:
        """Let the thread that waits now wait only as long as the server needs to cancel the statement."""
        self.left, self.deadline = True, monotonic() + CONNECT_TIMEOUT_S

    def _watched(self, gen: PQGen[Any]) -> PQGen[Any]:
        memory = peak_memory()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted  # nothing is ready: a moment has passed
                late = 0.0 if self.deadline is None else monotonic() - self.deadline
                if late > (self.silence_s if ready else 0.0):
                    self.pgconn.finish()
                    if self.left:
                        raise psycopg.errors.QueryCanceled(_LEFT)
                    kind = psycopg.OperationalError if self.answered else SilentError
                    raise kind("timeout expired: the server does not answer")
                if ready and (self.notices > MOST_NOTICES or (self.bounded and peak_memory() - memory > MOST_MEMORY)):
                    self.pgconn.finish()
                    raise SilentError("the answer has no end")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value


def make_engine(place: PostgresPlace) -> Engine:
    """Return an engine on ``place``; nothing is connected yet."""
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(place),
        isolation_level="AUTOCOMMIT",  # units of work say BEGIN themselves, with their settings, in one round trip
        use_native_hstore=False,  # it would ask the server for that type first
        pool_size=max(place.pool_min, 1),
        max_overflow=max(place.pool_max - max(place.pool_min, 1), 0),
        pool_recycle=max(place.idle_timeout_ms // 1000, 1),
        execution_options={SCHEMA_OPTION: place.schema},
        hide_parameters=True,  # a statement that failed is written to the log
    )

    @event.listens_for(engine, "checkout")
    def still_there(driver: psycopg.Connection[Any], *_: object) -> None:
        # Some servers end what lies idle: their last words are seen here without asking, and it is replaced.
        try:
            while select([driver.pgconn.socket], [], [], 0)[0]:
                driver.pgconn.consume_input()
        except psycopg.OperationalError:
            raise exc.DisconnectionError from None

    @event.listens_for(engine, "connect")
    def as_in_transactions(*_: object) -> None:
        # SQLAlchemy asked the session, and wrote \\ for \ where ``_RELIED_ON`` has it otherwise.
        engine.dialect._backslash_escapes = False  # type: ignore[attr-defined]

    return engine


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
    counting = proxy(connection)  # which the handler must not keep alive

    def counted(_: Any) -> None:
        counting.notices += 1

    connection.add_notice_handler(counted)
    if silence_s is not None:
        connection.silence_s = silence_s
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


def relied_on(driver: psycopg.Connection[Any], place: PostgresPlace) -> list[str]:
    """The statements that make a transaction independent of what a server, a database or a role sets.

    Names are looked up in one schema, behind PostgreSQL's own: nothing of another schema, and no temporary table that
    somebody left behind a pooler, stands in for what it has.
    """
    settings = [*_RELIED_ON, _SINCE_17] if driver.info.server_version >= 170_000 else list(_RELIED_ON)
    if place.schema:
        settings.append(f"search_path = {sql.Identifier(place.schema).as_string(driver)}, pg_temp")
    path = [] if place.schema else [_FIRST_SCHEMA]
    return [f"SET LOCAL {setting}" for setting in settings] + path


def begin(connection: Connection, place: Place, *, read_only: bool, tenant: str | None, to_show: bool = False) -> None:
    """Begin a transaction with the place's settings, in one round trip; a reading one sees a single state.

    ``to_show``: text that is not UTF-8 is replaced where it is not, instead of being an error.
    """
    assert isinstance(place, PostgresPlace)
    driver = connection.connection.driver_connection
    assert isinstance(driver, _Connection)
    # READ COMMITTED whatever the role's default: who waited for a row's lock compares what the other one left.
    mode = "REPEATABLE READ READ ONLY" if read_only else "READ COMMITTED READ WRITE"
    statements = [f"BEGIN ISOLATION LEVEL {mode}", *relied_on(driver, place)]
    statements.append(f"SET LOCAL lock_timeout = {0 if read_only else LOCK_TIMEOUT_MS}")
    if not read_only:
        statements.append(_RULES_APPLY)
    if tenant is not None:
        value = sql.Literal(tenant).as_string(driver)
        statements.append(f"SET LOCAL agor.tenant_id = {value}")
    if to_show and _has_no_encoding(driver):
        statements.append("SET LOCAL client_encoding = 'SQL_ASCII'")  # else the server refuses the whole answer
    driver.bounded, driver.silence_s = True, type(driver).silence_s
    # A % of a name must not be taken for a parameter.
    connection.exec_driver_sql("; ".join(statements), execution_options={"no_parameters": True})
    driver.answered = True


def without_limits(connection: Connection) -> None:
    """Let the open transaction take, and rest, as long as it has to."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, _Connection)
    driver.bounded = False
    for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {setting} = 0")


def cancel(driver: Any) -> None:
    """Ask the server to stop what ``driver``, a psycopg connection in use by another thread, runs now."""
    driver.leave()
    try:
        driver.cancel_safe(timeout=CONNECT_TIMEOUT_S)
    except psycopg.Error:
        driver.close()  # a server that does not answer a cancel will not answer the query either
