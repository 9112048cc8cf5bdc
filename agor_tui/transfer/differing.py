"""What differs between two rows, in a few words fit to be shown: the places in a JSON document, secrets masked."""

from __future__ import annotations

import re
from contextlib import suppress
from decimal import Decimal
from typing import Any

import orjson

from agor_tui.db.row_checksum import RowLines, canonical_json
from agor_tui.db.row_format import Row, TableFormat
from agor_tui.db.types import instant_of_ms, restore_json, restore_text
from agor_tui.redact import HIDDEN, hide_words, redact, redact_broken, redact_text
from agor_tui.text import printable
from agor_tui.transfers import ValueDifference

_MOST = 60
_BEFORE = 20
"""So many characters are shown in front of the first that differs."""
_MOST_PLACES = 20
_NOTHING = "nothing"
_NUMBER = "\ufdd0n"
_MARKED_NUMBER = re.compile(f'"{_NUMBER}(-?[0-9]+e-?[0-9]+)"')


def value_differences(form: TableFormat, a: Row, b: Row) -> tuple[ValueDifference, ...]:
    """Return what differs between two rows of one key."""
    found = []
    for column, one, other in zip(form.columns, a, b, strict=True):
        line = RowLines((column.kind,)).line
        if line((one,)) == line((other,)):
            continue
        if column.kind == "json" and isinstance(one, str) and isinstance(other, str):
            found.append(_in_documents(column.name, one, other))
        else:
            shown = [_shown(column.name, column.kind, value) for value in (one, other)]
            found.append(ValueDifference(column.name, *_excerpts(*shown)))
    return tuple(found)


def _in_documents(column: str, one: str, other: str) -> ValueDifference:
    """Name the first place where two documents differ."""
    documents = [canonical_json(text) for text in (one, other)]
    if None not in documents:
        with suppress(ValueError, TypeError):  # nested deeper than orjson goes: as text
            return _in_values(column, *(orjson.loads(document or b"") for document in documents))
    return ValueDifference(column, *_excerpts(redact_broken(one), redact_broken(other)))


def _in_values(place: str, a: Any, b: Any) -> ValueDifference:
    masked_a, masked_b = redact(a), redact(b)
    for _ in range(_MOST_PLACES):
        if HIDDEN in (masked_a, masked_b):
            break
        if isinstance(a, dict) and isinstance(b, dict):
            key = next(key for key in sorted(a.keys() | b.keys()) if _bytes(a, key) != _bytes(b, key))
            place += f".{printable(hide_words(restore_text(key)), _MOST)}"
        elif isinstance(a, list) and isinstance(b, list):
            key = next(n for n in range(max(len(a), len(b))) if _bytes(a, n) != _bytes(b, n))
            place += f"[{key}]"
        else:
            break
        a, b, masked_a, masked_b = (_part(holder, key) for holder in (a, b, masked_a, masked_b))
    return ValueDifference(place, *_excerpts(_document(masked_a), _document(masked_b)))


class _Absent:
    """Stands where a document has nothing."""


_ABSENT = _Absent()


def _part(holder: Any, key: Any) -> Any:
    try:
        return holder[key]
    except (KeyError, IndexError):
        return _ABSENT


def _bytes(holder: Any, key: Any) -> bytes | None:
    part = _part(holder, key)
    return None if part is _ABSENT else orjson.dumps(part, None, orjson.OPT_SORT_KEYS)


def _document(value: Any) -> str:
    """A part of a document as text."""
    match value:
        case _Absent():
            return _NOTHING
        case str() if value.startswith(_NUMBER):
            return _number(value[len(_NUMBER) :])
        case str():
            return f"“{restore_text(redact_text(value))}”" if value != HIDDEN else value
        case _:
            return restore_json(_MARKED_NUMBER.sub(r"\1", orjson.dumps(value).decode()))


def _number(literal: str) -> str:
    try:
        return f"{Decimal(literal):.{_MOST}g}"
    except ArithmeticError:  # an exponent of more than 18 digits
        return literal


def _shown(name: str, kind: str, value: Any) -> str:
    """A value of a column as text."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        masked = redact_broken(value) if kind == "json" else redact_text(str(redact({name: value})[name]))
        return masked if masked == HIDDEN else f"“{restore_text(masked)}”"
    if kind == "instant" and isinstance(value, int) and (moment := instant_of_ms(value)) is not None:
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
        return HIDDEN if redact({name: text}) != {name: text} else f"bytes {value.hex(' ')}"
    return str(value).lower() if isinstance(value, bool) else _text(value)


def _text(value: Any) -> str:
    return restore_text(value) if isinstance(value, str) else str(value)


def _excerpts(a: str, b: str) -> tuple[str, str]:
    """Both texts cut to where they differ."""
    begin = max(0, _common(a, b) - _BEFORE) if a != b else 0
    before = "…" if begin else ""
    return printable(before + a[begin:], _MOST), printable(before + b[begin:], _MOST)


def _common(a: str, b: str) -> int:
    """How many characters two texts begin with in common."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
