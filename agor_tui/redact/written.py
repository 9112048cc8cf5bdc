"""Values behind a name as a language or a program has them: SQL, XML, pairs of a name and a value, arguments of a call,
commands that set one thing, and plain sentences.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from agor_tui.redact.literals import is_literal, is_strong, looks_made
from agor_tui.redact.shapes import Secret

_QUOTE = r"\\{0,7}[\"'`]"
_SPACE = r"(?:\s|\\{1,3}[nrt])"
_PAIR = (
    rf"(?:{_QUOTE})?(?:{_SPACE}|,){{1,40}}(?:{_QUOTE})?value(?:{_QUOTE})?\s{{0,4}}[:=]\s{{0,4}}(?:{_QUOTE})?"
    r"([^\s\"'`\\,;<>{}]{3,1024})"
)
_PAIR_BEFORE = rf"\b(?:name|key)(?:{_QUOTE})?\s{{0,4}}[:=]\s{{0,4}}(?:{_QUOTE})?$"
_LISTED = r"(\\{0,7}[\"'])\s{0,4},\s{0,4}\1([^\s\"'\\,]{8,512})\1"
_SQL = rf"{_SPACE}{{0,4}}({_QUOTE})([^\s\"'`\\]{{3,256}})\1"
_SQL_BEFORE = r"(?:with|login|encrypted|user|createdb|createrole|superuser|inherit|replication|create)\s{1,4}$"
_SQL_SET = rf" for \S{{1,80}} ?= ?(?:password ?\( ?)?({_QUOTE})([^\s\"'`\\]{{3,256}})\1"
_ELEMENT = r"(?: [^<>]{0,200})?>([^<>\s]{3,1024})</"
_ELEMENT_BEFORE = r"<[a-z0-9_.:-]{0,60}$"
_SET = rf"[ \t]{{1,4}}(?:(?:--body|-b|--value)[ =]|=[ \t]{{0,4}})?(?:{_QUOTE})?([^\s\"'`;|&<>\\]{{3,1024}})"
_SET_BEFORE = (
    r"\b(?:env|setx|(?:configure|config|secrets?|variables?) set)[ \t]{1,4}(?:--\S{1,40}[ \t]{1,4}){0,3}\S{0,80}$"
)
_SENTENCE = r"(?:[ \t]{1,4}(?:is|was))?[:：]?[ \t]{1,4}[\"'`*]{0,3}([^\s\"'`\\,;<>()\[\]{}/]{8,256})"
_GOES_ON = r"""[\s\\"',nrt]{0,40}(?:(?:is|was|for|value)\b|['"`]|=|[^\s"]{0,200}[0-9])"""
_PHRASES = (
    ("identified ", rf"identified(?: with [\w-]{{1,40}})? (?:by|as) ({_QUOTE})([^\s\"'`\\]{{3,256}})\1"),
    (" -pass", r"(?<= -pass)(?:in|out)?([ =])pass:([^\s\"'`\\]{3,256})"),
)
_FOLLOWS_NAME = frozenset(" \t\r\n\"'`\\,:：>]")
_NEAR = 200

_compiled = cache(re.compile)


def goes_on(low: str, at: int) -> bool:
    """Whether in a string of JSON, in small letters, a value may stand behind the name that ends before ``at``."""
    return _compiled(_GOES_ON).match(low, max(0, at - 1)) is not None


def may_be_phrased(low: str) -> bool:
    """Whether a text in small letters, or the JSON that it is, may have one of ``phrased``."""
    return any(needle in low for needle, _ in _PHRASES)


def phrased(text: str, low: str) -> Iterator[Secret]:
    """Passwords behind words that are none of a name."""
    for needle, pattern in _PHRASES:
        if needle in low:
            for found in _compiled(pattern, re.IGNORECASE).finditer(text):
                known = looks_made(found[2]) or "user" in text[max(0, found.start() - _NEAR) : found.start()].lower()
                if is_literal(found[2]) and (known or needle != "identified "):
                    yield Secret("password", *found.span(2))


def value_written(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where the value stands of the name that is ``text[start:end]``; None where there is none, or none that is one."""
    next_ = text[end : end + 1]
    if not next_ or next_ not in _FOLLOWS_NAME:
        return None
    before = text[max(0, start - _NEAR) : start].lower()
    if next_ in " >" and "<" in before and _matches(_ELEMENT_BEFORE, before):
        return _value(_ELEMENT, text, end, 1, looks_made)
    if next_ not in ">:：" and text.find("alue", end, end + _NEAR) >= 0 and _matches(_PAIR_BEFORE, before):
        return _value(_PAIR, text, end, 1, is_literal)
    found = None
    if next_ in "\"'\\":
        found = _value(_LISTED, text, end, 2, is_strong)
    if found is None and next_ in " \t\n\r\\":
        found = _value(_SQL, text, end, 2, is_literal if _matches(_SQL_BEFORE, before) else looks_made)
    if found is None and next_ in " \t":
        found = _value(_SQL_SET, text, end, 2, is_literal)
        if found is None and _matches(_SET_BEFORE, before):
            found = _value(_SET, text, end, 1, looks_made)
    return found or (_value(_SENTENCE, text, end, 1, is_strong) if next_ in " \t:：" else None)


def _matches(pattern: str, before: str) -> bool:
    return _compiled(pattern).search(before) is not None


def _value(pattern: str, text: str, at: int, group: int, is_one: Callable[[str], bool]) -> tuple[int, int] | None:
    found = _compiled(pattern, re.IGNORECASE).match(text, at)
    if found is None:
        return None
    value = found[group].rstrip(".!?:*")
    return (found.start(group), found.start(group) + len(value)) if is_one(value) and is_literal(value) else None
