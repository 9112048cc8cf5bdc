"""``db compare`` of two databases with the same rows: against reading both by their drivers, and against the copy."""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg

from agor_tui.db.row_format import FORMATS

from .report import Result

ROUNDS = 3


def measure(what: str, a: str, b: str, copied_ms: float) -> list[Result]:
    """Compare ``a`` and ``b``, paths or URLs; ``copied_ms`` is how long the copy of one to the other took."""
    runs = [_compared(a, b) for _ in range(ROUNDS)]
    taken = statistics.median(ms for ms, _, _ in runs)
    rows = runs[0][2]
    reading = statistics.median(_read_both(a, b) for _ in range(ROUNDS))
    name = f"compare, {what}, {rows:,} rows"
    return [
        Result(f"{name}: to the copy", taken, copied_ms, "ms", 1.0),
        Result(f"{name}: to reading both", taken, reading, "ms"),
        Result(f"{name}: memory", statistics.median(peak for _, peak, _ in runs), None, "MiB", 200, absolute=True),
    ]


def _compared(a: str, b: str) -> tuple[float, float, int]:
    """The milliseconds and the MiB that one run of the command takes, and how many rows it compared."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "agor_tui", "db", "compare", a, b, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        report = json.load(process.stdout)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not report["equal"]:
        raise RuntimeError(f"{a} and {b} differ")
    rows = sum(table["rows_a"] for table in report["tables"])
    return (time.perf_counter() - began) * 1000, used.ru_maxrss / 1024, rows


def _read_both(a: str, b: str) -> float:
    """The milliseconds that the drivers take to read all rows of both at the same time."""
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as readers:
        list(readers.map(_read, (a, b)))
    return (time.perf_counter() - began) * 1000


def _read(target: str) -> None:
    if "://" in target:
        with psycopg.connect(target) as server, server.cursor() as cursor:
            for table in FORMATS:
                with cursor.copy(f"COPY {table} TO STDOUT (FORMAT BINARY)") as copy:
                    for _ in copy:
                        pass
        return
    file = sqlite3.connect(f"file:{target}?mode=ro", uri=True)
    for table in FORMATS:
        for _ in file.execute(f"SELECT * FROM {table}"):
            pass
    file.close()
