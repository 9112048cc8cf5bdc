"""A conversation as lines to be read in a terminal or a pager: who spoke, the text, one line a tool call."""

from __future__ import annotations

from collections.abc import Iterator

from agor_tui.cli.tables import Painter
from agor_tui.records import (
    AttachmentBlock,
    Block,
    NoticeBlock,
    RequestBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    Turn,
    UnknownBlock,
)
from agor_tui.services.export import compact
from agor_tui.services.transcript.walk import Entry, entries_of, minute
from agor_tui.statuses import Tone
from agor_tui.text import printable, title_text

_OUTPUT_LINES = 6
_SUBJECT = 100


class Transcript:
    """Turns into lines; ``paint`` colours them."""

    def __init__(self, paint: Painter) -> None:
        self._paint = paint

    def lines(self, turn: Turn) -> Iterator[str]:
        """One message, an empty line behind it; nothing for one that has nothing to show."""
        if turn.task is not None:
            title = title_text(turn.task.title, _SUBJECT)
            yield self._paint(f"── task {printable(turn.task.short_id)} · {title}", "faint")
            yield ""
        for entry in entries_of(turn):
            yield from self._spoken(entry)

    def _spoken(self, entry: Entry) -> Iterator[str]:
        head = self._paint(printable(entry.speaker), "accent" if entry.speaker == "user" else "strong")
        facts = "  ".join(part for part in (minute(entry.time), printable(entry.remark)) if part)
        yield f"{head}  {self._paint(facts, 'muted')}".rstrip()
        for block in entry.blocks:
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
                subject = printable(compact(block.input), _SUBJECT)
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
