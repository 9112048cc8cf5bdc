"""``databases``: the databases that the config names, and whether they answer."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from agor_tui.cli import streams
from agor_tui.cli.commands import Group, Settings, pass_settings
from agor_tui.cli.listing import json_option
from agor_tui.cli.places import note_ignored
from agor_tui.errors import AgorError, ConfigError, ConfigKeyError, ConfigMissingError, UsageError, quoted, suggestion
from agor_tui.hints import own_command
from agor_tui.text import count, duration, printable

if TYPE_CHECKING:
    from agor_tui.config import Place
    from agor_tui.database_records import DatabaseSurvey
    from agor_tui.services.configuration import Configuration, NamedDatabase, PasswordHome

_MOST_AT_ONCE = 32
"""Databases that are asked at the same time; each has its own time limit."""


@click.group("databases", cls=Group, help="Show, add, remove, choose and test the databases of the config.")
def databases() -> None:
    pass


def _complete_name(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    settings = context.find_object(Settings) or Settings()
    try:
        known = settings.configuration().databases()
    except AgorError:
        return []
    return [CompletionItem(row.name) for row in known if row.name and row.name.startswith(incomplete)]


@databases.command("list", help="List the databases: which one opens by default, where each is, where that stands.")
@click.option("--probe", is_flag=True, help="Ask each whether it answers, all at the same time.")
@json_option
@pass_settings
def databases_list(settings: Settings, probe: bool, as_json: bool) -> None:
    configuration = settings.configuration()
    found = configuration.databases()
    _print(found, list(_surveys(configuration, found)) if probe else None, as_json)
    if not any(row.is_default for row in found):
        streams.note(f"None of them opens by default. Choose one: {own_command('databases use NAME')}")


@databases.command("test", help="Connect to the databases of these names, or to all; exit code 1 if one fails.")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=_complete_name)
@json_option
@pass_settings
def databases_test(settings: Settings, names: tuple[str, ...], as_json: bool) -> None:
    configuration = settings.configuration()
    known = configuration.databases()
    by_name = {row.target: row for row in known if row.target is not None}
    for name in names:
        if name not in by_name:
            raise ConfigMissingError(
                f"No database is named {quoted(name)} in {configuration.file}{suggestion(name, by_name)}.",
                f"{own_command('databases list')} shows them; db test -d takes a path or a URL too.",
            )
    chosen = [by_name[name] for name in dict.fromkeys(names)] if names else known
    answers = list(_surveys(configuration, chosen))
    _print(chosen, answers, as_json)
    if any(isinstance(answer, AgorError) for answer in answers):
        raise click.exceptions.Exit(1)


@databases.command("add", help="Give a database a name: TARGET is a file or a URL. Nothing is opened or made.")
@click.argument("name")
@click.argument("target")
@click.option("--password-env", metavar="VARIABLE", help="The password is in this environment variable.")
@click.option("--password-command", metavar="COMMAND", help="The password is the first line that this prints.")
@click.option("--password-keyring", is_flag=True, help="Keep the password in the system keyring.")
@click.option("--use", "use", is_flag=True, help="Open it by default from now on.")
@pass_settings
def databases_add(
    settings: Settings,
    name: str,
    target: str,
    password_env: str | None,
    password_command: str | None,
    password_keyring: bool,
    use: bool,
) -> None:
    from dataclasses import replace

    from agor_tui.config import PostgresPlace, Secret, SqlitePlace, describe

    configuration = settings.configuration()
    place = _target(target)
    home = _home(place, password_env, password_command, password_keyring)
    place = replace(place, read_only=place.read_only or settings.read_only)
    if isinstance(place, PostgresPlace):
        place = replace(place, tenant=settings.tenant or place.tenant)
        if home.kind == "keyring" and place.password is None and streams.is_terminal(sys.stdin):
            typed = click.prompt("Password, for the system keyring", hide_input=True, err=True)
            place = replace(place, password=Secret(typed))
    configuration.add(name, place, home, make_default=use)
    streams.write_lines([f"{printable(name)} is {printable(describe(place))}."])
    if isinstance(place, PostgresPlace):
        _note_password(place, home, name, configuration)
    elif isinstance(place, SqlitePlace) and not os.path.lexists(place.path):
        streams.note(f"There is no such file yet. Make it: {printable(own_command(f'db init -d {shlex.quote(name)}'))}")
    if use:
        _note_default(configuration, name)


@databases.command("remove", help="Take a database out of the config; the database itself is not touched.")
@click.argument("name", shell_complete=_complete_name)
@pass_settings
def databases_remove(settings: Settings, name: str) -> None:
    left = settings.configuration().remove(name)
    streams.write_lines([f"{printable(name)} is not in the config any more. The database itself was not touched."])
    if left:
        streams.note(printable(left))


@databases.command("use", help="Open a database by default: a name, or database for the section without one.")
@click.argument("name", shell_complete=_complete_name)
@pass_settings
def databases_use(settings: Settings, name: str) -> None:
    configuration = settings.configuration()
    configuration.use(name)
    streams.write_lines([f"{printable(name)} opens by default."])
    _note_default(configuration, name)


def _target(text: str) -> Place:
    """The place that a path or a URL means."""
    from agor_tui.config.resolve import path_or_url
    from agor_tui.config.settings import looks_like_path

    if not text.strip():
        raise ConfigKeyError("The target is empty.", "Give a file, or a URL such as postgresql://user@host/database.")
    place = path_or_url(text, "TARGET", os.environ)
    note_ignored(place)
    path = getattr(place, "path", None)
    if path is not None:
        if path.is_dir():
            raise ConfigError(f"{path} is a folder.", f"Name a file in it, such as {path / 'agor.db'}")
        if "." not in text and not looks_like_path(text) and not os.path.lexists(path):
            raise ConfigKeyError(
                f"{quoted(text)} is no URL, and no file here.", f"To name a file that is still to be made: ./{text}"
            )
    return place


def _home(place: Place, variable: str | None, command: str | None, keyring: bool) -> PasswordHome:
    from agor_tui.config import PostgresPlace
    from agor_tui.services.configuration import PasswordHome

    given = [
        *([PasswordHome("variable", variable)] if variable is not None else []),
        *([PasswordHome("command", command)] if command is not None else []),
        *([PasswordHome("keyring")] if keyring else []),
    ]
    if len(given) > 1:
        raise UsageError("A password can be kept in one place only.", "Give one of the --password options.")
    if not isinstance(place, PostgresPlace):
        if given:
            raise UsageError("Only a PostgreSQL database has a password.", "Leave out the --password option.")
        return PasswordHome("none")
    if given and given[0].kind != "keyring" and not given[0].detail.strip():
        raise UsageError("Where the password is must not be empty.")
    return given[0] if given else PasswordHome("file" if place.password else "none")


def _note_password(place: Place, home: PasswordHome, name: str, configuration: Configuration) -> None:
    """Say what became of a password in the URL."""
    has_password = getattr(place, "password", None) is not None
    if home.kind == "file":
        streams.note(
            f"Its password now stands in {printable(str(configuration.file))} as it is; only you can read that file. "
            "Other places: --password-env, --password-command, --password-keyring."
        )
    elif home.kind == "keyring" and not has_password:
        streams.note(f"Store its password: keyring set agor-tui {printable(name)}")
    elif home.kind != "keyring" and has_password:
        streams.note("The password in the URL was not kept.")


def _note_default(configuration: Configuration, name: str) -> None:
    """Warn of a variable that comes before the config."""
    default = next((row for row in configuration.databases() if row.is_default), None)
    if default is not None and default.target != name:
        streams.note(f"But {printable(default.origin)} is set in this environment, and comes before it.")


def _surveys(configuration: Configuration, rows: Sequence[NamedDatabase]) -> Iterator[DatabaseSurvey | AgorError]:
    """What each database answers, in order; all are asked at the same time."""
    from agor_tui.services.overview import look

    def ask(row: NamedDatabase) -> DatabaseSurvey | AgorError:
        try:
            return look(lambda: configuration.place(row.target))
        except AgorError as error:
            return error

    if rows:
        with ThreadPoolExecutor(min(len(rows), _MOST_AT_ONCE)) as pool:
            yield from pool.map(ask, rows)


def _print(rows: Sequence[NamedDatabase], answers: Sequence[DatabaseSurvey | AgorError] | None, as_json: bool) -> None:
    from agor_tui.services import export

    pairs = [(row, answers[n] if answers else None) for n, row in enumerate(rows)]
    if as_json:
        streams.write(export.array(pairs, lambda pair: export.named_database_json(*pair)))
    elif not rows:
        streams.note("The config names no database.")
    else:
        streams.write_lines(_lines(pairs, probed=answers is not None))


def _lines(pairs: Sequence[tuple[NamedDatabase, DatabaseSurvey | AgorError | None]], *, probed: bool) -> Iterator[str]:
    from agor_tui.cli.tables import Column, Table
    from agor_tui.config import describe

    Pair = tuple["NamedDatabase", "DatabaseSurvey | AgorError | None"]

    def place(pair: Pair) -> str:
        row = pair[0]
        return row.error or "" if row.place is None else describe(row.place)

    columns: list[Column[Pair]] = [
        Column("NAME", lambda pair: pair[0].name or _nameless(pair[0])),
        Column("DEFAULT", lambda pair: "✓ default" if pair[0].is_default else ""),
        *([Column("STATE", lambda pair: _state(pair[1]), stretch=True, most=400)] if probed else []),
        Column("PLACE", place, stretch=not probed, drop=2 if probed else 0),
        Column("ACCESS", lambda pair: "read-only" if getattr(pair[0].place, "read_only", False) else "", drop=3),
        Column("FROM", lambda pair: pair[0].origin, drop=1, tone=lambda pair: "muted"),
    ]
    yield from Table(columns, pairs, streams.look(sys.stdout)).lines(pairs)


def _nameless(row: NamedDatabase) -> str:
    if row.target is None:
        return "(environment)"
    return "(default file)" if row.origin == "default" else "(database)"


def _state(answer: DatabaseSurvey | AgorError | None) -> str:
    if answer is None:
        return ""
    if isinstance(answer, AgorError):
        return f"✗ {answer.message}"
    sessions = f", {count(answer.sessions.value)} sessions" if answer.sessions else ""
    if answer.away:
        when = f" of {answer.synced_at:%Y-%m-%d %H:%M} UTC" if answer.synced_at else ""
        return f"▲ {answer.away} The local copy{when} opens: {answer.info.kind}{sessions}"
    product = "PostgreSQL" if answer.info.dialect == "postgresql" else "SQLite"
    return f"✓ {product} {answer.info.server_version}, {answer.info.kind}{sessions}, {duration(answer.latency_ms)}"
