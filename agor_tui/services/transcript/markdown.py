"""A transcript as Markdown that reads the same in any viewer, whatever was said in it.

Text keeps its Markdown, but can do nothing to the rest: its headings go below ours, its HTML and pictures are shown as
what they are, its fences are closed, and ours are longer than any run of backticks in them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from agor_tui.records import Block, NoticeBlock, TextBlock, ThinkingBlock, ToolCall
from agor_tui.services.transcript.blocks import SmallBlock, block_body, block_line
from agor_tui.services.transcript.walk import (
    CallPart,
    Entry,
    Fact,
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

_FENCE = re.compile(r"[ \t]*(?:(`{3,})([^`]*)|(~{3,})(.*))")
_RUN = re.compile(r"`+")
_HEADING = re.compile(r"((?: *+(?:>|[-+*]|[0-9]{1,9}[.)]))*+ *+)(#{1,6})(?= |$)")
"""A heading, also in a quotation or a list."""
_UNDERLINE = re.compile(r"([ >]*+)(=+|-+) *")
_RULE = 3
_LEVELS = 3
"""Headings of the transcript itself; those of its texts begin below."""
_INLINE = re.compile(r"\\[!-/:-@\[-`{-~]|`+|<|!(?=\[)")
_SPECIAL = re.compile(r"([\\`*\[\]<#|~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}")


class MarkdownWriter:
    """Pieces of transcripts as Markdown."""

    def __init__(self) -> None:
        self._roots: tuple[str, ...] = ()
        self._first = True

    def head(self, titles: Sequence[str]) -> Iterator[str]:
        """Nothing: each session has its own heading."""
        return iter(())

    def piece(self, piece: Piece) -> Iterator[str]:
        """One piece of a session."""
        match piece:
            case Opening():
                yield from self._opening(piece)
            case TaskOpening():
                yield f"## {inline(task_heading(piece))}\n\n"
                yield f"{' · '.join(f'{label}: {inline(value)}' for label, value in task_facts(piece.detail))}\n\n"
                for label, text in task_texts(piece.detail):
                    yield f"**{label}**\n\n{markdown(text)}\n\n"
            case Entry():
                yield from self._entry(piece)

    def foot(self) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def _opening(self, opening: Opening) -> Iterator[str]:
        self._roots = opening.roots
        yield "" if self._first else "---\n\n"
        self._first = False
        yield f"# {inline(title_text(opening.session.title))}\n\n"
        yield _table(session_facts(opening))
        if opening.description:
            yield f"{markdown(opening.description)}\n\n"

    def _entry(self, entry: Entry) -> Iterator[str]:
        if not entry.goes_on:
            facts = (inline(entry.speaker).capitalize(), minute(entry.time), inline(entry.remark))
            yield f"### {' · '.join(fact for fact in facts if fact)}\n\n"
        for block in entry.blocks:
            yield from self._block(block)

    def _block(self, block: Block) -> Iterator[str]:
        match block:
            case TextBlock(text):
                yield f"{markdown(text)}\n\n"
            case ToolCall():
                view = view_of(block, self._roots)
                yield _folded(view.summary.line, "".join(map(_part, view.parts)))
            case ThinkingBlock(text):
                yield _folded(block_line(block), f"{markdown(text)}\n\n" if text.strip() else "")
            case NoticeBlock():
                yield f"*{inline(block_line(block))}*\n\n"
            case _:
                yield self._small(block)

    def _small(self, block: SmallBlock) -> str:
        body = block_body(block)
        return _folded(block_line(block), fenced(body) if body else "")


def _table(facts: Sequence[Fact]) -> str:
    rows = "".join(f"| {label} | {inline(value)} |\n" for label, value in facts)
    return f"| | |\n| --- | --- |\n{rows}\n"


def _folded(line: str, body: str) -> str:
    summary = html.escape(printable(line))
    if not body:
        return f"▸ {inline(line)}\n\n"
    return f"<details><summary>{summary}</summary>\n\n{body}</details>\n\n"


def _part(part: CallPart) -> str:
    text = "\n".join(map(diff_text, part.diff)) if part.diff else part.text
    return f"**{inline(part.label)}**\n\n{fenced(text, part.language)}"


def fenced(text: str, language: str = "") -> str:
    """Text as it is, in a fence that is longer than any run of backticks in it."""
    lines = printable(text, multiline=True).rstrip("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in _RUN.findall(lines)), default=0))
    return f"{fence}{language}\n{lines}\n{fence}\n\n"


def inline(text: str) -> str:
    """Text in one line, in which nothing is Markdown; to stand behind something else."""
    return _SPECIAL.sub(r"\\\1", printable(text)).replace("\\<", "&lt;").replace("\\&", "&amp;")


def markdown(text: str) -> str:
    """Markdown of someone else's as a part of ours."""
    written: list[str] = []
    block: list[str] | None = None
    fence = language = ""
    for line in printable(text, multiline=True).strip("\n").split("\n"):
        found = _FENCE.fullmatch(line)
        if block is None and found:
            fence = found[1] or found[3]
            named = _LANGUAGE.match((found[2] or found[4] or "").strip())
            block, language = [], named[0] if named else ""
        elif block is None:
            written.append(_text_line(line, bool(written and written[-1].strip())))
        elif line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            written.append(_own_block(block, language, written))
            block = None
        else:
            block.append(line)
    if block is not None:
        written.append(_own_block(block, language, written))
    return "\n".join(written).rstrip("\n")


def _own_block(lines: list[str], language: str, before: Sequence[str]) -> str:
    """A fenced block at the left edge, where it ends nowhere but at its own end, whatever list it stood in."""
    gap = "\n" if before and before[-1].strip() else ""
    return gap + fenced("\n".join(lines), language).removesuffix("\n")


def _text_line(line: str, follows_text: bool) -> str:
    if heading := _HEADING.match(line):
        level = min(6, len(heading[2]) + _LEVELS)
        line = f"{heading[1]}{'#' * level}{line[heading.end() :]}"
    elif underline := _UNDERLINE.fullmatch(line):
        # It would make a heading of our size of the line before; a rule of dashes is one of asterisks as well.
        rule = underline[2][0] == "-" and len(underline[2]) >= _RULE
        if rule:
            line = f"{underline[1]}***"
        elif follows_text or underline[2][0] == "=":
            line = f"{underline[1]}\\{underline[2]}"
    if "<" not in line and "`" not in line and "![" not in line:
        return line
    return _neutral(line)


def _neutral(line: str) -> str:
    """A line without HTML and pictures; code stays where it begins and ends in this line, other backticks are text."""
    written: list[str] = []
    at = 0
    ends: dict[int, list[int]] = {}
    for run in reversed(list(_RUN.finditer(line))):
        ends.setdefault(len(run[0]), []).append(run.start())
    while found := _INLINE.search(line, at):
        written.append(line[at : found.start()])
        mark, at = found[0], found.end()
        if mark[0] == "`":
            later = ends.get(len(mark), [])
            while later and later[-1] < at:
                later.pop()
            code = line[at : later[-1]] if later else ""
            if later and not ("|" in code and "<" in code):  # the cells of a table cut code in two
                written += (mark, code, mark)
                at = later[-1] + len(mark)
            else:
                written.append("\\`" * len(mark))
        else:
            written.append("&lt;" if mark == "<" else "\\!" if mark == "!" else mark)
    return "".join(written) + line[at:]
