"""The columns of a board side by side: a cursor that moves between their cards, and cards that are dragged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.geometry import Offset
from textual.message import Message
from textual.strip import Strip

from agor_tui.records import BoardMode, BoardPage, Card, CardColumn
from agor_tui.tui.tones import tones_of
from agor_tui.tui.widgets.board_column import HEADER, MARGIN, BoardColumn
from agor_tui.tui.widgets.notice import Notice, notice_line
from agor_tui.tui.widgets.record_table import MOVE
from agor_tui.tui.widgets.table_lines import draw_spans

LEAST = 30
"""Cells below which a column is not squeezed: others leave the sight instead."""
PULL = 2
"""Cells that the mouse moves with its button held before that is a dragging."""


class BoardView(Horizontal, can_focus=True):
    """The board. ``may_drop`` says whether a card may be moved into a column; ``when`` writes times."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "card(-1)", "move", key_display="↑↓←→", id="board.up", tooltip="A card; also hjkl", group=MOVE),
        Binding("k", "card(-1)", show=False, id="board.up_vi"),
        Binding("down,j", "card(1)", show=False, id="board.down"),
        Binding("left,h", "column(-1)", show=False, id="board.left", tooltip="The column before", group=MOVE),
        Binding("right,l", "column(1)", show=False, id="board.right", tooltip="The next column", group=MOVE),
        Binding("pageup", "page(-1)", "page up", show=False, id="board.page_up", tooltip="A page up", group=MOVE),
        Binding("pagedown", "page(1)", "page down", show=False, id="board.page_down", tooltip="Page down", group=MOVE),
        Binding("home", "first", "first", show=False, id="board.first", tooltip="To the first card", group=MOVE),
        Binding("end,G", "last", "last", show=False, id="board.last", tooltip="To the last card read", group=MOVE),
        Binding("enter", "open", "open", id="board.open", tooltip="Open the card's session", group=MOVE),
    ]
    DEFAULT_CSS = "BoardView { width: 1fr; height: 1fr; padding: 0; background: $background; }"

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another card or column, or other columns are in sight."""

        card: Card | None

    @dataclass
    class Opened(Message):
        """A card was opened, by key or double click."""

        card: Card

    @dataclass
    class Dropped(Message):
        """A card was dragged into another column."""

        card: Card
        column: CardColumn

    @dataclass
    class Dragged(Message):
        """A card is dragged over a column, or (None) no longer dragged."""

        card: Card | None
        column: CardColumn | None = None

    def __init__(
        self,
        when: Callable[[datetime | None], str],
        may_drop: Callable[[Card, CardColumn], bool],
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.notice: Notice | None = None
        """What stands in place of columns."""
        self.columns: list[BoardColumn] = []
        self.first = 0
        """The index of the leftmost column in sight."""
        self._when = when
        self._may_drop = may_drop
        self._mode: BoardMode = "sessions"
        self._at = 0
        self._pressed: tuple[int, int, Offset] | None = None
        self._drag: Card | None = None
        self._over: int | None = None

    # What is shown

    @property
    def column(self) -> BoardColumn | None:
        """The column with the cursor."""
        return self.columns[self._at] if self._at < len(self.columns) else None

    @property
    def current(self) -> Card | None:
        """The card under the cursor."""
        return self.column.current if self.column is not None else None

    @property
    def fitting(self) -> int:
        """How many columns are in sight."""
        return max(1, min(len(self.columns), (self.size.width or LEAST) // LEAST))

    @property
    def dragging(self) -> bool:
        """Whether a card is dragged."""
        return self._drag is not None

    def show(self, page: BoardPage) -> None:
        """Show a board. One of the same columns stays where it is scrolled, with the cursor on its card."""
        self.notice = None
        known = [(column.mode, column.cards.key) for column in self.columns]
        if known == [(page.mode, cards.key) for cards in page.columns]:
            self._renew(page)
        else:
            self.leave_drag()
            self.remove_children()
            self.columns = [BoardColumn(page.mode, cards, self._when) for cards in page.columns]
            self._mode = page.mode
            self._at = next((n for n, cards in enumerate(page.columns) if cards.cards), 0)
            self.first = 0
            self.mount_all(self.columns)
        self._arrange()

    def say(self, notice: Notice) -> None:
        """Take the columns away and say something in their place."""
        self.leave_drag()
        self.notice = notice
        self.columns = []
        self._at = self.first = 0
        self.remove_children()
        self._arrange()
        self.refresh()

    def extend(self, more: CardColumn) -> None:
        """Put further cards behind a column's."""
        for column in self.columns:
            if column.cards.key == more.key:
                column.extend(more)

    def point_at(self, card_id: str) -> bool:
        """Move the cursor to a card, if it is loaded."""
        for at, column in enumerate(self.columns):
            for index, card in enumerate(column.cards.cards):
                if card.id == card_id:
                    column.cursor = index
                    self.go_to(at)
                    return True
        return False

    def redraw(self) -> None:
        """Draw the cards anew: what they say of time has changed."""
        for column in self.columns:
            column.refresh()

    def _renew(self, page: BoardPage) -> None:
        before, index = self.current, self._at
        for column, cards in zip(self.columns, page.columns, strict=True):
            column.take(cards)
        if before is not None and all(card.id != before.id for card in page.columns[index].cards):
            self.point_at(before.id)

    def _arrange(self) -> None:
        """Show the columns around the cursor, as many as fit."""
        fitting = self.fitting
        self.first = max(self._at - fitting + 1, min(self.first, self._at))
        self.first = max(0, min(self.first, len(self.columns) - fitting))
        self._display()
        self.post_message(self.Highlighted(self.current))

    def _display(self) -> None:
        for at, column in enumerate(self.columns):
            column.display = self.first <= at < self.first + self.fitting
            column.active = at == self._at

    def on_resize(self) -> None:
        """More or fewer columns fit."""
        self._arrange()

    def render_line(self, y: int) -> Strip:
        """The notice; columns cover all of it."""
        style_of = partial(tones_of(self.app).style, background="background")
        return draw_spans(notice_line(self.notice, y, self.size.width, self.size.height), self.size.width, style_of)

    # Moving the cursor

    def go_to(self, at: int) -> None:
        """Move the cursor to a column."""
        self._at = max(0, min(at, len(self.columns) - 1))
        self._arrange()
        if self.column is not None:
            self.call_after_refresh(self.column.reveal)

    def _point(self, index: int) -> None:
        column = self.column
        if column is not None:
            column.cursor = max(0, min(index, len(column.cards.cards) - 1))
            self.post_message(self.Highlighted(self.current))

    def action_card(self, by: int) -> None:
        """Move to the card below or above."""
        if self.column is not None:
            self._point(self.column.cursor + by)

    def action_page(self, by: int) -> None:
        """Move by as many cards as are in sight."""
        if self.column is not None:
            self._point(self.column.cursor + by * self.column.page)

    def action_first(self) -> None:
        """Move to the first card."""
        self._point(0)

    def action_last(self) -> None:
        """Move to the last card that is loaded."""
        if self.column is not None:
            self._point(len(self.column.cards.cards) - 1)

    def action_column(self, by: int) -> None:
        """Move to the card at the same height in the next column."""
        before = self.column
        if before is None:
            return
        height = before.cursor - before.top_card
        self.go_to(self._at + by)
        column = self.column
        if column is not None and column is not before and column.cards.cards:
            self._point(column.top_card + max(0, height))

    def action_open(self) -> None:
        """Open the card."""
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    # The mouse

    def _hit(self, at: Offset) -> tuple[int, int | None] | None:
        """The column under a place of the screen, and the card; not under a scroll bar."""
        for number, column in enumerate(self.columns):
            if column.display and column.region.contains_point(at):
                within = at - column.region.offset
                return number, column.card_at(within.y) if within.x < column.size.width - MARGIN else None
        return None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A card may be dragged from here."""
        hit = self._hit(event.screen_offset)
        self._pressed = None if hit is None or hit[1] is None else (hit[0], hit[1], event.screen_offset)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Light the card under the mouse; with the button held, drag the card it was pressed on."""
        hit = self._hit(event.screen_offset)
        if self._drag is None:
            for number, column in enumerate(self.columns):
                column.hover = hit[1] if hit is not None and hit[0] == number else None
        if not event.button:
            self._pressed = None
        if self._pressed is not None and self._drag is None:
            at, index, start = self._pressed
            moved = event.screen_offset - start
            if max(abs(moved.x), abs(moved.y)) >= PULL and index < len(self.columns[at].cards.cards):
                self._drag = self.columns[at].cards.cards[index]
                self.columns[at].dragged = self._drag.id
                self.columns[at].cursor = index
                self.go_to(at)
                self.capture_mouse()
        if self._drag is not None:
            self._drag_to(event, None if hit is None else hit[0])

    def _drag_to(self, event: events.MouseMove, over: int | None) -> None:
        """Show where the card would go; at either side other columns come into sight."""
        x = event.screen_offset.x - self.region.x
        if x >= self.region.width - 1 and self.first + self.fitting < len(self.columns):
            self.first += 1
            self._display()
        elif x <= 0 and self.first > 0:
            self.first -= 1
            self._display()
        self._over = over
        card = self._drag
        assert card is not None
        for number, column in enumerate(self.columns):
            source = column.dragged is not None
            allowed = self._may_drop(card, column.cards)
            column.drop = "" if number != over or source else "here" if allowed else "refused"
        self.post_message(self.Dragged(card, None if over is None else self.columns[over].cards))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Drop the card."""
        card, over = self._drag, self._over
        self._pressed = None
        if card is None:
            return
        source = next((n for n, column in enumerate(self.columns) if column.dragged is not None), None)
        self.leave_drag()
        event.stop()
        if over is not None and over != source:
            self.post_message(self.Dropped(card, self.columns[over].cards))

    def leave_drag(self) -> None:
        """Drag no longer; the card stays where it was."""
        if self._drag is None:
            return
        self._drag = self._over = None
        self.release_mouse()
        for column in self.columns:
            column.drop, column.dragged = "", None
        self._arrange()
        self.post_message(self.Dragged(None))

    def on_leave(self) -> None:
        """Light no card."""
        for column in self.columns:
            column.hover = None

    def on_click(self, event: events.Click) -> None:
        """Move the cursor; a double click opens."""
        event.stop()
        hit = self._hit(event.screen_offset)
        if hit is None:
            return
        self.go_to(hit[0])
        if hit[1] is not None:
            self._point(hit[1])
            if event.chain == 2:
                self.action_open()
        elif event.screen_offset.y - self.region.y < HEADER:
            self._point(0)
