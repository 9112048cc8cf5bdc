"""What a message of an Agor database says: its stored JSON as blocks.

The JSON is ``{content, tool_uses, metadata}``; ``content`` is a string, an array of the Anthropic API's
content blocks together with Agor's own (``system_status``, ``rate_limit``, ...), or the object of a
permission or input request (https://github.com/preset-io/agor, ``packages/core/src/types/message.ts``).
Nothing in it is taken on trust: what has another shape than it should becomes an ``UnknownBlock`` that shows
it as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agor_tui.db.types import load_json
from agor_tui.records import (
    AttachmentBlock,
    Block,
    NoticeBlock,
    RequestBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    UnknownBlock,
)
from agor_tui.redact import redact
from agor_tui.schemas.json_shapes import (
    base64_size,
    dump,
    is_dict,
    labelled,
    last_part,
    seconds,
    string,
    unified_diff,
)

# Message types whose plain text was written by the program, not by the user or the model.
_NOTICES = ("system", "file-history-snapshot", "daemon_restart", "daemon_crash")


def blocks(data: str | None, parts: str | None, type: str) -> tuple[tuple[Block, ...], str | None]:
    """Return the blocks and the model of the message whose ``data`` and ``type`` columns these are.

    Never raises: text that is not JSON comes back whole, as one ``UnknownBlock``. ``parts`` is not used.
    """
    if data is None:
        return (), None
    try:
        stored = load_json(data)
    except ValueError:
        return (UnknownBlock("broken JSON", data),), None
    if not is_dict(stored):
        return tuple(_content(stored, type, {})), None
    if stored and "content" not in stored and "tool_uses" not in stored:
        return (UnknownBlock("message", data),), None
    metadata = stored.get("metadata")
    metadata = metadata if is_dict(metadata) else {}
    found = list(_content(stored.get("content"), type, metadata))
    found += _calls_kept_apart(stored.get("tool_uses"), found)
    return tuple(found), string(metadata.get("model")) or None


def _content(content: Any, type: str, metadata: dict[str, Any]) -> Iterator[Block]:
    widget = metadata.get("widget")
    if type == "widget_request" or is_dict(widget):
        yield _widget(content, widget if is_dict(widget) else {})
    elif isinstance(content, str):
        if type in _NOTICES:
            yield NoticeBlock(string(metadata.get("subtype")) or type, content)
        elif content:
            yield TextBlock(content)
    elif isinstance(content, list):
        for item in content:
            if isinstance(item, str):
                yield TextBlock(item)
            elif is_dict(item):
                yield from _block(item)
            else:
                yield UnknownBlock(type_name(item), dump(item))
    elif is_dict(content):
        yield from _object(content, type)
    elif content is not None:
        yield UnknownBlock(type_name(content), dump(content))


def _object(content: dict[str, Any], type: str) -> Iterator[Block]:
    if type == "permission_request" or "tool_name" in content:
        yield RequestBlock(
            "permission",
            string(content.get("tool_name")),
            string(content.get("status")),
            labelled(content.get("tool_input")),
        )
    elif type == "input_request" or "questions" in content:
        yield from _questions(content)
    else:
        yield from _block(content)


def _questions(content: dict[str, Any]) -> Iterator[Block]:
    """One request for each question, its options and answer below it."""
    status = string(content.get("status"))
    answers = content.get("answers")
    questions = content.get("questions")
    if not isinstance(questions, list) or not questions:
        yield RequestBlock("input", "", status, labelled(questions))
        return
    for question in questions:
        if not is_dict(question):
            yield RequestBlock("input", labelled(question), status)
            continue
        text = string(question.get("question"))
        lines = []
        options = question.get("options")
        for option in options if isinstance(options, list) else ():
            if is_dict(option):
                words = (string(option.get("label")), string(option.get("description")))
                lines.append("- " + ": ".join(word for word in words if word))
            else:
                lines.append(f"- {labelled(option)}")
        if is_dict(answers) and (answer := answers.get(text, answers.get(string(question.get("header"))))):
            lines.append(f"Answer: {labelled(answer)}")
        yield RequestBlock("input", text or string(question.get("header")), status, "\n".join(lines))


def _widget(content: Any, widget: dict[str, Any]) -> RequestBlock:
    parts = (labelled(redact(widget.get("params"))), labelled(redact(widget.get("result_meta"))))
    title = content if isinstance(content, str) and content else string(widget.get("widget_type"))
    return RequestBlock("widget", title, string(widget.get("status")), "\n".join(part for part in parts if part))


def _block(block: dict[str, Any]) -> Iterator[Block]:
    kind = block.get("type")
    text = block.get("text")
    match kind:
        case "text" if isinstance(text, str):
            if text:
                yield TextBlock(text)
        case "thinking":
            yield ThinkingBlock(string(block.get("thinking")) or string(text), _duration(block))
        case "redacted_thinking":
            yield ThinkingBlock("")
        case "tool_use" | "server_tool_use" | "mcp_tool_use":
            yield _tool_use(block)
        case "image" | "document":
            yield _attachment(kind, block)
        case "system_status":
            status = string(block.get("status"))
            yield NoticeBlock(status or kind, string(text) or _STATUS_TEXTS.get(status, status))
        case "system_complete":
            yield _system_complete(block)
        case "api_wait" | "rate_limit" | "sdk_event":
            yield NoticeBlock(kind, _notice_text(block))
        case str() if kind == "tool_result" or (kind.endswith("_tool_result") and "tool_use_id" in block):
            yield _tool_result(block)
        case _:
            name = string(kind) or "object"
            yield UnknownBlock(name, text if isinstance(text, str) and text else dump(block))


_STATUS_TEXTS = {"compacting": "Compacting the conversation"}


def _system_complete(block: dict[str, Any]) -> NoticeBlock:
    kind = string(block.get("systemType")) or "system_complete"
    nested = block.get("metadata")
    details = nested | block if is_dict(nested) else block
    text = string(block.get("text")) or ("Conversation compacted" if kind == "compaction" else "")
    words = []
    if isinstance(tokens := details.get("pre_tokens"), int) and not isinstance(tokens, bool):
        words.append(f"{tokens:,} tokens before")
    if trigger := string(details.get("trigger")):
        words.append(trigger)
    return NoticeBlock(kind, f"{text} ({', '.join(words)})".lstrip() if words else text)


def _notice_text(block: dict[str, Any]) -> str:
    text = string(block.get("message")) or string(block.get("text"))
    if not text:
        return labelled({key: value for key, value in block.items() if key != "type"})
    wait = seconds(block.get("retry_after_ms"))
    return f"{text} (again after {wait} s)" if wait else text


def _attachment(kind: str, block: dict[str, Any]) -> AttachmentBlock:
    source = block.get("source")
    source = source if is_dict(source) else {}
    url = string(source.get("url"))
    name = string(block.get("title")) or string(block.get("name")) or last_part(url) or kind
    data = source.get("data")
    size = None
    if isinstance(data, str):
        size = len(data.encode("utf-8", "replace")) if source.get("type") == "text" else base64_size(data)
    media_type = string(source.get("media_type")) or None
    return AttachmentBlock("image" if kind == "image" else "file", name, media_type, size)


def _tool_use(block: dict[str, Any]) -> ToolCall:
    """A call; its status and how long it took stand in it where another store's messages were copied."""
    status = block.get("status")
    return ToolCall(
        id=string(block.get("id")),
        name=string(block.get("name")) or "tool",
        input=block.get("input"),
        status=status if status in ("running", "completed", "error") else None,
        duration_ms=_duration(block),
    )


def _duration(block: dict[str, Any]) -> int | None:
    value = block.get("duration_ms")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _tool_result(block: dict[str, Any]) -> ToolResult:
    return ToolResult(
        tool_id=string(block.get("tool_use_id")),
        output=_output(block.get("content")),
        is_error=block.get("is_error") is True,
        diff=_diff(block.get("diff")),
    )


def _output(content: Any) -> str:
    """The text of a result: a string, or an array of text, images, search hits and others."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "\n".join(map(_output_item, content)) if isinstance(content, list) else _output_item(content)


def _output_item(item: Any) -> str:
    if isinstance(item, str):
        return item
    if not is_dict(item):
        return dump(item)
    if isinstance(text := item.get("text"), str):
        return text
    kind = item.get("type")
    if kind in ("image", "document"):
        shown = _attachment(str(kind), item)
        return f"[{shown.kind}: {shown.media_type or shown.name}]"
    if kind == "web_search_result":
        return " ".join(word for word in (string(item.get("title")), string(item.get("url"))) if word)
    return dump(item)


def _diff(diff: Any) -> str | None:
    """A unified diff from ``{structuredPatch}`` or ``{files: [{path, kind, structuredPatch}]}``, or ``{unified}``."""
    if not is_dict(diff):
        return None
    if unified := string(diff.get("unified")):
        return unified
    parts = [unified_diff(diff.get("structuredPatch"))]
    files = diff.get("files")
    for file in files if isinstance(files, list) else ():
        if is_dict(file):
            path, kind = string(file.get("path")), file.get("kind")
            old = "/dev/null" if kind == "add" else f"a/{path}"
            new = "/dev/null" if kind == "delete" else f"b/{path}"
            parts.append(f"--- {old}\n+++ {new}\n{unified_diff(file.get('structuredPatch'))}")
    return "\n".join(part.rstrip("\n") for part in parts if part) or None


def _calls_kept_apart(tool_uses: Any, blocks: list[Block]) -> Iterator[ToolCall]:
    """The entries of ``tool_uses`` that the content has not: some versions keep calls only there."""
    if not isinstance(tool_uses, list):
        return
    known = {block.id for block in blocks if isinstance(block, ToolCall)}
    for entry in tool_uses:
        if is_dict(entry) and (call_id := string(entry.get("id"))) not in known:
            yield ToolCall(call_id, string(entry.get("name")) or "tool", entry.get("input"))


def type_name(value: Any) -> str:
    """JSON's word for the type of ``value``."""
    return {bool: "boolean", int: "number", float: "number", list: "array", type(None): "null"}.get(
        type(value), "object"
    )
