"""The Details tab: everything that the store says of a session, the row itself as JSON at the end."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from agor_tui.cells import cell_len
from agor_tui.errors import AgorError
from agor_tui.records import Detail, DetailGroup, SessionDetail
from agor_tui.statuses import status_glyph
from agor_tui.text import count, money, printable
from agor_tui.tui.moments import Moments
from agor_tui.tui.pager import open_text
from agor_tui.tui.widgets.ink import INK_CLASSES, Ink, ink_css
from agor_tui.tui.widgets.lines_view import Lines, LinesView
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.prose import fold, wrap
from agor_tui.tui.widgets.session_pane import SessionPane
from agor_tui.tui.widgets.turn_lines import Local

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

_BAR = 10
_LABEL = 22
_LONGEST_VALUE = 4_000
_MOST_JSON_LINES = 5_000
_LONGEST_JSON_LINE = 2_000
_JSON = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<string>"(?:[^"\\]|\\.)*"?)|(?P<number>-?\d[\d.eE+-]*)|(?P<keyword>true|false|null)'
)
_DETAILS = Binding.Group("Details")


class DetailsView(LinesView):
    """The lines of the tab."""

    COMPONENT_CLASSES = set(INK_CLASSES)
    DEFAULT_CSS = ink_css("DetailsView")


class DetailsPane(SessionPane):
    """Facts in groups, then the raw JSON."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open_json", "JSON in pager", id="details.pager", tooltip="Read the raw JSON", group=_DETAILS),
        Binding("y", "copy_json", "copy JSON", id="details.copy", tooltip="Copy the raw JSON", group=_DETAILS),
    ]

    def __init__(self, moments: Moments, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._moments = moments
        self._detail: SessionDetail | None = None

    def compose(self) -> ComposeResult:
        """One view."""
        view = DetailsView()
        view.notice = Notice("Reading the details…", "", "esc goes back", "muted")
        yield view

    @property
    def view(self) -> DetailsView:
        """The lines."""
        return self.query_one(DetailsView)

    def fill(self, browser: Browser, detail: SessionDetail) -> None:
        """Show the details, which the screen has read already."""
        again = self._detail is not None and self._detail.session.id == detail.session.id
        self._detail = detail
        local = self._moments.local
        self.view.show(lambda width: detail_lines(detail, width, Ink.of(self.view), local), keep=again)

    def redraw(self) -> None:
        """Times are shown in another way."""
        detail = self._detail
        if detail is not None:
            local = self._moments.local
            self.view.show(lambda width: detail_lines(detail, width, Ink.of(self.view), local), keep=True)

    def fail(self, error: AgorError) -> None:
        """Say why there are none."""
        self.view.say(Notice(error.title, error.message, error.hint or "R tries again, esc goes back", "error"))

    def take_focus(self) -> None:
        """The keys go to the view."""
        self.view.focus()

    def _json(self) -> str:
        return printable(raw_json(self._detail.raw), multiline=True) if self._detail else ""

    def action_open_json(self) -> None:
        """Open the raw JSON in the pager."""
        if self._detail is not None:
            open_text(self.app, "raw JSON", self._json())

    def action_copy_json(self) -> None:
        """Copy the raw JSON."""
        if self._detail is not None:
            self.app.copy_to_clipboard(self._json())
            self.notify("Copied the raw JSON.", timeout=2)


def detail_lines(detail: SessionDetail, width: int, ink: Ink, local: Local) -> Lines:
    """The groups with their labels and values, then the JSON; lines of at most ``width`` cells."""
    lines: list[Text] = []
    if detail.description:
        lines += [
            Text(),
            *_indented(wrap(Text(printable(detail.description, 4_000, multiline=True), ink.text), width - 2)),
        ]
    for group in (session_facts(detail), *detail.groups):
        if group.details:
            lines += [Text(), Text(f" {printable(group.title, 200).upper()}", ink.name)]
            for each in group.details:
                lines += _fact(each, width, ink, local)
    lines += [Text(), Text(" RAW JSON", ink.name)]
    source = raw_json(detail.raw).split("\n")
    for line in source[:_MOST_JSON_LINES]:
        lines += [_coloured(piece, ink) for piece in _pieces(line, width - 2)]
    if len(source) > _MOST_JSON_LINES:
        lines.append(Text(f" … {len(source) - _MOST_JSON_LINES:,} more lines: o opens all of it", ink.accent))
    return lines


def session_facts(detail: SessionDetail) -> DetailGroup:
    """What every store says of a session; a fact that this one lacks is left out."""
    session = detail.session
    status = session.status if session.status == session.store_status else f"{session.status} ({session.store_status})"
    who = detail.created_by_name or session.created_by
    facts: tuple[tuple[str, Any], ...] = (
        ("id", session.id),
        ("status", f"{status_glyph(session.status)} {status}"),
        ("agent", session.tool),
        ("model", session.model),
        ("created", session.created_at),
        ("updated", session.updated_at),
        ("created by", who),
        ("repository", session.repo),
        ("worktree", session.worktree),
        ("branch", session.branch),
        ("board", session.board),
        ("spawned from", session.parent_id),
        ("forked from", session.forked_from_id),
        ("children", detail.child_count or None),
        ("tasks", session.task_count),
        ("messages", session.message_count),
        ("tokens", _tokens(session.tokens_input, session.tokens_output)),
        ("cost", None if session.cost is None else money(session.cost)),
        ("context", _context(detail)),
        ("archived", session.archived or None),
    )
    return DetailGroup("session", tuple(Detail(label, value) for label, value in facts if value not in (None, "")))


def _tokens(given: int | None, got: int | None) -> str:
    return "" if given is None and got is None else f"{count(given)} in · {count(got)} out"


def _context(detail: SessionDetail) -> str:
    """How much of the model's context window is used, drawn and in figures."""
    used, limit = detail.context_used, detail.context_limit
    if used is None:
        return ""
    if not limit:
        return count(used)
    share = max(0.0, min(1.0, used / limit))
    full = round(share * _BAR)
    return f"{'▇' * full}{'▁' * (_BAR - full)} {share:.0%} · {count(used)} of {count(limit)}"


def raw_json(raw: dict[str, Any]) -> str:
    """A row as JSON, two spaces to a level."""
    return json.dumps(raw, ensure_ascii=False, indent=2, default=str)


def _fact(detail: Detail, width: int, ink: Ink, local: Local) -> list[Text]:
    value = detail.value
    if value is None or value == "" or value == [] or value == {}:
        text = Text("–", ink.faint)
    elif isinstance(value, bool):
        text = Text("yes" if value else "no", ink.text)
    elif isinstance(value, int | float):
        text = Text(f"{value:,}", ink.text)
    elif isinstance(value, str):
        text = Text(printable(value, _LONGEST_VALUE, multiline=True).rstrip("\n"), ink.text)
    elif hasattr(value, "astimezone"):
        text = Text(f"{local(value):%Y-%m-%d %H:%M:%S}", ink.text)
    elif isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value):
        text = Text(printable(", ".join(map(str, value)), _LONGEST_VALUE), ink.text)
    else:
        body = json.dumps(value, ensure_ascii=False, indent=2, default=str)
        text = Text(printable(body, _LONGEST_VALUE, multiline=True), ink.text)
    label = printable(detail.label, 60)
    space = " " * max(1, _LABEL - cell_len(label))
    if width < _LABEL * 2:
        return [Text(f"  {label}", ink.muted), *(Text.assemble("    ", line) for line in wrap(text, width - 4))]
    room = width - _LABEL - 3
    first = Text.assemble("  ", (label, ink.muted), space)
    rest = Text(" " * first.cell_len)
    body_lines = wrap(text, min(room, width - first.cell_len)) or [Text()]
    return [Text.assemble(rest if at else first, line) for at, line in enumerate(body_lines)]


def _indented(lines: list[Text]) -> list[Text]:
    return [Text.assemble(" ", line) for line in lines]


def _pieces(line: str, width: int) -> list[str]:
    cut = line if len(line) <= _LONGEST_JSON_LINE else f"{line[:_LONGEST_JSON_LINE]} … {len(line):,} characters"
    return [f" {piece}" for part in printable(cut, multiline=True).split("\n") for piece in fold(part, width)]


def _coloured(line: str, ink: Ink) -> Text:
    text = Text(line, ink.muted)
    styles = {"key": ink.text, "string": ink.string, "number": ink.number, "keyword": ink.keyword}
    for match in _JSON.finditer(line):
        if match.lastgroup is not None:
            text.stylize(styles[match.lastgroup], *match.span())
    return text
