"""The Tree tab: the session's whole family, from the topmost ancestor down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.message import Message

from agor_tui.errors import AgorError
from agor_tui.records import Session, SessionDetail, TreeNode
from agor_tui.statuses import Tone, status_glyph, status_tone, status_word
from agor_tui.text import count, printable, title_text
from agor_tui.tui.asking import ask
from agor_tui.tui.moments import CELLS, Moments
from agor_tui.tui.session_columns import tool_name, where
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.session_pane import SessionPane
from agor_tui.tui.widgets.table_columns import Column, Spans
from agor_tui.tui.widgets.table_pages import ListSource

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

READING = Notice("Reading the family…", "", "esc goes back", "muted")
_DEEPEST = 16
"""Levels that are indented; deeper ones say how deep they are."""


@dataclass(frozen=True, slots=True, eq=False)
class TreeRow:
    """A session of the tree with the lines that lead to it; ``key`` is its place among the rows.

    Not compared by contents: a family may be deeper than Python can compare.
    """

    key: str
    lead: str
    node: TreeNode
    here: bool
    missing: str = ""
    """In place of a session: how many of the family are not shown here, above ``node`` or below it."""


class TreePane(SessionPane):
    """Spawned and forked sessions under those they came from; ``enter`` opens one."""

    @dataclass
    class SessionChosen(Message):
        """A session of the family was opened."""

        session: Session

    def __init__(self, moments: Moments, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._moments = moments
        self._request = 0
        self._asking = False
        self._shown = False

    def compose(self) -> ComposeResult:
        """The tree as a list."""
        table: RecordTable[TreeRow] = RecordTable(tree_columns(self._moments), lambda row: row.key)
        table.notice = READING
        yield table

    def redraw(self) -> None:
        """Times are shown in another way."""
        self.table.set_columns(tree_columns(self._moments))

    @property
    def table(self) -> RecordTable[TreeRow]:
        """The list."""
        return self.query_one(RecordTable)

    @property
    def busy(self) -> bool:
        """Whether the family is awaited."""
        return self._asking

    def fill(self, browser: Browser, detail: SessionDetail) -> None:
        """Read the family."""
        self._request += 1
        request, session_id = self._request, detail.session.id
        self._asking = not self._shown

        def done(root: TreeNode) -> None:
            if request == self._request:
                self._asking = False
                rows = tuple(tree_rows(root, session_id))
                if self._shown:
                    self.table.renew(ListSource(rows))
                else:
                    self._shown = True
                    at = next((number for number, row in enumerate(rows) if row.here), 0)
                    self.table.show(ListSource(rows), index=at)

        ask(self, lambda: browser.tree(session_id), done, lambda error: self._failed(request, error))

    def fail(self, error: AgorError) -> None:
        """Say why there is no tree."""
        self._failed(self._request, error)

    def _failed(self, request: int, error: AgorError) -> None:
        if request == self._request:
            self._asking = False
            self.table.say(Notice(error.title, error.message, error.hint or "R tries again, esc goes back", "error"))

    def take_focus(self) -> None:
        """The keys go to the tree."""
        self.table.focus()

    @on(RecordTable.Selected)
    def _selected(self, event: RecordTable.Selected[TreeRow]) -> None:
        event.stop()
        if not event.record.missing:
            self.post_message(self.SessionChosen(event.record.node.session))


def tree_rows(root: TreeNode, current: str) -> Iterator[TreeRow]:
    """The tree from top to bottom. A loop and not a recursion, for a family may be a thousand generations deep."""
    if root.above:
        yield TreeRow("above", "", root, False, f"{count(root.above)} more above")
    waiting: list[tuple[TreeNode, tuple[bool, ...], int]] = [(root, (), 0)]
    number = 0
    while waiting:
        node, lasts, more = waiting.pop()
        if more:
            yield TreeRow(f"{number} below", f"{_stem(lasts)}╰── ", node, False, f"{count(more)} more")
            number += 1
            continue
        yield TreeRow(f"{number} {node.session.id}", _lead(node, lasts), node, node.session.id == current)
        number += 1
        below = [*((child, 0) for child in node.children), *([(node, node.more)] if node.more else [])]
        last = len(below) - 1
        waiting += [
            (child, (*lasts[-_DEEPEST:], at == last), hidden)
            for at, (child, hidden) in reversed(tuple(enumerate(below)))
        ]


def _stem(lasts: tuple[bool, ...]) -> str:
    stem = "".join("   " if last else "│  " for last in lasts[:-1])
    return f"⋯ {stem[-3 * _DEEPEST + 5 :]}" if len(lasts) > _DEEPEST else stem


def _lead(node: TreeNode, lasts: tuple[bool, ...]) -> str:
    """The lines before a title: a spawned session hangs on a whole line, a forked one on a dotted line."""
    if not lasts:
        return ""
    stem = _stem(lasts)
    line = "┄┄" if node.relation == "forked" else "──"
    return f"{stem}{'╰' if lasts[-1] else '├'}{line}{'◇' if node.relation == 'forked' else '▸'} "


def tree_columns(moments: Moments) -> tuple[Column[TreeRow], ...]:
    """The columns of a family tree."""
    return (
        Column("title", "FAMILY", _title, least=32, ideal=70),
        Column("relation", "CAME", _of_session(_relation), least=7, ideal=8, gives_way=1),
        Column("id", "ID", _of_session(_id), least=8, ideal=16, gives_way=3, fits=True),
        Column("status", "STATUS", _of_session(_status), least=2, ideal=12, gives_way=2, brief="ST"),
        Column("tool", "TOOL", _muted(lambda session: tool_name(session.tool)), 5, 11, gives_way=6, fits=True),
        Column("where", "WHERE", _muted(where), 12, 26, gives_way=7),
        Column("messages", "M", _muted(lambda session: count(session.message_count)), 3, 9, gives_way=5,
               right=True, fits=True),
        Column("age", "AGE", _muted(lambda session: moments.cell(session.updated_at)), 4, CELLS,
               gives_way=4, right=True, fits=True),
    )  # fmt: skip


def _of_session(spans: Callable[[TreeRow], Spans]) -> Callable[[TreeRow], Spans]:
    """What a column shows of a row that is a session; nothing of one that says how many are missing."""
    return lambda row: (("", "text"),) if row.missing else spans(row)


def _muted(text: Callable[[Session], str]) -> Callable[[TreeRow], Spans]:
    return _of_session(lambda row: ((text(row.node.session), "muted"),))


def _title(row: TreeRow) -> Spans:
    if row.missing:
        return ((row.lead, "faint"), (f"… {row.missing}", "warning"))
    title = title_text(row.node.session.title, 300)
    repeated = row.node.repeated
    lead: Spans = ((row.lead, "faint"), *((("… ", "warning"),) if repeated else ()))
    if row.here and not repeated:
        return (*lead, (title, "strong"), ("  ← this one", "accent"))
    tone: Tone = "muted" if row.node.session.archived or repeated else "text"
    said: Spans = (("  stands above", "warning"),) if repeated else ()
    return (*lead, (title, tone), *said)


def _id(row: TreeRow) -> Spans:
    return ((printable(row.node.session.short_id, 64), "muted"),)


def _relation(row: TreeRow) -> Spans:
    relation = row.node.relation
    return (("–" if relation == "root" else relation, "faint" if relation == "root" else "muted"),)


def _status(row: TreeRow) -> Spans:
    status = row.node.session.status
    return ((f"{status_glyph(status)} ", status_tone(status)), (printable(status_word(status), 20), "muted"))
