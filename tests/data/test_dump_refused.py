"""Files that may not be imported: cut, altered, of a later version, or with rows that no database could hold."""

from __future__ import annotations

import gzip
import os
import random
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from agor_tui.config.places import Place
from agor_tui.errors import AgorError, Cancelled, DatabaseError, FileError, SchemaVersionError, UsageError
from agor_tui.redact import HIDDEN
from agor_tui.services.dump import compression
from agor_tui.services.dump.exporting import export_database
from agor_tui.services.dump.importing import check_file, import_file
from agor_tui.transfer.sources import open_source
from agor_tui.transfers import Progress

from .dumps import Templates, altered, empty_file, replaced
from .one_row_each import count, execute, fill

LATE = "2030-01-01T00:00:00.000Z"


@pytest.fixture
def filled(native_templates: Templates, tmp_path: Path) -> Place:
    """A native file with one row in most tables."""
    place = empty_file(native_templates, tmp_path / "filled.db")
    fill(place)
    return place


@pytest.fixture
def dump(filled: Place, tmp_path: Path) -> Path:
    """Its rows as a file."""
    export_database(filled, tmp_path / "a.jsonl", include_secrets=True)
    return tmp_path / "a.jsonl"


@pytest.fixture
def target(native_templates: Templates, tmp_path: Path) -> Place:
    """Where rows could go: a native file without any."""
    return empty_file(native_templates, tmp_path / "target.db")


def refusal(path: Path, place: Place, **options: Any) -> AgorError:
    """The error that ends an import, which left nothing behind."""
    with pytest.raises(AgorError) as refused:
        import_file(path, place, **options)
    assert count(place, "repos") == count(place, "messages") == 0
    return refused.value


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.jsonl.gz", "a.jsonl.zst"])
def test_a_file_cut_or_altered_at_any_place_is_refused(filled: Place, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    export_database(filled, path, include_secrets=True)
    whole = path.read_bytes()
    sound = unpacked(path)
    rng = random.Random(name)
    places = [*range(0, 12), *range(len(whole) - 12, len(whole)), *(rng.randrange(len(whole)) for _ in range(40))]
    for place in places:
        for damaged in (
            whole[:place],
            whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :],
            whole[:place] + whole[place + 1 :],
            whole[:place] + bytes([rng.randrange(256)]) + whole[place:],
        ):
            path.write_bytes(damaged)
            if damaged == whole or (name.endswith((".gz", ".zst")) and unpacked(path) == sound):
                continue  # what a packer notes of no bearing, as the time
            with pytest.raises((FileError, SchemaVersionError)) as refused:
                check_file(path)
            assert refused.value.message.startswith(str(path))


def unpacked(path: Path) -> bytes:
    """What a file holds; nothing where it cannot be unpacked."""
    try:
        return b"".join(compression.lines_of(path))
    except FileError:
        return b""


Change = Callable[[list[dict[str, Any]]], Any]


def twice(table: str) -> Change:
    return lambda rows: [each for row in rows for each in [row] * (1 + (row["table"] == table))]


def turned(rows: list[dict[str, Any]]) -> Any:
    more = dict(next(row for row in rows if row["table"] == "sessions"), session_id="a0")
    return [each for row in rows for each in ([row, more] if row["table"] == "sessions" else [row])]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (twice("tasks"), "line 9: tasks “t1”: its id stands twice in the file"),
        (turned, "line 7: sessions “a0”: it stands behind a row with a greater id"),
        (lambda rows: rows[::-1], "its table has to stand before"),
        (replaced("messages", task_id="t9"), "messages “m1”: task_id names “t9”, which is a row of tasks"),
        (replaced("sessions", parent_session_id="s9"), "sessions “s1”: parent_session_id names “s9”"),
        (replaced("worktrees", repo_id="r9"), "worktrees “w1”: repo_id names “r9”"),
        (replaced("sessions", status="dancing"), "sessions “s1”: status “dancing” is no word for it"),
        (replaced("messages", index="1"), "messages m1: “index” is no whole number"),
        (replaced("messages", index=2**63), "messages m1: “index” is no whole number"),
        (replaced("messages", timestamp=2**63), "“timestamp” is no time"),
        (replaced("messages", timestamp="2026-01-01"), "messages m1: “timestamp” is no time"),
        (replaced("sessions", archived="no"), "sessions s1: “archived” is no true or false"),
        (replaced("sessions", created_at=None), "sessions s1: “created_at” is empty, which it may not be"),
        (replaced("sessions", data=...), "sessions s1: “data” is missing"),
        (replaced("sessions", colour="red"), "sessions s1: “colour” is no column of this table"),
        (replaced("sessions", table="elephants"), "line 6: this is no row of a table that the header names"),
        (replaced("users", user_id=5), "“user_id” is no text"),
        (lambda rows: [*map(orjson.dumps, rows[:3]), b'{"table":"users"'], "line 5: users: the line is no row"),
        (lambda rows: [*map(orjson.dumps, rows[:3]), b"[]"], "line 5: this is no row"),
    ],
)  # fmt: skip
def test_rows_that_may_not_be_imported_are_refused_by_line_table_and_id(
    dump: Path, target: Place, change: Change, said: str
) -> None:
    path = altered(dump, change)
    error = refusal(path, target)
    assert isinstance(error, FileError)
    assert error.message.startswith(f"{path}, line ")
    assert said in error.message
    assert "othing was written" in error.hint


def test_messages_that_comments_name_have_to_be_there(dump: Path, target: Place) -> None:
    comment = {"table": "board_comments", "comment_id": "c1", "created_at": 0, "updated_at": None, "board_id": "b1",
               "created_by": "u1", "session_id": None, "task_id": None, "message_id": "m1", "worktree_id": None,
               "content": "x", "content_preview": "x", "parent_comment_id": None, "resolved": False, "edited": False,
               "reactions": [], "data": {}}  # fmt: skip
    error = refusal(altered(dump, lambda rows: [*rows, comment | {"message_id": "m9"}]), target)
    assert "board_comments “c1”: message_id names “m9”" in error.message
    import_file(altered(dump, lambda rows: [*rows, comment]), target)
    assert count(target, "board_comments") == 1


def test_what_must_differ_and_does_not_is_refused(dump: Path, target: Place) -> None:
    def change(rows: list[dict[str, Any]]) -> Any:
        for row in rows:
            yield row
            if row["table"] == "repos":
                yield row | {"repo_id": "r2"}

    assert "repos “r2”: its slug “tidepool” stands twice in the file" in refusal(altered(dump, change), target).message


@pytest.mark.parametrize(
    ("header", "kind", "said"),
    [
        ({"format": "other"}, FileError, "is no export of agor-tui"),
        ({"version": 2, "tool_version": "9.9"}, FileError, "has version 2 of the format, and this agor-tui reads 1"),
        ({"revision": "0077"}, SchemaVersionError, "has the tables of revision “0077”"),
        ({"tables": [{"name": "cats", "columns": []}]}, FileError, "rows of a table “cats”"),
        ({"tables": [{"name": "repos", "columns": ["repo_id", "colour"]}]}, FileError, "other columns of the table"),
        ({"tables": [{"name": "repos", "columns": [1]}]}, FileError, "the header is not as agor-tui writes it"),
        ({"version": 0}, FileError, "the header is not as agor-tui writes it"),
        ({"tables": 5}, FileError, "the header is not as agor-tui writes it"),
        ({"secrets": "perhaps"}, FileError, "the header is not as agor-tui writes it"),
    ],
)  # fmt: skip
def test_a_header_that_this_program_does_not_know_is_refused(
    dump: Path, target: Place, header: dict[str, Any], kind: type[AgorError], said: str
) -> None:
    error = refusal(altered(dump, lambda rows: rows, **header), target)
    assert isinstance(error, kind)
    assert said in error.message
    assert error.hint


def test_files_that_are_no_dumps(tmp_path: Path, filled: Place, target: Place) -> None:
    for name, content in {
        "empty": b"", "text": b"hello\n", "json": b"[1, 2]", "array": b"[]\n[]\n", "zip": b"PK\x03\x04" + bytes(100),
        "gz": gzip.compress(b"hello"), "broken.gz": b"\x1f\x8b\x08\x00nonsense", "zst": b"\x28\xb5\x2f\xfd\x00\x00",
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(content)
        assert isinstance(refusal(tmp_path / name, target), FileError)
    export_database(filled, tmp_path / "a.sql")
    assert "is an export in SQL" in refusal(tmp_path / "a.sql", target).message
    assert "No such file" in refusal(tmp_path / "gone.jsonl", target).message
    os.mkfifo(tmp_path / "pipe")
    assert "is no ordinary file" in refusal(tmp_path / "pipe", target).message
    assert "Is a directory" in refusal(tmp_path, target).message


def test_a_line_too_long_is_refused_before_it_fills_the_memory(
    dump: Path, target: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "LONGEST_LINE", 3_500)
    path = altered(dump, replaced("messages", data={"content": "x" * 4_000}))
    error = refusal(path, target)
    assert error.message == f"{path}, line 9: it is longer than 3.5 kB, the most there may be."


def test_databases_that_nothing_is_imported_into(dump: Path, filled: Place, tmp_path: Path) -> None:
    before = Path(tmp_path / "filled.db").read_bytes()
    with pytest.raises(DatabaseError, match="is not empty: it has rows in"):
        import_file(dump, filled)
    assert Path(tmp_path / "filled.db").read_bytes() == before
    execute(filled, "UPDATE agor_tui_version SET version_num = '0001'")
    with pytest.raises(SchemaVersionError, match="is at revision 0001"):
        import_file(dump, filled)
    with pytest.raises(UsageError, match="is the database itself"):
        export_database(filled, tmp_path / "filled.db", replace=True)


def test_rows_that_are_there_stay_or_give_way_to_newer_ones(dump: Path, place: Place) -> None:
    import_file(dump, place)
    execute(place, "DELETE FROM messages")
    execute(place, "UPDATE worktrees SET name = 'ours'")
    kept = import_file(dump, place, on_conflict="skip")
    assert (kept.lossless, kept.verified) == (True, False)
    assert {each.table: each.rows for each in kept.tables if each.rows} == {"messages": 1}
    newer = altered(dump, replaced("worktrees", name="theirs", updated_at=LATE))
    written = import_file(newer, place, on_conflict="newer", batches=True)
    assert {each.table: each.overwritten for each in written.tables if each.overwritten} == {"worktrees": 1}
    assert count(place, "messages") == 1


def test_an_export_without_secrets_takes_none_away(filled: Place, place: Place, tmp_path: Path) -> None:
    execute(filled, """UPDATE mcp_servers SET data = '{"env": {"A": "hush"}, "args": ["--token","hush"],"n": 1}'""")
    for secrets in (True, False):
        export_database(filled, tmp_path / f"{secrets}.jsonl", include_secrets=secrets)
    import_file(tmp_path / "True.jsonl", place)
    theirs = {"env": HIDDEN, "args": ["--token", HIDDEN], "n": 2, "more": HIDDEN}
    newer = altered(tmp_path / "False.jsonl", replaced("mcp_servers", updated_at=LATE, data=theirs))
    newer = altered(newer, replaced("users", updated_at=LATE, emoji="🦉"))
    import_file(newer, place, on_conflict="newer")
    with open_source(place) as source:
        rows = {name: next(source.rows(name))[0] for name in ("users", "mcp_servers")}
    assert {"x", "🦉"} < set(rows["users"])
    kept = {"env": {"A": "hush"}, "args": ["--token", "hush"], "n": 2, "more": HIDDEN}
    assert orjson.loads(rows["mcp_servers"][-1]) == kept


def test_what_a_row_names_may_be_in_the_database(dump: Path, place: Place) -> None:
    import_file(dump, place)
    execute(place, "DELETE FROM messages")
    only = altered(dump, lambda rows: [row for row in rows if row["table"] == "messages"])
    import_file(only, place, on_conflict="skip")
    assert count(place, "messages") == 1


def test_it_tells_how_far_it_is_and_stops_when_asked(dump: Path, filled: Place, target: Place, tmp_path: Path) -> None:
    before = sorted(os.listdir(tmp_path))
    for work, said in (
        (partial(export_database, filled, tmp_path / "b.jsonl"), "The export was stopped; no file was written."),
        (partial(import_file, dump, target), "The import was stopped."),
    ):
        stop = threading.Event()
        told: list[Progress] = []

        def tell(progress: Progress, told: list[Progress] = told, stop: threading.Event = stop) -> None:
            told.append(progress)
            stop.set()

        with pytest.raises(Cancelled) as stopped:
            work(tell=tell, stop=stop)
        assert stopped.value.message == said
        assert told[0].stage in ("export", "check")
        assert told[0].rows == 1
    assert sorted(os.listdir(tmp_path)) == before
    assert count(target, "repos") == 0
