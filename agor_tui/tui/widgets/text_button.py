"""A word that acts when it is pressed: by enter, space or the mouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from agor_tui.tui.widgets.form_field import FORM_KEYS


class TextButton(Static, can_focus=True):
    """A quiet button; ``primary`` is what one mostly wants; the class ``-idle`` says that it does nothing now."""

    DEFAULT_CSS = """
    TextButton { width: auto; height: 1; padding: 0 2; margin-right: 2; background: $surface; color: $muted; }
    TextButton.-primary { color: $accent; text-style: bold; }
    TextButton:hover { background: $panel; }
    TextButton:focus { background: $accent; color: $background; text-style: bold; }
    TextButton:disabled { color: $faint; }
    TextButton.-idle, TextButton.-idle:focus { background: $surface; color: $faint; text-style: none; }
    """
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "press", "press", id="button.press", tooltip="Do what it says", group=FORM_KEYS),
    ]

    @dataclass
    class Pressed(Message):
        """It was pressed."""

        button: TextButton

        @property
        def control(self) -> TextButton:
            """The button."""
            return self.button

    def __init__(self, words: str, *, id: str, primary: bool = False) -> None:
        super().__init__(words, id=id, classes="-primary" if primary else None, markup=False)

    def on_click(self, event: events.Click) -> None:
        """Press it."""
        event.stop()
        self.action_press()

    def action_press(self) -> None:
        """Say that it was pressed."""
        self.post_message(self.Pressed(self))
