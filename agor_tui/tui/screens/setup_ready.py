"""The wizard's last page: all that will be done and written, and doing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from agor_tui.errors import AgorError
from agor_tui.services.examination import Finding
from agor_tui.services.setup import Plan, carry_out, promises
from agor_tui.tui.asking import ask
from agor_tui.tui.screens.setup_step import FindingLine, SentenceLine, SetupStep
from agor_tui.tui.widgets.text_button import TextButton

if TYPE_CHECKING:
    from datetime import datetime

    from agor_tui.services.configuration import Configuration


class ReadyStep(SetupStep):
    """Says what will be done, and does it when asked."""

    stage = 4
    title = "Ready"
    on_word = "Finish"

    @dataclass
    class Finished(Message):
        """All is done; ``name`` can be opened."""

        step: SetupStep
        name: str

    def __init__(self, plan: Plan, configuration: Configuration, now: datetime) -> None:
        super().__init__()
        self.plan = plan
        self.title = f"Ready to set up {plan.name}"
        self._configuration = configuration
        self._now = now
        self.running = False

    def sentence(self) -> str:
        return "This is done when you finish, and nothing before:"

    def answers(self) -> Sequence[Widget]:
        lines = [SentenceLine(word, sentence) for word, sentence in promises(self.plan, self._configuration)]
        return (*lines, Vertical(id="done"))

    def arrive(self) -> None:
        self.query_one("#on", TextButton).focus()

    def forward(self) -> None:
        if self.running:
            return
        self.running = True
        self._allow(False)
        self.query_one("#done", Vertical).remove_children()
        self.say("Working…")

        def work() -> None:
            carry_out(self.plan, self._configuration, self._now, lambda found: self._tell(found))

        ask(self, work, lambda _: self._done(), self._failed)

    def _tell(self, found: Finding) -> None:
        self.call_later(partial(self._show, found))

    def _show(self, found: Finding) -> None:
        line = FindingLine(found)
        self.query_one("#done", Vertical).mount(line)
        self.call_after_refresh(line.scroll_visible, animate=False)

    def _done(self) -> None:
        self.post_message(self.Finished(self, self.plan.name))

    def _failed(self, error: AgorError) -> None:
        self.running = False
        self._show(Finding("stopped", "bad", error.message, error.hint))
        self.say("It stopped. What was done before stays; finish again, or go back and change something.", wrong=True)
        self._allow(True)
        self.arrive()

    def _allow(self, allowed: bool) -> None:
        for button in self.query(TextButton):
            button.disabled = not allowed
