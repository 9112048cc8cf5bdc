"""Another program in our terminal: whatever becomes of it, the terminal comes back."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from textual.app import App, SuspendNotSupported

from agor_tui import ending
from agor_tui.errors import AgorError, quoted

if sys.platform != "win32":
    import termios


class ProgramError(AgorError):
    """Another program could not be run in our terminal, or did not end well."""

    title = "Another program"


def program_words(command: str, variable: str) -> list[str]:
    """The words of a command line that a variable of the environment holds; none: it is empty.

    Raises:
        ProgramError: its quotation marks do not match.
    """
    try:
        return shlex.split(command)
    except ValueError:
        raise ProgramError(
            f"The command in {variable} cannot be read: {quoted(command)}.", f"Check the quotation marks in {variable}."
        ) from None


def run_program(app: App[Any], words: Sequence[str], text: bytes) -> None:
    """Run a program in the terminal, with ``text`` as its input, until it ends. The app stands still meanwhile.

    Raises:
        ProgramError: there is no terminal to lend; it cannot be started; it failed or was ended by a signal.
    """
    name = quoted(os.path.basename(words[0]) or words[0])
    try:
        with app.suspend(), _terminal_as_it_is():
            code = _run(words, text)
    except SuspendNotSupported:
        raise ProgramError(f"There is no terminal for {name}.") from None
    except OSError as error:
        raise ProgramError(f"{name} cannot be run: {error.strerror}.") from None
    except ValueError:  # a NUL in a word
        raise ProgramError(f"{name} cannot be run.") from None
    if code < 0:
        raise ProgramError(f"{name} was ended by signal {-code}.")
    if code > 0:
        raise ProgramError(f"{name} ended with exit code {code}.")


def _run(words: Sequence[str], text: bytes) -> int:
    with subprocess.Popen(words, stdin=subprocess.PIPE) as process:
        let_go = ending.hold(process.terminate)
        try:
            process.communicate(text)
        finally:
            let_go()
        return process.returncode


@contextmanager
def _terminal_as_it_is() -> Iterator[None]:
    """Afterwards the terminal's modes are those of before, it is ours, and Ctrl-C in the block was not for us."""
    if sys.platform == "win32":
        yield
        return
    with ExitStack() as undo:
        for number in (signal.SIGINT, signal.SIGQUIT):
            # Not ignored: the program would inherit that.
            undo.callback(signal.signal, number, signal.signal(number, lambda *_: None))
        terminal = sys.__stdin__.fileno() if sys.__stdin__ is not None else 0
        with suppress(termios.error):
            undo.callback(_take_back, terminal, termios.tcgetattr(terminal))
        yield


def _take_back(terminal: int, attributes: list[Any]) -> None:
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # we may be in the background now
    try:
        with suppress(OSError):
            os.tcsetpgrp(terminal, os.getpgrp())
        with suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSANOW, attributes)
    finally:
        signal.signal(signal.SIGTTOU, before)
