"""``board list``."""

from __future__ import annotations

import sys

import click

from agor_tui.cli import streams
from agor_tui.cli.commands import Group, Settings, pass_settings
from agor_tui.cli.listing import json_option
from agor_tui.cli.tables import Column, Table, id_column, time_column
from agor_tui.records import Board
from agor_tui.services import export


@click.group("board", cls=Group, help="List boards.")
def board() -> None:
    pass


@board.command("list", help="List the boards and how many sessions each has.")
@json_option
@pass_settings
def board_list(settings: Settings, as_json: bool) -> None:
    with settings.open_browser() as browser:
        boards = browser.boards()
        if as_json:
            streams.write(export.array(boards, export.board_json))
        elif boards:
            columns: list[Column[Board]] = [
                id_column(),
                Column("NAME", lambda board: board.name, stretch=True),
                Column("SLUG", lambda board: board.slug or "", drop=2),
                Column("ARCHIVED", lambda board: "archived" if board.archived else "", drop=1),
                Column("SESSIONS", lambda board: str(board.session_count), right=True),
                time_column("UPDATED", lambda board: board.updated_at or board.created_at, drop=3),
            ]
            streams.write_lines(Table(columns, boards, streams.look(sys.stdout)).lines(boards))
        else:
            streams.note("There are no boards.")
