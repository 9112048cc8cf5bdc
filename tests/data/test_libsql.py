"""What only a libSQL server does: tokens, encryption, other answers than ours, and all the ways of not answering."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text

from agor_tui.config.places import LibsqlPlace, Place, Secret
from agor_tui.db import hrana_http, migrator
from agor_tui.db.engine import Database
from agor_tui.db.watching import lookout
from agor_tui.errors import AgorError, Cancelled, DatabaseError, ReadOnlyError
from agor_tui.services import migrations
from agor_tui.services.databases import open_database
from agor_tui.services.overview import look
from tests import libsql_server
from tests.conftest import place_of

SLOW = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def place(native_libsql: Callable[[], Place]) -> LibsqlPlace:
    """A native database without rows."""
    found = native_libsql()
    assert isinstance(found, LibsqlPlace)
    return found


def ask(place: Place, statement: str = "SELECT 1") -> Any:
    """What one statement answers."""
    with Database(place) as database:
        return database.read(lambda connection: connection.scalar(text(statement)))


def said(place: Place, statement: str = "SELECT 1") -> DatabaseError:
    """What a user is told when it fails."""
    with pytest.raises(DatabaseError) as caught:
        ask(place, statement)
    return caught.value


# Tokens


@pytest.fixture(scope="module")
def key() -> Ed25519PrivateKey:
    """What tokens are signed with."""
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
def guarded(servers_folder: Path, key: Ed25519PrivateKey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that wants a token."""
    folder = tmp_path_factory.mktemp("guarded")
    pem = folder / "key.pem"
    pem.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    server = libsql_server.start(
        servers_folder / folder.name, "--auth-jwt-key-file", str(pem), namespaces=False
    )  # fmt: skip
    yield server.url
    server.stop()


def token(key: Ed25519PrivateKey, **claims: object) -> str:
    """A JSON Web Token."""

    def encoded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    signed = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "EdDSA", "typ": "JWT"}, claims))
    return f"{signed}.{encoded(key.sign(signed.encode()))}"


def test_tokens(guarded: str, key: Ed25519PrivateKey, tmp_path: Path) -> None:
    """The right one opens; each other is one sentence that does not show it."""
    place = place_of(guarded)
    assert isinstance(place, LibsqlPlace)
    good = replace(place, auth_token=Secret(token(key, a="rw")))
    assert [each.id for each in migrator.init(good).revisions]
    assert migrations.test(good).info.kind == "native"

    copy = replace(place, url=(tmp_path / "copy.db").as_uri(), sync_url=place.url)
    assert said(copy).message == f"{guarded} wants a token."
    with pytest.raises(DatabaseError, match="refused the token"):  # what the first try left is no copy
        look(lambda: replace(copy, auth_token=Secret("hunter2")))

    missing = said(place)
    assert missing.message == f"{guarded} wants a token."
    assert "TURSO_AUTH_TOKEN" in missing.hint
    for wrong in (token(Ed25519PrivateKey.generate(), a="rw"), token(key, exp=1), "hunter2", "hunter2\nX-Evil: 1", "ü"):
        refused = said(replace(place, auth_token=Secret(wrong)))
        assert refused.message == f"{guarded} refused the token."
        assert wrong not in f"{refused.message}{refused.hint}"


def test_a_token_that_may_only_read(guarded: str, key: Ed25519PrivateKey) -> None:
    """The server keeps it from writing, whatever this program thinks."""
    place = place_of(guarded)
    assert isinstance(place, LibsqlPlace)
    migrator.init(replace(place, auth_token=Secret(token(key, a="rw"))))
    reader = replace(place, auth_token=Secret(token(key, a="ro")))
    assert ask(reader, "SELECT count(*) FROM sessions") == 0
    with (
        Database(reader, writable=True) as database,
        pytest.raises(DatabaseError, match="may not be written with this token"),
    ):
        database.write(lambda connection: connection.execute(text("DELETE FROM sessions")))


# Reading only


def test_open_for_reading_no_statement_writes(place: LibsqlPlace) -> None:
    """It is kept here, since the server has no such connections; what is opened leaves nothing."""
    for statement in (
        "DELETE FROM sessions",
        "  delete from sessions",
        "/* SELECT */ DELETE FROM sessions",
        "PRAGMA user_version = 7",
        "CREATE TABLE t (x)",
    ):
        assert "may not be written" in said(place, statement).message
    # A statement that begins like a reading one is undone with its transaction.
    said(place, "WITH x AS (SELECT 1) DELETE FROM schema_migrations RETURNING nothing")
    ask(place, "WITH x AS (SELECT 1) DELETE FROM schema_migrations RETURNING revision")
    assert ask(place, "SELECT count(*) FROM schema_migrations") > 0
    with open_database(place.url, environ={}, read_only=True) as browser:
        assert browser.info.read_only
        assert "write" not in browser.info.capabilities
        with pytest.raises(ReadOnlyError):
            browser.store.database.write(lambda _: None)


# Servers that do not answer, or answer something else


@contextmanager
def stub(answer: bytes | None, *, times: int = 100) -> Iterator[str]:
    """The URL of a server that gives each connection these bytes and ends it; None: it says nothing and waits."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for _ in range(times):
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                if answer is None:
                    kept.append(connection)
                    continue
                with connection:
                    connection.settimeout(10)
                    connection.recv(65536)
                    with suppress(OSError):
                        connection.sendall(answer)
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(65536):  # else what is still unread would make a reset of the end
                            pass

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"libsql://127.0.0.1:{listening.getsockname()[1]}?tls=0"
        finally:
            for connection in kept:
                connection.close()


def http(status: str, body: str) -> bytes:
    """An answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "closed the connection."),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "is no libSQL server"),
        (http("200 OK", "<html>hello</html>"), "is no libSQL server"),
        (http("200 OK", "[]"), "is no libSQL server"),
        (http("200 OK", '{"baton": null, "results": 7}'), "is no libSQL server"),
        (http("200 OK", '{"baton": null, "base_url": null, "results": []}'), "closed the connection."),
        (http("302 Found", ""), "sends on to another address; nothing of yours went there."),
        (http("404 Not Found", '{"error": "no such namespace"}'), "has no database at this address."),
        (http("429 Too Many Requests", "{}"), "asks to slow down."),
        (http("503 Service Unavailable", "[]"), "has a fault of its own."),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", "closed the connection."),
    ],
)
def test_other_answers(answer: bytes, says: str) -> None:
    with stub(answer) as url:
        error = said(place_of(url))
    assert error.message.startswith(f"{url} {says}"[:-1])
    assert error.hint


@contextmanager
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port, and all that anybody sends to it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection:
                        connection.settimeout(10)
                        heard.append(connection.recv(65536))

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1], heard


ONE_ROW = """{"type": "ok", "response": {"type": "batch", "result": {"step_errors": [null, null], "step_results": [
    {"cols": [], "rows": [], "affected_row_count": 0, "last_insert_rowid": null},
    {"cols": [{"name": "1"}], "rows": [[{"type": "integer", "value": "1"}]], "affected_row_count": 0,
    "last_insert_rowid": null}]}}}"""


@pytest.mark.parametrize("scheme", ["http://", "https://", "http://u:p@", "libsql://"])
def test_the_token_stays_with_its_server(scheme: str) -> None:
    """A server may name the address at which its stream goes on, or redirect: another one than its own gets nothing."""
    with listener() as (port, heard):
        there = f"{scheme}127.0.0.1:{port}"
        moved = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {there}/v3/pipeline\r\nContent-Length: 0\r\n\r\n"
        named = http("200 OK", f'{{"baton": "b", "base_url": "{there}", "results": [{ONE_ROW}]}}')
        for answer in (named, moved.encode()):
            with stub(answer) as url:
                place = place_of(url)
                assert isinstance(place, LibsqlPlace)
                error = said(replace(place, auth_token=Secret("FAKESECRET")))
            address = there.replace("u:p@", "")
            assert error.message == f"{url} sends on to another address, {address}; nothing of yours went there."
    assert heard == []


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://db.example.org/elsewhere", True),
        ("https://DB.example.org:443", True),
        ("http://db.example.org", False),
        ("http://db.example.org:443", False),
        ("https://db.example.org:8443", False),
        ("https://db.example.org@evil.example", False),
        ("https://x:y@db.example.org", False),
        ("https://db.example.org.evil.example", False),
        ("https://db.example.org:99999", False),
        ("https://[::1", False),
        ("//db.example.org", False),
        ("ftp://db.example.org", False),
        ("https://db.example.org?tls=0", False),
    ],
)
def test_what_is_the_same_origin(url: str, same: bool) -> None:
    home = hrana_http.Address.of("libsql://db.example.org")
    if same:
        assert home.sibling(url).host == home.host
    else:
        with pytest.raises(hrana_http.LineError):
            home.sibling(url)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"libsql://127.0.0.1:{port}?tls=0"
    assert said(place_of(url)).message == f"{url} cannot be reached."
    assert said(place_of("libsql://nowhere.invalid")).message == "libsql://nowhere.invalid has an unknown host name."


def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hrana_http, "SILENCE_S", 0.3)
    with stub(None) as url:
        assert said(place_of(url)).message == f"{url} did not answer in time."


def in_thread(work: Callable[[], Any]) -> tuple[threading.Thread, list[AgorError]]:
    """Run what is to fail in another thread; return that, and the list that the error will be in."""
    raised: list[AgorError] = []

    def run() -> None:
        try:
            work()
        except AgorError as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, raised


def test_what_a_silent_server_is_asked_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait ends at once, and other threads run all the while."""
    with stub(None) as url, Database(place_of(url)) as database:
        thread, raised = in_thread(lambda: database.read(lambda connection: connection.scalar(text("SELECT 1"))))
        end = time.monotonic() + 10
        while thread.is_alive() and time.monotonic() < end:
            database.cancel()
            thread.join(0.05)
        assert not thread.is_alive()
    assert [type(error) for error in raised] == [Cancelled]


def test_a_server_that_dies_meanwhile(servers_folder: Path, tmp_path: Path) -> None:
    """The query that runs then says so in one sentence; started anew, the next one finds what was committed."""
    folder = servers_folder / tmp_path.name
    server = libsql_server.start(folder, namespaces=False)
    place = place_of(server.url)
    migrator.init(place)
    with Database(place) as database:
        assert database.read(lambda connection: connection.scalar(text("SELECT count(*) FROM sessions"))) == 0
        thread, raised = in_thread(lambda: database.read(lambda connection: connection.scalar(text(SLOW))))
        thread.join(0.3)
        server.stop()
        thread.join(10)
        assert [error.message for error in raised] == [f"{server.url} closed the connection."]
        again = libsql_server.start(folder, namespaces=False, port=server.port)
        assert database.read(lambda connection: connection.scalar(text("SELECT count(*) FROM sessions"))) == 0
    again.stop()


# Encryption


@contextmanager
def encrypted(authority: trustme.CA, port: int) -> Iterator[int]:
    """The port of a TLS server in front of another server's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def pipe(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        target.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    outer = context.wrap_socket(listening.accept()[0], server_side=True)
                except ssl.SSLError:
                    continue
                except OSError:
                    return
                inner = socket.create_connection(("127.0.0.1", port))
                threading.Thread(target=pipe, args=(outer, inner), daemon=True).start()
                threading.Thread(target=pipe, args=(inner, outer), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield int(listening.getsockname()[1])


def test_encryption(servers_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates are checked; the server may be in the open, or behind a path, where the URL says so."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    server = libsql_server.start(servers_folder / tmp_path.name, namespaces=False)
    with encrypted(authority, server.port) as port:
        url = f"libsql://localhost:{port}"
        assert said(place_of(url)).message == f"{url} showed a certificate that cannot be checked."
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert ask(place_of(url)) == 1
        assert ask(place_of(f"https://localhost:{port}/")) == 1
        assert said(place_of(f"libsql://127.0.0.1:{port}")).message.endswith("a certificate that cannot be checked.")
        open_at_it = said(place_of(f"http://localhost:{port}"))
        assert "closed the connection" in open_at_it.message or "is no libSQL server" in open_at_it.message
        said_by_it = said(place_of(f"{url}/some/path"))
        assert said_by_it.message == f"{url}/some/path has no database at this address."
    secure = said(place_of(f"libsql://127.0.0.1:{server.port}"))
    assert secure.message.endswith("could not agree on encryption.")
    assert "?tls=0" in secure.hint
    server.stop()


# Two who write


def test_who_waits_too_long_in_a_transaction_loses_it(place: LibsqlPlace) -> None:
    """The server gives the lock to another writer after 5 s: the first is told, and has changed nothing."""
    with Database(place, writable=True) as first, Database(place, writable=True) as second:

        def slow(connection: Any) -> None:
            connection.execute(text("DELETE FROM schema_migrations"))
            second.write(lambda other: other.execute(text("SELECT 1")))
            connection.execute(text("SELECT 1"))

        with pytest.raises(DatabaseError, match="ended the transaction, since it took too long"):
            first.write(slow)
        assert first.read(lambda connection: connection.scalar(text("SELECT count(*) FROM schema_migrations"))) > 0


def test_values_pass_unchanged(place: LibsqlPlace) -> None:
    """Of every kind that SQLite has, and many rows at once."""
    values = [None, 1, -(2**63), 2**63 - 1, 1760000000000, 1.5, 1e300, "日本 'q' \x00 ?", "", b"\x00\xff", b""]
    with Database(place, writable=True) as database:

        def work(connection: Any) -> list[Any]:
            connection.exec_driver_sql("CREATE TABLE v (i INTEGER PRIMARY KEY, x)")
            rows = [(number, values[number % len(values)]) for number in range(1000)]
            connection.exec_driver_sql("INSERT INTO v VALUES (?, ?)", rows)
            return [row[0] for row in connection.exec_driver_sql("SELECT x FROM v ORDER BY i")]

        found = database.write(work)
        assert found == [values[number % len(values)] for number in range(1000)]
        assert [type(each) for each in found[: len(values)]] == [type(each) for each in values]
        for refused in (2**63, float("inf"), "\ud83e"):
            with pytest.raises(DatabaseError):
                database.write(lambda connection, value=refused: connection.exec_driver_sql("SELECT ?", (value,)))


def test_changes_of_others_are_seen(place: LibsqlPlace) -> None:
    """By a number that the server gives, whatever was changed; nothing else counts as a change."""
    with Database(place) as reading, Database(place, writable=True) as other:
        looking = lookout(reading, native=True)
        assert looking.look()
        assert not looking.look()
        other.write(lambda connection: connection.execute(text("UPDATE schema_migrations SET duration_ms = 7")))
        assert looking.look()
        reading.read(lambda connection: connection.execute(text("SELECT * FROM schema_migrations")).all())
        assert not looking.look()
