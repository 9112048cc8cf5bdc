"""The board: sessions or tasks as cards in columns, by status or by the zones of a store's own boards."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from agor_tui.errors import AgorError, NotFoundError, quoted
from agor_tui.records import Board, BoardMode, BoardPage, Card, CardColumn, Match, Session
from agor_tui.text import printable
from agor_tui.tui.asking import ask
from agor_tui.tui.board_cards import card_title, column_name
from agor_tui.tui.board_edits import BoardEdits
from agor_tui.tui.live import Follower
from agor_tui.tui.screen import AppScreen
from agor_tui.tui.widgets.board_column import BoardColumn
from agor_tui.tui.widgets.board_head import ALL_SESSIONS, BoardBar, ColumnStrip
from agor_tui.tui.widgets.board_view import BoardView
from agor_tui.tui.widgets.header_bar import HeaderBar
from agor_tui.tui.widgets.key_bar import KeyBar
from agor_tui.tui.widgets.notice import Notice

if TYPE_CHECKING:
    from agor_tui.services.board import BoardService
    from agor_tui.services.browser import Browser
    from agor_tui.tui.app import AgorApp

KEYS = Binding.Group("Board")
EDIT_KEYS = Binding.Group("Change")
MINUTE = 60
MOST_KEPT = 500
"""So many cards of a column are read again at once when something has changed."""

OPENING = Notice("Opening the database…", "", "esc stops waiting", "muted")
NOT_OPEN = Notice("No database is open", "", "R tries again, d chooses another one")
READING = Notice("Reading the board…", "", "esc stops waiting", "muted")
LEFT = Notice("Not read", "You left before the database answered.", "R reads again")


def _key(
    keys: str, name: str, action: str, word: str, tooltip: str, *, show: bool = False, group: Binding.Group = KEYS
) -> Binding:
    return Binding(keys, action, word, show=show, id=f"board.{name}", tooltip=tooltip, group=group)


class BoardScreen(AppScreen[None]):
    """One board of the open database, or all its sessions as one; where it may be written, cards can be moved."""

    AUTO_FOCUS = "BoardView"
    BINDINGS: ClassVar[list[BindingType]] = [
        _key("b", "choose", "choose", "board", "Choose a board", show=True),
        _key(
            "v", "divide", "divide", "columns", "Other columns: by status of sessions or tasks, or by zone", show=True
        ),
        _key("g", "go_to", "go_to", "go to id", "Go to an id"),
        _key("y", "copy", "copy", "copy id", "Copy the card's id"),
        _key("R", "refresh", "refresh", "refresh", "Read anew"),
        _key("escape", "leave", "leave", "cancel", "Stop dragging or waiting"),
        _key("m", "move", "move", "move card", "Move the card to another column", show=True, group=EDIT_KEYS),
        _key(
            "shift+left", "move_left", "shift(-1)", "move left", "Move the card to the column before", group=EDIT_KEYS
        ),
        _key(
            "shift+right", "move_right", "shift(1)", "move right", "Move the card to the next column", group=EDIT_KEYS
        ),
        _key("n", "create", "edit('create')", "new board", "Make a board", group=EDIT_KEYS),
        _key("r", "rename", "edit('rename')", "rename", "Give the board another name", group=EDIT_KEYS),
        _key("e", "describe", "edit('describe')", "describe", "Change the board's description", group=EDIT_KEYS),
        _key(
            "a",
            "archive",
            "edit('archive')",
            "archive",
            "Archive the board, or take it out of the archive",
            group=EDIT_KEYS,
        ),
        _key("x", "delete", "edit('delete')", "delete", "Delete the board; its sessions stay", group=EDIT_KEYS),
        _key("u", "undo", "undo", "undo", "Take back the last change", show=True, group=EDIT_KEYS),
    ]

    app: AgorApp

    def __init__(self) -> None:
        super().__init__()
        self._service: BoardService | None = None
        self._boards: tuple[Board, ...] = ()
        self._board_id: str | None = None
        self._mode: BoardMode = "sessions"
        self._page: BoardPage | None = None
        self._request = 0
        self._asking = False
        self._more: set[str] = set()
        self._edits = BoardEdits(self)

    def compose(self) -> ComposeResult:
        """Header, which board, columns, keys."""
        yield HeaderBar()
        yield BoardBar()
        yield ColumnStrip()
        view = BoardView(self.app.moments.cell, self._may_drop)
        view.notice = OPENING
        yield view
        yield KeyBar()

    def on_mount(self) -> None:
        """Follow the app's database."""
        self.watch(self.app, "browser", self._database_opened)
        self.watch(self.app, "opening", self._opening_changed)
        self.watch(self.app, "preferences", lambda: self.view.redraw(), init=False)
        self._follower = Follower(self, self.read)
        self.set_interval(MINUTE, lambda: self.view.redraw())

    @property
    def view(self) -> BoardView:
        """The columns."""
        return self.query_one(BoardView)

    @property
    def bar(self) -> BoardBar:
        """The line that says which board this is."""
        return self.query_one(BoardBar)

    @property
    def browser(self) -> Browser | None:
        """The open database."""
        return self.app.browser

    @property
    def service(self) -> BoardService | None:
        """What reads and moves cards."""
        return self._service

    @property
    def mode(self) -> BoardMode:
        """How the board is divided."""
        return self._mode

    @property
    def board(self) -> Board | None:
        """The board that is shown; None: all sessions."""
        return self._page.board if self._page is not None else None

    @property
    def boards(self) -> tuple[Board, ...]:
        """All boards, as they were read last."""
        return self._boards

    # Reading

    def _database_opened(self, browser: Browser | None) -> None:
        self._request += 1
        self._service, self._page, self._boards, self._board_id, self._mode = None, None, (), None, "sessions"
        self._asking = False
        self.bar.show(None, self._mode)
        self._strip()
        if browser is None:
            self._opening_changed(self.app.opening)
            return
        from agor_tui.services.board import BoardService

        self._service = BoardService(browser)
        self.view.say(READING)
        self.read()

    def _opening_changed(self, opening: bool) -> None:
        if self.browser is None:
            self.view.say(OPENING if opening else NOT_OPEN)

    def on_screen_resume(self) -> None:
        """Show what has changed while another screen was seen."""
        self._follower.catch_up()

    def read(self, *, point_at: str | None = None) -> None:
        """Read the board as it is asked for now; the cursor stays on its card, or goes to ``point_at``."""
        service, mode, board_id = self._service, self._mode, self._board_id
        if service is None:
            return
        self._request += 1
        request = self._request
        self._asking = True
        page = self._page
        same = page is not None and page.mode == mode and (page.board.id if page.board else None) == board_id
        loaded = {column.cards.key: len(column.cards.cards) for column in self.view.columns} if same else {}
        sizes = {key: min(MOST_KEPT, number) for key, number in loaded.items() if number > 0}

        def done(answer: tuple[BoardPage, tuple[Board, ...]]) -> None:
            if request == self._request:
                self._asking = False
                self._boards = answer[1]
                self._show(answer[0], same)
                if point_at is not None:
                    self.view.point_at(point_at)

        def failed(error: AgorError) -> None:
            if request == self._request:
                self._asking = False
                self._not_read(error)

        ask(self, lambda: (service.page(mode, board_id, sizes), service.boards()), done, failed)

    def _show(self, page: BoardPage, same: bool) -> None:
        self._page = page
        self._more.clear()
        self.bar.show(page.board, page.mode)
        self._say_access()
        if not same:
            self.view.columns.clear()  # another board of the same columns begins at its top
        self.view.show(page)
        self._strip()
        self.refresh_bindings()

    def _not_read(self, error: AgorError) -> None:
        if isinstance(error, NotFoundError) and self._board_id is not None:
            name = f"The board {quoted(self.board.name)}" if self.board is not None else "The board"
            self.notify(f"{printable(name)} was deleted.", severity="warning", markup=False)
            self._boards = tuple(board for board in self._boards if board.id != self._board_id)
            self.show_board(None)
            self.action_choose()
            return
        self._page = None
        self.view.say(Notice(error.title, error.message, error.hint, "error"))
        self._strip()

    @on(BoardColumn.NearEnd)
    def _near_end(self, event: BoardColumn.NearEnd) -> None:
        """Read more cards of a column."""
        event.stop()
        service, cards = self._service, event.column.cards
        after, request = cards.next, self._request
        if service is None or after is None or cards.key in self._more:
            return
        self._more.add(cards.key)

        def done(more: CardColumn) -> None:
            if request == self._request:
                self._more.discard(cards.key)
                self.view.extend(more)

        def failed(error: AgorError) -> None:
            if request == self._request:
                self.bar.say(error.message, "error")

        ask(self, partial(service.more, self._mode, self._board_id, cards.key, after), done, failed)

    # What is said above

    def _say_access(self) -> None:
        read_only = self.browser is not None and self.browser.editor is None
        self.bar.say("read-only: cards cannot be moved" if read_only else "")

    @on(BoardView.Highlighted)
    def _highlighted(self, event: BoardView.Highlighted) -> None:
        event.stop()
        self._strip()

    def _strip(self) -> None:
        view, strip = self.view, self.query_one(ColumnStrip)
        cards = tuple(column.cards for column in view.columns)
        at = next((n for n, column in enumerate(view.columns) if column is view.column), 0)
        strip.show(self._mode, cards, range(view.first, view.first + view.fitting), at)

    @on(ColumnStrip.Clicked)
    def _strip_clicked(self, event: ColumnStrip.Clicked) -> None:
        event.stop()
        self.view.go_to(event.index)

    @on(BoardView.Dragged)
    def _dragged(self, event: BoardView.Dragged) -> None:
        """Say what dropping the card here would do."""
        event.stop()
        card, column = event.card, event.column
        if card is None:
            self._say_access()
        elif column is None:
            self.bar.say(f"Moving {card_title(card)}", "accent")
        elif (complaint := self._edits.complaint(card, column)) is not None:
            self.bar.say(complaint, "warning")
        else:
            self.bar.say(f"Move to {column_name(self._mode, column)}", "accent")

    def _may_drop(self, card: Card, column: CardColumn) -> bool:
        return self._edits.complaint(card, column) is None

    # Choosing

    def show_board(self, board_id: str | None, mode: BoardMode | None = None) -> None:
        """Show another board, or all sessions; without zones of its own it is divided by status."""
        if mode is not None:
            self._mode = mode
        elif self._mode == "zones":
            self._mode = "sessions"
        self._board_id = board_id
        self.read()

    def action_choose(self) -> None:
        """Choose a board."""
        from agor_tui.tui.screens.choose import Choice, ChooseModal

        if self._service is None:
            return
        choices = [Choice("", ALL_SESSIONS, "whatever board they are on")]
        for board in sorted(self._boards, key=lambda board: board.archived):
            detail = " · ".join(part for part in ("archived" * board.archived, board.description or "") if part)
            choices.append(Choice(board.id, board.name, detail))

        def chosen(board_id: str | None) -> None:
            if board_id is not None:
                self.show_board(board_id or None)

        self.app.push_screen(ChooseModal("Choose a board", choices, current=self._board_id or ""), chosen)

    def action_divide(self) -> None:
        """Go on to the next way of dividing the board into columns."""
        service, board_id, mode = self._service, self._board_id, self._mode
        if service is None:
            return

        def done(modes: tuple[BoardMode, ...]) -> None:
            if board_id == self._board_id:
                self._mode = modes[(modes.index(mode) + 1) % len(modes)] if mode in modes else modes[0]
                self.bar.show(self.board, self._mode)
                self.read()

        ask(self, lambda: service.modes(board_id), done, self._not_read)

    def action_go_to(self) -> None:
        """Ask for an id and open what it names."""
        from agor_tui.tui.screens.go_to import GoToModal

        if self.browser is not None:
            self.app.push_screen(GoToModal(self.browser, self.app.moments), self._go_to)

    def _go_to(self, match: Match | None) -> None:
        if match is not None:
            self._open(match.session_id or match.id, None if match.kind == "session" else match)

    @on(BoardView.Opened)
    def _opened(self, event: BoardView.Opened) -> None:
        event.stop()
        record = event.card.record
        if isinstance(record, Session):
            self._open(record.id, None)
        else:
            match = Match("task", record.id, record.short_id, record.title, record.created_at, record.session_id)
            self._open(record.session_id, match)

    def _open(self, session_id: str, at: Match | None) -> None:
        from agor_tui.tui.screens.session import SessionScreen

        if self.browser is not None:
            self.app.push_screen(SessionScreen(session_id, at=at, browser=self.browser))

    # Other keys

    def action_copy(self) -> None:
        """Copy the id of the card."""
        card = self.view.current
        if card is not None:
            self.app.copy_to_clipboard(card.id)
            self.notify(f"Copied {card.id}", markup=False)

    def action_refresh(self) -> None:
        """Read anew, or try again to open the database."""
        if self.browser is None:
            self.app.open_database()
        else:
            self.read()

    def action_leave(self) -> None:
        """Stop dragging; else stop waiting."""
        if self.view.dragging:
            self.view.leave_drag()
        elif self.app.opening:
            self.app.leave_opening()
        elif self._asking and self.browser is not None:
            self._request += 1
            self._asking = False
            ask(self, self.browser.cancel, lambda _: None, lambda _: None)
            if self.view.notice is READING:
                self.view.say(LEFT)

    # Changes

    @on(BoardView.Dropped)
    def _dropped(self, event: BoardView.Dropped) -> None:
        event.stop()
        self._edits.move(event.card, event.column)

    def action_move(self) -> None:
        """Ask where the card shall go."""
        self._edits.ask_where()

    def action_shift(self, by: int) -> None:
        """Move the card to the next column that it may be in."""
        self._edits.shift(by)

    def action_edit(self, what: str) -> None:
        """Change the board."""
        self._edits.do(what)

    def action_undo(self) -> None:
        """Take back the last change."""
        self._edits.take_back()
