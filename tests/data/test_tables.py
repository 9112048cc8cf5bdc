"""The native tables: their columns, checks, keys and stored values, on SQLite and on PostgreSQL 16 and 18."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, inspect, select, text
from sqlalchemy.engine import Connection

from agor_tui.config.places import Place
from agor_tui.db import migrator, revision, scripts
from agor_tui.db.engine import Database
from agor_tui.db.tables import (
    MESSAGE_ROLES,
    MESSAGE_TYPES,
    SESSION_STATUS_WORDS,
    TASK_STATUS_WORDS,
    USER_ROLES,
    metadata,
)
from agor_tui.errors import DatabaseError

from ..conftest import place_of
from .one_row_each import ROWS, WHEN, count, execute, fill, write

pytestmark = pytest.mark.libsql

REFERENCE_COLUMNS = {
    "sessions": "session_id created_at updated_at created_by status agentic_tool board_id parent_session_id "
    "forked_from_session_id worktree_id scheduled_run_at scheduled_from_worktree ready_for_prompt data archived "
    "archived_reason",
    "tasks": "task_id session_id created_at completed_at status created_by data started_at",
    "messages": "message_id created_at session_id task_id type role index timestamp content_preview data "
    "parent_tool_use_id status queue_position",
    "boards": "board_id created_at updated_at created_by name slug data",
    "repos": "repo_id created_at updated_at slug data",
    "worktrees": "worktree_id repo_id created_at updated_at created_by name ref worktree_unique_id board_id data "
    "schedule_enabled schedule_cron schedule_last_triggered_at schedule_next_run_at start_command stop_command "
    "health_check_url app_url logs_command needs_attention archived archived_at archived_by filesystem_status",
    "users": "user_id created_at updated_at email password name emoji role onboarding_completed data",
    "board_comments": "comment_id created_at updated_at board_id created_by session_id task_id message_id worktree_id "
    "content content_preview parent_comment_id resolved edited reactions data",
    "board_objects": "object_id board_id created_at worktree_id data",
    "mcp_servers": "mcp_server_id created_at updated_at name transport scope enabled owner_user_id team_id repo_id "
    "session_id source data",
    "session_mcp_servers": "session_id mcp_server_id enabled added_at",
}


def test_columns_are_those_of_the_reference() -> None:
    """An Agor database's rows copy in with nothing lost."""
    for name, columns in REFERENCE_COLUMNS.items():
        assert [column.name for column in metadata.tables[name].columns] == columns.split(), name


def test_columns_are_those_of_a_real_database(fixtures_dir: Path) -> None:
    """The same, against a file that the program itself wrote."""
    with Database(place_of(fixtures_dir / "agor" / "agor.db")) as database:
        for name in REFERENCE_COLUMNS:
            found = database.read(lambda connection, name=name: inspect(connection).get_columns(name))
            assert {column["name"] for column in found} == set(metadata.tables[name].columns.keys()), name


def test_every_constraint_has_a_name() -> None:
    """What has no name cannot be changed by a later revision."""
    for table in metadata.sorted_tables:
        assert all(item.name for item in table.constraints if list(getattr(item, "columns", ())))


def test_models_and_migrations_agree(place: Place) -> None:
    """What the migrations make is what the models say, to the last index and check."""
    found = migrator.status(place)
    assert found.drift == ()
    assert found.current == found.head == revision.HEAD
    assert (found.kind, found.owner) == ("native", "agor-tui")
    assert [item.state for item in found.revisions] == ["applied"] * len(revision.REVISIONS)


def test_the_list_of_revisions_is_that_of_the_scripts() -> None:
    """``revision`` names them without Alembic."""
    assert tuple(script.id for script in scripts.known()) == revision.REVISIONS


def test_words_of_an_enumeration(place: Place) -> None:
    """Every known word of either generation is taken, another is refused."""
    fill(place)
    for table, column, words in (
        ("sessions", "status", SESSION_STATUS_WORDS),
        ("sessions", "agentic_tool", ("claude-code", "codex", "a tool of tomorrow")),
        ("tasks", "status", TASK_STATUS_WORDS),
        ("messages", "type", MESSAGE_TYPES),
        ("messages", "role", MESSAGE_ROLES),
        ("messages", "status", ("queued", None)),
        ("users", "role", USER_ROLES),
    ):
        rows = metadata.tables[table]

        def set_all(connection: Connection, rows: Table = rows, column: str = column, words: Any = words) -> None:
            for word in words:
                connection.execute(rows.update(), {column: word})

        write(place, set_all)
        with pytest.raises(DatabaseError):
            write(place, partial(set_all, words=["" if column == "agentic_tool" else "sleeping"]))


def test_foreign_keys(place: Place) -> None:
    """A row's parts go with it; what merely refers to it is kept."""
    fill(place)
    child = {**ROWS["sessions"], "session_id": "s2", "parent_session_id": "s1", "forked_from_session_id": "s1"}
    write(place, lambda connection: connection.execute(metadata.tables["sessions"].insert().values(**child)))
    execute(place, "DELETE FROM tasks")
    assert count(place, "messages") == 1
    execute(place, "DELETE FROM boards")
    assert count(place, "worktrees") == 1
    execute(place, "DELETE FROM sessions WHERE session_id = 's1'")
    assert [count(place, name) for name in ("sessions", "messages", "session_mcp_servers")] == [1, 0, 0]
    execute(place, "DELETE FROM repos")
    assert [count(place, name) for name in ("worktrees", "sessions")] == [0, 0]
    with pytest.raises(DatabaseError):
        write(place, lambda connection: connection.execute(metadata.tables["tasks"].insert().values(**ROWS["tasks"])))


def test_a_pair_of_session_and_server_may_be_there_twice(place: Place) -> None:
    """As in the reference; a slug or an address may not."""
    fill(place)
    pair = metadata.tables["session_mcp_servers"].insert().values(**ROWS["session_mcp_servers"])
    write(place, lambda connection: connection.execute(pair))
    assert count(place, "session_mcp_servers") == 2
    for name, key in (("repos", "repo_id"), ("boards", "board_id"), ("users", "user_id")):
        again = metadata.tables[name].insert().values(**{**ROWS[name], key: "other"})
        with pytest.raises(DatabaseError):
            write(place, lambda connection, again=again: connection.execute(again))


def test_values_come_back_as_they_went_in(place: Place) -> None:
    """Milliseconds, flags and defaults survive, and are stored as the design says."""
    fill(place)
    sessions = metadata.tables["sessions"]
    with Database(place) as database:
        row = database.read(lambda connection: connection.execute(select(sessions)).one())
        stored = database.read(
            lambda connection: connection.execute(
                text(
                    "SELECT typeof(created_at), typeof(archived), typeof(data) FROM sessions"
                    if database.dialect == "sqlite"
                    else "SELECT pg_typeof(created_at)::text, pg_typeof(archived)::text, pg_typeof(data)::text, "
                    "pg_collation_for(session_id) FROM sessions"
                )
            ).one()
        )
    assert (row.created_at, row.archived, row.created_by) == (WHEN, False, "anonymous")
    assert tuple(stored) in {
        ("integer", "integer", "text"),
        ("timestamp with time zone", "boolean", "jsonb", '"C"'),
    }
