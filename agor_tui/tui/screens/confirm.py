"""Asking before something that cannot be taken back, or that changes much."""

from __future__ import annotations

from collections.abc import Sequence
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

LINE = 400
"""Characters of an effect that are shown."""


class ConfirmModal(Dialog[bool]):
    """A question: ``effects`` are sentences that say what will happen, ``action`` is the verb of the key that does it.

    Where ``word`` is given, it must be typed before enter counts.
    """

    CSS = """
    ConfirmModal { align: center middle; background: $background 60%; }
    ConfirmModal > Vertical {
        width: 72; max-width: 94%; height: auto; max-height: 90%;
        background: $background; border: round $warning; padding: 1 2; overflow-y: auto;
    }
    ConfirmModal Static { height: auto; }
    ConfirmModal Input { margin-top: 1; border-left: outer $warning; padding-left: 1; }
    ConfirmModal .keys { margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer(False)", "cancel", id="confirm.no", tooltip="Do nothing"),
        Binding("enter,y", "answer(True)", "do it", id="confirm.yes", tooltip="Do it"),
        Binding("n", "answer(False)", show=False, id="confirm.no_word"),
    ]

    def __init__(self, title: str, effects: Sequence[str], *, action: str, word: str | None = None) -> None:
        super().__init__()
        self._title = title
        self._effects = tuple(effects)
        self._action = action
        self._word = word

    def compose(self) -> ComposeResult:
        """The question, what it means, the word to type, the keys."""
        parts: list[tuple[str, str]] = [(printable(self._title, LINE), "bold $foreground")]
        for effect in self._effects:
            parts += [("\n\n", ""), (printable(effect, LINE), "$foreground")]
        if self._word is not None:
            parts += [("\n\nType ", "$muted"), (printable(self._word), "bold $warning"), (" to go on.", "$muted")]
        with Vertical():
            yield Static(Content.assemble(*parts))
            if self._word is not None:
                yield LineInput(select_on_focus=False)
            yield Static(self._keys(), classes="keys")

    def _keys(self) -> Content:
        key = ("⏎" if self._word is not None else "⏎ y", "bold $accent" if self._may_go_on else "$faint")
        word = (f" {printable(self._action)}", "$foreground" if self._may_go_on else "$faint")
        return Content.assemble(key, word, ("    esc", "bold $accent"), (" cancel", "$muted"))

    @property
    def _may_go_on(self) -> bool:
        fields = self.query(Input)
        return self._word is None or (bool(fields) and fields.first().value.strip() == self._word)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one(".keys", Static).update(self._keys())

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_answer(True)

    def action_answer(self, answer: bool) -> None:
        """Leave with the answer; yes counts only when the word is typed."""
        if not answer or self._may_go_on:
            self.dismiss(answer)
