"""OpenCode's files copied into native databases: browsed there as they are themselves, but for what is named here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agor_tui.config.places import Place
from agor_tui.db.row_format import FORMATS
from agor_tui.errors import AmbiguousIdError, UsageError
from agor_tui.filters import SessionFilter, TaskFilter
from agor_tui.records import Sort
from agor_tui.repositories.store import open_store
from agor_tui.services import export
from agor_tui.services.browser import Browser
from agor_tui.services.conversation import paired_window
from agor_tui.services.transfer import copy
from agor_tui.transfer.sources import open_source
from agor_tui.transfers import CopyOptions
from tests.builders import opencode, opencode_entries
from tests.conftest import place_of

EVERYTHING = SessionFilter(archived="any")
CANNOT_BE_SAID = {
    # Native rows name somebody, if only as "anonymous".
    "sessions.created_by",
    "shown.created_by",
    "shown.created_by_name",
    "tree.created_by",
    "tree.children.created_by",
    # Of a session without a model of its own the last prompt's is shown.
    "sessions.model",
    "shown.model",
    "tree.model",
    # A compaction is a task without words.
    "task.prompt",
}


def shown(browser: Browser) -> dict[str, list[Any]]:
    """All that the commands print of a database as JSON, but for what is a store's own; and the conversations."""
    sessions = browser.session_page(EVERYTHING, Sort("id"), limit=0).rows
    tasks = browser.task_page(TaskFilter(archived="any"), limit=0).rows
    found: dict[str, list[Any]] = {
        "sessions": [export.session_json(each) for each in sessions],
        "tasks": [export.task_json(each) for each in tasks],
        "task": [_common(export.task_detail_json(browser.task_detail(each.id))) for each in tasks],
        "shown": [],
        "tree": [],
        "messages": [],
        "turns": [],
    }
    for each in sessions:
        family = browser.ancestors(each.id), browser.children(each.id)
        found["shown"].append(_common(export.session_detail_json(browser.session_detail(each.id), *family)))
        found["tree"].append(json.loads(b"".join(export.tree_json(browser.tree(each.id)))))
        fetch = partial(browser.message_window, each.id)
        found["messages"].append(
            [export.message_json(one) for one in paired_window(fetch, 0, 1_000, keep_results=True)]
        )
        found["turns"].append(list(browser.conversation(each.id, 0, 1_000)))
    return found


def _common(value: dict[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in value.items() if key not in ("raw", "details")}


def differences(path: str, one: Any, other: Any) -> Iterator[str]:
    """Where two values differ, as paths without the places in lists."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from differences(f"{path}.{key}" if path else key, one.get(key, ...), other.get(key, ...))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for a, b in zip(one, other, strict=True):
            yield from differences(path, a, b)
    elif one != other:
        yield path


def shown_at(place: Place) -> dict[str, list[Any]]:
    """The same of the database at a place."""
    with Browser(*open_store(place, read_only=True)) as browser:
        return shown(browser)


@pytest.fixture(scope="module")
def own_file(fixtures_dir: Path) -> tuple[Place, dict[str, list[Any]]]:
    """A file that the program itself wrote, and what it shows."""
    place = place_of(fixtures_dir / "opencode" / "opencode.db")
    return place, shown_at(place)


def test_the_programs_own_file(own_file: tuple[Place, dict[str, list[Any]]], native_place: Place) -> None:
    report = copy(own_file[0], native_place, CopyOptions())
    assert {each.table for each in report.tables} == {"repos", "worktrees", "sessions", "tasks", "messages"}
    assert set(differences("", own_file[1], shown_at(native_place))) == CANNOT_BE_SAID


@pytest.mark.parametrize("name", ["opencode-v2", "opencode-2x", "kilo"])
def test_files_of_its_newer_versions_and_of_kilo(fixtures_dir: Path, name: str, native_place: Place) -> None:
    (path,) = (fixtures_dir / name).glob("*.db")
    copy(place_of(path), native_place, CopyOptions())
    assert set(differences("", shown_at(place_of(path)), shown_at(native_place))) <= CANNOT_BE_SAID


@pytest.mark.parametrize("build", [opencode_entries.build_both, opencode_entries.build_upgraded])
def test_sessions_of_several_stores(
    build: Callable[[Path], dict[str, str]], native_place: Place, tmp_path: Path
) -> None:
    path = tmp_path / "opencode.db"
    build(path)
    copy(place_of(path), native_place, CopyOptions())
    assert set(differences("", shown_at(place_of(path)), shown_at(native_place))) <= CANNOT_BE_SAID


def test_what_stands_with_no_message_is_named(native_place: Place, tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    ids = opencode_entries.build_both(path)
    entries = opencode_entries.Entries(path, "")
    alone = entries.add(ids["empty"], 1, "hologram", {"beam": "on"}, id="msg_alone")
    entries.add(ids["empty"], 2, "model-switched", {}, id="msg_switched")
    entries.finish()
    report = copy(place_of(path), native_place, CopyOptions())
    assert [(each.table, each.id, each.column) for each in report.findings] == [("messages", alone, "type")]


@pytest.mark.parametrize("shape", ["current", "older"])
def test_what_its_tables_can_hold_and_should_not(shape: opencode.Shape, native_place: Place, tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    opencode.build(path, shape)
    copy(place_of(path), native_place, CopyOptions())
    assert set(differences("", shown_at(place_of(path)), shown_at(native_place))) <= CANNOT_BE_SAID


def test_rows_come_in_the_order_of_their_keys_and_go_on_anywhere(tmp_path: Path) -> None:
    """The source is an SQLite file always."""
    path = tmp_path / "opencode.db"
    opencode.build(path)
    with open_source(place_of(path)) as source:
        assert source.tables == ("repos", "worktrees", "sessions", "tasks", "messages")
        for name in source.tables:
            rows = [row for batch in source.rows(name) for row in batch]
            keys = [row[0] for row in rows]
            assert keys == sorted(set(keys), key=str.encode)
            assert source.count(name) == len(rows)
            assert all(len(row) == len(FORMATS[name].columns) for row in rows)
            middle = len(rows) // 2
            assert [row for batch in source.rows(name, after=keys[middle]) for row in batch] == rows[middle + 1 :]
        assert source.findings == []


def test_folders_and_projects_that_share_a_name(native_place: Place, tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    b = opencode.Builder(path)
    one, other = b.project("p1", "/src/api"), b.project("p2", "/work/api")
    b.insert("workspace", id="w1", type="worktree", branch="fix", project_id=one, time_used=opencode.START)
    ids = {
        name: b.session(name, project, folder, at, **more)
        for at, (name, project, folder, more) in enumerate(
            [
                ("plain", one, "/src/api", {}),
                ("branch", one, "/src/api", {"workspace_id": "w1"}),
                ("other", other, "/src/api", {}),
                ("lost", "p3", "/gone", {}),
                ("orphan", one, "/src/api", {"parent_id": "ses_none"}),
            ]
        )
    }
    b.insert(
        "todo", session_id=ids["plain"], content="Add a test", status="pending", priority="high", position=0,
        time_created=0, time_updated=0,
    )  # fmt: skip
    b.finish()
    report = copy(place_of(path), native_place, CopyOptions())
    assert {(each.table, each.id, each.column) for each in report.findings} == {
        ("repos", "p2", "slug"),
        ("sessions", ids["orphan"], "parent_session_id"),
    }
    with Browser(*open_store(native_place, read_only=True)) as browser:
        found = {name: browser.session(id) for name, id in ids.items()}
        assert {name: (each.repo, each.worktree, each.branch) for name, each in found.items()} == {
            "plain": ("api", "/src/api", None),
            "branch": ("api", "/src/api", "fix"),
            "other": ("api (p2)", "/src/api", None),
            "lost": ("p3", "/gone", None),
            "orphan": ("api", "/src/api", None),
        }
        assert {each.id for each in browser.worktrees()} == {
            "/src/api", "/src/api p1 fix", "/src/api p2", "/gone",
        }  # fmt: skip
        stored = browser.session_detail(ids["plain"]).raw["custom_context"]["opencode"]
        assert stored["todos"] == [{"content": "Add a test", "status": "pending", "priority": "high"}]
        # Its ids are none of ours, and yet their beginnings lead to them as they did there.
        assert browser.resolve(found["lost"].short_id).id == ids["lost"]
        with pytest.raises(AmbiguousIdError):
            browser.resolve("ses_")
        with pytest.raises(UsageError, match="is not an id"):
            browser.resolve("nothing")
