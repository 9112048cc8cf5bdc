"""Looking after a database: what is asked, what would be done, how far it is, and what came of it to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Static

from agor_tui.errors import AgorError, Cancelled
from agor_tui.text import printable
from agor_tui.tui.asking import ask
from agor_tui.tui.screen import AppScreen
from agor_tui.tui.screens.confirm import ConfirmModal
from agor_tui.tui.upkeep.drawing import State, run_lines, sentence
from agor_tui.tui.upkeep.flow import UpkeepFlow
from agor_tui.tui.upkeep.task import Field, Question
from agor_tui.tui.widgets.form_field import ChoiceLine, FormInput, FormRow
from agor_tui.tui.widgets.header_bar import HeaderBar
from agor_tui.tui.widgets.ink import INK_CLASSES, Ink, ink_css
from agor_tui.tui.widgets.key_bar import KeyBar
from agor_tui.tui.widgets.lines_view import Lines, LinesView
from agor_tui.tui.widgets.upkeep_heading import UpkeepHeading

if TYPE_CHECKING:
    from agor_tui.tui.app import AgorApp

KEYS = Binding.Group("Upkeep")
TICK = 0.25
"""Seconds between looks at what runs."""


class UpkeepView(LinesView):
    """The plan, the run or the result."""

    COMPONENT_CLASSES = set(INK_CLASSES)
    DEFAULT_CSS = "UpkeepView { height: 1fr; }" + ink_css("UpkeepView")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "stop", id="upkeep.stop", tooltip="Stop what runs", group=KEYS),
    ]

    class Stop(Message):
        """What runs is to be stopped."""

    def __init__(self, flow: UpkeepFlow) -> None:
        super().__init__()
        self._flow = flow

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what runs can be stopped."""
        return action != "stop" or self._flow.busy

    def action_stop(self) -> None:
        """Ask for it."""
        self.post_message(self.Stop())


class UpkeepScreen(AppScreen[None]):
    """One piece of upkeep. What runs goes on when the screen is left in another way than by ``escape``."""

    CSS_PATH = "upkeep.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "go_on", "go on", id="upkeep.go_on", tooltip="Look what would be done, then do it", group=KEYS
        ),
        Binding("o", "open", "open it", id="upkeep.open", tooltip="Switch to the database copied to", group=KEYS),
        Binding("r", "mend", "repair", id="upkeep.mend", tooltip="Mend on a copy what can be mended", group=KEYS),
        Binding("y", "copy", "copy path", id="upkeep.copy", tooltip="Copy the path of the file", group=KEYS),
        Binding("R", "again", "once more", id="upkeep.again", tooltip="Do the same again, or continue it", group=KEYS),
        Binding("escape", "leave", "back", id="upkeep.leave", tooltip="Back by a step", group=KEYS),
    ]

    app: AgorApp

    def __init__(self, flow: UpkeepFlow) -> None:
        super().__init__()
        self.flow = flow

    def compose(self) -> ComposeResult:
        """Header, what it is about, the form or the lines, keys."""
        yield HeaderBar()
        yield UpkeepHeading(self.flow)
        with VerticalScroll(id="form", can_focus=False):
            yield from self._form()
            yield Static("", id="failure", markup=False)
        yield UpkeepView(self.flow)
        yield KeyBar()

    def _form(self) -> Iterator[Widget]:
        for each in self.flow.upkeep.fields():
            value = self.flow.values[each.name]
            note = [Static(each.note, classes="note", markup=False)] if each.note else []
            yield Vertical(FormRow((each.label, _line(each, value))), *note, id=f"box-{each.name}", classes="box")

    def on_mount(self) -> None:
        """Follow what is done; begin where nothing is asked."""
        self.flow.shown = self.show
        self.set_interval(TICK, self._tick)
        self._suggest()
        if self.flow.step == "form" and not self.flow.values:
            self.flow.begin()
        else:
            self.show()

    def on_unmount(self) -> None:
        """What runs goes on; what only looks is ended."""
        if self.flow.shown == self.show:
            self.flow.shown = None
            if self.flow.step == "planning":
                self.flow.stop()
            self.flow.settle()

    def _suggest(self) -> None:
        """Offer the names of the databases while one is typed."""
        fields = [each for each in self.flow.upkeep.fields() if each.is_url]
        if not fields:
            return
        configuration = self.app.configuration

        def read() -> list[str]:
            return [each.name for each in configuration.databases() if each.name]

        def found(names: list[str]) -> None:
            for each in fields:
                line = self.query_one(f"#field-{each.name}", FormInput)
                line.suggester = SuggestFromList(names, case_sensitive=False)

        ask(self, read, found, lambda error: None)

    # What is shown

    @property
    def view(self) -> UpkeepView:
        """The lines."""
        return self.query_one(UpkeepView)

    def show(self) -> None:
        """Show the present step from its beginning."""
        flow = self.flow
        self.set_class(flow.step == "form", "-form")
        if flow.step == "form":
            self._show_form()
        else:
            self.view.show(self._lines)
            self.set_focus(self.view)
        self.query_one(UpkeepHeading).refresh()
        self.refresh_bindings()

    def _show_form(self) -> None:
        error = self.flow.error
        self.set_class(error is not None, "-failed")
        if error is not None:
            text = "\n".join(
                printable(part, 600) for part in (f"✗ {error.message}", self.flow.upkeep.advice(error)) if part
            )
            self.query_one("#failure", Static).update(text)
        self._show_fields()
        first = self.query("#form FormInput, #form ChoiceLine").first()
        if self.focused is None or self.focused is self.view:
            self.set_focus(first)

    def _show_fields(self) -> None:
        for each in self.flow.upkeep.fields():
            self.query_one(f"#box-{each.name}").display = each.when(self.flow.values)

    def _lines(self, width: int) -> Lines:
        flow, ink = self.flow, Ink.of(self.view)
        if flow.busy and flow.job is not None:
            return run_lines(flow.job, width, ink)
        if flow.step == "plan" and flow.plan is not None:
            keys: list[Text] = [
                Text.assemble(" ", ("⏎", ink.accent), (f" {printable(flow.plan.action, 200)}", ink.heading)), Text()
            ]  # fmt: skip
            return [*keys, *flow.plan.draw(width, ink)]
        if flow.outcome is not None:
            state: State = "good" if flow.outcome.good else "bad"
            said = sentence(state, flow.outcome.sentence, width, ink, tone="strong")
            return [*said, Text(), *flow.outcome.draw(width, ink)]
        return self._error_lines(flow.error, width, ink) if flow.error is not None else ()

    def _error_lines(self, error: AgorError, width: int, ink: Ink) -> Lines:
        stopped = isinstance(error, Cancelled)
        lines = sentence("stopped" if stopped else "bad", error.message, width, ink, tone="strong")
        if stopped:
            again = "R continues it." if self.flow.upkeep.continues(self.flow.values) else "R begins anew."
            lines += [Text(), *sentence("plain", again, width, ink, tone="muted")]
        elif error.hint:
            lines += [Text(), *sentence("plain", self.flow.upkeep.advice(error), width, ink, tone="muted")]
        if self.flow.job is not None and self.flow.job.parts():
            lines += [Text(), *run_lines(self.flow.job, width, ink)]
        return lines

    def _tick(self) -> None:
        if self.flow.busy:
            self.view.show(self._lines, keep=True)
            self.query_one(UpkeepHeading).refresh()

    # Typing

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._take(event.input.name or "", event.value.strip())

    @on(ChoiceLine.Changed)
    def _chosen(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        self._take(event.name, event.value)

    def _take(self, name: str, value: str) -> None:
        flow = self.flow
        if flow.values.get(name) == value:
            return
        flow.values[name] = value
        for other, text in flow.upkeep.follow(name, flow.values).items():
            flow.values[other] = text
            self.query_one(f"#field-{other}", FormInput).value = text
        for row in self.query(FormRow):
            if name in row.names:
                row.complain(name, "")
        self.remove_class("-failed")
        self._show_fields()
        self.query_one(UpkeepHeading).refresh()

    @on(Input.Submitted)
    @on(ChoiceLine.Submitted)
    def _submitted(self, event: Message) -> None:
        event.stop()
        self.action_go_on()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys count where they have something to do."""
        flow = self.flow
        outcome = flow.outcome if flow.step == "result" else None
        match action:
            case "go_on":
                return flow.step in ("form", "plan")
            case "open":
                return outcome is not None and outcome.opens is not None
            case "copy":
                return outcome is not None and bool(outcome.path)
            case "mend":
                return outcome is not None and outcome.mend is not None
            case "again":
                return flow.step == "result"
            case "leave":
                return not flow.busy
        return True

    def action_go_on(self) -> None:
        """The next step: look, then do it."""
        flow = self.flow
        if flow.step == "form":
            self._submit()
        elif flow.step == "plan":
            self._confirm()

    def _submit(self) -> None:
        upkeep, values = self.flow.upkeep, self.flow.values
        complaints = {name: text for name, text in upkeep.complaints(values).items() if text}
        for row in self.query(FormRow):
            for name in row.names:
                row.complain(name, complaints.get(name, ""))
        if complaints:
            self.query_one(f"#field-{next(iter(complaints))}").focus()
        elif (question := upkeep.question(values)) is not None:
            self._ask(question, self.flow.begin)
        else:
            self.flow.begin()

    def _confirm(self) -> None:
        plan = self.flow.plan
        if plan is not None and plan.question is not None:
            self._ask(plan.question, self.flow.run)
        else:
            self.flow.run()

    def _ask(self, question: Question, then: Callable[[], None]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                then()

        modal = ConfirmModal(question.title, question.effects, action=question.action, word=question.word)
        self.app.push_screen(modal, answered)

    def action_open(self) -> None:
        """Switch to the database that was copied to."""
        outcome = self.flow.outcome
        if outcome is not None and outcome.opens is not None:
            self.app.switch_to(outcome.opens)

    def action_mend(self) -> None:
        """Go on to what can be mended."""
        outcome = self.flow.outcome
        if outcome is not None and outcome.mend is not None:
            self.app.upkeep = UpkeepFlow(self.app, outcome.mend)
            self.app.switch_screen(UpkeepScreen(self.app.upkeep))

    def action_copy(self) -> None:
        """Copy the path of the file that was made."""
        outcome = self.flow.outcome
        if outcome is not None and outcome.path:
            self.app.copy_to_clipboard(outcome.path)
            self.notify(f"Copied {printable(outcome.path)}", markup=False)

    def action_again(self) -> None:
        """The same again, with what stands in the form."""
        self._submit()

    def action_leave(self) -> None:
        """Back by a step."""
        flow = self.flow
        if flow.step == "plan" or (flow.error is not None and flow.step == "result" and flow.values):
            flow.to_form()
        else:
            self.dismiss()

    @on(UpkeepView.Stop)
    def _asked_to_stop(self, event: UpkeepView.Stop) -> None:
        """Stop what runs, after a question where it is more than a look."""
        event.stop()
        flow = self.flow
        if flow.step == "planning":
            self._stop()
        elif flow.job is not None and not flow.job.stopping:
            effects = flow.upkeep.stop_effects(flow.values)
            self._ask(Question(f"{flow.upkeep.verb}: stop it?", effects, "stop it"), self._stop)

    def _stop(self) -> None:
        if self.flow.busy:
            self.flow.stop()
            self._tick()


def _line(each: Field, value: str) -> FormInput | ChoiceLine:
    if each.choices:
        return ChoiceLine(each.name, each.choices, value)
    return FormInput(each.name, value, each.placeholder, is_url=each.is_url)
