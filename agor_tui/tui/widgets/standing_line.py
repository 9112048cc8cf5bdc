"""The line over the revisions: which database, whose it is, where it stands, what runs on it."""

from __future__ import annotations

from agor_tui.cells import fit
from agor_tui.config.places import Place, describe
from agor_tui.database_records import MigrationStatus
from agor_tui.services.migrations import name_of
from agor_tui.statuses import Tone
from agor_tui.text import duration, printable
from agor_tui.tui.migration_job import MigrationJob
from agor_tui.tui.migration_text import revisions_line, standing
from agor_tui.tui.widgets.line import Line, cells_of

Spans = list[tuple[str, Tone]]


class StandingLine(Line):
    """What does not fit gives way in this order: place, owner, revisions."""

    DEFAULT_CSS = "StandingLine { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._subject: Spans = []
        self._parts: list[tuple[int, str, Tone]] = []

    def tell(
        self,
        place: Place | None,
        status: MigrationStatus | None,
        job: MigrationJob | None,
        asking: bool,
        named: bool,
    ) -> None:
        """Say where things stand; ``named``: this is not the open database."""
        self._subject = [(f" {printable(name_of(place), 60)}", "strong")] if place is not None else [(" ", "text")]
        parts: list[tuple[int, str, Tone]] = []
        if place is not None and named:
            parts.append((1, "not the open database", "muted"))
        if job is not None and job.running:
            parts.append((0, *_running(job)))
        elif status is not None:
            parts.append((0, *standing(status)))
            parts.append((1, revisions_line(status), "muted"))
            parts.append((2, f"{status.kind}, {_owner(status)}", "muted"))
        if place is not None:
            parts.append((3, printable(describe(place), 200), "faint"))
        if asking and not (job and job.running):
            parts.append((0, "reading…", "muted"))
        self._parts = [part for part in parts if part[1]]
        self.refresh()

    def spans(self, width: int) -> Spans:
        """The name, then the parts that fit."""
        for most in (3, 2, 1, 0):
            spans = list(self._subject)
            for rank, text, tone in self._parts:
                if rank <= most:
                    spans += [(" · ", "faint"), (text, tone)]
            if cells_of(spans) < width:
                return spans
        return [(fit("".join(text for text, _ in spans), width), "text")]


def _owner(status: MigrationStatus) -> str:
    return "nobody's" if status.kind == "empty" else f"looked after by {printable(status.owner, 60)}"


def _running(job: MigrationJob) -> tuple[str, Tone]:
    verb = "upgrading" if job.plan.way == "upgrade" else "downgrading"
    if job.stopping:
        verb = "stopping"
    elif job.waiting:
        verb = "waiting for the other program"
    return (
        f"● {verb} to {job.plan.target} · {job.done} of {len(job.plan.revisions)} · {duration(job.elapsed_ms)}",
        "accent",
    )
