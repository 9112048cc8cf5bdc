"""SQLAlchemy on a libSQL server: SQLite's dialect over the driver ``hrana``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, Literal

from sqlalchemy import create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection

from agor_tui.config.places import LibsqlPlace
from agor_tui.db import hrana


class HranaDialect(SQLiteDialect_pysqlite):
    """SQLite as a libSQL server has it: the driver has no functions of Python's, and asks nothing when it connects."""

    driver = "hrana"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """Return the driver."""
        return hrana

    def on_connect(self) -> Callable[[DBAPIConnection], None]:
        """Return what is done with a new connection: nothing."""
        return lambda _: None

    def get_default_isolation_level(self, dbapi_conn: DBAPIConnection) -> Literal["SERIALIZABLE"]:
        """Return what SQLite has, without a round trip."""
        return "SERIALIZABLE"

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        """Tell whether the stream is lost."""
        return isinstance(e, hrana.LostError)


registry.register("sqlite.hrana", __name__, HranaDialect.__name__)


def make_engine(place: LibsqlPlace, *, read_only: bool) -> Engine:
    """Return an engine on the server of ``place``; nothing is connected yet."""
    token = place.auth_token.reveal() if place.auth_token else None
    engine = create_engine(
        "sqlite+hrana://",
        creator=partial(hrana.Connection, place.url, token, read_only=read_only),
        hide_parameters=True,
    )
    event.listen(engine, "begin", lambda _: None)  # units of work say BEGIN themselves
    return engine
