"""``db copy``: out to PostgreSQL against psql's ``\\copy`` of ready files of the same rows and, where there is one,
pgloader; back against SQLite.

The rows: ten sessions' worth of five hundred messages of about two kilobytes, again and again.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from agor_tui import config
from agor_tui.db import migrator
from agor_tui.db.embedded.server import EmbeddedServer, embedded_server
from agor_tui.db.postgresql_programs import bin_folders, program_path
from agor_tui.db.row_format import FORMATS

from . import dumps, verify
from .databases import COLUMNS, _uuid7
from .report import Result

SESSIONS, MESSAGES_EACH, TASKS_EACH = 10_000, 50, 5
ROUNDS = 3
_START = 1_750_000_000_000
_HOUR = 3_600_000
_AS_FAST = 1 / 0.9
"""The time for what is copied at 0.9 times the rate."""
_FASTER = 1 / 1.5


def measure(folder: Path, *, small: bool) -> list[Result]:
    """Copy both ways, ``ROUNDS`` times each in turn with its floor; then compare, export and import the same rows."""
    sessions = SESSIONS // 10 if small else SESSIONS
    source = _prepared(folder, sessions)
    what = f"{sessions * MESSAGES_EACH:,} messages"
    size = _bytes(source)
    results = []
    with embedded_server(folder / "postgresql") as server:
        there = server.url("bench_copied")
        files = folder / "ready"
        shutil.rmtree(files, ignore_errors=True)
        files.mkdir()
        out: list[tuple[float, float]] = []
        floor: list[float] = []
        loaded: list[float] = []
        back: list[tuple[float, float]] = []
        floor_back: list[float] = []
        target, attached = folder / "back.db", folder / "attached.db"
        for number in range(ROUNDS):
            out.append(_copied(source, _emptied(server, "bench_copied")))
            if not number:
                _write_ready(there, files)
            floor.append(_loaded(_emptied(server, "bench_ready"), files))
            if pgloader := shutil.which("pgloader"):
                loaded.append(_by_pgloader(pgloader, source, server))
            back.append(_copied(there, _emptied_file(target)))
            floor_back.append(_attached(source, _emptied_file(attached)))
        how = "psql \\copy" if _psql() else "COPY of ready files by psycopg"
        taken = statistics.median(ms for ms, _ in out)
        rate = f"{size / 1e6:,.0f} MB, {size / taken / 1000:.0f} MB/s"
        results += [
            Result(f"copy to PostgreSQL, {what}, {rate}: to {how}", taken, statistics.median(floor), "ms", _AS_FAST),
            Result("copy to PostgreSQL: memory", max(peak for _, peak in out), None, "MiB", 300, absolute=True),
        ]
        if loaded:
            what_else = f"copy to PostgreSQL, {what}: to pgloader"
            results.append(Result(what_else, taken, statistics.median(loaded), "ms", _FASTER))
        results += verify.measure("SQLite and PostgreSQL", str(source), there, taken)
        taken = statistics.median(ms for ms, _ in back)
        rate = f"{size / 1e6:,.0f} MB, {size / taken / 1000:.0f} MB/s"
        results += [
            Result(f"copy back to SQLite, {what}, {rate}: to INSERT … SELECT", taken, statistics.median(floor_back),
                   "ms", 1.4),
            Result("copy back to SQLite: memory", max(peak for _, peak in back), None, "MiB", 300, absolute=True),
        ]  # fmt: skip
        for name in ("bench_copied", "bench_ready", "bench_loaded"):
            server.drop(name)
    results += dumps.measure(what, str(source), files)
    shutil.rmtree(files)
    for path in (target, attached):
        _emptied_file(path).unlink()
    return results


def _prepared(folder: Path, sessions: int) -> Path:
    """The file of so many sessions, made first where it is missing."""
    path = folder / f"copy-{sessions}.db"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    making = _emptied_file(path.with_suffix(".making"))
    connection = sqlite3.connect(making, isolation_level=None)
    connection.execute("PRAGMA synchronous = off")
    connection.execute("BEGIN")
    for table, names in COLUMNS.items():
        listed = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO {table} ({listed}) VALUES ({marks})", _rows(table, sessions))
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    making.rename(path)
    return path


def _rows(table: str, sessions: int) -> Iterator[tuple[Any, ...]]:
    rng = random.Random(table)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(4_000)]
    bodies = [json.dumps({"content": [{"type": "text", "text": " ".join(rng.choices(words, k=280))}],
                          "metadata": {"model": "claude-sonnet-4-5", "tokens": {"input": n, "output": 7}}},
                         ensure_ascii=False) for n in range(500)]  # fmt: skip
    match table:
        case "repos":
            yield _uuid7(_START, 1), _START, "bench/repo", "{}"
        case "boards":
            yield _uuid7(_START, 1), _START, "anonymous", "Board", "board", "{}"
        case "worktrees":
            tree = (_uuid7(_START, 1), _uuid7(_START, 1), _START, "anonymous", "tree", "main", 1, _uuid7(_START, 1))
            yield (*tree, "{}")
        case "sessions":
            for number in range(sessions):
                made = _START + number * _HOUR
                parent = _session(number - 3) if number % 10 == 7 else None
                yield (_session(number), made, made + 1, "anonymous", "idle", "codex", parent, None,
                       _uuid7(_START, 1), rng.choice(bodies), 0)  # fmt: skip
        case "tasks":
            for number in range(sessions * TASKS_EACH):
                made = _START + number // TASKS_EACH * _HOUR + number % TASKS_EACH
                yield (_uuid7(made, number), _session(number // TASKS_EACH), made, made + 1, "completed", "anonymous",
                       json.dumps({"full_prompt": "Look again", "duration_ms": number}))  # fmt: skip
        case "messages":
            for number in range(sessions * MESSAGES_EACH):
                of, index = divmod(number, MESSAGES_EACH)
                made = _START + of * _HOUR + index * 500
                task = of * TASKS_EACH + index * TASKS_EACH // MESSAGES_EACH
                body = rng.choice(bodies)
                yield (_uuid7(made, number), made, _session(of),
                       _uuid7(_START + of * _HOUR + task % TASKS_EACH, task), "assistant", "assistant", index, made,
                       body[40:240], body)  # fmt: skip


def _session(number: int) -> str:
    return _uuid7(_START + number * _HOUR, number)


def _bytes(source: Path) -> int:
    """The size of the texts and the JSON."""
    connection = sqlite3.connect(f"file:{source}?immutable=1", uri=True)
    total = 0
    for table in FORMATS.values():
        for place in table.at("text", "json"):
            name = table.names[place]
            found = connection.execute(f'SELECT sum(length(CAST("{name}" AS BLOB))) FROM {table.name}').fetchone()
            total += found[0] or 0
    connection.close()
    return total


def _emptied(server: EmbeddedServer, name: str) -> str:
    """The URL of a native database of this name without rows."""
    server.drop(name)
    fresh = server.url(name)
    migrator.init(config.resolve(fresh, config_path=None, environ={}))
    return fresh


def _emptied_file(path: Path) -> Path:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    migrator.init(config.resolve(str(path), config_path=None, environ={}))
    return path


def _copied(source: Path | str, target: Path | str) -> tuple[float, float]:
    """The milliseconds of one run of the command without its comparison, and its MiB."""
    command = [sys.executable, "-m", "agor_tui", "db", "copy", str(source), str(target), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        report = json.load(process.stdout)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not report["lossless"]:
        raise RuntimeError(f"{source} was not copied to {target}")
    return (report["seconds"] - report["verified"]["seconds"]) * 1000, used.ru_maxrss / 1024


def _write_ready(url: str, folder: Path) -> None:
    """A file a table, as ``\\copy`` reads it."""
    with psycopg.connect(url) as connection:
        for table in FORMATS:
            with (folder / table).open("wb") as file, connection.cursor().copy(f"COPY {table} TO STDOUT") as rows:
                for piece in rows:
                    file.write(piece)


def _psql() -> str | None:
    """psql of the server's own binaries, or of the system."""
    found = [program_path(folder, "psql") for folder in reversed(bin_folders().values())]
    return str(found[-1]) if found else shutil.which("psql")


def _loaded(url: str, folder: Path) -> float:
    """The milliseconds to load the ready files."""
    psql = _psql()
    began = time.perf_counter()
    if psql:
        orders = [part for table in FORMATS for part in ("-c", f"\\copy {table} from '{folder / table}'")]
        subprocess.run([psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", url, *orders], check=True)
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            for table in FORMATS:
                with (folder / table).open("rb") as file, connection.cursor().copy(f"COPY {table} FROM STDIN") as rows:
                    while piece := file.read(1 << 16):
                        rows.write(piece)
    return (time.perf_counter() - began) * 1000


def _by_pgloader(program: str, source: Path, server: EmbeddedServer) -> float:
    """The milliseconds that pgloader takes to make the same tables in an empty database and to fill them."""
    server.drop("bench_loaded")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE bench_loaded")
    began = time.perf_counter()
    # Its own number of rows at once, 100,000 of these, is more than its memory.
    command = [program, "--with", "prefetch rows = 1000", f"sqlite://{source.resolve()}", server.url("bench_loaded")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def _attached(source: Path, target: Path) -> float:
    """The milliseconds that SQLite takes to copy all tables itself."""
    began = time.perf_counter()
    connection = sqlite3.connect(target, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("ATTACH ? AS source", [f"{source}"])
    connection.execute("BEGIN")
    for table in FORMATS:
        connection.execute(f"INSERT INTO main.{table} SELECT * FROM source.{table}")
    connection.execute("COMMIT")
    connection.close()
    return (time.perf_counter() - began) * 1000
