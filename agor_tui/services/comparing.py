"""Comparing two databases of any kind: do they hold the same rows?"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from agor_tui.errors import UsageError, quoted, suggestion

if TYPE_CHECKING:
    from agor_tui.config.places import Place
    from agor_tui.transfers import CompareReport, Tell


def compare_places(
    a: Place,
    b: Place,
    *,
    only: Iterable[str] | None = None,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
) -> CompareReport:
    """Open both and compare all tables, or those that ``only`` names.

    Raises:
        DatabaseError: one of them cannot be opened or read. Cancelled: ``stop`` was set.
    """
    from agor_tui.db.stopping import stopping
    from agor_tui.transfer.comparing import compare
    from agor_tui.transfer.sources import open_source

    with (
        open_source(a) as first,
        open_source(b) as second,
        stopping(stop, first.cancel),
        stopping(stop, second.cancel),
    ):
        for each in (first, second):
            each.require_whole()
        return compare(first, second, only, tell, stop)


def only_tables(names: str | None) -> tuple[str, ...] | None:
    """The tables that a list such as ``sessions,messages`` names; None for None.

    Raises:
        UsageError: there is no such table.
    """
    if names is None:
        return None
    from agor_tui.db.row_format import FORMATS

    wanted = tuple(name for name in (part.strip() for part in names.split(",")) if name)
    if not wanted:
        raise UsageError("--only names no table.", f"Tables: {', '.join(FORMATS)}")
    for name in wanted:
        if name not in FORMATS:
            raise UsageError(
                f"There is no table {quoted(name)}{suggestion(name, FORMATS)}.", f"Tables: {', '.join(FORMATS)}"
            )
    return wanted


def comparison_json(report: CompareReport) -> dict[str, Any]:
    """A comparison for programs: the fields of the records, and whether all and each of the tables are equal."""
    tables = [{"equal": table.equal} | asdict(table) for table in report.tables]
    return {"equal": report.equal} | asdict(report) | {"tables": tables}
