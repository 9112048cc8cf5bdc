"""OpenCode's messages as Agor stores them: content blocks of the Anthropic API, a call's result behind the call.

What those blocks have no place for stands beside, where ``agor_content`` reads it: how long thinking and a call took,
that a call is still running, a diff as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agor_tui.db.types import dump_json, load_json
from agor_tui.records import AttachmentBlock, Block, NoticeBlock, TextBlock, ThinkingBlock, ToolCall, UnknownBlock
from agor_tui.schemas.json_shapes import is_dict
from agor_tui.schemas.opencode_content import blocks, raw_files
from agor_tui.schemas.opencode_parts import url_of

_PREVIEW = 200

_Item = dict[str, Any]


def native_message(data: str | None, parts: str | None, id: str, *, reverted: bool) -> tuple[str, str]:
    """Return the ``data`` of a message's native row, and the beginning of what it says."""
    found, model = blocks(data, parts, "")
    files = raw_files(data, parts)
    content = [item for number, block in enumerate(found) for item in _items(block, f"{id}:{number}", files)]
    metadata: _Item = {"model": model} if model else {}
    metadata |= _usage(data)
    if reverted:
        metadata["reverted"] = True
    said = next((block.text for block in found if isinstance(block, TextBlock)), "")
    try:
        return dump_json({"content": content, "metadata": metadata}), said[:_PREVIEW]
    except RecursionError:  # what a tool was given is nested deeper than can be written: the text says all of it
        return dump_json({"content": [{"type": "parts", "text": parts}], "metadata": metadata}), said[:_PREVIEW]


def _usage(data: str | None) -> _Item:
    try:
        message = load_json(data)
    except ValueError:
        return {}
    if not is_dict(message):
        return {}
    return {name: message[name] for name in ("tokens", "cost", "agent") if message.get(name) is not None}


def _items(block: Block, spare_id: str, files: Iterator[_Item]) -> Iterator[_Item]:
    match block:
        case TextBlock(text):
            yield {"type": "text", "text": text}
        case ThinkingBlock(text, duration_ms):
            yield {"type": "thinking", "thinking": text} | _timed(duration_ms)
        case ToolCall():
            yield from _call(block, block.id or spare_id)
        case AttachmentBlock(kind, name, media_type):
            source = _source(next(files, {}), media_type)
            yield {"type": "image" if kind == "image" else "document", "title": name, "source": source}
        case NoticeBlock(kind, text):
            yield {"type": "system_status", "status": kind, "text": text}
        case UnknownBlock(type, text):
            # Not under its own name, which may be that of one of Agor's blocks.
            yield {"type": f"part {type}" if type in _TAKEN else type, "text": text}


_TAKEN = ("text", "thinking", "image", "document", "tool_use", "tool_result", "file", "tool")


def _call(call: ToolCall, id: str) -> Iterator[_Item]:
    use = {"type": "tool_use", "id": id, "name": call.name, "input": call.input} | _timed(call.duration_ms)
    answered = call.output is not None
    if call.status is not None and not answered:
        use["status"] = call.status
    yield use
    if answered:
        result = {"type": "tool_result", "tool_use_id": id, "content": call.output, "is_error": call.status == "error"}
        yield result | ({"diff": {"unified": call.diff}} if call.diff else {})


def _timed(duration_ms: int | None) -> _Item:
    return {} if duration_ms is None else {"duration_ms": duration_ms}


def _source(file: _Item, media_type: str | None) -> _Item:
    """Where a file is, or what is in it."""
    url = url_of(file)
    head, comma, data = url.partition(",")
    source: _Item = {"media_type": media_type} if media_type else {}
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return source | {"type": "base64", "data": data}
    return source | {"type": "url", "url": url}
