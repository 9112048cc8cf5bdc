"""A screen with one long text."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from agor_tui.statuses import Tone
from agor_tui.tui.screen import AppScreen
from agor_tui.tui.widgets.key_bar import KeyBar
from agor_tui.tui.widgets.line import Line
from agor_tui.tui.widgets.lines_view import Lines, LinesView
from agor_tui.tui.widgets.prose import fold


class _Title(Line):
    BACKGROUND = "surface"

    def __init__(self, title: str, lines: int) -> None:
        super().__init__()
        self._title, self._count = title, lines

    def spans(self, width: int) -> list[tuple[str, Tone]]:
        """The title and how long the text is."""
        return [(f" {self._title}", "strong"), (f"  {self._count:,} line{'' if self._count == 1 else 's'}", "muted")]


class TextScreen(AppScreen[None]):
    """Plain text, folded to the width; ``escape`` leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,o", "leave", "back", id="text.back", tooltip="Back to the screen before"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text.rstrip("\n").split("\n")

    def compose(self) -> ComposeResult:
        """Title, text, keys."""
        yield _Title(self._title, len(self._text))
        yield LinesView()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the text."""
        self.query_one(LinesView).show(self._folded)

    def _folded(self, width: int) -> Lines:
        return [Text(f" {piece}") for line in self._text for piece in fold(line, width - 2)]

    def action_leave(self) -> None:
        """Leave the screen."""
        self.dismiss()
