"""Finds secrets in running text, in a prompt or what a tool gave, by their shapes and by the words before them.

Values are found, not words: ``the password is wrong`` and ``token = get_token()`` have none. Each kind is looked for
only where a word of its own stands in the text, all repetitions are bounded, and no match begins where one could not
end, so that the time grows with the length of the text and with nothing else.
"""

from __future__ import annotations

import re

from agor_tui.redact.keys import HIDDEN
from agor_tui.redact.named import Values, may_be_named, named
from agor_tui.redact.programs import may_have_short_options, short_options
from agor_tui.redact.shapes import KEY_LINE, Secret, bearers, may_be_shaped, shaped

_SHORTEST = 8
_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def secrets_in(text: str) -> list[Secret]:
    """The secrets in a text, in order, none within another."""
    if len(text) < _SHORTEST:
        return []
    low = text.lower()
    if len(low) != len(text):  # some letters of other alphabets grow by it
        low = text.translate(_ASCII_LOWER)
    found = list(shaped(text))
    if "bearer" in low:
        found += bearers(text)
    values = Values(text, low)
    return _apart([*found, *named(values), *short_options(values)])


def may_hold_words(text: str) -> bool:
    """Whether ``secrets_in`` may find something in a string of the JSON that ``text`` is, told without decoding it."""
    if may_be_shaped(text):
        return True
    low = text.lower()
    return "bearer" in low or may_be_named(low) or may_have_short_options(text)


def hide_words(text: str) -> str:
    """The text with ``HIDDEN`` in the place of each secret; the lines of a key block stay as many."""
    return hidden_words(text)[0]


def hidden_words(text: str) -> tuple[str, int]:
    """As ``hide_words``, and how many secrets that were."""
    found = secrets_in(text)
    if not found:
        return text, 0
    pieces: list[str] = []
    at = 0
    for secret in found:
        pieces.append(text[at : secret.start])
        covered = text[secret.start : secret.end]
        pieces.append(KEY_LINE.sub(_hide_line, covered) if secret.kind == "private key" else HIDDEN)
        at = secret.end
    pieces.append(text[at:])
    return "".join(pieces), len(found)


def _hide_line(line: re.Match[str]) -> str:
    return f"+{HIDDEN}" if line[0][0] == "+" else HIDDEN  # as a line in a diff begins


def _apart(found: list[Secret]) -> list[Secret]:
    """In order, of those that lie over each other the one that begins first, made as long as they are."""
    apart: list[Secret] = []
    for secret in sorted(found, key=lambda each: (each.start, -each.end)):
        if apart and secret.start < apart[-1].end:
            if secret.end > apart[-1].end:
                apart[-1] = Secret(apart[-1].kind, apart[-1].start, secret.end)
            continue
        apart.append(secret)
    return apart
