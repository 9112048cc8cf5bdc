"""``db compare``: whether two databases hold the same rows, and which rows differ."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from agor_tui.cli import streams
from agor_tui.cli.commands import Settings, command, pass_settings
from agor_tui.cli.jobs import run_job
from agor_tui.cli.listing import json_option
from agor_tui.cli.places import note_ignored
from agor_tui.text import count, printable
from agor_tui.transfers import CompareReport, RowDifference, TableCompared

if TYPE_CHECKING:
    from agor_tui.cli.tables import Painter
    from agor_tui.config.places import Place

DIFFERENT = 5
"""The exit code of a comparison that found differences."""

_MOST_SHOWN = 20
"""Rows that differ are printed up to so many a table; ``--json`` gives more."""


@command("compare", help="Say whether two databases hold the same rows, and name those that differ (exit code 5).")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--only", metavar="TABLE,...", help="These tables only.")
@json_option
@pass_settings
def db_compare(settings: Settings, a: str, b: str, only: str | None, as_json: bool) -> None:
    from agor_tui.services import export
    from agor_tui.services.comparing import compare_places, comparison_json, only_tables

    places = [_place(settings, target) for target in (a, b)]
    tables = only_tables(only)
    report = run_job(lambda tell, stop: compare_places(*places, only=tables, tell=tell, stop=stop))
    if as_json:
        streams.write([export.dumps(comparison_json(report)), b"\n"])
    else:
        streams.write_lines(report_lines(report))
    if not report.equal or report.finding_count:
        raise click.exceptions.Exit(DIFFERENT)


def _place(settings: Settings, target: str) -> Place:
    from agor_tui.config import PostgresPlace, resolve

    place = resolve(target, config_path=settings.config, environ=os.environ)
    note_ignored(place)
    # Another database than the one with tenants may have none.
    return replace(place, tenant=settings.tenant) if settings.tenant and isinstance(place, PostgresPlace) else place


def report_lines(report: CompareReport) -> Iterator[str]:
    """A comparison for people: the tables, the first rows that differ, and a sentence."""
    from agor_tui.cli.tables import Column, Painter, Table

    look = streams.look(sys.stdout)
    columns: list[Column[TableCompared]] = [
        Column("TABLE", lambda table: table.table),
        Column("ROWS IN A", lambda table: _rows(table, "a"), right=True),
        Column("ROWS IN B", lambda table: _rows(table, "b"), right=True),
        Column("CHECKSUM", _checksum, drop=1, tone=lambda table: "muted", whole=_whole_checksum),
        Column("", _verdict, tone=lambda table: "success" if table.equal else "error"),
    ]
    yield f"A  {printable(report.a)}"
    yield f"B  {printable(report.b)}"
    yield from Table(columns, report.tables, look).lines(report.tables)
    paint = Painter(look.colour)
    for table in report.tables:
        yield from _difference_lines(table, paint)
    yield from _finding_lines(report)
    yield from _left_aside_lines(report)
    if not report.equal or report.finding_count:
        yield ""
    yield sentence(report)


def sentence(report: CompareReport) -> str:
    """The outcome in one sentence."""
    if report.equal:
        rows = sum(table.rows_a for table in report.tables)
        if report.finding_count:
            return f"✗ The same in both are the {_some(rows, 'row')} that were compared; what was not stands above."
        return f"✓ Both hold the same {_some(rows, 'row')} in {_some(len(report.tables), 'table')}."
    different = [table for table in report.tables if not table.equal]
    rows = sum(map(_different, different))
    return f"✗ They differ in {_some(rows, 'row')} of {_some(len(different), 'table')}."


def _rows(table: TableCompared, side: str) -> str:
    return "no table" if table.missing_in == side else count(table.rows_a if side == "a" else table.rows_b)


def _checksum(table: TableCompared) -> str:
    a, b = table.checksum_a[:8], table.checksum_b[:8]
    return a if table.equal else f"{a} ≠ {b}"


def _whole_checksum(table: TableCompared) -> str:
    return table.checksum_a if table.equal else f"{table.checksum_a} ≠ {table.checksum_b}"


def _verdict(table: TableCompared) -> str:
    return "✓ equal" if table.equal else f"✗ {_some(_different(table), 'row')} differ{'s' * (_different(table) == 1)}"


def _different(table: TableCompared) -> int:
    return table.only_in_a + table.only_in_b + table.changed


def _some(number: int, noun: str) -> str:
    return f"{count(number)} {noun}{'s' * (number != 1)}"


def _difference_lines(table: TableCompared, paint: Painter) -> Iterator[str]:
    if table.equal:
        return
    yield ""
    yield paint(table.table, "strong")
    for row in table.differences[:_MOST_SHOWN]:
        yield from _row_lines(row)
    more = _different(table) - min(len(table.differences), _MOST_SHOWN)
    if more:
        yield f"  and {_some(more, 'row')} more"


def _finding_lines(report: CompareReport) -> Iterator[str]:
    """What either has that no row of agor-tui can have."""
    if not report.finding_count:
        return
    found = [("A", each) for each in report.findings_a] + [("B", each) for each in report.findings_b]
    yield ""
    yield "Not compared as it is:"
    for side, each in found[:_MOST_SHOWN]:
        where = " ".join(filter(None, (each.table, each.id, each.column)))
        yield f"  {side}  {printable(where)}: {printable(each.what)}"
    more = report.finding_count - min(len(found), _MOST_SHOWN)
    if more:
        yield f"  and {count(more)} more"


def _left_aside_lines(report: CompareReport) -> Iterator[str]:
    from agor_tui.services.transfer import left_aside_lines

    sides = (("A", report.left_aside_a), ("B", report.left_aside_b))
    lines = [f"  {side}  {printable(line)}" for side, tables in sides for line in left_aside_lines(tables)]
    if lines:
        yield ""
        yield "Not compared, on purpose:"
        yield from lines


def _row_lines(row: RowDifference) -> Iterator[str]:
    if row.only_in is not None:
        yield f"  {row.id}  only in {row.only_in.upper()}"
    for value in row.values:
        told = f"{value.a} in A, {value.b} in B" if value.a != value.b else f"not the same, {value.a} in both"
        yield f"  {row.id}  {value.where}: {told}"
