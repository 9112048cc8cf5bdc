"""What exports and imports tell, as JSON for scripts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from agor_tui.transfers import ExportReport, ImportReport


def export_json(report: ExportReport) -> dict[str, Any]:
    """The fields of the records, and whether all rows are in the file as they are, secrets aside."""
    return {"lossless": not report.finding_count} | asdict(report)


def import_json(report: ImportReport) -> dict[str, Any]:
    """The fields of the records, and whether all rows are in the database as they are in the file."""
    return {"lossless": report.lossless} | asdict(report)
