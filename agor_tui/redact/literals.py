"""Whether a word is a value itself, and rather a secret than a word of a language."""

from __future__ import annotations

import re

from agor_tui.redact.keys import HIDDEN

CALL = re.compile(r"[(\[{]")
CODE = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*(?:(?:\.|::|->|\?\.)[A-Za-z_$][A-Za-z0-9_$]*)*[!?]?")
_NO_VALUE = frozenset(
    (
        "password", "passwd", "passphrase", "pass", "pwd", "secret", "secrets", "token", "tokens", "key", "keys",
        "apikey", "value", "values", "none", "null", "nil", "undefined", "true", "false", "yes", "no", "on", "off",
        "string", "str", "text", "bytes", "int", "integer", "number", "bool", "boolean", "any", "object", "required",
        "optional", "default", "empty", "missing", "invalid", "hidden", "redacted", "masked", "removed", "unset",
        "example", "placeholder", "inherit",
    )
)  # fmt: skip
_PLACEHOLDER = re.compile(
    r"(?i)[$<{%&@*‹(\[]|your|my[-_]|xxx|\.\.\.|…|example|placeholder|redacted|process\.env|os\.|env\."
)
_OF_CHARACTERS = re.compile(r"[*xX.•·_-]{1,64}")
DIGIT = re.compile(r"[0-9]")
_UPPER, _LOWER = re.compile(r"[A-Z]"), re.compile(r"[a-z]")
_STANDARDS = re.compile(
    r"(?:base|sha|utf|oauth|md|http|ed|x|pbkdf|argon|bcrypt|aes|[hrep]s|v)[-_]?[0-9]+|[0-9]+(?:bit|byte|char|min|hour|day)",
    re.I,
)


def looks_made(word: str) -> bool:
    """Whether a word is rather a secret than a word of a language."""
    if len(word) < 6 or CALL.search(word):
        return False
    return bool(DIGIT.search(word)) or (len(word) >= 8 and not CODE.fullmatch(word))


def is_literal(value: str) -> bool:
    """Whether this is a value itself, not a variable, a placeholder, or a word that stands for one."""
    if not value or _OF_CHARACTERS.fullmatch(value) or HIDDEN in value or _PLACEHOLDER.match(value):
        return False
    return value.lower().strip("!?.:,") not in _NO_VALUE


def is_strong(word: str) -> bool:
    """Whether a word is one that a machine made or that is to be hard to guess, and not the name of a standard."""
    left = _STANDARDS.sub("", word)
    return len(word) >= 8 and is_literal(word) and all(part.search(left) for part in (DIGIT, _UPPER, _LOWER))
