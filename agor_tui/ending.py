"""How this process ends when it is told to: in good order, and by force where that takes longer than it may."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

GRACE_S = 3.0
"""Seconds that good order may take after a signal, or after the terminal has gone."""
_FORCE_S = 2.0
"""Seconds that the last things may take then."""
TERMINAL_GONE = 129
"""The exit code of a program whose terminal has gone: that of SIGHUP."""

Leave = Callable[[int], bool]


class Told(KeyboardInterrupt):
    """A signal told this process to end; it unwinds what runs as Ctrl-C does."""


_lock = threading.RLock()  # a signal's handler may come between
_code: int | None = None
_leave: Leave | None = None
_holders: list[tuple[Callable[[], None], Callable[[], None]]] = []


def listen() -> None:
    """Have SIGTERM and SIGHUP end this process in good order, soon even where its main thread is stuck.

    A signal that was to be ignored when this process began stays ignored: so ``nohup`` asks for it.
    """
    if sys.platform == "win32":
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    # The interpreter's own handler writes into it at once, whatever the main thread is doing.
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _told)
    threading.Thread(target=_watch, args=(reader,), name="agor-tui-ending", daemon=True).start()


def told() -> int | None:
    """The exit code with which this process was told to end; None: it was not."""
    return _code


def begin(code: int) -> None:
    """End this process with ``code`` within ``GRACE_S`` from now, by force if it has not ended by itself."""
    global _code
    with _lock:
        if _code is not None:
            return
        _code = code
    with suppress(RuntimeError):  # the interpreter ends already, and takes no more threads
        threading.Thread(target=_end, args=(code,), name="agor-tui-deadline", daemon=True).start()


def hold(hurry: Callable[[], None], force: Callable[[], None] = lambda: None) -> Callable[[], None]:
    """Be told when the process is to end: ``hurry`` at once, ``force`` when it is ended; returns what lets go again.

    Both are called in threads of their own.
    """
    holder = (hurry, force)
    _holders.append(holder)
    if _code is not None:
        hurry()

    def let_go() -> None:
        with suppress(ValueError):
            _holders.remove(holder)

    return let_go


@contextmanager
def leaving(leave: Leave) -> Iterator[None]:
    """While the block runs, a signal (SIGINT too) calls ``leave`` with the exit code instead of unwinding.

    ``leave`` runs in the main thread between any two steps of the interpreter, and tells whether it will end.
    """
    global _leave
    interrupt = signal.getsignal(signal.SIGINT)
    if interrupt is signal.default_int_handler:
        signal.signal(signal.SIGINT, _told)
    _leave = leave
    try:
        yield
    finally:
        _leave = None
        if interrupt is signal.default_int_handler:
            signal.signal(signal.SIGINT, interrupt)


def over() -> None:
    """All is done but what the interpreter does at its end: a signal no longer unwinds it, and only sets a limit."""
    global _leave
    _leave = lambda _: True  # noqa: E731
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _told)


def _told(number: int, frame: FrameType | None) -> None:
    begin(128 + number)
    if _leave is not None and _leave(128 + number):
        return
    raise Told


def _watch(reader: int) -> None:
    while numbers := os.read(reader, 64):
        for number in numbers:
            if signal.getsignal(number) is _told:
                begin(128 + number)


def _end(code: int) -> None:
    for hurry, _ in tuple(_holders):
        threading.Thread(target=hurry, daemon=True).start()
    time.sleep(GRACE_S)
    # What was registered for the interpreter's end stops the servers that this process started.
    last = [force for _, force in tuple(_holders)] + [atexit._run_exitfuncs]
    threads = [threading.Thread(target=step, daemon=True) for step in last]
    for thread in threads:
        thread.start()
    limit = time.monotonic() + _FORCE_S
    for thread in threads:
        thread.join(max(0.0, limit - time.monotonic()))
    os._exit(code)
