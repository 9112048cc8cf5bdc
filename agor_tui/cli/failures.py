"""How a command that failed ends: one sentence and a hint on standard error, an exit code, never a traceback."""

from __future__ import annotations

import errno
import sys
import threading

import click

from agor_tui.cli import streams
from agor_tui.errors import AgorError, AmbiguousIdError
from agor_tui.text import printable

INTERRUPTED = 130
_LONGEST = 4_000
"""Characters of a line."""
_OF_OUTPUT = {
    getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "EBADF", "ENXIO", "EAGAIN", "ENODEV")
} - {None}
"""What a stream, which has no file name, says of itself; other errors without one are no output's."""


def report(error: Exception) -> int:
    """Say what went wrong and return the exit code."""
    match error:
        case AmbiguousIdError():
            from agor_tui.cli.ids import candidate_lines

            _say(error.message, *candidate_lines(error.ambiguity), error.hint)
            return error.exit_code
        case AgorError():
            _say(error.message, printable(error.hint, multiline=True))  # it may name an id
            return error.exit_code
        case click.exceptions.NoArgsIsHelpError():  # a noun without a verb
            streams.note(error.format_message())
            return error.exit_code
        case click.UsageError():
            message = error.format_message()  # with a full stop or not, as this click has it
            _say(message if message.endswith((".", "?", "!")) else f"{message}.", _help_hint(error.ctx))
            return error.exit_code
        case click.ClickException():
            _say(error.format_message())
            return error.exit_code
        case OSError(filename=None, errno=number) if number in _OF_OUTPUT:
            _say(f"The output cannot be written: {error.strerror}.")
            streams.discard()
            return 1
    from agor_tui.services.faults import unexpected

    fault = unexpected(error)
    _say(fault.message, fault.hint)
    return fault.exit_code


def log_of_thread(fault: threading.ExceptHookArgs) -> None:
    """What a thread left unsaid goes to the log, not to the terminal."""
    from agor_tui.services.faults import write_log

    if isinstance(fault.exc_value, Exception):
        write_log(fault.exc_value)


def _say(message: str, *more: str) -> None:
    from agor_tui.redact import redact_text

    head = "agor-tui:"
    if streams.look(sys.stderr).colour:
        head = f"\x1b[31m{head}\x1b[0m"
    lines = (_short(redact_text(line)) for line in more if line)
    streams.note("\n".join([f"{head} {printable(_short(redact_text(message)))}", *lines]))


def _short(line: str) -> str:
    """A name in it may be of any length."""
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 4 :]}"


def _help_hint(context: click.Context | None) -> str:
    return f"Try: {context.command_path if context else 'agor-tui'} --help"
