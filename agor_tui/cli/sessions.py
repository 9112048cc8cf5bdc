"""``session list``, ``session show``, ``session tree`` and ``session export``."""

from __future__ import annotations

import sys

import click

from agor_tui.cli import streams
from agor_tui.cli.columns import session_columns
from agor_tui.cli.commands import Group, Settings, pass_settings
from agor_tui.cli.listing import Listing, json_option, list_options
from agor_tui.cli.moments import local_now
from agor_tui.cli.session_export import session_export
from agor_tui.errors import UsageError
from agor_tui.filters import parse_session_filter
from agor_tui.records import Sort, SortKey
from agor_tui.services import export
from agor_tui.services.cursors import place_of


@click.group("session", cls=Group, help="List sessions, show one or its tree, export them.")
def session() -> None:
    pass


session.add_command(session_export)


@session.command(
    "list",
    help="List sessions, newest first.\n\n"
    "FILTER is as in the app: status:running tool:codex,!gemini repo:x worktree:y board:z user:me since:7d "
    "archived:any has:tasks and words of the title. Write -- before a word that begins with a dash.",
)
@click.argument("filter_words", metavar="[FILTER]...", nargs=-1)
@click.option(
    "--sort",
    "sort_key",
    metavar="KEY|-KEY",
    help="updated, created, title, status, tool or id; with a dash from last to first.",
)
@list_options
@pass_settings
def session_list(
    settings: Settings,
    filter_words: tuple[str, ...],
    sort_key: str | None,
    limit: int,
    after: str | None,
    as_json: bool,
) -> None:
    wanted = parse_session_filter(" ".join(filter_words), local_now())
    with settings.open_browser() as browser:
        sort = browser.default_sort if sort_key is None else _sort(sort_key, browser.sorts)
        order = ("-" if sort.descending else "") + sort.key
        start = None
        if after is not None:
            start = place_of(after, order) or browser.session_cursor(after, sort)
        listing = Listing(
            lambda cursor, size: browser.session_page(wanted, sort, after=cursor, limit=size),
            after=start,
            limit=limit,
            order=order,
        )
        if as_json:
            listing.print_json(export.session_json)
            return
        listing.print_table(session_columns())
        listing.print_note(
            "sessions",
            lambda: browser.session_count(wanted, cap=10_000),
            lambda: browser.explain_filter(wanted),
        )


def _sort(text: str, known: tuple[SortKey, ...]) -> Sort:
    key = text.removeprefix("-")
    for name in known:
        if name == key:
            return Sort(name, descending=text.startswith("-"))
    raise UsageError(
        f"This database cannot be sorted by {key!r}.", f"It can by: {', '.join(known)}; -{known[0]} turns it round."
    )


@session.command("show", help="Show one session; ID is an id or the beginning of one.")
@click.argument("session_id", metavar="ID")
@json_option
@pass_settings
def session_show(settings: Settings, session_id: str, as_json: bool) -> None:
    with settings.open_browser() as browser:
        detail = browser.session_detail(session_id)
        found = detail.session.id
        ancestors, children = browser.ancestors(found), browser.children(found)
        if as_json:
            streams.write([export.dumps(export.session_detail_json(detail, ancestors, children)), b"\n"])
        else:
            from agor_tui.cli.details import session_lines

            tasks = browser.tasks_of(found)
            streams.write_lines(session_lines(detail, ancestors, children, tasks, streams.look(sys.stdout)))


@session.command("tree", help="Show the whole family of a session: what it came from and what came of it.")
@click.argument("session_id", metavar="ID")
@json_option
@pass_settings
def session_tree(settings: Settings, session_id: str, as_json: bool) -> None:
    with settings.open_browser() as browser:
        found = browser.resolve(session_id, ("session",)).id
        root = browser.tree(found)
        from agor_tui.cli.details import missing_sentence, tree_lines

        if as_json:
            streams.write(export.tree_json(root))
        else:
            streams.write_lines(tree_lines(root, found, streams.look(sys.stdout)))
        if missing := missing_sentence(root):
            streams.note(missing)
