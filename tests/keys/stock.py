"""One database of each kind, and the settings that name them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ..builders import agor, opencode

COMMAND = Path(sys.executable).with_name("agor-tui")
KINDS = ("native", "agor", "opencode", "postgresql", "all", "none")
"""``all``: the settings name one of each; ``none``: nothing is set up, and the app begins with the wizard."""


VARIABLES = {
    "PAGER": "true",
    "EDITOR": "true",
    "VISUAL": "true",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
}
"""What the app's environment has beside a home of its own: programs that end at once where it lends the terminal."""


def make(kind: str, home: Path, server: Callable[[], str]) -> list[str]:
    """Make what a kind needs in an empty home; returns the arguments of the command. ``server``: a new database."""
    if kind == "none":
        return []
    if kind == "postgresql":
        url = server()
        _run(home, "db", "copy", str(_native(home)), url)
        return ["-d", url]
    if kind == "all":
        files = [_file(each, home) for each in ("native", "agor", "opencode")]
        lines = "".join(f"  {path.stem}: {_entry(path)}\n" for path in files)
        config = home / ".config" / "agor-tui" / "config.yaml"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(f"database: {_entry(files[0])}\ndatabases:\n{lines}")
        return []
    return ["-d", str(_file(kind, home))]


def _entry(path: Path) -> str:
    return f"{{dialect: sqlite, sqlite: {{path: {path}}}}}"


def _file(kind: str, home: Path) -> Path:
    path = home / f"{kind}.db"
    if kind == "native":
        return _native(home)
    if kind == "agor":
        agor.build_sqlite(path, "2026", extra=200)
    else:
        opencode.build(path)
    return path


def _native(home: Path) -> Path:
    made = _run(home, "demo", "--no-open").strip().splitlines()[-1]
    return Path(shutil.copyfile(made, home / "native.db"))


def _run(home: Path, *arguments: str) -> str:
    variables = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", **VARIABLES}
    command = [str(COMMAND), *arguments]
    return subprocess.run(command, env=variables, cwd=home, check=True, capture_output=True, text=True).stdout
