"""Rows of OpenCode's own tables that belong to nothing, and those that are knowingly not read: all are named.

Its program has no other dialect.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from agor_tui.services.comparing import compare_places
from agor_tui.services.dump.exporting import export_database
from agor_tui.services.transfer import copy, losses
from agor_tui.transfers import NOT_COPIED, CopyOptions, Finding, LeftAside
from tests.builders import opencode
from tests.builders.opencode_entries import ENTRIES, HOME, INPUTS, SESSIONS_V2, Entries, build_both, reply, run_script
from tests.conftest import place_of

UPGRADED = "what an upgrade left behind: newer tables hold these sessions"
UNSAID = "changes of model and agent, and notes for the model alone"

PARTS = """INSERT INTO part SELECT 'prt_' || value, 'msg_gone', 'ses_gone', 1, 1, '{"type":"text","text":"words"}'
FROM json_each('[1,2]')"""
NO_MESSAGE = Finding("messages", "msg_gone", None, "2 parts of a message that is not there", NOT_COPIED)
TODO = "INSERT INTO todo VALUES ('ses_gone', 'sweep', 'pending', 'low', 0, 1, 1)"
NO_SESSION = Finding("sessions", "ses_gone", None, "1 todo of a session that is not there", NOT_COPIED)
PROMPT = "INSERT INTO session_input VALUES ('msg_taken', 'ses_gone', '{\"text\":\"words\"}', 'steer', 1, 2, 1)"
NO_ENTRY = Finding("messages", "msg_taken", None, "a prompt whose message is not there", NOT_COPIED)


@pytest.mark.parametrize(
    ("script", "finding"),
    [(PARTS, NO_MESSAGE), (TODO, NO_SESSION), (PROMPT, NO_ENTRY)],
    ids=["parts", "todo", "prompt"],
)
def test_what_belongs_to_nothing_is_named_everywhere(script: str, finding: Finding, tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    build_both(path)
    run_script(path, script)
    source, target = place_of(path), place_of(tmp_path / "copied.db")
    planned, copied = copy(source, target, CopyOptions(dry_run=True)), copy(source, target, CopyOptions())
    exported = export_database(source, io.BytesIO(), format="jsonl")
    compared = compare_places(source, target)
    for findings in (planned.findings, copied.findings, exported.findings, compared.findings_a):
        assert finding in findings
    assert (planned.lossless, copied.lossless, losses(copied)) == (False, False, "1 piece not copied")


def test_a_table_without_the_columns_that_are_read_is_a_table_that_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    opencode.build(path)
    run_script(path, "DROP TABLE todo; CREATE TABLE todo (session_id, words); INSERT INTO todo VALUES ('s', 'sweep')")
    copied = copy(place_of(path), place_of(tmp_path / "copied.db"), CopyOptions())
    assert Finding("todo", "", None, "1 row of a table that agor-tui has not", NOT_COPIED) in copied.findings


def test_an_entry_without_a_type_is_named(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    built = opencode.build(path)
    run_script(path, ENTRIES.replace("type TEXT NOT NULL", "type TEXT"))
    session = next(id for id in built.values() if id.startswith("ses_"))
    run_script(path, f"INSERT INTO session_message VALUES ('msg_odd', '{session}', NULL, 1, 1, 1, '{{}}')")
    copied = copy(place_of(path), place_of(tmp_path / "copied.db"), CopyOptions())
    assert [each.id for each in copied.findings if each.column == "type"] == ["msg_odd"]


def test_what_is_knowingly_not_read_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    builder = opencode.Builder(path)
    project = builder.project("prj", HOME)
    old = builder.session("harbour", project, HOME, 0)
    asked = builder.user(old, 0, [opencode.text("sweep")])
    builder.assistant(old, asked, 1, [opencode.text("swept")])
    builder.finish()
    entries = Entries(path, ENTRIES + INPUTS + SESSIONS_V2)
    entries.session_v2(old, "harbour")
    entries.add(old, 1, "user", {"text": "sweep"})
    entries.add(old, 2, "model-switched", {})
    entries.add(old, 3, "assistant", reply("swept"))
    entries.finish()
    copied = copy(place_of(path), place_of(tmp_path / "copied.db"), CopyOptions())
    expected = [
        LeftAside("session", 1, UPGRADED),
        LeftAside("message", 2, UPGRADED),
        LeftAside("session_message", 1, UNSAID),
    ]
    assert [each for each in copied.left_aside if each in expected] == expected
    assert copied.lossless


def test_of_rows_with_one_id_the_first_is_taken_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    opencode.build(path)
    run_script(
        path,
        "PRAGMA foreign_keys = OFF; CREATE TABLE free AS SELECT * FROM session;"
        "DROP TABLE session; ALTER TABLE free RENAME TO session; INSERT INTO session SELECT * FROM session LIMIT 2",
    )
    source, target = place_of(path), place_of(tmp_path / "copied.db")
    planned, copied = copy(source, target, CopyOptions(dry_run=True)), copy(source, target, CopyOptions())
    exported = export_database(source, io.BytesIO(), format="jsonl")
    compared = compare_places(source, target)
    for findings in (planned.findings, copied.findings, exported.findings, compared.findings_a):
        assert [each.what for each in findings if each.table == "sessions"] == ["several rows have this id"] * 2
    assert losses(planned) == losses(copied) == "2 pieces not copied"
    assert [table.rows for table in planned.tables] == [table.rows for table in copied.tables]
