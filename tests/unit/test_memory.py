"""What is remembered between runs: kept whole, read in peace, and forgotten where the file is no good."""

from __future__ import annotations

import json
import multiprocessing
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agor_tui import paths
from agor_tui.config.places import LibsqlPlace, PostgresPlace, Secret, SqlitePlace
from agor_tui.records import Sort
from agor_tui.services import memory
from agor_tui.services.memory import Memory, Recalled, key_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file in a folder that does not exist yet."""
    return tmp_path / "state" / "state.json"


def test_what_was_kept_comes_back(file: Path) -> None:
    Memory(file).opened("a", NOON)
    Memory(file).keep("a", filter="status:running 日本語", sort=Sort("title", False), selected="0199", index=7)
    Memory(file).keep("b", filter="", sort=Sort(), selected=None)
    assert Memory(file).recall("a") == Recalled(NOON, "status:running 日本語", Sort("title", False), "0199", 7)
    assert Memory(file).recall("b") == Recalled(None, "", Sort(), None)
    assert Memory(file).recall("c") == Recalled()


def test_opening_keeps_how_it_was_looked_at(file: Path) -> None:
    Memory(file).keep("a", filter="x", sort=Sort(), selected="1")
    Memory(file).opened("a", NOON)
    assert Memory(file).recall("a") == Recalled(NOON, "x", Sort(), "1")


def test_only_the_user_may_read_it_and_no_other_file_stays(file: Path) -> None:
    Memory(file).opened("a", NOON)
    assert file.stat().st_mode & 0o777 == 0o600
    assert {each.name for each in file.parent.iterdir()} == {"state.json", "state.json.lock"}


def test_it_lies_in_the_state_folder_of_the_user() -> None:
    Memory().opened("a", NOON)
    assert paths.state_file().is_relative_to(os.environ["HOME"])
    assert Memory().recall("a").opened_at == NOON


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"databases": 3}',
        b'{"databases": {"a": 3}}',
        b'{"databases": {"a": {"opened": "yesterday", "filter": 3, "sort": "colour", "selected": [], "index": "x"}}}',
        b'{"databases": {"a": {"opened": "2026-01-01T00:00:00", "index": -1}}}',
        b"[" * 100_000,
    ],
    ids=["empty", "broken", "no text", "list", "number", "entry", "values", "naive time", "deep"],
)
def test_a_damaged_file_is_forgotten_and_written_anew(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    assert Memory(file).recall("a") == Recalled()
    Memory(file).opened("b", NOON)
    assert Memory(file).recall("b").opened_at == NOON


def test_a_folder_that_may_not_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file")
    Memory(tmp_path / "blocked" / "state.json").opened("a", NOON)
    assert Memory(tmp_path / "blocked" / "state.json").recall("a") == Recalled()


def test_a_run_that_holds_the_file_for_long_is_not_waited_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    Memory(file).opened("a", NOON)
    monkeypatch.setattr(memory, "PATIENCE_S", 0.05)
    with open(f"{file}.lock") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        Memory(file).opened("b", NOON)
    assert set(Memory(file).load()) == {"a"}


def test_the_databases_opened_longest_ago_are_given_up(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_KEPT", 3)
    for number in range(5):
        Memory(file).opened(str(number), NOON + timedelta(hours=number))
    assert set(Memory(file).load()) == {"2", "3", "4"}


def _write_many(file: Path, name: str) -> None:
    for number in range(40):
        Memory(file).opened(f"{name}{number}", NOON)


def test_runs_at_once_do_not_lose_each_others_entries(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PATIENCE_S", 30.0)  # a run that waits in vain forgets, as it should
    context = multiprocessing.get_context("fork")
    runs = [context.Process(target=_write_many, args=(file, name)) for name in "ab"]
    for run in runs:
        run.start()
    for run in runs:
        run.join(30)
        assert run.exitcode == 0
    assert len(Memory(file).load()) == 80
    json.loads(file.read_text())


def test_a_key_is_the_place_and_holds_no_secret(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    assert key_of(SqlitePlace("x", "x", tmp_path / "link.db", "")) == key_of(
        SqlitePlace(None, "y", tmp_path / "real.db", "")
    )
    server = PostgresPlace("team", "team", "", host="h", port=5, database="d", user="u", password=Secret("sesame"))
    assert key_of(server) == "postgresql:u@h:5/d"
    other = PostgresPlace(None, "", "", host="h", port=5, database="d", user="u", schema="s", tenant="t")
    assert key_of(other) == "postgresql:u@h:5/d/s/t"
    assert "sesame" not in key_of(LibsqlPlace(None, "", "", "libsql://h", auth_token=Secret("sesame")))
