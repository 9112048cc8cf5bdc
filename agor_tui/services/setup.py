"""Setting up a database: what will be done and written, and doing it, once the user has said yes to all of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from agor_tui import paths
from agor_tui.config.passwords import PasswordHome, from_command
from agor_tui.config.places import Place, PostgresPlace, SqlitePlace, describe
from agor_tui.database_records import MigrationEvent, Revision
from agor_tui.errors import AgorError, ConfigError, quoted
from agor_tui.hints import install_command
from agor_tui.services.examination import Finding, Outlook

if TYPE_CHECKING:
    from agor_tui.services.configuration import Configuration

Tell = Callable[[Finding], None]

DEMO_SESSIONS = 396
"""So many sessions the demo data has."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the wizard has found out. ``demo``: made-up sessions are to be written into the new database."""

    name: str
    outlook: Outlook
    password: PasswordHome
    demo: bool = False

    @property
    def place(self) -> Place:
        """The database."""
        return self.outlook.place


def promises(plan: Plan, configuration: Configuration) -> tuple[tuple[str, str], ...]:
    """What will be done, as pairs of a word and a sentence, in the order in which it is done."""
    done: list[tuple[str, str]] = []
    where = paths.shown(describe(plan.place))
    if plan.outlook.action == "make":
        done.append(("Make", f"a new database of agor-tui: {where}"))
    elif plan.outlook.action == "migrate":
        copy = "; the file is copied first" if isinstance(plan.place, SqlitePlace) else ""
        done.append(("Migrate", f"{where} by {plan.outlook.pending} revision(s){copy}"))
    elif plan.outlook.read_only:
        done.append(("Open", f"{where} for reading only; nothing is changed in it"))
    else:
        done.append(("Open", where))
    if plan.demo:
        done.append(("Fill", f"it with {DEMO_SESSIONS} made-up sessions"))
    if (sentence := _password_sentence(plan, configuration)) is not None:
        done.append(("Password", sentence))
    done.append(("Write", f"{paths.shown(configuration.file)}, readable by you alone"))
    return tuple(done)


def _password_sentence(plan: Plan, configuration: Configuration) -> str | None:
    place, home = plan.place, plan.password
    if not isinstance(place, PostgresPlace) or (place.password is None and home.kind == "none"):
        return None
    match home.kind:
        case "keyring":
            return "goes to the system keyring, not into the file"
        case "variable":
            unset = "" if home.detail in os.environ else ": set it before the next start"
            return f"is read from {home.detail} each time, and written nowhere{unset}"
        case "command":
            return f"is what {quoted(home.detail)} prints each time, and written nowhere"
        case "file":
            return f"is written in clear into {configuration.file.name}"
    return "is not kept: PGPASSWORD or ~/.pgpass must have it"


def carry_out(plan: Plan, configuration: Configuration, now: datetime, tell: Tell) -> None:
    """Make or migrate the database, fill it, and write the config; ``tell`` is called with each thing done.

    What was done stays done where a later step fails, and is found done when this is called again.

    Raises:
        AgorError: a step failed.
    """
    if any(known.name == plan.name for known in configuration.databases()):
        raise ConfigError(
            f"A database named {quoted(plan.name)} is in {configuration.file} already.",
            "Go back and choose another name.",
        )
    if plan.outlook.action != "open":
        _make(plan, tell)
    if plan.demo:
        _fill(plan, now, tell)
    configuration.add(plan.name, plan.place, plan.password, make_default=True)
    secret = plan.place.password if isinstance(plan.place, PostgresPlace) else None
    if plan.password.kind == "variable" and secret is not None:
        os.environ.setdefault(plan.password.detail, secret.reveal())  # it is opened next, by this same process
    tell(Finding("config", "good", f"{paths.shown(configuration.file)} is written"))


def _make(plan: Plan, tell: Tell) -> None:
    from agor_tui.services import migrations

    applied: list[Revision] = []

    def applied_one(revision: Revision) -> None:
        applied.append(revision)
        took = f" in {revision.duration_ms} ms" if revision.duration_ms is not None else ""
        tell(Finding(revision.id, "good", f"{revision.name}, applied{took}"))

    def happened(event: MigrationEvent) -> None:
        if event.kind == "waits":
            tell(Finding("wait", "note", "another program is migrating this database"))
        elif event.kind == "copied":
            tell(Finding("copy", "good", str(event.backup)))
        elif event.kind == "done" and event.revision is not None:
            applied_one(event.revision)

    if plan.outlook.action == "make":
        migrations.init(plan.place, applied_one)
    else:
        migrations.migrate(plan.place, tell=happened)
    if not applied:
        tell(Finding("tables", "good", "are there already, at the newest revision"))


def _fill(plan: Plan, now: datetime, tell: Tell) -> None:
    from agor_tui.filters import SessionFilter
    from agor_tui.repositories.store import open_store
    from agor_tui.services.browser import Browser
    from agor_tui.services.demo import fill

    with Browser(*open_store(plan.place, read_only=True)) as browser:
        if browser.session_count(SessionFilter(archived="any"), 1).value:
            tell(Finding("demo", "note", "not written: there are sessions already"))
            return
    fill(plan.place, now)
    tell(Finding("demo", "good", f"{DEMO_SESSIONS} made-up sessions are written"))


# Passwords


def keyring_trouble() -> str:
    """Why the system keyring cannot keep a password, empty where it can. May take its time."""
    try:
        import keyring
    except ImportError:
        return f"the package is missing: {install_command('keyring')}"
    try:
        return "" if keyring.get_keyring().priority > 0 else "this system has no keyring that can be used"
    except Exception:  # a backend may fail in any way
        return "the keyring of this system cannot be opened"


def variable_complaint(name: str) -> str:
    """What is wrong with the name of a variable, empty where nothing is."""
    if not name.strip():
        return "Name the variable, such as TEAM_DB_PASSWORD."
    if not _VARIABLE.fullmatch(name.strip()):
        return "A variable's name has letters, digits and _ only, and begins with no digit."
    return ""


def variable_note(name: str, password: str, environ: Mapping[str, str]) -> str:
    """What is to be known of a variable before it is relied upon."""
    value = environ.get(name.strip())
    if value is None:
        return f"{name.strip()} is not set now: set it before agor-tui starts the next time."
    return "It is set, and has this password." if value == password else "It is set, to another password than this one."


def command_complaint(command: str, password: str, environ: Mapping[str, str]) -> str:
    """Run a command; say what is wrong with what it prints, empty where it is the password. Takes up to 10 s."""
    if not command.strip():
        return "Give the command that prints the password, such as: pass show team-db"
    try:
        printed = from_command(command.strip(), "It", environ)
    except AgorError as error:
        return error.message.removeprefix("It: ").capitalize()
    return "" if printed.reveal() == password else "It printed another password than the one that was tested."
