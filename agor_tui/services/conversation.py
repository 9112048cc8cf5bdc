"""A conversation as a reader meets it: tool calls joined with their results, and the text of a message.

Claude's results come in a later user message, Codex's in the call's own message, Gemini's are not stored,
and a sub-agent's traffic (``parent_tool_id``) pairs within itself. Some programs number their calls anew in
each task, so a result belongs to the nearest call before it that has its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from agor_tui.records import (
    Block,
    Message,
    NoticeBlock,
    RequestBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    UnknownBlock,
)

T = TypeVar("T")

Fetch = Callable[[int, int], Sequence[Message]]
"""Messages of one session in conversation order: from an ordinal on (0-based), so many at most."""

_FIRST_LOOK = 50
_FARTHEST_LOOK = 1600

_Place = tuple[int, int]  # the number of a message and of a block in it


def in_pieces(fetch: Callable[[int, int], Sequence[T]], start: int, size: int) -> Iterator[T]:
    """All from position ``start`` on, ``size`` fetched at a time."""
    while piece := fetch(start, size):
        yield from piece
        if len(piece) < size:
            return
        start += len(piece)


def pair(messages: Sequence[Message], *, keep_results: bool = False) -> list[Message]:
    """Return ``messages`` with status, output and diff put into each call that has its result among them.

    A result that went to its call is taken out of its own message, which may leave that one without blocks;
    ``keep_results`` leaves it there as well.
    """
    return _joined(messages, _link(messages), keep_results)


def paired_window(fetch: Fetch, start: int, limit: int, *, keep_results: bool = False) -> list[Message]:
    """Return ``limit`` messages from ordinal ``start`` on, paired as ``pair`` does, also across the edges.

    Where a call's result or a result's call lies outside, the neighbours are fetched in growing pieces, up
    to the next prompt or some 1,600 messages away.
    """
    window = list(fetch(start, limit))
    before: list[Message] = []
    after: list[Message] = []
    links = _link(window)
    look = _FIRST_LOOK
    while start > 0 and len(before) < _FARTHEST_LOOK and any(place[0] >= len(before) for place in links.strays):
        size = min(look, start)
        start -= size
        before[:0] = fetch(start, size)
        links = _link([*before, *window])
        look *= 2
    first, end = len(before), len(before) + len(window)
    look = _FIRST_LOOK
    more = len(window) == limit
    while more and len(after) < _FARTHEST_LOOK and any(first <= place[0] < end for place in links.waiting):
        found = fetch(start + end + len(after), look)
        more = len(found) == look
        after += found
        links = _link([*before, *window, *after])
        look *= 2
    return _joined([*before, *window, *after], links, keep_results)[first:end]


@dataclass(slots=True)
class _Links:
    """Which result answers which call, and what is still looked for on either side."""

    answers: dict[_Place, ToolResult] = field(default_factory=dict)
    used: set[_Place] = field(default_factory=set)
    waiting: set[_Place] = field(default_factory=set)
    """Calls after the last prompt that have no result yet."""
    strays: set[_Place] = field(default_factory=set)
    """Results before the first prompt that have no call."""


def _link(messages: Sequence[Message]) -> _Links:
    links = _Links()
    pending: dict[tuple[str | None, str], _Place] = {}
    prompted = False
    task: str | None = None
    for number, message in enumerate(messages):
        if _is_prompt(message) or (task is not None and message.task_id not in (None, task)):
            # A turn is over: what it left open is hardly answered later, so nobody goes on looking for it.
            prompted = True
            links.waiting.clear()
        task = message.task_id or task
        for position, block in enumerate(message.blocks):
            place = (number, position)
            if isinstance(block, ToolCall) and block.id and block.status is None:
                pending[message.parent_tool_id, block.id] = place
                links.waiting.add(place)
            elif isinstance(block, ToolResult):
                call = pending.pop((message.parent_tool_id, block.tool_id), None)
                if call is not None:
                    links.answers[call] = block
                    links.used.add(place)
                    links.waiting.discard(call)
                elif not prompted:
                    links.strays.add(place)
    return links


def _is_prompt(message: Message) -> bool:
    return (
        message.role == "user"
        and message.parent_tool_id is None
        and any(isinstance(block, TextBlock) for block in message.blocks)
        and not any(isinstance(block, ToolResult) for block in message.blocks)
    )


def _joined(messages: Sequence[Message], links: _Links, keep_results: bool) -> list[Message]:
    touched = {place[0] for place in links.answers} | {place[0] for place in links.used}
    joined = list(messages)
    for number in touched:
        blocks: list[Block] = []
        for position, block in enumerate(messages[number].blocks):
            place = (number, position)
            if isinstance(block, ToolCall) and (result := links.answers.get(place)) is not None:
                status = "error" if result.is_error else "completed"
                blocks.append(replace(block, status=status, output=result.output, diff=result.diff))
            elif keep_results or place not in links.used:
                blocks.append(block)
        joined[number] = replace(messages[number], blocks=tuple(blocks))
    return joined


def readable_text(message: Message) -> str:
    """Return all that can be read in a message, a blank line between its blocks.

    Left out are its tool calls with the results that stand in the same message, and attachments.
    """
    calls = {block.id for block in message.blocks if isinstance(block, ToolCall)}
    parts: list[str] = []
    for block in message.blocks:
        match block:
            case TextBlock(text) | ThinkingBlock(text) | NoticeBlock(_, text) | UnknownBlock(_, text):
                parts.append(text)
            case ToolResult(tool_id, output) if tool_id not in calls:
                parts.append(output)
            case RequestBlock(_, title, _, body):
                parts.append("\n".join(part for part in (title, body) if part))
            case _:
                pass
    return "\n\n".join(part for part in parts if part)
