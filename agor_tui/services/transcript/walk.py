"""A session as a document, whatever it is written as: its facts, its tasks, and who said and did what in them.

What comes out of here is text as it was stored: a writer makes it harmless for its own format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

from agor_tui.records import Block, Message, Session, SessionDetail, Task, TaskDetail, TextBlock, ToolCall, Turn
from agor_tui.services.conversation import in_pieces
from agor_tui.services.tools.block_text import json_text, todo_tick
from agor_tui.services.tools.diff import DiffLine, diff_of
from agor_tui.services.tools.names import CONTENT_KEYS, PATH_KEYS, arguments, command_text, first_text, kind_of
from agor_tui.services.tools.names import todo_items as todo_items_of
from agor_tui.services.tools.summary import ToolSummary, summarise
from agor_tui.statuses import status_glyph, status_word
from agor_tui.text import count, duration, money, title_text, tokens

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

PIECE = 50
"""Messages that are in memory at a time, but for those that a call's result is looked for in."""

Fact = tuple[str, str]
"""What something is called, and what it is."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a session is: the head of its transcript."""

    detail: SessionDetail
    ancestors: tuple[Session, ...]
    children: tuple[Session, ...]
    tasks: tuple[Task, ...]

    @property
    def session(self) -> Session:
        """The session itself."""
        return self.detail.session

    @property
    def description(self) -> str:
        """What the session says of itself beside its title and its first prompt, which some programs put there."""
        text = self.detail.description or ""
        known = (self.session.title, *(task.title for task in self.tasks[:1]))
        return "" if text.strip() in known else text

    @property
    def roots(self) -> tuple[str, ...]:
        """The folder names behind which paths are shown."""
        return tuple(root for root in (self.session.worktree, (self.session.repo or "").rpartition("/")[2]) if root)


@dataclass(frozen=True, slots=True)
class TaskOpening:
    """Where a task begins: the ``number``-th of ``total``, counted from 1."""

    detail: TaskDetail
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What one speaker said and did in one message; ``remark`` is what else is to be said of it, or empty."""

    role: str
    time: datetime | None
    blocks: tuple[Block, ...]
    remark: str = ""
    nested: bool = False
    """Whether a sub-agent said it, or was told it."""
    goes_on: bool = False
    """Whether the entry before it is of the same speaker and minute: it needs no heading."""

    @property
    def speaker(self) -> str:
        """The role, and whether it is a sub-agent's."""
        return f"{self.role} (sub-agent)" if self.nested else self.role


Piece = Opening | TaskOpening | Entry


def walk(browser: Browser, session_id: str, passed: Callable[[], None]) -> Iterator[Piece]:
    """A session from its head to its last message, a few messages in memory at a time.

    ``passed`` is called after each message; what it raises ends the walk. A task without messages comes last, with
    its prompt.

    Raises:
        AgorError: as the browser does.
    """
    opening = opening_of(browser, session_id)
    yield opening
    numbers = {task.id: number for number, task in enumerate(opening.tasks, 1)}
    left = dict(numbers)
    turns = in_pieces(partial(browser.conversation, opening.session.id), 0, PIECE)
    before: tuple[str, str, str] | None = None
    for turn in turns:
        if turn.task is not None and left.pop(turn.task.id, None) is not None:
            yield TaskOpening(browser.task_detail(turn.task.id), numbers[turn.task.id], len(numbers))
            before = None
        for entry in entries_of(turn):
            heading = (entry.speaker, minute(entry.time), entry.remark)
            yield replace(entry, goes_on=heading == before)
            before = heading
        passed()
    for task_id, number in left.items():
        detail = browser.task_detail(task_id)
        yield TaskOpening(detail, number, len(numbers))
        if detail.prompt:
            yield _prompt(detail.prompt, detail.task)


def opening_of(browser: Browser, session_id: str) -> Opening:
    """The head of a session's transcript."""
    detail = browser.session_detail(session_id)
    found = detail.session.id
    return Opening(detail, browser.ancestors(found), browser.children(found), browser.tasks_of(found))


def entries_of(turn: Turn) -> Iterator[Entry]:
    """What is said in a turn: the prompt that only its task holds, then the message where it shows anything."""
    if turn.prompt is not None:
        yield _prompt(turn.prompt, turn.task)
    message = turn.message
    if message.blocks:
        nested = message.parent_tool_id is not None
        yield Entry(message.role, message.timestamp, message.blocks, _remark(message), nested)


def _prompt(text: str, task: Task | None) -> Entry:
    return Entry("user", task.created_at if task else None, (TextBlock(text),))


def _remark(message: Message) -> str:
    remarks = [message.type] if message.type != message.role else []
    remarks += ["queued"] if message.queued else []
    remarks += ["taken back"] if message.reverted else []
    return " · ".join(remarks)


def minute(time: datetime | None) -> str:
    """``2026-11-21 14:02``, or nothing for no time."""
    return f"{time:%Y-%m-%d %H:%M}" if time else ""


def session_facts(opening: Opening) -> list[Fact]:
    """What there is to say of a session; what its store does not know is left out."""
    detail, row = opening.detail, opening.session
    known = {session.id: session for session in opening.ancestors}
    facts = [
        ("Session", row.id),
        ("Status", _status(row.status, row.store_status)),
        ("Tool", row.tool),
        ("Model", row.model or ""),
        ("Repository", row.repo or ""),
        ("Branch", row.branch or ""),
        ("Worktree", row.worktree or ""),
        ("Board", row.board or ""),
        ("Archived", "yes" if row.archived else ""),
        ("Created", _moment(row.created_at)),
        ("Updated", _moment(row.updated_at)),
        ("By", detail.created_by_name or row.created_by or ""),
        ("Tasks", count(row.task_count)),
        ("Messages", count(row.message_count)),
        ("Tokens", _tokens((row.tokens_input, "in"), (row.tokens_output, "out"))),
        ("Cost", money(row.cost) if row.cost is not None else ""),
        ("Context", _context(detail)),
        ("Spawned from", _named(row.parent_id, known)),
        ("Forked from", _named(row.forked_from_id, known)),
    ]
    direct = (row.parent_id, row.forked_from_id)
    facts += [("Further back", _title(session)) for session in opening.ancestors if session.id not in direct]
    facts += [("Led to", _title(session)) for session in opening.children]
    return [(label, value) for label, value in facts if value]


def task_facts(detail: TaskDetail) -> list[Fact]:
    """What there is to say of a task, but for its texts."""
    row = detail.task
    cache = (detail.tokens_cache_read, "read from cache"), (detail.tokens_cache_write, "written to cache")
    facts = [
        ("Status", _status(row.status, row.store_status)),
        ("Took", "" if row.duration_ms is None else duration(row.duration_ms)),
        ("Started", _moment(row.started_at or row.created_at)),
        ("Model", row.model or ""),
        ("Tools used", "" if row.tool_use_count is None else count(row.tool_use_count)),
        ("Tokens", _tokens((detail.tokens_input, "in"), (detail.tokens_output, "out"), *cache)),
        ("Cost", money(detail.cost) if detail.cost is not None else ""),
        ("Commits", " → ".join(part for part in (detail.sha_start, detail.sha_end) if part)),
    ]
    return [(label, value) for label, value in facts if value]


def task_texts(detail: TaskDetail) -> list[Fact]:
    """The texts about a task that stand nowhere in its conversation."""
    return [(label, text) for label, text in (("Error", detail.error), ("Report", detail.report)) if text]


def task_heading(opening: TaskOpening) -> str:
    """``Task 1 of 3 · Make it re-raise``."""
    return f"Task {opening.number:,} of {opening.total:,} · {title_text(opening.detail.task.title)}"


def _status(status: str, store_status: str) -> str:
    own = f" ({store_status})" if store_status != status else ""
    return f"{status_glyph(status)} {status_word(status)}{own}"


def _moment(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC" if time else ""


def _tokens(*parts: tuple[int | None, str]) -> str:
    return " · ".join(f"{tokens(number)} {word}" for number, word in parts if number is not None)


def _context(detail: SessionDetail) -> str:
    if detail.context_used is None:
        return ""
    limit = detail.context_limit
    share = f" of {tokens(limit)} ({round(100 * detail.context_used / limit)} %)" if limit else ""
    return f"{tokens(detail.context_used)}{share}"


def _named(session_id: str | None, known: dict[str, Session]) -> str:
    if session_id is None:
        return ""
    return _title(known[session_id]) if session_id in known else session_id


def _title(session: Session) -> str:
    return f"{title_text(session.title)} · {session.id}"


@dataclass(frozen=True, slots=True)
class CallPart:
    """A part of a tool call: its ``text``, or the lines of a ``diff``; ``language`` is what a fence calls the text."""

    label: str
    text: str = ""
    language: str = ""
    diff: tuple[DiffLine, ...] = ()


@dataclass(frozen=True, slots=True)
class CallView:
    """A tool call for a reader: one line, then what was asked and what came back."""

    summary: ToolSummary
    parts: tuple[CallPart, ...]


def view_of(call: ToolCall, roots: Sequence[str]) -> CallView:
    """A tool call for a reader; paths of the one line are shown behind ``roots``."""
    parts = [*_asked(call)]
    if call.output:
        parts.append(CallPart("Error" if call.status == "error" else "Result", call.output))
    return CallView(summarise(call, roots), tuple(parts))


def _asked(call: ToolCall) -> Iterator[CallPart]:
    values = arguments(call.input)
    kind = kind_of(call.name, values)
    changed = diff_of(call)
    path = first_text(values, PATH_KEYS) or ""
    if kind == "shell" and (command := command_text(values)):
        yield CallPart("Command", command, "sh")
    elif kind == "todo" and (items := todo_items_of(values)):
        yield CallPart("List", "\n".join(f"{todo_tick(status)} {text}" for text, status in items))
    elif kind == "write" and changed and not call.diff:
        yield CallPart(path or "Content", first_text(values, CONTENT_KEYS) or "")
    elif changed:
        yield CallPart(path or "Change", language="diff", diff=changed)
    elif kind == "agent" and (prompt := first_text(values, ("prompt", "task", "instructions"))):
        yield CallPart("Prompt", prompt)
    elif text := json_text(call.input):
        yield CallPart("Input", text, "" if isinstance(call.input, str) else "json")


_SIGNS: dict[Literal["added", "removed", "context", "hunk", "file"], str] = {
    "added": "+",
    "removed": "-",
    "context": " ",
    "hunk": "",
    "file": "*** ",
}


def diff_text(line: DiffLine) -> str:
    """A line of a change with its sign, as a unified diff has it."""
    return f"{_SIGNS[line.kind]}{line.text}"
