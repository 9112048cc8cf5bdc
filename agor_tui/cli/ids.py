"""``id PREFIX``: what an id or the beginning of one names, and the table of those that share a beginning."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import get_args

import click

from agor_tui.cli import streams
from agor_tui.cli.commands import Settings, command, pass_settings
from agor_tui.cli.listing import json_option
from agor_tui.cli.tables import Column, Table, time_column
from agor_tui.records import Ambiguity, Kind, Match
from agor_tui.services import export
from agor_tui.text import title_text

KINDS: tuple[Kind, ...] = get_args(Kind)


@command("id", help="Say what an id, the beginning of one or a pasted link names, of any kind.")
@click.argument("prefix")
@json_option
@pass_settings
def id_command(settings: Settings, prefix: str, as_json: bool) -> None:
    with settings.open_browser() as browser:
        match = browser.resolve(prefix, KINDS)
        if as_json:
            streams.write([export.dumps(export.match_json(match)), b"\n"])
            return
        columns = [_kind_column(), Column("ID", lambda row: row.id), _title_column(), _time_column()]
        streams.write_lines(Table(columns, [match], streams.look(sys.stdout)).lines([match]))


def candidate_lines(ambiguity: Ambiguity) -> Iterator[str]:
    """The rows that share a prefix, each with the beginning that sets it apart, for standard error."""
    columns = [_short_id_column(), _kind_column(), _title_column(), _time_column()]
    yield from Table(columns, ambiguity.matches, streams.look(sys.stderr)).lines(ambiguity.matches)
    left = ambiguity.count - len(ambiguity.matches)
    if left:
        yield f"… and {left:,} more"


def _kind_column() -> Column[Match]:
    return Column("KIND", lambda row: row.kind)


def _short_id_column() -> Column[Match]:
    return Column("ID", lambda row: row.short_id)


def _title_column() -> Column[Match]:
    return Column("TITLE", lambda row: title_text(row.title), stretch=True)


def _time_column() -> Column[Match]:
    return time_column("TIME", lambda row: row.time)
