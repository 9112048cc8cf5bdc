"""Keyset pages: the part of a list that is asked for, the query for its ids, and the cursors around it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import FromClause, Select, select, tuple_, type_coerce
from sqlalchemy import Text as TextImpl
from sqlalchemy import cast as sql_cast
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Integer, NullType

from agor_tui.db.statement import parameter
from agor_tui.db.types import as_text, is_broken
from agor_tui.records import Cursor, Page

END = Cursor(None, "")
"""The place behind the last row: what ``before`` takes to ask for the last page."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of a list is wanted: rows behind ``after`` or before ``before``, ``offset`` rows skipped.

    ``limit`` 0 means all.
    """

    after: Cursor | None = None
    before: Cursor | None = None
    offset: int = 0
    limit: int = 50

    @property
    def cursor(self) -> Cursor | None:
        """The place from which rows are counted; None for the first row or, with ``before``, the last."""
        return self.after if self.before is None else None if self.before is END else self.before


ALL = Asked(limit=0)
"""All rows from the first on."""

Part = Literal["all", "present", "missing"]
"""Rows whose key has a value, or has none, or both as the database orders them, which each does in its own way."""


def parts_in_order(asked: Asked, descending: bool) -> tuple[Part, ...]:
    """Return the parts of a list in the order that they are read in: a missing key is less than any other."""
    parts: tuple[Part, ...] = ("present", "missing")
    if descending == (asked.before is not None):
        parts = ("missing", "present")
    if asked.cursor is None:
        return parts
    return parts[parts.index("missing" if asked.cursor.key is None else "present") :]


def keys_query(
    source: FromClause,
    key: ColumnElement[Any],
    descending: bool,
    conditions: Sequence[ColumnElement[bool]],
    asked: Asked,
    part: Part = "all",
) -> Select[Any]:
    """Return the query for the ids of a page of one ``part`` of ``source`` ordered by (``key``, id), one more than it
    holds.

    Its parameters are ``cursor_key``, ``cursor_id`` and ``skip``, where ``asked`` has them. The key's values pass
    through as the driver gives them, so that a cursor names exactly the place it came from.
    """
    by_id = key is source.c.id or part == "missing"
    raw: ColumnElement[Any] = type_coerce(key, NullType())
    raw_id: ColumnElement[Any] = type_coerce(source.c.id, NullType())
    # A row without an id could not be told from the place before it.
    query = select(raw_id.label("id"), raw.label("key")).where(*conditions, source.c.id.is_not(None))
    down = descending != (asked.before is not None)
    if part == "missing":
        query = query.where(key.is_(None))
    elif part == "present" and asked.cursor is None:
        query = query.where(key.is_not(None))
    if asked.cursor is not None:
        place: Any = _value("cursor_id", asked.cursor.id)
        keys: Any = raw_id
        if not by_id:
            keys = tuple_(raw, raw_id)
            place = tuple_(_value("cursor_key", asked.cursor.key), place)
        query = query.where(keys < place if down else keys > place)
    order = [source.c.id] if by_id else [key, source.c.id]
    query = query.order_by(*(each.desc() if down else each.asc() for each in order))
    if asked.offset:
        query = query.offset(parameter("skip", Integer()))
    return query.limit(asked.limit + 1) if asked.limit else query


def _value(name: str, value: Any) -> ColumnElement[Any]:
    """The parameter for a value of a cursor; of a text that is no UTF-8 it is the bytes."""
    found: ColumnElement[Any] = parameter(name, NullType())
    return sql_cast(found, TextImpl()) if is_broken(value) else found


class NoId(str):
    """What stands where an id should be, and is no text: nothing is asked for by it."""

    __slots__ = ()


def _listed(value: Any) -> str:
    text = as_text(value) or ""
    return NoId(text) if isinstance(value, (bytes, int, float)) else text


def cursor_shape(cursor: Cursor | None) -> Hashable:
    """What of a cursor decides how ``keys_query`` is written."""
    return None if cursor is None else (is_broken(cursor.id), is_broken(cursor.key))


def page_of_ids(rows: Sequence[Any], asked: Asked) -> Page[str]:
    """Return the page that the rows (id, key) of ``keys_query`` are, with the cursors around it."""
    backwards = asked.before is not None
    more = bool(asked.limit) and len(rows) > asked.limit
    rows = rows[: asked.limit] if asked.limit else rows
    if backwards:
        rows = rows[::-1]
    if not rows:
        return Page(())
    first, last = (Cursor(row.key, row.id) for row in (rows[0], rows[-1]))
    if backwards:
        behind, ahead = asked.before is not END, more
    else:
        behind, ahead = more, asked.after is not None or asked.offset > 0
    return Page(tuple(_listed(row.id) for row in rows), last if behind else None, first if ahead else None)
