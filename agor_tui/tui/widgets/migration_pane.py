"""Under the revisions: the log of a run; else the selected revision, and what differs between database and models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from agor_tui.database_records import MigrationStatus, Revision
from agor_tui.text import NOTHING, duration, printable
from agor_tui.tui.migration_text import STATES, owner_sentence
from agor_tui.tui.moments import Moments
from agor_tui.tui.widgets.ink import INK_CLASSES, Ink, ink_css
from agor_tui.tui.widgets.lines_view import Lines, LinesView
from agor_tui.tui.widgets.prose import indented, wrap

if TYPE_CHECKING:
    from agor_tui.tui.migration_job import LogLine, MigrationJob

_LABEL = 12


class MigrationPane(LinesView):
    """Lines on a revision or a run."""

    COMPONENT_CLASSES = set(INK_CLASSES)
    DEFAULT_CSS = ink_css("MigrationPane")

    def show_status(self, status: MigrationStatus, revision: Revision | None, moments: Moments) -> None:
        """The selected revision and the differences."""
        self.show(lambda width: status_lines(status, revision, moments, width, Ink.of(self)))

    def show_job(self, job: MigrationJob, moments: Moments) -> None:
        """The log, its end in sight."""
        self.show(lambda width: log_lines(job.log, moments, width, Ink.of(self)), keep=True)
        self.call_after_refresh(self.scroll_end, animate=False)


def status_lines(
    status: MigrationStatus, revision: Revision | None, moments: Moments, width: int, ink: Ink
) -> Sequence[Text]:
    """The facts of a revision, then each difference."""
    lines: list[Text] = []
    if sentence := owner_sentence(status):
        lines += [*_indented(sentence, width, ink), Text()]
    if revision is not None:
        lines += _revision_lines(revision, moments, width, ink)
    if status.drift:
        lines += [Text(), Text(f" DIFFERENCES FROM THE MODELS  {len(status.drift):,}", ink.name)]
        for difference in status.drift:
            mark = Text.assemble(" ", ("!", ink.warning), " ")
            lines += indented(wrap(Text(printable(difference, 400), ink.text), width - 4), mark, Text("   "))
    elif status.head is not None and status.current == status.head:
        lines += [
            Text(),
            Text.assemble(" ", ("✓", ink.success), (" The tables are as this version has them.", ink.muted)),
        ]
    return lines


def _revision_lines(revision: Revision, moments: Moments, width: int, ink: Ink) -> Lines:
    glyph, word, tone = STATES[revision.state]
    styles = {"success": ink.success, "accent": ink.accent, "warning": ink.warning, "error": ink.error}
    lines = [
        Text.assemble(
            " ", (glyph, styles[tone]), (f" {printable(revision.id, 100)}", ink.heading), (f"  {word}", ink.muted)
        )
    ]
    name = printable(revision.name, 300)
    if name and name != revision.id:
        lines += _indented(name, width, ink)
    applied = moments.minute(revision.applied_at) if revision.applied_at else NOTHING
    facts = (
        ("applied", "" if applied == NOTHING else applied),
        ("took", "" if revision.duration_ms is None else duration(revision.duration_ms)),
        ("by", revision.applied_by or ""),
        ("tool", f"agor-tui {revision.tool_version}" if revision.tool_version else ""),
        ("checksum", revision.checksum or ""),
    )
    for label, value in facts:
        if value:
            first = Text(f" {label:<{_LABEL}}", ink.faint)
            shown = wrap(Text(printable(value, 300), ink.muted), width - _LABEL - 2)
            lines += indented(shown, first, Text(" " * (_LABEL + 1)))
    if revision.state == "changed":
        lines += _indented(
            "Its file is another than the one that was applied: what the database got may differ.", width, ink
        )
    elif revision.state == "unknown":
        lines += _indented("A newer agor-tui made it. Update agor-tui to open this database.", width, ink)
    return lines


def log_lines(log: Sequence[LogLine], moments: Moments, width: int, ink: Ink) -> Lines:
    """The time, a glyph and a sentence each; long ones folded."""
    styles = {
        "success": ink.success,
        "accent": ink.accent,
        "warning": ink.warning,
        "error": ink.error,
        "muted": ink.faint,
        "text": ink.text,
    }
    lines: list[Text] = []
    for entry in log:
        style = styles[entry.tone]
        first = Text.assemble((f" {moments.local(entry.time):%H:%M:%S} ", ink.faint), (entry.glyph, style), " ")
        body = Text(entry.text, ink.muted if entry.tone == "muted" else ink.text)
        lines += indented(wrap(body, width - 13), first, Text(" " * 12))
    return lines


def _indented(sentence: str, width: int, ink: Ink) -> list[Text]:
    return indented(wrap(Text(sentence, ink.text), width - 3), Text(" "), Text(" "))
