"""Making one change from a screen: asked before where the user wants that, in a thread, with what came of it said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar
from weakref import WeakKeyDictionary

from textual.screen import Screen

from agor_tui.errors import AgorError, EditConflictError
from agor_tui.text import printable
from agor_tui.tui.asking import ask

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser
    from agor_tui.services.editing import Undo
    from agor_tui.tui.app import AgorApp

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """A change to what was ``seen``; ``read`` reads that anew, and ``run`` makes the change, which may be for good.

    ``question``, ``effects`` and ``verb`` are asked before; always where it is for good.
    """

    seen: T
    read: Callable[[], T]
    run: Callable[[T], Undo | None]
    question: str
    verb: str
    effects: Sequence[str] = ()
    for_good: bool = False


class ChangeFlow:
    """The changes of one screen; ``after`` is called where the widgets live when one was made, or was in vain."""

    def __init__(self, screen: Screen[Any], after: Callable[[Undo | None], None]) -> None:
        self._screen = screen
        self._after = after
        self._last: WeakKeyDictionary[Browser, Undo] = WeakKeyDictionary()

    @property
    def _app(self) -> AgorApp:
        app: AgorApp = self._screen.app  # type: ignore[assignment]  # the only app there is
        return app

    def begin(self, browser: Browser, change: Change[Any]) -> None:
        """Make a change, after asking where it is for good or the user wants to be asked before each."""
        if not change.for_good and self._app.preferences.confirm != "changes":
            self._make(browser, change)
            return
        from agor_tui.tui.screens.confirm import ConfirmModal

        def answered(yes: bool | None) -> None:
            if yes:
                self._make(browser, change)

        self._app.push_screen(ConfirmModal(change.question, change.effects, action=change.verb), answered)

    def take_back(self, browser: Browser) -> None:
        """Take back the last change; what somebody changed again stays, and is shown."""
        undo = self._last.pop(browser, None)
        if undo is None:
            self.tell("There is nothing to take back.", "warning")
            return

        def done(_: object) -> None:
            self.tell(f"Taken back: {undo.sentence}")
            self._after(undo)

        def failed(error: AgorError) -> None:
            self.fail(error)
            self._after(None)

        ask(self._screen, undo.run, done, failed)

    def tell(self, text: str, severity: Literal["information", "warning"] = "information") -> None:
        """Say a sentence."""
        self._screen.notify(printable(text), severity=severity, markup=False)

    def fail(self, error: AgorError) -> None:
        """Say an error."""
        text = f"{error.message} {error.hint}".rstrip()
        self._screen.notify(printable(text), title=error.title, severity="error", markup=False)

    def _make(self, browser: Browser, change: Change[Any], *, anew: bool = False) -> None:
        def done(undo: Undo | None) -> None:
            if undo is not None:
                self._last[browser] = undo
                self.tell(f"{undo.sentence} {self._key('undo')} takes it back.")
            self._after(undo)

        def failed(error: AgorError) -> None:
            if isinstance(error, EditConflictError):
                self._conflict(browser, change, error)
            else:
                self.fail(error)
                self._after(None)

        ask(self._screen, lambda: change.run(change.read() if anew else change.seen), done, failed)

    def _conflict(self, browser: Browser, change: Change[Any], error: EditConflictError) -> None:
        """Show what someone else did; the change is made to that only if the user says so."""
        from agor_tui.tui.screens.conflict import ConflictModal

        def answered(overwrite: bool | None) -> None:
            if overwrite:
                self._make(browser, change, anew=True)
            else:
                self._after(None)

        self._app.push_screen(ConflictModal(error), answered)

    def _key(self, action: str) -> str:
        """The key of an action of the screen, as it is mapped now."""
        for active in self._screen.active_bindings.values():
            if active.binding.action == action:
                return self._app.get_key_display(active.binding)
        return "undo"
