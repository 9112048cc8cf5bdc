"""Mending what can be mended in the rows of a native SQLite file, in a copy of it."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from agor_tui.config.places import describe
from agor_tui.db.backup import damage, fill, unwritten
from agor_tui.db.checks import orphaned, second_ones
from agor_tui.db.engine import Database
from agor_tui.db.row_format import FORMATS, Row, TableFormat
from agor_tui.db.row_values import FROM_SQLITE, converted
from agor_tui.db.sqlite_failures import is_damage
from agor_tui.errors import DatabaseError
from agor_tui.hints import own_command
from agor_tui.transfers import Tell

Keep = Callable[[TableFormat, Row], None]
"""Gets a row that is about to be taken out."""

Look = Callable[[str], None]
"""Called with what is done now; what it raises ends the work."""

_BATCH = 500


@dataclass(slots=True)
class Mended:
    """How many references were emptied and rows taken out, by what they were wrong in: ``table.column``."""

    emptied: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)


def mended_copy(
    database: Database,
    part: Path,
    target: Path,
    keep: Keep,
    look: Look,
    *,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
) -> Mended:
    """Fill the file ``part``, which is to become ``target``, with what an open native file holds, mended.

    Rows whose required references lead nowhere are taken out, with all that then leads nowhere, and so are pairs that
    stand there twice; the other references that lead nowhere are emptied; all indexes are built anew.

    Raises:
        FileError: it cannot be written. DatabaseError: the file is too damaged. What ``keep`` and ``look`` raise.
    """
    fill(database, part, tell=tell, stop=stop, target=target)
    try:
        done = _mend(part, keep, look)
    except sqlite3.Error as error:
        if not is_damage(error):
            raise unwritten(target, error) from None
        raise _beyond_repair(database, str(error)) from None
    if found := damage(part, tell=tell, stop=stop):
        raise _beyond_repair(database, found)
    return done


def _beyond_repair(database: Database, found: str) -> DatabaseError:
    return DatabaseError(
        f"{describe(database.place)} is damaged beyond what can be mended here ({found}).",
        f"Restore a backup, or copy what can be read with: {own_command('db copy --salvage')}",
    )


def _mend(path: Path, keep: Keep, look: Look) -> Mended:
    done = Mended()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.text_factory = _text
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA ignore_check_constraints=ON")
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("REINDEX")  # first: what is searched below is found by indexes
        look("mend")
        for form in FORMATS.values():
            names = {row[1] for row in connection.execute(f'PRAGMA table_info("{form.name}")')}
            if not names.issuperset(form.names):
                continue
            for reference in sorted(form.references, key=lambda each: not each.required):
                parent = FORMATS[reference.table]
                wrong = orphaned(form.name, reference.column, parent.name, parent.key[0])
                where = f"{form.name}.{reference.column}"
                look(f"mend {form.name}")
                if reference.required:
                    done.removed[where] += _take_out(connection, form, wrong, keep)
                else:
                    set_null = f'UPDATE "{form.name}" SET "{reference.column}" = NULL WHERE {wrong}'
                    done.emptied[where] += connection.execute(set_null).rowcount
            if not form.key:
                done.removed[form.name] += _take_out(connection, form, second_ones(form), keep)
    return Mended(+done.emptied, +done.removed)


def _take_out(connection: sqlite3.Connection, form: TableFormat, wrong: str, keep: Keep) -> int:
    columns = ", ".join(f'"{name}"' for name in form.names)
    rows = connection.execute(f'SELECT {columns} FROM "{form.name}" WHERE {wrong}')
    while batch := rows.fetchmany(_BATCH):
        for row in converted(form, batch, FROM_SQLITE):
            keep(form, row)
    return connection.execute(f'DELETE FROM "{form.name}" WHERE {wrong}').rowcount


def _text(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value
