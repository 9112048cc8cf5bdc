"""One run of migrations as the screen follows it: what has happened, for how long, and the wish to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from agor_tui.config.places import Place
from agor_tui.database_records import MigrationEvent, MigrationPlan, MigrationRun
from agor_tui.errors import AgorError, Cancelled, MigrationError
from agor_tui.services import migrations
from agor_tui.statuses import Tone
from agor_tui.text import duration, printable


@dataclass(frozen=True, slots=True)
class LogLine:
    """Something that happened; ``time`` is aware."""

    time: datetime
    glyph: str
    tone: Tone
    text: str


class MigrationJob:
    """Runs a plan. ``run`` blocks and belongs in a thread; all else is asked where the widgets live.

    ``deliver`` is called in the thread with each event, to bring it to ``take`` where the widgets live.
    """

    def __init__(
        self,
        plan: MigrationPlan,
        place: Place,
        clock: Callable[[], datetime],
        deliver: Callable[[MigrationJob, MigrationEvent], None],
    ) -> None:
        self.plan = plan
        self.place = place
        self.log: list[LogLine] = []
        self.done = 0
        """Revisions that are in the database for good."""
        self.running = True
        self.waiting = False
        self.failed = False
        self.backup = ""
        """The path of the copy that was made, empty for none."""
        self._clock = clock
        self._deliver = deliver
        self._stop = threading.Event()
        self._started = time.monotonic()
        self._told_of_waiting = False

    @property
    def name(self) -> str:
        """What the database is called."""
        return printable(migrations.name_of(self.place), 80)

    @property
    def elapsed_ms(self) -> float:
        """How long it has been running."""
        return (time.monotonic() - self._started) * 1000

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Stop before the next revision begins; one that has begun is brought to its end."""
        if self.running and not self.stopping:
            self._stop.set()
            self._note("·", "muted", "Stops as soon as no revision is under way…")

    def run(self) -> MigrationRun:
        """Migrate. Raises as ``services.migrations``."""
        if self.plan.way == "upgrade":
            return migrations.migrate(self.place, self.plan.target, self._tell)
        return migrations.downgrade(self.place, self.plan.target, self._tell)

    def _tell(self, event: MigrationEvent) -> None:
        if self._stop.is_set() and event.kind in ("waits", "begins"):
            raise Cancelled("The migration was stopped.")
        if event.kind == "waits":
            if self._told_of_waiting:
                return
            self._told_of_waiting = True
        self._deliver(self, event)

    def take(self, event: MigrationEvent) -> None:
        """Note what has happened."""
        self.waiting = event.kind == "waits"
        revision = event.revision
        name = f"{revision.id} {printable(revision.name, 60)}".strip() if revision else ""
        if event.kind == "waits":
            self._note("…", "warning", "Waits for the other program that migrates this database, or writes to it.")
        elif event.kind == "copied":
            self.backup = printable(str(event.backup))
            self._note("✓", "success", f"Copied to {self.backup}")
        elif event.kind == "begins":
            self._note("●", "accent", f"{name}: {'applying' if self.plan.way == 'upgrade' else 'undoing'}…")
        elif revision is not None:
            self.done += 1
            took = f" in {duration(revision.duration_ms)}" if self.plan.way == "upgrade" else ""
            self._note("✓", "success", f"{name}: {'applied' if self.plan.way == 'upgrade' else 'undone'}{took}")

    def end(self, run: MigrationRun) -> None:
        """Note how it went."""
        self.running = self.waiting = False
        if run.stopped:
            self._note("■", "warning", f"Stopped, {self.done} of {len(self.plan.revisions)} revisions done.")
        elif not run.revisions:
            self._note("✓", "success", f"Nothing was left to do: another program brought it to {self.plan.target}.")
        else:
            self._note(
                "✓", "success", f"{self.name} is at revision {self.plan.target}, in {duration(self.elapsed_ms)}."
            )
        if self.backup:
            self._note("·", "muted", f"As it was before: {self.backup}")

    def fail(self, error: AgorError) -> None:
        """Note why it ended."""
        self.running = self.waiting = False
        self.failed = True
        self._note("✗", "error", printable(error.message))
        if isinstance(error, MigrationError):
            self._note("·", "muted", "Nothing of this revision was kept.")
        elif error.hint:
            self._note("·", "muted", printable(error.hint))

    def stands(self, current: str | None) -> None:
        """Note where the database stands after a failure."""
        as_before = " as before" if (current or "base") == self.plan.start else ""
        self._note("·", "text", f"{self.name} is at revision {current or 'base'}{as_before}.")

    def note_unread(self, error: AgorError) -> None:
        """Note that it cannot be read where the database stands now."""
        self._note("✗", "error", f"Where it stands now cannot be read: {printable(error.message)}")

    def _note(self, glyph: str, tone: Tone, text: str) -> None:
        self.log.append(LogLine(self._clock(), glyph, tone, text))
