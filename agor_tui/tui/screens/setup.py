"""The wizard: from nothing to an open database, one question a screen; nothing is written before its end."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from agor_tui.config.connection import ConnectionFields, FormKind, of_place
from agor_tui.config.passwords import NO_PASSWORD, PasswordHome
from agor_tui.config.places import Place, PostgresPlace, short_label
from agor_tui.config.settings import is_name
from agor_tui.errors import AgorError
from agor_tui.services.discovery import Candidate
from agor_tui.services.examination import Outlook
from agor_tui.services.setup import Plan
from agor_tui.statuses import Tone
from agor_tui.tui.asking import ask
from agor_tui.tui.screen import Dialog
from agor_tui.tui.screens.setup_connect import ConnectStep
from agor_tui.tui.screens.setup_find import FindStep
from agor_tui.tui.screens.setup_keep import BeginStep, CommandStep, HomeNamed, NameStep, PasswordStep, VariableStep
from agor_tui.tui.screens.setup_ready import ReadyStep
from agor_tui.tui.screens.setup_step import SetupStep
from agor_tui.tui.screens.setup_test import TestStep
from agor_tui.tui.widgets.connection_form import ConnectionForm
from agor_tui.tui.widgets.header_bar import BRAND
from agor_tui.tui.widgets.key_bar import KeyBar
from agor_tui.tui.widgets.line import Line

if TYPE_CHECKING:
    from agor_tui.services.configuration import Configuration, NamedDatabase

STAGES = ("Choose", "Connect", "Test", "Keep", "Finish")
_KEYS = Binding.Group("Setup")


class StageBar(Line):
    """The first line: the stages, those behind, the present one and those to come."""

    BACKGROUND = "surface"
    DEFAULT_CSS = "StageBar { dock: top; }"

    stage = 0

    def spans(self, width: int) -> list[tuple[str, Tone]]:
        """Each stage with a sign of its own, so that it reads without colour."""
        spans = [*BRAND]
        for number, name in enumerate(STAGES):
            if number < self.stage:
                spans.append((f"  ✓ {name}", "muted"))
            elif number == self.stage:
                spans += [("  ● ", "accent"), (name, "strong")]
            else:
                spans.append((f"  ○ {name}", "faint"))
        return spans


class SetupScreen(Dialog[str | None]):
    """Answers with the name of the database to open, None when left.

    A modal screen, so that no key of the screens below leads away from what is typed.
    """

    CSS_PATH = "setup.tcss"
    AUTO_FOCUS = ""
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="setup.back", tooltip="To the question before", group=_KEYS),
        Binding("ctrl+p", "app.command_palette", "commands", id="setup.commands", tooltip="All commands", group=_KEYS),
        Binding("question_mark", "app.help", "help", key_display="?", id="setup.help", tooltip="Help", group=_KEYS),
        Binding("q", "app.quit", "quit", show=False, id="setup.quit", tooltip="Leave agor-tui", group=_KEYS),
    ]  # fmt: skip

    def __init__(self, configuration: Configuration, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__()
        self._configuration = configuration
        self._environ = environ
        self._path: list[SetupStep] = []
        self._typed: dict[FormKind, ConnectionFields] = {}
        self._taken: Collection[str] = ()
        self._outlook: Outlook | None = None
        self._found_name = ""
        self._demo = False
        self._home = NO_PASSWORD
        self._details: dict[str, str] = {}
        self._name = ""

    def compose(self) -> ComposeResult:
        """The stages, the first question, the keys."""
        first = FindStep(self._environ)
        self._path.append(first)
        yield StageBar()
        yield Container(first, id="question")
        yield KeyBar()

    def on_mount(self) -> None:
        """See which names are taken."""
        self.call_after_refresh(self._arrived)

        def known(databases: tuple[NamedDatabase, ...]) -> None:
            self._taken = {each.name for each in databases if each.name}

        ask(self, self._configuration.databases, known, self._refused)

    def _refused(self, error: AgorError) -> None:
        """A config file that cannot be read can get no further database."""
        app = self.app
        self.dismiss(None)
        app.call_later(app.show_error, error)  # type: ignore[attr-defined]

    # The way

    @property
    def step(self) -> SetupStep:
        """The question that is asked now."""
        return self._path[-1]

    async def _go(self, step: SetupStep) -> None:
        self.step.display = False
        self._path.append(step)
        await self.query_one("#question").mount(step)
        self._arrived()

    def _arrived(self) -> None:
        bar = self.query_one(StageBar)
        bar.stage = self.step.stage
        bar.refresh()
        self.step.display = True
        self.step.arrive()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is being written is not left half-way."""
        busy = bool(self._path) and isinstance(self.step, ReadyStep) and self.step.running
        return not (action == "back" and busy)

    async def action_back(self) -> None:
        """To the question before; what was typed is kept. From the first one out."""
        if not self._path:
            return
        self._remember(self.step)
        self.step.leave()
        if len(self._path) == 1:
            self.dismiss(None)
            return
        left = self._path.pop()
        self._arrived()
        await left.remove()

    def _remember(self, step: SetupStep) -> None:
        if isinstance(step, ConnectStep):
            for form in step.query(ConnectionForm):
                self._typed[step.kind] = form.fields
        elif isinstance(step, VariableStep | CommandStep):
            self._details[type(step).__name__] = step.text
        elif isinstance(step, NameStep):
            self._name = step.text

    def _is_current(self, step: SetupStep) -> bool:
        """Whether an answer is to the present question: a key pressed twice answers twice."""
        return bool(self._path) and step is self.step

    @on(SetupStep.Back)
    async def _back_wanted(self, event: SetupStep.Back) -> None:
        if self._is_current(event.step):
            await self.action_back()

    # The answers

    @on(FindStep.Chosen)
    async def _found_chosen(self, event: FindStep.Chosen) -> None:
        if self._is_current(event.step):
            self._begin_with(event.candidate)
            await self._go(TestStep(event.candidate.place))

    def _begin_with(self, candidate: Candidate | None) -> None:
        self._found_name = candidate.name if candidate else ""
        self._demo, self._home = False, NO_PASSWORD

    @on(FindStep.KindChosen)
    async def _kind_chosen(self, event: FindStep.KindChosen) -> None:
        if self._is_current(event.step):
            self._begin_with(None)
            fields = self._typed.get(event.kind) or self._defaults(event.kind)
            await self._go(ConnectStep(fields, environ=self._environ))

    def _defaults(self, kind: FormKind) -> ConnectionFields:
        if kind == "sqlite":
            from agor_tui import paths

            return ConnectionFields("sqlite", path=str(paths.default_database()))
        if kind == "postgresql":
            return ConnectionFields("postgresql", host="localhost", database="agor", user=self._environ.get("USER", ""))
        return ConnectionFields(kind, database="agor" if kind == "embedded" else "")

    @on(FindStep.DemoChosen)
    def _demo_chosen(self, event: FindStep.DemoChosen) -> None:
        if not self._is_current(event.step):
            return
        event.step.say("Making the demo database…")

        def made() -> str:
            from agor_tui.services.demo import prepare

            with prepare("sqlite") as path:
                return path

        def failed(error: AgorError) -> None:
            event.step.say(f"✗ {error.message} {error.hint}", wrong=True)

        def leave(path: str) -> None:
            if self._is_current(event.step):
                self.dismiss(path)

        ask(self, made, leave, failed)

    @on(ConnectStep.Filled)
    async def _filled(self, event: ConnectStep.Filled) -> None:
        if self._is_current(event.step):
            self._typed[event.fields.kind] = event.fields
            await self._go(TestStep(event.place))

    @on(TestStep.EditWanted)
    async def _edit_wanted(self, event: TestStep.EditWanted) -> None:
        if not self._is_current(event.step):
            return
        await self.action_back()
        if not isinstance(self.step, ConnectStep):
            await self._go(ConnectStep(of_place(event.place), event.place, self._environ))

    @on(TestStep.Passed)
    async def _passed(self, event: TestStep.Passed) -> None:
        if not self._is_current(event.step):
            return
        self._outlook = outlook = event.outlook
        self._demo, self._home = False, NO_PASSWORD
        if outlook.kind in ("native", "empty") and not outlook.rows and not outlook.read_only:
            await self._go(BeginStep())
        else:
            await self._ask_password()

    @on(BeginStep.Chosen)
    async def _begun(self, event: BeginStep.Chosen) -> None:
        if self._is_current(event.step):
            self._demo = event.demo
            await self._ask_password()

    @property
    def _password(self) -> str:
        place = self._outlook.place if self._outlook else None
        secret = place.password if isinstance(place, PostgresPlace) and not place.embedded else None
        return secret.reveal() if secret else ""

    async def _ask_password(self) -> None:
        if self._password:
            await self._go(PasswordStep())
        else:
            await self._ask_name()

    @on(PasswordStep.Chosen)
    async def _home_chosen(self, event: PasswordStep.Chosen) -> None:
        if not self._is_current(event.step):
            return
        if event.home == "variable":
            same = "PGPASSWORD" if self._environ.get("PGPASSWORD") == self._password else ""
            typed = self._details.get(VariableStep.__name__, same)
            await self._go(VariableStep(self._password, typed, self._environ))
        elif event.home == "command":
            typed = self._details.get(CommandStep.__name__, "")
            await self._go(CommandStep(self._password, typed, self._environ))
        else:
            self._home = PasswordHome(event.home)
            await self._ask_name()

    @on(HomeNamed)
    async def _home_named(self, event: HomeNamed) -> None:
        if self._is_current(event.step):
            self._home = event.home
            self._remember(event.step)
            await self._ask_name()

    async def _ask_name(self) -> None:
        assert self._outlook is not None
        await self._go(NameStep(self._taken, self._name or self._suggested(self._outlook.place)))

    def _suggested(self, place: Place) -> str:
        """A name for a database that no other one has."""
        words = self._found_name, getattr(place, "database", None) or "", short_label(place).partition(".")[0], "team"
        name = next(word for word in words if is_name(word) and word != "database")
        names = (name, *(f"{name}-{number}" for number in range(2, len(self._taken) + 3)))
        return next(each for each in names if each not in self._taken)

    @on(NameStep.Named)
    async def _named(self, event: NameStep.Named) -> None:
        if self._is_current(event.step):
            assert self._outlook is not None
            self._name = event.name
            plan = Plan(event.name, self._outlook, self._home, self._demo)
            await self._go(ReadyStep(plan, self._configuration, self.app.clock()))  # type: ignore[attr-defined]

    @on(ReadyStep.Finished)
    def _finished(self, event: ReadyStep.Finished) -> None:
        self.dismiss(event.name)
