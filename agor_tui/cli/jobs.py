"""Long work for a command: in a thread of its own, its progress on the terminal, and ended in good order by Ctrl-C.

So it is by a signal, and where the terminal has gone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import click

from agor_tui import ending
from agor_tui.cli import failures
from agor_tui.cli.progress import progress_line
from agor_tui.errors import Cancelled
from agor_tui.transfers import Tell

T = TypeVar("T")

_LOOK_S = 0.5


def run_job(work: Callable[[Tell | None, threading.Event], T]) -> T:
    """Return what ``work`` does, which is given whom to tell and an event that Ctrl-C sets. Raises what it raises.

    A signal sets it too, and the terminal's going.

    Raises:
        Exit: Ctrl-C was pressed; what that left behind has been said.
    """
    stop, over = threading.Event(), threading.Event()
    result: list[T] = []
    failure: list[BaseException] = []
    with progress_line() as tell:

        def run() -> None:
            try:
                result.append(work(tell, stop))
            except BaseException as error:
                failure.append(error)
            finally:
                over.set()

        threading.Thread(target=run, name="agor-tui-job").start()
        while not over.is_set():
            try:
                over.wait(_LOOK_S)  # not the thread: Python takes one for ended whose waiting was interrupted
            except KeyboardInterrupt:
                stop.set()
            if ending.told() is not None:
                stop.set()
    if failure:
        if stop.is_set() and isinstance(failure[0], Cancelled):
            failures.report(failure[0])
            raise click.exceptions.Exit(failures.INTERRUPTED)
        raise failure[0]
    return result[0]
