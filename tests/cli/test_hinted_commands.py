"""A command line that an error names is typed as it stands, and does what was said."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .. import servers

STARTED = {
    "path": [str(Path(sys.executable).with_name("agor-tui"))],
    "module": [sys.executable, "-m", "agor_tui"],
}


def said(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command that is not on the shell's path."""
    environ = {**os.environ, "PATH": os.defpath}
    return subprocess.run(words, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def hinted(words: list[str]) -> list[str]:
    """The last command line that it names, for a shell."""
    answer = said(words)
    assert answer.returncode == 1, answer
    return ["/bin/sh", "-c", answer.stderr.strip().splitlines()[-1].rpartition("with: ")[2]]


@pytest.mark.parametrize("started", STARTED)
def test_a_file_that_is_not_there(tmp_path: Path, started: str) -> None:
    """With a name that a shell would take apart."""
    path = tmp_path / "it's $HOME; new.db"
    done = said(hinted([*STARTED[started], "session", "list", "-d", str(path)]))
    assert (done.returncode, done.stderr) == (0, "")
    assert path.exists()


@pytest.mark.parametrize("started", STARTED)
def test_a_database_that_is_not_there(
    tmp_path: Path, started: str, postgres_server: Callable[[int], servers.PostgresServer]
) -> None:
    """On that server, not on another one that opens by itself."""
    server = postgres_server(18)
    url = server.url(f"hinted {started}")
    try:
        done = said(hinted([*STARTED[started], "session", "list", "-d", url]))
        assert (done.returncode, done.stderr) == (0, "")
        assert said([*STARTED[started], "session", "list", "-d", url]).returncode == 0
    finally:
        server.drop_database(f"postgresql:///hinted%20{started}")
