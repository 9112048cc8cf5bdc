"""Running the command line: in this process where only its answers matter, as a program where its edges do."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agor_tui.cli.commands import Settings
from agor_tui.cli.main import main
from agor_tui.services.browser import Browser
from tests import servers
from tests.builders.agor import build_sqlite
from tests.builders.agor_rows import Rows


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON, of a command that went well."""
        assert self.code == 0, self.err
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process."""

    def call(*arguments: str | Path) -> Answer:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2))
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(argument) for argument in arguments])
            out.flush()
            err.flush()
        return Answer(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]

    return call


@pytest.fixture
def keep_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the commands of a test share one open database: what costs time is preparing its statements."""
    opened: dict[tuple[str | None, str | None], Browser] = {}
    really_open = Settings.open_browser

    def open_once(settings: Settings) -> contextlib.nullcontext[Browser]:
        key = (settings.database, settings.tenant)
        if key not in opened:
            opened[key] = really_open(settings)
        return contextlib.nullcontext(opened[key])

    monkeypatch.setattr(Settings, "open_browser", open_once)
    yield
    for browser in opened.values():
        browser.close()


@pytest.fixture
def program() -> Run:
    """Run a command as a program of its own; ``env`` adds to the environment, the rest goes to ``subprocess.run``."""

    def call(*arguments: str | Path, env: dict[str, str] | None = None, **more: Any) -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", "agor_tui", *map(str, arguments)],
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=more.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
            **more,
        )
        return Answer(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())

    return call


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a terminal so many cells wide; all that it shows is the answer's ``out``."""
    monkeypatch.delenv("COLUMNS")
    monkeypatch.delenv("LINES")

    def call(*arguments: str | Path, width: int = 80, typed: bytes = b"", env: dict[str, str] | None = None) -> Answer:
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-m", "agor_tui", *map(str, arguments)],
            env={**os.environ, "TERM": "xterm-256color", **(env or {})},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        os.write(ours, typed)
        shown = b""
        with contextlib.suppress(OSError):  # what Linux says when the other end is closed
            while piece := os.read(ours, 65536):
                shown += piece
        os.close(ours)
        return Answer(process.wait(60), shown.decode().replace("\r\n", "\n"), "")

    return call


@pytest.fixture(scope="session")
def agor_rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    """A database of Agor's newest generation, made here, with all that can go wrong in one; and what is in it."""
    path = tmp_path_factory.mktemp("agor") / "agor.db"
    return path, build_sqlite(path, "2026", wal=True)


@pytest.fixture
def agor_db(agor_rows: tuple[Path, Rows]) -> Path:
    """The file of ``agor_rows``."""
    return agor_rows[0]


@pytest.fixture(scope="session")
def restored(
    postgres_server: Callable[[int], servers.PostgresServer], fixtures_dir: Path
) -> Iterator[Callable[[int], str]]:
    """A function that returns the URL of Agor's newest database on a PostgreSQL of that version, restored once."""
    made: dict[int, str] = {}

    def url(version: int) -> str:
        if version not in made:
            made[version] = postgres_server(version).create_database()
            servers.restore_dump(fixtures_dir / "agor-2026" / "agor.sql.gz", made[version])
        return made[version]

    yield url
    for version, found in made.items():
        postgres_server(version).drop_database(found)
