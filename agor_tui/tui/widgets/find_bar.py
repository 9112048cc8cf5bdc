"""The line in which words to find are typed; at its right what the search has come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from agor_tui.tui.widgets.line_input import LineInput

_PAUSE = 0.2
"""Seconds without a key after which the search begins."""

_KEYS = Binding.Group("Find")


class _Words(LineInput):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "done", "to the text", id="find.done", tooltip="Keep the finds", group=_KEYS),
        Binding("escape", "leave", "leave", id="find.leave", tooltip="Find nothing", group=_KEYS),
    ]  # fmt: skip

    def action_done(self) -> None:
        """Keep the words."""
        bar = self.query_ancestor(FindBar)
        bar.search_now()
        bar.post_message(FindBar.Left())

    def action_leave(self) -> None:
        """Take the words away."""
        bar = self.query_ancestor(FindBar)
        bar.close()
        bar.post_message(FindBar.Left())


class FindBar(Horizontal):
    """Hidden until ``open``. Sends the words when typing rests."""

    DEFAULT_CSS = """
    FindBar { height: 1; display: none; background: $background; padding: 0 1; }
    FindBar.-open { display: block; }
    FindBar > #mark { width: 2; color: $accent; }
    FindBar > Input { width: 1fr; }
    FindBar > #state { width: auto; color: $muted; padding: 0 0 0 1; }
    """

    @dataclass
    class Words(Message):
        """Words to find; empty: none any more."""

        words: str

    @dataclass
    class Left(Message):
        """The reader goes back to the text."""

    def __init__(self) -> None:
        super().__init__()
        self._rest: Timer | None = None
        self._sent = ""

    def compose(self) -> ComposeResult:
        """A slash, the words, the state."""
        yield Static("/", id="mark")
        yield _Words(placeholder="words to find", compact=True, select_on_focus=True)
        yield Static("", id="state", markup=False)

    @property
    def is_open(self) -> bool:
        """Whether it is seen."""
        return self.has_class("-open")

    def open(self) -> None:
        """Let words be typed."""
        self.add_class("-open")
        self.query_one(Input).focus()

    def close(self) -> None:
        """Find nothing any more."""
        self.remove_class("-open")
        self.query_one(Input).value = ""
        self._send("")

    def say(self, text: str) -> None:
        """Say what the search has come to."""
        self.query_one("#state", Static).update(text)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._rest is not None:
            self._rest.stop()
        if self.is_open:
            self._rest = self.set_timer(_PAUSE, self.search_now)

    def search_now(self) -> None:
        """Search for what stands there, without waiting for a rest."""
        if self._rest is not None:
            self._rest.stop()
            self._rest = None
        self._send(self.query_one(Input).value)

    def _send(self, words: str) -> None:
        if words != self._sent:
            self._sent = words
            self.post_message(self.Words(words))
