"""The lines that stand for the smaller blocks of a conversation, the same in every format of a transcript."""

from __future__ import annotations

from agor_tui.records import AttachmentBlock, NoticeBlock, RequestBlock, ThinkingBlock, ToolResult, UnknownBlock
from agor_tui.text import byte_size, duration

SmallBlock = ThinkingBlock | ToolResult | AttachmentBlock | NoticeBlock | RequestBlock | UnknownBlock

_ASKED = {"permission": "May it use", "input": "Asked", "widget": "Shown"}


def block_line(block: SmallBlock) -> str:
    """What a block is, in one line; its text, where it has more of it, is ``block_body``."""
    match block:
        case ThinkingBlock(text, duration_ms):
            if not text.strip():
                return "Thought, not kept in the open"
            return f"Thought for {duration(duration_ms)}" if duration_ms else "Thought"
        case ToolResult(is_error=is_error):
            return "Error of an earlier call" if is_error else "Result of an earlier call"
        case AttachmentBlock(kind, name, media_type, size):
            facts = (name, media_type, byte_size(size) if size else "")
            return " · ".join([f"Attached {kind}", *(fact for fact in facts if fact and fact != kind)])
        case NoticeBlock(kind, text):
            return text or kind
        case RequestBlock(kind, title, status):
            return f"{_ASKED[kind]} {title} · {status or 'pending'}"
        case UnknownBlock(type):
            return f"{type}: not known here"


def block_body(block: SmallBlock) -> str:
    """The text of a block under its line; empty for none."""
    match block:
        case ThinkingBlock(text) | UnknownBlock(_, text):
            return text if text.strip() else ""
        case ToolResult(_, output):
            return output
        case RequestBlock(_, _, _, body):
            return body
    return ""
