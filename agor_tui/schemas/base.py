"""What a schema kind is: selectables with common column names over the tables of whoever made the database.

Every selectable has the columns listed below, with the types of ``agor_tui.db.types``; what a store lacks is NULL there
and, where a whole notion is missing, absent from ``capabilities``. Repositories are written against these alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import ColumnElement, FromClause, Label, Select, null, type_coerce
from sqlalchemy import cast as sql_cast

from agor_tui.db.types import Flag, Id, Instant, Json, Real, Text, Whole
from agor_tui.records import Block, DetailGroup, Kind

if TYPE_CHECKING:
    from agor_tui.db.statement import Statement

Types = dict[str, Any]

SESSIONS: Types = {
    "id": Id(), "created_at": Instant(), "updated_at": Instant(), "created_by": Text(), "store_status": Text(),
    "tool": Text(), "title": Text(), "description": Text(), "parent_id": Id(), "forked_from_id": Id(),
    "worktree_id": Id(), "worktree": Text(), "branch": Text(), "repo_id": Id(), "repo": Text(), "board_id": Id(),
    "board": Text(), "archived": Flag(), "model": Text(), "tokens_input": Whole(), "tokens_output": Whole(),
    "cost": Real(), "context_used": Whole(), "context_limit": Whole(), "data": Json(),
}  # fmt: skip
"""Columns of ``sessions``; ``worktree_id`` and ``board_id`` are ids of the selectables of those names."""

TASKS: Types = {
    "id": Id(), "session_id": Id(), "created_at": Instant(), "started_at": Instant(), "completed_at": Instant(),
    "range_start": Text(), "range_end": Text(), "duration_ms": Whole(), "store_status": Text(), "title": Text(),
    "prompt": Text(), "model": Text(), "tool_use_count": Whole(), "tokens_input": Whole(),
    "tokens_output": Whole(), "tokens_cache_read": Whole(), "tokens_cache_write": Whole(),
    "cost": Real(), "error": Text(), "sha_start": Text(), "sha_end": Text(), "report": Text(),
    "queue_position": Whole(), "data": Json(),
}  # fmt: skip
"""Columns of ``tasks``; ``range_start``/``range_end`` are ISO texts that stand in where a time is NULL."""

MESSAGES: Types = {
    "id": Id(), "session_id": Id(), "task_id": Id(), "index": Whole(), "role": Text(), "type": Text(),
    "timestamp": Instant(), "created_at": Instant(), "parent_tool_id": Text(), "queued": Flag(), "reverted": Flag(),
    "is_prompt": Flag(), "queue_position": Whole(), "data": Json(), "parts": Json(),
}  # fmt: skip
"""Columns of ``messages``; ``data`` and ``parts`` go to ``Schema.blocks``."""

BOARDS: Types = {
    "id": Id(), "created_at": Instant(), "updated_at": Instant(), "created_by": Text(), "name": Text(),
    "slug": Text(), "description": Text(), "archived": Flag(), "data": Json(),
}  # fmt: skip

PLACEMENTS: Types = {
    "id": Id(), "board_id": Id(), "worktree_id": Id(), "zone_id": Text(),
}  # fmt: skip
"""Columns of ``placements``: where worktrees stand on boards; ``zone_id`` names a zone of the board's data."""

REPOS: Types = {
    "id": Id(), "created_at": Instant(), "name": Text(), "path": Text(), "remote_url": Text(),
    "default_branch": Text(), "data": Json(),
}  # fmt: skip

WORKTREES: Types = {
    "id": Id(), "created_at": Instant(), "repo_id": Id(), "repo": Text(), "name": Text(), "branch": Text(),
    "path": Text(), "board_id": Id(), "board": Text(), "archived": Flag(), "data": Json(),
}  # fmt: skip

USERS: Types = {
    "id": Id(), "created_at": Instant(), "name": Text(), "email": Text(), "role": Text(), "login": Text(),
}  # fmt: skip
"""Columns of ``users``; ``login`` is the name on the machine, for ``user:me``."""


def columns(types: Types, **given: ColumnElement[Any] | None) -> list[Label[Any]]:
    """Return a labelled column for each of ``types``: the one given under that name, else a typed NULL."""
    unknown = given.keys() - types.keys()
    assert not unknown, f"no such common columns: {unknown}"
    labelled = []
    for name, kind in types.items():
        found = given.get(name)
        if found is None:
            found = _absent(kind)
        elif isinstance(kind, (Whole, Real)):  # a store may hold anything there
            found = type_coerce(found, kind)
        labelled.append(found.label(name))
    return labelled


def _absent(kind: Any) -> ColumnElement[Any]:
    # An Id's collation may stand in a column's definition, but not in a cast.
    return type_coerce(sql_cast(null(), Text()), kind) if isinstance(kind, (Id, Json)) else sql_cast(null(), kind)


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema kind over one open database.

    ``capabilities`` names the notions the store has: boards, repos, worktrees, users, forks, archive, cost, write.
    ``statuses`` maps the store's words to the common ones. ``indexed_sorts`` names the session sorts that an
    index gives in order. ``details`` makes the groups of the Details tab from a session's decoded data; ``blocks``
    makes a message's blocks and its model from its data, its parts and its type.
    """

    kind: Literal["native", "agor", "opencode", "kilo"]
    owner: str
    sessions: FromClause
    tasks: FromClause
    messages: FromClause
    boards: FromClause | None
    repos: FromClause | None
    worktrees: FromClause | None
    users: FromClause | None
    session_statuses: Mapping[str, str]
    task_statuses: Mapping[str, str]
    blocks: Callable[[str | None, str | None, str], tuple[tuple[Block, ...], str | None]]
    session_keys: FromClause
    """What sessions are filtered and sorted by, without the joins of ``sessions``: its rows, and the columns id,
    created_at, updated_at, created_by, store_status, tool, title, description, parent_id, forked_from_id and
    worktree_id. The predicates below are over it."""
    archived: ColumnElement[bool]
    not_archived: ColumnElement[bool]
    in_repos: Callable[[Sequence[Any]], ColumnElement[bool]]
    in_boards: Callable[[Sequence[Any]], ColumnElement[bool]]
    ids: Mapping[Kind, FromClause]
    """For each kind of row its bare ids, as a column ``id``: what prefixes and short ids are sought in."""
    message_order: tuple[str, ...]
    """The columns that order the messages of a session; where there is a queue, its prompts follow."""
    waiting: ColumnElement[bool] | None
    """The condition on ``messages`` that one waits in the queue; None where there is no queue."""
    mapped_tables: frozenset[str]
    """The owner's tables, of any version, whose rows a copy brings over. What is neither here nor in ``left_aside``
    is a table that this program does not know."""
    left_aside: Mapping[str, str]
    """The owner's tables that are knowingly not mapped, each with the reason, in words for the user."""
    task_order: tuple[str, ...] = ("created_at", "id")
    """The columns that order the tasks of a session."""
    parts: Mapping[Kind, tuple[FromClause, ...]] = field(default_factory=dict)
    """Of tasks and messages that are kept in several tables the rows of each, as columns id and session_id."""
    placements: FromClause | None = None
    """Where worktrees stand on boards that are divided into zones."""
    uuid_ids: bool = True
    capabilities: frozenset[str] = frozenset()
    indexed_sorts: frozenset[str] = frozenset()
    details: Callable[[Mapping[str, Any]], tuple[DetailGroup, ...]] = lambda data: ()
    session_facts: Mapping[str, Select[Any]] = field(default_factory=dict)
    """Further facts of one session: heading -> a query with a bind ``session_id``, rows shown as they come."""
    migrations: Select[Any] | None = None
    """The owner's own record of its migrations."""
    statements: dict[Hashable, Statement] = field(default_factory=dict, compare=False, repr=False)
    """Statements over these selectables that are compiled already, whichever database they were compiled for."""
