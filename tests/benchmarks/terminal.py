"""Programs in a real pseudo-terminal, timed by the bytes that they write."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import TracebackType

WIDTH, HEIGHT = 160, 50
PAGE_DOWN, ENTER, ESCAPE, DOWN, HOME, END = b"\x1b[6~", b"\r", b"\x1b", b"\x1b[B", b"\x1b[H", b"\x1b[F"
_PATIENCE_S = 30.0


class Terminal:
    """A child process on a terminal of its own; times are seconds since it was started or since the last key."""

    def __init__(self, command: Sequence[str], home: Path, env: Mapping[str, str] | None = None) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
            **(env or {}),
        }
        self._begin = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(command), environment)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.seen = b""
        self._times: list[float] = []
        self._ended = False

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    def hang_up(self) -> None:
        """The terminal is closed: nobody reads or writes at this end any more."""
        os.close(self._fd)
        self._fd = os.open(os.devnull, os.O_RDWR)

    def wait(self, *, reading: bool = True) -> int:
        """Wait until the process has ended by itself; return its exit code. Without ``reading`` the terminal is full.

        Raises:
            TimeoutError: it has not ended.
        """
        while reading and self._read(_PATIENCE_S):
            pass
        end = time.perf_counter() + _PATIENCE_S
        while not os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if time.perf_counter() > end:
                raise TimeoutError("the process has not ended")
            time.sleep(0.02)
        _, status = os.waitpid(self.pid, 0)
        self._ended = True
        return os.waitstatus_to_exitcode(status)

    def send(self, key: bytes) -> None:
        """Press a key; what was written before is forgotten."""
        self.seen = b""
        self._times = []
        self._begin = time.perf_counter()
        os.write(self._fd, key)

    def until(self, marker: str) -> float:
        """Wait for ``marker``, a pattern, in what is written; return when it came. Raises TimeoutError."""
        pattern = re.compile(marker.encode())
        end = time.perf_counter() + _PATIENCE_S
        while not pattern.search(self.seen):
            if not self._read(max(0.0, end - time.perf_counter())):
                raise TimeoutError(f"{marker!r} was not shown; the last bytes: {self.seen[-400:]!r}")
        return time.perf_counter() - self._begin

    def listen(self, seconds: float) -> bool:
        """Read what is written in so many seconds; False: the process has closed its terminal."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            before = len(self.seen)
            if not self._read(left) and len(self.seen) == before and time.perf_counter() < end:
                return False
        return True

    def settle(self, quiet_s: float) -> float:
        """Wait until nothing is written for ``quiet_s``; return when the last byte came (0.0: there was none)."""
        while self._read(quiet_s):
            pass
        return self._times[-1] if self._times else 0.0

    def first_burst(self, gap_s: float) -> float:
        """When the last byte came that was written before the first pause of ``gap_s``, after ``settle``."""
        ends = [now for now, then in pairwise([*self._times, float("inf")]) if then - now > gap_s]
        return ends[0] if ends else 0.0

    def peak_mib(self) -> float:
        """The most memory that the process has held (Linux)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]

    def _read(self, patience_s: float) -> bool:
        ready, _, _ = select.select([self._fd], [], [], patience_s)
        if not ready:
            return False
        try:
            found = os.read(self._fd, 1 << 16)
        except OSError:
            return False
        self.seen += found
        self._times.append(time.perf_counter() - self._begin)
        return bool(found)
