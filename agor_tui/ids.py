"""Ids and their prefixes: what may be typed, the range to search, the shortest text that tells ids apart.

A prefix is never a pattern: nothing that a database could take for a wildcard gets through as one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from agor_tui.errors import UsageError, quoted

SHORTEST_PREFIX = 4
LONGEST_PREFIX = 36
LONGEST_LITERAL = 64

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_HEX = re.compile(r"[0-9a-fA-F-]+")
_LITERAL = re.compile(r"[0-9A-Za-z_-]+")
_DIGIT = re.compile(r"[0-9]")
_AROUND = " \t\r\n\u00a0\u200b\ufeff\"'`´“”‘’«»()[]{}<>,.;:!?…#"
"""What stands around an id in a text or on a screen, where it may be cut short by an ellipsis."""
_BETWEEN = re.compile(r"[\s=]+")
_GOES_BACK = re.compile(r"-s|-r|--session|--session-id|--resume|--id|--cid|resume")


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of an id, or a whole one, ready for ``id BETWEEN low AND high``.

    ``text`` is lower-case hex without dashes (style ``uuid``) or the text as typed (style ``literal``). For a
    UUID the bounds are dashed, lower case and exact in every collation. A literal's ``high`` is padded with
    ``z``, which sorts behind every character such an id may hold under SQLite's BINARY and PostgreSQL's C;
    other collations compare case last, so there a literal needs an escaped LIKE, or a comparison of the rows
    found, beside the range.
    """

    text: str
    style: Literal["uuid", "literal"]
    low: str
    high: str

    def matches(self, id: str) -> bool:
        """Whether ``id`` begins with this prefix."""
        return (compact(id) if self.style == "uuid" else id).startswith(self.text)


def new_id() -> str:
    """Make a UUIDv7, dashed and lower case: its order is the order of creation."""
    if sys.version_info >= (3, 14):
        from uuid import uuid7
    else:
        from uuid_utils import uuid7

    return str(uuid7())


def is_uuid(id: str) -> bool:
    """Whether ``id`` is a dashed UUID of any version."""
    return _UUID.fullmatch(id) is not None


def compact(id: str) -> str:
    """The id as it is shown in links: a UUID as 32 lower-case hex digits, any other id unchanged."""
    return id.replace("-", "").lower() if is_uuid(id) else id


def uuid_range(prefix_hex: str) -> tuple[str, str]:
    """The lowest and the highest dashed UUID that begin with up to 32 hex digits."""
    return _dashed(prefix_hex.ljust(32, "0")), _dashed(prefix_hex.ljust(32, "f"))


def parse_prefix(text: str, literal: bool = False) -> Prefix:
    """Read an id or the beginning of one, as typed or as pasted: in quotation marks, cut short by an ellipsis,
    in a URL, or in a command that goes back to a session (``opencode -s ID``).

    UUIDs: 4 to 36 characters, hex digits in any case, dashes anywhere or nowhere. With ``literal``, for
    stores whose ids are no UUIDs: 4 to 64 letters, digits, ``_`` and ``-``, case kept. Raises UsageError for
    anything else.
    """
    pattern = _LITERAL if literal else _HEX
    typed = text.strip(_AROUND)
    if _BETWEEN.search(typed):
        typed = _id_among_words(typed, pattern) or typed
    elif "/" in typed:
        typed = _id_in_url(typed, pattern)
    return _literal_prefix(typed) if literal else _uuid_prefix(typed)


def shortest(id: str, previous: str | None, next: str | None, least: int = 8) -> str:
    """The shortest beginning of ``id``, ``least`` characters or more, that no neighbour in id order shares.

    For a UUID it is hex without dashes. Equal neighbours, which only different tables can have, give the
    whole id.
    """
    whole = compact(id)
    dashless = whole is not id
    length = least
    for neighbour in (previous, next):
        if neighbour is not None:
            other = neighbour.replace("-", "").lower() if dashless else neighbour
            length = max(length, _shared(whole, other) + 1)
    return whole[:length]


def nearest(prefix_text: str, candidates: Iterable[str]) -> str | None:
    """The candidate that shares the longest beginning with the prefix, the first of equals; None of none."""
    dashless = prefix_text.replace("-", "").lower()

    def shared(id: str) -> int:
        return _shared(dashless, compact(id)) if is_uuid(id) else _shared(prefix_text, id)

    return max(candidates, key=shared, default=None)


def _shared(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _uuid_prefix(typed: str) -> Prefix:
    if typed and not _HEX.fullmatch(typed):
        raise UsageError(
            f"{quoted(typed)} is not an id: an id has only the digits 0-9, the letters a-f and dashes.",
            "Give the beginning of an id as lists show it, at least 4 characters, or a link to a session.",
        )
    digits = typed.replace("-", "").lower()
    _check_length(typed, len(digits), LONGEST_PREFIX)
    if len(digits) > 32:
        raise UsageError(f"{quoted(typed)} is too long for an id: it has {len(digits)} hex digits, an id has 32.")
    return Prefix(digits, "uuid", *uuid_range(digits))


def _literal_prefix(typed: str) -> Prefix:
    if typed and not _LITERAL.fullmatch(typed):
        raise UsageError(
            f"{quoted(typed)} is not an id: an id of this database has only letters, digits, _ and -.",
            "Give the beginning of an id as the lists show it, at least 4 characters.",
        )
    _check_length(typed, len(typed), LONGEST_LITERAL)
    return Prefix(typed, "literal", typed, typed.ljust(LONGEST_LITERAL, "z"))


def _check_length(typed: str, significant: int, most: int) -> None:
    if significant < SHORTEST_PREFIX:
        said = f"{quoted(typed)} is too short for an id" if typed else "An id is missing"
        raise UsageError(f"{said}: give at least {SHORTEST_PREFIX} characters.")
    if len(typed) > most:
        raise UsageError(f"{quoted(typed)} is too long for an id: give at most {most} characters.")


def _id_among_words(text: str, pattern: re.Pattern[str]) -> str | None:
    """The word behind what goes back to a session in an agent's command, else the only one that looks like an id."""
    words = [word.strip(_AROUND) for word in _BETWEEN.split(text)]
    for before, word in pairwise(words):
        if _GOES_BACK.fullmatch(before) and len(word) >= SHORTEST_PREFIX and pattern.fullmatch(word):
            return word
    parts = {_url_part(word, pattern) if "/" in word else word for word in words}
    likely = [part for part in parts if part and _looks_like_id(part, pattern, SHORTEST_PREFIX)]
    return likely[0] if len(likely) == 1 and _looks_like_id(likely[0], pattern) else None


def _looks_like_id(word: str, pattern: re.Pattern[str], least: int = 8) -> bool:
    return len(word) >= least and pattern.fullmatch(word) is not None and _DIGIT.search(word) is not None


def _id_in_url(url: str, pattern: re.Pattern[str]) -> str:
    found = _url_part(url, pattern)
    if found is None:
        raise UsageError(
            f"No part of {quoted(url)} is an id.",
            "Give the beginning of an id, at least 4 characters, or a link that holds one.",
        )
    return found


def _url_part(url: str, pattern: re.Pattern[str]) -> str | None:
    """The last segment of the path, or else of the fragment, that looks like an id."""
    rest = url.partition("://")[2].partition("/")[2] if "://" in url else url
    path, _, fragment = rest.partition("#")
    for part in (path.partition("?")[0], fragment.partition("?")[0]):
        segments = [s for s in part.split("/") if len(s) >= SHORTEST_PREFIX and pattern.fullmatch(s)]
        likely = [s for s in segments if _looks_like_id(s, pattern)]
        if segments:
            return (likely or segments)[-1]
    return None
