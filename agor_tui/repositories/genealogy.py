"""How sessions come from each other: ancestors, children and the tree below one, safe where links form a cycle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from agor_tui.records import Session, TreeNode
from agor_tui.repositories.sessions import SessionRepository

LARGEST_TREE = 2_000
"""So many sessions of one family are fetched; the tree is marked as cut below them."""


class Genealogy:
    """Reads the links of a session: ``parent_id`` (spawned from) and ``forked_from_id``."""

    def __init__(self, sessions: SessionRepository) -> None:
        self._sessions = sessions

    def ancestors(self, id_or_prefix: str) -> tuple[Session, ...]:
        """Return the sessions above one, nearest first, of any depth; raises as ``SessionRepository.get``."""

        def work(connection: Connection) -> tuple[Session, ...]:
            wanted = self._sessions.resolve_in(connection, id_or_prefix)
            return self._sessions.fetch(connection, self._above(connection, wanted))

        return cast("tuple[Session, ...]", self._sessions.read(work))

    def children(self, id_or_prefix: str) -> tuple[Session, ...]:
        """Return the sessions spawned or forked from one, oldest first."""
        return tuple(child.session for child in self.descendants(id_or_prefix).children)

    def descendants(self, id_or_prefix: str) -> TreeNode:
        """Return the tree below a session."""

        def work(connection: Connection) -> TreeNode:
            return self._tree(connection, self._sessions.resolve_in(connection, id_or_prefix))

        return cast("TreeNode", self._sessions.read(work))

    def family(self, id_or_prefix: str) -> TreeNode:
        """Return the whole tree that a session stands in, from its topmost ancestor down."""

        def work(connection: Connection) -> TreeNode:
            wanted = self._sessions.resolve_in(connection, id_or_prefix)
            return self._tree(connection, [wanted, *self._above(connection, wanted)][-1])

        return cast("TreeNode", self._sessions.read(work))

    def _above(self, connection: Connection, start: str) -> list[str]:
        keys = self._sessions.keys
        links = select(keys.c.id, keys.c.parent_id, keys.c.forked_from_id)
        found: list[str] = []
        current: str | None = start
        while current is not None:
            up = links.where(keys.c.id == current).cte("up", recursive=True)
            # One link of each, so that the key finds it; UNION drops a row that came before, which ends a cycle.
            up = up.union(links.join(up, keys.c.id == func.coalesce(up.c.parent_id, up.c.forked_from_id)))
            above = {row.id: row for row in connection.execute(select(up))}
            row = above.get(current)
            current = None
            while row is not None:
                if row.id != start:
                    if row.id in found:
                        break
                    found.append(row.id)
                if row.parent_id in above:
                    row = above[row.parent_id]
                elif row.parent_id is None:
                    row = above.get(row.forked_from_id)
                else:  # the parent is gone, but the session was forked from another
                    current, row = row.forked_from_id, None
                if row is not None and row.id == start:
                    break
        return found

    def _tree(self, connection: Connection, root: str) -> TreeNode:
        keys, forks = self._sessions.keys, "forks" in self._sessions.store.schema.capabilities
        wanted, level = {root: None}, [root]
        while level and len(wanted) <= LARGEST_TREE:
            # A statement for each level and link: in one recursive statement neither dialect uses both indexes.
            below = [
                connection.scalars(select(keys.c.id).where(link.in_(level)).limit(LARGEST_TREE + 1)).all()
                for link in (keys.c.parent_id, *[keys.c.forked_from_id] * forks)
            ]
            level = [each for found in below for each in found if each not in wanted]
            wanted.update(dict.fromkeys(level))
        whole = len(wanted) <= LARGEST_TREE
        return grow(root, self._sessions.fetch(connection, list(wanted)[:LARGEST_TREE]), whole=whole)


def grow(root: str, sessions: Iterable[Session], *, whole: bool) -> TreeNode:
    """Return the tree of ``sessions`` below ``root``; a session met twice is cut, children stand oldest first.

    Where not ``whole``, a session without fetched children may have others, and is marked as cut.
    """
    by_id = {session.id: session for session in sessions}
    below: dict[str, list[str]] = {}
    for session in sorted(by_id.values(), key=lambda each: (each.created_at is not None, each.created_at, each.id)):
        for link in {session.parent_id: None, session.forked_from_id: None}:
            if link in by_id and link != session.id:
                below.setdefault(link, []).append(session.id)

    # Deepest first, by hand: a chain may be longer than Python's stack.
    order: list[tuple[str, str | None]] = []
    seen: set[str] = set()
    repeats: set[tuple[str, str | None]] = set()
    waiting: list[tuple[str, str | None]] = [(root, None)]
    while waiting:
        place = waiting.pop()
        order.append(place)
        if place[0] in seen:
            repeats.add(place)
            continue
        seen.add(place[0])
        waiting += [(child, place[0]) for child in reversed(below.get(place[0], ()))]

    grown: dict[tuple[str, str | None], TreeNode] = {}
    for here, above in reversed(order):
        session = by_id[here]
        relation: Literal["root", "spawned", "forked"] = (
            "root" if above is None else "spawned" if session.parent_id == above else "forked"
        )
        repeated = (here, above) in repeats
        children = () if repeated else tuple(grown[child, here] for child in below.get(here, ()))
        cut = repeated or (not whole and not children)
        if (here, above) not in grown or not repeated:
            grown[here, above] = TreeNode(session, relation, children, cut)
    return grown[root, None]
