"""What starting costs: commands against the bare interpreter, the app against a bare Textual app."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from . import bare_app, databases
from .report import Result
from .terminal import PAGE_DOWN, Terminal
from .turns import in_turns

ROUNDS = 15
FRAME = "commands"
"""The last word of the frame: it stands in the key bar at the bottom."""
FIRST_ROW = databases.title(0)[:6]

_BARE = [sys.executable, bare_app.__file__]


def program() -> list[str]:
    """The command as a user has it: the script that was installed beside this interpreter, else the module."""
    script = Path(sys.executable).with_name("agor-tui")
    return [str(script)] if script.exists() else [sys.executable, "-m", "agor_tui"]


def commands(fixture: Path, home: Path) -> list[Result]:
    """``--version`` and ``session list`` as processes of their own."""
    bare = [sys.executable, "-c", "pass"]
    version, floor = _race([*program(), "--version"], bare, home)
    listed, list_floor = _race([*program(), "--database", str(fixture), "session", "list", "--json"], bare, home)
    return [
        Result("agor-tui --version, against the bare interpreter", version, floor, "ms", 4),
        Result(f"session list on {fixture.name}, against the bare interpreter", listed, list_floor, "ms"),
    ]


def first_paint(targets: Sequence[tuple[str, str]], home: Path) -> list[Result]:
    """The app in a terminal: its frame, its first rows and the memory it takes, for each (label, target)."""
    return [result for label, target in targets for result in _first_paint_of(label, target, home)]


def _first_paint_of(label: str, target: str, home: Path) -> list[Result]:
    frames, rows, peaks, floors, floor_peaks = [], [], [], [], []

    def ours(_: int) -> None:
        with Terminal([*program(), "--database", target], home) as terminal:
            frames.append(terminal.until(FRAME) * 1000)
            rows.append(terminal.until(FIRST_ROW) * 1000)
            terminal.settle(0.5)
            for _ in range(10):
                terminal.send(PAGE_DOWN)
                terminal.settle(0.1)
            peaks.append(terminal.peak_mib())

    def bare(_: int) -> None:
        with Terminal(_BARE, home) as terminal:
            floors.append(terminal.until(bare_app.FIRST_ROW) * 1000)
            terminal.settle(0.3)
            floor_peaks.append(terminal.peak_mib())

    in_turns(ours, bare, ROUNDS)
    floor = statistics.median(floors)
    return [
        Result(f"first paint, {label}", statistics.median(frames), floor, "ms", 1.15),
        Result(f"first rows, {label}", statistics.median(rows), floor, "ms", 2),
        Result(f"peak memory after ten pages, {label}", max(peaks), max(floor_peaks), "MiB", 1.6),
    ]


def _race(ours: list[str], floor: list[str], home: Path) -> tuple[float, float]:
    """Medians in milliseconds of two commands, run in turns."""
    times = in_turns(lambda _: _run(ours, home), lambda _: _run(floor, home), ROUNDS)
    return statistics.median(times[0]), statistics.median(times[1])


def _run(command: list[str], home: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
