"""What every command has: the options that choose the database, and subcommands that are imported when they run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser
    from agor_tui.services.configuration import Configuration

_LONGEST_HELP = 200
"""Characters of a command's first sentence, which the list of commands shows."""


@dataclass
class Settings:
    """Which database to use and how; the options of a command fill it in, the innermost last."""

    database: str | None = None
    config: Path | None = None
    tenant: str | None = None
    read_only: bool = False
    opened: list[Browser] = field(default_factory=list)
    """The databases that the command has opened."""

    def configuration(self) -> Configuration:
        """The config file that the options choose, and how databases are opened with them."""
        from agor_tui.services.configuration import Configuration

        return Configuration(self.config, tenant=self.tenant, read_only=self.read_only)

    def open_browser(self) -> Browser:
        """Open the database; to be closed by the caller. Raises AgorError where it cannot be opened."""
        from agor_tui.cli import streams

        browser = self.open_for_app()
        if browser.aside:
            streams.note(browser.aside)
        return browser

    def open_for_app(self) -> Browser:
        """The same without a word on standard error, where the app draws."""
        browser = self.configuration().open(self.database)
        self.opened.append(browser)
        return browser


pass_settings = click.make_pass_decorator(Settings)


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    settings = context.find_object(Settings)
    if value and settings is not None and parameter.name is not None:
        setattr(settings, parameter.name, value)


def _database_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The databases of the config for the shell, or files where none begins like this."""
    from agor_tui.config.resolve import named_databases
    from agor_tui.errors import AgorError

    settings = context.find_object(Settings) or Settings()
    try:
        known = named_databases(settings.config, os.environ)
        names = [name for name in known if name.startswith(incomplete)]
    except AgorError:
        names = []
    return [CompletionItem(name) for name in names] or [CompletionItem(incomplete, type="file")]


class GlobalOption(click.Option):
    """An option that every command takes, before or behind its name."""


def _global_options() -> list[click.Parameter]:
    return [
        GlobalOption(
            ["-d", "--database"],
            metavar="NAME|PATH|URL",
            help="The database: a name from the config, a file or a URL.",
            expose_value=False,
            callback=_remember,
            shell_complete=_database_names,
        ),
        GlobalOption(
            ["--config"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The config file to read instead of the usual one.",
            expose_value=False,
            callback=_remember,
        ),
        GlobalOption(
            ["--tenant"],
            metavar="NAME",
            help="Whose rows to show in a database of several tenants.",
            expose_value=False,
            callback=_remember,
        ),
        GlobalOption(
            ["--read-only"],
            is_flag=True,
            help="Open for reading only.",
            expose_value=False,
            callback=_remember,
        ),
    ]


class Command(click.Command):
    """A command with the global options, which its help lists after its own."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.params = [*self.params, *_global_options()]

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, wanted in (("Options", False), ("Database", True)):
            records = [
                record
                for parameter in self.get_params(context)
                if isinstance(parameter, click.Option)
                and isinstance(parameter, GlobalOption) is wanted
                and (record := parameter.get_help_record(context)) is not None
            ]
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


class Group(Command, click.Group):
    """A noun and its verbs."""

    command_class = Command

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(context, formatter)
        super().format_options(context, formatter)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with the first sentence of its help, whole."""
        named = [(name, self.get_command(context, name)) for name in self.list_commands(context)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(_LONGEST_HELP)) for name, each in named if each])


@dataclass(frozen=True)
class Lazy:
    """A command that is imported when it runs: ``module:name``, and the line that the help shows for it."""

    place: str
    help: str


class LazyGroup(Group):
    """A group that knows its commands by name and imports only the one that is asked for."""

    def __init__(self, *arguments: Any, lazy: Mapping[str, Lazy], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.lazy = lazy

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.lazy)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.lazy:
            return None
        module, _, attribute = self.lazy[name].place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in self.lazy.items()])


def command(*arguments: Any, **named: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """A command that stands by itself at the top."""
    return click.command(*arguments, cls=Command, **named)
