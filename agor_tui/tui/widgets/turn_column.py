"""A conversation as one long column of lines of which a window is seen; knows nothing of the screen it is on.

What holds still is the anchor: a turn, and how many of its lines are above the window. Where that is among all lines
is an estimate that gets better as turns are drawn, so a turn that grows above the window moves nothing that is seen.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from textual.strip import Strip

from agor_tui.records import Turn
from agor_tui.tui.widgets.heights import Heights
from agor_tui.tui.widgets.turn_lines import TurnLines, is_shown
from agor_tui.tui.widgets.turn_parts import FOLDED, FULL, OPEN, Place, Rendered, Spot
from agor_tui.tui.widgets.turn_store import WINDOW, TurnStore

_ESTIMATE = 3
_MOST_RENDERED = 800
_MOST_FETCHED = 1_500
"""Turns of a sub-agent that are fetched again when it is unfolded; fewer than the store keeps."""
_NOTHING = Rendered([], [])


@dataclass(frozen=True, slots=True)
class Frame:
    """The lines of the window; ``spots`` have their first line counted from its top, which may be negative.

    ``first`` and ``last`` are the ordinals seen. Not ``complete``: a turn in it is not in memory yet.
    """

    strips: list[Strip]
    spots: list[Spot]
    first: int
    last: int
    complete: bool


class TurnColumn:
    """The turns of ``store`` drawn by ``lines`` in a window of ``height`` lines."""

    def __init__(self, store: TurnStore, lines: TurnLines, height: int) -> None:
        self.store = store
        self.lines = lines
        self.height = height
        self.heights = Heights(store.count, _ESTIMATE)
        self.anchor = (0, 0)
        self.wanted: set[int] = set()
        """Windows that an unfolded sub-agent needs."""
        self._levels: dict[Place, int] = {}
        self._default: int | None = None
        self._rendered: OrderedDict[int, Rendered] = OrderedDict()

    # What the reader has folded (the View of TurnLines).

    def level(self, place: Place, default: int) -> int:
        """How much of a place is shown."""
        if self._default is not None and place.part != "gone" and default == FOLDED:
            default = self._default
        return self._levels.get(place, default)

    def agent_turns(self, call_id: str) -> list[Turn]:
        """The turns of a sub-agent that are in memory."""
        ordinals = self.store.children(call_id)
        turns = [turn for at in ordinals if (turn := self.store.get(at)) is not None]
        if len(turns) < len(ordinals) <= _MOST_FETCHED:
            self.wanted.update(at // WINDOW for at in ordinals if self.store.get(at) is None)
        return turns

    def agent_count(self, call_id: str) -> int:
        """How many turns of a sub-agent were seen so far."""
        return len(self.store.children(call_id))

    def set_level(self, place: Place, level: int) -> None:
        """Fold or unfold one place."""
        self._levels[place] = level
        first, length, _ = self.store.reverted_run(place.ordinal) if place.part == "gone" else (place.ordinal, 1, False)
        self.invalidate(self.store.root(at) for at in range(first, first + length))

    def toggle(self, place: Place) -> None:
        """Fold what is unfolded and the other way round; 'show all' shows all."""
        if place.part in ("more", "agent-more"):
            self.set_level(place._replace(part="body" if place.part == "more" else "agent"), FULL)
        else:
            self.set_level(place, FOLDED if self.level(place, FOLDED) else OPEN)

    def fold_all(self, level: int) -> None:
        """Fold (FOLDED) or unfold (OPEN) everything that folds."""
        self._levels.clear()
        self._default = level
        self.redraw()

    # Lines.

    @property
    def total(self) -> int:
        """Lines of the whole column, as far as known."""
        return self.heights.total

    @property
    def top(self) -> int:
        """The line of the column at the top of the window."""
        ordinal, offset = self.anchor
        return self.heights.start(min(ordinal, len(self.heights))) + offset

    def resize(self, lines: TurnLines, height: int) -> None:
        """Draw in another width, ink or window."""
        redraw = lines != self.lines
        self.lines, self.height = lines, height
        if redraw:
            self.redraw()

    def redraw(self) -> None:
        """Draw every turn anew; their heights stay as estimates."""
        ordinal, offset = self.anchor
        old = self._rendered.get(ordinal)
        self._rendered.clear()
        self.heights.forget()
        if old and offset and old.strips and (new := self.rendered(ordinal)) is not None:
            self.anchor = ordinal, offset * len(new.strips) // len(old.strips)

    def invalidate(self, ordinals: Iterable[int]) -> None:
        """Draw these turns anew when they are next seen."""
        for ordinal in ordinals:
            self._rendered.pop(ordinal, None)

    def grow(self, count: int) -> None:
        """Take note of another number of turns."""
        self.store.count = count
        self.heights.resize(count)
        if self.anchor[0] >= count:
            self.anchor = max(0, count - 1), 0

    def rendered(self, ordinal: int) -> Rendered | None:
        """The lines of a turn, measured; None when it is not in memory."""
        done = self._rendered.get(ordinal)
        if done is not None:
            self._rendered.move_to_end(ordinal)
            return done
        turn = self.store.get(ordinal)
        if turn is None:
            return None
        done = self._draw(turn)
        self._rendered[ordinal] = done
        if len(self._rendered) > _MOST_RENDERED:
            self._rendered.popitem(last=False)
        self.heights.set(ordinal, len(done.strips))
        return done

    def _draw(self, turn: Turn) -> Rendered:
        if self.store.parent(turn.ordinal) is not None or not is_shown(turn):
            return _NOTHING
        if turn.message.parent_tool_id and not turn.message.reverted:
            return self.lines.stray(turn, self.store.before(turn.ordinal), self)
        if not turn.message.reverted:
            return self.lines.render(turn, self.store.before(turn.ordinal), self)
        first, count, more = self.store.reverted_run(turn.ordinal)
        is_open = self.level(Place(first, 0, "gone"), FOLDED) > FOLDED
        drawn = self.lines.render(turn, self.store.before(turn.ordinal), self) if is_open else _NOTHING
        if turn.ordinal != first:
            return drawn
        line = self.lines.reverted(first, count, is_open, more)
        shift = len(line.strips)
        spots = [Spot(s.place, s.start + shift, s.height, s.opens) for s in drawn.spots]
        return Rendered(line.strips + drawn.strips, line.spots + spots)

    def spots(self, ordinal: int) -> list[Spot]:
        """The places of a turn; none when it is not in memory."""
        done = self.rendered(ordinal)
        return done.spots if done else []

    def span(self, ordinal: int) -> int:
        """The height of a turn, estimated when it is not in memory."""
        done = self.rendered(ordinal)
        return len(done.strips) if done else self.heights[ordinal]

    # The window.

    def move(self, lines: int) -> None:
        """Move the window down by some lines, or up by a negative number, as far as there are any."""
        ordinal, offset = self.anchor
        offset += lines
        while offset < 0 and ordinal > 0:
            ordinal -= 1
            offset += self.span(ordinal)
        offset = max(offset, 0)
        while ordinal < len(self.heights) - 1 and offset >= (height := self.span(ordinal)):
            offset -= height
            ordinal += 1
        self.anchor = ordinal, offset

    def locate(self, line: int) -> None:
        """Move the window to a line of the column."""
        self.anchor = self.heights.at(line)

    def to_end(self) -> None:
        """Show the last lines."""
        self.anchor = max(0, len(self.heights) - 1), 0
        self.move(self.span(self.anchor[0]) - self.height if len(self.heights) else 0)

    def frame(self) -> Frame:
        """Draw the window; where the column ends within it, the window moves up first."""
        frame = self._frame()
        short = self.height - len(frame.strips)
        if short > 0 and self.anchor != (0, 0) and frame.complete:
            self.move(-short)
            frame = self._frame()
        return frame

    def _frame(self) -> Frame:
        strips: list[Strip] = []
        spots: list[Spot] = []
        ordinal, offset = self.anchor
        first = ordinal
        complete = True
        y = -offset
        while y < self.height and ordinal < len(self.heights):
            self.store.touch(ordinal)
            done = self.rendered(ordinal)
            if done is None:
                complete = False
                strips += [self.lines.waiting(ordinal), *[Strip([])] * (self.heights[ordinal] - 1)][max(0, -y) :]
                y += self.heights[ordinal]
            else:
                strips += done.strips[max(0, -y) :] if y < 0 else done.strips
                spots += [Spot(s.place, s.start + y, s.height, s.opens) for s in done.spots]
                y += len(done.strips)
            ordinal += 1
        return Frame(strips[: self.height], spots, first, max(first, ordinal - 1), complete)

    # Places.

    def place_after(self, place: Place, step: int) -> Place | None:
        """The next place (``step`` 1) or the one before (-1), as far as turns are in memory."""
        ordinal = self.store.root(place.ordinal)
        places = [spot.place for spot in self.spots(ordinal)]
        if place in places:
            at = places.index(place) + step
            if 0 <= at < len(places):
                return places[at]
        for other in self._walk(ordinal, step):
            if spots := self.spots(other):
                return spots[0 if step > 0 else -1].place
        return None

    def _walk(self, ordinal: int, step: int) -> Iterator[int]:
        at = ordinal + step
        while 0 <= at < len(self.heights) and self.store.get(at) is not None:
            yield at
            at += step

    def spot(self, place: Place) -> tuple[int, Spot] | None:
        """Where a place is: the turn that it is drawn in, and the spot within its lines."""
        ordinal = self.store.root(place.ordinal)
        return next(((ordinal, spot) for spot in self.spots(ordinal) if spot.place == place), None)

    def distance(self, ordinal: int, line: int) -> int:
        """Lines from the top of the window to a line of a turn; exact for turns near the window."""
        return self.heights.start(ordinal) + line - self.top

    def reveal(self, place: Place) -> bool:
        """Unfold all that hides a place; False when a turn that is needed for it is not in memory."""
        turn = self.store.get(place.ordinal)
        if turn is None:
            return False
        if turn.message.reverted:
            self.set_level(Place(self.store.reverted_run(place.ordinal)[0], 0, "gone"), OPEN)
        while turn is not None and turn.message.parent_tool_id:
            call = self.store.call_place(turn.message.parent_tool_id)
            if call is None or call[0] >= turn.ordinal:
                break
            self.set_level(Place(*call, "agent"), FULL)
            turn = self.store.get(call[0])
        return turn is not None
