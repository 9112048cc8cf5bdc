"""Changes to the sessions and boards of a native database: what they forbid, and what hangs on a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, exists, func, or_, select
from sqlalchemy.engine import Connection

from agor_tui.db.tables import board_comments, board_objects, boards, messages, sessions, tasks, worktrees
from agor_tui.errors import DatabaseError, NotFoundError, UsageError, quoted
from agor_tui.records import Board, BoardWeight, Session, SessionWeight
from agor_tui.repositories.changing import Changes, Written

_NAMING = (func.hashtext("agor-tui boards"), func.hashtext(func.coalesce(func.current_schema(), "")))
"""The lock of whoever gives a board a name: what others name meanwhile is seen once they have done so."""


class SessionChanges(Changes[Session]):
    """Changes to sessions."""

    def check(self, connection: Connection, row: Row[Any], changes: Mapping[str, Any]) -> None:
        """Refuse a board that is gone, and taking a session out of the archive that its worktree is in."""
        board_id = changes.get("board_id")
        if board_id is not None and not connection.scalar(select(exists().where(boards.c.board_id == board_id))):
            raise NotFoundError(f"The board {board_id} does not exist any more.", "Choose another one.")
        if changes.get("archived") is False:
            place = select(worktrees.c.name).where(worktrees.c.worktree_id == row.worktree_id, worktrees.c.archived)
            if (name := connection.scalar(place)) is not None:
                raise DatabaseError(
                    f"The session is in the archive because its worktree {quoted(name)} is.", "Nothing was changed."
                )

    def weight(self, session_id: str) -> SessionWeight:
        """Return what would be deleted with a session, and what would lose its link to it; NotFoundError: gone."""
        own_tasks = select(tasks.c.task_id).where(tasks.c.session_id == session_id)
        own_messages = select(messages.c.message_id).where(messages.c.session_id == session_id)
        on_it = or_(
            board_comments.c.session_id == session_id,
            board_comments.c.task_id.in_(own_tasks),
            board_comments.c.message_id.in_(own_messages),
        )
        below = or_(sessions.c.parent_session_id == session_id, sessions.c.forked_from_session_id == session_id)
        counted = [tasks.c.session_id == session_id, messages.c.session_id == session_id, on_it, below]
        return SessionWeight(*self.counts(sessions.c.session_id, session_id, counted))


class BoardChanges(Changes[Board]):
    """Changes to boards."""

    def create(self, values: Mapping[str, Any]) -> Written:
        """Make a board; raises UsageError where another has its name."""

        def work(connection: Connection) -> Written:
            self._require_free(connection, values["name"], None)
            row_id = self.writer.insert(connection, values)
            row = self.writer.lock(connection, row_id)
            return Written(row_id, values["name"], {}, self.writer.values(row, values), (None, None))

        return self.writer.write(work)

    def unmake(self, made: Written) -> None:
        """Delete a board that ``create`` made, if it is as it was; DatabaseError where something stands on it."""

        def work(connection: Connection) -> None:
            row = self.writer.lock(connection, made.row_id)
            self.refuse_changed(made, row)
            for table in (worktrees, sessions, board_objects, board_comments):
                if connection.scalar(select(exists().where(table.c.board_id == made.row_id))):
                    raise DatabaseError(
                        f"The board {quoted(made.title)} is in use by now, so it stays.", "Delete it if it shall go."
                    )
            self.writer.remove(connection, made.row_id)

        self.writer.write(work)

    def check(self, connection: Connection, row: Row[Any], changes: Mapping[str, Any]) -> None:
        """Refuse a name that another board has."""
        if "name" in changes:
            self._require_free(connection, changes["name"], row.board_id)

    def weight(self, board_id: str) -> BoardWeight:
        """Return what stands on a board, and what would be deleted with it; NotFoundError: gone."""
        placed = select(board_objects.c.worktree_id).where(board_objects.c.board_id == board_id)
        here = or_(
            worktrees.c.board_id == board_id, worktrees.c.board_id.is_(None) & worktrees.c.worktree_id.in_(placed)
        )
        of_these = sessions.c.worktree_id.in_(select(worktrees.c.worktree_id).where(here))
        on_it = or_(sessions.c.board_id == board_id, sessions.c.board_id.is_(None) & of_these)
        return BoardWeight(
            *self.counts(boards.c.board_id, board_id, [here, on_it, board_comments.c.board_id == board_id])
        )

    def _require_free(self, connection: Connection, name: str, own: str | None) -> None:
        if connection.dialect.name == "postgresql":  # a writing transaction of SQLite is alone anyway
            connection.execute(select(func.pg_advisory_xact_lock(*_NAMING)))
        others = connection.execute(select(boards.c.board_id, boards.c.name))
        if any(other.board_id != own and other.name.casefold() == name.casefold() for other in others):
            raise UsageError(f"There is already a board named {quoted(name)}.", "Choose another name.")
