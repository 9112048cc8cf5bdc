"""A family of sessions in a real native database: the conversations of ``talks`` as the rows that agents leave."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, update

from agor_tui.config.places import Place
from agor_tui.db.engine import Database
from agor_tui.db.tables import sessions
from agor_tui.records import (
    AttachmentBlock,
    Block,
    NoticeBlock,
    RequestBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    Turn,
    UnknownBlock,
)
from agor_tui.repositories.bulk import insert_tables

from .talks import START, rich_talk

Row = dict[str, Any]

ROOT = "0199b001-0ccc-7000-8000-000000000003"
MAIN = "0199b73d-b52e-7ed1-b028-277d6ad08cef"
CHILD = "0199b73d-1aaa-7000-8000-000000000001"
FORK = "0199b8ff-2bbb-7000-8000-000000000002"
MAIN_TITLE = "Fix retry swallowing the last exception"
MAIN_DATA = {
    "description": "The retry loop returns None.",
    "agentic_tool_version": "1.0.120",
    "permission_config": {"mode": "acceptEdits"},
    "model_config": {"model": "opus"},
    "git_state": {"ref": "fix/retry", "base_sha": "3f2a91c"},
    "custom_context": {"issue": "https://example.org/issues/7", "notes": "日本語のメモ\nline 2"},
    "current_context_usage": 61_000,
    "context_window_limit": 100_000,
}
"""What the main session's own JSON holds beside its title."""

_USER, _BOARD, _REPO, WORKTREE = (f"0199a000-000{number}-7000-8000-000000000000" for number in range(4))


def message_id(ordinal: int) -> str:
    """The id of a message of the main session."""
    return f"0199c{ordinal:03x}-0000-7000-8000-000000000000"


def task_id(number: int) -> str:
    """The id of a task of the main session, counted from 1."""
    return f"0199d00{number}-0000-7000-8000-000000000000"


def fill(
    place: Place, turns: Sequence[Turn] | None = None, *, title: str = MAIN_TITLE, data: Row | None = None
) -> None:
    """Put the family into an empty native database; the main session has ``turns``, by default one of everything."""
    if turns is None:
        # Agor's messages cannot be taken back.
        turns = [turn for turn in rich_talk().turns if not turn.message.reverted]
    rows = _places() | {
        "sessions": [
            _session(ROOT, "Retry audit", "completed", -60),
            _session(MAIN, title, "running", 0, parent_session_id=ROOT, more=MAIN_DATA | (data or {})),
            _session(CHILD, "Survey exception handling", "awaiting_input", 3, parent_session_id=MAIN),
            _session(
                FORK, "Try a decorator instead — 日本語", "failed", 5, agentic_tool="codex", forked_from_session_id=MAIN
            ),
        ],
        "tasks": _tasks() if turns and turns[0].task else [],
        "messages": _messages(turns),
    }
    with Database(place, writable=True) as database:
        insert_tables(database, rows)
        database.write(_fork_from_the_child)


def _fork_from_the_child(connection: Connection) -> None:
    """Make the links a cycle, which no program should write and every program must bear."""
    connection.execute(update(sessions).where(sessions.c.session_id == MAIN).values(forked_from_session_id=CHILD))


def _places() -> dict[str, list[Row]]:
    made = {"created_at": START - timedelta(days=30)}
    return {
        "users": [
            made
            | {
                "user_id": _USER,
                "email": "mira@example.org",
                "password": "",
                "name": "Mira Holloway",
                "role": "member",
                "onboarding_completed": True,
                "data": "{}",
            }
        ],
        "boards": [made | {"board_id": _BOARD, "created_by": _USER, "name": "Lighthouse", "data": "{}"}],
        "repos": [made | {"repo_id": _REPO, "slug": "quay/lanternctl", "data": "{}"}],
        "worktrees": [
            made
            | {
                "worktree_id": WORKTREE,
                "repo_id": _REPO,
                "created_by": _USER,
                "name": "fix-retry",
                "ref": "fix/retry",
                "worktree_unique_id": 1,
                "board_id": _BOARD,
                "data": json.dumps({"path": "/home/mira/src/lanternctl", "pull_request_url": "https://example.org/8"}),
            }
        ],
    }


def _session(id: str, title: str, status: str, minute: int, *, more: Row | None = None, **columns: Any) -> Row:
    row: Row = {
        "session_id": id,
        "created_at": START + timedelta(minutes=minute),
        "updated_at": START + timedelta(minutes=12),
        "created_by": _USER,
        "status": status,
        "agentic_tool": "claude-code",
        "parent_session_id": None,
        "forked_from_session_id": None,
        "worktree_id": WORKTREE,
        "data": json.dumps({"title": title} | (more or {}), ensure_ascii=False),
    }
    return row | columns


def _tasks() -> list[Row]:
    """One that is done, one that failed, and one that waits."""
    usage = {"inputTokens": 14_200, "outputTokens": 5_600, "cacheReadTokens": 94_000, "cacheCreationTokens": 1_200}
    ran = {"model": "opus", "normalized_sdk_response": {"tokenUsage": usage, "costUsd": 0.15}}
    sha = {"sha_at_start": "3f2a91c0aa11", "sha_at_end": "88b01de4bb22"}
    report = "Kept the **last** error.\n\n- raises after the loop"
    return [
        _task(1, "Make it re-raise", "completed", 0, 720_000,
              ran | {"recorded_tool_count": 18, "git_state": sha, "report": report}),
        _task(2, "Add tests", "failed", 10, 63_000,
              ran | {"recorded_tool_count": 18, "error_message": "The tests failed: 2 of 14."}),
        _task(3, "Then write the changelog", "created", 11, None, {}),
    ]  # fmt: skip


def _task(number: int, title: str, status: str, minute: int, duration: int | None, more: Row) -> Row:
    started = START + timedelta(minutes=minute)
    data = {"description": title, "full_prompt": f"{title}, please."} | more
    return {
        "task_id": task_id(number),
        "session_id": MAIN,
        "created_at": started,
        "started_at": None if duration is None else started,
        "completed_at": None if duration is None else started + timedelta(milliseconds=duration),
        "status": status,
        "created_by": _USER,
        "data": json.dumps(data | ({} if duration is None else {"duration_ms": duration})),
    }


def _messages(turns: Sequence[Turn]) -> list[Row]:
    rows, task = [], None
    for ordinal, turn in enumerate(turns):
        if turn.task is not None:
            task = task_id(int(turn.task.id.removeprefix("t")))
        rows.append(_message(turn, ordinal, task))
    return rows


def _message(turn: Turn, ordinal: int, task: str | None) -> Row:
    message = turn.message
    time = message.timestamp or START
    request = next((block for block in message.blocks if isinstance(block, RequestBlock)), None)
    kind, content = message.type, [piece for block in message.blocks for piece in _stored(block)]
    data: Row = {"content": content}
    if request is not None:
        kind, data = f"{request.kind}_request", {"content": _request(request)}
    if message.role == "assistant":
        data["metadata"] = {"model": "opus"}
    return {
        "message_id": message_id(ordinal),
        "created_at": time,
        "session_id": MAIN,
        "task_id": None if message.queued else task,
        "type": kind,
        "role": message.role,
        "index": -1 if message.queued else ordinal,
        "timestamp": time,
        "data": json.dumps(data, ensure_ascii=False),
        "parent_tool_use_id": message.parent_tool_id,
        "status": "queued" if message.queued else None,
        "queue_position": 1 if message.queued else None,
    }


def _stored(block: Block) -> list[Row]:
    """A block as Agor's agents store it; a call's result stands in the same message."""
    match block:
        case TextBlock(text):
            return [{"type": "text", "text": text}]
        case ThinkingBlock(text):
            return [{"type": "thinking", "thinking": text}]
        case ToolCall():
            error = {"is_error": True} if block.status == "error" else {}
            return [
                {"type": "tool_use", "id": block.id, "name": block.name, "input": block.input},
                {"type": "tool_result", "tool_use_id": block.id, "content": block.output, **error},
            ]
        case NoticeBlock("compaction"):
            return [{"type": "system_complete", "systemType": "compaction", "pre_tokens": 155_000}]
        case AttachmentBlock(_, name, media_type, size):
            source = {"type": "base64", "media_type": media_type, "data": "A" * ((size or 0) * 4 // 3)}
            return [{"type": "image", "title": name, "source": source}]
        case UnknownBlock(_, text):
            return [json.loads(text)]
        case _:
            return []


def _request(request: RequestBlock) -> Row:
    if request.kind == "permission":
        tool, _, command = request.title.partition(" ")
        return {"tool_name": tool, "tool_input": {"command": command}, "status": request.status}
    options = [dict(zip(("label", "description"), line.split(": "), strict=True)) for line in request.body.split("\n")]
    return {"status": request.status, "questions": [{"question": request.title, "options": options}]}
