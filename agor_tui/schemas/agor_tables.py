"""Agor's tables as they are in one database: the columns that it has, the rows that this reader may see."""

from __future__ import annotations

from typing import Any

from sqlalchemy import FromClause, column, func, select, table
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import BigInteger

from agor_tui.db.catalog import Catalog
from agor_tui.db.types import EpochMs, Flag, Id, Instant, Json, JsonString, Text

DEFAULT_TENANT = "default"

_FLAGS = {
    "archived",
    "enabled",
    "queued",
    "callback_enabled",
    "needs_attention",
    "resolved",
    "scheduled_from_worktree",
    "scheduled_from_branch",
}


class Tables:
    """Agor's tables as selectables with the columns they have here, of one tenant where there are several."""

    def __init__(self, catalog: Catalog, tenant: str | None, kind: str) -> None:
        self.catalog = catalog
        self.tenant = tenant
        self.kind = kind

    def has(self, name: str, *names: str) -> bool:
        """Tell whether a table with these columns exists."""
        return self.catalog.has(name, *names)

    def __call__(self, name: str) -> FromClause:
        """Return the rows of ``name`` that this reader may see."""
        found = table(name, *(column(key, _type(key, kind)) for key, kind in self.catalog.tables[name].items()))
        if "tenant_id" not in found.c:
            return found.alias()
        # Explicitly, since a superuser is not held back by row level security.
        return select(found).where(found.c.tenant_id == (self.tenant or DEFAULT_TENANT)).subquery()


def _type(name: str, declared: str) -> Any:
    if name.endswith("_at") or name in ("timestamp", "schedule_last_triggered_at"):
        return EpochMs() if declared == "bigint" else Instant()
    if name in _FLAGS or declared == "boolean":
        return Flag()
    if name == "data" or declared == "jsonb":
        return Json()
    if name.endswith("_id"):
        return Id()
    return BigInteger() if declared.startswith("int") or declared == "bigint" else Text()


def first(*found: ColumnElement[Any] | None) -> ColumnElement[Any] | None:
    """Return the first that is there and not NULL."""
    present = [each for each in found if each is not None]
    if len(present) < 2:
        return present[0] if present else None
    return func.coalesce(*present, type_=present[0].type)


def filled(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return ``text``, NULL where it is empty."""
    return func.nullif(text, "", type_=JsonString())


def board_of(tables: Tables, worktree: FromClause, key: str) -> ColumnElement[Any] | None:
    """Return the board that a worktree is on: its own column, else where it is placed on a board."""
    own = worktree.c.get("board_id")
    if not tables.has("board_objects", key):
        return own
    objects = tables("board_objects")
    placed = (
        select(func.min(objects.c.board_id, type_=Id()))
        .where(objects.c[key] == worktree.c[key])
        .correlate(worktree)
        .scalar_subquery()
    )
    return first(own, placed)
