"""The session browser: the list, the filter above it and the selected session beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.timer import Timer

from agor_tui.errors import AgorError
from agor_tui.filters import SessionFilter
from agor_tui.records import Count, Match, Session, Sort
from agor_tui.text import count
from agor_tui.tui.asking import ask
from agor_tui.tui.session_columns import session_columns
from agor_tui.tui.widgets.filter_line import PROMPT_WIDTH, FilterLine
from agor_tui.tui.widgets.header_bar import HeaderBar
from agor_tui.tui.widgets.key_bar import KeyBar
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.session_panel import SessionPanel

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser
    from agor_tui.services.glance import Glance
    from agor_tui.tui.app import AgorApp
    from agor_tui.tui.widgets.session_heading import Tab

KEYS = Binding.Group("Sessions")
PAUSE = 0.08
"""Seconds that the cursor must rest before the selected session is read."""
MINUTE = 60
COMPLETED_FIELDS = ("tool", "repo", "worktree", "board", "user")

OPENING = Notice("Opening the database…", "", "esc stops waiting", "muted")
NOT_OPEN = Notice("No database is open", "", "R tries again, q leaves")
READING = Notice("Reading the sessions…", "", "esc stops waiting", "muted")
LEFT = Notice("Not read", "You left before the database answered.", "R reads again")
NO_SESSIONS = Notice(
    "No sessions yet",
    "This database holds no sessions, or only archived ones.",
    "/ archived:any shows archived ones too",
)


class BrowserScreen(Screen[None]):
    """All sessions of the open database, filtered and sorted."""

    HORIZONTAL_BREAKPOINTS = [(110, "-wide")]
    VERTICAL_BREAKPOINTS = [(40, "-tall")]
    HELP_FILTERS = True
    AUTO_FOCUS = "RecordTable"

    BINDINGS: ClassVar[list[BindingType]] = [
        # Those that open a line to type in come first: the keys that arrive in one go with them belong to it.
        Binding(
            "slash",
            "filter",
            "filter",
            key_display="/",
            id="browser.filter",
            tooltip="Filter",
            group=KEYS,
            priority=True,
        ),
        Binding(
            "g",
            "go_to",
            "go to id",
            id="browser.go_to",
            tooltip="Go to an id or its beginning",
            group=KEYS,
            priority=True,
        ),
        Binding("s", "sort", "sort", id="browser.sort", tooltip="Choose the order", group=KEYS),
        Binding("S", "reverse", "reverse", show=False, id="browser.reverse", tooltip="Reverse the order", group=KEYS),
        Binding("t", "tree", "tree", id="browser.tree", tooltip="The session's family tree", group=KEYS),
        Binding("y", "copy", "copy id", id="browser.copy", tooltip="Copy the session's id", group=KEYS),
        Binding("R", "refresh", "refresh", show=False, id="browser.refresh", tooltip="Read anew", group=KEYS),
        Binding(
            "escape",
            "leave",
            "cancel, clear",
            show=False,
            id="browser.leave",
            tooltip="Stop waiting; else take the filter away",
            group=KEYS,
        ),
    ]

    app: AgorApp

    def __init__(self) -> None:
        super().__init__()
        self._filter = SessionFilter()
        self._filter_text = ""
        self._sort = Sort()
        self._total: int | None = None
        self._request = 0
        self._values: dict[str, tuple[str, ...]] | None = None
        self._rest: Timer | None = None
        self._has_session = False

    def compose(self) -> ComposeResult:
        """Header, filter, list and panel, keys."""
        clock = self.app.clock
        yield HeaderBar()
        yield FilterLine(self._known_values, clock)
        with Container(id="sessions"):
            table: RecordTable[Session] = RecordTable(session_columns(clock, self._sort), lambda session: session.id)
            table.notice = OPENING
            yield table
            yield SessionPanel(clock)
        yield KeyBar()

    def on_mount(self) -> None:
        """Follow the app's database."""
        self.watch(self.app, "browser", self._database_opened, init=False)
        self.watch(self.app, "opening", self._opening_changed, init=False)
        # Directly, not by message: the panel then follows the cursor in the same frame.
        self.watch(self.table, "cursor", self._show_selected, init=False)
        self.set_interval(MINUTE, self._minute_passed)

    @property
    def table(self) -> RecordTable[Session]:
        """The list."""
        return self.query_one(RecordTable)

    @property
    def panel(self) -> SessionPanel:
        """The selected session's panel."""
        return self.query_one(SessionPanel)

    @property
    def filter_line(self) -> FilterLine:
        """The filter line."""
        return self.query_one(FilterLine)

    # The list

    def _database_opened(self, browser: Browser | None) -> None:
        if browser is None:
            return
        self._sort = browser.default_sort
        self._total = None
        self._values = None
        self.table.say(READING)
        self._read()

    def _opening_changed(self, opening: bool) -> None:
        if self.app.browser is None:
            self.table.say(OPENING if opening else NOT_OPEN)

    def _read(self, key: str | None = None) -> None:
        """Show the list as it is asked for now; ``key`` is the session to stay on."""
        browser = self.app.browser
        if browser is None:
            return
        from agor_tui.services.session_pages import SessionPages

        self._request += 1
        table = self.table
        table.empty = self._empty_notice()
        table.set_columns(session_columns(self.app.clock, self._sort))
        table.mark_sort(self._sort.key, self._sort.descending)
        index = table.cursor if key is not None else 0
        table.show(SessionPages(browser, self._filter, self._sort), index=index, key=key)

    def _empty_notice(self) -> Notice:
        if not self._filter_text.strip():
            return NO_SESSIONS
        return Notice(
            "No session matches", f"Nothing fits the filter {self._filter_text.strip()}", "esc takes the filter away"
        )

    @on(RecordTable.Changed)
    def _list_changed(self, event: RecordTable.Changed) -> None:
        event.stop()
        browser, table = self.app.browser, self.table
        if self._filter == SessionFilter():
            if table.count.exact and table.notice is None and not table.busy:
                self._total = table.count.value
        elif browser is not None and self._total is None and not table.busy:
            self._total = 0
            ask(self, lambda: browser.session_count(SessionFilter()).value, self._counted_all, _unsaid)
        self._show_count()

    def _show_count(self) -> None:
        table = self.table
        if table.busy:
            text = "reading…"
        elif self.app.browser is None or (table.notice is not None and table.notice is not table.empty):
            text = ""
        elif self._filter == SessionFilter():
            text = f"{_number(table.count)} {'session' if table.count.value == 1 else 'sessions'}"
        else:
            text = _number(table.count) + (f" of {count(self._total)}" if self._total else "")
        self.filter_line.set_count(text)

    def _counted_all(self, total: int) -> None:
        self._total = total
        self._show_count()

    def _minute_passed(self) -> None:
        self.table.redraw()
        self.panel.redraw()

    # The filter

    @on(FilterLine.Applied)
    def _filtered(self, event: FilterLine.Applied) -> None:
        event.stop()
        self._filter_text = event.text
        if event.filter != self._filter or event.final:
            changed = event.filter != self._filter
            self._filter = event.filter
            if changed or self.table.notice is not None:
                self._read()
            browser = self.app.browser
            if browser is not None and event.text.strip():
                self._explain(browser, event.filter)

    def _explain(self, browser: Browser, wanted: SessionFilter) -> None:
        request = self._request

        def explained(notes: tuple[str, ...]) -> None:
            if request == self._request and notes:
                self.filter_line.explain(" ".join(notes), "warning", PROMPT_WIDTH)

        ask(self, lambda: browser.explain_filter(wanted), explained, _unsaid)

    @on(FilterLine.Left)
    def _filter_left(self, event: FilterLine.Left) -> None:
        event.stop()
        self.set_focus(self.table)

    def _known_values(self, field: str) -> Sequence[str]:
        return (self._values or {}).get(field, ())

    def _values_read(self, values: dict[str, tuple[str, ...]]) -> None:
        self._values = values
        self.filter_line.refresh_offer()

    # The selected session

    @on(RecordTable.Highlighted)
    def _highlighted(self, event: RecordTable.Highlighted[Session]) -> None:
        event.stop()
        if self._has_session != (event.record is not None):
            self._has_session = event.record is not None
            self.refresh_bindings()
        self._show_selected()

    def _show_selected(self) -> None:
        if self.panel.display:
            self.panel.show(self.table.current)
            self._fill_soon()

    def _fill_soon(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(PAUSE, self._fill)

    def _fill(self) -> None:
        session, browser = self.table.current, self.app.browser
        if session is None or browser is None or not self.panel.display:
            return
        from agor_tui.services.glance import glance

        session_id = session.id

        def failed(error: AgorError) -> None:
            if self._is_current(session_id):
                self.panel.fail(error)

        def filled(found: Glance) -> None:
            if self._is_current(session_id):
                self.panel.fill(found)

        ask(self, lambda: glance(browser, session_id), filled, failed)

    def _is_current(self, session_id: str) -> bool:
        current = self.table.current
        return current is not None and current.id == session_id

    def on_resize(self) -> None:
        """The panel may have come into sight."""
        self.call_after_refresh(self._show_selected)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a session there is nothing to open or copy; in the filter ``/`` and ``g`` are characters."""
        if action in ("filter", "go_to") and self.is_mounted:
            return not self.filter_line.input.has_focus
        if action in ("tree", "copy"):
            return self._has_session or None
        return True

    def action_filter(self) -> None:
        """Edit the filter."""
        self.filter_line.edit()
        browser = self.app.browser
        if self._values is None and browser is not None:
            ask(
                self,
                lambda: {field: browser.filter_values(field) for field in COMPLETED_FIELDS},
                self._values_read,
                _unsaid,
            )

    def action_go_to(self) -> None:
        """Ask for an id and open what it names."""
        from agor_tui.tui.screens.go_to import GoToModal

        if self.app.browser is not None:
            self.app.push_screen(GoToModal(self.app.browser, self.app.clock), self._go_to)

    def _go_to(self, match: Match | None) -> None:
        if match is not None:
            self._open(match.session_id or match.id, at=None if match.kind == "session" else match)

    def action_sort(self) -> None:
        """Choose the order."""
        from agor_tui.tui.screens.sort import SortModal

        if self.app.browser is not None:
            self.app.push_screen(SortModal(self.app.browser.sorts, self._sort), self._sort_by)

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._sort_by(Sort(self._sort.key, not self._sort.descending))

    def _sort_by(self, sort: Sort | None) -> None:
        if sort is not None and sort != self._sort:
            self._sort = sort
            self._read()

    @on(RecordTable.HeaderSelected)
    def _header_clicked(self, event: RecordTable.HeaderSelected) -> None:
        event.stop()
        from agor_tui.tui.screens.sort import chosen_sort

        self._sort_by(chosen_sort(event.sort, self._sort))

    def action_copy(self) -> None:
        """Copy the id of the selected session."""
        session = self.table.current
        if session is not None:
            self.app.copy_to_clipboard(session.id)
            self.notify(f"Copied {session.id}", markup=False)

    def action_refresh(self) -> None:
        """Read the list anew, or try again to open the database."""
        if self.app.browser is None:
            self.app.open_database()
            return
        current = self.table.current
        self._total = None
        self._values = None
        self._read(current.id if current else None)

    def action_leave(self) -> None:
        """Stop what is under way; else take the filter away."""
        if self.app.opening:
            self.app.leave_opening()
        elif self.table.busy:
            self._cancel()
        elif self.filter_line.text:
            self.filter_line.clear()

    def _cancel(self) -> None:
        table = self.table
        table.leave()
        if self.app.browser is not None:
            ask(self, self.app.browser.cancel, lambda _: None, _unsaid)
        if table.notice is READING:
            table.say(LEFT)

    def action_tree(self) -> None:
        """Open the selected session's family."""
        session = self.table.current
        if session is not None:
            self._open(session.id, "tree")

    @on(RecordTable.Selected)
    def _selected(self, event: RecordTable.Selected[Session]) -> None:
        event.stop()
        self._open(event.record.id)

    def _open(self, session_id: str, tab: Tab = "conversation", *, at: Match | None = None) -> None:
        from agor_tui.tui.screens.session import SessionScreen

        self.app.push_screen(SessionScreen(session_id, tab, at=at))


def _unsaid(error: AgorError) -> None:
    """Leave an error unsaid: the list, which asked the same database, says what is wrong."""


def _number(number: Count) -> str:
    return count(number.value) if number.exact else f"{count(number.value)}+"
