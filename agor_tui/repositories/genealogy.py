"""How sessions come from each other: ancestors, children and the tree below one, safe where links form a cycle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection

from agor_tui.records import Session, TreeNode
from agor_tui.repositories.sessions import SessionRepository

LARGEST_TREE = 2_000
"""So many sessions of one family are fetched; of the others, the tree says how many there are."""


_PARENTS_AT_ONCE = 500


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

        def work(connection: Connection) -> tuple[Session, ...]:
            parent = self._sessions.resolve_in(connection, id_or_prefix)
            below = dict.fromkeys(child for child, _ in self._below(connection, [parent], None) if child != parent)
            return tuple(sorted(self._sessions.fetch(connection, list(below)), key=_age))

        return cast("tuple[Session, ...]", self._sessions.read(work))

    def descendants(self, id_or_prefix: str) -> TreeNode:
        """Return the tree below a session, at most ``LARGEST_TREE`` of it."""

        def work(connection: Connection) -> TreeNode:
            return self._tree(connection, [self._sessions.resolve_in(connection, id_or_prefix)])

        return cast("TreeNode", self._sessions.read(work))

    def family(self, id_or_prefix: str) -> TreeNode:
        """Return the whole tree that a session stands in, from its topmost ancestor down.

        Of a family larger than ``LARGEST_TREE`` these come first: the session, its ancestors and its siblings.
        """

        def work(connection: Connection) -> TreeNode:
            session = self._sessions.resolve_in(connection, id_or_prefix)
            line = [session, *self._above(connection, session)]
            shown = line[: LARGEST_TREE * 3 // 4]  # with room for siblings
            return replace(self._tree(connection, shown), above=len(line) - len(shown))

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

    def _tree(self, connection: Connection, line: Sequence[str]) -> TreeNode:
        """The tree below the last of ``line``, a session and its ancestors, nearest first."""
        root = line[-1]
        chosen = dict.fromkeys(reversed(line))
        if len(line) > 1:
            chosen |= dict.fromkeys(child for child, _ in self._below(connection, [line[1]], LARGEST_TREE))
        level = [root]
        seen = {root}
        while level and len(chosen) <= LARGEST_TREE:
            below = dict.fromkeys(child for child, _ in self._below(connection, level, LARGEST_TREE + 1))
            level = [child for child in below if child not in seen]
            seen.update(level)
            chosen.update(dict.fromkeys(level))
        whole = len(chosen) <= LARGEST_TREE
        kept = list(chosen)[:LARGEST_TREE]
        sessions = self._sessions.fetch(connection, kept)
        return grow(root, sessions, {} if whole else self._child_counts(connection, kept))

    @property
    def _links(self) -> list[ColumnElement[str]]:
        keys, forks = self._sessions.keys, "forks" in self._sessions.store.schema.capabilities
        return [keys.c.parent_id, *[keys.c.forked_from_id] * forks]

    def _below(self, connection: Connection, parents: Sequence[str], most: int | None) -> Iterator[tuple[str, str]]:
        """The ids of the children of ``parents``, each with its parent's, at most ``most`` of each link."""
        # A statement for each link: in one, neither dialect uses both indexes.
        for link in self._links:
            for start in range(0, len(parents), _PARENTS_AT_ONCE):
                some = parents[start : start + _PARENTS_AT_ONCE]
                query = select(self._sessions.keys.c.id, link).where(link.in_(some)).limit(most)
                yield from ((row[0], row[1]) for row in connection.execute(query))

    def _child_counts(self, connection: Connection, parents: Sequence[str]) -> Mapping[str, int]:
        """How many children each of ``parents`` has, itself not counted where it is its own."""
        keys = self._sessions.keys
        counts: Counter[str] = Counter()
        for number, link in enumerate(self._links):
            for start in range(0, len(parents), _PARENTS_AT_ONCE):
                query = select(link, func.count()).where(
                    link.in_(parents[start : start + _PARENTS_AT_ONCE]), link != keys.c.id
                )
                if number:  # one that was spawned and forked from the same session is one child
                    query = query.where(keys.c.parent_id.is_distinct_from(link))
                for parent, children in connection.execute(query.group_by(link)):
                    counts[parent] += children
        return counts


def _age(session: Session) -> tuple[bool, datetime | None, str]:
    return session.created_at is not None, session.created_at, session.id


def grow(root: str, sessions: Iterable[Session], child_counts: Mapping[str, int]) -> TreeNode:
    """Return the tree of ``sessions`` below ``root``; a session met twice is cut, children stand oldest first.

    ``child_counts`` tells of those that have more children than there are ``sessions`` of.
    """
    by_id = {session.id: session for session in sessions}
    below: dict[str, list[str]] = {}
    for session in sorted(by_id.values(), key=_age):
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
        more = 0 if repeated else max(0, child_counts.get(here, 0) - len(children))
        if (here, above) not in grown or not repeated:
            grown[here, above] = TreeNode(session, relation, children, repeated, more)
    return grown[root, None]
