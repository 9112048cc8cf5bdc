"""Statements that run often: compiled once, and run on the driver's own cursor.

SQLAlchemy's execution takes several times as long as SQLite needs for a page of sessions: it looks the statement up,
makes a context and a result for it. A ``Statement`` keeps what it does with values, which is what matters here: the
types' conversions of parameters and of results.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, exc
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeEngine

Convert = Callable[[Any], Any]

_named_tuple: Callable[..., Any] = namedtuple  # with fields that are known only when it runs


def parameter(name: str, kind: TypeEngine[Any]) -> BindParameter[Any]:
    """Return a parameter that each run of a statement gives a value."""
    return bindparam(name, required=False, type_=kind)


def spelling(connection: Connection) -> Hashable:
    """Return what, of a connection, decides how a statement is spelled: those that agree in it may share one."""
    dialect = connection.dialect
    return type(dialect), dialect.server_version_info, getattr(dialect, "_backslash_escapes", None)


def careful(connection: Connection) -> None:
    """Have the rows that this unit of work fetches read one by one: one of them makes the database fail."""
    connection.execution_options(agor_tui_careful=True)


def is_careful(connection: Connection) -> bool:
    """Tell whether ``careful`` was called for this unit of work."""
    return bool(connection.get_execution_options().get("agor_tui_careful"))


class Statement:
    """A SELECT for one dialect. Rows come as named tuples whose fields are the columns' names."""

    def __init__(self, query: Select[Any], connection: Connection) -> None:
        dialect = connection.dialect
        # Lists of values are written out here; they are words of ours or ids, which need no conversion.
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self._sql = compiled.string
        self._values = dict(compiled.params)
        self._order: Sequence[str] | None = getattr(compiled, "positiontup", None)
        self._binds: dict[str, Convert] = {}
        for parameter, name in compiled.bind_names.items():
            if name in self._values and (convert := parameter.type.dialect_impl(dialect).bind_processor(dialect)):
                self._binds[name] = convert
        columns = list(query.selected_columns)
        self._types = [column.type.dialect_impl(dialect) for column in columns]
        self._converts: list[tuple[int, Convert]] | None = None
        names = [str(column.key) for column in columns]
        self._make: Callable[[Sequence[Any]], Any] = _named_tuple("row", names)._make

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """Run the statement with ``values`` for its parameters and return all rows.

        Raises:
            sqlalchemy.exc.DBAPIError: as a statement of the engine's own would.
        """
        given = {**self._values, **values}
        for name, convert in self._binds.items():
            given[name] = convert(given[name])
        parameters = given if self._order is None else tuple(given[name] for name in self._order)
        result = connection.exec_driver_sql(self._sql, parameters)
        try:
            rows = result.cursor.fetchall()
        except connection.dialect.loaded_dbapi.Error as error:  # SQLite reads most rows only now
            raise exc.DBAPIError(self._sql, None, error) from None
        if self._converts is None:  # some types look at what the driver says that it found
            described = zip(self._types, result.cursor.description, strict=True)
            converts = [kind.result_processor(connection.dialect, column[1]) for kind, column in described]
            self._converts = [(place, convert) for place, convert in enumerate(converts) if convert is not None]
        result.close()
        make, converts_here = self._make, self._converts
        found = []
        for row in rows:
            values_of_row = list(row)
            for place, convert in converts_here:
                values_of_row[place] = convert(values_of_row[place])
            found.append(make(values_of_row))
        return found
