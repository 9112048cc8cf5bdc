"""``demo``: the app on made-up sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from agor_tui.cli import streams
from agor_tui.cli.app import open_app, require_terminal
from agor_tui.cli.commands import Settings, command, pass_settings
from agor_tui.cli.db import DIALECTS
from agor_tui.errors import UsageError

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser


@command(
    "demo",
    help="Open the app on made-up sessions, in a database that is made once in the cache folder. "
    "On PostgreSQL a server of the extra postgres-embedded runs meanwhile.",
)
@click.option("--dialect", type=click.Choice(DIALECTS), default="sqlite", show_default=True)
@click.option("--no-open", is_flag=True, help="Only make the SQLite database, and print its path.")
@pass_settings
def demo(settings: Settings, dialect: str, no_open: bool) -> None:
    from agor_tui.services.demo import REFERENCE, prepare

    if settings.database is not None:
        raise UsageError("The demo brings its own database.", "Leave out --database.")
    if no_open:
        if dialect != "sqlite":
            raise UsageError("The demo's server runs only while the app is open.", "Leave out --no-open.")
        with prepare("sqlite") as target:
            streams.write_lines([target])
        return
    require_terminal()
    with prepare("postgresql" if dialect == "postgresql" else "sqlite") as target:
        configuration = settings.configuration()

        def connect() -> Browser:
            browser = configuration.open(target)
            browser.info = replace(browser.info, label="demo", origin="made-up sessions")
            return browser

        open_app(connect, configuration, target, now=REFERENCE)
