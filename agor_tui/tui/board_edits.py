"""What can be changed on the board screen: where a card stands, and the boards themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from agor_tui.errors import AgorError, NotFoundError, quoted
from agor_tui.records import Board, BoardWeight, Card, CardColumn, Placement
from agor_tui.statuses import status_glyph
from agor_tui.text import count
from agor_tui.tui.asking import ask
from agor_tui.tui.board_cards import card_title, column_name
from agor_tui.tui.change_flow import Change, ChangeFlow
from agor_tui.tui.editing import refused, why_not

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser
    from agor_tui.services.editing import Editor, Undo
    from agor_tui.tui.screens.board import BoardScreen


class BoardEdits:
    """The changes that the board screen offers; in a database that may not be written each says why not."""

    def __init__(self, screen: BoardScreen) -> None:
        self._screen = screen
        self._flow = ChangeFlow(screen, self._after)

    def _writable(self) -> tuple[Browser, Editor] | None:
        browser = self._screen.browser
        if browser is None:
            return None
        if browser.editor is None:
            self._flow.tell(why_not(browser.info), "warning")
            if "write" in browser.info.capabilities:  # a server's answer changes: the next key may be allowed
                renewed = partial(self._screen.app.access_renewed, browser)
                ask(self._screen, browser.renew_access, lambda _: renewed(), lambda _: None)
            return None
        return browser, browser.editor

    def _after(self, undo: Undo | None) -> None:
        """All screens that show this database take it in."""
        self._screen.read()
        self._screen.app.changed += 1

    def take_back(self) -> None:
        """Take back the last change."""
        found = self._writable()
        if found is not None:
            self._flow.take_back(found[0])

    # Cards

    def complaint(self, card: Card, column: CardColumn) -> str | None:
        """Why a card cannot be moved into a column, None where it can."""
        from agor_tui.services.board import move_complaint

        browser = self._screen.browser
        if browser is not None and browser.editor is None:
            return why_not(browser.info)
        if browser is not None:
            table = {"zones": "board_objects", "tasks": "tasks"}.get(self._screen.mode, "sessions")
            if refusal := refused(browser.info, table, "move"):
                return refusal
        return move_complaint(self._screen.mode, card, column)

    def move(self, card: Card, column: CardColumn) -> None:
        """Move a card into a column."""
        from agor_tui.services.board import column_of

        found, service, mode = self._writable(), self._screen.service, self._screen.mode
        if found is None or service is None or column_of(mode, card) == column.key:
            return
        if (complaint := self.complaint(card, column)) is not None:
            self._flow.tell(complaint, "warning")
            return
        where = quoted(column_name(mode, column))
        effects: Sequence[str] = ()
        what = quoted(card_title(card))
        if isinstance(card.placement, Placement):
            what = f"the worktree {quoted(card.placement.worktree)}"
            effects = ("All its sessions on this board move with it.",)
        change = Change(
            card,
            partial(service.card, mode, card),
            lambda seen: service.move(mode, seen, column),
            f"Move {what} to {where}?",
            "move",
            effects,
        )
        self._flow.begin(found[0], change)

    def ask_where(self) -> None:
        """Ask for a column and move the card there."""
        from agor_tui.services.board import column_of
        from agor_tui.tui.screens.choose import Choice, ChooseModal

        card, mode = self._screen.view.current, self._screen.mode
        if self._writable() is None or card is None:
            return
        columns = {column.cards.key: column.cards for column in self._screen.view.columns}
        glyphs = {key: "" if mode == "zones" else f"{status_glyph(key)} " for key in columns}
        choices = [
            Choice(key, glyphs[key] + column_name(mode, column))
            for key, column in columns.items()
            if self.complaint(card, column) is None
        ]
        if not choices:
            self._flow.tell(self.complaint(card, next(iter(columns.values()))) or "", "warning")
            return

        def chosen(key: str | None) -> None:
            if key is not None:
                self.move(card, columns[key])

        modal = ChooseModal(f"Move {quoted(card_title(card))} to", choices, current=column_of(mode, card))
        self._screen.app.push_screen(modal, chosen)

    def shift(self, by: int) -> None:
        """Move the card to the next column at one side that it may be in."""
        from agor_tui.services.board import column_of

        view, mode = self._screen.view, self._screen.mode
        card = view.current
        if self._writable() is None or card is None:
            return
        columns = [column.cards for column in view.columns]
        here = next(n for n, column in enumerate(columns) if column.key == column_of(mode, card))
        at_side = columns[here + 1 :] if by > 0 else columns[:here][::-1]
        for column in at_side:
            if self.complaint(card, column) is None:
                self.move(card, column)
                return
        side = "right" if by > 0 else "left"
        self._flow.tell(f"No column at the {side} takes cards: m shows those that do.", "warning")

    # Boards

    def do(self, what: str) -> None:
        """Make a board, or change the one that is shown."""
        found = self._writable()
        if found is None:
            return
        browser, editor = found
        if refusal := refused(browser.info, "boards", what):
            self._flow.tell(refusal, "warning")
            return
        if what == "create":
            self._create(browser, editor)
            return
        board = self._screen.board
        if board is None:
            self._flow.tell("These are all sessions: choose a board to change it, or make one.", "warning")
            return
        begin = {"rename": self._rename, "describe": self._describe, "archive": self._archive, "delete": self._delete}
        begin[what](browser, editor, board)

    def _create(self, browser: Browser, editor: Editor) -> None:
        from agor_tui.services.editing import name_complaint
        from agor_tui.tui.screens.prompt import PromptModal

        taken = [board.name for board in self._screen.boards]

        def made(name: str) -> Undo:
            undo = editor.create_board(name)
            self._screen.call_later(self._screen.show_board, undo.id)
            return undo

        def typed(name: str | None) -> None:
            if name is not None:
                change = Change(name, lambda: name, made, f"Make the board {quoted(name)}?", "make it")
                self._flow.begin(browser, change)

        modal = PromptModal("Name of the new board", check=partial(name_complaint, taken=taken))
        self._screen.app.push_screen(modal, typed)

    def _rename(self, browser: Browser, editor: Editor, board: Board) -> None:
        from agor_tui.services.editing import name_complaint
        from agor_tui.tui.screens.prompt import PromptModal

        taken = [other.name for other in self._screen.boards if other.id != board.id]

        def typed(name: str | None) -> None:
            if name is not None and name != board.name:
                question = f"Rename the board {quoted(board.name)} to {quoted(name)}?"
                self._change(browser, board, lambda seen: editor.edit_board(seen, name, seen.description), question)

        modal = PromptModal("Rename the board", value=board.name, check=partial(name_complaint, taken=taken))
        self._screen.app.push_screen(modal, typed)

    def _describe(self, browser: Browser, editor: Editor, board: Board) -> None:
        from agor_tui.tui.screens.prompt import PromptModal

        def typed(text: str | None) -> None:
            if text is not None and (text or None) != board.description:
                question = f"Describe the board {quoted(board.name)} anew?"
                self._change(browser, board, lambda seen: editor.edit_board(seen, seen.name, text), question)

        modal = PromptModal(
            f"What the board {quoted(board.name)} is for",
            value=board.description or "",
            placeholder="nothing",
            check=lambda text: None,
        )
        self._screen.app.push_screen(modal, typed)

    def _archive(self, browser: Browser, editor: Editor, board: Board) -> None:
        archived = not board.archived
        question = f"Archive {quoted(board.name)}?" if archived else f"Take {quoted(board.name)} out of the archive?"
        self._change(browser, board, lambda seen: editor.archive_board(seen, archived), question)

    def _change(self, browser: Browser, board: Board, run: Callable[[Board], Undo], question: str) -> None:
        service = self._screen.service
        assert service is not None
        self._flow.begin(browser, Change(board, partial(service.board, board.id), run, question, "do it"))

    def _delete(self, browser: Browser, editor: Editor, board: Board) -> None:
        service = self._screen.service
        assert service is not None

        def weighed(weight: BoardWeight) -> None:
            change = Change(
                board,
                partial(service.board, board.id),
                editor.delete_board,
                f"Delete the board {quoted(board.name)}?",
                "delete",
                deletion_effects(weight),
                for_good=True,
            )
            self._flow.begin(browser, change)

        def failed(error: AgorError) -> None:
            self._flow.fail(error)
            if isinstance(error, NotFoundError):
                self._screen.read()

        ask(self._screen, lambda: editor.board_weight(board.id), weighed, failed)


def deletion_effects(weight: BoardWeight) -> Sequence[str]:
    """What deleting a board means, in sentences."""
    effects = []
    if weight.sessions or weight.worktrees:
        stay = f"{_number(weight.sessions, 'session')} in {_number(weight.worktrees, 'worktree')}"
        effects.append(f"{stay} stay as they are, without a board.")
    if weight.comments:
        are = "is" if weight.comments == 1 else "are"
        effects.append(f"{_number(weight.comments, 'comment')} on it {are} deleted with it.")
    return [*effects, "This cannot be taken back."]


def _number(value: int, noun: str) -> str:
    return f"{count(value)} {noun}" if value == 1 else f"{count(value)} {noun}s"
