"""Watching an open database, so that what others do in it shows by itself."""

from __future__ import annotations

import threading
from collections import deque
from statistics import median
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from agor_tui.errors import AgorError
from agor_tui.records import LiveState

if TYPE_CHECKING:
    from agor_tui.db.watching import Lookout
    from agor_tui.services.browser import Browser

PAUSES_S = (1, 2, 5, 10, 30, 60)
"""Seconds between tries while the database cannot be watched; the last goes on."""
_MEASURED = 64


def watch(browser: Browser) -> Watch:
    """Watch the database of ``browser``; nothing is opened before the first ``wait``."""
    from agor_tui.db.watching import lookout

    return Watch(lookout(browser.store.database, native=browser.info.kind == "native"))


class Watch:
    """Waits for changes, in one thread; ``close`` may be called in any."""

    def __init__(self, lookout: Lookout) -> None:
        self._lookout = lookout
        self._closed = threading.Event()
        self._looking = threading.Lock()
        self._costs: deque[float] = deque(maxlen=_MEASURED)
        self._failures = 0
        self._next = 0.0
        self.state = LiveState()
        """Whether it can watch."""

    @property
    def interval_s(self) -> float:
        """Seconds between two looks."""
        return self._lookout.interval_s

    @property
    def cost_ms(self) -> float | None:
        """What a look takes, the median of the last ones; None before the second one."""
        return median(self._costs) if self._costs else None

    def wait(self, timeout_s: float) -> bool:
        """Wait until something may have changed; False when that did not happen in time, or after ``close``.

        A database that cannot be reached is tried again after growing pauses; ``state`` says why. It counts as changed
        when it can be reached again, and the first time.
        """
        end = monotonic() + timeout_s
        with self._looking:
            while not self._closed.wait(max(0.0, min(self._next, end) - monotonic())):
                if monotonic() < self._next:
                    return False
                if self._look():
                    return True
            self._lookout.close()
            return False

    def _look(self) -> bool:
        started = perf_counter()
        try:
            changed = self._lookout.look()
        except AgorError as error:
            pause = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
            self._failures += 1
            self._next = monotonic() + pause
            self.state = LiveState(False, f"{error.message.rstrip('.')}; tries again in {pause} s")
            return False
        if self.state.on and not (changed and self._next == 0.0):
            self._costs.append((perf_counter() - started) * 1000)  # all but those that had to connect
        self._failures = 0
        self._next = monotonic() + self._lookout.interval_s
        self.state = LiveState()
        return changed

    def close(self) -> None:
        """Watch no longer; who waits in another thread leaves at once and gives up the connection."""
        self._closed.set()
        if self._looking.acquire(blocking=False):
            try:
                self._lookout.close()
            finally:
                self._looking.release()
