"""Copying a database to another one, and comparing two."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import cast

from agor_tui.config.urls import is_url
from agor_tui.transfers import CopyOptions, CopyReport, OnConflict, Tell
from agor_tui.tui.upkeep.job import Expected
from agor_tui.tui.upkeep.reports import (
    comparison_lines,
    comparison_sentence,
    copied_sentence,
    copy_lines,
    copy_plan_lines,
    rows_text,
)
from agor_tui.tui.upkeep.task import Field, Outcome, Plan, Question, Upkeep, Values

ANOTHER = "a name, a path or a URL"
CONFLICTS = (("fail", "must be empty"), ("skip", "keep its rows"), ("newer", "keep the newer"))


def shown_target(text: str) -> str:
    """A target as it may be shown: of a URL nothing, since a password may be in it."""
    return "the URL as typed" if is_url(text) else text


class Copy(Upkeep):
    """All rows to another database, compared afterwards."""

    id = "copy"
    word = "Copy to…"
    verb = "Copy"
    told = "into another database, nothing lost"
    plans = True
    needs_other = "Copy to"

    def fields(self) -> Sequence[Field]:
        """Where to, and what becomes of rows that are there."""
        return (
            Field("to", "To", placeholder=ANOTHER, is_url=True, note="It is made where it is missing."),
            Field("conflict", "Rows there", "fail", choices=CONFLICTS),
        )

    def complaints(self, values: Values) -> dict[str, str]:
        """There must be a database to copy to."""
        return {} if values["to"] else {"to": "Name the database to copy to."}

    def way(self, values: Values) -> tuple[str, str]:
        """The place here, and what was typed."""
        return self.place_text, shown_target(values["to"])

    def plan(self, values: Values, tell: Tell, stop: threading.Event) -> Plan:
        """A rehearsal: every row is read and checked, none is written."""
        report = self._copy(values, tell, stop, dry_run=True)
        rows = sum(each.rows for each in report.tables)
        overwritten = sum(each.overwritten for each in report.tables)
        target = shown_target(values["to"])
        question = None
        if overwritten:
            effects = (
                f"{rows_text(overwritten)} of {report.target} give way to newer ones from {report.source}.",
                "What they held is lost, unless there is a backup.",
            )
            question = Question(f"Replace rows of {target}?", effects, "copy", target)
        return Plan(
            partial(copy_plan_lines, report),
            f"copies {rows_text(rows)}",
            partial(self._run, dict(values)),
            question,
            tuple(Expected(each.table, each.rows + each.skipped + each.left_out) for each in report.tables),
        )

    def _run(self, values: Values, tell: Tell, stop: threading.Event) -> Outcome:
        report = self._copy(values, tell, stop, dry_run=False)
        return Outcome(report.lossless, copied_sentence(report), partial(copy_lines, report), opens=values["to"])

    def stop_effects(self, values: Values) -> tuple[str, ...]:
        """Whole batches stay."""
        return (
            "What was copied so far stays there, in whole batches; the same copy continues after it.",
            f"{self.subject.name} itself is only read.",
        )

    def continues(self, values: Values) -> bool:
        """Whole batches are gone on from."""
        return True

    def _copy(self, values: Values, tell: Tell, stop: threading.Event, *, dry_run: bool) -> CopyReport:
        from agor_tui.services.transfer import copy

        options = CopyOptions(on_conflict=cast("OnConflict", values["conflict"]), dry_run=dry_run)
        return copy(self.subject.find(), self.subject.other(values["to"]), options, tell=tell, stop=stop)


class Compare(Upkeep):
    """Whether another database holds the same rows."""

    id = "compare"
    word = "Compare with…"
    verb = "Compare"
    told = "does another one hold the same rows?"
    needs_other = "Compare with"
    between = "↔"

    def fields(self) -> Sequence[Field]:
        """With which."""
        return (Field("to", "With", placeholder=ANOTHER, is_url=True, note="Neither of them is written to."),)

    def complaints(self, values: Values) -> dict[str, str]:
        """There must be a second database."""
        return {} if values["to"] else {"to": "Name the database to compare with."}

    def way(self, values: Values) -> tuple[str, str]:
        """The place here, and what was typed."""
        return self.place_text, shown_target(values["to"])

    def run(self, values: Values, tell: Tell, stop: threading.Event) -> Outcome:
        """Read both."""
        from agor_tui.services.comparing import compare_places

        report = compare_places(self.subject.find(), self.subject.other(values["to"]), tell=tell, stop=stop)
        return Outcome(
            report.equal and not report.finding_count, comparison_sentence(report), partial(comparison_lines, report)
        )
