"""What all repositories share: the open database with its schema, keyset pages, prefixes and short ids."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import FromClause, Row, Select, exc, func, null, select, type_coerce
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import NullType, Text

from agor_tui import ids
from agor_tui.db.engine import Database
from agor_tui.db.failures import is_row_fault, said
from agor_tui.db.statement import Statement, is_careful, parameter, spelling
from agor_tui.db.types import Id, among, id_list, load_json, stored_value
from agor_tui.errors import AmbiguousIdError, NotFoundError, UsageError
from agor_tui.records import Ambiguity, Cursor, Kind, Match, Page
from agor_tui.redact import redact, redact_broken
from agor_tui.redact.records import without_secrets
from agor_tui.repositories.faults import Faults, Unread
from agor_tui.repositories.paging import (
    ALL,
    END,
    Asked,
    NoId,
    Part,
    cursor_shape,
    keys_query,
    page_of_ids,
    parts_in_order,
)
from agor_tui.schemas.base import Schema

if TYPE_CHECKING:
    from agor_tui.repositories.writing import Writer

R = TypeVar("R")
T = TypeVar("T")

CANDIDATES = 20
"""How many rows an ambiguity lists."""

MOST_STATEMENTS = 400
"""How many compiled statements are kept for databases of the same tables."""


@dataclass(frozen=True, slots=True)
class Store:
    """An open database and the mapping of its tables: what every repository is made of."""

    database: Database
    schema: Schema
    faults: Faults = field(default_factory=Faults, compare=False, repr=False)
    """The rows that could not be read as they should."""
    secrets: bool = False
    """Whether records keep their secrets: where somebody asked to see them."""


def neighbours(bare: FromClause, row_id: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return the ids just before and just behind ``row_id`` in ``bare`` ids, as scalar subqueries the index answers."""
    # Not as max and min: of ids in several tables SQLite finds those by reading all of them.
    low, high = bare.alias(), bare.alias()
    return (
        select(low.c.id).where(low.c.id < row_id).order_by(low.c.id.desc()).limit(1).scalar_subquery(),
        select(high.c.id).where(high.c.id > row_id).order_by(high.c.id).limit(1).scalar_subquery(),
    )


def in_order(ids_wanted: Iterable[str], rows: Iterable[Any]) -> list[Row[Any]]:
    """Return ``rows`` in the order of the ids wanted; ids without a row are left out."""
    found = {row.id: row for row in rows}
    return [found[each] for each in ids_wanted if each in found]


def _by_id(rows: Iterable[Any]) -> dict[str, list[Any]]:
    """The rows of each id: one, where the table is sound."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row)
    return found


class Repository(Generic[R]):
    """The rows of one kind."""

    kind: Kind
    title: str = "name"
    """The column that names a row to a person."""
    time: str = "created_at"
    rows_apart: bool = True
    """Whether a list of this kind shows short ids, for which each row's neighbours are asked."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._missing: dict[ColumnElement[Any], bool] = {}
        self._nameless: int | None = None

    @property
    def present(self) -> bool:
        """Whether the store has this notion at all."""
        return getattr(self.store.schema, f"{self.kind}s") is not None

    @property
    def source(self) -> FromClause:
        """The selectable of this kind.

        Raises:
            NotFoundError: the store has no such notion.
        """
        found: FromClause | None = getattr(self.store.schema, f"{self.kind}s")
        if found is None:
            raise NotFoundError(f"This kind of database has no {self.kind}s.")
        return found

    @property
    def keys(self) -> FromClause:
        """The selectable that this kind is filtered and sorted on: the same rows, perhaps fewer columns."""
        return self.source

    def read(self, work: Callable[[Connection], Any]) -> Any:
        """Run ``work`` in one reading unit of work."""
        return self.store.database.read(work)

    def list_columns(self, source: FromClause) -> list[ColumnElement[Any]]:
        """Return the columns that a record is made of; short ids' neighbours are added to them."""
        raise NotImplementedError

    def record(self, row: Any, short_id: str) -> R:
        """Return the record of a row of ``list_columns``."""
        raise NotImplementedError

    def shown(self, record: T) -> T:
        """Return a record as it may be shown: without its secrets, unless they were asked for."""
        return record if self.store.secrets else without_secrets(record)

    # Statements that run often are kept: making and compiling one takes many times longer than running it.

    @property
    def _variant(self) -> Hashable:
        """What, besides the schema, the statements of this repository depend on."""
        return type(self).__name__

    def _kept(self, name: Hashable, make: Callable[[], Select[Any]], connection: Connection) -> Statement:
        kept, key = self.store.schema.statements, (self._variant, spelling(connection), name)
        found = kept.get(key)
        if found is None:
            if len(kept) >= MOST_STATEMENTS:  # a filter that is being typed makes one for each letter
                kept.clear()
            found = kept[key] = Statement(make(), connection)
        return found

    def _rows_query(self) -> Select[Any]:
        return self._of_ids(self.list_columns(self.source), self.rows_apart)

    def _matches_query(self) -> Select[Any]:
        source = self.source
        session: ColumnElement[Any] = source.c.get("session_id", null())
        title, time = source.c[self.title].label("title"), source.c[self.time].label("time")
        return self._of_ids([source.c.id, title, time, session.label("session_id")], True)

    def _prefix_query(self) -> Select[Any]:
        bare = self.store.schema.ids[self.kind]
        low, high = parameter("low", Id()), parameter("high", Id())
        return select(bare.c.id).where(bare.c.id >= low, bare.c.id <= high).order_by(bare.c.id)

    def _any_case_query(self) -> Select[Any]:
        bare = self.store.schema.ids[self.kind]
        fits = func.lower(bare.c.id).like(parameter("pattern", Text()), escape="\\")
        return select(bare.c.id).where(fits).order_by(bare.c.id).limit(CANDIDATES + 1)

    def _of_ids(self, columns: Sequence[ColumnElement[Any]], apart: bool) -> Select[Any]:
        source = self.source
        previous: ColumnElement[Any] = null()
        following: ColumnElement[Any] = null()
        if apart:
            previous, following = neighbours(self.store.schema.ids[self.kind], source.c.id)
        query = select(*columns, previous.label("previous_id"), following.label("next_id"))
        return query.where(among(source.c.id, self.store.database.dialect, "wanted"))

    def fetch(
        self, connection: Connection, wanted: Sequence[str | None], *, may_be_gone: bool = False
    ) -> tuple[R, ...]:
        """Return a record for each of the ids ``wanted``, in their order, each with its short id.

        Where a row cannot be read, or there is None instead of an id, the record says so. ``may_be_gone``: ids without
        a row are left out.
        """
        records: list[R] = []
        for start in range(0, len(wanted), 500):
            chunk = wanted[start : start + 500]
            sound = [each for each in chunk if each is not None and not isinstance(each, NoId)]
            rows = _by_id(self._rows_of(connection, sound))
            for each in [each for each in sound if each in rows] if may_be_gone else chunk:
                there = [] if each is None or isinstance(each, NoId) else rows.get(each, [])
                records.append(self._record_of(each, there))
        return tuple(records)

    def _rows_of(self, connection: Connection, wanted: Sequence[str]) -> list[Any]:
        """The rows of some ids. Where one of them has made the database fail before, each is asked for by itself."""
        statement, dialect = self._kept("rows", self._rows_query, connection), self.store.database.dialect
        if not is_careful(connection):
            return statement.rows(connection, wanted=id_list(wanted, dialect))
        rows: list[Any] = []
        for each in dict.fromkeys(wanted):
            try:
                with connection.begin_nested():
                    rows += statement.rows(connection, wanted=id_list([each], dialect))
            except exc.DBAPIError as error:
                if not is_row_fault(error):
                    raise
                rows.append(Unread(each, said(error)))
        return rows

    def _record_of(self, id: str | None, rows: list[Any]) -> R:
        """The record of an id that has a row; where it cannot be read, one that says why."""
        row_id = id or ""
        lost = "it has no id" if id is None else "its id is no text that can be asked for"
        row = rows.pop(0) if rows else Unread(row_id, lost)
        if rows:
            self.store.faults.add(self.kind, row_id, "several rows have this id")
        if not isinstance(row, Unread):
            try:
                return self.shown(self.record(row, ids.shortest(row.id, row.previous_id, row.next_id)))
            except Exception as error:  # whatever it is, it is this row's
                row = Unread(row_id, f"its values are of no use ({type(error).__name__})")
        self.store.faults.add(self.kind, row_id, row.why)
        return self.shown(self.record(row, ids.shortest(row_id, None, None)))

    def page(
        self,
        connection: Connection,
        asked: Asked,
        *,
        key: ColumnElement[Any] | None = None,
        descending: bool = False,
        conditions: Callable[[], Sequence[ColumnElement[bool]]] = tuple,
        shape: Hashable = None,
    ) -> Page[R]:
        """Return a page of records ordered by (``key``, id); by id alone where no key is given.

        ``shape`` names the statement that ``key``, ``descending`` and ``conditions`` make, so that it can be kept;
        None where they depend on what is in the database.
        """
        keys = self.keys
        by = keys.c.id if key is None else key

        def rows(part: Part, wanted: Asked) -> Sequence[Any]:
            def make() -> Select[Any]:
                return keys_query(keys, by, descending, conditions(), wanted, part)

            values: dict[str, Any] = {}
            if wanted.cursor is not None:
                values["cursor_id"] = stored_value(wanted.cursor.id)
                if by is not keys.c.id and part != "missing":
                    values["cursor_key"] = stored_value(wanted.cursor.key)
            if wanted.offset:
                values["skip"] = wanted.offset
            if shape is None:
                return Statement(make(), connection).rows(connection, **values)
            name = (shape, part, cursor_shape(wanted.cursor), wanted.before is None, wanted.offset > 0, wanted.limit)
            return self._kept(name, make, connection).rows(connection, **values)

        if asked.cursor is None:
            self._look_for_missing_ids(connection)
        if by is keys.c.id:
            found = page_of_ids(rows("all", asked), asked)
        else:
            parts = parts_in_order(asked, descending)
            found = page_of_ids(self._rows_of_parts(connection, by, parts, asked, rows), asked)
        return Page(self.fetch(connection, found.rows), found.next, found.previous)

    def _rows_of_parts(
        self,
        connection: Connection,
        by: ColumnElement[Any],
        parts: Sequence[Part],
        asked: Asked,
        rows: Callable[[Part, Asked], Sequence[Any]],
    ) -> Sequence[Any]:
        """Return the rows of a page, and one more, from the parts of a list, of which most often one is empty."""
        found: list[Any] = []
        most = asked.limit + 1 if asked.limit else None
        wanted = asked
        for part in parts:
            if part == "missing" and not self._has_missing(connection, by):
                continue
            if most is not None:
                wanted = replace(wanted, limit=max(1, most - len(found) - 1))
            got = rows(part, wanted)
            found += got if most is None else got[: most - len(found)]
            if most is not None and len(found) == most:
                break
            skip = 0
            if wanted.offset and not got:  # all of this part is skipped: how many rows that is
                skip = wanted.offset - len(rows(part, replace(wanted, offset=0, limit=wanted.offset - 1)))
            wanted = replace(wanted, after=None, before=None if wanted.before is None else END, offset=skip)
        return found

    def _has_missing(self, connection: Connection, key: ColumnElement[Any]) -> bool:
        """Tell whether any row has no value to be sorted by; asked once, since in most stores none ever has."""
        if key not in self._missing:
            query = select(self.keys.c.id).where(key.is_(None)).limit(1)
            self._missing[key] = connection.execute(query).first() is not None
        return self._missing[key]

    def _look_for_missing_ids(self, connection: Connection) -> None:
        """Note that there are rows without an id, which nothing can name; looked for once."""
        if self._nameless is None:
            bare = self.store.schema.ids[self.kind]
            query = select(func.count()).select_from(bare).where(bare.c.id.is_(None))
            self._nameless = connection.scalar(query) or 0
            if self._nameless:
                number = self._nameless
                why = "1 row has no id" if number == 1 else f"{number:,} rows have no id"
                self.store.faults.add(self.kind, "", f"{why} and cannot be listed")

    def list(self, asked: Asked = ALL) -> Page[R]:
        """Return rows ordered by id."""
        found: Page[R] = self.read(lambda connection: self.page(connection, asked, shape="list"))
        return found

    def get(self, id_or_prefix: str) -> R:
        """Return the one row that an id or a prefix of it names.

        Raises:
            UsageError: no id at all. NotFoundError: no such row. AmbiguousIdError: several rows.
        """

        def work(connection: Connection) -> R:
            found = self.resolve_in(connection, id_or_prefix)
            return self.fetch(connection, [found])[0]

        record: R = self.read(work)
        return record

    def cursor_in(self, connection: Connection, id_or_prefix: str, key: ColumnElement[Any]) -> Cursor:
        """Return the place of a row in the order of ``key``; raises as ``get``."""
        found = self.resolve_in(connection, id_or_prefix)
        return Cursor(connection.scalar(select(type_coerce(key, NullType())).where(self.keys.c.id == found)), found)

    def resolve_in(self, connection: Connection, text: str) -> str:
        """Return the whole id that ``text`` names, within a unit of work; raises as ``get``."""
        prefix, count, matching = self._matching(connection, text)
        if count == 1:
            return matching[0]
        if not count:
            raise NotFoundError(
                f"No {self.kind} has an id beginning with {prefix.text}.", self.nearest_hint(connection, prefix.text)
            )
        found = Ambiguity(prefix.text, count, self.matches(connection, matching))
        raise AmbiguousIdError(
            f"{found.count} {self.kind}s have ids beginning with {found.prefix}.",
            found,
            "Give more characters.",
        )

    def create(self, **values: Any) -> R:
        """Make a row from common names and return it; raises as ``writing.Writer.create``."""
        return self.get(self._writer.create(values))

    def update(self, id_or_prefix: str, changes: Mapping[str, Any]) -> R:
        """Change a row (objects merge, lists replace, None clears, the rest stays) and return it."""
        row_id = self.read(lambda connection: self.resolve_in(connection, id_or_prefix))
        self._writer.update(row_id, changes)
        return self.get(row_id)

    def delete(self, id_or_prefix: str) -> None:
        """Delete a row and what cannot be without it, such as the tasks and messages of a session."""
        self._writer.delete(self.read(lambda connection: self.resolve_in(connection, id_or_prefix)))

    @property
    def _writer(self) -> Writer:
        from agor_tui.repositories.writing import Writer

        return Writer(self.store, self.kind)

    def candidates_in(self, connection: Connection, text: str) -> Ambiguity:
        """Return how many rows an id or prefix names, and the first ``CANDIDATES`` of them in id order."""
        prefix, count, matching = self._matching(connection, text)
        return Ambiguity(prefix.text, count, self.matches(connection, matching))

    def _matching(self, connection: Connection, text: str) -> tuple[ids.Prefix, int, Sequence[str]]:
        """Return the prefix that ``text`` means, how many ids begin so, and the first of them."""
        try:
            prefix = self._prefix(text)
        except UsageError:
            # An id of a form that we do not know is still one when it is given whole.
            if self._between(connection, text, text):
                return ids.Prefix(text, "literal", text, text), 1, [text]
            # Rows that were copied from a store whose ids are no UUIDs go by the beginnings of those.
            with suppress(UsageError):
                prefix = ids.parse_prefix(text, literal=True)
                copied = [each for each in self._between(connection, prefix.low, prefix.high) if prefix.matches(each)]
                copied = copied or list(self._in_any_case(connection, prefix))
                if copied:
                    return prefix, len(copied), copied[:CANDIDATES]
            raise
        between = self._between(connection, prefix.low, prefix.high)
        found = [each for each in between if prefix.matches(each)]
        found = found or list(self._of_other_form(connection, text, prefix))
        whole = prefix.text.lower()
        exact = [each for each in found if whole in (ids.compact(each), each.lower())]
        if exact or len(found) <= CANDIDATES:
            return prefix, len(exact or found), exact or found
        every = select(func.count()).select_from(self._prefix_query().order_by(None).subquery())
        count = connection.scalar(every, {"low": prefix.low, "high": prefix.high})
        return prefix, max(count or 0, len(found)), found[:CANDIDATES]

    def _of_other_form(self, connection: Connection, text: str, prefix: ids.Prefix) -> Sequence[str]:
        """Return the ids that ``prefix`` fits in another case, or the one that is written exactly as ``text``."""
        if prefix.style == "literal":
            return self._between(connection, text, text) or self._in_any_case(connection, prefix)
        capitals = self._between(connection, prefix.low.upper(), prefix.high.upper())
        return [each for each in capitals if prefix.matches(each)] or self._between(connection, text, text)

    def _in_any_case(self, connection: Connection, prefix: ids.Prefix) -> Sequence[str]:
        """Return the first ids that begin with ``prefix`` but for the case of its letters; no index serves this."""
        statement = self._kept("prefix in any case", self._any_case_query, connection)
        pattern = prefix.text.lower().replace("_", "\\_") + "%"  # of what a prefix may hold, the only wildcard
        return [row.id for row in statement.rows(connection, pattern=pattern)]

    def _between(self, connection: Connection, low: str, high: str) -> Sequence[str]:
        statement = self._kept("prefix", lambda: self._prefix_query().limit(CANDIDATES + 1), connection)
        # Where a table has no rules, several rows may have one id.
        return list(dict.fromkeys(row.id for row in statement.rows(connection, low=low, high=high)))

    def matches(self, connection: Connection, wanted: Sequence[str]) -> tuple[Match, ...]:
        """Return what a person needs to tell the rows ``wanted`` apart."""
        if not wanted:
            return ()
        statement = self._kept("matches", self._matches_query, connection)
        rows = statement.rows(connection, wanted=id_list(wanted, self.store.database.dialect))
        return tuple(
            self.shown(
                Match(
                    self.kind,
                    row.id,
                    ids.shortest(row.id, row.previous_id, row.next_id),
                    row.title or "",
                    row.time,
                    row.session_id,
                )
            )
            for row in in_order(wanted, rows)
        )

    def nearest_hint(self, connection: Connection, text: str) -> str:
        """Return a sentence that names the nearest id there is; empty where there is none."""
        prefix = self._prefix(text)
        bare = self.store.schema.ids[self.kind]
        around = (
            connection.scalar(select(func.max(bare.c.id, type_=Id())).where(bare.c.id < prefix.low)),
            connection.scalar(select(func.min(bare.c.id, type_=Id())).where(bare.c.id > prefix.high)),
        )
        best = ids.nearest(prefix.text, [each for each in around if each is not None])
        return "" if best is None else f"The nearest is {ids.compact(best)}."

    def _prefix(self, text: str) -> ids.Prefix:
        return ids.parse_prefix(text, literal=not self.store.schema.uuid_ids)


def decoded(text: str | None, *, secrets: bool = False) -> dict[str, Any]:
    """Return a row's JSON with its ``secrets`` or without; broken JSON as the text it is."""
    try:
        data = load_json(text)
    except ValueError:
        return {"broken JSON": text or "" if secrets else redact_broken(text or "")}
    if not secrets:
        data = redact(data)
    return data if isinstance(data, dict) else {"data": data}
