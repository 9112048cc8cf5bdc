"""Writes what nobody foresaw to the log file, so that the user gets one sentence instead of a traceback."""

from __future__ import annotations

import errno
import os
import re
import traceback
from datetime import UTC, datetime
from pathlib import Path

from agor_tui import paths
from agor_tui.errors import AgorError, FileError
from agor_tui.redact import HIDDEN, redact_text
from agor_tui.scratch import make_private

# What a server adds to its error repeats the row or the statement.
_WHAT_A_ROW_HELD = re.compile(r"(?m)^((?:DETAIL|CONTEXT|QUERY|STATEMENT|LINE \d+):).*$")


_OF_A_PATH = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC)
"""What a system says of a path that a user gave, wherever it comes up."""


class UnexpectedError(AgorError):
    """A fault of this program."""

    title = "A fault in agor-tui"


def write_log(error: BaseException) -> Path | None:
    """Append the traceback, passwords taken out, to the log file; None where that cannot be written."""
    path = paths.log_file()
    text = redact_text(_WHAT_A_ROW_HELD.sub(rf"\1 {HIDDEN}", "".join(traceback.format_exception(error))))
    try:
        make_private(path.parent)
        with open(path, "a", encoding="utf-8", errors="backslashreplace", opener=_open_private) as file:
            file.write(f"--- {datetime.now(UTC).isoformat(timespec='seconds')}\n{text}\n")
    except OSError:
        return None
    return path


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def unexpected(error: BaseException) -> AgorError:
    """An error to show in place of one that is not ours; its traceback goes to the log file."""
    if isinstance(error, OSError) and error.errno in _OF_A_PATH and isinstance(error.filename, str):
        return FileError(
            f"{error.filename[:300]} cannot be used: {error.strerror}.", "Check the path, or give another."
        )
    path = write_log(error)
    where = f"The details are in {path}." if path else "The log file cannot be written."
    return UnexpectedError(f"Something failed that should not ({type(error).__name__}). {where}", "Please report it.")
