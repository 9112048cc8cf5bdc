"""The way from the synchronisation of a copy to its server, on which nothing goes anywhere else.

The library that synchronises follows redirects with the token, to whatever host and without encryption. So it is given
an address on this machine and a key that is good for nothing else; here the key gives way to the token, what is asked
goes to the one server that was named, and a redirect ends there.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import ssl
import threading
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from typing import ClassVar
from urllib.parse import urlsplit

from agor_tui.config.places import LibsqlPlace
from agor_tui.db.hrana_http import CONNECT_TIMEOUT_S, SILENCE_S, sends_on, words_of

_LARGEST = 64 << 20
_PIECE = 1 << 16
_KEYS = ("authorization", "x-authorization")
_NAMESPACE = "x-namespace-bin"
_OF_ONE_CONNECTION = frozenset(
    ("connection", "keep-alive", "transfer-encoding", "content-length", "host", "upgrade", "trailer")
)


class Relay:
    """Open until it is closed; ``url`` and ``key`` are for the library, ``problem`` is what went wrong last."""

    def __init__(self, source: LibsqlPlace) -> None:
        parts = urlsplit(source.url)
        self.key = token_urlsafe(24)
        self.problem: str | None = None
        self.token = source.auth_token.reveal() if source.auth_token else None
        self.tls = parts.query != "tls=0"
        self.host, self.port = parts.hostname or "", parts.port
        self._open: set[http.client.HTTPConnection] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Bound", (_Request,), {"relay": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}{parts.path}"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection to the server; raises OSError."""
        where = (self.host, self.port)
        connection = (
            http.client.HTTPSConnection(*where, timeout=CONNECT_TIMEOUT_S, context=ssl.create_default_context())
            if self.tls
            else http.client.HTTPConnection(*where, timeout=CONNECT_TIMEOUT_S)
        )
        self._open.add(connection)
        connection.connect()
        connection.sock.settimeout(SILENCE_S)
        return connection

    def let_go(self, connection: http.client.HTTPConnection) -> None:
        """Close a connection."""
        self._open.discard(connection)
        connection.close()

    def close(self) -> None:
        """Take nothing any more, and end what is under way."""
        self._server.shutdown()
        self._server.server_close()
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                self.let_go(connection)


class _Request(BaseHTTPRequestHandler):
    """One connection of the library."""

    relay: ClassVar[Relay]
    protocol_version = "HTTP/1.1"
    timeout = SILENCE_S

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _pass_on(self) -> None:
        relay = self.relay
        body = self._body()
        given = next((value for name in _KEYS if (value := self.headers.get(name))), "")
        if body is None or not compare_digest(given.encode(), f"Bearer {relay.key}".encode()):
            self.close_connection = True
            return
        connection: http.client.HTTPConnection | None = None
        try:
            connection = relay.connect()
            connection.request(self.command, self.path, body or None, self._headers())
            response = connection.getresponse()
            if 300 <= response.status < 400:
                relay.problem = sends_on(response.getheader("location", ""))
                self.close_connection = True  # as a server that is not there: the library then makes no file
                return
            self._answer(response)
            relay.problem = None
        except (OSError, http.client.HTTPException) as error:
            relay.problem = words_of(error)
            self.close_connection = True
        finally:
            if connection is not None:
                relay.let_go(connection)

    def _headers(self) -> dict[str, str]:
        """Those of the request, with the token in place of the key, and the database's name from the server's own."""
        relay = self.relay
        kept = {name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_CONNECTION}
        for name in tuple(kept):
            if name.lower() in _KEYS:
                del kept[name]
                if relay.token:
                    kept[name] = f"Bearer {relay.token}"
            elif name.lower() == _NAMESPACE:
                first, dot, _ = relay.host.partition(".")
                kept[name] = base64.b64encode((first if dot else "default").encode()).decode().rstrip("=")
        return kept

    def _body(self) -> bytes | None:
        """What was sent with the request; None where that is too much or makes no sense."""
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            length = self.headers.get("content-length", "0")
            return self.rfile.read(int(length)) if length.isdecimal() and int(length) <= _LARGEST else None
        pieces: list[bytes] = []
        size = 0
        try:
            while piece := int(self.rfile.readline(100).split(b";")[0], 16):
                size += piece
                if size > _LARGEST:
                    return None
                pieces.append(self.rfile.read(piece))
                self.rfile.readline(3)
            while self.rfile.readline(_PIECE).strip():
                pass
        except ValueError:
            return None
        return b"".join(pieces)

    def _answer(self, response: http.client.HTTPResponse) -> None:
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in _OF_ONE_CONNECTION:
                self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        while piece := response.read1(_PIECE):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
