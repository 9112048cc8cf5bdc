"""The checksum of a table's rows, which does not depend on their order or on how a database spells its JSON.

The canonical line of a row is UTF-8: one compact JSON array of the row's values in the order of the columns, strings
escaped no more than JSON demands (``\\"``, ``\\\\``, ``\\b \\t \\n \\f \\r``, and ``\\u00xx`` for other controls).

- NULL is ``null``; a flag ``true`` or ``false``; an integer, or an instant in epoch milliseconds, its digits.
- An id or a text is a string of what is stored (``db.types.keep_text``).
- Where an SQLite file holds bytes in the place of a text, they are the string U+FDD0, ``b`` and their hex digits; a
  float in the place of an integer is U+FDD0, ``f`` and Python's spelling of it.
- A JSON value is an array that holds only the document, so that JSON's own null is not NULL. Text in a JSON column
  that is no JSON is that text as a string.

In a document keys are sorted by their bytes, and of a key that stands twice the last value counts. A number counts by
its value: a whole one from -2**63 up to 2**64 - 1 is its digits, any other the string U+FDD0, ``n``, ``-`` if negative,
the digits from the first to the last that is not zero, ``e``, and the power of ten of that last one. So ``1.0`` is
``1``, ``1e5`` is ``100000``, ``0.150`` is ``"\\ufdd0n15e-2"``, and no number passes through a float. A lone surrogate
is U+FDD0 and its four hex digits, and so is a U+FDD0 of the document (``\\ufdd0fdd0``).

The checksum is the sum modulo 2**128 of the rows' digests, in 32 hex digits: BLAKE2b of the line with a digest of 16
bytes, read as a little-endian number. Rows that stand twice count twice; no rows have the checksum of 32 zeros.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import blake2b
from json import JSONDecoder
from typing import Any

import orjson

_MARK = "\ufdd0"
_MARK_BYTES = _MARK.encode()
_MARK_ESCAPE = re.compile(r"\\u[fF][dD][dD]0")
_RESERVED = re.compile("[\ud800-\udfff\ufdd0]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# What a number that passed through a float looks like in a line, where a text may look like it too. Each begins with a
# fixed character, which makes it fast.
_POINT = re.compile(rb"\.(?<=[0-9]\.)[0-9]++(?:e[+-][0-9]++)?[,\]}]")
_SMALL = re.compile(rb"-(?<=[0-9]e-)[0-9]++[,\]}]")
_LARGE = re.compile(rb"\+(?<=[0-9]e\+)[0-9]++[,\]}]")
_TOKEN = re.compile(
    r"[ \t\n\r]*(?:(?P<mark>[\[\]{},:])|(?P<string>\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\")|(?P<word>true|false|null)"
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?))"
)
_WHOLE = range(-(2**63), 2**64)
_MOST_DIGITS = 4_000  # Python reads no integer of more than 4,300

_USUAL = frozenset((str, int, bool, type(None)))
_USUAL_OR_DOCUMENT = _USUAL | {tuple}

#: A decoded document, nested as deep as may be: leaves are their canonical bytes.
_Tree = bytes | list[Any] | dict[str, Any]


class RowLines:
    """Makes the canonical lines of one table's rows. ``kinds`` are those of its columns: ``json`` is what counts."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self._documents = tuple(n for n, kind in enumerate(kinds) if kind == "json")

    def line(self, row: Sequence[Any]) -> bytes:
        """The canonical line of a row."""
        line = self._quick(row)
        if line is None or (not line.isascii() and _MARK_BYTES in line):
            return self._exact(row)
        if _POINT.search(line) or _SMALL.search(line) or _LARGE.search(line):
            return self._exact(row)
        return line

    def has(self, row: Sequence[Any], line: bytes) -> bool:
        """Whether the canonical line of ``row`` is ``line``, which is that of another row."""
        # Without a mark the line holds no number but whole ones, and so does what equals it.
        if self._quick(row) == line and (line.isascii() or _MARK_BYTES not in line):
            return True
        return self.line(row) == line

    def _quick(self, row: Sequence[Any]) -> bytes | None:
        """The line of a row by orjson alone, which makes a float of some numbers; None where it cannot make one."""
        if not _USUAL.issuperset(map(type, row)):
            return None
        values = list(row)
        try:
            for n in self._documents:
                if values[n] is not None:
                    values[n] = (orjson.loads(values[n]),)
            return orjson.dumps(values, None, orjson.OPT_SORT_KEYS)
        except (ValueError, TypeError):  # broken, a lone surrogate, or nested deeper than orjson goes
            return None

    def _exact(self, row: Sequence[Any]) -> bytes:
        values = list(row)
        for n in self._documents:
            document = canonical_json(row[n]) if isinstance(row[n], str) else None
            if document is not None:
                values[n] = (orjson.Fragment(document),)
        if _USUAL_OR_DOCUMENT.issuperset(map(type, values)):
            with suppress(TypeError):  # a lone surrogate in a text
                return orjson.dumps(values)
        return orjson.dumps([_plain(value) for value in values])


class TableChecksum:
    """The number and the checksum of the rows that were added. ``kinds`` are those of the table's columns."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self._line = RowLines(kinds).line
        self._sum = 0
        self.rows = 0
        """How many rows were added."""

    def add(self, row: Sequence[Any]) -> None:
        """Count one row, a tuple in the order of the columns."""
        self.add_digest(digest(self._line(row)))

    def add_digest(self, number: int) -> None:
        """Count a row whose digest is known."""
        self._sum += number
        self.rows += 1

    @property
    def hex(self) -> str:
        """The checksum, 32 hex digits."""
        return f"{self._sum % 2**128:032x}"


def digest(line: bytes) -> int:
    """The digest of a canonical line."""
    return int.from_bytes(blake2b(line, digest_size=16).digest(), "little")


def canonical_json(text: str) -> bytes | None:
    """The canonical form of a JSON document, exactly; None where ``text`` is none."""
    if _MARK not in text and not ("\\u" in text and _MARK_ESCAPE.search(text)):
        try:
            return orjson.dumps(_DECODER.decode(text), None, orjson.OPT_SORT_KEYS)
        except ValueError:
            return None
        except (TypeError, RecursionError):  # a lone surrogate, or nested too deep
            pass
    try:
        return _written(_parsed(text))
    except ValueError:
        return None


def _plain(value: Any) -> Any:
    match value:
        case str():
            return _SURROGATE.sub(_marked, value)
        case bytes():
            return f"{_MARK}b{value.hex()}"
        case float():
            return f"{_MARK}f{value!r}"
    return value


def _number(literal: str) -> int | str:
    """A number of JSON by its value (see the module's text)."""
    mantissa, _, power = literal.lower().partition("e")
    sign, mantissa = ("-", mantissa[1:]) if mantissa[0] == "-" else ("", mantissa)
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    kept = digits.rstrip("0")
    if not kept:
        return 0
    down, power = power.startswith("-"), power.lstrip("+-").lstrip("0")
    if len(power) > _MOST_DIGITS:  # beyond what any database reads: by its spelling
        return f"{_MARK}n{sign}{kept}e{'-' if down else ''}{power}"
    exponent = (-1 if down else 1) * int(power or 0) - len(fraction) + len(digits) - len(kept)
    if exponent >= 0 and len(kept) + exponent <= 20 and (value := int(f"{sign}{kept}{'0' * exponent}")) in _WHOLE:
        return value
    return f"{_MARK}n{sign}{kept}e{exponent}"


def _integer(literal: str) -> int | str:
    return int(literal) if len(literal) < 19 else _number(literal)


def _refuse(word: str) -> Any:
    raise ValueError(word)  # NaN and Infinity, which Python reads and JSON does not know


_DECODER = JSONDecoder(parse_float=_number, parse_int=_integer, parse_constant=_refuse)


def _marked(found: re.Match[str]) -> str:
    return f"{_MARK}{ord(found[0]):04x}"


def _string(literal: str) -> str:
    return _RESERVED.sub(_marked, _DECODER.decode(literal))


def _parsed(text: str) -> _Tree:
    """Decode a document of any depth without recursion. Raises ValueError: it is none."""
    root: list[Any] = []
    holder: list[Any] | dict[str, Any] = root
    outer: list[tuple[list[Any] | dict[str, Any], str]] = []
    key, at, expected = "", 0, "value"
    while expected != "end" or outer:
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(at)
        at, token = found.end(), found[found.lastgroup or 0]
        match found.lastgroup, expected:
            case "string", "key" | "first key":
                key, expected = _string(token), "colon"
                continue
            case "string", "value" | "first":
                value = orjson.dumps(_string(token))
            case "number", "value" | "first":
                value = orjson.dumps(_number(token))
            case "word", "value" | "first":
                value = token.encode()
            case "mark", "value" | "first" if token in "[{":
                inner: list[Any] | dict[str, Any] = [] if token == "[" else {}
                _put(holder, key, inner)
                outer.append((holder, key))
                holder, expected = inner, "first" if token == "[" else "first key"
                continue
            case "mark", "colon" if token == ":":
                expected = "value"
                continue
            case "mark", "end" if token == ",":
                expected = "value" if isinstance(holder, list) else "key"
                continue
            case "mark", "end" | "first" | "first key" if token == ("]" if isinstance(holder, list) else "}"):
                holder, key = outer.pop()
                expected = "end"
                continue
            case _:
                raise ValueError(at)
        _put(holder, key, value)
        expected = "end"
    if text[at:].strip(" \t\n\r"):
        raise ValueError(at)
    tree: _Tree = root[0]
    return tree


def _put(holder: list[Any] | dict[str, Any], key: str, value: Any) -> None:
    if isinstance(holder, list):
        holder.append(value)
    else:
        holder[key] = value


def _written(tree: _Tree) -> bytes:
    pieces: list[bytes] = []
    todo: list[_Tree] = [tree]
    while todo:
        item = todo.pop()
        if isinstance(item, bytes):
            pieces.append(item)
            continue
        if isinstance(item, list):
            parts: list[_Tree] = [part for each in item for part in (b",", each)]
            begin, end = b"[", b"]"
        else:
            parts = [part for key in sorted(item) for part in (b",", orjson.dumps(key), b":", item[key])]
            begin, end = b"{", b"}"
        todo += [end, *reversed(parts[1:]), begin]
    return b"".join(pieces)
