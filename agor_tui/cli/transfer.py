"""``db copy``: one database into another, with all its rows, or those that are asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from agor_tui.cli import streams
from agor_tui.cli.commands import Settings, command, pass_settings
from agor_tui.cli.compare import DIFFERENT, report_lines
from agor_tui.cli.jobs import run_job
from agor_tui.cli.listing import json_option
from agor_tui.cli.moments import local_now
from agor_tui.cli.places import ask, named, note_ignored, place_of, require_terminal
from agor_tui.errors import UsageError, quoted
from agor_tui.text import byte_size, count, duration, printable
from agor_tui.transfers import CopyOptions, CopyReport, Finding, OnConflict, TableCopied

if TYPE_CHECKING:
    from agor_tui.config.places import Place

_MOST_SHOWN = 20
"""Findings are printed up to so many; ``--json`` gives more."""


def copy_options(run: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a copy."""
    for option in (
        json_option,
        click.option("--yes", is_flag=True, help="Do not ask before rows are overwritten."),
        click.option(
            "--on-conflict",
            type=click.Choice(("fail", "skip", "newer")),
            default="fail",
            show_default=True,
            help="Where TO has a row already: fail before anything is written, skip it, or keep the newer one.",
        ),
        click.option(
            "--since", metavar="TIME", help="Sessions changed since, such as 7d or 2026-01-31, and their rows."
        ),
        click.option("--only", metavar="TABLE,...", help="These tables only."),
        click.option(
            "--salvage", is_flag=True, help="Of a damaged SQLite file copy what can be read, and name what cannot."
        ),
        click.option(
            "--dry-run", is_flag=True, help="Say what would be copied and what would be refused; write nothing."
        ),
    ):
        run = option(run)
    return run


@command(
    "copy",
    help="Copy a database into another and compare both.\n\nFROM is of any kind that opens and is never written. TO is "
    "made where it is missing, and must be empty otherwise. The same command continues a copy that was interrupted. "
    "Exit code 5: not all rows could be held as they are.",
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@copy_options
@pass_settings
def db_copy(settings: Settings, /, source: str, target: str, **options: Any) -> None:
    _copy(settings, _place(settings, source), _place(settings, target), **options)


@command(
    "migrate-to-postgres",
    help="Copy a database into a PostgreSQL database and compare both; as: db copy FROM TO.",
)
@click.option("--source", metavar="NAME|PATH|URL", help="What to copy instead of the database that opens anyway.")
@click.option("--target", metavar="NAME|URL", required=True, help="The PostgreSQL database to copy into.")
@copy_options
@pass_settings
def db_migrate_to_postgres(settings: Settings, /, source: str | None, target: str, **options: Any) -> None:
    from agor_tui.services.transfer import require_postgresql

    place = _place(settings, target)
    require_postgresql(place)
    _copy(settings, _place(settings, source) if source is not None else place_of(settings), place, **options)


def _copy(
    settings: Settings,
    source: Place,
    target: Place,
    *,
    dry_run: bool,
    only: str | None,
    since: str | None,
    on_conflict: OnConflict,
    yes: bool,
    as_json: bool,
    salvage: bool,
) -> None:
    from agor_tui.services import export, transfer
    from agor_tui.services.comparing import only_tables

    options = CopyOptions(only_tables(only) or (), _since(since), on_conflict, dry_run, salvage)
    if on_conflict == "newer" and not dry_run and not yes:
        require_terminal("Overwriting rows")
        ask(f"Overwrite rows of {named(target)} where those of {named(source)} are newer?")
    report = run_job(
        lambda tell, stop: transfer.copy(source, target, options, tenant=settings.tenant, tell=tell, stop=stop)
    )
    if as_json:
        streams.write([export.dumps(transfer.copy_json(report)), b"\n"])
    else:
        streams.write_lines(_lines(report))
        if only and any(table.left_out for table in report.tables):
            streams.note("Rows need those that they name: give --only the tables of these as well.")
    if not report.lossless:
        raise click.exceptions.Exit(DIFFERENT)


def _place(settings: Settings, target: str) -> Place:
    """The place that an argument names; ``--tenant`` and ``--read-only`` do not speak of both."""
    from agor_tui.config import resolve

    place = resolve(target, config_path=settings.config, environ=os.environ)
    note_ignored(place)
    return place


def _since(text: str | None) -> int | None:
    """``--since`` in epoch milliseconds."""
    if text is None:
        return None
    from agor_tui.filters.times import parse_time

    try:
        moment = parse_time(text, local_now(), end_of_day=False)
    except (ValueError, OverflowError):
        raise UsageError(
            f"--since is no time: {quoted(text)}.", "Write 7d, 12h, yesterday, or a date such as 2026-01-31."
        ) from None
    return int(moment.timestamp() * 1000)


def _lines(report: CopyReport) -> Iterator[str]:
    """A copy for people: what was made, the tables, what could not be held, and a sentence."""
    from agor_tui.cli.tables import Column, Table

    yield f"FROM  {printable(report.source)} ({report.source_kind})"
    yield f"TO    {printable(report.target)}"
    if report.made:
        yield printable(report.made)
    if report.resumed:
        yield "An unfinished copy is continued."
    columns: list[Column[TableCopied]] = [
        Column("TABLE", lambda table: table.table),
        Column("WOULD COPY" if report.dry_run else "COPIED", lambda table: count(table.rows), right=True),
        Column("SIZE", lambda table: byte_size(table.bytes) if table.bytes else "", right=True, drop=1),
    ]
    if any(table.overwritten for table in report.tables):
        columns.append(Column("OVERWRITTEN", lambda table: count(table.overwritten), right=True))
    if any(table.skipped for table in report.tables):
        columns.append(Column("KEPT IN TO", lambda table: count(table.skipped), right=True))
    if any(table.left_out for table in report.tables):
        columns.append(Column("LEFT OUT", lambda table: count(table.left_out), right=True, tone=lambda table: "error"))
    yield from Table(columns, report.tables, streams.look(sys.stdout)).lines(report.tables)
    yield from _finding_lines(report)
    yield from _left_aside_lines(report)
    yield from _verdict(report)


def _finding_lines(report: CopyReport) -> Iterator[str]:
    if not report.findings:
        return
    yield ""
    yield "would not be as in FROM:" if report.dry_run else "not as in FROM:"
    yield from (f"  {_finding(each)}" for each in report.findings[:_MOST_SHOWN])
    more = report.finding_count - min(len(report.findings), _MOST_SHOWN)
    if more:
        yield f"  and {count(more)} more"


def _left_aside_lines(report: CopyReport) -> Iterator[str]:
    from agor_tui.services.transfer import left_aside_lines

    if report.left_aside:
        yield ""
        yield "not copied, on purpose:"
        yield from (f"  {printable(line)}" for line in left_aside_lines(report.left_aside))
        yield ""


def _finding(finding: Finding) -> str:
    where = " ".join(filter(None, (finding.table, finding.id, finding.column)))
    return printable(f"{where}: {finding.what}; {finding.done}")


def _verdict(report: CopyReport) -> Iterator[str]:
    from agor_tui.services.transfer import losses, proof

    rows = sum(table.rows for table in report.tables)
    size = sum(table.bytes for table in report.tables)
    if report.dry_run:
        lost = f" Not as in FROM would be: {losses(report)}." if report.finding_count else ""
        yield f"{count(rows)} rows ({byte_size(size)}) would be copied; nothing was written.{lost}"
        return
    took = f"{count(rows)} rows ({byte_size(size)}) copied in {duration(report.seconds * 1000)}"
    if report.lossless:
        yield f"✓ {took}; compared: {proof(report)}."
    elif report.finding_count:
        yield f"✗ {took}; not as in FROM: {losses(report)}."
    else:
        yield f"✗ {took}; but they differ:"
        if report.verified is not None:
            yield from report_lines(report.verified)
        if report.resumed:
            yield "If FROM was changed between the two runs: --on-conflict newer brings over what is new."
