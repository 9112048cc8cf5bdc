"""What backups, restores and checks tell, as JSON for scripts."""

from __future__ import annotations

from typing import Any

from agor_tui.transfers import BackupReport, CheckReport, RepairReport, RestoreReport


def backup_json(report: BackupReport) -> dict[str, Any]:
    """A backup that was made."""
    return {
        "source": report.source,
        "path": str(report.path),
        "form": report.form,
        "bytes": report.size,
        "seconds": round(report.seconds, 3),
        "also": None if report.also is None else str(report.also),
        "notes": list(report.notes),
    }


def check_json(report: CheckReport, mended: RepairReport | None = None) -> dict[str, Any]:
    """What a check found, and what a repair made of it."""
    found = {
        "source": report.source,
        "kind": report.kind,
        "owner": report.owner,
        "well": report.well,
        "seconds": round(report.seconds, 3),
        "items": [
            {
                "check": item.check,
                "well": item.well,
                "table": item.table or None,
                "column": item.column or None,
                "words": item.words,
                "count": item.count,
                "found": list(item.found),
            }
            for item in report.items
        ],
    }
    if mended is None:
        return found
    made = {
        "path": None if mended.path is None else str(mended.path),
        "removed_to": None if mended.removed_to is None else str(mended.removed_to),
        "emptied": dict(mended.emptied),
        "removed": dict(mended.removed),
        "sql": list(mended.sql),
        "after": None if mended.after is None else check_json(mended.after),
    }
    return {**found, "repair": made}


def restore_json(report: RestoreReport) -> dict[str, Any]:
    """A restore that was done."""
    return {
        "target": report.target,
        "backup": str(report.backup),
        "sessions": report.sessions,
        "revision": report.revision,
        "safety": None if report.safety is None else str(report.safety),
        "seconds": round(report.seconds, 3),
    }
