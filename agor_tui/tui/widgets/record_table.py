"""The one list widget of the app: a table that draws its lines from pages of records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from agor_tui.records import Count
from agor_tui.statuses import Tone
from agor_tui.text import printable
from agor_tui.tui.tones import Tones, tones_of
from agor_tui.tui.widgets.notice import Notice, notice_line
from agor_tui.tui.widgets.table_columns import Column, Place, arrange, widest
from agor_tui.tui.widgets.table_lines import NOT_LOADED, StyleOf, draw_row, draw_spans, header_spans
from agor_tui.tui.widgets.table_loader import Answer, Asked, Loader
from agor_tui.tui.widgets.table_pages import PageCache, PageSource, wanted_pages

R = TypeVar("R")
M = TypeVar("M")

HEADER = 1
KEPT_LINES = 400

MOVE = Binding.Group("Move")


class RecordTable(ScrollView, Generic[R], can_focus=True):
    """A list of records with a header, a cursor, the mouse and sort marks, at any number of rows.

    It knows nothing of databases: a ``PageSource`` is given by ``show``. Until its first page is there the old rows
    stay; answers of an older source are dropped.
    """

    ALLOW_SELECT = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", "move", key_display="↑↓", id="table.up", tooltip="A row; also k and j", group=MOVE),
        Binding("k", "cursor(-1)", show=False, id="table.up_vi"),
        Binding("down,j", "cursor(1)", show=False, id="table.down"),
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

    cursor: reactive[int] = reactive(0, repaint=False)
    """The index of the current row; 0 in an empty table."""
    hover: reactive[int | None] = reactive(None, repaint=False)
    """The index of the row under the mouse."""

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
        super().__init__(id=id, classes=classes)
        self.notice: Notice | None = None
        """What stands in place of rows while there are none."""
        self.empty = Notice("Nothing here")
        """What an empty list says."""
        self._columns = tuple(columns)
        self._key = key
        self._cache: PageCache[R] = PageCache(128)
        self._loader: Loader[R] = Loader(self.call_later, self._take, self._take_count)
        self._forward = True
        self._end_asked = False
        self._seen: dict[str, int] = {}
        self._places: tuple[Place[R], ...] = ()
        self._strips: dict[tuple[int, bool, bool], Strip] = {}
        self._look: tuple[Tones, bool] | None = None
        self._sort: tuple[str | None, bool] = (None, False)
        self._highlighted: str | None = None

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

    def show(self, source: PageSource[R], *, index: int = 0, key: str | None = None) -> None:
        """Show the rows of a source, the cursor on row ``index`` or, if it is on that page, the record ``key``."""
        self._loader.ask(Asked(source, index, key))
        self.post_message(self.Changed(self))

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
        """Exchange the columns."""
        self._columns = tuple(columns)
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
        self._want()

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
            self.scroll_to(y=scroll, animate=False, force=True)
            self._reveal()
            self._loader.settle(asked.source)
        self._announce()
        self.post_message(self.Changed(self))
        self.refresh()

    def _put(self, number: int, rows: Sequence[R]) -> None:
        self._cache.put(number, rows)
        wider = False
        for column in self._columns:
            if column.fits and (width := widest(column, rows)) > self._seen.get(column.key, 0):
                self._seen[column.key] = width
                wider = True
        if wider:
            self._arrange()
        self._resize()
        self._forget_lines(number)
        if self.cursor // self._cache.size == number:
            self._announce()

    def _take_count(self, count: Count) -> None:
        """More is known of how many rows there are."""
        self._cache.learn(count)
        self._resize()
        if self._end_asked and self._cache.exact:
            self.action_last()
        self.post_message(self.Changed(self))

    def _want(self) -> None:
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

    def _announce(self) -> None:
        """Say on which record the cursor stands, when that has changed."""
        record = self.current
        key = None if record is None else self._key(record)
        if key != self._highlighted or record is None:
            self._highlighted = key
            self.post_message(self.Highlighted(self, self.cursor, record))

    # Size and place

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    @property
    def _body_height(self) -> int:
        return max(1, self.size.height - HEADER)

    def _resize(self) -> None:
        size = Size(self._width, self._cache.known + HEADER)
        if self.virtual_size != size:
            self.virtual_size = size
        if self.cursor >= self._cache.known:
            self.cursor = max(0, self._cache.known - 1)

    def _arrange(self) -> None:
        self._places = arrange(self._columns, self._width, self._seen)
        self._strips.clear()
        self.refresh()

    def on_resize(self) -> None:
        """Give the columns their places anew and keep the cursor in sight."""
        self._arrange()
        self._resize()
        self._reveal()
        self._want()

    def _reveal(self) -> None:
        """Scroll just so far that the cursor's row is seen."""
        top, height = self.scroll_offset.y, self._body_height
        if self.cursor < top:
            self._scroll(self.cursor)
        elif self.cursor >= top + height:
            self._scroll(self.cursor - height + 1)

    def _scroll(self, top: int) -> None:
        self.scroll_to(y=max(0, min(top, self._cache.known - self._body_height)), animate=False, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for the pages that came into sight."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._forward = new_value > old_value
            self._want()

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw the two rows, keep the new one in sight and say where the cursor is."""
        self._refresh_row(old)
        self._refresh_row(new)
        self._reveal()
        self._announce()

    def watch_hover(self, old: int | None, new: int | None) -> None:
        """Draw the two rows."""
        for index in (old, new):
            if index is not None:
                self._refresh_row(index)

    def _refresh_row(self, index: int) -> None:
        self.refresh(Region(0, index - self.scroll_offset.y + HEADER, self.size.width, 1))

    # Drawing

    def render_line(self, y: int) -> Strip:
        """The header, a row, or a line of the notice."""
        width = self._width
        look = (tones_of(self.app), self._lit)
        if look != self._look:
            self._look = look
            self._strips.clear()
        if y < HEADER:
            return self._draw_header(width)
        index = self.scroll_offset.y + y - HEADER
        if index >= self._cache.known:
            notice = None if self._cache.known else self.notice
            spans = notice_line(notice, y - HEADER, width, self._body_height)
            return draw_spans(spans, width, self._drawn_in("background"))
        state = (index, index == self.cursor, index == self.hover)
        strip = self._strips.get(state)
        if strip is None:
            if len(self._strips) > KEPT_LINES:
                self._strips.clear()
            strip = self._strips[state] = self._draw_row(index, width)
        return strip

    @property
    def _lit(self) -> bool:
        """Whether the cursor is where keys go: here, or in an input above that moves it."""
        return self.has_focus or not self.can_focus

    def _drawn_in(self, background: str) -> StyleOf:
        return partial(tones_of(self.app).style, background=background)

    def _draw_header(self, width: int) -> Strip:
        cells = [header_spans(place, *self._sort) for place in self._places]
        return draw_row(self._places, cells, width, self._drawn_in("background"), (" ", "text"))

    def _draw_row(self, index: int, width: int) -> Strip:
        current = index == self.cursor
        focused = self._lit
        cursor = "cursor" if focused else "cursor-blurred"
        style_of = self._drawn_in(cursor if current else "hover" if index == self.hover else "background")
        record = self._cache.row(index)
        mark: tuple[str, Tone] = ("▌", "accent" if focused else "faint") if current else (" ", "text")
        error = self._cache.failed.get(index // self._cache.size)
        if record is None and error is not None:
            return draw_spans((mark, (printable(error.message), "error")), width, style_of)
        cells = [NOT_LOADED if record is None else place.column.cell(record) for place in self._places]
        return draw_row(self._places, cells, width, style_of, mark)

    def _forget_lines(self, number: int) -> None:
        """Draw a page's lines anew, where any of them is seen."""
        size, top = self._cache.size, self.scroll_offset.y
        for state in [state for state in self._strips if state[0] // size == number]:
            del self._strips[state]
        if number * size < top + self._body_height and top < (number + 1) * size:
            self.refresh()

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
            self.cursor = index
            if event.chain == 2:
                self.action_select()

    def _index_at(self, y: int) -> int | None:
        index = self.scroll_offset.y + y - HEADER
        return index if y >= HEADER and index < self._cache.known else None
