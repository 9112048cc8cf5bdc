"""Standard output for data only, standard error for everything else, both safe in any locale and on a closed pipe."""

from __future__ import annotations

import io
import os
import shutil
import sys
from codecs import getincrementaldecoder
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO

from agor_tui import ending
from agor_tui.text import printable


def prepare() -> None:
    """Write UTF-8 whatever the locale says, and show what UTF-8 cannot carry as an escape instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def write(pieces: Iterable[bytes]) -> None:
    """Write UTF-8 to standard output as it comes. Raises BrokenPipeError where the reader has left."""
    if sys.stdout is None:  # closed by the caller: `>&-`
        return
    sys.stdout.flush()
    for piece in pieces:
        sys.stdout.buffer.write(piece)


class HarmlessOutput:
    """Standard output where a person sees it: bytes of UTF-8 are written as text that steers no terminal."""

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8")("replace")

    def write(self, piece: bytes) -> int:
        """Write a piece."""
        sys.stdout.buffer.write(printable(self._decoder.decode(piece), multiline=True).encode())
        return len(piece)


def write_lines(lines: Iterable[str]) -> None:
    """Write lines of text to standard output. Raises BrokenPipeError where the reader has left."""
    write(line.encode("utf-8", "backslashreplace") + b"\n" for line in lines)


def note(text: str) -> None:
    """Say something to the person at the terminal, apart from the data; where nobody can hear it, nothing."""
    if sys.stderr is not None:
        with suppress(OSError):  # it shows again at the end, where it is dealt with
            flush()
        try:
            sys.stderr.write(text + "\n")
        except OSError:
            _lead_nowhere(sys.stderr)


def flush() -> None:
    """Send off what was written, so that a failure shows now and not when the interpreter ends."""
    if sys.stdout is not None:
        sys.stdout.flush()


def discard() -> None:
    """Let what is still to be written vanish: its reader is gone."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            _lead_nowhere(stream)


def finish() -> None:
    """Leave nothing that the interpreter could fail to write at its end, for which it would print a traceback."""
    if ending.told() is not None:  # a terminal that takes nothing would hold up the end
        discard()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except OSError:
                _lead_nowhere(stream)


def _lead_nowhere(stream: TextIO) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sees ``stream``; None is a stream that the caller closed."""
    return stream is not None and stream.isatty()


@dataclass(frozen=True, slots=True)
class Look:
    """What a stream can show: ``width`` in cells, None where it is a pipe or a file; and whether in ``colour``."""

    width: int | None
    colour: bool


def look(stream: TextIO | None) -> Look:
    """What ``stream`` can show; no colour where ``NO_COLOR`` says so."""
    if not is_terminal(stream):
        return Look(None, False)
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Look(shutil.get_terminal_size().columns, colour)
