"""Rows as lines of a dump and back (see the package's text); JSON passes undecoded."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Any

import orjson

from agor_tui.db.row_format import Row, TableFormat
from agor_tui.db.types import keep_text, restore_text
from agor_tui.services.dump.form import BEGIN_ROW, columns_of
from agor_tui.services.export import dumps

_DAY_MS = 86_400_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_YEARS = range((date(1000, 1, 1).toordinal() - _EPOCH_DAY) * _DAY_MS, (date.max.toordinal() - _EPOCH_DAY + 1) * _DAY_MS)
_MINUTES = tuple(f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(1440))
_MOST_KEPT = 100_000
_MARK = "\ufdd0".encode()
_INT64 = range(-(2**63), 2**63)
# Lone surrogates are valid in JSON, and orjson refuses them: with any other escape in their place it says the rest.
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_KEY = re.compile(rb'\{"table":"[a-z_]{1,40}","[a-z_]{1,40}":"([^"\\]{1,64})"')
_MOST_BEFORE = 200
"""Brackets in JSON that other JSON follows in a line: its end is found by a decoder that recurses."""

_days: dict[int, str] = {}
_minutes: dict[str, int] = {}
_decode_json = json.JSONDecoder().raw_decode


class RowError(ValueError):
    """A line is no row of its table: ``column`` (None: the line as a whole) and what is wrong, half a sentence."""

    def __init__(self, column: str | None, what: str) -> None:
        super().__init__(what)
        self.column = column
        self.what = what


def iso_of_ms(ms: int) -> str | int:
    """``2025-10-06T09:14:02.123Z``; ``ms`` itself where the year has not four digits."""
    if ms not in _YEARS:
        return ms
    day, ms = divmod(ms, _DAY_MS)
    found = _days.get(day)
    if found is None:
        if len(_days) > _MOST_KEPT:
            _days.clear()
        found = _days[day] = date.fromordinal(day + _EPOCH_DAY).isoformat()
    minute, ms = divmod(ms, 60_000)
    return f"{found}{_MINUTES[minute]}{ms // 1000:02}.{ms % 1000:03}Z"


def ms_of_iso(text: str) -> int:
    """Undo ``iso_of_ms``. Raises ValueError: the text has another form."""
    minute = _minutes.get(text[:17])
    if minute is None:
        found = datetime.fromisoformat(text[:17] + "00")
        if len(_minutes) > _MOST_KEPT:
            _minutes.clear()
        minute = (found.toordinal() - _EPOCH_DAY) * _DAY_MS + (found.hour * 60 + found.minute) * 60_000
        if iso_of_ms(minute) != text[:17] + "00.000Z":
            raise ValueError(text)
        _minutes[text[:17]] = minute
    seconds, ms = text[17:19], text[20:23]
    if not (len(text) == 24 and text[19] == "." and text[23] == "Z" and (seconds + ms).isdecimal() and seconds < "60"):
        raise ValueError(text)
    return minute + int(seconds) * 1000 + int(ms)


def key_in(line: bytes) -> str:
    """The first column of a line, most often the row's id; empty where none can be made out."""
    found = _KEY.match(line)
    return found[1].decode(errors="replace") if found else ""


class _Columns:
    """How the columns of a table stand in a line: those without JSON first, in the order of the table."""

    def __init__(self, form: TableFormat) -> None:
        self.form = form
        names = columns_of(form)
        kinds = {column.name: column.kind for column in form.columns}
        self.plain = tuple(name for name in names if kinds[name] != "json")
        self.json = names[len(self.plain) :]
        self.instants = tuple(n for n, name in enumerate(self.plain) if kinds[name] == "instant")
        self.texts = tuple(n for n, name in enumerate(self.plain) if kinds[name] in ("text", "id"))
        self.kinds = tuple(kinds[name] for name in self.plain)
        self.nullable = frozenset(column.name for column in form.columns if column.nullable)


def _fits(kind: str, value: Any) -> bool:
    """Whether a value of a row is one that its column is made for."""
    if value is None:
        return True
    if kind in ("text", "id"):
        return type(value) is str
    return type(value) is (bool if kind == "flag" else int) and value in _INT64


class RowEncoder:
    """Makes the lines of one table."""

    def __init__(self, form: TableFormat) -> None:
        self._columns = columns = _Columns(form)
        place = {name: n for n, name in enumerate(form.names)}
        self._plain = itemgetter(*(place[name] for name in columns.plain))
        self._keys = ("table", *columns.plain)
        self._json = tuple((place[name], f',"{name}":'.encode(), name) for name in columns.json)
        self._usual: set[tuple[type, ...]] = set()

    def line(self, row: Row, *, sound: bool = False) -> bytes:
        """The line of a row, without a line feed. ``sound``: its JSON is known to be such that orjson reads it."""
        columns = self._columns
        values = list(self._plain(row))
        shape = tuple(map(type, values))
        if shape not in self._usual:
            if not all(map(_fits, columns.kinds, values)):
                return self._odd_line(row, sound)
            self._usual.add(shape)
        for n in columns.instants:
            if values[n] is not None:
                values[n] = iso_of_ms(values[n])
        try:
            head = orjson.dumps(dict(zip(self._keys, (columns.form.name, *values), strict=True)))
        except TypeError:  # a lone surrogate
            return self._odd_line(row, sound)
        if not head.isascii() and _MARK in head:
            return self._odd_line(row, sound)
        return self._with_json(head, row, sound)

    def _with_json(self, head: bytes, row: Row, sound: bool) -> bytes:
        pieces = [head[:-1]]
        for number, (place, key, name) in enumerate(self._json, 1):
            value = row[place]
            if type(value) is str and _can_stand(value, sound, last=number == len(self._json)):
                pieces += (key, value.encode())
            elif value is not None:
                pieces.append(b"," + dumps(_odd(name, value, "text"))[1:-1])
        pieces.append(b"}")
        return b"".join(pieces)

    def _odd_line(self, row: Row, sound: bool) -> bytes:
        columns = self._columns
        line: dict[str, Any] = {"table": columns.form.name}
        for name, kind, value in zip(columns.plain, columns.kinds, self._plain(row), strict=True):
            if not _fits(kind, value):
                line |= _odd(name, value, "other")
            elif kind == "instant" and value is not None:
                line[name] = iso_of_ms(value)
            elif type(value) is str and kind in ("text", "id"):
                text = restore_text(value)
                returns = keep_text(json.loads(dumps(text))) == value
                line |= {name: text} if returns else {f"{name}:stored": value}
            else:
                line[name] = value
        return self._with_json(dumps(line), row, sound)


def _can_stand(text: str, sound: bool, *, last: bool) -> bool:
    """Whether JSON can stand in a line as it is, from where the decoder gets it out again."""
    if not last and (text.count("[") + text.count("{") > _MOST_BEFORE or text != text.strip()):
        return False
    if "\n" in text or "\r" in text:
        return False
    if sound:
        return True
    try:
        orjson.loads(text)  # which refuses a lone surrogate, as jq does and other readers
    except ValueError:
        return False
    return True


def _odd(name: str, value: Any, word: str) -> dict[str, Any]:
    """A value that its column is not made for, under a key that says so; ``word`` for a text or a number."""
    if isinstance(value, bytes):
        return {f"{name}:bytes": value.hex()}
    if isinstance(value, float):
        return {f"{name}:float": repr(value)}
    return {f"{name}:{word if isinstance(value, str) else 'other'}": value}


class RowDecoder:
    """Reads the lines of one table, which must have the form that ``RowEncoder`` gives them."""

    def __init__(self, form: TableFormat) -> None:
        self._columns = columns = _Columns(form)
        self._keys = ("table", *columns.plain, *columns.json)
        self._head_keys = self._keys[: len(columns.plain) + 1]
        self._mark = f',"{columns.json[0]}":'.encode() if columns.json else b""
        order = (*columns.plain, *columns.json)
        self._row = itemgetter(*(order.index(name) for name in form.names))
        self._usual: set[tuple[type, ...]] = set()

    def row(self, line: bytes, *, checked: bool = False) -> Row:
        """The row of a line without its line feed. ``checked``: it was read before, so its JSON need not be looked at.

        Raises:
            RowError: it is no row of this table.
        """
        columns = self._columns
        end = line.find(self._mark) if self._mark else len(line) - 1
        head = line[:end] + b"}"
        if checked and end > 0 and len(columns.json) == 1:
            found = _loaded(head, line)
            if tuple(found) != self._head_keys:
                return self._odd_row(_loaded(line, line), line)
        else:
            found = _loaded(line, line if end < 0 else head)
            if tuple(found) != self._keys:
                return self._odd_row(found, line)
        values = list(found.values())[1 : len(self._head_keys)]
        shape = tuple(map(type, values))
        for n in columns.instants:
            if values[n] is not None:
                values[n] = self._instant(columns.plain[n], values[n])
        if shape not in self._usual:
            self._check(values)
            self._usual.add(shape)
        if b"\\u" in head or (not head.isascii() and _MARK in head):
            for n in columns.texts:
                if values[n] is not None:
                    values[n] = keep_text(values[n])
        row: Row = self._row([*values, *self._documents(line, end, columns.json)])
        return row

    def _documents(self, line: bytes, at: int, keys: Sequence[str]) -> list[str]:
        """The JSON of a line as it stands there under ``keys``, the first of which begins at ``at``."""
        if not keys:
            return []
        rest = line[at:].decode()
        found: list[str] = []
        place = 0
        for number, key in enumerate(keys, 1):
            if not rest.startswith(mark := f',"{key}":', place):
                raise RowError(None, "its columns have another order")
            place += len(mark)
            try:
                end = len(rest) - 1 if number == len(keys) else _decode_json(rest, place)[1]
            except (ValueError, RecursionError):
                raise RowError(key, "is JSON nested too deeply") from None
            found.append(rest[place:end])
            place = end
        return found

    def _odd_row(self, found: Mapping[str, Any], line: bytes) -> Row:
        """A row of which some value cannot stand for itself."""
        columns = self._columns
        keys = tuple(found)[1:]
        expected = (*columns.plain, *columns.json)
        for key in keys:
            if key.partition(":")[0] not in expected:
                raise RowError(key, "is no column of this table")
        by_name = {key.partition(":")[0]: key for key in keys}
        for name in expected:
            if name not in by_name and not (name in columns.json and name in columns.nullable):
                raise RowError(name, "is missing")
        order = [name for name in expected if name in by_name]
        if [key.partition(":")[0] for key in keys] != order:
            raise RowError(None, "its columns have another order")
        texts: dict[str, str] = {}
        documents = [by_name[name] for name in columns.json if name in by_name]
        if documents:
            at = line.find(f',"{documents[0]}":'.encode())
            texts = dict(zip(documents, self._documents(line, at, documents), strict=True))
        values: list[Any] = []
        for name, kind in zip(expected, (*columns.kinds, *("json" for _ in columns.json)), strict=True):
            key = by_name.get(name, name)
            if key == name:
                values.append(texts.get(name) if kind == "json" else self._plain_value(name, kind, found[name]))
            else:
                values.append(_read_odd(key, kind, found[key]))
        row: Row = self._row(values)
        return row

    def _plain_value(self, name: str, kind: str, value: Any) -> Any:
        if kind == "instant" and value is not None:
            value = self._instant(name, value)
        self._check_one(name, kind, value)
        return keep_text(value) if isinstance(value, str) else value

    def _instant(self, name: str, value: Any) -> int:
        if type(value) is str:
            try:
                return ms_of_iso(value)
            except ValueError:
                raise RowError(name, "is no time") from None
        if type(value) is not int:
            raise RowError(name, "is no time")
        return value

    def _check(self, values: list[Any]) -> None:
        for name, kind, value in zip(self._columns.plain, self._columns.kinds, values, strict=True):
            self._check_one(name, kind, value)

    def _check_one(self, name: str, kind: str, value: Any) -> None:
        if value is None and name not in self._columns.nullable:
            raise RowError(name, "is empty, which it may not be")
        if not _fits(kind, value):
            raise RowError(name, f"is no {_KINDS[kind]}")


_KINDS = {"text": "text", "id": "text", "instant": "time", "flag": "true or false", "integer": "whole number"}


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(value)
    return value


def _float(value: Any) -> float:
    found = float(_text(value))
    if repr(found) != value and not math.isnan(found):
        raise ValueError(value)
    return found


def _other(value: Any) -> str | int:
    if type(value) not in (str, int) or (type(value) is int and value not in _INT64):
        raise ValueError(value)
    found: str | int = value
    return found


_WORDS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "stored": _text,
    "bytes": lambda value: bytes.fromhex(_text(value)),
    "float": _float,
    "other": _other,
}


_WORD_OF_TEXT = {"json": "text", "text": "stored", "id": "stored"}
"""The word behind the name of a column that a text has which cannot stand there as itself; else ``other``."""


def _read_odd(key: str, kind: str, value: Any) -> Any:
    word = key.partition(":")[2]
    try:
        found = _WORDS[word](value)
        if isinstance(found, str):
            found.encode()  # a lone surrogate is nowhere stored as itself
            if word != _WORD_OF_TEXT.get(kind, "other"):
                raise ValueError(key)
    except (ValueError, KeyError):
        raise RowError(key, "is not as agor-tui writes it") from None
    return found


def _loaded(part: bytes, head: bytes) -> dict[str, Any]:
    """``part`` of a line, decoded. Where it has lone surrogates, only the values in ``head`` are true."""
    try:
        found = orjson.loads(part)
    except ValueError:
        try:
            found = orjson.loads(_ESCAPED_SURROGATE.sub(rb"\\u0041", part))
            found |= json.loads(head.decode())
        except (ValueError, TypeError, RecursionError):
            raise RowError(None, "is no row in JSON") from None
    if type(found) is not dict or not part.startswith(BEGIN_ROW):
        raise RowError(None, "is no row")
    return found
