"""The board: its columns with cards, what may be moved where, and moving it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from agor_tui.errors import ReadOnlyError, UsageError, quoted
from agor_tui.records import Board, BoardMode, BoardPage, Card, CardColumn, Cursor, Session
from agor_tui.repositories.cards import NO_ZONE, CardRepository
from agor_tui.services.editing import SETTABLE_SESSION, SETTABLE_TASK, Undo
from agor_tui.statuses import status_word

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

CARDS = 24
"""Cards of a column that are read at once."""


class BoardService:
    """The boards of one open database. Every method blocks, and raises AgorError where it cannot answer."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._cards = CardRepository(browser.store)

    def boards(self) -> tuple[Board, ...]:
        """Return all boards in the order of their making, archived ones too; their sessions are not counted."""
        return self._cards.boards()

    def modes(self, board_id: str | None) -> tuple[BoardMode, ...]:
        """Return what a board's columns can be; a board without zones of its own has the statuses only."""
        zoned = board_id is not None and self._cards.has_zones(board_id)
        return ("sessions", "tasks", "zones") if zoned else ("sessions", "tasks")

    def page(self, mode: BoardMode, board_id: str | None, sizes: Mapping[str, int]) -> BoardPage:
        """Return a board with the first ``sizes`` cards of its columns, all of one moment; None: all sessions.

        Raises:
            NotFoundError: somebody deleted the board.
        """
        return self._cards.page(mode, board_id, sizes, CARDS)

    def more(self, mode: BoardMode, board_id: str | None, key: str, after: Cursor) -> CardColumn:
        """Return the next cards of a column."""
        return self._cards.more(mode, board_id, key, after, 2 * CARDS)

    def board(self, board_id: str) -> Board:
        """Return a board as it is now; raises as ``page``."""
        return self._cards.board(board_id)

    def card(self, mode: BoardMode, seen: Card) -> Card:
        """Return a card as it is now; raises NotFoundError where its session, task or worktree is gone."""
        browser, place = self._browser, seen.placement
        if mode == "zones" and place is not None:
            return replace(seen, placement=self._cards.placement(place))
        if isinstance(seen.record, Session):
            return replace(seen, record=browser.session(seen.id))
        return replace(seen, record=browser.task_detail(seen.id).task)

    def move(self, mode: BoardMode, card: Card, column: CardColumn) -> Undo:
        """Move a card as it was seen to another column: set its status, or move its worktree to a zone.

        Raises:
            ReadOnlyError: the database may not be written. UsageError: a card cannot be there. EditConflictError,
            NotFoundError: as all changes do.
        """
        editor = self._browser.editor
        if editor is None:
            raise ReadOnlyError(f"{self._browser.info.label} is open for reading only.")
        if complaint := move_complaint(mode, card, column):
            raise UsageError(complaint)
        if mode == "zones":
            assert card.placement is not None
            return editor.move_card(card.placement, column.key or None, column.title)
        if isinstance(card.record, Session):
            return editor.set_session_status(card.record, column.key)
        return editor.set_task_status(card.record, column.key)


def settable(mode: BoardMode, key: str) -> bool:
    """Tell whether cards can be moved into a column at all."""
    if mode == "zones":
        return True
    return key in (SETTABLE_TASK if mode == "tasks" else SETTABLE_SESSION)


def move_complaint(mode: BoardMode, card: Card, column: CardColumn) -> str | None:
    """Return why a card cannot be moved into a column, in one sentence; None where it can."""
    if not settable(mode, column.key):
        return f"Only the agent itself sets {quoted(status_word(column.key))}: a card cannot be moved there."
    if mode == "zones" and card.placement is None:
        return "This session is on the board by itself, without its worktree: it cannot be moved to a zone."
    return None


def column_of(mode: BoardMode, card: Card) -> str:
    """Return the key of the column that a card stands in."""
    if mode == "zones":
        return (card.placement.zone_id if card.placement else None) or NO_ZONE
    return card.record.status
