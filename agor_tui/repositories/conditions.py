"""The conditions that a filter is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import or_
from sqlalchemy.sql.elements import ColumnElement

from agor_tui.folders import one_spelling


def named(choice: Iterable[str], names: Mapping[str, Sequence[str | None]]) -> set[str]:
    """Return the ids in ``names`` (id -> its names) that one of ``choice`` means: the whole name or its last part.

    ``*`` stands for any text; neither case nor the spelling of a folder matters.
    """
    found: set[str] = set()
    for wanted in choice:
        pattern = one_spelling(wanted).casefold()
        for row_id, known in names.items():
            for name in known:
                whole = one_spelling(name or "").casefold()
                if whole and any(
                    fnmatchcase(part, pattern) if "*" in pattern else part == pattern
                    for part in (whole, whole.rpartition("/")[2])
                ):
                    found.add(row_id)
    return found


def chosen(
    column: ColumnElement[Any], include: Iterable[str] | None, exclude: Iterable[str] | None
) -> list[ColumnElement[bool]]:
    """Return the conditions that ``column`` is one of ``include`` and none of ``exclude`` (None: no condition)."""
    conditions: list[ColumnElement[bool]] = []
    if include is not None:
        conditions.append(column.in_(list(include)))
    if exclude:
        conditions.append(or_(column.is_(None), column.not_in(list(exclude))))
    return conditions


def contains(columns: Sequence[ColumnElement[Any]], word: str) -> ColumnElement[bool]:
    """Return the condition that one of ``columns`` contains ``word`` in any case.

    SQLite's LIKE folds ASCII only, so the usual spellings of other letters are asked for one by one.
    """
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    forms = {escaped} if escaped.isascii() else {escaped, escaped.lower(), escaped.upper(), escaped.title()}
    return or_(*(column.ilike(f"%{form}%", escape="\\") for column in columns for form in sorted(forms)))
