"""The cards of a board: the newest of each column by status, or by the zones of a store's own boards.

A column is a merge of walks along an index, one for each of the store's words for a status and each worktree of a
board: written as one condition, a planner may read all sessions of the board, or all of the store, and sort them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, literal, select, union_all
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from agor_tui.db.types import load_json
from agor_tui.errors import NotFoundError, UsageError, quoted
from agor_tui.records import (
    SESSION_STATUSES,
    TASK_STATUSES,
    Board,
    BoardMode,
    BoardPage,
    Card,
    CardColumn,
    Count,
    Cursor,
    Page,
    Placement,
)
from agor_tui.redact import hide_words
from agor_tui.repositories.base import Repository, Store
from agor_tui.repositories.paging import ALL, Asked, keys_query, page_of_ids
from agor_tui.repositories.places import BoardRepository
from agor_tui.repositories.sessions import SessionRepository
from agor_tui.repositories.tasks import TaskRepository

CAP = 999
"""Up to here the cards of a column are counted."""
MOST_WALKS = 200
"""So many walks are merged; a board of more worktrees is asked for in one condition."""
RARE = 2_000
"""A status that no more sessions have is walked by itself, also for a board."""
MOST_NAMED = 500
"""So many sessions with a board of their own are named one by one."""
NO_ZONE = ""
"""The key of the column of what stands in no zone."""

Conditions = tuple[ColumnElement[bool], ...]


@dataclass(frozen=True, slots=True)
class _Zones:
    """A board's zones in order (id -> label), and where its worktrees stand (worktree id -> place)."""

    labels: Mapping[str, str]
    places: Mapping[str, Placement]


class CardRepository:
    """The boards of a store, and the whole store as one board."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._boards = BoardRepository(store, counted=False)
        self._sessions = SessionRepository(store)
        self._tasks = TaskRepository(store)
        self._walks = "updated" in store.schema.indexed_sorts

    def page(self, mode: BoardMode, board_id: str | None, sizes: Mapping[str, int], size: int) -> BoardPage:
        """Return a board with the first ``sizes`` cards of each column, else ``size``; all of one moment.

        Raises:
            NotFoundError: the board is gone, or the store has none. UsageError: zones without a board.
        """

        def work(connection: Connection) -> BoardPage:
            board = None if board_id is None else self._board(connection, board_id)
            zones = self._zones(connection, mode, board_id)
            titles = zones.labels if zones is not None else dict.fromkeys(_statuses(mode), "")
            columns = [
                self._column(connection, mode, board_id, zones, key, Asked(limit=sizes.get(key, size)))
                for key in titles
            ]
            return BoardPage(mode, board, tuple(columns))

        return self._store.database.read(work)

    def more(self, mode: BoardMode, board_id: str | None, key: str, after: Cursor, size: int) -> CardColumn:
        """Return the next ``size`` cards of a column; raises as ``page``."""

        def work(connection: Connection) -> CardColumn:
            zones = self._zones(connection, mode, board_id)
            return self._column(connection, mode, board_id, zones, key, Asked(after=after, limit=size))

        return self._store.database.read(work)

    def boards(self) -> tuple[Board, ...]:
        """Return all boards without the numbers of their sessions, by id; none where the store has no boards."""
        return self._boards.list().rows if self._boards.present else ()

    def has_zones(self, board_id: str) -> bool:
        """Tell whether a board is divided into zones."""
        return bool(self._store.database.read(lambda connection: self._labels(connection, board_id)))

    def board(self, board_id: str) -> Board:
        """Return a board without the number of its sessions; raises as ``page``."""
        return self._store.database.read(lambda connection: self._board(connection, board_id))

    def placement(self, seen: Placement) -> Placement:
        """Return where a worktree stands on a board now; NotFoundError where it does not any more."""

        def work(connection: Connection) -> Placement:
            zones = self._zones(connection, "zones", seen.board_id)
            if zones is None or seen.worktree_id not in zones.places:
                raise NotFoundError(f"{quoted(seen.worktree)} does not stand on this board any more.")
            return zones.places[seen.worktree_id]

        return self._store.database.read(work)

    def _board(self, connection: Connection, board_id: str) -> Board:
        found = self._boards.fetch(connection, [board_id], may_be_gone=True)
        if not found:
            raise NotFoundError(f"The board {board_id} does not exist any more.", "Choose another one.")
        return found[0]

    def _column(
        self,
        connection: Connection,
        mode: BoardMode,
        board_id: str | None,
        zones: _Zones | None,
        key: str,
        asked: Asked,
    ) -> CardColumn:
        repository: Repository[Any] = self._tasks if mode == "tasks" else self._sessions
        time = "created_at" if mode == "tasks" else "updated_at"
        if zones is not None and board_id is not None:
            walks = self._zone_walks(connection, board_id, zones, key)
        elif mode == "tasks":
            walks = self._task_walks(board_id, key)
        else:
            walks = self._session_walks(connection, board_id, key)
        page = self._merged(connection, repository, time, walks, asked)
        if page.next is None and asked.after is None:
            count = Count(len(page.rows))
        else:
            count = self._count(connection, repository, time, walks)
        if zones is None:
            return CardColumn(key, "", tuple(Card(row) for row in page.rows), count, page.next)
        return CardColumn(key, zones.labels[key], self._placed(connection, page.rows, zones), count, page.next)

    # Walks

    def _session_walks(self, connection: Connection, board_id: str | None, status: str) -> list[Conditions]:
        schema = self._store.schema
        walks: list[Conditions] = []
        for condition in self._status_is(self._sessions.keys.c.store_status, schema.session_statuses, status):
            of_status = (schema.not_archived, *condition)
            if board_id is None:
                walks.append(of_status)
            elif self._walks and self._number_of(connection, of_status, RARE + 1) > RARE:
                walks += [(*of_status, *place) for place in self._on_board(connection, board_id)]
            else:
                walks.append((*of_status, schema.in_boards([board_id])))
        return walks

    def _zone_walks(self, connection: Connection, board_id: str, zones: _Zones, zone: str) -> list[Conditions]:
        walks = self._in_worktrees(
            [place.worktree_id for place in zones.places.values() if (place.zone_id or NO_ZONE) == zone]
        )
        if zone == NO_ZONE:
            walks += self._own_board(connection, board_id)
        return [(*walk, self._store.schema.not_archived) for walk in walks]

    def _task_walks(self, board_id: str | None, status: str) -> list[Conditions]:
        schema, source = self._store.schema, self._tasks.source
        keys = self._sessions.keys
        seen = [keys.c.id == source.c.session_id, schema.not_archived]
        if board_id is not None:
            seen.append(schema.in_boards([board_id]))
        of_session = exists(select(literal(1)).where(*seen))
        return [
            (*condition, of_session)
            for condition in self._status_is(source.c.store_status, schema.task_statuses, status)
        ]

    def _status_is(self, column: ColumnElement[Any], words: Mapping[str, str], status: str) -> list[Conditions]:
        own = [word for word, common in words.items() if common == status]
        return [(column == word,) for word in own] if self._walks else [(column.in_(own),)]

    def _on_board(self, connection: Connection, board_id: str) -> list[Conditions]:
        schema = self._store.schema
        if not self._walks or schema.worktrees is None:
            return [(schema.in_boards([board_id]),)]
        here = select(schema.worktrees.c.id).where(schema.worktrees.c.board_id == board_id)
        return [*self._own_board(connection, board_id), *self._in_worktrees(connection.scalars(here).all())]

    def _own_board(self, connection: Connection, board_id: str) -> list[Conditions]:
        """The sessions that have this board of their own: few, if any, and then named one by one."""
        keys = self._sessions.keys
        # A range, since most rows hold NULL here: SQLite's statistics then say that an equality finds half the table.
        here = (keys.c.board_id >= board_id, keys.c.board_id <= board_id)
        found = connection.scalars(select(keys.c.id).where(*here).limit(MOST_NAMED + 1)).all()
        if len(found) > MOST_NAMED:
            return [(keys.c.board_id == board_id,)]
        return [(keys.c.id.in_(found),)] if found else []

    def _in_worktrees(self, wanted: Sequence[str]) -> list[Conditions]:
        """The sessions of these worktrees that have no board of their own."""
        keys = self._sessions.keys
        unplaced = keys.c.board_id.is_(None)
        if not self._walks or len(wanted) > MOST_WALKS:
            return [(keys.c.worktree_id.in_(wanted), unplaced)]
        return [(keys.c.worktree_id == each, unplaced) for each in wanted]

    def _merged(
        self, connection: Connection, repository: Repository[Any], key: str, walks: Sequence[Conditions], asked: Asked
    ) -> Page[Any]:
        """The newest rows of all walks by ``key`` and id."""
        keys = repository.keys
        queries = [keys_query(keys, keys.c[key], True, conditions, asked) for conditions in walks]
        if not queries:
            return Page(())
        query = queries[0]
        if len(queries) > 1:
            each = [walk.subquery() for walk in queries]
            rows = union_all(*(select(walk.c.id, walk.c.key) for walk in each)).subquery()
            query = select(rows.c.id, rows.c.key).order_by(rows.c.key.desc(), rows.c.id.desc()).limit(asked.limit + 1)
        place = {} if asked.after is None else {"cursor_key": asked.after.key, "cursor_id": asked.after.id}
        found = page_of_ids(connection.execute(query, place).all(), asked)
        return Page(repository.fetch(connection, found.rows), found.next)

    def _count(
        self, connection: Connection, repository: Repository[Any], key: str, walks: Sequence[Conditions]
    ) -> Count:
        total = 0
        for conditions in walks:
            total += self._number_of(connection, conditions, CAP + 1 - total, repository, key)
            if total > CAP:
                return Count(CAP, exact=False)
        return Count(total)

    def _number_of(
        self,
        connection: Connection,
        conditions: Conditions,
        limit: int,
        repository: Repository[Any] | None = None,
        key: str = "updated_at",
    ) -> int:
        """How many rows there are, at most ``limit``; in their order, which leads the planners to the same walk."""
        keys = (repository or self._sessions).keys
        rows = keys_query(keys, keys.c[key], True, conditions, ALL).limit(limit).subquery()
        return connection.scalar(select(func.count()).select_from(rows)) or 0

    # Zones

    def _zones(self, connection: Connection, mode: BoardMode, board_id: str | None) -> _Zones | None:
        if mode != "zones":
            return None
        worktrees, placements = self._store.schema.worktrees, self._store.schema.placements
        if board_id is None or worktrees is None or placements is None:
            raise UsageError("Only a board of its own has zones.", "Choose a board.")
        labels = {NO_ZONE: "", **self._labels(connection, board_id)}
        query = (
            select(worktrees.c.id, worktrees.c.name, placements.c.id.label("placement"), placements.c.zone_id)
            .outerjoin(placements, (placements.c.worktree_id == worktrees.c.id) & (placements.c.board_id == board_id))
            .where(worktrees.c.board_id == board_id)
            .order_by(worktrees.c.id, placements.c.id)
        )
        places: dict[str, Placement] = {}
        for row in connection.execute(query):
            zone = row.zone_id if row.zone_id in labels else None
            places.setdefault(
                row.id, Placement(row.placement, board_id, row.id, self._words(row.name or ""), zone or None)
            )
        return _Zones(labels, places)

    def _labels(self, connection: Connection, board_id: str) -> dict[str, str]:
        """A board's zones from left to right, then from top to bottom."""
        boards = self._store.schema.boards
        if boards is None:
            return {}
        zones = zones_of(connection.scalar(select(boards.c.data).where(boards.c.id == board_id)))
        order = sorted(zones, key=lambda key: (_number(zones[key].get("x")), _number(zones[key].get("y")), key))
        return {key: self._words(str(zones[key].get("label") or key)) for key in order}

    def _words(self, text: str) -> str:
        return text if self._store.secrets else hide_words(text)

    def _placed(self, connection: Connection, sessions: Iterable[Any], zones: _Zones) -> tuple[Card, ...]:
        rows = tuple(sessions)
        keys = self._sessions.keys
        own = keys.c.id.in_([row.id for row in rows])
        query = select(keys.c.id, keys.c.worktree_id).where(own, keys.c.board_id.is_(None))
        worktree = {row.id: row.worktree_id for row in connection.execute(query)}
        return tuple(Card(row, zones.places.get(worktree.get(row.id) or "")) for row in rows)


def zones_of(data: str | None) -> dict[str, dict[str, Any]]:
    """The zones that a board's JSON lays out, by id; none where it is broken."""
    try:
        found = load_json(data)
    except ValueError:
        return {}
    objects = found.get("objects") if isinstance(found, dict) else None
    if not isinstance(objects, dict):
        return {}
    return {key: each for key, each in objects.items() if key and isinstance(each, dict) and each.get("type") == "zone"}


def _statuses(mode: BoardMode) -> tuple[str, ...]:
    return TASK_STATUSES if mode == "tasks" else SESSION_STATUSES


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
