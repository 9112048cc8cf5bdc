"""Text folded to a width, and Markdown as lines. Markup, HTML and links in the text are shown, never acted upon."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from io import StringIO
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from agor_tui.cells import break_offsets
from agor_tui.tui.widgets.code import fenced_lines
from agor_tui.tui.widgets.ink import Ink

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

_CONSOLE = Console(file=StringIO(), width=80, color_system="truecolor", legacy_windows=False)
"""Only asked for its settings by Rich; nothing is printed to it."""

_LEAST_WIDTH = 8
_LEAST_COLUMN = 5


def strip_of(line: Text) -> Strip:
    """A line ready to be drawn. (``Text.render`` alone forgets the style of a text without spans.)"""
    if not line.spans:
        style = line.style if isinstance(line.style, Style) else None
        return Strip([Segment(line.plain, style)])
    return Strip(line.render(_CONSOLE))


def wrap(text: Text, width: int) -> list[Text]:
    """Break a text into lines of at most ``width`` cells; see ``break_offsets``."""
    width = max(width, _LEAST_WIDTH)
    lines = []
    for line in text.split(allow_blank=True):
        line.expand_tabs(4)
        for piece in line.divide(break_offsets(line.plain, width)):
            piece.rstrip_end(width)
            lines.append(piece)
    return lines


def fold(line: str, width: int) -> list[str]:
    """Cut one line into pieces of at most ``width`` cells, keeping every space."""
    width = max(width, _LEAST_WIDTH)
    if line.isascii():
        return [line[start : start + width] for start in range(0, len(line), width)] or [""]
    return chop_cells(line, width) or [""]


def indented(lines: Iterable[Text], first: Text, rest: Text) -> list[Text]:
    """Put ``first`` before the first line and ``rest`` before the others."""
    result: list[Text] = []
    for line in lines:
        start = first if not result else rest
        result.append(Text.assemble(start, line))
    return result


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def markdown_lines(
    text: str, width: int, ink: Ink, *, keep_breaks: bool = False, style: Style | None = None
) -> list[Text]:
    """Render Markdown to lines of at most ``width`` cells; ``keep_breaks`` keeps the line ends of a paragraph."""
    from markdown_it.tree import SyntaxTreeNode

    root = SyntaxTreeNode(_parser().parse(text))
    return _Markdown(ink, keep_breaks, style or ink.text).blocks(root.children, width)


class _Markdown:
    def __init__(self, ink: Ink, keep_breaks: bool, style: Style) -> None:
        self.ink = ink
        self.keep_breaks = keep_breaks
        self.style = style

    def blocks(self, nodes: Sequence[SyntaxTreeNode], width: int, *, tight: bool = False) -> list[Text]:
        lines: list[Text] = []
        width = max(width, _LEAST_WIDTH)
        for node in nodes:
            block = self.block(node, width)
            if lines and block and not tight:
                lines.append(Text())
            lines += block
        return lines

    def block(self, node: SyntaxTreeNode, width: int) -> list[Text]:
        match node.type:
            case "paragraph":
                return wrap(self.inline(node.children), width)
            case "heading":
                style = self.ink.heading + self.ink.accent if node.tag in ("h1", "h2") else self.ink.heading
                return wrap(self.inline(node.children, style), width)
            case "fence" | "code_block":
                return fenced_lines(node.content.rstrip("\n"), node.info.partition(" ")[0], width, self.ink)
            case "bullet_list" | "ordered_list":
                return self.list_(node, width)
            case "blockquote":
                bar = Text("▎ ", self.ink.faint)
                quoted = _Markdown(self.ink, self.keep_breaks, self.ink.muted)
                return indented(quoted.blocks(node.children, width - 2), bar, bar)
            case "table":
                return self.table(node, width)
            case "hr":
                return [Text("─" * width, self.ink.rule)]
            case "inline":
                return wrap(self.inline([node]), width)
        return wrap(Text(node.content, self.style), width) if node.content else []

    def list_(self, node: SyntaxTreeNode, width: int) -> list[Text]:
        number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
        last = str(number + len(node.children) - 1) if number is not None else ""
        tight = all(child.hidden for item in node.children for child in item.children if child.type == "paragraph")
        lines: list[Text] = []
        for item in node.children:
            mark = "• " if number is None else f"{number}. ".rjust(len(last) + 2)
            body = self.blocks(item.children, width - len(mark), tight=tight) or [Text()]
            body = self.ticked(body)
            if lines and not tight:
                lines.append(Text())
            lines += indented(body, Text(mark, self.ink.muted), Text(" " * len(mark)))
            number = None if number is None else number + 1
        return lines

    def ticked(self, body: list[Text]) -> list[Text]:
        """Draw the box of a task list's item."""
        for mark, box in (("[ ] ", "☐ "), ("[x] ", "☑ "), ("[X] ", "☑ ")):
            if body[0].plain.startswith(mark):
                return [Text.assemble((box, self.ink.muted), body[0][len(mark) :]), *body[1:]]
        return body

    def inline(self, nodes: Iterable[SyntaxTreeNode], style: Style | None = None) -> Text:
        text = Text()
        for node in nodes:
            self.span(node, style or self.style, text)
        return text

    def span(self, node: SyntaxTreeNode, style: Style, text: Text) -> None:
        match node.type:
            case "text":
                text.append(node.content, style)
            case "softbreak":
                text.append("\n" if self.keep_breaks else " ", style)
            case "hardbreak":
                text.append("\n", style)
            case "code_inline":
                text.append(node.content, style + self.ink.code)
            case "em":
                self.spans(node, style + Style(italic=True), text)
            case "strong":
                self.spans(node, style + Style(bold=True), text)
            case "s":
                self.spans(node, style + Style(strike=True), text)
            case "link":
                start = len(text)
                self.spans(node, style, text)
                target = str(node.attrs.get("href", ""))
                if target and target != text.plain[start:]:
                    text.append(" (", self.ink.muted)
                    text.append(target, self.ink.link)
                    text.append(")", self.ink.muted)
                else:
                    text.stylize(self.ink.link, start)
            case "image":
                text.append(f"▣ {node.content or 'image'}", style)
                text.append(f" ({node.attrs.get('src', '')})", self.ink.muted)
            case _ if node.children:
                self.spans(node, style, text)
            case _:
                text.append(node.content, style)

    def spans(self, node: SyntaxTreeNode, style: Style, text: Text) -> None:
        for child in node.children:
            self.span(child, style, text)

    def table(self, node: SyntaxTreeNode, width: int) -> list[Text]:
        rows = [
            [self.inline(cell.children, self.ink.heading if cell.type == "th" else None) for cell in row.children]
            for part in node.children
            for row in part.children
        ]
        columns = max(len(row) for row in rows)
        widths = [max((cell_len(row[at].plain) for row in rows if at < len(row)), default=1) for at in range(columns)]
        room = width - 3 * (columns - 1)
        if room < columns * _LEAST_COLUMN:
            return self.stacked(rows, width)
        while sum(widths) > room:
            widest = max(range(columns), key=widths.__getitem__)
            others = sum(widths) - widths[widest]
            second = max((w for at, w in enumerate(widths) if at != widest), default=0)
            widths[widest] = max(room - others, second - 1, _LEAST_COLUMN, 1)
        right = [_is_right(row) for row in node.children[0].children[0].children]
        bar = Text(" │ ", self.ink.rule)
        lines: list[Text] = []
        for number, row in enumerate(rows):
            cells = [wrap(cell, widths[at]) or [Text()] for at, cell in enumerate(row)]
            cells += [[Text()]] * (columns - len(row))
            for at in range(max(len(cell) for cell in cells)):
                pieces = [cell[at] if at < len(cell) else Text() for cell in cells]
                lines.append(bar.join(_padded(p, w, r) for p, w, r in zip(pieces, widths, right, strict=False)))
            if number == 0:
                lines.append(Text("─┼─".join("─" * w for w in widths), self.ink.rule))
        return lines

    def stacked(self, rows: list[list[Text]], width: int) -> list[Text]:
        """A table that is too wide for its columns: each row as its headings and values."""
        head, lines = rows[0], list[Text]()
        for row in rows[1:]:
            for name, value in zip(head, row, strict=False):
                lines += wrap(Text.assemble(name, ": ", value), width)
            lines.append(Text())
        return lines[:-1]


def _is_right(cell: SyntaxTreeNode) -> bool:
    return "right" in str(cell.attrs.get("style", ""))


def _padded(text: Text, width: int, right: bool) -> Text:
    space = " " * max(0, width - cell_len(text.plain))
    return Text.assemble(space, text) if right else Text.assemble(text, space)
