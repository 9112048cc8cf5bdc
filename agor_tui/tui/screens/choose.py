"""Choosing one of a few things, by typing a part of it or by the arrows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.table_columns import Column
from agor_tui.tui.widgets.table_pages import ListSource

MOST_ROWS = 12
NONE = Notice("Nothing fits", "", "Type less")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the things: the value to answer with, its name, and a word beside it."""

    value: str
    label: str
    detail: str = ""


class ChoiceInput(LineInput):
    """Narrows the list; ↑ and ↓ move in it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "screen.move(1)", "choose", key_display="↑↓", id="choose.next", tooltip="Next one"),
        Binding("up", "screen.move(-1)", show=False, id="choose.previous", tooltip="The one before"),
        Binding("enter", "screen.take", "take", id="choose.take", tooltip="Take it"),
    ]


class ChooseModal(Dialog[str | None]):
    """Answers with the value of the choice, None when left. ``current`` is the value to begin on."""

    CSS = """
    ChooseModal { align: center middle; background: $background 60%; }
    ChooseModal > Vertical {
        width: 64; max-width: 94%; height: auto; background: $background; border: round $rule; padding: 0 1;
    }
    ChooseModal Static { height: auto; padding: 0 1; }
    ChooseModal Input { margin: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "cancel", id="choose.leave", tooltip="Leave it as it is")
    ]

    def __init__(self, title: str, choices: Sequence[Choice], *, current: str | None = None) -> None:
        super().__init__()
        self._title = title
        self._choices = tuple(choices)
        self._current = current

    def compose(self) -> ComposeResult:
        """The question, what is typed, the choices."""
        current = self._current
        columns: tuple[Column[Choice], ...] = (
            Column("mark", "", lambda choice: (("•" if choice.value == current else " ", "accent"),), 1, 1),
            Column("label", "", lambda choice: ((printable(choice.label, 300), "text"),), 12, 40, fits=True),
            Column("detail", "", lambda choice: ((printable(choice.detail, 300), "muted"),), 8, 60, gives_way=1),
        )
        with Vertical():
            yield Static(Content(printable(self._title, 400)).stylize("bold"))
            yield ChoiceInput(placeholder="type to narrow", select_on_focus=False)
            table: RecordTable[Choice] = RecordTable(columns, lambda choice: choice.value)
            table.can_focus = False
            table.empty = NONE
            table.styles.height = min(MOST_ROWS, max(2, len(self._choices))) + 1
            yield table

    def on_mount(self) -> None:
        """Begin on the present one."""
        self._table.show(ListSource(self._choices), key=self._current)

    @property
    def _table(self) -> RecordTable[Choice]:
        return self.query_one(RecordTable)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        words = event.value.casefold().split()
        fitting = [
            choice
            for choice in self._choices
            if all(word in f"{choice.label} {choice.detail}".casefold() for word in words)
        ]
        self._table.show(ListSource(fitting), key=self._current)

    def action_move(self, by: int) -> None:
        """Move in the list."""
        self._table.action_cursor(by)

    def action_take(self) -> None:
        """Answer with the choice under the cursor."""
        choice = self._table.current
        if choice is not None:
            self.dismiss(choice.value)

    @on(RecordTable.Selected)
    def _selected(self, event: RecordTable.Selected[Choice]) -> None:
        event.stop()
        self.dismiss(event.record.value)
