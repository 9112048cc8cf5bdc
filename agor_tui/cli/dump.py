"""``db export`` and ``db import``: a database as one file, and back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import click

from agor_tui.cli import streams
from agor_tui.cli.commands import Command, Settings, pass_settings
from agor_tui.cli.compare import DIFFERENT
from agor_tui.cli.jobs import run_job
from agor_tui.cli.listing import json_option
from agor_tui.cli.moments import local_now
from agor_tui.cli.places import ask, named, place_of, require_terminal
from agor_tui.errors import FileError, UsageError
from agor_tui.filters import parse_session_filter
from agor_tui.paths import shown
from agor_tui.redact import HIDDEN
from agor_tui.services.transfer import left_aside_lines
from agor_tui.text import byte_size, count, printable

if TYPE_CHECKING:
    from agor_tui.services.dump.form import Format
    from agor_tui.transfers import ExportReport, Finding, ImportReport, OnConflict

_MOST_SHOWN = 20
_PACKED = (".gz", ".zst")


@click.command(
    "export",
    cls=Command,
    help="Write a database, or the sessions that FILTER means, into one file.\n\n"
    "FILE ends in .jsonl, .json or .sql, and besides in .gz or .zst to be compressed; - is standard output. FILTER is "
    "that of session list; what belongs to the sessions, and what they refer to, goes along. Passwords, tokens and "
    "other secrets are left out.",
)
@click.argument("file", metavar="FILE")
@click.argument("filter_words", metavar="[FILTER]...", nargs=-1)
@click.option(
    "--format",
    "format",
    type=click.Choice(("jsonl", "json", "sql")),
    help="Without it what the name of the file says, else jsonl.",
)
@click.option("--dialect", type=click.Choice(("sqlite", "postgresql")), help="Of SQL; without it the database's own.")
@click.option("--include-secrets", is_flag=True, help="Write passwords, tokens and other secrets too.")
@click.option("--force", is_flag=True, help="Replace FILE where it exists.")
@json_option
@pass_settings
def db_export(
    settings: Settings,
    file: str,
    filter_words: tuple[str, ...],
    format: Format | None,
    dialect: str | None,
    include_secrets: bool,
    force: bool,
    as_json: bool,
) -> None:
    from agor_tui.services.dump.exporting import export_database

    if as_json and file == "-":
        raise UsageError("Standard output cannot take both the file and --json.", "Name a file, or leave out --json.")
    words = " ".join(filter_words)
    wanted = parse_session_filter(words, local_now()) if words else None
    place = place_of(settings)
    if file == "-":
        if sys.stdout is None:
            raise UsageError("Standard output is closed, so nothing can be written to it.", "Name a file.")
        streams.flush()
    out = cast("BinaryIO", streams.HarmlessOutput() if streams.is_terminal(sys.stdout) else sys.stdout.buffer)
    try:
        report = run_job(
            lambda tell, stop: export_database(
                place,
                out if file == "-" else Path(file).expanduser(),
                format=format,
                dialect=dialect,
                filter=wanted,
                filter_text=words,
                include_secrets=include_secrets,
                replace=force,
                tenant=settings.tenant,
                tell=tell,
                stop=stop,
            )
        )
    except FileError as error:
        if file != "-" and not force and os.path.lexists(Path(file).expanduser()):
            error.hint = f"{error.hint} --force replaces it."
        raise
    if as_json:
        from agor_tui.services import export
        from agor_tui.services.dump import reports

        streams.write([export.dumps(reports.export_json(report)), b"\n"])
    else:
        for line in _export_lines(report):
            streams.note(line)
    if report.finding_count:
        raise click.exceptions.Exit(DIFFERENT)


def _without_secrets(hidden: int) -> str:
    if not hidden:
        return "without secrets (none was found)"
    return f"without secrets ({hidden:,} hidden as {HIDDEN}, --include-secrets writes them)"


def _export_lines(report: ExportReport) -> Iterator[str]:
    rows = [(each.table, each.rows) for each in report.tables if each.rows]
    yield f"Exported {_rows(dict(rows))}."
    if report.left_empty:
        yield f"References to rows that are not in the file are empty in it: {_listed(report.left_empty)}."
    yield from _findings(report.findings, report.finding_count)
    if report.left_aside:
        yield "Not exported, on purpose:"
        yield from (f"  {printable(line)}" for line in left_aside_lines(report.left_aside))
    where = "to standard output" if report.file == "-" else f"to {printable(shown(report.file))}"
    secrets = "with all secrets: keep it safe" if report.secrets else _without_secrets(report.secrets_hidden)
    size = byte_size(report.bytes if report.size is None else report.size)
    packed = f" ({byte_size(report.bytes)} unpacked)" if report.file.lower().endswith(_PACKED) else ""
    yield f"Wrote {size}{packed} {where}, {secrets}."


@click.command(
    "import",
    cls=Command,
    help="Read the rows of FILE, which db export wrote as jsonl or json, into a database of agor-tui.\n\n"
    "The whole file is checked before anything is written, and all its rows go in or none. Exit code 5: not all rows "
    "could be held as they are.",
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--batches", is_flag=True, help="Write in parts; after an interruption the same command goes on.")
@click.option(
    "--on-conflict",
    type=click.Choice(("fail", "skip", "newer")),
    default="fail",
    show_default=True,
    help="For a database that is not empty: keep its own rows, or the newer ones, where both have a row.",
)
@click.option("--yes", is_flag=True, help="Do not ask before rows are overwritten.")
@json_option
@pass_settings
def db_import(settings: Settings, file: Path, batches: bool, on_conflict: OnConflict, yes: bool, as_json: bool) -> None:
    from agor_tui.services.dump.importing import import_file

    if str(file) == "-":
        raise UsageError("A file is read twice, so it cannot come from standard input.", "Name a file.")
    place = place_of(settings)
    if on_conflict == "newer" and not yes:
        require_terminal("Overwriting rows")
        ask(f"Overwrite rows of {named(place)} where those of {printable(shown(file))} are newer?")
    report = run_job(
        lambda tell, stop: import_file(
            file.expanduser(), place, batches=batches, on_conflict=on_conflict, tell=tell, stop=stop
        )
    )
    if as_json:
        from agor_tui.services import export
        from agor_tui.services.dump import reports

        streams.write([export.dumps(reports.import_json(report)), b"\n"])
    else:
        streams.write_lines(_import_lines(report))
    if not report.lossless:
        raise click.exceptions.Exit(DIFFERENT)


def _import_lines(report: ImportReport) -> Iterator[str]:
    if report.made:
        yield printable(report.made)
    if report.resumed:
        yield "Continued where an earlier import was interrupted."
    rows = {each.table: each.rows for each in report.tables if each.rows}
    yield f"Imported {_rows(rows)} into {printable(report.target)}."
    for word, numbers in (
        ("written over older ones", {each.table: each.overwritten for each in report.tables}),
        ("kept as the database had them", {each.table: each.skipped for each in report.tables}),
        ("left out", {each.table: each.left_out for each in report.tables}),
    ):
        some = {name: number for name, number in numbers.items() if number}
        if some:
            yield f"Rows {word}: {_listed(some)}."
    yield from _findings(report.findings, report.finding_count)
    if not report.secrets and rows:
        yield "The file was exported without secrets: passwords and tokens have to be set anew."
    if report.differing:
        yield f"✗ The database has not what the file has in: {', '.join(report.differing)}."
    elif report.verified:
        yield "✓ The database has what the file has: counts and checksums are the same."


def _findings(findings: tuple[Finding, ...], number: int) -> Iterator[str]:
    for each in findings[:_MOST_SHOWN]:
        where = " ".join(filter(None, (each.table, each.id, each.column)))
        yield printable(f"! {where}: {each.what}; {each.done}.")
    if number > len(findings[:_MOST_SHOWN]):
        yield f"! and {count(number - len(findings[:_MOST_SHOWN]))} more"


def _rows(numbers: Mapping[str, int]) -> str:
    """``748 rows (boards 2, …)``."""
    number = sum(numbers.values())
    return f"{count(number)} row{'s' * (number != 1)}" + (f" ({_listed(numbers)})" if numbers else "")


def _listed(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{printable(name)} {count(number)}" for name, number in numbers.items())
