"""Asking for one line of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from agor_tui.text import printable
from agor_tui.tui.screen import Dialog
from agor_tui.tui.widgets.line_input import LineInput


class PromptModal(Dialog[str | None]):
    """Answers with what was typed, without spaces around it; None when left.

    ``action`` is the verb of the key that ends it. ``check`` says what is wrong with a text, None when nothing is; its
    complaint stands under the field, and the text stays as typed.
    """

    CSS = """
    PromptModal { align: center middle; background: $background 60%; }
    PromptModal > Vertical {
        width: 72; max-width: 94%; height: auto; background: $background; border: round $rule; padding: 1 2;
    }
    PromptModal Input { margin-top: 1; border-left: outer $accent; padding-left: 1; }
    PromptModal Static { height: auto; }
    PromptModal .complaint { color: $error; min-height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "cancel", id="prompt.leave", tooltip="Leave it as it is")
    ]

    def __init__(
        self,
        title: str,
        *,
        value: str = "",
        placeholder: str = "",
        action: str = "save",
        check: Callable[[str], str | None],
    ) -> None:
        super().__init__()
        self._title = title
        self._value = value
        self._placeholder = placeholder
        self._action = action
        self._check = check

    def compose(self) -> ComposeResult:
        """The question, the field, the complaint, the keys."""
        with Vertical():
            yield Static(Content(printable(self._title, 400)).stylize("bold"))
            yield LineInput(self._value, placeholder=self._placeholder, select_on_focus=False)
            yield Static("", classes="complaint", markup=False)
            keys = (
                ("⏎", "bold $accent"),
                (f" {self._action}", "$foreground"),
                ("    esc", "bold $accent"),
                (" cancel", "$muted"),
            )
            yield Static(Content.assemble(*keys))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._complain(None)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        complaint = self._check(text)
        if complaint is None:
            self.dismiss(text)
        else:
            self._complain(complaint)

    def _complain(self, complaint: str | None) -> None:
        self.query_one(".complaint", Static).update(f"✗ {printable(complaint, 400)}" if complaint else "")
