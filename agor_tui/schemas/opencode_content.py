"""What a message of an OpenCode database says: its own JSON and that of its parts as blocks.

A part is text, reasoning, a tool call with its result in ``state``, a file, or one of the marks that the
program keeps for itself (https://github.com/anomalyco/opencode,
``packages/opencode/src/session/message-v2.ts``). What has another shape than it should becomes an
``UnknownBlock`` that shows it as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agor_tui.db.types import load_json
from agor_tui.records import AttachmentBlock, Block, NoticeBlock, TextBlock, ThinkingBlock, ToolCall, UnknownBlock
from agor_tui.schemas.json_shapes import base64_size, dump, is_dict, labelled, last_part, string

# Marks of the snapshots that the program takes for undoing, and mentions of an agent: these stand in the
# text too.
_SKIPPED = ("step-start", "step-finish", "snapshot", "patch", "agent")

_CALL_STATUSES = {"pending": "running", "running": "running", "completed": "completed", "error": "error"}


def blocks(data: str | None, parts: str | None, type: str) -> tuple[tuple[Block, ...], str | None]:
    """Return the blocks and the model of a message.

    ``data`` is its row's JSON text, ``parts`` a JSON array with the JSON text of each of its parts, in order.
    Never raises: a text that is not JSON becomes an ``UnknownBlock``. ``type`` is not used.
    """
    found: list[Block] = []
    for text in _texts(parts):
        part = _loaded(text)
        found += [part] if isinstance(part, UnknownBlock) else _part(part)
    if data is None:
        return tuple(found), None
    message = _loaded(data)
    if isinstance(message, UnknownBlock):
        return (*found, message), None
    if is_dict(error := message.get("error")):
        found.append(NoticeBlock("error", _error(error)))
    return tuple(found), string(message.get("modelID")) or None


def raw_files(parts: str | None) -> Iterator[dict[str, Any]]:
    """Give the JSON of each file of a message, in the order of the ``AttachmentBlock``s that ``blocks`` makes."""
    for text in _texts(parts):
        part = _loaded(text)
        if isinstance(part, UnknownBlock):
            continue
        if part.get("type") == "file":
            yield part
        elif part.get("type") == "tool" and is_dict(state := part.get("state")):
            attachments = state.get("attachments")
            yield from filter(is_dict, attachments if isinstance(attachments, list) else ())


def _texts(parts: str | None) -> Iterator[Any]:
    try:
        found = load_json(parts)
    except ValueError:
        found = [parts]
    yield from found if isinstance(found, list) else ()


def _loaded(text: Any) -> dict[str, Any] | UnknownBlock:
    try:
        found = load_json(text) if isinstance(text, str) else text
    except ValueError:
        return UnknownBlock("broken JSON", text)
    return found if is_dict(found) else UnknownBlock("part", dump(found))


def _part(part: dict[str, Any]) -> Iterator[Block]:
    kind = string(part.get("type"))
    text = part.get("text")
    match kind:
        case "text" if isinstance(text, str):
            # Synthetic text repeats for the model what the user attached.
            if text and part.get("synthetic") is not True:
                yield TextBlock(text)
        case "reasoning":
            yield ThinkingBlock(string(text), _duration(part))
        case "tool":
            yield from _tool(part)
        case "file":
            yield _attachment(part)
        case "compaction":
            how = "automatically" if part.get("auto") is True else "on request"
            yield NoticeBlock(kind, f"Conversation compacted {how}")
        case "subtask":
            words = (string(part.get("description")), string(part.get("prompt")))
            yield NoticeBlock(kind, "\n".join(word for word in words if word))
        case "retry":
            error = part.get("error")
            reason = _error(error) if is_dict(error) else labelled(error)
            yield NoticeBlock(kind, f"Attempt {string(part.get('attempt')) or '?'}: {reason}")
        case _ if kind in _SKIPPED:
            return
        case _:
            yield UnknownBlock(kind or "part", text if isinstance(text, str) and text else dump(part))


def _tool(part: dict[str, Any]) -> Iterator[Block]:
    state = part.get("state")
    state = state if is_dict(state) else {}
    status = _CALL_STATUSES.get(string(state.get("status")))
    output = state.get("error" if status == "error" else "output")
    yield ToolCall(
        id=string(part.get("callID")),
        name=string(part.get("tool")) or "tool",
        input=state.get("input"),
        status=status,
        output=None if output is None else labelled(output),
        diff=_diff(state.get("metadata")),
        duration_ms=_duration(state),
    )
    attachments = state.get("attachments")
    for file in attachments if isinstance(attachments, list) else ():
        if is_dict(file):
            yield _attachment(file)


def _diff(metadata: Any) -> str | None:
    if not is_dict(metadata):
        return None
    if diff := string(metadata.get("diff")):
        return diff
    files = metadata.get("files")
    diffs = [string(file.get("diff")) for file in files if is_dict(file)] if isinstance(files, list) else []
    return "\n".join(diff.rstrip("\n") for diff in diffs if diff) or None


def _duration(timed: dict[str, Any]) -> int | None:
    time = timed.get("time")
    if not is_dict(time):
        return None
    start, end = time.get("start"), time.get("end")
    return max(0, end - start) if isinstance(start, int) and isinstance(end, int) else None


def _attachment(part: dict[str, Any]) -> AttachmentBlock:
    media_type = string(part.get("mime"))
    url = string(part.get("url"))
    head, comma, data = url.partition(",")
    size = None
    if comma and head.startswith("data:") and head.endswith(";base64"):
        size = base64_size(data)
    return AttachmentBlock(
        kind="image" if media_type.startswith("image/") else "file",
        name=string(part.get("filename")) or last_part(url) or "file",
        media_type=media_type or None,
        size=size,
    )


def _error(error: dict[str, Any]) -> str:
    """``name: message`` of an error; its other fields (response headers and bodies) may hold secrets."""
    data = error.get("data")
    message = string(data.get("message")) if is_dict(data) else ""
    name = string(error.get("name"))
    return ": ".join(word for word in (name, message or string(error.get("message"))) if word) or "unknown error"
