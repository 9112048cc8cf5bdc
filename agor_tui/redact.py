"""Takes secrets out of what is shown, copied or exported: by the keys of JSON, by the places in a URL."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

HIDDEN = "‹hidden›"

_Rule = Literal["always", "text", "container", "address", "arguments", "never"]

# The words of a key: "apiKey", "API-KEY" and "api_key" are all "api key".
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# What may stand behind the name of a secret without making it harmless, as in `password_hash`.
_FORMS = frozenset({"hash", "hashed", "encrypted", "ciphertext", "plaintext", "value", "values", "header"})
_SECRETS = re.compile(
    r"passwords?|passwd|passphrase|passcode|pwd|secrets?|credentials?|authorization|cookies?|bearer|otp|totp|jwt"
    r"|.*(?:secret|passw(?:or)?d|apikey|privatekey|secretkey|accesskey|credential)s?"
)
_KEYS_TO = re.compile(
    r"api|private|access|secret|signing|encryption|master|channel|ssh|pgp|gpg|auth|account|deploy|webhook|hmac"
)
_TOKENS_OF = re.compile(r"api|access|refresh|auth|oauth|id|bearer|bot|app|mcp|github|personal")
# Maps that hold whatever a user put in, under names that nobody can foresee.
_MAPS = frozenset({"env", "envvars", "environmentvariables", "headers", "httpheaders", "auth", "agentictools"})
_ADDRESSES = frozenset({"url", "uri", "dsn", "remote"})
_ARGUMENTS = frozenset({"args", "argv"})

# All repetitions are bounded, so that no text takes more than linear time. In a web address an @ behind the
# first slash belongs to the path; elsewhere the last one ends the password, which may hold a careless / or @.
_WEB_LOGIN = re.compile(r"(?i)\b(https?://)(?:([^\s:/@]{0,256}):[^\s/]{0,1024}|[^\s:/@]{20,1024})@")
_LOGIN = re.compile(r"(?i)\b((?!https?:)[a-z][a-z0-9+.-]{0,30}://[^\s:/]{0,256}):\S{0,1024}@")
_ASSIGNED = re.compile(
    r"(?i)((?:password|passwd|passphrase|secret|token|api_?key)\s{0,8}=\s{0,8})"
    r"""(?:'(?:\\.|[^'\\]){0,1024}'|"(?:\\.|[^"\\]){0,1024}"|(?:\\.|[^\s&\\]){1,1024})"""
)
_OPTION = re.compile(
    r"(?i)(?<!\S)(--?[a-z0-9-]{0,40}(?:password|passwd|passphrase|secret|token|api-?key)(?:\s{1,8}|=))"
    r"""(?:'[^']{0,1024}'|"[^"]{0,1024}"|[^\s'"-][^\s]{0,1024})"""
)
# In any text: stricter than in what is known for an address, and found in JSON as it stands.
_LOGIN_IN_TEXT = re.compile(
    r"""(?i)((?:https?://(?=[^\s:/@"\\]{20,1024}@)|://[^\s:/@"\\]{0,256}:))[^\s/@"\\]{1,1024}(?=@[a-z0-9\[])"""
)
_KEY = re.compile(r"""(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]++)\\{0,3}["']?\s{0,8}[:=]""")

# What may be a key of JSON, each seen from where it begins, also one that begins in the midst of a string.
_JSON_KEY = re.compile(r'"(?=([^"\\]*+)"[ \t\n\r]*+:)')
_ESCAPED_KEY = re.compile(r'\\.[^"\\]*+"[ \t\n\r]*+:', re.DOTALL)
_LONGEST_KEPT = 100
_MOST_KEPT = 20_000
_harmless: set[str] = set()
"""Keys that say nothing of their values, as far as they were met."""


def redact(value: Any) -> Any:
    """A copy of a JSON value in which each secret is ``HIDDEN``, told by its key in any spelling.

    Hidden whole: passwords, tokens, keys to APIs, cookies and the like, and the maps ``env``, ``env_vars``,
    ``headers``, ``auth``, ``agentic_tools``. Numbers of tokens stay, so do None, true and false. Where a key
    says that its value is an address, the password in that is hidden.
    """
    root = [value]
    todo: list[dict[Any, Any] | list[Any]] = [root]
    while todo:  # a loop, since stored JSON may be nested deeper than Python can recurse
        holder = todo.pop()
        if isinstance(holder, dict):
            named = _names_a_secret(holder)
            for key, part in holder.items():
                rule = "always" if named and key == "value" else _rule_of(str(key))
                if _hides(rule, part):
                    holder[key] = HIDDEN
                elif rule in ("address", "arguments") and isinstance(part, str):
                    holder[key] = redact_command(part)
                elif rule == "arguments" and isinstance(part, list):
                    holder[key] = _arguments(part)
                    todo.append(holder[key])
                elif isinstance(part, (dict, list)):
                    holder[key] = part.copy()
                    todo.append(holder[key])
        else:
            for n, part in enumerate(holder):
                if isinstance(part, (dict, list)):
                    holder[n] = part.copy()
                    todo.append(holder[n])
    return root[0]


def may_hold_secrets(text: str) -> bool:
    """Whether ``redact`` may hide something in the JSON that ``text`` is: told by its keys, without decoding it."""
    if "\\" in text and _ESCAPED_KEY.search(text):
        return True
    keys = set(_JSON_KEY.findall(text))
    if keys <= _harmless:
        return False
    for key in keys - _harmless:
        if key == "value" or len(key) > _LONGEST_KEPT or _rule_of(key) != "never":
            return True
        if len(_harmless) < _MOST_KEPT:
            _harmless.add(key)
    return False


def redact_text(text: str) -> str:
    """The text with the passwords in URLs (``postgresql://u:p@h``) and in ``password=…`` pairs hidden."""
    if "@" in text:
        text = _WEB_LOGIN.sub(lambda m: f"{m[1]}***@" if m[2] is None else f"{m[1]}{m[2]}:***@", text)
        text = _LOGIN.sub(r"\1:***@", text)
    return _ASSIGNED.sub(r"\1***", text) if "=" in text else text


def redact_command(text: str) -> str:
    """A command or an address without its secrets: as ``redact_text``, and what follows ``--password`` and the like."""
    return redact_text(_OPTION.sub(r"\1***", text) if "-" in text else text)


def redact_logins(text: str) -> str:
    """The text, or JSON as it stands, with the passwords in its URLs hidden."""
    return _LOGIN_IN_TEXT.sub(r"\1***", text) if "@" in text and "://" in text else text


def redact_broken(text: str) -> str:
    """Text that is no whole JSON, cut off at the first key that says a secret follows: where that ends is unknown."""
    for found in _KEY.finditer(text):
        if _rule_of(found[1][-100:]) in ("always", "text", "container"):
            return f"{redact_text(text[: found.end()])} {HIDDEN}"
    return redact_text(text)


@lru_cache(maxsize=4096)
def _rule_of(key: str) -> _Rule:
    """What a key says of its value: secret, secret if it is text or a container, an address, or nothing."""
    words = [w.lower() for w in _WORDS.findall(key)]
    if not words:
        return "never"
    joined = "".join(words)
    if joined in _MAPS or (len(words) > 1 and words[-1] in ("headers", "env")):
        return "container"
    if joined in _ARGUMENTS:
        return "arguments"
    if words[0] == "sealed" or words[-1] in ("encrypted", "ciphertext"):
        return "always"
    hashed = words[-1] in ("hash", "hashed")
    while len(words) > 1 and words[-1] in _FORMS:
        words.pop()
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if _SECRETS.fullmatch(last):
        return "always"
    if last in ("key", "keys") and (hashed or _KEYS_TO.fullmatch(before)):
        return "always"
    if last.endswith("token") or (last == "tokens" and _TOKENS_OF.fullmatch(before)):
        return "text"
    if (last in ("command", "commands") and before) or joined.endswith("connectionstring"):
        return "address"
    return "address" if last in _ADDRESSES else "never"


def _arguments(arguments: list[Any]) -> list[Any]:
    """Arguments of a program without the secrets among them."""
    found: list[Any] = []
    named = False
    for each in arguments:
        if not isinstance(each, str):
            found.append(each)
        elif named and not each.startswith("-"):
            found.append(HIDDEN)
        else:
            name, equals, _ = each.partition("=")
            secret = bool(equals) and _rule_of(name) in ("always", "text")
            found.append(f"{name}={HIDDEN}" if secret else redact_text(each))
        named = isinstance(each, str) and each.startswith("-") and _rule_of(each) in ("always", "text")
    return found


def _names_a_secret(item: dict[Any, Any]) -> bool:
    """Whether this is a pair like ``{"name": "API_KEY", "value": …}``."""
    if "value" not in item:
        return False
    name = item.get("name", item.get("key"))
    return isinstance(name, str) and _rule_of(name) in ("always", "text")


def _hides(rule: _Rule, value: Any) -> bool:
    if value is None or isinstance(value, bool) or value in ("", [], {}):
        return False
    if rule == "always":
        return True
    if rule == "text":
        return isinstance(value, str) or (isinstance(value, (dict, list)) and _holds_text(value))
    if rule == "container" and isinstance(value, str):
        return any(mark in value for mark in "=:{ ")  # a map as text, or the value of a header
    return rule == "container" and isinstance(value, (dict, list))


def _holds_text(value: dict[Any, Any] | list[Any]) -> bool:
    """Whether any leaf is text: a map of nothing but numbers counts tokens."""
    todo: list[Any] = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            return True
        if isinstance(item, (dict, list)):
            todo.extend(item.values() if isinstance(item, dict) else item)
    return False
