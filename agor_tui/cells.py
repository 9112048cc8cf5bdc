"""Text measured and cut in terminal cells, by the table that the terminal layer draws with.

For text that went through `agor_tui.text.printable`: wide characters take two cells, marks and joiners none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from rich.cells import cell_len, chop_cells, set_cell_size, split_graphemes

__all__ = ["break_offsets", "cell_len", "fit", "fit_end", "pad", "wrapped"]

_WORD = re.compile(r"(\S+)\s*|\s+")
_PART = re.compile(r"[^/\\]*[/\\]+|[^/\\]+")


def fit(text: str, cells: int) -> str:
    """The text, or where it is wider than ``cells`` its beginning and ``…``, then exactly so many cells wide."""
    if cell_len(text) <= cells:
        return text
    return f"{set_cell_size(text, cells - 1)}…" if cells > 0 else ""


def fit_end(text: str, cells: int) -> str:
    """The text, or where it is wider than ``cells`` ``…`` and its end, then exactly so many cells wide: for paths."""
    if cell_len(text) <= cells:
        return text
    if cells <= 0:
        return ""
    room = cells - 1
    start = len(text)
    for first, _, width in reversed(split_graphemes(text)[0]):
        if width > room:
            break
        start, room = first, room - width
    return "…" + " " * room + text[start:]


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """The text fitted and filled with spaces to exactly ``cells`` cells; ``right`` puts the spaces before it."""
    fitted = fit(text, cells)
    space = " " * (cells - cell_len(fitted))
    return space + fitted if right else fitted + space


def wrapped(text: str, cells: int) -> list[str]:
    """The lines of ``text`` in at most ``cells`` cells each; see ``break_offsets``."""
    lines = []
    for line in text.split("\n"):
        at = [0, *break_offsets(line, cells), len(line)]
        lines += [line[start:end].rstrip() for start, end in pairwise(at)]
    return lines


def break_offsets(line: str, cells: int) -> list[int]:
    """Where to break a line into pieces of at most ``cells`` cells: at spaces, in a word that is wider than a line
    behind the separators of a path, so that a file's name stays whole, and else anywhere.
    """
    offsets: list[int] = []
    used = 0
    for word in _WORD.finditer(line):
        width = cell_len(word[1] or "")
        if used and used + width > cells:
            offsets.append(word.start())
            used = 0
        if width > cells:
            for start, piece in _pieces(word[1], cells):
                if used and used + cell_len(piece) > cells:
                    offsets.append(word.start() + start)
                    used = 0
                used += cell_len(piece)
            used += cell_len(word[0]) - width
        else:
            used += cell_len(word[0])
    return offsets


def _pieces(word: str, cells: int) -> Iterator[tuple[int, str]]:
    """The parts of a path, each with where it begins; one that is wider than a line in as many as that takes."""
    for part in _PART.finditer(word):
        start = part.start()
        for piece in chop_cells(part[0], cells) if cell_len(part[0]) > cells else [part[0]]:
            yield start, piece
            start += len(piece)
