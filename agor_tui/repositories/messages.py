"""Messages: a conversation by position, by index range, of a session or a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import FromClause, Select, and_, func, not_, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from agor_tui.errors import NotFoundError
from agor_tui.records import Block, Message, NoticeBlock
from agor_tui.repositories.base import Repository
from agor_tui.repositories.faults import Unread
from agor_tui.schemas.base import Schema

_COLUMNS = (
    "id", "session_id", "task_id", "index", "role", "type", "timestamp", "parent_tool_id", "queued", "reverted",
    "data", "parts",
)  # fmt: skip


def of_task(schema: Schema, task_id: str | ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that a message is of a task: of its session first, since not every store indexes tasks."""
    tasks, messages = schema.tasks, schema.messages
    session = select(tasks.c.session_id).where(tasks.c.id == task_id).scalar_subquery()
    return and_(messages.c.session_id == session, messages.c.task_id == task_id)


class MessageRepository(Repository[Message]):
    """The messages of a store, in the order in which a conversation reads."""

    kind = "message"
    title = "role"
    time = "timestamp"
    rows_apart = False

    def list_columns(self, source: FromClause) -> list[ColumnElement[Any]]:
        return [source.c[name] for name in _COLUMNS]

    def record(self, row: Any, short_id: str) -> Message:
        blocks: tuple[Block, ...]
        if isinstance(row, Unread):
            blocks, model = (NoticeBlock("unreadable", row.title),), None
        else:
            blocks, model = self.store.schema.blocks(row.data, row.parts, row.type or "")
        return Message(
            id=row.id,
            session_id=row.session_id or "",
            task_id=row.task_id,
            index=row.index,
            role=row.role or "unknown",
            type=row.type or "unknown",
            timestamp=row.timestamp,
            blocks=blocks,
            parent_tool_id=row.parent_tool_id,
            model=model,
            queued=bool(row.queued),
            reverted=bool(row.reverted),
        )

    def count(self, session_id: str) -> int:
        """Return how many messages a session has, queued ones included."""
        source = self.source
        query = select(func.count()).select_from(source).where(source.c.session_id == session_id)
        return cast("int", self.read(lambda connection: connection.scalar(query)))

    def window(self, session_id: str, start: int, limit: int) -> tuple[Message, ...]:
        """Return up to ``limit`` messages (0: all) from position ``start``, counted from 0; queued ones stand last."""

        def work(connection: Connection) -> tuple[Message, ...]:
            said = self._ordered(session_id, queued=False).offset(start)
            wanted = list(connection.scalars(said.limit(limit) if limit else said))
            if self.store.schema.waiting is not None and (not limit or len(wanted) < limit):
                skipped = 0
                if not wanted and start:
                    count = select(func.count()).select_from(self._ordered(session_id, queued=False).subquery())
                    skipped = max(0, start - (connection.scalar(count) or 0))
                waiting = self._ordered(session_id, queued=True).offset(skipped)
                wanted += connection.scalars(waiting.limit(limit - len(wanted)) if limit else waiting)
            return self.fetch(connection, wanted)

        return cast("tuple[Message, ...]", self.read(work))

    def of_task(self, task_id: str) -> tuple[Message, ...]:
        """Return the messages of a task in order."""
        source = self.source
        query = select(source.c.id).where(of_task(self.store.schema, task_id)).order_by(*self._order(source))
        return cast(
            "tuple[Message, ...]",
            self.read(lambda connection: self.fetch(connection, connection.scalars(query).all())),
        )

    def in_range(self, session_id: str, first: int, last: int) -> tuple[Message, ...]:
        """Return the messages of a session whose own index is between ``first`` and ``last``, both included."""
        source = self.source
        query = (
            select(source.c.id)
            .where(source.c.session_id == session_id, source.c.index.between(first, last))
            .order_by(*self._order(source))
        )
        return cast(
            "tuple[Message, ...]",
            self.read(lambda connection: self.fetch(connection, connection.scalars(query).all())),
        )

    def prompts(self, session_id: str) -> tuple[int, ...]:
        """Return the positions of the user's prompts in a conversation."""
        source = self.source
        query = self._ordered(session_id, queued=False, columns=[source.c.is_prompt])

        def work(connection: Connection) -> tuple[int, ...]:
            return tuple(position for position, found in enumerate(connection.scalars(query)) if found)

        return cast("tuple[int, ...]", self.read(work))

    def position(self, session_id: str, task_id: str) -> int | None:
        """Return the position of a task's first message in its conversation; None where it has none."""
        source = self.source
        query = self._ordered(session_id, queued=False, columns=[source.c.task_id])

        def work(connection: Connection) -> int | None:
            return next((place for place, found in enumerate(connection.scalars(query)) if found == task_id), None)

        return cast("int | None", self.read(work))

    def position_of(self, session_id: str, id_or_prefix: str) -> int:
        """Return the position of a message in its conversation; raises as ``get``."""
        query = self._ordered(session_id, queued=False)
        waiting = self._ordered(session_id, queued=True)

        def work(connection: Connection) -> int:
            wanted = self.resolve_in(connection, id_or_prefix)
            order = list(connection.scalars(query))
            if self.store.schema.waiting is not None:
                order += connection.scalars(waiting)
            if wanted not in order:
                raise NotFoundError(f"The message {wanted} is not of this session.", "Give the session it belongs to.")
            return order.index(wanted)

        return cast("int", self.read(work))

    def _order(self, source: FromClause) -> list[ColumnElement[Any]]:
        return [source.c[name] for name in self.store.schema.message_order]

    def _ordered(self, session_id: str, *, queued: bool, columns: Sequence[ColumnElement[Any]] = ()) -> Select[Any]:
        source = self.source
        # With what it is ordered by: where messages are in several tables, SQLite else makes up all of each of them.
        order = [source.c[name].label(f"by_{name}") for name in self.store.schema.message_order]
        query = select(*(columns or [source.c.id]), *order).where(source.c.session_id == session_id)
        waiting = self.store.schema.waiting
        if waiting is None:
            return query.order_by(*self._order(source))
        if queued:
            return query.where(waiting).order_by(source.c.queue_position, source.c.timestamp, source.c.id)
        return query.where(not_(waiting)).order_by(*self._order(source))
