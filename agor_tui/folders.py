"""Folders as programs write them into their databases, on whatever system that was."""

from __future__ import annotations

import re
from collections.abc import Iterable

_DRIVE = re.compile(r"(?:\\\\\?\\)?([A-Za-z]):(?=[\\/]|$)")
_SHARE = re.compile(r"\\\\(?:\?\\UNC\\)?(?=[^\\?])")
_SLASHES = re.compile(r"[\\/]+")


def one_spelling(folder: str) -> str:
    """The one spelling of a folder that programs write in several: no trailing slash, and of a Windows path forward
    slashes and the drive in small letters. Text that is no absolute path stays as it is.

    Windows takes both slashes, and drives in any case:
    https://learn.microsoft.com/windows/win32/fileio/naming-a-file
    """
    if drive := _DRIVE.match(folder):
        return f"{drive[1].lower()}:/{_parts(folder[drive.end() :])}"
    if share := _SHARE.match(folder):
        return f"//{_parts(folder[share.end() :])}"
    return folder.rstrip("/") or "/" if folder.startswith("/") else folder


def _parts(rest: str) -> str:
    return _SLASHES.sub("/", rest).strip("/")


def once(folders: Iterable[str]) -> tuple[str, ...]:
    """The folders, or other names, in order, each in the first of its spellings."""
    by_spelling: dict[str, str] = {}
    for folder in sorted(folders):
        by_spelling.setdefault(one_spelling(folder), folder)
    return tuple(by_spelling.values())
