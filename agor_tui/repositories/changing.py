"""Changes to rows as users saw them: compared and written in one transaction, taken back while nothing followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from agor_tui.errors import EditConflictError, NotFoundError, quoted
from agor_tui.repositories.base import Repository
from agor_tui.repositories.writing import Writer

R = TypeVar("R")

FIELDS = {
    "store_status": "status",
    "board_id": "board",
    "task_count": "number of tasks",
    "message_count": "number of messages",
}
"""What a field of a record is called in a sentence, where that is another word."""


@dataclass(frozen=True, slots=True)
class Written:
    """A change that was made: the common names with what stood there before and what stands there now."""

    row_id: str
    title: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    updated: tuple[datetime | None, datetime | None]


class Changes(Generic[R]):
    """Changes the rows of one repository."""

    def __init__(self, repository: Repository[R]) -> None:
        self.repository = repository
        self.writer = Writer(repository.store, repository.kind)

    def change(
        self,
        row_id: str,
        title: str,
        expected: Mapping[str, Any],
        changes: Mapping[str, Any],
    ) -> Written:
        """Write ``changes`` if the record's fields are still ``expected``; ``title`` names it in an error.

        Raises:
            EditConflictError: someone changed one of these fields. NotFoundError: someone deleted the row.
            ReadOnlyError, DatabaseError: as for any change.
        """

        def work(connection: Connection) -> Written:
            row = self.writer.lock(connection, row_id)
            self._compare(connection, row_id, title, expected)
            self.check(connection, row, changes)
            before = self.writer.values(row, changes)
            self.writer.put(connection, row, changes)
            after = self.writer.lock(connection, row_id)
            moments = (_updated(row), _updated(after))
            return Written(row_id, title, before, self.writer.values(after, changes), moments)

        return self.writer.write(work)

    def take_back(self, written: Written) -> None:
        """Write again what stood there before; raises as ``change`` where somebody has changed it since."""

        def work(connection: Connection) -> None:
            row = self.writer.lock(connection, written.row_id)
            self.refuse_changed(written, row)
            self.check(connection, row, written.before)
            back = dict(written.before)
            if written.updated[1] is not None and _updated(row) == written.updated[1]:
                back["updated_at"] = written.updated[0]  # nothing else happened to it, so nothing has
            self.writer.put(connection, row, back)

        self.writer.write(work)

    def delete(self, row_id: str, title: str, expected: Mapping[str, Any]) -> None:
        """Delete the row if the record's fields are still ``expected``; raises as ``change``."""

        def work(connection: Connection) -> None:
            self.writer.lock(connection, row_id)
            self._compare(connection, row_id, title, expected)
            self.writer.remove(connection, row_id)

        self.writer.write(work)

    def check(self, connection: Connection, row: Row[Any], changes: Mapping[str, Any]) -> None:
        """Refuse ``changes`` to a locked row that other rows forbid, by raising; nothing by default."""

    def counts(self, key: ColumnElement[Any], row_id: str, conditions: Sequence[ColumnElement[bool]]) -> list[int]:
        """Return how many rows each condition finds, all at one moment; NotFoundError where ``row_id`` is gone."""

        def work(connection: Connection) -> list[int]:
            if connection.scalar(select(key).where(key == row_id)) is None:
                kind = self.repository.kind
                raise NotFoundError(f"The {kind} {row_id} does not exist any more.", "Refresh the list.")
            return [connection.scalar(select(func.count()).where(each)) or 0 for each in conditions]

        return self.repository.store.database.read(work)

    def refuse_changed(self, written: Written, row: Row[Any]) -> None:
        """Raise EditConflictError where a locked row does not hold what was written to it."""
        now = self.writer.values(row, written.after)
        self._refuse(written.title, [(n, was, now[n]) for n, was in written.after.items() if now[n] != was])

    def _compare(self, connection: Connection, row_id: str, title: str, expected: Mapping[str, Any]) -> None:
        record = self.repository.fetch(connection, [row_id])[0]
        now = {name: getattr(record, name) for name in expected}
        self._refuse(title, [(name, was, now[name]) for name, was in expected.items() if now[name] != was])

    def _refuse(self, title: str, found: list[tuple[str, Any, Any]]) -> None:
        if not found:
            return
        kind = self.repository.kind
        differences = tuple((FIELDS.get(name, name.replace("_", " ")), was, now) for name, was, now in found)
        words = " and ".join(f"its {name} is now {shown(now)}" for name, _, now in differences)
        raise EditConflictError(
            f"Someone changed the {kind} {quoted(title)} meanwhile: {words}.", differences, "Nothing was written."
        )


def shown(value: object) -> str:
    """A value of a field in a sentence."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "empty" if value in (None, "") else quoted(value) if isinstance(value, str) else str(value)


def _updated(row: Any) -> datetime | None:
    return getattr(row, "updated_at", None)
