"""Making, changing and deleting rows of a native database: by the common names, each change in one transaction.

A change merges nested objects, replaces lists, clears what it gives as None and leaves the rest untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Row, Table, delete, insert, select, update
from sqlalchemy.engine import Connection

from agor_tui import ids
from agor_tui.config.places import describe
from agor_tui.db import tables
from agor_tui.db.exact_json import dump_exact, is_repeated, load_exact
from agor_tui.db.revision import ownership, require_current
from agor_tui.errors import DatabaseError, ForeignDatabaseError, NotFoundError, ReadOnlyError, UsageError, quoted
from agor_tui.records import Kind
from agor_tui.repositories.base import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Target:
    """A table, and where the common names that are not its columns go: another column, or a path in ``data``."""

    table: Table
    key: str
    columns: Mapping[str, str]
    paths: Mapping[str, tuple[str, ...]]
    defaults: Mapping[str, Any]


_TARGETS: dict[Kind, _Target] = {
    "session": _Target(
        tables.sessions,
        "session_id",
        {"tool": "agentic_tool", "parent_id": "parent_session_id", "forked_from_id": "forked_from_session_id"},
        {"title": ("title",), "description": ("description",), "model": ("model_config", "model")},
        {"status": "idle"},
    ),
    "task": _Target(
        tables.tasks,
        "task_id",
        {},
        {
            "title": ("description",),
            "prompt": ("full_prompt",),
            "model": ("model",),
            "tool_use_count": ("tool_use_count",),
            "duration_ms": ("duration_ms",),
            "error": ("error_message",),
            "report": ("report",),
        },
        {"status": "created"},
    ),
    "message": _Target(
        tables.messages,
        "message_id",
        {"parent_tool_id": "parent_tool_use_id"},
        {"content": ("content",), "tool_uses": ("tool_uses",), "metadata": ("metadata",)},
        {"type": "user", "role": "user"},
    ),
    "board": _Target(tables.boards, "board_id", {}, {"description": ("description",), "archived": ("archived",)}, {}),
    "repo": _Target(
        tables.repos,
        "repo_id",
        {"name": "slug"},
        {"path": ("local_path",), "remote_url": ("remote_url",), "default_branch": ("default_branch",)},
        {},
    ),
    "worktree": _Target(
        tables.worktrees, "worktree_id", {"branch": "ref"}, {"path": ("path",)}, {"worktree_unique_id": 0}
    ),
    "user": _Target(tables.users, "user_id", {}, {}, {"password": "", "role": "member"}),
}


class Writer:
    """Writes the rows of one kind."""

    def __init__(self, store: Store, kind: Kind) -> None:
        self._store = store
        self._kind = kind
        self._target = _TARGETS[kind]

    def create(self, values: Mapping[str, Any]) -> str:
        """Make a row from common names and return its id, a new one unless ``id`` is given.

        Raises:
            UsageError: an unknown name. ReadOnlyError: the database may not be written. DatabaseError: a value is
                refused.
        """
        return self.write(lambda connection: self.insert(connection, values))

    def insert(self, connection: Connection, values: Mapping[str, Any]) -> str:
        """Make a row within a transaction, as ``create``."""
        target = self._target
        given = dict(values)
        row_id = given.pop("id", None) or ids.new_id()
        now = datetime.now(UTC)
        columns, nested = self._sorted({**target.defaults, **given})
        row = {"created_at": now, **{name: value for name, value in columns.items() if value is not None}}
        if "updated_at" in target.table.c:
            row.setdefault("updated_at", row["created_at"])
        if "timestamp" in target.table.c:
            row.setdefault("timestamp", row["created_at"])
        if "data" in target.table.c:
            row["data"] = dump_exact(merge({}, nested))
        row[target.key] = row_id
        connection.execute(insert(target.table).values(row))
        return str(row_id)

    def update(self, row_id: str, changes: Mapping[str, Any]) -> None:
        """Change the row of a whole id; raises as ``create``, and NotFoundError where it is gone."""
        self.write(lambda connection: self.put(connection, self.lock(connection, row_id), changes))

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in one transaction; raises ReadOnlyError and DatabaseError as ``create``."""
        self._require_write()

        def checked(connection: Connection) -> T:
            self._require_ours(connection)
            return work(connection)

        return self._store.database.write(checked)

    def lock(self, connection: Connection, row_id: str) -> Row[Any]:
        """Return the row of a whole id as it is now; no one else changes it until the transaction ends.

        Raises:
            NotFoundError: it is gone.
        """
        target = self._target
        # SQLite knows no row locks, and needs none: a writing transaction there is alone from its first statement.
        query = select(target.table).where(target.table.c[target.key] == row_id).with_for_update()
        found = connection.execute(query).first()
        if found is None:
            raise self._gone(row_id)
        return found

    def put(self, connection: Connection, row: Row[Any], changes: Mapping[str, Any]) -> None:
        """Write ``changes`` by their common names into a locked row."""
        columns, nested = self._sorted(changes)
        target = self._target
        key = target.table.c[target.key]
        written: dict[str, Any] = dict(columns)
        if nested:
            written["data"] = dump_exact(merge(self._stored(row), nested))
        if "updated_at" in target.table.c:
            written.setdefault("updated_at", datetime.now(UTC))
        if written:
            connection.execute(update(target.table).where(key == row._mapping[key]).values(written))

    def values(self, row: Row[Any], names: Iterable[str]) -> dict[str, Any]:
        """Return what a row holds under common names; None also for what ``data`` lacks."""
        target = self._target
        found: dict[str, Any] = {}
        for name in names:
            if name in target.paths:
                value: Any = self._stored(row)
                for part in target.paths[name]:
                    value = value.get(part) if isinstance(value, dict) else None
            else:
                value = row._mapping[target.table.c[target.columns.get(name, name)]]
            found[name] = value
        return found

    def delete(self, row_id: str) -> None:
        """Delete the row of a whole id, with the rows that cannot be without it; NotFoundError where it is gone."""
        self.write(lambda connection: self.remove(connection, row_id))

    def remove(self, connection: Connection, row_id: str) -> None:
        """Delete within a transaction, as ``delete``."""
        target = self._target
        if connection.execute(delete(target.table).where(target.table.c[target.key] == row_id)).rowcount == 0:
            raise self._gone(row_id)

    def _require_write(self) -> None:
        if "write" not in self._store.schema.capabilities:
            raise ReadOnlyError(
                f"{self._store.database.place.label} is open for reading only.",
                "Only databases made by agor-tui are written to.",
            )

    def _require_ours(self, connection: Connection) -> None:
        """Other tables may have come in the place of ours since the database was opened."""
        place = self._store.database.place
        if ownership(connection) != "native":
            raise ForeignDatabaseError(
                f"{describe(place)} has other tables now than when it was opened, and agor-tui did not make them.",
                "Nothing was changed. Quit, and open it again to see what it holds.",
            )
        require_current(connection, place)

    def _sorted(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the values that are columns, and those that go into ``data``, nested as there."""
        target = self._target
        columns: dict[str, Any] = {}
        nested: dict[str, Any] = {}
        for name, value in values.items():
            column = target.columns.get(name, name)
            if name in target.paths:
                path = target.paths[name]
                for part in reversed(path):
                    value = {part: value}
                nested = merge(nested, value, clear=False)
            elif name == "data" and isinstance(value, Mapping):
                nested = merge(nested, value, clear=False)
            elif column in target.table.c and column not in (target.key, "data"):
                columns[column] = value
            else:
                raise UsageError(f"A {self._kind} has no field {name!r} that can be set.")
        return columns, nested

    def _stored(self, row: Row[Any]) -> dict[str, Any]:
        try:
            stored = load_exact(row.data, repeated=True)
        except ValueError:
            stored = None
        if not isinstance(stored, dict):
            row_id = row._mapping[self._target.table.c[self._target.key]]
            raise DatabaseError(f"The data of {self._kind} {row_id} is broken JSON.", "Mend it before changing it.")
        return stored

    def _gone(self, row_id: str) -> NotFoundError:
        return NotFoundError(f"The {self._kind} {row_id} does not exist any more.", "Refresh the list.")


def merge(stored: Mapping[str, Any], changes: Mapping[str, Any], *, clear: bool = True) -> dict[str, Any]:
    """Return ``stored`` with ``changes``: objects merge, everything else replaces; None clears (or is kept).

    Raises:
        DatabaseError: ``stored`` has one of the keys twice.
    """
    merged = dict(stored)
    for name, value in changes.items():
        if is_repeated(merged, name):
            raise DatabaseError(
                f"The stored data has {quoted(name)} more than once, so it cannot be told which of them to change.",
                "Nothing was changed. Mend it first.",
            )
        if value is None and clear:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            below = merged.get(name)
            merged[name] = merge(below if isinstance(below, Mapping) else {}, value, clear=clear)
        else:
            merged[name] = value
    return merged
