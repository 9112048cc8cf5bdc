"""How times are shown: as the user prefers, counted from the app's clock, in the user's zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from agor_tui.text import NOTHING, relative_time
from agor_tui.zones import zone

if TYPE_CHECKING:
    from agor_tui.config.preferences import Preferences

CELLS = len("2026-11-21 14:02")
"""The width of the longest time."""
RELATIVE_CELLS = 8
"""The width of the longest relative time in a column."""


class Moments:
    """``clock`` says what time it is; ``narrow`` whether columns have room for no more than the day."""

    def __init__(
        self, clock: Callable[[], datetime], preferences: Callable[[], Preferences], narrow: Callable[[], bool]
    ) -> None:
        self._clock = clock
        self._preferences = preferences
        self._narrow = narrow

    @property
    def relative(self) -> bool:
        """Whether times are shown as how long ago they are."""
        return self._preferences().times == "relative"

    def now(self) -> datetime:
        """The time in the user's zone."""
        return self.local(self._clock())

    def local(self, time: datetime) -> datetime:
        """A time in the user's zone; within a day of the years 1 and 9999 it stays as it is."""
        try:
            return time.astimezone(zone(self._preferences().time_zone))
        except OverflowError:
            return time

    def text(self, time: datetime | None) -> str:
        """``3m``, ``2d``, then the date; or ``2026-11-21 14:02``."""
        if time is None:
            return NOTHING
        return relative_time(time, self.now()) if self.relative else self.minute(time)

    def cell(self, time: datetime | None) -> str:
        """The same for a column: past a week ``21 Nov`` or ``Nov 2025``, eight cells; or the date without the time."""
        if time is None:
            return NOTHING
        if not self.relative:
            return f"{self.local(time):%Y-%m-%d}" if self._narrow() else self.minute(time)
        now = self.now()
        words = relative_time(time, now)
        if len(words) < RELATIVE_CELLS:
            return words
        local = self.local(time)
        return f"{local.day} {local:%b}" if local.year == now.year else f"{local:%b %Y}"

    def minute(self, time: datetime) -> str:
        """``2026-11-21 14:02``, whatever the user prefers."""
        return f"{self.local(time):%Y-%m-%d %H:%M}"
