"""The app: its screens, themes, global keys and the database that is open."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import constants
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.message import Message
from textual.reactive import var
from textual.screen import Screen

from agor_tui import ending
from agor_tui.config.preferences import Preferences
from agor_tui.database_records import DatabaseInfo
from agor_tui.errors import AgorError, ConfigError
from agor_tui.records import LiveState
from agor_tui.services.configuration import Configuration
from agor_tui.text import printable
from agor_tui.tui.asking import let_go, start_thread
from agor_tui.tui.enduring import EnduringApp
from agor_tui.tui.live import Live, start_live
from agor_tui.tui.modes import MAIN_SCREENS, SESSIONS
from agor_tui.tui.moments import Moments
from agor_tui.tui.screen import Palette
from agor_tui.tui.terminal.keyboard import PasteRefused
from agor_tui.tui.themes import DARK, LIGHT, theme_of

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser
    from agor_tui.tui.upkeep.flow import UpkeepFlow

Connect = Callable[[], "Browser"]
Clock = Callable[[], datetime]

APP_KEYS = Binding.Group("Everywhere")
WIDE = 110
"""Columns from which lists have room for whole times."""
NOTE_S = 5.0
"""Seconds between looks at what is to be known of the open database."""
PATIENCE = 1.0
"""Seconds that leaving waits for the database to close."""


def utc_now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


class AgorApp(EnduringApp):
    """agor-tui. ``connect`` opens the database; it blocks and is called in a thread after the first paint.

    ``clock`` is what relative times count from; ``configuration`` has the named databases and the preferences, of
    which ``theme`` is another one for this run. With ``setup`` the app begins with the wizard instead of a database.
    """

    TITLE = "agor-tui"
    CSS_PATH = "app.tcss"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {mode.name: mode.screen for mode in MAIN_SCREENS}
    DEFAULT_MODE = SESSIONS
    ENABLE_COMMAND_PALETTE = True
    NOTIFICATION_TIMEOUT = 4

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "switcher", "database", id="app.switcher", tooltip="Switch the database", group=APP_KEYS),
        Binding("ctrl+p", "command_palette", "commands", id="app.commands", tooltip="All commands", group=APP_KEYS),
        Binding("question_mark", "help", "help", key_display="?", id="app.help", tooltip="This help", group=APP_KEYS),
        *(
            Binding(
                mode.key,
                f"show('{mode.name}')",
                mode.name,
                show=False,
                id=f"app.{mode.name}",
                tooltip=mode.tooltip,
                group=APP_KEYS,
            )
            for mode in MAIN_SCREENS
        ),
        Binding(
            "L",
            "live",
            "live",
            show=False,
            id="app.live",
            tooltip="Switch off or on that changes show by themselves",
            group=APP_KEYS,
        ),
        Binding(
            "w",
            "setup",
            "setup wizard",
            show=False,
            id="app.setup",
            tooltip="Find or make a database, step by step",
            group=APP_KEYS,
        ),
        Binding("q", "quit", "quit", show=False, id="app.quit", tooltip="Leave agor-tui", group=APP_KEYS),
    ]

    browser: var[Browser | None] = var(None)
    """The database that is open."""
    info: var[DatabaseInfo | None] = var(None)
    """What is known of it."""
    opening: var[bool] = var(True)
    """Whether a database is being opened."""
    target: var[str | None] = var(None)
    """What was asked to be opened last: a name, path or URL; None is what the settings say."""
    preferences: var[Preferences] = var(Preferences)
    """How the user wants it."""
    changed: var[int] = var(0)
    """Goes up when the open database has been changed, by us or by someone else."""
    upkept: var[int] = var(0)
    """Goes up when upkeep has come to an end: any database may be another one than before."""
    live: var[LiveState] = var(LiveState)
    """Whether such changes are seen."""

    @dataclass
    class _Opened(Message):
        request: int
        browser: Browser

    @dataclass
    class _NotOpened(Message):
        request: int
        error: AgorError

    def __init__(
        self,
        connect: Connect,
        *,
        clock: Clock = utc_now,
        configuration: Configuration | None = None,
        theme: str | None = None,
        setup: bool = False,
    ) -> None:
        super().__init__()
        self.clock = clock
        self.moments = Moments(clock, lambda: self.preferences, lambda: self.size.width < WIDE)
        self.configuration = configuration or Configuration()
        self._connect = connect
        self._theme = theme
        self.setup = setup
        self.upkeep: UpkeepFlow | None = None
        """The piece of upkeep that was begun last; it may still run."""
        self._opened_by = connect
        self._opening = 0
        self._live: Live | None = None
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        with contextlib.suppress(ConfigError):  # opening the database says what is wrong with the file
            self.preferences = self.configuration.preferences()
        self.theme = theme or theme_of(self.preferences.theme)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our tones, for the moment before our theme is set and for themes that lack them."""
        return DARK.variables

    def watch_preferences(self, before: Preferences, preferences: Preferences) -> None:
        """Apply the theme and the keys; what shows times and pages watches for itself."""
        if before.theme != preferences.theme:
            self._theme = None
        self.theme = self._theme or theme_of(preferences.theme)
        self.set_keymap(preferences.keys)

    def on_ready(self) -> None:
        """The first frame is painted: open the database, or ask which."""
        self._live = start_live(self)
        self.set_interval(NOTE_S, self._look_at_note)
        if self.setup:
            self.opening = False
            self.action_setup()
        else:
            self.open_database()

    def leave_when_told(self, code: int) -> bool:
        """Leave with this exit code, asking nothing; called by a signal's handler. Tells whether the app runs."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return False
        loop.call_soon_threadsafe(self._leave, code)
        return True

    def on_terminal_gone(self) -> None:
        """There is nobody left to ask, or to show anything."""
        self._leave(ending.TERMINAL_GONE, "agor-tui: The terminal that it ran in is gone.")

    def _leave(self, code: int, why: str | None = None) -> None:
        if self.upkeep is not None:
            self.upkeep.stop()
        if self.browser is not None:
            start_thread(_close, self.browser)  # a server stops what it still does for us
        self.exit(return_code=code, message=why)

    def on_load(self) -> None:
        """What a task left unsaid goes to the log, not to the terminal."""
        asyncio.get_running_loop().set_exception_handler(_log_fault)

    def on_unmount(self) -> None:
        """Leave no thread behind that waits for changes."""
        if self._live is not None:
            self._live.stop()

    # The terminal

    def get_driver_class(self) -> type[Driver]:
        """Our own on terminals."""
        if sys.platform == "win32" or constants.DRIVER is not None:
            return super().get_driver_class()
        from agor_tui.tui.terminal.driver import TerminalDriver

        return TerminalDriver

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        """Lend the terminal while the block runs; whatever the block raises, the app comes back first."""
        failure: BaseException | None = None
        with super().suspend():
            try:
                yield
            except BaseException as error:
                failure = error
        if failure is not None:
            raise failure

    def _print_error_renderables(self) -> None:
        # Textual would fold it, in the middle of a file's name too, and fail where standard error takes nothing.
        messages = [message for message in self._exit_renderables if isinstance(message, str)]
        self._exit_renderables.clear()
        if messages and sys.stderr is not None:
            with contextlib.suppress(OSError):
                sys.stderr.write(f"{messages[0]}\n")
                sys.stderr.flush()

    def on_paste_refused(self, message: PasteRefused) -> None:
        """Say why nothing of it came."""
        self.notify(
            f"What was pasted is too long ({message.length:,} characters) and was left out.", severity="warning"
        )

    # The database

    def open_database(self) -> None:
        """Open the database in a thread of its own."""
        self.opening = True
        self._opening += 1
        start_thread(self._open, self._opening)

    def switch_to(self, target: str | None, *, read_only: bool = False) -> None:
        """Open what ``--database target`` means; the present database stays until that one is there."""
        from agor_tui.services.databases import open_chosen

        self._connect = partial(open_chosen, self.configuration, target, read_only=read_only)
        self.target = target
        self.setup = False
        self.open_database()

    def schema_changed(self, *, readable: bool) -> None:
        """The open database has other tables now: open it anew, or close it where this version cannot read it."""
        if readable:
            self._connect = self._opened_by
            self.open_database()
            return
        before, self.browser, self.info = self.browser, None, None
        if before is not None:
            start_thread(_close, before)

    async def show_migrations(self, target: str | None, *, then_open: bool = False) -> None:
        """Go to the migrations of another database than the open one; ``then_open`` it when it was upgraded there."""
        from agor_tui.tui.screens.migrations import MigrationsScreen

        await self.action_show("migrations")
        screen = self.screen_stack[0]
        if isinstance(screen, MigrationsScreen):
            screen.show_target(target, then_open=then_open)

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

    async def on_agor_app__opened(self, message: _Opened) -> None:
        """Show the database, unless the user has left; the one before is closed, and what showed of it is gone."""
        if message.request != self._opening:
            start_thread(message.browser.close)
            return
        self.opening = False
        before = self.browser
        if before is not None:
            await self._to_the_roots()
            start_thread(_close, before)
        self._opened_by = self._connect
        self.info = message.browser.info
        self.browser = message.browser
        self._tell_note()
        if message.browser.aside:
            self.notify(message.browser.aside, timeout=10, markup=False)

    def access_renewed(self, browser: Browser) -> None:
        """The header shows what a server allows by now."""
        if browser is self.browser and self.info is not None:
            self.info = replace(self.info, access=browser.info.access, read_only=browser.info.read_only)

    def _look_at_note(self) -> None:
        """A local copy may have become out of date, or be up to date again."""
        if self.browser is not None and self.info is not None and self.info.note != self.browser.note:
            was, self.info = self.info.note, replace(self.info, note=self.browser.note)
            if was is None:
                self._tell_note()

    def _tell_note(self) -> None:
        if self.info is not None and self.info.note:
            self.notify(printable(self.info.note), severity="warning", timeout=10, markup=False)

    async def _to_the_roots(self) -> None:
        """Close all screens but the first one of each mode."""
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        for mode, screen in self.MODES.items():
            with contextlib.suppress(KeyError):  # a mode that was never shown has no stack
                if mode != self.current_mode and len(self.get_screen_stack(mode)) > 1:
                    await self.remove_mode(mode)
                    self.add_mode(mode, screen)
        let_go(self)

    def on_agor_app__not_opened(self, message: _NotOpened) -> None:
        """Say why there is no database."""
        if message.request == self._opening:
            self.opening = False
            self.show_error(message.error, self.open_database)

    # Commands

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What can be done here, from the keys of the screen, then what the app can do."""
        from agor_tui.tui.commands import commands_of

        return commands_of(self, screen)

    def action_command_palette(self) -> None:
        """Show all commands."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def action_help(self) -> None:
        """Show the keys of this screen."""
        from agor_tui.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen.of(self.screen))

    async def action_show(self, mode: str) -> None:
        """Go to one of the screens; from what was opened above it, back to it."""
        if mode != self.current_mode:
            await self.switch_mode(mode)
            return
        while len(self.screen_stack) > 1:
            await self.pop_screen()

    def action_switcher(self) -> None:
        """Choose another database."""
        from agor_tui.tui.screens.switcher import SwitcherModal

        if not isinstance(self.screen, SwitcherModal):
            self.push_screen(SwitcherModal(self.configuration, self.info), self._switch_to_chosen)

    def _switch_to_chosen(self, target: str | None) -> None:
        if target is not None:
            self.switch_to(target)

    def action_setup(self) -> None:
        """Set up a database with the wizard."""
        from agor_tui.tui.screens.setup import SetupScreen

        if not isinstance(self.screen, SetupScreen):
            self.push_screen(SetupScreen(self.configuration), self._switch_to_chosen)

    def action_live(self) -> None:
        """Switch off or on that changes show by themselves."""
        if self._live is not None:
            self._live.toggle()

    async def action_quit(self) -> None:
        """Leave: what the database still does for us is cancelled, and a server that hangs is not waited for long."""
        if self.upkeep is not None and self.upkeep.asks_before_quit():
            return
        if self._live is not None and (watching := self._live.stop()) is not None:
            await asyncio.to_thread(watching.join, PATIENCE)
        if self.browser is not None:
            await asyncio.to_thread(start_thread(_close, self.browser).join, PATIENCE)
        self.exit()


def _log_fault(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    from agor_tui.services.faults import write_log

    if isinstance(error := context.get("exception"), Exception):
        write_log(error)


def _close(browser: Browser) -> None:
    with contextlib.suppress(AgorError):
        browser.cancel()
        browser.close()
