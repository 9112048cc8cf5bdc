"""Several databases as one list: their sorted union on every dialect, and what becomes of slow and dead ones."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from agor_tui.db.engine import Database
from agor_tui.errors import AmbiguousIdError, DatabaseError, NotFoundError, UsageError
from agor_tui.filters import SessionFilter, parse_session_filter
from agor_tui.records import Count, Session, Sort, SortKey
from agor_tui.repositories.store import open_store
from agor_tui.services import merged_pages
from agor_tui.services.browser import Browser
from agor_tui.services.merged import MergedBrowser
from agor_tui.services.merged_pages import MergedPages
from agor_tui.services.merged_stream import MergedSession

from ..conftest import place_of
from ..servers import PostgresServer
from .test_repositories import NOON, World

SIZE = 6
EVERYTHING = SessionFilter()
PATIENCE = 60.0
ALL: tuple[SortKey, ...] = ("updated", "created", "title", "status", "tool", "id")
SIZES = {"laptop": 31, "team": 47, "old": 5, "bare": 0}


@pytest.fixture(autouse=True)
def _short_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jumps are found by halving from a few pages on."""
    monkeypatch.setattr(merged_pages, "WALK", 2)


@pytest.fixture(scope="module")
def databases(
    postgres_server: Callable[[int], PostgresServer],
    native_templates: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """The names of four databases and where they are: SQLite, PostgreSQL 18 and 16, and an empty file."""
    folder = tmp_path_factory.mktemp("merged")
    made = {
        name: str(shutil.copyfile(native_templates("sqlite"), folder / f"{name}.db")) for name in ("laptop", "bare")
    }
    servers = {"team": postgres_server(18), "old": postgres_server(16)}
    templates = {"team": "postgresql-18", "old": "postgresql-16"}
    for name, server in servers.items():
        made[name] = server.create_database(native_templates(templates[name]))
    shared = None
    for seed, (name, size) in enumerate(SIZES.items()):
        with Browser(*open_store(place_of(made[name]))) as browser:
            shared = _fill(World(browser), size, random.Random(seed), shared)
    yield {name: made[name] for name in SIZES}
    for name, server in servers.items():
        server.drop_database(made[name])


def _fill(world: World, size: int, choice: random.Random, shared: Session | None) -> Session | None:
    """Sessions of which many have the same times and titles; the first one is in all databases."""
    first = shared
    for number in range(size):
        same = {"id": shared.id} if shared is not None and number == 0 else {}
        made = world.session(
            choice.randrange(12),
            title=choice.choice(["", "a", "B", "ä", "Zebra", "日本語", "a b", "a_b"]),
            status=choice.choice(["idle", "awaiting_input", "running"]),
            tool=choice.choice(["codex", "claude-code"]),
            created_at=NOON + timedelta(minutes=choice.randrange(5)),
            **same,
        )
        first = first or made
    return first


class Databases:
    """Opens databases by name; those in ``held`` wait for their event, those in ``dead`` fail."""

    def __init__(self, places: dict[str, str]) -> None:
        self.places = places
        self.held: dict[str, threading.Event] = {}
        self.dead: set[str] = set()
        self.told = threading.Semaphore(0)

    def open(self, name: str) -> Browser:
        """As Configuration.open."""
        if name in self.held:
            assert self.held[name].wait(PATIENCE)
        if name in self.dead:
            raise DatabaseError(f"{name} does not answer.")
        return Browser(*open_store(place_of(self.places[name]), read_only=True))

    def merged(self, names: tuple[str, ...] = tuple(SIZES)) -> MergedBrowser:
        """All of them, as soon as those that are not held have answered."""
        merged = MergedBrowser(names, self.open, self.told.release)
        merged.start()
        for _ in set(names) - self.held.keys():
            assert self.told.acquire(timeout=PATIENCE)
        return merged


@pytest.fixture
def opener(databases: dict[str, str]) -> Databases:
    return Databases(databases)


@pytest.fixture
def merged(opener: Databases) -> Iterator[MergedBrowser]:
    """All four."""
    found = opener.merged()
    yield found
    found.close()


def union(merged: MergedBrowser, sort: Sort, filter: SessionFilter = EVERYTHING) -> list[str]:
    """The keys of all sessions in the order that the merged list promises."""
    rows = []
    for at, (name, browser) in enumerate(merged.browsers.items()):
        for row in browser.session_page(filter, sort, limit=0).rows:
            value: Any = {
                "updated": row.updated_at,
                "created": row.created_at,
                "title": row.title,
                "status": row.store_status,
                "tool": row.tool,
                "id": "",
            }[sort.key]
            place = (value is not None, value or "", row.id, -at if sort.descending else at)
            rows.append((place, MergedSession(name, row).key))
    return [key for _, key in sorted(rows, reverse=sort.descending)]


def keys(rows: tuple[MergedSession, ...]) -> list[str]:
    return [row.key for row in rows]


@pytest.mark.parametrize("key", ALL)
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("way", ["forward", "backward", "jumping"])
def test_pages_are_the_sorted_union(merged: MergedBrowser, key: SortKey, descending: bool, way: str) -> None:
    sort = Sort(key, descending)
    whole = union(merged, sort)
    assert len(whole) == sum(SIZES.values())
    last = (len(whole) - 1) // SIZE
    orders = {"forward": [range(last + 2)], "backward": [range(last + 1, -1, -1)]}
    jumps = [random.Random(seed).sample(range(last + 2), last + 2) for seed in range(3)]
    for order in orders.get(way, jumps):
        pages = merged.pages(EVERYTHING, sort, page_size=SIZE)
        for number in order:
            assert keys(pages.page(number)) == whole[number * SIZE : (number + 1) * SIZE], (number, list(order))
        assert list(pages.counts())[-1] == Count(len(whole))


@pytest.fixture
def timeless(opener: Databases, tmp_path: Path, postgres_server: Callable[[int], PostgresServer]) -> Iterator[None]:
    """The same databases as if their tables had no constraints, and a third of the rows no times."""
    server = postgres_server(18)
    copy = shutil.copyfile(opener.places["laptop"], tmp_path / "timeless.db")
    with closing(sqlite3.connect(copy)) as connection:
        connection.executescript(
            "PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; ALTER TABLE sessions RENAME TO constrained;"
            "CREATE TABLE sessions AS SELECT * FROM constrained; DROP TABLE constrained;"
            "UPDATE sessions SET updated_at = NULL, created_at = NULL WHERE rowid % 3 = 0"
        )
    url = server.create_database(opener.places["team"].rpartition("/")[2])
    with Database(place_of(url), writable=True) as database:

        def forget(connection: Connection) -> None:
            for column in ("updated_at", "created_at"):
                connection.exec_driver_sql(f"ALTER TABLE sessions ALTER COLUMN {column} DROP NOT NULL")
            connection.exec_driver_sql(
                "UPDATE sessions SET updated_at = NULL, created_at = NULL WHERE session_id IN "
                "(SELECT session_id FROM sessions ORDER BY session_id LIMIT 16)"
            )

        database.write(forget)
    opener.places = opener.places | {"laptop": str(copy), "team": url}
    yield
    server.drop_database(url)


@pytest.mark.parametrize("key", ["updated", "created"])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.usefixtures("timeless")
def test_missing_times_count_as_the_oldest_everywhere(opener: Databases, key: SortKey, descending: bool) -> None:
    merged, sort = opener.merged(), Sort(key, descending)
    whole = union(merged, sort)
    rows = [row for browser in merged.browsers.values() for row in browser.session_page(EVERYTHING, sort, limit=0).rows]
    assert sum(row.updated_at is None for row in rows) == SIZES["laptop"] // 3 + 16
    last = (len(whole) - 1) // SIZE
    for seed in range(4):
        order = random.Random(seed).sample(range(last + 2), last + 2) if seed else range(last + 2)
        pages = merged.pages(EVERYTHING, sort, page_size=SIZE)
        for number in order:
            assert keys(pages.page(number)) == whole[number * SIZE : (number + 1) * SIZE], (number, list(order))
    merged.close()


def test_the_filter_is_asked_of_each(merged: MergedBrowser) -> None:
    wanted = parse_session_filter("status:running tool:codex", NOON)
    whole = union(merged, Sort(), wanted)
    pages = merged.pages(wanted, Sort(), page_size=SIZE)
    assert [key for number in range(10) for key in keys(pages.page(number))] == whole
    assert merged.session_count(wanted) == Count(len(whole))
    assert merged.explain_filter(parse_session_filter("repo:harbor-api", NOON)) == ()
    assert merged.explain_filter(parse_session_filter("repo:nowhere", NOON))[0].startswith("No repo is named “nowhere”")
    assert merged.filter_values("tool") == ("claude-code", "codex")
    assert merged.sorts == tuple(ALL)


def test_the_end_is_found_without_reading_all(merged: MergedBrowser) -> None:
    pages = merged.pages(EVERYTHING, Sort(), page_size=SIZE)
    list(pages.counts())
    whole = union(merged, Sort())
    last = (len(whole) - 1) // SIZE
    assert keys(pages.page(last)) == whole[last * SIZE :]
    assert pages.page(last + 1) == ()
    read = {stream.name: len(stream._held) for stream in pages.streams}
    assert read["team"] <= 3


def test_an_id_is_sought_in_all(merged: MergedBrowser) -> None:
    everywhere = next(iter(merged.browsers["old"].session_page(EVERYTHING, Sort("id", False), limit=1).rows))
    found = merged.candidates(everywhere.id, ("session",))
    assert found.count == 3
    assert [match.database for match in found.matches] == ["laptop", "team", "old"]
    with pytest.raises(AmbiguousIdError):
        merged.resolve(everywhere.id, ("session",))
    with pytest.raises(NotFoundError) as caught:
        merged.resolve("ffffffffff", ("session",))
    assert "nearest" in caught.value.hint
    with pytest.raises(UsageError):
        merged.candidates("zz%_", ("session",))


def test_one_that_cannot_be_opened_harms_none(opener: Databases) -> None:
    opener.dead.add("team")
    merged = opener.merged()
    states = {member.name: member.state for member in merged.members}
    assert states == {"laptop": "open", "team": "failed", "old": "open", "bare": "open"}
    assert keys(merged.pages(EVERYTHING, Sort(), page_size=SIZE).page(0)) == union(merged, Sort())[:SIZE]
    opener.dead.clear()
    merged.start()
    assert opener.told.acquire(timeout=PATIENCE)
    assert keys(merged.pages(EVERYTHING, Sort(), page_size=SIZE).page(0)) == union(merged, Sort())[:SIZE]
    assert len(merged.opened) == 4
    merged.close()


def test_one_that_hangs_is_slow_and_joins_when_it_comes(opener: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agor_tui.services.merged.OPENING_LIMIT_S", 0.0)
    opener.held["team"] = threading.Event()
    merged = opener.merged()
    team = merged.members[1]
    assert (team.state, team.slow) == ("opening", True)
    before = merged.pages(EVERYTHING, Sort(), page_size=SIZE)
    assert {row.database for row in before.page(0)} <= {"laptop", "old"}
    opener.held["team"].set()
    assert opener.told.acquire(timeout=PATIENCE)
    assert keys(merged.pages(EVERYTHING, Sort(), page_size=SIZE).page(1)) == union(merged, Sort())[SIZE : 2 * SIZE]
    merged.close()


def test_one_that_comes_when_all_is_closed_is_closed(opener: Databases) -> None:
    opener.held["team"] = threading.Event()
    merged = opener.merged()
    merged.close()
    opener.held["team"].set()
    assert merged.members[1].browser is None


class Faulty(Browser):
    """A database that answers, then dies or falls silent."""

    gate: threading.Event | None = None
    dead = False

    def session_page(self, *args: Any, **asked: Any) -> Any:
        """As long as it lives."""
        if self.gate is not None:
            assert self.gate.wait(PATIENCE)
        if self.dead:
            raise DatabaseError("The server closed the connection.")
        return super().session_page(*args, **asked)


@pytest.fixture
def faulty(opener: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[MergedBrowser, Faulty]]:
    """All four, of which one may be made to die."""
    whole = opener.open
    found: list[Faulty] = []

    def open(name: str) -> Browser:
        if name != "team":
            return whole(name)
        found.append(Faulty(*open_store(place_of(opener.places[name]), read_only=True)))
        return found[0]

    monkeypatch.setattr(opener, "open", open)
    merged = opener.merged()
    yield merged, found[0]
    merged.close()


def test_one_that_dies_is_named_and_the_others_go_on(faulty: tuple[MergedBrowser, Faulty]) -> None:
    merged, team = faulty
    whole = union(merged, Sort())
    pages = merged.pages(EVERYTHING, Sort(), page_size=SIZE)
    shown = keys(pages.page(0)) + keys(pages.page(1))
    assert shown == whole[: 2 * SIZE]
    list(pages.counts())
    team.dead = True
    for number in range(2, 20):
        shown += keys(pages.page(number))
    stream = pages.streams[1]
    assert stream.state == "failed"
    assert stream.error is not None
    assert "closed the connection" in stream.error.message
    assert len(shown) == len(set(shown))
    assert [key for key in shown if not key.startswith("team")] == [key for key in whole if not key.startswith("team")]
    assert shown == sorted(shown, key=whole.index)
    assert list(pages.counts()) == [Count(len(shown))]


def test_a_slow_one_is_left_out_and_its_answer_kept(
    faulty: tuple[MergedBrowser, Faulty], opener: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merged_pages, "GRACE_S", 0.5)
    merged, team = faulty
    team.gate = threading.Event()
    whole = union_without(merged, "team")
    pages = merged.pages(EVERYTHING, Sort(), page_size=SIZE)
    assert keys(pages.page(0)) == whole[:SIZE]
    assert pages.streams[1].state == "asked"
    team.gate.set()
    while pages.streams[1].state == "asked":
        assert opener.told.acquire(timeout=PATIENCE)
    assert pages.streams[1].state == "late"
    monkeypatch.setattr(merged_pages, "GRACE_S", PATIENCE)
    again = merged.pages(EVERYTHING, Sort(), pages, SIZE)
    assert again.streams[1] is pages.streams[1]
    assert keys(again.page(0)) == union(merged, Sort())[:SIZE]


def test_all_dead_is_an_error(faulty: tuple[MergedBrowser, Faulty]) -> None:
    merged, team = faulty
    team.dead = True
    only = MergedPages([merged.pages(EVERYTHING, Sort(), page_size=SIZE).streams[1]], EVERYTHING, Sort(), lambda: None)
    with pytest.raises(DatabaseError, match="closed the connection"):
        only.page(0)


def union_without(merged: MergedBrowser, name: str) -> list[str]:
    """The sorted union of the others, asked without the one that would not answer."""
    rows: list[tuple[Any, str]] = []
    for at, (each, browser) in enumerate(merged.browsers.items()):
        if each != name:
            found = browser.session_page(EVERYTHING, Sort(), limit=0).rows
            rows += [((row.updated_at, row.id, -at), MergedSession(each, row).key) for row in found]
    return [key for _, key in sorted(rows, reverse=True)]
