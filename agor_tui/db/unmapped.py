"""The tables with rows that nobody maps: what a copy, an export or a comparison of a database leaves behind."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, column, exc, func, literal_column, select, table
from sqlalchemy.engine import Connection

from agor_tui.db.catalog import Catalog, read_catalog
from agor_tui.transfers import MOST_COUNTED, NOT_COPIED, Finding, LeftAside

_SHADOWS = (
    *("data", "idx", "content", "docsize", "config"),  # FTS5
    *("segments", "segdir", "stat"),  # FTS3 and FTS4
    *("node", "rowid", "parent"),  # R*Tree
)
"""What SQLite's virtual tables keep their own rows in is named after them, with one of these endings:
https://sqlite.org/vtab.html#xshadowname"""
_VIRTUAL = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND rootpage = 0"
_OVER_ANOTHER = re.compile(r"\bcontent\s*=", re.IGNORECASE)
"""An index over the rows of another table, or one that keeps no text at all."""

_POSTGRESQL = """
SELECT c.relname, has_table_privilege(c.oid, 'SELECT')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition
AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                AND d.objid = c.oid AND d.deptype = 'e')
"""
"""Views have no rows of their own, those of partitions are their parent's, and those of an extension are its own."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a kind says of its owner's tables: the ``mapped``, and those it leaves aside with the reason for each."""

    mapped: Collection[str]
    left_aside: Mapping[str, str]


def unmapped(connection: Connection, declared: Declared, tenant: str | None) -> tuple[list[Finding], list[LeftAside]]:
    """Return a finding for each table with rows that ``declared`` does not name, and the ones left aside with rows.

    ``tenant``: whose rows count, in tables of several.
    """
    findings, left_aside = [], []
    catalog = read_catalog(connection)
    for name, readable in sorted(_tables(connection, catalog)):
        if name in declared.mapped:
            continue
        number = _rows(connection, name, tenant if catalog.has(name, "tenant_id") else None) if readable else None
        if name in declared.left_aside:
            if number:
                left_aside.append(LeftAside(name, number, declared.left_aside[name]))
        elif number is None:
            why = "it cannot be read" if readable else "this user may not read it"
            findings.append(Finding(name, "", None, f"a table that agor-tui has not, and {why}", NOT_COPIED))
        elif number:
            most = f"over {MOST_COUNTED:,}" if number > MOST_COUNTED else f"{number:,}"
            what = f"{most} row{'s' * (number != 1)} of a table that agor-tui has not"
            findings.append(Finding(name, "", None, what, NOT_COPIED))
    return findings, left_aside


def _tables(connection: Connection, catalog: Catalog) -> Iterator[tuple[str, bool]]:
    """The tables that have rows of their own, each with whether they may be read."""
    if connection.dialect.name == "postgresql":
        yield from ((name, readable) for name, readable in connection.exec_driver_sql(_POSTGRESQL))
        return
    virtual: dict[str, str | None] = dict(map(tuple, connection.exec_driver_sql(_VIRTUAL)))
    shadows = {f"{name}_{ending}" for name in virtual for ending in _SHADOWS}
    yield from ((name, True) for name in catalog.tables if name not in shadows)
    yield from ((name, True) for name, sql in virtual.items() if not _OVER_ANOTHER.search(sql or ""))


def _rows(connection: Connection, name: str, tenant: str | None) -> int | None:
    """How many rows a table has, at most one more than ``MOST_COUNTED``; None where it cannot be read."""
    rows = table(name, column("tenant_id"))
    some: Select[Any] = select(literal_column("1")).select_from(rows).limit(MOST_COUNTED + 1)
    if tenant is not None:
        some = some.where(rows.c.tenant_id == tenant)
    try:
        return int(connection.execute(select(func.count()).select_from(some.subquery())).scalar_one())
    except exc.DatabaseError:
        if connection.dialect.name == "postgresql":  # its transaction has ended with this
            raise
        return None  # a damaged page, or a module that is not there
