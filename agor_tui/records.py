"""The frozen records that cross the layers. Every ``datetime`` is aware and in UTC; a field the store lacks is None."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

R = TypeVar("R")

Kind = Literal["session", "task", "message", "board", "repo", "worktree", "user"]

SESSION_STATUSES = ("idle", "running", "awaiting_permission", "awaiting_input", "completed", "failed", "stopped")
TASK_STATUSES = ("created", "running", "awaiting_permission", "awaiting_input", "completed", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class Session:
    """One agent conversation. ``status`` is the common word, ``store_status`` the store's own; counts are of rows."""

    id: str
    short_id: str
    title: str
    status: str
    store_status: str
    tool: str
    created_at: datetime | None
    updated_at: datetime | None
    created_by: str | None
    parent_id: str | None
    forked_from_id: str | None
    repo: str | None
    worktree: str | None
    branch: str | None
    board: str | None
    archived: bool
    model: str | None
    task_count: int
    message_count: int
    tokens_input: int | None
    tokens_output: int | None
    cost: float | None


@dataclass(frozen=True, slots=True)
class Detail:
    """One labelled fact of the Details tab; ``value`` is text or a JSON value."""

    label: str
    value: Any


@dataclass(frozen=True, slots=True)
class DetailGroup:
    """A heading of the Details tab and the facts under it."""

    title: str
    details: tuple[Detail, ...]


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """A session with everything else its store says of it; ``raw`` is the row as JSON, secrets taken out."""

    session: Session
    description: str | None
    created_by_name: str | None
    context_used: int | None
    context_limit: int | None
    child_count: int
    groups: tuple[DetailGroup, ...]
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """One user prompt and the work that it led to."""

    id: str
    short_id: str
    session_id: str
    title: str
    status: str
    store_status: str
    created_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    duration_ms: int | None
    model: str | None
    tool_use_count: int | None
    queue_position: int | None = None


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """A task with its whole prompt, its cost and what it changed; ``raw`` is the row as JSON, secrets taken out."""

    task: Task
    prompt: str | None
    tokens_input: int | None
    tokens_output: int | None
    tokens_cache_read: int | None
    tokens_cache_write: int | None
    cost: float | None
    error: str | None
    sha_start: str | None
    sha_end: str | None
    report: str | None
    message_count: int
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Markdown text."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingBlock:
    """The model's reasoning; ``text`` is empty where the store keeps it sealed."""

    text: str
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One use of a tool. ``status`` is running, completed or error; None where no result was stored.

    ``diff`` is a unified diff where the store keeps one.
    """

    id: str
    name: str
    input: Any
    status: str | None = None
    output: str | None = None
    diff: str | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The answer to a call that stands in an earlier message."""

    tool_id: str
    output: str
    is_error: bool = False
    diff: str | None = None


@dataclass(frozen=True, slots=True)
class AttachmentBlock:
    """An image or a file; ``size`` in bytes where known."""

    kind: Literal["image", "file"]
    name: str
    media_type: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class NoticeBlock:
    """Something the program itself said: compaction, a rate limit, a restart; ``kind`` is the store's word."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class RequestBlock:
    """A question to the user: a permission or an input; ``status`` is pending, approved, denied, answered, ..."""

    kind: Literal["permission", "input", "widget"]
    title: str
    status: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class UnknownBlock:
    """A block of a type that we do not know, or broken JSON: shown as it is."""

    type: str
    text: str


Block = TextBlock | ThinkingBlock | ToolCall | ToolResult | AttachmentBlock | NoticeBlock | RequestBlock | UnknownBlock


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of a conversation.

    ``index`` is the store's own number (-1 for a queued prompt; not unique in every store). ``parent_tool_id`` names
    the tool call of the sub-agent that this message belongs to. ``reverted`` messages were taken back by the user.
    """

    id: str
    session_id: str
    task_id: str | None
    index: int
    role: str
    type: str
    timestamp: datetime | None
    blocks: tuple[Block, ...]
    parent_tool_id: str | None = None
    model: str | None = None
    queued: bool = False
    reverted: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """A named set of worktrees and their sessions."""

    id: str
    short_id: str
    name: str
    slug: str | None
    description: str | None
    archived: bool
    created_at: datetime | None
    updated_at: datetime | None
    created_by: str | None
    session_count: int


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository that sessions worked in; ``name`` is its slug."""

    id: str
    short_id: str
    name: str
    path: str | None
    remote_url: str | None
    default_branch: str | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Worktree:
    """A checkout of a repository; ``branch`` is its git ref."""

    id: str
    short_id: str
    repo_id: str | None
    repo: str | None
    name: str
    branch: str | None
    path: str | None
    board_id: str | None
    board: str | None
    archived: bool
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class User:
    """A person who made sessions. Never holds a password hash or a key."""

    id: str
    short_id: str
    name: str | None
    email: str | None
    role: str | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Rows in order; ``next`` continues behind the last one and is None at the end, ``previous`` likewise before."""

    rows: tuple[R, ...]
    next: Cursor | None = None
    previous: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between rows: the sort key's value as the driver gave it, and the row's id."""

    key: Any
    id: str


SortKey = Literal["updated", "created", "title", "status", "tool", "id"]


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of a session list; rows with equal keys are ordered by id in the same direction."""

    key: SortKey = "updated"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Turn:
    """A message as a reader meets it: calls joined with their results.

    ``ordinal`` is its place in the conversation, from 0. ``task`` is set on the first message of a task, ``prompt``
    where that task's prompt is in no message of its own.
    """

    ordinal: int
    message: Message
    task: Task | None = None
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """A number of rows; not ``exact`` means at least so many."""

    value: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Match:
    """A row that an id or a prefix names; ``short_id`` is the shortest prefix that sets it apart.

    ``database`` is the name of the one that it is in, where several were asked.
    """

    kind: Kind
    id: str
    short_id: str
    title: str
    time: datetime | None
    session_id: str | None = None
    database: str = ""


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """Several rows share a prefix: how many, and the first 20 in id order."""

    prefix: str
    count: int
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A session in its genealogy. ``relation`` to the node above is ``root``, ``spawned`` or ``forked``.

    ``repeated`` says that this session stands in the tree already, with what came of it. ``more`` is how many of its
    children are not in the tree, since the family is too large; of the root, ``above`` is how many ancestors are not.
    """

    session: Session
    relation: Literal["root", "spawned", "forked"]
    children: tuple[TreeNode, ...] = ()
    repeated: bool = False
    more: int = 0
    above: int = 0

    @property
    def cut(self) -> bool:
        """Whether something belongs here that is not here."""
        return self.repeated or self.more > 0 or self.above > 0


@dataclass(frozen=True, slots=True)
class SessionWeight:
    """What hangs on a session: ``tasks`` and ``messages`` go with it, ``comments`` and ``children`` lose their link."""

    tasks: int
    messages: int
    comments: int
    children: int


@dataclass(frozen=True, slots=True)
class BoardWeight:
    """What stands on a board: ``worktrees`` and ``sessions`` live on without it, ``comments`` go with it."""

    worktrees: int
    sessions: int
    comments: int


@dataclass(frozen=True, slots=True)
class LiveState:
    """Whether changes of the open database show by themselves; ``reason`` says why not, a sentence without its end."""

    on: bool = True
    reason: str = ""


BoardMode = Literal["sessions", "tasks", "zones"]
"""What the columns of a board are: the statuses of sessions or of tasks, or the zones that a board is divided into."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a worktree stands on a board. ``zone_id`` None: in no zone; ``id`` None: nothing is stored of it yet."""

    id: str | None
    board_id: str
    worktree_id: str
    worktree: str
    zone_id: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """A session or a task on a board; in a board of zones with the place of its worktree, if that stands on it."""

    record: Session | Task
    placement: Placement | None = None

    @property
    def id(self) -> str:
        """The id of the session or task."""
        return self.record.id


@dataclass(frozen=True, slots=True)
class CardColumn:
    """A column's cards from the newest on, as far as they were asked for; ``key`` is a status or a zone's id."""

    key: str
    title: str
    cards: tuple[Card, ...]
    count: Count
    next: Cursor | None = None


@dataclass(frozen=True, slots=True)
class BoardPage:
    """The columns of a board at one moment; ``board`` None: of all sessions."""

    mode: BoardMode
    board: Board | None
    columns: tuple[CardColumn, ...]
