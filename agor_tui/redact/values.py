"""Takes secrets out of JSON values: by the names of their keys, and out of the words of their texts."""

from __future__ import annotations

import json
import re
from typing import Any

from agor_tui.redact.keys import HIDDEN, Rule, names_secret, rule_of
from agor_tui.redact.programs import password_options
from agor_tui.redact.text import redact_broken, redact_command
from agor_tui.redact.words import hidden_words, hide_words, may_hold_words

# What may be a key of JSON, each seen from where it begins, also one that begins in the midst of a string.
_JSON_KEY = re.compile(r'"(?=([^"\\]*+)"[ \t\n\r]*+:)')
_ESCAPED_KEY = re.compile(r'\\.[^"\\]*+"[ \t\n\r]*+:', re.DOTALL)
# ASCII as escapes, in which the words of a secret would not be seen.
_ESCAPED_WORD = re.compile(r"\\u00[2-7][0-9a-fA-F]|\\/")
_ARGUMENT = re.compile(r'"-{1,2}[A-Za-z0-9._-]{1,60}"\s{0,8},')
_LONGEST_KEPT = 100
_LONG_KEY = 16
"""Keys of so many characters may be an address, or hold a token."""
_MOST_KEPT = 20_000
_harmless: set[str] = set()
"""Keys that say nothing of their values, as far as they were met."""


def redact(value: Any) -> Any:
    """A copy of a JSON value in which each secret is ``HIDDEN``, told by its key in any spelling or by its shape.

    Hidden whole: passwords, tokens, keys to APIs, cookies and the like, and the maps ``env``, ``env_vars``,
    ``headers``, ``auth``, ``agentic_tools``. Numbers of tokens stay, so do None, true and false. Where a key
    says that its value is an address or a command, the password in that is hidden; in every other text what
    ``words`` finds.
    """
    return redacted(value)[0]


def redacted(value: Any) -> tuple[Any, int]:
    """As ``redact``, and how many secrets were hidden."""
    root = [value]
    count = 0
    todo: list[dict[Any, Any] | list[Any]] = [root]
    while todo:  # a loop, since stored JSON may be nested deeper than Python can recurse
        holder = todo.pop()
        items: Any = enumerate(holder)
        named = False
        if isinstance(holder, dict):
            named = _names_a_secret(holder)
            count += _hide_keys(holder)
            items = holder.items()
        for key, part in items:
            rule: Rule = "never"
            if isinstance(key, str):
                rule = "always" if named and key == "value" else rule_of(key[-_LONGEST_KEPT:])
            if _hides(rule, part):
                holder[key] = HIDDEN
                count += 1
            elif isinstance(part, str):
                hidden, number = _in_text(part, rule)
                if number:
                    holder[key] = hidden
                    count += number
            elif isinstance(part, (dict, list)):
                kept = holder[key] = part.copy()
                if isinstance(kept, list):
                    count += _hide_arguments(kept, known=rule == "arguments")
                todo.append(kept)
    return root[0], count


def _hide_keys(holder: dict[Any, Any]) -> int:
    """Hide what secrets the keys of a map have in them; an address may be one."""
    hidden = {key: hidden_words(key) for key in holder if isinstance(key, str) and len(key) >= _LONG_KEY}
    count = sum(number for _, number in hidden.values())
    if count:
        items = list(holder.items())
        holder.clear()
        for key, part in items:
            name = hidden[key][0] if key in hidden else key
            while name in holder:
                name = f"{name} "
            holder[name] = part
    return count


def _in_text(text: str, rule: Rule) -> tuple[str, int]:
    count = 0
    if rule in ("address", "arguments"):
        known = redact_command(text, HIDDEN)
        count, text = int(known != text), known
    text, number = hidden_words(text)
    return text, count + number


def redact_json_text(text: str) -> str:
    """A text that may be JSON, whole or cut off, without its secrets; the very same where it has none."""
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return hide_words(text)
    if not may_hold_secrets(text):
        return text
    try:
        value, repeated = decoded_once(text)
        hidden, count = redacted(value)
        return json.dumps(hidden, ensure_ascii=False) if count or repeated else text
    except (ValueError, RecursionError):
        return redact_broken(text)


def decoded_once(text: str, **options: Any) -> tuple[Any, bool]:
    """A JSON value, and whether a key stood in one of its objects twice: what the last one does not say is not in it.

    ``options`` are those of ``json.loads``, and so is what is raised.
    """
    repeated = False

    def last_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        found = dict(pairs)
        repeated = repeated or len(found) < len(pairs)
        return found

    return json.loads(text, object_pairs_hook=last_of_each, **options), repeated


def may_hold_secrets(text: str) -> bool:
    """Whether ``redact`` may hide something in the JSON that ``text`` is: told without decoding it."""
    if "\\" in text and (_ESCAPED_KEY.search(text) or _ESCAPED_WORD.search(text)):
        return True
    if may_hold_words(text) or ('"-' in text and _ARGUMENT.search(text)):
        return True
    keys = set(_JSON_KEY.findall(text))
    if keys <= _harmless:
        return False
    for key in keys - _harmless:
        if key == "value" or len(key) > _LONGEST_KEPT or rule_of(key) != "never":
            return True
        if len(_harmless) < _MOST_KEPT:
            _harmless.add(key)
    return False


def _hide_arguments(arguments: list[Any], *, known: bool) -> int:
    """Hide the secrets among what may be, or is ``known`` for, the arguments of a program; return how many."""
    named = False
    count = 0
    options = password_options(arguments[0]) if arguments and isinstance(arguments[0], str) else ()
    for n, each in enumerate(arguments):
        if not isinstance(each, str):
            named = False
            continue
        if named and each and not each.startswith("-"):
            arguments[n] = HIDDEN
            count += 1
        else:
            name, equals, value = each.partition("=")
            if equals and value and (known or name.startswith("-")) and names_secret(name):
                arguments[n] = f"{name}={HIDDEN}"
                count += 1
        named = each in options or (each.startswith("-") and names_secret(each))
    return count


def _names_a_secret(item: dict[Any, Any]) -> bool:
    """Whether this is a pair like ``{"name": "API_KEY", "value": …}``."""
    if "value" not in item:
        return False
    name = item.get("name", item.get("key"))
    return isinstance(name, str) and names_secret(name)


def _hides(rule: Rule, value: Any) -> bool:
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
