"""Which database a command is for, and the question before it is changed."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from agor_tui.cli import streams
from agor_tui.errors import UsageError
from agor_tui.text import printable

if TYPE_CHECKING:
    from agor_tui.cli.commands import Settings
    from agor_tui.config.places import Place


yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def place_of(settings: Settings, dialect: str | None = None) -> Place:
    """The place that is meant; ``dialect`` chooses among the configured ones, or must be that of ``--database``."""
    from agor_tui.config import PostgresPlace, resolve

    environ = dict(os.environ)
    if dialect is not None:
        environ.pop("DB_MODE", None)
        environ["AGOR_DB_DIALECT"] = dialect
    place = resolve(settings.database, config_path=settings.config, environ=environ, tenant=settings.tenant)
    if dialect is not None and isinstance(place, PostgresPlace) != (dialect == "postgresql"):
        raise UsageError(f"{named(place)} is no {dialect} database.", "Leave out --dialect, or name another.")
    note_ignored(place)
    return replace(place, read_only=place.read_only or settings.read_only)


def note_ignored(place: Place) -> None:
    """Say which parameters of the URL were not for us."""
    from agor_tui.config.other_clients import note_on

    if note := note_on(getattr(place, "ignored", ())):
        streams.note(note)


def named(place: Place) -> str:
    """Where a place is, fit to be shown."""
    from agor_tui.config import describe

    return printable(describe(place))


def require_terminal(what: str) -> None:
    """Raise a UsageError where nobody could answer."""
    if not streams.is_terminal(sys.stdin):
        raise UsageError(f"{what} is asked about, and there is no terminal to ask.", "Add --yes.")


def ask(question: str) -> None:
    """Go on only after a yes. Raises Exit after a no."""
    if not click.confirm(question, err=True):
        streams.note("Nothing was changed.")
        raise click.exceptions.Exit(1)
