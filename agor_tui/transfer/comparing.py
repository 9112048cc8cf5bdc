"""Proving that two databases hold the same rows: both are read at the same time, in the order of their keys."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any, Literal

from agor_tui.db.row_checksum import RowLines, TableChecksum, digest
from agor_tui.db.row_format import FORMATS, BrokenText, Row, TableFormat
from agor_tui.db.row_repair import key_of
from agor_tui.db.row_source import RowSource, ahead
from agor_tui.errors import Cancelled, DatabaseError
from agor_tui.text import printable
from agor_tui.transfer.differing import value_differences
from agor_tui.transfers import CompareReport, Finding, Progress, RowDifference, TableCompared, Tell

MOST_LISTED = 1_000
"""Rows that differ are listed up to so many a table."""

_TELL_EVERY_S = 0.2
_LONGEST_ID = 120


def compare(
    a: RowSource,
    b: RowSource,
    tables: Iterable[str] | None = None,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
) -> CompareReport:
    """Compare the rows of ``tables``, or of all tables that either has, as both are in this state of theirs.

    Raises:
        DatabaseError: one of them cannot be read. Cancelled: ``stop`` was set.
    """
    began = time.monotonic()
    wanted = FORMATS if tables is None else set(tables)
    names = [name for name in FORMATS if name in wanted and (name in a.tables or name in b.tables)]
    sides = (_Side(a), _Side(b))
    compared = tuple(_Comparison(FORMATS[name], sides, tell, stop).result() for name in names)
    return CompareReport(
        a.label,
        b.label,
        compared,
        findings_a=tuple(sides[0].findings),
        findings_b=tuple(sides[1].findings),
        finding_count=sides[0].finding_count + sides[1].finding_count,
        left_aside_a=tuple(a.left_aside),
        left_aside_b=tuple(b.left_aside),
        seconds=time.monotonic() - began,
    )


class _Side:
    """One of the two databases, and what it has that native rows cannot have."""

    def __init__(self, source: RowSource) -> None:
        self._source = source
        self.label = source.label
        self.findings: list[Finding] = []
        self.finding_count = 0

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        return table in self._source.tables

    def count(self, table: str) -> int | None:
        """How many rows a table has; None where only reading them tells."""
        return self._source.count(table) if self.has(table) else 0

    def batches(self, table: str) -> Iterator[list[Row]]:
        """The rows of a table."""
        self._take_findings()
        if self.has(table):
            for batch in ahead(self._source.rows(table)):
                yield batch
                self._take_findings()
            self._take_findings()

    def _take_findings(self) -> None:
        told = self._source.findings
        found = told[: len(told)]  # meanwhile more may come behind these
        del told[: len(found)]
        self.finding_count += len(found)
        self.findings += found[: MOST_LISTED - len(self.findings)]


class _Comparison:
    """The comparison of one table."""

    def __init__(
        self, form: TableFormat, sides: tuple[_Side, _Side], tell: Tell | None, stop: threading.Event | None
    ) -> None:
        self._form = form
        self._sides = sides
        self._tell = tell
        self._stop = stop
        self._lines = RowLines(column.kind for column in form.columns)
        self._sums = tuple(TableChecksum(()) for _ in "ab")
        self._only = {"a": 0, "b": 0}
        self._changed = 0
        self._listed: list[RowDifference] = []
        self._bytes = 0
        self._total: int | None = None
        self._told = -_TELL_EVERY_S

    def result(self) -> TableCompared:
        """Compare, and say what was found."""
        name = self._form.name
        if self._tell is not None:
            totals = [side.count(name) for side in self._sides]
            self._total = None if None in totals else max(total or 0 for total in totals)
            self._say()
        if self._form.key:
            self._merge()
        else:
            self._cancel_out()
        self._say()
        sum_a, sum_b = self._sums
        return TableCompared(
            table=name,
            rows_a=sum_a.rows,
            rows_b=sum_b.rows,
            checksum_a=sum_a.hex,
            checksum_b=sum_b.hex,
            only_in_a=self._only["a"],
            only_in_b=self._only["b"],
            changed=self._changed,
            differences=tuple(self._listed),
            missing_in=self._missing_in(),
        )

    def _missing_in(self) -> Literal["a", "b"] | None:
        a, b = (side.has(self._form.name) for side in self._sides)
        return None if a and b else "b" if a else "a"

    def _merge(self) -> None:
        """Both sides in the order of their keys, row by row."""
        sum_a, sum_b = self._sums
        aside: tuple[dict[bytes, list[Row]], dict[bytes, list[Row]]] = ({}, {})
        rows_a, rows_b = (self._keyed(side, odd) for side, odd in zip(self._sides, aside, strict=True))
        a, b = next(rows_a, None), next(rows_b, None)
        while a is not None or b is not None:
            if b is None or (a is not None and a[0] < b[0]):
                assert a is not None
                sum_a.add_digest(self._digest(self._lines.line(a[1])))
                self._found_only("a", a[1])
                a = next(rows_a, None)
            elif a is None or b[0] < a[0]:
                sum_b.add_digest(self._digest(self._lines.line(b[1])))
                self._found_only("b", b[1])
                b = next(rows_b, None)
            else:
                self._pair(a[1], b[1])
                a, b = next(rows_a, None), next(rows_b, None)
        self._match(*aside)

    def _pair(self, a: Row, b: Row) -> None:
        """Two rows of one key."""
        sum_a, sum_b = self._sums
        line = self._lines.line(a)
        number = self._digest(line)
        sum_a.add_digest(number)
        if a == b or self._lines.has(b, line):
            sum_b.add_digest(number)
        else:
            sum_b.add_digest(digest(self._lines.line(b)))
            self._found_changed(a, b)

    def _match(self, odd_a: dict[bytes, list[Row]], odd_b: dict[bytes, list[Row]]) -> None:
        """The rows whose keys the two sides order differently."""
        sum_a, sum_b = self._sums
        for key, rows in odd_a.items():
            for row in rows:
                if others := odd_b.get(key):
                    self._pair(row, others.pop(0))
                else:
                    sum_a.add_digest(self._digest(self._lines.line(row)))
                    self._found_only("a", row)
        for rows in odd_b.values():
            for row in rows:
                sum_b.add_digest(self._digest(self._lines.line(row)))
                self._found_only("b", row)

    def _keyed(self, side: _Side, aside: dict[bytes, list[Row]]) -> Iterator[tuple[bytes, Row]]:
        """The rows of one side with their keys, which must be in order: else rows would be told apart that are not.

        Rows whose key is no plain text, which stands elsewhere where it is kept with marks, are put ``aside``.
        """
        at = self._form.key_at
        assert at is not None
        last = b""
        for batch in self._checked(side):
            for row in batch:
                if type(row[at]) is not str or _ODD.search(row[at]):
                    aside.setdefault(_odd_key(row[at]), []).append(row)
                    continue
                key = row[at].encode()
                if key < last:
                    raise DatabaseError(
                        f"{side.label} does not give the table {self._form.name} in the order of its keys: "
                        f"{_id(self._form, row)} comes too late.",
                        "Check the indexes of that database.",
                    )
                last = key
                yield key, row

    def _cancel_out(self) -> None:
        """A table without a key: each row of one side cancels an equal row of the other."""
        left: dict[bytes, tuple[int, Row]] = {}
        batches = (self._checked(side) for side in self._sides)
        for pair in zip_longest(*batches, fillvalue=[]):
            for rows, total, one in zip(pair, self._sums, (1, -1), strict=True):
                for row in rows:
                    line = self._lines.line(row)
                    total.add_digest(self._digest(line))
                    more = left.pop(line, (0, row))[0] + one
                    if more:
                        left[line] = (more, row)
        for _, (more, row) in sorted(left.items()):
            for _ in range(abs(more)):
                self._found_only("a" if more > 0 else "b", row)

    def _checked(self, side: _Side) -> Iterator[list[Row]]:
        """The batches of one side; between them it is looked whether to stop, and told how far this is."""
        for batch in side.batches(self._form.name):
            if self._stop is not None and self._stop.is_set():
                raise Cancelled("The comparison was stopped; nothing was written.")
            if self._tell is not None and time.monotonic() - self._told >= _TELL_EVERY_S:
                self._say()
            yield batch

    def _say(self) -> None:
        if self._tell is not None:
            self._told = time.monotonic()
            done = max(total.rows for total in self._sums)
            self._tell(Progress("verify", self._form.name, done, self._total, self._bytes))

    def _digest(self, line: bytes) -> int:
        self._bytes += len(line)
        return digest(line)

    def _found_only(self, side: Literal["a", "b"], row: Row) -> None:
        self._only[side] += 1
        if len(self._listed) < MOST_LISTED:
            self._listed.append(RowDifference(_id(self._form, row), side))

    def _found_changed(self, a: Row, b: Row) -> None:
        self._changed += 1
        if len(self._listed) < MOST_LISTED:
            self._listed.append(RowDifference(_id(self._form, a), None, value_differences(self._form, a, b)))


_ODD = re.compile("[\x00\ufdd0\ud800-\udfff]")


def _id(form: TableFormat, row: Row) -> str:
    return printable(key_of(form, row), _LONGEST_ID)


def _odd_key(key: Any) -> bytes:
    """The bytes by which SQLite orders a key that is no text: its own bytes stand behind all texts."""
    if isinstance(key, BrokenText):
        return bytes(key)
    return (
        b"\xff" + key if isinstance(key, bytes) else b"" if key is None else str(key).encode("utf-8", "surrogatepass")
    )
