"""The list of what is hidden: which names say that a value is secret."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

HIDDEN = "‹hidden›"

Rule = Literal["always", "text", "container", "address", "arguments", "never"]

# The words of a key: "apiKey", "API-KEY" and "api_key" are all "api key".
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# What may stand behind the name of a secret without making it harmless, as in `password_hash`.
_FORMS = frozenset({"hash", "hashed", "encrypted", "ciphertext", "plaintext", "value", "values", "header"})
_SECRETS = re.compile(
    r"passwords?|passwort|passwd|passphrase|passcode|pwd|secrets?|credentials?|authorization|cookies?|bearer|otp|totp|jwt"
    r"|.*(?:secret|passw(?:or)?d|apikey|privatekey|secretkey|accesskey|credential)s?"
)
_KEYS_TO = re.compile(
    r"api|private|access|secret|signing|encryption|master|channel|ssh|pgp|gpg|auth|account|deploy|webhook|hmac|subscription"
)
_TOKENS_OF = re.compile(r"api|access|refresh|auth|oauth|id|bearer|bot|app|mcp|github|personal")
# Maps that hold whatever a user put in, under names that nobody can foresee.
_MAPS = frozenset({"env", "envvars", "environmentvariables", "headers", "httpheaders", "auth", "agentictools"})
_ADDRESSES = frozenset({"url", "uri", "dsn", "remote"})
_ARGUMENTS = frozenset({"args", "argv"})


@lru_cache(maxsize=4096)
def rule_of(key: str) -> Rule:
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


def names_secret(name: str) -> bool:
    """Whether a value of this name is secret, as far as it is a text."""
    return rule_of(name) in ("always", "text")
