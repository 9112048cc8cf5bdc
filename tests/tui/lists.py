"""Page sources in memory, for the table's tests; what a test holds back comes when it says so."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from textual._context import visible_screen_stack
from textual.pilot import Pilot

from agor_tui.errors import AgorError
from agor_tui.records import Count

PATIENCE = 60.0


@dataclass(frozen=True)
class Item:
    """A record of a test."""

    number: int
    name: str

    @property
    def key(self) -> str:
        """What tells it from others."""
        return str(self.number)


@dataclass
class Items:
    """``total`` items in pages. ``gate`` holds pages back, ``count_gate`` the count; ``failing`` pages have errors."""

    total: int
    page_size: int = 20
    prefix: str = "item"
    gate: threading.Event = field(default_factory=threading.Event)
    count_gate: threading.Event = field(default_factory=threading.Event)
    failing: dict[int, AgorError] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    cap: int | None = None

    def __post_init__(self) -> None:
        self.gate.set()
        self.count_gate.set()

    def page(self, number: int) -> Sequence[Item]:
        """The items of a page."""
        self.asked.append(number)
        assert self.gate.wait(PATIENCE)
        if number in self.failing:
            raise self.failing[number]
        start = number * self.page_size
        return [Item(n, f"{self.prefix} {n}") for n in range(start, min(start + self.page_size, self.total))]

    def counts(self) -> Iterator[Count]:
        """The total, after a capped count where there is a cap."""
        if self.cap is not None and self.total > self.cap:
            yield Count(self.cap, False)
        assert self.count_gate.wait(PATIENCE)
        yield Count(self.total)


_FRAME = re.compile("[\u2500-\u257f]")
"""The lines around a dialog, and between two panels."""


def screen_text(pilot: Pilot[Any]) -> str:
    """What the whole screen shows."""
    # As Textual does before it draws: else a dialog drawn here first would have nothing behind it, and keep that.
    visible_screen_stack.set(pilot.app._background_screens)
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def until(pilot: Pilot[Any], true: Callable[[], bool]) -> None:
    """Let the app run until something is so; fail with what it shows when that never comes."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"it never became true:\n{screen_text(pilot)}"
        await pilot.pause(0.01)
    await pilot.pause()


async def sees(pilot: Pilot[Any], *texts: str) -> str:
    """Wait until the screen shows all of these, wherever its lines are broken; return what it shows."""

    def there() -> bool:
        shown = screen_text(pilot)
        flowing = " ".join(_FRAME.sub(" ", shown).split())
        return all(text in shown or text in flowing for text in texts)

    await until(pilot, there)
    return screen_text(pilot)
