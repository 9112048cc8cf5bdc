"""The session screen: what a session is, and its conversation, tasks, family and details in tabs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from agor_tui.errors import AgorError, NotFoundError
from agor_tui.records import Match, Session, SessionDetail
from agor_tui.redact.records import without_secrets
from agor_tui.tui.asking import ask, let_go
from agor_tui.tui.editing import ACTIONS, Field, SessionEdits
from agor_tui.tui.export_flow import SessionExport
from agor_tui.tui.live import Follower
from agor_tui.tui.pager import open_text
from agor_tui.tui.screen import AppScreen
from agor_tui.tui.widgets.conversation import Conversation
from agor_tui.tui.widgets.conversation_pane import ConversationPane
from agor_tui.tui.widgets.details_pane import DetailsPane
from agor_tui.tui.widgets.header_bar import HeaderBar
from agor_tui.tui.widgets.key_bar import KeyBar
from agor_tui.tui.widgets.session_heading import SessionHeading, Tab
from agor_tui.tui.widgets.session_pane import SessionPane
from agor_tui.tui.widgets.tasks_pane import TasksPane
from agor_tui.tui.widgets.tree_pane import TreePane

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser
    from agor_tui.tui.app import AgorApp

KEYS = Binding.Group("Session")
TABS: tuple[Tab, ...] = ("conversation", "tasks", "tree", "details")


def _key(keys: str, action: str, word: str, tooltip: str, *, show: bool = False) -> Binding:
    name = "".join(letter for letter in action if letter.isalpha() or letter == "-")
    return Binding(keys, action, word, show=show, id=f"session.{name}", tooltip=tooltip, group=KEYS)


class SessionScreen(AppScreen[None]):
    """One session of ``browser``, by default of the app's database. Only the tab that is looked at is read.

    ``at`` is a message or a task of it: the conversation opens there.
    """

    CSS_PATH = "session.tcss"
    HORIZONTAL_BREAKPOINTS = [(110, "-wide")]

    BINDINGS: ClassVar[list[BindingType]] = [
        _key("tab,right", "turn(1)", "next tab", "To the next tab", show=True),
        _key("shift+tab,left", "turn(-1)", "tab before", "To the tab before"),
        _key("c", "tab('conversation')", "conversation", "The conversation"),
        _key("a", "tab('tasks')", "tasks", "The tasks"),
        _key("t", "tab('tree')", "tree", "The family tree"),
        _key("i", "tab('details')", "details", "Everything else"),
        _key("Y", "copy_id", "copy id", "Copy the session's id"),
        _key("e", "edit", "change", "Rename, archive, set the status, move, delete, take back"),
        _key("E", "export", "export", "Export to a file to read or send"),
        _key("S", "secrets", "secrets", "Show the secrets in this session, or hide them again"),
        _key("R", "refresh", "refresh", "Read anew"),
        _key("escape", "leave", "back", "Back to the screen before", show=True),
    ]

    app: AgorApp

    def __init__(
        self,
        session_id: str,
        tab: Tab | Literal[""] = "conversation",
        *,
        at: Match | None = None,
        browser: Browser | None = None,
    ) -> None:
        super().__init__()
        self.session_id = session_id
        self.browser = browser
        self._revealing: Browser | None = None
        self._at = at
        self._tab: Tab = tab or "conversation"
        self._detail: SessionDetail | None = None
        self._error: AgorError | None = None
        self._request = 0
        self._asking = False
        self._following = False
        self._lost = False
        self._edits = SessionEdits(self, self._chosen, self._changed, self._gone)
        self._export = SessionExport(self, self._chosen)

    def compose(self) -> ComposeResult:
        """Header, heading, the tab, keys."""
        yield HeaderBar(self.browser.info if self.browser is not None else None)
        yield SessionHeading(self.session_id, self._tab, self.app.moments)
        yield Container(id="panes")
        yield KeyBar()

    async def on_mount(self) -> None:
        """Show the tab, and read as soon as the database is open."""
        self._follower = Follower(self, self._follow)
        await self._show_tab()
        self.watch(self.app, "preferences", self._preferred, init=False)
        if self.browser is not None:
            self._read()
        else:
            self.watch(self.app, "browser", self._database_opened)

    def on_unmount(self) -> None:
        """Leave nothing behind."""
        let_go(self.app)

    def _database_opened(self, browser: Browser | None) -> None:
        if browser is not None:
            self.browser, self._revealing = browser, None
            self.query_one(SessionHeading).secrets = False
            self._read()

    def _preferred(self) -> None:
        self.query_one(SessionHeading).refresh()
        for pane in self.query(SessionPane):
            pane.redraw()

    # Reading

    @property
    def reader(self) -> Browser | None:
        """What the tabs read: the database, with its secrets where somebody wants to see them."""
        return self._revealing or self.browser

    def action_secrets(self) -> None:
        """Show the secrets of this session, or hide them again; other screens and exports have them hidden always."""
        if self.browser is None:
            return
        self._revealing = None if self._revealing is not None else self.browser.with_secrets()
        self.query_one(SessionHeading).secrets = self._revealing is not None
        self.action_refresh()

    def _read(self) -> None:
        browser, session_id, at = self.reader, self.session_id, self._at
        if browser is None:
            return
        self._request += 1
        request = self._request
        self._asking = True

        def work() -> tuple[SessionDetail, int | None]:
            return browser.session_detail(session_id), _ordinal(browser, session_id, at) if at else None

        def done(answer: tuple[SessionDetail, int | None]) -> None:
            if request == self._request:
                self._asking, self._detail, self._error = False, answer[0], None
                self.session_id = answer[0].session.id
                self.query_one(SessionHeading).session = answer[0].session
                self._fill()
                if at is not None:
                    self._at = None
                    self._arrive(answer[1], point=at.kind == "message")

        def failed(error: AgorError) -> None:
            if request == self._request:
                self._asking, self._error = False, error
                self._fill()

        ask(self, work, done, failed)

    def on_screen_resume(self) -> None:
        """Take in what has changed while another screen was seen."""
        self._follower.catch_up()

    def _follow(self) -> None:
        """Take in what has changed: the heading and the tab that is seen now, the others when they are."""
        browser, session_id, request = self.reader, self.session_id, self._request
        if browser is None or self.browser is not self.app.browser or self._asking or self._following:
            return
        if self._detail is None:
            self.action_refresh()
            return
        self._following = True

        def done(detail: SessionDetail) -> None:
            self._following = False
            pane = self.pane
            if request != self._request or pane is None:
                return
            self._detail = detail
            self.query_one(SessionHeading).session = detail.session
            for other in self.query(SessionPane):
                other.filled = other is pane
            pane.follow(browser, detail)

        def failed(error: AgorError) -> None:
            self._following = False
            if isinstance(error, NotFoundError) and not self._lost:
                self._lost = True
                self._say(NotFoundError("This session was deleted; what was read of it is still shown."))

        ask(self, lambda: browser.session_detail(session_id), done, failed)

    def _fill(self) -> None:
        """Give the tab that is seen what it needs, once."""
        pane, browser = self.pane, self.reader
        if pane is None or browser is None:
            return
        if self._error is not None:
            pane.fail(self._error)
        elif self._detail is not None and not pane.filled:
            pane.filled = True
            pane.fill(browser, self._detail)

    @property
    def pane(self) -> SessionPane | None:
        """The tab that is seen."""
        return next((pane for pane in self.query(SessionPane) if pane.id == self._tab), None)

    # Tabs

    async def _show_tab(self) -> None:
        panes = self.query_one("#panes", Container)
        for other in self.query(SessionPane):
            other.display = other.id == self._tab
        pane = self.pane
        if pane is None:
            pane = self._made()
            await panes.mount(pane)
        self.query_one(SessionHeading).tab = self._tab
        pane.take_focus()
        self._fill()
        self.refresh_bindings()

    def _made(self) -> SessionPane:
        match self._tab:
            case "conversation":
                return ConversationPane(self.app.moments, id="conversation")
            case "tasks":
                return TasksPane(self.app.moments, id="tasks")
            case "tree":
                return TreePane(self.app.moments, id="tree")
            case "details":
                return DetailsPane(self.app.moments, id="details")

    async def action_tab(self, tab: Tab) -> None:
        """Go to a tab."""
        if tab != self._tab:
            self._tab = tab
            await self._show_tab()

    async def action_turn(self, step: int) -> None:
        """Go to the next tab, or the one before."""
        await self.action_tab(TABS[(TABS.index(self._tab) + step) % len(TABS)])

    @on(SessionHeading.TabSelected)
    async def _tab_clicked(self, event: SessionHeading.TabSelected) -> None:
        event.stop()
        await self.action_tab(event.tab)

    @on(TasksPane.TaskChosen)
    def _task_chosen(self, event: TasksPane.TaskChosen) -> None:
        """Show where a task begins in the conversation."""
        event.stop()
        browser, session_id, task_id = self.browser, self.session_id, event.task.id
        if browser is None:
            return
        request = self._request

        def done(ordinal: int | None) -> None:
            if request == self._request:
                self._arrive(ordinal)

        ask(self, lambda: browser.task_ordinal(session_id, task_id), done, self._say)

    def _arrive(self, ordinal: int | None, *, point: bool = False) -> None:
        """Show a turn of the conversation, ``point`` at that very one; None: the tasks, for one without a turn."""
        if ordinal is None:
            self.notify("This task has no messages.", timeout=3)
            self.call_later(self.action_tab, "tasks")
        else:
            self.call_later(self._show_turn, ordinal, point)

    async def _show_turn(self, ordinal: int, point: bool) -> None:
        await self.action_tab("conversation")
        talk = self.query_one(Conversation)
        (talk.point_at if point else talk.jump_to)(ordinal)

    @on(TreePane.SessionChosen)
    async def _session_chosen(self, event: TreePane.SessionChosen) -> None:
        """Open another session of the family."""
        event.stop()
        if event.session.id == self.session_id:
            await self.action_tab("conversation")
        else:
            self.app.push_screen(SessionScreen(event.session.id, browser=self.browser))

    @on(Conversation.TextWanted)
    def _text_wanted(self, event: Conversation.TextWanted) -> None:
        event.stop()
        open_text(self.app, event.title, event.text)

    def _say(self, error: AgorError) -> None:
        self.notify(error.message, title=error.title, severity="error", markup=False)

    # Actions

    def action_copy_id(self) -> None:
        """Copy the session's id."""
        self.app.copy_to_clipboard(self.session_id)
        self.notify(f"Copied {self.session_id}", markup=False)

    def action_edit(self) -> None:
        """Choose a change of the session, and make it."""
        from agor_tui.tui.screens.choose import Choice, ChooseModal

        if self.browser is None or self._detail is None:
            return
        if self.browser.editor is None:
            self._edits.do("undo")  # says why not
            return
        choices = [Choice(name, name, tooltip) for name, _, tooltip in ACTIONS]

        def chosen(what: str | None) -> None:
            if what is not None:
                self._edits.do(what)

        self.app.push_screen(ChooseModal("Change this session", choices), chosen)

    def _chosen(self) -> tuple[Browser | None, Sequence[Session]]:
        return self.browser, [without_secrets(self._detail.session)] if self._detail is not None else []

    def _changed(self, sessions: Sequence[Session], field: Field) -> None:
        """All screens that show this database take it in, this one among them."""
        self.app.changed += 1

    def _gone(self, ids: Sequence[str]) -> None:
        self.app.changed += 1
        self.dismiss()

    def action_export(self) -> None:
        """Write it to a file."""
        self._export.begin()

    def action_refresh(self) -> None:
        """Read the session and the tab that is seen anew."""
        for pane in self.query(SessionPane):
            pane.filled = False
        self._error = None
        self._read()

    def action_leave(self) -> None:
        """Close what is open within the tab; else leave, and stop what the database does for this screen."""
        pane = self.pane
        if pane is not None and pane.close_inner():
            return
        browser = self.browser
        if browser is not None and (self._asking or (pane is not None and pane.busy)):
            ask(self.app, browser.cancel, lambda _: None, lambda _: None)
        self._request += 1
        self.dismiss()


def _ordinal(browser: Browser, session_id: str, at: Match) -> int | None:
    """Where a message stands in its conversation, or the first one of a task; None for a task without messages."""
    if at.kind == "task":
        return browser.task_ordinal(session_id, at.id)
    return browser.message_position(session_id, at.id)
