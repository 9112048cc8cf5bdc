"""The Tasks tab: the session's tasks, and all of the one under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer

from agor_tui.errors import AgorError
from agor_tui.records import SessionDetail, Task, TaskDetail
from agor_tui.statuses import status_glyph, status_tone, status_word
from agor_tui.text import NOTHING, count, money, printable, title_text, tokens
from agor_tui.tui.asking import ask
from agor_tui.tui.moments import CELLS, Moments
from agor_tui.tui.pager import open_text
from agor_tui.tui.widgets.ink import INK_CLASSES, Ink, ink_css
from agor_tui.tui.widgets.lines_view import Lines, LinesView
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.prose import markdown_lines, wrap
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.session_pane import SessionPane
from agor_tui.tui.widgets.table_columns import Column, Spans
from agor_tui.tui.widgets.table_pages import ListSource
from agor_tui.tui.widgets.tool_body import markdown_part
from agor_tui.tui.widgets.turn_lines import span

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

_TASKS = Binding.Group("Tasks")
_PAUSE = 0.08
"""Seconds that the cursor must rest before a task is read."""
_PAGER_WIDTH = 100
_LONGEST = 20_000
_MOST = 2_000

READING = Notice("Reading the tasks…", "", "esc goes back", "muted")
NO_TASKS = Notice("No tasks", "This session has no tasks, or its store keeps none.", "c shows the conversation")


class TaskDetailView(LinesView):
    """All of one task: figures, prompt, error, report."""

    COMPONENT_CLASSES = set(INK_CLASSES)
    DEFAULT_CSS = ink_css("TaskDetailView")


class TasksPane(SessionPane):
    """The tasks in the order they were asked, the queued ones last."""

    DEFAULT_CSS = """
    TasksPane { layout: vertical; }
    TasksPane RecordTable { height: 1fr; min-height: 4; }
    TasksPane TaskDetailView { height: 1fr; border-top: solid $rule; padding: 0 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open_task", "pager", id="tasks.pager", tooltip="Read all of the task in a pager", group=_TASKS),
        Binding("J", "scroll_task(1)", "scroll", show=False, id="tasks.down", tooltip="Scroll the task", group=_TASKS),
        Binding("K", "scroll_task(-1)", "back", show=False, id="tasks.up", tooltip="Scroll back", group=_TASKS),
    ]

    @dataclass
    class TaskChosen(Message):
        """A task was opened."""

        task: Task

    def __init__(self, moments: Moments, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._moments = moments
        self._browser: Browser | None = None
        self._request = 0
        self._asking = False
        self._rest: Timer | None = None
        self._read: dict[str, TaskDetail] = {}
        self._shown = False
        self._detailed: str | None = None
        """The task that all is shown of."""

    def compose(self) -> ComposeResult:
        """List and detail."""
        table: RecordTable[Task] = RecordTable(task_columns(self._moments), lambda task: task.id)
        table.notice = READING
        table.empty = NO_TASKS
        yield table
        yield TaskDetailView()

    def redraw(self) -> None:
        """Times are shown in another way."""
        self.table.set_columns(task_columns(self._moments))

    @property
    def table(self) -> RecordTable[Task]:
        """The list."""
        return self.query_one(RecordTable)

    @property
    def view(self) -> TaskDetailView:
        """The task under the cursor."""
        return self.query_one(TaskDetailView)

    @property
    def busy(self) -> bool:
        """Whether tasks are awaited."""
        return self._asking

    def fill(self, browser: Browser, detail: SessionDetail) -> None:
        """Read the tasks."""
        if browser is not self._browser:
            self._read, self._shown = {}, False
        self._browser = browser
        self._request += 1
        request, session_id = self._request, detail.session.id
        self._asking = not self._shown

        def done(tasks: tuple[Task, ...]) -> None:
            if request == self._request:
                self._asking = False
                self.view.display = bool(tasks)
                same = set(tasks)
                self._read = {id: known for id, known in self._read.items() if known.task in same}
                source = ListSource(in_order(tasks))
                (self.table.renew if self._shown else self.table.show)(source)
                self._shown = True

        ask(self, lambda: browser.tasks_of(session_id), done, lambda error: self._failed(request, error))

    def fail(self, error: AgorError) -> None:
        """Say why there are none."""
        self._failed(self._request, error)

    def _failed(self, request: int, error: AgorError) -> None:
        if request == self._request:
            self._asking = False
            self.view.display = False
            self.table.say(Notice(error.title, error.message, error.hint or "R tries again, esc goes back", "error"))

    def take_focus(self) -> None:
        """The keys go to the list."""
        self.table.focus()

    @on(RecordTable.Selected)
    def _selected(self, event: RecordTable.Selected[Task]) -> None:
        event.stop()
        self.post_message(self.TaskChosen(event.record))

    @on(RecordTable.Highlighted)
    def _highlighted(self, event: RecordTable.Highlighted[Task]) -> None:
        event.stop()
        if self._rest is not None:
            self._rest.stop()
        task = event.record
        if task is None:
            return
        if task.id in self._read:
            self._show(self._read[task.id])
        else:
            self._rest = self.set_timer(_PAUSE, lambda: self._read_task(task))

    def _read_task(self, task: Task) -> None:
        browser, request = self._browser, self._request
        if browser is None:
            return

        def is_wanted() -> bool:
            current = self.table.current
            return request == self._request and current is not None and current.id == task.id

        def done(detail: TaskDetail) -> None:
            self._read[task.id] = detail
            if is_wanted():
                self._show(detail)

        def failed(error: AgorError) -> None:
            if is_wanted():
                self.view.say(Notice(error.title, error.message, error.hint, "error"))

        ask(self, lambda: browser.task_detail(task.id), done, failed)

    def action_scroll_task(self, step: int) -> None:
        """Move the task under the cursor by half a page."""
        self.view.scroll_relative(y=step * max(1, self.view.size.height // 2), animate=False)

    def action_open_task(self) -> None:
        """Open all of the task under the cursor in the pager."""
        task = self.table.current
        detail = self._read.get(task.id) if task else None
        if detail is not None:
            lines = task_lines(detail, _PAGER_WIDTH, Ink.of(self.view))
            open_text(self.app, "task", "\n".join(line.plain.rstrip() for line in lines))

    def _show(self, detail: TaskDetail) -> None:
        again, self._detailed = detail.task.id == self._detailed, detail.task.id
        self.view.show(lambda width: task_lines(detail, width, Ink.of(self.view)), keep=again)


def in_order(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """Tasks as they were asked, those that wait in the queue last, in its order."""
    waiting = [task for task in tasks if task.queue_position is not None]
    return (
        *(task for task in tasks if task.queue_position is None),
        *sorted(waiting, key=lambda task: task.queue_position or 0),
    )


def task_columns(moments: Moments) -> tuple[Column[Task], ...]:
    """The columns of a session's tasks."""
    return (
        Column("id", "ID", lambda t: ((printable(t.short_id, 64), "faint"),), 8, 14, gives_way=5, fits=True),
        Column("status", "STATUS", _status, least=2, ideal=13, gives_way=1, brief="ST"),
        Column("title", "TITLE", _title, least=28, ideal=60),
        Column("runtime", "RUNTIME", _runtime, 7, 10, gives_way=2, right=True, fits=True),
        Column("tools", "TOOLS", _tools, 5, 6, gives_way=3, right=True, fits=True),
        Column("model", "MODEL", lambda t: ((printable(t.model or "–", 60), "faint"),), 6, 20, gives_way=6, fits=True),
        Column("age", "AGE", lambda t: ((moments.cell(t.created_at), "muted"),), 4, CELLS, gives_way=4, right=True,
               fits=True),
    )  # fmt: skip


def _status(task: Task) -> Spans:
    word = "queued" if task.queue_position is not None else status_word(task.status)
    return ((f"{status_glyph(task.status)} ", status_tone(task.status)), (printable(word, 20), "muted"))


def _title(task: Task) -> Spans:
    title = title_text(task.title, 300)
    queue: Spans = ((f"queued {task.queue_position} · ", "muted"),) if task.queue_position is not None else ()
    return (*queue, (title, "faint" if title == "untitled" else "text"))


def _runtime(task: Task) -> Spans:
    return ((NOTHING if task.duration_ms is None else span(task.duration_ms), "muted"),)


def _tools(task: Task) -> Spans:
    return ((count(task.tool_use_count), "muted"),)


def task_lines(detail: TaskDetail, width: int, ink: Ink) -> Lines:
    """All of a task in lines of ``width`` cells."""
    task = detail.task
    tone = {"success": ink.success, "error": ink.error, "warning": ink.warning, "accent": ink.accent}
    style = tone.get(status_tone(task.status), ink.muted)
    lines = wrap(Text(title_text(task.title, 500), ink.heading), width)
    lines.append(Text(printable(task.id, 80), ink.faint))
    lines.append(Text())
    store = "" if task.store_status == task.status else f" ({printable(task.store_status, 40)})"
    facts = [
        ("status", Text.assemble((f"{status_glyph(task.status)} ", style), f"{status_word(task.status)}{store}")),
        ("runtime", task.duration_ms is not None and span(task.duration_ms)),
        ("model", task.model and printable(task.model, 80)),
        ("tools", task.tool_use_count is not None and count(task.tool_use_count)),
        ("messages", count(detail.message_count)),
        ("tokens", _tokens(detail)),
        ("cache", _cache(detail)),
        ("cost", detail.cost is not None and money(detail.cost)),
        ("commits", _commits(detail)),
        ("queue", task.queue_position is not None and f"place {task.queue_position}"),
    ]
    for label, value in facts:
        if value:
            name = Text(f"{label:<10}", ink.faint)
            lines += wrap(Text.assemble(name, value if isinstance(value, Text) else (str(value), ink.text)), width)
    for title, text, body in (
        ("ERROR", detail.error, ink.error),
        ("REPORT", detail.report, ink.text),
        ("PROMPT", detail.prompt, ink.text),
    ):
        if text and text.strip():
            lines += [Text(), Text(title, ink.name)]
            if title == "PROMPT":
                safe = printable(text, _LONGEST, multiline=True)
                lines += markdown_lines(safe, width, ink, keep_breaks=True, style=body)[:_MOST]
            else:
                lines += markdown_part(text, width, ink, most=_MOST, characters=_LONGEST, style=body).lines
    return lines


def _tokens(detail: TaskDetail) -> str:
    if detail.tokens_input is None and detail.tokens_output is None:
        return ""
    return f"{tokens(detail.tokens_input)} in · {tokens(detail.tokens_output)} out"


def _cache(detail: TaskDetail) -> str:
    if detail.tokens_cache_read is None and detail.tokens_cache_write is None:
        return ""
    return f"{tokens(detail.tokens_cache_read)} read · {tokens(detail.tokens_cache_write)} written"


def _commits(detail: TaskDetail) -> str:
    start, end = (printable(sha or "", 12) for sha in (detail.sha_start, detail.sha_end))
    if not start and not end:
        return ""
    return f"{start[:10] or '–'} → {'unchanged' if start == end else end[:10] or '–'}"
