"""What an error of SQLite means to a user, and what to do; damage is only what SQLite itself finds in the pages."""

from __future__ import annotations

import re
import sqlite3

from agor_tui.errors import DamagedError
from agor_tui.hints import own_command

_SCHEMA = re.compile(r"malformed database schema \((?P<object>.*?)\)(?: - (?P<reason>.*))?$", re.DOTALL)

# What SQLite says of a schema whose rows contradict each other; any other reason is one of its own understanding.
_CONTRADICTS = re.compile(r"invalid rootpage|orphan index|^$")

DAMAGED = (
    "is damaged.",
    f"Take it from a backup (for a database of agor-tui: {own_command('db restore')}). To see what is damaged: "
    f"{own_command('db check')}; to copy what can be read: {own_command('db copy --salvage')}",
)
"""What is said of a file that SQLite finds damaged, and what to do."""
_DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_OWN_PROGRAM = "Nothing is wrong with the file: open it with the program that made it."

_SENTENCES = (
    (r"database is locked", "is locked by another program.", "Wait until it has finished, or close it."),
    (r"file is not a database", "is not an SQLite database, or it is encrypted.", "Check the path."),
    (r"database disk image is malformed", *DAMAGED),
    (
        r"malformed JSON",
        "holds a text that should be JSON and is not.",
        "See which row it is with its own program.",
    ),
    (
        r"unsupported file format",
        "has a format that {sqlite} does not know.",
        f"A newer SQLite made it. {_OWN_PROGRAM}",
    ),
    (
        r"(?P<what>unsafe use of [^()]*|no such (?:collation sequence|module|tokenizer|function): \S+"
        r"|unknown function: [^()]*)",
        "uses what {sqlite} does not have here ({what}).",
        f"Its own program brings that along. {_OWN_PROGRAM}",
    ),
    (r"unable to open", "cannot be opened.", "Check the path and its permissions."),
    (
        r"disk I/O error",
        "cannot be read or written: the disk reports an error.",
        "Check the disk and its free space, or that the file is whole.",
    ),
    (r"readonly", "may not be written.", "Check the permissions of the file and its folder."),
    (r"pattern too complex", "cannot search for so long a text.", "Shorten the filter."),
    (r"Expression tree is too large", "cannot search for so many words.", "Shorten the filter."),
    (r"disk is full", "cannot be written: the disk is full.", "Free some space."),
    (
        r"no such table",
        "lacks a table that this kind of database has.",
        "It may be half made; check with its program.",
    ),
    (
        r"no such column",
        "lacks a column that this kind of database has.",
        "It changed while it was open; open it anew.",
    ),
)


def damaged(place: str, found: str) -> DamagedError:
    """Return the error for a file in which SQLite's own check has ``found`` something."""
    return DamagedError(f"{place} {DAMAGED[0][:-1]} ({found}).", DAMAGED[1])


def explain_sqlite(text: str, sqlite: str) -> tuple[str, str] | None:
    """Return what follows the database's name in a sentence, and a hint, for what SQLite said; None for the unknown.

    ``sqlite`` is what reads the database: ``SQLite 3.40.1``.
    """
    if schema := _SCHEMA.search(text):
        reason = schema["reason"] or ""
        if _CONTRADICTS.search(reason):
            return DAMAGED
        what = f"{schema['object']}: {reason}"[:200]
        return (
            f"defines something that {sqlite} does not understand ({what}).",
            f"A newer SQLite made it, or one with functions of its own. {_OWN_PROGRAM}",
        )
    for pattern, sentence, hint in _SENTENCES:
        if found := re.search(pattern, text):
            return sentence.format(sqlite=sqlite, what=found.groupdict().get("what")), hint
    return None


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether an error speaks of damage in the file, and not of what this SQLite lacks to understand it."""
    if (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF not in _DAMAGE_CODES:
        return False
    schema = _SCHEMA.search(str(error))
    return schema is None or bool(_CONTRADICTS.search(schema["reason"] or ""))
