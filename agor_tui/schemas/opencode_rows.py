"""OpenCode's tables as native rows (see ``agor_tui.db.row_format``): repos, worktrees, sessions, tasks and messages.

The rows are made from the common columns that the app shows of an OpenCode file (``schemas.opencode``), so that a copy
reads as the file itself does. Ids stay as they are. A folder, for which the store has no row, is a worktree whose id is
its path; where sessions of several projects or branches ran in one folder, the further ones add those to it. Parts of
messages become Agor's content blocks, what has no column there stands in ``data``.

What native rows cannot say: that nobody is known to have made a session (``anonymous``); that one has no model though
its prompts have; that a prompt has no words, only files or a compaction (an empty text); a status of a call that the
program has no word for, once there is an answer (``completed``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from sqlalchemy import Select, func, select, type_coerce
from sqlalchemy.engine import Connection
from sqlalchemy.types import BigInteger, NullType

from agor_tui.db.catalog import read_catalog
from agor_tui.db.row_format import FORMATS, Row
from agor_tui.db.tables import MESSAGE_ROLES
from agor_tui.db.types import dump_json, keep_text, load_json
from agor_tui.schemas.json_shapes import is_dict
from agor_tui.schemas.opencode import build
from agor_tui.schemas.opencode_messages import native_message
from agor_tui.schemas.opencode_strays import left_behind, strays
from agor_tui.schemas.opencode_tables import Column, Tables
from agor_tui.transfers import NOT_COPIED, Finding

_STREAMED = 500
"""Rows fetched at once."""

_IN_COLUMNS = (
    *("id", "project_id", "parent_id", "fork_session_id", "directory", "title", "model", "version"),
    *("time_created", "time_updated", "workspace_id", "tokens_input", "tokens_output", "cost"),
)
"""What of OpenCode's session a native row says elsewhere than in its own context."""

_NO_PROJECT = "global"
"""The program's own id for the sessions of no project, for those that name none."""

_Values = dict[str, Any]
_Place = tuple[str, str, str]
"""Where a session ran: its folder, its project's id, its branch or an empty text."""


def rows_of(connection: Connection, tenant: str | None, found: list[Finding]) -> OpencodeRows:
    """Return OpenCode's tables as a ``RowMapping``; the store has no tenants."""
    return OpencodeRows(connection, found)


class OpencodeRows:
    """The tables of one OpenCode file as native rows."""

    def __init__(self, connection: Connection, found: list[Finding]) -> None:
        self._connection = connection
        self._found = found
        catalog = read_catalog(connection)
        self._schema = build(catalog, "sqlite", None)
        self._makers: dict[str, Callable[[str | None], Iterator[_Values]]] = {
            "repos": self._repo_rows,
            "worktrees": self._worktree_rows,
            "sessions": self._session_rows,
            "tasks": self._task_rows,
            "messages": self._message_rows,
        }
        self.tables = tuple(name for name in FORMATS if name in self._makers)
        tables = Tables(catalog)
        self._found += strays(connection, tables)
        self.left_aside = tuple(left_behind(connection, tables))

    def count(self, table: str) -> int:
        """Return how many rows ``table`` has."""
        match table:
            case "repos":
                return len(self._slugs)
            case "worktrees":
                return len(self._places)
            case "sessions":
                ids = self._schema.ids["session"]
            case "tasks":
                ids = self._schema.ids["task"]
            case _:
                ids = self._schema.ids["message"]
        return int(self._connection.execute(select(func.count()).select_from(ids)).scalar_one())

    def rows(self, table: str, after: str | None) -> Iterator[Row]:
        """Give the native rows of ``table``, ordered by the bytes of their key, those past ``after``."""
        columns = FORMATS[table].columns
        kept = FORMATS[table].at("id", "text", "instant", "integer", "flag")  # a text may stand in any of them
        for values in self._makers[table](after):
            row = [values.get(each.name, False if each.kind == "flag" else None) for each in columns]
            for place in kept:
                value = row[place]
                row[place] = keep_text(value) if isinstance(value, str) else value
            yield tuple(row)

    # Where sessions ran

    @cached_property
    def _slugs(self) -> dict[str, str]:
        """The slug of each project by its id, in the order of ids; all differ."""
        named: dict[str, str] = {}
        if self._schema.repos is not None:
            repos = self._schema.repos
            named = dict(self._pairs(select(repos.c.id, repos.c.name)))
        used = self._connection.scalars(select(self._project).distinct())
        named |= {id: id for id in used if id not in named}
        slugs: dict[str, str] = {}
        taken: set[str] = set()
        for id in sorted(named, key=_bytes):
            slug = named[id]
            if slug in taken:
                slug = f"{slug} ({id})"
                self._found.append(Finding("repos", id, "slug", "another project has the same name", f"named {slug}"))
            taken.add(slug)
            slugs[id] = slug
        return slugs

    @cached_property
    def _places(self) -> dict[_Place, tuple[str, int]]:
        """Of each place the id of its worktree and when it was first used, in the order of ids."""
        folder, project, branch = self._place_columns()
        first = func.min(type_coerce(self._schema.sessions.c.created_at, BigInteger()))
        query = (
            select(folder, project, branch, first).group_by(folder, project, branch).order_by(folder, project, branch)
        )
        found: dict[_Place, tuple[str, int]] = {}
        known: set[str] = set()
        for folder_, project_, branch_, began in self._connection.execute(query):
            id = folder_ if folder_ not in known else " ".join(part for part in (folder_, project_, branch_) if part)
            known.add(id)
            found[folder_, project_, branch_] = (id, began)
        return dict(sorted(found.items(), key=lambda item: _bytes(item[1][0])))

    @property
    def _project(self) -> Column:
        return func.coalesce(self._schema.sessions.c.repo_id, _NO_PROJECT)

    def _place_columns(self) -> tuple[Column, Column, Column]:
        sessions = self._schema.sessions
        return sessions.c.worktree_id, self._project, func.coalesce(sessions.c.branch, "")

    def _repo_rows(self, after: str | None) -> Iterator[_Values]:
        created = type_coerce(self._schema.sessions.c.created_at, BigInteger())
        first = self._connection.execute(select(self._project, func.min(created)).group_by(self._project))
        began = {row[0]: row[1] for row in first}
        stored: dict[str, Any] = {}
        if self._schema.repos is not None:
            repos = self._schema.repos
            query = select(repos.c.id, repos.c.path, type_coerce(repos.c.created_at, BigInteger()))
            stored = {id: (path, at) for id, path, at in self._connection.execute(query)}
        for id, slug in self._slugs.items():
            if after is None or _bytes(id) > _bytes(after):
                path, at = stored.get(id, (None, None))
                at = at if at is not None else began.get(id, 0)
                data = {"name": slug, "local_path": path}
                yield {"repo_id": id, "created_at": at, "updated_at": at, "slug": slug, "data": _json(data)}

    def _worktree_rows(self, after: str | None) -> Iterator[_Values]:
        for number, ((folder, project, branch), (id, began)) in enumerate(self._places.items(), 1):
            if after is None or _bytes(id) > _bytes(after):
                yield {
                    "worktree_id": id,
                    "repo_id": project,
                    "created_at": began,
                    "updated_at": began,
                    "created_by": "anonymous",
                    "name": folder,
                    "ref": branch,
                    "worktree_unique_id": number,
                    "data": _json({"path": folder}),
                }

    # What was said in them

    def _session_rows(self, after: str | None) -> Iterator[_Values]:
        sessions = self._schema.sessions
        common = (
            *(
                "store_status",
                "tool",
                "title",
                "parent_id",
                "forked_from_id",
                "model",
                "archived",
                "context_used",
                "data",
            ),
            *("tokens_input", "tokens_output", "cost"),
        )
        times = ("created_at", "updated_at")
        query = select(
            sessions.c.id,
            *(sessions.c[name] for name in common),
            *(type_coerce(sessions.c[name], BigInteger()).label(name) for name in times),
            *(each.label(f"place_{at}") for at, each in enumerate(self._place_columns())),
        ).order_by(sessions.c.id)
        for row in self._streamed("sessions", query, sessions.c.id, after):
            yield {
                "session_id": row.id,
                "created_at": row.created_at,
                "updated_at": row.updated_at,
                "created_by": "anonymous",
                "status": row.store_status,
                "agentic_tool": row.tool,
                "parent_session_id": row.parent_id,
                "forked_from_session_id": row.forked_from_id,
                "worktree_id": self._places[row.place_0, row.place_1, row.place_2][0],
                "data": _json(self._session_data(row)),
                "archived": bool(row.archived),
            }

    def _session_data(self, row: Any) -> _Values:
        try:
            stored = load_json(row.data)
        except ValueError as error:  # nested more deeply than can be written again
            self._found.append(Finding("sessions", row.id, "data", str(error), "left out"))
            stored = {}
        model = stored.get("model")
        config = {"model": row.model, "provider": model.get("providerID") if is_dict(model) else None}
        context = {
            name: value for name, value in stored.items() if name not in _IN_COLUMNS and value not in (None, "", 0)
        }
        if isinstance(model, str):
            context["model"] = model  # not the JSON that it should be
        todos = self._schema.session_facts.get("Todos")
        if todos is not None:
            found = self._connection.execute(todos, {"session_id": row.id}).all()
            context |= {"todos": [todo._asdict() for todo in found]} if found else {}
        return {
            "title": row.title,
            "agentic_tool_version": stored.get("version"),
            "model_config": {name: value for name, value in config.items() if value is not None} or None,
            "totals": {"tokens_input": row.tokens_input, "tokens_output": row.tokens_output, "cost": row.cost},
            "current_context_usage": row.context_used,
            "custom_context": {row.tool: context},
        }

    def _task_rows(self, after: str | None) -> Iterator[_Values]:
        tasks = self._schema.tasks
        common = (
            *("id", "session_id", "store_status", "title", "prompt", "model", "tool_use_count", "duration_ms", "error"),
            *("tokens_input", "tokens_output", "tokens_cache_read", "tokens_cache_write", "cost"),
        )
        times = ("created_at", "started_at", "completed_at")
        query = select(
            *(tasks.c[name] for name in common),
            *(type_coerce(tasks.c[name], BigInteger()).label(name) for name in times),
        ).order_by(tasks.c.id)
        for row in self._streamed("tasks", query, tasks.c.id, after):
            usage = {
                "inputTokens": row.tokens_input,
                "outputTokens": row.tokens_output,
                "cacheReadTokens": row.tokens_cache_read,
                "cacheCreationTokens": row.tokens_cache_write,
            }
            data = {
                "description": row.title,
                "full_prompt": row.prompt or "",  # without one readers take the title for the prompt
                "model": row.model,
                "tool_use_count": row.tool_use_count,
                "duration_ms": row.duration_ms,
                "normalized_sdk_response": {"tokenUsage": usage, "costUsd": row.cost},
                "error_message": row.error,
            }
            yield {
                "task_id": row.id,
                "session_id": row.session_id,
                "created_at": row.created_at,
                "completed_at": row.completed_at,
                "status": row.store_status,
                "created_by": "anonymous",
                "data": _json(data),
                "started_at": row.started_at,
            }

    def _message_rows(self, after: str | None) -> Iterator[_Values]:
        messages = self._schema.messages
        names = (
            *("id", "session_id", "task_id", "index", "role", "queued", "queue_position", "reverted", "data", "parts"),
        )
        at = type_coerce(messages.c.created_at, BigInteger()).label("at")
        query = select(*(messages.c[name] for name in names), at).order_by(messages.c.id)
        for row in self._streamed("messages", query, messages.c.id, after):
            role = row.role
            if role not in MESSAGE_ROLES:
                self._found.append(Finding("messages", row.id, "role", f"{role[:60]!r} is no role", "kept as system"))
                role = "system"
            data, preview = native_message(row.data, row.parts, row.id, reverted=bool(row.reverted))
            yield {
                "message_id": row.id,
                "created_at": row.at,
                "session_id": row.session_id,
                "task_id": row.task_id,
                "type": role,
                "role": role,
                "index": row.index,
                "timestamp": row.at,
                "content_preview": preview,
                "data": data,
                "status": "queued" if row.queued else None,
                "queue_position": row.queue_position,
            }

    def _pairs(self, query: Select[Any]) -> Iterator[tuple[str, Any]]:
        return (tuple(row) for row in self._connection.execute(query))

    def _streamed(self, table: str, query: Select[Any], key: Column, after: str | None) -> Iterator[Any]:
        is_text = func.typeof(type_coerce(key, NullType())) == "text"
        if after is not None:
            query = query.where(key > after)
        else:
            nameless = select(func.count()).select_from(query.where(~is_text).order_by(None).subquery())
            if number := self._connection.execute(nameless).scalar_one():
                what = f"{number} row{'s have' if number != 1 else ' has'} no text for an id"
                self._found.append(Finding(table, "without an id", None, what, NOT_COPIED))
        query = query.where(is_text)
        yield from self._connection.execution_options(stream_results=True, yield_per=_STREAMED).execute(query)


def _json(values: _Values) -> str:
    """JSON of what is known."""
    return dump_json({name: value for name, value in values.items() if value is not None})


def _bytes(id: str | None) -> bytes:
    return (id or "").encode("utf-8", "surrogatepass")
