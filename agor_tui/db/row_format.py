"""How the rows of the native tables pass from one database to another: as plain tuples, JSON undecoded.

A row is a tuple in the order of ``TableFormat.columns``. What its values are:

| kind    | value                                                                                       |
| id      | text as it is stored: with ``types.keep_text``'s marks, the same on both dialects           |
| text    | likewise                                                                                    |
| instant | int, epoch milliseconds                                                                     |
| flag    | bool                                                                                        |
| json    | JSON text: as SQLite stores it; PostgreSQL's through ``types.restore_json``                 |
| integer | int                                                                                         |

None is NULL. An SQLite file may hold values of other types, which pass as they are: bytes where a text is no UTF-8,
a text or a float in the place of a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import CheckConstraint, Column, Table, UniqueConstraint

from agor_tui.db import types
from agor_tui.db.tables import metadata, schema_migrations

Row = tuple[Any, ...]
"""The values of one row, in the order of its table's columns."""


class BrokenText(bytes):
    """The bytes of a text of an SQLite file that is no UTF-8; it takes its place among texts, as other bytes do not."""

    __slots__ = ()


Kind = Literal["id", "text", "instant", "flag", "json", "integer"]


@dataclass(frozen=True, slots=True)
class ColumnFormat:
    """One column."""

    name: str
    kind: Kind
    nullable: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: ``column`` holds a key of ``table``; ``required`` where it may not be NULL."""

    column: str
    table: str
    required: bool


@dataclass(frozen=True, slots=True)
class TableFormat:
    """One table. ``key`` is its primary key, () where it has none; ``unique`` the other columns that must differ.

    ``words`` are the values that an enumeration allows, by column; ``filled`` the columns that may not be empty texts.
    """

    name: str
    columns: tuple[ColumnFormat, ...]
    key: tuple[str, ...]
    references: tuple[Reference, ...]
    unique: tuple[str, ...]
    words: Mapping[str, frozenset[str]]
    filled: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def key_at(self) -> int | None:
        """Where in a row its key stands; None without one."""
        return self.names.index(self.key[0]) if self.key else None

    def at(self, *kinds: Kind) -> tuple[int, ...]:
        """Where in a row the columns of these kinds stand."""
        return tuple(place for place, column in enumerate(self.columns) if column.kind in kinds)

    @property
    def self_references(self) -> tuple[str, ...]:
        """The columns that name a row of the same table."""
        return tuple(each.column for each in self.references if each.table == self.name)


def row_bytes(table: TableFormat, rows: Iterable[Row]) -> int:
    """Return about how many bytes ``rows`` are: their texts and JSON."""
    heavy = table.at("text", "json")
    return sum(len(row[place]) for row in rows for place in heavy if isinstance(row[place], (str, bytes)))


def _kind(column: Column[Any]) -> Kind:
    kinds: tuple[tuple[type, Kind], ...] = (
        (types.Id, "id"),
        (types.Text, "text"),
        (types.Instant, "instant"),
        (types.Flag, "flag"),
        (types.Json, "json"),
    )
    return next((kind for made, kind in kinds if isinstance(column.type, made)), "integer")


def _format(table: Table) -> TableFormat:
    words = {}
    unique: list[str] = []
    filled: list[str] = []
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            unique += [column.name for column in constraint.columns]
        elif isinstance(constraint, CheckConstraint):
            condition = str(constraint.sqltext)
            if found := re.fullmatch(r"(\w+) IN \((.*)\)", condition):
                words[found[1]] = frozenset(re.findall(r"'([^']*)'", found[2]))
            elif found := re.fullmatch(r"(\w+) <> ''", condition):
                filled.append(found[1])
    return TableFormat(
        name=table.name,
        columns=tuple(ColumnFormat(each.name, _kind(each), bool(each.nullable)) for each in table.columns),
        key=tuple(column.name for column in table.primary_key.columns),
        references=tuple(
            Reference(key.parent.name, key.column.table.name, not key.parent.nullable)
            for key in sorted(table.foreign_keys, key=lambda each: list(table.columns).index(each.parent))
        ),
        unique=tuple(sorted(unique)),
        words=words,
        filled=tuple(filled),
    )


FORMATS: dict[str, TableFormat] = {
    table.name: _format(table) for table in metadata.sorted_tables if table is not schema_migrations
}
"""The native tables by name, in the order of their foreign keys: what a table refers to comes before it."""
