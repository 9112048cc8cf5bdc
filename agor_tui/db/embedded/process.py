"""The process of a server: started without the network, told to end, and what it says where it does not start."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from agor_tui.db.embedded import cluster, sockets
from agor_tui.db.embedded.postmaster import PORT, read_postmaster
from agor_tui.db.postgresql_programs import program_path

PAUSE_S = 0.02
"""Between two looks at what another process does."""
_LOG_BYTES = 4_000_000
"""A log that is larger begins anew; the older one is kept beside it."""
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(how: int) -> Callable[[], None]:
    """What a program is to do before it begins: have the system send it this signal when its parent dies.

    Only Linux does that. The parent is the thread that starts the program.
    """
    parent = os.getpid()

    def before_exec() -> None:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, how, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return before_exec


class ServerProcess:
    """A server of the data folder ``data``, by the programs in ``programs``; it is started at once.

    ``sockets``: the folder of its socket. Raises: OSError, and as ``sockets.choose_folder``.
    """

    def __init__(self, data: Path, programs: Path) -> None:
        self.log = data / "log"
        self.sockets = sockets.choose_folder(data, os.environ)
        self._data = data
        with suppress(OSError):
            if self.log.stat().st_size > _LOG_BYTES:
                self.log.replace(self.log.with_name("log.1"))
        settings = {
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_directories": '"' + str(self.sockets).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            "hba_file": data / "pg_hba.conf",
            "ident_file": data / "pg_ident.conf",
            "log_destination": "stderr",
            "logging_collector": "off",
            "lc_messages": "C",
        }
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                [
                    program_path(programs, "postgres"),
                    "-D",
                    data,
                    *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=cluster.environment(),
                cwd=data,
                preexec_fn=die_with_parent(signal.SIGINT),
            )

    def wait_ready(self) -> bool:
        """Wait until it lets clients in; False where it has ended instead."""
        while self._process.poll() is None:
            found = read_postmaster(self._data)
            if found is not None and found.ready and found.pid == self._process.pid:
                return True
            time.sleep(PAUSE_S)
        return False

    def stop(self) -> None:
        """Tell it to end at once, without waiting for its clients, and in order."""
        self._process.send_signal(signal.SIGINT)

    def wait(self) -> None:
        """Wait until it has ended."""
        self._process.wait()

    def complaint(self) -> str:
        """Why it has ended, without a full stop."""
        try:
            with self.log.open("rb") as log:
                log.seek(self._log_start)
                said = log.read(100_000).decode("utf-8", "replace")
        except OSError as error:
            said = f"error: {error.strerror}"
        return cluster.reason(said) or f"it ended with {self._process.returncode}"
