"""What the screens and the commands ask of an open database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from agor_tui.database_records import DatabaseInfo
from agor_tui.errors import AmbiguousIdError, NotFoundError, quoted, suggestion
from agor_tui.filters import Choice, SessionFilter, TaskFilter
from agor_tui.records import (
    Ambiguity,
    Board,
    Count,
    Cursor,
    Kind,
    Match,
    Message,
    Page,
    Repo,
    Session,
    SessionDetail,
    Sort,
    SortKey,
    Task,
    TaskDetail,
    TreeNode,
    Turn,
    User,
    Worktree,
)
from agor_tui.repositories.base import Repository, Store
from agor_tui.repositories.genealogy import Genealogy
from agor_tui.repositories.lookup import Lookup
from agor_tui.repositories.messages import MessageRepository
from agor_tui.repositories.paging import END, Asked
from agor_tui.repositories.places import BoardRepository, RepoRepository, UserRepository, WorktreeRepository
from agor_tui.repositories.sessions import SORTS, SessionRepository
from agor_tui.repositories.tasks import TaskRepository
from agor_tui.services.conversation import paired_window

if TYPE_CHECKING:
    from typing import Any, Self

    from agor_tui.services.editing import Editor

__all__ = ["END", "Browser"]

ALL_KINDS: tuple[Kind, ...] = ("session", "task", "message", "board", "repo", "worktree", "user")

MOST_EXPLAINED = 20
"""So many unknown names of one field of a filter are named."""


class Browser:
    """One open database. Thread-safe; every method blocks, and raises AgorError where it cannot answer."""

    def __init__(self, store: Store, info: DatabaseInfo) -> None:
        self.info = info
        self.store = store
        self._sessions = SessionRepository(store)
        self._tasks = TaskRepository(store)
        self._messages = MessageRepository(store)
        self._boards = BoardRepository(store)
        self._repos = RepoRepository(store)
        self._worktrees = WorktreeRepository(store)
        self._users = UserRepository(store)
        self._genealogy = Genealogy(self._sessions)
        self._default_sort: Sort | None = None
        self._editor: Editor | None = None

    @property
    def editor(self) -> Editor | None:
        """What changes the database; None where it may not be written."""
        if "write" not in self.store.schema.capabilities or self.info.access.obstacle:
            return None
        if self._editor is None:
            from agor_tui.services.editing import Editor

            self._editor = Editor(self.store)
        return self._editor

    def with_secrets(self) -> Browser:
        """Return the same open database for somebody who asked to see the secrets in it; it is closed with this one."""
        return Browser(replace(self.store, secrets=True), self.info)

    @property
    def note(self) -> str | None:
        """What is to be known of the database by now, as ``DatabaseInfo.note`` says it."""
        return " ".join(filter(None, (self.store.database.staleness, self.faults))) or None

    def renew_access(self) -> None:
        """Ask a server anew what may be changed: a standby may have been promoted, a right been given or taken."""
        if "write" in self.store.schema.capabilities:
            from agor_tui.db.access import access

            database = self.store.database
            allowed = database.read(lambda connection: access(connection, database.place))
            self.info = replace(self.info, access=allowed, read_only=bool(allowed.obstacle))

    @property
    def faults(self) -> str | None:
        """What was met so far that cannot be read as it should, to be shown; None where there is nothing."""
        return " ".join(filter(None, (self.store.database.damage, self.store.faults.sentence))) or None

    @property
    def aside(self) -> str:
        """What is to be said once of how the database was named; mostly nothing."""
        from agor_tui.config.other_clients import note_on

        return note_on(getattr(self.store.database.place, "ignored", ()))

    def cancel(self) -> None:
        """Stop what other threads ask of the database now; they get ``Cancelled``."""
        self.store.database.cancel()

    def close(self) -> None:
        """Close the database."""
        self.store.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # sessions

    @property
    def sorts(self) -> tuple[SortKey, ...]:
        """The keys that sessions can be sorted by."""
        return tuple(SORTS)

    @property
    def default_sort(self) -> Sort:
        """The order to list sessions in when none is asked for."""
        if self._default_sort is None:
            self._default_sort = self._sessions.default_sort()
        return self._default_sort

    def session_page(
        self,
        filter: SessionFilter,
        sort: Sort,
        *,
        after: Cursor | None = None,
        before: Cursor | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> Page[Session]:
        """Return a page of sessions behind ``after`` or just before ``before`` (``END``: the last page).

        ``offset`` rows are skipped from there; ``limit`` 0 means all.
        """
        return self._sessions.find(filter, sort, Asked(after, before, offset, limit))

    def session_count(self, filter: SessionFilter, cap: int | None = None) -> Count:
        """Return how many sessions there are, counting no further than ``cap``."""
        return self._sessions.count(filter, cap)

    def session_changes(self) -> tuple[tuple[str, datetime | None], ...]:
        """Return the ids of all sessions, each with the time of its last change."""
        return self._sessions.changes()

    def session_cursor(self, id_or_prefix: str, sort: Sort) -> Cursor:
        """Return the place of a session in the order of ``sort``."""
        return self._sessions.cursor(id_or_prefix, sort)

    def session(self, id_or_prefix: str) -> Session:
        """Return the session that an id or a prefix names."""
        return self._sessions.get(id_or_prefix)

    def session_detail(self, id_or_prefix: str) -> SessionDetail:
        """Return a session with all that its store says of it."""
        return self._sessions.detail(id_or_prefix)

    def ancestors(self, id_or_prefix: str) -> tuple[Session, ...]:
        """Return the sessions above one, nearest first."""
        return self._genealogy.ancestors(id_or_prefix)

    def children(self, id_or_prefix: str) -> tuple[Session, ...]:
        """Return the sessions spawned or forked from one, oldest first."""
        return self._genealogy.children(id_or_prefix)

    def descendants(self, id_or_prefix: str) -> TreeNode:
        """Return the tree below a session."""
        return self._genealogy.descendants(id_or_prefix)

    def tree(self, id_or_prefix: str) -> TreeNode:
        """Return the whole family of a session, from its topmost ancestor down."""
        return self._genealogy.family(id_or_prefix)

    # tasks

    def task_page(
        self,
        filter: TaskFilter,
        *,
        after: Cursor | None = None,
        before: Cursor | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> Page[Task]:
        """Return a page of tasks, newest first; places as for ``session_page``."""
        return self._tasks.find(filter, Asked(after, before, offset, limit))

    def task_count(self, filter: TaskFilter) -> Count:
        """Return how many tasks there are."""
        return self._tasks.count(filter)

    def task_cursor(self, id_or_prefix: str) -> Cursor:
        """Return the place of a task in the list of tasks."""
        return self._tasks.cursor(id_or_prefix)

    def tasks_of(self, session_id: str) -> tuple[Task, ...]:
        """Return the tasks of a session in the order they were asked."""
        return self._tasks.of_session(session_id)

    def task_detail(self, id_or_prefix: str) -> TaskDetail:
        """Return a task with its prompt, cost, error and what it changed."""
        return self._tasks.detail(id_or_prefix)

    # messages

    def message_count(self, session_id: str) -> int:
        """Return how many messages a session has."""
        return self._messages.count(session_id)

    def message_window(self, session_id: str, start: int, limit: int) -> tuple[Message, ...]:
        """Return up to ``limit`` messages (0: all) from position ``start`` of a conversation."""
        return self._messages.window(session_id, start, limit)

    def message_position(self, session_id: str, message_id: str) -> int:
        """Return the position of a message in its conversation."""
        return self._messages.position_of(session_id, message_id)

    def messages_of_task(self, task_id: str) -> tuple[Message, ...]:
        """Return the messages of a task in order."""
        return self._messages.of_task(task_id)

    def conversation(self, session_id: str, start: int, limit: int) -> tuple[Turn, ...]:
        """Return the same messages as a reader meets them: calls with their results, prompts that only tasks hold."""

        def fetch(first: int, size: int) -> Sequence[Message]:
            return self._messages.window(session_id, first, size)

        messages = paired_window(fetch, start, limit)
        before = fetch(start - 1, 1) if start else ()
        previous = before[0].task_id if before else None
        turns = []
        for ordinal, message in enumerate(messages, start):
            task = prompt = None
            if message.task_id is not None and message.task_id != previous:
                found = self._tasks.opening(message.task_id, message.id)
                if found is not None:
                    task, prompt = found.task, None if message.role == "user" else found.prompt
            previous = message.task_id
            turns.append(Turn(ordinal, message, task, prompt))
        return tuple(turns)

    def prompt_ordinals(self, session_id: str) -> tuple[int, ...]:
        """Return the positions of the user's prompts in a conversation."""
        return self._messages.prompts(session_id)

    def task_ordinal(self, session_id: str, task_id: str) -> int | None:
        """Return the position of a task's first message; None where it has none."""
        return self._messages.position(session_id, task_id)

    # places

    def boards(self) -> tuple[Board, ...]:
        """Return all boards, by id."""
        return self._all(self._boards)

    def repos(self) -> tuple[Repo, ...]:
        """Return all repositories, by id."""
        return self._all(self._repos)

    def worktrees(self) -> tuple[Worktree, ...]:
        """Return all worktrees, by id."""
        return self._all(self._worktrees)

    def users(self) -> tuple[User, ...]:
        """Return all users, by id."""
        return self._all(self._users)

    def _all(self, repository: Repository[Any]) -> tuple[Any, ...]:
        return repository.list().rows if repository.present else ()

    # ids and filters

    def resolve(self, prefix: str, kinds: tuple[Kind, ...] = ALL_KINDS) -> Match:
        """Return the one row of ``kinds`` that an id or a prefix names.

        Raises:
            NotFoundError: none, the nearest id is named. AmbiguousIdError: several.
        """
        found = self.candidates(prefix, kinds)
        if found.count == 1:
            return found.matches[0]
        what = kinds[0] if len(kinds) == 1 else "row"
        if found.count == 0:
            raise NotFoundError(
                f"No {what} has an id beginning with {found.prefix}.", Lookup(self._repositories(kinds)).nearest(prefix)
            )
        raise AmbiguousIdError(
            f"{found.count} {what}s have ids beginning with {found.prefix}.", found, "Give more characters."
        )

    def candidates(self, prefix: str, kinds: tuple[Kind, ...] = ALL_KINDS) -> Ambiguity:
        """Return how many rows of ``kinds`` a prefix fits, and the first 20 of them."""
        return Lookup(self._repositories(kinds)).candidates(prefix)

    def _repositories(self, kinds: tuple[Kind, ...]) -> list[Repository[Any]]:
        known: dict[Kind, Repository[Any]] = {
            "session": self._sessions,
            "task": self._tasks,
            "message": self._messages,
            "board": self._boards,
            "repo": self._repos,
            "worktree": self._worktrees,
            "user": self._users,
        }
        return [known[kind] for kind in kinds if known[kind].present]

    def filter_values(self, field: str) -> tuple[str, ...]:
        """Return the values that completion offers for a field of the filter language."""
        return self._sessions.filter_values(field)

    def explain_filter(self, filter: SessionFilter | TaskFilter) -> tuple[str, ...]:
        """Return a sentence for each name in ``filter`` that this database does not know."""
        asked = {field: choice for field in ("repo", "worktree", "board", "user") if (choice := getattr(filter, field))}
        notes = []
        for field, choice in asked.items():
            notes += self._unknown(field, choice)
        return tuple(notes)

    def _unknown(self, field: str, choice: Choice) -> list[str]:
        if f"{field}s" not in self.info.capabilities:
            return [f"This kind of database has no {field}s."]
        unknown = self._sessions.unknown_names(field, (*choice.include, *choice.exclude))
        if not unknown:
            return []
        values = self.filter_values(field)
        return [
            "No user has the name of your login."
            if (field, name) == ("user", "me")
            else f"No {field} is named {quoted(name)}{suggestion(name, values)}."
            for name in unknown[:MOST_EXPLAINED]
        ]
