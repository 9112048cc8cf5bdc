"""How far long work is, on one line of standard error that is overwritten; nothing where no person sees it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from agor_tui import ending
from agor_tui.cells import fit, pad
from agor_tui.cli import streams
from agor_tui.text import byte_size, count, duration, printable
from agor_tui.transfers import Progress, Tell

_BAR = 20


@contextmanager
def progress_line() -> Iterator[Tell | None]:
    """What to tell of the work while the block runs: rows, MB/s and the time left of each table; None in a pipe."""
    look = streams.look(sys.stderr)
    if look.width is None:
        yield None
        return
    line = _Line(look.width - 1)
    try:
        yield line.tell
    finally:
        line.clear()


class _Line:
    def __init__(self, width: int) -> None:
        self._width = width
        self._of: tuple[str, str] | None = None
        self._began = 0.0

    def tell(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._of != (progress.stage, progress.table):
            self._of, self._began = (progress.stage, progress.table), now
        self._write(progress_text(progress, now - self._began))

    def clear(self) -> None:
        if self._of is not None:
            self._write("", "\r")

    def _write(self, text: str, end: str = "") -> None:
        if ending.told() is not None:
            return
        try:
            sys.stderr.write("\r" + pad(fit(text, self._width), self._width) + end)
            sys.stderr.flush()
        except OSError:
            ending.begin(ending.TERMINAL_GONE)


def progress_text(progress: Progress, seconds: float) -> str:
    """One line: what is done to which table, a bar, rows, bytes a second, and how long it will still take."""
    parts = [f"{progress.stage} {printable(progress.table)}".strip()]
    if progress.total:
        share = min(progress.rows / progress.total, 1.0)
        full = int(share * _BAR)
        parts.append("█" * full + "░" * (_BAR - full))
        parts.append(f"{count(progress.rows)} of {count(progress.total)}")
    elif progress.rows:
        parts.append(count(progress.rows))
    if seconds >= 1 and progress.bytes:
        parts.append(f"{byte_size(int(progress.bytes / seconds))}/s")
        if progress.total and 0 < progress.rows < progress.total:
            parts.append(f"{duration(1000 * seconds * (progress.total - progress.rows) / progress.rows)} left")
    return "  ".join(parts)
