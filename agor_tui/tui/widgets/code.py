"""Code as lines, coloured by its language where it is short enough for that."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells
from rich.style import Style
from rich.text import Text

from agor_tui.tui.widgets.ink import Ink

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_MOST_COLOURED = 20_000
"""Characters that are given to a lexer at once, about 20 ms of its work; longer code stays plain."""

_LONGEST_COLOURED_LINE = 2_000
_LEAST_WIDTH = 8


def fenced_lines(code: str, language: str, width: int, ink: Ink) -> list[Text]:
    """A block of code on its own ground, ``width`` cells wide with one cell of margin on each side."""
    lines: list[Text] = []
    for line in code_lines(code, language, width - 2, ink):
        padded = Text.assemble(" ", line, " " * max(1, width - 1 - cell_len(line.plain)))
        padded.stylize_before(ink.fence)
        lines.append(padded)
    return lines


def code_lines(code: str, language: str, width: int, ink: Ink) -> list[Text]:
    """Code in lines of at most ``width`` cells; ``language`` is a lexer's name or a file name, empty for none."""
    text = _coloured(code.expandtabs(4), language, ink)
    lines: list[Text] = []
    for line in text.split("\n", allow_blank=True):
        lines += folded(line, width)
    return lines


def folded(line: Text, width: int) -> list[Text]:
    """Cut a line into pieces of at most ``width`` cells, keeping every space."""
    width = max(width, _LEAST_WIDTH)
    if cell_len(line.plain) <= width:
        return [line]
    offsets, at = [], 0
    for piece in chop_cells(line.plain, width)[:-1]:
        at += len(piece)
        offsets.append(at)
    return list(line.divide(offsets))


def _coloured(code: str, language: str, ink: Ink) -> Text:
    text = Text(code, ink.text)
    if not language or len(code) > _MOST_COLOURED:
        return text
    lexer = _lexer(language)
    if lexer is None or max(map(len, code.split("\n"))) > _LONGEST_COLOURED_LINE:
        return text
    at = 0
    for kind, value in lexer.get_tokens(code):
        style = _token_style(str(kind), ink)
        if style is not None:
            text.stylize(style, at, at + len(value))
        at += len(value)
    return text


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
    from pygments.util import ClassNotFound

    options = {"stripnl": False, "ensurenl": False}
    try:
        if "." in language:
            return get_lexer_for_filename(language.rsplit("/", 1)[-1], **options)
        return get_lexer_by_name(language.lower(), **options)
    except ClassNotFound:
        return None


_TOKENS = (
    ("Token.Comment", "comment"),
    ("Token.Keyword", "keyword"),
    ("Token.Operator.Word", "keyword"),
    ("Token.Literal.String", "string"),
    ("Token.Literal.Number", "number"),
    ("Token.Name.Tag", "keyword"),
    ("Token.Name.Attribute", "number"),
    ("Token.Name.Function", "function"),
    ("Token.Name.Class", "function"),
    ("Token.Name.Decorator", "number"),
    ("Token.Name.Builtin", "keyword"),
    ("Token.Name.Constant", "number"),
    ("Token.Generic.Deleted", "removed"),
    ("Token.Generic.Inserted", "added"),
    ("Token.Generic.Heading", "heading"),
    ("Token.Generic.Subheading", "muted"),
    ("Token.Generic.Prompt", "muted"),
)


@lru_cache(maxsize=256)
def _token_name(kind: str) -> str | None:
    return next((name for prefix, name in _TOKENS if kind.startswith(prefix)), None)


def _token_style(kind: str, ink: Ink) -> Style | None:
    name = _token_name(kind)
    if name is None:
        return None
    style = getattr(ink, name)
    assert isinstance(style, Style)
    return style
