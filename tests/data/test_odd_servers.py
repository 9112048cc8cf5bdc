"""What answers where PostgreSQL should be, or stands in the place of libpq's files: one sentence, in bounded time."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from agor_tui.config.places import PostgresPlace, SslOptions
from agor_tui.db import postgresql
from agor_tui.db.engine import Database
from agor_tui.errors import DatabaseError
from tests.conftest import place_of

Talk = Callable[[socket.socket], None]


def packet(kind: bytes, body: bytes = b"") -> bytes:
    """A message of the protocol: its letter, the length of the rest, the rest."""
    return kind + struct.pack("!I", len(body) + 4) + body


HELLO = (
    packet(b"R", struct.pack("!I", 0))
    + packet(b"S", b"server_version\x0016.0\0")
    + packet(b"S", b"server_encoding\0UTF8\0")
    + packet(b"S", b"client_encoding\0UTF8\0")
    + packet(b"K", struct.pack("!II", 1, 2))
    + packet(b"Z", b"I")
)
NOTICE = packet(b"N", b"SNOTICE\0VNOTICE\0C00000\0Mhello\0\0")
ROWS = packet(b"T", struct.pack("!H", 1) + b"a\0" + struct.pack("!IHIHIH", 0, 0, 25, 65535, 0xFFFFFFFF, 0))


def introduced(client: socket.socket) -> None:
    """Refuse encryption, take who it is, let them in, and read the first statement."""
    while (head := client.recv(8, socket.MSG_WAITALL)) and struct.unpack("!II", head)[1] in (80877103, 80877104):
        client.sendall(b"N")
    client.recv(4096)
    client.sendall(HELLO)
    client.recv(4096)


def endlessly(*messages: bytes) -> Talk:
    """A server that answers the first statement with these, the last of them again and again."""

    def talk(client: socket.socket) -> None:
        introduced(client)
        for message in messages[:-1]:
            client.sendall(message)
        while True:
            client.sendall(messages[-1] * 100)

    return talk


def slowly(message: bytes) -> Talk:
    """The same, from time to time."""

    def talk(client: socket.socket) -> None:
        introduced(client)
        while True:
            client.sendall(message)
            time.sleep(0.05)

    return talk


def saying(answer: bytes) -> Talk:
    """Another protocol."""

    def talk(client: socket.socket) -> None:
        client.sendall(answer)
        client.recv(4096)

    return talk


@contextmanager
def serving(talk: Talk) -> Iterator[PostgresPlace]:
    """A place behind which this answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=one, args=(client,), daemon=True).start()

        def one(client: socket.socket) -> None:
            with client, suppress(OSError, struct.error):
                talk(client)

        threading.Thread(target=serve, daemon=True).start()
        place = place_of(f"postgresql://u@127.0.0.1:{listener.getsockname()[1]}/d?connect_timeout=2")
        assert isinstance(place, PostgresPlace)
        yield place


@pytest.mark.parametrize(
    ("talk", "says"),
    [
        (endlessly(NOTICE), "does not answer as PostgreSQL does"),
        (endlessly(packet(b"S", b"x\0y\0")), "did not answer in time"),
        (endlessly(ROWS, packet(b"D", struct.pack("!HI", 1, 1000) + b"x" * 1000)), "does not answer as PostgreSQL"),
        (slowly(NOTICE), "did not answer in time"),
        (slowly(b""), "did not answer in time"),
        (endlessly(b"D" + struct.pack("!I", 2**31 - 1)), "did not answer in time|does not answer as|closed"),
        (endlessly(b"D" + struct.pack("!I", 2**32 - 1)), "does not answer as PostgreSQL does"),
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "does not answer as PostgreSQL does|closed the connection"),
        (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), "did not answer|does not answer|closed"),
        (lambda client: client.close(), "closed the connection"),
    ],
    ids=["notices", "parameters", "rows", "drip", "silence", "huge", "negative", "http", "ssh", "closes"],
)
def test_a_server_that_is_none(talk: Talk, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql._Connection, "silence_s", 1.0)
    monkeypatch.setattr(postgresql, "MOST_MEMORY", 100 << 20)
    with (
        serving(talk) as place,
        Database(place, writable=True) as database,
        pytest.raises(DatabaseError, match=says) as failed,
    ):
        database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
    assert failed.value.hint
    with serving(talk) as place, Database(place, writable=True) as database, pytest.raises(DatabaseError, match=says):
        database.write(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())


@pytest.mark.parametrize("odd", ["/dev/zero", "pipe", "folder", "huge"])
def test_a_file_of_libpqs_that_is_none(odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before libpq opens it."""
    path = Path(odd) if odd == "/dev/zero" else tmp_path / odd
    if odd == "pipe":
        os.mkfifo(path)
    elif odd == "folder":
        path.mkdir()
    elif odd == "huge":
        with path.open("wb") as stream:
            stream.truncate(1 << 40)
    place = PostgresPlace(None, "", "", host="127.0.0.1", port=1, database="d")
    Database(replace(place, options={"passfile": os.devnull})).close()
    for other in (
        replace(place, ssl=SslOptions(ca=str(path))),
        replace(place, ssl=SslOptions(cert=str(path), key=str(path))),
        replace(place, options={"sslcrl": str(path)}),
        replace(place, options={"passfile": str(path)}),
    ):
        with pytest.raises(DatabaseError, match=f"{path} is (no plain file|a folder|too large)"):
            Database(other)
    for variables in ({"PGSERVICE": "x", "PGSERVICEFILE": str(path)}, {"PGPASSFILE": str(path)}):
        with monkeypatch.context() as patched:
            for name, value in variables.items():
                patched.setenv(name, value)
            with pytest.raises(DatabaseError, match=f"{path} is (no plain file|a folder|too large)"):
                Database(place)
