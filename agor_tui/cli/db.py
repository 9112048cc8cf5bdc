"""``db``: making, migrating, emptying and testing a database; its other commands are in modules of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from agor_tui.cli import streams
from agor_tui.cli.care import db_backup, db_check, db_restore
from agor_tui.cli.commands import Group, Settings, pass_settings
from agor_tui.cli.compare import db_compare
from agor_tui.cli.dump import db_export, db_import
from agor_tui.cli.listing import json_option
from agor_tui.cli.places import ask, named, place_of, require_terminal, yes_option
from agor_tui.cli.secrets import db_secrets
from agor_tui.cli.transfer import db_copy, db_migrate_to_postgres
from agor_tui.database_records import MigrationEvent, MigrationRun, MigrationStatus, Revision
from agor_tui.text import duration, printable

if TYPE_CHECKING:
    from agor_tui.config.places import Place
    from agor_tui.database_records import DatabaseInfo

DIALECTS = ("sqlite", "postgresql")


@click.group("db", cls=Group, help="Set up, migrate, copy, compare, back up, export and check a database.")
def db() -> None:
    pass


db.add_command(db_compare)

db.add_command(db_backup)
db.add_command(db_copy)
db.add_command(db_migrate_to_postgres)
db.add_command(db_check)
db.add_command(db_restore)
db.add_command(db_export)
db.add_command(db_import)
db.add_command(db_secrets)


def target_option(default: str, help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--target``, a revision."""
    return click.option("--target", default=default, show_default=True, metavar="REVISION", help=help)


@db.command("init", help="Make a database for agor-tui: the file, or the tables in a PostgreSQL database.")
@click.option("--dialect", type=click.Choice(DIALECTS), help="Of the configured database, in place of its own.")
@pass_settings
def db_init(settings: Settings, dialect: str | None) -> None:
    from agor_tui.services import migrations

    place = place_of(settings, dialect)
    _report(migrations.init(place, _applied), f"{named(place)} is ready.")


@db.command("migrate", help="Bring a database of agor-tui to the newest revision, or to another.")
@target_option("head", "Where to stop: head, a revision, or +1.")
@pass_settings
def db_migrate(settings: Settings, target: str) -> None:
    from agor_tui.services import migrations

    place = place_of(settings)
    _report(migrations.migrate(place, target, _stepped("applied")), _standing(place))


@db.command("downgrade", help="Undo revisions of a database of agor-tui, after a question.")
@target_option("-1", "Where to stop: -1, a revision, or base for none.")
@yes_option
@pass_settings
def db_downgrade(settings: Settings, target: str, yes: bool) -> None:
    from agor_tui.services import migrations

    place = place_of(settings)
    if not yes:
        require_terminal("Undoing revisions")
        ask(f"Undo revisions of {named(place)} down to {printable(target)}? What only they can hold is lost.")
    _report(migrations.downgrade(place, target, _stepped("undone")), _standing(place))


@db.command("reset", help="Empty a database of agor-tui: all its rows are lost.")
@yes_option
@pass_settings
def db_reset(settings: Settings, yes: bool) -> None:
    from agor_tui.services import migrations

    place = place_of(settings)
    if not yes:
        require_terminal("Emptying a database")
        ask(f"Empty {named(place)}? All its rows are lost.")
    _report(migrations.reset(place, _applied), f"{named(place)} is empty.")


@db.command("status", help="Show the revisions of a database.")
@json_option
@pass_settings
def db_status(settings: Settings, as_json: bool) -> None:
    from agor_tui.services import export, migrations

    place = place_of(settings)
    found = migrations.status(place)
    if as_json:
        streams.write([export.dumps(export.migration_status_json(found)), b"\n"])
    else:
        streams.write_lines(_status_lines(found, place))


@db.command("test", help="Connect to a database and say what answers: version, kind, owner, latency.")
@json_option
@pass_settings
def db_test(settings: Settings, as_json: bool) -> None:
    from agor_tui.services import export, migrations

    found = migrations.test(place_of(settings))
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
        ("access", _access(info)),
        ("copy", info.note or ""),
        ("latency", f"{found.latency_ms:.2f} ms (connected in {found.connect_ms:.0f} ms)"),
    ]
    streams.write_lines(fact_lines(facts, Painter(streams.look(sys.stdout).colour)))


def _access(info: DatabaseInfo) -> str:
    if info.access.missing and not info.access.obstacle:
        table, right = min(info.access.missing)
        return f"read and write in part: {info.access.refusal(table, right)}"
    words = "read-only" if info.read_only else "read and write"
    return f"{words}: {info.access.obstacle}" if info.access.obstacle else words


def _standing(place: Place) -> str:
    from agor_tui.services import migrations

    current = migrations.status(place).current
    return f"{named(place)} is at revision {current}." if current else f"{named(place)} has no revision applied."


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


def _status_lines(status: MigrationStatus, place: Place) -> Iterable[str]:
    from agor_tui.cli.tables import Column, Table, time_column
    from agor_tui.config.command_lines import command_for

    yield f"{printable(status.kind)}, looked after by {printable(status.owner)}"
    if status.head is None and not status.revisions:
        yield "It records no revisions that can be shown."
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
        yield f"{pending} pending: {printable(command_for(place, 'db migrate'))}"
    for line in status.drift:
        yield f"differs: {printable(line)}"


_STATES = {
    "applied": "✓ applied",
    "pending": "○ pending",
    "changed": "! changed since applied",
    "unknown": "? unknown here",
}
