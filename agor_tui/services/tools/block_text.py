"""A block of a conversation as plain text: what is searched, copied and opened in a pager. Pure."""

from __future__ import annotations

import json
from typing import Any

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
from agor_tui.services.tools.diff import diff_of
from agor_tui.services.tools.names import arguments, command_text, kind_of, todo_items

_SIGNS = {"added": "+", "removed": "-", "context": " ", "hunk": "", "file": "── "}
_TICKS = {"completed": "☑", "in_progress": "◐", "cancelled": "☒"}


def block_text(block: Block) -> str:
    """All of a block that a reader may want, as it was stored."""
    match block:
        case TextBlock() | ThinkingBlock() | UnknownBlock() | NoticeBlock():
            return block.text
        case ToolCall():
            return call_text(block)
        case ToolResult():
            return block.output
        case RequestBlock():
            return f"{block.title}\n{block.body}".strip()
        case AttachmentBlock():
            return " · ".join(part for part in (block.name, block.media_type) if part)


def call_text(call: ToolCall) -> str:
    """A tool call as its name, what was asked of it, and what it answered."""
    parts = [f"{call.name}\n{input_text(call)}".strip()]
    if call.output:
        parts.append(call.output.rstrip("\n"))
    return "\n\n".join(parts)


def input_text(call: ToolCall) -> str:
    """What was asked of a tool: the command, the change, the list; else its input as JSON."""
    values = arguments(call.input)
    kind = kind_of(call.name, values)
    if kind == "shell" and (command := command_text(values)):
        return f"$ {command}"
    if kind == "todo" and (items := todo_items(values)):
        return "\n".join(f"{todo_tick(status)} {text}" for text, status in items)
    if changed := diff_of(call):
        path = values.get("file_path") or values.get("filePath") or values.get("path")
        lines = [f"{_SIGNS[line.kind]}{line.text}" for line in changed]
        return "\n".join([str(path), *lines] if path else lines)
    return json_text(call.input)


def todo_tick(status: str) -> str:
    """The box before an item of a todo list."""
    return _TICKS.get(status, "☐")


def json_text(value: Any) -> str:
    """A JSON value for people, two spaces to a level; a text stays as it is, nothing is empty."""
    if value is None or value == {} or value == []:
        return ""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, indent=2, default=str)
    except RecursionError:  # nested deeper than Python can follow: what can be shown of it, in one line
        from agor_tui.services.export import compact

        return compact(value)


def turn_texts(turn: Turn) -> tuple[str, ...]:
    """The text of each block of a turn, in order."""
    return tuple(block_text(block) for block in turn.message.blocks)
