"""The rows of the databases screen: what is known of each database, in the words that the screen uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agor_tui import paths
from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, SqlitePlace, describe
from agor_tui.database_records import DatabaseInfo, DatabaseSurvey
from agor_tui.errors import AbsentError, AgorError
from agor_tui.services.configuration import NamedDatabase
from agor_tui.services.memory import Recalled, key_of
from agor_tui.services.overview import NoAnswerError, NotRunningError
from agor_tui.statuses import Tone
from agor_tui.text import NOTHING, byte_size, count, printable
from agor_tui.tui.widgets.table_columns import Column, Spans

SHOWN = 300
"""Characters of a text that are looked at; no terminal shows more in a column."""
LONGEST_PATH = 34
FAULT = "✗"
"""The sign of a database that cannot be read."""
_IN_FILE = re.compile(r"^.*?, line \d+: (?:\S+\.)*(?:\w+: )?")
"""What an error of the config file begins with: file, line and the key, but for its last word where that has a verb."""
AWAY = "▲"
"""The sign of a local copy whose server does not answer."""


@dataclass(slots=True)
class DatabaseRow:
    """One database; the answers fill in as they come."""

    database: NamedDatabase
    opened_at: datetime | None = None
    is_open: bool = False
    marked: bool = False
    asking: bool = False
    survey: DatabaseSurvey | None = None
    error: AgorError | None = None
    typed_name: str = ""
    """What a path or a URL that was just typed is called."""

    @property
    def key(self) -> str:
        """What tells it from the other rows, also when the settings are read anew."""
        return f"{self.database.origin}\n{self.database.target}"

    @property
    def name(self) -> str:
        """Its name in the config, else a short one for its place."""
        database = self.database
        return (
            database.name
            or self.typed_name
            or (database.place.label if database.place else database.target or "database")
        )

    @property
    def place(self) -> Place | None:
        """Where it is; None where the settings are wrong."""
        return self.database.place

    @property
    def in_file(self) -> bool:
        """Whether the config file has it."""
        return bool(self.database.seen)

    @property
    def absent(self) -> bool:
        """Whether there is no such database yet, where one can be made."""
        return isinstance(self.error, AbsentError)

    @property
    def expected(self) -> bool:
        """Whether it should be there: the settings are right, and it is not our default file that nobody made yet."""
        return self.place is not None and not (self.absent and self.database.origin == "default")

    def may(self, action: str) -> bool:
        """Tell whether the action of this name of the screen applies to this database now."""
        place, survey = self.place, self.survey
        if action in ("edit", "test"):
            return self.in_file if action == "edit" else place is not None
        if action in ("remove", "default"):
            named = self.in_file and self.database.name is not None
            return named and not (action == "default" and self.database.is_default)
        if action == "set_up":
            return place is not None and not place.read_only and (self.absent or _state(survey) == "empty")
        if action == "migrations":
            return _state(survey) in ("current", "behind", "newer", "theirs")
        return place is not None


def targets_of(rows: Sequence[DatabaseRow]) -> dict[str, str | None]:
    """What opens each database (None for what opens without), by a name that no other one of them has."""
    targets: dict[str, str | None] = {}
    for row in rows:
        if row.place is not None:
            name = row.name if row.name not in targets else describe(row.place)
            targets[name] = row.database.target
    return targets


def rows_of(
    databases: Sequence[NamedDatabase],
    remembered: Mapping[str, Recalled],
    opened: tuple[DatabaseInfo, Place, str | None] | None,
) -> list[DatabaseRow]:
    """A row for each database of the settings, and first for the one that is open where it has no row of its own.

    ``opened`` is what is known of the open one, where it is and what was asked to open it.
    """
    rows = [
        DatabaseRow(database, remembered.get(key_of(database.place), Recalled()).opened_at if database.place else None)
        for database in databases
    ]
    if opened is not None:
        info, place, target = opened
        mark_open(rows, info, place)
        if not any(row.is_open for row in rows):
            unnamed = NamedDatabase(None, place, None, False, info.origin, target)
            rows.insert(0, DatabaseRow(unnamed, remembered.get(key_of(place), Recalled()).opened_at, is_open=True))
    return rows


def mark_open(rows: Sequence[DatabaseRow], info: DatabaseInfo, place: Place) -> None:
    """Mark the row of the open database: by its name, else by its place."""
    key = key_of(place)
    named = [row for row in rows if info.name is not None and row.database.name == info.name]
    placed = [row for row in rows if row.place is not None and key_of(row.place) == key]
    fitting = [row for row in placed if row.database.origin == info.origin] or placed
    chosen = (named or fitting)[:1]
    for row in rows:
        row.is_open = row in chosen


def database_columns(when: Callable[[datetime | None], str], times: int) -> Sequence[Column[DatabaseRow]]:
    """The columns in order; none is as wide as its cells, so that nothing jumps when an answer comes.

    ``when`` words a time in ``times`` cells.
    """

    return (
        Column("mark", "", _mark, 2, 2, gives_way=1),
        Column("name", "NAME", _name, 8, 28, gives_way=2, fits=True),
        Column("dialect", "DIALECT", _dialect, 13, 13, gives_way=6),
        Column("kind", "KIND", _kind, 8, 8, gives_way=7),
        Column("access", "", _access, 2, 2, gives_way=4),
        Column("where", "WHERE", _where, 16, LONGEST_PATH, gives_way=8),
        Column("owner", "OWNER", _owner, 8, 8, gives_way=12),
        Column("sessions", "SESSIONS", _sessions, 8, 8, gives_way=3, right=True),
        Column("size", "SIZE", _size, 7, 7, gives_way=10, right=True),
        Column("latency", "LATENCY", _latency, 7, 7, gives_way=9, right=True),
        Column(
            "opened", "OPENED", lambda row: ((when(row.opened_at), "muted"),), times, times, gives_way=11, right=True
        ),
        Column("state", "SCHEMA", state_spans, 18, 24),
    )


def dialect_of(row: DatabaseRow) -> str:
    """Dialect and version, as far as they are known: ``postgresql 18``."""
    if row.survey is not None:
        version = row.survey.info.server_version.split(".")
        # PostgreSQL counts major versions by its first number, SQLite by two.
        return f"{row.survey.info.dialect} {'.'.join(version[: 2 if row.survey.info.dialect == 'sqlite' else 1])}"
    place = row.place
    return (
        "postgresql" if isinstance(place, PostgresPlace) else "libsql" if isinstance(place, LibsqlPlace) else "sqlite"
    )


def is_read_only(row: DatabaseRow) -> bool:
    """Whether it would be opened for reading only."""
    return row.survey.info.read_only if row.survey else bool(row.place and row.place.read_only)


def place_text(place: Place) -> str:
    """The place, the user's own folder as ``~``; where a path is long its middle is left out."""
    text = paths.shown(printable(describe(place), SHOWN))
    if not isinstance(place, SqlitePlace):
        return text
    parts = text.split("/")
    while len(text) > LONGEST_PATH and len(parts) > 4:
        del parts[2:4]
        parts.insert(2, "…")
        text = "/".join(parts)
    return text


def state_spans(row: DatabaseRow) -> Spans:
    """Where the tables stand, or why that cannot be told: a sign, then words."""
    glyph, tone, words = state_words(row)
    return ((f"{glyph} ", tone), (words, "error" if tone == "error" else "faint" if tone == "faint" else "text"))


def state_words(row: DatabaseRow) -> tuple[str, Tone, str]:
    """The sign, its tone and the words."""
    if row.database.error is not None:
        return FAULT, "error", "wrong settings"
    if row.error is not None:
        if row.absent or isinstance(row.error, NotRunningError):
            return "○", "muted", "does not exist" if row.absent else "not running"
        return FAULT, "error", _brief(row)
    if row.survey is None:
        return "…", "faint", "asking" if row.asking else ""
    if row.survey.away:
        return AWAY, "warning", "server away · copy"
    schema = row.survey.schema
    at = schema.revision or "base"
    match schema.state:
        case "current":
            return "✓", "success", f"{at} · current"
        case "behind":
            return "!", "warning", f"{at} · {schema.number} behind"
        case "newer":
            return "!", "warning", f"{at} · newer than this"
        case "theirs":
            return "·", "muted", f"theirs · {count(schema.number)}" if schema.number else "theirs"
        case "unknown":
            return "?", "muted", "tables not known"
        case _:
            return "○", "muted", "not set up"


def text_of(row: DatabaseRow) -> str:
    """What the filter looks in."""
    place = describe(row.place) if row.place else ""
    kind = f"{row.survey.info.kind} {row.survey.info.owner}" if row.survey else ""
    return f"{row.name} {place} {dialect_of(row)} {kind} {state_words(row)[2]}".casefold()


def _brief(row: DatabaseRow) -> str:
    """The error without the words that the row has already."""
    if isinstance(row.error, NoAnswerError):
        return f"no answer in {row.error.limit_s:g} s"
    message = _IN_FILE.sub("", row.error.message if row.error else "")
    where = describe(row.place) if row.place else ""
    return printable(message.removeprefix(where).strip().removeprefix("is ").removesuffix("."), SHOWN)


def _state(survey: DatabaseSurvey | None) -> str:
    return survey.schema.state if survey else ""


def _mark(row: DatabaseRow) -> Spans:
    return (("●" if row.is_open else " ", "success"), ("+" if row.marked else " ", "accent"))


def _name(row: DatabaseRow) -> Spans:
    tail = " default" if row.database.is_default else ""
    return ((printable(row.name, SHOWN), "strong" if row.is_open else "text"), (tail, "faint"))


def _dialect(row: DatabaseRow) -> Spans:
    return ((printable(dialect_of(row)) if row.place else NOTHING, "muted"),)


def _kind(row: DatabaseRow) -> Spans:
    return ((printable(row.survey.info.kind) if row.survey else NOTHING, "muted"),)


def _access(row: DatabaseRow) -> Spans:
    return (("ro" if is_read_only(row) else "", "muted"),)


def _where(row: DatabaseRow) -> Spans:
    return ((place_text(row.place) if row.place else NOTHING, "muted"),)


def _owner(row: DatabaseRow) -> Spans:
    return ((printable(row.survey.info.owner) if row.survey else NOTHING, "muted"),)


def _sessions(row: DatabaseRow) -> Spans:
    sessions = row.survey.sessions if row.survey else None
    return ((count(sessions.value) + ("" if sessions.exact else "+") if sessions else NOTHING, "text"),)


def _size(row: DatabaseRow) -> Spans:
    return ((byte_size(row.survey.size if row.survey else None), "muted"),)


def _latency(row: DatabaseRow) -> Spans:
    return ((latency_text(row.survey.latency_ms) if row.survey and not row.survey.away else NOTHING, "muted"),)


def latency_text(ms: float) -> str:
    """A round trip in at most seven characters, with at least one digit that counts."""
    return f"{ms:,.0f} ms" if ms >= 9.95 else f"{ms:.1f} ms" if ms >= 0.095 else f"{ms:.2f} ms"
