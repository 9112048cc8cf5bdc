"""Opening the app from the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from agor_tui import ending
from agor_tui.cli import streams
from agor_tui.errors import UsageError
from agor_tui.hints import own_command

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser
    from agor_tui.services.configuration import Configuration


def open_app(
    connect: Callable[[], Browser],
    configuration: Configuration,
    target: str | None,
    *,
    now: datetime | None = None,
    setup: bool = False,
) -> None:
    """Run the app until it is left. ``target`` is what ``connect`` opens, as ``--database`` names it.

    ``now`` stands for the present time. With ``setup`` the app begins with the wizard.

    Raises:
        UsageError: there is no terminal to run it in. Exit: the app ended with an error, which it has shown.
    """
    require_terminal()
    try:
        from agor_tui.tui.app import AgorApp, utc_now

        clock = utc_now if now is None else lambda: now
        app = AgorApp(connect, clock=clock, configuration=configuration, setup=setup)
    except Exception:
        if named := sorted(name for name in os.environ if name.startswith("TEXTUAL")):
            raise UsageError(
                f"The app cannot begin with what the environment says in {' or '.join(named)}.", "Unset it."
            ) from None
        raise
    app.target = target
    with ending.leaving(app.leave_when_told):
        app.run()
    raise click.exceptions.Exit(app.return_code or 0)


def require_terminal() -> None:
    """Refuse to go on where nobody could see the app."""
    if not (streams.is_terminal(sys.stdin) and streams.is_terminal(sys.stdout)):
        raise UsageError(
            "The app needs a terminal, and its input or output is none.",
            f"For scripts there are commands, such as: {own_command('session list --json')} "
            f"(see {own_command('--help')})",
        )
    if os.environ.get("TERM") == "dumb":
        raise UsageError(
            "The app needs a terminal that can be drawn on, and this one says that it cannot (TERM=dumb).",
            "If it can: TERM=xterm-256color agor-tui. For other programs there are commands (see agor-tui --help).",
        )
