"""Times in the zone that the preference ``timeZone`` names, for what the command line reads and shows."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import click

from agor_tui.cli.commands import Settings
from agor_tui.config.preferences import DEFAULTS
from agor_tui.errors import ConfigError
from agor_tui.text import relative_time
from agor_tui.zones import zone


def local_now() -> datetime:
    """The time in the user's zone; in this machine's where the config cannot be read, which opening a database says."""
    context = click.get_current_context(silent=True)
    settings = context.find_object(Settings) if context else None
    try:
        preferences = (settings or Settings()).configuration().preferences()
    except ConfigError:
        preferences = DEFAULTS
    return datetime.now(zone(preferences.time_zone))


def local_second(moment: datetime) -> str:
    """``2026-03-02 14:02:09 CET``; within a day of the years 1 and 9999 in UTC."""
    with suppress(OverflowError):
        moment = moment.astimezone(local_now().tzinfo)
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def local_second_and_age(moment: datetime | None) -> str:
    """The same, with how long ago it was where that is within a week; empty for None."""
    if moment is None:
        return ""
    now = local_now()
    age = f" ({relative_time(moment, now)})" if abs(now - moment) < timedelta(days=7) else ""
    return f"{local_second(moment)}{age}"
