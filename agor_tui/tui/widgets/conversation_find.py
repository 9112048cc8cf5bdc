"""Finding words in a whole conversation, in a thread, window by window."""

from __future__ import annotations

import re
import threading
from bisect import insort
from collections.abc import Callable

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from agor_tui.errors import AgorError
from agor_tui.records import Turn
from agor_tui.services.tools.block_text import block_text
from agor_tui.tui.widgets.turn_column import TurnColumn
from agor_tui.tui.widgets.turn_parts import FOLDED, FULL, OPEN, PROMPT, Place
from agor_tui.tui.widgets.turn_store import TurnSource

_WINDOW = 256


class Finder:
    """One search at a time. ``hits`` are the blocks that have the words, in the conversation's order."""

    def __init__(self) -> None:
        self.words = ""
        self.search = 0
        self.running = False
        self.hits: list[Place] = []
        self.at: int | None = None
        self.line = 0
        self._start = 0
        self._fresh: list[Place] = []
        self._lock = threading.Lock()

    @property
    def place(self) -> Place | None:
        """The find that the reader is at."""
        return self.hits[self.at] if self.at is not None else None

    @property
    def number(self) -> int:
        """The number of that find, from 1; 0 while there is none."""
        return 0 if self.at is None else self.at + 1

    def stop(self) -> None:
        """Search no further, and forget what was found."""
        self.search += 1
        self.words, self.running, self.at, self.line = "", False, None, 0
        self.hits = []
        with self._lock:
            self._fresh = []

    def start(
        self,
        words: str,
        source: TurnSource,
        count: int,
        first: int,
        found: Callable[[int], object],
        failed: Callable[[AgorError], object],
    ) -> None:
        """Search from turn ``first`` to the end and then from the beginning; ``found`` is called from the thread."""
        self.stop()
        self.words = words.strip()
        if not self.words:
            return
        self.running = True
        self._start = first
        search = self.search
        pattern = _pattern(self.words)

        def run() -> None:
            try:
                starts = [*range(first, count, _WINDOW), *range(0, first, _WINDOW)]
                for start in starts:
                    if search != self.search:
                        return
                    limit = min(_WINDOW, first - start) if start < first else _WINDOW
                    hits = [place for turn in source.window(start, limit) for place in matches(turn, pattern)]
                    if hits and search == self.search:
                        with self._lock:
                            self._fresh += hits
                        found(search)
            except AgorError as error:
                failed(error)
            except Exception as error:  # whatever it is, the user gets a sentence
                from agor_tui.services.faults import unexpected

                failed(unexpected(error))
            finally:
                if search == self.search:
                    self.running = False
                    found(search)

        threading.Thread(target=run, daemon=True, name="find").start()

    def take(self) -> bool:
        """Take in what the thread has found; True when anything was found at all."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
        here = self.place
        for place in fresh:
            insort(self.hits, place)
        if here is not None:
            self.at = self.hits.index(here)
        return bool(self.hits)

    def step(self, step: int) -> Place | None:
        """Go to the next hit or the one before, round the end; the first time to the one nearest to the reader."""
        if not self.hits:
            return None
        if self.at is None:
            after = [at for at, place in enumerate(self.hits) if place.ordinal >= self._start]
            self.at = after[0] if after else 0
        else:
            self.at = (self.at + step) % len(self.hits)
        return self.hits[self.at]

    def lines(self, column: TurnColumn, place: Place) -> list[int]:
        """The lines of a block that have the words, counted from its first."""
        found = column.spot(place)
        if found is None:
            return []
        ordinal, spot = found
        done = column.rendered(ordinal)
        if done is None:
            return []
        following = [s.start for s in done.spots if s.start > spot.start and s.place[:2] != place[:2]]
        end = min(following, default=len(done.strips))
        pattern = _pattern(self.words)
        return [at for at in range(end - spot.start) if pattern.search(done.strips[spot.start + at].text)]

    def unfold(self, column: TurnColumn, place: Place) -> list[int]:
        """Unfold a block as far as needed to see the words; the lines that have them."""
        lines = self.lines(column, place)
        for level in (OPEN, FULL):
            if lines:
                break
            if column.level(place, FOLDED) < level:
                column.set_level(place, level)
                lines = self.lines(column, place)
        return lines


def matches(turn: Turn, pattern: re.Pattern[str]) -> list[Place]:
    """The blocks of a turn that have the words."""
    places = [Place(turn.ordinal, PROMPT)] if turn.prompt and pattern.search(turn.prompt) else []
    blocks = enumerate(turn.message.blocks)
    return places + [Place(turn.ordinal, at) for at, block in blocks if pattern.search(block_text(block))]


def highlighted(strip: Strip, words: str, style: Style) -> Strip:
    """A line with the words in it marked."""
    text = strip.text
    cuts: list[int] = []
    for match in _pattern(words).finditer(text):
        start = cell_len(text[: match.start()])
        cuts += [start, start + cell_len(match[0])]
    if not cuts:
        return strip
    pieces = strip.divide([*cuts, strip.cell_length])
    return Strip.join([piece.apply_style(style) if at % 2 else piece for at, piece in enumerate(pieces)])


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(re.escape(words), re.IGNORECASE)
