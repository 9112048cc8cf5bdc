"""One column of a board: its title and its cards, drawn line by line and scrolled by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Literal

from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from agor_tui.cells import cell_len
from agor_tui.records import BoardMode, Card, CardColumn
from agor_tui.statuses import Tone
from agor_tui.tui.board_cards import CARD, card_lines, column_title, number
from agor_tui.tui.tones import tones_of
from agor_tui.tui.widgets.table_lines import fitted, joined

HEADER = 2
"""Lines of the title and of the rule under it, which stay when the cards scroll."""
AHEAD = 8
"""So many cards before the last one that is loaded, more are asked for."""
MARGIN = 1
"""Cells at the right of a card, where the scroll bar is when there is one."""

Drop = Literal["", "here", "refused"]


class BoardColumn(ScrollView, can_focus=False):
    """A column. Its board moves the cursor and tells it whether the cursor is here."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    BoardColumn {
        width: 1fr;
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        background: $background;
        color: $foreground;
    }
    """

    active: reactive[bool] = reactive(False)
    """Whether the cursor is in this column."""
    drop: reactive[Drop] = reactive[Drop]("")
    """Whether a card that is dragged now would be dropped here, and may be."""
    dragged: reactive[str | None] = reactive(None)
    """The id of the card that is dragged."""
    hover: reactive[int | None] = reactive(None)
    """The index of the card under the mouse."""
    cursor: reactive[int] = reactive(0)
    """The index of the current card; it stays when the cursor leaves for another column."""

    class NearEnd(Message):
        """The last of the loaded cards are coming into sight."""

        def __init__(self, column: BoardColumn) -> None:
            super().__init__()
            self.column = column

    def __init__(self, mode: BoardMode, cards: CardColumn, when: Callable[[datetime | None], str]) -> None:
        super().__init__()
        self.mode = mode
        self.cards = cards
        self._when = when

    @property
    def current(self) -> Card | None:
        """The card under the cursor."""
        return self.cards.cards[self.cursor] if self.cursor < len(self.cards.cards) else None

    # Cards

    def on_mount(self) -> None:
        """Measure the cards."""
        self._resize()

    def on_resize(self) -> None:
        """The column is wider or narrower: other lines."""
        self._resize()
        self.reveal()

    def take(self, cards: CardColumn) -> None:
        """Show the cards as they are now; the current one, or else the topmost one, stays where it stands."""
        before, top = self.cards.cards, round(self.scroll_y)
        places = {card.id: index for index, card in enumerate(cards.cards)}
        seen = [self.cursor, *range(top // CARD, len(before))]
        anchor = next((n for n in seen if n < len(before) and before[n].id in places), None)
        current = self.current
        self.cards = cards
        index = places.get(current.id, self.cursor) if current is not None else 0
        self.set_reactive(BoardColumn.cursor, max(0, min(index, len(cards.cards) - 1)))
        self._resize()
        if top > 0 and anchor is not None:
            self.scroll_to(y=max(0, top + (places[before[anchor].id] - anchor) * CARD), animate=False, force=True)
        if self.active:
            self.reveal()
        self.refresh()

    def extend(self, more: CardColumn) -> None:
        """Put further cards behind those that are there; those that are there already stay where they are."""
        known = {card.id for card in self.cards.cards}
        new = tuple(card for card in more.cards if card.id not in known)
        self.cards = replace(self.cards, cards=self.cards.cards + new, next=more.next, count=more.count)
        self._resize()
        self.refresh()

    def reveal(self) -> None:
        """Scroll so that the current card is seen whole."""
        height, top = self.size.height - HEADER, round(self.scroll_y)
        first, last = self.cursor * CARD, (self.cursor + 1) * CARD - 1
        if first < top or height < CARD:
            self.scroll_to(y=first, animate=False, force=True)
        elif last > top + height:
            self.scroll_to(y=last - height, animate=False, force=True)

    @property
    def page(self) -> int:
        """How many cards fit."""
        return max(1, (self.size.height - HEADER) // CARD)

    @property
    def top_card(self) -> int:
        """The index of the first card that is seen whole."""
        return -(-round(self.scroll_y) // CARD)

    def card_at(self, y: int) -> int | None:
        """The index of the card on line ``y`` of the widget."""
        index = (y - HEADER + round(self.scroll_y)) // CARD
        return index if y >= HEADER and 0 <= index < len(self.cards.cards) else None

    def _resize(self) -> None:
        self.virtual_size = Size(self.size.width, HEADER + max(0, len(self.cards.cards) * CARD - 1))

    def watch_cursor(self) -> None:
        """Keep the current card in sight, and more to come."""
        self.reveal()
        self._look_ahead()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for more where the end comes near."""
        super().watch_scroll_y(old_value, new_value)
        self._look_ahead()

    def _look_ahead(self) -> None:
        last = (round(self.scroll_y) + self.size.height) // CARD
        if self.cards.next is not None and max(last, self.cursor) >= len(self.cards.cards) - AHEAD:
            self.post_message(self.NearEnd(self))

    # Drawing

    def render_line(self, y: int) -> Strip:
        """The title, the rule, then the cards."""
        width = self.size.width
        if y == 0:
            return self._draw(self._title(width - MARGIN - 1), width, "background")
        if y == 1:
            return self._draw(self._rule(width - MARGIN - 1), width, "background")
        index, line = divmod(y - HEADER + round(self.scroll_y), CARD)
        if not self.cards.cards and y == HEADER + 1:
            return self._draw([(" nothing here", "faint")], width, "background")
        if index >= len(self.cards.cards) or line == CARD - 1:
            return self._draw([], width, "background")
        card = self.cards.cards[index]
        here = self.active and index == self.cursor
        background = "cursor" if here else "hover" if index == self.hover else "surface"
        spans = card_lines(card, width - MARGIN - 3, self._when)[line]
        if card.id == self.dragged:
            spans = [(text, "faint") for text, _ in spans]
        mark: tuple[str, Tone] = ("▌ ", "accent") if here else ("  ", "text")
        style_of = partial(tones_of(self.app).style, background=background)
        strip = Strip(joined(fitted([mark, *spans], width - MARGIN), style_of), width - MARGIN)
        return Strip.join([strip, self._draw([], MARGIN, "background")])

    def _title(self, room: int) -> list[tuple[str, Tone]]:
        count = number(self.cards.count)
        title = fitted(column_title(self.mode, self.cards), max(0, room - cell_len(count) - 2))
        return [(" ", "text"), *title, (" ", "text"), (count, "muted")]

    def _rule(self, room: int) -> list[tuple[str, Tone]]:
        if self.drop:
            here = self.drop == "here"
            said, line = (" ↓ drop it here ", "━") if here else (" ✗ not here ", "╌")
            tone: Tone = "accent" if here else "warning"
            rest = max(0, room - cell_len(said))
            return [(" ", "text"), (line * (rest // 2), tone), (said, tone), (line * (rest - rest // 2), tone)]
        return [(" ", "text"), (("━" if self.active else "─") * room, "accent" if self.active else "rule")]

    def _draw(self, spans: list[tuple[str, Tone]], width: int, background: str) -> Strip:
        return Strip(joined(fitted(spans, width), partial(tones_of(self.app).style, background=background)), width)
