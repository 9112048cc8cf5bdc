"""What copies, comparisons and the like tell, as lines to read: tables first, then what else is to be known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from rich.text import Text

from agor_tui.services.transfer import left_aside_lines, losses, proof
from agor_tui.statuses import Tone
from agor_tui.text import byte_size, count, duration, printable
from agor_tui.transfers import CompareReport, CopyReport, Finding, LeftAside, RowDifference, TableCompared, TableCopied
from agor_tui.tui.upkeep.drawing import LONGEST, heading, sentence, table
from agor_tui.tui.upkeep.job import LEAST_S
from agor_tui.tui.widgets.ink import Ink
from agor_tui.tui.widgets.prose import indented, wrap
from agor_tui.tui.widgets.table_columns import Column, Spans

_SUM = 8
"""Characters of a checksum that are shown."""


def rows_text(number: int) -> str:
    """``1 row``, ``1,602 rows``."""
    return f"{count(number)} row{'' if number == 1 else 's'}"


def number(row: int, tone: Tone = "text") -> Spans:
    """A number of rows; none is quiet."""
    return ((count(row), tone if row else "faint"),)


class _OfTable(Protocol):
    @property
    def table(self) -> str: ...


T = TypeVar("T", bound=_OfTable)


def table_column() -> Column[T]:
    """The column with the name of the table."""
    return Column("table", "TABLE", lambda each: ((printable(each.table, 80), "text"),), 10, 22, gives_way=1, fits=True)


# Comparing


def different(each: TableCompared) -> int:
    """How many rows of a table differ."""
    return each.only_in_a + each.only_in_b + each.changed


def verdict(each: TableCompared) -> Spans:
    """Whether a table is the same in both: a sign and words."""
    if each.equal:
        return (("✓ ", "success"), ("equal", "muted"))
    number = different(each)
    return (("✗ ", "error"), (f"{rows_text(number)} differ{'s' if number == 1 else ''}", "text"))


def _checksum(each: TableCompared) -> Spans:
    if each.equal:
        return ((each.checksum_a[:_SUM], "faint"),)
    return ((f"{each.checksum_a[:_SUM]} ≠ {each.checksum_b[:_SUM]}", "muted"),)


def _side(each: TableCompared, side: str) -> Spans:
    return (("no table", "faint"),) if each.missing_in == side else number(each.rows_a if side == "a" else each.rows_b)


def comparison_sentence(report: CompareReport) -> str:
    """The outcome in one sentence."""
    if report.equal:
        rows = sum(each.rows_a for each in report.tables)
        if report.finding_count:
            return f"The same in both are the {rows_text(rows)} that were compared; what was not is listed below."
        return f"Both hold the same {rows_text(rows)}, to the last value."
    differing = [each for each in report.tables if not each.equal]
    rows = sum(map(different, differing))
    tables = f"{len(differing)} table{'' if len(differing) == 1 else 's'}"
    return f"They differ in {rows_text(rows)} of {tables}."


def comparison_lines(report: CompareReport, width: int, ink: Ink) -> list[Text]:
    """A line for each table, then the rows that differ, by column."""
    columns: tuple[Column[TableCompared], ...] = (
        table_column(),
        Column("a", "ROWS HERE", lambda each: _side(each, "a"), 9, 14, gives_way=3, right=True),
        Column("b", "ROWS THERE", lambda each: _side(each, "b"), 10, 14, gives_way=4, right=True),
        Column("sum", "CHECKSUM", _checksum, 8, 19, gives_way=5, fits=True),
        Column("verdict", "", verdict, 17, 24),
    )
    lines = table(columns, report.tables, width, ink)
    for each in report.tables:
        lines += _difference_lines(each, width, ink)
    sides = (("here", report.findings_a), ("there", report.findings_b))
    found = [replace(each, table=f"{side}: {each.table}", done="") for side, some in sides for each in some]
    lines += finding_lines(found, report.finding_count, width, ink, "not compared as it is")
    aside = [
        replace(each, table=f"{side}: {each.table}")
        for side, some in (("here", report.left_aside_a), ("there", report.left_aside_b))
        for each in some
    ]
    return [*lines, *aside_lines(aside, width, ink, "not compared, on purpose")]


def _difference_lines(each: TableCompared, width: int, ink: Ink) -> list[Text]:
    if each.equal:
        return []
    parts = [(each.only_in_a, "only here"), (each.only_in_b, "only there"), (each.changed, "differ")]
    lines = heading(each.table, ", ".join(f"{count(number)} {words}" for number, words in parts if number), ink)
    for row in each.differences:
        lines += _row_lines(row, width, ink)
    more = different(each) - len(each.differences)
    if more > 0:
        lines.append(Text(f" and {rows_text(more)} more", ink.faint))
    return lines


def _row_lines(row: RowDifference, width: int, ink: Ink) -> list[Text]:
    shown = printable(row.id, 100)
    if row.only_in is not None:
        return [
            Text.assemble(" ", (shown, ink.text), (f"  only {'here' if row.only_in == 'a' else 'there'}", ink.muted))
        ]
    lines = [Text.assemble(" ", (shown, ink.text))]
    for value in row.values:
        where = (f"{printable(value.where, 100)}  ", ink.muted)
        if value.a == value.b:  # all of both that may be shown
            told = Text.assemble(where, ("not the same, ", ink.text), (printable(value.a, LONGEST), ink.muted))
            lines += indented(wrap(told, width - 4), Text("   "), Text("     "))
            continue
        body = Text.assemble(
            where,
            ("here ", ink.faint),
            (printable(value.a, LONGEST), ink.removed),
            ("  there ", ink.faint),
            (printable(value.b, LONGEST), ink.added),
        )
        lines += indented(wrap(body, width - 4), Text("   "), Text("     "))
    return lines


# Copying


def copy_plan_lines(report: CopyReport, width: int, ink: Ink) -> list[Text]:
    """What a copy would do, table by table, and what cannot be held."""
    lines = []
    if report.resumed:
        lines += sentence("note", "A copy of the same was begun before: it is continued where it ended.", width, ink)
    if report.made:
        lines += sentence("plain", printable(report.made, LONGEST), width, ink)
    if report.finding_count:
        lines += sentence("note", f"Not as they are would be, and listed below: {losses(report)}.", width, ink)
    columns: tuple[Column[TableCopied], ...] = (
        table_column(),
        Column("rows", "ROWS", lambda each: number(each.rows), 9, 14, gives_way=2, right=True),
        Column("size", "SIZE", lambda each: _size(each.bytes), 7, 9, gives_way=6, right=True),
        *conflict_columns(report.tables),
        Column("rest", "", lambda each: (("", "text"),), 0, 0),
    )
    lines += [*([Text()] if lines else []), *table(columns, report.tables, width, ink)]
    lines += finding_lines(report.findings, report.finding_count, width, ink)
    return [*lines, *aside_lines(report.left_aside, width, ink)]


def copy_lines(report: CopyReport, width: int, ink: Ink) -> list[Text]:
    """What was copied, the checksums of both sides, what could not be held, and rows that differ."""
    compared = {each.table: each for each in report.verified.tables} if report.verified else {}
    kept = {each.table for each in report.tables if report.on_conflict != "fail" and _is_kept(each, compared)}

    def checked(each: TableCopied) -> Spans:
        found = compared.get(each.table)
        if each.table in kept:
            return (("✓ ", "success"), ("none is missing", "muted"))
        return verdict(found) if found else (("not compared", "faint"),)

    def checksum(each: TableCopied) -> Spans:
        found = compared.get(each.table)
        return _checksum(found) if found else (("", "faint"),)

    columns: tuple[Column[TableCopied], ...] = (
        table_column(),
        Column("rows", "COPIED", lambda each: number(each.rows), 9, 14, gives_way=2, right=True),
        *conflict_columns(report.tables),
        Column("speed", "SPEED", _speed, 9, 10, gives_way=8, right=True),
        Column("sum", "CHECKSUM", checksum, 8, 19, gives_way=6, fits=True),
        Column("verdict", "", checked, 17, 24),
    )
    lines = table(columns, report.tables, width, ink)
    lines += finding_lines(report.findings, report.finding_count, width, ink)
    lines += aside_lines(report.left_aside, width, ink)
    for each in compared.values():
        if each.table not in kept:
            lines += _difference_lines(each, width, ink)
    return lines


def _is_kept(each: TableCopied, compared: Mapping[str, TableCompared]) -> bool:
    """Whether the two differ only by rows that TO has besides, or was to keep."""
    found = compared.get(each.table)
    return found is not None and not found.equal and not found.only_in_a and found.changed <= each.skipped


def conflict_columns(tables: Sequence[TableCopied]) -> tuple[Column[TableCopied], ...]:
    """Columns for what happened to rows that were there already, or could not be held, where any were."""
    found: list[Column[TableCopied]] = []
    if any(each.overwritten for each in tables):
        found.append(Column("over", "REPLACED", lambda each: number(each.overwritten), 8, 10, gives_way=3, right=True))
    if any(each.skipped for each in tables):
        found.append(Column("skipped", "KEPT", lambda each: number(each.skipped), 8, 10, gives_way=4, right=True))
    if any(each.left_out for each in tables):
        found.append(
            Column("out", "LEFT OUT", lambda each: number(each.left_out, "error"), 8, 10, gives_way=3, right=True)
        )
    return tuple(found)


def _size(number: int) -> Spans:
    return ((byte_size(number) if number else "", "muted"),)


def _speed(each: TableCopied) -> Spans:
    told = each.seconds >= LEAST_S and each.bytes
    return ((f"{byte_size(int(each.bytes / each.seconds))}/s" if told else "", "muted"),)


def copied_sentence(report: CopyReport) -> str:
    """The outcome of a copy in one sentence."""
    rows = sum(each.rows for each in report.tables)
    took = duration(report.seconds * 1000)
    if report.lossless:
        return f"{rows_text(rows)} copied in {took}, and compared: {proof(report)}."
    if report.finding_count:
        return f"{rows_text(rows)} copied in {took}. Not as they were, and listed below: {losses(report)}."
    return f"{rows_text(rows)} copied in {took}, but the two differ now: below is where."


def aside_lines(tables: Sequence[LeftAside], width: int, ink: Ink, title: str = "not copied, on purpose") -> list[Text]:
    """The tables that are knowingly not read, and why."""
    if not tables:
        return []
    lines = heading(title, count(len(tables)), ink)
    for line in left_aside_lines(tables):
        lines += indented(wrap(Text(printable(line, LONGEST), ink.muted), width - 4), Text("   "), Text("     "))
    return lines


def finding_lines(
    findings: Sequence[Finding], total: int, width: int, ink: Ink, title: str = "what cannot be held as it is"
) -> list[Text]:
    """What a side cannot hold: which value of which row, and what was done."""
    if not findings:
        return []
    lines = heading(title, count(total), ink)
    for each in findings:
        where = " ".join(filter(None, (each.table, each.id, each.column)))
        body = Text.assemble(
            (printable(where, 200), ink.muted),
            (f"  {': '.join(printable(part, LONGEST) for part in (each.what, each.done) if part)}", ink.text),
        )  # fmt: skip
        lines += indented(wrap(body, width - 4), Text.assemble(" ", ("!", ink.warning), " "), Text("   "))
    if total > len(findings):
        lines.append(Text(f"   and {count(total - len(findings))} more", ink.faint))
    return lines
