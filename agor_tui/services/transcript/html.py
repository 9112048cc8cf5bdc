"""A transcript as one HTML file: nothing in it is loaded from anywhere, and nothing that was said in it is markup.

Its only style is the sheet beside this module, which the policy in the head names by its hash; there are no scripts, no
pictures and no links but those to its own headings. Markdown is rendered by a parser that takes HTML for text.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterator, MutableMapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from agor_tui.records import Block, NoticeBlock, TextBlock, ThinkingBlock, ToolCall
from agor_tui.services.tools.diff import DiffLine
from agor_tui.services.transcript.blocks import block_body, block_line
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
from agor_tui.statuses import status_glyph
from agor_tui.text import printable, title_text

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MOST_MARKDOWN = 32_000
"""Characters that are rendered; longer texts stay as they are, since rendering can take time beyond all bounds."""
_OPEN_LINES = 12
"""Changes of up to so many lines stand open."""
_ROLES = ("user", "assistant", "system")


class HtmlWriter:
    """Pieces of transcripts as one HTML document."""

    def __init__(self) -> None:
        self._roots: tuple[str, ...] = ()
        self._sessions = 0
        self._several = False

    def head(self, titles: Sequence[str]) -> Iterator[str]:
        """The head of the document, and where there are several sessions their names."""
        self._several = len(titles) > 1
        title = f"{len(titles):,} sessions" if self._several else titles[0]
        yield _HEAD.format(policy=_policy(), title=escaped(title), sheet=_sheet())
        if self._several:
            yield f"<nav><h1>{escaped(title)}</h1><ol>"
            for number, each in enumerate(titles, 1):
                yield f'<li><a href="#s{number}">{escaped(each)}</a></li>'
            yield "</ol></nav>\n"

    def piece(self, piece: Piece) -> Iterator[str]:
        """One piece of a session."""
        match piece:
            case Opening():
                yield from self._opening(piece)
            case TaskOpening():
                yield f'<h2 id="s{self._sessions}t{piece.number}">{escaped(task_heading(piece))}</h2>\n'
                yield _facts(task_facts(piece.detail), "task")
                for label, text in task_texts(piece.detail):
                    yield f'<div class="said"><b>{label}</b>{_prose(text)}</div>\n'
            case Entry():
                yield from self._entry(piece)

    def foot(self) -> Iterator[str]:
        """The end of the document."""
        yield "</main></body></html>\n"

    def _opening(self, opening: Opening) -> Iterator[str]:
        self._roots = opening.roots
        self._sessions += 1
        session = opening.session
        yield f'<header id="s{self._sessions}"><h1>{escaped(title_text(session.title))}</h1>\n'
        yield _facts(session_facts(opening), "session")
        if opening.description:
            yield f'<div class="said">{_prose(opening.description)}</div>\n'
        if len(opening.tasks) > 1:
            yield "<details><summary>Tasks</summary><ol>"
            for number, task in enumerate(opening.tasks, 1):
                name = escaped(f"{status_glyph(task.status)} {title_text(task.title)}")
                yield f'<li><a href="#s{self._sessions}t{number}">{name}</a></li>'
            yield "</ol></details>\n"
        yield "</header>\n"

    def _entry(self, entry: Entry) -> Iterator[str]:
        role = entry.role if entry.role in _ROLES else "other"
        kind = f"{role}{' nested' if entry.nested else ''}{' more' if entry.goes_on else ''}"
        yield f'<article class="{kind}">'
        if not entry.goes_on:
            facts = "".join(f" <span>{escaped(fact)}</span>" for fact in (minute(entry.time), entry.remark) if fact)
            yield f"<h3>{escaped(entry.speaker)}{facts}</h3>\n"
        for block in entry.blocks:
            yield from self._block(block, role)
        yield "</article>\n"

    def _block(self, block: Block, role: str) -> Iterator[str]:
        match block:
            case TextBlock(text):
                yield f'<div class="said">{_prose(text, keep_breaks=role == "user")}</div>\n'
            case ToolCall():
                view = view_of(block, self._roots)
                summary = view.summary
                name = f"<b>{escaped(summary.name)}</b> <code>{escaped(summary.subject)}</code>"
                facts = "".join(f" <span>{escaped(fact)}</span>" for fact in summary.facts)
                short = any(part.diff and len(part.diff) <= _OPEN_LINES for part in view.parts)
                yield _folded(name + facts, "".join(map(_part, view.parts)), failed=summary.failed, opened=short)
            case ThinkingBlock(text):
                body = f'<div class="said">{_prose(text)}</div>' if text.strip() else ""
                yield _folded(escaped(block_line(block)), body, kind="thought")
            case NoticeBlock():
                yield f'<p class="notice">{escaped(block_line(block))}</p>\n'
            case _:
                body = block_body(block)
                yield _folded(escaped(block_line(block)), _plain(body) if body else "")


def escaped(text: str) -> str:
    """Text in one line as HTML."""
    return html.escape(printable(text))


def _plain(text: str, kind: str = "") -> str:
    """Text as it is."""
    attribute = f' class="{kind}"' if kind else ""
    return f"<pre{attribute}>{html.escape(printable(text, multiline=True).strip(chr(10)))}</pre>"


def _facts(facts: Sequence[Fact], kind: str) -> str:
    rows = "".join(f"<div><dt>{label}</dt><dd>{escaped(value)}</dd></div>" for label, value in facts)
    return f'<dl class="{kind}">{rows}</dl>\n'


def _folded(line: str, body: str, *, kind: str = "tool", failed: bool = False, opened: bool = False) -> str:
    """A line, and what unfolds under it; ``line`` and ``body`` are HTML."""
    classes = f"{kind} failed" if failed else kind
    if not body:
        return f'<p class="{classes}">{line}</p>\n'
    return f'<details class="{classes}"{" open" if opened else ""}><summary>{line}</summary>{body}</details>\n'


def _part(part: CallPart) -> str:
    kind = "failed" if part.label == "Error" else ""
    body = _changed(part.diff) if part.diff else _plain(part.text, kind)
    return f'<p class="label">{escaped(part.label)}</p>{body}'


def _changed(lines: Sequence[DiffLine]) -> str:
    rows = "".join(
        f'<span class="{line.kind}">{html.escape(printable(diff_text(line), multiline=True))}\n</span>'
        for line in lines
    )
    return f'<pre class="diff">{rows}</pre>'


def _prose(text: str, *, keep_breaks: bool = False) -> str:
    """Markdown as HTML."""
    safe = printable(text, multiline=True)
    if len(safe) > _MOST_MARKDOWN:
        return _plain(safe)
    rendered: str = _parser(keep_breaks).render(safe)
    return rendered


@lru_cache(maxsize=2)
def _parser(keep_breaks: bool) -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "xhtmlOut": False, "breaks": keep_breaks}).enable(
        ["table", "strikethrough"]
    )
    for name, rule in (
        ("heading_open", _lower_heading),
        ("heading_close", _lower_heading),
        ("link_open", _no_link),
        ("link_close", _link_target),
        ("image", _no_picture),
        ("th_open", _cell),
        ("td_open", _cell),
        ("fence", _code),
        ("code_block", _code),
    ):
        parser.add_render_rule(name, rule)
    return parser


def _lower_heading(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    level = min(6, int(tokens[at].tag[1:]) + 3)
    return f"<h{level}>" if tokens[at].nesting > 0 else f"</h{level}>\n"


def _no_link(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: MutableMapping[str, Any]) -> str:
    env.setdefault("links", []).append(str(tokens[at].attrGet("href") or ""))
    return '<span class="link">'


def _link_target(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: MutableMapping[str, Any]) -> str:
    target = env["links"].pop()
    shown = tokens[at - 1].content if at else ""
    return "</span>" if shown == target else f'</span> <span class="target">{html.escape(target)}</span>'


def _no_picture(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    token = tokens[at]
    name = " · ".join(part for part in (token.content, str(token.attrGet("src") or "")) if part)
    return f'<span class="target">[picture: {html.escape(name)}]</span>'


def _cell(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    style = str(tokens[at].attrGet("style") or "")
    kind = next((f' class="{side}"' for side in ("right", "center") if side in style), "")
    return f"<{tokens[at].tag}{kind}>"


def _code(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    return f"<pre>{html.escape(tokens[at].content.rstrip(chr(10)))}</pre>\n"


@lru_cache(maxsize=1)
def _sheet() -> str:
    return resources.files("agor_tui.services.transcript").joinpath("transcript.css").read_text("utf-8")


def _policy() -> str:
    """What a browser may do with the file: apply this very style sheet, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_sheet().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="agor-tui">
<title>{title}</title>
<style>{sheet}</style>
</head>
<body><main>
"""
