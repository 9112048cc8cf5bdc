"""The JSON of OpenCode's messages and parts as blocks: every kind of part, and any JSON at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.records import AttachmentBlock, Block, NoticeBlock, TextBlock, ThinkingBlock, ToolCall, UnknownBlock
from agor_tui.schemas.opencode_content import blocks

KEYS = (
    "type text synthetic time start end tool callID state status input output error metadata diff files attachments "
    "mime url filename auto description prompt attempt name data message modelID"
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None))
    | st.sampled_from(["text", "reasoning", "tool", "file", "retry", "subtask", "compaction", "error", "completed"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=6),
    max_leaves=30,
)


def of(*parts: Any, **message: Any) -> tuple[Block, ...]:
    """The blocks of a message with these parts."""
    return blocks(json.dumps(message), json.dumps([json.dumps(part) for part in parts]), "assistant")[0]


EDIT = {"filePath": "a.py", "oldString": "x", "newString": "y"}


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "text", "text": "**hi**"}, TextBlock("**hi**")),
        ({"type": "text", "text": "shown to the user only", "ignored": True}, TextBlock("shown to the user only")),
        (
            {"type": "reasoning", "text": "hm", "time": {"start": 1000, "end": 1250}},
            ThinkingBlock("hm", 250),
        ),
        ({"type": "reasoning", "text": "", "time": {"start": 1000}}, ThinkingBlock("")),
        (
            {
                "type": "tool",
                "tool": "edit",
                "callID": "c1",
                "state": {
                    "status": "completed",
                    "input": EDIT,
                    "output": "Edit applied.",
                    "metadata": {"diff": "@@ -1 +1 @@\n-x\n+y\n"},
                    "time": {"start": 5, "end": 17},
                },
            },
            ToolCall("c1", "edit", EDIT, "completed", "Edit applied.", "@@ -1 +1 @@\n-x\n+y\n", 12),
        ),
        (
            {
                "type": "tool",
                "tool": "grep",
                "callID": "c2",
                "state": {"status": "error", "input": {}, "error": "no ripgrep", "time": {"start": 5, "end": 5}},
            },
            ToolCall("c2", "grep", {}, "error", "no ripgrep", None, 0),
        ),
        (
            {
                "type": "tool",
                "tool": "bash",
                "callID": "c3",
                "state": {"status": "running", "input": {"command": "ls"}, "time": {"start": 5}},
            },
            ToolCall("c3", "bash", {"command": "ls"}, "running"),
        ),
        (
            {"type": "tool", "tool": "bash", "callID": "c4", "state": {"status": "pending", "input": {}, "raw": ""}},
            ToolCall("c4", "bash", {}, "running"),
        ),
        ({"type": "tool", "tool": "bash", "callID": "c5"}, ToolCall("c5", "bash", None)),
        (
            {"type": "file", "mime": "text/plain", "filename": "note.txt", "url": "file:///home/robin/note.txt"},
            AttachmentBlock("file", "note.txt", "text/plain"),
        ),
        (
            {"type": "file", "mime": "image/png", "url": "data:image/png;base64,aGVsbG8="},
            AttachmentBlock("image", "file", "image/png", 5),
        ),
        ({"type": "compaction", "auto": True}, NoticeBlock("compaction", "Conversation compacted automatically")),
        ({"type": "compaction", "auto": False}, NoticeBlock("compaction", "Conversation compacted on request")),
        (
            {"type": "subtask", "description": "Look around", "prompt": "Find it.", "agent": "general"},
            NoticeBlock("subtask", "Look around\nFind it."),
        ),
        (
            {"type": "retry", "attempt": 2, "error": {"name": "APIError", "data": {"message": "overloaded"}}},
            NoticeBlock("retry", "Attempt 2: APIError: overloaded"),
        ),
        ({"type": "hologram", "x": 1}, UnknownBlock("hologram", '{"type": "hologram", "x": 1}')),
        ({"type": "text", "text": 5}, UnknownBlock("text", '{"text": 5, "type": "text"}')),
        ([1], UnknownBlock("part", "[1]")),
    ],
)
def test_a_part(part: Any, expected: Block) -> None:
    assert of(part) == (expected,)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "text", "text": "Called the Read tool", "synthetic": True},
        {"type": "text", "text": ""},
        {"type": "step-start", "snapshot": "abc"},
        {"type": "step-finish", "reason": "stop"},
        {"type": "snapshot", "snapshot": "abc"},
        {"type": "patch", "hash": "abc", "files": ["a.py"]},
        {"type": "agent", "name": "general"},
    ],
)
def test_what_the_program_keeps_for_itself_is_left_out(part: Any) -> None:
    assert of(part) == ()


def test_attachments_of_a_tool_follow_its_call() -> None:
    picture = {"type": "file", "mime": "image/png", "filename": "shot.png", "url": "data:image/png;base64,AAAA"}
    state = {"status": "completed", "input": {}, "output": "read", "attachments": [picture, None]}
    assert of({"type": "tool", "tool": "read", "callID": "c", "state": state}) == (
        ToolCall("c", "read", {}, "completed", "read"),
        AttachmentBlock("image", "shot.png", "image/png", 3),
    )


def test_diffs_of_several_files_are_joined() -> None:
    state = {"status": "completed", "output": "", "metadata": {"files": [{"diff": "--- a\n"}, {}, {"diff": "--- b"}]}}
    (call,) = of({"type": "tool", "tool": "patch", "callID": "c", "state": state})
    assert isinstance(call, ToolCall)
    assert call.diff == "--- a\n--- b"


def test_the_error_of_an_answer_stands_behind_its_parts_without_what_the_server_sent() -> None:
    error = {
        "name": "APIError",
        "data": {"message": "bad key", "responseHeaders": {"x": "hush-hush"}, "responseBody": "hush-hush"},
    }
    found = of({"type": "text", "text": "Trying."}, error=error)
    assert found == (TextBlock("Trying."), NoticeBlock("error", "APIError: bad key"))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ({"name": "MessageAbortedError", "data": {"message": "Aborted"}}, "MessageAbortedError: Aborted"),
        ({"name": "MessageOutputLengthError", "data": {}}, "MessageOutputLengthError"),
        ({"name": "UnknownError", "message": "oh"}, "UnknownError: oh"),
        ({}, "unknown error"),
    ],
)
def test_errors_of_every_shape(error: Any, text: str) -> None:
    assert of(error=error) == (NoticeBlock("error", text),)


def test_the_model_is_the_one_that_answered() -> None:
    assert blocks('{"role":"assistant","modelID":"big-model"}', "[]", "assistant") == ((), "big-model")
    assert blocks('{"role":"user","model":{"modelID":"big-model"}}', None, "user") == ((), None)


def test_one_broken_part_leaves_the_others() -> None:
    good = json.dumps({"type": "text", "text": "good"})
    parts = json.dumps(['{"type": "te', good, None])
    assert blocks("{broken", parts, "assistant")[0] == (
        UnknownBlock("broken JSON", '{"type": "te'),
        TextBlock("good"),
        UnknownBlock("part", "null"),
        UnknownBlock("broken JSON", "{broken"),
    )
    assert blocks(None, "[cut", "assistant")[0] == (UnknownBlock("broken JSON", "[cut"),)
    assert blocks(None, None, "assistant") == ((), None)


def test_a_lone_surrogate_stays_what_it_was() -> None:
    assert of({"type": "text", "text": "a\ud800b"}) == (TextBlock("a\ud800b"),)


@given(JSON)
def test_no_json_raises(value: Any) -> None:
    for data, parts in ((value, [value]), ({"error": value, "modelID": value}, value), (value, [{"type": value}])):
        found, model = blocks(json.dumps(data), json.dumps(parts), "assistant")
        assert all(isinstance(block, Block) for block in found)
        assert model is None or isinstance(model, str)


@given(JSON, JSON)
def test_no_tool_call_raises(state: Any, value: Any) -> None:
    of({"type": "tool", "tool": value, "callID": value, "state": state})
    of({"type": "tool", "state": {"status": "completed", "metadata": value, "time": value, "attachments": value}})


@given(st.text(st.characters(codec=None)))
def test_no_text_raises(text: str) -> None:
    blocks(text, text, "assistant")
