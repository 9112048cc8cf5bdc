"""What the screens that list sessions have in common: filter, list, and the selected session beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from agor_tui.errors import AgorError
from agor_tui.filters import SessionFilter
from agor_tui.records import Count, Match, Session, Sort
from agor_tui.text import count
from agor_tui.tui.asking import ask
from agor_tui.tui.export_flow import SessionExport
from agor_tui.tui.screen import AppScreen
from agor_tui.tui.screens.session_list_keys import LIST_BINDINGS
from agor_tui.tui.session_source import SessionSource
from agor_tui.tui.widgets.filter_line import PROMPT_WIDTH, FilterLine
from agor_tui.tui.widgets.key_bar import KeyBar
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.session_panel import SessionPanel
from agor_tui.tui.widgets.table_columns import Column
from agor_tui.tui.widgets.table_pages import PageSource

if TYPE_CHECKING:
    from agor_tui.config.preferences import Preferences
    from agor_tui.services.browser import Browser
    from agor_tui.tui.app import AgorApp
    from agor_tui.tui.widgets.session_heading import Tab

R = TypeVar("R")

MINUTE = 60
COMPLETED_FIELDS = ("tool", "repo", "worktree", "board", "user")

READING = Notice("Reading the sessions…", "", "esc stops waiting", "muted")
LEFT = Notice("Not read", "You left before the database answered.", "R reads again")


class SessionListScreen(AppScreen[None], Generic[R]):
    """A list of sessions, filtered and sorted. ``R`` is what a row is; subclasses say where rows come from."""

    CSS_PATH = "session_list.tcss"
    HORIZONTAL_BREAKPOINTS = [(110, "-wide")]
    VERTICAL_BREAKPOINTS = [(40, "-tall")]
    HELP_FILTERS = True
    AUTO_FOCUS = "RecordTable"

    BINDINGS: ClassVar[list[BindingType]] = list(LIST_BINDINGS)

    app: AgorApp

    def __init__(self) -> None:
        super().__init__()
        self._filter = SessionFilter()
        self._filter_text = ""
        self._faulty = False
        self._sort = Sort()
        self._total: int | None = None
        self._request = 0
        self._values: dict[str, tuple[str, ...]] | None = None
        self._has_session = False
        self._export = SessionExport(self, self.chosen)

    # What a subclass says of its rows

    def header(self) -> Sequence[Widget]:
        """What stands above the filter."""
        raise NotImplementedError

    def below_filter(self) -> Sequence[Widget]:
        """What stands between the filter and the list."""
        return ()

    def key_of(self, row: R) -> str:
        """What tells a row from others."""
        raise NotImplementedError

    def session_of(self, row: R) -> Session:
        """The session of a row."""
        raise NotImplementedError

    def browser_of(self, row: R) -> Browser | None:
        """The database that a row is from; None where it is not open any more."""
        raise NotImplementedError

    def columns(self) -> Sequence[Column[R]]:
        """The columns of the list in the present order."""
        raise NotImplementedError

    def chosen(self) -> tuple[Browser | None, Sequence[Session]]:
        """What is to be worked on: the selected session, and the database that it is from."""
        row = self.table.current
        return (None, ()) if row is None else (self.browser_of(row), [self.session_of(row)])

    @property
    def asked(self) -> SessionSource | None:
        """What is asked about sessions; None while no database is open."""
        raise NotImplementedError

    @property
    def nothing(self) -> Notice:
        """What a list without any session says."""
        raise NotImplementedError

    def source(self) -> PageSource[R]:
        """The rows as they are asked for now; a database is open."""
        raise NotImplementedError

    def remark(self) -> str:
        """What stands behind the count."""
        return ""

    # The screen

    def compose(self) -> ComposeResult:
        """Header, filter, list and panel, keys."""
        yield from self.header()
        yield FilterLine(self._known_values, self.app.moments.now)
        yield from self.below_filter()
        with Container(id="sessions"):
            yield RecordTable(self.columns(), self.key_of)
            yield SessionPanel(self.app.moments)
        yield KeyBar()

    def on_mount(self) -> None:
        """Follow the cursor and the clock."""
        # Directly, not by message: the panel then follows the cursor in the same frame.
        self.watch(self.table, "cursor", self._show_selected, init=False)
        self.set_interval(MINUTE, self._minute_passed)
        self.watch(self.app, "preferences", self._preferred, init=False)

    @property
    def table(self) -> RecordTable[R]:
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

    def read(self, key: str | None = None, index: int | None = None) -> None:
        """Show the list as it is asked for now, from its top or at row ``index``; ``key`` is the row to stay on."""
        if self.asked is None:
            return
        self._request += 1
        table = self.table
        table.empty = self._empty_notice()
        table.set_columns(self.columns())
        table.mark_sort(self._sort.key, self._sort.descending)
        if index is None:
            index = table.cursor if key is not None else 0
        table.show(self.source(), index=index, key=key)

    def reread(self) -> None:
        """Read the list anew, staying on the row that is selected, and as far down as now."""
        current = self.table.current
        self.read(self.key_of(current) if current is not None else None, self.table.cursor)

    def forget_figures(self) -> None:
        """What was counted and offered is not true any more."""
        self._total = None
        self._values = None

    def _empty_notice(self) -> Notice:
        if not self._filter_text.strip():
            return self.nothing
        return Notice(
            "No session matches", f"Nothing fits the filter {self._filter_text.strip()}", "esc takes the filter away"
        )

    @on(RecordTable.Changed)
    def _list_changed(self, event: RecordTable.Changed) -> None:
        event.stop()
        asked, table = self.asked, self.table
        if self._filter == SessionFilter():
            if table.count.exact and table.notice is None and not table.busy:
                self._total = table.count.value
        elif asked is not None and self._total is None and not table.busy:
            self._total = 0
            ask(self, lambda: asked.session_count(SessionFilter()).value, self._counted_all, unsaid)
        self._show_count()

    def _show_count(self) -> None:
        table = self.table
        if table.busy:
            text = "reading…"
        elif self.asked is None or (table.notice is not None and table.notice is not table.empty):
            text = ""
        elif self._filter == SessionFilter():
            text = f"{_number(table.count)} {'session' if table.count.value == 1 else 'sessions'}"
        else:
            text = _number(table.count) + (f" of {count(self._total)}" if self._total else "")
        if text and self._faulty:
            text = f"as before: {text}"
        remark = self.remark()
        self.filter_line.set_count(f"{text} · {remark}" if text and remark else text)

    def _counted_all(self, total: int) -> None:
        self._total = total
        self._show_count()

    def _preferred(self, before: Preferences, now: Preferences) -> None:
        """Times or the size of pages may be others."""
        self.table.set_columns(self.columns())
        self.panel.redraw()
        if before.page_size != now.page_size:
            current = self.table.current
            self.read(None if current is None else self.key_of(current))

    def _minute_passed(self) -> None:
        self.table.redraw()
        self.panel.redraw()

    # The filter

    @on(FilterLine.Applied)
    def _filtered(self, event: FilterLine.Applied) -> None:
        event.stop()
        self._faulty = False
        self._filter_text = event.text
        if event.filter != self._filter or event.final:
            changed = event.filter != self._filter
            self._filter = event.filter
            if changed or self.table.notice is not None:
                self.read()
            asked = self.asked
            if asked is not None and event.text.strip():
                self._explain(asked, event.filter)
        self._show_count()

    @on(FilterLine.Faulty)
    def _filter_faulty(self, event: FilterLine.Faulty) -> None:
        event.stop()
        self._faulty = True
        self._show_count()

    def _explain(self, asked: SessionSource, wanted: SessionFilter) -> None:
        request = self._request

        def explained(notes: tuple[str, ...]) -> None:
            if request == self._request and notes:
                self.filter_line.explain(" ".join(notes), "warning", PROMPT_WIDTH)

        ask(self, lambda: asked.explain_filter(wanted), explained, unsaid)

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
    def _highlighted(self, event: RecordTable.Highlighted[R]) -> None:
        event.stop()
        if self._has_session != (event.record is not None):
            self._has_session = event.record is not None
            self.refresh_bindings()
        self._show_selected()

    def _show_selected(self) -> None:
        if self.panel.display:
            row = self.table.current
            if row is None:
                self.panel.select(None, None)
            else:
                self.panel.select(self.session_of(row), self.browser_of(row))

    def on_resize(self) -> None:
        """The panel may have come into sight."""
        self.call_after_refresh(self._show_selected)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a session there is nothing to open or copy; in the filter ``/`` and ``g`` are characters."""
        if action in ("filter", "go_to") and self.is_mounted:
            return not self.filter_line.input.has_focus
        if action in ("tree", "copy", "mark", "export") or (action == "edit" and parameters != ("undo",)):
            return self._has_session or None
        return True

    def action_filter(self) -> None:
        """Edit the filter."""
        self.filter_line.edit()
        asked = self.asked
        if self._values is None and asked is not None:
            ask(
                self,
                lambda: {field: asked.filter_values(field) for field in COMPLETED_FIELDS},
                self._values_read,
                unsaid,
            )

    def action_sort(self) -> None:
        """Choose the order."""
        from agor_tui.tui.screens.sort import SortModal

        if self.asked is not None:
            self.app.push_screen(SortModal(self.asked.sorts, self._sort), self._sort_by)

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._sort_by(Sort(self._sort.key, not self._sort.descending))

    def _sort_by(self, sort: Sort | None) -> None:
        if sort is not None and sort != self._sort:
            self._sort = sort
            self.read()

    @on(RecordTable.HeaderSelected)
    def _header_clicked(self, event: RecordTable.HeaderSelected) -> None:
        event.stop()
        from agor_tui.tui.screens.sort import chosen_sort

        self._sort_by(chosen_sort(event.sort, self._sort))

    def action_copy(self) -> None:
        """Copy the id of the selected session."""
        row = self.table.current
        if row is not None:
            session_id = self.session_of(row).id
            self.app.copy_to_clipboard(session_id)
            self.notify(f"Copied {session_id}", markup=False)

    def action_export(self) -> None:
        """Export what is chosen."""
        self._export.begin()

    def action_refresh(self) -> None:
        """Read the list anew."""
        self.forget_figures()
        self.reread()

    def action_leave(self) -> None:
        """Stop what is under way; else take the filter away."""
        if self.table.busy:
            self._stop_waiting()
        elif self.filter_line.text:
            self.filter_line.clear()

    def _stop_waiting(self) -> None:
        table = self.table
        table.leave()
        if self.asked is not None:
            ask(self, self.asked.cancel, lambda _: None, unsaid)
        if table.notice is READING:
            table.say(LEFT)

    def action_tree(self) -> None:
        """Open the selected session's family."""
        row = self.table.current
        if row is not None:
            self.open_session(self.browser_of(row), self.session_of(row).id, "tree")

    @on(RecordTable.Selected)
    def _selected(self, event: RecordTable.Selected[R]) -> None:
        event.stop()
        if self.app.screen is self:  # else a later key has led elsewhere already
            self.open_session(self.browser_of(event.record), self.session_of(event.record).id)

    def open_found(self, browser: Browser | None, match: Match) -> None:
        """Open the session of what an id named, at the message or the task that it is."""
        self.open_session(browser, match.session_id or match.id, at=None if match.kind == "session" else match)

    def open_session(
        self, browser: Browser | None, session_id: str, tab: Tab = "conversation", *, at: Match | None = None
    ) -> None:
        """Show a session on a screen of its own."""
        from agor_tui.tui.screens.session import SessionScreen

        if browser is not None:
            self.app.push_screen(SessionScreen(session_id, tab, at=at, browser=browser))


def unsaid(error: AgorError) -> None:
    """Leave an error unsaid: the list, which asked the same database, says what is wrong."""


def _number(number: Count) -> str:
    return count(number.value) if number.exact else f"{count(number.value)}+"
