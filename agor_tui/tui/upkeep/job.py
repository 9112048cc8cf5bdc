"""Long work on a database as the app follows it: how far each table is, the wish to stop, and for how long it runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from agor_tui.transfers import Progress, Tell

T_co = TypeVar("T_co", covariant=True)

LEAST_S = 0.5
"""Seconds below which nothing is said of the speed: it would jump, and mean nothing."""


@dataclass(slots=True)
class Part:
    """One table in one stage, as told ``first`` and last; the times are seconds since the work began."""

    first: Progress
    progress: Progress
    began: float
    told: float
    ended: float | None = None

    @property
    def rows_per_second(self) -> float | None:
        """None before there is something to go by."""
        return self._per_second(self.progress.rows - self.first.rows)

    @property
    def bytes_per_second(self) -> float | None:
        """None before there is something to go by."""
        return self._per_second(self.progress.bytes - self.first.bytes)

    def seconds_left(self) -> float | None:
        """None where the total is not known, or nothing is left."""
        progress, speed = self.progress, self.rows_per_second
        if progress.total is None or self.ended is not None or not speed or progress.rows >= progress.total:
            return None
        return (progress.total - progress.rows) / speed

    def _per_second(self, number: int) -> float | None:
        seconds = self.told - self.began
        return number / seconds if seconds >= LEAST_S and number else None


@dataclass(frozen=True, slots=True)
class Expected:
    """A table that the work will come to, and its rows where they are known."""

    table: str
    rows: int | None


class UpkeepJob(Generic[T_co]):
    """``work`` blocks: ``run`` belongs in a thread; all else may be asked at any time, as often as one likes."""

    def __init__(
        self,
        work: Callable[[Tell, threading.Event], T_co],
        expected: Sequence[Expected] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = work
        self._clock = clock
        self._began = clock()
        self._ended: float | None = None
        self._stop = threading.Event()
        self._parts: dict[tuple[str, str], Part] = {}
        self._now: tuple[str, str] | None = None
        self.expected = tuple(expected)

    def run(self) -> T_co:
        """Do the work. Raises whatever it raises."""
        try:
            return self._work(self.tell, self._stop)
        finally:
            self._ended = self._clock()

    def tell(self, progress: Progress) -> None:
        """Note how far it is."""
        key, now = (progress.stage, progress.table), self._clock() - self._began
        before = self._parts.get(self._now) if self._now is not None and self._now != key else None
        if before is not None and before.ended is None:
            before.ended = now
        part = self._parts.get(key)
        if part is None:
            self._parts[key] = Part(progress, progress, now, now)
        else:
            part.progress, part.told, part.ended = progress, now, None
        self._now = key

    def stop(self) -> None:
        """Ask it to end; it leaves things in the order that its error says."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    @property
    def runs(self) -> bool:
        """Whether it has not come to its end."""
        return self._ended is None

    @property
    def seconds(self) -> float:
        """For how long it has been running, or ran."""
        return (self._clock() if self._ended is None else self._ended) - self._began

    @property
    def stage(self) -> str:
        """What is done now; empty before anything was told."""
        return self._now[0] if self._now is not None else ""

    def parts(self) -> list[Part]:
        """All that was told so far, in the order in which it began."""
        return list(self._parts.values())
