"""The counts of the fixtures' manifests, through the commands: on the files, and on restored dumps of PostgreSQL."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.builders.native import load_native, rows_of_sqlite
from tests.conftest import DIALECTS, place_of

from .conftest import Answer, Run

AGOR_STORES = ("agor", "agor-2026", "postgresql-16", "postgresql-18", "postgresql-18 acme-labs")


@dataclass
class Store:
    """A database of Agor's, what its manifest says, and the command line on it."""

    truth: dict[str, Any]
    run: Callable[..., Answer]

    def rows(self, *command: str) -> list[dict[str, Any]]:
        """All rows of a list."""
        found: list[dict[str, Any]] = self.run(*command, "--limit", "0", "--json").json
        return found


def manifest(fixtures_dir: Path, name: str) -> Any:
    return json.loads((fixtures_dir / name / "MANIFEST.json").read_text())


@pytest.fixture(params=AGOR_STORES)
def store(
    request: pytest.FixtureRequest,
    run: Run,
    keep_open: None,
    fixtures_dir: Path,
    restored: Callable[[int], str],
) -> Store:
    name: str = request.param
    if name == "agor":
        truth = manifest(fixtures_dir, "agor")["databases"]["agor.db"]
        return Store(truth, partial(run, "-d", fixtures_dir / "agor" / "agor.db"))
    truth = manifest(fixtures_dir, "agor-2026")
    if name == "agor-2026":
        return Store(truth["sqlite"], partial(run, "-d", fixtures_dir / "agor-2026" / "agor.db"))
    server, _, tenant = name.partition(" ")
    options = ["-d", restored(int(server.removeprefix("postgresql-"))), *(["--tenant", tenant] if tenant else [])]
    return Store(truth["postgresql"][tenant or "default"], partial(run, *options))


def counted(rows: list[dict[str, Any]], key: str) -> dict[str, int]:
    return dict(Counter(row[key] for row in rows))


def test_sessions(store: Store) -> None:
    truth = store.truth
    rows = store.rows("session", "list", "archived:any")
    assert len({row["id"] for row in rows}) == len(rows) == truth["tables"]["sessions"]
    assert counted(rows, "store_status") == truth["sessions_per_status"]
    assert counted(rows, "tool") == truth["sessions_per_agentic_tool"]
    assert sum(row["task_count"] for row in rows) == truth["tables"]["tasks"]
    assert sum(row["message_count"] for row in rows) == truth["tables"]["messages"]
    places = truth.get("sessions_per_worktree") or truth["sessions_per_branch"]
    assert Counter(f"{row['repo']}/{row['worktree']}" for row in rows) == {
        place.replace("|", "/"): count for place, count in places.items()
    }
    boards = truth.get("sessions_per_board_of_their_branch")
    if boards is not None:
        assert Counter(str(row["board"]) for row in rows) == boards
    genealogy = truth.get("genealogy", {})
    assert sum(row["parent_id"] is not None for row in rows) == genealogy.get(
        "spawned (parent_session_id set)", truth.get("spawned")
    )
    assert sum(row["forked_from_id"] is not None for row in rows) == genealogy.get(
        "forked (forked_from_session_id set)", truth.get("forked")
    )
    costs = truth.get("sum_normalized_costUsd")
    if costs is not None:
        assert sum(row["cost"] or 0 for row in rows) >= costs - 1e-3  # the older rows have only raw figures


def test_archived_sessions_are_left_out_unless_asked_for(store: Store) -> None:
    truth = store.truth
    own = truth.get("sessions_archived") or truth["sessions_archived_per_reason"]
    by_place = ("sessions_archived_0_in_archived_worktree", "sessions_not_archived_in_archived_branch")
    archived = sum(own.values()) - own["(not archived)"] + sum(truth.get(name, 0) for name in by_place)
    assert [row["archived"] for row in store.rows("session", "list", "archived:yes")] == [True] * archived
    shown = store.rows("session", "list")
    assert not any(row["archived"] for row in shown)
    assert len(shown) == truth["tables"]["sessions"] - archived


def test_tasks(store: Store) -> None:
    rows = store.rows("task", "list", "archived:any")
    assert len(rows) == store.truth["tables"]["tasks"]
    assert counted(rows, "store_status") == store.truth["tasks_per_status"]


def test_messages(store: Store) -> None:
    rows: list[dict[str, Any]] = []
    for session in store.rows("session", "list", "archived:any"):
        found = store.rows("message", "list", session["id"])
        assert len(found) == session["message_count"]
        assert {row["session_id"] for row in found} <= {session["id"]}
        rows += found
    assert len({row["id"] for row in rows}) == store.truth["tables"]["messages"]
    assert counted(rows, "type") == store.truth["messages_per_type"]
    assert counted(rows, "role") == store.truth["messages_per_role"]


def test_boards(store: Store) -> None:
    assert len(store.run("board", "list", "--json").json) == store.truth["tables"]["boards"]


def whole(text: str) -> str:
    """The text as JSON for programs has it: U+FFFD for half of a surrogate pair."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def test_sample_sessions_and_their_families(store: Store) -> None:
    for sample in store.truth["sample_sessions"]:
        found = store.run("session", "show", sample["id"], "--json").json
        assert found["status"] == sample["status"]
        assert found["title"] == whole(sample["title"] or sample["description"])
        assert found["task_count"] == sample.get("task_count", sample.get("task_count_rows"))
        assert found["message_count"] == sample.get("message_count", sample.get("message_count_rows"))
        assert found["ancestors"] == sample["ancestors_nearest_first"]
        children = sample.get("children_by_created_at", sample.get("children_by_created_at_then_id"))
        assert found["children"] == children
        tree = store.run("session", "tree", sample["id"], "--json").json
        assert tree["id"] == (sample["ancestors_nearest_first"] or [sample["id"]])[-1]
        for ancestor in [*sample["ancestors_nearest_first"][-2::-1], sample["id"]][: len(found["ancestors"])]:
            (tree,) = [child for child in tree["children"] if child["id"] == ancestor]
        assert [child["id"] for child in tree["children"]] == children


def test_prefixes_that_several_sessions_share(store: Store) -> None:
    groups = store.truth.get("session_prefix8_groups", store.truth.get("session_prefix8_shared"))
    for group in groups:
        answer = store.run("session", "show", group["prefix"], "--json")
        assert (answer.code, answer.out) == (3, "")
        candidates = [line.split()[0] for line in answer.err.splitlines() if line.startswith(group["prefix"])]
        assert len(candidates) == group["n"]
        for candidate, wanted in zip(candidates, sorted(group["ids"]), strict=True):
            assert store.run("session", "show", candidate, "--json").json["id"] == wanted


def test_short_ids_resolve_to_their_rows(store: Store) -> None:
    rows = store.rows("session", "list", "archived:any")
    for row in rows:
        assert len(row["short_id"]) >= 8
        assert row["id"].replace("-", "").startswith(row["short_id"])
    assert len({row["short_id"] for row in rows}) == len(rows)
    for row in rows[:3]:
        compact = row["id"].replace("-", "")
        for spelling in (row["short_id"], compact[:24].upper(), f"https://agor.example/ui/s/{compact[:24]}/"):
            assert store.run("session", "show", spelling, "--json").json["id"] == row["id"]
        found = store.run("id", compact[:24], "--json").json
        assert (found["kind"], found["id"]) == ("session", row["id"])


def everything(run: Run, target: str | Path) -> list[str]:
    """All lists of a database as the commands print them."""
    ask = partial(run, "-d", target)
    lists = [["session", "list", "archived:any"], ["task", "list", "archived:any"]]
    sessions = [row["id"] for row in ask(*lists[0], "--limit", "0", "--json").json]
    lists += [["message", "list", each] for each in sessions]
    return [ask(*each, "--limit", "0", "--json").out for each in lists] + [ask("board", "list", "--json").out]


@pytest.mark.parametrize("version", [16, 18])
def test_both_dialects_give_the_same_json(
    run: Run, keep_open: None, fixtures_dir: Path, restored: Callable[[int], str], version: int
) -> None:
    # jsonb holds no NUL: the dump has U+FFFD in its place.
    wanted = everything(run, fixtures_dir / "agor-2026" / "agor.db")
    wanted = [text.replace(r"\u0000", "\ufffd") for text in wanted]
    for ours, theirs in zip(everything(run, restored(version)), wanted, strict=True):
        assert ours == theirs


@pytest.mark.parametrize("dialect", DIALECTS)
def test_rows_of_agor_loaded_into_a_native_database_give_the_same_json(
    run: Run, keep_open: None, request: pytest.FixtureRequest, tmp_path: Path, fixtures_dir: Path, dialect: str
) -> None:
    if dialect == "sqlite":
        target = str(tmp_path / "native.db")
    else:
        target = request.getfixturevalue(dialect.replace("postgresql-", "postgres") + "_url")
    source = fixtures_dir / "agor" / "agor.db"
    load_native(place_of(target), rows_of_sqlite(source))
    for ours, theirs in zip(everything(run, target), everything(run, source), strict=True):
        assert ours == theirs


def test_opencode(run: Run, keep_open: None, fixtures_dir: Path) -> None:
    truth = manifest(fixtures_dir, "opencode")
    ask = partial(run, "-d", fixtures_dir / "opencode" / "opencode.db")
    rows = {row["id"]: row for row in ask("session", "list", "archived:any", "--limit", "0", "--json").json}
    assert len(rows) == truth["sessions"]
    for wanted in truth["session_list"]:
        row = rows[wanted["id"]]
        assert (row["title"], row["parent_id"], row["archived"]) == (
            wanted["title"], wanted["parent_id"], wanted["archived"],
        )  # fmt: skip
        assert (row["message_count"], row["task_count"]) == (wanted["messages"], wanted["user_messages"])
        assert (row["worktree"], row["model"]) == (wanted["directory"], wanted["model"])
        assert row["cost"] == pytest.approx(wanted["cost"], abs=1e-9)
        assert row["tool"] == "opencode"
    roles: Counter[str] = Counter()
    tools: Counter[str] = Counter()
    states: Counter[str] = Counter()
    for id in rows:
        for message in ask("message", "list", id, "--limit", "0", "--json").json:
            roles[message["role"]] += 1
            tools.update(call["name"] for call in message["tool_calls"])
            states.update(call["status"] for call in message["tool_calls"])
    assert roles == truth["messages_by_role"]
    assert tools == truth["tool_calls_by_name"]
    assert states == truth["tool_calls_by_status"]
    sample = truth["sample_session"]
    found = ask("message", "list", sample["id"], "--json").json
    assert [message["id"] for message in found] == [message["id"] for message in sample["messages"]]
    for message, wanted in zip(found, sample["messages"], strict=True):
        assert message["role"] == wanted["role"]
        assert all(text in message["text"] for text in wanted["texts"])
        assert [[call["name"], call["status"]] for call in message["tool_calls"]] == wanted["tools"]
