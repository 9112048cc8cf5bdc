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
from agor_tui.records import Block, NoticeBlock, TextBlock, ThinkingBlock, ToolCall, UnknownBlock
from agor_tui.schemas.json_shapes import dump, is_dict, labelled, string
from agor_tui.schemas.opencode_entry_content import entry_blocks, entry_files
from agor_tui.schemas.opencode_parts import CALL_STATUSES, attachment, diff_of, duration_of, loaded

# Marks of the snapshots that the program takes for undoing, and mentions of an agent: these stand in the
# text too.
_SKIPPED = ("step-start", "step-finish", "snapshot", "patch", "agent")


def blocks(data: str | None, parts: str | None, type: str) -> tuple[tuple[Block, ...], str | None]:
    """Return the blocks and the model of a message.

    ``data`` is its row's JSON text, ``parts`` a JSON array with the JSON text of each of its parts, in order; of an
    entry of the second store it is an object. Never raises: a text that is not JSON becomes an ``UnknownBlock``.
    ``type`` is not used.
    """
    if (entry := _entry(parts)) is not None:
        return entry_blocks(data, entry)
    found: list[Block] = []
    for text in _texts(parts):
        part = loaded(text)
        found += [part] if isinstance(part, UnknownBlock) else _part(part)
    if data is None:
        return tuple(found), None
    message = loaded(data)
    if isinstance(message, UnknownBlock):
        return (*found, message), None
    if is_dict(error := message.get("error")):
        found.append(NoticeBlock("error", _error(error)))
    return tuple(found), string(message.get("modelID")) or None


def raw_files(data: str | None, parts: str | None) -> Iterator[dict[str, Any]]:
    """Give the JSON of each file of a message, in the order of the ``AttachmentBlock``s that ``blocks`` makes."""
    if _entry(parts) is not None:
        yield from entry_files(data)
        return
    for text in _texts(parts):
        part = loaded(text)
        if isinstance(part, UnknownBlock):
            continue
        if part.get("type") == "file":
            yield part
        elif part.get("type") == "tool" and is_dict(state := part.get("state")):
            attachments = state.get("attachments")
            yield from filter(is_dict, attachments if isinstance(attachments, list) else ())


def _entry(parts: str | None) -> dict[str, Any] | None:
    """The parts of an entry of the second store; None for those of a message of the first."""
    found = loaded(parts) if parts is not None and parts.startswith("{") else None
    return found if is_dict(found) else None


def _texts(parts: str | None) -> Iterator[Any]:
    try:
        found = load_json(parts)
    except ValueError:
        found = [parts]
    yield from found if isinstance(found, list) else ()


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
            yield attachment(part)
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
    status = CALL_STATUSES.get(string(state.get("status")))
    output = state.get("error" if status == "error" else "output")
    yield ToolCall(
        id=string(part.get("callID")),
        name=string(part.get("tool")) or "tool",
        input=state.get("input"),
        status=status,
        output=None if output is None else labelled(output),
        diff=diff_of(state.get("metadata")),
        duration_ms=_duration(state),
    )
    attachments = state.get("attachments")
    for file in attachments if isinstance(attachments, list) else ():
        if is_dict(file):
            yield attachment(file)


def _duration(timed: dict[str, Any]) -> int | None:
    time = timed.get("time")
    if not is_dict(time):
        return None
    return duration_of(time.get("start"), time.get("end"))


def _error(error: dict[str, Any]) -> str:
    """``name: message`` of an error; its other fields (response headers and bodies) may hold secrets."""
    data = error.get("data")
    message = string(data.get("message")) if is_dict(data) else ""
    name = string(error.get("name"))
    return ": ".join(word for word in (name, message or string(error.get("message"))) if word) or "unknown error"
