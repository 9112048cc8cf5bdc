"""Copying a database into another, and seeing that nothing was lost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from agor_tui.config.places import Place, PostgresPlace, describe
from agor_tui.errors import Cancelled, DatabaseError, UsageError
from agor_tui.hints import own_command
from agor_tui.transfers import (
    MOST_COUNTED,
    NOT_COPIED,
    UNREAD,
    CompareReport,
    CopyOptions,
    CopyReport,
    LeftAside,
    Tell,
)

if TYPE_CHECKING:
    from agor_tui.db.row_source import RowSource, Selection
    from agor_tui.transfer.copying import Copying
    from agor_tui.transfer.targets import Ground


def copy(
    source: Place,
    target: Place,
    options: CopyOptions,
    *,
    tenant: str | None = None,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
) -> CopyReport:
    """Copy ``source`` into ``target`` and compare both; with ``options.dry_run`` say what that would do.

    ``target`` is made where it is missing. A copy of the same that was interrupted is continued. ``source`` is read in
    one state of it and never written. ``tenant``: whose rows, where ``source`` has several.

    Raises:
        UsageError: both are one database.
        DatabaseError: one of them cannot be reached, read or written; ``target`` is another program's, not at this
            program's revision, not empty, or holds another unfinished copy; a value that must differ does not.
        Cancelled: ``stop`` was set; the message says what ``target`` holds.
    """
    from agor_tui.db import identity
    from agor_tui.db.stopping import stopping
    from agor_tui.transfer import targets
    from agor_tui.transfer.sources import open_source

    began = time.monotonic()
    targets.refuse_same(source, target)
    facts = {
        "source": " ".join(filter(None, (identity.identity(source).lasting, tenant))),
        "options": json.dumps([sorted(options.only), options.since_ms, options.on_conflict]),
    }
    ground = targets.survey(target, options.on_conflict, facts)
    with open_source(source, tenant=tenant, salvage=options.salvage) as rows, stopping(stop, rows.cancel):
        if not options.salvage:
            rows.require_whole()
        names = tuple(name for name in rows.tables if not options.only or name in options.only)
        selection = None if options.since_ms is None else rows.since(options.since_ms)
        job = _Job(rows, target, ground, names, selection, options, facts, tell, stop)
        return job.rehearse(began) if options.dry_run else job.copy(began)


class _Job:
    """One copy: what goes where, and who is told."""

    def __init__(
        self,
        source: RowSource,
        target: Place,
        ground: Ground,
        tables: tuple[str, ...],
        selection: Selection | None,
        options: CopyOptions,
        facts: Mapping[str, str],
        tell: Tell | None,
        stop: threading.Event | None,
    ) -> None:
        self._source = source
        self._target = target
        self._ground = ground
        self._tables = tables
        self._selection = selection
        self._options = options
        self._facts = facts
        self._tell = tell
        self._stop = stop

    def rehearse(self, began: float) -> CopyReport:
        """Read and check all rows; nothing is written."""
        from agor_tui.db.engine import Database
        from agor_tui.db.row_target import RowTarget
        from agor_tui.transfer.rehearsal import Rehearsal
        from agor_tui.transfer.targets import made

        place = self._target
        database = Database(place) if self._ground.state != "absent" else None
        native = database is not None and self._ground.state == "native"
        target = RowTarget(database, self._options.on_conflict) if database and native else None
        rehearsal = Rehearsal(
            self._source,
            target,
            database,
            self._tables,
            self._selection,
            postgresql=isinstance(place, PostgresPlace),
            label=describe(place),
        )
        try:
            rehearsal.run(self._tell, self._stop)
        finally:
            rehearsal.close()
            if database is not None:
                database.close()
        return CopyReport(
            source=self._source.label,
            target=describe(place),
            source_kind=self._source.kind,
            tables=tuple(rehearsal.copied.values()),
            findings=tuple(rehearsal.findings),
            finding_count=rehearsal.finding_count,
            left_aside=tuple(self._source.left_aside),
            made=made(self._ground, place, dry_run=True),
            resumed=self._ground.unfinished is not None,
            dry_run=True,
            on_conflict=self._options.on_conflict,
            seconds=time.monotonic() - began,
        )

    def copy(self, began: float) -> CopyReport:
        """Copy, compare, and end the record of the copy."""
        from agor_tui.db import migrator
        from agor_tui.db.engine import Database
        from agor_tui.db.row_target import RowTarget
        from agor_tui.db.stopping import stopping
        from agor_tui.transfer.copying import Copying
        from agor_tui.transfer.targets import made

        if self._ground.state != "native":
            migrator.init(self._target)
        facts = {**self._facts, "label": self._source.label}
        with Database(self._target, writable=True) as database, stopping(self._stop, database.cancel):
            target = RowTarget(database, self._options.on_conflict)
            copying = Copying(self._source, target, self._tables, self._selection, facts, self._tell, self._stop)
            with self._interruptions(copying):
                copying.run()
                verified = self._verified()
                copying.end(target)
        return CopyReport(
            source=self._source.label,
            target=target.label,
            source_kind=self._source.kind,
            tables=tuple(copying.copied.values()),
            findings=tuple(copying.findings),
            finding_count=copying.finding_count,
            left_aside=tuple(self._source.left_aside),
            made=made(self._ground, self._target, dry_run=False),
            resumed=copying.resumed,
            on_conflict=self._options.on_conflict,
            seconds=time.monotonic() - began,
            verified=verified,
        )

    def _verified(self) -> CompareReport:
        from agor_tui.db.row_source import SelectedSource
        from agor_tui.transfer.comparing import compare
        from agor_tui.transfer.sources import open_source

        source = SelectedSource(self._source, self._selection) if self._selection else self._source
        with open_source(self._target) as target:
            return compare(source, target, self._tables, self._tell, self._stop)

    @contextmanager
    def _interruptions(self, copying: Copying) -> Iterator[None]:
        """Say of what ends the copy early what the target holds then."""
        try:
            yield
        except Cancelled:
            rows = sum(table.rows for table in copying.copied.values())
            raise Cancelled(
                f"The copy was stopped: {describe(self._target)} holds {rows:,} rows of it, in whole batches.",
                "The same copy, begun again, continues it.",
            ) from None
        except DatabaseError as error:
            if copying.begun:
                error.hint = f"{error.hint} What was copied so far stays, and the same copy continues after it.".strip()
            raise


def require_postgresql(place: Place) -> None:
    """Raise a UsageError for any other database."""
    if not isinstance(place, PostgresPlace):
        raise UsageError(
            f"{describe(place)} is no PostgreSQL database.", f"To copy to anywhere: {own_command('db copy')}"
        )


def losses(report: CopyReport) -> str:
    """What TO holds (after a dry run: would hold) not as FROM does, in half a sentence; empty where nothing is."""
    from agor_tui.text import count

    whole = [each for each in report.findings if not each.id and each.done != UNREAD]
    columns = sum(each.column is not None for each in whole)
    rows = sum(table.left_out for table in report.tables)
    unread = sum(each.done == UNREAD for each in report.findings)
    loose = sum(bool(each.id) and each.done == NOT_COPIED for each in report.findings)
    found = (
        (unread, "place", "of a damaged file that cannot be read"),
        (len(whole) - columns, "table", "that agor-tui has not"),
        (columns, "column", "that agor-tui has not"),
        (rows, "row", "left out"),
        (loose, "piece", "not copied"),
        (max(0, report.finding_count - len(whole) - rows - unread - loose), "value", "changed"),
    )
    return ", ".join(f"{count(number)} {noun}{'s' * (number != 1)} {what}" for number, noun, what in found if number)


def left_aside_lines(tables: Iterable[LeftAside]) -> Iterator[str]:
    """A line for each table that is knowingly not read: how many rows it has, and why."""
    from agor_tui.text import count

    for each in tables:
        rows = f"over {count(MOST_COUNTED)}" if each.rows > MOST_COUNTED else count(each.rows)
        yield f"{each.table}, {rows} row{'s' * (each.rows != 1)}: {each.reason}"


def proof(report: CopyReport) -> str:
    """What the comparison after a lossless copy shows, as a clause."""
    from agor_tui.text import count

    rows = report.kept_otherwise
    if not rows:
        return "nothing was lost" + (" but what stays behind on purpose" if report.left_aside else "")
    stays = "row stays as TO has it" if rows == 1 else "rows stay as TO has them"
    return f"nothing is missing; {count(rows)} {stays}, otherwise than in FROM"


def copy_json(report: CopyReport) -> dict[str, Any]:
    """A report for programs: the fields of the records, and whether nothing was lost."""
    from agor_tui.services.comparing import comparison_json

    verified = comparison_json(report.verified) if report.verified else None
    return {"lossless": report.lossless} | asdict(report) | {"verified": verified}
