"""The filter line: what is typed is parsed at once, completed and explained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.highlighter import Highlighter
from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import Input, Static

from agor_tui.cells import fit
from agor_tui.filters import Completion, FilterError, SessionFilter, complete, parse_session_filter
from agor_tui.statuses import Tone
from agor_tui.text import printable
from agor_tui.tui.tones import tones_of
from agor_tui.tui.widgets.completions import Completions
from agor_tui.tui.widgets.line import Line
from agor_tui.tui.widgets.line_input import LineInput

if TYPE_CHECKING:
    from agor_tui.tui.app import Clock

PROMPT_WIDTH = 3
PAUSE = 0.15
"""Seconds without a key after which the list follows what is typed."""

FILTER_KEYS = Binding.Group("Filter")


class FilterInput(LineInput):
    """The text of the filter; moves in the completions and leaves by its own keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "apply", "apply", id="filter.apply", tooltip="Use the filter", group=FILTER_KEYS),
        Binding("tab", "complete", "complete", id="filter.complete", tooltip="Take the completion", group=FILTER_KEYS),
        Binding(
            "down", "choose(1)", "choose", key_display="↑↓", id="filter.next", tooltip="Choose one", group=FILTER_KEYS
        ),
        Binding("up", "choose(-1)", show=False, id="filter.previous", group=FILTER_KEYS),
        Binding("escape", "leave", "to the list", id="filter.leave", tooltip="Back to the list", group=FILTER_KEYS),
    ]

    @dataclass
    class Asked(Message):
        """A key of the filter line was pressed: apply, complete, next, previous or leave."""

        what: str

    def action_apply(self) -> None:
        """Use the filter."""
        self.post_message(self.Asked("apply"))

    def action_complete(self) -> None:
        """Take the chosen or the first completion."""
        self.post_message(self.Asked("complete"))

    def action_choose(self, by: int) -> None:
        """Choose another completion."""
        self.post_message(self.Asked("next" if by > 0 else "previous"))

    def action_leave(self) -> None:
        """Close the completions, then go back to the list."""
        self.post_message(self.Asked("leave"))


class FilterRule(Line):
    """The rule under the filter line; in its place stands what is wrong with the filter, under the word at fault."""

    note: reactive[str] = reactive("")
    """The explanation."""
    tone: reactive[Tone] = reactive("error")
    """Its tone."""
    at: reactive[int] = reactive(0)
    """The cell it points to."""

    def spans(self, width: int) -> list[tuple[str, Tone]]:
        """A rule, or the explanation, which begins under the place where it fits there."""
        if not self.note:
            return [("─" * width, "rule")]
        rest = width - self.at - cell_len(self.note) - 3
        if rest > 0:
            return [("─" * self.at, "rule"), (f"▲ {self.note} ", self.tone), ("─" * rest, "rule")]
        text = fit(self.note, width - 2)
        return [("─" * (width - cell_len(text) - 1), "rule"), (f" {text}", self.tone)]


class Fault(Highlighter):
    """Underlines the part of the filter that is not understood."""

    def __init__(self) -> None:
        self.span: tuple[int, int] | None = None
        self.style = Style()

    def highlight(self, text: Text) -> None:
        """Underline it."""
        if self.span is not None:
            text.stylize(self.style, *self.span)


class ListCount(Line):
    """How many there are, at the right edge; a width of its own, so that nothing moves when it changes."""

    text: reactive[str] = reactive("")
    """The words."""

    def spans(self, width: int) -> list[tuple[str, Tone]]:
        """The words, flush right."""
        text = fit(self.text, max(0, width - 1))
        return [(" " * (width - 1 - cell_len(text)), "text"), (text, "muted")]


class FilterLine(Vertical):
    """A line to type a filter in, the count at its right, and a rule that becomes an explanation."""

    DEFAULT_CSS = """
    FilterLine {
        height: 2;
        & > Horizontal { height: 1; }
        & .prompt { width: 3; color: $accent; }
        & FilterInput { width: 1fr; }
        & ListCount { width: 34; max-width: 60%; }
    }
    """

    @dataclass
    class Applied(Message):
        """The list shall show this filter. ``final`` when it was asked for by key, not while typing."""

        filter: SessionFilter
        text: str
        final: bool

    @dataclass
    class Faulty(Message):
        """What is typed is no filter; the list still follows the one before."""

    @dataclass
    class Left(Message):
        """The user goes back to the list."""

    def __init__(self, values: Callable[[str], Sequence[str]], clock: Clock) -> None:
        super().__init__()
        self._completions = Completions()
        self._values = values
        self._clock = clock
        self._fault = Fault()
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Prompt, input, count, rule, and the completions that float over what is below."""
        with Horizontal():
            yield Static(" /", classes="prompt")
            yield FilterInput(placeholder="filter", select_on_focus=False, highlighter=self._fault)
            yield ListCount()
        yield FilterRule()
        yield self._completions

    @property
    def input(self) -> FilterInput:
        """The input."""
        return self.query_one(FilterInput)

    @property
    def text(self) -> str:
        """What is typed."""
        return self.input.value

    def set_count(self, text: str) -> None:
        """Say at the right how many there are."""
        self.query_one(ListCount).text = text

    def edit(self) -> None:
        """Take the focus, at once, so that the next key is a character of the filter; offer what may be typed."""
        self.screen.set_focus(self.input)
        self._offer()

    def show(self, text: str) -> None:
        """Put a filter there that is in use already."""
        self._set(text, len(text))
        self._mark(None)
        self.explain("")
        self._completions.offer(())

    def clear(self) -> None:
        """Take the filter away."""
        self._set("", 0)
        self._apply(final=True)

    def explain(self, note: str, tone: Tone = "error", at: int = 0) -> None:
        """Say something in place of the rule; an empty note restores it."""
        rule = self.query_one(FilterRule)
        rule.note, rule.tone, rule.at = printable(note), tone, at

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._mark(None)
        self.explain("")
        if self.input.has_focus:
            self._offer()
        self._later()

    @on(FilterInput.Asked)
    def _asked(self, event: FilterInput.Asked) -> None:
        event.stop()
        offered = self._completions
        if event.what in ("next", "previous"):
            if offered.display:
                offered.move(1 if event.what == "next" else -1)
            elif event.what == "next":
                self.post_message(self.Left())
        elif event.what == "complete" or (event.what == "apply" and offered.display and offered.chosen):
            if offered.display and offered.first is not None:
                self.take(offered.first)
            elif event.what == "complete":
                self._offer()
        elif event.what == "apply":
            if self._apply(final=True):
                self._leave()
        elif offered.display:
            offered.offer(())
        else:
            self._leave()

    def _leave(self) -> None:
        self._completions.offer(())
        self.post_message(self.Left())

    def take(self, completion: Completion) -> None:
        """Put a completion in its place; after a key its values are offered."""
        value = self.text
        self._set(
            value[: completion.start] + completion.text + value[completion.end :],
            completion.start + len(completion.text),
        )
        self.screen.set_focus(self.input)
        if completion.text.endswith(":"):
            self._offer()
        else:
            self._completions.offer(())
        self._later()

    @on(Completions.Clicked)
    def _clicked(self, event: Completions.Clicked) -> None:
        event.stop()
        self.take(event.completion)

    def _set(self, value: str, cursor: int) -> None:
        with self.input.prevent(Input.Changed):
            self.input.value = value
        self.input.cursor_position = cursor

    def _offer(self) -> None:
        found = complete(self.text, self.input.cursor_position, self._values)
        start = found[0].start if found else 0
        self._completions.offer(found, self._cell(start))

    def refresh_offer(self) -> None:
        """Offer again: more values are known now."""
        if self.input.has_focus and self._completions.display:
            self._offer()

    def _later(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE, lambda: self._apply(final=False))

    def _apply(self, final: bool) -> bool:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        try:
            wanted = parse_session_filter(self.text, self._clock())
        except FilterError as error:
            still_typing = self._completions.display and error.end >= self.input.cursor_position
            if final or not still_typing:
                self._mark((error.start, error.end))
                self.explain(error.message, at=self._cell(error.start))
                self.post_message(self.Faulty())
            return False
        self._mark(None)
        self.explain("")
        self.post_message(self.Applied(wanted, self.text, final))
        return True

    def _mark(self, span: tuple[int, int] | None) -> None:
        self._fault.span = span
        self._fault.style = Style(underline=True) + tones_of(self.app).style("error")
        self.input.refresh()

    def _cell(self, position: int) -> int:
        """The cell of a character of the input, from the left edge of the line."""
        return PROMPT_WIDTH + cell_len(self.text[:position]) - self.input.scroll_offset.x
