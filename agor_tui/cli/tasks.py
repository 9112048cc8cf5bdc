"""``task list`` and ``task show``."""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from agor_tui.cli import streams
from agor_tui.cli.columns import task_columns
from agor_tui.cli.commands import Group, Settings, pass_settings
from agor_tui.cli.listing import Listing, json_option, list_options
from agor_tui.cli.moments import local_now
from agor_tui.filters import parse_task_filter
from agor_tui.services import export
from agor_tui.services.cursors import place_of

_ORDER = "-created"


@click.group("task", cls=Group, help="List tasks or show one.")
def task() -> None:
    pass


@task.command(
    "list",
    help="List tasks, newest first.\n\nFILTER is as in the app: status:failed tool:codex repo:x since:7d and words.",
)
@click.argument("filter_words", metavar="[FILTER]...", nargs=-1)
@click.option("--session", "session_id", metavar="ID", help="Only the tasks of this session.")
@list_options
@pass_settings
def task_list(
    settings: Settings,
    filter_words: tuple[str, ...],
    session_id: str | None,
    limit: int,
    after: str | None,
    as_json: bool,
) -> None:
    wanted = parse_task_filter(" ".join(filter_words), local_now())
    with settings.open_browser() as browser:
        if session_id is not None:
            wanted = replace(wanted, session_id=browser.resolve(session_id, ("session",)).id)
        start = None if after is None else place_of(after, _ORDER) or browser.task_cursor(after)
        listing = Listing(
            lambda cursor, size: browser.task_page(wanted, after=cursor, limit=size),
            after=start,
            limit=limit,
            order=_ORDER,
        )
        if as_json:
            listing.print_json(export.task_json)
            return
        listing.print_table(task_columns(with_session=session_id is None))
        listing.print_note("tasks", lambda: browser.task_count(wanted), lambda: browser.explain_filter(wanted))


@task.command("show", help="Show one task; ID is an id or the beginning of one.")
@click.argument("task_id", metavar="ID")
@json_option
@pass_settings
def task_show(settings: Settings, task_id: str, as_json: bool) -> None:
    with settings.open_browser() as browser:
        detail = browser.task_detail(task_id)
        if as_json:
            streams.write([export.dumps(export.task_detail_json(detail)), b"\n"])
        else:
            from agor_tui.cli.details import task_lines

            streams.write_lines(task_lines(detail, streams.look(sys.stdout)))
