"""The help screen: all keys of the screen before it, from their bindings, and the filter language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from agor_tui.filters import SESSION_LANGUAGE
from agor_tui.tui.live import told
from agor_tui.tui.screen import Dialog

Keys = Mapping[str, list[tuple[str, str]]]
"""Under each heading the keys and what they do."""

EXAMPLES = (
    ("status:running tool:codex", "running sessions of Codex"),
    ("tool:!gemini repo:x,y", "not Gemini, in repository x or y"),
    ("since:7d retry -flaky", "this week, with 'retry', without 'flaky'"),
    ('worktree:"two words"', "a value with a space"),
)


class HelpScreen(Dialog[None]):
    """Keys in groups; ``escape`` leaves."""

    CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen > VerticalScroll {
        width: 100%; height: auto; max-height: 92%;
        background: $surface; padding: 1 2; scrollbar-size-vertical: 1;
    }
    HelpScreen.-wide > VerticalScroll { width: 84; }
    """
    HORIZONTAL_BREAKPOINTS = [(94, "-wide")]  # no strip of what is below beside it, too narrow to be read
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "close", id="help.close", tooltip="Close the help"),
        Binding("down,j", "scroll(1)", show=False, id="help.down"),
        Binding("up,k", "scroll(-1)", show=False, id="help.up"),
    ]

    def __init__(self, keys: Keys, filters: bool) -> None:
        super().__init__()
        self._keys = keys
        self._filters = filters

    @classmethod
    def of(cls, screen: Screen[Any]) -> HelpScreen:
        """The help of a screen."""
        groups: dict[str, list[tuple[str, str]]] = {}
        by_action: dict[tuple[str, str], list[str]] = {}
        texts: dict[tuple[str, str], str] = {}
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.id and binding.group and binding.description:
                place = (binding.group.description, binding.action)
                key = screen.app.get_key_display(binding)
                if key not in by_action.setdefault(place, []):
                    by_action[place].append(key)
                texts.setdefault(place, told(screen.app, binding))
        for place, keys in by_action.items():
            groups.setdefault(place[0], []).append((" ".join(keys), texts[place]))
        return cls(groups, bool(getattr(screen, "HELP_FILTERS", False)))

    def compose(self) -> ComposeResult:
        """One text, scrolled where it is long."""
        with VerticalScroll():
            yield Static(self._content())

    def _content(self) -> Content:
        parts: list[tuple[str, str]] = []
        for group, keys in self._keys.items():
            parts.append((f"{group}\n", "bold $accent"))
            for key, text in keys:
                parts += [(f"  {key:<16}", "$foreground"), (f" {text}\n", "$muted")]
            parts.append(("\n", ""))
        if self._filters:
            parts.append(("Filter  /\n", "bold $accent"))
            for word, text in SESSION_LANGUAGE.keys.items():
                parts += [(f"  {word + ':':<16}", "$foreground"), (f" {text}\n", "$muted")]
            parts.append(("\n", ""))
            for example, text in EXAMPLES:
                parts += [(f"  {example:<28}", "$foreground"), (f" {text}\n", "$muted")]
        return Content.assemble(*parts).rstrip()

    def action_scroll(self, by: int) -> None:
        """Scroll by a line."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)
