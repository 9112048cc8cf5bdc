"""Files that are there whole or not at all, for the user's eyes only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path

from agor_tui.errors import FileError
from agor_tui.paths import shown
from agor_tui.scratch import clear_leftovers, scratch_file


@contextmanager
def landing(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A path beside ``target`` to write to; when the block ends well, what is there becomes ``target``.

    Then it is on the disk for good; where anything fails, nothing is left. Mode 0600. With ``replace`` a file that is
    there gives way at the end, and only then; a link to it stays a link. What a process that was killed has left in the
    folder is removed.

    Raises:
        FileError: ``target`` exists, or its folder cannot be written to.
    """
    if os.path.lexists(target):
        if not replace:
            raise taken(target)
        target = Path(os.path.realpath(target))  # unlike Path.resolve it bears a link to itself
        if target.exists() and not target.is_file():
            raise FileError(f"{shown(target)} is no ordinary file.", "Name another place.")
    clear_leftovers(target.parent)
    try:
        with scratch_file(target.parent) as part:
            yield part
            _sync(part)
            _publish(part, target, replace=replace)
    except FileExistsError:
        raise taken(target) from None
    except OSError as error:
        raise unwritable(target, error) from None


def taken(path: Path) -> FileError:
    """The error for a file that stands where one is to be made."""
    return FileError(f"{shown(path)} exists already and is left as it is.", "Name another file, or move it away.")


def unwritable(path: Path, error: OSError) -> FileError:
    """The error for a file that cannot be made or written."""
    refused = f"{shown(path)} cannot be written"
    if error.errno in (ENOSPC, EDQUOT, EFBIG):
        return FileError(
            f"{refused}: there is no room for it ({error.strerror}).",
            "Nothing of it was kept. Free some space, or name another place.",
        )
    if not path.parent.is_dir():
        what = "is no folder" if os.path.lexists(path.parent) else "does not exist"
        return FileError(f"{refused}: {shown(path.parent)} {what}.", "Make the folder, or name another place.")
    return FileError(f"{refused}: {error.strerror}.", "Check the permissions of its folder, or name another place.")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _publish(part: Path, target: Path, *, replace: bool) -> None:
    try:
        if replace:
            os.replace(part, target)
        else:
            os.link(part, target)  # unlike a rename, it never replaces a file that appeared meanwhile
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError from None
        os.rename(part, target)
    with suppress(OSError):  # not every system can open a folder
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
