"""Migrating an empty SQLite database in memory: the SQL that runs, and the tables and columns that go.

Alembic cannot write the SQL of a rebuilt SQLite table without a database to look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import column, create_engine, event, func, select, table
from sqlalchemy.engine import Connection

from agor_tui.database_records import Loss
from agor_tui.db import scripts
from agor_tui.db.catalog import read_catalog
from agor_tui.db.revision import VERSION_TABLE
from agor_tui.db.tables import schema_migrations
from agor_tui.errors import MigrationError

_CHANGES = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE")
_OURS = (VERSION_TABLE, schema_migrations.name)

Tables = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """``sql`` is SQLite's; ``before`` and ``after`` are the tables with their columns, the same on both dialects."""

    sql: str
    before: Tables
    after: Tables


def rehearse(way: scripts.Way, start: str, target: str) -> Rehearsal:
    """Move from the revision ``start`` to ``target`` (``base``: none) where nothing can be lost.

    Raises:
        MigrationError: a script fails already on empty tables.
    """
    try:
        return _rehearse(way, start, target)
    except Exception as error:  # a script is code of any kind, and may fail in any way
        raise MigrationError(
            f"The scripts that lead from {start} to {target} are faulty: {scripts.cause(error)}.",
            "Nothing was changed.",
        ) from None


def _rehearse(way: scripts.Way, start: str, target: str) -> Rehearsal:
    engine = create_engine("sqlite://", isolation_level="AUTOCOMMIT", hide_parameters=True)
    with engine.connect() as connection:
        if start != "base":
            scripts.command("upgrade", start, connection=connection, record=lambda **_: None)
        before = read_catalog(connection).tables
        lines: list[str] = []
        pending: list[str] = []

        def note(_: Connection, __: Any, statement: str, *___: Any) -> None:
            if statement.lstrip().upper().startswith(_CHANGES):
                pending.append(f"{statement.strip().rstrip(';')};")

        def step(*, step: Any, **_: Any) -> None:
            ids = [" ".join(each) or "base" for each in (step.source_revision_ids, step.destination_revision_ids)]
            lines.append(f"-- Running {way} {ids[0]} -> {ids[1]}")
            lines.extend(pending)
            pending.clear()

        event.listen(connection, "before_cursor_execute", note)
        scripts.command(way, target, connection=connection, record=step)
        return Rehearsal("\n\n".join([*lines, *pending]) + "\n", before, read_catalog(connection).tables)


def count_losses(connection: Connection, trial: Rehearsal) -> tuple[Loss, ...]:
    """Count in the open database what the tables and columns hold that the rehearsal dropped."""
    present = read_catalog(connection)
    losses = []
    for name, columns in sorted(trial.before.items()):
        if name in _OURS or name not in present.tables:
            continue
        if name not in trial.after:
            losses.append(Loss(name, None, _count(connection, name, None)))
            continue
        gone = [each for each in sorted(columns.keys() - trial.after[name].keys()) if present.has(name, each)]
        losses += [Loss(name, each, _count(connection, name, each)) for each in gone]
    return tuple(losses)


def _count(connection: Connection, name: str, gone: str | None) -> int:
    counted = func.count() if gone is None else func.count(column(gone))
    return int(connection.scalar(select(counted).select_from(table(name))) or 0)
