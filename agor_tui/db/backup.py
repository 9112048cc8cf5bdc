"""A copy of an SQLite file, made while it may be in use."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from agor_tui.errors import MigrationError


def copy_file(source: sqlite3.Connection, path: Path, revision: str) -> Path:
    """Copy the open database beside its ``path`` by SQLite's backup API; return where the copy is (mode 0600).

    Raises:
        MigrationError: there is no room or no right to write there; nothing is left behind.
    """
    copy = copy_path(path, revision, datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ"))
    try:
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        target = sqlite3.connect(copy)
        try:
            source.backup(target)
        finally:
            target.close()
    except (OSError, sqlite3.Error) as error:
        copy.unlink(missing_ok=True)
        raise MigrationError(
            f"{path} could not be copied to {copy.name} before the change: {error}.",
            "Nothing was changed. Make room in its folder, or check its permissions.",
        ) from None
    return copy


def copy_path(path: Path, revision: str, made: str) -> Path:
    """Where the copy of a file at a revision is kept; ``made`` stands for the time."""
    return path.with_name(f"{path.name}.{revision}.{made}.bak")
