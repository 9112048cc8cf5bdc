"""The installed command in a real pseudo-terminal, from nothing to the browser by the keyboard alone."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ..benchmarks.terminal import DOWN, END, ENTER, ESCAPE, Terminal
from ..servers import PASSWORD, PASSWORD_ROLE, PostgresServer

COMMAND = Path(sys.executable).with_name("agor-tui")
QUIET_S = 0.4
"""A screen that has not been written to for so long has come to rest, its keys with it."""


@pytest.fixture
def home() -> Path:
    """The empty home of this test."""
    return Path(os.environ["HOME"])


@pytest.fixture
def new_database(postgres_server: Callable[[int], PostgresServer]) -> Iterator[str]:
    """The URL, with a password, of a database on PostgreSQL 18 that does not exist; dropped in the end."""
    server = postgres_server(18)
    name = f"setup_terminal_{server.worker}"
    yield f"postgresql://{PASSWORD_ROLE}:{PASSWORD}@127.0.0.1:{server.port}/{name}"
    server.drop_database(server.url(name))


def at(terminal: Terminal, marker: str) -> None:
    """Wait for a question, and until its keys arrive."""
    terminal.until(marker)
    terminal.settle(QUIET_S)


def paste(text: str) -> bytes:
    """A text as a terminal pastes it."""
    return b"\x1b[200~" + text.encode() + b"\x1b[201~"


def to_the_browser(terminal: Terminal) -> None:
    """From the name to the list of sessions, and out."""
    at(terminal, "What should it be called")
    terminal.send(ENTER)
    at(terminal, "Ready to set up")
    terminal.send(ENTER)
    at(terminal, r"35\d sessions")
    terminal.send(b"q")
    assert terminal.wait() == 0


@pytest.fixture
def terminal(home: Path) -> Iterator[Callable[..., Terminal]]:
    """A function that runs the installed command in a terminal; it is ended with the test."""
    if not COMMAND.exists():
        pytest.skip(f"the command is not installed at {COMMAND}")
    with ExitStack() as started:
        yield lambda *arguments: started.enter_context(Terminal([str(COMMAND), *arguments], home))


def test_from_nothing_to_the_browser_on_sqlite(terminal: Callable[..., Terminal], home: Path) -> None:
    """The first start, no config and no variable: a file with demo data."""
    app = terminal()
    at(app, "Nothing was found")
    assert b"Which database" in app.seen
    app.send(ENTER)
    at(app, "Where is the file")
    app.send(ENTER)
    at(app, "It works")
    app.send(ENTER)
    at(app, "What should it begin with")
    app.send(DOWN)
    app.settle(QUIET_S)
    app.send(ENTER)
    to_the_browser(app)
    config = home / ".config" / "agor-tui" / "config.yaml"
    assert "active: agor" in config.read_text()
    assert config.stat().st_mode & 0o777 == 0o600
    assert (home / ".local" / "share" / "agor-tui" / "agor.db").exists()

    again = terminal()
    at(again, r"35\d sessions")
    os.kill(again.pid, signal.SIGTERM)
    assert again.wait() == 128 + signal.SIGTERM
    assert b"\x1b[?1049l" in again.seen  # the terminal is given back as it was


def test_from_nothing_to_the_browser_on_postgresql(
    terminal: Callable[..., Terminal], home: Path, new_database: str
) -> None:
    """`agor-tui setup` with a pasted URL: a database is made on the server; the password is never shown."""
    app = terminal("setup")
    at(app, "Nothing was found")
    app.send(DOWN)
    app.settle(QUIET_S)
    app.send(ENTER)
    at(app, "How is the server reached")
    everything = app.seen
    app.send(paste(new_database))
    app.settle(QUIET_S)
    everything += app.seen
    app.send(ENTER)
    at(app, "It works")
    everything += app.seen
    assert b"may be made" in app.seen
    app.send(ENTER)
    at(app, "What should it begin with")
    app.send(DOWN)
    app.settle(QUIET_S)
    app.send(ENTER)
    at(app, "Where should the password be kept")
    for key in (END, b"k"):  # the last but one: in the file
        app.send(key)
        app.settle(QUIET_S)
    app.send(ENTER)
    everything += app.seen
    to_the_browser(app)
    everything += app.seen
    assert PASSWORD.encode() not in everything
    assert PASSWORD in (home / ".config" / "agor-tui" / "config.yaml").read_text()


def test_leaving_half_way_writes_nothing(terminal: Callable[..., Terminal], home: Path) -> None:
    """Back from the test to the start, and out: the home is as empty as before."""
    app = terminal()
    at(app, "Nothing was found")
    app.send(ENTER)
    at(app, "Where is the file")
    app.send(ENTER)
    at(app, "It works")
    for marker in ("Where is the file", "Which database", "no database open"):
        app.send(ESCAPE)
        at(app, marker)
    assert not any(path.is_file() for path in home.rglob("*"))
