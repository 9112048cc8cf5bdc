"""One piece of upkeep from its form to its result. It lives on when its screen is left while it runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from agor_tui.errors import AgorError, Cancelled
from agor_tui.text import printable
from agor_tui.tui.asking import ask
from agor_tui.tui.upkeep.job import UpkeepJob
from agor_tui.tui.upkeep.task import Outcome, Plan, Upkeep

if TYPE_CHECKING:
    from agor_tui.tui.app import AgorApp

Step = Literal["form", "planning", "plan", "running", "result"]


class UpkeepFlow:
    """Where a piece of upkeep stands. All is asked and called where the widgets live.

    ``shown`` is called whenever the step has changed; None while no screen shows it.
    """

    def __init__(self, app: AgorApp, upkeep: Upkeep, values: dict[str, str] | None = None) -> None:
        self._app = app
        self.upkeep = upkeep
        self.values = {each.name: each.value for each in upkeep.fields()} | (values or {})
        self.shown: Callable[[], None] | None = None
        self.step: Step = "form"
        self.plan: Plan | None = None
        self.outcome: Outcome | None = None
        self.error: AgorError | None = None
        self.job: UpkeepJob[Plan] | UpkeepJob[Outcome] | None = None
        self._settled = False
        self._then_quit = False
        self._asks_to_quit = False

    @property
    def busy(self) -> bool:
        """Whether something runs."""
        return self.step in ("planning", "running")

    def begin(self) -> None:
        """Make the plan, where there is one to be made; else run."""
        self.plan = self.outcome = self.error = None
        self._settled = False
        if not self.upkeep.plans:
            self.run()
            return
        job = UpkeepJob(partial(self.upkeep.plan, dict(self.values)))
        self.job = job
        self._go("planning")
        ask(self._app, job.run, partial(self._planned, job), partial(self._failed, job))

    def run(self) -> None:
        """Do it."""
        plan = self.plan
        work = plan.run if plan else partial(self.upkeep.run, dict(self.values))
        job = UpkeepJob(work, plan.expected if plan else ())
        self.job = job
        self._go("running")
        ask(self._app, job.run, partial(self._done, job), partial(self._failed, job))

    def stop(self) -> None:
        """Ask what runs to end."""
        if self.job is not None:
            self.job.stop()

    def to_form(self) -> None:
        """Back to what was typed."""
        self.error = None
        self._go("form")

    def asks_before_quit(self) -> bool:
        """Whether leaving the app has to wait for an answer, or for what runs to end; who insists leaves at once."""
        if self.step != "running" or self.job is None or self.job.stopping or self._asks_to_quit:
            return False
        from agor_tui.tui.screens.confirm import ConfirmModal

        self._asks_to_quit = True

        def answered(yes: bool | None) -> None:
            self._asks_to_quit = False
            if yes:
                self._then_quit = True
                self.stop()
                if not self.busy:
                    self._quit()

        title = f"{self.upkeep.verb} {self.upkeep.subject.name} still runs. Stop it and leave?"
        self._app.push_screen(ConfirmModal(title, self.upkeep.stop_effects(self.values), action="leave"), answered)
        return True

    def _quit(self) -> None:
        self._app.call_later(self._app.action_quit)

    def settle(self) -> None:
        """The result is left: a database that is another one now is opened anew."""
        if self.outcome is not None and self.outcome.replaced and self.upkeep.subject.is_open and not self._settled:
            self._settled = True
            self._app.schema_changed(readable=True)

    def _planned(self, job: UpkeepJob[Plan], plan: Plan) -> None:
        if job is self.job:
            self.plan = plan
            self._go("plan")

    def _done(self, job: UpkeepJob[Outcome], outcome: Outcome) -> None:
        self.outcome = outcome
        self._go("result")
        self._app.upkept += 1
        if outcome.changed:
            self._app.changed += 1
        self._tell(outcome.sentence, good=outcome.good)
        if self.shown is None:
            self.settle()

    def _failed(self, job: UpkeepJob[Plan] | UpkeepJob[Outcome], error: AgorError) -> None:
        if job is not self.job:
            return
        planning = self.step == "planning"
        self.error = None if planning and isinstance(error, Cancelled) else error
        self._go("form" if planning and self.values else "result")
        if not planning:
            self._app.upkept += 1
            self._tell(error.message, good=False)

    def _go(self, step: Step) -> None:
        self.step = step
        if self._then_quit and not self.busy:
            self._quit()
        elif self.shown is not None:
            self.shown()

    def _tell(self, sentence: str, *, good: bool) -> None:
        """Say how it ended, where another screen is looked at."""
        from agor_tui.tui.screens.upkeep import UpkeepScreen

        screen = self._app.screen
        if not (isinstance(screen, UpkeepScreen) and screen.flow is self):
            words = f"{self.upkeep.verb} {self.upkeep.subject.name}"
            severity: Literal["information", "warning"] = "information" if good else "warning"
            self._app.notify(printable(sentence, 300), title=words, severity=severity, timeout=10, markup=False)
