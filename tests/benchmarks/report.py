"""The table that the benchmarks print."""

from __future__ import annotations

import platform
import sqlite3
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Result:
    """One measure: its median, the floor's median, and the aim, a ratio to the floor or a value of its own.

    ``aim`` None: shown without one. ``absolute``: the aim is for the value, not for the ratio.
    """

    what: str
    value: float
    floor: float | None
    unit: Literal["ms", "MiB"]
    aim: float | None = None
    absolute: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times the floor."""
        return self.value / self.floor if self.floor else None

    @property
    def verdict(self) -> str:
        """Whether the aim is met; empty without one."""
        measured = self.value if self.absolute else self.ratio
        if self.aim is None or measured is None:
            return ""
        return "met" if measured <= self.aim else "missed"


def table(results: Iterable[Result]) -> str:
    """A Markdown table, as it stands in the README."""
    lines = ["| what | median | floor | ratio | aim | |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    for result in results:
        floor = "" if result.floor is None else _shown(result.floor, result.unit)
        ratio = "" if result.ratio is None else f"{result.ratio:.2f} ×"
        aim = ""
        if result.aim is not None:
            aim = f"< {_shown(result.aim, result.unit)}" if result.absolute else f"{result.aim:g} ×"
        cells = (result.what, _shown(result.value, result.unit), floor, ratio, aim, result.verdict)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _shown(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def machine(postgresql: str | None) -> str:
    """One line about where this was measured."""
    return ", ".join(
        part
        for part in (
            _processor(),
            f"Python {platform.python_version()}",
            f"SQLite {sqlite3.sqlite_version}",
            f"PostgreSQL {postgresql}" if postgresql else "",
            sys.platform,
        )
        if part
    )


def _processor() -> str:
    import os

    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{os.cpu_count()} × {model or platform.processor() or platform.machine()}"
