"""The two lines that say which session this is, and its tabs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from agor_tui.cells import cell_len, fit
from agor_tui.records import Session
from agor_tui.statuses import Tone, status_glyph, status_tone, status_word
from agor_tui.text import count, money, printable, title_text, tokens
from agor_tui.tui.moments import Moments
from agor_tui.tui.session_columns import tool_name, where
from agor_tui.tui.tones import tones_of
from agor_tui.tui.widgets.table_lines import draw_spans
from agor_tui.tui.widgets.turn_lines import span

Tab = Literal["conversation", "tasks", "tree", "details"]

_TITLES: tuple[tuple[Tab, str], ...] = (
    ("conversation", "Conversation"),
    ("tasks", "Tasks"),
    ("tree", "Tree"),
    ("details", "Details"),
)
_GAP = 2
LEAST = 12
"""Cells of the place; where there are fewer, nothing is said beside the tabs."""
Spans = list[tuple[str, Tone]]


class SessionHeading(Widget):
    """Short id, title and status; place, tool and figures; the tabs at the right of the second line."""

    DEFAULT_CSS = "SessionHeading { height: 3; background: $background; }"
    ALLOW_SELECT = False

    session: reactive[Session | None] = reactive(None)
    """The session, None until it was read."""
    tab: reactive[Tab] = reactive("conversation")
    """The tab that is seen."""
    secrets: reactive[bool] = reactive(False)
    """Whether the secrets in it are shown."""

    @dataclass
    class TabSelected(Message):
        """A tab was clicked."""

        tab: Tab

    def __init__(self, session_id: str, tab: Tab, moments: Moments) -> None:
        super().__init__()
        self._session_id = session_id
        self._moments = moments
        self.set_reactive(SessionHeading.tab, tab)

    def render_line(self, y: int) -> Strip:
        """The title, the facts and the tabs, a rule."""
        width = self.size.width
        style = tones_of(self.app).style
        if y == 2:
            return Strip(self._rule(width), width)
        right = self._status() if y == 0 else self._tabs()
        room = width - sum(cell_len(text) for text, _ in right) - 1
        left = self._title() if y == 0 else self._facts(room)
        return Strip([*draw_spans(left, max(room, 0), style), *draw_spans(right, width - max(room, 0), style)], width)

    def _rule(self, width: int) -> list[Segment]:
        """The rule; under the tab that is seen it is heavy."""
        style = tones_of(self.app).style
        start, end = self._places(width)[self.tab]
        return [
            Segment("─" * start, style("rule")),
            Segment("━" * (end - start), style("accent")),
            Segment("─" * (width - end), style("rule")),
        ]

    def _title(self) -> Spans:
        session = self.session
        if session is None:
            return [(f" {printable(self._session_id, 40)}", "muted")]
        title = title_text(session.title, 500)
        return [(f" {printable(session.short_id, 40)}", "muted"), (" · ", "faint"), (title, "strong")]

    def _status(self) -> Spans:
        session = self.session
        if session is None:
            return []
        glyph = f"  {status_glyph(session.status)} "
        spans: Spans = [(glyph, status_tone(session.status)), (status_word(session.status), "text")]
        if self.secrets:
            spans = [("  SECRETS ARE SHOWN", "error"), *spans]
        return [*spans, (" · archived", "warning")] if session.archived else spans

    def _facts(self, room: int) -> Spans:
        """Facts in ``room`` cells, in order of worth; what does not fit whole is left out."""
        session = self.session
        if session is None or room < LEAST:
            return []
        number = f"{count(session.message_count)} message{'' if session.message_count == 1 else 's'}"
        io = session.tokens_input is not None or session.tokens_output is not None
        facts: list[tuple[str, Tone]] = [
            (tool_name(session.tool), "muted"),
            (number, "muted"),
            (printable(session.model or "", 40), "muted"),
            (self._times(session), "muted"),
            (f"{tokens(session.tokens_input)} in, {tokens(session.tokens_output)} out" if io else "", "faint"),
            (money(session.cost) if session.cost is not None else "", "faint"),
            (printable(session.branch or "", 60) if session.branch != session.worktree else "", "faint"),
        ]
        place = fit(where(session), max(room * 2 // 5, LEAST))
        spans: Spans = [(" ", "text"), (place, "text")]
        room -= cell_len(place) + 1
        for text, tone in facts:
            if text and cell_len(text) + 3 <= room:
                spans += [(" · ", "faint"), (text, tone)]
                room -= cell_len(text) + 3
        return spans

    def _times(self, session: Session) -> str:
        """When it began, and how long ago its last change was after that."""
        begun = session.created_at
        if begun is None:
            return ""
        local, now = self._moments.local(begun), self._moments.now()
        year = "" if local.year == now.year else f" {local.year}"
        day = "" if local.date() == now.date() else f"{local.day} {local:%b}{year} "
        text = f"started {day}{local:%H:%M}"
        if session.updated_at is not None and session.updated_at > begun:
            text += f", {span(round((session.updated_at - begun).total_seconds() * 1_000))}"
        return text

    def _tabs(self) -> Spans:
        spans: Spans = [("  ", "text")]
        for at, (tab, title) in enumerate(_TITLES):
            gap: Spans = [(" " * _GAP, "text")] if at else []
            spans += [*gap, (title, "accent" if tab == self.tab else "muted")]
        return spans

    def _places(self, width: int) -> dict[Tab, tuple[int, int]]:
        x = width - 1 - sum(cell_len(text) for text, _ in self._tabs()) + 2
        places: dict[Tab, tuple[int, int]] = {}
        for tab, title in _TITLES:
            places[tab] = (max(x, 0), max(x, 0) + len(title))
            x += len(title) + _GAP
        return places

    def on_click(self, event: events.Click) -> None:
        """Go to the tab that was hit."""
        if event.y >= 1:
            for tab, (start, end) in self._places(self.size.width).items():
                if start - 1 <= event.x <= end:
                    event.stop()
                    self.post_message(self.TabSelected(tab))
