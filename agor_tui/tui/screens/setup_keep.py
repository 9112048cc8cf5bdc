"""The wizard's questions about what is kept: what a new database begins with, where the password goes, its name."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from textual import on
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from agor_tui.config.connection_checks import name_complaint
from agor_tui.config.passwords import PasswordHome
from agor_tui.errors import AgorError
from agor_tui.services.setup import (
    DEMO_SESSIONS,
    command_complaint,
    keyring_trouble,
    variable_complaint,
    variable_note,
)
from agor_tui.tui.asking import ask
from agor_tui.tui.screens.setup_step import SetupStep
from agor_tui.tui.widgets.form_field import FormInput, FormRow
from agor_tui.tui.widgets.menu import Menu, MenuItem

HomeKind = Literal["keyring", "variable", "command", "file", "none"]


class BeginStep(SetupStep):
    """What a database without sessions begins with."""

    stage = 3
    title = "What should it begin with?"

    @dataclass
    class Chosen(Message):
        """``demo``: made-up sessions are to be written."""

        step: SetupStep
        demo: bool

    def sentence(self) -> str:
        return "There are no sessions in it yet. Nothing is written before you finish."

    def answers(self) -> Sequence[Widget]:
        return (
            Menu(
                (
                    MenuItem("empty", "Nothing", "my own sessions come later"),
                    MenuItem("demo", "Demo data", f"{DEMO_SESSIONS} made-up sessions to look around in"),
                )
            ),
        )

    def arrive(self) -> None:
        self.query_one(Menu).focus()

    @on(Menu.Taken)
    def _taken(self, event: Menu.Taken) -> None:
        event.stop()
        self.post_message(self.Chosen(self, event.value == "demo"))


class PasswordStep(SetupStep):
    """Where the password is kept."""

    stage = 3
    title = "Where should the password be kept?"

    @dataclass
    class Chosen(Message):
        """One of the homes was chosen."""

        step: SetupStep
        home: HomeKind

    def __init__(self) -> None:
        super().__init__()
        self._trouble = ""
        self._known = False

    def sentence(self) -> str:
        return "It is never shown, and written nowhere but where you choose."

    def answers(self) -> Sequence[Widget]:
        return (Menu(self._items()),)

    def on_mount(self) -> None:
        """Ask whether there is a keyring; that may take its time."""

        def told(trouble: str) -> None:
            self._trouble, self._known = trouble, True
            menu = self.query_one(Menu)
            menu.show(self._items())
            if trouble and menu.value == "keyring":
                menu.choose("variable")

        ask(self, keyring_trouble, told, lambda error: told(error.message))

    def arrive(self) -> None:
        self.query_one(Menu).focus()

    def _items(self) -> tuple[MenuItem, ...]:
        usable = self._known and not self._trouble
        return (
            MenuItem(
                "keyring",
                "System keyring",
                "where this system keeps secrets",
                "" if usable else "not usable",
                "warning",
            )
            if self._known
            else MenuItem("keyring", "System keyring", "where this system keeps secrets", "… asking", "faint"),
            MenuItem("variable", "Environment variable", "you set it before agor-tui starts"),
            MenuItem("command", "Command", "its first line of output, each time it is needed"),
            MenuItem("file", "Config file", "in clear, readable by you alone"),
            MenuItem("none", "Nowhere", "~/.pgpass or PGPASSWORD has it"),
        )

    @on(Menu.Taken)
    def _taken(self, event: Menu.Taken) -> None:
        event.stop()
        if event.value == "keyring" and (self._trouble or not self._known):
            self.say(f"✗ The keyring cannot be used: {self._trouble or 'it has not answered yet'}.", wrong=True)
            return
        self.say(self.sentence())
        for kind in ("keyring", "variable", "command", "file", "none"):
            if kind == event.value:
                self.post_message(self.Chosen(self, kind))


class _OneFieldStep(SetupStep):
    """A question that is answered with one line of text."""

    stage = 3
    on_word = "Go on"
    label = ""
    placeholder = ""

    def __init__(self, value: str = "") -> None:
        super().__init__()
        self._value = value
        self._request = 0

    def answers(self) -> Sequence[Widget]:
        return (FormRow((self.label, FormInput("answer", self._value, self.placeholder))),)

    @property
    def text(self) -> str:
        """What is typed, without spaces around it."""
        return self.query_one(FormInput).value.strip()

    def arrive(self) -> None:
        self.query_one(FormInput).focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.forward()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._request += 1
        self.complain("")
        self.typed()

    def typed(self) -> None:
        """Something was typed."""

    def complain(self, sentence: str) -> None:
        """Say what is wrong."""
        self.query_one(FormRow).complain("answer", sentence)


class VariableStep(_OneFieldStep):
    """Which environment variable has the password."""

    title = "Which environment variable has the password?"
    label = "Variable"
    placeholder = "TEAM_DB_PASSWORD"

    def __init__(self, password: str, value: str = "", environ: Mapping[str, str] = os.environ) -> None:
        super().__init__(value)
        self._password = password
        self._environ = environ

    def sentence(self) -> str:
        return "agor-tui reads it each time it opens the database, and writes it nowhere."

    def typed(self) -> None:
        if variable_complaint(self.text):
            self.say(self.sentence())
        else:
            self.say(variable_note(self.text, self._password, self._environ))

    def forward(self) -> None:
        if complaint := variable_complaint(self.text):
            self.complain(complaint)
        else:
            self.post_message(HomeNamed(self, PasswordHome("variable", self.text)))


class CommandStep(_OneFieldStep):
    """Which command prints the password."""

    title = "Which command prints the password?"
    label = "Command"
    placeholder = "pass show team-db"

    def __init__(self, password: str, value: str = "", environ: Mapping[str, str] = os.environ) -> None:
        super().__init__(value)
        self._password = password
        self._environ = environ

    def sentence(self) -> str:
        return "It runs now, to see whether it prints this password, and each time the database is opened."

    def forward(self) -> None:
        self._request += 1
        request, command = self._request, self.text
        self.say("Running it…")

        def told(complaint: str) -> None:
            if request != self._request:
                return
            self.say(self.sentence())
            self.complain(complaint)
            if not complaint:
                self.post_message(HomeNamed(self, PasswordHome("command", command)))

        def failed(error: AgorError) -> None:
            told(error.message)

        ask(self, lambda: command_complaint(command, self._password, self._environ), told, failed)

    def leave(self) -> None:
        self._request += 1


@dataclass
class HomeNamed(Message):
    """Where the password is kept is known."""

    step: SetupStep
    home: PasswordHome


class NameStep(_OneFieldStep):
    """What the database is called. ``taken`` are the names that others have."""

    title = "What should it be called?"
    label = "Name"
    placeholder = "team"

    @dataclass
    class Named(Message):
        """It has a name."""

        step: SetupStep
        name: str

    def __init__(self, taken: Collection[str], value: str) -> None:
        super().__init__(value)
        self._taken = taken

    def sentence(self) -> str:
        return "The name stands in the status bar, and opens it: agor-tui --database NAME"

    def forward(self) -> None:
        if complaint := name_complaint(self.text, self._taken):
            self.complain(complaint)
        else:
            self.post_message(self.Named(self, self.text))
