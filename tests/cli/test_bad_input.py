"""What cannot be opened or understood: an exit code, one sentence and a hint on standard error, and nothing written."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agor_tui.db.revision import VERSION_TABLE
from tests import servers

from .conftest import Answer, Run

COMMANDS = (["session", "list"], ["session", "show", "0199b73d"], ["db", "status"], ["db", "test"])


def check(answer: Answer, code: int, *words: str, hints: tuple[int, ...] = (1,)) -> None:
    """One sentence that names things, what to do next where it does not say so itself, no data, no traceback."""
    assert (answer.code, answer.out) == (code, "")
    sentence, *more = answer.err.splitlines()
    assert sentence.startswith("agor-tui: ")
    assert sentence.endswith((".", "?"))
    assert len(more) in hints
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err


def everything_in(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Each file below a folder with its content and its time of change."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(
    params=["missing", "missing folder", "directory", "empty", "truncated", "cut header", "text", "other", "damaged"]
)
def bad_file(request: pytest.FixtureRequest, tmp_path: Path, agor_db: Path) -> Path:
    path = tmp_path / "it.db"
    match request.param:
        case "missing folder":
            return tmp_path / "no" / "such" / "it.db"
        case "directory":
            path.mkdir()
        case "empty":
            path.touch()
        case "truncated":
            path.write_bytes(agor_db.read_bytes()[: agor_db.stat().st_size // 2])
        case "cut header":
            path.write_bytes(agor_db.read_bytes()[:50])
        case "text":
            path.write_text("SQLite is nice, but this is a letter.\n" * 100)
        case "other":
            with sqlite3.connect(path) as connection:
                connection.execute("CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT)")
            connection.close()
        case "damaged":
            content = bytearray(agor_db.read_bytes())
            content[4096 * 2 :] = b"\x5a" * (len(content) - 4096 * 2)
            path.write_bytes(content)
    return path


@pytest.mark.parametrize("command", [["session", "list"], ["id", "0199b73d"]])
def test_a_file_that_is_no_database_of_sessions(run: Run, tmp_path: Path, bad_file: Path, command: list[str]) -> None:
    before = everything_in(tmp_path)
    check(run(*command, "-d", bad_file), 1, str(bad_file))
    assert everything_in(tmp_path) == before
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("command", [["session", "list"], ["db", "status"]])
def test_a_pipe_is_not_waited_for(program: Run, tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    check(program(*command, "-d", path), 1, str(path), "no file")


def test_the_default_database_is_not_made_by_browsing(run: Run) -> None:
    check(run("session", "list"), 1, "db init")
    assert not list(Path(os.environ["HOME"]).rglob("*.db"))


def test_a_locked_database(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "locked.db"
    assert run("db", "init", "-d", path).code == 0
    config = tmp_path / "config.yaml"
    config.write_text(f"databases: {{held: {{dialect: sqlite, sqlite: {{path: {path}, busyTimeout: 50}}}}}}\n")
    holder = sqlite3.connect(path, isolation_level=None)
    try:
        holder.execute("PRAGMA locking_mode = exclusive")
        holder.execute("BEGIN EXCLUSIVE")
        answer = run("session", "list", "--config", config, "-d", "held", "--json")
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    check(answer, 1, "locked", str(path))


def test_a_foreign_database_is_read_while_its_program_writes(run: Run, tmp_path: Path, agor_db: Path) -> None:
    path = tmp_path / "busy.db"
    shutil.copy(agor_db, path)
    with sqlite3.connect(path) as setup:
        setup.execute("PRAGMA journal_mode = delete")
    setup.close()
    wanted = run("session", "list", "-d", path, "--json").json
    holder = sqlite3.connect(path, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        holder.execute("DELETE FROM sessions")
        assert run("session", "list", "-d", path, "--json").json == wanted
    finally:
        holder.execute("ROLLBACK")
        holder.close()


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["session", "list", "status:purple"], 2, "purple"),
        (["session", "list", "since:whenever"], 2, "whenever"),
        (["session", "list", "colour:red"], 2, "colour"),
        (["session", "list", "--sort", "-colour"], 2, "colour"),
        (["session", "list", "--limit", "many"], 2, "many"),
        (["session", "list", "--no-such-option"], 2, "--no-such-option"),
        (["session", "list", "--limit"], 2, "--limit"),
        (["session", "lost"], 2, "lost"),
        (["nonsense"], 2, "nonsense"),
        (["session", "show"], 2, "ID"),
        (["session", "show", "%"], 2, "%"),
        (["session", "show", "ab_d1234"], 2, "ab_d1234"),
        (["session", "show", "abc"], 2, "abc"),
        (["session", "show", "ffffffff-ffff"], 4, "The nearest"),
        (["session", "tree", "ffffffffffff"], 4, "The nearest"),
        (["task", "show", "ffffffffffff"], 4, "The nearest"),
        (["task", "list", "--session", "ffffffffffff"], 4, "The nearest"),
        (["message", "list", "ffffffffffff"], 4, "The nearest"),
        (["session", "list", "--after", "ffffffffffff"], 4, "The nearest"),
        (["id", "ffffffffffff"], 4, "The nearest"),
        (["completion", "tcsh"], 2, "bash"),
    ],
)
def test_words_that_are_not_understood(run: Run, agor_db: Path, words: list[str], code: int, expected: str) -> None:
    check(run(*words, "-d", agor_db), code, expected, hints=(0, 1))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("database: [1, 2\n", ["line"]),
        ("databse: {dialect: sqlite}\n", ["databse", "database", "line 1"]),
        ("database:\n  dialect: sqlite\n  sqlite: {paht: /x.db}\n", ["paht", "path", "line 3"]),
        ("database: {dialect: oracle}\n", ["oracle"]),
        ("database: {dialect: postgresql, postgresql: {host: h, pasword: hunter2}}\n", ["pasword"]),
        ("- a\n- b\n", ["config.yaml"]),
        ("\x00\x01\x02", ["config.yaml"]),
        ("database: {dialect: sqlite, sqlite: {url: 'libsql://nowhere.invalid', authToken: hunter2}}\n", []),
        ("active: nowhere\n", ["nowhere"]),
        ("# " + "x" * (4 << 20), ["4 MB"]),
    ],
)
def test_a_config_that_is_wrong(run: Run, tmp_path: Path, content: str, words: list[str]) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(content)
    answer = run("session", "list", "--config", config)
    check(answer, 1, *words, hints=(0, 1))
    assert "hunter2" not in answer.err
    assert config.read_text() == content


def test_a_config_that_is_missing(run: Run, tmp_path: Path) -> None:
    check(run("session", "list", "--config", tmp_path / "no.yaml"), 1, "no.yaml")
    assert not list(tmp_path.iterdir())


def test_a_name_that_the_config_lacks(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("databases: {team: {dialect: sqlite, sqlite: {path: /x.db}}}\n")
    check(run("session", "list", "--config", config, "-d", "teem"), 1, "teem", "team")


def test_a_libsql_server_that_is_not_there(run: Run) -> None:
    answer = run("session", "list", "-d", "libsql://nowhere.invalid?authToken=hunter2")
    check(answer, 1, "libsql://nowhere.invalid", "unknown host name")
    assert "hunter2" not in answer.err


def test_a_newer_schema_than_ours(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    assert run("db", "init", "-d", path).code == 0
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    connection.close()
    before = path.read_bytes()
    for command in (["session", "list"], ["db", "migrate"], ["db", "init"], ["db", "downgrade", "--yes"]):
        check(run(*command, "-d", path), 1, "9999")
    assert path.read_bytes() == before
    assert run("db", "test", "-d", path).code == 0


# PostgreSQL


@pytest.fixture
def server(postgres_server: Callable[[int], servers.PostgresServer]) -> servers.PostgresServer:
    return postgres_server(18)


def test_a_wrong_password(run: Run, server: servers.PostgresServer) -> None:
    url = f"postgresql://{servers.PASSWORD_ROLE}:hunter2@127.0.0.1:{server.port}/postgres"
    for command in COMMANDS:
        answer = run(*command, "-d", url)
        check(answer, 1, f"127.0.0.1:{server.port}", "password")
        assert "hunter2" not in answer.err


def test_a_right_password_that_is_shown_nowhere(run: Run, server: servers.PostgresServer) -> None:
    url = f"postgresql://{servers.PASSWORD_ROLE}:{servers.PASSWORD}@127.0.0.1:{server.port}/postgres"
    answers = [run(*command, "-d", url) for command in (["db", "test"], ["db", "status"], ["session", "list"])]
    assert [answer.code for answer in answers] == [0, 0, 1]
    check(answers[-1], 1)
    assert not any(servers.PASSWORD in answer.out + answer.err for answer in answers)


def test_a_database_and_a_role_that_do_not_exist(run: Run, server: servers.PostgresServer) -> None:
    check(run("session", "list", "-d", server.url("no_such_database")), 1, "no_such_database")
    check(run("session", "list", "-d", server.url("postgres", user="nobody_here")), 1)


def test_an_empty_postgresql_database(run: Run, postgres18_url: str) -> None:
    check(run("session", "list", "-d", postgres18_url), 1, "db init")


def test_a_refused_port(run: Run) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    answer = run("session", "list", "-d", f"postgresql://ada:hunter2@127.0.0.1:{port}/team")
    check(answer, 1, f"127.0.0.1:{port}", "refused")
    assert "hunter2" not in answer.err


def test_an_unknown_host(run: Run) -> None:
    check(run("session", "list", "-d", "postgresql://ada:hunter2@no-such-host.invalid/team"), 1, "no-such-host.invalid")


@pytest.fixture
def silent_server() -> Iterator[int]:
    """The port of a server that lets one connect and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_server_that_hangs(run: Run, silent_server: int) -> None:
    started = time.monotonic()
    answer = run("session", "list", "-d", f"postgresql://ada:hunter2@127.0.0.1:{silent_server}/team?connect_timeout=2")
    assert time.monotonic() - started < 20
    check(answer, 1, f"127.0.0.1:{silent_server}", "did not answer")


def test_something_that_is_no_postgresql(run: Run) -> None:
    import threading

    def answer_http(listener: socket.socket) -> None:
        with listener.accept()[0] as client:
            client.recv(1024)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=answer_http, args=(listener,), daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        check(
            run("session", "list", "-d", f"postgresql://ada:hunter2@127.0.0.1:{port}/team"), 1, str(port), "PostgreSQL"
        )


def test_a_program_of_its_own_fails_in_the_same_way(program: Run, tmp_path: Path) -> None:
    check(program("session", "list", "-d", tmp_path / "no.db"), 1, str(tmp_path / "no.db"))
    assert not list(tmp_path.iterdir())
