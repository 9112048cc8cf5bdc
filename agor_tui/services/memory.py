"""What is remembered of each database between runs: when it was opened, and how its sessions were looked at.

A JSON file in the user's state folder. Nothing depends on it: where it is damaged, or cannot be read or written, there
is nothing to remember, and that is never an error.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from agor_tui import paths
from agor_tui.config.places import Place, PostgresPlace, SqlitePlace, describe
from agor_tui.records import Sort, SortKey
from agor_tui.scratch import make_private, scratch_file

MOST_KEPT = 200
"""So many databases are remembered, those opened last."""
PATIENCE_S = 0.5
"""So long is waited for another run that writes; then the change is not remembered."""
_LARGEST = 4 << 20
"""Bytes of a file that is read; ours are far smaller."""
_LONGEST = 2_000
"""Characters of a filter that is kept."""
_MOST_ROWS = 1 << 40


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is remembered of one database; None and the empty filter where it is nothing.

    ``selected`` is the id of the session that the cursor stood on, ``index`` its row.
    """

    opened_at: datetime | None = None
    filter: str = ""
    sort: Sort | None = None
    selected: str | None = None
    index: int = 0


def key_of(place: Place) -> str:
    """What a database is remembered by: where it is, not what the config calls it. Holds no secret."""
    if isinstance(place, SqlitePlace):
        return f"sqlite:{os.path.realpath(place.path)}"
    if isinstance(place, PostgresPlace):
        within = "".join(f"/{part}" for part in (place.schema, place.tenant) if part)
        return f"postgresql:{describe(place)}{within}"
    return f"libsql:{describe(place)}"


class Memory:
    """The file, read anew at each question, so that two runs at once see and keep each other's entries.

    ``path`` is another file than the user's own.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def load(self) -> dict[str, Recalled]:
        """All that is remembered, by ``key_of``."""
        return {key: _recalled(entry) for key, entry in self._read().items()}

    def recall(self, key: str) -> Recalled:
        """What is remembered of one database."""
        return self.load().get(key, Recalled())

    def keep(self, key: str, *, filter: str, sort: Sort, selected: str | None, index: int = 0) -> None:
        """Remember how the sessions of a database are looked at."""
        kept = filter if len(filter) <= _LONGEST else ""
        self._change(key, lambda known: Recalled(known.opened_at, kept, sort, selected, index))

    def opened(self, key: str, at: datetime) -> None:
        """Remember that a database was opened."""
        self._change(key, lambda known: replace(known, opened_at=at))

    def _change(self, key: str, change: Callable[[Recalled], Recalled]) -> None:
        path = self._path or paths.state_file()
        with contextlib.suppress(OSError):
            make_private(path.parent)
            with _locked(path):
                known = self.load()
                known[key] = change(known.get(key, Recalled()))
                newest = sorted(known.items(), key=_when, reverse=True)[:MOST_KEPT]
                _write(path, {"databases": {each: _entry(recalled) for each, recalled in newest}})

    def _read(self) -> dict[str, Any]:
        try:
            with (self._path or paths.state_file()).open("rb") as file:
                found = json.loads(file.read(_LARGEST + 1))
        except (OSError, ValueError, RecursionError):
            return {}
        databases = found.get("databases") if isinstance(found, dict) else None
        return databases if isinstance(databases, dict) else {}


def _when(item: tuple[str, Recalled]) -> float:
    opened = item[1].opened_at
    return opened.timestamp() if opened else 0.0


def _recalled(entry: object) -> Recalled:
    if not isinstance(entry, dict):
        return Recalled()
    text = {name: value for name, value in entry.items() if isinstance(value, str)}
    key, descending = text.get("sort"), entry.get("descending") is not False
    return Recalled(
        opened_at=_time(text.get("opened", "")),
        filter=text.get("filter", ""),
        sort=next((Sort(known, descending) for known in get_args(SortKey) if known == key), None),
        selected=text.get("selected"),
        index=index if isinstance(index := entry.get("index"), int) and 0 <= index < _MOST_ROWS else 0,
    )


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
        time.timestamp()
    except (ValueError, OverflowError):
        return None
    return time if time.tzinfo else None


def _entry(recalled: Recalled) -> dict[str, Any]:
    sort, opened = recalled.sort, recalled.opened_at
    entry = {
        "opened": opened.isoformat() if opened else None,
        "filter": recalled.filter or None,
        "sort": sort.key if sort else None,
        "descending": sort.descending if sort else None,
        "selected": recalled.selected,
        "index": recalled.index or None,
    }
    return {name: value for name, value in entry.items() if value is not None}


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one run at a time change the file; where the system has no such locks, the last one wins."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    door = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:  # another run writes, in about a millisecond; a stopped one must not hold us up
                if time.monotonic() > end:
                    raise
                time.sleep(0.005)
        yield
    finally:
        os.close(door)


def _write(path: Path, content: object) -> None:
    """Put ``content`` in the place of the file, whole or not at all; only the user may read it."""
    with scratch_file(path.parent) as part:
        with part.open("w", encoding="ascii") as file:
            json.dump(content, file, indent=1)
        os.replace(part, path)
