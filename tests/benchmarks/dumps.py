"""``db export`` and ``db import`` of JSON lines: against writing and reading the same bytes alone."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from .report import Result

ROUNDS = 3
_PIECE = 1 << 20


def measure(what: str, source: str, folder: Path) -> list[Result]:
    """Export ``source``, a path or a URL, into files of ``folder``, and import one into a new SQLite file there."""
    results = []
    for name, options in (
        ("all.jsonl", ["--include-secrets"]),
        ("hidden.jsonl", []),
        ("all.jsonl.zst", ["--include-secrets"]),
    ):
        file = folder / name
        out = [_timed("db", "export", file, "-d", source, "--force", *options) for _ in range(ROUNDS)]
        how = "zst" if name.endswith(".zst") else "with secrets" if options else "secrets left out"
        size = (folder / "all.jsonl").stat().st_size
        floor = statistics.median(_written(size, folder / "copy") for _ in range(ROUNDS))
        results.append(
            Result(f"export, {what}, {size / 1e6:,.0f} MB, {how}", statistics.median(ms for ms, _ in out), floor, "ms")
        )
        results.append(Result(f"export, {what}, {how}: memory", max(mib for _, mib in out), None, "MiB", 300, True))
    target = folder / "imported.db"
    into = []
    for _ in range(ROUNDS):
        for suffix in ("", "-wal", "-shm"):
            Path(f"{target}{suffix}").unlink(missing_ok=True)
        into.append(_timed("db", "import", folder / "all.jsonl", "-d", target))
    floor = statistics.median(_read(folder / "all.jsonl") for _ in range(ROUNDS))
    taken = statistics.median(ms for ms, _ in into)
    results.append(Result(f"import, {what}, checked, written and compared", taken, floor, "ms"))
    results.append(Result(f"import, {what}: memory", max(mib for _, mib in into), None, "MiB", 300, True))
    return results


def _timed(*arguments: str | Path) -> tuple[float, float]:
    """The milliseconds and the MiB that a command takes."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "agor_tui", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, arguments))} ended with {process.returncode}")
    return (time.perf_counter() - began) * 1000, used.ru_maxrss / 1024


def _written(size: int, target: Path) -> float:
    """The milliseconds that it takes to write so many bytes and sync them."""
    piece = bytes(range(256)) * (_PIECE // 256)
    began = time.perf_counter()
    with open(target, "wb") as stream:
        for _ in range(size // _PIECE + 1):
            stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())
    return (time.perf_counter() - began) * 1000


def _read(source: Path) -> float:
    """The milliseconds that it takes to read a file."""
    began = time.perf_counter()
    with open(source, "rb") as stream:
        while stream.read(_PIECE):
            pass
    return (time.perf_counter() - began) * 1000
