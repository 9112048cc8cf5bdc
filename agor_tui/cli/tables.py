"""Tables for people: as wide as the terminal, whole when piped, and safe whatever text the rows hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from agor_tui.cells import cell_len, fit, pad
from agor_tui.cli.moments import local_now
from agor_tui.cli.streams import Look
from agor_tui.statuses import Tone, status_glyph, status_tone, status_word
from agor_tui.text import printable, relative_time

R = TypeVar("R")

_CODES: dict[Tone, str] = {
    "strong": "1",
    "muted": "2",
    "faint": "2",
    "accent": "36",
    "success": "32",
    "warning": "33",
    "error": "31",
}
_GAP = "  "
_LONGEST = 120  # cells of one text in a pipe, where no terminal sets a bound
_LEAST_STRETCH = 24


class Painter:
    """Puts colour on text, or leaves it as it is."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def __call__(self, text: str, tone: Tone | None) -> str:
        """``text``, which is safe already, in a tone."""
        code = _CODES.get(tone) if tone else None
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code and text else text

    def glyph(self, status: str) -> str:
        """The glyph of a status."""
        return self(status_glyph(status), status_tone(status))

    def status(self, status: str) -> str:
        """Glyph and word of a status."""
        return self(f"{status_glyph(status)} {printable(status_word(status))}", status_tone(status))


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column. ``stretch`` gives and takes what the others leave; the highest ``drop`` goes first where the
    terminal is narrow (0: never); ``most`` bounds its cells."""

    heading: str
    value: Callable[[R], str]
    right: bool = False
    stretch: bool = False
    drop: int = 0
    most: int = _LONGEST
    tone: Callable[[R], Tone] | None = None
    whole: Callable[[R], str] | None = None
    """What a pipe gets in place of ``value``."""


def id_column() -> Column[Any]:
    """The short id for a person, the whole one for a pipe."""
    return Column("ID", lambda row: row.short_id, tone=lambda row: "muted", whole=lambda row: row.id)


def status_column() -> Column[Any]:
    """Glyph and word."""
    return Column(
        "STATUS",
        lambda row: f"{status_glyph(row.status)} {status_word(row.status)}",
        tone=lambda row: status_tone(row.status),
    )


def time_column(heading: str, value: Callable[[Any], datetime | None], *, drop: int = 0) -> Column[Any]:
    """How long ago something was."""
    now = local_now()

    def ago(row: Any) -> str:
        moment = value(row)
        return relative_time(moment, now) if moment else ""

    return Column(heading, ago, right=True, drop=drop, tone=lambda row: "muted")


class Table(Generic[R]):
    """Lines of a table laid out for its first rows; in a pipe nothing is cut to a width."""

    def __init__(self, columns: Sequence[Column[R]], first: Sequence[R], look: Look) -> None:
        width = look.width
        self._piped = width is None
        self._paint = Painter(look.colour)
        needed = {
            column.heading: max(cell_len(column.heading), *(cell_len(self._text(column, row)) for row in first))
            for column in columns
        }
        kept = list(columns)
        if width is not None:
            while self._total(kept, needed, _LEAST_STRETCH) > width:
                droppable = [column for column in kept if column.drop]
                if not droppable:
                    break
                kept.remove(max(droppable, key=lambda column: column.drop))
            for column in kept:
                if column.stretch:
                    others = self._total(kept, needed, 0)
                    needed[column.heading] = max(min(needed[column.heading], width - others), 8)
        self._columns = kept
        self._widths = [needed[column.heading] for column in kept]

    @staticmethod
    def _total(columns: Sequence[Column[R]], needed: dict[str, int], stretch: int) -> int:
        """The cells of a line in which the stretching column has at most ``stretch``."""
        cells = [
            min(stretch, needed[column.heading]) if column.stretch else needed[column.heading] for column in columns
        ]
        return sum(cells) + len(_GAP) * (len(cells) - 1)

    def _text(self, column: Column[R], row: R) -> str:
        value = column.whole if self._piped and column.whole else column.value
        text = printable(value(row))
        return fit(text, column.most).rstrip() if cell_len(text) > column.most else text

    def head(self) -> list[str]:
        """The line of headings."""
        cells = [
            self._cell(column, column.heading, width) for column, width in zip(self._columns, self._widths, strict=True)
        ]
        return [self._paint(_GAP.join(cells).rstrip(), "strong")]

    def line(self, row: R) -> str:
        """One row."""
        cells = []
        for column, width in zip(self._columns, self._widths, strict=True):
            cell = self._cell(column, self._text(column, row), width)
            cells.append(self._paint(cell, column.tone(row) if column.tone else None))
        return _GAP.join(cells).rstrip()

    def lines(self, rows: Sequence[R]) -> Iterator[str]:
        """The headings and all rows."""
        yield from self.head()
        yield from map(self.line, rows)

    def _cell(self, column: Column[R], text: str, width: int) -> str:
        if self._piped and cell_len(text) > width:
            return text
        return pad(text, width, right=column.right)
