"""Seeing changes: what a look costs, how soon a change is seen, what reading the first screen again costs."""

from __future__ import annotations

import os
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg

from agor_tui.db.watch_postgresql import ServerLookout
from agor_tui.db.watch_sqlite import OwnFileLookout, TracelessLookout
from agor_tui.db.watching import Lookout
from agor_tui.filters import SessionFilter
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from agor_tui.services.live import Watch
from agor_tui.services.session_pages import SessionPages
from agor_tui.tui.widgets.table_renewal import Seen, read_again

from .report import Result

LOOKS = 300
CHANGES = 12
WRITES = 1_000


def measure(targets: Sequence[tuple[str, str]]) -> list[Result]:
    """For each (label, target): looks, changes and a renewal; on PostgreSQL what the triggers add to a write as well.

    The databases are changed, in columns that nothing else is measured by.
    """
    results = []
    for label, target in targets:
        with open_database(target, environ={}) as browser:
            for how, lookout in _lookouts(browser):
                floor = _look_floor(target, how)
                results.append(Result(f"a look, {how}, {label}", _per_look(lookout), floor, "ms"))
                seen = _until_seen(Watch(lookout), _writer(target))
                results.append(Result(f"from a commit until it is seen, {how}, {label}", seen, None, "ms", 1_000, True))
            results.append(_renewal(browser, label))
        if not Path(target).exists():
            results += _triggers(target, label)
    return results


def _lookouts(browser: Browser) -> list[tuple[str, Lookout]]:
    database = browser.store.database
    if database.server is not None:
        return [
            ("told by the server", ServerLookout(database.server, native=True)),
            ("asking the server", ServerLookout(database.server, native=False)),
        ]
    place: Any = database.place
    return [("data_version", OwnFileLookout(place)), ("the file's looks", TracelessLookout(place))]


def _per_look(lookout: Lookout) -> float:
    lookout.look()
    return _median(LOOKS, lookout.look)


def _look_floor(target: str, how: str) -> float:
    """The raw driver's way of asking the same."""
    if how == "data_version":
        connection = sqlite3.connect(target)
        try:
            return _median(LOOKS, lambda: connection.execute("PRAGMA data_version").fetchone())
        finally:
            connection.close()
    if how == "the file's looks":
        return _median(LOOKS, lambda: os.stat(target))
    with psycopg.connect(target, autocommit=True) as server:
        return _median(LOOKS, lambda: server.execute("SELECT pg_current_snapshot()::text").fetchone())


def _until_seen(watch: Watch, change: Callable[[], object]) -> float:
    """The slowest of some changes, made at odd moments."""
    times = []
    for number in range(CHANGES):
        while watch.wait(1.2):
            pass
        done: list[float] = []

        def write(done: list[float] = done) -> None:
            change()
            done.append(time.perf_counter())

        timer = threading.Timer(0.05 + 0.037 * number, write)
        timer.start()
        while not watch.wait(5):
            pass
        seen = time.perf_counter()
        timer.join()
        times.append((seen - done[0]) * 1000)
    watch.close()
    return max(times)


def _writer(target: str) -> Callable[[], object]:
    if Path(target).exists():

        def write() -> None:
            connection = sqlite3.connect(target)
            connection.execute("UPDATE boards SET updated_at = coalesce(updated_at, created_at) + 1")
            connection.commit()
            connection.close()

        return write

    def tell() -> None:
        with psycopg.connect(target) as server:
            server.execute("UPDATE boards SET updated_at = now()")

    return tell


def _renewal(browser: Browser, label: str) -> Result:
    """The first screen read again, against the one page that it needs."""
    sort, filter = browser.default_sort, SessionFilter()
    pages = SessionPages(browser, filter, sort)
    first = browser.session_page(filter, sort, limit=pages.page_size).rows[0]
    seen = Seen(0, first.id, 0, 40, pinned=True)
    again = _median(30, lambda: read_again(SessionPages(browser, filter, sort), lambda row: row.id, seen))
    page = _median(30, lambda: browser.session_page(filter, sort, limit=pages.page_size))
    return Result(f"the first screen read again, {label}", again, page, "ms", 1.5)


def _triggers(target: str, label: str) -> list[Result]:
    """Writes with our triggers against the same without; all are rolled back."""
    results = []
    with psycopg.connect(target) as server:
        for what, write in (
            (f"{WRITES:,} updates in a transaction", _update),
            ("100,000 rows by COPY", _copy),
        ):
            times: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
            for _ in range(3):
                for state, kept in times.items():
                    server.execute(f"ALTER TABLE boards {state} TRIGGER agor_tui_changed".encode())
                    started = time.perf_counter()
                    write(server)
                    kept.append((time.perf_counter() - started) * 1000)
                    server.rollback()
            told, silent = (statistics.median(kept) for kept in times.values())
            results.append(Result(f"{what}, with triggers, {label}", told, silent, "ms"))
    return results


def _update(server: psycopg.Connection[Any]) -> None:
    for number in range(WRITES):
        server.execute("UPDATE boards SET name = %s WHERE board_id = 'none'", (str(number),))


def _copy(server: psycopg.Connection[Any]) -> None:
    with server.cursor().copy("COPY boards (board_id, created_at, name, data) FROM STDIN") as stream:
        for number in range(100_000):
            stream.write_row((f"bench{number}", "2026-01-01", "n", "{}"))


def _median(rounds: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)
