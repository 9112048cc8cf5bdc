"""Agor's tables, of every generation and on both dialects, as native rows (see ``agor_tui.db.row_format``).

Our tables have the names and columns of Agor's late-2025 schema, so most values pass as they are. What came later and
has no column goes into ``data`` under the name of its column, where the readers of native tables look for it; tables
without a counterpart are left and said so. Agor's state of running work (claims, leases, tokens, heartbeats) is none of
a session's and is left silently, and so are its tables of credentials, which are never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, collate, column, func, select, table
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeEngine

from agor_tui.db.catalog import read_catalog
from agor_tui.db.row_format import FORMATS, ColumnFormat, Row, TableFormat
from agor_tui.db.row_values import EARLIEST_MS, LATEST_MS
from agor_tui.db.types import EPOCH, Json, dump_json, keep_text, load_json
from agor_tui.schemas.agor_tables import DEFAULT_TENANT
from agor_tui.transfers import Finding, LeftAside

_STREAMED = 500
"""Rows fetched at once."""

_RENAMED = {
    "worktree_id": "branch_id",
    "worktree_unique_id": "branch_unique_id",
    "scheduled_from_worktree": "scheduled_from_branch",
}
_DEFAULTS: Mapping[str, Any] = {"created_by": "anonymous", "role": "member", "enabled": True, "reactions": "[]"}
"""What Agor's own schema has for a column that this file is too old for; flags are false."""

_RUNNING = re.compile(
    r"claim|lease|token|heartbeat|generation|_instance_id|_boot_id|^scheduler_init_|^termination_|_due_at$|_observed_at$"
    r"|_connected_at$|_next_observation_at$|^tenant_id$"
)
"""Columns that say how a server works on a row just now."""


def rows_of(connection: Connection, tenant: str | None, found: list[Finding]) -> AgorRows:
    """Return Agor's tables, of ``tenant`` where there are several, as a ``RowMapping``."""
    return AgorRows(connection, tenant or DEFAULT_TENANT, found)


class AgorRows:
    """The tables of one Agor database as native rows."""

    def __init__(self, connection: Connection, tenant: str, found: list[Finding]) -> None:
        self._connection = connection
        self._postgresql = connection.dialect.name == "postgresql"
        self._tenant = tenant
        self._found = found
        self._catalog = read_catalog(connection)
        self._names = {name: self._own_name(name) for name in FORMATS if self._own_name(name) in self._catalog.tables}
        self.tables = tuple(self._names)
        self.left_aside: tuple[LeftAside, ...] = ()

    def count(self, table: str) -> int:
        """Return how many rows ``table`` has."""
        rows = self._rows(table)
        counted = select(func.count()).select_from(rows).where(*self._of_tenant(rows))
        return int(self._connection.execute(counted).scalar_one())

    def rows(self, table: str, after: str | None) -> Iterator[Row]:
        """Give the native rows of ``table``, ordered by the bytes of their key, those past ``after``."""
        form = FORMATS[table]
        rows = self._rows(table)
        plan = [(each, self._source_column(rows, each.name)) for each in form.columns]
        taken = {name for _, name in plan if name}
        extra = [
            name for name in self._catalog.tables[self._names[table]] if name not in taken and not _RUNNING.search(name)
        ]
        names = [*(name for _, name in plan if name), *extra]
        statement = self._ordered(select(*(rows.c[name] for name in names)), rows, form, after)
        result = self._connection.execution_options(stream_results=True, yield_per=_STREAMED).execute(statement)
        instants = [(each.name, name) for each, name in plan if name and each.kind == "instant"]
        for values in result:
            named = dict(zip(names, values, strict=True))
            for own, name in instants if self._postgresql else ():
                if (odd := _odd_time(named[name])) is not None:
                    named[name], what, done = odd
                    key = str(values[names.index(plan[form.key_at or 0][1] or "")])
                    self._found.append(Finding(table, key, own, what, done))
            yield _row(form, plan, extra, named)

    def _own_name(self, table: str) -> str:
        return "branches" if table == "worktrees" and "branches" in self._catalog.tables else table

    def _rows(self, name: str) -> FromClause:
        own = self._names[name]
        kinds = self._catalog.tables[own]
        return table(own, *(column(key, self._type(kind)) for key, kind in kinds.items()))

    def _type(self, declared: str) -> TypeEngine[Any] | None:
        """How a column is read: as the driver has it, since SQLite may hold anything and PostgreSQL odd times."""
        return Json() if self._postgresql and declared in ("json", "jsonb") else None

    def _source_column(self, rows: FromClause, name: str) -> str | None:
        for each in (name, _RENAMED.get(name, name)):
            if each in rows.c:
                return each
        return None

    def _of_tenant(self, rows: FromClause) -> list[ColumnElement[bool]]:
        # Explicitly, since a superuser is not held back by row level security.
        return [rows.c.tenant_id == self._tenant] if "tenant_id" in rows.c else []

    def _ordered(self, statement: Select[Any], rows: FromClause, form: TableFormat, after: str | None) -> Select[Any]:
        statement = statement.where(*self._of_tenant(rows))
        if not form.key:
            return statement.order_by(*statement.selected_columns)
        name = self._source_column(rows, form.key[0])
        assert name is not None, f"{form.name} without its key"
        key: ColumnElement[Any] = collate(rows.c[name], "C") if self._postgresql else rows.c[name]
        if after is not None:
            statement = statement.where(key > after)
        return statement.order_by(key)


def _row(
    form: TableFormat, plan: list[tuple[ColumnFormat, str | None]], extra: list[str], values: dict[str, Any]
) -> Row:
    found = []
    for each, name in plan:
        value = values[name] if name is not None else None
        if value is None and not each.nullable:
            value = _missing(form, each, values)
        found.append(_native(each, value))
    more = {name: values[name] for name in extra if values[name] not in (None, False, 0)}
    if more and "data" in form.names:
        place = form.names.index("data")
        found[place] = _with_more(found[place], more)
    return tuple(found)


def _missing(form: TableFormat, each: ColumnFormat, values: Mapping[str, Any]) -> Any:
    if form.name == "sessions" and each.name == "updated_at":
        return values["created_at"]
    return _DEFAULTS.get(each.name, False if each.kind == "flag" else None)


def _native(each: ColumnFormat, value: Any) -> Any:
    """A value as rows have it."""
    if value is None:
        return None
    if each.kind in ("id", "text"):
        return keep_text(value) if isinstance(value, str) else value
    if each.kind == "flag":
        return bool(value) if value in (0, 1) else value
    return _ms(value) if isinstance(value, datetime) else value


def _odd_time(value: Any) -> tuple[Any, str, str] | None:
    """What native rows have for a time of PostgreSQL's that milliseconds, or a year, cannot say; None: it is none."""
    if isinstance(value, datetime) and value.microsecond % 1000:
        return value, f"the time has {value.microsecond % 1000} microseconds", "cut to the millisecond"
    if not isinstance(value, str):  # the driver gives as text what is no time of Python's
        return None
    early = value.startswith("-") or value.endswith("BC")
    return EARLIEST_MS if early else LATEST_MS, f"the time is {value}", f"kept as the year {1 if early else 9999}"


def _ms(moment: datetime) -> int:
    return (moment - EPOCH) // (EPOCH.resolution * 1000)


def _with_more(data: Any, more: Mapping[str, Any]) -> Any:
    """``data`` with further keys at its end, those that it has itself left as they are; its own text stays as it is."""
    text = data.strip() if isinstance(data, str) else ""
    if not (text.startswith("{") and text.endswith("}")):
        return data
    try:
        present = load_json(text) if any(f'"{name}"' in text for name in more) else {}
    except ValueError:
        return data
    pairs = [f"{dump_json(name)}:{_json(value)}" for name, value in more.items() if name not in present]
    if not pairs:
        return data
    inner = text[:-1].rstrip()
    return f"{inner}{'' if inner == '{' else ','}{','.join(pairs)}}}"


def _json(value: Any) -> str:
    if isinstance(value, datetime):
        return str(_ms(value))
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            load_json(value)
        except ValueError:
            return dump_json(value)
        return value
    return dump_json(value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value)
