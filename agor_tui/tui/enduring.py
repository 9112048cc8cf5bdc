"""What keeps the app alive: a fault in one screen closes that screen, and keys wait for the screen they are for."""

from __future__ import annotations

import contextlib
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from traceback import walk_tb
from typing import Any
from weakref import WeakSet

from textual import events
from textual._context import active_message_pump
from textual.actions import ActionParseResult
from textual.app import App, ScreenError
from textual.css.query import QueryError
from textual.dom import DOMError, DOMNode, NoScreen
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.timer import EventTargetGone, Timer
from textual.widget import Widget
from textual.worker import WorkerFailed

from agor_tui.errors import AgorError
from agor_tui.text import printable
from agor_tui.tui.screen import is_gone

SPELL_S = 10.0
"""Failures within so many seconds have one cause."""
MOST = 8
"""So many screens may fail in that time; with the next one the app ends."""
_BEGINNING = (events.Load, events.Compose, events.Mount)
"""Without what these do there is no app."""
_GOING_ON = ("_refresh_layout", "_display", "_tick", "_flush_next_callbacks")
"""Where Textual catches a fault without ending the message loop that it came from."""
_NOTHING_THERE = (QueryError, DOMError, ScreenError)
"""What fails when something is looked for that is not there, as a widget of a screen that is being closed."""


class EnduringApp(App[None]):
    """An app whose screens may fail without ending it."""

    def __init__(self) -> None:
        super().__init__()
        self._failed: WeakSet[Screen[Any]] = WeakSet()
        """Screens that are closed, or about to be, since they have failed: what else fails in them is no news."""
        self._failures: deque[tuple[float, str | None]] = deque(maxlen=MOST + 1)
        """When a screen has failed last; the mode where it was a main one."""
        self._unsaid: AgorError | None = None
        """What has failed, before it is said: it ends the app where it ends the loop in which that would be."""

    # Keys

    async def on_event(self, event: events.Event) -> None:
        """Let keys wait until the screen that they are for is there; else they would be lost, or reach half of it."""
        if isinstance(event, events.InputEvent | events.Paste) and not event.is_forwarded:
            await self._all_there()
        await super().on_event(event)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Do what a key is for, unless the widget that does it is not there yet, or not any more."""
        await self._all_there()
        target, name, parameters = self._parse_action(action, default_namespace or self, namespaces)
        if isinstance(target, Widget) and (not target.is_mounted or self._is_lost(target)):
            return False
        return await super().run_action(("", name, parameters), target)

    async def _all_there(self) -> None:
        """Wait for the screen in front, and for what is being put on it."""
        while self._screen_stack:
            widgets = self.screen.walk_children(Widget, with_self=True)
            missing = next((each for each in widgets if not each.is_mounted and _is_being_mounted(each)), None)
            if missing is None:
                return
            await missing._mounted_event.wait()

    def _check_action_state(self, action: str, default_namespace: DOMNode) -> bool | None:
        target = self._parse_action(action, default_namespace)[0]
        if isinstance(target, Widget) and not target.is_mounted:
            return True
        return super()._check_action_state(action, default_namespace)

    def _load_screen_css(self, screen: Screen[Any]) -> None:
        before = dict(self.stylesheet.source)
        try:
            super()._load_screen_css(screen)
        except Exception:  # with a sheet that cannot be read, no other screen could be shown either
            self.stylesheet.source = before
            screen.remove()
            raise

    # Errors

    def show_error(self, error: AgorError, retry: Callable[[], object] | None = None) -> None:
        """Give an error a screen of its own, in place of another error's."""
        from agor_tui.tui.screens.error import ErrorScreen

        if isinstance(self.screen, ErrorScreen):
            self.screen.dismiss()
        self.push_screen(ErrorScreen(error, retry))

    async def _dispatch_message(self, message: Message) -> None:
        # What fails here would end the app's own loop, through which every key goes.
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            if isinstance(message, _BEGINNING):
                raise
            self._handle_exception(error)

    def _handle_exception(self, error: Exception) -> None:
        # Textual would print a traceback with all locals, in which passwords may stand, and end the app.
        if isinstance(error, WorkerFailed):
            cause = error.error
            if isinstance(cause, _NOTHING_THERE) and any(map(is_gone, _suspects(cause, self)[-1:])):
                return  # it went on while its screen was closed
            self.show_error(cause if isinstance(cause, AgorError) else _logged(cause))
            return
        if self._exit and isinstance(error, _NOTHING_THERE):  # no more is made of a screen that was just opened
            return
        suspects = _suspects(error, active_message_pump.get(self))
        if any(map(self._has_failed, suspects[:1])):
            return
        if any(widget.is_mounted and is_gone(widget) for widget in suspects[:1]):  # it came too late
            if not isinstance(error, _NOTHING_THERE):
                _logged(error)
            return
        harmed = {widget.screen for widget in suspects if not self._is_lost(widget)}
        if self._exception is None:  # what runs the app in a test is told
            self._exception = error
            self._exception_event.set()
        reason = _logged(error)
        for timer in () if harmed else _timers(error):  # those of a screen end with it
            timer.stop()
        if self._running and not self._exit:
            self._failed |= harmed
            self._unsaid = reason
            self.call_later(self._close_failed, harmed, reason)
        elif not self._exit:
            self._give_up(reason)

    def _is_lost(self, widget: Widget) -> bool:
        """Whether it is not there any more, or not for long."""
        return is_gone(widget) or self._has_failed(widget)

    def _has_failed(self, widget: Widget) -> bool:
        try:
            return widget.screen in self._failed
        except NoScreen:
            return False

    async def _close_failed(self, screens: set[Screen[Any]], reason: AgorError) -> None:
        """Close screens that have failed, with what lies over them, and say so; a main one is made anew."""
        self._unsaid = None
        told: list[str] = []
        try:
            if not screens:
                self._count_failure(None)
            told = [await self._close(screen) for screen in screens if not is_gone(screen)]
        except _TooMuch:
            self._give_up(reason)
            return
        if screens and not told:
            return
        text = " ".join([*told, reason.message])
        if any(_is_error(screen) for screen in screens):  # another one of these would fail as well
            self.notify(printable(text), title=reason.title, severity="error", timeout=10, markup=False)
        else:
            self.show_error(type(reason)(text, reason.hint))

    def _count_failure(self, mode: str | None) -> list[str | None]:
        """Count what has failed; returns the modes of all main screens that have lately. Raises _TooMuch."""
        now = monotonic()
        self._failures.append((now, mode))
        lately = [mode for at, mode in self._failures if now - at < SPELL_S]
        if len(lately) > MOST:
            raise _TooMuch
        return lately

    async def _close(self, screen: Screen[Any]) -> str:
        """Close a screen; returns what became of it in a sentence. Raises _TooMuch where none is left to show."""
        mode, stack = next((mode, stack) for mode, stack in self._screen_stacks.items() if screen in stack)
        at = stack.index(screen)
        failed = self._count_failure(None if at else mode)
        if not at and mode == self.current_mode:
            return await self._replace_main(mode, failed)
        closed = stack[at:]
        if at:
            del stack[at:]
        else:
            del self._screen_stacks[mode]  # it is made anew when it is gone to
        if mode == self.current_mode:
            stack[-1].post_message(events.ScreenResume())
            self.screen_change_signal.publish(stack[-1])
        await self._remove(closed)
        return f"The {_name_of(screen)} was closed."

    async def _replace_main(self, mode: str, failed: Sequence[str | None]) -> str:
        """Make the main screen that is shown anew; where it has failed before, just now, show another one instead."""
        stack = self._screen_stacks[mode]
        before = list(stack)
        ways = [mode] if failed.count(mode) < 2 else []
        for way in [*ways, *(other for other in self._modes if other not in (mode, *failed))]:
            try:
                await (self.push_screen(self._made(mode)) if way == mode else self.switch_mode(way))
            except Exception as error:
                _logged(error)
                continue
            if way == mode:
                del stack[: len(before)]
            else:
                del self._screen_stacks[mode]
            await self._remove(before)
            return f"The {_name_of(before[0])} was {'made anew' if way == mode else 'closed'}."
        raise _TooMuch

    def _made(self, mode: str) -> Screen[Any]:
        make = self._modes[mode]
        assert callable(make)
        return make()

    async def _remove(self, screens: Sequence[Screen[Any]]) -> None:
        """Let go of screens that no stack has any more, the top one first."""
        for screen in reversed(screens):
            nodes = [screen, *screen.walk_children()]
            try:
                await self._replace_screen(screen)
                if screen in self._registry:  # it has failed before it was there, so its own loop has never run
                    await screen._message_loop_exit()
            except Exception as error:  # what is thrown away may be in any state
                _logged(error)
            for node in nodes:  # one whose loop has failed was not closed, and would be told what it watches for ever
                node._closing = True

    async def _shutdown(self) -> None:
        if self._unsaid is not None and not self._exit:
            self._give_up(self._unsaid)
        await super()._shutdown()

    def _give_up(self, reason: AgorError) -> None:
        self.exit(return_code=1, message=f"agor-tui: {reason.message} {reason.hint}")


def _is_being_mounted(widget: Widget) -> bool:
    return widget._task is not None and not widget._task.done()


class _TooMuch(Exception):
    """There is nothing left that could be shown."""


def _is_error(screen: Screen[Any]) -> bool:
    from agor_tui.tui.screens.error import ErrorScreen

    return isinstance(screen, ErrorScreen)


def _name_of(screen: Screen[Any]) -> str:
    """What kind of screen it is, in words."""
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", type(screen).__name__).lower().split()
    kind = "dialog" if screen.is_modal else "screen"
    return " ".join([*(word for word in words if word not in ("screen", "modal")), kind])


def _suspects(error: Exception, pump: MessagePump) -> list[Widget]:
    """The widget whose message loop a fault has ended, if it has, and the one whose code or timer it was."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    owners = [owner for frame in frames if _is_made(owner := _owner(frame.f_locals.get("self")))][-1:]
    goes_on = bool(owners) and frames[0].f_code.co_name in _GOING_ON
    return [widget for widget in ([] if goes_on else [pump]) + owners if isinstance(widget, Widget)]


def _timers(error: Exception) -> list[Timer]:
    """The timers whose callback it was."""
    selves = (frame.f_locals.get("self") for frame, _ in walk_tb(error.__traceback__))
    return [owner for owner in selves if isinstance(owner, Timer)]


def _owner(owner: object) -> object:
    with contextlib.suppress(EventTargetGone):
        return owner.target if isinstance(owner, Timer) else owner
    return None


def _is_made(owner: object) -> bool:
    """Whether it is a widget, and not one that fails in its ``__init__``, which is none yet."""
    return isinstance(owner, Widget) and hasattr(owner, "_pruning")


def _logged(error: BaseException) -> AgorError:
    """A sentence in place of a fault, which is written to the log file."""
    from agor_tui.services.faults import unexpected

    return unexpected(error)
