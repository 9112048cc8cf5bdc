"""Connections of the driver ``sqlite3``, and engines that make them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool, QueuePool

from agor_tui.db.types import decode_stored


def make_engine(connect: Callable[[], sqlite3.Connection], *, pooled: bool) -> Engine:
    """Return an engine on what ``connect`` opens; not ``pooled``, each connection is closed after use."""
    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool if pooled else NullPool,
        hide_parameters=True,  # a statement that failed is written to the log
    )
    event.listen(engine, "begin", _no_driver_transaction)
    return engine


def uri_of(path: Path, query: str) -> str:
    """The URI by which SQLite opens a file."""
    return f"file:{quote(str(path.absolute()), errors='surrogateescape')}?{query}"


def _no_driver_transaction(_: object) -> None:
    """Nothing: units of work say BEGIN themselves, since the driver's own begins too late and ends too early."""


def connect(uri: str, busy_timeout_ms: int, wal: bool | None) -> sqlite3.Connection:
    """Open a file for reading (``wal`` None), or for writing with a log or without one."""
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=busy_timeout_ms / 1000
    )
    connection.text_factory = decode_stored
    connection.execute(f"PRAGMA trusted_schema={'OFF' if _needs_no_trust() else 'ON'}")
    if wal is None:
        connection.execute("PRAGMA query_only=ON")
    else:
        connection.execute(f"PRAGMA journal_mode={'WAL' if wal else 'DELETE'}").fetchone()
        connection.execute("PRAGMA foreign_keys=ON")
    return connection


@cache
def _needs_no_trust() -> bool:
    """Tell whether an index or a column over ``json_extract`` is read of a file that is not trusted.

    SQLite before 3.42 or so counts its JSON functions among those that might do harm, and refuses every query on such
    a file. Trust there gives a hostile file nothing to reach beyond itself with: no functions of ours are registered,
    no extensions may be loaded, SQLite keeps its own dangerous functions out of every schema, and views are not read.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA trusted_schema=OFF")
        try:
            connection.execute("CREATE TABLE t (d, a AS (json_extract(d, '$.a')))")
        except sqlite3.Error:
            return False
        return True
