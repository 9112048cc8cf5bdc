"""``setup``: the app, begun with the wizard."""

from __future__ import annotations

from agor_tui.cli.app import open_app
from agor_tui.cli.commands import Settings, command, pass_settings
from agor_tui.errors import UsageError


@command("setup", help="Set up a database with the wizard, step by step; nothing is written before its end.")
@pass_settings
def setup(settings: Settings) -> None:
    if settings.database is not None:
        raise UsageError("The wizard asks which database.", "Leave out --database.")
    open_app(settings.open_for_app, settings.configuration(), None, setup=True)
