"""The drawing half of the conversation: only what is seen is drawn, and what is seen holds still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from agor_tui.errors import AgorError
from agor_tui.records import Task, Turn
from agor_tui.text import printable
from agor_tui.tui.asking import ask
from agor_tui.tui.widgets.conversation_find import highlighted
from agor_tui.tui.widgets.ink import INK_CLASSES, Ink, ink_css
from agor_tui.tui.widgets.lines_view import notice_strip
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.turn_column import Frame, TurnColumn
from agor_tui.tui.widgets.turn_lines import Local, TurnLines, local_time
from agor_tui.tui.widgets.turn_parts import Jump, Place, Spot
from agor_tui.tui.widgets.turn_store import WINDOW, TurnSource, TurnStore

_FRAME_KEPT = 0.3
"""Seconds for which the last frame stays while turns of the next one are fetched."""
_IDLE_BUDGET = 0.006
"""Seconds at once for drawing turns ahead of the reader."""
_AHEAD = 2
"""Screens that are drawn ahead."""

_Got = tuple[int, tuple[Turn, ...], tuple[Task, ...]]
"""How many turns there are, those of a window, the session's tasks."""


class TurnView(ScrollView, can_focus=True):
    """Draws the turns of a :class:`TurnSource` around a cursor. ``show`` gives it one."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(INK_CLASSES)
    DEFAULT_CSS = (
        "TurnView { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; background: $background; }"
        + ink_css("TurnView")
    )
    ALLOW_SELECT = False

    @dataclass
    class Opened(Message):
        """The first turns are here, ``count`` in all."""

        count: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._source: TurnSource | None = None
        self._column: TurnColumn | None = None
        self._notice: Notice | None = Notice("Opening the conversation …", tone="muted")
        self._tasks: tuple[Task, ...] = ()
        self._prompts: tuple[int, ...] | None = None
        self._names = ("agent", "you")
        self.local: Local = local_time
        """Brings a time into the user's zone."""
        self._roots: tuple[str, ...] = ()
        self._request = 0
        self._loading: int | None = None
        self._queue: list[int] = []
        self._frame: Frame | None = None
        self._lines: list[Strip] = []
        self._cursor: Place | None = None
        self._jump: Jump | None = None
        self._late: Timer | None = None
        self._idle: Timer | None = None
        self._opening = False
        self._direction = 1
        self.marked = ""
        """Words that are marked wherever they are seen."""

    # Opening

    def show(
        self, source: TurnSource, *, agent: str = "agent", person: str = "you", roots: tuple[str, ...] = ()
    ) -> None:
        """Read a conversation from its beginning. ``roots``: folder names behind which paths are shown."""
        self._source = source
        self._names, self._roots = (agent, person), roots
        self._column, self._frame, self._cursor, self._jump, self._prompts = None, None, None, None, None
        self._open(source, partial(self._opened, 0))

    @property
    def is_open(self) -> bool:
        """Whether turns are shown."""
        return self._column is not None

    @property
    def busy(self) -> bool:
        """Whether turns are awaited."""
        return self._opening or self._loading is not None

    def fail(self, error: AgorError) -> None:
        """Say why there is no conversation."""
        self._failed(self._request, error)

    def reload(self) -> None:
        """Read again what is seen, and how many turns there are; what is seen stays in its place."""
        if self._source is None:
            return
        column = self._column
        if column is None:
            self._open(self._source, partial(self._opened, 0))
        else:
            number = column.anchor[0] // WINDOW
            self._prompts = None
            self._open(self._source, partial(self._reopened, number), number)

    def leave(self) -> None:
        """Wait for nothing any more."""
        self._request += 1

    def _open(
        self,
        source: TurnSource,
        done: Callable[[_Got], None],
        number: int = 0,
    ) -> None:
        self._request += 1
        request = self._request
        self._loading, self._queue = None, []
        self._opening = True
        if self._column is None:
            self._notice = Notice("Opening the conversation …", tone="muted")
            self.refresh()

        def work() -> _Got:
            return source.count(), source.window(number * WINDOW, WINDOW), source.tasks()

        ask(self, work, lambda got: done(got) if request == self._request else None, partial(self._failed, request))

    def _opened(self, number: int, got: _Got) -> None:
        count, turns, self._tasks = got
        self._opening = False
        if not count:
            self._notice = Notice("No messages yet", "This session has no conversation.", "esc goes back")
            self.refresh()
        else:
            self._notice = None
            self._column = TurnColumn(TurnStore(count), self._turn_lines(), max(1, self._height))
            self._column.store.put(number, turns)
            self._jump = self._jump or Jump(0)
            self._update()
        self.post_message(self.Opened(count))

    def _reopened(self, number: int, got: _Got) -> None:
        column = self._column
        if column is None:
            return
        count, turns, self._tasks = got
        self._opening = False
        column.store.drop()
        column.grow(count)
        column.resize(self._turn_lines(), max(1, self._height))
        column.redraw()
        column.store.put(number, turns)
        self._update()
        self.post_message(self.Opened(count))

    def _failed(self, request: int, error: AgorError) -> None:
        if request != self._request:
            return
        self._loading, self._queue, self._opening = None, [], False
        if self._column is None:
            self._notice = Notice(error.title, error.message, error.hint or "R tries again, esc goes back", "error")
            self.refresh()
        else:
            self.notify(printable(error.message), title=error.title, severity="error", markup=False)

    # Fetching

    def _fetch(self, numbers: list[int]) -> None:
        """Fetch these windows, the first of them first; what was asked for before and is not wanted now is dropped."""
        self._queue = [number for number in numbers if number != self._loading]
        if self._loading is None:
            self._fetch_next()

    def _fetch_next(self) -> None:
        source, request = self._source, self._request
        if not self._queue or source is None:
            return
        number = self._loading = self._queue.pop(0)
        ask(
            self,
            lambda: source.window(number * WINDOW, WINDOW),
            lambda turns: self._fetched(request, number, turns),
            partial(self._failed, request),
        )

    def _fetched(self, request: int, number: int, turns: tuple[Turn, ...]) -> None:
        column = self._column
        if request != self._request or column is None:
            return
        self._loading = None
        here = self._current()
        column.invalidate(column.store.put(number, turns))
        if here is not None and self._jump is None and column.spot(here.place) is None:
            # A sub-agent's turn whose call has come now, below which it is folded: the reader stays with it.
            self._jump = Jump(here.place.ordinal, here.place, to="middle")
        self._update()
        if self._loading is None:
            self._fetch_next()

    # Drawing

    @property
    def _height(self) -> int:
        return self.scrollable_content_region.height

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    def _turn_lines(self) -> TurnLines:
        numbers = {task.id: at for at, task in enumerate(self._tasks, 1)}
        agent, person = self._names
        return TurnLines(Ink.of(self), max(self._width, 20), agent, person, self._roots, numbers, self.local)

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        self._redraw()

    def notify_style_update(self) -> None:
        """Draw in the new theme's ink."""
        super().notify_style_update()
        if self.is_attached and self._column is not None:
            self.call_later(self._redraw)

    def redraw_times(self) -> None:
        """Draw anew: the user's zone is another."""
        self._redraw()

    def _redraw(self) -> None:
        if self._column is not None and self._height > 0:
            self._column.resize(self._turn_lines(), self._height)
            self._update()

    def _update(self, late: bool = False) -> None:
        """Draw the window anew after anything has changed."""
        column = self._column
        if column is None or self._height <= 0:
            return
        if self._jump is not None:
            self._land(column, self._jump)
        frame = column.frame()
        wanted = column.store.missing(frame.first, frame.last)
        if frame.complete or late or self._frame is None:
            self._stop_late()
            self._frame = frame
            if frame.complete:
                self._place_cursor(frame)
            self._compose_lines()
        elif self._late is None:
            self._late = self.set_timer(_FRAME_KEPT, partial(self._update, True))
        if self._jump is not None:
            wanted = [self._jump.ordinal // WINDOW, *wanted]
        ahead = range(frame.first - WINDOW, frame.last + WINDOW + 1, WINDOW)
        near = [number for at in ahead for number in column.store.missing(at, at) if 0 <= at < column.store.count]
        wanted += [n for n in (*sorted(column.wanted), *near) if n not in wanted]
        column.wanted.clear()
        self._fetch([n for n in dict.fromkeys(wanted) if column.store.missing(n * WINDOW, n * WINDOW)])
        self._sync()
        if self._idle is None:
            self._idle = self.set_timer(0.02, self._draw_ahead)

    def _stop_late(self) -> None:
        if self._late is not None:
            self._late.stop()
            self._late = None

    def _draw_ahead(self) -> None:
        """Draw turns near the window while nothing else is to be done, so that the next page is ready."""
        self._idle = None
        column, frame = self._column, self._frame
        if column is None or frame is None:
            return
        until = perf_counter() + _IDLE_BUDGET
        for step, first in ((self._direction, self._direction > 0), (-self._direction, self._direction < 0)):
            room = _AHEAD * column.height if first or step > 0 else column.height
            at = frame.last if step > 0 else frame.first
            while room > 0 and 0 <= at < column.store.count:
                if column.store.get(at) is None:
                    break
                room -= column.span(at)
                at += step
                if perf_counter() > until:
                    self._sync()
                    self._idle = self.set_timer(0.01, self._draw_ahead)
                    return
        self._sync()

    def _sync(self) -> None:
        """Tell the scroll bar where the window is. No layout, no watchers: the lines are drawn already."""
        column = self._column
        if column is None:
            return
        size = Size(self._width, max(column.total, self._height))
        top = max(0, min(column.top, size.height - self._height))
        if top != self.scroll_y or top != self.scroll_target_y:
            self.set_reactive(Widget.scroll_y, float(top))
            self.set_reactive(Widget.scroll_target_y, float(top))
        if size != self.virtual_size:  # after the place: a place behind the new end would be taken for a scroll
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)
        self.vertical_scrollbar.position = top

    def _compose_lines(self) -> None:
        frame, column = self._frame, self._column
        if frame is None or column is None:
            return
        ink, base = column.lines.ink, self.rich_style
        lines = list(frame.strips)
        if self.marked:
            lines = [highlighted(line, self.marked, ink.match) for line in lines]
        lines = [line.apply_style(base).adjust_cell_length(self._width, base) for line in lines]
        spot = next((spot for spot in frame.spots if spot.place == self._cursor), None)
        if spot is not None:
            bar = Strip([Segment("▎", base + (ink.accent if self.has_focus else ink.faint))])
            for y in range(max(0, spot.start), min(len(lines), spot.start + spot.height)):
                line = lines[y].crop(1)
                if spot.opens and spot.height == 1:
                    line = Strip([Segment(s.text, (s.style or base) + ink.cursor) for s in line])
                lines[y] = Strip.join([bar, line])
        self._lines = lines
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """A line of the last frame."""
        width, base = self._width, self.rich_style
        if self._notice is not None:
            return notice_strip(self, self._notice, y, width)
        return self._lines[y] if y < len(self._lines) else Strip.blank(width, base)

    def on_focus(self) -> None:
        """Show the cursor in the accent."""
        self._compose_lines()

    def on_blur(self) -> None:
        """Show the cursor in grey."""
        self._compose_lines()

    # Moving

    def scroll_to(self, x: float | None = None, y: float | None = None, **_: object) -> None:
        """Move at once: the lines between are not known yet, so there is nothing to animate."""
        super().scroll_to(x, y, animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the wheel and the scroll bar."""
        super().watch_scroll_y(old_value, new_value)
        column = self._column
        if column is None:
            return
        lines = round(new_value) - round(old_value)
        self._jump = None
        self._direction = 1 if lines > 0 else -1
        if abs(lines) <= 4 * column.height:
            column.move(lines)
        else:
            column.locate(round(new_value))
        self._update()

    def jump_to(self, ordinal: int) -> None:
        """Show a turn at the top of the window, as soon as it is in memory."""
        self._jump = Jump(ordinal)
        self._update()

    def point_at(self, ordinal: int) -> None:
        """Show a turn amid its neighbours, as soon as it is in memory; what hides it is unfolded."""
        self._jump = Jump(ordinal, Place(ordinal, 0), to="middle")
        self._update()

    def _land(self, column: TurnColumn, jump: Jump) -> None:
        """Move the window to where the reader wants to be, if all that takes is in memory."""
        if column.store.get(jump.ordinal) is None:
            return
        place = jump.place
        if place is not None and not column.reveal(place):
            return
        at, line = jump.ordinal, jump.line
        if place is not None and (found := column.spot(place)) is not None:
            at, line = found[0], found[1].start + jump.line
        else:
            place, at = None, column.store.root(at)
            while at > 0 and not column.spots(at) and column.store.get(at - 1) is not None:
                at -= 1  # a turn that held nothing but results shows them at their calls
        self._jump = None
        if jump.to == "end":
            column.to_end()
            self._cursor = None
            return
        column.anchor = at, 0
        column.move(line - (column.height // 3 if jump.to == "middle" else 0))
        spots = column.spots(at)
        self._cursor = place or (spots[0].place if spots else None)

    def _place_cursor(self, frame: Frame) -> None:
        """Have a cursor: where there is none yet, on the first place seen, or the last at the end."""
        if self._cursor is None and frame.spots and self._column is not None:
            seen = [spot for spot in frame.spots if 0 <= spot.start < self._column.height] or frame.spots
            at_end = frame.last == self._column.store.count - 1 and frame.first > 0
            self._cursor = seen[-1 if at_end else 0].place

    def _seen(self, spot: Spot) -> bool:
        return spot.start < self._height and spot.start + spot.height > 0

    def _current(self) -> Spot | None:
        """The cursor's spot when it is in the window."""
        spots = self._frame.spots if self._frame else ()
        return next((spot for spot in spots if spot.place == self._cursor and self._seen(spot)), None)
