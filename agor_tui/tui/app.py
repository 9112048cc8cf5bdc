"""The app: its themes, global keys and the database that is open."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import var
from textual.screen import Screen
from textual.worker import WorkerFailed

from agor_tui.errors import AgorError
from agor_tui.records import DatabaseInfo
from agor_tui.tui.asking import start_thread
from agor_tui.tui.themes import DARK, LIGHT

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

Connect = Callable[[], "Browser"]
Clock = Callable[[], datetime]

APP_KEYS = Binding.Group("Everywhere")
PATIENCE = 1.0
"""Seconds that leaving waits for the database to close."""


def utc_now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


class AgorApp(App[None]):
    """agor-tui. ``connect`` opens the database; it blocks and is called in a thread after the first paint.

    ``clock`` is what relative times count from.
    """

    TITLE = "agor-tui"
    CSS_PATH = ["app.tcss", "screens/browser.tcss"]  # the default screen's own sheet is not loaded by Textual
    ENABLE_COMMAND_PALETTE = True
    NOTIFICATION_TIMEOUT = 4

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+p", "command_palette", "commands", id="app.commands", tooltip="All commands", group=APP_KEYS),
        Binding("question_mark", "help", "help", key_display="?", id="app.help", tooltip="This help", group=APP_KEYS),
        Binding(
            "1", "show_sessions", "sessions", show=False, id="app.sessions", tooltip="To the sessions", group=APP_KEYS
        ),
        Binding("q", "quit", "quit", show=False, id="app.quit", tooltip="Leave agor-tui", group=APP_KEYS),
    ]

    browser: var[Browser | None] = var(None)
    """The database that is open."""
    info: var[DatabaseInfo | None] = var(None)
    """What is known of it."""
    opening: var[bool] = var(True)
    """Whether a database is being opened."""

    @dataclass
    class _Opened(Message):
        request: int
        browser: Browser

    @dataclass
    class _NotOpened(Message):
        request: int
        error: AgorError

    def __init__(self, connect: Connect, *, clock: Clock = utc_now, theme: str = DARK.name) -> None:
        super().__init__()
        self.clock = clock
        self._connect = connect
        self._opening = 0
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our tones, for the moment before our theme is set and for themes that lack them."""
        return DARK.variables

    def get_default_screen(self) -> Screen[Any]:
        """The session browser is what one starts with."""
        from agor_tui.tui.screens.browser import BrowserScreen

        return BrowserScreen()

    def on_ready(self) -> None:
        """The first frame is painted: open the database."""
        self.open_database()

    # The database

    def open_database(self) -> None:
        """Open the database in a thread of its own."""
        self.opening = True
        self._opening += 1
        start_thread(self._open, self._opening)

    def leave_opening(self) -> None:
        """Wait no longer for the database."""
        self._opening += 1
        self.opening = False

    def _open(self, request: int) -> None:
        # None of what is imported now becomes garbage, and looking for it is a fifteenth of the whole start.
        gc.disable()
        try:
            browser = self._connect()
            browser.default_sort  # noqa: B018 - asked here, where it may take its time; the browser remembers it
            self.post_message(self._Opened(request, browser))
        except AgorError as error:
            self.post_message(self._NotOpened(request, error))
        except Exception as error:  # whatever it is, the user gets a sentence
            from agor_tui.services.faults import unexpected

            self.post_message(self._NotOpened(request, unexpected(error)))
        finally:
            gc.enable()

    def on_agor_app__opened(self, message: _Opened) -> None:
        """Show the database, unless the user has left."""
        if message.request != self._opening:
            start_thread(message.browser.close)
            return
        self.opening = False
        self.info = message.browser.info
        self.browser = message.browser

    def on_agor_app__not_opened(self, message: _NotOpened) -> None:
        """Say why there is no database."""
        if message.request == self._opening:
            self.opening = False
            self.show_error(message.error, self.open_database)

    # Errors

    def show_error(self, error: AgorError, retry: Callable[[], object] | None = None) -> None:
        """Give an error a screen of its own, in place of another error's."""
        from agor_tui.tui.screens.error import ErrorScreen

        if isinstance(self.screen, ErrorScreen):
            self.pop_screen()
        self.push_screen(ErrorScreen(error, retry))

    def _handle_exception(self, error: Exception) -> None:
        # Textual would print a traceback with all locals, in which passwords may stand. A worker's fault leaves the
        # app in order and gets a screen; a fault in drawing or handling would come again, so it ends the app.
        from agor_tui.services.faults import unexpected

        if isinstance(error, WorkerFailed):
            cause = error.error
            self.show_error(cause if isinstance(cause, AgorError) else unexpected(cause))
            return
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        if self.is_headless:
            super()._handle_exception(error)
            return
        reason = unexpected(error)
        self.exit(return_code=1, message=f"agor-tui: {reason.message} {reason.hint}")

    # Commands

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What can be done here, from the keys of the screen, then what the app can do."""
        from agor_tui.tui.commands import commands_of

        return commands_of(self, screen)

    def action_help(self) -> None:
        """Show the keys of this screen."""
        from agor_tui.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen.of(self.screen))

    def action_show_sessions(self) -> None:
        """Back to the sessions."""
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def action_use_theme(self, name: str) -> None:
        """Use one of our themes."""
        self.theme = name

    async def action_quit(self) -> None:
        """Leave: what the database still does for us is cancelled, and a server that hangs is not waited for long."""
        if self.browser is not None:
            await asyncio.to_thread(start_thread(_close, self.browser).join, PATIENCE)
        self.exit()


def _close(browser: Browser) -> None:
    with contextlib.suppress(AgorError):
        browser.cancel()
        browser.close()
