"""``completion SHELL``: the script that makes a shell complete commands, options and the names of databases."""

from __future__ import annotations

import os

import click
from click.shell_completion import BashComplete, ShellComplete, get_completion_class, shell_complete

from agor_tui.cli import streams
from agor_tui.cli.commands import Settings, command
from agor_tui.cli.main import COMPLETION_VARIABLE, PROGRAM, cli
from agor_tui.errors import UsageError, quoted

_WHERE = {
    "bash": 'eval "$(agor-tui completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(agor-tui completion zsh)" in ~/.zshrc',
    "fish": "agor-tui completion fish > ~/.config/fish/completions/agor-tui.fish",
}


@command(
    "completion",
    help="Print the completion script of a shell.\n\n\b\n"
    + "\n".join(f"{shell}: {line}" for shell, line in _WHERE.items()),
)
@click.argument("shell", type=click.Choice(list(_WHERE)))
def completion(shell: str) -> None:
    found = get_completion_class(shell)
    assert found is not None
    script = found(cli, {}, PROGRAM, COMPLETION_VARIABLE)
    # Bash's own `source` first starts a bash to ask for its version, and the script may be made for another machine.
    text = ShellComplete.source(script) if isinstance(script, BashComplete) else script.source()
    streams.write_lines([text])


def complete(instruction: str) -> int:
    """Do what the script asks for through the environment, and return an exit code.

    Raises:
        UsageError: the variables are none that such a script sets.
    """
    shell, _, deed = instruction.partition("_")
    word = os.environ.get("COMP_CWORD")  # fish gives the word itself, the others its number
    is_asked = "COMP_WORDS" in os.environ and word is not None and (shell == "fish" or word.isdecimal())
    if shell not in _WHERE or not (deed == "source" or (deed == "complete" and is_asked)):
        more = " without its COMP_WORDS and COMP_CWORD" if deed == "complete" and shell in _WHERE else ""
        raise UsageError(
            f"{COMPLETION_VARIABLE} is {quoted(instruction)}{more}: no completion script asks for that.",
            f"Unset {COMPLETION_VARIABLE}; agor-tui completion --help shows how completion is set up.",
        )
    return shell_complete(cli, {"obj": Settings()}, PROGRAM, COMPLETION_VARIABLE, instruction)
