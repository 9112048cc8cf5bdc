"""What a role or a database sets for its sessions changes no answer, no copy and no edit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text

from agor_tui.config.places import Place
from agor_tui.db import migrator
from agor_tui.db.engine import Database
from agor_tui.errors import DatabaseError
from agor_tui.repositories.probe import probe
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser
from agor_tui.services.transfer import copy
from agor_tui.transfers import CopyOptions
from tests import servers
from tests.conftest import place_of

from .answers import json_answers, session_ids
from .awkward import every_awkward_value, write_sqlite
from .copies import ground, insert, message, rows_of, session, task

Settings = tuple[tuple[str, str], ...]

SPELLING: Settings = (
    ("DateStyle", "'German, DMY'"),
    ("IntervalStyle", "sql_standard"),
    ("TimeZone", "'America/St_Johns'"),  # of the year 1, this zone's times are in a year before
    ("bytea_output", "escape"),
    ("extra_float_digits", "'-15'"),
    ("xmloption", "document"),
    ("client_encoding", "LATIN1"),
    ("standard_conforming_strings", "off"),
    ("backslash_quote", "on"),
    ("quote_all_identifiers", "on"),
    ("transform_null_equals", "on"),
    ("array_nulls", "off"),
    ("client_min_messages", "debug5"),
)
RUNNING: Settings = (
    ("DateStyle", "'SQL, MDY'"),
    ("TimeZone", "'<+0545>-05:45'"),
    ("default_transaction_isolation", "serializable"),
    ("default_transaction_deferrable", "on"),
    ("statement_timeout", "20"),
    ("lock_timeout", "1"),
    ("idle_in_transaction_session_timeout", "1"),
    ("transaction_timeout", "20"),
    ("row_security", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_indexscan", "off"),
    ("enable_seqscan", "off"),
    ("jit_above_cost", "0"),
    ("gin_fuzzy_search_limit", "1"),
    ("check_function_bodies", "off"),
    ("search_path", "pg_catalog, public"),
)
SHADOWED: Settings = (("search_path", "pg_temp, public, shadow"),)


OWNER = "settings_owner"


@pytest.fixture(params=(16, 18))
def server(
    request: pytest.FixtureRequest, postgres_server: Callable[[int], servers.PostgresServer]
) -> servers.PostgresServer:
    return postgres_server(request.param)


@pytest.fixture
def role(server: servers.PostgresServer) -> Iterator[str]:
    """A login without rights of its own, and a role that it may become."""
    name = f"settings_{server.worker}"
    with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):  # another worker may have made it
        server.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(OWNER)))
    server.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}").format(sql.Identifier(name), sql.Identifier(OWNER)))
    yield name
    server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def url(server: servers.PostgresServer, role: str) -> Iterator[str]:
    """An empty database that the role owns, as everybody does who may become ``OWNER``."""
    made = server.create_database()
    name = database_of(made)
    server.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), sql.Identifier(OWNER)))
    yield server.url(name, role)
    server.drop_database(made)


@pytest.fixture
def file(native_templates: Callable[[str], str], tmp_path: Path) -> Path:
    """A native file: every awkward value, and two sessions of which one belongs to the other."""
    path = tmp_path / "a.db"
    write_sqlite(native_templates("sqlite"), path, every_awkward_value())
    ground(path)
    insert(path, "sessions", session("s1", parent_session_id="s2"), session("s2"), session("s3"))
    insert(path, "tasks", *(task(f"t{n}", f"s{n}") for n in (1, 2, 3)))
    insert(path, "messages", *(message(f"m{n}{k}", f"s{n}", task_id=f"t{n}", index=k) for n in (1, 2) for k in (0, 1)))
    return path


def database_of(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])


def set_for(server: servers.PostgresServer, what: str, name: str, setting: str, value: str) -> None:
    """Set something for all later sessions of a ROLE or a DATABASE."""
    server.execute(
        sql.SQL("ALTER {} {} SET {} = {}").format(sql.SQL(what), sql.Identifier(name), sql.SQL(setting), sql.SQL(value))
    )


def answers(place: Place) -> dict[str, object]:
    with Browser(*open_store(place, read_only=True)) as browser:
        return json_answers(browser)


def require_promises(place: Place, file: Path, before: dict[str, object], folder: Path) -> None:
    """The same answers; copies both ways that lose nothing; edits with all that belongs to them; no drift."""
    assert answers(place) == before
    assert copy(place, place_of(folder / "back.db"), CopyOptions()).lossless
    assert rows_of(place_of(folder / "back.db")) == rows_of(place_of(file))
    with Browser(*open_store(place)) as browser:
        assert browser.editor is not None
        browser.editor.rename_session(browser.session("s1"), "back\\slash")
        assert browser.session("s1").title == "back\\slash"
        browser.editor.delete_session(browser.session("s2"))
        assert not browser.tasks_of("s2")
        assert browser.session("s1").parent_id is None
    migrator.reset(place)
    assert copy(place_of(file), place, CopyOptions()).lossless
    assert answers(place) == before
    status = migrator.status(place)
    assert (status.current, status.drift) == (status.head, ())


@pytest.mark.parametrize("what", ["ROLE", "DATABASE"])
@pytest.mark.parametrize("settings", [SPELLING, RUNNING, SHADOWED], ids=["spelling", "running", "shadowed"])
def test_what_is_set_changes_nothing(
    server: servers.PostgresServer,
    role: str,
    url: str,
    file: Path,
    tmp_path: Path,
    settings: Settings,
    what: str,
) -> None:
    place = place_of(url)
    migrator.init(place)
    copy(place_of(file), place, CopyOptions())
    before = answers(place)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA shadow CREATE TABLE sessions (id int)")
    for setting, value in settings:
        if setting != "transaction_timeout" or server.version >= 17:
            set_for(server, what, role if what == "ROLE" else database_of(url), setting, value)
    require_promises(place, file, before, tmp_path)


def test_a_login_that_becomes_another_role(
    server: servers.PostgresServer, role: str, url: str, file: Path, tmp_path: Path
) -> None:
    set_for(server, "ROLE", role, "role", OWNER)
    place = place_of(url)
    migrator.init(place)
    copy(place_of(file), place, CopyOptions())
    require_promises(place, file, answers(place), tmp_path)


def test_where_the_search_path_leads_nowhere(server: servers.PostgresServer, role: str, url: str) -> None:
    """The schema is to be named; it is never said that the database is empty."""
    migrator.init(place_of(url))
    for path in ("''", "nowhere", "'\"$user\"'"):
        set_for(server, "ROLE", role, "search_path", path)
        for ask in (open_store, migrator.init, probe):
            with pytest.raises(DatabaseError, match="leads to none") as failed:
                ask(place_of(url))
            assert "?schema=public" in failed.value.hint
    there = place_of(f"{url}?schema=public")
    migrator.init(there)
    assert probe(there).info.kind == "native"
    migrator.init(place_of(f"{url}?schema=made"))
    assert probe(place_of(f"{url}?schema=made")).info.kind == "native"


def test_foreign_keys_hold_or_nothing_is_changed(
    server: servers.PostgresServer, role: str, url: str, file: Path
) -> None:
    place = place_of(url)
    migrator.init(place)
    copy(place_of(file), place, CopyOptions())
    before = answers(place)
    set_for(server, "ROLE", role, "session_replication_role", "replica")
    with Browser(*open_store(place)) as browser:
        assert browser.editor is None
        assert "foreign keys would not hold" in browser.info.access.obstacle
    with (
        Database(place, writable=True) as database,
        pytest.raises(DatabaseError, match="foreign keys would not hold"),
    ):
        database.write(lambda connection: connection.execute(text("DELETE FROM sessions")))
    assert answers(place) == before
    set_for(server, "DATABASE", database_of(url), "session_replication_role", "replica")
    with Browser(*open_store(place_of(server.url(database_of(url))))) as browser:  # who may set it does so
        assert browser.editor is not None
        browser.editor.delete_session(browser.session("s2"))
        assert not browser.tasks_of("s2")


def test_rows_that_a_policy_hides_are_not_left_out_in_silence(
    server: servers.PostgresServer, role: str, url: str, file: Path, tmp_path: Path
) -> None:
    """A screen shows what may be seen; a copy of it would be taken for the whole."""
    place = place_of(url)
    migrator.init(place)
    copy(place_of(file), place, CopyOptions())
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE sessions ENABLE ROW LEVEL SECURITY")
        connection.execute("ALTER TABLE sessions FORCE ROW LEVEL SECURITY")
        connection.execute("CREATE POLICY one ON sessions USING (session_id = 's1')")
    assert session_ids(Browser(*open_store(place, read_only=True))) == ["s1"]
    with pytest.raises(DatabaseError, match="hides rows from this user"):
        copy(place, place_of(tmp_path / "b.db"), CopyOptions())


def test_a_server_that_speaks_another_language(url: str) -> None:
    """What it says is known by its code: here the database itself answers in German."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE FUNCTION says(code text) RETURNS int LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'keine Berechtigung' USING ERRCODE = code; END $$"
        )
    with Database(place_of(url)) as database:
        for code, sentence in (
            ("42501", "does not allow this user to read it"),
            ("57014", "needed more than 30 s"),
            ("53100", "has no room left"),
            ("40P01", "is being changed by another program"),
            ("22P05", "has an encoding that cannot hold this text"),
        ):
            with pytest.raises(DatabaseError, match=sentence):
                database.read(lambda connection, code=code: connection.exec_driver_sql("SELECT says(%s)", (code,)))


def test_a_connection_that_the_server_ended_while_it_lay_idle(
    server: servers.PostgresServer, role: str, url: str
) -> None:
    """Writing, which is not done twice, gets a new one like reading."""
    set_for(server, "ROLE", role, "idle_session_timeout", "50")
    with Database(place_of(url), writable=True) as database:
        ask = text("SELECT pg_backend_pid()")
        first = database.write(lambda connection: connection.scalar(ask))
        with psycopg.connect(server.url("postgres")) as other:
            gone = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = %s"
            while not other.execute(gone, (first,)).fetchone()[0]:  # type: ignore[index]
                other.rollback()
        assert database.write(lambda connection: connection.scalar(ask)) != first
