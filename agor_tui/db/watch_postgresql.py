"""Seeing changes of a PostgreSQL database: told by the server where our triggers are, else by asking it."""

from __future__ import annotations

from time import monotonic
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import exc

from agor_tui.config.places import PostgresPlace
from agor_tui.db import postgresql
from agor_tui.db.failures import explain
from agor_tui.db.notices import CHANNEL, TELLING_TABLES

_ASK_S = 0.5
_HEAR_S = 0.25
_CHECK_S = 10.0
"""Seconds after which one who listens asks as well: a server that is gone says nothing, and triggers may be off."""
_SILENCE_S = 5.0
_TOLD_OF = frozenset({"sessions", "tasks", "messages"})
"""Without triggers on these, listening would miss what is looked at most."""

# Two snapshots that read the same see the same rows. Unlike the log's position or the statistics this holds at once,
# on a standby, and for any role.
_SNAPSHOT = "SELECT pg_catalog.pg_current_snapshot()::text"
_CONDITIONS = "SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery(), current_schema()"


class ServerLookout:
    """Has a connection of its own, which is never left in a transaction."""

    def __init__(self, place: PostgresPlace, *, native: bool) -> None:
        self._place = place
        self._native = native
        self._connection: psycopg.Connection[Any] | None = None
        self._schema: str | None = None
        self._told: list[psycopg.Notify] = []
        self._seen = ""
        self._check_at = 0.0
        self.listening = False
        """Whether the server tells of changes, and must be asked only now and then."""

    @property
    def interval_s(self) -> float:
        """Hearing costs no round trip, so it is done oftener than asking."""
        return _HEAR_S if self.listening else _ASK_S

    def look(self) -> bool:
        """Hear what was told, or ask for the snapshot."""
        try:
            if self._connection is None:
                self._connection = self._open()
            if self.listening:
                return self._heard(self._connection) or (monotonic() >= self._check_at and self._asked())
            return self._asked()
        except psycopg.Error as error:
            self.close()
            raise explain(self._place, exc.DBAPIError(None, None, error)) from None

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        self._seen, self.listening, self._check_at = "", False, 0.0
        self._told.clear()
        if connection is not None:
            connection.close()

    def _open(self) -> psycopg.Connection[Any]:
        connection = postgresql.connect(self._place, silence_s=_SILENCE_S)
        try:
            with connection.transaction():
                connection.execute("; ".join(postgresql.relied_on(connection, self._place)).encode())
                row = connection.execute(_CONDITIONS).fetchone()
                assert row is not None
                told_of = {name for (name,) in connection.execute(TELLING_TABLES)} if self._native else set()
            pid, standby, self._schema = row
            # A pooler gives out process numbers of its own, and its server's connection to others: what one listens
            # for there is lost without a word.
            if told_of >= _TOLD_OF and not standby and pid == connection.info.backend_pid:
                if connection.info.server_version >= 140_000:
                    connection.execute("SET idle_session_timeout = 0")  # who listens says nothing for long
                connection.add_notify_handler(self._told.append)
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
                self.listening = True
        except BaseException:
            connection.close()
            raise
        return connection

    def _heard(self, connection: psycopg.Connection[Any]) -> bool:
        # What came with the answer to a query is in the list already. Not the driver's notifies(): it takes longer
        # than a query to a server nearby.
        connection.pgconn.consume_input()
        while (notice := connection.pgconn.notifies()) is not None:
            self._told.append(psycopg.Notify(notice.relname.decode(), notice.extra.decode(), notice.be_pid))
        schemas = [notice.payload.rpartition(".")[0] for notice in self._told]
        self._told.clear()
        return self._schema in schemas

    def _asked(self) -> bool:
        assert self._connection is not None
        row = self._connection.execute(_SNAPSHOT).fetchone()
        assert row is not None
        self._check_at = monotonic() + _CHECK_S
        before, self._seen = self._seen, row[0]
        return before != self._seen
