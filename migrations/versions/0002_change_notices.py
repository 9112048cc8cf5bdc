"""change notices

On PostgreSQL a trigger on each table tells those who listen on the channel ``agor_tui`` that the table was changed,
once a statement; the server drops the repetitions within a transaction. SQLite needs nothing for it.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "board_comments",
    "board_objects",
    "boards",
    "mcp_servers",
    "messages",
    "repos",
    "session_mcp_servers",
    "sessions",
    "tasks",
    "users",
    "worktrees",
)


def upgrade() -> None:
    """Make the function and the triggers."""
    if op.get_context().dialect.name != "postgresql":
        return
    # OR REPLACE: dropping all tables, as a reset does, leaves the function behind.
    op.execute(
        "CREATE OR REPLACE FUNCTION agor_tui_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_catalog.pg_notify('agor_tui', TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME); RETURN NULL; END $$"
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER agor_tui_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION agor_tui_changed()"
        )


def downgrade() -> None:
    """Drop them."""
    if op.get_context().dialect.name != "postgresql":
        return
    for table in TABLES:
        op.execute(f"DROP TRIGGER IF EXISTS agor_tui_changed ON {table}")
    op.execute("DROP FUNCTION IF EXISTS agor_tui_changed()")
