"""Cuts a filter line into terms, each with the places of its parts; it has no notion of which keys exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SIGNS = "!-"
# A key is two letters or more and a colon. What follows tells it from text that merely holds a colon:
# `http://…`, `C:\…`, `std::vector` are words, and so is whatever has anything but letters before its colon.
_KEY = re.compile(r"([A-Za-z_]{2,}):(?!//|[\\:])")
_TO_QUOTE = re.compile(r'[!\-\\:]|//|.*[\s,"]', re.DOTALL)
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Value:
    """One alternative of a term; ``start`` and ``end`` frame it with quotation marks, without its sign."""

    text: str
    start: int
    end: int
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """A key with its values, or (``key`` None) one word; ``start`` and ``end`` frame it with its sign."""

    start: int
    end: int
    key: str | None
    key_start: int
    values: tuple[Value, ...]

    @property
    def key_end(self) -> int:
        """Where the key's name ends, its colon not included; the start of the word where there is no key."""
        return self.key_start + len(self.key or "")


def read_terms(line: str) -> Iterator[Term]:
    """The terms of a line in order. Any text is readable: a quotation mark left open runs to its end."""
    at = _skip_space(line, 0)
    while at < len(line):
        term = _read_term(line, at)
        yield term
        at = _skip_space(line, term.end)


def quote(value: str) -> str:
    """The value as it must stand in a filter line to be read as it is."""
    return value if value and not _TO_QUOTE.match(value) else '"' + value.replace('"', '""') + '"'


def _skip_space(line: str, at: int) -> int:
    found = _SPACE.match(line, at)
    return found.end() if found else at


def _read_term(line: str, start: int) -> Term:
    excluded, at = _read_sign(line, start)
    found = _KEY.match(line, at)
    if found is None:
        word = _read_value(line, at, excluded, listed=False)
        return Term(start, word.end, None, at, (word,))
    key_start, at = at, found.end()
    values = []
    while True:
        value_excluded, at = _read_sign(line, at)
        value = _read_value(line, at, excluded != value_excluded, listed=True)
        values.append(value)
        at = value.end
        if not line.startswith(",", at):
            return Term(start, at, found[1], key_start, tuple(values))
        at += 1


def _read_sign(line: str, at: int) -> tuple[bool, int]:
    """Whether a sign stands here, and where to read on. Doubled or alone (`--json`) it is text."""
    sign, after = line[at : at + 1], line[at + 1 : at + 2]
    if sign and sign in SIGNS and after and after not in f"{SIGNS}," and not after.isspace():
        return True, at + 1
    return False, at


def _read_value(line: str, start: int, excluded: bool, *, listed: bool) -> Value:
    """Read up to white space or, in a list, a comma. In quotation marks both are text, and "" is one mark."""
    text, at = "", start
    if line.startswith('"', start):
        pieces = []
        at += 1
        while True:
            close = line.find('"', at)
            pieces.append(line[at : close if close >= 0 else len(line)])
            at = close + 1 if close >= 0 else len(line)
            if close < 0 or not line.startswith('"', at):
                break
            pieces.append('"')
            at += 1
        text = "".join(pieces)
    found = (_LISTED if listed else _WORD).match(line, at)
    end = found.end() if found else at
    return Value(text + line[at:end], start, end, excluded)


_WORD = re.compile(r"\S+")
_LISTED = re.compile(r"[^\s,]+")
