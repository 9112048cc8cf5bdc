"""The app at work in a terminal: paging through a million sessions, opening long conversations."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from . import databases, startup
from .report import Result
from .terminal import DOWN, ENTER, ESCAPE, HOME, PAGE_DOWN, Terminal

PAGES = 60
OPENINGS = 9
QUIET_S = 0.15
"""So long nothing is written before a screen counts as finished."""
PAUSE_S = 0.025
"""A pause that ends the drawing of rows: the detail beside them waits for longer."""


def paging(targets: Sequence[tuple[str, str]], home: Path) -> list[Result]:
    """From Page Down to the last byte, the detail beside included, and to the rows, for each (label, target)."""
    results = []
    for label, target in targets:
        rows, whole = [], []
        with _opened(target, home) as terminal:
            for _ in range(PAGES):
                terminal.send(PAGE_DOWN)
                whole.append(terminal.settle(2 * QUIET_S) * 1000)
                rows.append(terminal.first_burst(PAUSE_S) * 1000)
        results += [
            Result(f"page down, key to last byte, {label}", statistics.median(whole), None, "ms", 20, True),
            Result(f"… of these, to the rows drawn, {label}", statistics.median(rows), None, "ms"),
            Result(f"… of these, the slowest of twenty, {label}", statistics.quantiles(rows, n=20)[-1], None, "ms"),
        ]
    return results


def conversations(targets: Sequence[tuple[str, str]], home: Path) -> list[Result]:
    """From Enter to the first words of a conversation of 5,000 messages, against one of 50."""
    results = []
    for label, target in targets:
        small: list[float] = []
        large: list[float] = []
        with _opened(target, home) as terminal:
            for _ in range(OPENINGS):
                for times, row in ((small, 0), (large, 1)):
                    terminal.send(HOME)
                    terminal.settle(QUIET_S)
                    for _ in range(row):
                        terminal.send(DOWN)
                        terminal.settle(QUIET_S)
                    terminal.send(ENTER)
                    times.append(terminal.until(r"Turn \d") * 1000)
                    terminal.settle(0.4)
                    terminal.send(ESCAPE)
                    terminal.settle(0.4)
        what = f"conversation of {databases.LARGE:,} messages against one of {databases.SMALL}, {label}"
        results.append(Result(what, statistics.median(large), statistics.median(small), "ms", 1.5))
    return results


def _opened(target: str, home: Path) -> Terminal:
    terminal = Terminal([*startup.program(), "--database", target], home)
    terminal.until(startup.FIRST_ROW)
    terminal.settle(0.8)
    return terminal
