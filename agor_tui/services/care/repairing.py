"""Repairing a copy of a database file; the file itself is never touched."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from agor_tui.config.places import Place, SqlitePlace
from agor_tui.db.landing import landing
from agor_tui.errors import Cancelled, DamagedError, ForeignDatabaseError
from agor_tui.services.care.checking import check
from agor_tui.services.dump.rows import RowEncoder
from agor_tui.transfers import CheckReport, Progress, RepairReport, Tell

if TYPE_CHECKING:
    from agor_tui.db.row_format import Row, TableFormat

_MENDABLE = frozenset({"integrity", "references", "pairs"})


def repair(
    place: Place, found: CheckReport, *, tell: Tell | None = None, stop: threading.Event | None = None
) -> RepairReport:
    """Mend what a check found as far as that can be done, in a copy: ``agor.repaired.db`` beside ``agor.db``.

    References that lead nowhere are emptied; rows that must not be without them go, with all that then leads nowhere,
    into ``agor.repaired.removed.jsonl``, as an export writes rows, and so do pairs that stand there twice. The indexes
    are built anew. All else stays as it is. On a server nothing is done: the report has the SQL that would mend it.

    Raises:
        ForeignDatabaseError: another program owns it. FileError: the copy cannot be written, or is there already.
        DatabaseError: it is too damaged. Cancelled: ``stop`` was set; nothing is left.
    """
    if found.kind == "damaged":
        raise DamagedError(f"{found.source} is damaged beyond what can be mended here.", "Restore a backup.")
    if found.kind != "native":
        raise ForeignDatabaseError(
            f"{found.source} belongs to {found.owner}, so that it is only looked at.", "Repair it with that program."
        )
    if not isinstance(place, SqlitePlace):
        return RepairReport(sql=tuple(item.mend for item in found.items if item.mend))
    if not any(item.check in _MENDABLE and not item.well for item in found.items):
        return RepairReport()
    from agor_tui.db.engine import Database
    from agor_tui.db.repair import mended_copy

    target = place.path.with_name(f"{place.path.stem}.repaired.db")
    with ExitStack() as files:
        part = files.enter_context(landing(target))
        removed = _Removed(_free(target.with_name(f"{target.stem}.removed.jsonl")), files)

        def look(stage: str) -> None:
            if tell:
                tell(Progress(stage, "", 0, None, 0))
            if stop is not None and stop.is_set():
                raise Cancelled("The repair was stopped; nothing of it was kept.")

        with Database(place) as database:
            done = mended_copy(database, part, target, removed.keep, look, tell=tell, stop=stop)
    made = SqlitePlace(None, target.name, target, "")
    return RepairReport(
        path=target,
        removed_to=removed.path if removed.is_open else None,
        emptied=dict(done.emptied),
        removed=dict(done.removed),
        after=check(made, tell=tell, stop=stop),
    )


def _free(path: Path) -> Path:
    """``path``, or a name like it where that is taken: a repair that was killed at its end may have left it alone."""
    others = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(2, 100))
    return next((name for name in (path, *others) if not os.path.lexists(name)), path)


class _Removed:
    """The file of rows that were taken out, made with the first of them."""

    def __init__(self, path: Path, files: ExitStack) -> None:
        self.path = path
        self._files = files
        self._stream: BinaryIO | None = None
        self._encoders: dict[str, RowEncoder] = {}

    @property
    def is_open(self) -> bool:
        """Whether there was such a row."""
        return self._stream is not None

    def keep(self, form: TableFormat, row: Row) -> None:
        """Write a row. Raises FileError, OSError."""
        if self._stream is None:
            self._stream = self._files.enter_context(self._files.enter_context(landing(self.path)).open("wb"))
        encoder = self._encoders.setdefault(form.name, RowEncoder(form))
        self._stream.write(encoder.line(row) + b"\n")
