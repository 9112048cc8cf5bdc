"""The errors that reach a user: one sentence saying what is wrong and, where one can, what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agor_tui.records import Ambiguity


class AgorError(Exception):
    """Base of all errors that are shown to a user.

    ``message`` is one sentence that names the file, key, line or host; ``hint`` says what to do next. Neither
    ever holds a password. ``title`` heads the error screen, ``exit_code`` ends the command.
    """

    title = "Something went wrong"
    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(AgorError):
    """The words of a command, a filter or an id are not understood."""

    title = "Not understood"
    exit_code = 2


class ConfigError(AgorError):
    """The config file, an environment variable or the name of a database is wrong."""

    title = "Configuration problem"


class ConfigKeyError(ConfigError):
    """A key, a name or a value for the config file is not understood; nothing was written."""

    exit_code = 2


class ConfigMissingError(ConfigError):
    """The settings have no such key, or no database of this name."""

    exit_code = 4


class ConfigChangedError(ConfigError):
    """Someone else changed the config file meanwhile where it was to be changed; nothing was written."""

    title = "Changed meanwhile"


class DatabaseError(AgorError):
    """A database cannot be opened, read or written."""

    title = "Database problem"


class DamagedError(DatabaseError):
    """SQLite finds damage in the pages of a file."""


class AbsentError(DatabaseError):
    """There is no such file, or no database of this name on the server; one may be made there."""

    title = "No such database"


class OccupiedError(DatabaseError):
    """Rows are to go into a database that has some already, and what becomes of those was not said."""

    title = "Not empty"


class UnknownSchemaError(DatabaseError):
    """The database opens, but its tables are of no known kind."""

    title = "Unknown kind of database"


class ForeignDatabaseError(DatabaseError):
    """A change of the tables was asked in a database that another program owns."""

    title = "Another program's database"


class ReadOnlyError(DatabaseError):
    """A change was asked of a database that is open for reading only."""

    title = "Read-only database"


class EditConflictError(DatabaseError):
    """Someone else changed a row after the user saw it; nothing was written.

    ``differences`` says of each field concerned what it was when it was seen, and what it is now.
    """

    title = "Changed by someone else"

    def __init__(self, message: str, differences: tuple[tuple[str, object, object], ...], hint: str = "") -> None:
        super().__init__(message, hint)
        self.differences = differences


class SchemaVersionError(DatabaseError):
    """A native database is behind or ahead of this program's schema."""

    title = "Schema version"


class MigrationError(AgorError):
    """A migration could not be applied or undone; the database is as it was before it."""

    title = "Migration failed"


class FileError(AgorError):
    """A file cannot be written or read, or is not what it must be; what it was to go into is as it was."""

    title = "Problem with a file"


class Cancelled(AgorError):
    """The user left before the database answered."""

    title = "Cancelled"


class NotFoundError(AgorError):
    """No row has this id or prefix."""

    title = "Not found"
    exit_code = 4


class AmbiguousIdError(AgorError):
    """Several rows share this prefix; ``ambiguity`` lists them."""

    title = "Ambiguous id"
    exit_code = 3

    def __init__(self, message: str, ambiguity: Ambiguity, hint: str = "") -> None:
        super().__init__(message, hint)
        self.ambiguity = ambiguity


def quoted(typed: str, limit: int = 48) -> str:
    """A user's own words for a message: in quotation marks, cut to ``limit``, control characters replaced."""
    shown = typed if len(typed) <= limit else typed[: limit - 1] + "…"
    return "“" + "".join(c if c.isprintable() else "�" for c in shown) + "”"


def suggestion(word: str, known: Iterable[str]) -> str:
    """``; the nearest is “word”``, to end a sentence on an unknown word; nothing where none is near."""
    from difflib import get_close_matches

    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(word[:48].lower(), by_lower, n=1, cutoff=0.5)
    return f"; the nearest is {quoted(by_lower[near[0]])}" if near else ""
