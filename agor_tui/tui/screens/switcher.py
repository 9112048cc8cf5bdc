"""The quick switcher: the databases by name, the one opened last first; a path or a URL can be typed as well."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from agor_tui.config.places import Place, describe
from agor_tui.config.settings import looks_like_path
from agor_tui.config.urls import is_url
from agor_tui.database_records import DatabaseInfo
from agor_tui.errors import AgorError
from agor_tui.services.configuration import Configuration, NamedDatabase
from agor_tui.services.memory import Memory, key_of
from agor_tui.statuses import Tone
from agor_tui.text import printable
from agor_tui.tui.asking import ask
from agor_tui.tui.database_rows import DatabaseRow, dialect_of, place_text, rows_of
from agor_tui.tui.screen import Dialog
from agor_tui.tui.widgets.line_input import LineInput
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.table_columns import Column
from agor_tui.tui.widgets.table_pages import ListSource

if TYPE_CHECKING:
    from agor_tui.tui.app import AgorApp

READING = Notice("Reading the settings…", "", "", "muted")
NONE = Notice(
    "No database is named in the config file", "Type a path or a URL, or add one on the databases screen (3)."
)


class SwitcherInput(LineInput):
    """Narrows the list; ↑ and ↓ move in it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "screen.move(1)", "choose", key_display="↑↓", id="switcher.next", tooltip="Next one"),
        Binding("up", "screen.move(-1)", show=False, id="switcher.previous", tooltip="The one before"),
        Binding("enter", "screen.take", "switch", id="switcher.take", tooltip="Switch to it"),
    ]


class SwitcherModal(Dialog[str | None]):
    """Answers with what to open, None when left. Nothing is asked of any database.

    ``current`` is the database that is open: the cursor begins on the one opened before it. With ``than`` another
    database than that one is asked for by its name, path or URL, and ``prompt`` says what for.
    """

    CSS = """
    SwitcherModal { align: center top; background: $background 60%; }
    SwitcherModal > Vertical {
        width: 96; max-width: 96%; height: 16; max-height: 90%; margin-top: 2;
        background: $background; border: round $rule; padding: 0 1;
    }
    SwitcherModal Horizontal { height: 2; }
    SwitcherModal .prompt { width: auto; color: $accent; padding: 0 1; }
    SwitcherModal SwitcherInput { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "close", id="switcher.close", tooltip="Stay with this database")
    ]

    app: AgorApp

    def __init__(
        self,
        configuration: Configuration,
        current: DatabaseInfo | None,
        *,
        prompt: str = "Switch to",
        than: Place | None = None,
    ) -> None:
        super().__init__()
        self._prompt = prompt
        self._than = key_of(than) if than is not None else None
        self._configuration = configuration
        self._current = current
        self._rows: list[DatabaseRow] | None = None
        self._first: DatabaseRow | None = None
        self._wrong: Notice | None = None
        self._take_when_read = False

    def compose(self) -> ComposeResult:
        """What is typed, and the databases that it fits."""
        columns: Sequence[Column[DatabaseRow]] = (
            Column("mark", "", lambda row: (("●" if row.is_open else " ", "success"),), 1, 1),
            Column("name", "NAME", lambda row: ((printable(row.name, 300), "text"),), 12, 24, gives_way=1),
            Column(
                "dialect",
                "DIALECT",
                lambda row: ((dialect_of(row) if row.place else "", "muted"),),
                10,
                10,
                gives_way=2,
            ),
            Column("where", "WHERE", _where, 16, 40, gives_way=3),
            Column("opened", "OPENED", self._opened, 8, 16, gives_way=4, right=True, fits=True),
        )
        with Vertical():
            with Horizontal():
                yield Static(self._prompt, classes="prompt", markup=False)
                yield SwitcherInput(placeholder="a name, a path or a URL")
            table: RecordTable[DatabaseRow] = RecordTable(columns, lambda row: row.key)
            table.notice = READING
            table.can_focus = False
            yield table

    def on_mount(self) -> None:
        """Read the settings in a thread."""
        configuration, browser = self._configuration, self.app.browser
        place = browser.store.database.place if browser else None
        opened = (self._current, place, self.app.target) if self._current and place else None

        def read() -> list[DatabaseRow]:
            rows = rows_of(configuration.databases(), Memory().load(), opened)
            return sorted(rows, key=_last_opened)

        ask(self, read, self._take_rows, self._fail)

    def on_key(self, event: events.Key) -> None:
        """Keys that arrive before the input has the focus are its own."""
        if event.is_printable and event.character is not None and self.focused is None:
            event.stop()
            self.query_one(SwitcherInput).insert_text_at_cursor(event.character)

    @property
    def _table(self) -> RecordTable[DatabaseRow]:
        return self.query_one(RecordTable)

    @property
    def _text(self) -> str:
        return self.query_one(SwitcherInput).value.strip()

    def _opened(self, row: DatabaseRow) -> tuple[tuple[str, Tone], ...]:
        words = "open" if row.is_open else self.app.moments.cell(row.opened_at) if row.opened_at else ""
        return ((words, "muted"),)

    def _take_rows(self, rows: list[DatabaseRow]) -> None:
        if self._than is not None:
            rows = [row for row in rows if row.place and row.database.target and key_of(row.place) != self._than]
        self._rows = rows
        self._show()
        if self._take_when_read:
            self.action_take()

    def _fail(self, error: AgorError) -> None:
        """The settings cannot be read; a path or a URL can be typed all the same."""
        self._rows = []
        self._wrong = Notice(error.title, error.message, error.hint, "error")
        self._show()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._rows is not None:
            self._show()

    def _show(self) -> None:
        """Show what fits the words, by name before by place; the cursor comes on the one that is named so, else on the
        first that is not open already.
        """
        text, table = self._text, self._table
        words = text.casefold().split()
        fitting = [row for row in self._rows or () if all(word in _text_of(row) for word in words)]
        fitting.sort(key=lambda row: _fit(row, words))
        named = [row for row in fitting if text and row.name == text]
        if typed := _as_typed(text):
            fitting.insert(len(named), typed)
        table.empty = self._wrong or (
            Notice("No database fits", "A path or a URL can be typed, too.") if text else NONE
        )
        first = named or [row for row in fitting if not row.is_open] or fitting
        self._first = first[0] if first else None
        table.show(ListSource(fitting), key=self._first.key if self._first else None)

    def action_move(self, by: int) -> None:
        """Move in the list."""
        self._table.action_cursor(by)

    def action_take(self) -> None:
        """Switch to the one under the cursor, or to the one that it will be on as soon as the settings are read."""
        if self._rows is None:
            self._take_when_read = True
        elif row := self._first if self._table.busy else self._table.current:
            self._answer(row)

    @on(RecordTable.Selected)
    def _selected(self, event: RecordTable.Selected[DatabaseRow]) -> None:
        event.stop()
        self._answer(event.record)

    def _answer(self, row: DatabaseRow) -> None:
        target = None if row.is_open and self._than is None else row.database.target
        self.dismiss(target)
        if target is None and not row.is_open:  # what an environment variable names has no other name
            self.app.switch_to(None)


def _last_opened(row: DatabaseRow) -> tuple[bool, float]:
    return not row.is_open, -row.opened_at.timestamp() if row.opened_at else 0.0


def _text_of(row: DatabaseRow) -> str:
    """What the words typed are sought in."""
    return f"{row.name} {describe(row.place) if row.place else ''} {dialect_of(row)}".casefold()


def _fit(row: DatabaseRow, words: Sequence[str]) -> int:
    """How well a row that holds all words fits them: 0 by its whole name, then by its beginning, a part of it, none."""
    name, text = row.name.casefold(), " ".join(words)
    if name == text:
        return 0
    return 1 if name.startswith(text) else 2 if all(word in name for word in words) else 3


def _where(row: DatabaseRow) -> tuple[tuple[str, Tone], ...]:
    return ((place_text(row.place) if row.place else printable(row.database.error or "", 300), "muted"),)


def _as_typed(text: str) -> DatabaseRow | None:
    """A row for a path or a URL; what a URL holds is not repeated, since a password may be in it."""
    if is_url(text):
        name = "the URL as typed"
    elif text and (looks_like_path(text) or os.path.lexists(os.path.expanduser(text))):
        name = text
    else:
        return None
    return DatabaseRow(NamedDatabase(None, None, None, False, "typed", text), typed_name=name)
