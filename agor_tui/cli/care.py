"""``db backup``, ``db restore`` and ``db check``: looking after a database."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from agor_tui.cli import streams
from agor_tui.cli.commands import Settings, command, pass_settings
from agor_tui.cli.jobs import run_job
from agor_tui.cli.listing import json_option
from agor_tui.cli.moments import local_second
from agor_tui.cli.places import named, place_of, require_terminal, yes_option
from agor_tui.errors import UsageError, quoted
from agor_tui.text import byte_size, count, duration, printable

if TYPE_CHECKING:
    from agor_tui.cli.tables import Painter
    from agor_tui.config.places import Place
    from agor_tui.db.restoring import Holdings
    from agor_tui.services.care.restoring import RestorePlan
    from agor_tui.transfers import CheckReport, RepairReport

FAULTY = 5
"""The exit code of a check that found something wrong."""

_LONGEST = 200


@command(
    "backup",
    help="Back up a database while it is in use.\n\nDEST is a new file or a folder. Without it, the backup of a file "
    "goes to the folder backups beside it, that of a server to the user's data folder.",
)
@click.argument("dest", required=False)
@json_option
@pass_settings
def db_backup(settings: Settings, dest: str | None, as_json: bool) -> None:
    from agor_tui.services.care import backups

    place = place_of(settings)
    target = None if dest is None else _new_file(dest)
    report = run_job(lambda tell, stop: backups.back_up(place, target, tell=tell, stop=stop))
    if as_json:
        from agor_tui.services import export
        from agor_tui.services.care import reports

        streams.write([export.dumps(reports.backup_json(report)), b"\n"])
        return
    streams.write_lines(
        [
            f"{printable(str(report.path))} ({byte_size(report.size)}, {duration(report.seconds * 1000)})",
            *([f"{printable(str(report.also))} (by pg_dump)"] if report.also else []),
        ]
    )
    for each in report.notes:
        streams.note(printable(each))


@command(
    "restore",
    help="Put a backup in the place of what a database holds now.\n\nBACKUP is a file that db backup made. All of it "
    "is looked at first, what is there now is backed up, and you are asked.",
)
@click.argument("backup", type=click.Path(path_type=Path))
@yes_option
@json_option
@pass_settings
def db_restore(settings: Settings, backup: Path, yes: bool, as_json: bool) -> None:
    from agor_tui.services.care import restoring

    place = place_of(settings)
    if not yes:
        require_terminal("Restoring")
    planned = run_job(lambda tell, stop: restoring.plan(place, backup, tell=tell, stop=stop))
    for line in _plan_lines(planned):
        streams.note(line)
    if not yes and click.prompt("Type yes to restore", err=True, default="", show_default=False).strip() != "yes":
        streams.note("Nothing was changed.")
        raise click.exceptions.Exit(1)
    report = run_job(lambda tell, stop: restoring.restore(planned, tell=tell, stop=stop))
    if as_json:
        from agor_tui.services import export
        from agor_tui.services.care import reports

        streams.write([export.dumps(reports.restore_json(report)), b"\n"])
        return
    if report.safety is not None:
        streams.write_lines([f"backed up first to {printable(str(report.safety))}"])
    streams.write_lines(
        [f"{printable(report.target)} holds the {_sessions(report.sessions)} of {printable(str(report.backup))}."]
    )
    if report.behind:
        from agor_tui.config.command_lines import command_for

        migrate = printable(command_for(place, "db migrate"))
        streams.note(f"It is at revision {report.revision}: bring it up with {migrate}")


def _plan_lines(planned: RestorePlan) -> Iterator[str]:
    now, made = planned.now, planned.made_at
    yield f"database  {named(planned.place)}"
    yield f"  now     {'nothing' if now is None else _held(now)}"
    when = f", made {local_second(made)}" if made else ""
    yield f"backup    {printable(str(planned.backup))}{when}"
    yield f"  holds   {_held(planned.then)}"
    if not planned.secrets:
        yield "  without secrets: passwords, keys and tokens that are in the database now will be gone"


def _held(holdings: Holdings) -> str:
    newest = f", the newest of {local_second(holdings.newest)}" if holdings.newest else ""
    all_of_them = " in all" if holdings.sessions else ""  # lists leave archived ones out
    return f"{_sessions(holdings.sessions)}{all_of_them}{newest}"


def _sessions(number: int | None) -> str:
    if number is None:
        return "sessions that cannot be counted"
    return "1 session" if number == 1 else f"{count(number)} sessions"


@command(
    "check",
    help="Say what is wrong with a database: damage, rows that name others which are not there, broken JSON, times far "
    "off, and more (exit code 5). Nothing is changed in it.",
)
@click.option("--repair", is_flag=True, help="Mend what can be mended, in a copy beside the file.")
@json_option
@pass_settings
def db_check(settings: Settings, repair: bool, as_json: bool) -> None:
    from agor_tui.services.care import checking, repairing

    place = place_of(settings)
    report = run_job(lambda tell, stop: checking.check(place, tell=tell, stop=stop))
    if not as_json:
        from agor_tui.cli.tables import Painter

        paint = Painter(streams.look(sys.stdout).colour)
        streams.write_lines(_check_lines(report, paint))
    mended = None
    if repair and not report.well:
        mended = run_job(lambda tell, stop: repairing.repair(place, report, tell=tell, stop=stop))
    if as_json:
        from agor_tui.services import export
        from agor_tui.services.care import reports

        streams.write([export.dumps(reports.check_json(report, mended)), b"\n"])
    elif mended:
        streams.write_lines(_repair_lines(place, mended, paint))
    if not (mended.after if mended and mended.after else report).well:
        raise click.exceptions.Exit(FAULTY)


def _repair_lines(place: Place, mended: RepairReport, paint: Painter) -> Iterator[str]:
    if mended.path is None:
        if not mended.sql:
            yield "Nothing of this can be mended here, so no copy was made."
            return
        yield "A database on a server is only looked at. Back it up; then this would mend it, run by its owner:"
        yield from ("BEGIN;", *map(printable, mended.sql), "COMMIT;")
        return
    from agor_tui.config.command_lines import command_for

    path = printable(str(mended.path))
    yield ""
    yield f"{path} is a mended copy; the database itself is as it was."
    for where, number in mended.emptied.items():
        yield f"  {where}: {count(number)} emptied"
    for where, number in mended.removed.items():
        yield f"  {where}: {count(number)} row{'s' * (number != 1)} taken out"
    if mended.removed_to is not None:
        yield f"  what was taken out is in {printable(str(mended.removed_to))}"
    if mended.after is not None:
        yield from _check_lines(mended.after, paint)
    words = command_for(place, f"db restore {quote(str(mended.path))}")
    yield f"To use it: {printable(words)}"


def _check_lines(report: CheckReport, paint: Painter) -> Iterator[str]:
    for item in report.items:
        mark = paint("✓", "success") if item.well else paint("✗", "error")
        where = ".".join(part for part in (item.table, item.column) if part)
        words = " ".join(part for part in (where, item.words) if part)
        number = "" if item.well or not item.found else f" ({count(item.count)})"
        yield f"{mark} {item.check}: {printable(words)}{number}"
        for found in item.found:
            yield f"    {printable(found, _LONGEST)}"
        if item.count > len(item.found) > 0:
            yield f"    … and {count(item.count - len(item.found))} more"
    wrong = sum(not item.well for item in report.items)
    verdict = {0: "nothing is wrong", 1: "1 thing is wrong"}.get(wrong, f"{wrong} things are wrong")
    if not wrong and report.unseen:
        verdict = "nothing is wrong with what was looked at"
    yield f"{printable(report.source)}: {verdict}. {report.unseen}".rstrip()


def _new_file(dest: str) -> Path:
    if dest.endswith(os.sep) and not os.path.isdir(dest):
        raise UsageError(f"There is no folder {quoted(dest)}.", "Make it, or name a file.")
    return Path(dest)
