"""The wizard's test of a connection: what is found out appears line by line, and may be left at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from agor_tui import paths
from agor_tui.config.places import Place, describe
from agor_tui.services.examination import Finding, Leash, Outlook, examine
from agor_tui.tui.asking import start_thread
from agor_tui.tui.screens.setup_step import FindingLine, SetupStep
from agor_tui.tui.widgets.text_button import TextButton

_KEYS = Binding.Group("Test")


class TestStep(SetupStep):
    """Tests ``place``. Its last line says what the test came to."""

    __test__ = False  # no test case of pytest
    stage = 2
    title = "Testing the connection"
    on_word = "Go on"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,R", "again", "test again", id="setup.again", tooltip="Test the connection again", group=_KEYS),
        Binding("e", "edit", "edit", id="setup.edit", tooltip="Change how it is reached", group=_KEYS),
    ]

    @dataclass
    class Passed(Message):
        """The user goes on with what the test came to."""

        step: SetupStep
        outlook: Outlook

    @dataclass
    class EditWanted(Message):
        """The user wants to change the fields."""

        step: SetupStep
        place: Place

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.outlook: Outlook | None = None
        self._leash = Leash()
        self._waiting: Timer | None = None
        self._seconds = 0

    def sentence(self) -> str:
        return paths.shown(describe(self.place))

    def answers(self) -> Sequence[Widget]:
        return (Vertical(id="findings"), Static("", id="waiting", markup=False))

    def on_mount(self) -> None:
        """Begin."""
        self._begin()

    def arrive(self) -> None:
        # While it waits, enter does nothing: a key pressed once too often must not lead back.
        self.query_one("#on" if self.outlook or self._waiting else "#back", TextButton).focus()

    def leave(self) -> None:
        self._leash.cut()
        self._rest()

    def forward(self) -> None:
        if self.outlook is not None:
            self.post_message(self.Passed(self, self.outlook))
        elif self._waiting is None:
            self.action_again()

    def action_again(self) -> None:
        """Test once more."""
        self.leave()
        self.query_one("#findings", Vertical).remove_children()
        self._begin()

    def action_edit(self) -> None:
        """Change the fields."""
        self.leave()
        self.post_message(self.EditWanted(self, self.place))

    def _begin(self) -> None:
        self.outlook = None
        self._leash = leash = Leash()
        self.head(self.title)
        self._name_button("Go on", enabled=False)
        self._seconds = 0
        self._waiting = self.set_interval(1, self._tick)
        self._show_waiting()
        start_thread(self._run, leash)

    def _run(self, leash: Leash) -> None:
        for found in examine(self.place, leash):
            self.call_later(partial(self._found, found, leash))
        self.call_later(partial(self._ended, leash))

    def _found(self, found: Finding | Outlook, leash: Leash) -> None:
        if leash is not self._leash or leash.is_cut:
            return
        if isinstance(found, Outlook):
            self.outlook = found
            return
        self.query_one("#findings", Vertical).mount(FindingLine(found))
        self._seconds = 0

    def _ended(self, leash: Leash) -> None:
        if leash is not self._leash or leash.is_cut:
            return
        self._rest()
        works = self.outlook is not None
        self.head("It works" if works else "It does not work yet")
        self._name_button("Go on" if works else "Test again", enabled=True)
        if self.display:
            self.arrive()

    def _name_button(self, words: str, *, enabled: bool) -> None:
        button = self.query_one("#on", TextButton)
        button.update(f"{words} ›")
        button.set_class(not enabled, "-idle")

    def _tick(self) -> None:
        self._seconds += 1
        self._show_waiting()

    def _show_waiting(self) -> None:
        self.query_one("#waiting", Static).display = True
        seconds = f"  {self._seconds} s" if self._seconds > 1 else ""
        self.query_one("#waiting", Static).update(f"… waiting for an answer{seconds}")

    def _rest(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None
        self.query_one("#waiting", Static).display = False
