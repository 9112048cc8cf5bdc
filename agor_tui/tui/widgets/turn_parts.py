"""What a drawn turn is made of: lines, and the places in them that a cursor can stand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from rich.text import Text
from textual.strip import Strip

from agor_tui.records import Turn
from agor_tui.tui.widgets.prose import strip_of

FOLDED, OPEN, FULL = 0, 1, 2
"""How much of a block is shown: one line, its beginning, all of it."""

PROMPT = -1
"""The block number of a prompt that stands in its task and not in a message."""

PartName = Literal["body", "more", "agent", "agent-more", "gone"]


class Place(NamedTuple):
    """What a cursor can stand on: a block of a turn, its 'show all' line, its sub-agent, a run of reverted turns."""

    ordinal: int
    block: int
    part: PartName = "body"


@dataclass(frozen=True, slots=True)
class Jump:
    """Where to go as soon as its turns are in memory: a turn, or the place in it, or the end."""

    ordinal: int
    place: Place | None = None
    line: int = 0
    to: Literal["top", "middle", "end"] = "top"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a place stands within a turn's lines; ``opens`` says that it folds."""

    place: Place
    start: int
    height: int
    opens: bool


@dataclass(frozen=True, slots=True)
class Rendered:
    """A turn's lines, and the places in them from top to bottom."""

    strips: list[Strip]
    spots: list[Spot]


class View(Protocol):
    """What the reader has folded, and which turns of sub-agents were loaded so far."""

    def level(self, place: Place, default: int) -> int:
        """How much of a place is shown."""

    def agent_count(self, call_id: str) -> int:
        """How many turns the sub-agent that a call started has, as far as they were seen."""

    def agent_turns(self, call_id: str) -> Sequence[Turn]:
        """Those of them that are in memory, in order."""


@dataclass(slots=True)
class LineBuilder:
    """Lines in the making."""

    strips: list[Strip] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)

    def add(self, lines: Sequence[Text], place: Place | None = None, *, opens: bool = False) -> None:
        if place is not None and lines:
            self.spots.append(Spot(place, len(self.strips), len(lines), opens))
        self.strips += [strip_of(line) for line in lines]

    def gap(self) -> None:
        self.strips.append(Strip([]))

    def nest(self, other: Rendered, rail: Strip) -> None:
        start = len(self.strips)
        self.spots += [Spot(s.place, s.start + start, s.height, s.opens) for s in other.spots]
        self.strips += [Strip.join([rail, strip]) for strip in other.strips]
