"""The selected session beside the list: what it is, its tasks and the last thing said."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from agor_tui.cells import fit, wrapped
from agor_tui.errors import AgorError
from agor_tui.statuses import Tone, status_glyph, status_tone, status_word
from agor_tui.text import count, duration, money, printable, title_text, tokens
from agor_tui.tui.asking import ask
from agor_tui.tui.moments import Moments
from agor_tui.tui.session_columns import tool_name, where
from agor_tui.tui.tones import tones_of
from agor_tui.tui.widgets.table_columns import Spans
from agor_tui.tui.widgets.table_lines import draw_spans

if TYPE_CHECKING:
    from agor_tui.records import Session, Task
    from agor_tui.services.browser import Browser
    from agor_tui.services.glance import Glance

PAUSE = 0.08
"""Seconds that the cursor must rest before the selected session is read."""
MOST_TASKS = 12
MOST_TEXT = 2000
"""Characters of the last message."""
MARGIN = 1
BAR = 10

Lines = list[Spans]


class SessionPanel(ScrollView, can_focus=False):
    """Shows one session: at once what the list knows of it, the rest when it is there.

    It draws its own lines, so that a cursor that runs through the list costs no layout.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    SessionPanel { overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    """

    def __init__(self, moments: Moments) -> None:
        super().__init__()
        self._moments = moments
        self._session: Session | None = None
        self._browser: Browser | None = None
        self._rest: Timer | None = None
        self._facts: Glance | None = None
        self._error: AgorError | None = None
        self._lines: Lines = []

    @property
    def filled(self) -> bool:
        """Whether all of the session is shown, not only what the list knows of it."""
        return self._facts is not None

    def select(self, session: Session | None, browser: Browser | None) -> None:
        """Show what the list knows of a session, and the rest from its database when the cursor has come to rest."""
        if session is not self._session or browser is not self._browser:
            same = session is not None and self._session is not None and session.id == self._session.id
            same = same and browser is self._browser
            self._session, self._browser = session, browser
            if not same:
                self._facts = None
                self._error = None
                self.scroll_to(y=0, animate=False)
            self.redraw()
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(PAUSE, self._fill)

    def _fill(self) -> None:
        session, browser = self._session, self._browser
        if session is None or browser is None:
            return
        from agor_tui.services.glance import glance

        session_id = session.id

        def asked_still() -> bool:
            return self._session is not None and self._session.id == session_id and self._browser is browser

        def failed(error: AgorError) -> None:
            if asked_still():
                self._error = error
                self.redraw()

        def filled(found: Glance) -> None:
            if asked_still():
                self._facts, self._error = found, None
                self.redraw()

        ask(self, lambda: glance(browser, session_id), filled, failed)

    def on_resize(self) -> None:
        """Lines are fitted to the width."""
        self.redraw()
        self.refresh()

    def redraw(self) -> None:
        """Draw anew; ages have changed."""
        width = self.scrollable_content_region.width - 2 * MARGIN
        old = self._lines
        self._lines = session_lines(self._session, self._facts, self._error, self._moments, max(8, width))
        self.virtual_size = Size(width, max(self.size.height, len(self._lines)))
        for y, (before, after) in enumerate(zip_longest(old, self._lines)):
            if before != after:
                self.refresh_line(y)

    def render_line(self, y: int) -> Strip:
        """One line."""
        index = self.scroll_offset.y + y
        line = self._lines[index] if index < len(self._lines) else ()
        width = self.scrollable_content_region.width
        return draw_spans(((" " * MARGIN, "text"), *line), width, tones_of(self.app).style)


def session_lines(
    session: Session | None, facts: Glance | None, error: AgorError | None, moments: Moments, width: int
) -> Lines:
    """The panel's lines, each fitted to ``width`` cells."""
    if session is None:
        return []
    lines = _wrapped(title_text(session.title, 500), "strong", width)
    lines += [((printable(session.id, 80), "faint"),), ()]
    word = printable(status_word(session.status), 40)
    lines.append(
        (
            (f"{status_glyph(session.status)} ", status_tone(session.status)),
            (word, "text"),
            (f" · {moments.text(session.updated_at)}{' · archived' if session.archived else ''}", "muted"),
        )
    )
    lines.append(((_dotted(tool_name(session.tool), printable(session.model or "", 60)), "muted"),))
    branch = session.branch if session.branch != session.worktree else None
    lines.append(((where(session), "muted"), (f"  {printable(branch, 100)}" if branch else "", "faint")))
    if session.board:
        lines.append((("board ", "faint"), (printable(session.board, 100), "muted")))
    lines += _genealogy(session, facts)
    lines += _figures(session, facts)
    if error is not None:
        return [*lines, (), *_wrapped(printable(error.message), "error", width)]
    return lines + (_rest(facts, width) if facts else [])


def _genealogy(session: Session, facts: Glance | None) -> Lines:
    parent = f"spawned from {printable(session.parent_id, 13)}" if session.parent_id else ""
    fork = f"forked from {printable(session.forked_from_id, 13)}" if session.forked_from_id else ""
    number = facts.detail.child_count if facts else 0
    children = "" if not number else "1 child" if number == 1 else f"{count(number)} children"
    words = _dotted(parent, fork, children)
    return [((words, "muted"),)] if words else []


def _figures(session: Session, facts: Glance | None) -> Lines:
    flow = ""
    if session.tokens_input is not None or session.tokens_output is not None:
        flow = f"{tokens(session.tokens_input)} in · {tokens(session.tokens_output)} out"
    figures = _dotted(flow, money(session.cost) if session.cost is not None else "")
    lines: Lines = [((figures, "muted"),)] if figures else []
    detail = facts.detail if facts else None
    if detail and detail.context_used is not None and detail.context_limit:
        share = max(0.0, min(1.0, detail.context_used / detail.context_limit))
        full = round(share * BAR)
        lines.append(
            (
                ("context ", "faint"),
                ("▇" * full, "accent"),
                ("▁" * (BAR - full), "faint"),
                (f" {share:.0%}", "muted"),
            )
        )
    return lines


def _rest(facts: Glance, width: int) -> Lines:
    lines: Lines = []
    description = printable(facts.detail.description or "", 600, multiline=True).strip()
    if description and description != printable(facts.detail.session.title, 600):
        lines += [(), *_wrapped(description, "muted", width)]
    lines += [(("─" * width, "rule"),), (("TASKS", "faint"), ("" if facts.tasks else "  none", "faint"))]
    hidden = max(0, len(facts.tasks) - MOST_TASKS)
    if hidden:
        lines.append(((f"  {count(hidden)} earlier", "faint"),))
    lines += [_task_line(task, width) for task in facts.tasks[hidden:]]
    lines += [(), (("LAST", "faint"), (f"  {printable(facts.role, 20)}" if facts.role else "  nothing said", "faint"))]
    return lines + _wrapped(printable(facts.last, MOST_TEXT, multiline=True).strip(), "text", width)


def _task_line(task: Task, width: int) -> Spans:
    number = task.tool_use_count
    tools = "" if not number else "1 tool" if number == 1 else f"{count(number)} tools"
    took = duration(task.duration_ms) if task.duration_ms is not None else ""
    right = "  ".join(part for part in (took, f"{tools:>8}") if part.strip())
    room = max(4, width - 2 - (cell_len(right) + 2 if right else 0))
    title = fit(title_text(task.title, 300), room)
    space = " " * max(0, width - 2 - cell_len(title) - cell_len(right))
    return (
        (f"{status_glyph(task.status)} ", status_tone(task.status)),
        (title, "text"),
        (space + right, "faint"),
    )


def _wrapped(text: str, tone: Tone, width: int) -> Lines:
    return [((line, tone),) for line in wrapped(text, width)] if text else []


def _dotted(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
