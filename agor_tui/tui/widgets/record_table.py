"""The one list widget of the app: a table that draws its lines from pages of records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message

from agor_tui.records import Count
from agor_tui.tui.asking import ask
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.table_columns import Column
from agor_tui.tui.widgets.table_loader import Answer, Asked, Loader
from agor_tui.tui.widgets.table_pages import PageCache, PageSource, wanted_pages
from agor_tui.tui.widgets.table_renewal import Renewal, Seen, place_in, read_again
from agor_tui.tui.widgets.table_view import HEADER, TableView

R = TypeVar("R")
M = TypeVar("M")

MOVE = Binding.Group("Move")
RESTS = 9
"""After a renewal nothing is renewed for so many times as long as it took."""


class RecordTable(TableView[R], Generic[R], can_focus=True):
    """A list of records with a header, a cursor, the mouse and sort marks, at any number of rows.

    It knows nothing of databases: a ``PageSource`` is given by ``show``. Until its first page is there the old rows
    stay; answers of an older source are dropped.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", "move", key_display="↑↓", id="table.up", tooltip="A row; also k and j", group=MOVE),
        Binding("k", "cursor(-1)", show=False, id="table.up_vi"),
        Binding("down,j", "cursor(1)", show=False, id="table.down", tooltip="A row down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="table.page_up", tooltip="A page up", group=MOVE),
        Binding(
            "pagedown", "page(1)", "page down", show=False, id="table.page_down", tooltip="A page down", group=MOVE
        ),
        Binding("home", "first", "first", show=False, id="table.first", tooltip="To the first row", group=MOVE),
        Binding("end,G", "last", "last", show=False, id="table.last", tooltip="To the last row", group=MOVE),
        Binding("enter", "select", "open", id="table.open", tooltip="Open the row", group=MOVE),
    ]

    DEFAULT_CSS = """
    RecordTable {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        background: $background;
        color: $foreground;
    }
    """

    @dataclass
    class Highlighted(Message, Generic[M]):
        """The cursor stands on another record, or on none (yet)."""

        table: RecordTable[M]
        index: int
        record: M | None

        @property
        def control(self) -> RecordTable[M]:
            """The table."""
            return self.table

    @dataclass
    class Selected(Message, Generic[M]):
        """A record was opened, by key or double click."""

        table: RecordTable[M]
        record: M

        @property
        def control(self) -> RecordTable[M]:
            """The table."""
            return self.table

    @dataclass
    class HeaderSelected(Message):
        """The title of a sortable column was clicked."""

        table: RecordTable[Any]
        sort: str

        @property
        def control(self) -> RecordTable[Any]:
            """The table."""
            return self.table

    @dataclass
    class Changed(Message):
        """Loading began or ended, or more is known of the count."""

        table: RecordTable[Any]

        @property
        def control(self) -> RecordTable[Any]:
            """The table."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column[R]],
        key: Callable[[R], str],
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(columns, id=id, classes=classes)
        self.empty = Notice("Nothing here")
        """What an empty list says."""
        self._key = key
        self._loader: Loader[R] = Loader(self.call_later, self._take, self._take_count)
        self._end_asked = False
        self._highlighted: str | None = None
        self._moved = False
        """Whether the reader has left the top of the list."""
        self._renewing = False
        self._renew_next: PageSource[R] | None = None

    # What a screen asks and sets

    @property
    def count(self) -> Count:
        """How many rows there are, as far as is known."""
        return Count(self._cache.known, self._cache.exact)

    @property
    def busy(self) -> bool:
        """Whether a source was given that has not answered yet."""
        return self._loader.asked is not None

    @property
    def current(self) -> R | None:
        """The record under the cursor, None where it is not loaded or there is none."""
        return self._cache.row(self.cursor)

    def row(self, index: int) -> R | None:
        """The record at an index, None where it is not loaded."""
        return self._cache.row(index)

    def find(self, key: str) -> R | None:
        """The record of a key, None where it is not loaded."""
        index = self._cache.place_of(lambda row: self._key(row) == key)
        return None if index is None else self._cache.row(index)

    def replace(self, record: R) -> None:
        """Show a record in the place of the one with the same key, where that is loaded."""
        key = self._key(record)
        index = self._cache.place_of(lambda row: self._key(row) == key)
        if index is not None:
            self._cache.replace(index, record)
            self._widen([record])
            self._forget_lines(index // self._cache.size)

    def show(self, source: PageSource[R], *, index: int = 0, key: str | None = None) -> None:
        """Show the rows of a source, the cursor on row ``index`` or, if it is on that page, the record ``key``."""
        self._renew_next = None
        self._loader.ask(Asked(source, index, key))
        self.post_message(self.Changed(self))

    def renew(self, source: PageSource[R]) -> None:
        """Read again what is seen, of a source that asks the same as the one before; the old rows stay meanwhile.

        The cursor's record keeps its line; at the top of the list, new rows come into sight. What is asked while one
        is under way is done after it, and after a pause as a slow database needs. An error leaves what is shown.
        """
        if self.busy or not self._renewable:
            return
        if self._renewing:
            self._renew_next = source
            return
        self._renewing = True
        seen, before = self._as_seen(), self._loader.source

        def work() -> tuple[Renewal[R], float]:
            started = perf_counter()
            return read_again(source, self._key, seen), perf_counter() - started

        def done(answer: tuple[Renewal[R], float]) -> None:
            renewal, took = answer
            if before is self._loader.source and not self.busy:
                self._take_renewal(source, seen, renewal)
            self.set_timer(max(0.01, took * RESTS), self._renewal_over)

        ask(self, work, done, lambda _: self._renewal_over())

    @property
    def _renewable(self) -> bool:
        """Whether rows are shown, or why they could not be read; not where the reader did not want to wait."""
        return self._loader.source is not None or (self.notice is not None and self.notice.tone == "error")

    def leave(self) -> None:
        """Stop waiting for a source; what was shown before stays."""
        self._loader.leave()
        self.post_message(self.Changed(self))

    def say(self, notice: Notice | None) -> None:
        """Take all rows away and say something in their place."""
        self.leave()
        self._loader.settle(None)
        self._reset(PageCache(128))
        self.notice = notice
        self.refresh()

    def set_columns(self, columns: Sequence[Column[R]]) -> None:
        """Exchange the columns; those that fit their contents are measured anew."""
        self._columns = tuple(columns)
        self._seen.clear()
        for rows in self._cache.pages:
            self._widen(rows)
        self._arrange()

    def mark_sort(self, sort: str | None, descending: bool) -> None:
        """Mark the column that the source sorts by."""
        self._sort = (sort, descending)
        self.refresh(Region(0, 0, self.size.width, HEADER))

    def redraw(self) -> None:
        """Draw the rows anew: what the cells say has changed though the records have not, such as ages."""
        self._strips.clear()
        self.refresh()

    # Loading

    def _take(self, answer: Answer[R]) -> None:
        """A page is there, or the reason why it cannot be had."""
        if self._loader.asked is not None:
            self._begin(self._loader.asked, answer)
        elif answer.error is not None:
            self._cache.failed[answer.number] = answer.error
            self._forget_lines(answer.number)
        else:
            self._put(answer.number, answer.rows)
        self.place_changed()

    def _begin(self, asked: Asked[R], answer: Answer[R]) -> None:
        """The first answer of a new source: its rows take the place of the old ones."""
        rows, error = answer.rows, answer.error
        if error is not None:
            self._loader.settle(None)
            self._reset(PageCache(128))
            self.notice = Notice(error.title, error.message, error.hint, "error")
        elif not rows and asked.index > 0:
            asked.index = 0
            return
        else:
            start = answer.number * asked.source.page_size
            index = min(asked.index, start + max(0, len(rows) - 1))
            if asked.key is not None:
                index = next((start + n for n, row in enumerate(rows) if self._key(row) == asked.key), index)
            scroll = self.scroll_offset.y if asked.index else 0
            self._reset(PageCache(asked.source.page_size))
            self._put(answer.number, rows)
            self.notice = None if rows else self.empty
            self.set_reactive(RecordTable.cursor, index)
            self._moved = index > 0
            self.scroll_to(y=scroll, animate=False, force=True)
            self._reveal()
            self._loader.settle(asked.source)
        self.cursor_moved()
        self.post_message(self.Changed(self))
        self.refresh()

    def _put(self, number: int, rows: Sequence[R]) -> None:
        self._cache.put(number, rows)
        self._widen(rows)
        self._resize()
        self._forget_lines(number)
        if self.cursor // self._cache.size == number:
            self.cursor_moved()

    def _take_count(self, count: Count) -> None:
        """More is known of how many rows there are."""
        self._cache.learn(count)
        self._resize()
        if self._end_asked and self._cache.exact:
            self.action_last()
        self.post_message(self.Changed(self))

    def _as_seen(self) -> Seen:
        record, top = self.current, self.scroll_offset.y
        key = None if record is None else self._key(record)
        return Seen(self.cursor, key, top, self._body_height, pinned=top == 0 and not self._moved)

    def _take_renewal(self, source: PageSource[R], asked: Seen, renewal: Renewal[R]) -> None:
        """Put the new rows in the place of the old ones."""
        now, size, index, top = self._as_seen(), source.page_size, renewal.index, renewal.top
        if now != asked:  # the reader has moved meanwhile
            found = None if now.key is None else place_in(renewal.pages, self._key, now.key, size)
            index = max(0, now.index + index - asked.index) if found is None else found
            top = 0 if now.pinned else max(0, now.top + index - now.index)
        before, in_sight = self.current, now.top <= now.index < now.top + now.height
        known, exact = self._cache.known, self._cache.exact
        self._cache = PageCache(size)
        self._strips.clear()
        for number, rows in sorted(renewal.pages.items()):
            self._cache.put(number, rows)
            self._widen(rows)
        self._cache.learn(Count(max(known, self._cache.known), exact))
        self.notice = None if self._cache.known else self.empty
        self.set_reactive(RecordTable.cursor, max(0, min(index, self._cache.known - 1)))
        self._loader.exchange(source, counting=not self._cache.end_read)
        self._resize()
        self.scroll_to(y=top, animate=False, force=True)
        if in_sight:
            self._reveal()
        if self.current != before:
            self._highlighted = None
        self.cursor_moved()
        self.post_message(self.Changed(self))
        self.refresh()
        self.place_changed()

    def _renewal_over(self) -> None:
        self._renewing = False
        source, self._renew_next = self._renew_next, None
        if source is not None:
            self.renew(source)

    def place_changed(self) -> None:
        """Ask for the visible pages, then for those ahead."""
        asked = self._loader.asked
        if asked is not None:
            self._loader.fetch([asked.page])
        else:
            top, height = self.scroll_offset.y, self._body_height
            self._loader.fetch(wanted_pages(self._cache, top, height, self._forward))

    def _reset(self, cache: PageCache[R]) -> None:
        self._cache = cache
        self._strips.clear()
        self._end_asked = False
        self._forward = True
        self.set_reactive(RecordTable.cursor, 0)
        self.set_reactive(RecordTable.hover, None)
        self._resize()

    def cursor_moved(self) -> None:
        """Say on which record the cursor stands, when that has changed."""
        record = self.current
        key = None if record is None else self._key(record)
        if key != self._highlighted or record is None:
            self._highlighted = key
            self.post_message(self.Highlighted(self, self.cursor, record))

    # Keys and mouse

    def action_cursor(self, by: int) -> None:
        """Move the cursor by rows."""
        self._move(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor and the view by pages."""
        height = self._body_height
        self._scroll(self.scroll_offset.y + by * height)
        self._move(self.cursor + by * height)

    def action_first(self) -> None:
        """Move to the first row."""
        self._move(0)

    def action_last(self) -> None:
        """Move to the last row, once it is known which that is."""
        self._end_asked = not self._cache.exact
        self._move(self._cache.known - 1)

    def action_select(self) -> None:
        """Open the record under the cursor."""
        record = self.current
        if record is not None:
            self.post_message(self.Selected(self, record))

    def _move(self, index: int) -> None:
        self._moved = index > 0
        self.cursor = max(0, min(index, self._cache.known - 1))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Light the row under the mouse."""
        self.hover = self._index_at(event.y)

    def on_leave(self) -> None:
        """Light no row."""
        self.hover = None

    def on_click(self, event: events.Click) -> None:
        """Move the cursor; a double click opens, a click on a title asks for its sort."""
        event.stop()
        if event.y < HEADER:
            for place in self._places:
                if place.column.sort and place.x - 1 <= event.x <= place.x + place.width:
                    self.post_message(self.HeaderSelected(self, place.column.sort))
                    return
            return
        index = self._index_at(event.y)
        if index is not None:
            self._move(index)
            if event.chain == 2:
                self.action_select()
