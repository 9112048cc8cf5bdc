"""Markdown and code as lines: nothing raises, nothing is wider than the screen, nothing acts on the terminal."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from agor_tui.text import printable
from agor_tui.tui.widgets.code import code_lines
from agor_tui.tui.widgets.ink import Ink
from agor_tui.tui.widgets.prose import fold, markdown_lines, strip_of
from agor_tui.tui.widgets.tool_body import plain_part

INK = Ink(**{part.name: Style(color="red", bold=part.name == "heading") for part in fields(Ink)})


def drawn(text: str, width: int = 60) -> list[str]:
    return [line.plain.rstrip() for line in markdown_lines(text, width, INK)]


_SMALL = (
    "# h", "- a", "  - b", "1. x", "> q", ">>> q", "```py", "```", "***", "`c`", "**b**", "[l](u)", "![i](s)",
    "<b>x</b>", "    code", "\t", "~~s~~", "- [x] t", "", "|a|b|", "|-|-:|",
)  # fmt: skip
_LARGE = ("|" * 40, "日本語" * 9, "word " * 30, "x" * 90, "1" * 12 + ". n")
PIECES = st.sampled_from((*_SMALL, *_LARGE))


@settings(max_examples=200)
@given(st.lists(PIECES | st.text(max_size=30), max_size=14).map("\n".join), st.integers(8, 90))
def test_any_markdown_fits(text: str, width: int) -> None:
    for line in markdown_lines(printable(text, multiline=True), width, INK):
        assert cell_len(line.plain.rstrip()) <= max(width, 24)
        assert "\n" not in line.plain
        assert strip_of(line).cell_length == cell_len(line.plain)


@given(st.text(max_size=300).map(lambda text: printable(text, multiline=True).replace("\n", " ")), st.integers(8, 40))
def test_folding_keeps_every_character(text: str, width: int) -> None:
    pieces = fold(text, width)
    assert "".join(pieces) == text
    assert all(cell_len(piece) <= width for piece in pieces)


def test_parts_of_a_document() -> None:
    text = "# Top\n\nPara *one*\nsame line.\n\n- [x] done\n- [ ] open\n\n5. five\n6. six\n\n> quoted\n\n---\n"
    assert drawn(text) == [
        "Top", "", "Para one same line.", "", "• ☑ done", "• ☐ open", "", "5. five", "6. six", "", "▎ quoted", "",
        "─" * 60,
    ]  # fmt: skip


def test_links_and_html_are_text() -> None:
    assert drawn("[label](https://e.org/x) <https://e.org> <script>alert(1)</script> <!-- c -->") == [
        "label (https://e.org/x) https://e.org",
        "<script>alert(1)</script> <!-- c -->",
    ]
    assert all(not segment.style or segment.style.link is None for line in markdown_lines("[a](b)", 60, INK)
               for segment in strip_of(line))  # fmt: skip


def test_a_wide_table_is_stacked() -> None:
    head = "|" + "|".join(f"c{n}" for n in range(12)) + "|\n" + "|-" * 12 + "|\n" + "|" + "|".join("v" * 12) + "|"
    assert drawn(head, 40)[:2] == ["c0: v", "c1: v"]


def test_code_is_coloured_only_when_short() -> None:
    short = code_lines("def f():\n    return 1", "python", 80, INK)
    assert any(line.spans for line in short)
    assert not any(line.spans for line in code_lines("x = 1\n" * 10_000, "python", 80, INK))
    assert [line.plain for line in code_lines("a\n\n\tb", "no-such-language", 80, INK)] == ["a", "", "    b"]


@pytest.mark.parametrize("text", ["x" * 400_000, "\x1b[31m\r" * 50_000, "日" * 200_000, "a\n" * 200_000])
def test_only_what_is_shown_is_looked_at(text: str) -> None:
    part = plain_part(text, 80, 20, Style())
    assert len(part.lines) == 20
    assert part.hidden > 0
    assert not any("\x1b" in line.plain for line in part.lines)
