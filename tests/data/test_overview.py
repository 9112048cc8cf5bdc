"""Looking at databases of all sorts: each answers for itself, in time, and none is changed by it."""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from agor_tui.config.places import Place, PostgresPlace, SqlitePlace
from agor_tui.database_records import SchemaState
from agor_tui.db import revision
from agor_tui.errors import AbsentError, AgorError, ConfigError, DatabaseError
from agor_tui.records import Count
from agor_tui.repositories import probe
from agor_tui.services import overview
from agor_tui.services.overview import NoAnswerError, NotRunningError, look
from tests.builders.agor import READER, as_reader, build_postgresql
from tests.conftest import place_of
from tests.tui.stored import fill


@contextmanager
def listening(answer: bytes = b"") -> Iterator[str]:
    """A server that takes connections and says nothing, or some words of its own."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(20)
        taken: list[socket.socket] = []

        def serve() -> None:
            try:
                while True:
                    connection = server.accept()[0]
                    taken.append(connection)
                    connection.sendall(answer)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"postgresql://robin:sesame@127.0.0.1:{server.getsockname()[1]}/agor"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            for connection in taken:
                connection.close()


def at(target: str | Path) -> Callable[[], Place]:
    return lambda: place_of(target)


def traces(folder: Path) -> dict[str, tuple[int, int]]:
    """All that a reader could have changed in a folder."""
    return {each.name: (each.stat().st_size, each.stat().st_mtime_ns) for each in sorted(folder.iterdir())}


def test_a_native_database(native_place: Place) -> None:
    fill(native_place)
    found = look(lambda: native_place)
    assert (found.info.kind, found.info.owner, found.info.read_only) == ("native", "agor-tui", False)
    assert found.schema == SchemaState("current", revision.HEAD)
    assert found.sessions is not None
    assert found.sessions.exact
    assert found.sessions.value > 3
    assert found.size is not None
    assert found.size > 8_000
    assert 0 < found.latency_ms < 1_000


def test_more_sessions_than_are_counted(native_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "MOST_COUNTED", 2)
    fill(native_place)
    assert look(lambda: native_place).sessions == Count(2, False)


def test_a_place_with_nothing_in_it(empty_place: Place) -> None:
    if isinstance(empty_place, SqlitePlace):
        empty_place.path.touch()
    found = look(lambda: empty_place)
    assert (found.info.kind, found.schema, found.sessions) == ("empty", SchemaState("empty"), None)


def test_revisions_that_are_not_known(native_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "REVISIONS", ("0000",))
    assert look(lambda: native_place).schema == SchemaState("newer", revision.HEAD)
    monkeypatch.setattr(probe, "REVISIONS", (revision.HEAD, "9998", "9999"))
    assert look(lambda: native_place).schema == SchemaState("behind", revision.HEAD, 2)


@pytest.mark.parametrize(
    ("file", "kind", "owner", "number"),
    [("agor/agor.db", "agor", "Agor", 9), ("opencode/opencode.db", "opencode", "OpenCode", 38)],
)
def test_another_programs_file(fixtures_dir: Path, file: str, kind: str, owner: str, number: int) -> None:
    found = look(at(fixtures_dir / file))
    assert (found.info.kind, found.info.owner, found.info.read_only) == (kind, owner, True)
    assert found.schema == SchemaState("theirs", None, number)
    assert found.size == (fixtures_dir / file).stat().st_size


def test_tables_of_no_known_kind(fixtures_dir: Path) -> None:
    found = look(at(fixtures_dir / "agentpane/agentpane.db"))
    assert (found.info.kind, found.schema.state, found.sessions) == ("unknown", "unknown", None)


def test_looking_leaves_no_trace(tmp_path: Path, native_templates: Callable[[str], str]) -> None:
    path = tmp_path / "native.db"
    path.write_bytes(Path(native_templates("sqlite")).read_bytes())
    before = traces(tmp_path)
    assert look(at(path)).schema.state == "current"
    with pytest.raises(AbsentError):
        look(at(tmp_path / "none.db"))
    assert traces(tmp_path) == before


def test_the_log_counts_to_the_size_of_a_file(tmp_path: Path, native_templates: Callable[[str], str]) -> None:
    path = tmp_path / "native.db"
    path.write_bytes(Path(native_templates("sqlite")).read_bytes())
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE more (n)")
        writer.commit()
        log = Path(f"{path}-wal").stat().st_size
        assert log > 0
        assert look(at(path)).size == path.stat().st_size + log


def test_only_the_tables_of_a_schema_that_is_set_count(postgres18_url: str) -> None:
    with psycopg.connect(postgres18_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE large AS SELECT repeat('x', 1000) t FROM generate_series(1, 2000)")
        connection.execute("CREATE SCHEMA small CREATE TABLE one (n int)")
    whole, part = look(at(postgres18_url)).size, look(at(f"{postgres18_url}?schema=small")).size
    assert whole is not None
    assert part is not None
    assert part < 100_000 < whole


def test_what_may_not_be_asked_is_left_out(postgres18_url: str) -> None:
    build_postgresql(postgres18_url)
    with psycopg.connect(postgres18_url) as connection:
        connection.execute(f"REVOKE SELECT ON sessions FROM {READER}")
    found = look(at(as_reader(postgres18_url)))
    assert (found.info.kind, found.sessions) == ("agor", None)
    assert found.size is not None


def test_a_tenant_sees_its_own_sessions(postgres18_url: str) -> None:
    build_postgresql(postgres18_url)
    found = look(at(as_reader(postgres18_url)))
    assert found.info.tenant == "default"
    assert found.sessions is not None
    assert found.sessions.value > 0


def test_each_of_a_mixture_answers_for_itself(
    tmp_path: Path, fixtures_dir: Path, native_templates: Callable[[str], str], postgres18_url: str
) -> None:
    """One that hangs and those that are no good hold up nobody: all are asked at once."""
    good = tmp_path / "good.db"
    good.write_bytes(Path(native_templates("sqlite")).read_bytes())
    (tmp_path / "garbage.db").write_bytes(b"garbage" * 900)
    (tmp_path / "empty.db").touch()
    (tmp_path / "folder").mkdir()
    missing = f"{postgres18_url}_missing"
    with listening() as hanging, listening(b"SSH-2.0-OpenSSH_9.6\r\n") as ssh:
        targets: dict[str, str | Path] = {
            "good": good,
            "foreign": fixtures_dir / "agor" / "agor.db",
            "server": postgres18_url,
            "empty": tmp_path / "empty.db",
            "hanging": hanging,
            "ssh": ssh,
            "dead": "postgresql://127.0.0.1:1/agor",
            "garbage": tmp_path / "garbage.db",
            "absent": tmp_path / "none.db",
            "missing": missing,
            "folder": tmp_path / "folder",
        }
        answers: dict[str, object] = {}
        took: dict[str, float] = {}
        started = time.monotonic()

        def ask(name: str) -> None:
            try:
                answers[name] = look(at(targets[name]), 3.0).schema.state
            except AgorError as error:
                answers[name] = error
            took[name] = time.monotonic() - started

        threads = [threading.Thread(target=ask, args=(name,)) for name in targets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert {name: answers[name] for name in ("good", "foreign", "server", "empty")} == {
        "good": "current",
        "foreign": "theirs",
        "server": "empty",
        "empty": "empty",
    }
    kinds = {name: type(answer) for name, answer in answers.items() if isinstance(answer, AgorError)}
    assert kinds["hanging"] is NoAnswerError
    assert kinds["absent"] is kinds["missing"] is AbsentError
    assert kinds["ssh"] in (NoAnswerError, DatabaseError)
    assert {kinds["dead"], kinds["garbage"], kinds["folder"]} == {DatabaseError}
    assert str(answers["hanging"]).endswith("/agor gave no answer in 3 s.")
    assert 3.0 <= took["hanging"] < 4.5
    assert not [answer for answer in answers.values() if "sesame" in f"{answer} {getattr(answer, 'hint', '')}"]


def test_a_query_that_hangs_is_cut_off(native_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit cancels what the server still does for us; the connection goes with it."""
    if not isinstance(native_place, PostgresPlace):
        pytest.skip("only a server can hold a lock for so long")
    url = f"postgresql://postgres@127.0.0.1:{native_place.port}/{native_place.database}"
    with psycopg.connect(url) as other, psycopg.connect(url, autocommit=True) as watcher:
        other.execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(NoAnswerError):
            look(lambda: native_place, 0.5)
        ours = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = 'agor-tui'"
        end = time.monotonic() + 10
        while watcher.execute(ours, [native_place.database]).fetchone() != (0,):
            assert time.monotonic() < end, "the connection is still there"


def test_a_password_that_does_not_come_says_so() -> None:
    hold = threading.Event()

    def find() -> Place:
        hold.wait(10)
        raise ConfigError("too late")

    with pytest.raises(NoAnswerError, match=r"There was no answer in 0\.1 s\.") as refused:
        look(find, 0.1)
    assert "password" in refused.value.hint
    hold.set()


def test_settings_that_are_wrong_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def find() -> Place:
        raise ConfigError("config.yaml, line 3: wrong.")

    with pytest.raises(ConfigError, match="line 3"):
        look(find)


def test_the_embedded_server_is_not_woken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "postgresql"
    monkeypatch.setattr(overview.paths, "embedded_folder", lambda: folder)
    place = PostgresPlace(None, "agor", "", database="agor", embedded=True)
    with pytest.raises(AbsentError):
        look(lambda: place)
    assert not folder.exists()
    folder.mkdir()
    (folder / "PG_VERSION").write_text("18")
    with pytest.raises(NotRunningError):
        look(lambda: place)
