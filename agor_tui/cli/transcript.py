"""A conversation as lines to be read in a terminal or a pager: who spoke, the text, one line a tool call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from agor_tui.cli.tables import Painter
from agor_tui.records import (
    AttachmentBlock,
    Block,
    Message,
    NoticeBlock,
    RequestBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    Turn,
    UnknownBlock,
)
from agor_tui.services.export import dumps
from agor_tui.statuses import Tone
from agor_tui.text import printable

_OUTPUT_LINES = 6
_SUBJECT = 100


class Transcript:
    """Turns into lines; ``paint`` colours them."""

    def __init__(self, paint: Painter) -> None:
        self._paint = paint

    def lines(self, turn: Turn) -> Iterator[str]:
        """One message, an empty line behind it; nothing for one that has nothing to show."""
        if turn.task is not None:
            title = printable(turn.task.title, _SUBJECT)
            yield self._paint(f"── task {printable(turn.task.short_id)} · {title}", "faint")
            yield ""
        if turn.prompt is not None:
            yield from self._spoken("user", turn.task.created_at if turn.task else None, (TextBlock(turn.prompt),), "")
        message = turn.message
        if message.blocks:
            yield from self._spoken(_speaker(message), message.timestamp, message.blocks, _remark(message))

    def _spoken(self, speaker: str, moment: datetime | None, blocks: tuple[Block, ...], remark: str) -> Iterator[str]:
        time = moment.strftime("%Y-%m-%d %H:%M") if moment else ""
        head = self._paint(printable(speaker), "accent" if speaker == "user" else "strong")
        yield f"{head}  {self._paint('  '.join(part for part in (time, remark) if part), 'muted')}".rstrip()
        for block in blocks:
            for line in self._block(block):
                yield f"  {line}".rstrip()
        yield ""

    def _block(self, block: Block) -> Iterator[str]:
        match block:
            case TextBlock(text):
                yield from _text_lines(text)
            case ThinkingBlock(text):
                yield self._paint("▸ thinking", "muted")
                yield from self._quoted(text)
            case ToolCall():
                outcome = f" · {block.status}" if block.status else ""
                tone: Tone = "error" if block.status == "error" else "muted"
                subject = printable(dumps(block.input).decode(), _SUBJECT)
                yield self._paint(f"▸ {printable(block.name)} {subject}{outcome}", tone)
                yield from self._quoted(block.output or "")
            case ToolResult(_, output, is_error):
                yield self._paint("▸ result" + (" · error" if is_error else ""), "error" if is_error else "muted")
                yield from self._quoted(output)
            case AttachmentBlock(kind, name):
                yield self._paint(f"▸ {kind} {printable(name)}", "muted")
            case NoticeBlock(kind, text):
                yield self._paint(f"▸ {printable(kind)} {printable(text)}", "muted")
            case RequestBlock(kind, title, status, body):
                yield self._paint(f"▸ {kind}: {printable(title)} · {printable(status)}", "warning")
                yield from self._quoted(body)
            case UnknownBlock(type, text):
                yield self._paint(f"▸ {printable(type)}", "muted")
                yield from self._quoted(text)

    def _quoted(self, text: str) -> Iterator[str]:
        """The first lines of something long, and how many follow."""
        lines = _text_lines(text)
        for line in lines[:_OUTPUT_LINES]:
            yield self._paint(f"  │ {line}", "faint")
        if len(lines) > _OUTPUT_LINES:
            yield self._paint(f"  │ … {len(lines) - _OUTPUT_LINES:,} more lines (all of them with --json)", "faint")


def _text_lines(text: str) -> list[str]:
    return printable(text.strip("\n"), multiline=True).split("\n") if text.strip() else []


def _speaker(message: Message) -> str:
    return f"{message.role} (sub-agent)" if message.parent_tool_id else message.role


def _remark(message: Message) -> str:
    remarks = []
    if message.type != message.role:
        remarks.append(printable(message.type))
    if message.queued:
        remarks.append("queued")
    if message.reverted:
        remarks.append("taken back")
    return " · ".join(remarks)
