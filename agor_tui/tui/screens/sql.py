"""SQL to be read before it runs."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from agor_tui.statuses import Tone
from agor_tui.text import printable
from agor_tui.tui.screen import AppScreen
from agor_tui.tui.widgets.code import code_lines
from agor_tui.tui.widgets.header_bar import HeaderBar
from agor_tui.tui.widgets.ink import INK_CLASSES, Ink, ink_css
from agor_tui.tui.widgets.key_bar import KeyBar
from agor_tui.tui.widgets.line import Line
from agor_tui.tui.widgets.lines_view import Lines, LinesView

_KEYS = Binding.Group("SQL")


class SqlView(LinesView):
    """The lines, coloured."""

    COMPONENT_CLASSES = set(INK_CLASSES)
    DEFAULT_CSS = "SqlView { height: 1fr; }" + ink_css("SqlView")


class SqlTitle(Line):
    """What the SQL does, and how much it is."""

    def __init__(self, title: str, statements: int) -> None:
        super().__init__()
        self._title, self._statements = printable(title, 200), statements

    def spans(self, width: int) -> list[tuple[str, Tone]]:
        """The title, then the number of statements."""
        number = f"  {self._statements:,} statement{'' if self._statements == 1 else 's'}"
        return [(f" {self._title}", "strong"), (number, "muted"), (" · nothing of it has run", "faint")]


class SqlScreen(AppScreen[None]):
    """Statements, coloured; ``y`` copies them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,v", "leave", "back", id="sql.back", tooltip="Back to the migrations", group=_KEYS),
        Binding("y", "copy", "copy SQL", id="sql.copy", tooltip="Copy the SQL", group=_KEYS),
    ]
    AUTO_FOCUS = "SqlView"

    def __init__(self, title: str, sql: str) -> None:
        super().__init__()
        self._title = title
        self._sql = printable(sql, multiline=True).strip("\n")
        self._blocks = [block.strip("\n") for block in self._sql.split("\n\n") if block.strip()]

    def compose(self) -> ComposeResult:
        """Header, title, SQL, keys."""
        yield HeaderBar()
        yield SqlTitle(self._title, sum(not block.startswith("--") for block in self._blocks))
        yield SqlView()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show it."""
        view = self.query_one(SqlView)
        view.show(lambda width: self._lines(width, Ink.of(view)))

    def _lines(self, width: int, ink: Ink) -> Lines:
        # Each statement by itself: a long text would not be coloured at all.
        lines: list[Text] = []
        for block in self._blocks:
            lines += [Text(), *(Text.assemble(" ", line) for line in code_lines(block, "sql", width - 2, ink))]
        return lines

    def action_copy(self) -> None:
        """Copy the SQL."""
        self.app.copy_to_clipboard(self._sql)
        self.notify("Copied the SQL.", timeout=2)

    def action_leave(self) -> None:
        """Leave the screen."""
        self.dismiss()
