"""Rows of an export without secrets over rows that have theirs: the secrets of the database stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agor_tui.db.exact_json import dump_exact, load_exact
from agor_tui.db.row_format import Row, TableFormat
from agor_tui.db.row_target import RowTarget, Written
from agor_tui.db.row_writing import RowWriter
from agor_tui.redact import HIDDEN
from agor_tui.services.dump.secrets import SecretRemover


class KeepingSecrets(RowTarget):
    """A target whose rows keep their secrets when newer ones of an export without secrets are written over them."""

    def chosen(
        self, into: RowWriter, table: TableFormat, rows: Sequence[Row], done: Written
    ) -> tuple[list[Row], list[Row]]:
        fresh, older = super().chosen(into, table, rows, done)
        if not older:
            return fresh, older
        place = table.key_at or 0
        remover = SecretRemover(table)
        there = into.texts(table, [row[place] for row in older])
        return fresh, [_merged(table, row, there[row[place]], remover) for row in older]


def _merged(table: TableFormat, row: Row, own: Row, remover: SecretRemover) -> Row:
    """``row`` with those secrets of ``own`` that an export would have hidden where ``row`` has them hidden."""
    hidden, _ = remover.without_secrets(own)
    values = list(row)
    for place, (mine, shown) in enumerate(zip(own, hidden, strict=True)):
        if mine is not None and mine != shown:
            values[place] = mine if values[place] == shown else _in_document(values[place], mine, shown)
    return tuple(values)


def _in_document(new: Any, own: str, hidden: str) -> Any:
    """The JSON ``new`` with the secrets of ``own``; ``own`` where they cannot be put there."""
    try:
        return dump_exact(_filled(load_exact(new), load_exact(own), load_exact(hidden)))
    except (ValueError, TypeError, RecursionError):
        return own if HIDDEN in str(new) else new


def _filled(new: Any, own: Any, hidden: Any) -> Any:
    if new == hidden:
        return own
    if isinstance(new, dict) and isinstance(own, dict) and isinstance(hidden, dict):
        return {key: _filled(value, own.get(key), hidden.get(key)) for key, value in new.items()}
    if isinstance(new, list) and isinstance(own, list) and isinstance(hidden, list) and len(new) == len(own):
        return [_filled(*three) for three in zip(new, own, hidden, strict=True)]
    return new
