"""A page of 50 sessions and the resolving of a prefix: ours against the raw driver doing the same by hand."""

from __future__ import annotations

import random
import sqlite3
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from agor_tui.filters import SessionFilter
from agor_tui.records import Cursor, Sort
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database

from . import databases
from .report import Result
from .turns import in_turns

ROUNDS = 200
LOWEST = "00000000-0000-0000-0000-000000000000"
HIGHEST = "ffffffff-ffff-ffff-ffff-ffffffffffff"

_SQL = {
    "sqlite": {
        "text": "json_extract(s.data, '$.{0}')",
        "task": "json_extract(t.data, '$.normalized_sdk_response.{0}')",
        "board": "(SELECT min(o.board_id) FROM board_objects o WHERE o.worktree_id = w.worktree_id)",
        "yes": "1",
        "place": "?",
    },
    "postgresql": {
        "text": "s.data #>> '{{{0}}}'",
        "task": "(t.data #>> '{{normalized_sdk_response,{0}}}')::float8",
        "board": "(SELECT min(o.board_id) FROM board_objects o WHERE o.worktree_id = w.worktree_id)",
        "yes": "true",
        "place": "%s",
    },
}


def _page_sql(dialect: str) -> tuple[str, str]:
    """Two statements by hand: the ids of a page behind a cursor, and what the list shows of 50 ids."""
    words = _SQL[dialect]

    def text(path: str) -> str:
        return words["text"].format(path)

    def of_tasks(path: str) -> str:
        path = path if dialect == "sqlite" else path.replace(".", ",")
        return f"(SELECT sum({words['task'].format(path)}) FROM tasks t WHERE t.session_id = s.session_id)"

    place = words["place"]
    model = text("model_config.model" if dialect == "sqlite" else "model_config,model")
    keys = (
        "SELECT s.session_id, s.updated_at FROM sessions s LEFT JOIN worktrees w USING (worktree_id)"
        f" WHERE s.archived <> {words['yes']} AND (w.archived IS NULL OR w.archived <> {words['yes']})"
        f" AND (s.updated_at, s.session_id) < ({place}, {place})"
        " ORDER BY s.updated_at DESC, s.session_id DESC LIMIT 51"
    )
    if dialect == "postgresql":
        keys = keys.replace("s.archived <> true", "NOT s.archived").replace("w.archived <> true", "NOT w.archived")
    else:
        keys = keys.replace("s.archived <> 1", "s.archived = 0").replace("w.archived <> 1", "w.archived = 0")
    rows = (
        f"SELECT s.session_id, coalesce({text('title')}, {text('description')}, s.agentic_tool), s.status,"
        " s.agentic_tool, s.created_at, s.updated_at, s.created_by, s.parent_session_id, s.forked_from_session_id,"
        f" r.slug, w.name, w.ref, b.name, s.archived, w.archived, {model},"
        f" {of_tasks('tokenUsage.inputTokens')}, {of_tasks('tokenUsage.outputTokens')}, {of_tasks('costUsd')},"
        " (SELECT count(*) FROM tasks t WHERE t.session_id = s.session_id),"
        " (SELECT count(*) FROM messages m WHERE m.session_id = s.session_id),"
        " (SELECT max(a.session_id) FROM sessions a WHERE a.session_id < s.session_id),"
        " (SELECT min(z.session_id) FROM sessions z WHERE z.session_id > s.session_id)"
        " FROM sessions s LEFT JOIN worktrees w USING (worktree_id) LEFT JOIN repos r USING (repo_id)"
        f" LEFT JOIN boards b ON b.board_id = coalesce(s.board_id, w.board_id, {words['board']})"
        f" WHERE s.session_id IN ({', '.join([place] * 50)})"
    )
    return keys, rows


def _prefix_sql(dialect: str) -> str:
    words = _SQL[dialect]
    place = words["place"]
    return (
        f"SELECT s.session_id, {words['text'].format('title')}, s.updated_at,"
        " (SELECT max(a.session_id) FROM sessions a WHERE a.session_id < s.session_id),"
        " (SELECT min(z.session_id) FROM sessions z WHERE z.session_id > s.session_id)"
        f" FROM sessions s WHERE s.session_id BETWEEN {place} AND {place} ORDER BY s.session_id LIMIT 21"
    )


class _Raw:
    """A connection of the raw driver, one read-only transaction a unit of work, as ours has it."""

    def __init__(self, dialect: str, target: str) -> None:
        self.dialect = dialect
        self.connection: Any
        if dialect == "sqlite":
            uri = f"file:{target}?mode=ro&immutable=1"
            self.connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        else:
            self.connection = psycopg.connect(target, autocommit=True, prepare_threshold=None)

    def unit(self, *statements: tuple[str, Callable[[list[Any]], tuple[Any, ...]]]) -> list[Any]:
        """Run statements in one transaction; each makes its parameters from the rows before."""
        rows: list[Any] = []
        self.connection.execute("BEGIN")
        for statement, parameters in statements:
            rows = self.connection.execute(statement, parameters(rows)).fetchall()
        self.connection.execute("COMMIT")
        return rows


def measure(targets: Sequence[tuple[str, int, str]]) -> list[Result]:
    """The rows of the report for pages and prefixes; a target is (dialect, number of sessions, path or URL)."""
    results = []
    medians: dict[str, list[float]] = {}
    for dialect, size, target in targets:
        results += _of(dialect, size, target, medians)
    for what, found in medians.items():
        if len(found) == 2:
            results.append(Result(f"{what}, a million against ten thousand", found[1], found[0], "ms", 1.2))
    return results


def _of(dialect: str, size: int, target: str, medians: dict[str, list[float]]) -> list[Result]:
    label = f"{dialect}, {size:,} sessions"
    raw = _Raw(dialect, target)
    rng = random.Random(2)
    keys, rows = _page_sql(dialect)
    prefix = _prefix_sql(dialect)
    numbers = [rng.randrange(60, size) for _ in range(ROUNDS)]
    with open_database(target, environ={}, read_only=True) as browser:
        cursors = [browser.session_cursor(databases.session_id(number), Sort()) for number in numbers]

        def raw_page(cursor: Cursor) -> int:
            return len(
                raw.unit(
                    (keys, lambda _: (cursor.key, cursor.id)),
                    (rows, lambda found: tuple(row[0] for row in found[:50])),
                )
            )

        def raw_prefix(number: int) -> int:
            head = databases.session_id(number)[:13]
            return len(raw.unit((prefix, lambda _: (head + LOWEST[13:], head + HIGHEST[13:]))))

        page, raw_paged = _race(lambda n: _page(browser, cursors[n]), lambda n: raw_page(cursors[n]))
        found, raw_found = _race(lambda n: _resolve(browser, numbers[n]), lambda n: raw_prefix(numbers[n]))
    medians.setdefault(f"page of 50, {dialect}", []).append(page)
    medians.setdefault(f"prefix, {dialect}", []).append(found)
    return [
        Result(f"page of 50, {label}", page, raw_paged, "ms", 2),
        Result(f"prefix, {label}", found, raw_found, "ms", 2),
    ]


def _page(browser: Browser, cursor: Cursor) -> int:
    return len(browser.session_page(SessionFilter(), Sort(), after=cursor, limit=50).rows)


def _resolve(browser: Browser, number: int) -> int:
    return len(browser.resolve(databases.session_id(number)[:13], ("session",)).id)


def _race(ours: Callable[[int], int], floor: Callable[[int], int]) -> tuple[float, float]:
    """Medians in milliseconds; both find what they look for."""

    def checked(work: Callable[[int], int]) -> Callable[[int], None]:
        def run(number: int) -> None:
            assert work(number)

        return run

    times = in_turns(checked(ours), checked(floor), ROUNDS)
    return statistics.median(times[0]), statistics.median(times[1])
