"""Tasks: pages by filter, the tasks of a session, one with its prompt and cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import FromClause, Select, exists, func, literal, not_, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from agor_tui.db.statement import parameter
from agor_tui.db.types import Id, Instant, instant_of_text
from agor_tui.filters import TaskFilter
from agor_tui.records import Count, Cursor, Page, Task, TaskDetail
from agor_tui.redact import hide_words
from agor_tui.repositories.base import Repository, decoded
from agor_tui.repositories.conditions import contains
from agor_tui.repositories.messages import of_task
from agor_tui.repositories.names import Names
from agor_tui.repositories.paging import Asked
from agor_tui.repositories.sessions import SessionRepository, names_places, status_conditions

_LISTED = (
    "id", "session_id", "title", "store_status", "created_at", "started_at", "completed_at", "range_start",
    "range_end", "duration_ms", "model", "tool_use_count", "queue_position",
)  # fmt: skip
_DETAIL = (
    "prompt", "tokens_input", "tokens_output", "tokens_cache_read", "tokens_cache_write", "cost", "error",
    "sha_start", "sha_end", "report", "data",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opening:
    """The task that a message opens, and the task's prompt."""

    task: Task
    prompt: str | None


class TaskRepository(Repository[Task]):
    """The tasks of a store."""

    kind = "task"
    title = "title"

    def list_columns(self, source: FromClause) -> list[ColumnElement[Any]]:
        return [source.c[name] for name in _LISTED]

    def record(self, row: Any, short_id: str) -> Task:
        # Stores often leave the times NULL; the range of the messages and the duration say them.
        started = row.started_at or instant_of_text(row.range_start)
        completed = row.completed_at or instant_of_text(row.range_end)
        duration = row.duration_ms
        if completed is None and started is not None and duration is not None and row.range_end is not None:
            completed = _later(started, duration)
        if duration is None and started is not None and completed is not None and completed >= started:
            duration = (completed - started) // timedelta(milliseconds=1)
        return Task(
            id=row.id,
            short_id=short_id,
            session_id=row.session_id or "",
            title=row.title or "",
            status=self.store.schema.task_statuses.get(row.store_status, row.store_status or "unknown"),
            store_status=row.store_status or "unknown",
            created_at=row.created_at,
            started_at=started,
            completed_at=completed,
            duration_ms=duration,
            model=row.model,
            tool_use_count=row.tool_use_count,
            queue_position=row.queue_position,
        )

    def find(self, filter: TaskFilter, asked: Asked) -> Page[Task]:
        """Return a page of the tasks that ``filter`` lets through, newest first."""

        def work(connection: Connection) -> Page[Task]:
            return self.page(
                connection,
                asked,
                key=self.source.c.created_at,
                descending=True,
                conditions=lambda: self._conditions(filter, connection),
                shape=None if names_places(filter) or filter.session_id is not None else filter,
            )

        return cast("Page[Task]", self.read(work))

    def count(self, filter: TaskFilter) -> Count:
        """Return how many tasks ``filter`` lets through."""

        def work(connection: Connection) -> Count:
            query = select(func.count()).select_from(self.source).where(*self._conditions(filter, connection))
            return Count(connection.scalar(query) or 0)

        return cast("Count", self.read(work))

    def of_session(self, session_id: str) -> tuple[Task, ...]:
        """Return all tasks of a session in the order they were asked, queued ones last by their position."""

        def work(connection: Connection) -> tuple[Task, ...]:
            statement = self._kept("of session", self._of_session_query, connection)
            return self.fetch(connection, [row.id for row in statement.rows(connection, session=session_id)])

        return cast("tuple[Task, ...]", self.read(work))

    def _of_session_query(self) -> Select[Any]:
        source = self.source
        asked = [source.c[name] for name in self.store.schema.task_order]
        order = (source.c.queue_position.is_not(None), source.c.queue_position, *asked)
        return select(source.c.id).where(source.c.session_id == parameter("session", Id())).order_by(*order)

    def cursor(self, id_or_prefix: str) -> Cursor:
        """Return the place of a task in the order of ``find``; raises as ``get``."""

        def work(connection: Connection) -> Cursor:
            return self.cursor_in(connection, id_or_prefix, self.source.c.created_at)

        return cast("Cursor", self.read(work))

    def opening(self, task_id: str, message_id: str) -> Opening | None:
        """Return a task with its prompt if ``message_id`` is its first message; None where it is not."""

        def work(connection: Connection) -> Opening | None:
            first = self._kept("first message", self._first_query, connection).rows(connection, task=task_id)
            if [row.id for row in first] != [message_id]:
                return None
            found = self.fetch(connection, [task_id], may_be_gone=True)
            if not found:
                return None
            prompt = self._kept("prompt", self._prompt_query, connection).rows(connection, task=task_id)[0].prompt
            return Opening(found[0], prompt if self.store.secrets or not prompt else hide_words(prompt))

        return cast("Opening | None", self.read(work))

    def _first_query(self) -> Select[Any]:
        schema = self.store.schema
        order = [schema.messages.c[name] for name in schema.message_order]
        return select(schema.messages.c.id).where(of_task(schema, parameter("task", Id()))).order_by(*order).limit(1)

    def _prompt_query(self) -> Select[Any]:
        return select(self.source.c.prompt).where(self.source.c.id == parameter("task", Id()))

    def detail(self, id_or_prefix: str) -> TaskDetail:
        """Return a task with its prompt, cost, error and what it changed; raises as ``get``."""

        def work(connection: Connection) -> TaskDetail:
            wanted = self.resolve_in(connection, id_or_prefix)
            task = self.fetch(connection, [wanted])[0]
            row = self._kept("detail", self._detail_query, connection).rows(connection, task=wanted)[0]
            messages = self._kept("messages", self._messages_query, connection).rows(connection, task=wanted)[0]
            found = row._asdict()
            raw = decoded(found.pop("data"), secrets=self.store.secrets)
            found["cost"] = None if found["cost"] is None else round(float(found["cost"]), 10)
            return self.shown(TaskDetail(task=task, message_count=messages.number, raw=raw, **found))

        return cast("TaskDetail", self.read(work))

    def _detail_query(self) -> Select[Any]:
        source = self.source
        return select(*(source.c[name] for name in _DETAIL)).where(source.c.id == parameter("task", Id()))

    def _messages_query(self) -> Select[Any]:
        of_this = of_task(self.store.schema, parameter("task", Id()))
        return select(func.count().label("number")).select_from(self.store.schema.messages).where(of_this)

    def _conditions(self, filter: TaskFilter, connection: Connection) -> list[ColumnElement[bool]]:
        source = self.source
        conditions: list[ColumnElement[bool]] = []
        sessions = SessionRepository(self.store)
        if filter.session_id is not None:
            conditions.append(source.c.session_id == sessions.resolve_in(connection, filter.session_id))
        elif places := sessions.in_places(filter, Names(self.store, connection)):
            conditions.append(exists(select(literal(1)).where(sessions.keys.c.id == source.c.session_id, *places)))
        if filter.status:
            conditions += status_conditions(source.c.store_status, filter.status, self.store.schema.task_statuses)
        if filter.since is not None:
            conditions.append(source.c.created_at >= literal(filter.since, Instant()))
        if filter.until is not None:
            conditions.append(source.c.created_at < literal(filter.until, Instant()))
        sought = (source.c.title, source.c.prompt)
        conditions += [contains(sought, word) for word in filter.words]
        conditions += [not_(func.coalesce(contains(sought, word), False)) for word in filter.without]
        return conditions


def _later(start: datetime, ms: int) -> datetime | None:
    try:
        return start + timedelta(milliseconds=ms)
    except OverflowError:
        return None
