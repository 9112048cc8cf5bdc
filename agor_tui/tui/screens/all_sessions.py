"""The sessions of several databases in one list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.widget import Widget

from agor_tui.cells import cell_len, fit
from agor_tui.errors import AgorError
from agor_tui.records import Match, Session, Sort
from agor_tui.services.merged import OPENING_LIMIT_S, Member, MergedBrowser
from agor_tui.services.merged_pages import MergedPages
from agor_tui.services.merged_stream import LIMIT_S, MergedSession
from agor_tui.statuses import Tone
from agor_tui.text import printable
from agor_tui.tui.asking import let_go, start_thread
from agor_tui.tui.editing import edit_bindings
from agor_tui.tui.screens.session_list import READING, SessionListScreen
from agor_tui.tui.screens.session_list_keys import KEYS
from agor_tui.tui.session_columns import merged_columns
from agor_tui.tui.widgets.header_bar import HeaderBar
from agor_tui.tui.widgets.line import Line, cells_of
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.table_columns import Column
from agor_tui.tui.widgets.table_pages import PageSource

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

GRACE = 0.2
"""Seconds that the list waits for others when the first database has answered."""

OPENING = Notice("Opening the databases…", "", "esc goes back", "muted")
NONE_OPEN = Notice("None of the databases opens", "The line above says why.", "R tries again, esc goes back", "error")
NO_SESSIONS = Notice(
    "No sessions yet",
    "These databases hold no sessions, or only archived ones.",
    "/ archived:any shows archived ones too",
)
GLYPHS: dict[str, tuple[str, Tone]] = {
    "listed": ("●", "success"),
    "opening": ("○", "muted"),
    "waiting": ("○", "muted"),
    "answered": ("✓", "accent"),
    "failed": ("✗", "error"),
}


class DatabasesLine(Line):
    """Which databases there are, and what is wrong with one: name and glyph of each, then sentences."""

    said: reactive[tuple[tuple[str, str, str], ...]] = reactive(())
    """Of each database its name, its state (a key of ``GLYPHS``) and a sentence; an empty one for none."""

    def spans(self, width: int) -> list[tuple[str, Tone]]:
        """All of it; where it is too narrow, those that are in the list give way to the sentences."""
        sentences: list[tuple[str, Tone]] = []
        for name, state, sentence in self.said:
            if sentence:
                tone: Tone = "warning" if state in ("failed", "waiting") else "accent"
                sentences += [("   ", "text"), (f"{printable(name, 40)}: {printable(sentence, 300)}", tone)]
        names: list[tuple[str, Tone]] = [(" ", "text")]
        for name, state, _ in self.said:
            glyph, tone = GLYPHS[state]
            names += [(f"{glyph} ", tone), (f"{printable(name, 40)}  ", "muted")]
        if cells_of(names) + cells_of(sentences) > width and sentences:
            listed = sum(state == "listed" for _, state, _ in self.said)
            names = [(" ● ", "success"), (f"{listed} listed", "muted")]
        room = width - cells_of(names)
        fitted: list[tuple[str, Tone]] = []
        for text, tone in sentences:
            fitted.append((fit(text, max(0, room)), tone))
            room -= cell_len(fitted[-1][0])
        return [*names, *fitted]


class AllSessionsScreen(SessionListScreen[MergedSession]):
    """All sessions of the databases ``targets``: of the name of each what opens it, None for what opens without that.

    Each is opened for reading in a thread of its own. Rows are shown as soon as one has answered; one that answers
    later joins at once while the top of the list is looked at, else when it is asked for.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape",
            "leave",
            "back",
            id="browser.leave",
            tooltip="Stop waiting; else take the filter away; else go back",
            group=KEYS,
        ),
        *edit_bindings(),
    ]

    def __init__(self, targets: Mapping[str, str | None]) -> None:
        super().__init__()
        self._targets = dict(targets)
        self._databases: MergedBrowser | None = None
        self._pages: MergedPages | None = None
        self._sort_chosen = False
        self._soon = False

    def header(self) -> Sequence[Widget]:
        """How many databases these are."""
        number = len(self._targets)
        return (HeaderBar(f"{number} database{'' if number == 1 else 's'} · read-only"),)

    def below_filter(self) -> Sequence[Widget]:
        """Which they are."""
        return (DatabasesLine(),)

    def on_mount(self) -> None:
        """Open all of them."""
        self.table.notice = OPENING
        configuration, targets = self.app.configuration, self._targets
        self._databases = MergedBrowser(
            tuple(targets),
            lambda name: configuration.open(targets[name], read_only=True),
            lambda: self.call_later(self._heard),
        )
        self._databases.start()
        self._say()
        self.set_interval(1.0, self._say)

    def on_unmount(self) -> None:
        """Close all of them."""
        let_go(self.app)
        if self._databases is not None:
            start_thread(self._databases.close)

    # What the list shows

    def key_of(self, row: MergedSession) -> str:
        """Its id and its database's name."""
        return row.key

    def session_of(self, row: MergedSession) -> Session:
        """The session."""
        return row.session

    def browser_of(self, row: MergedSession) -> Browser | None:
        """The database that it is in."""
        return self._browser(row.database)

    def _browser(self, name: str) -> Browser | None:
        return None if self._databases is None else self._databases.browsers.get(name)

    def columns(self) -> Sequence[Column[MergedSession]]:
        """Those of a session, and its database."""
        return merged_columns(self.app.moments, self._sort)

    @property
    def asked(self) -> MergedBrowser | None:
        """All that are open."""
        return self._databases if self._databases is not None and self._databases.opened else None

    @property
    def nothing(self) -> Notice:
        """That there are no sessions."""
        return NO_SESSIONS

    def source(self) -> PageSource[MergedSession]:
        """Pages of all that are open; what answered too late for the list before is in this one."""
        assert self._databases is not None
        self._pages = self._databases.pages(self._filter, self._sort, self._pages, self.app.preferences.page_size)
        return self._pages

    def read(self, key: str | None = None, index: int | None = None) -> None:
        """Show the list as it is asked for now."""
        if self._databases is not None and not self._sort_chosen:
            self._sort = self._databases.default_sort
        super().read(key, index)
        self._say()

    def _sort_by(self, sort: Sort | None) -> None:
        self._sort_chosen = self._sort_chosen or sort is not None
        super()._sort_by(sort)

    # The databases

    def _heard(self) -> None:
        """A database has answered, failed or fallen silent."""
        databases, pages = self._databases, self._pages
        if databases is None or not self.is_mounted:
            return
        self._say()
        if pages is None:
            opening = any(member.state == "opening" for member in databases.members)
            if not databases.opened:
                if not opening:
                    self.table.say(NONE_OPEN)
            elif not opening:
                self._join()
            elif not self._soon:
                self._soon = True
                self.set_timer(GRACE, self._join)
        elif self._missing() and self._at_top:
            self._join()
        elif pages.shrunk:
            pages.shrunk = False
            current = self.table.current
            self.table.show(pages, index=self.table.cursor, key=None if current is None else current.key)

    def _join(self) -> None:
        """Show the list with all that have answered by now, unless the user has gone down in it."""
        if self._pages is None:
            self.table.say(READING)
            self.read()
        elif self._missing() and self._at_top:
            self.forget_figures()
            self.read()

    @property
    def _at_top(self) -> bool:
        return self.table.cursor == 0 and self.table.scroll_offset.y == 0

    def _missing(self) -> bool:
        """Whether a database has answered that is not in the list."""
        return any(state == "answered" for _, state, _ in self._states())

    def _states(self) -> tuple[tuple[str, str, str], ...]:
        """Of each database its name, its state and what there is to say of it."""
        members = self._databases.members if self._databases is not None else ()
        return tuple((member.name, *self._state(member)) for member in members)

    def _state(self, member: Member) -> tuple[str, str]:
        if member.state == "opening":
            return ("waiting", _no_answer(OPENING_LIMIT_S)) if member.slow else ("opening", "")
        if member.error is not None:
            return "failed", _failed(member.error)
        streams = self._pages.streams if self._pages is not None else ()
        stream = next((each for each in streams if each.browser is member.browser), None)
        if stream is None or stream.state == "late":
            return ("opening", "") if self._pages is None else ("answered", "has answered · R shows it")
        if stream.state == "asked":
            return ("waiting", _no_answer(LIMIT_S)) if stream.slow else ("opening", "")
        if stream.state == "failed" and stream.error is not None:
            return "failed", _failed(stream.error)
        return "listed", "" if self._databases is None else self._databases.twins.told(member.name)

    def _say(self) -> None:
        self.query_one(DatabasesLine).said = self._states()

    # Actions

    def action_refresh(self) -> None:
        """Read the list anew, and try again to open what is not open."""
        if self._databases is not None:
            self._databases.start()
            super().action_refresh()
            if self._pages is None:
                self.table.say(OPENING)
            self._say()

    def action_leave(self) -> None:
        """Stop what is under way; else take the filter away; else go back."""
        if self.table.busy or self.filter_line.text:
            super().action_leave()
        else:
            self.dismiss()

    def action_edit(self, what: str) -> None:
        """Say why not."""
        self.notify("All databases are open for reading only here: switch to one (d) to change it.", severity="warning")

    def action_go_to(self) -> None:
        """Ask for an id and open what it names in any of them."""
        from agor_tui.tui.screens.go_to import GoToModal

        if self._databases is not None and self._databases.opened:
            self.app.push_screen(GoToModal(self._databases, self.app.moments, several=True), self._go_to)

    def _go_to(self, match: Match | None) -> None:
        if match is not None:
            self.open_found(self._browser(match.database), match)


def _no_answer(seconds: float) -> str:
    return f"no answer in {seconds:g} s · R tries again"


def _failed(error: AgorError) -> str:
    return f"{error.message} · R tries again"
