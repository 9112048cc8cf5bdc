"""What a copy would do: all rows are read and checked as for the copy itself, and nothing is written."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import NoReturn, TypeVar

import orjson
from sqlalchemy.engine import Connection

from agor_tui.db.engine import Database
from agor_tui.db.row_encoding import held, repaired_and_held
from agor_tui.db.row_format import FORMATS, Row, TableFormat, row_bytes
from agor_tui.db.row_repair import no_json, no_such_row, repaired, shown
from agor_tui.db.row_source import RowSource, Selection
from agor_tui.db.row_target import RowTarget, Written, clash, with_text_keys, without_later
from agor_tui.db.row_writing import RowWriter, writer
from agor_tui.errors import Cancelled
from agor_tui.transfer.copying import FINDINGS_KEPT
from agor_tui.transfers import Finding, Progress, TableCopied, Tell

T = TypeVar("T")


class Rehearsal:
    """The ``tables`` of ``source`` as ``target`` would take them, which is None where its tables are still to be made.

    ``server`` is where they will be, open for reading; None where that is to be made, too.
    """

    def __init__(
        self,
        source: RowSource,
        target: RowTarget | None,
        server: Database | None,
        tables: tuple[str, ...],
        selection: Selection | None,
        *,
        postgresql: bool,
        label: str,
    ) -> None:
        self._source = source
        self._target = target
        self._server = server
        self._names = tables
        self._selection = selection
        self._postgresql = postgresql
        self._label = label
        self._translates = postgresql and server is not None and server.read(_encoding) != "UTF8"
        # Without a name: on the disk where it grows, and gone when it is closed.
        self._seen = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._seen.execute("CREATE TABLE seen (name, value, key, PRIMARY KEY (name, value)) WITHOUT ROWID")
        self._seen.execute("CREATE TABLE links (name, value)")
        self.copied = {name: TableCopied(name, 0) for name in tables}
        self.findings: list[Finding] = []
        self.finding_count = 0

    def run(self, tell: Tell | None = None, stop: threading.Event | None = None) -> None:
        """Read and check all rows.

        Raises:
            DatabaseError: a side cannot be read, or a value that must differ is another row's.
            Cancelled: ``stop`` was set.
        """
        for name in self._names:
            total = self._source.count(name, self._selection)
            for batch in self._source.rows(name, selection=self._selection):
                if stop is not None and stop.is_set():
                    raise Cancelled("The dry run was stopped.", "Nothing was written.")
                self._batch(FORMATS[name], batch)
                done = self.copied[name]
                if tell is not None:
                    tell(Progress("check", name, done.rows + done.skipped + done.left_out, total, done.bytes))
            self._find_what_was_read()
        self._links()

    def close(self) -> None:
        """Forget what was seen."""
        self._seen.close()

    def _batch(self, table: TableFormat, batch: list[Row]) -> None:
        done = Written()
        rows, refused = self._held(table, list(with_text_keys(table, batch, done)))
        done.left_out += len(refused)
        done.findings += refused
        nothing: list[Row] = []
        fresh, older = self._asked(lambda into, target: target.chosen(into, table, rows, done), (rows, nothing))
        links: dict[str, str] = {}
        chosen = without_later(table, [*fresh, *older], links)
        self._seen.executemany("INSERT INTO links VALUES (?, ?)", links.items())
        kept, found = repaired_and_held(
            table,
            chosen,
            lambda some: repaired(table, some, postgresql=self._postgresql, present=self._present),
            lambda some: self._held(table, some),
        )
        self._find_what_was_read()
        self._find([*done.findings, *found, *self._broken_json(table, kept)])
        self._remember(table, kept)
        before = self.copied[table.name]
        self.copied[table.name] = replace(
            before,
            rows=before.rows + len(kept),
            overwritten=before.overwritten + len(older),
            skipped=before.skipped + done.skipped,
            left_out=before.left_out + done.left_out + len(chosen) - len(kept),
            bytes=before.bytes + row_bytes(table, kept),
        )

    def _held(self, table: TableFormat, rows: Sequence[Row]) -> tuple[list[Row], list[Finding]]:
        """Of ``rows`` those whose text the server can hold; a database that is still to be made will be in UTF8."""
        if self._server is None or not self._postgresql:
            return list(rows), []
        return self._server.read(lambda connection: held(writer(connection), table, rows))

    def _find_what_was_read(self) -> None:
        self._find(self._source.findings)
        self._source.findings.clear()

    def _asked(self, ask: Callable[[RowWriter, RowTarget], T], default: T) -> T:
        """What the target answers, or ``default`` where there is none yet."""
        target = self._target
        if target is None:
            return default
        return target.database.read(lambda connection: ask(writer(connection), target))

    def _present(self, table: str, keys: Collection[str]) -> set[str]:
        listed = json.dumps(list(keys))
        statement = "SELECT value FROM seen WHERE name = ? AND value IN (SELECT value FROM json_each(?))"
        found = {value for (value,) in self._seen.execute(statement, (table, listed))}
        there: set[str] = self._asked(lambda into, _: into.present(table, keys), set())
        return found | there

    def _remember(self, table: TableFormat, rows: Iterable[Row]) -> None:
        if table.key_at is None:
            return
        insert = "INSERT OR IGNORE INTO seen VALUES (?, ?, ?)"
        rows = list(rows)
        self._seen.executemany(insert, [(table.name, row[table.key_at], row[table.key_at]) for row in rows])
        for column in table.unique:
            place, name = table.names.index(column), f"{table.name}.{column}"
            for row in rows:
                if row[place] is not None:
                    self._refuse_clash(table, column, row[place], row[table.key_at])
                    self._seen.execute(insert, (name, row[place], row[table.key_at]))

    def _refuse_clash(self, table: TableFormat, column: str, value: str, key: str) -> None:
        seen = self._seen.execute(
            "SELECT key FROM seen WHERE name = ? AND value = ?", (f"{table.name}.{column}", value)
        ).fetchone()
        other = seen[0] if seen else self._asked(lambda into, _: into.key_of(table, column, value), None)
        if other is not None and other != key:
            raise clash(table, column, value, key, other, self._label)

    def _broken_json(self, table: TableFormat, rows: Iterable[Row]) -> Iterable[Finding]:
        if not self._postgresql:
            return
        for row in rows:
            for place in table.at("json"):
                text = row[place]
                if text is None or (_is_plain_json(text) and not (self._translates and "\\u" in text)):
                    continue
                if not self._takes_json(text):
                    yield no_json(table, row, place)

    def _takes_json(self, text: str) -> bool:
        if self._server is None:
            return _is_json(text)
        return self._server.read(lambda connection: writer(connection).takes_json(text))

    def _links(self) -> None:
        for name, value in self._seen.execute("SELECT name, value FROM links").fetchall():
            table, column, key = name.split(":", 2)
            if not self._present(table, {value}):
                self._find([no_such_row(table, shown(key), column, table, value)])

    def _find(self, found: list[Finding]) -> None:
        self.findings += found[: max(FINDINGS_KEPT - len(self.findings), 0)]
        self.finding_count += len(found)


def _encoding(connection: Connection) -> str:
    return writer(connection).encoding


def _is_plain_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True


def _is_json(text: str) -> bool:
    """Tell whether ``text`` is JSON as a server would say that cannot be asked; a deep one might still be refused."""
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)
