"""A short list of answers to one question, all of them seen at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import ScrollableContainer
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from agor_tui.cells import cell_len, fit, fit_end, pad
from agor_tui.statuses import Tone
from agor_tui.text import printable
from agor_tui.tui.tones import tones_of
from agor_tui.tui.widgets.table_lines import draw_spans

MENU_KEYS = Binding.Group("Choose")
_GAP = 2
_MOST_TITLE = 28
_MOST_NOTE = 26


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One line: its value, what it is, where or how, and at the right what was learned; all plain text.

    Without a value it is a heading, or empty a gap. ``is_path``: of ``detail`` the end is kept where it is too long.
    """

    value: str | None
    title: str
    detail: str = ""
    note: str = ""
    tone: Tone = "muted"
    is_path: bool = False


class Menu(Widget, can_focus=True):
    """The answers in aligned columns; ↑ ↓ move, enter takes one."""

    DEFAULT_CSS = "Menu { height: auto; width: 1fr; }"
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "take", "choose", id="menu.take", tooltip="Take this one", group=MENU_KEYS),
        Binding("down,j", "move(1)", "move", key_display="↑↓", id="menu.down", tooltip="The next one", group=MENU_KEYS),
        Binding("up,k", "move(-1)", "up", show=False, id="menu.up", tooltip="The one before", group=MENU_KEYS),
        Binding("home,pageup", "edge(0)", "first", show=False, id="menu.first", tooltip="First one", group=MENU_KEYS),
        Binding("end,pagedown", "edge(-1)", "last", show=False, id="menu.last", tooltip="Last one", group=MENU_KEYS),
    ]  # fmt: skip

    cursor: reactive[int] = reactive(0)
    """The line that the cursor is on."""

    @dataclass
    class Taken(Message):
        """One was taken."""

        menu: Menu
        value: str

        @property
        def control(self) -> Menu:
            """The menu."""
            return self.menu

    @dataclass
    class Moved(Message):
        """The cursor is on another one."""

        value: str

    def __init__(self, items: Sequence[MenuItem] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._items: tuple[MenuItem, ...] = ()
        self.show(items)

    def on_mount(self) -> None:
        """Take the room for what was shown before there was any."""
        self.refresh(layout=True)

    def show(self, items: Sequence[MenuItem]) -> None:
        """Show these; the cursor stays on the answer it was on, where that is among them."""
        before = self.value
        self._items = tuple(items)
        values = [item.value for item in self._items]
        wanted = values.index(before) if before is not None and before in values else self._edges()[0]
        self.set_reactive(Menu.cursor, wanted)
        self.refresh(layout=True)

    @property
    def value(self) -> str | None:
        """The answer that the cursor is on."""
        return self._items[self.cursor].value if self.cursor < len(self._items) else None

    def choose(self, value: str) -> None:
        """Put the cursor on an answer, where it is among them."""
        values = [item.value for item in self._items]
        if value in values:
            self.cursor = values.index(value)

    def watch_cursor(self) -> None:
        """Keep the cursor in view."""
        if self.is_mounted and self.parent is not None:
            self._into_view()
            if self.value is not None:
                self.post_message(self.Moved(self.value))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A line each."""
        return len(self._items)

    def render_line(self, y: int) -> Strip:
        """One answer."""
        width = self.size.width
        item = self._items[y] if y < len(self._items) else MenuItem(None, "")
        here = y == self.cursor and item.value is not None
        background = "background" if not here else "cursor" if self.has_focus else "cursor-blurred"
        return draw_spans(
            self._spans(item, width, here), width, partial(tones_of(self.app).style, background=background)
        )

    def _spans(self, item: MenuItem, width: int, here: bool) -> list[tuple[str, Tone]]:
        if item.value is None:
            return [(printable(item.title), "faint")]
        titles = [cell_len(printable(each.title)) for each in self._items if each.value is not None]
        notes = [cell_len(printable(each.note)) for each in self._items]
        first = min(max(titles), _MOST_TITLE, width // 2)
        last = min(max(notes), _MOST_NOTE, width // 3)
        last = last if item.note else 0
        middle = max(0, width - 2 - first - _GAP - (last + _GAP if last else 0))
        detail = printable(item.detail)
        detail = fit_end(detail, middle) if item.is_path else fit(detail, middle)
        spans: list[tuple[str, Tone]] = [
            ("› " if here else "  ", "accent"),
            (pad(printable(item.title), first + _GAP), "strong" if here else "text"),
            (pad(detail, middle), "muted"),
        ]
        if last:
            spans += [(" " * _GAP, "text"), (pad(printable(item.note), last), item.tone)]
        return spans

    def on_focus(self) -> None:
        """Show that keys arrive here."""
        self.refresh()

    def on_blur(self) -> None:
        """Show that keys do not arrive here."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Take what is under the mouse."""
        if event.y < len(self._items) and self._items[event.y].value is not None:
            self.cursor = event.y
            self.action_take()

    def action_take(self) -> None:
        """Take the answer under the cursor."""
        if self.value is not None:
            self.post_message(self.Taken(self, self.value))

    def action_move(self, by: int) -> None:
        """Move to the next answer, or the one before; headings are stepped over."""
        at = self.cursor + by
        while 0 <= at < len(self._items) and self._items[at].value is None:
            at += by
        if 0 <= at < len(self._items):
            self.cursor = at

    def action_edge(self, which: int) -> None:
        """Move to the first or the last answer."""
        self.cursor = self._edges()[which]

    def _edges(self) -> tuple[int, int]:
        answers = [number for number, item in enumerate(self._items) if item.value is not None]
        return (answers[0], answers[-1]) if answers else (0, 0)

    def _into_view(self) -> None:
        scroller = self.parent
        if isinstance(scroller, ScrollableContainer):
            line = Region(0, self.virtual_region.y + self.cursor, 1, 1)
            scroller.scroll_to_region(line, animate=False, force=True)
