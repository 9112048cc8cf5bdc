"""``session export``: to standard output, to a file, to a folder, and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .conftest import Run

pytestmark = pytest.mark.usefixtures("keep_open")


@pytest.fixture
def ids(run: Run, agor_db: Path) -> list[str]:
    """The ids of three sessions, the one with the most messages first."""
    rows = run("session", "list", "-d", agor_db, "--json", "archived:any", "--limit", "0").json
    return [row["id"] for row in sorted(rows, key=lambda row: -row["message_count"])][:3]


def test_what_goes_to_standard_output_goes_to_a_file(run: Run, agor_db: Path, ids: list[str], tmp_path: Path) -> None:
    for ending, begins in (("md", "# "), ("html", "<!doctype html>"), ("json", '{"session":'), ("txt", "")):
        printed = run("session", "export", ids[0][:23], "-d", agor_db, "--format", ending)
        assert (printed.code, printed.err) == (0, "")
        assert printed.out.startswith(begins)
        path = tmp_path / f"out.{ending}"
        answer = run("session", "export", ids[0], "-d", agor_db, "-o", path)
        assert (answer.code, answer.out) == (0, "")
        assert re.search(rf" to {re.escape(str(path))}(; ‹hidden› stands for \d+ secrets?)?\.\n$", answer.err)
        assert path.read_text() == printed.out
    again = ("session", "export", ids[1], "-d", agor_db, "-o", path)
    assert f"{path} exists already" in run(*again).err
    assert path.read_text() == printed.out
    assert run(*again, "--force").code == 0
    assert path.read_text() != printed.out


def test_several_sessions(run: Run, agor_db: Path, ids: list[str], tmp_path: Path) -> None:
    found = json.loads(run("session", "export", *ids, ids[0], "-d", agor_db, "--format", "json").out)
    assert [each["session"]["id"] for each in found] == ids
    answer = run("session", "export", *ids, "-d", agor_db, "--format", "txt", "-o", tmp_path / "folder")
    assert answer.err == f"Wrote 3 files to {tmp_path}/folder.\n"
    assert len(list((tmp_path / "folder").glob("*.txt"))) == 3
    assert run("session", "export", ids[0], "-d", agor_db, "-o", tmp_path).code == 0
    assert len(list(tmp_path.glob("*.md"))) == 1
    assert run("session", "export", ids[0], "-d", agor_db, "-o", f"{tmp_path}/new/").code == 0
    assert len(list((tmp_path / "new").glob("*.md"))) == 1


def test_the_json_is_that_of_the_other_commands(run: Run, agor_db: Path, ids: list[str]) -> None:
    found = run("session", "export", ids[0], "-d", agor_db, "--format", "json").json
    assert found["session"] == run("session", "show", ids[0], "-d", agor_db, "--json").json
    listed = run("message", "list", ids[0], "-d", agor_db, "--json", "--limit", "0").json
    assert found["messages"] == listed
    for task in found["tasks"]:
        assert task == run("task", "show", task["id"], "-d", agor_db, "--json").json


def test_what_is_refused(run: Run, agor_db: Path, ids: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for arguments, code, words in (
        ((ids[0], "-o", tmp_path / "no" / "x.md"), 1, f"{tmp_path}/no does not exist."),
        ((*ids, "-o", tmp_path / "file"), 1, f"{tmp_path}/file is a file."),
        ((*ids, "-o", tmp_path / "three.md"), 2, "“three.md” would be a folder, and is named like a file."),
        ((ids[0], "-o", tmp_path / "x.pdf"), 2, "“x.pdf” ends in none of .md, .html, .json, .txt."),
        ((ids[0], "--format", "pdf"), 2, "'pdf' is not one of"),
        (("ffffffff",), 4, "No session has an id beginning with ffffffff"),
        ((), 2, "Missing argument 'ID...'"),
    ):
        answer = run("session", "export", *arguments, "-d", agor_db)
        assert (answer.code, answer.out) == (code, "")
        assert words in answer.err
