"""Rows whose text a database that is not in UTF8 cannot hold: the server itself is asked, of many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agor_tui.db.row_format import Row, TableFormat
from agor_tui.db.row_repair import key_of
from agor_tui.db.row_writing import RowWriter, StoredJson
from agor_tui.db.types import keep_json, keep_no_json
from agor_tui.transfers import Finding

_LEFT_OUT = "the row is left out; a database in UTF8 would hold it"

Repair = Callable[[Sequence[Row]], tuple[list[Row], list[Finding]]]


def held(into: RowWriter, table: TableFormat, rows: Sequence[Row]) -> tuple[list[Row], list[Finding]]:
    """Return the ``rows`` whose text the database of ``into`` can hold, and a finding for each other one."""
    encoding = into.encoding
    if encoding == "UTF8":
        return list(rows), []
    kept: list[Row] = []
    findings: list[Finding] = []
    waiting = [list(rows)]
    while waiting:
        some = waiting.pop()
        if _takes_all(into, table, some) or (len(some) == 1 and _takes_each(into, table, some[0])):
            kept += some
        elif len(some) == 1:
            what = f"it has text that the encoding {encoding} cannot hold"
            findings.append(Finding(table.name, key_of(table, some[0]), None, what, _LEFT_OUT))
        else:
            middle = len(some) // 2
            waiting += [some[middle:], some[:middle]]
    return kept, findings


def repaired_and_held(
    table: TableFormat, rows: Sequence[Row], repair: Repair, hold: Repair
) -> tuple[list[Row], list[Finding]]:
    """Return ``rows`` as the database can hold them; those that name one which it cannot hold are repaired again."""
    kept, findings = repair(rows)
    left, refused = hold(kept)
    if not refused:
        return kept, findings
    again, more = repair(left)
    return again, [*findings, *refused, *more]


def _takes_all(into: RowWriter, table: TableFormat, rows: Sequence[Row]) -> bool:
    texts = [row[place] for place in table.at("id", "text") for row in rows if _is_suspect(row[place])]
    documents = [_stored(row[place]) for place in table.at("json") for row in rows if _is_suspect(row[place])]
    return not (texts or documents) or into.takes(texts, documents)


def _takes_each(into: RowWriter, table: TableFormat, row: Row) -> bool:
    """The same of one row, whose broken JSON is kept as a text."""
    texts = [row[place] for place in table.at("id", "text") if _is_suspect(row[place])]
    if texts and not into.takes(texts, []):
        return False
    documents = [row[place] for place in table.at("json") if _is_suspect(row[place])]
    return all(into.takes([], [_stored(each)]) or into.takes([], [keep_no_json(each)]) for each in documents)


def _is_suspect(value: object) -> bool:
    return isinstance(value, str) and (not value.isascii() or "\\u" in value)


def _stored(document: str) -> str:
    return document if isinstance(document, StoredJson) else keep_json(document)
