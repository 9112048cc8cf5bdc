"""The lines above a board: which one it is, and all its columns where not all of them are in sight."""

from __future__ import annotations

from textual import events
from textual.message import Message

from agor_tui.cells import cell_len, fit
from agor_tui.records import Board, BoardMode, CardColumn
from agor_tui.statuses import Tone, status_glyph, status_tone
from agor_tui.text import printable
from agor_tui.tui.board_cards import MODES, column_name, number
from agor_tui.tui.widgets.line import Line, cells_of

Spans = list[tuple[str, Tone]]

ALL_SESSIONS = "All sessions"


class BoardBar(Line):
    """The board's name, how it is divided, and what is to be said now."""

    def __init__(self) -> None:
        super().__init__()
        self._board: Board | None = None
        self._mode: BoardMode = "sessions"
        self._said: tuple[str, Tone] = ("", "muted")

    def show(self, board: Board | None, mode: BoardMode) -> None:
        """Speak of a board; None: of all sessions."""
        self._board, self._mode = board, mode
        self.refresh()

    def say(self, text: str, tone: Tone = "muted") -> None:
        """Say something at the right; nothing for an empty text."""
        self._said = (printable(text, 200), tone)
        self.refresh()

    def spans(self, width: int) -> Spans:
        """Name and division; the description where there is room for it; what is said at the right."""
        board = self._board
        name = ALL_SESSIONS if board is None else printable(board.name, 200) or "unnamed"
        said, tone = self._said
        said = fit(said, max(0, width - 20))
        room = width - cell_len(said) - 4
        division = MODES[self._mode]
        left: Spans = [(" ", "text"), (fit(name, max(8, room - cell_len(division) - 2)), "strong")]
        left.append((f"  {division}", "muted"))
        if board is not None and board.archived:
            left.append(("  in the archive", "warning"))
        if board is not None and board.description and not said:
            left += [("  · ", "faint"), (printable(board.description, 300), "faint")]
        taken = cells_of(left)
        if not said:
            return left
        return [*left, (" " * max(1, width - taken - cell_len(said) - 1), "text"), (said, tone)]


class ColumnStrip(Line):
    """All columns in one line, those in sight brighter, that of the cursor in the accent; a click goes to one."""

    DEFAULT_CSS = "ColumnStrip { display: none; }"

    class Clicked(Message):
        """A column was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self) -> None:
        super().__init__()
        self._columns: tuple[tuple[str, str, Tone, str], ...] = ()
        self._in_sight = range(0)
        self._at = 0

    def show(self, mode: BoardMode, columns: tuple[CardColumn, ...], in_sight: range, at: int) -> None:
        """Show these columns; hidden while all are in sight."""
        self._columns = tuple(
            (
                "" if mode == "zones" else status_glyph(column.key),
                column_name(mode, column),
                "muted" if mode == "zones" else status_tone(column.key),
                number(column.count),
            )
            for column in columns
        )
        self._in_sight, self._at = in_sight, at
        self.display = len(in_sight) < len(columns)
        self.refresh()

    def spans(self, width: int) -> Spans:
        """Names as far as there is room, of columns in sight in any case; else glyph and number."""
        return [span for part in self._parts(width) for span in part]

    def _parts(self, width: int) -> list[Spans]:
        for longest in (24, 12, 6, 0):
            parts = [self._part(n, longest) for n in range(len(self._columns))]
            if sum(cells_of(part) for part in parts) <= width:
                break
        return parts

    def _part(self, index: int, longest: int) -> Spans:
        glyph, name, tone, count = self._columns[index]
        seen = index in self._in_sight
        word = fit(name, max(longest, 3) if glyph == "" else longest) if not seen else fit(name, max(longest, 10))
        of_name: Tone = "accent" if index == self._at else "text" if seen else "faint"
        part: Spans = [("  " if index else " ", "text")]
        if glyph:
            part.append((glyph, tone if seen else "faint"))
        if word:
            part.append((f"{' ' if glyph else ''}{word}", of_name))
        return [*part, (f" {count}", "muted" if seen else "faint")]

    def on_click(self, event: events.Click) -> None:
        """Go to the column under the mouse."""
        x = 0
        for index, part in enumerate(self._parts(self.size.width)):
            x += cells_of(part)
            if event.x < x:
                self.post_message(self.Clicked(index))
                return
