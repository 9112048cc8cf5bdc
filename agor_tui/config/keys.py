"""The keys of the settings file by their dotted names, as ``config get`` and ``config set`` take them.

The reader decides what a value may be; this table says only of which type it is written, what counts where it is
absent, and what must not be shown.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from agor_tui.config.connection import secret_spans
from agor_tui.config.pasted import as_url
from agor_tui.config.places import Secret
from agor_tui.config.preferences import DEFAULTS
from agor_tui.config.urls import is_url, quoted_unless_secret
from agor_tui.errors import ConfigKeyError, suggestion
from agor_tui.hints import own_command

Type = Literal["text", "number", "flag", "url", "secret"]


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; ``default`` is what counts where it is absent, None where that depends."""

    type: Type = "text"
    default: str | int | bool | None = None


ACTIVE = Key()
ENTRY = {
    "dialect": Key(),
    "sqlite.path": Key(),
    "sqlite.url": Key("url"),
    "sqlite.walMode": Key("flag", True),
    "sqlite.busyTimeout": Key("number", 5000),
    "sqlite.readOnly": Key("flag", False),
    "sqlite.authToken": Key("secret"),
    "sqlite.syncUrl": Key("url"),
    "sqlite.syncInterval": Key("number"),
    "postgresql.embedded": Key("flag"),
    "postgresql.url": Key("url"),
    "postgresql.host": Key(),
    "postgresql.port": Key("number"),
    "postgresql.database": Key(),
    "postgresql.user": Key(),
    "postgresql.password": Key("secret"),
    "postgresql.passwordEnv": Key(),
    "postgresql.passwordCommand": Key(),
    "postgresql.passwordKeyring": Key("flag"),
    "postgresql.schema": Key(),
    "postgresql.tenant": Key(),
    "postgresql.ssl": Key("flag"),
    "postgresql.ssl.rejectUnauthorized": Key("flag"),
    "postgresql.ssl.ca": Key(),
    "postgresql.ssl.cert": Key(),
    "postgresql.ssl.key": Key(),
    "postgresql.pool.min": Key("number", 2),
    "postgresql.pool.max": Key("number", 10),
    "postgresql.pool.idleTimeout": Key("number", 30_000),
    "postgresql.readOnly": Key("flag", False),
}
"""The keys of one database."""
UI = {
    "theme": Key("text", DEFAULTS.theme),
    "times": Key("text", DEFAULTS.times),
    "timeZone": Key("text", DEFAULTS.time_zone),
    "pageSize": Key("number", DEFAULTS.page_size),
    "confirm": Key("text", DEFAULTS.confirm),
    "live": Key("flag", DEFAULTS.live),
}
"""The keys below ``ui`` beside ``keys``, which maps the ids of bindings."""
BINDINGS = "ui.keys."


@dataclass(frozen=True, slots=True)
class ConfigValue:
    """One setting: its dotted key, its value with secrets masked, and where it comes from."""

    key: str
    value: str
    origin: str

    @property
    def is_secret(self) -> bool:
        """Whether the value is one that is never shown."""
        return self.value == Secret.MASK


@dataclass(frozen=True, slots=True)
class Located:
    """Where a key is: the words that lead to it, and what it is; None for a group of keys."""

    path: tuple[str, ...]
    key: Key | None


def locate(dotted: str, names: Collection[str]) -> Located:
    """Find a key, or a group of keys; ``names`` are the databases of the file, whose names may have dots.

    Raises:
        ConfigKeyError: there is no such key.
    """
    if dotted.startswith(BINDINGS) and len(dotted) > len(BINDINGS):
        return Located(("ui", "keys", dotted.removeprefix(BINDINGS)), Key())
    head, _, rest = dotted.partition(".")
    match head:
        case "active" if not rest:
            return Located(("active",), ACTIVE)
        case "ui" if rest in UI:
            return Located(("ui", rest), UI[rest])
        case "ui" if rest in ("", "keys"):
            return Located(("ui", "keys") if rest else ("ui",), None)
        case "database" if rest in ENTRY or _is_group(rest):
            return _in_entry(("database",), rest)
        case "databases" if not rest:
            return Located(("databases",), None)
        case "databases":
            for name, inner in _names(rest, names):
                if inner in ENTRY or _is_group(inner):
                    return _in_entry(("databases", name), inner)
    shown = quoted_unless_secret(dotted)
    near = suggestion(dotted, _known(rest, names)) if shown != Secret.MASK else ""  # it repeats what was typed
    raise ConfigKeyError(
        f"The key {shown} is not known{near}.",
        f"{own_command('config show')} lists the keys that have a value.",
    )


def masked(key: Key, text: str) -> str:
    """A value as it may be shown."""
    if key.type == "secret":
        return Secret.MASK
    return masked_url(text) if key.type == "url" else text


def masked_url(text: str) -> str:
    """A URL, or what stands in the place of one, without the secrets in it."""
    if not is_url(text):
        return Secret.MASK if re.search("[@=]", text) else text
    text = as_url(text)
    for start, end in reversed(secret_spans(text)):
        text = text[:start] + Secret.MASK + text[end:]
    return text


def typed(key: Key, text: str) -> str | int | bool:
    """What a user typed for a key as the type it has in the file; text where it is none, which the reader refuses."""
    if key.type == "url" and is_url(text):
        return as_url(text)
    word = text.strip()
    if key.type == "flag" and word.lower() in ("true", "yes", "on", "false", "no", "off"):
        return word.lower() in ("true", "yes", "on")
    if key.type == "number" and re.fullmatch(r"-?[0-9]{1,18}", word):
        return int(word)
    return text


def _names(rest: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """The ways to read the words behind ``databases.`` as a name and a key, databases that there are first."""
    for name in sorted(names, key=len, reverse=True):
        if rest == name or rest.startswith(f"{name}."):
            yield name, rest[len(name) + 1 :]
    for dot in re.finditer(r"\.", rest):
        yield rest[: dot.start()], rest[dot.end() :]


def _is_group(inner: str) -> bool:
    return not inner or any(key.startswith(f"{inner}.") for key in ENTRY)


def _in_entry(above: tuple[str, ...], inner: str) -> Located:
    return Located((*above, *inner.split(".")) if inner else above, ENTRY.get(inner))


def _known(rest: str, names: Collection[str]) -> Iterator[str]:
    yield from ("active", "database", "databases", "ui", "ui.keys")
    yield from (f"ui.{key}" for key in UI)
    yield from (f"database.{key}" for key in ENTRY)
    for name in {*names, rest.partition(".")[0]}:
        yield from (f"databases.{name}.{key}" for key in ENTRY)
