"""The stored JSON of Agor's messages as blocks: every shape that the program wrote, and any shape at all."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.records import (
    AttachmentBlock,
    Block,
    NoticeBlock,
    RequestBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    UnknownBlock,
)
from agor_tui.schemas.agor_content import blocks

KEYS = (
    "type text content tool_uses metadata id name input tool_use_id is_error diff structuredPatch files lines "
    "oldStart source data media_type url widget questions options answers tool_name status retry_after_ms "
    "pre_tokens trigger model path thinking message params"
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None))
    | st.sampled_from(["text", "tool_use", "tool_result", "thinking", "image", "system_status", "server_tool_use"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS.split()) | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


def of(content: Any, type: str = "assistant", **others: Any) -> tuple[Block, ...]:
    """The blocks of a message with this content."""
    return blocks(json.dumps({"content": content, **others}), None, type)[0]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "text", "text": "**hi**"}, TextBlock("**hi**")),
        ({"type": "thinking", "text": "hm", "signature": "s"}, ThinkingBlock("hm")),
        ({"type": "thinking", "thinking": "hm", "signature": "s"}, ThinkingBlock("hm")),
        ({"type": "thinking", "signature": "s"}, ThinkingBlock("")),
        ({"type": "redacted_thinking", "data": "c2VhbGVk"}, ThinkingBlock("")),
        (
            {"type": "tool_use", "id": "t1", "name": "Read", "input": {"path": "a"}},
            ToolCall("t1", "Read", {"path": "a"}),
        ),
        (
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
            ToolCall("s1", "web_search", {"query": "q"}),
        ),
        (
            {
                "type": "web_search_tool_result",
                "tool_use_id": "s1",
                "content": [{"type": "web_search_result", "title": "T", "url": "https://e.example"}],
            },
            ToolResult("s1", "T https://e.example"),
        ),
        ({"type": "tool_result", "tool_use_id": "t1", "content": "done"}, ToolResult("t1", "done")),
        (
            {"type": "tool_result", "tool_use_id": "t1", "content": "no", "is_error": True},
            ToolResult("t1", "no", is_error=True),
        ),
        (
            {
                "type": "tool_result",
                "tool_use_id": "t1",
                "content": [
                    {"type": "text", "text": "one"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                    "two",
                ],
            },
            ToolResult("t1", "one\n[image: image/png]\ntwo"),
        ),
        ({"type": "tool_result", "tool_use_id": "t1"}, ToolResult("t1", "")),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}},
            AttachmentBlock("image", "image", "image/png", 5),
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://e.example/a/cat.png?x=1"}},
            AttachmentBlock("image", "cat.png"),
        ),
        (
            {"type": "document", "title": "Plan", "source": {"type": "text", "media_type": "text/plain", "data": "é"}},
            AttachmentBlock("file", "Plan", "text/plain", 2),
        ),
        (
            {"type": "system_status", "status": "compacting", "text": "Compacting conversation context..."},
            NoticeBlock("compacting", "Compacting conversation context..."),
        ),
        ({"type": "system_status", "status": "compacting"}, NoticeBlock("compacting", "Compacting the conversation")),
        (
            {
                "type": "system_complete",
                "systemType": "compaction",
                "text": "Done",
                "trigger": "auto",
                "pre_tokens": 9000,
            },
            NoticeBlock("compaction", "Done (9,000 tokens before, auto)"),
        ),
        (
            {"type": "system_complete", "systemType": "compaction", "metadata": {"trigger": "auto", "pre_tokens": 7}},
            NoticeBlock("compaction", "Conversation compacted (7 tokens before, auto)"),
        ),
        (
            {"type": "api_wait", "message": "Waiting", "retry_after_ms": 30000},
            NoticeBlock("api_wait", "Waiting (again after 30 s)"),
        ),
        ({"type": "rate_limit", "limit": 5}, NoticeBlock("rate_limit", "limit: 5")),
        ({"type": "sdk_event", "message": "Started"}, NoticeBlock("sdk_event", "Started")),
        ({"type": "hologram", "text": "shown"}, UnknownBlock("hologram", "shown")),
        ({"type": "hologram", "x": 1}, UnknownBlock("hologram", '{"type": "hologram", "x": 1}')),
        ({"x": 1}, UnknownBlock("object", '{"x": 1}')),
        (7, UnknownBlock("number", "7")),
        ("loose words", TextBlock("loose words")),
    ],
)
def test_a_block(block: Any, expected: Block) -> None:
    assert of([block]) == (expected,)


def test_plain_text_is_a_text_block_and_no_text_is_none() -> None:
    assert of("hello", "user") == (TextBlock("hello"),)
    assert of("", "user") == of([{"type": "text", "text": ""}]) == of(None) == of([]) == ()


@pytest.mark.parametrize("type", ["system", "daemon_restart", "daemon_crash", "file-history-snapshot"])
def test_text_of_the_program_is_a_notice(type: str) -> None:
    assert of("The daemon restarted.", type) == (NoticeBlock(type, "The daemon restarted."),)


def test_a_notice_may_name_its_kind_in_the_metadata() -> None:
    found = of("Restarted.", "system", metadata={"subtype": "daemon_restart"})
    assert found == (NoticeBlock("daemon_restart", "Restarted."),)


def test_a_structured_patch_becomes_a_unified_diff() -> None:
    patch = [{"oldStart": 10, "oldLines": 3, "newStart": 10, "newLines": 3, "lines": [" a", "-b", "+c", " d"]}]
    (result,) = of([{"type": "tool_result", "tool_use_id": "t", "content": "ok", "diff": {"structuredPatch": patch}}])
    assert isinstance(result, ToolResult)
    assert result.diff == "@@ -10,3 +10,3 @@\n a\n-b\n+c\n d"


def test_a_patch_of_several_files_names_them() -> None:
    hunk = {"oldStart": 0, "oldLines": 0, "newStart": 1, "newLines": 1, "lines": ["+x"]}
    files = [
        {"path": "new.py", "kind": "add", "structuredPatch": [hunk]},
        {"path": "old.py", "kind": "delete", "structuredPatch": []},
    ]
    diff = {"structuredPatch": [], "files": files}
    (result,) = of([{"type": "tool_result", "tool_use_id": "t", "content": "ok", "diff": diff}])
    assert isinstance(result, ToolResult)
    assert result.diff == ("--- /dev/null\n+++ b/new.py\n@@ -0,0 +1,1 @@\n+x\n--- a/old.py\n+++ /dev/null")


def test_a_permission_request() -> None:
    content = {
        "request_id": "r",
        "tool_name": "Bash",
        "tool_input": {"command": "rm -rf build", "timeout": 5},
        "status": "denied",
    }
    assert of(content, "permission_request") == (
        RequestBlock("permission", "Bash", "denied", "command: rm -rf build\ntimeout: 5"),
    )


def test_an_input_request_is_one_block_a_question_with_its_answer() -> None:
    content = {
        "questions": [
            {
                "question": "Which database?",
                "header": "Database",
                "options": [{"label": "SQLite", "description": "one file"}, {"label": "PostgreSQL"}],
            },
            {"question": "Sure?", "options": []},
        ],
        "status": "answered",
        "answers": {"Which database?": "SQLite"},
    }
    assert of(content, "input_request") == (
        RequestBlock("input", "Which database?", "answered", "- SQLite: one file\n- PostgreSQL\nAnswer: SQLite"),
        RequestBlock("input", "Sure?", "answered", ""),
    )


def test_a_widget_request_shows_what_was_asked_and_no_secret() -> None:
    widget = {
        "widget_type": "env_vars",
        "status": "submitted",
        "params": {"names": ["STAGING_DB"], "api_key": "hush-hush"},
        "result_meta": {"names_submitted": ["STAGING_DB"]},
        "resolution_claim": {"token": "hush-hush"},
    }
    (found,) = of("Please provide STAGING_DB", "widget_request", metadata={"widget": widget})
    assert isinstance(found, RequestBlock)
    assert (found.kind, found.title, found.status) == ("widget", "Please provide STAGING_DB", "submitted")
    assert 'names: ["STAGING_DB"]' in found.body.splitlines()
    assert found.body.endswith('names_submitted: ["STAGING_DB"]')
    assert "hush-hush" not in repr(found)


def test_calls_that_stand_only_in_tool_uses_are_not_lost() -> None:
    both = {"id": "t1", "name": "Read", "input": {}}
    apart = {"id": "t2", "name": "Grep", "input": {"pattern": "x"}}
    content = [{"type": "text", "text": "Looking."}, {"type": "tool_use", **both}]
    assert of(content, tool_uses=[both, apart, "nonsense", None]) == (
        TextBlock("Looking."),
        ToolCall("t1", "Read", {}),
        ToolCall("t2", "Grep", {"pattern": "x"}),
    )
    assert of("words", tool_uses=[apart]) == (TextBlock("words"), ToolCall("t2", "Grep", {"pattern": "x"}))


def test_the_model_comes_from_the_metadata() -> None:
    assert blocks('{"content":"x","metadata":{"model":"claude-opus"}}', None, "assistant")[1] == "claude-opus"
    assert blocks('{"content":"x","metadata":[]}', None, "assistant")[1] is None


@pytest.mark.parametrize("data", ['{"content": "cut o', "plain words", "", "[" * 100_000, "{" * 5000, "\x00"])
def test_broken_json_is_shown_as_it_is(data: str) -> None:
    assert blocks(data, None, "assistant") == ((UnknownBlock("broken JSON", data),), None)


def test_deep_nesting_does_not_raise() -> None:
    deep = "[" * 900 + "]" * 900
    found, _ = blocks(f'{{"content": [{{"type": "new", "x": {deep}}}]}}', None, "assistant")
    assert len(found) == 1


def test_other_shapes_than_an_object_with_content() -> None:
    assert blocks(None, None, "user") == blocks("null", None, "user") == blocks("{}", None, "user") == ((), None)
    assert blocks('"words"', None, "user")[0] == (TextBlock("words"),)
    assert blocks('[{"type":"text","text":"words"}]', None, "user")[0] == (TextBlock("words"),)
    assert blocks('{"said":"words"}', None, "user")[0] == (UnknownBlock("message", '{"said":"words"}'),)
    assert of(5) == (UnknownBlock("number", "5"),)
    assert of({"type": "text", "text": "lone block"}) == (TextBlock("lone block"),)


def test_a_lone_surrogate_stays_what_it_was() -> None:
    assert blocks('{"content":"a\\ud800b"}', None, "user")[0] == (TextBlock("a\ud800b"),)


@given(JSON, st.sampled_from(["user", "assistant", "system", "permission_request", "input_request", "widget_request"]))
def test_no_json_raises(value: Any, type: str) -> None:
    for data in (value, {"content": value}, {"content": [value], "tool_uses": value, "metadata": value}):
        found, model = blocks(json.dumps(data), None, type)
        assert all(isinstance(block, Block) for block in found)
        assert model is None or isinstance(model, str)


@given(st.text(st.characters(codec=None)))
def test_no_text_raises(data: str) -> None:
    blocks(data, None, "user")


@pytest.mark.parametrize("store", ["agor", "agor-2026"])
def test_every_message_of_the_fixtures_is_understood(fixtures_dir: Path, store: str) -> None:
    path = fixtures_dir / store / "agor.db"
    with sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogatepass")
        rows = connection.execute("SELECT type, data FROM messages").fetchall()
    connection.close()
    assert rows
    for type, data in rows:
        found, _ = blocks(data, None, type)
        assert not any(isinstance(block, UnknownBlock) for block in found), data
