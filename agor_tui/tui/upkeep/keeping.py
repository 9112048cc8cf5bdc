"""Backing up a database, restoring one, and checking one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from rich.text import Text

from agor_tui import paths
from agor_tui.config.places import describe
from agor_tui.text import byte_size, count, duration, printable
from agor_tui.transfers import BackupReport, CheckReport, RepairReport, RestoreReport, Tell
from agor_tui.tui.upkeep.drawing import State, facts, heading, sentence, sentences
from agor_tui.tui.upkeep.task import (
    Field,
    Outcome,
    Plan,
    Question,
    Subject,
    Upkeep,
    Values,
    absent_complaint,
    file_of,
    folder_complaint,
)
from agor_tui.tui.widgets.ink import Ink

if TYPE_CHECKING:
    from agor_tui.db.restoring import Holdings
    from agor_tui.services.care.restoring import RestorePlan

_FORMS = {
    "sqlite": "an SQLite file like the one here",
    "jsonl": "an export with all secrets, for agor-tui",
    "pg_dump": "PostgreSQL's own format, for pg_restore",
}


class BackUp(Upkeep):
    """A copy in a file, made while others use the database."""

    id = "backup"
    word = "Back up"
    verb = "Back up"
    told = "a backup in a file, while it is in use"

    def fields(self) -> Sequence[Field]:
        """Where to."""
        return (
            Field(
                "file", "To", placeholder="the usual folder of backups",
                note="A new file, or a folder. It holds all that is in the database, secrets too.",
            ),
        )  # fmt: skip

    def complaints(self, values: Values) -> dict[str, str]:
        """A folder that is there."""
        found = folder_complaint(values["file"]) if values["file"] else ""
        return {"file": found} if found else {}

    def way(self, values: Values) -> tuple[str, str]:
        """Into which file."""
        return self.place_text, values["file"]

    def run(self, values: Values, tell: Tell, stop: threading.Event) -> Outcome:
        """Make it."""
        from agor_tui.services.care.backups import back_up

        dest = file_of(values["file"]) if values["file"] else None
        report = back_up(self.subject.find(), dest, tell=tell, stop=stop)
        words = f"{self.subject.name} is backed up: {byte_size(report.size)} in {duration(report.seconds * 1000)}."
        return Outcome(True, words, partial(backup_lines, report), path=str(report.path))

    def stop_effects(self, values: Values) -> tuple[str, ...]:
        """Nothing stays."""
        return ("Nothing of the backup is kept; the database is only read.",)


def backup_lines(report: BackupReport, width: int, ink: Ink) -> list[Text]:
    """The file, its size, and what else is to be known."""
    found = (
        ("file", paths.shown(report.path)),
        ("what", _FORMS[report.form]),
        ("size", byte_size(report.size)),
        ("of", report.source),
        ("also", f"{paths.shown(report.also)}, by pg_dump" if report.also else ""),
    )
    notes = sentences("note", report.notes, width, ink)
    return [*facts(found, width, ink), *([Text()] if notes else []), *notes]


class Restore(Upkeep):
    """What a backup holds, in place of what is here."""

    id = "restore"
    word = "Restore…"
    verb = "Restore"
    told = "from a file, in place of what is here"
    plans = True

    def fields(self) -> Sequence[Field]:
        """Which backup: the newest, where there is one in the usual folder."""
        from agor_tui.services.care.backups import newest

        found = newest(self.subject.place)
        note = "A backup that agor-tui made. It is looked at first, and what is here is backed up."
        return (Field("file", "From", paths.shown(found) if found else "", "the file of a backup", note=note),)

    def complaints(self, values: Values) -> dict[str, str]:
        """A file that is there."""
        return {"file": absent_complaint(values["file"])}

    def way(self, values: Values) -> tuple[str, str]:
        """From the file to here."""
        return values["file"] or "a backup", self.place_text

    def plan(self, values: Values, tell: Tell, stop: threading.Event) -> Plan:
        """What is here, and what comes."""
        from agor_tui.services.care import restoring

        planned = restoring.plan(self.subject.find(), file_of(values["file"]), tell=tell, stop=stop)
        name, comes = self.subject.name, _held(planned.then)
        effects = [f"{name} will hold {comes}."]
        if planned.now is not None:
            effects = [
                f"{name} holds {_held(planned.now)}. All of it is replaced by {comes}.",
                "What is there now is backed up first.",
            ]
        return Plan(
            partial(restore_plan_lines, planned),
            "restores this backup",
            partial(self._restore, planned),
            Question(f"Restore {name}?", tuple(effects), "restore", name),
        )

    def _restore(self, planned: RestorePlan, tell: Tell, stop: threading.Event) -> Outcome:
        from agor_tui.services.care import restoring

        report = restoring.restore(planned, tell=tell, stop=stop)
        words = f"{self.subject.name} holds what the backup holds: {_sessions(report.sessions)}."
        draw = partial(restore_lines, report)
        return Outcome(True, words, draw, str(report.safety or ""), changed=True, replaced=True)

    def stop_effects(self, values: Values) -> tuple[str, ...]:
        """All or nothing."""
        return (f"{self.subject.name} stays as it was before.",)


def _sessions(number: int | None) -> str:
    if number is None:
        return "sessions that cannot be counted"
    return f"{count(number)} session{'' if number == 1 else 's'}"


def _held(holdings: Holdings) -> str:
    newest = f", the newest of {holdings.newest:%Y-%m-%d %H:%M} UTC" if holdings.newest else ""
    all_of_them = " in all" if holdings.sessions else ""  # lists leave archived ones out
    return f"{_sessions(holdings.sessions)}{all_of_them}{newest}"


def restore_plan_lines(planned: RestorePlan, width: int, ink: Ink) -> list[Text]:
    """The database and the backup side by side."""
    made = f"{planned.made_at:%Y-%m-%d %H:%M:%S} UTC" if planned.made_at else ""
    here = (("database", describe(planned.place)), ("holds", _held(planned.now) if planned.now else "nothing yet"))
    there = (
        ("backup", paths.shown(planned.backup)),
        ("made", made),
        ("revision", planned.revision),
        ("holds", _held(planned.then)),
    )
    lines = sentence("good", "The backup is whole.", width, ink)
    if not planned.secrets:
        lost = "It has no secrets: passwords, keys and tokens that are in the database now will be gone."
        lines += sentence("note", lost, width, ink)
    return [*lines, *heading("now", "", ink), *facts(here, width, ink), *heading("then", "", ink),
            *facts(there, width, ink)]  # fmt: skip


def restore_lines(report: RestoreReport, width: int, ink: Ink) -> list[Text]:
    """Where all is now."""
    found = (
        ("database", report.target),
        ("from", paths.shown(report.backup)),
        ("before", f"what was there is in {paths.shown(report.safety)}" if report.safety else "there was nothing"),
        ("revision", report.revision),
    )
    lines = facts(found, width, ink)
    if report.behind:
        lines += [Text(), *sentence("note", "It is behind: its migrations bring it up.", width, ink)]
    return lines


class Check(Upkeep):
    """What is wrong with it."""

    id = "check"
    word = "Check"
    verb = "Check"
    told = "is anything wrong with it?"

    def run(self, values: Values, tell: Tell, stop: threading.Event) -> Outcome:
        """Look at all of it."""
        from agor_tui.services.care.checking import check

        place = self.subject.find()
        report = check(place, now=self.subject.now, tell=tell, stop=stop)
        mends = any(not each.well and (each.mend or each.check == "integrity") for each in report.items)
        return Outcome(
            report.well,
            check_sentence(report),
            partial(check_lines, report),
            mend=Repair(self.subject, report) if mends and report.kind == "native" else None,
        )


class Repair(Upkeep):
    """What a check found, mended in a copy."""

    verb = "Repair a copy of"

    def __init__(self, subject: Subject, found: CheckReport) -> None:
        super().__init__(subject)
        self._found = found

    def run(self, values: Values, tell: Tell, stop: threading.Event) -> Outcome:
        """Make the copy, and check it."""
        from agor_tui.services.care.repairing import repair

        report = repair(self.subject.find(), self._found, tell=tell, stop=stop)
        if report.path is None:
            words = "A server's database is only looked at: this SQL would mend it." if report.sql else _UNMENDED
            return Outcome(False, words, partial(repair_lines, report))
        well = report.after is not None and report.after.well
        words = f"{paths.shown(report.path)} is a mended copy; {self.subject.name} is as it was."
        if report.after is not None and (left := sum(not each.well for each in report.after.items)):
            words += f" What nothing mends is left: {left} thing{'' if left == 1 else 's'}."
        return Outcome(well, words, partial(repair_lines, report), str(report.path))

    def stop_effects(self, values: Values) -> tuple[str, ...]:
        """No copy."""
        return ("Nothing of the copy is kept.",)


_UNMENDED = "Nothing of this can be mended here, so no copy was made."


def check_sentence(report: CheckReport) -> str:
    """What a check came to."""
    wrong = sum(not each.well for each in report.items)
    if not wrong:
        return f"Nothing is wrong: {len(report.items)} things were looked at."
    return f"{wrong} of {len(report.items)} things that were looked at {'is' if wrong == 1 else 'are'} wrong."


def check_lines(report: CheckReport, width: int, ink: Ink) -> list[Text]:
    """What is wrong first, with the rows, then what is well."""
    lines: list[Text] = []
    for item in sorted(report.items, key=lambda each: each.well):
        where = ".".join(part for part in (item.table, item.column) if part)
        number = "" if item.well or not item.found else f"  ({count(item.count)})"
        state: State = "good" if item.well else "bad"
        said = f"{item.check}: {' '.join(part for part in (where, item.words) if part)}{number}"
        lines += sentence(state, said, width, ink, tone="muted" if item.well else "text")
        lines += [Text(f"     {printable(each, 300)}", ink.muted) for each in item.found]
        if item.count > len(item.found) > 0:
            lines.append(Text(f"     and {count(item.count - len(item.found))} more", ink.faint))
    if report.unseen:
        lines += [Text(), *sentence("plain", report.unseen, width, ink, tone="muted")]
    return lines


def repair_lines(report: RepairReport, width: int, ink: Ink) -> list[Text]:
    """What was mended, and what a check of the copy says."""
    if report.sql:
        return [
            Text(f" {line}", ink.text) for each in report.sql for line in printable(each, multiline=True).split("\n")
        ]
    found = [
        *((where, f"{count(number)} emptied") for where, number in report.emptied.items()),
        *(
            (where, f"{count(number)} row{'' if number == 1 else 's'} taken out")
            for where, number in report.removed.items()
        ),
        ("taken out", paths.shown(report.removed_to) if report.removed_to else ""),
    ]
    lines = facts(found, width, ink)
    if report.after is not None:
        lines += [*heading("the copy", "", ink), *check_lines(report.after, width, ink)]
    if report.path is not None:
        lines += [Text(), *sentence("plain", "To use it: Restore… from this file.", width, ink, tone="muted")]
    return lines
