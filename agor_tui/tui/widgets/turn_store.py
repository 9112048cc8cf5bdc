"""The turns of a conversation that are in memory, in windows, and how they hang together."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Protocol

from agor_tui.records import Task, ToolCall, Turn

WINDOW = 64
"""Turns that are fetched at once."""

_MOST_WINDOWS = 48


class TurnSource(Protocol):
    """Where a conversation comes from. Each method may block and is called in a thread."""

    def count(self) -> int:
        """How many turns there are."""

    def window(self, start: int, limit: int) -> tuple[Turn, ...]:
        """The turns from ordinal ``start`` on, at most ``limit``; a turn's ordinal is its place."""

    def prompts(self) -> tuple[int, ...]:
        """The ordinals of the user's prompts, ascending."""

    def tasks(self) -> tuple[Task, ...]:
        """The session's tasks in order."""


class TurnStore:
    """Windows of turns kept while they are used, the sub-agents' turns under the calls that started them.

    What hangs together is known only as far as turns were seen; it stays known when their window is dropped.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._windows: OrderedDict[int, tuple[Turn, ...]] = OrderedDict()
        self._calls: dict[str, tuple[int, int]] = {}
        self._children: dict[str, list[int]] = {}
        self._stale: set[int] = set()

    def get(self, ordinal: int) -> Turn | None:
        """The turn with this ordinal; None when it is not in memory."""
        window = self._windows.get(ordinal // WINDOW)
        place = ordinal % WINDOW
        return window[place] if window is not None and place < len(window) else None

    def touch(self, ordinal: int) -> None:
        """Keep the window of this turn longer than those that were not touched since."""
        if ordinal // WINDOW in self._windows:
            self._windows.move_to_end(ordinal // WINDOW)

    def missing(self, first: int, last: int) -> list[int]:
        """The numbers of the windows between two ordinals that are not in memory, or are to be read again."""
        low, high = max(first, 0) // WINDOW, min(last, self.count - 1) // WINDOW
        return [number for number in range(low, high + 1) if number not in self._windows or number in self._stale]

    def age(self) -> None:
        """Every turn in memory may have changed: its window counts as missing until it is put again."""
        self._stale.update(self._windows)

    def moved(self, number: int, turns: Sequence[Turn]) -> bool:
        """Whether these turns of a window are others than those in memory, not the same ones with other contents."""
        known = self._windows.get(number, ())
        return any(old.message.id != new.message.id for old, new in zip(known, turns, strict=False))

    def put(self, number: int, turns: Sequence[Turn]) -> set[int]:
        """Keep a window; returns the ordinals of turns that look different now, those of the window included."""
        known = self._windows.get(number, ())
        same = next((at for at, pair in enumerate(zip(known, turns, strict=False)) if pair[0] != pair[1]), None)
        if same is None:
            same = min(len(known), len(turns))
        self._windows[number] = tuple(turns)
        self._windows.move_to_end(number)
        self._stale.discard(number)
        while len(self._windows) > _MOST_WINDOWS:
            self._windows.popitem(last=False)
        if known and same == len(turns) == len(known):
            return set()
        # All below the first difference: a turn's label depends on the one above it.
        changed = {turn.ordinal for turn in turns[same:]}
        for turn in turns:
            for at, block in enumerate(turn.message.blocks):
                if isinstance(block, ToolCall) and block.id and block.id not in self._calls:
                    self._calls[block.id] = (turn.ordinal, at)
                    changed.update(self._children.get(block.id, ()))
            if turn.message.parent_tool_id:
                family = self._children.setdefault(turn.message.parent_tool_id, [])
                if turn.ordinal not in family:
                    family.append(turn.ordinal)
                    family.sort()
        changed.update(self._after(changed))
        changed.update(root for ordinal in tuple(changed) if (root := self.root(ordinal)) != ordinal)
        return changed

    def drop(self) -> None:
        """Forget every turn, as before reading them again."""
        self._windows.clear()
        self._stale.clear()
        self._calls.clear()
        self._children.clear()

    def call_place(self, call_id: str) -> tuple[int, int] | None:
        """The ordinal and the block number of a call."""
        return self._calls.get(call_id)

    def children(self, call_id: str) -> Sequence[int]:
        """The ordinals of the turns of the sub-agent that a call started, as far as they were seen."""
        return self._children.get(call_id, ())

    def parent(self, ordinal: int) -> int | None:
        """The ordinal of the turn whose call started the sub-agent of this turn; None for a turn of its own."""
        turn = self.get(ordinal)
        call = turn.message.parent_tool_id if turn else None
        place = self._calls.get(call) if call else None
        return place[0] if place and place[0] < ordinal else None

    def root(self, ordinal: int) -> int:
        """The turn under which this one is drawn: itself, unless it is a sub-agent's."""
        while (parent := self.parent(ordinal)) is not None:
            ordinal = parent
        return ordinal

    def before(self, ordinal: int) -> Turn | None:
        """The last turn with content above this one that is drawn by itself; None where it is not in memory."""
        for at in range(ordinal - 1, -1, -1):
            turn = self.get(at)
            if turn is None:
                return None
            if (turn.message.blocks or turn.prompt) and self.parent(at) is None:
                return turn
        return None

    def reverted_run(self, ordinal: int) -> tuple[int, int, bool]:
        """The first ordinal and the length of the run of reverted turns around this one, and whether it may go on."""
        first = last = ordinal
        while (turn := self.get(first - 1)) is not None and turn.message.reverted:
            first -= 1
        while (turn := self.get(last + 1)) is not None and turn.message.reverted:
            last += 1
        return first, last - first + 1, last + 1 < self.count and self.get(last + 1) is None

    def _after(self, ordinals: Iterable[int]) -> set[int]:
        """The first turn with content below a window: its label depends on what is above it."""
        at = max(ordinals, default=-1) + 1
        while (turn := self.get(at)) is not None:
            if turn.message.blocks and self.parent(at) is None:
                return {at}
            at += 1
        return set()
