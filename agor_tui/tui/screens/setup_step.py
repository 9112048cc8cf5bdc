"""What the questions of the wizard have in common: a heading, a sentence, what answers it, and the way on and back."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from agor_tui.services.examination import Finding
from agor_tui.statuses import Tone
from agor_tui.text import printable
from agor_tui.tui.widgets.text_button import TextButton

GLYPHS: dict[str, tuple[str, Tone]] = {"good": ("✓", "success"), "note": ("+", "warning"), "bad": ("✗", "error")}


class SetupStep(VerticalScroll, can_focus=False):
    """One question. ``stage`` is its place in the row of stages; ``on_word`` is the button that goes on, if any."""

    stage = 0
    title = ""
    on_word = ""
    back_word = "Back"

    class Back(Message):
        """The user wants the question before."""

        def __init__(self, step: SetupStep) -> None:
            super().__init__()
            self.step = step

    def compose(self) -> ComposeResult:
        """Heading, sentence, answer, buttons."""
        yield Static(self.title, classes="title", markup=False)
        yield Static(self.sentence(), classes="lead", markup=False)
        yield from self.answers()
        with Horizontal(classes="buttons"):
            if self.on_word:
                yield TextButton(f"{self.on_word} ›", id="on", primary=True)
            yield TextButton(f"‹ {self.back_word}", id="back")

    def sentence(self) -> str:
        """The sentence under the heading."""
        return ""

    def answers(self) -> Sequence[Widget]:
        """What the answer is given with."""
        return ()

    def arrive(self) -> None:
        """The question is shown, for the first time or again."""

    def leave(self) -> None:
        """The question is left backwards: stop what runs."""

    def forward(self) -> None:
        """The button that goes on was pressed."""

    def say(self, sentence: str, *, wrong: bool = False) -> None:
        """Change the sentence under the heading."""
        lead = self.query_one(".lead", Static)
        lead.update(Content(printable(sentence, 600)))
        lead.set_class(wrong, "-wrong")

    def head(self, title: str) -> None:
        """Change the heading."""
        self.query_one(".title", Static).update(Content(printable(title, 200)))

    @on(TextButton.Pressed)
    def _pressed(self, event: TextButton.Pressed) -> None:
        event.stop()
        if event.button.id == "back":
            self.post_message(self.Back(self))
        else:
            self.forward()


class FindingLine(Horizontal):
    """A finding: its glyph and what was looked at, beside them what came of it, its hint below."""

    DEFAULT_CSS = """
    FindingLine { height: auto; }
    FindingLine > .topic { width: 13; height: 1; color: $muted; }
    FindingLine > .text { width: 1fr; height: auto; }
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        self._finding = finding

    def compose(self) -> ComposeResult:
        """Two columns."""
        finding = self._finding
        glyph, tone = GLYPHS[finding.state]
        yield Static(Content.assemble((f"{glyph} ", f"${tone}"), printable(finding.topic)), classes="topic")
        said = [(printable(finding.text, 600), "$error" if finding.state == "bad" else "$foreground")]
        if finding.hint:
            said.append((f"\n{printable(finding.hint, 600)}", "$muted"))
        yield Static(Content.assemble(*said), classes="text")


class SentenceLine(Horizontal):
    """A word and a sentence, as the lines of the last page."""

    DEFAULT_CSS = """
    SentenceLine { height: auto; }
    SentenceLine > .word { width: 13; height: 1; color: $muted; }
    SentenceLine > .sentence { width: 1fr; height: auto; }
    """

    def __init__(self, word: str, sentence: str) -> None:
        super().__init__()
        self._word, self._sentence = word, sentence

    def compose(self) -> ComposeResult:
        """Two columns."""
        yield Static(Content(printable(self._word)), classes="word")
        yield Static(Content(printable(self._sentence, 600)), classes="sentence")
