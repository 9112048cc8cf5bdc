"""JSON for programs: always valid, always UTF-8, and what was stored loads back."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.records import Message, Session, TextBlock, ToolCall, TreeNode
from agor_tui.services import export

_ANY_TEXT = st.text(st.characters(categories=None, exclude_categories=()))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)


_NOT_SEEN = re.compile(
    "[\0-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


@given(_JSON)
def test_any_value_loads_back(value: Any) -> None:
    written = export.dumps(value).decode()
    assert not _NOT_SEEN.search(written)
    assert not re.search(r"(?<!\\)(?:\\\\)*\\ud[89ab]..(?!\\ud[c-f])", written)
    assert not re.search("[\ud800-\udfff]", repr(json.loads(written)))
    if not re.search(r"\\ud[89a-f]", json.dumps(value)):
        assert json.loads(written) == value


@pytest.mark.parametrize(
    "text",
    [
        "nul \0", "\x1b[31m", "日本語 👍", "c1 \x9b31m \x85", "\u202egnp.exe\u2069", "\u200bzero\ufeff", "\x7f",
        "tag \U000e0041", "line\u2028end\u2029", "family 👨\u200d👩", "\ufdd0 \uffff",
    ],
)  # fmt: skip
def test_awkward_text_loads_back_and_none_of_it_is_written_raw(text: str) -> None:
    for value in ({"text": text}, {text: 1}, {"text": text, "odd": [float("nan")]}):
        written = export.dumps(value).decode("utf-8")
        assert not _NOT_SEEN.search(written)
        assert json.loads(written) == (value if "odd" not in value else value | {"odd": [None]})


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("half \ud83e", "half \ufffd"),
        ("\udc4d half", "\ufffd half"),
        ("both \ud83e apart \udc4d", "both \ufffd apart \ufffd"),
        ("\ud83e\udd16", "🤖"),
    ],
)
def test_half_a_pair_is_written_so_that_every_reader_takes_it(text: str, written: str) -> None:
    assert json.loads(export.dumps({text: text})) == {written: written}


def test_keys_that_differ_in_half_a_pair_stay_apart() -> None:
    pairs = json.loads(export.dumps({chr(0xD83E): 1, chr(0xD83F): 2, "\ufffd": 3}), object_pairs_hook=list)
    assert len(dict(pairs)) == 3


def test_what_json_has_no_word_for_is_null() -> None:
    assert json.loads(export.dumps([float("nan"), float("inf"), "x"])) == [None, None, "x"]


def test_large_numbers_are_kept() -> None:
    assert json.loads(export.dumps({"n": 10**30})) == {"n": 10**30}


def test_what_is_nested_too_deeply_is_said() -> None:
    value: Any = "core"
    for _ in range(5000):
        value = [value]
    assert "nested deeper than 200 levels" in export.dumps(value).decode()


def test_times_have_milliseconds_and_are_utc() -> None:
    assert export.iso(datetime(2025, 10, 6, 9, 14, 2, 123_999, tzinfo=UTC)) == "2025-10-06T09:14:02.123Z"
    assert export.iso(datetime(2025, 10, 6, tzinfo=UTC)) == "2025-10-06T00:00:00.000Z"
    assert export.iso(None) is None


def test_an_array_is_valid_at_every_length() -> None:
    for length in range(3):
        pieces = b"".join(export.array(range(length), lambda n: {"n": n}))
        assert json.loads(pieces) == [{"n": n} for n in range(length)]


def test_the_keys_of_stored_json_are_sorted() -> None:
    call = ToolCall("t", "Edit", {"b": {"d": 1, "c": 2}, "a": [{"z": 1, "y": 2}]})
    message = Message("m", "s", None, 0, "assistant", "assistant", None, (TextBlock("x"), call))
    assert b'"input":{"a":[{"y":2,"z":1}],"b":{"c":2,"d":1}}' in export.dumps(export.message_json(message))


def session(number: int) -> Session:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    return Session(
        id=f"ses_{number}", short_id=f"ses_{number}", title=f"Session {number}", status="idle", store_status="idle",
        tool="codex", created_at=now, updated_at=now, created_by=None, parent_id=None, forked_from_id=None, repo=None,
        worktree=None, branch=None, board=None, archived=False, model=None, task_count=0, message_count=0,
        tokens_input=None, tokens_output=None, cost=None,
    )  # fmt: skip


def test_a_tree_of_any_depth_is_written() -> None:
    node = TreeNode(session(5000), "forked")
    for number in range(4999, 0, -1):
        node = TreeNode(session(number), "forked", (node,))
    written = b"".join(
        export.tree_json(TreeNode(session(0), "root", (node, TreeNode(session(9999), "spawned", repeated=True))))
    )
    assert written.count(b'"children":[') == 5002
    assert written.count(b"{") == written.count(b"}") == 5002
    assert written.endswith(b"]}\n")
    small = json.loads(b"".join(export.tree_json(TreeNode(session(0), "root", (TreeNode(session(1), "spawned"),)))))
    assert (small["id"], small["relation"], small["children"][0]["id"]) == ("ses_0", "root", "ses_1")
