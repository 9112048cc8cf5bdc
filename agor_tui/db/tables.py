"""The native schema: the field's eleven tables under its column names, and the record of our own migrations.

What is filtered, joined or sorted by has a column; the rest is JSON in ``data``. Foreign keys are those of
the reference schema; ``created_by`` is none, since it names a user or a word such as ``anonymous``.
``session_mcp_servers`` has no key, as in the reference: its databases may hold a pair twice, and a copy of one
must lose no row.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    false,
    text,
    true,
)

from agor_tui.db.types import Flag, Id, Instant, Json, Text

SESSION_STATUS_WORDS = (
    "idle",
    "running",
    "stopping",
    "awaiting_permission",
    "awaiting_input",
    "completed",
    "failed",
    "timed_out",
    "stopped",
)
TASK_STATUS_WORDS = (
    "created",
    "queued",
    "pending",
    "running",
    "dispatching",
    "stopping",
    "awaiting_permission",
    "awaiting_input",
    "completed",
    "failed",
    "timed_out",
    "stopped",
)
MESSAGE_TYPES = (
    "user",
    "assistant",
    "system",
    "file-history-snapshot",
    "permission_request",
    "input_request",
    "daemon_restart",
    "daemon_crash",
    "widget_request",
)
MESSAGE_ROLES = ("user", "assistant", "system", "file-history-snapshot")
MESSAGE_STATUSES = ("queued",)
USER_ROLES = ("owner", "superadmin", "admin", "member", "viewer")


_NAMES = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

metadata = MetaData(naming_convention=_NAMES)

#: Words of an enumeration sort by their bytes on both dialects, as ids do.
_Word = Id


def _one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _key(name: str) -> Column[str]:
    return Column(name, Id, primary_key=True)


def _link(name: str, target: str, on_delete: str, *, optional: bool = False) -> Column[str]:
    return Column(name, Id, ForeignKey(target, ondelete=on_delete), nullable=optional)


def _created_by() -> Column[str]:
    return Column("created_by", Id, nullable=False, server_default="anonymous")


def _flag(name: str) -> Column[bool]:
    return Column(name, Flag, nullable=False, server_default=false())


repos = Table(
    "repos",
    metadata,
    _key("repo_id"),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant),
    Column("slug", Text, nullable=False),
    Column("data", Json, nullable=False),
    UniqueConstraint("slug"),
)

boards = Table(
    "boards",
    metadata,
    _key("board_id"),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant),
    _created_by(),
    Column("name", Text, nullable=False),
    Column("slug", Text),
    Column("data", Json, nullable=False),
    UniqueConstraint("slug"),
)

users = Table(
    "users",
    metadata,
    _key("user_id"),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant),
    Column("email", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("name", Text),
    Column("emoji", Text),
    Column("role", _Word, nullable=False, server_default="member"),
    _flag("onboarding_completed"),
    Column("data", Json, nullable=False),
    UniqueConstraint("email"),
    _one_of("role", USER_ROLES),
)

worktrees = Table(
    "worktrees",
    metadata,
    _key("worktree_id"),
    _link("repo_id", "repos.repo_id", "CASCADE"),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant),
    _created_by(),
    Column("name", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("worktree_unique_id", Integer, nullable=False),
    _link("board_id", "boards.board_id", "SET NULL", optional=True),
    Column("data", Json, nullable=False),
    _flag("schedule_enabled"),
    Column("schedule_cron", Text),
    Column("schedule_last_triggered_at", Instant),
    Column("schedule_next_run_at", Instant),
    Column("start_command", Text),
    Column("stop_command", Text),
    Column("health_check_url", Text),
    Column("app_url", Text),
    Column("logs_command", Text),
    _flag("needs_attention"),
    _flag("archived"),
    Column("archived_at", Instant),
    Column("archived_by", Id),
    Column("filesystem_status", Text),
    Index("ix_worktrees_repo_name", "repo_id", "name"),
    Index("ix_worktrees_board", "board_id"),
)

sessions = Table(
    "sessions",
    metadata,
    _key("session_id"),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    _created_by(),
    Column("status", _Word, nullable=False),
    Column("agentic_tool", _Word, nullable=False),
    _link("board_id", "boards.board_id", "SET NULL", optional=True),
    _link("parent_session_id", "sessions.session_id", "SET NULL", optional=True),
    _link("forked_from_session_id", "sessions.session_id", "SET NULL", optional=True),
    _link("worktree_id", "worktrees.worktree_id", "CASCADE"),
    Column("scheduled_run_at", Instant),
    _flag("scheduled_from_worktree"),
    _flag("ready_for_prompt"),
    Column("data", Json, nullable=False),
    _flag("archived"),
    Column("archived_reason", Text),
    _one_of("status", SESSION_STATUS_WORDS),
    CheckConstraint("agentic_tool <> ''", name="agentic_tool"),
    # The orders that lists page through, each ended by the key.
    Index("ix_sessions_updated", "updated_at", "session_id"),
    Index("ix_sessions_created", "created_at", "session_id"),
    Index("ix_sessions_archived_updated", "archived", "updated_at", "session_id"),
    Index("ix_sessions_archived_status_updated", "archived", "status", "updated_at", "session_id"),
    Index("ix_sessions_tool_updated", "agentic_tool", "updated_at", "session_id"),
    Index("ix_sessions_worktree_updated", "worktree_id", "updated_at", "session_id"),
    Index("ix_sessions_created_by_updated", "created_by", "updated_at", "session_id"),
    Index("ix_sessions_board", "board_id"),
    # Most sessions come from no other: an index of all those NULLs would look useless to the planners.
    *(
        Index(name, column, sqlite_where=text(f"{column} IS NOT NULL"), postgresql_where=text(f"{column} IS NOT NULL"))
        for name, column in (
            ("ix_sessions_parent", "parent_session_id"),
            ("ix_sessions_forked_from", "forked_from_session_id"),
        )
    ),
)

tasks = Table(
    "tasks",
    metadata,
    _key("task_id"),
    _link("session_id", "sessions.session_id", "CASCADE"),
    Column("created_at", Instant, nullable=False),
    Column("completed_at", Instant),
    Column("status", _Word, nullable=False),
    _created_by(),
    Column("data", Json, nullable=False),
    Column("started_at", Instant),
    _one_of("status", TASK_STATUS_WORDS),
    Index("ix_tasks_session_created", "session_id", "created_at", "task_id"),
    Index("ix_tasks_created", "created_at", "task_id"),
    Index("ix_tasks_status_created", "status", "created_at", "task_id"),
)

messages = Table(
    "messages",
    metadata,
    _key("message_id"),
    Column("created_at", Instant, nullable=False),
    _link("session_id", "sessions.session_id", "CASCADE"),
    _link("task_id", "tasks.task_id", "SET NULL", optional=True),
    Column("type", _Word, nullable=False),
    Column("role", _Word, nullable=False),
    Column("index", Integer, nullable=False),
    Column("timestamp", Instant, nullable=False),
    Column("content_preview", Text),
    Column("data", Json, nullable=False),
    Column("parent_tool_use_id", Text),
    Column("status", _Word),
    Column("queue_position", Integer),
    _one_of("type", MESSAGE_TYPES),
    _one_of("role", MESSAGE_ROLES),
    _one_of("status", MESSAGE_STATUSES),
    # The order of a conversation; ``index`` alone is not unique in it.
    Index("ix_messages_session_order", "session_id", "index", "timestamp", "created_at", "message_id"),
    Index("ix_messages_task_order", "task_id", "index"),
)

board_objects = Table(
    "board_objects",
    metadata,
    _key("object_id"),
    _link("board_id", "boards.board_id", "CASCADE"),
    Column("created_at", Instant, nullable=False),
    _link("worktree_id", "worktrees.worktree_id", "CASCADE"),
    Column("data", Json, nullable=False),
    Index("ix_board_objects_board", "board_id"),
    Index("ix_board_objects_worktree", "worktree_id"),
)

board_comments = Table(
    "board_comments",
    metadata,
    _key("comment_id"),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant),
    _link("board_id", "boards.board_id", "CASCADE"),
    _created_by(),
    _link("session_id", "sessions.session_id", "SET NULL", optional=True),
    _link("task_id", "tasks.task_id", "SET NULL", optional=True),
    _link("message_id", "messages.message_id", "SET NULL", optional=True),
    _link("worktree_id", "worktrees.worktree_id", "CASCADE", optional=True),
    Column("content", Text, nullable=False),
    Column("content_preview", Text, nullable=False),
    Column("parent_comment_id", Id),
    _flag("resolved"),
    _flag("edited"),
    Column("reactions", Json, nullable=False, server_default=text("'[]'")),
    Column("data", Json, nullable=False),
    Index("ix_board_comments_board_created", "board_id", "created_at"),
    Index("ix_board_comments_session", "session_id"),
    Index("ix_board_comments_task", "task_id"),
    Index("ix_board_comments_message", "message_id"),
    Index("ix_board_comments_worktree", "worktree_id"),
    Index("ix_board_comments_parent", "parent_comment_id"),
)

mcp_servers = Table(
    "mcp_servers",
    metadata,
    _key("mcp_server_id"),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant),
    Column("name", Text, nullable=False),
    Column("transport", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("enabled", Flag, nullable=False, server_default=true()),
    Column("owner_user_id", Id),
    Column("team_id", Id),
    _link("repo_id", "repos.repo_id", "CASCADE", optional=True),
    _link("session_id", "sessions.session_id", "CASCADE", optional=True),
    Column("source", Text, nullable=False),
    Column("data", Json, nullable=False),
    Index("ix_mcp_servers_repo", "repo_id"),
    Index("ix_mcp_servers_session", "session_id"),
)

session_mcp_servers = Table(
    "session_mcp_servers",
    metadata,
    _link("session_id", "sessions.session_id", "CASCADE"),
    _link("mcp_server_id", "mcp_servers.mcp_server_id", "CASCADE"),
    Column("enabled", Flag, nullable=False, server_default=true()),
    Column("added_at", Instant, nullable=False),
    Index("ix_session_mcp_servers_session", "session_id", "mcp_server_id"),
    Index("ix_session_mcp_servers_server", "mcp_server_id"),
)

#: Each applied revision: what was applied, when and by whom. Alembic's own table only knows the newest.
schema_migrations = Table(
    "schema_migrations",
    metadata,
    Column("revision", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("checksum", Text, nullable=False),
    Column("applied_at", Instant, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("applied_by", Text, nullable=False),
    Column("tool_version", Text, nullable=False),
)
