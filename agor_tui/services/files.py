"""Writing a file that a user asked for: whole or not at all, for their eyes only."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from agor_tui.db.landing import landing, unwritable
from agor_tui.errors import FileError
from agor_tui.paths import shown
from agor_tui.scratch import make_private


def write_whole(path: Path, pieces: Iterable[bytes]) -> int:
    """Write ``pieces`` to ``path`` as they come and return their bytes; only when all are there it is in its place.

    The file gets mode 0600. What is no file, such as a pipe, is written to straight.

    Raises:
        FileError: there is no such folder, it is full or may not be written. Whatever ``pieces`` raises goes through.
    """
    if os.path.isdir(path):
        raise FileError(f"{shown(path)} is a folder.", "Name a file in it.")
    if os.path.exists(path) and not os.path.isfile(path):
        try:
            return _pour(path, pieces)
        except OSError as error:
            raise unwritable(path, error) from None
    with landing(path, replace=True) as part:
        return _pour(part, pieces)


def _pour(path: Path, pieces: Iterable[bytes]) -> int:
    with path.open("wb") as stream:
        return sum(stream.write(piece) for piece in pieces)


def make_folder(folder: Path) -> None:
    """Make a folder where it is missing, for the user's eyes only. Raises FileError."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise FileError(f"{shown(folder)} is a file.", "Several files go to a folder: name one.")
    try:
        make_private(folder)
    except OSError as error:
        raise unwritable(folder, error) from None
