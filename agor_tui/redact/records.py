"""Takes secrets out of records on their way to whoever asked for them."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar, cast

from agor_tui.records import (
    AttachmentBlock,
    Board,
    Match,
    Message,
    NoticeBlock,
    Repo,
    RequestBlock,
    Session,
    SessionDetail,
    Task,
    TaskDetail,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    UnknownBlock,
    Worktree,
)
from agor_tui.redact.values import redact, redact_json_text
from agor_tui.redact.words import hide_words

R = TypeVar("R")

_PLAIN = frozenset(
    (
        "id", "short_id", "session_id", "task_id", "parent_id", "forked_from_id", "parent_tool_id", "tool_id",
        "repo_id", "board_id", "created_by", "status", "store_status", "role", "media_type", "sha_start", "sha_end",
        "database",
    )
)  # fmt: skip
"""The texts of a record that no person and no program writes as it likes."""
_TYPES = (
    Session, SessionDetail, Task, TaskDetail, Board, Repo, Worktree, Match, Message, TextBlock, ThinkingBlock,
    NoticeBlock, RequestBlock, AttachmentBlock, UnknownBlock, ToolResult, ToolCall,
)  # fmt: skip
_WORDS: dict[type, tuple[str, ...]] = {
    type: tuple(each.name for each in fields(type) if "str" in str(each.type) and each.name not in _PLAIN)
    for type in _TYPES
}
"""The fields of a record in which secrets are looked for."""


def without_secrets(record: R) -> R:
    """The record with its secrets hidden; the very same where it has none."""
    changes: dict[str, Any] = {}
    for name in _WORDS.get(type(record), ()):
        text = getattr(record, name)
        if isinstance(text, str) and (hidden := hide_words(text)) != text:
            changes[name] = hidden
    match record:
        case Message(blocks=blocks):
            hidden_blocks = tuple(without_secrets(block) for block in blocks)
            if any(one is not other for one, other in zip(blocks, hidden_blocks, strict=True)):
                changes["blocks"] = hidden_blocks
        case ToolCall(input=given) if given is not None and (hidden_input := redact(given)) != given:
            changes["input"] = hidden_input
        case UnknownBlock(text=text) if (hidden := redact_json_text(text)) != text:
            changes["text"] = hidden
    return cast("R", replace(cast("Any", record), **changes)) if changes else record
