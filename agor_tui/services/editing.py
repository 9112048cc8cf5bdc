"""What a user may change in a database of ours; each change is made to what was seen, and can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from agor_tui.errors import UsageError, quoted
from agor_tui.records import Board, BoardWeight, Placement, Session, SessionWeight, Task
from agor_tui.redact import HIDDEN
from agor_tui.repositories.changing import Changes, Written
from agor_tui.repositories.edits import BoardChanges, SessionChanges
from agor_tui.repositories.places import BoardRepository
from agor_tui.repositories.placing import Placer
from agor_tui.repositories.sessions import SessionRepository
from agor_tui.repositories.tasks import TaskRepository
from agor_tui.statuses import status_word

if TYPE_CHECKING:
    from agor_tui.repositories.base import Store

SETTABLE_SESSION = ("idle", "completed", "failed", "stopped")
"""The statuses of a session that a person may set: running and awaiting are only true while an agent says so."""
SETTABLE_TASK = ("created", "completed", "failed", "stopped")
"""The same of a task."""

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Undo:
    """A change that was made: ``sentence`` says which, ``id`` names the row, ``run`` takes it back.

    ``run`` raises EditConflictError where somebody changed the same again, NotFoundError where the row is gone.
    """

    sentence: str
    id: str
    run: Callable[[], object]


def name_complaint(text: str, taken: Iterable[str] = ()) -> str | None:
    """Return what is wrong with a title or a name as typed, in one sentence; None where it is good."""
    name = text.strip()
    if not name:
        return "Type at least one character that is not a space."
    if len(name) > LONGEST_NAME:
        return f"At most {LONGEST_NAME} characters; these are {len(name):,}."
    if HIDDEN in name:
        return f"{HIDDEN} stands for a secret that is there now: type what shall stand there instead."
    if not all(character.isprintable() or character in "\u200c\u200d" for character in name):
        return "Only characters that can be seen, please: no line breaks and no control characters."
    if name.casefold() in {each.strip().casefold() for each in taken}:
        return f"There is already one named {quoted(name)}."
    return None


class Editor:
    """Changes to one open database that may be written. Every method blocks.

    Each takes the record as the user saw it, and raises EditConflictError where somebody else changed the fields
    concerned since, NotFoundError where somebody deleted the row, DatabaseError where the database refuses.
    """

    def __init__(self, store: Store) -> None:
        self._sessions = SessionChanges(SessionRepository(store))
        self._tasks = Changes(TaskRepository(store))
        self._boards = BoardChanges(BoardRepository(store, counted=False))
        self._placer = Placer(store)

    # sessions

    def rename_session(self, seen: Session, title: str) -> Undo:
        """Give a session another title; raises UsageError where it is none."""
        title = _name(title)
        sentence = f"Renamed {quoted(seen.title)} to {quoted(title)}."
        return self._change_session(seen, {"title": seen.title}, {"title": title}, sentence)

    def set_session_status(self, seen: Session, status: str) -> Undo:
        """Set a session's status to one of ``SETTABLE_SESSION``; raises UsageError for another."""
        _settable(status, SETTABLE_SESSION, "session")
        sentence = f"Set {quoted(seen.title)} to {status_word(status)}."
        return self._change_session(seen, {"store_status": seen.store_status}, {"status": status}, sentence)

    def archive_session(self, seen: Session, archived: bool) -> Undo:
        """Put a session into the archive, or take it out again.

        Raises:
            DatabaseError: it is archived with its worktree, which stays so.
        """
        sentence = f"{'Archived' if archived else 'Took out of the archive:'} {quoted(seen.title)}."
        return self._change_session(seen, {"archived": seen.archived}, {"archived": archived}, sentence)

    def move_session_to_board(self, seen: Session, board_id: str | None) -> Undo:
        """Put a session on a board of its own; None puts it back to where its worktree stands."""
        where = "the board of its worktree" if board_id is None else "another board"
        sentence = f"Moved {quoted(seen.title)} to {where}."
        return self._change_session(seen, {"board": seen.board}, {"board_id": board_id}, sentence)

    def session_weight(self, session_id: str) -> SessionWeight:
        """Return what would be deleted with a session, and what would lose its link to it; NotFoundError: gone."""
        return self._sessions.weight(session_id)

    def delete_session(self, seen: Session) -> None:
        """Delete a session with its tasks and messages; its children live on. This cannot be undone.

        One that has changed or grown since it was seen is not deleted: EditConflictError.
        """
        fields = ("title", "store_status", "archived", "task_count", "message_count")
        self._sessions.delete(seen.id, seen.title, {name: getattr(seen, name) for name in fields})

    # tasks

    def set_task_status(self, seen: Task, status: str) -> Undo:
        """Set a task's status to one of ``SETTABLE_TASK``; raises UsageError for another."""
        _settable(status, SETTABLE_TASK, "task")
        written = self._tasks.change(seen.id, seen.title, {"store_status": seen.store_status}, {"status": status})
        return _undo(self._tasks, written, f"Set {quoted(seen.title)} to {status_word(status)}.")

    # boards

    def create_board(self, name: str, description: str | None = None) -> Undo:
        """Make a board; ``id`` of what is returned is its id.

        Raises:
            UsageError: the name is none, or another board has it.
        """
        written = self._boards.create({"name": _name(name), "description": _text(description)})
        return Undo(f"Made the board {quoted(written.title)}.", written.row_id, partial(self._boards.unmake, written))

    def edit_board(self, seen: Board, name: str, description: str | None) -> Undo:
        """Give a board another name and description; raises as ``create_board``."""
        name, description = _name(name) if name != seen.name else name, _text(description)
        if description != seen.description and HIDDEN in (description or ""):
            raise UsageError(
                f"{HIDDEN} stands for a secret that is in the description now.", "Type what shall stand there instead."
            )
        changes: dict[str, Any] = {}
        expected: dict[str, Any] = {}
        if name != seen.name:
            changes["name"], expected["name"] = name, seen.name
        if description != seen.description:
            changes["description"], expected["description"] = description, seen.description
        sentence = (
            f"Renamed the board {quoted(seen.name)} to {quoted(name)}."
            if "name" in changes
            else f"Described the board {quoted(seen.name)} anew."
        )
        return self._change_board(seen, expected, changes, sentence)

    def archive_board(self, seen: Board, archived: bool) -> Undo:
        """Put a board into the archive, or take it out again; its sessions stay as they are."""
        sentence = f"{'Archived the board' if archived else 'Took out of the archive: the board'} {quoted(seen.name)}."
        return self._change_board(seen, {"archived": seen.archived}, {"archived": archived or None}, sentence)

    def board_weight(self, board_id: str) -> BoardWeight:
        """Return what stands on a board, and how many comments would be deleted with it; NotFoundError: gone."""
        return self._boards.weight(board_id)

    def delete_board(self, seen: Board) -> None:
        """Delete a board with its comments; its worktrees and sessions live on. This cannot be undone."""
        fields = ("name", "description", "archived")
        self._boards.delete(seen.id, seen.name, {name: getattr(seen, name) for name in fields})

    # places on boards

    def move_card(self, seen: Placement, zone_id: str | None, zone: str) -> Undo:
        """Move a worktree, with all its sessions, to a zone of its board; ``zone`` is the zone's name."""
        now = self._placer.place(seen, zone_id)
        where = quoted(zone) if zone_id is not None else "no zone"
        back = partial(self._placer.unplace, now) if seen.id is None else partial(self._placer.place, now, seen.zone_id)
        return Undo(f"Moved the worktree {quoted(seen.worktree)} to {where}.", seen.worktree_id, back)

    def _change_session(
        self, seen: Session, expected: Mapping[str, Any], changes: Mapping[str, Any], sentence: str
    ) -> Undo:
        return _undo(self._sessions, self._sessions.change(seen.id, seen.title, expected, changes), sentence)

    def _change_board(
        self, seen: Board, expected: Mapping[str, Any], changes: Mapping[str, Any], sentence: str
    ) -> Undo:
        return _undo(self._boards, self._boards.change(seen.id, seen.name, expected, changes), sentence)


def _undo(changes: Changes[Any], written: Written, sentence: str) -> Undo:
    return Undo(sentence, written.row_id, partial(changes.take_back, written))


def _name(text: str) -> str:
    if complaint := name_complaint(text):
        raise UsageError(complaint)
    return text.strip()


def _text(text: str | None) -> str | None:
    return (text or "").strip() or None


def _settable(status: str, known: tuple[str, ...], kind: str) -> None:
    if status not in known:
        words = ", ".join(status_word(each) for each in known)
        raise UsageError(f"The status of a {kind} cannot be set to {quoted(status)}.", f"It may be {words}.")
