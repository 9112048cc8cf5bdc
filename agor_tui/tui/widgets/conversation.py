"""The conversation widget: reads like a chat, at any length, by keys and mouse."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from agor_tui.records import ToolCall
from agor_tui.services.tools.block_text import block_text
from agor_tui.text import printable
from agor_tui.tui.asking import ask
from agor_tui.tui.widgets.conversation_find import Finder
from agor_tui.tui.widgets.conversation_keys import TALK_KEYS
from agor_tui.tui.widgets.turn_column import TurnColumn
from agor_tui.tui.widgets.turn_following import FollowingView
from agor_tui.tui.widgets.turn_parts import FOLDED, OPEN, PROMPT, Jump, Place

_LOOK = 3
"""Lines of a long block that come into view when the cursor reaches it."""


class Conversation(FollowingView):
    """A :class:`FollowingView` with keys: a cursor goes from block to block, folds them, finds words, copies."""

    BINDINGS: ClassVar[list[BindingType]] = TALK_KEYS

    @dataclass
    class TextWanted(Message):
        """The reader wants all of a block before them."""

        title: str
        text: str

    @dataclass
    class FindWanted(Message):
        """The reader wants to type words to find."""

    @dataclass
    class FindState(Message):
        """What the search for ``words`` has come to: the find shown (from 1, 0 for none yet) of ``found``."""

        words: str
        at: int
        found: int
        running: bool

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.finder = Finder()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without words to find there is no next find."""
        return action != "find_next" or bool(self.marked)

    # Moving

    def action_step(self, step: int) -> None:
        """Move the cursor by a block; within one that is taller than the window, by a line."""
        column, frame = self._column, self._frame
        if column is None or frame is None:
            return
        self._direction, self._jump = step, None
        spot = self._current()
        if spot is None or self._cursor is None:
            seen = [spot for spot in frame.spots if self._seen(spot)]
            if seen:
                self._cursor = seen[0 if step > 0 else -1].place
            else:
                column.move(step)
        elif (spot.start + spot.height > column.height) if step > 0 else (spot.start < 0):
            column.move(step)
        elif (place := column.place_after(self._cursor, step)) is not None:
            self._cursor = place
            self._bring_into_view(column, place, step)
        else:
            column.move(step)
        self._update()

    def _bring_into_view(self, column: TurnColumn, place: Place, step: int) -> None:
        found = column.spot(place)
        if found is None:
            return
        ordinal, spot = found
        top = column.distance(ordinal, spot.start)
        look = min(spot.height, _LOOK if spot.height > column.height // 2 else spot.height)
        if step > 0:
            first_of_turn = spot == column.spots(ordinal)[0]
            column.move(max(0, top + look - column.height))
            if first_of_turn and top < 0:
                column.move(top)
        else:
            lead = spot.start if spot == column.spots(ordinal)[0] else 0
            column.move(min(0, top + spot.height - look - lead))

    def action_page(self, step: int) -> None:
        """Move the window by a page; the cursor goes to the first block that begins in it."""
        column = self._column
        if column is None:
            return
        self._direction, self._jump = step, None
        before = column.anchor
        column.move(step * max(1, column.height - 1))
        self._update()
        if self._frame is None or not self._frame.complete:
            return
        begins = [spot for spot in self._frame.spots if 0 <= spot.start < column.height]
        seen = begins or [spot for spot in self._frame.spots if self._seen(spot)]
        at_end = step > 0 and (column.anchor == before or self._frame.last == column.store.count - 1)
        if seen:
            self._cursor = seen[-1 if at_end else 0].place
            self._compose_lines()

    def action_first(self) -> None:
        """Go to the beginning."""
        self._direction, self._jump = 1, Jump(0)
        self._update()

    def action_last(self) -> None:
        """Go to the end."""
        if self._column is not None:
            self._direction, self._jump = -1, Jump(self._column.store.count - 1, to="end")
            self._update()

    def action_prompt(self, step: int) -> None:
        """Go to the next prompt of the user, or the one before."""
        source, request = self._source, self._request
        if source is None or self._column is None:
            return
        if self._prompts is None:

            def got(prompts: tuple[int, ...]) -> None:
                if request == self._request:
                    self._prompts = prompts
                    self.action_prompt(step)

            ask(self, source.prompts, got, partial(self._failed, request))
            return
        here = self._cursor.ordinal if self._cursor else self._column.anchor[0]
        at = bisect_right(self._prompts, here) if step > 0 else bisect_left(self._prompts, here) - 1
        if 0 <= at < len(self._prompts):
            self._direction = step
            self.jump_to(self._prompts[at])
        else:
            self.notify("No further prompt." if step > 0 else "No prompt before this one.", timeout=2)

    # Blocks

    def action_fold(self) -> None:
        """Fold or unfold the block under the cursor, or show all of it."""
        spot = self._current()
        if self._column is None or spot is None or not spot.opens:
            return
        self._column.toggle(spot.place)
        if spot.place.part == "more":
            self._cursor = spot.place._replace(part="body")
        elif spot.place.part == "agent-more":
            self._cursor = spot.place._replace(part="agent")
        self._update()

    def action_fold_all(self, level: int) -> None:
        """Fold or unfold everything; the block under the cursor stays in view."""
        column, cursor = self._column, self._cursor
        if column is None:
            return
        column.fold_all(OPEN if level else FOLDED)
        if cursor is not None and column.store.get(cursor.ordinal) is not None:
            part = "body" if cursor.part == "more" else "agent" if cursor.part == "agent-more" else cursor.part
            self._cursor = cursor._replace(part=part)
            if column.spot(self._cursor) is None:
                root = column.store.root(cursor.ordinal)
                spots = column.spots(root)
                self._cursor = spots[0].place if spots else None
            if self._cursor is not None and (found := column.spot(self._cursor)) is not None:
                column.anchor = found[0], 0
                column.move(found[1].start - column.height // 3)
        self._update()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a block; fold or unfold it when its line was hit."""
        y = event.y
        spots = self._frame.spots if self._frame else ()
        hit = next((spot for spot in spots if spot.start <= y < spot.start + spot.height), None)
        if hit is None:
            return
        event.stop()
        self._cursor = hit.place
        self._compose_lines()
        if hit.opens:
            self.action_fold()

    def _text_under_cursor(self) -> tuple[str, str] | None:
        """What kind of block the cursor is on, and all its text."""
        column, place = self._column, self._cursor
        turn = column.store.get(place.ordinal) if column is not None and place is not None else None
        if turn is None or place is None or column is None:
            return None
        if place.block == PROMPT:
            return "prompt", turn.prompt or ""
        block = turn.message.blocks[place.block] if place.block < len(turn.message.blocks) else None
        if block is None:
            return None
        if place.part in ("agent", "agent-more") and isinstance(block, ToolCall):
            turns = column.agent_turns(block.id)
            return "sub-agent", "\n\n".join(block_text(b) for t in turns for b in t.message.blocks)
        return getattr(block, "name", turn.message.role), block_text(block)

    def action_copy(self) -> None:
        """Copy the text of the block under the cursor."""
        found = self._text_under_cursor()
        if found is not None:
            text = printable(found[1], multiline=True)
            self.app.copy_to_clipboard(text)
            lines = text.count("\n") + 1
            self.notify(f"Copied {lines:,} line{'' if lines == 1 else 's'}.", timeout=2)

    def action_open_text(self) -> None:
        """Ask for the whole text of the block under the cursor to be shown."""
        found = self._text_under_cursor()
        if found is not None:
            self.post_message(self.TextWanted(printable(found[0]), printable(found[1], multiline=True)))

    # Finding

    def action_find(self) -> None:
        """Ask for the words to find."""
        self.post_message(self.FindWanted())

    def find(self, words: str) -> None:
        """Search the whole conversation for words, from the cursor on, and go to the first find. Empty: stop."""
        self.finder.stop()
        self.marked = words.strip()
        self.refresh_bindings()
        column, source = self._column, self._source
        if column is None or source is None:
            return
        start = self._cursor.ordinal if self._cursor else column.anchor[0]
        request = self._request
        self.finder.start(
            words,
            source,
            column.store.count,
            start,
            lambda search: self.call_later(self._found, search),
            lambda error: self.call_later(self._failed, request, error),
        )
        self._compose_lines()
        self._tell_find()

    def _found(self, search: int) -> None:
        """Take in what the search has found so far."""
        if search != self.finder.search:
            return
        if self.finder.at is None and self.finder.take():
            self._go_to_find(1)
        self._tell_find()

    def action_find_next(self, step: int) -> None:
        """Go to the next line that has the words, or the one before."""
        if not self.finder.words:
            self.action_find()
            return
        self.finder.take()
        self._go_to_find(step)
        self._tell_find()

    def _go_to_find(self, step: int) -> None:
        """Within the block of the current find, the next line; else the next block that has the words."""
        column, finder = self._column, self.finder
        if column is None:
            return
        place = finder.place
        if place is not None and column.store.get(place.ordinal) is not None:
            further = [line for line in finder.lines(column, place) if (line > finder.line) == (step > 0)]
            further = [line for line in further if line != finder.line]
            if further:
                finder.line = further[0 if step > 0 else -1]
                self._jump = Jump(place.ordinal, place, finder.line, "middle")
                self._update()
                return
        place = finder.step(step)
        if place is None:
            return
        self._direction = step
        finder.line = 0
        self._jump = Jump(place.ordinal, place, 0, "middle")
        self._update()
        self.call_later(self._refine_find, finder.search, place, step)

    def _refine_find(self, search: int, place: Place, step: int) -> None:
        """Once the block is here: unfold it, and go to the line."""
        column, finder = self._column, self.finder
        if column is None or search != finder.search or finder.place != place:
            return
        if column.store.get(place.ordinal) is None:
            self.set_timer(0.03, partial(self._refine_find, search, place, step))
            return
        lines = finder.unfold(column, place)
        if lines:
            finder.line = lines[0 if step > 0 else -1]
            self._jump = Jump(place.ordinal, place, finder.line, "middle")
        self._update()

    def _tell_find(self) -> None:
        finder = self.finder
        self.post_message(self.FindState(finder.words, finder.number, len(finder.hits), finder.running))
