"""Takes passwords out of texts that are known for an address, a command, an error of a driver, or JSON cut off."""

from __future__ import annotations

import re

from agor_tui.redact.keys import HIDDEN, rule_of
from agor_tui.redact.words import hide_words

# All repetitions are bounded, so that no text takes more than linear time. In a web address an @ behind the
# first slash belongs to the path; elsewhere the last one ends the password, which may hold a careless / or @.
_WEB_LOGIN = re.compile(r"(?i)\b(https?://)(?:([^\s:/@]{0,256}):[^\s/]{0,1024}|[^\s:/@]{20,1024})@")
_LOGIN = re.compile(r"(?i)\b((?!https?:)[a-z][a-z0-9+.-]{0,30}://[^\s:/]{0,256}):\S{0,1024}@")
_ASSIGNED = re.compile(
    r"(?i)((?:password|passwd|passphrase|secret|token|api_?key)\s{0,8}=>?\s{0,8})"
    r"""(?:'(?:\\.|[^'\\]){0,1024}'|"(?:\\.|[^"\\]){0,1024}"|`[^`]{0,1024}`|(?:\\.|[^\s&\\]){1,1024})"""
)
_OPTION = re.compile(
    r"(?i)(?<!\S)(--?[a-z0-9-]{0,40}(?:password|passwd|passphrase|secret|token|api-?key)(?:\s{1,8}|=))"
    r"""(?:'[^']{0,1024}'|"[^"]{0,1024}"|[^\s'"-][^\s]{0,1024})"""
)
_KEY = re.compile(r"""(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]++)\\{0,3}["']?\s{0,8}[:=]""")

SHORT_MARK = "***"
"""What stands for a secret in a line for people; in data it is ``HIDDEN``."""


def redact_text(text: str, mark: str = SHORT_MARK) -> str:
    """An error or an address with the passwords in URLs, in ``password=…`` pairs and whatever looks like one hidden."""
    if "@" in text:
        text = _WEB_LOGIN.sub(lambda m: f"{m[1]}{mark}@" if m[2] is None else f"{m[1]}{m[2]}:{mark}@", text)
        text = _LOGIN.sub(rf"\1:{mark}@", text)
    return hide_words(_ASSIGNED.sub(rf"\1{mark}", text) if "=" in text else text)


def redact_command(text: str, mark: str = SHORT_MARK) -> str:
    """A command or an address without its secrets: as ``redact_text``, and what follows ``--password`` and the like."""
    return redact_text(_OPTION.sub(rf"\1{mark}", text) if "-" in text else text, mark)


def redact_broken(text: str) -> str:
    """Text that is no whole JSON, cut off at the first key that says a secret follows: where that ends is unknown."""
    for found in _KEY.finditer(text):
        if rule_of(found[1][-100:]) in ("always", "text", "container"):
            return f"{redact_text(text[: found.end()])} {HIDDEN}"
    return redact_text(text)
