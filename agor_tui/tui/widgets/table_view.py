"""The drawing half of the list widget: the lines of a table, its cursor and what of it is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from agor_tui.statuses import Tone
from agor_tui.text import printable
from agor_tui.tui.tones import Tones, tones_of
from agor_tui.tui.widgets.notice import Notice, notice_line
from agor_tui.tui.widgets.table_columns import Column, Place, arrange, widest
from agor_tui.tui.widgets.table_lines import NOT_LOADED, StyleOf, draw_row, draw_spans, header_spans
from agor_tui.tui.widgets.table_pages import PageCache

R = TypeVar("R")

HEADER = 1
KEPT_LINES = 400


class TableView(ScrollView, Generic[R]):
    """Draws the records of a cache of pages; where they come from is the subclass's matter."""

    ALLOW_SELECT = False

    cursor: reactive[int] = reactive(0, repaint=False)
    """The index of the current row; 0 in an empty table."""
    hover: reactive[int | None] = reactive(None, repaint=False)
    """The index of the row under the mouse."""

    def __init__(self, columns: Sequence[Column[R]], *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.notice: Notice | None = None
        """What stands in place of rows while there are none."""
        self.marked: Callable[[R], bool] | None = None
        """Whether a record is marked, which its margin shows."""
        self._columns = tuple(columns)
        self._cache: PageCache[R] = PageCache(128)
        self._seen: dict[str, int] = {}
        self._places: tuple[Place[R], ...] = ()
        self._strips: dict[tuple[int, bool, bool], Strip] = {}
        self._look: tuple[Tones, bool] | None = None
        self._sort: tuple[str | None, bool] = (None, False)
        self._forward = True
        """Whether the view was last moved down."""

    def place_changed(self) -> None:
        """Other rows may be seen now: the subclass fetches them."""

    def cursor_moved(self) -> None:
        """The cursor stands on another row: the subclass says so."""

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

    def _reveal(self) -> None:
        """Scroll just so far that the cursor's row is seen."""
        top, height = self.scroll_offset.y, self._body_height
        if self.cursor < top:
            self._scroll(self.cursor)
        elif self.cursor >= top + height:
            self._scroll(self.cursor - height + 1)

    def _scroll(self, top: int) -> None:
        self.scroll_to(y=max(0, min(top, self._cache.known - self._body_height)), animate=False, force=True)

    def on_resize(self) -> None:
        """Give the columns their places anew and keep the cursor in sight."""
        self._arrange()
        self._resize()
        self._reveal()
        self.place_changed()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for the pages that came into sight."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._forward = new_value > old_value
            self.place_changed()

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw the two rows, keep the new one in sight and say where the cursor is."""
        self._refresh_row(old)
        self._refresh_row(new)
        self._reveal()
        self.cursor_moved()

    def watch_hover(self, old: int | None, new: int | None) -> None:
        """Draw the two rows."""
        for index in (old, new):
            if index is not None:
                self._refresh_row(index)

    def _refresh_row(self, index: int) -> None:
        self.refresh(Region(0, index - self.scroll_offset.y + HEADER, self.size.width, 1))

    def _widen(self, rows: Sequence[R]) -> None:
        """Give columns that fit their contents the room that these rows need."""
        wider = False
        for column in self._columns:
            if column.fits and (width := widest(column, rows)) > self._seen.get(column.key, 0):
                self._seen[column.key] = width
                wider = True
        if wider:
            self._arrange()

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
        if record is not None and self.marked is not None and self.marked(record):
            mark = ("◈" if current else "◆", "accent")
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

    def _index_at(self, y: int) -> int | None:
        index = self.scroll_offset.y + y - HEADER
        return index if y >= HEADER and index < self._cache.known else None
