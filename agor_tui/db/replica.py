"""The local copy of a libSQL database: an SQLite file, read as any other, that another program brings up to date."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agor_tui.config.places import LibsqlPlace, SqlitePlace, describe, primary, replica_path
from agor_tui.db.libsql_failures import explain_libsql
from agor_tui.db.sqlite import SqliteFile
from agor_tui.errors import Cancelled, ConfigError, DatabaseError
from agor_tui.hints import has_extra, install_hint
from agor_tui.scratch import make_private

if TYPE_CHECKING:
    from agor_tui.db.replica_relay import Relay

_PROGRAM = Path(__file__).with_name("replica_sync.py")
"""Not imported: it needs the extra, and a process of its own."""
_FIRST_S, _AGAIN_S = 600, 20
"""So long may the first copy take, and bringing it up to date."""
_FRESH_S = 2
"""A copy that was tried no longer ago is opened as it is: opening for reading, and then for writing, is one opening."""
_METADATA = ("-client_wal_index", "-info")
"""What stands beside a copy, by the version of libSQL that made it."""


_tried: dict[LibsqlPlace, tuple[float, str | None]] = {}
"""When this program last brought a copy up to date (monotonic), and why that failed, in one sentence."""


def require_extra() -> None:
    """Raise ConfigError where what keeps local copies is not installed."""
    if not has_extra("turso"):
        raise ConfigError(
            "Local copies of libSQL databases (syncUrl) need a part that is not installed.",
            f"The database itself opens by its URL. {install_hint('turso')}",
        )


class Replica:
    """The copy of one place. It is brought up to date when it is first read, after each change and in an interval."""

    def __init__(self, place: LibsqlPlace) -> None:
        self.place = place
        self.path = replica_path(place)
        self._file: SqliteFile | None = None
        self._opening = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._closed = threading.Event()
        self._syncing: subprocess.Popen[str] | None = None

    @property
    def synced_at(self) -> datetime | None:
        """When the copy was last up to date, where this program made it so."""
        try:
            found = Path(f"{self.path}-sync").stat()
        except OSError:
            return None
        return datetime.fromtimestamp(found.st_mtime, UTC) if found.st_size else None

    @property
    def staleness(self) -> str | None:
        """Since when, and why, the copy is not up to date; None while it is."""
        _, problem = _tried.get(self.place, (0.0, None))
        if problem is None:
            return None
        then = self.synced_at
        since = f"up to date last at {then:%Y-%m-%d %H:%M} UTC" if then else "not up to date"
        return f"This copy was {since}: {problem}"

    @property
    def as_it_is(self) -> SqlitePlace:
        """The copy as a file of its own, to read without its server."""
        return SqlitePlace(self.place.name, self.place.label, self.path, self.place.origin, read_only=True)

    def file(self) -> SqliteFile:
        """Return the file to read, which is brought up to date first when this is the first time.

        Raises:
            DatabaseError: there is no copy, and none can be made. ConfigError: the extra is missing.
        """
        with self._opening:
            if self._file is None:
                self._refuse_others()
                then, _ = _tried.get(self.place, (-math.inf, None))
                if not self.has_copy() or time.monotonic() - then > _FRESH_S:
                    self._try(must=not self.has_copy())
                self._file = SqliteFile(self.as_it_is, writable=False, create=False)
                if self.place.sync_interval_s:
                    threading.Thread(target=self._keep, args=(self.place.sync_interval_s,), daemon=True).start()
            return self._file

    def sync(self) -> None:
        """Bring the copy up to date; where that fails it stays as it is, and ``staleness`` says why."""
        with contextlib.suppress(Cancelled, ConfigError):
            self._try(must=False)

    def cancel(self) -> None:
        """End a synchronisation that runs in another thread."""
        running = self._syncing
        if running is not None:
            running.kill()

    def close(self) -> None:
        """Stop bringing it up to date, and close the file."""
        self._closed.set()
        self.cancel()
        if self._file is not None:
            self._file.close()

    def _keep(self, interval_s: int) -> None:
        while not self._closed.wait(interval_s):
            self.sync()

    def _try(self, *, must: bool) -> None:
        try:
            with self._one_at_a_time:
                self._run(_FIRST_S if must else _AGAIN_S)
            problem = None
        except (DatabaseError, ConfigError) as error:
            if must or isinstance(error, (ConfigError, Cancelled)):
                raise
            problem = error.message
        _tried[self.place] = (time.monotonic(), problem)

    def _run(self, limit_s: float) -> None:
        require_extra()
        source = primary(self.place)
        assert isinstance(source, LibsqlPlace)
        from agor_tui.db.replica_relay import Relay

        relay = Relay(source)
        try:
            self._sync_by(relay, source, limit_s)
        finally:
            relay.close()

    def _sync_by(self, relay: Relay, source: LibsqlPlace, limit_s: float) -> None:
        given = {
            "path": str(self.path),
            "url": relay.url,
            "token": relay.key,
            "limit_s": math.ceil(limit_s),
            "metadata": _METADATA,
        }
        try:
            make_private(self.path.parent)
            self._syncing = subprocess.Popen(
                [sys.executable, "-P", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "RUST_LOG": "off"},
            )
        except OSError as error:
            raise DatabaseError(f"{self.path} cannot be written: {error.strerror}.", "Choose another place.") from None
        with self._syncing as running:
            try:
                output, _ = running.communicate(json.dumps(given), limit_s)
            except subprocess.TimeoutExpired:
                running.kill()
                running.communicate()
                output = '{"error": "timed out"}'
            finally:
                self._syncing = None
        if running.returncode == -9 and not output:
            raise Cancelled("The synchronisation was cancelled.")
        try:
            wrong = json.loads(output.strip().splitlines()[-1])["error"]
        except (ValueError, LookupError, TypeError):
            wrong = "the synchronisation broke off"
        if wrong is not None:
            wrong = relay.problem or wrong
            if known := explain_libsql(source, wrong):
                raise known
            _ask(source)  # a token that is missing or refused is told as a handshake that takes too long
            raise DatabaseError(
                f"{describe(source)} could not be copied.", "Check that the server gives copies (embedded replicas)."
            )

    def has_copy(self) -> bool:
        """Tell whether a whole copy was made already; one that was begun and not finished is none."""
        return self._is_copy() and not self._is_half_made()

    def _is_copy(self) -> bool:
        return any(Path(f"{self.path}{suffix}").exists() for suffix in _METADATA) and self.path.exists()

    def _is_half_made(self) -> bool:
        """Tell whether a process of ours began to make it and did not come to the end of that."""
        return Path(f"{self.path}-sync").exists() and self.synced_at is None

    def _refuse_others(self) -> None:
        """Raise where the path has a file that is no copy: synchronising would overwrite it."""
        if self._is_copy() or self._is_half_made():
            return
        if self.path.exists() and (self.path.is_dir() or self.path.stat().st_size):
            raise DatabaseError(
                f"{self.path} is there already, and is no copy of a libSQL database.",
                "Give the copy a path of its own.",
            )


def _ask(source: LibsqlPlace) -> None:
    """Ask the server itself, for it to say what is wrong; raises DatabaseError where something is."""
    from agor_tui.db.engine import Database

    with Database(source) as database:
        database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
