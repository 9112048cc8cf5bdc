"""A transcript as plain text of at most 100 columns, fit for any terminal, mail or printer."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from agor_tui.records import Block, NoticeBlock, TextBlock, ThinkingBlock, ToolCall
from agor_tui.services.transcript.blocks import block_body, block_line
from agor_tui.services.transcript.walk import (
    CallPart,
    Entry,
    Opening,
    Piece,
    TaskOpening,
    diff_text,
    minute,
    session_facts,
    task_facts,
    task_heading,
    task_texts,
    view_of,
)
from agor_tui.text import printable, title_text

COLUMNS = 100

_INDENT = "  "
_RAIL = "    │ "


class TextWriter:
    """Pieces of transcripts as lines of plain text."""

    def __init__(self) -> None:
        self._roots: tuple[str, ...] = ()
        self._first = True

    def head(self, titles: Sequence[str]) -> Iterator[str]:
        """Nothing: each session has its own heading."""
        return iter(())

    def piece(self, piece: Piece) -> Iterator[str]:
        """One piece of a session."""
        for line in self._lines(piece):
            yield f"{line.rstrip()}\n"

    def foot(self) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def _lines(self, piece: Piece) -> Iterator[str]:
        match piece:
            case Opening():
                yield from self._opening(piece)
            case TaskOpening():
                yield from wrapped(task_heading(piece), "── ", "   ")
                yield from wrapped(" · ".join(f"{label}: {value}" for label, value in task_facts(piece.detail)), "   ")
                for label, text in task_texts(piece.detail):
                    yield f"   {label}:"
                    yield from wrapped(text, "   ")
                yield ""
            case Entry():
                if not piece.goes_on:
                    speaker = piece.speaker.replace(piece.role, piece.role.upper(), 1)
                    facts = (speaker, minute(piece.time), printable(piece.remark))
                    yield from wrapped("  ".join(fact for fact in facts if fact), "")
                for block in piece.blocks:
                    yield from self._block(block)
                yield ""

    def _opening(self, opening: Opening) -> Iterator[str]:
        self._roots = opening.roots
        if not self._first:
            yield from ("", "═" * COLUMNS, "")
        self._first = False
        title = title_text(opening.session.title)
        yield from wrapped(title, "")
        yield "═" * min(COLUMNS, max(1, cells(title)))
        facts = session_facts(opening)
        widest = max(len(label) for label, _ in facts)
        for label, value in facts:
            yield from wrapped(printable(value), f"{label:<{widest}}  ", " " * (widest + 2))
        yield ""
        if opening.description:
            yield from wrapped(opening.description, "")
            yield ""

    def _block(self, block: Block) -> Iterator[str]:
        match block:
            case TextBlock(text):
                yield from wrapped(text, _INDENT)
            case ToolCall():
                view = view_of(block, self._roots)
                yield from wrapped(printable(view.summary.line), f"{_INDENT}▸ ", f"{_INDENT}  ")
                for part in view.parts:
                    yield from _part(part)
            case NoticeBlock():
                yield from wrapped(printable(block_line(block)), f"{_INDENT}── ", f"{_INDENT}   ")
            case _:
                yield from wrapped(printable(block_line(block)), f"{_INDENT}▸ ", f"{_INDENT}  ")
                body = block_body(block)
                if body:
                    yield from wrapped(body, f"{_INDENT}  " if isinstance(block, ThinkingBlock) else _RAIL)


def _part(part: CallPart) -> Iterator[str]:
    yield from wrapped(printable(part.label), "    ")
    lines: Iterable[str] = map(diff_text, part.diff) if part.diff else (part.text,)
    for line in lines:
        yield from wrapped(line, _RAIL)


def wrapped(text: str, first: str, rest: str | None = None) -> Iterator[str]:
    """``text`` made harmless, in lines of at most 100 columns that begin with ``first``, later ones with ``rest``."""
    start = first
    rest = first if rest is None else rest
    for line in printable(text, multiline=True).strip("\n").split("\n"):
        for part in _broken(line, COLUMNS - cells(first)):
            yield start + part
            start = rest


def _broken(line: str, width: int) -> Iterator[str]:
    """A line in parts of at most ``width`` columns, broken at spaces where there are any."""
    at = 0
    while True:
        end = _reach(line, at, width)
        if end >= len(line):
            yield line[at:]
            return
        space = line.rfind(" ", at + 1, end + 1)
        if space > at and line[at:space].strip():
            yield line[at:space]
            at = space + 1
        else:
            yield line[at:end]
            at = end


def _reach(line: str, at: int, width: int) -> int:
    """The end of the longest part of ``line`` from ``at`` on that fits into ``width`` columns; at least a character."""
    part = line[at : at + width]
    if part.isascii():
        return at + len(part)
    end, used = at, 0
    while end < len(line):
        used += _width(line[end])
        if used > width and end > at:
            break
        end += 1
    return end


def cells(text: str) -> int:
    """How many columns a text takes, as most viewers draw it."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
