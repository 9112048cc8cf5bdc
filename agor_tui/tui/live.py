"""Changes of the open database show by themselves: a thread waits for them, and the screen that is seen reads anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.binding import Binding
from textual.screen import Screen

from agor_tui.records import LiveState
from agor_tui.text import printable
from agor_tui.tui.asking import start_thread

if TYPE_CHECKING:
    from agor_tui.config.preferences import Preferences
    from agor_tui.services.browser import Browser
    from agor_tui.services.live import Watch
    from agor_tui.tui.app import AgorApp

REST_S = 1.0
"""Seconds between two changes that are told to the screens."""
_ANSWER_S = 0.5
"""Seconds after which the thread looks whether it can still watch."""

SETTINGS_OFF = LiveState(False, "off in the settings")
KEY_OFF = LiveState(False, "switched off; L switches it on")


def live_sign(state: LiveState) -> str:
    """The state as a glyph and a word."""
    return "◉ live" if state.on else "○ live off"


def told(app: App[Any], binding: Binding) -> str:
    """What a key is for, in a sentence; of the one for live also why live is off, where it is."""
    text, state = binding.tooltip or binding.description, getattr(app, "live", None)
    is_off = binding.id == "app.live" and isinstance(state, LiveState) and not state.on
    return f"{text}. Off now: {printable(state.reason)}" if is_off and state else text


def start_live(app: AgorApp) -> Live:
    """Watch whatever database the app has open, as long as it runs; sets ``app.live`` and ``app.changed``."""
    return Live(app)


class Live:
    """One thread at a time, for one open database."""

    def __init__(self, app: AgorApp) -> None:
        self._app = app
        self._wanted: bool | None = None
        """What the key asked for; None: what the settings say."""
        self._gone = threading.Event()
        self._watch: Watch | None = None
        self._thread: threading.Thread | None = None
        app.watch(app, "browser", self._browser_changed)
        app.watch(app, "preferences", self._preferences_changed, init=False)

    def toggle(self) -> None:
        """Switch it off, or on again."""
        self._wanted = not self._is_wanted
        self._begin()
        state = self._app.live
        self._app.notify("Changes show by themselves." if state.on else "Changes show when you press R.", timeout=3)

    def stop(self) -> threading.Thread | None:
        """Watch no longer; returns the thread that leaves and gives up the connection, which takes it no time."""
        self._gone.set()
        if self._watch is not None:
            self._watch.close()
        leaving, self._watch, self._thread = self._thread, None, None
        return leaving

    @property
    def _is_wanted(self) -> bool:
        return self._app.preferences.live if self._wanted is None else self._wanted

    def _browser_changed(self, _: Browser | None) -> None:
        self._begin()

    def _preferences_changed(self, before: Preferences, now: Preferences) -> None:
        if before.live != now.live:
            self._wanted = None
            self._begin()

    def _begin(self) -> None:
        """Stop what there was; watch what is open now, where that is wanted."""
        self.stop()
        if not self._is_wanted:
            self._app.live = SETTINGS_OFF if self._wanted is None else KEY_OFF
            return
        self._app.live = LiveState()
        if self._app.browser is not None:
            from agor_tui.services import live

            self._gone, self._watch = threading.Event(), live.watch(self._app.browser)
            self._thread = start_thread(self._run, self._watch, self._gone)

    def _run(self, watch: Watch, gone: threading.Event) -> None:
        """Wait for changes, in a thread; they are told where the widgets live."""

        def tell(what: Callable[[], None]) -> None:
            self._app.call_later(lambda: None if gone.is_set() else what())

        said, told_at = watch.state, monotonic()
        try:
            while not gone.is_set():
                changed = watch.wait(_ANSWER_S)
                if watch.state != said:
                    said = watch.state
                    tell(partial(self._say, said))
                if changed and not gone.wait(max(0.0, told_at + REST_S - monotonic())):
                    told_at = monotonic()
                    tell(self._count_change)
        except Exception as error:  # whatever it is, the user gets a sentence
            from agor_tui.services.faults import unexpected

            tell(partial(self._say, LiveState(False, unexpected(error).message.rstrip("."))))
        finally:
            watch.close()

    def _count_change(self) -> None:
        self._app.changed += 1

    def _say(self, state: LiveState) -> None:
        was, self._app.live = self._app.live, state
        if was.on and not state.on:
            self._app.notify(f"Live off: {printable(state.reason)}.", severity="warning", markup=False)


class Follower:
    """Has a screen read anew when the open database was changed: at once where it is seen, else when it is again."""

    def __init__(self, screen: Screen[Any], read: Callable[[], None]) -> None:
        self._screen = screen
        self._read = read
        self._behind = False
        screen.watch(screen.app, "changed", self._changed, init=False)

    def _changed(self) -> None:
        self._behind = True
        self.catch_up()

    def catch_up(self) -> None:
        """Read, if there is anything new and the screen is seen; the screen calls it when it comes to the front."""
        if self._behind and self._is_seen:
            self._behind = False
            self._read()

    @property
    def _is_seen(self) -> bool:
        """Whether it is the screen in front, or seen behind modal ones."""
        stack = self._screen.app.screen_stack
        return self._screen in stack and all(above.is_modal for above in stack[stack.index(self._screen) + 1 :])
