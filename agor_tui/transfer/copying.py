"""Copying one database into another, table by table in whole batches, so that a second run continues the first."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial

from sqlalchemy.engine import Connection

from agor_tui.db import transfer_marks
from agor_tui.db.row_format import FORMATS, Row, TableFormat, row_bytes
from agor_tui.db.row_source import RowSource, Selection, ahead
from agor_tui.db.row_target import RowTarget
from agor_tui.errors import Cancelled
from agor_tui.transfers import Finding, Progress, TableCopied, Tell

FINDINGS_KEPT = 1_000
"""So many findings are listed; all are counted."""

_TELL_EVERY_S = 0.2


class Copying:
    """One run of a copy: the ``tables`` of ``source`` into ``target``, which is native and current.

    ``facts`` say what is copied: a record of theirs in ``target`` is taken over and continued.
    """

    def __init__(
        self,
        source: RowSource,
        target: RowTarget,
        tables: tuple[str, ...],
        selection: Selection | None,
        facts: Mapping[str, str],
        tell: Tell | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._source = source
        self._target = target
        self._names = tables
        self._selection = selection
        self._facts = facts
        self._tell = tell
        self._told = 0.0
        self._stop = stop
        self._token = ""
        self._finished: set[str] = set()
        self._last: dict[str, str] = {}
        self.begun = False
        """Whether the record is there."""
        self.resumed = False
        """Whether it was there before."""
        self.copied = {name: TableCopied(name, 0) for name in tables}
        """What became of each table, in all runs."""
        self.findings: list[Finding] = []
        """The first of them."""
        self.finding_count = 0

    def run(self) -> None:
        """Copy the tables, then set the references between rows of one table.

        Raises:
            Cancelled: ``stop`` was set. DatabaseError: one side failed, or another run has taken over. Either way
            whole batches are there.
        """
        self._target.transaction(self._begin)
        self.begun = True
        for name in self._names:
            if name not in self._finished:
                self._table(FORMATS[name])
        while self._target.transaction(self._links):
            self._require_going()

    def end(self, target: RowTarget) -> None:
        """Remove the record from ``target``, and see that all is on the disk."""
        target.transaction(self._end, last=True)

    def _begin(self, connection: Connection) -> None:
        before = transfer_marks.unfinished(connection)
        self.resumed = before is not None
        self._token = transfer_marks.begin(connection, self._facts)
        self.finding_count = int((before or {}).get("findings", "0"))
        self.findings = [Finding(*json.loads(each)) for each in transfer_marks.read(connection, "finding").values()]
        told = self._source.findings
        told[:] = [each for each in told if each not in self.findings]  # of the whole, found again by each run
        for name, text in transfer_marks.read(connection, "table").items():
            state = json.loads(text)
            if state.pop("finished"):
                self._finished.add(name)
            if last := state.pop("last"):
                self._last[name] = last
            self.copied[name] = TableCopied(**state)

    def _table(self, table: TableFormat) -> None:
        total = self._source.count(table.name, self._selection)
        self._say(table.name, total, always=True)
        after = self._last.get(table.name)
        rows = ahead(self._source.rows(table.name, after=after, selection=self._selection))
        if table.key:
            for batch in rows:
                self._target.transaction(partial(self._batch, table=table, batch=batch))
                self._say(table.name, total)
                self._require_going()
            rows = iter(())
        self._target.transaction(partial(self._rest, table=table, rows=rows, total=total))
        self._finished.add(table.name)
        self._say(table.name, total, always=True)

    def _rest(self, connection: Connection, table: TableFormat, rows: Iterator[list[Row]], total: int | None) -> None:
        """Copy what has to be in one transaction, and note that the table is finished."""
        transfer_marks.require_run(connection, self._token)
        for batch in rows:
            self._batch(connection, table, batch)
            self._say(table.name, total)
            self._require_going()
        self._find(connection, self._read_findings())  # of a table without rows, and behind its last batch
        self._note(connection, table.name, self._last.get(table.name), finished=True)

    def _batch(self, connection: Connection, table: TableFormat, batch: list[Row]) -> None:
        transfer_marks.require_run(connection, self._token)
        began = time.monotonic()
        written = self._target.write(connection, table, batch)
        transfer_marks.add(connection, "link", written.links)
        self._find(connection, [*self._read_findings(), *written.findings])
        before = self.copied[table.name]
        self.copied[table.name] = replace(
            before,
            rows=before.rows + written.rows,
            overwritten=before.overwritten + written.overwritten,
            skipped=before.skipped + written.skipped,
            left_out=before.left_out + written.left_out,
            bytes=before.bytes + row_bytes(table, batch) * written.rows // len(batch),
            seconds=before.seconds + time.monotonic() - began,
        )
        if table.key_at is not None:
            keys = (row[table.key_at] for row in reversed(batch))
            last = next((key for key in keys if isinstance(key, str)), self._last.get(table.name))
            if last is not None:
                self._last[table.name] = last
        self._note(connection, table.name, self._last.get(table.name), finished=False)

    def _read_findings(self) -> list[Finding]:
        """What reading has found since this was asked last."""
        read = self._source.findings[:]  # the thread that reads ahead may add more at any moment
        del self._source.findings[: len(read)]
        return read

    def _note(self, connection: Connection, name: str, last: str | None, *, finished: bool) -> None:
        state = {**asdict(self.copied[name]), "last": last, "finished": finished}
        transfer_marks.put(connection, "table", name, json.dumps(state))

    def _find(self, connection: Connection, found: list[Finding]) -> None:
        kept = found[: max(FINDINGS_KEPT - len(self.findings), 0)]
        entries = {
            f"{len(self.findings) + number:06}": json.dumps([each.table, each.id, each.column, each.what, each.done])
            for number, each in enumerate(kept)
        }
        transfer_marks.add(connection, "finding", entries)
        self.findings += kept
        if found:
            self.finding_count += len(found)
            transfer_marks.put(connection, "copy", "findings", str(self.finding_count))

    def _links(self, connection: Connection) -> int:
        transfer_marks.require_run(connection, self._token)
        taken, found = self._target.set_links(connection)
        self._find(connection, found)
        return taken

    def _end(self, connection: Connection) -> None:
        transfer_marks.require_run(connection, self._token)
        transfer_marks.end(connection)

    def _require_going(self) -> None:
        if self._stop is not None and self._stop.is_set():
            raise Cancelled("The copy was stopped.")

    def _say(self, name: str, total: int | None, *, always: bool = False) -> None:
        now = time.monotonic()
        if self._tell is not None and (always or now - self._told > _TELL_EVERY_S):
            self._told = now
            done = self.copied[name]
            passed = done.rows + done.skipped + done.left_out
            self._tell(Progress("copy", name, passed, total, done.bytes))
