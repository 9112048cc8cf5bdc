"""Secrets that are known by their own shape: tokens of services, key blocks, logins in addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from agor_tui.redact.keys import HIDDEN
from agor_tui.redact.tokens import OTHER_SHAPES, SHAPES


@dataclass(frozen=True, slots=True)
class Secret:
    """Where in a text a secret stands, and of which kind it is; ``text[start:end]`` is all that has to go."""

    kind: str
    start: int
    end: int


_MARKS = "_-.:/=~"
_NEEDLES: dict[str, tuple[str, ...]] = {
    mark: tuple(
        {
            n
            for _, needles, _ in (*SHAPES, *OTHER_SHAPES)
            for n in needles
            if next((c for c in n if c in _MARKS), "") == mark
        }
    )
    for mark in ("", *_MARKS)
}
"""What stands in tokens, by the first mark in it: a text that has no such mark is not looked through for them."""
_WORD = "A-Za-z0-9_-"
_ESCAPE = (
    r"(?<=\\[nrtbfe])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\x[0-9A-Fa-f]{2})|(?<=[\[0-9;][0-9]m)|(?<=\[m)"
)
"""What ends with a letter and is no part of the word behind it: a line end or a colour, as it is or written as JSON."""
_WORD_BEFORE, _ESCAPE_BEFORE = re.compile(rf"(?<=[{_WORD}])"), re.compile(_ESCAPE)
_AWS_SECRET = re.compile(
    r"(?<![A-Za-z0-9/+=])(?=[^\s]{0,39}[a-z])(?=[^\s]{0,39}[A-Z])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)
_AWS_NEAR = 200
"""A secret key of AWS, 40 characters without a mark of their own, is one so close behind the id of a key."""

_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BLOCK_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
KEY_LINE = re.compile(r"(?<!\\)[A-Za-z0-9+/=]{16,}")
_LONGEST_KEY = 20_000

_BLOCK_MARK, _LOGIN_MARK = "-----BEGIN ", "://"
_SHORTEST_TOKEN = 13
_LONGEST_LOGIN = 1_400
_LOGIN_END = re.compile(r"""[\s"'<>\\`]""")
_PORT = re.compile(r"\d{1,5}(?:[/?#,;)\]]|$)")
_HOST = re.compile(r"[A-Za-z0-9\[._%-]")
_LONG_NAME = 20
"""From here on the name of a login is a token by itself, as in ``https://TOKEN:x-oauth-basic@host``."""

_DIGIT = re.compile(r"[0-9]")
_BEARER = re.compile(r"(?i)(?<![a-z0-9])bearer[ \t]{1,4}([A-Za-z0-9._~+/-]{16,4096}={0,2})")


_compiled = cache(re.compile)
"""Patterns of ``SHAPES``, compiled when a text first needs them."""


def may_be_shaped(text: str) -> bool:
    """Whether a text, or the JSON that it is, may have such a secret."""
    if (_LOGIN_MARK in text and "@" in text) or _BLOCK_MARK in text:
        return True
    return any(_needles_in(text))


def shaped(text: str) -> Iterator[Secret]:
    """The secrets in a text that are known by their shape, kind by kind."""
    there = set(_needles_in(text))
    if there:
        for kind, needles, pattern in SHAPES:
            for needle in needles:
                if needle in there:
                    yield from _tokens(text, kind, needle, _compiled(pattern))
        for kind, needles, pattern in OTHER_SHAPES:
            if not there.isdisjoint(needles):
                known = pattern.startswith("(?<=")  # by what stands before it
                within = pattern if known else rf"(?:(?<![{_WORD}])|{_ESCAPE})(?:{pattern})"
                yield from (Secret(kind, *match.span()) for match in _compiled(within).finditer(text))
    if _BLOCK_MARK in text:
        yield from _key_blocks(text)
    if _LOGIN_MARK in text and "@" in text:
        yield from _logins(text)


def _tokens(text: str, kind: str, needle: str, pattern: re.Pattern[str]) -> Iterator[Secret]:
    """The tokens of a kind that begin with a word."""
    at = -1
    while (at := text.find(needle, at + 1)) >= 0:
        if _WORD_BEFORE.match(text, at) and not _ESCAPE_BEFORE.match(text, at):
            continue
        if match := pattern.match(text, at):
            found = Secret(kind, *match.span())
            yield found
            if kind == "AWS key id":
                yield from _aws_secret(text, found)
            at = found.end - 1


def _needles_in(text: str) -> Iterator[str]:
    """Those of ``_NEEDLES`` in the words in which a token has room: most texts have few such, and often the same."""
    long = " ".join({word for word in text.split() if len(word) >= _SHORTEST_TOKEN})
    if long:
        for mark, needles in _NEEDLES.items():
            if mark in long:
                for needle in needles:
                    if needle in long:
                        yield needle


def bearers(text: str) -> Iterator[Secret]:
    """Tokens behind the word bearer."""
    for match in _BEARER.finditer(text):
        if _DIGIT.search(match[1]):
            yield Secret("bearer token", *match.span(1))


def _aws_secret(text: str, key_id: Secret) -> Iterator[Secret]:
    match = _AWS_SECRET.search(text, key_id.end, min(len(text), key_id.end + _AWS_NEAR))
    if match:
        yield Secret("AWS secret key", *match.span())


def _key_blocks(text: str) -> Iterator[Secret]:
    at = 0
    while begin := _KEY_BLOCK.search(text, at):
        limit = min(len(text), begin.end() + _LONGEST_KEY)
        end = _KEY_BLOCK_END.search(text, begin.end(), limit)
        at = end.start() if end else limit
        # What is cut off ends with the last line of the key that is there.
        if KEY_LINE.search(text, begin.end(), at):
            yield Secret("private key", begin.end(), at)


def _logins(text: str) -> Iterator[Secret]:
    """Passwords before the @ of an address. A web address ends its login before the first slash; in others a careless
    password may hold one, or an @."""
    at = end = last = 0
    while (at := text.find("://", at)) >= 0:
        at += 3
        if at >= end:
            found = _LOGIN_END.search(text, at)
            end = found.start() if found else len(text)
            last = text.rfind("@", at, end)
        stop = last
        if text[max(0, at - 8) : at - 3].lower().endswith(("http", "https")):
            slash = text.find("/", at, end)
            stop = text.rfind("@", at, slash) if slash >= 0 else last
        if stop <= at or stop - at > _LONGEST_LOGIN or not _HOST.match(text, stop + 1):
            continue
        start = text.find(":", at, stop) + 1
        name = text[at : start - 1 if start else stop]
        if "/" in name or "@" in name:
            continue
        if len(name) >= _LONG_NAME:
            start = at
        if not start or start >= stop or _PORT.match(text, start, end):
            continue
        if not re.match(r"[$<{%*]|\.\.\.", text[start:stop]) and HIDDEN not in text[start:stop]:
            yield Secret("login in a URL", start, stop)
            at = stop
