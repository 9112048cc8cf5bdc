"""Records as JSON for programs: the one place that fixes field names, their order, and how times and text are written.

Times are ISO 8601 in UTC with milliseconds (``2025-10-06T09:14:02.123Z``). The output is always valid UTF-8 that every
reader takes and every terminal shows: U+FFFD stands for a lone surrogate, which jq and others refuse even as an escape,
and characters that steer a terminal or are not seen are written as escapes, which load back as the same text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar

import orjson

from agor_tui.config.places import PostgresPlace, describe
from agor_tui.database_records import DatabaseSurvey, DatabaseTest, MigrationStatus
from agor_tui.errors import AgorError
from agor_tui.records import Board, Match, Message, Session, SessionDetail, Task, TaskDetail, ToolCall, TreeNode
from agor_tui.redact import redact_text
from agor_tui.services.configuration import ConfigValue, NamedDatabase
from agor_tui.services.conversation import readable_text
from agor_tui.text import INVISIBLE

R = TypeVar("R")

_DEEPEST = 200
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSEEN = re.compile(f"[\x7f-\x9f\u2028\u2029\ufdd0-\ufdef\ufffe\uffff{INVISIBLE}]")


def iso(moment: datetime | None) -> str | None:
    """``2025-10-06T09:14:02.123Z`` for an aware UTC time, None for none."""
    return None if moment is None else moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def dumps(value: Any) -> bytes:
    """One line of JSON in UTF-8 for programs, whatever is in ``value``.

    A lone surrogate becomes U+FFFD, a number that JSON has no word for null, and what lies deeper than 200 levels a
    sentence that says so. C1 controls, bidirectional and zero-width characters, tags and the like are escaped.
    """
    text = compact(value)
    if text.isascii() and "\x7f" not in text:
        return text.encode()
    return _UNSEEN.sub(_escape, text).encode()


def compact(value: Any) -> str:
    """One line of JSON to be shown to a person: as ``dumps``, with all characters as they are."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(_plain(value, 0), ensure_ascii=False, separators=(",", ":"))


def _escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def _plain(value: Any, depth: int) -> Any:
    """``value`` without what the standard encoder cannot write as JSON that every reader takes."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int)):
        return value
    if not isinstance(value, (dict, list, tuple)):
        return _whole(str(value))
    if depth == _DEEPEST:
        return f"[nested deeper than {_DEEPEST} levels]"
    if not isinstance(value, dict):
        return [_plain(item, depth + 1) for item in value]
    plain: dict[str, Any] = {}
    for key, item in value.items():
        name = _whole(str(key))
        while name in plain:  # keys that differ in their halves of pairs alone
            name += "\ufffd"
        plain[name] = _plain(item, depth + 1)
    return plain


def _whole(text: str) -> str:
    """The text with U+FFFD for each lone surrogate; both halves of a pair that stand apart are a character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _SURROGATE.search(text) else text


def _sorted(value: Any, depth: int = 0) -> Any:
    """A stored JSON value with its keys sorted, as far down as it is written.

    jsonb keeps no order of keys, and the same rows shall give the same bytes on either dialect.
    """
    if depth < _DEEPEST and isinstance(value, dict):
        return {key: _sorted(value[key], depth + 1) for key in sorted(value)}
    if depth < _DEEPEST and isinstance(value, list):
        return [_sorted(item, depth + 1) for item in value]
    return iso(value) if isinstance(value, datetime) else value


def array(rows: Iterable[R], shape: Callable[[R], dict[str, Any]]) -> Iterator[bytes]:
    """One JSON array in pieces, an object a line; holds one row at a time."""
    before = b"[\n"
    for row in rows:
        yield before + dumps(shape(row))
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def session_json(session: Session) -> dict[str, Any]:
    """A session as lists give it."""
    return {
        "id": session.id,
        "short_id": session.short_id,
        "title": session.title,
        "status": session.status,
        "store_status": session.store_status,
        "tool": session.tool,
        "created_at": iso(session.created_at),
        "updated_at": iso(session.updated_at),
        "created_by": session.created_by,
        "parent_id": session.parent_id,
        "forked_from_id": session.forked_from_id,
        "repo": session.repo,
        "worktree": session.worktree,
        "branch": session.branch,
        "board": session.board,
        "archived": session.archived,
        "model": session.model,
        "task_count": session.task_count,
        "message_count": session.message_count,
        "tokens_input": session.tokens_input,
        "tokens_output": session.tokens_output,
        "cost": session.cost,
    }


def session_detail_json(
    detail: SessionDetail, ancestors: Iterable[Session], children: Iterable[Session]
) -> dict[str, Any]:
    """A session with what its store says besides; ``ancestors`` are ids, nearest first."""
    return session_json(detail.session) | {
        "description": detail.description,
        "created_by_name": detail.created_by_name,
        "context_used": detail.context_used,
        "context_limit": detail.context_limit,
        "ancestors": [session.id for session in ancestors],
        "children": [session.id for session in children],
        "details": {
            group.title: {detail.label: _sorted(detail.value) for detail in group.details} for group in detail.groups
        },
        "raw": _sorted(detail.raw),
    }


def task_json(task: Task) -> dict[str, Any]:
    """A task as lists give it."""
    return {
        "id": task.id,
        "short_id": task.short_id,
        "session_id": task.session_id,
        "title": task.title,
        "status": task.status,
        "store_status": task.store_status,
        "created_at": iso(task.created_at),
        "started_at": iso(task.started_at),
        "completed_at": iso(task.completed_at),
        "duration_ms": task.duration_ms,
        "model": task.model,
        "tool_use_count": task.tool_use_count,
    }


def task_detail_json(detail: TaskDetail) -> dict[str, Any]:
    """A task with its whole prompt, its cost and what it changed."""
    return task_json(detail.task) | {
        "queue_position": detail.task.queue_position,
        "prompt": detail.prompt,
        "message_count": detail.message_count,
        "tokens_input": detail.tokens_input,
        "tokens_output": detail.tokens_output,
        "tokens_cache_read": detail.tokens_cache_read,
        "tokens_cache_write": detail.tokens_cache_write,
        "cost": detail.cost,
        "error": detail.error,
        "sha_start": detail.sha_start,
        "sha_end": detail.sha_end,
        "report": detail.report,
        "raw": _sorted(detail.raw),
    }


def message_json(message: Message) -> dict[str, Any]:
    """A message of a conversation; ``message`` has its calls paired with their results already."""
    return {
        "id": message.id,
        "session_id": message.session_id,
        "task_id": message.task_id,
        "index": message.index,
        "role": message.role,
        "type": message.type,
        "timestamp": iso(message.timestamp),
        "text": readable_text(message),
        "tool_calls": [
            {"name": block.name, "input": _sorted(block.input), "status": block.status, "output": block.output}
            for block in message.blocks
            if isinstance(block, ToolCall)
        ],
    }


def board_json(board: Board) -> dict[str, Any]:
    """A board and how many sessions it has."""
    return {
        "id": board.id,
        "short_id": board.short_id,
        "name": board.name,
        "slug": board.slug,
        "description": board.description,
        "archived": board.archived,
        "created_at": iso(board.created_at),
        "updated_at": iso(board.updated_at),
        "created_by": board.created_by,
        "session_count": board.session_count,
    }


def match_json(match: Match) -> dict[str, Any]:
    """The row that an id names."""
    return {
        "kind": match.kind,
        "id": match.id,
        "short_id": match.short_id,
        "title": match.title,
        "time": iso(match.time),
        "session_id": match.session_id,
    }


def tree_json(root: TreeNode) -> Iterator[bytes]:
    """A tree as one object in pieces: a session with the fields of its ``TreeNode`` and its children, to any depth."""
    pending: list[TreeNode | bytes] = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, bytes):
            yield node
            continue
        own = session_json(node.session) | {"relation": node.relation, "cut": node.cut, "more": node.more}
        if node is root:
            own["above"] = node.above
        yield dumps(own)[:-1] + b',"children":['
        pending.append(b"]}")
        for number, child in enumerate(reversed(node.children)):
            if number:
                pending.append(b",\n")
            pending.append(child)
    yield b"\n"


def database_test_json(test: DatabaseTest) -> dict[str, Any]:
    """What ``db test`` learned; the two times in milliseconds."""
    info = test.info
    return {
        "label": info.label,
        "dialect": info.dialect,
        "server_version": info.server_version,
        "kind": info.kind,
        "owner": info.owner,
        "place": info.place,
        "origin": info.origin,
        "read_only": info.read_only,
        "tenant": info.tenant,
        "connect_ms": round(test.connect_ms, 3),
        "latency_ms": round(test.latency_ms, 3),
    }


def named_database_json(named: NamedDatabase, answer: DatabaseSurvey | AgorError | None) -> dict[str, Any]:
    """A database of the config; ``answer`` is what it said when it was asked, if it was."""
    place = named.place
    found: dict[str, Any] = {
        "name": named.name,
        "target": named.target,
        "default": named.is_default,
        "dialect": None if place is None else "postgresql" if isinstance(place, PostgresPlace) else "sqlite",
        "place": None if place is None else describe(place),
        "read_only": place is not None and place.read_only,
        "password": named.password.kind,
        "origin": named.origin,
        "error": named.error,
    }
    if isinstance(answer, AgorError):
        found |= {"ok": False, "error": redact_text(answer.message)}
    elif answer is not None:
        found |= {
            "ok": True,
            "server_version": answer.info.server_version,
            "kind": answer.info.kind,
            "owner": answer.info.owner,
            "schema": answer.schema.state,
            "sessions": answer.sessions.value if answer.sessions else None,
            "size": answer.size,
            "connect_ms": round(answer.connect_ms, 3),
            "latency_ms": round(answer.latency_ms, 3),
            "away": redact_text(answer.away) or None,
        }
    return found


def config_value_json(value: ConfigValue) -> dict[str, Any]:
    """One setting; secrets are masked already."""
    return {"key": value.key, "value": value.value, "origin": value.origin}


def migration_status_json(status: MigrationStatus) -> dict[str, Any]:
    """The revisions of a database in order, and what differs from the models."""
    return {
        "kind": status.kind,
        "owner": status.owner,
        "current": status.current,
        "head": status.head,
        "revisions": [
            {
                "id": revision.id,
                "name": revision.name,
                "state": revision.state,
                "applied_at": iso(revision.applied_at),
                "duration_ms": revision.duration_ms,
                "checksum": revision.checksum,
                "applied_by": revision.applied_by,
                "tool_version": revision.tool_version,
            }
            for revision in status.revisions
        ],
        "drift": list(status.drift),
    }
