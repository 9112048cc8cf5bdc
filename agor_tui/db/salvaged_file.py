"""A damaged SQLite file read from what can be read of it, which lies in a private file as long as it is open."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import Engine

from agor_tui.db.sqlite_connection import connect, make_engine, uri_of
from agor_tui.db.sqlite_looks import Looks
from agor_tui.errors import DatabaseError
from agor_tui.scratch import scratch_folder

if TYPE_CHECKING:
    from agor_tui.db.salvage import Salvaged
    from agor_tui.db.sqlite import SqliteFile


@dataclass(frozen=True, slots=True)
class Rescue:
    """What could be read of a file that looked like ``looks``, and an engine on it."""

    looks: Looks
    engine: Engine
    salvaged: Salvaged


class SalvagedFile:
    """What can be read of one file. Thread-safe."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._rescue: Rescue | None = None
        self._scratch = ExitStack()
        self._guard = threading.Lock()

    @property
    def rescue(self) -> Rescue | None:
        """What ``make`` made; None where the file has changed since, or it was not called."""
        found = self._rescue
        return found if found is not None and found.looks == self._file.left_looks() else None

    def make(self) -> Rescue:
        """Put what can be read into a private file.

        Raises:
            DatabaseError: there is no room for that. sqlite3.DatabaseError: the list of its tables cannot be read.
        """
        from agor_tui.db.salvage import salvage  # seldom needed

        with self._guard:
            if found := self.rescue:
                return found
            self._close()
            looks = self._file.left_looks()
            pooled = self._file.steady_source(ours=False).engine.raw_connection()
            try:
                folder = self._scratch.enter_context(scratch_folder(Path(tempfile.gettempdir())))
                driver = pooled.driver_connection
                assert isinstance(driver, sqlite3.Connection)
                made = salvage(driver, uri_of(folder / "salvaged.db", "mode=rwc"))
            except (OSError, sqlite3.OperationalError) as error:
                if isinstance(error, sqlite3.Error) and "full" not in str(error):
                    raise
                folder_name = tempfile.gettempdir()
                raise DatabaseError(
                    f"{self._file.path} is damaged, and {folder_name} has no room for what can be read of it.",
                    "Free some space there, or set TMPDIR to another folder.",
                ) from None
            finally:
                pooled.invalidate()  # its settings are not those of a reader
            uri = uri_of(folder / "salvaged.db", "mode=ro&immutable=1")
            self._rescue = Rescue(looks, make_engine(partial(connect, uri, 0, None), pooled=True), made)
            return self._rescue

    def close(self) -> None:
        """Close the private file and remove it."""
        with self._guard:
            self._close()

    def _close(self) -> None:
        if self._rescue is not None:
            self._rescue.engine.dispose()
            self._rescue = None
        self._scratch.close()
