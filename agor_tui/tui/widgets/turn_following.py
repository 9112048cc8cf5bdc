"""A conversation that goes on while it is read: new turns appear at its end, and what is read holds still."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from agor_tui.errors import AgorError
from agor_tui.records import Task, Turn
from agor_tui.tui.asking import ask
from agor_tui.tui.widgets.turn_column import Frame, TurnColumn
from agor_tui.tui.widgets.turn_parts import Jump, Place
from agor_tui.tui.widgets.turn_store import WINDOW, TurnSource
from agor_tui.tui.widgets.turn_view import TurnView

_News = tuple[int, tuple[Task, ...], dict[int, tuple[Turn, ...]]]
"""How many turns there are, the session's tasks, the windows that are seen."""


class FollowingView(TurnView):
    """A :class:`TurnView` that takes in what has changed: at the end it follows, elsewhere it says what came below."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.new_below = 0
        """Turns that came since the reader last saw the end."""
        self._following = False
        self._kept: Place | None = None

    def show(
        self, source: TurnSource, *, agent: str = "agent", person: str = "you", roots: tuple[str, ...] = ()
    ) -> None:
        """Read a conversation from its beginning."""
        self.new_below, self._kept = 0, None
        super().show(source, agent=agent, person=person, roots=roots)

    def follow(self) -> None:
        """Take in what has changed: what is seen is read again, the rest when it comes near.

        Place, folds, cursor and finds stay. One at a time; a database that does not answer is no news.
        """
        source, column, frame = self._source, self._column, self._frame
        if source is None or self._opening or self._following:
            return
        if column is None or frame is None:
            self._open_late(source)
            return
        request = self._request
        numbers = range(frame.first // WINDOW, frame.last // WINDOW + 1)
        self._following = True

        def work() -> _News:
            return source.count(), source.tasks(), {n: source.window(n * WINDOW, WINDOW) for n in numbers}

        def done(news: _News) -> None:
            self._following = False
            if request == self._request and column is self._column:
                self._take_news(column, *news)

        ask(self, work, done, self._no_news)

    def _open_late(self, source: TurnSource) -> None:
        """Open a conversation that had no turns yet, or could not be read."""
        self._following = True

        def done(count: int) -> None:
            self._following = False
            if count and self._column is None and not self._opening:
                self.reload()

        ask(self, source.count, done, self._no_news)

    def _no_news(self, _: AgorError) -> None:
        self._following = False

    def _take_news(
        self, column: TurnColumn, count: int, tasks: tuple[Task, ...], windows: dict[int, tuple[Turn, ...]]
    ) -> None:
        store, grown = column.store, count - column.store.count
        if grown < 0 or any(store.moved(number, turns) for number, turns in windows.items()):
            self.reload()
            return
        at_end = self._at_end(column)
        other_tasks, self._tasks = tasks != self._tasks, tasks
        store.age()
        if grown:
            self._prompts = None
            column.grow(count)
        changed: set[int] = set()
        for number, turns in windows.items():
            changed |= store.put(number, turns)
        column.invalidate(changed)
        if not (grown or changed or other_tasks):
            return
        column.resize(self._turn_lines(), column.height)
        if at_end and self._jump is None:
            self._kept = self._cursor if self._cursor != self._last_place(column) else None
            self._direction, self._jump = 1, Jump(count - 1, to="end")
        else:
            self.new_below += grown
        self._update()

    def _at_end(self, column: TurnColumn) -> bool:
        """Whether the last line is seen."""
        frame = self._frame
        last = column.store.count - 1
        return frame is not None and frame.last == last and column.distance(last + 1, 0) <= column.height

    def _last_place(self, column: TurnColumn) -> Place | None:
        for ordinal in range(column.store.count - 1, max(-1, column.anchor[0] - 1), -1):
            if spots := column.spots(ordinal):
                return spots[-1].place
        return None

    def _place_cursor(self, frame: Frame) -> None:
        """The block that the reader had chosen stays chosen while it is seen."""
        kept, self._kept = self._kept, None
        if kept is not None and any(spot.place == kept and self._seen(spot) for spot in frame.spots):
            self._cursor = kept
        super()._place_cursor(frame)
        if self._column is not None and frame.last == self._column.store.count - 1:
            self.new_below = 0

    def _compose_lines(self) -> None:
        """The frame, and over its last line what came below."""
        super()._compose_lines()
        column = self._column
        if not self.new_below or column is None or not self._lines:
            return
        ink = column.lines.ink
        text = f" ↓ {self.new_below:,} new below "
        room = self._width - cell_len(text) - 1
        if room > 0:
            base = self.rich_style
            sign = Segment(text, base + ink.accent + ink.cursor)
            self._lines[-1] = Strip.join([self._lines[-1].crop(0, room), Strip([sign, Segment(" ", base)])])
