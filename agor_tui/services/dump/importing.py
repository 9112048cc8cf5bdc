"""Importing a dump into a native database: first all of the file is checked, then it is written, then compared."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from agor_tui.config.places import Place, describe, primary
from agor_tui.db import migrator, transfer_marks
from agor_tui.db.engine import Database
from agor_tui.db.restoring import empty_tables
from agor_tui.db.row_checksum import TableChecksum
from agor_tui.db.row_format import FORMATS, Row, TableFormat, row_bytes
from agor_tui.db.row_source import ahead
from agor_tui.db.row_target import RowTarget, Written
from agor_tui.db.row_writing import RowWriter, writer
from agor_tui.db.stopping import stopping
from agor_tui.errors import Cancelled
from agor_tui.services.dump.checking import Checker
from agor_tui.services.dump.form import Footer, damaged
from agor_tui.services.dump.kept_secrets import KeepingSecrets
from agor_tui.services.dump.reader import DumpReader
from agor_tui.services.dump.source import DumpSource
from agor_tui.transfer.copying import Copying
from agor_tui.transfer.sources import open_source
from agor_tui.transfer.targets import made, survey
from agor_tui.transfers import ImportReport, OnConflict, Progress, Tell

T = TypeVar("T")

_TELL_EVERY_S = 0.2


def import_file(
    path: Path,
    place: Place,
    *,
    batches: bool = False,
    on_conflict: OnConflict = "fail",
    replacing: bool = False,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
) -> ImportReport:
    """Write the rows of a dump into ``place``, which is made where there is nothing yet.

    All of them or none; with ``batches`` in transactions of their own, so that an import that was interrupted goes on
    where it ended when it is asked for again. With ``replacing`` the rows that are there go first, in the same
    transaction, and neither of the two others is to be given.

    Raises:
        FileError: the file cannot be read, is no dump, was cut or altered, or has rows that may not be imported.
        SchemaVersionError: the file, or the database, is of another revision than this program.
        DatabaseError: as ``transfer.targets.survey``, or the rows cannot be written; so far nothing was, but with
            ``batches``. Cancelled: ``stop`` was set; likewise.
    """
    began = time.monotonic()
    watch = _Watch(tell, stop)
    rule: OnConflict = "skip" if replacing else on_conflict
    ground = survey(place, rule, {})  # before a long file is read
    reader = _checked(path, place if ground.state == "native" and not replacing else None, watch)
    facts = {"source": f"file {reader.sha256}", "label": reader.file, "on_conflict": on_conflict}
    ground = survey(place, rule, {} if replacing else facts)
    what = made(ground, place, dry_run=False)
    if what:
        migrator.init(place)
    verified = on_conflict == "fail" or ground.state != "native"
    writing = _Writing(reader, place, facts, on_conflict, watch)
    copying, differing = writing.run(batches=batches, replacing=replacing, verified=verified)
    return ImportReport(
        file=reader.file,
        target=describe(place),
        tables=tuple(copying.copied.values()),
        secrets=reader.header.secrets,
        verified=verified,
        made=what,
        resumed=copying.resumed,
        findings=tuple(copying.findings),
        finding_count=copying.finding_count,
        differing=differing,
        seconds=time.monotonic() - began,
    )


def check_file(path: Path, *, tell: Tell | None = None, stop: threading.Event | None = None) -> DumpReader:
    """Read all of a dump and return what can read it again.

    Raises:
        FileError, SchemaVersionError: it may not be imported into an empty database. Cancelled: ``stop`` was set.
    """
    return _checked(path, None, _Watch(tell, stop))


class _Watch:
    """Whoever wants to be told, and may stop the work."""

    def __init__(self, tell: Tell | None, stop: threading.Event | None) -> None:
        self._tell = tell
        self.stop = stop
        self._told = 0.0

    def passed(self, stage: str, table: str, rows: int, total: int | None, bytes: int) -> None:
        """Tell, but not too often. Raises Cancelled where the work is to end."""
        if self.stop is not None and self.stop.is_set():
            raise Cancelled("The import was stopped.")
        if self._tell is not None and time.monotonic() - self._told >= _TELL_EVERY_S:
            self._told = time.monotonic()
            self._tell(Progress(stage, table, rows, total, bytes))

    @property
    def copying(self) -> Tell | None:
        """What a copy tells, as an import."""
        tell = self._tell
        return None if tell is None else lambda progress: tell(replace(progress, stage="import"))


def _checked(path: Path, place: Place | None, watch: _Watch) -> DumpReader:
    """Read all of the file. Raises FileError where it may not be imported into ``place`` (None: an empty database)."""
    reader = DumpReader(path)

    def held(table: str, ids: set[str]) -> set[str]:
        if place is None:
            return set()
        with Database(primary(place)) as database:
            return database.read(lambda connection: writer(connection).present(table, ids))

    counts = dict.fromkeys(reader.header.tables, 0)
    sums = 0
    with closing(Checker(reader.file, held)) as checker:
        for batch in reader.batches():
            checker.add(batch)
            counts[batch.table] += len(batch.rows)
            sums += batch.bytes
            watch.passed("check", batch.table, counts[batch.table], None, sums)
        checker.end(reader.has_messages)
    told = {name: each.rows for name, each in reader.footer.tables.items()}
    if {name: count for name, count in counts.items() if count} != {name: rows for name, rows in told.items() if rows}:
        raise damaged(reader.file, 1, "it has not as many rows as its last line says")
    return reader


class _Writing:
    """The second half of an import: the rows are written, and compared with the file.

    A record stays in the database until they are compared: where this is killed before, the same import goes on there.
    """

    def __init__(
        self, reader: DumpReader, place: Place, facts: Mapping[str, str], on_conflict: OnConflict, watch: _Watch
    ) -> None:
        self._reader = reader
        self._place = place
        self._facts = facts
        self._on_conflict: OnConflict = on_conflict
        self._watch = watch

    def run(self, *, batches: bool, replacing: bool, verified: bool) -> tuple[Copying, tuple[str, ...]]:
        """Write and compare; return also the tables that differ. Raises as ``import_file``."""
        with (
            DumpSource(self._reader) as source,
            Database(primary(self._place), writable=True) as database,
            stopping(self._watch.stop, database.cancel),
        ):
            target = (RowTarget if self._reader.header.secrets else KeepingSecrets)(database, self._on_conflict)

            def all_of_it(connection: Any) -> Copying:
                if replacing:
                    empty_tables(connection)
                    transfer_marks.end(connection)
                return self._rows(source, _Within(target, connection), ends=not verified)

            try:
                if batches:
                    copying = self._rows(source, target, ends=not verified)
                else:
                    copying = target.transaction(all_of_it, last=True)
            except Cancelled:
                more = "what is there stays, and the same import goes on" if batches else "nothing was written"
                raise Cancelled(f"The import was stopped; {more}.") from None
            if not verified:
                return copying, ()
            try:
                differing = _differing(self._reader.footer, self._place, self._watch)
            except Cancelled:
                raise Cancelled(
                    "The import was stopped; all rows are there, and the same import compares them."
                ) from None
            copying.end(target)
            return copying, differing

    def _rows(self, source: DumpSource, target: RowTarget, *, ends: bool) -> Copying:
        watch = self._watch
        copying = Copying(source, target, source.tables, None, self._facts, watch.copying, watch.stop)
        copying.run()
        source.finish()
        if ends:
            copying.end(target)
        return copying


class _Within(RowTarget):
    """A target whose transactions are all parts of one that is open."""

    def __init__(self, target: RowTarget, connection: Any) -> None:
        super().__init__(target.database, target.on_conflict)
        self._target = target
        self._connection = connection

    def transaction(self, work: Callable[[Any], T], *, last: bool = False) -> T:
        return work(self._connection)

    def chosen(
        self, into: RowWriter, table: TableFormat, rows: Sequence[Row], done: Written
    ) -> tuple[list[Row], list[Row]]:
        return self._target.chosen(into, table, rows, done)


def _differing(footer: Footer, place: Place, watch: _Watch) -> tuple[str, ...]:
    """The tables whose rows are not those that the footer tells of."""
    differing = []
    with open_source(place) as source, stopping(watch.stop, source.cancel):
        for name, form in FORMATS.items():
            total = TableChecksum(column.kind for column in form.columns)
            told = footer.tables.get(name)
            passed = 0
            for rows in ahead(source.rows(name)):
                for row in rows:
                    total.add(row)
                passed += row_bytes(form, rows)
                watch.passed("verify", name, total.rows, told.rows if told else None, passed)
            if (total.rows, total.hex) != ((told.rows, told.checksum) if told else (0, total.hex)):
                differing.append(name)
    return tuple(differing)
