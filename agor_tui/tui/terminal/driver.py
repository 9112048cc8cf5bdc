"""Textual's driver for terminals, held up by none that goes away, takes nothing or sends rubbish."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
from contextlib import suppress
from functools import partial
from typing import Any, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from agor_tui import ending
from agor_tui.tui.terminal.keyboard import Keyboard, TerminalGone, believable
from agor_tui.tui.terminal.output import TerminalOutput

_MOST_WAITING = 500
"""Messages that the app has not come to; more of what is typed waits in the terminal."""
_REST_S = 1.0
"""What holds the app and lets it go many times a second, to slow it, has it drawn anew once in so many seconds."""
_LEFT_AS_FOUND = "\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
"""What ``stop_application_mode`` writes, for when there is no time for it."""


class TerminalDriver(LinuxDriver):
    """Draws on standard output, so that standard error may go elsewhere, and reads from standard input."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        # First, since a signal may come as soon as there is a handler for it.
        self._is_drawing = False
        self._is_gone = False
        self._is_continuing = False
        self._own_mode: object = None
        self._redrawn_at = 0.0
        super().__init__(app, debug=False, mouse=mouse, size=size)
        assert sys.__stdout__ is not None
        self._screen = sys.__stdout__.fileno()
        self._output = TerminalOutput(self._screen, self._gone)
        self._file = cast("Any", self._output)
        self._size = self._get_terminal_size()
        ending.hold(self._output.hurry, self._leave_by_force)

    # The terminal's size

    def _get_terminal_size(self) -> tuple[int, int]:
        try:
            return believable(*os.get_terminal_size(self._screen))
        except OSError:
            return believable(0, 0)

    # Drawing

    def write(self, data: str) -> None:
        """Write, where there is something to write to."""
        if self._writer_thread is not None and self._writer_thread.is_alive():
            super().write(data)

    def start_application_mode(self) -> None:
        """Begin to draw and to read."""
        self._output.take_time()
        if ending.told() is not None:
            self._output.hurry()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._own_mode = self._mode()
        if self._writer_thread is not None and self._writer_thread.is_alive():
            self._is_drawing = True
        else:
            self._gone()

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was found."""
        self._output.hurry()
        super().stop_application_mode()
        self._is_drawing = False

    def disable_input(self) -> None:
        """Read no more."""
        self._output.hurry()
        super().disable_input()

    def resume_application_mode(self) -> None:
        """Begin to draw again, all of it."""
        super().resume_application_mode()
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(partial(self._app.refresh, layout=True))

    def _sigtstp_application(self, *_: object) -> None:
        if self._is_drawing:
            super()._sigtstp_application()
        else:  # there is nothing to give back
            os.kill(os.getpid(), signal.SIGSTOP)

    def _sigcont_application(self, *_: object) -> None:
        # By the loop, not here: what a handler interrupts may be the very same, or the loop's own work.
        if not self._is_continuing:
            self._is_continuing = True
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        """Take the terminal again after a stop; where nobody has used it meanwhile, it is only drawn anew."""
        self._is_continuing = False
        if not self._auto_restart:
            return
        if not self._is_drawing:
            if self._must_signal_resume:  # else it is the end
                self.resume_application_mode()
        elif self._mode() != self._own_mode:  # stopped by a signal that cannot be handled
            self.suspend_application_mode()
            self.resume_application_mode()
        elif time.monotonic() - self._redrawn_at > _REST_S:
            self._redrawn_at = time.monotonic()
            self._app.refresh(layout=True)

    def _mode(self) -> object:
        try:
            return termios.tcgetattr(self.fileno)
        except termios.error:
            return None

    # Going away

    def _gone(self) -> None:
        """There is no terminal any more; called in any thread."""
        if self._is_gone:
            return
        self._is_gone = True
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._app.post_message, TerminalGone())
        ending.begin(ending.TERMINAL_GONE)

    def _leave_by_force(self) -> None:
        if not self._is_drawing:
            return
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})  # in the background it would stop us for good
        with suppress(termios.error):
            if self.attrs_before is not None:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        self._output.write_at_once(_LEFT_AS_FOUND)

    # Reading

    def run_input_thread(self) -> None:
        """Pass on what is typed until there is no more, or reading ends."""
        keyboard = Keyboard()
        while not self.exit_event.is_set():
            try:
                readable, _, _ = select.select([self.fileno], [], [], min(keyboard.patience_s, 0.1))
                data = os.read(self.fileno, 4096) if readable else None
            except BlockingIOError:
                continue
            except (OSError, ValueError):
                data = b""
            if data == b"":
                self._gone()
                return
            for message in keyboard.tick() if data is None else keyboard.feed(data):
                self._pass_on(message)

    def _pass_on(self, message: Message) -> None:
        while self._app._message_queue.qsize() > _MOST_WAITING and not self.exit_event.is_set():
            time.sleep(0.01)
        if not self._loop.is_closed():
            self.process_message(message)
