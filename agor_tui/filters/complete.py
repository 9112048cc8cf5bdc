"""Completes a filter line at the cursor: keys first, then the values of a key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from agor_tui.filters.language import ARCHIVED, HAS, SESSION_LANGUAGE, STATUSES, TIMES, TOOL_WORDS, Language
from agor_tui.filters.terms import SIGNS, quote, read_terms

_FIXED: Mapping[str, Mapping[str, str]] = {"archived": ARCHIVED, "has": HAS, "since": TIMES, "until": TIMES}


@dataclass(frozen=True, slots=True)
class Completion:
    """Put ``text`` in the place of ``line[start:end]``; ``description`` is one line, or empty.

    ``text`` is as it must be typed: a key with its colon, a value in quotation marks where it needs them.
    """

    text: str
    start: int
    end: int
    description: str = ""


def complete(
    text: str,
    cursor_position: int,
    values: Callable[[str], Sequence[str]],
    language: Language = SESSION_LANGUAGE,
) -> list[Completion]:
    """What may stand at the cursor: what begins with the text before it, then values that contain it.

    ``values`` gives the values of repo, worktree, board, user or tool that exist; it is asked only when the
    cursor stands at a value of that key. Values that the term has already are left out.
    """
    cursor = max(0, min(cursor_position, len(text)))
    before = [t for t in read_terms(text[:cursor]) if t.end == cursor]
    if not before:
        return _keys("", cursor, cursor, language)
    around = next(t for t in read_terms(text) if t.start <= cursor <= t.end)
    if before[0].key is None:
        word = before[0].values[0]
        if text.startswith('"', word.start):
            return []
        typed, start = _without_lone_sign(word.text, word.start)
        return _keys(typed, start, around.end if around.key is None else around.key_end + 1, language)
    key = before[0].key.lower()
    if key not in language.keys:
        return []
    value = before[0].values[-1]
    typed, start = _without_lone_sign(value.text, value.start)
    current = next(v for v in around.values if v.start <= start <= v.end)
    taken = {v.text.lower() for v in around.values if v is not current}
    known = _known(key, language, values)
    return [
        Completion(quote(word), start, current.end, known[word])
        for word in _ranked(typed.lower(), known)
        if word.lower() not in taken
    ]


def _without_lone_sign(typed: str, start: int) -> tuple[str, int]:
    """A sign that nothing follows yet reads as text; to complete behind it, it is a sign."""
    return ("", start + 1) if typed and typed in SIGNS else (typed, start)


def _keys(typed: str, start: int, end: int, language: Language) -> list[Completion]:
    return [
        Completion(f"{key}:", start, end, description)
        for key, description in language.keys.items()
        if key.startswith(typed.lower())
    ]


def _known(key: str, language: Language, values: Callable[[str], Sequence[str]]) -> Mapping[str, str]:
    """The values to offer for a key, each with its description."""
    if key == "status":
        return {s: d for s, d in STATUSES.items() if s in language.statuses or s == "awaiting"}
    if key in _FIXED:
        return _FIXED[key]
    if key == "session":
        return {}
    existing = dict.fromkeys(values(key), "")
    if key == "user":
        return {"me": "yourself"} | existing
    if key == "tool":
        groups = {w: " and ".join(m) for w, m in TOOL_WORDS.items() if w not in existing and existing.keys() >= {*m}}
        return groups | existing
    return existing


def _ranked(typed: str, words: Iterable[str]) -> list[str]:
    """The words that begin with what is typed, then those that hold it elsewhere, each group in its order."""
    lower = [(word, word.lower()) for word in words]
    return [w for w, low in lower if low.startswith(typed)] + [
        w for w, low in lower if typed in low and not low.startswith(typed)
    ]
