"""The command line itself: the global options, the nouns, and the one place where a command ends."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

import click

from agor_tui import __version__, ending
from agor_tui.cli import failures, streams
from agor_tui.cli.commands import Lazy, LazyGroup, Settings, pass_settings

PROGRAM = "agor-tui"
COMPLETION_VARIABLE = "_AGOR_TUI_COMPLETE"


@click.command(
    PROGRAM,
    cls=LazyGroup,
    lazy={
        "session": Lazy("agor_tui.cli.sessions:session", "List sessions, show one or its tree."),
        "task": Lazy("agor_tui.cli.tasks:task", "List tasks or show one."),
        "message": Lazy("agor_tui.cli.messages:message", "Read a conversation."),
        "board": Lazy("agor_tui.cli.boards:board", "List boards."),
        "id": Lazy("agor_tui.cli.ids:id_command", "Say what an id or the beginning of one names."),
        "db": Lazy("agor_tui.cli.db:db", "Set up, migrate, copy, compare, back up, export and check a database."),
        "databases": Lazy("agor_tui.cli.databases:databases", "The databases of the config: list, add, use, test."),
        "setup": Lazy("agor_tui.cli.setup:setup", "Set up a database with the wizard."),
        "config": Lazy("agor_tui.cli.config:config", "Show and change the settings."),
        "demo": Lazy("agor_tui.cli.demo:demo", "Open the app on made-up sessions."),
        "completion": Lazy("agor_tui.cli.completion:completion", "Print the completion script of a shell."),
    },
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find, read and compare the sessions of AI coding agents. Without a command: open the app.",
)
@click.version_option(__version__, "-V", "--version", message=f"{PROGRAM} %(version)s")
@pass_settings
@click.pass_context
def cli(context: click.Context, settings: Settings) -> None:
    if context.invoked_subcommand is None:
        from agor_tui.cli.app import open_app

        configuration = settings.configuration()
        first_run = settings.database is None and configuration.is_first_run()
        open_app(settings.open_for_app, configuration, settings.database, setup=first_run)


def run() -> NoReturn:
    """Run ``sys.argv`` and leave with its exit code."""
    ending.listen()
    threading.excepthook = failures.log_of_thread
    code = main(sys.argv[1:])
    ending.over()
    streams.finish()
    sys.exit(code if ending.told() is None else ending.told())


def main(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code: 0 ok, 1 error, 2 usage, 3 ambiguous, 4 not found, 5 different."""
    try:
        streams.prepare()
        code = _invoke(list(arguments))
        streams.flush()
        return code
    except (KeyboardInterrupt, click.Abort):
        return failures.INTERRUPTED
    except BrokenPipeError:
        streams.discard()
        return 0
    except Exception as error:  # the last place before a traceback
        return failures.report(error)


def _invoke(arguments: list[str]) -> int:
    """Run click's group without its own way of ending."""
    instruction = os.environ.get(COMPLETION_VARIABLE)
    if instruction:
        from agor_tui.cli.completion import complete

        return complete(instruction)
    settings = Settings()
    try:
        with cli.make_context(PROGRAM, arguments, obj=settings) as context:
            cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    finally:
        for browser in settings.opened:
            if faults := browser.faults:
                streams.note(faults)
    return 0
