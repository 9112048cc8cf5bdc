"""What the rows of a dump must fulfil, found out before any is written, in flat memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from operator import lt
from typing import Any

from agor_tui.db.id_ledger import IdLedger, Named
from agor_tui.db.row_format import FORMATS, Row, TableFormat
from agor_tui.errors import FileError, quoted
from agor_tui.services.dump.reader import Batch

_INT64 = range(-(2**63), 2**63)
_UNCHANGED = "Nothing was written."
_TARGETS = {reference.table for form in FORMATS.values() for reference in form.references}
_SOUGHT_LATER = "messages"
"""Too many to note all their ids; few rows name one, and those are sought when all names are known."""


class Checker:
    """Takes the rows of a dump in their order and raises a FileError for the first that may not be imported.

    Keys ascend and so differ, unique values differ, enumerations have their words, numbers fit, and references name
    rows of the file or, as ``held(table, ids)`` says, of the database that they go to.
    """

    def __init__(self, file: str, held: Callable[[str, set[str]], set[str]]) -> None:
        self._file = file
        self._held = held
        self._ledger = IdLedger()
        self._order = list(FORMATS)
        self._table = self._order[0]
        self._last: dict[str, str] = {}
        self._unique: dict[tuple[str, str], set[Any]] = {}
        self._sought: dict[str, Named] = {}

    def add(self, batch: Batch) -> None:
        """Check some rows."""
        form = FORMATS[batch.table]
        if self._order.index(batch.table) < self._order.index(self._table):
            raise self._fault(
                batch.lines[0], form, batch.rows[0], f"its table has to stand before {self._table} in the file"
            )
        self._table = batch.table
        columns = dict(zip(form.names, zip(*batch.rows, strict=True), strict=True))
        if form.key:
            self._check_keys(form, columns[form.key[0]], batch)
            if form.name in _TARGETS and form.name != _SOUGHT_LATER:
                self._ledger.add(form.name, columns[form.key[0]])
        for name in form.unique:
            self._check_unique(form, name, columns[name], batch)
        for name, words in form.words.items():
            if not set(columns[name]) <= words | {None}:
                self._raise_first(form, name, batch, (words | {None}).__contains__, "is no word for it")
        for place in form.at("integer", "instant"):
            name = form.columns[place].name
            numbers = [value for value in columns[name] if type(value) is int]
            if numbers and (min(numbers) not in _INT64 or max(numbers) not in _INT64):
                self._raise_first(
                    form, name, batch, lambda value: type(value) is not int or value in _INT64, "is out of range"
                )
        for reference in form.references:
            self._check_reference(form, reference.column, reference.table, columns[reference.column], batch)

    def end(self, messages_in_file: Callable[[set[str]], set[str]]) -> None:
        """Check what only the end of the file can tell; ``messages_in_file`` returns those of some ids it has."""
        if self._sought:
            there = messages_in_file(set(self._sought))
            self._require(_SOUGHT_LATER, [each for each in self._sought.values() if each.wanted not in there])
        for target, naming in self._ledger.dangling():
            self._require(target, naming)

    def close(self) -> None:
        """Forget all of it."""
        self._ledger.close()

    def _check_keys(self, form: TableFormat, keys: Sequence[Any], batch: Batch) -> None:
        last = self._last.get(form.name)
        try:
            ascending = (last is None or last < keys[0]) and all(map(lt, keys, islice(keys, 1, None)))
        except TypeError:
            self._raise_first(form, form.key[0], batch, lambda value: isinstance(value, str), "is no text")
        if not ascending:
            for line, row, key in zip(batch.lines, batch.rows, keys, strict=True):
                if key == last:
                    raise self._fault(line, form, row, "its id stands twice in the file")
                if last is not None and key < last:
                    raise self._fault(line, form, row, "it stands behind a row with a greater id")
                last = key
        self._last[form.name] = keys[-1]

    def _check_unique(self, form: TableFormat, name: str, values: Sequence[Any], batch: Batch) -> None:
        seen = self._unique.setdefault((form.name, name), set())
        for line, row, value in zip(batch.lines, batch.rows, values, strict=True):
            if value in seen:
                raise self._fault(line, form, row, f"its {name} {quoted(str(value))} stands twice in the file")
            if value is not None:
                seen.add(value)

    def _check_reference(
        self, form: TableFormat, column: str, target: str, values: Sequence[Any], batch: Batch
    ) -> None:
        wanted = set(values) - {None}
        if not all(isinstance(value, str) for value in wanted):
            self._raise_first(form, column, batch, lambda value: value is None or isinstance(value, str), "is no text")
        later = target == _SOUGHT_LATER
        missing = wanted if later else self._ledger.missing(target, wanted)
        if not missing:
            return
        naming = [
            Named(form.name, column, self._id(form, row), line, value)
            for line, row, value in zip(batch.lines, batch.rows, values, strict=True)
            if value in missing
        ]
        if later:
            self._sought = {each.wanted: each for each in reversed(naming)} | self._sought
        else:
            self._ledger.defer(target, naming)

    def _require(self, target: str, naming: Sequence[Named]) -> None:
        if not naming:
            return
        held = self._held(target, {each.wanted for each in naming})
        for each in naming:
            if each.wanted not in held:
                raise FileError(
                    f"{self._file}, line {each.line:,}: {each.table} {quoted(each.id)}: {each.column} names"
                    f" {quoted(each.wanted)}, which is a row of {target} neither in the file nor in the database.",
                    _UNCHANGED,
                )

    def _raise_first(self, form: TableFormat, name: str, batch: Batch, right: Callable[[Any], bool], what: str) -> None:
        place = form.names.index(name)
        for line, row in zip(batch.lines, batch.rows, strict=True):
            if not right(row[place]):
                raise self._fault(line, form, row, f"{name} {quoted(str(row[place]))} {what}")

    def _fault(self, line: int, form: TableFormat, row: Row, what: str) -> FileError:
        return FileError(f"{self._file}, line {line:,}: {form.name} {quoted(self._id(form, row))}: {what}.", _UNCHANGED)

    def _id(self, form: TableFormat, row: Iterable[Any]) -> str:
        return str(tuple(row)[form.key_at or 0])
