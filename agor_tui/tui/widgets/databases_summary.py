"""The line above the databases: how many there are and how they stand."""

from __future__ import annotations

from collections.abc import Sequence

from agor_tui.statuses import Tone
from agor_tui.text import count, printable
from agor_tui.tui.database_rows import AWAY, FAULT, DatabaseRow, state_words
from agor_tui.tui.widgets.line import Line, cells_of


class DatabasesSummary(Line):
    """How many databases there are and how many answered; at the right the config file."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self._file = file
        self._rows: Sequence[DatabaseRow] = ()

    def show(self, rows: Sequence[DatabaseRow]) -> None:
        """Count anew."""
        self._rows = rows
        self.refresh()

    def spans(self, width: int) -> list[tuple[str, Tone]]:
        """The numbers, and the file where there is room for it."""
        rows = self._rows
        asking = sum(row.asking for row in rows)
        silent = sum(not row.asking and state_words(row)[0] == FAULT for row in rows)
        away = sum(not row.asking and state_words(row)[0] == AWAY for row in rows)
        marked = sum(row.marked for row in rows)
        left: list[tuple[str, Tone]] = [
            (f" {count(len(rows))} {'database' if len(rows) == 1 else 'databases'}", "text")
        ]
        for number, word in ((asking, "asking"), (silent, "cannot be read"), (away, "from a copy"), (marked, "marked")):
            if number:
                left += [(" · ", "faint"), (f"{number} {word}", "muted")]
        right: list[tuple[str, Tone]] = [(f"{printable(self._file)} ", "faint")]
        room = width - cells_of(left) - cells_of(right)
        return [*left, (" " * room, "text"), *right] if room > 2 else left
