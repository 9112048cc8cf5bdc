"""Ending a long statement that runs in another thread's driver when the user asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOOK_S = 0.1


@contextmanager
def stopping(stop: threading.Event | None, cancel: Callable[[], None]) -> Iterator[None]:
    """Call ``cancel`` again and again once ``stop`` is set, from a thread of its own, until the block ends."""
    if stop is None:
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_S):
            if stop.is_set():
                cancel()

    watcher = threading.Thread(target=watch, name="agor-tui-stopping", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
