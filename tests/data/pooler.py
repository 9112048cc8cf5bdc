"""A stand-in for a pooler of PostgreSQL connections, as far as a client can tell one: its process numbers differ."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from psycopg.conninfo import conninfo_to_dict


@contextmanager
def pooled(url: str) -> Iterator[str]:
    """The URL of the same database through a proxy that gives out process numbers of its own."""
    parts = conninfo_to_dict(url)
    listener = socket.create_server(("127.0.0.1", 0))
    opened: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection((str(parts["host"]), int(str(parts["port"]))))
                opened.extend((client, server))
                threading.Thread(target=_pass_on, args=(client, server), daemon=True).start()
                threading.Thread(target=_answer, args=(server, client), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"postgresql://{parts['user']}@127.0.0.1:{listener.getsockname()[1]}/{parts['dbname']}"
    finally:
        for each in (listener, *opened):
            each.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _answer(server: socket.socket, client: socket.socket) -> None:
    """Pass on messages (a letter, four bytes of length, the rest); BackendKeyData ``K`` gets another number."""
    with suppress(OSError):
        stream, begun = server.makefile("rb"), False
        while letter := stream.read(1):
            if letter == b"N" and not begun:  # "no" to a question for encryption is a letter alone
                client.sendall(letter)
                continue
            begun = True
            length = stream.read(4)
            body = stream.read(int.from_bytes(length, "big") - 4)
            client.sendall(letter + length + ((4_000_000).to_bytes(4, "big") + body[4:] if letter == b"K" else body))
