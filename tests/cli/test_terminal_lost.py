"""The installed command in a real pseudo-terminal that is closed, takes nothing, or is not what an app needs."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from ..benchmarks.terminal import ENTER, PAGE_DOWN, Terminal
from ..conftest import place_of
from .conftest import Run

COMMAND = Path(sys.executable).with_name("agor-tui")
SHOWN = r"sessions"
END_OF_DRAWING = b"\x1b[?1049l"
QUIET_S = 0.4
GONE = 129
"""The exit code of who has lost the terminal, that of SIGHUP."""


@pytest.fixture
def home() -> Path:
    """The home of this test."""
    return Path(os.environ["HOME"])


@pytest.fixture
def open_terminal(home: Path) -> Iterator[Callable[..., Terminal]]:
    """A function that runs a command in a terminal, agor-tui where it names no program; it ends with the test."""
    if not COMMAND.exists():
        pytest.skip(f"the command is not installed at {COMMAND}")
    with ExitStack() as started:

        def run(*arguments: str | Path, program: str | Path = COMMAND, env: dict[str, str] | None = None) -> Terminal:
            return started.enter_context(Terminal([str(program), *map(str, arguments)], home, env))

        yield run


@pytest.fixture
def demo(open_terminal: Callable[..., Terminal], run: Run) -> Callable[..., Terminal]:
    """A function that runs the app on the demo's sessions, and waits until they are shown."""
    assert run("demo", "--no-open").code == 0

    def open_demo(**more: dict[str, str]) -> Terminal:
        app = open_terminal("demo", **more)
        app.until(SHOWN)
        app.settle(QUIET_S)
        return app

    return open_demo


def ended_by_it(code: int, number: int) -> bool:
    """Whether an exit code is the signal's, by our hand or, before we listened, by the system's."""
    return code in (128 + number, -number)


@pytest.mark.parametrize("seed", range(6))
def test_a_closed_terminal_ends_the_app_at_any_moment(
    open_terminal: Callable[..., Terminal], run: Run, seed: int
) -> None:
    assert run("demo", "--no-open").code == 0
    moments = random.Random(seed)
    app = open_terminal(*moments.choice([["demo"], ["setup"]]))
    for _ in range(moments.randrange(40)):
        app.settle(0.05)
        if END_OF_DRAWING not in app.seen and b"\x1b[?1049h" in app.seen:
            os.write(app._fd, moments.choice([PAGE_DOWN, b"2", b"1", b"j", ENTER, b"?"]))
    app.hang_up()
    assert ended_by_it(app.wait(reading=False), signal.SIGHUP)


def test_a_closed_terminal_ends_it_without_a_signal_too(open_terminal: Callable[..., Terminal], run: Run) -> None:
    """Who ignores SIGHUP, as below nohup, still meets a terminal that has gone."""
    assert run("demo", "--no-open").code == 0
    app = open_terminal("-c", f'trap "" HUP; exec "{COMMAND}" demo', program="bash")
    app.until(SHOWN)
    app.settle(QUIET_S)
    app.hang_up()
    assert app.wait(reading=False) == GONE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_terminal_that_takes_nothing_keeps_nothing_alive(demo: Callable[..., Terminal], number: int) -> None:
    app = demo()
    os.set_blocking(app._fd, False)
    for _ in range(300):
        with contextlib.suppress(BlockingIOError):
            os.write(app._fd, PAGE_DOWN + b"\x1b[5~")
        time.sleep(0.005)
    os.kill(app.pid, number)
    assert app.wait(reading=False) == 128 + number


def test_a_signal_gives_the_terminal_back(demo: Callable[..., Terminal]) -> None:
    app = demo()
    attributes = termios.tcgetattr(app._fd)
    assert not attributes[3] & termios.ICANON
    os.kill(app.pid, signal.SIGTERM)
    assert app.wait() == 128 + signal.SIGTERM
    assert END_OF_DRAWING in app.seen
    assert b"agor-tui:" not in app.seen


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, 0])
def test_a_lent_terminal_ends_the_pager_as_well(demo: Callable[..., Terminal], tmp_path: Path, number: int) -> None:
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\necho $$ > "$0.pid"\nexec sleep 600\n')
    pager.chmod(0o700)
    app = demo(env={"PAGER": str(pager)})
    _into_the_pager(app)
    written = Path(f"{pager}.pid")
    _until(lambda: written.exists() and written.read_text().strip() != "")
    if number:
        os.kill(app.pid, number)
        assert app.wait() == 128 + number
    else:
        app.hang_up()
        assert app.wait(reading=False) == GONE
    _until(lambda: not _runs(int(written.read_text())))


@pytest.mark.parametrize(
    ("pager", "word"),
    [
        ("no-such-program", "cannot be run"),
        ("/", "cannot be run"),
        ("/etc/passwd", "cannot be run"),
        ("less 'unended", "cannot be read"),
        ("false", "exit code 1"),
        ("sh -c 'kill -9 $$'", "signal 9"),
        ("sh -c 'stty raw -echo; exit 3'", "exit code 3"),
        ("cat", r"\d lines?"),
    ],
)
def test_whatever_becomes_of_the_pager_the_app_comes_back(demo: Callable[..., Terminal], pager: str, word: str) -> None:
    app = demo(env={"PAGER": pager})
    _into_the_pager(app)
    app.until(word)
    app.settle(QUIET_S)
    app.send(b"\x1b")
    app.settle(QUIET_S)
    app.send(b"?")
    app.until("Everywhere")
    os.kill(app.pid, signal.SIGTERM)
    assert app.wait() == 128 + signal.SIGTERM


def test_interrupting_a_pager_is_not_for_us(demo: Callable[..., Terminal]) -> None:
    app = demo(env={"PAGER": "sleep 600"})
    _into_the_pager(app)
    app.settle(QUIET_S)
    app.send(b"\x03")
    app.until("signal 2")
    app.settle(QUIET_S)
    app.send(b"\x1b?")
    app.settle(QUIET_S)
    os.kill(app.pid, signal.SIGTERM)
    assert app.wait() == 128 + signal.SIGTERM


def test_stopped_and_continued_it_draws_and_hears_on(demo: Callable[..., Terminal]) -> None:
    """Stopped by what cannot be handled, then by what can."""
    app = demo()
    for number in (signal.SIGSTOP, signal.SIGTSTP):
        os.kill(app.pid, number)
        _until(lambda: _state(app.pid) == "T")
        app.settle(QUIET_S)
        app.seen = b""
        os.kill(app.pid, signal.SIGCONT)
        app.until(SHOWN)
        app.settle(QUIET_S)
        app.send(b"?")
        app.until("Everywhere")
        app.settle(QUIET_S)
        app.send(b"\x1b")
        app.settle(QUIET_S)
    os.kill(app.pid, signal.SIGTERM)
    assert app.wait() == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGCONT, signal.SIGTSTP, signal.SIGWINCH])
def test_a_signal_while_it_begins(open_terminal: Callable[..., Terminal], run: Run, number: int) -> None:
    """It comes as soon as there is a handler for it."""
    assert run("demo", "--no-open").code == 0
    program = f"""
import os, signal
from agor_tui.__main__ import main
set_handler = signal.signal
def set_and_signal(number, handler):
    before = set_handler(number, handler)
    if number == {int(number)} and callable(handler):
        os.kill(os.getpid(), number)
    return before
signal.signal = set_and_signal
main()
"""
    app = open_terminal("-c", program, "demo", program=sys.executable)
    if number == signal.SIGTSTP:
        _until(lambda: _state(app.pid) == "T")
        os.kill(app.pid, signal.SIGCONT)
    app.until(SHOWN)
    app.settle(QUIET_S)
    app.send(b"?")
    app.until("Everywhere")
    os.kill(app.pid, signal.SIGTERM)
    assert app.wait() == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGCONT, signal.SIGWINCH])
def test_a_signal_while_it_ends(open_terminal: Callable[..., Terminal], run: Run, number: int) -> None:
    """The terminal was given back, and is not taken again."""
    assert run("demo", "--no-open").code == 0
    program = f"""
import os
from agor_tui.__main__ import main
from agor_tui.tui.terminal.driver import TerminalDriver
stop = TerminalDriver.stop_application_mode
def stop_and_signal(driver):
    stop(driver)
    os.kill(os.getpid(), {int(number)})
TerminalDriver.stop_application_mode = stop_and_signal
main()
"""
    words = '"$0" -c "$1" demo; echo "code $?"; stty -a | tr " ;" "\n\n" | grep -x icanon; echo over'
    app = open_terminal("-c", words, sys.executable, program, program="bash")
    app.until(SHOWN)
    app.settle(QUIET_S)
    app.send(b"q")
    app.until("over")
    assert b"code 0" in app.seen
    assert b"icanon" in app.seen.split(b"code 0")[1]
    assert app.seen.rfind(b"\x1b[?1049h") < app.seen.rfind(END_OF_DRAWING)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("agor_tui.tui.terminal.driver:TerminalDriver.__init__", 1),
        ("agor_tui.tui.terminal.driver:TerminalDriver.start_application_mode", 1),
        ("agor_tui.tui.app:AgorApp.on_load", 1),
        ("agor_tui.tui.screens.browser:BrowserScreen.__init__", 1),
        ("agor_tui.tui.app:AgorApp.on_ready", 0),
        ("agor_tui.tui.screens.browser:BrowserScreen.compose", 0),
    ],
)
def test_what_fails_before_the_app_is_there_is_said(
    open_terminal: Callable[..., Terminal], run: Run, home: Path, what: str, code: int
) -> None:
    """The app ends with a sentence and 1, or goes on until it is left."""
    assert run("demo", "--no-open").code == 0
    module, names = what.split(":")
    owner, method = names.split(".")
    program = f"""
import importlib
from agor_tui.__main__ import main
def broken(*_):
    raise ZeroDivisionError("sk-live-0123456789abcdef")
setattr(importlib.import_module({module!r}).{owner}, {method!r}, broken)
main()
"""
    app = open_terminal("-c", program, "demo", program=sys.executable)
    app.until("should not")
    if not code:
        app.settle(QUIET_S)
        app.send(b"q")
    assert app.wait() == code
    assert (b"agor-tui: Something failed that should not" in app.seen) == bool(code)
    assert b"sk-live" not in app.seen
    log = (home / ".local/state/agor-tui/log/agor-tui.log").read_text()
    assert log.count("--- 20") <= 2, log  # a main screen is tried twice


def test_held_and_let_go_many_times_a_second_it_hears_on(demo: Callable[..., Terminal]) -> None:
    """As a program does that lets it have but a share of a processor."""
    app = demo()
    for number in range(300):
        os.kill(app.pid, signal.SIGSTOP)
        _until(lambda: _state(app.pid) == "T")
        os.kill(app.pid, signal.SIGCONT)
        app.send(b"jk23451"[number % 7 :][:1])
        app.listen(0.002 * (number % 11))
    app.settle(QUIET_S)
    app.send(b"?")
    app.until("Everywhere")
    os.kill(app.pid, signal.SIGTERM)
    assert app.wait() == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    "typed",
    [
        b"\xff",
        b"\xe9",
        b"\x1b[99999999999u",
        b"\x1b[55296u",
        b"\x1b[48;90000;90000;1;1t",
        b"\x1b[200~abc",
        b"\x1b]52;c",
    ],
)
def test_after_absurd_bytes_the_next_key_is_heard(demo: Callable[..., Terminal], typed: bytes) -> None:
    app = demo()
    app.send(typed)
    app.settle(2.0)
    app.send(b"?")
    app.until("Everywhere")
    os.kill(app.pid, signal.SIGTERM)
    assert app.wait() == 128 + signal.SIGTERM


def test_standard_error_may_go_elsewhere(open_terminal: Callable[..., Terminal], run: Run, tmp_path: Path) -> None:
    assert run("demo", "--no-open").code == 0
    said = tmp_path / "err.log"
    app = open_terminal("-c", f'"{COMMAND}" demo 2>"{said}"; echo "code $?"', program="bash")
    app.until(SHOWN)
    app.settle(QUIET_S)
    app.send(b"q")
    app.until("code 0")
    assert said.read_bytes() == b""


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ('"{0}" demo | cat', "terminal"),
        ('"{0}" demo </dev/null', "terminal"),
        ('"{0}" demo >/dev/null', "terminal"),
        ('"{0}" demo >/dev/null 2>&1 || echo terminal', "terminal"),
        ('TERM=dumb "{0}" demo', "TERM"),
    ],
)
def test_where_it_cannot_be_drawn_there_is_a_sentence(
    open_terminal: Callable[..., Terminal], script: str, word: str
) -> None:
    app = open_terminal("-c", f'set -o pipefail; {script.format(COMMAND)}; echo "code $?"', program="bash")
    app.until(r"code \d")
    assert word.encode() in app.seen
    assert b"Traceback" not in app.seen
    assert b"\x1b[?1049h" not in app.seen


def test_the_connection_to_a_server_is_let_go(open_terminal: Callable[..., Terminal], postgres18_url: str) -> None:
    _fill(postgres18_url)
    for close in (True, False):
        app = open_terminal("-d", postgres18_url)
        app.until(SHOWN)
        app.settle(QUIET_S)
        assert _connections(postgres18_url) > 0
        if close:
            app.hang_up()
            assert app.wait(reading=False) == GONE
        else:
            os.kill(app.pid, signal.SIGTERM)
            assert app.wait() == 128 + signal.SIGTERM
        _until(lambda: _connections(postgres18_url) == 0)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, 0])
def test_a_long_copy_ends_in_order(
    open_terminal: Callable[..., Terminal],
    run: Run,
    tmp_path: Path,
    postgres18_url: str,
    dialect: str,
    number: int,
) -> None:
    """Held up by someone who has locked the target: it cannot end by itself."""
    source = run("demo", "--no-open").out.strip()
    target = str(tmp_path / "to.db") if dialect == "sqlite" else postgres18_url
    assert run("db", "init", "-d", target).code == 0
    with _locked(target):
        job = open_terminal("db", "copy", source, target, "--yes")
        job.settle(2.0)
        if number:
            os.kill(job.pid, number)
            assert job.wait() == 128 + number
            assert b"Traceback" not in job.seen
        else:
            job.hang_up()
            assert job.wait(reading=False) == GONE
    assert run("db", "copy", source, target, "--yes").code == 0


def test_what_nohup_asks_for_is_kept(agor_db: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "agor_tui", "session", "list", "-d", str(agor_db), "--limit", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    ) as process:
        for _ in range(20):
            process.send_signal(signal.SIGHUP)
            time.sleep(0.02)
        process.communicate()
        assert process.returncode == 0


def _into_the_pager(app: Terminal) -> None:
    app.send(ENTER)
    app.until("Tasks|TASKS|tasks")
    app.settle(QUIET_S)
    app.send(b"o")


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _runs(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return _state(pid) != "Z"
    return False


def _connections(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert found
    return int(found[0])


def _fill(url: str) -> None:
    from agor_tui.db import migrator
    from agor_tui.services.demo import fill

    migrator.init(place_of(url))
    fill(place_of(url))


@contextlib.contextmanager
def _locked(target: str) -> Iterator[None]:
    if target.startswith("postgresql:"):
        with psycopg.connect(target) as connection:
            connection.execute("LOCK TABLE sessions, boards IN ACCESS EXCLUSIVE MODE")
            yield
            connection.rollback()
        return
    holder = sqlite3.connect(target, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.rollback()
        holder.close()
