"""The settings file as bytes: whether it is there, and what stands in it. Light to import."""

from __future__ import annotations

import stat
from pathlib import Path

from agor_tui.errors import ConfigError

_LARGEST = 4 << 20
"""Bytes; a device would never end."""


def is_there(file: Path) -> bool:
    """Tell whether there is anything at the path; also where that may not be looked at."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # and reading it will say what is wrong
    return True


def read_content(file: Path) -> bytes:
    """The bytes of a settings file. Raises ConfigError where it cannot be read, or is larger than any such file."""
    try:
        if stat.S_ISFIFO(file.stat().st_mode):  # opening would wait for a writer, and it is read more than once
            raise ConfigError(f"{file} is no config file: it is a pipe.")
        with file.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"The config file {file} cannot be read: {error.strerror}.") from None
    if len(content) > _LARGEST:
        raise ConfigError(f"{file} is no config file: it is larger than {_LARGEST >> 20} MB.")
    return content
