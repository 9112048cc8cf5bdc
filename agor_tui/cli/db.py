"""``db``: making, migrating, emptying and testing a database."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from agor_tui.cli import streams
from agor_tui.cli.commands import Group, Settings, pass_settings
from agor_tui.cli.listing import json_option
from agor_tui.errors import UsageError
from agor_tui.records import MigrationEvent, MigrationRun, MigrationStatus, Revision
from agor_tui.text import duration, printable

if TYPE_CHECKING:
    from agor_tui.config.places import Place

DIALECTS = ("sqlite", "postgresql")


@click.group("db", cls=Group, help="Set up, test and migrate a database.")
def db() -> None:
    pass


def target_option(default: str, help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--target``, a revision."""
    return click.option("--target", default=default, show_default=True, metavar="REVISION", help=help)


yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@db.command("init", help="Make a database for agor-tui: the file, or the tables in a PostgreSQL database.")
@click.option("--dialect", type=click.Choice(DIALECTS), help="Of the configured database, in place of its own.")
@pass_settings
def db_init(settings: Settings, dialect: str | None) -> None:
    from agor_tui.services import migrations

    place = _place(settings, dialect)
    _report(migrations.init(place, _applied), f"{_named(place)} is ready.")


@db.command("migrate", help="Bring a database of agor-tui to the newest revision, or to another.")
@target_option("head", "Where to stop: head, a revision, or +1.")
@pass_settings
def db_migrate(settings: Settings, target: str) -> None:
    from agor_tui.services import migrations

    place = _place(settings)
    _report(migrations.migrate(place, target, _stepped("applied")), _standing(place))


@db.command("downgrade", help="Undo revisions of a database of agor-tui, after a question.")
@target_option("-1", "Where to stop: -1, a revision, or base for none.")
@yes_option
@pass_settings
def db_downgrade(settings: Settings, target: str, yes: bool) -> None:
    from agor_tui.services import migrations

    place = _place(settings)
    if not yes:
        _require_terminal("Undoing revisions")
        _ask(f"Undo revisions of {_named(place)} down to {printable(target)}? What only they can hold is lost.")
    _report(migrations.downgrade(place, target, _stepped("undone")), _standing(place))


@db.command("reset", help="Empty a database of agor-tui: all its rows are lost.")
@yes_option
@pass_settings
def db_reset(settings: Settings, yes: bool) -> None:
    from agor_tui.services import migrations

    place = _place(settings)
    if not yes:
        _require_terminal("Emptying a database")
        _ask(f"Empty {_named(place)}? All its rows are lost.")
    _report(migrations.reset(place, _applied), f"{_named(place)} is empty.")


@db.command("status", help="Show the revisions of a database.")
@json_option
@pass_settings
def db_status(settings: Settings, as_json: bool) -> None:
    from agor_tui.services import export, migrations

    found = migrations.status(_place(settings))
    if as_json:
        streams.write([export.dumps(export.migration_status_json(found)), b"\n"])
    else:
        streams.write_lines(_status_lines(found))


@db.command("test", help="Connect to a database and say what answers: version, kind, owner, latency.")
@json_option
@pass_settings
def db_test(settings: Settings, as_json: bool) -> None:
    from agor_tui.services import export, migrations

    found = migrations.test(_place(settings))
    if as_json:
        streams.write([export.dumps(export.database_test_json(found)), b"\n"])
        return
    from agor_tui.cli.details import fact_lines
    from agor_tui.cli.tables import Painter

    info = found.info
    facts = [
        ("database", info.place),
        ("from", info.origin),
        ("version", f"{'SQLite' if info.dialect == 'sqlite' else 'PostgreSQL'} {info.server_version}"),
        ("kind", info.kind),
        ("owner", info.owner),
        ("tenant", info.tenant or ""),
        ("access", "read-only" if info.read_only else "read and write"),
        ("latency", f"{found.latency_ms:.2f} ms (connected in {found.connect_ms:.0f} ms)"),
    ]
    streams.write_lines(fact_lines(facts, Painter(streams.look(sys.stdout).colour)))


def _place(settings: Settings, dialect: str | None = None) -> Place:
    """The place that is meant; ``dialect`` chooses among the configured ones, or must be that of ``--database``."""
    from agor_tui.config import PostgresPlace, resolve

    environ = dict(os.environ)
    if dialect is not None:
        environ.pop("DB_MODE", None)
        environ["AGOR_DB_DIALECT"] = dialect
    place = resolve(settings.database, config_path=settings.config, environ=environ, tenant=settings.tenant)
    if dialect is not None and isinstance(place, PostgresPlace) != (dialect == "postgresql"):
        raise UsageError(f"{_named(place)} is no {dialect} database.", "Leave out --dialect, or name another.")
    return replace(place, read_only=place.read_only or settings.read_only)


def _named(place: Place) -> str:
    from agor_tui.config import describe

    return printable(describe(place))


def _standing(place: Place) -> str:
    from agor_tui.services import migrations

    current = migrations.status(place).current
    return f"{_named(place)} is at revision {current}." if current else f"{_named(place)} has no revision applied."


def _require_terminal(what: str) -> None:
    if not streams.is_terminal(sys.stdin):
        raise UsageError(f"{what} is asked about, and there is no terminal to ask.", "Add --yes.")


def _ask(question: str) -> None:
    """Go on only after a yes. Raises Exit after a no."""
    if not click.confirm(question, err=True):
        streams.note("Nothing was changed.")
        raise click.exceptions.Exit(1)


def _applied(revision: Revision) -> None:
    streams.write_lines([f"applied {_revision(revision)}"])
    streams.flush()


def _stepped(verb: str) -> Callable[[MigrationEvent], None]:
    """Tell of a run under way: whom it waits for, and each revision."""
    waits = False

    def tell(event: MigrationEvent) -> None:
        nonlocal waits
        if event.kind == "waits" and not waits:
            waits = True
            streams.note("Another program is migrating or writing to it; waiting…")
        elif event.kind == "done" and event.revision is not None:
            streams.write_lines([f"{verb} {_revision(event.revision)}"])
            streams.flush()

    return tell


def _revision(revision: Revision) -> str:
    took = f" ({duration(revision.duration_ms)})" if revision.duration_ms is not None else ""
    return f"{revision.id} {printable(revision.name)}{took}"


def _report(run: MigrationRun, done: str) -> None:
    """Say what came of it, and where the copy made before is."""
    if run.backup is not None:
        streams.write_lines([f"copied first to {printable(str(run.backup))}"])
    streams.write_lines([done])


def _status_lines(status: MigrationStatus) -> Iterable[str]:
    from agor_tui.cli.tables import Column, Table, time_column

    yield f"{printable(status.kind)}, looked after by {printable(status.owner)}"
    if status.revisions:
        columns: list[Column[Revision]] = [
            Column("REVISION", lambda row: row.id),
            Column("NAME", lambda row: row.name, stretch=True),
            Column("STATE", lambda row: _STATES[row.state]),
            time_column("APPLIED", lambda row: row.applied_at, drop=2),
            Column("TOOK", lambda row: duration(row.duration_ms), right=True, drop=3),
            Column("BY", lambda row: row.applied_by or "", drop=4),
        ]
        yield from Table(columns, status.revisions, streams.look(sys.stdout)).lines(status.revisions)
    pending = sum(revision.state == "pending" for revision in status.revisions)
    if pending:
        yield f"{pending} pending: agor-tui db migrate"
    for line in status.drift:
        yield f"differs: {printable(line)}"


_STATES = {
    "applied": "✓ applied",
    "pending": "○ pending",
    "changed": "! changed since applied",
    "unknown": "? unknown here",
}
