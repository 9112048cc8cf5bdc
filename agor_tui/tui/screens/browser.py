"""The session browser: the sessions of the open database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from agor_tui.filters import FilterError, SessionFilter, parse_session_filter
from agor_tui.hints import own_command
from agor_tui.records import LiveState, Match, Session
from agor_tui.services.memory import Memory, Recalled, key_of
from agor_tui.text import printable
from agor_tui.tui.asking import ask, start_thread
from agor_tui.tui.editing import EDIT_KEYS, Field, SessionEdits, edit_bindings, leaves_list
from agor_tui.tui.live import Follower, live_sign
from agor_tui.tui.screens.session_list import READING, SessionListScreen, unsaid
from agor_tui.tui.session_columns import session_columns
from agor_tui.tui.widgets.filter_line import ListCount
from agor_tui.tui.widgets.header_bar import HeaderBar
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.table_columns import Column
from agor_tui.tui.widgets.table_pages import PageSource

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

OPENING = Notice("Opening the database…", "", "esc stops waiting", "muted")
NOT_OPEN = Notice("No database is open", "", "R tries again, d chooses another one, q leaves")
NOT_SET_UP = Notice(
    "No database is open",
    f"Nothing was set up. The wizard starts again with “{own_command('setup')}”, or here with w.",
    "w wizard, d opens a file or URL, q leaves",
)
NO_SESSIONS = Notice(
    "No sessions yet",
    "This database holds no sessions, or only archived ones.",
    "/ archived:any shows archived ones too",
)


class BrowserScreen(SessionListScreen[Session]):
    """All sessions of the open database, filtered and sorted; where it may be written, they can be changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space",
            "mark",
            "mark",
            show=False,
            id="edit.mark",
            tooltip="Mark, to change or export several",
            group=EDIT_KEYS,
        ),
        *edit_bindings(),
    ]

    _key: str | None = None
    """What the open database is remembered by, once its list is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._marked: dict[str, Session] = {}
        self._edits = SessionEdits(self, self.chosen, self._sessions_changed, self._sessions_gone)

    def header(self) -> Sequence[Widget]:
        """The app's header, which says which database this is."""
        return (HeaderBar(),)

    def on_mount(self) -> None:
        """Follow the app's database."""
        self._table = self.table  # when the app is left, the screen outlives its parts
        self._table.notice = OPENING
        self._table.marked = lambda session: session.id in self._marked
        self.watch(self.app, "browser", self._database_opened)
        self.watch(self.app, "opening", self._opening_changed)
        self.watch(self.app, "live", self._live_changed)
        self._follower = Follower(self, self._renew)

    # What the list shows

    def key_of(self, row: Session) -> str:
        """Its id."""
        return row.id

    def session_of(self, row: Session) -> Session:
        """The row itself."""
        return row

    def browser_of(self, row: Session) -> Browser | None:
        """The one that is open."""
        return self.app.browser

    def columns(self) -> Sequence[Column[Session]]:
        """Those of a session."""
        return session_columns(self.app.moments, self._sort)

    @property
    def asked(self) -> Browser | None:
        """The open database."""
        return self.app.browser

    @property
    def nothing(self) -> Notice:
        """That there are no sessions."""
        return NO_SESSIONS

    def source(self) -> PageSource[Session]:
        """Pages of the open database."""
        from agor_tui.services.session_pages import SessionPages

        assert self.app.browser is not None
        return SessionPages(self.app.browser, self._filter, self._sort, self.app.preferences.page_size)

    def remark(self) -> str:
        """How many are marked; else whether changes show by themselves."""
        return f"{len(self._marked)} marked" if self._marked else live_sign(self.app.live)

    def on_screen_resume(self) -> None:
        """Show what has changed while another screen was seen."""
        self._follower.catch_up()

    def _live_changed(self, state: LiveState) -> None:
        self._show_count()
        self.query_one(ListCount).tooltip = None if state.on else f"Live off: {printable(state.reason)}"

    def _renew(self) -> None:
        if self.asked is not None:
            self.table.renew(self.source())

    # The database

    def _database_opened(self, browser: Browser | None) -> None:
        if self._key is not None:
            start_thread(self._keep())
        self._key = None
        if browser is None:
            self.table.say(self._not_open())
            return
        self.forget_figures()
        self._unmark()
        self.table.say(READING)
        key = key_of(browser.store.database.place)

        def recalled(known: Recalled) -> None:
            if browser is self.app.browser:
                self._begin(browser, key, known)

        ask(self, lambda: Memory().recall(key), recalled, unsaid)

    def _begin(self, browser: Browser, key: str, known: Recalled) -> None:
        """Show the list as it was when this database was left."""
        start_thread(Memory().opened, key, self.app.clock())
        self._key = key
        self._sort = known.sort if known.sort and known.sort.key in browser.sorts else browser.default_sort
        self._filter_text, self._filter = known.filter, SessionFilter()
        try:
            self._filter = parse_session_filter(known.filter, self.app.moments.now())
        except FilterError:  # the language has changed since
            self._filter_text = ""
        self.filter_line.show(self._filter_text)
        self.read(known.selected, known.index)

    def _keep(self) -> Callable[[], None]:
        """What remembers how the list is looked at now."""
        table, key = self._table, self._key
        assert key is not None
        current = table.current
        return partial(
            Memory().keep,
            key,
            filter=self._filter_text,
            sort=self._sort,
            selected=current.id if current else None,
            index=table.cursor,
        )

    def on_unmount(self) -> None:
        """The app is left."""
        if self._key is not None:
            self._keep()()

    def _opening_changed(self) -> None:
        if self.app.browser is None:
            self.table.say(self._not_open())

    def _not_open(self) -> Notice:
        return OPENING if self.app.opening else NOT_SET_UP if self.app.setup else NOT_OPEN

    # Actions

    def action_refresh(self) -> None:
        """Read the list anew, or try again to open the database."""
        if self.app.browser is None:
            self.app.open_database()
        else:
            super().action_refresh()

    def action_leave(self) -> None:
        """Stop what is under way; else take the marks, then the filter away."""
        if self.app.opening:
            self.app.leave_opening()
        elif self._marked and not self.table.busy:
            self._unmark()
        else:
            super().action_leave()

    def action_go_to(self) -> None:
        """Ask for an id and open what it names."""
        from agor_tui.tui.screens.go_to import GoToModal

        if self.app.browser is not None:
            self.app.push_screen(GoToModal(self.app.browser, self.app.moments), self._go_to)

    def _go_to(self, match: Match | None) -> None:
        if match is not None:
            self.open_found(self.app.browser, match)

    # Changes

    def action_edit(self, what: str) -> None:
        """Change the sessions that are marked, else the selected one."""
        self._edits.do(what)

    def chosen(self) -> tuple[Browser | None, Sequence[Session]]:
        """The sessions that are marked, else the selected one."""
        table, current = self.table, self.table.current
        marked = [table.find(key) or session for key, session in self._marked.items()]
        return self.app.browser, marked or ([] if current is None else [current])

    def _sessions_changed(self, sessions: Sequence[Session], field: Field) -> None:
        """Show changed sessions in their places; where the filter may not let them through any more, a new list."""
        self.forget_figures()
        self._unmark()
        if leaves_list(self._filter, field):
            self.reread()
            return
        for session in sessions:
            self.table.replace(session)
        self._show_selected()

    def _sessions_gone(self, ids: Sequence[str]) -> None:
        self.forget_figures()
        self._unmark()
        self.reread()

    def action_mark(self) -> None:
        """Mark the selected session, or take its mark away, and go on to the next."""
        session = self.table.current
        if session is not None:
            if self._marked.pop(session.id, None) is None:
                self._marked[session.id] = session
            self.table.action_cursor(1)
            self._marks_changed()

    def _unmark(self) -> None:
        if self._marked:
            self._marked.clear()
            self._marks_changed()

    def _marks_changed(self) -> None:
        self.table.redraw()
        self._show_count()
