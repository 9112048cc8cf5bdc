"""What goes into an export and what stays out: secrets, and the rows that a filter means."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from agor_tui.config.places import Place
from agor_tui.db.row_format import FORMATS
from agor_tui.filters import SessionFilter
from agor_tui.services.dump.exporting import export_database
from agor_tui.services.dump.importing import import_file
from tests.builders.agor import build_postgresql, build_sqlite
from tests.builders.native import load_native, rows_of_sqlite
from tests.builders.opencode import build as build_opencode
from tests.conftest import place_of

from .dumps import Templates, empty_file
from .one_row_each import count, execute, fill

SECRET = b"FAKESECRET"


def hidden(path: Path) -> bool:
    """Whether no secret of the builders stands in a file."""
    return SECRET not in path.read_bytes()


def test_no_secret_gets_into_an_export_unless_it_is_asked_for(place: Place, tmp_path: Path) -> None:
    build_sqlite(tmp_path / "agor.db", "2025", leave_out="unsound")
    load_native(place, rows_of_sqlite(tmp_path / "agor.db"))
    for name in ("a.jsonl", "a.json", "a.sql"):
        export_database(place, tmp_path / name)
        assert hidden(tmp_path / name)
        export_database(place, tmp_path / name, include_secrets=True, replace=True)
        assert not hidden(tmp_path / name)


def test_no_secret_of_another_programs_database_does_either(postgres18_url: str, tmp_path: Path) -> None:
    build_postgresql(postgres18_url)
    build_opencode(tmp_path / "opencode.db")
    for source in (postgres18_url, tmp_path / "opencode.db"):
        export_database(place_of(source), tmp_path / "a.jsonl", replace=True)
        assert hidden(tmp_path / "a.jsonl")


def test_secrets_in_what_is_no_json_or_in_other_spellings_stay_out_too(
    native_templates: Templates, tmp_path: Path
) -> None:
    place = empty_file(native_templates, tmp_path / "a.db")
    fill(place)
    documents = [
        '{"title": "cut off", "mcp_token": "FAKESECRET',
        '{"remote_url": "https://ada:FAKESECRET@git", "mcp_token": "FAKESECRET',
        '{"api\\u005fkey": "FAKESECRET", "n": 1.50, "half": "\\ud83d"}',
        '{"a": ":", ":password" : "FAKESECRET"}',
        '{"list": [{"name": "API_KEY", "value": "FAKESECRET"}]}',
        '{"deep": ' + "[" * 2_000 + '{"password": "FAKESECRET"}' + "]" * 2_000 + "}",
        '{"password": NaN, "token": "FAKESECRET"}',
        '{"n": 12345678901234567890123, "x": 1e400, "env": {"A": "FAKESECRET"}}',
    ]
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        for number, document in enumerate(documents):
            row = [f"x{number}", "s1", 1, "created", document]
            connection.execute(
                "INSERT INTO tasks (task_id, session_id, created_at, status, data) VALUES (?,?,?,?,?)", row
            )
        connection.execute("UPDATE worktrees SET app_url = 'https://ada:FAKESECRET@host/'")
        connection.execute("UPDATE users SET password = 'FAKESECRET', data = CAST('{\"token\": \"FAKESECRET' AS BLOB)")
        connection.commit()
    export_database(place, tmp_path / "a.jsonl")
    assert hidden(tmp_path / "a.jsonl")
    rows = {row.get("task_id"): row for row in map(json.loads, (tmp_path / "a.jsonl").read_bytes().splitlines())}
    assert rows["x7"]["data:text"] == '{"n":12345678901234567890123,"x":1e400,"env":"‹hidden›"}'
    assert rows["x2"]["data:text"] == '{"api_key":"‹hidden›","n":1.50,"half":"\\ud83d"}'
    assert not re.search(rb"[^\\]\\ud83d", (tmp_path / "a.jsonl").read_bytes())  # which jq and others refuse


def test_the_chosen_sessions_go_with_all_that_belongs_to_them_and_nothing_else(
    native_place: Place, native_templates: Templates, tmp_path: Path
) -> None:
    source, target = tmp_path / "agor.db", empty_file(native_templates, tmp_path / "chosen.db")
    rows = build_sqlite(source, "2025", leave_out="unsound")
    load_native(native_place, rows_of_sqlite(source))
    words = SessionFilter(words=("child",), archived="any")
    report = export_database(native_place, tmp_path / "child.jsonl", filter=words, filter_text="child")
    assert report.left_empty == {"sessions.parent_session_id": 1}  # the child's; the grandchild's is there
    there = {each.table: each.rows for each in report.tables}
    chosen = [rows.sessions["child"], rows.sessions["grandchild"]]
    assert there["sessions"] == 2
    assert there["messages"] == sum(len(rows.of("messages", each)) for each in chosen)
    assert (there["worktrees"], there["repos"], there["users"], there["boards"]) == (1, 1, 1, 1)
    assert (there["board_objects"], there["board_comments"], there["mcp_servers"]) == (0, 0, 0)
    done = import_file(tmp_path / "child.jsonl", target)
    assert done.lossless
    assert not done.secrets
    assert count(target, "tasks") == there["tasks"]


def test_a_session_brings_its_comments_and_servers_along(
    native_place: Place, native_templates: Templates, tmp_path: Path
) -> None:
    fill(native_place)
    execute(
        native_place,
        "INSERT INTO board_comments (comment_id, created_at, board_id, created_by, session_id, message_id, content,"
        " content_preview, data) SELECT 'c1', created_at, 'b1', 'u1', 's1', 'm1', 'x', 'x', '{}' FROM sessions",
    )
    report = export_database(native_place, tmp_path / "a.jsonl", filter=SessionFilter(words=("one",)))
    assert {each.table: each.rows for each in report.tables} == dict.fromkeys(FORMATS, 1) | {"board_objects": 0}
    assert import_file(tmp_path / "a.jsonl", empty_file(native_templates, tmp_path / "b.db"), batches=True).lossless
    nothing = export_database(native_place, tmp_path / "n.jsonl", filter=SessionFilter(words=("no such title",)))
    assert {each.rows for each in nothing.tables} == {0}
    assert import_file(tmp_path / "n.jsonl", empty_file(native_templates, tmp_path / "c.db")).lossless
