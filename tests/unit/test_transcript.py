"""Transcripts: what was said can do nothing to the document that it stands in, in any format."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from agor_tui.records import (
    AttachmentBlock,
    Block,
    NoticeBlock,
    RequestBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    UnknownBlock,
)
from agor_tui.services.transcript import text as transcript_text
from agor_tui.services.transcript.html import HtmlWriter
from agor_tui.services.transcript.markdown import MarkdownWriter, fenced, markdown
from agor_tui.services.transcript.text import TextWriter, wrapped
from agor_tui.services.transcript.walk import Entry

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)><!-- </style></pre></details></article></main>"
    "\"'> ![p](http://evil/p.png) [l](javascript:alert(1)) <http://evil> [r]: http://evil `<b>` &lt;"
)
AWKWARD = (HOSTILE, "\x1b[31m red \x9b31m\x00\x07\r\n over", "half \ud83e and \udc4d", "\u202egnp.exe", "x" * 50_000)

_PIECES = (
    *("`", "``", "```", "````", "~~~", "<script>", "</details>", "<!--", "![x](http://e)", "[l](javascript:a)"),
    *("# ", "## top", "\n", "\n\n", "- ", "  ", "    ", "> ", "===", "---", "\\", "[a]: <b>", "1. ", "\t", "*", "_"),
    *("| a | b |\n| --- | --- |\n", "| ` | <b> ` |", "&lt;", "<http://a>", "word", "``` js\n", "<b", ">", "!", "["),
)
MARKUP = st.lists(st.sampled_from(_PIECES), max_size=14).map("".join)


def all_blocks(text: str) -> tuple[Block, ...]:
    """A block of each sort, made of ``text`` wherever it can hold any."""
    return (
        TextBlock(text),
        ThinkingBlock(text),
        ToolCall("c", text, {text: text, "deep": [text]}, "error", text),
        ToolCall(
            "d", "Edit", {"file_path": text, "old_string": text, "new_string": f"{text}\nmore"}, "completed", "ok"
        ),
        ToolCall("e", "Bash", {"command": text}, "completed", text),
        ToolCall("f", "TodoWrite", {"todos": [{"content": text, "status": "pending"}]}, "completed"),
        ToolResult("g", text, True),
        AttachmentBlock("image", text, text, 24_576),
        NoticeBlock(text, text),
        RequestBlock("permission", text, text, text),
        UnknownBlock(text, text),
    )


class Document(HTMLParser):
    """The elements, attributes and text of an HTML document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}
        if tag not in ("meta", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def html_of(*blocks: Block) -> str:
    writer = HtmlWriter()
    pieces = [*writer.head(["<Title> & 'more'"]), *writer.piece(Entry(HOSTILE, None, blocks, HOSTILE)), *writer.foot()]
    return "".join(pieces)


TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "article", "h3", "h4", "h5", "h6", "span", "div", "p"),
    *("pre", "code", "b", "details", "summary", "ul", "ol", "li", "em", "strong", "s", "blockquote", "br", "hr"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


def check_html(text: str) -> Document:
    found = Document(text)
    assert found.open == []
    assert found.tags <= TAGS
    names = {name for name, _ in found.attributes}
    assert names <= {"lang", "charset", "http-equiv", "content", "name", "class", "open", "start"}
    return found


@pytest.mark.parametrize("text", AWKWARD)
def test_nothing_breaks_out_of_html(text: str) -> None:
    found = check_html(html_of(*all_blocks(text)))
    assert not set(found.text) & {chr(code) for code in range(32) if code != 10}
    found.text.encode()


@given(MARKUP)
def test_markdown_in_html_is_never_markup_of_its_own(text: str) -> None:
    check_html(html_of(TextBlock(text), TextBlock("the end")))


def test_html_loads_nothing_and_its_policy_names_the_one_sheet() -> None:
    import base64
    import hashlib

    written = html_of(TextBlock("[here](https://example.org/a?b&c) and ![p](https://example.org/p.png)"))
    sheet = re.search("<style>(.*)</style>", written, re.DOTALL)
    assert sheet
    digest = base64.b64encode(hashlib.sha256(sheet[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert ("content", policy) in Document(written).attributes
    assert "url(" not in sheet[1]
    assert "@import" not in sheet[1]
    assert "here (https" not in written
    assert '<span class="link">here</span> <span class="target">https://example.org/a?b&amp;c</span>' in written


def rendered(text: str) -> tuple[list[Any], list[str], list[str]]:
    """The tokens of Markdown as a viewer that takes HTML reads it; its headings of our levels, its HTML."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = parser.parse(text)
    ours = [
        inline.content
        for opening, inline in pairwise(tokens)
        if opening.type == "heading_open" and opening.tag in ("h1", "h2", "h3")
    ]
    parts = [part for token in tokens for part in (token, *(token.children or ()))]
    return parts, ours, [part.content.strip() for part in parts if part.type in ("html_block", "html_inline")]


@given(MARKUP)
@example("- a\n  ```\n<script>\n```\n")
@example("> ```\n<script>")
@example("`\n`<script>`")
@example("| a | b |\n| --- | --- |\n| ` | <b> ` |")
@example("a\n---\nb\n===")
@example("```\n````\n<b>")
def test_text_in_markdown_stays_below_our_headings_and_brings_no_html(text: str) -> None:
    parts, ours, html = rendered(f"### Before\n\n{markdown(text)}\n\n### After\n")
    assert ours == ["Before", "After"]
    assert html == []
    assert "image" not in {part.type for part in parts}


@pytest.mark.parametrize("text", AWKWARD)
def test_nothing_breaks_out_of_markdown(text: str) -> None:
    blocks = all_blocks(text)
    written = "".join(MarkdownWriter().piece(Entry("user", None, blocks))) + "### After\n"
    _, ours, html = rendered(written)
    assert ours == ["User", "After"]
    summaries = [each for each in html if each != "</details>"]
    assert all(re.fullmatch("<details><summary>[^<>]*</summary>", each) for each in summaries)
    assert len(summaries) == len(html) // 2 >= 7


@given(st.text("`~a\n", max_size=40))
def test_a_fence_is_longer_than_any_in_it(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(f"{fenced(text)}after")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content.rstrip("\n") == text.rstrip("\n")


def test_code_in_a_list_stays_code() -> None:
    assert markdown("1. so:\n   ```tsx\n   <A b={1}/>\n   ```\n2. `<B/>` and <C/>") == (
        "1. so:\n\n```tsx\n   <A b={1}/>\n```\n\n2. `<B/>` and &lt;C/>"
    )


@pytest.mark.parametrize("text", AWKWARD)
def test_plain_text_is_harmless_and_narrow(text: str) -> None:
    written = "".join(TextWriter().piece(Entry("user", None, all_blocks(text))))
    written.encode()
    assert not set(written) & {chr(code) for code in range(32) if code != 10}
    assert max(map(transcript_text.cells, written.splitlines())) <= 100


@given(st.text(st.sampled_from(string.ascii_letters + " 日👍\n"), max_size=400))
def test_wrapping_loses_nothing_but_spaces(text: str) -> None:
    lines = list(wrapped(text, "> ", "  "))
    assert all(transcript_text.cells(line) <= 100 for line in lines)
    assert "".join(line[2:] for line in lines).replace(" ", "") == text.replace("\n", "").replace(" ", "")


def test_a_call_nested_too_deeply_is_still_written() -> None:
    deep: Any = "core"
    for _ in range(5_000):
        deep = [deep]
    call = ToolCall("c", "odd", {"deep": deep}, "completed", "done")
    for writer in (MarkdownWriter(), HtmlWriter(), TextWriter()):
        assert "done" in "".join(writer.piece(Entry("assistant", None, (call,))))
