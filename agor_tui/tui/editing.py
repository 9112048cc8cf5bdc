"""Changing sessions by keys: what is asked before, what is said after, and what happens when two change the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

from textual.binding import Binding
from textual.screen import Screen

from agor_tui.database_records import DatabaseInfo
from agor_tui.errors import AgorError, EditConflictError, NotFoundError, quoted
from agor_tui.filters import SessionFilter
from agor_tui.records import Board, Session
from agor_tui.statuses import status_glyph, status_word
from agor_tui.text import count, printable
from agor_tui.tui.asking import ask

if TYPE_CHECKING:
    from agor_tui.records import SessionWeight
    from agor_tui.services.browser import Browser
    from agor_tui.services.editing import Editor, Undo
    from agor_tui.tui.app import AgorApp

Field = Literal["title", "status", "archived", "board", "any"]
"""What of a session has changed."""

EDIT_KEYS = Binding.Group("Change")
ACTIONS = (
    ("rename", "r", "Give it another title"),
    ("archive", "a", "Archive it, or take it out of the archive"),
    ("status", "c", "Set its status"),
    ("board", "b", "Move it to a board"),
    ("delete", "x", "Delete it with its tasks and messages"),
    ("undo", "u", "Take back the last change"),
)
"""What can be done to a session: a name, the key in lists, a sentence."""
MOST_NAMED = 3
"""So many children of a session are named before it is deleted."""


def edit_bindings() -> list[Binding]:
    """The keys of a list of sessions."""
    return [
        Binding(key, f"edit('{name}')", name, show=False, id=f"edit.{name}", tooltip=tooltip, group=EDIT_KEYS)
        for name, key, tooltip in ACTIONS
    ]


@dataclass(slots=True)
class _Outcome:
    """How far several changes came: what was changed and how it is now; why it stopped, and what is still to do."""

    undos: list[Undo] = field(default_factory=list)
    done: list[Session] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    error: AgorError | None = None
    left: Sequence[Session] = ()


@dataclass(frozen=True, slots=True)
class _Change:
    """A change to make: what it does to one session, the field, what it is called, and whether it deletes."""

    run: Callable[[Editor, Session], Undo | None]
    field: Field
    question: str
    verb: str
    done: str


class SessionEdits:
    """The changes that a screen offers. ``chosen`` gives the database and the sessions to change.

    ``changed`` is called with the sessions as they are now and the field that was changed, ``gone`` with the ids of
    those that are no more; both where the widgets live.
    """

    def __init__(
        self,
        screen: Screen[Any],
        chosen: Callable[[], tuple[Browser | None, Sequence[Session]]],
        changed: Callable[[Sequence[Session], Field], None],
        gone: Callable[[Sequence[str]], None],
    ) -> None:
        self._screen = screen
        self._chosen = chosen
        self._changed = changed
        self._gone = gone

    @property
    def _app(self) -> AgorApp:
        app: AgorApp = self._screen.app  # type: ignore[assignment]  # the only app there is
        return app

    def do(self, what: str) -> None:
        """Begin one of ``ACTIONS``."""
        browser, sessions = self._chosen()
        if browser is None:
            return
        self._allowed(browser, what, sessions)

    def _allowed(self, browser: Browser, what: str, sessions: Sequence[Session], *, asked: bool = False) -> None:
        """Begin what the database allows; what it refused is asked once more, since a server's answer changes."""
        refusal = why_not(browser.info) if browser.editor is None else refused(browser.info, "sessions", what)
        if refusal and not asked and "write" in browser.info.capabilities:

            def renewed(_: None) -> None:
                self._app.access_renewed(browser)
                self._allowed(browser, what, sessions, asked=True)

            ask(self._screen, browser.renew_access, renewed, self._fail)
        elif refusal:
            self._tell(refusal, "warning")
        elif what == "undo":
            self._undo(browser)
        elif sessions:
            begin = {
                "rename": self._rename,
                "archive": self._archive,
                "status": self._set_status,
                "board": self._move,
                "delete": self._delete,
            }[what]
            begin(browser, sessions)

    # What is asked before

    def _rename(self, browser: Browser, sessions: Sequence[Session]) -> None:
        from agor_tui.services.editing import name_complaint
        from agor_tui.tui.screens.prompt import PromptModal

        session = sessions[-1]

        def typed(title: str | None) -> None:
            if title is not None and title != session.title:
                change = _Change(
                    lambda editor, seen: editor.rename_session(seen, title),
                    "title",
                    f"Rename {quoted(session.title)} to {quoted(title)}?",
                    "rename it",
                    "Renamed",
                )
                self._confirmed(browser, [session], change)

        self._app.push_screen(PromptModal("Rename the session", value=session.title, check=name_complaint), typed)

    def _archive(self, browser: Browser, sessions: Sequence[Session]) -> None:
        archived = not all(session.archived for session in sessions)
        wanted = [session for session in sessions if session.archived != archived]
        question = f"Archive {named(wanted)}?" if archived else f"Take {named(wanted)} out of the archive?"
        change = _Change(
            lambda editor, seen: editor.archive_session(seen, archived),
            "archived",
            question,
            "archive" if archived else "take out",
            "Archived" if archived else "Took out of the archive:",
        )
        self._confirmed(browser, wanted, change)

    def _set_status(self, browser: Browser, sessions: Sequence[Session]) -> None:
        from agor_tui.services.editing import SETTABLE_SESSION
        from agor_tui.tui.screens.choose import Choice, ChooseModal

        choices = [Choice(status, f"{status_glyph(status)} {status_word(status)}") for status in SETTABLE_SESSION]
        current = sessions[0].store_status if len({session.store_status for session in sessions}) == 1 else None

        def picked(status: str | None) -> None:
            if status is not None:
                wanted = [session for session in sessions if session.store_status != status]
                change = _Change(
                    lambda editor, seen: editor.set_session_status(seen, status),
                    "status",
                    f"Set {named(wanted)} to {status_word(status)}?",
                    "set it",
                    f"Set to {status_word(status)}:",
                )
                self._confirmed(browser, wanted, change)

        self._app.push_screen(ChooseModal(f"Status of {named(sessions)}", choices, current=current), picked)

    def _move(self, browser: Browser, sessions: Sequence[Session]) -> None:
        ask(self._screen, browser.boards, partial(self._choose_board, browser, sessions), self._fail)

    def _choose_board(self, browser: Browser, sessions: Sequence[Session], boards: Sequence[Board]) -> None:
        from agor_tui.tui.screens.choose import Choice, ChooseModal

        known = [board for board in boards if not board.archived]
        names = {board.id: board.name for board in known}
        choices = [Choice(board.id, board.name, board.description or "") for board in known]
        choices.append(Choice("", "the board of its worktree"))
        here = {session.board for session in sessions}
        current = next((board.id for board in known if {board.name} == here), None)

        def picked(board_id: str | None) -> None:
            if board_id is not None:
                where = f"the board {quoted(names[board_id])}" if board_id else "the board of its worktree"
                change = _Change(
                    lambda editor, seen: editor.move_session_to_board(seen, board_id or None),
                    "board",
                    f"Move {named(sessions)} to {where}?",
                    "move it",
                    f"Moved to {where}:",
                )
                self._confirmed(browser, sessions, change)

        self._app.push_screen(ChooseModal(f"Board of {named(sessions)}", choices, current=current), picked)

    def _delete(self, browser: Browser, sessions: Sequence[Session]) -> None:
        from agor_tui.tui.screens.confirm import ConfirmModal

        if len(sessions) > 1:
            self._tell("One session at a time can be deleted: take the marks away first.", "warning")
            return
        session, editor = sessions[0], browser.editor
        assert editor is not None

        def answered(yes: bool | None) -> None:
            if yes:
                change = _Change(lambda editor, seen: editor.delete_session(seen), "any", "", "delete", "Deleted")
                self._make(browser, [session], change)

        def weighed(answer: tuple[SessionWeight, Sequence[Session]]) -> None:
            effects = deletion_effects(*answer)
            self._app.push_screen(ConfirmModal(f"Delete {named([session])}?", effects, action="delete"), answered)

        def failed(error: AgorError) -> None:
            self._fail(error)
            if isinstance(error, NotFoundError):
                self._gone([session.id])

        ask(self._screen, lambda: (editor.session_weight(session.id), browser.children(session.id)), weighed, failed)

    def _confirmed(self, browser: Browser, sessions: Sequence[Session], change: _Change) -> None:
        """Make a change, after asking where the user wants to be asked before each."""
        if not sessions:
            return
        if self._app.preferences.confirm != "changes":
            self._make(browser, sessions, change)
            return
        from agor_tui.tui.screens.confirm import ConfirmModal

        def answered(yes: bool | None) -> None:
            if yes:
                self._make(browser, sessions, change)

        self._app.push_screen(ConfirmModal(change.question, (), action=change.verb), answered)

    # Making it

    def _make(self, browser: Browser, sessions: Sequence[Session], change: _Change) -> None:
        def failed(error: AgorError) -> None:
            self._fail(error)

        ask(
            self._screen,
            partial(_make_all, browser, sessions, change),
            partial(self._made, browser, change, len(sessions)),
            failed,
        )

    def _made(self, browser: Browser, change: _Change, wanted: int, outcome: _Outcome) -> None:
        """Say what was done, and go on from where it stopped."""
        if outcome.undos:
            _LAST[browser] = tuple(outcome.undos)
            text = outcome.undos[0].sentence
            if len(outcome.undos) > 1:
                text = f"{change.done} {len(outcome.undos)} sessions."
            self._tell(f"{text} u takes it back.")
        if outcome.done:
            self._changed(outcome.done, change.field)
        if outcome.gone:
            self._gone(outcome.gone)
        error = outcome.error
        if isinstance(error, EditConflictError):
            self._conflict(browser, change, outcome.left, error)
        elif error is not None:
            self._fail(error)
        elif change.verb == "delete" and outcome.gone:
            self._tell("Deleted the session with all that was in it.")

    def _conflict(self, browser: Browser, change: _Change, left: Sequence[Session], error: EditConflictError) -> None:
        """Show what someone else did; the change is made to that only if the user says so."""
        from agor_tui.tui.screens.conflict import ConflictModal

        def again() -> list[Session]:
            return [browser.session(left[0].id), *left[1:]]

        def answered(overwrite: bool | None) -> None:
            if overwrite:
                ask(self._screen, again, lambda seen: self._make(browser, seen, change), self._fail)
            else:
                ask(self._screen, lambda: browser.session(left[0].id), lambda now: self._changed([now], "any"), _quiet)

        self._app.push_screen(ConflictModal(error), answered)

    def _undo(self, browser: Browser) -> None:
        undos = _LAST.pop(browser, ())
        if not undos:
            self._tell("There is nothing to take back.", "warning")
            return

        def work() -> list[Session]:
            for undo in reversed(undos):
                undo.run()
            return [browser.session(undo.id) for undo in undos]

        def done(sessions: list[Session]) -> None:
            self._tell(f"Taken back: {undos[0].sentence if len(undos) == 1 else f'{len(undos)} changes.'}")
            self._changed(sessions, "any")

        def failed(error: AgorError) -> None:
            self._fail(error)
            if isinstance(error, NotFoundError):
                self._gone([undo.id for undo in undos])

        ask(self._screen, work, done, failed)

    def _tell(self, text: str, severity: Literal["information", "warning"] = "information") -> None:
        self._screen.notify(printable(text), severity=severity, markup=False)

    def _fail(self, error: AgorError) -> None:
        text = f"{error.message} {error.hint}".rstrip()
        self._screen.notify(printable(text), title=error.title, severity="error", markup=False)


_LAST: WeakKeyDictionary[Browser, tuple[Undo, ...]] = WeakKeyDictionary()
"""Of each open database the last change, so that any screen can take it back."""


def _make_all(browser: Browser, sessions: Sequence[Session], change: _Change) -> _Outcome:
    """Change one session after the other, up to one that somebody else has changed."""
    outcome = _Outcome()
    editor = browser.editor
    assert editor is not None
    for at, session in enumerate(sessions):
        try:
            undo = change.run(editor, session)
            if undo is None:
                outcome.gone.append(session.id)
            else:
                outcome.undos.append(undo)
                outcome.done.append(browser.session(session.id))
        except NotFoundError as error:
            outcome.gone.append(session.id)
            outcome.error = error
        except AgorError as error:
            outcome.error, outcome.left = error, sessions[at:]
            break
    return outcome


def why_not(info: DatabaseInfo) -> str:
    """Why the sessions of a database cannot be changed, in a sentence."""
    if info.kind != "native":
        return f"{info.label} belongs to {info.owner}: it is only read here, nothing in it can be changed."
    if info.access.obstacle:
        return f"{info.label} is open for reading only. {info.access.obstacle}"
    return f"{info.label} is open for reading only: nothing in it can be changed."


def refused(info: DatabaseInfo, table: str, what: str) -> str:
    """Why this user may not do ``what`` to rows of ``table``, in a sentence; empty where they may."""
    right = {"create": "INSERT", "delete": "DELETE"}.get(what, "UPDATE")
    return "" if what == "undo" else info.access.refusal(table, right)


def named(sessions: Sequence[Session]) -> str:
    """One session by its title, several by their number."""
    return quoted(sessions[0].title) if len(sessions) == 1 else f"{len(sessions)} sessions"


def deletion_effects(weight: SessionWeight, children: Sequence[Session]) -> list[str]:
    """What deleting a session means, in sentences."""
    effects = ["It has no tasks and no messages."]
    if weight.tasks or weight.messages:
        goes = f"{_number(weight.tasks, 'task')} and {_number(weight.messages, 'message')} are deleted with it."
        effects = [goes]
    if weight.comments:
        effects.append(f"{_number(weight.comments, 'comment')} on a board lose what they were about.")
    if weight.children:
        names = ", ".join(quoted(child.title) for child in children[:MOST_NAMED])
        more = weight.children - min(len(children), MOST_NAMED)
        of_them = f": {names}{f' and {count(more)} more' if more > 0 else ''}" if names else ""
        stay = "session that came of it stays" if weight.children == 1 else "sessions that came of it stay"
        effects.append(f"{count(weight.children)} {stay}, without the link{of_them}.")
    return [*effects, "This cannot be taken back."]


def leaves_list(filter: SessionFilter, changed: Field) -> bool:
    """Whether a session may not fit a filter any more when this has changed."""
    return {
        "title": bool(filter.words or filter.without),
        "status": bool(filter.status),
        "archived": filter.archived != "any",
        "board": bool(filter.board),
        "any": True,
    }[changed]


def _number(value: int, noun: str) -> str:
    return f"{count(value)} {noun}" if value == 1 else f"{count(value)} {noun}s"


def _quiet(error: AgorError) -> None:
    """Leave an error unsaid: what it is about was said already."""
