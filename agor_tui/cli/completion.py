"""``completion SHELL``: the script that makes a shell complete commands, options and the names of databases."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, ShellComplete, get_completion_class

from agor_tui.cli import streams
from agor_tui.cli.commands import command
from agor_tui.cli.main import COMPLETION_VARIABLE, PROGRAM, cli

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
