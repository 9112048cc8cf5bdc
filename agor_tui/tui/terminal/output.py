"""What the terminal is to show, written so that one that takes nothing, or has gone, holds nobody up for ever."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from contextlib import suppress

STALL_S = 1.0
"""Seconds without a byte taken after which one who is in a hurry gives up."""
_LOOK_S = 0.05
_PIECE = 4096


class TerminalOutput:
    """A file for the terminal behind ``descriptor``; ``gone`` is called, in the writing thread, when that has gone.

    It blocks while the terminal takes nothing, but not after ``hurry``. It never raises.
    """

    def __init__(self, descriptor: int, gone: Callable[[], None]) -> None:
        self._descriptor = _own_description(descriptor)
        self._gone = gone
        self._hurried_at: float | None = None
        self._dropping = False

    def write(self, text: str) -> int:
        """Write all of it, or nothing more once it has been given up."""
        rest = memoryview(text.encode("utf-8", "replace"))
        taken_at = time.monotonic()
        while rest and not self._dropping:
            try:
                rest = rest[os.write(self._descriptor, rest[:_PIECE]) :]
                taken_at = time.monotonic()
            except BlockingIOError:
                hurried_at = self._hurried_at
                if hurried_at is not None and time.monotonic() - max(taken_at, hurried_at) > STALL_S:
                    self._dropping = True
                    break
                select.select([], [self._descriptor], [], _LOOK_S)
            except OSError:
                self._dropping = True
                self._gone()
        return len(text)

    def flush(self) -> None:
        """There is nothing to flush."""

    def fileno(self) -> int:
        """The descriptor that is written to."""
        return self._descriptor

    def hurry(self) -> None:
        """From now on, give up when the terminal takes nothing for ``STALL_S``."""
        self._hurried_at = time.monotonic()

    def take_time(self) -> None:
        """The terminal is drawn on again: wait for it as long as it takes."""
        self._hurried_at = None
        self._dropping = False

    def write_at_once(self, text: str) -> None:
        """Write what the terminal takes now."""
        with suppress(OSError):
            os.write(self._descriptor, text.encode())


def _own_description(descriptor: int) -> int:
    """The same terminal, opened anew so that not blocking is ours alone; itself where it has no name here."""
    for name in (os.ttyname, "/proc/self/fd/{}".format):
        with suppress(OSError):
            return os.open(name(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    return descriptor
