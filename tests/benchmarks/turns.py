"""Ours and its floor measured in turns."""

from __future__ import annotations

import time
from collections.abc import Callable


def in_turns(
    ours: Callable[[int], object], floor: Callable[[int], object], rounds: int
) -> tuple[list[float], list[float]]:
    """The milliseconds of each round of both, so that the machine's moods hit both.

    Who begins changes from round to round: what the first of the two reads from the disk, the second finds in memory.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        pair = [(ours, times[0]), (floor, times[1])]
        for work, measured in reversed(pair) if number % 2 else pair:
            start = time.perf_counter()
            work(number)
            measured.append((time.perf_counter() - start) * 1000)
    return times
