"""The last line of every screen: the keys that are most useful here and now, at most nine."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.screen import Screen

from agor_tui.statuses import Tone
from agor_tui.tui.widgets.line import Line

MOST_KEYS = 9


class KeyBar(Line):
    """Shows the bindings that ask to be shown, as far as they fit; a click does what the key does."""

    BACKGROUND = "surface"
    DEFAULT_CSS = "KeyBar { dock: bottom; }"

    def on_mount(self) -> None:
        """Follow the bindings of the screen and of what is focused on it."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_updated)

    def _bindings_updated(self, screen: Screen[object]) -> None:
        self.refresh()

    def spans(self, width: int) -> list[tuple[str, Tone]]:
        """Key in the accent, word in grey; nothing is cut in the middle."""
        spans: list[tuple[str, Tone]] = [(" ", "text")]
        for _, key, word in self._keys(width):
            spans += [(key, "accent"), (f" {word}  ", "muted")]
        return spans

    def _keys(self, width: int) -> list[tuple[Binding, str, str]]:
        shown: dict[str, Binding] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.description and active.enabled:
                shown.setdefault(binding.action, binding)
        bindings = sorted(shown.values(), key=lambda binding: binding.action == "app.help")
        help_key = [binding for binding in bindings if binding.action == "help"]
        bindings = [binding for binding in bindings if binding.action != "help"][: MOST_KEYS - len(help_key)]
        keys = [(b, self.app.get_key_display(b), b.description) for b in (*bindings, *help_key)]
        while len(keys) > 1 and sum(_width(key, word) for _, key, word in keys) + 1 > width:
            keys.pop(-2 if help_key else -1)
        return keys

    def on_click(self, event: events.Click) -> None:
        """Do what the key under the mouse does."""
        x = 1
        for binding, key, word in self._keys(self.size.width):
            if x <= event.x < x + _width(key, word) - 2:
                self.app.simulate_key(binding.key)
                return
            x += _width(key, word)


def _width(key: str, word: str) -> int:
    return cell_len(key) + cell_len(word) + 3
