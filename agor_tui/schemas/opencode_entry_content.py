"""What an entry of OpenCode's second store says (``session_message.data``): its JSON as blocks.

A user's entry has ``text`` and ``files``; an assistant's has ``content``, a list of text, reasoning and tool, a call
with its result in ``state``. What happened between messages stands with the one before: a shell command of the user's
own, a compaction, and what is not known, which is shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agor_tui.records import Block, NoticeBlock, TextBlock, ThinkingBlock, ToolCall, UnknownBlock
from agor_tui.schemas.json_shapes import dump, is_dict, labelled, string
from agor_tui.schemas.opencode_parts import CALL_STATUSES, attachment, diff_of, duration_of, loaded

_Item = dict[str, Any]


def entry_blocks(data: str | None, parts: _Item) -> tuple[tuple[Block, ...], str | None]:
    """Return the blocks and the model of an entry; ``parts`` is the object that ``opencode_entries`` makes."""
    before, behind = _marks(parts)
    entry = loaded(data)
    if isinstance(entry, UnknownBlock):
        return (*before, entry, *behind), None
    model = entry.get("model")
    found = tuple(_said(entry))
    return (*before, *found, *behind), (string(model.get("id")) if is_dict(model) else "") or None


def entry_files(data: str | None) -> Iterator[_Item]:
    """Give the JSON of each file of an entry, in the order of the ``AttachmentBlock``s that ``entry_blocks`` makes."""
    entry = loaded(data)
    if isinstance(entry, UnknownBlock):
        return
    yield from _dicts(entry.get("files"))
    for item in _dicts(entry.get("content")):
        if item.get("type") == "file":
            yield item
        elif item.get("type") == "tool" and is_dict(state := item.get("state")):
            yield from _files_of(state)


def _said(entry: _Item) -> Iterator[Block]:
    text = entry.get("text")
    if isinstance(text, str):
        if text:
            yield TextBlock(text)
    elif text is not None:
        yield UnknownBlock("entry", dump(text))
    yield from map(attachment, _dicts(entry.get("files")))
    content = entry.get("content")
    if isinstance(content, list):
        for item in content:
            yield from _item(item) if is_dict(item) else (UnknownBlock("content", dump(item)),)
    elif content is not None:
        yield UnknownBlock("content", dump(content))
    error = entry.get("error")
    if error is not None:
        yield NoticeBlock("error", _error(error))


def _item(item: _Item) -> Iterator[Block]:
    kind, text = string(item.get("type")), item.get("text")
    match kind:
        case "text" if isinstance(text, str):
            if text:
                yield TextBlock(text)
        case "reasoning":
            yield ThinkingBlock(string(text), _taken(item, "created"))
        case "tool":
            yield from _tool(item)
        case "file":
            yield attachment(item)
        case _:
            yield UnknownBlock(kind or "content", text if isinstance(text, str) and text else dump(item))


def _tool(item: _Item) -> Iterator[Block]:
    state = item.get("state")
    state = state if is_dict(state) else {}
    status = CALL_STATUSES.get(string(state.get("status")))
    yield ToolCall(
        id=string(item.get("id")),
        name=string(item.get("name")) or "tool",
        input=state.get("input"),
        status=status,
        output=_output(state, failed=status == "error"),
        diff=diff_of(state.get("structured")) or diff_of(state.get("metadata")),
        duration_ms=_taken(item, "ran", "created"),
    )
    yield from map(attachment, _files_of(state))


def _output(state: _Item, *, failed: bool) -> str | None:
    """What a call gave: its error, its texts one below the other, or whatever stands in ``output``."""
    texts = [string(each.get("text")) for each in _dicts(state.get("content")) if each.get("type") == "text"]
    said = "".join(text if text.endswith("\n") else f"{text}\n" for text in texts).removesuffix("\n")
    error = state.get("error")
    if failed and error is not None:
        return "\n".join(part for part in (_error(error), said) if part)
    if texts:
        return said
    output = state.get("output")
    return None if output is None else labelled(output)


def _files_of(state: _Item) -> Iterator[_Item]:
    yield from _dicts(state.get("attachments"))
    yield from (each for each in _dicts(state.get("content")) if each.get("type") == "file")


def _taken(item: _Item, *starts: str) -> int | None:
    time = item.get("time")
    if not is_dict(time):
        return None
    start = next((time[name] for name in starts if isinstance(time.get(name), int)), None)
    return duration_of(start, time.get("completed"))


def _error(error: Any) -> str:
    """The message of an error; its other fields (response headers and bodies) may hold secrets."""
    if is_dict(error):
        return string(error.get("message")) or string(error.get("type")) or "unknown error"
    return labelled(error) or "unknown error"


def _marks(parts: _Item) -> tuple[list[Block], list[Block]]:
    """What happened before an entry, and behind it."""
    before: list[Block] = []
    behind: list[Block] = []
    marks = parts.get("marks")
    for mark in marks if isinstance(marks, list) else ():
        early, data, kind = mark
        (before if early else behind).append(_mark(kind, data))
    return before, behind


def _mark(kind: str, data: str) -> Block:
    entry = loaded(data)
    if isinstance(entry, UnknownBlock):
        return entry
    match kind:
        case "shell":
            lines = [f"$ {string(entry.get('command'))}", string(entry.get("output")).rstrip("\n")]
            return NoticeBlock("shell", "\n".join(line for line in lines if line))
        case "compaction":
            how = "automatically" if entry.get("reason") == "auto" else "on request"
            words = [f"Conversation compacted {how}", string(entry.get("summary")), string(entry.get("recent"))]
            return NoticeBlock("compaction", "\n".join(word for word in words if word))
        case _:
            return UnknownBlock(kind or "entry", dump(entry))


def _dicts(values: Any) -> Iterator[_Item]:
    yield from filter(is_dict, values if isinstance(values, list) else ())
