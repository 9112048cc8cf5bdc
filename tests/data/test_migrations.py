"""Making and migrating native databases, on SQLite and on PostgreSQL 16 and 18."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import pytest
from sqlalchemy import text

from agor_tui.config.places import Place, PostgresPlace, SqlitePlace
from agor_tui.db import migrator, revision, scripts
from agor_tui.db.engine import Database
from agor_tui.db.revision import VERSION_TABLE
from agor_tui.errors import DatabaseError, MigrationError, ReadOnlyError, SchemaVersionError, UsageError
from agor_tui.repositories.store import open_store

from . import migrating
from .one_row_each import count, execute, fill, states, tables

pytestmark = pytest.mark.libsql

OURS = [(name, "applied") for name in revision.REVISIONS]


def test_down_to_the_base_and_up_again(place: Place) -> None:
    """Undoing all leaves nothing but the version table."""
    undone = migrator.downgrade(place, "base")
    assert [item.id for item in undone.revisions] == list(reversed(revision.REVISIONS))
    assert tables(place) == {VERSION_TABLE}
    assert states(place) == [(name, "pending") for name in revision.REVISIONS]
    migrator.upgrade(place)
    assert migrator.status(place).drift == ()


def test_making_one_twice_changes_nothing(place: Place) -> None:
    """``init`` on a native database is no error, and says that there was nothing to do."""
    fill(place)
    assert migrator.init(place).revisions == ()
    assert count(place, "sessions") == 1


def test_what_is_recorded(place: Place) -> None:
    """Who applied a revision, when, how long it took, and the checksum of its script."""
    found = migrator.status(place).revisions[0]
    script = next(scripts.folder().glob("versions/0001_*.py"))
    assert found.checksum == hashlib.sha256(script.read_bytes()).hexdigest()
    assert found.applied_at is not None
    assert found.applied_at.tzinfo is UTC
    assert found.duration_ms is not None
    assert found.tool_version
    assert "@" in (found.applied_by or "")


def test_progress_is_told(empty_place: Place) -> None:
    """Each revision, once it is in the database."""
    seen: list[str] = []
    migrator.init(empty_place, lambda found: seen.append(f"{found.id} {found.state} {states(empty_place)[0][1]}"))
    assert seen == ["0001 applied applied", "0002 applied applied"]


def test_targets(place: Place) -> None:
    """Names and steps; what there is not is refused with the names that there are."""
    migrator.downgrade(place, "-1")
    migrator.upgrade(place, "+1")
    migrator.upgrade(place, "0002")
    for wrong in ("0815", "+1", "x", ""):
        with pytest.raises(UsageError, match="no revision"):
            migrator.upgrade(place, wrong)
    with pytest.raises(UsageError, match="past base"):
        migrator.upgrade(place, "base")
    migrator.downgrade(place, "base")
    with pytest.raises(UsageError, match="before 0002"):
        migrator.downgrade(place, "head")


def test_preview_shows_the_sql_and_runs_none(place: Place) -> None:
    """The SQL of this dialect, both ways."""
    assert migrator.plan(place).sql == ""
    assert "DROP TABLE sessions" in migrator.plan(place, "base").sql
    migrator.downgrade(place, "base")
    shown = migrator.plan(place).sql
    assert "CREATE TABLE sessions" in shown
    assert ("JSONB" in shown) == isinstance(place, PostgresPlace)
    assert tables(place) == {VERSION_TABLE}


def test_a_table_with_rows_is_rebuilt(place: Place, next_revision: Callable[[str], Path]) -> None:
    """Rows, and the rows that refer to them, outlive a revision that rebuilds their table, and its undoing."""
    fill(place)
    next_revision(migrating.REBUILD)
    assert states(place) == [*OURS, ("0003", "pending")]
    run = migrator.upgrade(place)
    assert [item.id for item in run.revisions] == ["0003"]
    assert [count(place, name) for name in ("sessions", "tasks", "messages")] == [1, 1, 1]
    assert migrator.status(place).drift == (
        "The check ck_sessions_mood of sessions is not one of ours.",
        "The column sessions.mood is not one of ours.",
    )
    with pytest.raises(DatabaseError):
        execute(place, "UPDATE sessions SET mood = ''")
    assert [item.state for item in migrator.downgrade(place, "0002").revisions] == ["pending"]
    assert [count(place, name) for name in ("sessions", "tasks", "messages")] == [1, 1, 1]
    assert states(place) == [*OURS, ("0003", "pending")]


def test_a_failing_revision_leaves_nothing(place: Place, next_revision: Callable[[str], Path]) -> None:
    """One sentence, and the database as it was."""
    fill(place)
    next_revision(migrating.BROKEN)
    with pytest.raises(MigrationError, match=r"Revision 0003 could not be applied to .*no_such_table") as caught:
        migrator.upgrade(place)
    assert "\n" not in caught.value.message
    assert "half_done" not in tables(place)
    assert states(place) == [*OURS, ("0003", "pending")]
    with Database(place) as database:
        assert database.read(lambda connection: connection.scalar(text("SELECT status FROM sessions"))) == "idle"


def test_killed_half_way(place: Place, next_revision: Callable[[str], Path]) -> None:
    """The next start finds the database as it was before the revision, and can go on."""
    fill(place)
    folder = next_revision(migrating.HANGING)
    with migrating.run_program(place, folder) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "half\n"
        program.kill()
    assert states(place) == [*OURS, ("0003", "pending")]
    assert "half_done" not in tables(place)
    (folder / "versions" / "0003_more.py").write_text(migrating.REBUILD)
    assert [item.id for item in migrator.upgrade(place).revisions] == ["0003"]
    assert count(place, "sessions") == 1


def test_two_programs_at_once(empty_place: Place, next_revision: Callable[[str], Path]) -> None:
    """One waits for the other and finds nothing left to do; no revision runs twice."""
    folder = next_revision(migrating.REBUILD)
    programs = [migrating.run_program(empty_place, folder) for _ in range(3)]
    answers = [program.communicate() for program in programs]
    assert [errors for _, errors in answers] == [""] * 3
    assert sum(int(output) for output, _ in answers) == 3
    assert states(empty_place) == [*OURS, ("0003", "applied")]


def test_a_newer_program_made_it(place: Place, next_revision: Callable[[str], Path]) -> None:
    """Shown as unknown with the version of that program, and never touched."""
    fill(place)
    next_revision(migrating.REBUILD)
    migrator.upgrade(place)
    execute(place, f"UPDATE {VERSION_TABLE} SET version_num = '0009'")
    execute(place, "UPDATE schema_migrations SET revision = '0009', tool_version = '9.1' WHERE revision = '0003'")
    found = migrator.status(place)
    assert [(item.id, item.state, item.tool_version) for item in found.revisions][-1] == ("0009", "unknown", "9.1")
    assert found.drift == ()
    for change in (
        migrator.init,
        migrator.upgrade,
        migrator.reset,
        lambda place: migrator.downgrade(place, "base"),
        migrator.plan,
    ):
        with pytest.raises(SchemaVersionError, match=r"0009, which .* does not know: agor-tui 9\.1 made it"):
            change(place)
    assert count(place, "sessions") == 1


def test_behind(place: Place, next_revision: Callable[[str], Path]) -> None:
    """Opening one that is behind names the command to run."""
    next_revision(migrating.REBUILD)
    with (
        Database(place) as database,
        pytest.raises(SchemaVersionError, match=r"is at revision 0002, and .* needs 0003") as caught,
    ):
        database.read(lambda connection: revision.require_current(connection, place))
    assert "agor-tui db migrate" in caught.value.hint


def test_all_undone(place: Place) -> None:
    """Opening a database whose revisions were all undone names the command to run, too."""
    migrator.downgrade(place, "base")
    with pytest.raises(SchemaVersionError, match="is at revision base") as caught:
        open_store(place)
    assert "agor-tui db migrate" in caught.value.hint


def test_a_script_that_changed_since(place: Place, next_revision: Callable[[str], Path]) -> None:
    """The recorded checksum tells."""
    folder = next_revision(migrating.REBUILD)
    migrator.upgrade(place)
    script = folder / "versions" / "0003_more.py"
    script.write_text(script.read_text() + "# more\n")
    assert states(place) == [*OURS, ("0003", "changed")]
    script.write_bytes(migrating.REBUILD.replace("\n", "\r\n").encode())
    assert states(place) == [*OURS, ("0003", "applied")]


def test_drift_is_said_in_sentences(place: Place) -> None:
    """Whatever was changed by hand."""
    for statement in (
        "DROP INDEX ix_sessions_parent",
        "CREATE INDEX by_hand ON tasks (completed_at)",
        "ALTER TABLE boards ADD COLUMN colour TEXT",
        "DROP TABLE board_comments",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY)",
    ):
        execute(place, statement)
    wanted = {
        "The index ix_sessions_parent of sessions is missing or differs.",
        "The index by_hand of tasks is not as in the models.",
        "The column boards.colour is not one of ours.",
        "The table board_comments is missing.",
        "The table notes is not one of ours.",
    }
    if isinstance(place, PostgresPlace):
        for statement in (
            "ALTER TABLE sessions ALTER COLUMN archived_reason TYPE varchar(9)",
            "ALTER TABLE sessions ALTER COLUMN updated_at DROP NOT NULL",
            "ALTER TABLE sessions ALTER COLUMN archived SET DEFAULT true",
            "ALTER TABLE tasks DROP CONSTRAINT ck_tasks_status",
            "ALTER TABLE messages DROP CONSTRAINT ck_messages_role, "
            "ADD CONSTRAINT ck_messages_role CHECK (role IN ('user', 'robot'))",
            "ALTER TABLE tasks DROP CONSTRAINT fk_tasks_session_id",
            "DROP TRIGGER agor_tui_changed ON tasks",
            "ALTER TABLE users DISABLE TRIGGER agor_tui_changed",
        ):
            execute(place, statement)
        wanted |= {
            "The column sessions.archived_reason is VARCHAR(9), and should be TEXT.",
            "The column sessions.updated_at may be NULL, against the models.",
            "The default of the column sessions.archived differs.",
            "The check ck_tasks_status of tasks is missing.",
            "The check ck_messages_role of messages allows other words than the models.",
            "The foreign key fk_tasks_session_id of tasks is missing or differs.",
            "The trigger agor_tui_changed of tasks is missing or disabled.",
            "The trigger agor_tui_changed of users is missing or disabled.",
        }
    drift = migrator.status(place).drift
    # The index on the column that the lost table's foreign keys need goes with it: one sentence a table.
    assert wanted <= set(drift)
    assert {sentence for sentence in set(drift) - wanted if "board_comments" not in sentence} == set()


def test_reset(place: Place) -> None:
    """All rows are gone, and the schema is as new."""
    fill(place)
    run = migrator.reset(place)
    assert (run.backup is not None) == isinstance(place, SqlitePlace)
    assert count(place, "sessions") == 0
    assert migrator.status(place).drift == ()


def test_read_only_by_the_config(place: Place) -> None:
    """Nothing is changed where the config says so."""
    held = dataclasses.replace(place, read_only=True)
    for change in (
        migrator.init,
        migrator.upgrade,
        migrator.reset,
        lambda place: migrator.downgrade(place, "base"),
    ):
        with pytest.raises(ReadOnlyError, match="reading only"):
            change(held)
    assert states(held) == OURS


def test_alembic_is_imported_only_where_it_is_needed() -> None:
    """It takes as long as the rest of a command."""
    program = (
        "import sys, agor_tui.services.migrations, agor_tui.db.migrator, agor_tui.repositories.store;"
        "print('alembic' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"
