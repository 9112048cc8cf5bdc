"""What is said of a database's access is what its server, its rights and its disk allow, before anything is tried."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from agor_tui.config.places import LibsqlPlace, Place, Secret
from agor_tui.db import migrator
from agor_tui.db.access import access
from agor_tui.db.engine import Database
from agor_tui.errors import AgorError, ReadOnlyError
from agor_tui.repositories.probe import probe
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser
from agor_tui.services.transfer import copy
from agor_tui.transfers import CopyOptions
from tests import servers, standby_server
from tests.conftest import place_of

from .copies import ground, insert, session

STANDBY = "The server is a standby, on which nothing may be changed."


@pytest.fixture
def file(native_templates: Callable[[str], str], tmp_path: Path) -> Path:
    """A native file with one session."""
    path = tmp_path / "a.db"
    path.write_bytes(Path(native_templates("sqlite")).read_bytes())
    ground(path)
    insert(path, "sessions", session("s1"))
    return path


@pytest.mark.parametrize("version", servers.VERSIONS)
def test_a_standby_reads_and_says_so_until_it_is_promoted(servers_folder: Path, file: Path, version: int) -> None:
    folder = servers_folder / f"pair-{version}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with standby_server.running(folder, version) as pair:
        assert copy(place_of(file), place_of(pair.primary), CopyOptions()).lossless
        pair.catch_up()
        place = place_of(pair.standby)
        assert (probe(place).info.read_only, probe(place).info.access.obstacle) == (True, STANDBY)
        for work in (
            lambda: migrator.reset(place),
            lambda: migrator.downgrade(place, "base"),
            lambda: migrator.init(place_of(f"{pair.standby}?schema=new")),
            lambda: copy(place_of(file), place, CopyOptions(on_conflict="skip")),
            lambda: copy(place_of(file), place, CopyOptions(on_conflict="skip", dry_run=True)),
        ):
            with pytest.raises(AgorError, match="is a standby"):
                work()
        with Browser(*open_store(place)) as browser:
            seen = browser.session("s1")
            assert (browser.editor, browser.info.read_only) == (None, True)
            pair.promote()
            browser.renew_access()
            assert not browser.info.read_only
            assert browser.editor is not None
            browser.editor.rename_session(seen, "After")
            assert browser.session("s1").title == "After"


@pytest.fixture(params=servers.VERSIONS)
def reader(
    request: pytest.FixtureRequest, postgres_server: Callable[[int], servers.PostgresServer], file: Path
) -> Iterator[tuple[str, str]]:
    """A native database with a session: its owner's URL, and that of a role that may only read."""
    server = postgres_server(request.param)
    url = server.create_database()
    copy(place_of(file), place_of(url), CopyOptions())
    name, role = str(conninfo_to_dict(url)["dbname"]), f"access_{server.worker}"
    server.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
    grant(url, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    yield url, server.url(name, role)
    server.drop_database(url)
    server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def grant(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def allowed(place: Place) -> str:
    with Browser(*open_store(place)) as browser:
        found = browser.info.access
        assert browser.info == replace(browser.info, read_only=bool(found.obstacle))
        assert (browser.editor is None) == bool(found.obstacle)
        return found.obstacle or "|".join(sorted(f"{right} {table}" for table, right in found.missing))


def test_rights_decide(reader: tuple[str, str], file: Path) -> None:
    url, mine = reader
    role, place = str(conninfo_to_dict(mine)["user"]), place_of(mine)
    assert allowed(place) == f"{role} has no right to change its tables."
    grant(url, f"GRANT UPDATE, DELETE ON sessions TO {role}")
    assert "DELETE sessions" not in allowed(place)
    assert "UPDATE boards" in allowed(place)
    with Browser(*open_store(place)) as browser:
        assert browser.editor is not None
        browser.editor.rename_session(browser.session("s1"), "New")
        assert browser.info.access.refusal("boards", "INSERT") == f"{role} has no right to INSERT in the table boards."
        assert browser.info.access.refusal("sessions", "UPDATE") == ""
    with pytest.raises(ReadOnlyError, match="may not make tables in the schema public"):
        copy(place_of(file), place, CopyOptions(on_conflict="skip"))
    grant(url, f"GRANT CREATE ON SCHEMA public TO {role}")
    with pytest.raises(ReadOnlyError, match=f"{role} has no right to INSERT in the table board_comments"):
        copy(place_of(file), place, CopyOptions(on_conflict="skip", dry_run=True))
    with pytest.raises(ReadOnlyError, match=f"{role} does not own the table"):
        migrator.downgrade(place, "base")
    grant(url, f"GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
    assert allowed(place) == ""
    grant(url, f"REVOKE UPDATE ON sessions FROM {role}")
    grant(url, f"GRANT UPDATE (data, updated_at) ON sessions TO {role}")
    assert allowed(place) == "UPDATE sessions"
    grant(url, f"GRANT UPDATE ON sessions TO {role}")
    grant(url, "ALTER TABLE sessions ENABLE ROW LEVEL SECURITY")
    grant(url, "CREATE POLICY seen ON sessions FOR SELECT USING (true)")
    assert allowed(place) == "DELETE sessions|INSERT sessions|UPDATE sessions"
    grant(url, f"CREATE POLICY all_of_them ON sessions TO {role} USING (true)")
    assert allowed(place) == ""
    grant(url, f"ALTER ROLE {role} SET default_transaction_read_only = on")
    assert allowed(place) == f"{role} is for reading only here (default_transaction_read_only)."
    with pytest.raises(ReadOnlyError, match="default_transaction_read_only"):
        copy(place_of(file), place, CopyOptions(on_conflict="skip"))


def test_a_file_that_may_not_be_written(file: Path) -> None:
    """As an ordinary user, whom permissions bind: in a process of its own where the tests run as root."""
    assert allowed(place_of(file)) == ""
    for path, mode, says in ((file, 0o444, "The file a.db may not be written by you."),
                             (file.parent, 0o555, f"The folder {file.parent} may not be written by you.")):  # fmt: skip
        before = path.stat().st_mode
        path.chmod(mode)
        try:
            assert _as_somebody(file) == says
        finally:
            path.chmod(before)


def _as_somebody(file: Path) -> str:
    """What is said to somebody who is not root."""
    place = place_of(file)
    if os.geteuid() != 0:
        return allowed(place)
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        said = "nothing"
        try:
            for folder in (file.parent, *file.parent.parents[:-1]):
                folder.chmod(folder.stat().st_mode | 0o005)
            os.chown(file, 65534, 65534)
            os.chown(file.parent, 65534, 65534)
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            said = allowed(place)
        except BaseException as error:
            said = repr(error)
        os.write(writing, said.encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        return stream.read()


@pytest.mark.parametrize(
    ("claims", "obstacle"),
    [
        ('{"a":"ro","iat":1}', "Its token is for reading only."),
        ('{"a":"rw"}', ""),
        ('{"iat":1}', ""),
        ("[]", ""),
        ("x", ""),
    ],
)
def test_a_token_for_reading_only(claims: str, obstacle: str, tmp_path: Path) -> None:
    """It is told by what stands in the token; the server is not asked."""
    token = f"e30.{base64.urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.c2ln"
    with Database(place_of(tmp_path / "x.db"), writable=True, create=True) as database:
        for text in (token, "no token"):
            place = LibsqlPlace(None, "", "", "libsql://h", Secret(text))
            found = database.read(lambda connection, place=place: access(connection, place))
            assert found.obstacle == (obstacle if text == token else "")
