"""Migrations as a person follows them: what would be lost, who waits for whom, stopping, and servers that go away."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from agor_tui.config.places import Place, PostgresPlace, SqlitePlace
from agor_tui.database_records import Loss, MigrationEvent, MigrationRun
from agor_tui.db import migration_lock, revision
from agor_tui.errors import AgorError, Cancelled, DatabaseError
from agor_tui.services import migrations

from ..conftest import place_of
from . import migrating
from .one_row_each import count, fill, states, tables

PATIENCE = 60.0

#: Holds on in the server until its connection is ended.
SLEEPING = migrating.HEADER + (
    "\ndef upgrade() -> None:\n"
    "    op.create_table('half_done', sa.Column('id', sa.Integer(), primary_key=True))\n"
    "    op.execute('SELECT pg_sleep(20)')\n"
    "\ndef downgrade() -> None:\n    pass\n"
)


class Running(threading.Thread):
    """A migration in a thread of its own, as the app runs one."""

    def __init__(self, work: Callable[[], MigrationRun]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.answer: MigrationRun | None = None
        self.error: AgorError | None = None
        self.start()

    def run(self) -> None:
        try:
            self.answer = self._work()
        except AgorError as error:
            self.error = error


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        threading.Event().wait(0.02)


def test_who_comes_second_waits_and_finds_nothing_to_do(place: Place, next_revision: Callable[[str], Path]) -> None:
    """The other one is a program of its own, in the middle of a revision."""
    folder = next_revision(migrating.HANGING)
    told: list[str] = []
    with migrating.run_program(place, folder) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "half\n"
        second = Running(lambda: migrations.migrate(place, "head", lambda event: told.append(event.kind)))
        until(lambda: told)
        assert set(told) == {"waits"}
        assert second.is_alive()
        other.communicate("go on\n")
    second.join(PATIENCE)
    assert second.answer == MigrationRun(())
    assert set(told) == {"waits"}
    assert states(place)[-1] == ("0003", "applied")


def test_the_wait_can_be_left(place: Place, next_revision: Callable[[str], Path]) -> None:
    """Nothing is done then, and the other one is not disturbed."""
    folder = next_revision(migrating.HANGING)

    def leave(_: MigrationEvent) -> None:
        raise Cancelled("Enough.")

    with migrating.run_program(place, folder) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "half\n"
        assert migrations.migrate(place, "head", leave) == MigrationRun((), stopped=True)
        other.communicate("go on\n")
    assert states(place)[-1] == ("0003", "applied")


def test_what_is_told_and_stopping_between_revisions(place: Place) -> None:
    """A revision that has begun is brought to its end; the next one does not begin."""
    fill(place)
    told: list[tuple[str, str]] = []

    def tell(event: MigrationEvent) -> None:
        told.append((event.kind, event.revision.id if event.revision else ""))
        if told[-1] == ("begins", "0001"):
            raise Cancelled("Enough.")

    run = migrations.downgrade(place, "base", tell)
    copied = [("copied", "")] if isinstance(place, SqlitePlace) else []
    assert told == [*copied, ("begins", "0002"), ("done", "0002"), ("begins", "0001")]
    assert (run.stopped, [item.id for item in run.revisions]) == (True, ["0002"])
    assert (run.backup is not None) == isinstance(place, SqlitePlace)
    assert states(place) == [("0001", "applied"), ("0002", "pending")]
    assert count(place, "sessions") == 1
    assert not migrations.migrate(place).stopped


def test_what_would_be_lost(place: Place, next_revision: Callable[[str], Path]) -> None:
    """Tables and columns with their rows; a table that is only rebuilt is not lost."""
    fill(place)
    plan = migrations.plan(place, "base")
    assert (plan.way, plan.start, plan.target) == ("downgrade", revision.HEAD, "base")
    assert [item.id for item in plan.revisions] == list(reversed(revision.REVISIONS))
    losses = {loss.table: loss for loss in plan.losses}
    assert losses["sessions"] == Loss("sessions", None, 1)
    assert losses["users"].rows == 1
    assert "schema_migrations" not in losses
    assert bool(plan.backup) == isinstance(place, SqlitePlace)
    next_revision(migrating.REBUILD)
    assert migrations.plan(place).losses == ()
    migrations.migrate(place)
    assert migrations.plan(place, "0002").losses == (Loss("sessions", "mood", 1),)
    assert count(place, "sessions") == 1


def test_the_sql_of_a_rebuilt_table(place: Place, next_revision: Callable[[str], Path]) -> None:
    """Shown for both ways; nothing of it runs."""
    next_revision(migrating.REBUILD)
    up = migrations.plan(place).sql
    assert "-- Running upgrade 0002 -> 0003" in up
    assert "mood" in up
    assert ("RENAME" in up) == isinstance(place, SqlitePlace)
    migrations.migrate(place)
    assert "sessions" in migrations.plan(place, "0002").sql
    assert migrations.plan(place).sql == ""
    assert states(place)[-1] == ("0003", "applied")


def test_a_server_that_ends_the_connection(postgres18_url: str, next_revision: Callable[[str], Path]) -> None:
    """As one that dies in the middle: one sentence, and the database as before."""
    place = place_of(postgres18_url)
    assert isinstance(place, PostgresPlace)
    migrations.init(place)
    next_revision(SLEEPING)
    going = Running(lambda: migrations.migrate(place))
    ended = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND query LIKE '%pg_sleep(20)%'"
    )
    with psycopg.connect(postgres18_url, autocommit=True) as connection:
        until(lambda: connection.execute(ended).fetchone())
    going.join(PATIENCE)
    assert isinstance(going.error, AgorError)
    assert "\n" not in going.error.message
    assert "could not be applied" in going.error.message
    assert states(place)[-1] == ("0003", "pending")
    assert "half_done" not in tables(place)


def test_a_file_that_another_program_writes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waited for, then said."""
    place = place_of(tmp_path / "mine.db")
    migrations.init(place)
    monkeypatch.setattr(migration_lock, "LOCK_WAIT_S", 0.2)
    with closing(sqlite3.connect(tmp_path / "mine.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match=r"Another program has been writing to .*mine\.db") as caught:
            migrations.downgrade(place, "base")
    assert "Nothing was changed" in caught.value.hint
    assert states(place)[-1] == (revision.HEAD, "applied")


def test_no_right_to_change_the_tables(postgres18_url: str, next_revision: Callable[[str], Path]) -> None:
    """The server's reason in a sentence."""
    place = place_of(postgres18_url)
    assert isinstance(place, PostgresPlace)
    migrations.init(place)
    next_revision(migrating.REBUILD)
    role = f"reader_{place.database}"
    with psycopg.connect(postgres18_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}".encode())
        try:
            poor = place_of(f"postgresql://{role}@{place.host}:{place.port}/{place.database}")
            assert [item.id for item in migrations.plan(poor).revisions] == ["0003"]
            with pytest.raises(AgorError, match="may not make tables in the schema public"):
                migrations.migrate(poor)
        finally:
            connection.execute(f"DROP OWNED BY {role}".encode())
            connection.execute(f"DROP ROLE {role}".encode())
    assert states(place)[-1] == ("0003", "pending")


def test_the_order_of_a_downgrade_is_kept_when_another_was_quicker(place: Place) -> None:
    """Who was to go down to a revision does not climb up to it."""
    plan = migrations.plan(place, "0001")
    migrations.downgrade(place, "base")
    with pytest.raises(AgorError, match="is at revision base, before 0001"):
        migrations.downgrade(place, plan.target)
    assert states(place)[0] == ("0001", "pending")
