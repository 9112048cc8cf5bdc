"""The HTTP connection under ``hrana``: requests one after the other, each wait with a limit and ended from outside."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from agor_tui.text import printable

CONNECT_TIMEOUT_S = 5
SILENCE_S = 35
"""So long is waited for an answer: as long as for a PostgreSQL server's."""

_LARGEST = 64 << 20


class LineError(Exception):
    """The server was not reached, or its answer did not come; the text says why, and holds nothing secret."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go; ``path`` is that of the protocol, behind the database's own."""

    tls: bool
    host: str
    port: int | None
    path: str

    @classmethod
    def of(cls, url: str) -> Address:
        """The address of a ``libsql://`` URL (``?tls=0``: in the open), or of an ``http://`` or ``https://`` one."""
        parts = urlsplit(url)
        tls = parts.scheme != "http" and parts.query != "tls=0"
        return cls(tls, parts.hostname or "", parts.port, f"{parts.path.rstrip('/')}/v3/pipeline")

    def sibling(self, url: str) -> Address:
        """The address that a server asks to go on at, which may differ from this one in its path alone.

        Raises:
            LineError: it is another host, port or scheme, where what this server was trusted with must not go.
        """
        try:
            parts = urlsplit(url)
            plain = parts.scheme in ("http", "https") and "@" not in parts.netloc
            address = Address.of(url)
        except (ValueError, TypeError, AttributeError):
            plain, address = False, None
        if not plain or address is None or address._origin != self._origin:
            raise LineError(sends_on(url))
        return address

    @property
    def _origin(self) -> tuple[bool, str, int]:
        return self.tls, self.host.rstrip("."), self.port or (443 if self.tls else 80)


class Line:
    """A connection to one address, made when it is needed and made anew where it was lost."""

    def __init__(self, address: Address, token: str | None) -> None:
        self.address = address
        self._headers = {"content-type": "application/json", "user-agent": "agor-tui"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._http: http.client.HTTPConnection | None = None
        self._owed = False
        self.interrupted = False

    def post(self, body: bytes, *, again: bool) -> tuple[int, bytes]:
        """Send ``body`` and return status and content; ``again``: nothing is harmed if the server gets it twice.

        Raises:
            LineError: as said there; the connection is closed.
        """
        self.interrupted = False
        used = self._http is not None
        try:
            try:
                return self._exchange(body)
            except (ConnectionError, http.client.BadStatusLine):
                # A connection that lay idle may have been closed by the server: a new one tells.
                self.close()
                if not (used and again) or self.interrupted:
                    raise
                return self._exchange(body)
        except LineError:
            self.close()
            raise
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise LineError("interrupted" if self.interrupted else words_of(error)) from None

    def send(self, body: bytes) -> None:
        """Send ``body``, whose answer nobody waits for; it is read before the next request."""
        try:
            self._settle()
            self._open().request("POST", self.address.path, body, self._headers)
            self._owed = True
        except (OSError, http.client.HTTPException):
            self.close()

    def settle(self) -> None:
        """Wait a moment for the answer that nobody waited for: a server may give up what it does when it is left."""
        try:
            if self._owed and self._http is not None and self._http.sock is not None:
                self._http.sock.settimeout(CONNECT_TIMEOUT_S)
                self._settle()
        except (OSError, http.client.HTTPException):
            self.close()

    def interrupt(self) -> None:
        """End the wait of another thread, which raises a ``LineError`` that says ``interrupted``."""
        self.interrupted = True
        connection = self._http
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):  # it may just have ended by itself
                connection.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        connection, self._http, self._owed = self._http, None, False
        if connection is not None:
            connection.close()

    def _exchange(self, body: bytes) -> tuple[int, bytes]:
        self._settle()
        connection = self._open()
        connection.request("POST", self.address.path, body, self._headers)
        response = connection.getresponse()
        if 300 <= response.status < 400:
            raise LineError(sends_on(response.getheader("location", "")))
        # Given a size, it would take an answer that was cut off for a whole one where its length is known.
        known = response.length is not None and response.length <= _LARGEST
        content = response.read() if known else response.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise OSError("the answer is too large")
        return response.status, content

    def _settle(self) -> None:
        if self._owed and self._http is not None:
            self._owed = False
            self._http.getresponse().read(_LARGEST)

    def _open(self) -> http.client.HTTPConnection:
        if self._http is None:
            where = (self.address.host, self.address.port)
            self._http = (
                http.client.HTTPSConnection(*where, timeout=CONNECT_TIMEOUT_S, context=ssl.create_default_context())
                if self.address.tls
                else http.client.HTTPConnection(*where, timeout=CONNECT_TIMEOUT_S)
            )
            self._http.connect()  # which sets TCP_NODELAY
            self._http.sock.settimeout(SILENCE_S)
        return self._http


def sends_on(url: object) -> str:
    """What is wrong with a server that names another address; of that only scheme and host, the rest may be secret."""
    scheme, _, rest = str(url).partition("://")
    host = re.split(r"[/?#\\\s]", rest)[0].rpartition("@")[2]
    return (
        f"it sends on to another address, {printable(f'{scheme}://{host}', 80) if host else 'which it does not name'}"
    )


def words_of(error: Exception) -> str:
    """What went wrong on the way to a server, in the words that ``libsql_failures`` knows."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, socket.gaierror):
        return "unknown host name"
    if isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead | ConnectionResetError):
        return "connection lost"
    if isinstance(error, http.client.HTTPException):
        return "no HTTP answer"
    return str(error)
