"""What a running server says of itself in ``postmaster.pid``, and whether it is true."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

SUPERUSER = "postgres"
PORT = 5432
"""No port of the network: it is a part of the socket's name."""


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The server of a data folder; ``sockets`` is None where it says none, ``ready``: it lets clients in.

    ``single``: it works for one program alone, as those do that initdb starts.
    """

    pid: int
    single: bool
    sockets: Path | None
    ready: bool


def pid_file(data: Path) -> Path:
    """Where a server writes this."""
    return data / "postmaster.pid"


def read_postmaster(data: Path) -> Postmaster | None:
    """Return what stands there; None where nothing does, or no sense. The server may have died since.

    Lines: process, data, start, port, folder of sockets, address, shared memory, state (PostgreSQL's pidfile.h).
    """
    try:
        lines = os.fsdecode(pid_file(data).read_bytes()).split("\n")
        pid = int(lines[0])  # negative where it works for one program
    except (OSError, ValueError, IndexError):
        return None
    sockets = lines[4].partition(",")[0].strip() if len(lines) > 4 else ""
    ready = len(lines) > 7 and lines[7].strip() == "ready"
    return Postmaster(abs(pid), pid < 0, Path(sockets) if sockets else None, ready)


def serves(pid: int, data: Path) -> bool:
    """Tell whether this process is a server of this data folder: the number may be another process's by now."""
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):
        return False
    if Path("/proc/self/cwd").exists():
        try:
            return Path(f"/proc/{pid}/cwd").samefile(data)  # where PostgreSQL works
        except PermissionError:  # of another group, as servers of an older release are for root
            return _reads(Path(f"/proc/{pid}/comm")) == b"postgres\n"
        except OSError:
            return False
    try:
        said = subprocess.run(["/bin/ps", "-o", "comm=", "-p", str(pid)], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return said.stdout.strip().rpartition(b"/")[2].startswith(b"postgres")


def _reads(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
