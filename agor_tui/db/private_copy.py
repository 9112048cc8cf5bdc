"""Copies of SQLite files of other programs, for reading what cannot be read in place without disturbing those.

They lie in the cache folder, for the user's eyes only. A copy of what a program that died left unfinished stays there
for the next command, for as long as its source stays as it is and a day at most; all others go when they are closed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from agor_tui import paths
from agor_tui.db.sqlite_looks import FileLooks
from agor_tui.errors import DatabaseError
from agor_tui.scratch import clear_leftovers, lock, make_private, scratch_folder
from agor_tui.text import byte_size

_FILE, _SOURCE = "copy.db", "of.json"
_SUFFIXES = ("", "-wal", "-journal")
_LONGEST_UNUSED_S = 24 * 3600
_SPARE = 16 << 20
"""Bytes that a copy leaves free on the disk."""
_BLOCK = 1 << 20
_PATIENCE_S = 0.25
"""So long is tried to copy between the changes of a program that never rests, before it has to wait."""


class NoRoomError(DatabaseError):
    """There is no room for a copy."""


class PrivateCopy:
    """A file of our own that holds what another one held; ``is_plain`` says that it needs no recovery by SQLite."""

    def __init__(self, path: Path, held: ExitStack, *, is_plain: bool = True) -> None:
        self.path = path
        self.is_plain = is_plain
        self._held = held

    def close(self) -> None:
        """Give it up."""
        self._held.close()


def recovered_copy(path: Path, looks: FileLooks, tries: int) -> PrivateCopy | None:
    """Copy a file with the log or the journal that was left beside it, and let SQLite recover the copy.

    The copy that an earlier command made of the same state is taken instead, where there is one. None where it changed
    again and again.

    Raises:
        DatabaseError: there is no room for it.
    """
    clear_untrue()
    folder = _folder()
    for _ in range(tries):
        before, states = looks.anchor(), _states(path)
        place = folder / hashlib.sha256(repr((str(path), states)).encode("utf-8", "surrogateescape")).hexdigest()[:24]
        if copy := _kept(place):
            return copy
        with ExitStack() as held:
            made = _made(held, folder, path)
            try:
                with ExitStack() as opened:
                    opened.callback(os.close, target := _new(made / _FILE))
                    _pour(looks.descriptor().number, target)
                for suffix in _SUFFIXES[1:]:
                    if _size(path, suffix):
                        _copy_side(Path(f"{path}{suffix}"), Path(f"{made / _FILE}{suffix}"))
            except OSError as error:
                raise _no_copy(path, error) from None
            if looks.anchor() != before:
                continue
            is_plain = _recover(made / _FILE)
            if not is_plain or _states(path) != states or not _publish(made, place, path, states):
                return PrivateCopy(made / _FILE, held.pop_all(), is_plain=is_plain)
        if copy := _kept(place):
            return copy
    return None


def steady_copy(path: Path, looks: FileLooks, wait_s: float) -> PrivateCopy | None:
    """Copy a file without a log as it is between two changes of the program that writes to it.

    That is tried without locks first, and at last with a lock that keeps writers waiting only while what has changed
    since is copied. None where there is no pause to take that in ``wait_s``.

    Raises:
        DatabaseError: there is no room.
    """
    with ExitStack() as held:
        made = _made(held, _folder(), path) / _FILE
        target = -1
        try:
            target, number = _new(made), looks.descriptor().number
            end = time.monotonic() + _PATIENCE_S
            copy = _pour
            while True:
                before = looks.when_still(after_a_change=copy is _patch)
                copy(number, target)
                if before is not None and looks.is_still(before):
                    break
                copy = _patch
                if time.monotonic() > end:
                    if looks.is_wal():
                        return None
                    with looks.descriptor().kept_from_changing(wait_s) as is_kept:
                        if not is_kept or looks.is_left_unfinished():
                            return None
                        _patch(number, target)
                    break
        except OSError as error:
            raise _no_copy(path, error) from None
        finally:
            if target >= 0:
                os.close(target)
        return PrivateCopy(made, held.pop_all())


def copy_with_log(path: Path, source: sqlite3.Connection) -> PrivateCopy:
    """Copy the state that an open connection sees, whose program may go on writing into its log meanwhile.

    Raises:
        DatabaseError: there is no room. sqlite3.Error: it cannot be read or written.
    """
    with ExitStack() as held:
        made = _made(held, _folder(), path) / _FILE
        os.close(_new(made))
        with closing(sqlite3.connect(made, isolation_level=None)) as target:
            target.execute("PRAGMA journal_mode=OFF")
            target.execute("PRAGMA synchronous=OFF")
            source.execute("BEGIN")
            source.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            source.backup(target)
            source.execute("COMMIT")
        _recover(made)  # as a plain file: the header of one with a log would want that beside it
        return PrivateCopy(made, held.pop_all())


def clear_untrue() -> None:
    """Remove the copies that are of a state that is gone, or that nobody has used for a day."""
    if os.name == "nt":
        return
    with suppress(OSError), os.scandir(paths.cache_dir() / "copies") as entries:
        for entry in [entry for entry in entries if not entry.name.startswith(".")]:
            with suppress(OSError):
                place = Path(entry.path)
                if not _is_true(place):
                    _clear(place)


def _folder() -> Path:
    folder = paths.cache_dir() / "copies"
    with suppress(OSError):
        make_private(folder)
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.gettempdir())


def _made(held: ExitStack, folder: Path, path: Path) -> Path:
    """A folder for a copy of ``path``, where there is room for that."""
    clear_leftovers(folder)
    needed = sum(_size(path, suffix) for suffix in _SUFFIXES)
    try:
        made = held.enter_context(scratch_folder(folder))
        free = shutil.disk_usage(folder).free - _SPARE
    except OSError as error:
        raise _no_copy(path, error) from None
    if needed > free:
        raise NoRoomError(
            f"{path} can only be read from a private copy now, and there is no room for it: it takes "
            f"{byte_size(needed)} in {paths.shown(folder)}, where {byte_size(max(free, 0))} are free.",
            "Free some space, or start and stop the program that owns the database.",
        )
    return made


def _no_copy(path: Path, error: OSError) -> NoRoomError:
    return NoRoomError(
        f"{path} can only be read from a private copy now, and that cannot be made ({error.strerror}).",
        "Free some space in your cache folder, or start and stop the program that owns the database.",
    )


def _publish(made: Path, place: Path, path: Path, states: list[list[int]]) -> bool:
    """Give a copy the name under which other commands find it; False where that cannot be done."""
    try:
        source = json.dumps({"path": str(path.absolute()), "states": states})
        (made / _SOURCE).write_bytes(source.encode())
        made.rename(place)
    except OSError:
        return place.exists()  # another command was quicker
    return True


def _kept(place: Path) -> PrivateCopy | None:
    """The copy at ``place``, held against being cleared; None where there is none."""
    with ExitStack() as held:
        try:
            held.callback(os.close, folder := os.open(place, os.O_RDONLY))
            lock(folder, shared=True)
            os.utime(place)
        except OSError:
            return None
        return PrivateCopy(place / _FILE, held.pop_all()) if _is_true(place) else None


def _is_true(place: Path) -> bool:
    try:
        if time.time() - place.stat().st_mtime > _LONGEST_UNUSED_S:
            return False
        told = json.loads((place / _SOURCE).read_text(encoding="utf-8", errors="surrogateescape"))
        return bool(told["states"] == _states(Path(told["path"])))
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _clear(place: Path) -> None:
    with ExitStack() as held:
        held.callback(os.close, folder := os.open(place, os.O_RDONLY))
        lock(folder)
        shutil.rmtree(place, ignore_errors=True)


def _states(path: Path) -> list[list[int]]:
    """Which files these are, how large, and when they were changed: what can be seen without opening them."""
    states: list[list[int]] = []
    for suffix in _SUFFIXES:
        try:
            found = os.stat(f"{path}{suffix}")
        except OSError:
            states.append([])
        else:
            states.append([found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns])
    return states


def _size(path: Path, suffix: str) -> int:
    try:
        return os.stat(f"{path}{suffix}").st_size
    except OSError:
        return 0


def _new(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)


def _copy_side(path: Path, target: Path) -> None:
    source = os.open(path, os.O_RDONLY)  # SQLite locks no log and no journal, so this one may be closed again
    with ExitStack() as held:
        held.callback(os.close, source)
        held.callback(os.close, into := _new(target))
        _pour(source, into)


def _pour(source: int, target: int) -> None:
    """Copy a file, as one that shares its blocks with the first where the file system knows that."""
    done, size = 0, os.fstat(source).st_size
    if hasattr(os, "copy_file_range"):
        with suppress(OSError):  # between two file systems, say
            while done < size and (count := os.copy_file_range(source, target, size - done, done, done)):
                done += count
    while block := os.pread(source, _BLOCK, done):
        done += _write(target, block, done)


def _patch(source: int, target: int) -> None:
    """Copy what is not the same."""
    done = 0
    while block := os.pread(source, _BLOCK, done):
        if block != os.pread(target, len(block), done):
            _write(target, block, done)
        done += len(block)
    os.ftruncate(target, done)


def _write(target: int, block: bytes, at: int) -> int:
    done = 0
    while done < len(block):
        done += os.pwrite(target, block[done:], at + done)
    return done


def _recover(path: Path) -> bool:
    """Let SQLite take log or journal into a file of ours; False where it finds the file damaged."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        return False
    return True
