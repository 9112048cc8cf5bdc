"""Exporting a database into a file, and importing such a file."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from rich.text import Text

from agor_tui import paths
from agor_tui.errors import AgorError
from agor_tui.text import byte_size, count, duration
from agor_tui.transfers import ExportReport, ImportReport, OnConflict, TableCopied, TableExported, Tell
from agor_tui.tui.upkeep.drawing import facts, heading, sentence, sentences, table
from agor_tui.tui.upkeep.job import Expected
from agor_tui.tui.upkeep.reports import aside_lines, conflict_columns, finding_lines, number, rows_text, table_column
from agor_tui.tui.upkeep.task import (
    Field,
    Outcome,
    Plan,
    Question,
    Upkeep,
    Values,
    absent_complaint,
    file_of,
    folder_complaint,
)
from agor_tui.tui.widgets.ink import Ink
from agor_tui.tui.widgets.table_columns import Column

if TYPE_CHECKING:
    from agor_tui.filters import SessionFilter
    from agor_tui.services.dump.reader import DumpReader

_FORMATS = (("jsonl", "jsonl"), ("json", "json"), ("sqlite", "SQL for SQLite"), ("postgresql", "SQL for PostgreSQL"))
_ENDINGS = {"jsonl": ".jsonl", "json": ".json", "sqlite": ".sql", "postgresql": ".sql"}
_COMPRESSED = (".gz", ".zst")


def _is_sql(values: Values) -> bool:
    return values["format"] in ("sqlite", "postgresql")


class Export(Upkeep):
    """All rows, or some sessions, into a file."""

    id = "export"
    word = "Export…"
    verb = "Export"
    told = "to a file: jsonl, json or SQL"

    def fields(self) -> Sequence[Field]:
        """The file, its format, which sessions, and whether with secrets."""
        return (
            Field("file", "File", self._default(), note="With .gz or .zst at its end it is compressed."),
            Field("format", "Format", "jsonl", choices=_FORMATS),
            Field("filter", "Sessions", placeholder="all, or a filter such as  status:running repo:api"),
            Field(
                "secrets", "Secrets", "out", choices=(("out", "left out"), ("in", "included")),
                note="Passwords, tokens and keys, wherever they stand.",
            ),
        )  # fmt: skip

    def _default(self) -> str:
        folder, stem = Path.home(), f"{file_stem(self.subject.name)}-{self.subject.now:%Y%m%d}"
        names = (f"{stem}{more}.jsonl" for more in ("", *(f"-{number}" for number in range(2, 100))))
        return paths.shown(next((folder / name for name in names if not (folder / name).exists()), folder / stem))

    def follow(self, changed: str, values: Values) -> dict[str, str]:
        """The ending of the file goes with the format."""
        if changed != "format" or not values["file"]:
            return {}
        stem, packed = _unpacked(values["file"])
        known = next((each for each in (".jsonl", ".ndjson", ".json", ".sql") if stem.lower().endswith(each)), "")
        return {"file": stem[: len(stem) - len(known)] + _ENDINGS[values["format"]] + packed} if known else {}

    def complaints(self, values: Values) -> dict[str, str]:
        """A file that can be made, a format that its name does not belie, and a filter that is understood."""
        found = {"file": folder_complaint(values["file"]) if values["file"] else "Name the file."}
        ending = _unpacked(values["file"])[0].lower()
        other = {".json", ".jsonl", ".ndjson", ".sql"} - {_ENDINGS[values["format"]]}
        if values["format"] == "jsonl":
            other -= {".ndjson"}
        if not found["file"] and ending.endswith(tuple(other)) and not ending.endswith(_ENDINGS[values["format"]]):
            found["file"] = "Its name says another format than the one chosen."
        try:
            self._filter(values)
        except AgorError as error:
            found["filter"] = f"{error.message} {error.hint}".strip()
        return found

    def question(self, values: Values) -> Question | None:
        """A file that is there gives way only if the user says so."""
        path = file_of(values["file"])
        if not path.exists():
            return None
        return Question(f"Replace {paths.shown(path)}?", ("There is a file of this name already.",), "replace it")

    def way(self, values: Values) -> tuple[str, str]:
        """Into which file."""
        return self.place_text, values["file"]

    def run(self, values: Values, tell: Tell, stop: threading.Event) -> Outcome:
        """Write it."""
        from agor_tui.services.dump.exporting import export_database

        path = file_of(values["file"])
        report = export_database(
            self.subject.find(),
            path,
            format="sql" if _is_sql(values) else cast("Literal['jsonl', 'json']", values["format"]),
            dialect=values["format"] if _is_sql(values) else None,
            filter=self._filter(values),
            filter_text=values["filter"],
            include_secrets=values["secrets"] == "in",
            replace=True,
            tell=tell,
            stop=stop,
        )
        rows = sum(each.rows for each in report.tables)
        words = f"{rows_text(rows)} exported in {duration(report.seconds * 1000)}"
        words += "; what is not in the file as it is stands below." if report.finding_count else "."
        return Outcome(True, words, partial(export_lines, report), path=str(path))

    def stop_effects(self, values: Values) -> tuple[str, ...]:
        """No file."""
        return ("Nothing of the file is kept; the database is only read.",)

    def _filter(self, values: Values) -> SessionFilter | None:
        from agor_tui.filters import parse_session_filter

        return parse_session_filter(values["filter"], self.subject.now) if values["filter"] else None


def file_stem(name: str) -> str:
    """The name of a database as the beginning of a file's name."""
    return "".join(each if each.isalnum() or each in "-_" else "-" for each in name).strip("-")[:60] or "database"


def _unpacked(name: str) -> tuple[str, str]:
    """A file's name without the ending of a compressed file, and that."""
    packed = next((each for each in _COMPRESSED if name.lower().endswith(each)), "")
    return name[: len(name) - len(packed)], name[len(name) - len(packed) :]


def export_lines(report: ExportReport, width: int, ink: Ink) -> list[Text]:
    """The file, its tables, and what is not in it."""
    secrets = "included: keep the file to yourself" if report.secrets else f"left out: {report.secrets_hidden:,}"
    packed = f", {byte_size(report.bytes)} unpacked" if report.file.endswith(_COMPRESSED) else ""
    found = (
        ("file", paths.shown(report.file)),
        ("size", f"{byte_size(report.size or 0)}{packed}"),
        ("secrets", secrets),
    )
    columns: tuple[Column[TableExported], ...] = (
        table_column(),
        Column("rows", "ROWS", lambda each: number(each.rows), 9, 14, gives_way=2, right=True),
        Column("sum", "CHECKSUM", lambda each: ((each.checksum[:8], "faint"),), 8, 8, gives_way=3),
        Column("rest", "", lambda each: (("", "text"),), 0, 0),
    )
    lines = [*facts(found, width, ink), Text(), *table(columns, report.tables, width, ink)]
    if report.left_empty:
        lines += heading("references to rows that are not in the file are empty in it", "", ink)
        lines += facts([(name, count(number)) for name, number in report.left_empty.items()], width, ink)
    lines += finding_lines(report.findings, report.finding_count, width, ink)
    return [*lines, *aside_lines(report.left_aside, width, ink, "not exported, on purpose")]


class Import(Upkeep):
    """The rows of an export into the database."""

    id = "import"
    word = "Import…"
    verb = "Import into"
    told = "the rows of an export"
    plans = True

    def fields(self) -> Sequence[Field]:
        """The file, what becomes of rows that are there, and whether all in one."""
        rules = (("fail", "must be empty"), ("skip", "keep its rows"), ("newer", "keep the newer"))
        written = (("whole", "all or nothing"), ("parts", "in parts, to be continued"))
        return (
            Field(
                "file", "File", placeholder="~/team.jsonl",
                note="An export in jsonl or json, also as .gz or .zst. All of it is checked first.",
            ),
            Field("conflict", "Rows here", "fail", choices=rules),
            Field("written", "Written", "whole", choices=written),
        )  # fmt: skip

    def complaints(self, values: Values) -> dict[str, str]:
        """A file that is there."""
        return {"file": absent_complaint(values["file"])}

    def way(self, values: Values) -> tuple[str, str]:
        """From the file to here."""
        return values["file"] or "a file", self.place_text

    def plan(self, values: Values, tell: Tell, stop: threading.Event) -> Plan:
        """Read and check all of the file."""
        from agor_tui.services.dump.importing import check_file

        reader = check_file(file_of(values["file"]), tell=tell, stop=stop)
        tables = reader.footer.tables
        name = self.subject.name
        question = None
        if values["conflict"] == "newer":
            effects = (f"Rows of {name} give way where those of the file are newer.", "What they held is lost.")
            question = Question(f"Import into {name}?", effects, "import", name)
        return Plan(
            partial(import_plan_lines, reader),
            f"imports {rows_text(sum(each.rows for each in tables.values()))}",
            partial(self._import, dict(values)),
            question,
            tuple(Expected(table, each.rows) for table, each in tables.items()),
        )

    def _import(self, values: Values, tell: Tell, stop: threading.Event) -> Outcome:
        from agor_tui.services.dump.importing import import_file

        report = import_file(
            file_of(values["file"]),
            self.subject.find(),
            batches=values["written"] == "parts",
            on_conflict=cast("OnConflict", values["conflict"]),
            tell=tell,
            stop=stop,
        )
        return Outcome(report.lossless, import_sentence(report), partial(import_lines, report), changed=True)

    def stop_effects(self, values: Values) -> tuple[str, ...]:
        """What stays depends on how it is written."""
        if values["written"] == "parts":
            return ("What was imported so far stays; the same import continues after it.",)
        return ("Nothing of the file is kept in the database.",)

    def continues(self, values: Values) -> bool:
        """Only what is written in parts."""
        return values["written"] == "parts"


def import_plan_lines(reader: DumpReader, width: int, ink: Ink) -> list[Text]:
    """What the file says of itself, and its tables."""
    header = reader.header
    found = (
        ("file", paths.shown(reader.file)),
        ("from", f"{header.label}, {header.kind} · {header.dialect}"),
        ("written", f"{header.exported_at[:19].replace('T', ' ')} UTC by agor-tui {header.tool_version}"),
        ("sessions", header.filter),
        ("secrets", "" if header.secrets else "left out: passwords and tokens have to be set anew"),
    )
    rows = [TableExported(name, each.rows, each.checksum) for name, each in reader.footer.tables.items()]
    columns: tuple[Column[TableExported], ...] = (
        table_column(),
        Column("rows", "ROWS", lambda each: number(each.rows), 9, 14, gives_way=2, right=True),
        Column("rest", "", lambda each: (("", "text"),), 0, 0),
    )
    whole = sentence("good", "The file is whole: every line was read, and the checksum is right.", width, ink)
    return [*whole, Text(), *facts(found, width, ink), Text(), *table(columns, rows, width, ink)]


def import_sentence(report: ImportReport) -> str:
    """What came of it in a sentence."""
    rows = sum(each.rows for each in report.tables)
    said = f"{rows_text(rows)} imported in {duration(report.seconds * 1000)}"
    if report.differing:
        return f"{said}, but {', '.join(report.differing)} are not as in the file: below is where."
    if report.finding_count:
        return f"{said}; what could not be held as it is stands below."
    return f"{said}, and compared with the file: nothing was lost." if report.verified else f"{said}."


def import_lines(report: ImportReport, width: int, ink: Ink) -> list[Text]:
    """The tables, and what else is to be known."""
    rows = sum(each.rows for each in report.tables)
    notes = [
        report.made,
        "An earlier import was continued." if report.resumed else "",
        "" if report.secrets or not rows else "The file has no secrets: passwords and tokens have to be set anew.",
    ]

    def state(each: TableCopied) -> Sequence[tuple[str, Literal["error", "success", "text", "muted"]]]:
        if each.table in report.differing:
            return (("✗ ", "error"), ("not as in the file", "text"))
        return (("✓ ", "success"), ("as in the file", "muted")) if report.verified else (("", "muted"),)

    columns: tuple[Column[TableCopied], ...] = (
        table_column(),
        Column("rows", "IMPORTED", lambda each: number(each.rows), 9, 14, gives_way=2, right=True),
        *conflict_columns(report.tables),
        Column("state", "", state, 8, 24),
    )
    lines = sentences("plain", filter(None, notes), width, ink)
    lines += [*([Text()] if lines else []), *table(columns, report.tables, width, ink)]
    return [*lines, *finding_lines(report.findings, report.finding_count, width, ink)]
