"""The rows of a form: a label, a line to type in, and under it what is wrong; and a choice of a few words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.highlighter import Highlighter
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from agor_tui.config.connection import BULLET, secret_spans
from agor_tui.statuses import Tone
from agor_tui.text import printable
from agor_tui.tui.widgets.line import Line
from agor_tui.tui.widgets.line_input import LineInput

FORM_KEYS = Binding.Group("Form")
COMPLAINT = "✗ "


def _way_keys(line: str, following: str, before: str) -> list[BindingType]:
    """The keys that lead through a form, for a kind of line."""
    return [
        Binding("enter", "submit", "go on", id=f"form.{line}.submit", tooltip="Go on with this", group=FORM_KEYS),
        Binding(
            following, "app.focus_next", "next field",
            key_display="⇥", id=f"form.{line}.next", tooltip="The next field (also tab)", group=FORM_KEYS,
        ),
        Binding(
            before, "app.focus_previous", "field before",
            show=False, id=f"form.{line}.previous", tooltip="The field before (also shift+tab)", group=FORM_KEYS,
        ),
    ]  # fmt: skip


class _Masked(Highlighter):
    """Draws bullets, as many, where a URL holds a secret."""

    def highlight(self, text: Text) -> None:
        plain = text.plain
        for start, end in secret_spans(plain):
            plain = plain[:start] + BULLET * (end - start) + plain[end:]
        text.plain = plain


class FormInput(LineInput):
    """A line to type in; ↑ and ↓ lead to the lines around it. A URL's secrets are drawn as bullets."""

    BINDINGS: ClassVar[list[BindingType]] = _way_keys("text", "down", "up")

    def __init__(
        self, name: str, value: str = "", placeholder: str = "", *, password: bool = False, is_url: bool = False
    ) -> None:
        super().__init__(
            value,
            placeholder=placeholder,
            password=password,
            highlighter=_Masked() if is_url else None,
            name=name,
            id=f"field-{name}",
        )


class ChoiceLine(Line, can_focus=True):
    """One of a few words, chosen by ← and → or the mouse."""

    DEFAULT_CSS = "ChoiceLine { width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "right,l,space", "move(1)", "choose",
            key_display="← →", id="form.choice.right", tooltip="The next choice", group=FORM_KEYS,
        ),
        Binding(
            "left,h", "move(-1)", "choose before",
            show=False, id="form.choice.left", tooltip="The choice before", group=FORM_KEYS,
        ),
        *_way_keys("choice", "down,j", "up,k"),
    ]  # fmt: skip

    value: reactive[str] = reactive("")
    """The chosen one."""

    @dataclass
    class Changed(Message):
        """Another one was chosen."""

        name: str
        value: str

    @dataclass
    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, name: str, choices: Sequence[tuple[str, str]], value: str) -> None:
        """``choices``: the values and the words for them."""
        super().__init__(name=name, id=f"field-{name}")
        self._choices = tuple(choices)
        self.set_reactive(ChoiceLine.value, value)

    def spans(self, width: int) -> list[tuple[str, Tone]]:
        """The words; the chosen one is marked by its circle."""
        spans: list[tuple[str, Tone]] = []
        for value, word in self._choices:
            chosen = value == self.value
            tone: Tone = "muted" if not chosen else "accent" if self.has_focus else "text"
            spans.append((f"{'◉' if chosen else '○'} {word}   ", tone))
        return spans

    def on_focus(self) -> None:
        """Show that keys arrive here."""
        self.refresh()

    def on_blur(self) -> None:
        """Show that keys do not arrive here."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Choose the word under the mouse."""
        x = 0
        for value, word in self._choices:
            end = x + cell_len(word) + 5
            if x <= event.x < end:
                self._choose(value)
            x = end

    def action_move(self, by: int) -> None:
        """Choose the next one, or the one before; round and round."""
        values = [value for value, _ in self._choices]
        at = values.index(self.value) if self.value in values else 0
        self._choose(values[(at + by) % len(values)])

    def action_submit(self) -> None:
        """Go on."""
        self.post_message(self.Submitted())

    def _choose(self, value: str) -> None:
        if value != self.value:
            self.value = value
            self.post_message(self.Changed(self.name or "", value))


class FormRow(Vertical):
    """One or two fields side by side, each with its label, and under them what is wrong with them."""

    DEFAULT_CSS = """
    FormRow { height: auto; }
    FormRow > Horizontal { height: 1; }
    FormRow .label { width: 13; color: $muted; }
    FormRow .label.-second { width: 12; padding-left: 2; }
    FormRow Input.-first { width: 1fr; }
    FormRow Input.-second { width: 20; }
    FormRow .label.-here { color: $accent; }
    FormRow > .complaint { display: none; height: auto; color: $error; padding-left: 13; }
    FormRow.-wrong > .complaint { display: block; }
    """

    def __init__(self, *fields: tuple[str, FormInput | ChoiceLine], id: str | None = None) -> None:
        """``fields``: the labels and the lines."""
        super().__init__(id=id)
        self._fields = fields
        self._complaints: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Labels and lines, then the complaint."""
        with Horizontal():
            for number, (label, line) in enumerate(self._fields):
                place = "-second" if number else "-first"
                yield Static(label, classes=f"label {place}", markup=False, id=f"label-{line.name}")
                line.add_class(place)
                yield line
        yield Static("", classes="complaint", markup=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its fields."""
        return tuple(line.name or "" for _, line in self._fields)

    def complaint(self, name: str) -> str:
        """What is said to be wrong with a field."""
        return self._complaints.get(name, "")

    def complain(self, name: str, sentence: str) -> None:
        """Say what is wrong with a field; nothing where ``sentence`` is empty."""
        self._complaints[name] = sentence
        shown = [printable(self._complaints[each], 400) for each in self.names if self._complaints.get(each)]
        self.query_one(".complaint", Static).update(Content("\n".join(COMPLAINT + each for each in shown)))
        self.set_class(bool(shown), "-wrong")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Mark the label of the field that keys go to."""
        self._mark(event.widget.name or "", True)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Mark it no more."""
        self._mark(event.widget.name or "", False)

    def _mark(self, name: str, here: bool) -> None:
        for label in self.query(f"#label-{name}"):
            label.set_class(here, "-here")
