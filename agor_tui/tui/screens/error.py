"""The screen that an error gets: what is wrong, what to do, and a way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from agor_tui.errors import AgorError, SchemaVersionError
from agor_tui.text import printable
from agor_tui.tui.screen import AppScreen
from agor_tui.tui.widgets.header_bar import HeaderBar
from agor_tui.tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from agor_tui.tui.app import AgorApp


class ErrorScreen(AppScreen[None]):
    """One error. ``retry`` is offered where it is given."""

    app: AgorApp

    CSS = """
    ErrorScreen { align: center middle; background: $background; }
    ErrorScreen #error { width: 76; max-width: 90%; height: auto; padding: 1 3; border-left: outer $error; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,R", "retry", "try again", id="error.retry", tooltip="Try the same again"),
        Binding("m", "migrate", "migrations", id="error.migrate", tooltip="To its migrations"),
        Binding("escape", "leave", "back", id="error.back", tooltip="Back to the screen before"),
        Binding("q", "app.quit", "quit", id="error.quit", tooltip="Leave agor-tui"),
    ]

    def __init__(self, error: AgorError, retry: Callable[[], object] | None = None) -> None:
        super().__init__()
        self.error = error
        self._retry = retry

    def compose(self) -> ComposeResult:
        """Title, sentence, hint."""
        error = self.error
        parts: list[tuple[str, str]] = [(error.title, "bold $error"), ("\n\n", "")]
        parts.append((printable(error.message), "$foreground"))
        if error.hint:
            parts += [("\n\n", ""), (printable(error.hint), "$muted")]
        if isinstance(error, SchemaVersionError):
            parts.append(("\n\nIts migrations say more, and can be run from there.", "$muted"))
        yield HeaderBar()
        yield Static(Content.assemble(*parts), id="error")
        yield KeyBar()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a retry there is no such key; only a database that is behind or ahead leads to its migrations."""
        if action == "migrate":
            return isinstance(self.error, SchemaVersionError)
        return action != "retry" or self._retry is not None

    def action_retry(self) -> None:
        """Leave the screen and try again."""
        self.dismiss()
        if self._retry is not None:
            self._retry()

    def action_migrate(self) -> None:
        """Leave the screen for the migrations of the database that could not be opened."""
        app = self.app
        self.dismiss()
        app.call_later(app.show_migrations, app.target, then_open=True)

    def action_leave(self) -> None:
        """Leave the screen."""
        self.dismiss()
