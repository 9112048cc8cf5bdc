"""What a user prefers in the app: the ``ui`` section of the settings file.

Light to import, and to read where the file has no such section: then YAML is not imported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agor_tui.config.file import read_content
from agor_tui.config.urls import quoted_unless_secret
from agor_tui.errors import ConfigError, suggestion

if TYPE_CHECKING:
    from agor_tui.config.document import Section

Theme = Literal["dark", "light"]
Times = Literal["relative", "absolute"]
Confirm = Literal["changes", "deletes"]

THEMES: tuple[Theme, ...] = ("dark", "light")
TIMES: tuple[Times, ...] = ("relative", "absolute")
CONFIRM: tuple[Confirm, ...] = ("changes", "deletes")
_LEAVE = ("ctrl+q", "ctrl+c")
PAGE_SIZES = range(10, 1001)


@dataclass(frozen=True, slots=True)
class Preferences:
    """How the app looks and behaves.

    ``time_zone`` is ``local``, ``UTC`` or an IANA name such as ``Europe/Berlin``; ``page_size`` is in rows.
    ``confirm``: ``deletes`` asks before deleting and migrating only, ``changes`` before every change. ``keys`` maps
    the ids of bindings to keys, several with commas between; the ids are not checked here.
    """

    theme: Theme = "dark"
    times: Times = "relative"
    time_zone: str = "local"
    page_size: int = 128
    confirm: Confirm = "deletes"
    live: bool = True
    keys: Mapping[str, str] = field(default_factory=dict, hash=False)


DEFAULTS = Preferences()


def may_have_preferences(file: Path) -> bool:
    """Tell, without reading YAML, whether a file could have a ``ui`` section; False where it cannot be read."""
    try:
        return re.search(rb"\bui\b", read_content(file)) is not None
    except ConfigError:
        return False


def read_preferences(section: Section) -> Preferences:
    """Read the section ``ui``.

    Raises:
        ConfigError: an unknown key or a wrong value, with its line.
    """
    section.check("theme", "times", "timeZone", "pageSize", "confirm", "live", "keys")
    live = section.flag("live")
    keys = section.section("keys")
    return Preferences(
        theme=section.choice("theme", THEMES) or DEFAULTS.theme,
        times=section.choice("times", TIMES) or DEFAULTS.times,
        time_zone=_time_zone(section) or DEFAULTS.time_zone,
        page_size=section.number("pageSize", PAGE_SIZES[0], PAGE_SIZES[-1]) or DEFAULTS.page_size,
        confirm=section.choice("confirm", CONFIRM) or DEFAULTS.confirm,
        live=DEFAULTS.live if live is None else live,
        keys=_keys(keys) if keys else {},
    )


def _time_zone(section: Section) -> str | None:
    name = section.text("timeZone")
    if name is None or name in ("local", "UTC"):
        return name
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder of zones, or a path out of it
        raise ConfigError(
            f"{section.where('timeZone')} names no time zone: {quoted_unless_secret(name)}"
            f"{suggestion(name, ('local', 'UTC', *available_timezones()))}.",
            "Write local, UTC, or a name such as Europe/Berlin.",
        ) from None
    return name


def _keys(section: Section) -> dict[str, str]:
    keys = {}
    for binding, _ in section.lines():
        key = section.text(binding)
        if not binding.strip() or key is None or not key.strip() or not key.isprintable():
            raise ConfigError(
                f"{section.where(binding)} must be the name of a key.",
                'Write it as in f, ctrl+g or "comma"; quote ~ and what YAML would read as something else.',
            )
        if taken := [each for each in _LEAVE if each in re.split(r"[\s,]+", key.lower())]:
            raise ConfigError(
                f"{section.where(binding)} cannot be {taken[0]}, which leaves the app wherever one is.",
                "Choose another key.",
            )
        keys[binding] = key
    return keys
