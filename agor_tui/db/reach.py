"""Whether a PostgreSQL server answers where one is said to be, before anything is asked of it: plain sockets."""

from __future__ import annotations

import os
import re
import socket
import time
from contextlib import closing

from agor_tui.config.places import PostgresPlace
from agor_tui.errors import DatabaseError

_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""The eight bytes that every PostgreSQL server answers with S, N or an E (protocol, section SSLRequest)."""
_OTHERS = (
    (rb"^.{3}\x00\x0a.*MariaDB", "MariaDB"),
    (rb"^.{3}\x00[\x0a\xff]", "MySQL"),
    (rb"^SSH-", "an SSH server"),
    (rb"^HTTP/|^<", "a web server"),
    (rb"^[-+]", "Redis"),
    (rb"^\x15\x03", "a server that wants TLS from the first byte"),
    (rb"^220", "a mail or FTP server"),
)
_NO_NAME = "Check the host, and that this computer is on its network."


def greet(place: PostgresPlace, limit_s: float) -> float | None:
    """Say hello to the server; return after how many milliseconds it answered.

    None where libpq alone knows the way: a service, several hosts, its own default socket.

    Raises:
        DatabaseError: nothing answers within ``limit_s`` seconds, or another program does.
    """
    host = place.options.get("hostaddr") or place.host
    if not host or place.service or "," in host or host.startswith("@") or "port" in place.options:
        return None
    port = place.port or int(os.environ.get("PGPORT") or 5432)
    path = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else ""
    where = path or f"{f'[{host}]' if ':' in host else host}:{port}"
    started = time.perf_counter()
    try:
        with closing(_connect(path, host, port, limit_s)) as connection:
            answer = _answer(connection, where, limit_s)
    except socket.gaierror:
        raise DatabaseError(f"The host name {host} is not known.", _NO_NAME) from None
    except TimeoutError:
        raise DatabaseError(
            f"{where} did not answer within {limit_s:g} s.",
            "Check host and port, the firewall, and that the server is not overloaded.",
        ) from None
    except ConnectionRefusedError:
        raise DatabaseError(
            f"{where} refused the connection.", "Check that the server runs there, and host and port."
        ) from None
    except (FileNotFoundError, NotADirectoryError):
        raise DatabaseError(
            f"There is no socket {path}.", "Check that the server runs, its socket's folder and its port."
        ) from None
    except UnicodeError:
        raise DatabaseError(f"The host name {host} cannot be one.", "Check the host.") from None
    except ConnectionResetError:
        answer = b""
    except OSError as error:
        raise DatabaseError(f"{where} cannot be reached: {error.strerror}.", "Check host and network.") from None
    if answer[:1] in (b"S", b"N", b"E") and not answer.startswith((b"SSH-", b"ERR")):
        return (time.perf_counter() - started) * 1000
    if not answer:
        raise DatabaseError(
            f"{where} took the connection and closed it at once.",
            "It may not be PostgreSQL, or not let this address in.",
        )
    product = next((name for pattern, name in _OTHERS if re.search(pattern, answer, re.S)), "")
    raise DatabaseError(
        f"What answers at {where} is not PostgreSQL" + (f" but {product}." if product else "."),
        "Check the port: PostgreSQL's own is 5432.",
    )


def _answer(connection: socket.socket, where: str, limit_s: float) -> bytes:
    connection.settimeout(limit_s)
    connection.sendall(_SSL_REQUEST)
    try:
        return connection.recv(512)
    except TimeoutError:
        raise DatabaseError(
            f"{where} took the connection and said nothing for {limit_s:g} s.",
            "It may be another program than PostgreSQL, or a server that hangs. Check the port.",
        ) from None


def _connect(path: str, host: str, port: int, limit_s: float) -> socket.socket:
    if not path:
        return socket.create_connection((host, port), limit_s)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(limit_s)
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection
