"""Moving a worktree between the zones of a board in a native database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from agor_tui import ids
from agor_tui.db.exact_json import dump_exact, load_exact
from agor_tui.db.tables import board_objects, boards, worktrees
from agor_tui.errors import DatabaseError, EditConflictError, NotFoundError, quoted
from agor_tui.records import Placement
from agor_tui.repositories.base import Store
from agor_tui.repositories.cards import zones_of
from agor_tui.repositories.writing import Writer, merge


class Placer:
    """Changes the places of worktrees; a change is made to the place as it was seen."""

    def __init__(self, store: Store) -> None:
        self._write = Writer(store, "board").write

    def place(self, seen: Placement, zone_id: str | None) -> Placement:
        """Put a worktree into a zone of its board, None: into none; return its place as it is then.

        Raises:
            EditConflictError: somebody moved it. NotFoundError: board, worktree or zone are gone.
        """

        def work(connection: Connection) -> Placement:
            labels = self._labels(connection, seen.board_id)
            if zone_id is not None and zone_id not in labels:
                raise NotFoundError("That zone of the board does not exist any more.", "Read the board anew.")
            row = self._locked(connection, seen)
            if row is None:
                return self._insert(connection, seen, zone_id)
            data = _data(row, seen)
            now = data.get("zone_id")
            if now not in labels:
                now = None
            if row.object_id != seen.id or now != seen.zone_id:
                self._refuse(seen, now, labels)
            self._update(connection, seen.id, merge(data, {"zone_id": zone_id}))
            return Placement(seen.id, seen.board_id, seen.worktree_id, seen.worktree, zone_id)

        return self._write(work)

    def unplace(self, made: Placement) -> None:
        """Take away the place that ``place`` made for a worktree that had none; raises as it."""

        def work(connection: Connection) -> None:
            row = self._locked(connection, made)
            now = None if row is None else _data(row, made).get("zone_id")
            if row is None or now != made.zone_id:
                self._refuse(made, now, self._labels(connection, made.board_id))
            connection.execute(delete(board_objects).where(board_objects.c.object_id == made.id))

        self._write(work)

    def _labels(self, connection: Connection, board_id: str) -> dict[str, str]:
        found = connection.execute(select(boards.c.data).where(boards.c.board_id == board_id).with_for_update()).first()
        if found is None:
            raise NotFoundError(f"The board {board_id} does not exist any more.", "Choose another one.")
        return {key: str(zone.get("label") or key) for key, zone in zones_of(found.data).items()}

    def _locked(self, connection: Connection, seen: Placement) -> Any:
        """The first place of the worktree on the board; None where it is on it without one."""
        o, w = board_objects.c, worktrees.c
        if connection.scalar(select(w.worktree_id).where(w.worktree_id == seen.worktree_id).with_for_update()) is None:
            raise NotFoundError(
                f"The worktree {quoted(seen.worktree)} does not exist any more.", "Read the board anew."
            )
        query = select(board_objects).where(o.worktree_id == seen.worktree_id, o.board_id == seen.board_id)
        found = connection.execute(query.order_by(o.object_id).limit(1).with_for_update()).first()
        if found is None and seen.id is not None:
            raise NotFoundError(f"{quoted(seen.worktree)} does not stand on this board any more.", "Read it anew.")
        return found

    def _insert(self, connection: Connection, seen: Placement, zone_id: str | None) -> Placement:
        made = Placement(ids.new_id(), seen.board_id, seen.worktree_id, seen.worktree, zone_id)
        data = merge({"position": {"x": 0, "y": 0}}, {"zone_id": zone_id})
        row = {"object_id": made.id, "board_id": seen.board_id, "worktree_id": seen.worktree_id}
        connection.execute(insert(board_objects).values(**row, created_at=datetime.now(UTC), data=dump_exact(data)))
        return made

    def _update(self, connection: Connection, object_id: str | None, data: dict[str, Any]) -> None:
        here = board_objects.c.object_id == object_id
        connection.execute(update(board_objects).where(here).values(data=dump_exact(data)))

    def _refuse(self, seen: Placement, now: str | None, labels: dict[str, str]) -> None:
        was, is_now = (labels.get(zone or "", "no zone") for zone in (seen.zone_id, now))
        raise EditConflictError(
            f"Someone moved {quoted(seen.worktree)} meanwhile: it is in {quoted(is_now)}.",
            (("zone", was, is_now),),
            "Nothing was written.",
        )


def _data(row: Any, seen: Placement) -> dict[str, Any]:
    try:
        data = load_exact(row.data, repeated=True)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise DatabaseError(
            f"The place of {quoted(seen.worktree)} on the board is broken JSON.", "Nothing was written."
        )
    return data
