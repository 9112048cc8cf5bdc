"""One line for each tool call, whatever program made it and whatever its input is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.records import ToolCall
from agor_tui.services.tools.block_text import block_text
from agor_tui.services.tools.diff import DiffLine, diff_of, unified
from agor_tui.services.tools.names import kind_of, todo_items
from agor_tui.services.tools.summary import short_path, summarise

PATCH = "*** Begin Patch\n*** Update File: app/main.py\n@@ def f():\n-a\n+b\n+c\n*** End Patch"
TODOS = [{"content": "a", "status": "completed"}, {"content": "b", "status": "in_progress"}]


def line(name: str, input_: Any, output: str | None = None, status: str | None = "completed", **more: Any) -> str:
    return summarise(ToolCall("c", name, input_, status, output, **more), ("main", "harbor-api")).line


@pytest.mark.parametrize(
    ("name", "input_", "output", "expected"),
    [
        ("Read", {"file_path": "/home/m/.agor/worktrees/harbor-api/main/a/b.py"}, "x\n" * 88, "Read a/b.py · 88 lines"),
        ("read", {"filePath": "/srv/a.py"}, "<x>\n(End of file - total 8 lines)\n</x>", "read /srv/a.py · 8 lines"),
        ("read_file", {"absolute_path": "/home/mira/x.sh"}, None, "read_file ~/x.sh"),
        ("Edit", {"file_path": "x.py", "old_string": "a\nb", "new_string": "a\nc\nd"}, "ok", "Edit x.py · +2 −1"),
        ("edit", {"filePath": "x.py", "oldString": "a", "newString": "b"}, "ok", "edit x.py · +1 −1"),
        ("str_replace_editor", {"command": "view", "path": "x.py"}, "1\n2", "str_replace_editor x.py · 2 lines"),
        ("MultiEdit", {"path": "x", "edits": [{"old_string": "a", "new_string": "b"}] * 3}, "", "MultiEdit x · +3 −3"),
        ("apply_patch", PATCH, "ok", "apply_patch app/main.py · +2 −1"),
        ("edit_files", {"changes": [{"path": "a.tsx", "kind": "delete"}]}, None, "edit_files a.tsx · deleted"),
        ("Write", {"file_path": "x.css", "content": "a\nb\n"}, "ok", "Write x.css · +2"),
        ("Bash", {"command": "pytest -q"}, "3 passed", "Bash pytest -q · passed"),
        ("Bash", {"command": "ls -la\npwd"}, "x", "Bash ls -la …"),
        ("shell", {"command": ["bash", "-lc", "ls"]}, '{"metadata":{"exit_code":2}}', "shell ls · failed · exit 2"),
        ("exec_command", '{"cmd": "cat x"}', "Process exited with code 0", "exec_command cat x"),
        ("run_in_terminal", {"command": "npm test", "explanation": "x"}, "ok", "run_in_terminal npm test · passed"),
        ("Grep", {"pattern": "foo", "path": "src"}, "No matches found", "Grep foo in src · no matches"),
        ("Grep", {"pattern": "foo", "path": "."}, "Found 1 file\na", "Grep foo · 1 file"),
        ("search_file_content", {"pattern": "x"}, "a\nb", "search_file_content x · 2 matches"),
        ("Glob", {"pattern": "**/*.py"}, "a\nb\nc\n", "Glob **/*.py · 3 entries"),
        ("TodoWrite", {"todos": TODOS}, "ok", "TodoWrite 2 items, 1 done"),
        ("update_plan", {"plan": [{"step": "a", "status": "completed"}]}, "ok", "update_plan 1 item, 1 done"),
        ("manage_todo_list", {"todoList": [{"title": "a", "status": "x"}]}, "", "manage_todo_list 1 item, 0 done"),
        ("Task", {"description": "Look", "prompt": "p", "subagent_type": "Explore"}, "x", "Task Look · Explore"),
        ("WebFetch", {"url": "https://e.org", "prompt": "p"}, "x", "WebFetch https://e.org"),
        ("google_web_search", {"query": "pg"}, "x", "google_web_search pg"),
        ("mcp__tracker__tracker_search", {"query": "spill"}, "x", "tracker: search spill"),
        ("Unheard", {"deep": {"a": [1]}}, "x", 'Unheard {"a": [1]}'),
    ],
)  # fmt: skip
def test_says_what_was_done(name: str, input_: Any, output: str | None, expected: str) -> None:
    assert line(name, input_, output) == expected


def test_failures_and_running_calls_say_so() -> None:
    assert line("Bash", {"command": "make"}, "boom", "error") == "Bash make · failed"
    assert line("Read", {"file_path": "x"}, "no such file", "error") == "Read x · failed"
    assert line("Bash", {"command": "make"}, None, "running") == "Bash make · running"
    assert line("Bash", {"command": "make test"}, None, None) == "Bash make test"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = ("command", "todos", "plan", "changes", "edits", "old_string", "content", "file_path", "paths", "patch", "url")
NAMES = (
    "Read",
    "Write",
    "Edit",
    "MultiEdit",
    "apply_patch",
    "Bash",
    "Grep",
    "Glob",
    "TodoWrite",
    "Task",
    "WebFetch",
    "x",
    "",
)


@given(
    st.sampled_from(NAMES),
    JSON | st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4),
    st.none() | st.text(max_size=40),
    st.sampled_from([None, "running", "completed", "error", "odd"]),
)
def test_any_input_makes_a_line(name: str, input_: Any, output: str | None, status: str | None) -> None:
    call = ToolCall("c", name, input_, status, output)
    assert "\n" not in summarise(call).line
    assert isinstance(block_text(call), str)


def test_names_are_known_in_every_spelling() -> None:
    assert {kind_of(name) for name in ("Bash", "bash", "run_shell_command", "exec_command", "local_shell")} == {"shell"}
    assert {kind_of(name) for name in ("Edit", "replace", "apply_patch", "str_replace_based_edit_tool")} == {"edit"}
    assert kind_of("mcp__fs__read_file") == "read"
    assert kind_of("mcp__tracker__search") == "other"


def test_diffs_keep_what_looks_like_a_header() -> None:
    text = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n context\n--- dropped\n+++ added\n\\ No newline at end of file\n"
    assert unified(text) == (
        DiffLine("file", "b/x"),
        DiffLine("hunk", "@@ -1,2 +1,2 @@"),
        DiffLine("context", "context"),
        DiffLine("removed", "-- dropped"),
        DiffLine("added", "++ added"),
    )


def test_the_stores_own_diff_wins() -> None:
    call = ToolCall("c", "Edit", {"old_string": "a", "new_string": "b"}, "completed", "", "@@ -1 +1 @@\n-x\n+y\n+z\n")
    assert [each.text for each in diff_of(call)] == ["@@ -1 +1 @@", "x", "y", "z"]


def test_large_changes_are_not_compared() -> None:
    call = ToolCall("c", "Edit", {"old_string": "a\n" * 30_000, "new_string": "b\n" * 30_000}, "completed")
    assert summarise(call).line == "Edit · +30,000 −30,000"


def test_todo_lists_of_all_programs() -> None:
    assert todo_items({"plan": [{"step": "a", "status": "in-progress"}, "b"]}) == (
        ("a", "in_progress"),
        ("b", "pending"),
    )
    assert todo_items({"todos": None}) == ()


def test_paths_are_shown_from_the_worktree_or_home() -> None:
    assert short_path("/home/m/.agor/worktrees/harbor-api/main/x/y.py", ("main", "harbor-api")) == "x/y.py"
    assert short_path("/Users/m/src/x.py") == "~/src/x.py"
    assert short_path("x.py", ("main",)) == "x.py"
