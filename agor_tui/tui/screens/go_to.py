"""Going to an id: what an id or its beginning fits, listed while it is typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input, Static

from agor_tui.errors import AgorError
from agor_tui.records import Ambiguity, Kind, Match
from agor_tui.statuses import Tone
from agor_tui.text import count, printable, title_text
from agor_tui.tui.asking import ask
from agor_tui.tui.moments import Moments
from agor_tui.tui.screen import Dialog
from agor_tui.tui.widgets.line_input import LineInput
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.table_columns import Column
from agor_tui.tui.widgets.table_pages import ListSource

if TYPE_CHECKING:
    pass

KINDS: tuple[Kind, ...] = ("session", "task", "message")
"""The kinds that a session screen can show."""
PAUSE = 0.06
ASK = Notice("Type or paste an id", "The first four characters are enough to begin, dashes or not.", tone="muted")


class Finder(Protocol):
    """What ids are sought in: one database, or several. Its methods block."""

    def candidates(self, prefix: str, kinds: tuple[Kind, ...]) -> Ambiguity:
        """How many rows a prefix fits, and the first of them."""

    def resolve(self, prefix: str, kinds: tuple[Kind, ...]) -> Match:
        """The one row that an id names; the hint of NotFoundError names the nearest."""


class GoToInput(LineInput):
    """The id; ↑ and ↓ move in the list below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "screen.move(1)", "choose", key_display="↑↓", id="go_to.next", tooltip="Next one"),
        Binding("up", "screen.move(-1)", "choose", show=False, id="go_to.previous", tooltip="The one before"),
        Binding("enter", "screen.open", "open", id="go_to.open", tooltip="Open it"),
    ]


class GoToModal(Dialog[Match | None]):
    """Answers with what to open, None when left; ``several`` databases are told apart by a column."""

    CSS = """
    GoToModal { align: center top; background: $background 60%; }
    GoToModal > Vertical {
        width: 100%; height: 18; max-height: 90%; margin-top: 2;
        background: $background; border: round $rule; padding: 0 1;
    }
    GoToModal.-wide > Vertical { width: 96; }
    GoToModal Horizontal { height: 2; }
    GoToModal .prompt { width: 11; color: $accent; padding: 0 1; }
    GoToModal GoToInput { width: 1fr; }
    GoToModal .answer { width: auto; max-width: 50%; color: $muted; padding: 0 1; }
    """
    HORIZONTAL_BREAKPOINTS = [(106, "-wide")]  # no strip of what is below beside it, too narrow to be read
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "close", id="go_to.close", tooltip="Stay where you are")
    ]

    def __init__(self, finder: Finder, moments: Moments, *, several: bool = False) -> None:
        super().__init__()
        self._finder = finder
        self._several = several
        self._moments = moments
        self._request = 0
        self._timer: Timer | None = None
        self._open_when_found = False

    def compose(self) -> ComposeResult:
        """The id, how many it fits, and which."""
        columns: Sequence[Column[Match]] = (
            Column("id", "ID", lambda match: ((match.short_id, "accent"),), 8, 36, gives_way=1, fits=True),
            Column("kind", "KIND", lambda match: ((match.kind, "muted"),), 7, 7, gives_way=3),
            Column("title", "TITLE", lambda match: ((title_text(match.title, 300), "text"),), 12, 40),
            *([Column("database", "DATABASE", _database, 8, 16, fits=True)] if self._several else []),
            Column("age", "AGE", self._age, 4, 10, gives_way=2, right=True, fits=True),
        )
        with Vertical():
            with Horizontal():
                yield Static("Go to id", classes="prompt")
                yield GoToInput(placeholder="0199b73d")
                yield Static("", classes="answer", markup=False)
            table: RecordTable[Match] = RecordTable(columns, lambda match: f"{match.database}\0{match.id}")
            table.notice = ASK
            table.can_focus = False
            yield table

    def on_key(self, event: events.Key) -> None:
        """Keys that arrive before the input has the focus are its own."""
        if event.is_printable and event.character is not None and self.focused is None:
            event.stop()
            self.query_one(GoToInput).insert_text_at_cursor(event.character)

    def _age(self, match: Match) -> tuple[tuple[str, Tone], ...]:
        return ((self._moments.text(match.time), "muted"),)

    @property
    def _table(self) -> RecordTable[Match]:
        return self.query_one(RecordTable)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._request += 1
        self._open_when_found = False
        if self._timer is not None:
            self._timer.stop()
        text = event.value.strip()
        if len(text) < 4:
            self._say("")
            self._table.say(ASK)
            return
        self._timer = self.set_timer(PAUSE, lambda: self._ask(text, self._request))

    def _ask(self, text: str, request: int) -> None:
        finder = self._finder

        def search() -> tuple[Ambiguity, str]:
            found = finder.candidates(text, KINDS)
            return found, "" if found.count else _nearest(finder, text)

        def failed(error: AgorError) -> None:
            if request == self._request:
                self._say("")
                self._table.say(Notice(error.title, error.message, error.hint, "error"))

        def found(answer: tuple[Ambiguity, str]) -> None:
            if request == self._request:
                self._answered(*answer)

        ask(self, search, found, failed)

    def _answered(self, found: Ambiguity, nearest: str) -> None:
        if not found.count:
            self._say("none")
            self._table.say(Notice("No such id", "No session, task or message has an id that begins so.", nearest))
            return
        shown, total = len(found.matches), found.count
        fit = "1 fits" if total == 1 else f"{count(total)} fit"
        self._say(fit if shown == total else f"{fit}, the first {shown}")
        self._table.show(ListSource(found.matches))
        if self._open_when_found and total == 1:
            self.dismiss(found.matches[0])

    def _say(self, text: str) -> None:
        self.query_one(".answer", Static).update(text)

    def action_move(self, by: int) -> None:
        """Move in the list."""
        self._table.action_cursor(by)

    def action_open(self) -> None:
        """Open the chosen one, or the only one as soon as it is found."""
        match = self._table.current
        if match is None or self._table.busy:
            self._open_when_found = True
        else:
            self.dismiss(match)

    @on(RecordTable.Selected)
    def _selected(self, event: RecordTable.Selected[Match]) -> None:
        event.stop()
        self.dismiss(event.record)


def _database(match: Match) -> tuple[tuple[str, Tone], ...]:
    return ((printable(match.database, 40), "muted"),)


def _nearest(finder: Finder, text: str) -> str:
    """The hint with the nearest id that exists."""
    try:
        finder.resolve(text, KINDS)
    except AgorError as error:
        return error.hint
    return ""
