"""Tables and sentences as lines of text, for the plan, the run and the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from agor_tui.statuses import Tone
from agor_tui.text import byte_size, count, duration, printable
from agor_tui.tui.upkeep.job import LEAST_S, Expected, Part, UpkeepJob
from agor_tui.tui.widgets.ink import Ink
from agor_tui.tui.widgets.lines_view import Lines
from agor_tui.tui.widgets.prose import indented, wrap
from agor_tui.tui.widgets.table_columns import Column, arrange, widest
from agor_tui.tui.widgets.table_lines import fitted

R = TypeVar("R")
Draw = Callable[[int, Ink], Lines]
"""Makes the lines for a width in cells."""

LONGEST = 600
"""Characters of a sentence that are shown."""
State = Literal["good", "note", "bad", "stopped", "plain"]
SIGNS: dict[State, tuple[str, Tone]] = {
    "good": ("✓", "success"),
    "note": ("!", "warning"),
    "bad": ("✗", "error"),
    "stopped": ("■", "warning"),
    "plain": ("·", "faint"),
}
_BAR = 24
_FULL, _EMPTY = "━", "─"


def style_of(ink: Ink, tone: Tone) -> Style:
    """The style of a tone of the theme."""
    styles: dict[Tone, Style] = {
        "text": ink.text,
        "strong": ink.heading,
        "muted": ink.muted,
        "faint": ink.faint,
        "accent": ink.accent,
        "success": ink.success,
        "warning": ink.warning,
        "error": ink.error,
        "rule": ink.rule,
    }
    return styles[tone]


def table(columns: Sequence[Column[R]], rows: Sequence[R], width: int, ink: Ink) -> list[Text]:
    """A line of titles and one for each row; what does not fit gives way as in the lists."""
    seen = {each.key: max(widest(each, rows), cell_len(each.title)) for each in columns if each.fits}
    places = arrange(columns, width, seen, margin=1)
    lines = []
    for row in (None, *rows):
        line, x = Text(), 0
        for place in places:
            line.append(" " * (place.x - x))
            cell = place.column.cell(row) if row is not None else ((place.column.title, "faint"),)
            for text, tone in fitted(cell, place.width, place.column.right):
                line.append(text, style_of(ink, tone))
            x = place.x + place.width
        line.rstrip()
        lines.append(line)
    return lines


def sentence(state: State, text: str, width: int, ink: Ink, *, tone: Tone = "text") -> list[Text]:
    """A sign and a sentence, folded."""
    sign, of_sign = SIGNS[state]
    body = wrap(Text(printable(text, LONGEST), style_of(ink, tone)), width - 4)
    return indented(body, Text.assemble(" ", (sign, style_of(ink, of_sign)), " "), Text("   "))


def sentences(state: State, texts: Iterable[str], width: int, ink: Ink) -> list[Text]:
    """Several of them."""
    return [line for text in texts for line in sentence(state, text, width, ink)]


def facts(pairs: Sequence[tuple[str, str]], width: int, ink: Ink) -> list[Text]:
    """A label and its value each; those without a value are left out."""
    shown = [(label, printable(value, LONGEST)) for label, value in pairs if value]
    room = max((cell_len(label) for label, _ in shown), default=0) + 2
    lines: list[Text] = []
    for label, value in shown:
        first = Text(f" {label:<{room}}", ink.faint)
        lines += indented(wrap(Text(value, ink.text), width - room - 2), first, Text(" " * (room + 1)))
    return lines


def heading(words: str, detail: str, ink: Ink) -> list[Text]:
    """A title over what follows, an empty line before it."""
    return [Text(), Text.assemble(" ", (words.upper(), ink.name), (f"  {detail}", ink.faint))]


# The run


class _Row:
    """A line of the run: a table that is done, under way or still to come."""

    def __init__(self, part: Part | None, expected: Expected | None, *, runs: bool) -> None:
        self._part, self._expected, self._runs = part, expected, runs

    @property
    def name(self) -> str:
        """The table, or what is done where there is no table."""
        if self._part is None:
            return self._expected.table if self._expected else ""
        progress = self._part.progress
        return progress.table or progress.stage

    @property
    def done(self) -> bool:
        """Whether it is done."""
        return self._part is not None and self._part.ended is not None

    def label(self) -> tuple[tuple[str, Tone], ...]:
        """Its state by shape and colour, and its name; the one under way stands out."""
        tone: Tone = "muted" if self._part is None or self.done else "strong"
        sign: tuple[str, Tone] = ("● ", "accent") if self._runs else ("■ ", "warning")
        if self._part is None:
            sign = ("○ ", "faint")
        elif self.done:
            sign = ("✓ ", "success")
        return (sign, (printable(self.name, 80), tone))

    def rows(self) -> tuple[tuple[str, Tone], ...]:
        """How many rows have passed; of what is no table the share."""
        progress = self._part.progress if self._part else None
        if progress is not None and not progress.table:
            share = min(100, 100 * progress.rows // progress.total) if progress.total else None
            return ((f"{share} %" if share is not None and not self.done else "", "text"),)
        return ((count(self._part.progress.rows) if self._part else "", "muted" if self.done else "text"),)

    def total(self) -> tuple[tuple[str, Tone], ...]:
        """How many there are."""
        if self._part is not None and not self._part.progress.table:
            return (("", "muted"),)
        total = self._part.progress.total if self._part else self._expected.rows if self._expected else None
        return ((f"of {count(total)}" if total and not self.done else "", "muted"),)

    def bar(self) -> tuple[tuple[str, Tone], ...]:
        """How far it is; nothing where that is not known."""
        progress = self._part.progress if self._part else None
        if progress is None or not progress.total:
            return (("", "rule"),)
        full = _BAR if self.done else min(_BAR, progress.rows * _BAR // progress.total)
        return ((_FULL * full, "faint" if self.done else "accent"), (_EMPTY * (_BAR - full), "rule"))

    def speed(self) -> tuple[tuple[str, Tone], ...]:
        """Bytes a second, else rows."""
        part = self._part
        if part is None:
            return (("", "muted"),)
        if part.bytes_per_second is not None:
            return ((f"{byte_size(int(part.bytes_per_second))}/s", "muted"),)
        rows = part.rows_per_second if part.progress.table else None
        return ((f"{count(int(rows))}/s" if rows else "", "muted"),)

    def left(self) -> tuple[tuple[str, Tone], ...]:
        """The time that it will still take."""
        left = self._part.seconds_left() if self._part and self._runs else None
        return ((f"{duration(max(1.0, left) * 1000)} left" if left is not None else "", "text"),)


_COLUMNS: tuple[Column[_Row], ...] = (
    Column("table", "  TABLE", _Row.label, 12, 24, gives_way=1, fits=True),
    Column("rows", "ROWS", _Row.rows, 9, 13, gives_way=2, right=True),
    Column("total", "", _Row.total, 12, 16, gives_way=5),
    Column("bar", "", _Row.bar, _BAR, _BAR, gives_way=7),
    Column("speed", "SPEED", _Row.speed, 9, 16, gives_way=6, right=True),
    Column("left", "", _Row.left, 11, 14, gives_way=3, right=True),
    Column("rest", "", lambda row: (("", "text"),), 0, 0),
)


def run_lines(job: UpkeepJob[object], width: int, ink: Ink) -> Lines:
    """The present stage, a line for each table; the stages before it in one line each."""
    parts, stage, expected = job.parts(), job.stage, job.expected
    before = dict.fromkeys(part.progress.stage for part in parts if part.progress.stage != stage)
    lines = [_stage_done(name, [part for part in parts if part.progress.stage == name], ink) for name in before]
    if not stage:
        return lines
    present = {part.progress.table: part for part in parts if part.progress.stage == stage}
    waiting = [] if "" in present else [each for each in expected if each.table not in present]
    shown = [_Row(part, None, runs=job.runs) for part in present.values()]
    shown += [_Row(None, each, runs=job.runs) for each in waiting]
    order = {each.table: number for number, each in enumerate(expected)}
    shown.sort(key=lambda row: order.get(row.name, -1))
    whole = _whole(job, list(present.values()), waiting) if "" not in present else []
    spans: list[tuple[str, Tone]] = [(f" {printable(stage, 40)}  ", "strong"), *whole]
    title = Text.assemble(*((text, style_of(ink, tone)) for text, tone in fitted(spans, width)))
    return [*lines, *([Text()] if lines else []), title, Text(), *table(_COLUMNS, shown, width, ink)]


def _stage_done(name: str, parts: Sequence[Part], ink: Ink) -> Text:
    rows = sum(part.progress.rows for part in parts if part.progress.table)
    told = f"  {count(rows)} row{'' if rows == 1 else 's'}," if rows else " "
    took = duration(sum((part.ended or part.told) - part.began for part in parts) * 1000)
    return Text.assemble(" ", ("✓", ink.success), (f" {printable(name, 40)}", ink.muted), (f"{told} {took}", ink.faint))


def _whole(job: UpkeepJob[object], parts: Sequence[Part], waiting: Sequence[Expected]) -> list[tuple[str, Tone]]:
    """How far the stage is as a whole; nothing where its rows are not all known."""
    known = [part.progress.total for part in parts] + [each.rows for each in waiting]
    totals = [each for each in known if each is not None]
    total, rows = sum(totals), sum(part.progress.rows for part in parts)
    if not job.expected or len(totals) < len(known) or not total:
        return []
    full = min(_BAR, rows * _BAR // total)
    spans: list[tuple[str, Tone]] = [
        (_FULL * full, "accent"),
        (_EMPTY * (_BAR - full), "rule"),
        (f"  {min(100, 100 * rows // total)} %", "text"),
        (f" of {count(total)} rows", "muted"),
    ]
    seconds = max(part.told for part in parts) - parts[0].began
    if job.runs and seconds >= LEAST_S and 0 < rows < total:
        spans.append((f" · {duration(1000 * max(1.0, seconds * (total - rows) / rows))} left", "muted"))
    return spans
