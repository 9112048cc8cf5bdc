"""initial schema

The eleven tables of the native schema and the record of applied revisions. Types are written out, not taken from
the models, so that this revision stays what it was when the models move on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.Integer().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
FLAG = sa.Integer().with_variant(sa.Boolean(), "postgresql")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "boards",
        sa.Column("board_id", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=True),
        sa.Column("created_by", ID, server_default="anonymous", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=True),
        sa.Column("data", JSON, nullable=False),
        sa.PrimaryKeyConstraint("board_id", name="pk_boards"),
        sa.UniqueConstraint("slug", name="uq_boards_slug"),
    )
    op.create_table(
        "repos",
        sa.Column("repo_id", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=True),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.PrimaryKeyConstraint("repo_id", name="pk_repos"),
        sa.UniqueConstraint("slug", name="uq_repos_slug"),
    )
    op.create_table(
        "schema_migrations",
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("applied_at", INSTANT, nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("applied_by", sa.Text(), nullable=False),
        sa.Column("tool_version", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_schema_migrations"),
    )
    op.create_table(
        "users",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("emoji", sa.Text(), nullable=True),
        sa.Column("role", ID, server_default="member", nullable=False),
        sa.Column("onboarding_completed", FLAG, server_default=sa.false(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.CheckConstraint("role IN ('owner', 'superadmin', 'admin', 'member', 'viewer')", name=op.f("ck_users_role")),
        sa.PrimaryKeyConstraint("user_id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "worktrees",
        sa.Column("worktree_id", ID, nullable=False),
        sa.Column("repo_id", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=True),
        sa.Column("created_by", ID, server_default="anonymous", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("worktree_unique_id", sa.Integer(), nullable=False),
        sa.Column("board_id", ID, nullable=True),
        sa.Column("data", JSON, nullable=False),
        sa.Column("schedule_enabled", FLAG, server_default=sa.false(), nullable=False),
        sa.Column("schedule_cron", sa.Text(), nullable=True),
        sa.Column("schedule_last_triggered_at", INSTANT, nullable=True),
        sa.Column("schedule_next_run_at", INSTANT, nullable=True),
        sa.Column("start_command", sa.Text(), nullable=True),
        sa.Column("stop_command", sa.Text(), nullable=True),
        sa.Column("health_check_url", sa.Text(), nullable=True),
        sa.Column("app_url", sa.Text(), nullable=True),
        sa.Column("logs_command", sa.Text(), nullable=True),
        sa.Column("needs_attention", FLAG, server_default=sa.false(), nullable=False),
        sa.Column("archived", FLAG, server_default=sa.false(), nullable=False),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.Column("archived_by", ID, nullable=True),
        sa.Column("filesystem_status", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["board_id"], ["boards.board_id"], name="fk_worktrees_board_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.repo_id"], name="fk_worktrees_repo_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("worktree_id", name="pk_worktrees"),
    )
    op.create_index("ix_worktrees_board", "worktrees", ["board_id"])
    op.create_index("ix_worktrees_repo_name", "worktrees", ["repo_id", "name"])
    op.create_table(
        "board_objects",
        sa.Column("object_id", ID, nullable=False),
        sa.Column("board_id", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("worktree_id", ID, nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["boards.board_id"], name="fk_board_objects_board_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["worktree_id"],
            ["worktrees.worktree_id"],
            name="fk_board_objects_worktree_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("object_id", name="pk_board_objects"),
    )
    op.create_index("ix_board_objects_board", "board_objects", ["board_id"])
    op.create_index("ix_board_objects_worktree", "board_objects", ["worktree_id"])
    op.create_table(
        "sessions",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("created_by", ID, server_default="anonymous", nullable=False),
        sa.Column("status", ID, nullable=False),
        sa.Column("agentic_tool", ID, nullable=False),
        sa.Column("board_id", ID, nullable=True),
        sa.Column("parent_session_id", ID, nullable=True),
        sa.Column("forked_from_session_id", ID, nullable=True),
        sa.Column("worktree_id", ID, nullable=False),
        sa.Column("scheduled_run_at", INSTANT, nullable=True),
        sa.Column("scheduled_from_worktree", FLAG, server_default=sa.false(), nullable=False),
        sa.Column("ready_for_prompt", FLAG, server_default=sa.false(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("archived", FLAG, server_default=sa.false(), nullable=False),
        sa.Column("archived_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("agentic_tool <> ''", name=op.f("ck_sessions_agentic_tool")),
        sa.CheckConstraint(
            "status IN ('idle', 'running', 'stopping', 'awaiting_permission', 'awaiting_input', "
            "'completed', 'failed', 'timed_out', 'stopped')",
            name=op.f("ck_sessions_status"),
        ),
        sa.ForeignKeyConstraint(["board_id"], ["boards.board_id"], name="fk_sessions_board_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["forked_from_session_id"],
            ["sessions.session_id"],
            name="fk_sessions_forked_from_session_id",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["parent_session_id"],
            ["sessions.session_id"],
            name="fk_sessions_parent_session_id",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["worktree_id"], ["worktrees.worktree_id"], name="fk_sessions_worktree_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", name="pk_sessions"),
    )
    op.create_index(
        "ix_sessions_archived_status_updated", "sessions", ["archived", "status", "updated_at", "session_id"]
    )
    op.create_index("ix_sessions_archived_updated", "sessions", ["archived", "updated_at", "session_id"])
    op.create_index("ix_sessions_board", "sessions", ["board_id"])
    op.create_index("ix_sessions_created", "sessions", ["created_at", "session_id"])
    op.create_index("ix_sessions_created_by_updated", "sessions", ["created_by", "updated_at", "session_id"])
    for name, column in (
        ("ix_sessions_forked_from", "forked_from_session_id"),
        ("ix_sessions_parent", "parent_session_id"),
    ):
        linked = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, "sessions", [column], sqlite_where=linked, postgresql_where=linked)
    op.create_index("ix_sessions_tool_updated", "sessions", ["agentic_tool", "updated_at", "session_id"])
    op.create_index("ix_sessions_updated", "sessions", ["updated_at", "session_id"])
    op.create_index("ix_sessions_worktree_updated", "sessions", ["worktree_id", "updated_at", "session_id"])
    op.create_table(
        "mcp_servers",
        sa.Column("mcp_server_id", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("enabled", FLAG, server_default=sa.true(), nullable=False),
        sa.Column("owner_user_id", ID, nullable=True),
        sa.Column("team_id", ID, nullable=True),
        sa.Column("repo_id", ID, nullable=True),
        sa.Column("session_id", ID, nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.repo_id"], name="fk_mcp_servers_repo_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.session_id"], name="fk_mcp_servers_session_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mcp_server_id", name="pk_mcp_servers"),
    )
    op.create_index("ix_mcp_servers_repo", "mcp_servers", ["repo_id"])
    op.create_index("ix_mcp_servers_session", "mcp_servers", ["session_id"])
    op.create_table(
        "tasks",
        sa.Column("task_id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("completed_at", INSTANT, nullable=True),
        sa.Column("status", ID, nullable=False),
        sa.Column("created_by", ID, server_default="anonymous", nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "status IN ('created', 'queued', 'pending', 'running', 'dispatching', 'stopping', "
            "'awaiting_permission', 'awaiting_input', 'completed', 'failed', 'timed_out', 'stopped')",
            name=op.f("ck_tasks_status"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.session_id"], name="fk_tasks_session_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_created", "tasks", ["created_at", "task_id"])
    op.create_index("ix_tasks_session_created", "tasks", ["session_id", "created_at", "task_id"])
    op.create_index("ix_tasks_status_created", "tasks", ["status", "created_at", "task_id"])
    op.create_table(
        "messages",
        sa.Column("message_id", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("task_id", ID, nullable=True),
        sa.Column("type", ID, nullable=False),
        sa.Column("role", ID, nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("timestamp", INSTANT, nullable=False),
        sa.Column("content_preview", sa.Text(), nullable=True),
        sa.Column("data", JSON, nullable=False),
        sa.Column("parent_tool_use_id", sa.Text(), nullable=True),
        sa.Column("status", ID, nullable=True),
        sa.Column("queue_position", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "role IN ('user', 'assistant', 'system', 'file-history-snapshot')", name=op.f("ck_messages_role")
        ),
        sa.CheckConstraint("status IN ('queued')", name=op.f("ck_messages_status")),
        sa.CheckConstraint(
            "type IN ('user', 'assistant', 'system', 'file-history-snapshot', 'permission_request', "
            "'input_request', 'daemon_restart', 'daemon_crash', 'widget_request')",
            name=op.f("ck_messages_type"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.session_id"], name="fk_messages_session_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.task_id"], name="fk_messages_task_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("message_id", name="pk_messages"),
    )
    op.create_index(
        "ix_messages_session_order",
        "messages",
        ["session_id", "index", "timestamp", "created_at", "message_id"],
    )
    op.create_index("ix_messages_task_order", "messages", ["task_id", "index"])
    op.create_table(
        "session_mcp_servers",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("mcp_server_id", ID, nullable=False),
        sa.Column("enabled", FLAG, server_default=sa.true(), nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["mcp_server_id"],
            ["mcp_servers.mcp_server_id"],
            name="fk_session_mcp_servers_mcp_server_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.session_id"],
            name="fk_session_mcp_servers_session_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_session_mcp_servers_server", "session_mcp_servers", ["mcp_server_id"])
    op.create_index("ix_session_mcp_servers_session", "session_mcp_servers", ["session_id", "mcp_server_id"])
    op.create_table(
        "board_comments",
        sa.Column("comment_id", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=True),
        sa.Column("board_id", ID, nullable=False),
        sa.Column("created_by", ID, server_default="anonymous", nullable=False),
        sa.Column("session_id", ID, nullable=True),
        sa.Column("task_id", ID, nullable=True),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("worktree_id", ID, nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_preview", sa.Text(), nullable=False),
        sa.Column("parent_comment_id", ID, nullable=True),
        sa.Column("resolved", FLAG, server_default=sa.false(), nullable=False),
        sa.Column("edited", FLAG, server_default=sa.false(), nullable=False),
        sa.Column("reactions", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"], ["boards.board_id"], name="fk_board_comments_board_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.message_id"], name="fk_board_comments_message_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.session_id"], name="fk_board_comments_session_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.task_id"], name="fk_board_comments_task_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["worktree_id"],
            ["worktrees.worktree_id"],
            name="fk_board_comments_worktree_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("comment_id", name="pk_board_comments"),
    )
    op.create_index("ix_board_comments_board_created", "board_comments", ["board_id", "created_at"])
    op.create_index("ix_board_comments_message", "board_comments", ["message_id"])
    op.create_index("ix_board_comments_parent", "board_comments", ["parent_comment_id"])
    op.create_index("ix_board_comments_session", "board_comments", ["session_id"])
    op.create_index("ix_board_comments_task", "board_comments", ["task_id"])
    op.create_index("ix_board_comments_worktree", "board_comments", ["worktree_id"])


def downgrade() -> None:
    """Drop all tables."""
    op.drop_table("board_comments")
    op.drop_table("session_mcp_servers")
    op.drop_table("messages")
    op.drop_table("tasks")
    op.drop_table("mcp_servers")
    op.drop_table("sessions")
    op.drop_table("board_objects")
    op.drop_table("worktrees")
    op.drop_table("users")
    op.drop_table("schema_migrations")
    op.drop_table("repos")
    op.drop_table("boards")
