"""``message list SESSION``: a conversation as JSON, or to be read in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import click

from agor_tui.cli import streams
from agor_tui.cli.commands import Group, Settings, pass_settings
from agor_tui.cli.listing import list_options
from agor_tui.errors import NotFoundError
from agor_tui.records import Cursor, Message, Turn
from agor_tui.services import export
from agor_tui.services.conversation import in_pieces, pair, paired_window
from agor_tui.services.cursors import place_of, place_text

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

_PIECE = 200
_ORDER = "messages"


@click.group("message", cls=Group, help="Read a conversation.")
def message() -> None:
    pass


@message.command("list", help="Read the conversation of a session, from its beginning.")
@click.argument("session_id", metavar="SESSION")
@click.option("--task", "task_id", metavar="ID", help="Only the messages of this task.")
@list_options
@pass_settings
def message_list(
    settings: Settings, session_id: str, task_id: str | None, limit: int, after: str | None, as_json: bool
) -> None:
    with settings.open_browser() as browser:
        session = browser.resolve(session_id, ("session",)).id
        if task_id is not None:
            turns, total = _of_task(browser, task_id, session, after, keep_results=as_json)
        else:
            total = browser.message_count(session)
            start = 0 if after is None else _behind(browser, session, after)
            turns = in_pieces(partial(_turns, browser, session, keep_results=as_json), start, _PIECE)
        if as_json:
            messages = (turn.message for turn in islice(turns, limit or None))
            streams.write(export.array(messages, export.message_json))
        else:
            _print_transcript(turns, limit, total)


def _behind(browser: Browser, session: str, after: str) -> int:
    """The position behind a message; where it is gone, the one that it had."""
    place = place_of(after, _ORDER)
    if place is None:
        return browser.message_position(session, after) + 1
    try:
        return browser.message_position(session, place.id) + 1
    except NotFoundError:
        return int(place.key)


def _turns(browser: Browser, session: str, start: int, size: int, *, keep_results: bool) -> Sequence[Turn]:
    """A piece of a conversation; ``keep_results`` leaves what tools answered in its own message as well."""
    if not keep_results:
        return browser.conversation(session, start, size)
    messages = paired_window(partial(browser.message_window, session), start, size, keep_results=True)
    return [Turn(ordinal, each) for ordinal, each in enumerate(messages, start)]


def _of_task(
    browser: Browser, task_id: str, session: str, after: str | None, *, keep_results: bool
) -> tuple[Iterator[Turn], int]:
    """The messages of one task behind ``after``, and how many the task has."""
    detail = browser.task_detail(task_id)
    if detail.task.session_id != session:
        raise NotFoundError(f"The task {detail.task.id} is not of this session.", f"It is of {detail.task.session_id}.")
    messages: Sequence[Message] = pair(browser.messages_of_task(detail.task.id), keep_results=keep_results)
    start = 0
    if after is not None:
        place = place_of(after, _ORDER)
        wanted = place.id if place is not None else browser.resolve(after, ("message",)).id
        start = next((n for n, each in enumerate(messages, 1) if each.id == wanted), 0)
        if not start:
            raise NotFoundError(f"The message {wanted} is not of this task.", "Leave out --after to see its messages.")
    prompt = None if messages and messages[0].role == "user" else detail.prompt
    turns = (
        Turn(n, each, detail.task if n == 0 else None, prompt if n == 0 else None) for n, each in enumerate(messages)
    )
    return islice(turns, start, None), len(messages)


def _print_transcript(turns: Iterator[Turn], limit: int, total: int) -> None:
    from agor_tui.cli.tables import Painter
    from agor_tui.cli.transcript import Transcript

    transcript = Transcript(Painter(streams.look(sys.stdout).colour))
    shown = 0
    last = Cursor(0, "")
    for turn in turns:
        if limit and shown == limit:
            streams.note(f"Showing {shown:,} of {total:,} messages · more: --after {place_text(last, _ORDER)}")
            break
        streams.write_lines(transcript.lines(turn))
        shown, last = shown + 1, Cursor(turn.ordinal, turn.message.id)
    if not shown:
        streams.note("There are no messages.")
