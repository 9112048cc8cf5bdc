"""The wizard's first question: which database, those that this machine has first."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from textual import on
from textual.message import Message
from textual.widget import Widget

from agor_tui.config.connection import FormKind
from agor_tui.config.places import SqlitePlace
from agor_tui.database_records import DatabaseSurvey
from agor_tui.errors import AgorError
from agor_tui.services.discovery import Candidate, Unopened, candidates, unopened
from agor_tui.services.examination import missing_server, sessions_of
from agor_tui.services.overview import NoAnswerError, look
from agor_tui.statuses import Tone
from agor_tui.tui.asking import ask
from agor_tui.tui.database_rows import place_text
from agor_tui.tui.screens.setup_step import SetupStep
from agor_tui.tui.widgets.menu import Menu, MenuItem

_KINDS: tuple[tuple[FormKind, str, str], ...] = (
    ("sqlite", "SQLite file", "on this computer; nothing to install"),
    ("postgresql", "PostgreSQL server", "a URL, or host, port, database and user"),
    ("embedded", "PostgreSQL on this machine", "started and stopped by agor-tui"),
    ("libsql", "libSQL or Turso", "in the cloud, or on a server of your own"),
)
DEMO = "demo"


@dataclass(frozen=True, slots=True)
class _Found:
    """What is here."""

    candidates: tuple[Candidate, ...] = ()
    unopened: tuple[Unopened, ...] = ()
    no_server: str = ""
    """How to get the embedded server where it is not installed."""


def _survey(candidate: Candidate) -> DatabaseSurvey:
    return look(lambda: candidate.place)


class FindStep(SetupStep):
    """Offers what is here, probed all at once; else asks which kind."""

    stage = 0
    title = "Which database should agor-tui open?"
    back_word = "Leave"

    @dataclass
    class Chosen(Message):
        """A database that is here was chosen."""

        step: SetupStep
        candidate: Candidate

    @dataclass
    class KindChosen(Message):
        """Another database was chosen, of this kind."""

        step: SetupStep
        kind: FormKind

    @dataclass
    class DemoChosen(Message):
        """The demo was chosen."""

        step: SetupStep

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__()
        self._environ = environ
        self._found = _Found()
        self._answers: dict[int, tuple[str, Tone]] = {}

    def sentence(self) -> str:
        return "Looking at what this machine has…"

    def answers(self) -> Sequence[Widget]:
        return (Menu(),)

    def arrive(self) -> None:
        self.query_one(Menu).focus()

    def on_mount(self) -> None:
        """Look at the usual places; what is there is then asked who it is."""
        ask(self, self._look, self._show_found, self.app.show_error)  # type: ignore[attr-defined]

    def _look(self) -> _Found:
        return _Found(candidates(self._environ), unopened(self._environ), missing_server())

    def _show_found(self, found: _Found) -> None:
        self._found = found
        number = len(found.candidates)
        self.say(
            "Nothing was found at the usual places on this machine. Choose where the sessions are, or will be."
            if not number
            else "1 is on this machine already. Choose it, or another database."
            if number == 1
            else f"{number} are on this machine already. Choose one, or another database."
        )
        self._refresh()
        for at, candidate in enumerate(found.candidates):
            ask(self, partial(_survey, candidate), partial(self._answer, at), partial(self._failure, at))

    def _answer(self, at: int, survey: DatabaseSurvey) -> None:
        words = {"empty": "empty", "unknown": "of no known kind"}
        said = words.get(survey.schema.state) or sessions_of(survey)
        good = survey.schema.state not in ("unknown", "newer")
        self._answers[at] = (f"{'✓' if good else '✗'} {said}", "success" if good else "error")
        self._refresh()

    def _failure(self, at: int, error: AgorError) -> None:
        self._answers[at] = ("✗ no answer" if isinstance(error, NoAnswerError) else "✗ does not open", "error")
        self._refresh()

    def _refresh(self) -> None:
        self.query_one(Menu).show(self._items())

    def _items(self) -> list[MenuItem]:
        items: list[MenuItem] = []
        if self._found.candidates:
            items.append(MenuItem(None, "ON THIS MACHINE"))
            for at, candidate in enumerate(self._found.candidates):
                note, tone = self._answers.get(at, ("… asking", "faint"))
                where = place_text(candidate.place)
                is_path = isinstance(candidate.place, SqlitePlace)
                items.append(MenuItem(f"found:{at}", candidate.title, where, note, tone, is_path))
            items += [MenuItem(None, ""), MenuItem(None, "ANOTHER DATABASE")]
        for kind, title, detail in _KINDS:
            note = "needs an extra" if kind == "embedded" and self._found.no_server else ""
            items.append(MenuItem(f"kind:{kind}", title, detail, note, "warning"))
        items += [MenuItem(None, ""), MenuItem(DEMO, "Look around", "made-up sessions; nothing is set up")]
        if self._found.unopened:
            names = " and ".join(each.title for each in self._found.unopened)
            items += [MenuItem(None, ""), MenuItem(None, f"Also here, not opened by this version: {names}.")]
        return items

    @on(Menu.Taken)
    def _taken(self, event: Menu.Taken) -> None:
        event.stop()
        what, _, which = event.value.partition(":")
        if what == "found":
            self.post_message(self.Chosen(self, self._found.candidates[int(which)]))
        elif what == DEMO:
            self.post_message(self.DemoChosen(self))
        else:
            self.post_message(self.KindChosen(self, next(kind for kind, _, _ in _KINDS if kind == which)))
