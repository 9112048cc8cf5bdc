"""Sessions: pages by filter and sort, details, genealogy's raw material."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import FromClause, Select, exists, func, literal, not_, or_, select, union
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from agor_tui import folders
from agor_tui.db.statement import parameter
from agor_tui.db.types import Id, Instant, among
from agor_tui.filters import Choice, SessionFilter, TaskFilter
from agor_tui.records import Count, Cursor, Detail, DetailGroup, Page, Session, SessionDetail, Sort, SortKey
from agor_tui.redact import hide_words, redact
from agor_tui.repositories.base import Repository, Store, decoded
from agor_tui.repositories.conditions import chosen, contains, named
from agor_tui.repositories.names import Names
from agor_tui.repositories.paging import Asked

SORTS: dict[SortKey, str] = {
    "updated": "updated_at",
    "created": "created_at",
    "title": "title",
    "status": "store_status",
    "tool": "tool",
    "id": "id",
}

TEXT_SORTS: tuple[SortKey, ...] = ("title", "status", "tool")

_LISTED = (
    "id", "title", "store_status", "tool", "created_at", "updated_at", "created_by", "parent_id", "forked_from_id",
    "repo", "worktree", "branch", "board", "archived", "model", "tokens_input", "tokens_output", "cost",
)  # fmt: skip

SORTABLE_UNINDEXED = 100_000
"""Up to so many sessions, a list without a fitting index is sorted all the same by default."""


class SessionRepository(Repository[Session]):
    """The sessions of a store."""

    kind = "session"
    title = "title"
    time = "updated_at"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._sort_keys: dict[SortKey, ColumnElement[Any]] = {}

    @property
    def keys(self) -> FromClause:
        return self.store.schema.session_keys

    def list_columns(self, source: FromClause) -> list[ColumnElement[Any]]:
        schema = self.store.schema
        return [
            *(source.c[name] for name in _LISTED),
            self._count_of(schema.parts.get("task", (schema.tasks,)), source).label("task_count"),
            self._count_of(schema.parts.get("message", (schema.messages,)), source).label("message_count"),
        ]

    @staticmethod
    def _count_of(parts: Sequence[FromClause], sessions: FromClause) -> ColumnElement[Any]:
        """Return how many rows each session has in all ``parts``."""
        # Each by itself: of their union SQLite reads all rows for each session.
        counts = [select(func.count()).where(rows.c.session_id == sessions.c.id).scalar_subquery() for rows in parts]
        return sum(counts[1:], counts[0])

    def record(self, row: Any, short_id: str) -> Session:
        return Session(
            id=row.id,
            short_id=short_id,
            title=row.title or "",
            status=self.store.schema.session_statuses.get(row.store_status, row.store_status or "unknown"),
            store_status=row.store_status or "unknown",
            tool=row.tool or "unknown",
            created_at=row.created_at,
            updated_at=row.updated_at,
            created_by=row.created_by,
            parent_id=row.parent_id,
            forked_from_id=row.forked_from_id,
            repo=row.repo,
            worktree=row.worktree,
            branch=row.branch,
            board=row.board,
            archived=bool(row.archived),
            model=row.model,
            task_count=row.task_count,
            message_count=row.message_count,
            tokens_input=row.tokens_input,
            tokens_output=row.tokens_output,
            # Sums of floats differ in their last digits with the order of the rows.
            cost=None if row.cost is None else round(float(row.cost), 10),
        )

    def default_sort(self) -> Sort:
        """Return the order to list in when none is asked for: newest change first, unless that needs a long sort."""
        schema = self.store.schema
        if "updated" in schema.indexed_sorts or self.count(SessionFilter(archived="any"), SORTABLE_UNINDEXED).exact:
            return Sort("updated")
        return Sort("created" if "created" in schema.indexed_sorts else "updated")

    def _sort_key(self, sort: Sort) -> ColumnElement[Any]:
        """Return what ``sort`` goes by. Texts go by their bytes, so that all databases agree on their order."""
        if sort.key not in self._sort_keys:
            key: ColumnElement[Any] = self.keys.c[SORTS[sort.key]]
            if sort.key in TEXT_SORTS and self.store.database.dialect == "postgresql":
                key = key.collate("C")
            self._sort_keys[sort.key] = key
        return self._sort_keys[sort.key]

    def find(self, filter: SessionFilter, sort: Sort, asked: Asked) -> Page[Session]:
        """Return a page of the sessions that ``filter`` lets through, in the order of ``sort``."""

        def work(connection: Connection) -> Page[Session]:
            return self.page(
                connection,
                asked,
                key=self._sort_key(sort),
                descending=sort.descending,
                conditions=lambda: self._conditions(filter, Names(self.store, connection)),
                shape=None if names_places(filter) else (filter, sort),
            )

        return cast("Page[Session]", self.read(work))

    def count(self, filter: SessionFilter, cap: int | None = None) -> Count:
        """Return how many sessions ``filter`` lets through, counting no further than ``cap``."""

        def work(connection: Connection) -> Count:
            def make() -> Select[Any]:
                conditions = self._conditions(filter, Names(self.store, connection))
                found = select(literal(1)).select_from(self.keys).where(*conditions)
                if cap is not None:
                    found = found.limit(cap + 1)
                return select(func.count().label("number")).select_from(found.subquery())

            if names_places(filter):
                value = connection.scalar(make()) or 0
            else:
                value = self._kept(("count", filter, cap), make, connection).rows(connection)[0].number
            return Count(cap, exact=False) if cap is not None and value > cap else Count(value)

        return cast("Count", self.read(work))

    def changes(self) -> tuple[tuple[str, datetime | None], ...]:
        """Return the ids of all sessions, each with the time of its last change."""

        def work(connection: Connection) -> tuple[tuple[str, datetime | None], ...]:
            found = connection.execute(
                select(self.keys.c.id, self.keys.c.updated_at).where(self.keys.c.id.is_not(None))
            )
            return tuple((row.id, row.updated_at) for row in found)

        return cast("tuple[tuple[str, datetime | None], ...]", self.read(work))

    def chosen(self, filter: SessionFilter) -> tuple[str, ...]:
        """Return the ids of all sessions that ``filter`` lets through."""

        def work(connection: Connection) -> tuple[str, ...]:
            conditions = self._conditions(filter, Names(self.store, connection))
            return tuple(connection.scalars(select(self.keys.c.id).where(*conditions)))

        return cast("tuple[str, ...]", self.read(work))

    def cursor(self, id_or_prefix: str, sort: Sort) -> Cursor:
        """Return the place of a session in the order of ``sort``; raises as ``get``."""

        def work(connection: Connection) -> Cursor:
            return self.cursor_in(connection, id_or_prefix, self._sort_key(sort))

        return cast("Cursor", self.read(work))

    def detail(self, id_or_prefix: str) -> SessionDetail:
        """Return a session with all that its store says of it; raises as ``get``."""

        def work(connection: Connection) -> SessionDetail:
            wanted = self.resolve_in(connection, id_or_prefix)
            session = self.fetch(connection, [wanted])[0]
            row = self._kept("detail", self._detail_query, connection).rows(connection, wanted=wanted)[0]
            data = decoded(row.data, secrets=self.store.secrets)
            children = self._kept("children", self._children_query, connection).rows(connection, wanted=wanted)
            users = Names(self.store, connection).users() if session.created_by else {}
            detail = SessionDetail(
                session=session,
                description=row.description,
                created_by_name=next(iter(users.get(session.created_by or "", ())), None),
                context_used=row.context_used,
                context_limit=row.context_limit,
                child_count=children[0].number,
                groups=(*self.store.schema.details(data), *self._facts(connection, wanted)),
                raw=data,
            )
            return self.shown(detail)

        return cast("SessionDetail", self.read(work))

    def _detail_query(self) -> Select[Any]:
        source = self.source
        columns = [source.c[name] for name in ("description", "context_used", "context_limit", "data")]
        return select(*columns).where(source.c.id == parameter("wanted", Id()))

    def _children_query(self) -> Select[Any]:
        keys, wanted = self.keys, parameter("wanted", Id())
        links = [keys.c.parent_id] + [keys.c.forked_from_id] * ("forks" in self.store.schema.capabilities)
        children = union(*(select(keys.c.id).where(link == wanted, keys.c.id != wanted) for link in links))
        return select(func.count().label("number")).select_from(children.subquery())

    def filter_values(self, field: str) -> tuple[str, ...]:
        """Return the names that the store has for a field of the filter language, sorted."""

        def work(connection: Connection) -> tuple[str, ...]:
            if field == "tool":
                source = self.source
                newest = select(source.c.tool).order_by(source.c.id.desc()).limit(5_000).subquery()
                found = connection.scalars(select(newest.c.tool).distinct())
                return tuple(sorted(name for name in found if name))
            known = Names(self.store, connection).of(field)
            return folders.once(hide_words(names[0]) for names in known.values() if names and names[0])

        return cast("tuple[str, ...]", self.read(work))

    def unknown_names(self, field: str, wanted: Sequence[str]) -> tuple[str, ...]:
        """Return those of ``wanted`` that name no worktree, repo, board or user (``field``) of the store."""

        def work(connection: Connection) -> tuple[str, ...]:
            known = Names(self.store, connection).of(field)
            return tuple(name for name in wanted if not named([name], known))

        return cast("tuple[str, ...]", self.read(work))

    def _facts(self, connection: Connection, session_id: str) -> list[DetailGroup]:
        groups = []
        for heading, query in self.store.schema.session_facts.items():
            rows = [
                _flat(row._mapping, self.store.secrets) for row in connection.execute(query, {"session_id": session_id})
            ]
            if len(rows) == 1:
                details = tuple(Detail(label, value) for label, value in rows[0].items())
            else:
                details = tuple(Detail(str(next(iter(row.values()), "")), dict(list(row.items())[1:])) for row in rows)
            if details:
                groups.append(DetailGroup(heading, details))
        return groups

    def in_places(self, filter: SessionFilter | TaskFilter, names: Names) -> list[ColumnElement[bool]]:
        """Return the conditions of the fields that sessions and their tasks are both filtered by."""
        keys, schema = self.keys, self.store.schema
        conditions: list[ColumnElement[bool]] = []
        if filter.tool:
            conditions += chosen(keys.c.tool, filter.tool.include or None, filter.tool.exclude)
        for choice, member, known in (
            (filter.worktree, keys.c.worktree_id.in_, names.worktrees),
            (filter.repo, schema.in_repos, names.repos),
            (filter.board, schema.in_boards, names.boards),
            (filter.user, keys.c.created_by.in_, names.users),
        ):
            if choice.include:
                conditions.append(member(sorted(named(choice.include, known()))))
            if choice.exclude:
                conditions.append(not_(func.coalesce(member(sorted(named(choice.exclude, known()))), False)))
        if filter.archived == "yes":
            conditions.append(schema.archived)
        elif filter.archived == "no":
            conditions.append(schema.not_archived)
        return conditions

    def _conditions(self, filter: SessionFilter, names: Names) -> list[ColumnElement[bool]]:
        source = self.keys
        conditions = self.in_places(filter, names)
        if filter.status:
            conditions += status_conditions(source.c.store_status, filter.status, self.store.schema.session_statuses)
        if filter.since is not None:
            conditions.append(source.c.updated_at >= literal(filter.since, Instant()))
        if filter.until is not None:
            conditions.append(source.c.updated_at < literal(filter.until, Instant()))
        conditions += [self._has(word) for word in filter.has.include]
        conditions += [not_(self._has(word)) for word in filter.has.exclude]
        if filter.hidden:
            conditions.append(not_(among(source.c.id, self.store.database.dialect, "hidden", filter.hidden)))
        sought = (source.c.title, source.c.description)
        conditions += [contains(sought, word) for word in filter.words]
        conditions += [not_(func.coalesce(contains(sought, word), False)) for word in filter.without]
        return conditions

    def _has(self, word: str) -> ColumnElement[bool]:
        source, schema = self.keys, self.store.schema
        if word == "parent":
            return or_(source.c.parent_id.is_not(None), source.c.forked_from_id.is_not(None))
        if word == "children":
            child = schema.session_keys.alias()
            links = [child.c.parent_id] + [child.c.forked_from_id] * ("forks" in schema.capabilities)
            return or_(*(source.c.id.in_(select(link).where(link.is_not(None))) for link in links))
        whole = schema.tasks if word == "tasks" else schema.messages
        parts = schema.parts.get("task" if word == "tasks" else "message", (whole,))
        return or_(*(exists(select(literal(1)).where(rows.c.session_id == source.c.id)) for rows in parts))


def names_places(filter: SessionFilter | TaskFilter) -> bool:
    """Tell whether ``filter`` holds names, whose meaning stands in the database."""
    return bool(filter.repo or filter.worktree or filter.board or filter.user)


def status_conditions(
    column: ColumnElement[Any], choice: Choice, statuses: Mapping[str, str]
) -> list[ColumnElement[bool]]:
    """Return the conditions on the store's own status words that a choice of common ones means."""

    def own(common: Sequence[str]) -> list[str]:
        return [store for store, word in statuses.items() if word in common] + [
            word for word in common if word not in statuses and word not in statuses.values()
        ]

    return chosen(column, own(choice.include) if choice.include else None, own(choice.exclude))


def _flat(row: Mapping[Any, Any], secrets: bool) -> dict[str, Any]:
    """Return the row as plain values, a JSON ``data`` column spread out; empty ones are left out."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if name == "data":
            flat.update({key: each for key, each in decoded(value, secrets=secrets).items() if key not in flat})
        else:
            flat[str(name)] = value
    if not secrets:
        flat = redact(flat)
    return {name: value for name, value in flat.items() if value not in (None, "", [], {})}
