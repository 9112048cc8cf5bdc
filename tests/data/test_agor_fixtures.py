"""The Agor databases of the fixtures, against the counts of their manifests."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import connect

from agor_tui.config.places import Place
from agor_tui.errors import AmbiguousIdError
from agor_tui.filters import SessionFilter, TaskFilter
from agor_tui.records import RequestBlock, Session, Sort, Task
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from tests.builders.agor import as_reader, make_reader
from tests.builders.native import load_native, rows_of_sqlite
from tests.data.answers import ALL, json_answers, session_ids, shown
from tests.servers import restore_dump

STORES = (
    "agor",
    "agor-2026",
    "default postgresql-16",
    "default postgresql-18",
    "acme-labs postgresql-18",
)


class Store:
    """An open database and what its manifest says of it."""

    def __init__(self, browser: Browser, facts: dict[str, Any]) -> None:
        self.browser = browser
        self.facts = facts
        self.sessions: tuple[Session, ...] = browser.session_page(ALL, Sort(), limit=0).rows
        self.tasks: tuple[Task, ...] = browser.task_page(TaskFilter(archived="any"), limit=0).rows


@pytest.fixture(scope="module")
def dumps(
    fixtures_dir: Path, postgres_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[int, str]]:
    """The dump of 2026, restored on both versions; a role without rights beyond reading may read it."""
    urls = {}
    for version in (16, 18):
        server = postgres_server(version)
        url = urls[version] = server.create_database()
        restore_dump(fixtures_dir / "agor-2026" / "agor.sql.gz", url)
        with connect(url, autocommit=True) as connection:
            make_reader(connection)
    yield urls
    for version, url in urls.items():
        postgres_server(version).drop_database(url)


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest, fixtures_dir: Path) -> Iterator[Store]:
    name, _, server = request.param.partition(" ")
    if server:
        version = int(server.rpartition("-")[2])
        url = request.getfixturevalue("dumps")[version]
        facts = _manifest(fixtures_dir / "agor-2026")["postgresql"][name]
        # As a superuser on one version, whom row level security does not hold, as a reader on the other.
        with open_database(url if version == 16 else as_reader(url), tenant=name, environ={}) as browser:
            yield Store(browser, facts)
        return
    manifest = _manifest(fixtures_dir / name)
    facts = manifest["databases"]["agor.db"] if "databases" in manifest else manifest["sqlite"]
    with open_database(str(fixtures_dir / name / "agor.db"), environ={}) as browser:
        yield Store(browser, facts)


def _manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "MANIFEST.json").read_text())
    return manifest


def test_counts(store: Store) -> None:
    tables = store.facts["tables"]
    assert len(store.sessions) == tables["sessions"]
    assert len(store.tasks) == tables["tasks"]
    assert sum(session.task_count for session in store.sessions) == tables["tasks"]
    assert sum(session.message_count for session in store.sessions) == tables["messages"]
    assert len(store.browser.boards()) == tables["boards"]
    assert len(store.browser.repos()) == tables["repos"]
    assert len(store.browser.users()) == tables["users"]
    assert len(store.browser.worktrees()) == tables.get("worktrees", tables.get("branches"))


def test_words(store: Store) -> None:
    facts = store.facts
    assert Counter(session.store_status for session in store.sessions) == facts["sessions_per_status"]
    assert Counter(task.store_status for task in store.tasks) == facts["tasks_per_status"]
    assert Counter(session.tool for session in store.sessions) == facts["sessions_per_agentic_tool"]
    messages = [message for session in store.sessions for message in store.browser.message_window(session.id, 0, 0)]
    assert Counter(message.type for message in messages) == facts["messages_per_type"]
    assert Counter(message.role for message in messages) == facts["messages_per_role"]
    permissions = Counter(
        block.status
        for message in messages
        for block in message.blocks
        if isinstance(block, RequestBlock) and block.kind == "permission"
    )
    assert permissions == facts["permission_requests_per_status"]
    nested = sum(message.parent_tool_id is not None for message in messages)
    assert nested == facts["messages_with_parent_tool_use_id"]
    assert sum(message.queued for message in messages) == facts.get("messages_queued", 0)


def test_genealogy(store: Store) -> None:
    facts = store.facts
    spawned = sum(session.parent_id is not None for session in store.sessions)
    forked = sum(session.forked_from_id is not None for session in store.sessions)
    roots = sum(session.parent_id is None and session.forked_from_id is None for session in store.sessions)
    expected = facts.get("genealogy") or {}
    assert spawned == expected.get("spawned (parent_session_id set)", facts.get("spawned"))
    assert forked == expected.get("forked (forked_from_session_id set)", facts.get("forked"))
    assert roots == expected.get("roots", facts.get("roots"))
    deepest = max(len(store.browser.ancestors(session.id)) for session in store.sessions) + 1
    assert deepest == expected.get("max_levels_counting_root_as_1", facts.get("max_levels_counting_root_as_1"))


def test_sample_sessions(store: Store) -> None:
    for sample in store.facts["sample_sessions"]:
        session = store.browser.session(sample.get("short_id_24", sample["id"]))
        assert session.id == sample["id"]
        assert session.title == (sample["title"] or sample["description"] or session.tool)
        assert session.task_count == sample.get("task_count_rows", sample.get("task_count"))
        assert session.message_count == sample.get("message_count_rows", sample.get("message_count"))
        assert [each.id for each in store.browser.ancestors(session.id)] == sample["ancestors_nearest_first"]
        children = sample.get("children_by_created_at", sample.get("children_by_created_at_then_id"))
        assert [each.id for each in store.browser.children(session.id)] == children


def test_archive_and_boards(store: Store) -> None:
    facts = store.facts
    archived = len(session_ids(store.browser, SessionFilter(archived="yes")))
    if "sessions_archived" in facts:
        own = sum(count for reason, count in facts["sessions_archived"].items() if not reason.startswith("("))
        assert archived == own + facts["sessions_archived_0_in_archived_worktree"]
    else:
        assert archived == facts["sessions_archived_column"] + facts["sessions_not_archived_in_archived_branch"]
    assert len(session_ids(store.browser, SessionFilter())) == len(store.sessions) - archived
    if "sessions_per_board_of_their_branch" in facts:
        boards = Counter(str(session.board) for session in store.sessions)
        assert boards == facts["sessions_per_board_of_their_branch"]
    places = facts.get("sessions_per_worktree") or facts["sessions_per_branch"]
    separator = "|" if "sessions_per_branch" in facts else "/"
    assert Counter(f"{session.repo}{separator}{session.worktree}" for session in store.sessions) == places


def test_shared_prefixes(store: Store) -> None:
    groups = store.facts.get("session_prefix8_groups") or store.facts["session_prefix8_shared"]
    for group in groups:
        with pytest.raises(AmbiguousIdError) as caught:
            store.browser.resolve(group["prefix"], ("session",))
        found = caught.value.ambiguity
        assert [match.id for match in found.matches] == group["ids"]
        for match in found.matches:
            assert store.browser.resolve(match.short_id, ("session",)).id == match.id


def test_tokens_and_cost(store: Store) -> None:
    if "sum_normalized_costUsd" not in store.facts:
        return
    details = [store.browser.task_detail(task.id) for task in store.tasks]
    normalized = [detail for detail in details if "normalized_sdk_response" in detail.raw.get("data", detail.raw)]
    assert len(normalized) == store.facts["tasks_with_normalized_sdk_response"]
    assert sum(detail.cost or 0 for detail in normalized) == pytest.approx(
        store.facts["sum_normalized_costUsd"], abs=1e-4
    )


def test_no_secret_comes_out(store: Store) -> None:
    assert "FAKESECRET" not in shown(json_answers(store.browser))


def test_browsing_changes_nothing(fixtures_dir: Path) -> None:
    for name in ("agor", "agor-2026"):
        folder = fixtures_dir / name
        before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
        with open_database(str(folder / "agor.db"), environ={}) as browser:
            browser.session_detail(session_ids(browser)[0])
        assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
        manifest = _manifest(folder)
        facts = manifest["databases"]["agor.db"] if "databases" in manifest else manifest["files"]["agor.db"]
        assert hashlib.sha256((folder / "agor.db").read_bytes()).hexdigest() == facts["sha256"]


@pytest.fixture(scope="module")
def answers_of_the_file(fixtures_dir: Path) -> dict[str, Any]:
    with open_database(str(fixtures_dir / "agor" / "agor.db"), environ={}) as browser:
        return json_answers(browser)


def test_loaded_into_native_tables_it_answers_the_same(
    fixtures_dir: Path, answers_of_the_file: dict[str, Any], empty_place: Place
) -> None:
    load_native(empty_place, rows_of_sqlite(fixtures_dir / "agor" / "agor.db"))
    with Browser(*open_store(empty_place)) as browser:
        found = json_answers(browser)
    assert found.keys() == answers_of_the_file.keys()
    for question, expected in answers_of_the_file.items():
        assert found[question] == expected, question
