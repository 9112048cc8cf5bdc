"""Whether a database is whole as SQLite or PostgreSQL themselves see it, whoever's tables it has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice

from sqlalchemy import exc

from agor_tui.db.backup import RULES
from agor_tui.db.snapshot import Snapshot
from agor_tui.db.sqlite_failures import is_damage
from agor_tui.transfers import CheckItem, Progress, Tell

_MOST_LINES = 20
_MOST_READ = 1_000

_INDEXES = """
SELECT 'the index ' || c.relname || ' is invalid' FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND NOT (i.indisvalid AND i.indisready)
"""
_CONSTRAINTS = """
SELECT 'the constraint ' || k.conname || ' of ' || c.relname || ' was never checked on the rows before it'
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND NOT k.convalidated
"""
_SWITCHED_OFF = """
SELECT DISTINCT 'the foreign key ' || k.conname || ' of ' || r.relname || ' is switched off'
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
JOIN pg_catalog.pg_class r ON r.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE n.nspname = current_schema() AND t.tgisinternal AND t.tgenabled = 'D'
"""


def integrity(snapshot: Snapshot, tell: Tell | None = None) -> Iterator[CheckItem]:
    """Look at the file (its pages, indexes and constraints) and its foreign keys, or at what a server's catalog says.

    Raises:
        DatabaseError: the database cannot be read. Cancelled: it was cancelled.
    """
    if tell:
        tell(Progress("check integrity", "", 0, None, 0))
    with snapshot.explained():
        if snapshot.postgresql:
            lines = [
                str(row[0])
                for query in (_INDEXES, _CONSTRAINTS, _SWITCHED_OFF)
                for row in snapshot.connection.exec_driver_sql(query)
            ]
            words = "no index is invalid, no constraint is unchecked"
            if lines:
                words = "an index or a constraint is not in force"
            yield CheckItem("integrity", not lines, words, "", "", len(lines), tuple(lines[:_MOST_LINES]))
            return
        yield from _file(snapshot)
        snapshot.require_still()
        if tell:
            tell(Progress("check foreign keys", "", 0, None, 0))
        yield _foreign_keys(snapshot)
        snapshot.require_still()


def _file(snapshot: Snapshot) -> Iterator[CheckItem]:
    damage: list[str] = []
    broken: list[str] = []
    unseen = ""
    try:
        for row in snapshot.connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_READ})"):
            line = str(row[0]).removeprefix("*** in database main ***\n")
            # A CHECK is only looked at where the file may be written, and the words of ours are looked at by name.
            if line != "ok" and not line.startswith("CHECK "):
                (broken if RULES.match(line) else damage).append(line)
    except exc.DatabaseError as error:
        said = _said(error)
        if is_damage(said):
            damage.append(str(said))
        else:
            unseen = str(said)
    if damage:
        yield CheckItem("integrity", False, "SQLite finds damage", "", "", len(damage), tuple(damage[:_MOST_LINES]))
    elif unseen:
        words = "SQLite cannot look at all of it, since it lacks what the file's own program has"
        yield CheckItem("integrity", False, words, "", "", 1, (unseen,))
    else:
        yield CheckItem("integrity", True, "SQLite finds the file whole")
    if broken:
        words = "rows break the rules of their tables"
        yield CheckItem("rules", False, words, "", "", len(broken), tuple(broken[:_MOST_LINES]))


def _foreign_keys(snapshot: Snapshot) -> CheckItem:
    try:
        rows = snapshot.connection.exec_driver_sql("PRAGMA foreign_key_check")
        first = list(islice(rows, _MOST_LINES))
        number = len(first) + sum(1 for _ in rows)
    except exc.DatabaseError as error:
        return CheckItem("foreign keys", False, "cannot be looked at", "", "", 1, (str(_said(error)),))
    if not number:
        return CheckItem("foreign keys", True, "those that the tables declare hold")
    lines = tuple(f"{table}, row {row}: no such row of {parent}" for table, row, parent, _ in first)
    return CheckItem("foreign keys", False, "do not hold", "", "", number, lines)


def _said(error: exc.DatabaseError) -> sqlite3.DatabaseError:
    """What SQLite said; raises again what does not speak of the file."""
    if not isinstance(error.orig, sqlite3.DatabaseError) or "interrupted" in str(error.orig):
        raise error
    return error.orig
