"""Text measured and cut in terminal cells, by the table that the terminal layer draws with.

For text that went through `agor_tui.text.printable`: wide characters take two cells, marks and joiners none.
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size, split_graphemes

__all__ = ["cell_len", "fit", "fit_end", "pad"]


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
