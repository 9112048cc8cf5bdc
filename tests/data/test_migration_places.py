"""Where databases are made and migrated: files, servers, and what belongs to other programs."""

from __future__ import annotations

import dataclasses
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from agor_tui.config.places import Place, PostgresPlace, SqlitePlace
from agor_tui.db import migrator
from agor_tui.db.engine import Database
from agor_tui.db.revision import REVISIONS
from agor_tui.errors import AgorError, DatabaseError, ForeignDatabaseError, MigrationError
from agor_tui.repositories.store import open_store
from agor_tui.services import migrations

from ..conftest import place_of
from . import migrating
from .one_row_each import count, execute, fill, states, tables

OURS = [(name, "applied") for name in REVISIONS]


class TestSqlite:
    """What only files have."""

    def test_folders_are_made_and_the_file_is_private(self, tmp_path: Path) -> None:
        """The file is for its user alone; nothing lies beside it when it is closed."""
        path = tmp_path / "new" / "folder" / "mine.db"
        migrator.init(place_of(path))
        assert path.stat().st_mode & 0o777 == 0o600
        assert [item.name for item in path.parent.iterdir()] == ["mine.db"]

    def test_a_copy_is_made_before_a_change(self, tmp_path: Path) -> None:
        """Beside the file, private, with all rows; none where there are no rows or nothing to do."""
        place = place_of(tmp_path / "mine.db")
        migrator.init(place)
        assert migrator.downgrade(place, "base").backup is None
        assert migrator.upgrade(place).backup is None
        fill(place)
        assert migrator.upgrade(place).backup is None
        backup = migrator.downgrade(place, "base").backup
        assert backup is not None
        assert backup.parent == tmp_path
        assert backup.name.startswith("mine.db.0002.")
        assert backup.stat().st_mode & 0o777 == 0o600
        assert count(place_of(backup), "messages") == 1
        assert states(place_of(backup)) == OURS

    def test_no_room_for_the_copy(self, tmp_path: Path) -> None:
        """Without a copy nothing is changed, and nothing of a half one is left."""
        place = place_of(tmp_path / "mine.db")
        migrator.init(place)
        fill(place)

        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        try:
            with pytest.raises(MigrationError, match=r"could not be copied to mine\.db\.0002"):
                migrator.downgrade(place, "base")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert count(place, "messages") == 1
        assert [item.name for item in tmp_path.iterdir()] == ["mine.db"]

    def test_records_that_hold_something_else_are_shown_all_the_same(self, tmp_path: Path) -> None:
        """SQLite takes any value in any column."""
        place = place_of(tmp_path / "mine.db")
        migrator.init(place)
        execute(place, "UPDATE schema_migrations SET duration_ms = 'long', applied_at = 'soon', checksum = x'ff'")
        found = migrator.status(place).revisions[0]
        assert (found.state, found.duration_ms, found.applied_at) == ("changed", None, None)

    def test_an_empty_file_becomes_a_database(self, tmp_path: Path) -> None:
        """As ``touch`` or a download that failed leaves one."""
        path = tmp_path / "empty.db"
        path.touch()
        assert [item.id for item in migrator.init(place_of(path)).revisions] == list(REVISIONS)

    @pytest.mark.parametrize("content", [b"just some text, long enough", b"SQLite format 3\x00 cut"])
    def test_what_is_no_database_stays_as_it_is(self, tmp_path: Path, content: bytes) -> None:
        """A text file or a damaged one is refused and not written to."""
        path = tmp_path / "notes.txt"
        path.write_bytes(content)
        for change in (migrator.init, migrator.upgrade, migrator.reset):
            with pytest.raises(DatabaseError):
                change(place_of(path))
        assert path.read_bytes() == content
        assert [item.name for item in tmp_path.iterdir()] == ["notes.txt"]

    def test_a_missing_file_is_made_by_init_alone(self, tmp_path: Path) -> None:
        """Migrating, undoing and looking make none."""
        place = place_of(tmp_path / "none.db")
        for change in (migrator.upgrade, migrator.status, migrator.plan):
            with pytest.raises(DatabaseError, match="does not exist") as caught:
                change(place)
            assert "db init" in caught.value.hint
        assert list(tmp_path.iterdir()) == []


class TestPostgres:
    """What only servers have."""

    def test_database_and_schema_are_made(self, postgres18_url: str) -> None:
        """Also under names that need quoting; tables of others in ``public`` are not looked at."""
        there = place_of(postgres18_url)
        assert isinstance(there, PostgresPlace)
        execute(there, "CREATE TABLE somebody_elses (id int)")
        in_schema = dataclasses.replace(there, schema='My "100%" schema')
        migrator.init(in_schema)
        assert migrator.status(in_schema).drift == ()
        assert tables(there) == {"somebody_elses"}
        fill(in_schema)
        assert count(in_schema, "messages") == 1
        migrator.reset(in_schema)
        new = dataclasses.replace(there, database=f'{there.database} "100%" new')
        try:
            migrator.init(new)
            assert migrator.status(new).drift == ()
        finally:
            with Database(there, writable=True) as database, database.engine.connect() as connection:
                name = connection.dialect.identifier_preparer.quote_identifier(str(new.database))
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")

    def test_a_role_that_reads_old_snapshots(self, postgres18_url: str, next_revision: Callable[[str], Path]) -> None:
        """Under a default of SERIALIZABLE, who waited still sees what the other program did."""
        there = place_of(postgres18_url)
        assert isinstance(there, PostgresPlace)
        execute(there, f"ALTER DATABASE {there.database} SET default_transaction_isolation = 'serializable'")
        folder = next_revision(migrating.REBUILD)
        programs = [migrating.run_program(there, folder) for _ in range(2)]
        answers = [program.communicate() for program in programs]
        assert [errors for _, errors in answers] == [""] * 2
        assert sum(int(output) for output, _ in answers) == 3

    def test_no_right_to_make_it(self, postgres18_url: str) -> None:
        """The server's own reason, and whom to ask."""
        there = place_of(postgres18_url)
        assert isinstance(there, PostgresPlace)
        role = f"poor_{there.database}"
        execute(there, f"CREATE ROLE {role} LOGIN")
        try:
            poor = dataclasses.replace(there, user=role, database=f"{there.database}_new")
            with pytest.raises(DatabaseError, match="could not be created: permission denied"):
                migrator.init(poor)
            with pytest.raises(DatabaseError, match=f"{role} may not make tables in the schema public"):
                migrator.init(dataclasses.replace(poor, database=there.database))
            execute(there, "REVOKE USAGE ON SCHEMA public FROM PUBLIC")
            for look in (migrator.status, open_store):  # its tables are out of sight: that does not make it empty
                with pytest.raises(DatabaseError, match=f"{role} may not use the schema public"):
                    look(dataclasses.replace(poor, database=there.database))
        finally:
            execute(there, f"DROP ROLE {role}")

    def test_the_server_ends_while_it_makes_it(self, postgres18_url: str) -> None:
        """A lost connection is said as one."""
        there = place_of(postgres18_url)
        assert isinstance(there, PostgresPlace)

        def end(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
            if statement.startswith("CREATE DATABASE"):
                process = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
                execute(there, f"SELECT pg_terminate_backend({process}, 5000)")

        event.listen(Engine, "before_cursor_execute", end)
        try:
            with pytest.raises(DatabaseError, match="closed the connection"):
                migrator.init(dataclasses.replace(there, database=f"{there.database}_new"))
        finally:
            event.remove(Engine, "before_cursor_execute", end)

    def test_extensions_are_nobodys_tables(self, postgres18_url: str) -> None:
        """A database with an extension installed is an empty one."""
        there = place_of(postgres18_url)
        execute(there, "CREATE EXTENSION vector")
        assert migrator.status(there).kind == "empty"


class TestForeign:
    """Databases of other programs."""

    def test_tables_of_others_are_left_alone(self, empty_place: Place) -> None:
        """Whoever made them; Alembic's usual table and ``schema_migrations`` are not taken for ours."""
        if isinstance(empty_place, SqlitePlace):
            empty_place.path.touch()
        execute(empty_place, "CREATE TABLE alembic_version (version_num VARCHAR(32))")
        execute(empty_place, "INSERT INTO alembic_version VALUES ('0001')")
        execute(empty_place, "CREATE TABLE schema_migrations (version TEXT)")
        before = tables(empty_place)
        found = migrator.status(empty_place)
        assert (found.kind, found.current, found.revisions) == ("foreign", None, ())
        for change in (migrations.init, migrations.migrate, migrations.reset, migrations.plan):
            with pytest.raises(ForeignDatabaseError, match="did not make"):
                change(empty_place)
        assert tables(empty_place) == before

    @pytest.mark.parametrize(
        ("file", "owner"),
        [("agor/agor.db", "Agor"), ("agor-2026/agor.db", "Agor"), ("opencode/opencode.db", "OpenCode")],
    )
    def test_the_owner_is_named(self, fixtures_dir: Path, tmp_path: Path, file: str, owner: str) -> None:
        """Its own revisions are shown, and not a byte is changed."""
        path = tmp_path / "theirs.db"
        path.write_bytes((fixtures_dir / file).read_bytes())
        before = path.read_bytes()
        place = place_of(path)
        found = migrations.status(place)
        assert found.owner == owner
        assert found.revisions
        assert {item.state for item in found.revisions} == {"applied"}
        for change in (migrations.init, migrations.migrate, migrations.reset):
            with pytest.raises(ForeignDatabaseError, match=f"belongs to {owner}"):
                change(place)
        assert path.read_bytes() == before
        assert [item.name for item in tmp_path.iterdir()] == ["theirs.db"]


class TestProbe:
    """``db test``."""

    def test_what_answers(self, empty_place: Place) -> None:
        """Version, kind, owner and times, before and after the database is made."""
        if isinstance(empty_place, SqlitePlace):
            with pytest.raises(AgorError, match="does not exist"):
                migrations.test(empty_place)
            empty_place.path.touch()
        found = migrations.test(empty_place)
        assert (found.info.kind, found.info.owner) == ("empty", "nobody")
        migrations.init(empty_place)
        found = migrations.test(empty_place)
        assert (found.info.kind, found.info.owner, found.info.read_only) == ("native", "agor-tui", False)
        assert found.info.server_version.split(".")[0] in {"3", "16", "18"}
        assert found.connect_ms > 0
        assert found.latency_ms > 0
