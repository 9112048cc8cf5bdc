"""Exporting sessions from a screen: as what, to where, over what is there, and how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from textual.screen import Screen

from agor_tui.errors import AgorError, Cancelled, quoted
from agor_tui.paths import shown
from agor_tui.records import Session
from agor_tui.redact import HIDDEN
from agor_tui.text import byte_size, count, printable
from agor_tui.transfers import Progress
from agor_tui.tui.asking import ask
from agor_tui.tui.screens.exporting import ExportModal

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser
    from agor_tui.services.session_export import Format
    from agor_tui.tui.app import AgorApp

PATIENCE = 0.3
"""Seconds after which an export that is not done yet is shown."""


class SessionExport:
    """The export that a screen offers. ``chosen`` gives the database and the sessions to export."""

    def __init__(self, screen: Screen[Any], chosen: Callable[[], tuple[Browser | None, Sequence[Session]]]) -> None:
        self._screen = screen
        self._chosen = chosen
        self._running = False

    @property
    def _app(self) -> AgorApp:
        app: AgorApp = self._screen.app  # type: ignore[assignment]  # the only app there is
        return app

    def begin(self) -> None:
        """Ask for the format, then for the place."""
        from agor_tui.services.session_export import FORMATS
        from agor_tui.tui.screens.choose import Choice, ChooseModal

        browser, sessions = self._chosen()
        if browser is None or not sessions or self._running:
            return

        def picked(format: str | None) -> None:
            if format is not None:
                self._ask_where(browser, tuple(sessions), cast("Format", format), None)

        choices = [Choice(format, format, words) for format, words in FORMATS.items()]
        self._app.push_screen(ChooseModal(f"Export {_named(sessions)} as", choices), picked)

    def _ask_where(self, browser: Browser, sessions: Sequence[Session], format: Format, before: str | None) -> None:
        """Ask for a file, or for several sessions a folder; ``before`` is what was typed and could not be written."""
        from agor_tui.services.session_export import file_name
        from agor_tui.tui.screens.prompt import PromptModal

        several = len(sessions) > 1
        proposed = Path.cwd() / ("sessions" if several else file_name(sessions[0], format))

        def typed(text: str | None) -> None:
            if text is not None:
                path = Path(text).expanduser()
                work = partial(_standing_in_the_way, sessions, format, path)
                ask(self._screen, work, partial(self._confirm, browser, sessions, format, text), self._fail)

        self._app.push_screen(
            PromptModal(
                f"Export {_named(sessions)} to the {'folder' if several else 'file'}",
                value=before or shown(proposed),
                action="export",
                check=lambda text: None if text else "A name has at least one character.",
            ),
            typed,
        )

    def _confirm(
        self, browser: Browser, sessions: Sequence[Session], format: Format, text: str, there: tuple[Path, int]
    ) -> None:
        """Ask before a file is replaced."""
        path, number = there
        if not number:
            self._export(browser, sessions, format, text, path)
            return
        from agor_tui.tui.screens.confirm import ConfirmModal

        def answered(yes: bool | None) -> None:
            if yes:
                self._export(browser, sessions, format, text, path)
            else:
                self._ask_where(browser, sessions, format, text)

        several = len(sessions) > 1
        question = f"Replace {count(number)} of {count(len(sessions))} files?" if several else "Replace the file?"
        where = f"In {shown(path)} there are files of these names." if several else f"{shown(path)} is there already."
        self._app.push_screen(ConfirmModal(question, [where], action="replace"), answered)

    def _export(self, browser: Browser, sessions: Sequence[Session], format: Format, text: str, path: Path) -> None:
        """Write it in a thread; what takes longer is shown, and can be stopped."""
        from agor_tui.services.session_export import export_to_file, export_to_folder, file_names, hidden_in

        stop = threading.Event()
        modal = ExportModal(f"Exporting {_named(sessions)}", stop)
        self._running = True

        def tell(progress: Progress) -> None:
            self._screen.call_later(modal.take, progress)

        def work() -> tuple[int, int]:
            several = len(sessions) > 1
            write = export_to_folder if several else export_to_file
            size = write(browser, sessions, format, path, tell=tell, stop=stop)
            return size, hidden_in([path / name for name in file_names(sessions, format)] if several else [path])

        def ended() -> None:
            self._running = False
            modal.end()

        def done(written: tuple[int, int]) -> None:
            ended()
            size, hidden = written
            what = f"{count(len(sessions))} files, {byte_size(size)}," if len(sessions) > 1 else byte_size(size)
            secrets = f"; {HIDDEN} stands for {count(hidden)} secret{'s' * (hidden != 1)}" if hidden else ""
            self._tell(f"Wrote {what} to {shown(path)}{secrets}")

        def failed(error: AgorError) -> None:
            ended()
            if isinstance(error, Cancelled):
                self._tell(error.message, "warning")
            else:
                self._fail(error)
                self._ask_where(browser, sessions, format, text)

        ask(self._screen, work, done, failed)
        self._screen.set_timer(PATIENCE, lambda: self._app.push_screen(modal) if self._running else None)

    def _tell(self, text: str, severity: Literal["information", "warning"] = "information") -> None:
        self._screen.notify(printable(text), severity=severity, timeout=8, markup=False)

    def _fail(self, error: AgorError) -> None:
        text = f"{error.message} {error.hint}".rstrip()
        self._screen.notify(printable(text), title=error.title, severity="error", markup=False)


def _standing_in_the_way(sessions: Sequence[Session], format: Format, path: Path) -> tuple[Path, int]:
    """Where the export goes, and how many of its files are there already; a folder gets a file for one session too."""
    from agor_tui.services.session_export import file_names

    names = file_names(sessions, format)
    try:
        if len(sessions) > 1:
            return path, sum((path / name).is_file() for name in names)
        path = path / names[0] if path.is_dir() else path
        return path, int(path.is_file())
    except OSError:  # what is wrong with the place is said when it is written to
        return path, 0


def _named(sessions: Sequence[Session]) -> str:
    """One session by its title, several by their number."""
    return quoted(printable(sessions[0].title)) if len(sessions) == 1 else f"{count(len(sessions))} sessions"
