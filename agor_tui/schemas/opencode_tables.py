"""OpenCode's tables with the columns that a database has, and what its sessions and tasks both say by."""

from __future__ import annotations

from typing import Any

from sqlalchemy import FromClause, case, column, func, literal, table
from sqlalchemy import cast as sql_cast
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import BigInteger, Float

from agor_tui.db.catalog import Catalog
from agor_tui.db.types import Flag, Id, Instant, Json, JsonSql, Text

Column = ColumnElement[Any]

json = JsonSql("sqlite")
YES, NO = literal(True, Flag()), literal(False, Flag())

_JSON_COLUMNS = ("data", "model", "revert", "metadata", "permission", "summary_diffs")


class Tables:
    """OpenCode's tables as selectables with the columns they have here."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def __call__(self, name: str) -> FromClause:
        """Return a new alias of the table ``name``."""
        found = self.catalog.tables[name]
        return table(name, *(column(key, _type(key, kind)) for key, kind in found.items())).alias()


def _type(name: str, declared: str) -> Any:
    if name.startswith("time_"):
        return Instant()
    if name in _JSON_COLUMNS:
        return Json()
    if name == "id" or name.endswith("_id"):
        return Id()
    return {"integer": BigInteger(), "real": Float(53)}.get(declared, Text())


def is_prompt(m: FromClause) -> ColumnElement[bool]:
    """Tell whether a message is a user's, and so a task."""
    return json.text(m.c.data, "role") == "user"


def model_of(data: Column) -> Column:
    """The model that wrote an assistant message."""
    return json.text(data, "modelID")


def sum_of_costs(m: FromClause) -> Column:
    """What messages cost together, in dollars."""
    return func.sum(sql_cast(json.number(m.c.data, "cost"), Float()), type_=Float(53))


def reply_status(data: Column, *, finished: str) -> Column:
    """How an assistant message ended. One that is not completed is being written, or its program died."""
    return case(
        (json.text(data, "error", "name") == "MessageAbortedError", "stopped"),
        (json.text(data, "error").is_not(None), "failed"),
        (json.number(data, "time", "completed").is_(None), "running"),
        else_=finished,
    )
