"""Calls meet their results, in one list of messages and across the edges of a window."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.records import (
    AttachmentBlock,
    Block,
    Message,
    NoticeBlock,
    RequestBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    UnknownBlock,
)
from agor_tui.services.conversation import Fetch, pair, paired_window, readable_text


def message(*blocks: Block, role: str = "assistant", task: str | None = None, parent: str | None = None) -> Message:
    """A message with these blocks."""
    return Message("m", "s", task, 0, role, role, None, blocks, parent)


def call(name: str) -> ToolCall:
    """A call as the store keeps it, its result elsewhere."""
    return ToolCall(name, "Bash", {"command": name})


def done(name: str, output: str = "ok") -> ToolCall:
    """The same call with its result."""
    return ToolCall(name, "Bash", {"command": name}, "completed", output)


def result(name: str, output: str = "ok") -> ToolResult:
    """The result of a call."""
    return ToolResult(name, output)


def prompt(text: str = "go on", task: str | None = None) -> Message:
    """What the user wrote."""
    return message(TextBlock(text), role="user", task=task)


def fetch_from(messages: Sequence[Message]) -> tuple[Fetch, list[tuple[int, int]]]:
    """A fetch over ``messages`` and the record of what it was asked for."""
    asked: list[tuple[int, int]] = []

    def fetch(start: int, limit: int) -> Sequence[Message]:
        asked.append((start, limit))
        return messages[start : start + limit]

    return fetch, asked


def test_a_result_in_a_later_message_goes_to_its_call() -> None:
    said = TextBlock("Looking.")
    found = pair([message(said, call("a")), message(result("a", "out"), role="user")])
    assert found == [message(said, done("a", "out")), message(role="user")]


def test_an_error_and_a_diff_go_along() -> None:
    answer = ToolResult("a", "no", is_error=True, diff="@@ -1 +1 @@")
    (found,) = pair([message(call("a"), answer)])
    assert found.blocks == (ToolCall("a", "Bash", {"command": "a"}, "error", "no", "@@ -1 +1 @@"),)


def test_results_can_be_kept_where_they_stand() -> None:
    found = pair([message(call("a")), message(result("a"), role="user")], keep_results=True)
    assert found == [message(done("a")), message(result("a"), role="user")]


def test_calls_without_results_and_results_without_calls_stay() -> None:
    messages = [message(call("a")), message(result("b"), role="user"), message(TextBlock("done"))]
    assert pair(messages) == messages


def test_a_result_does_not_go_to_a_call_behind_it() -> None:
    messages = [message(result("a"), role="user"), message(call("a"))]
    assert pair(messages) == messages


def test_numbers_that_begin_anew_in_each_task() -> None:
    found = pair([message(call("item_0"), result("item_0", "1")), message(call("item_0"), result("item_0", "2"))])
    assert found == [message(done("item_0", "1")), message(done("item_0", "2"))]


def test_a_sub_agent_pairs_within_itself() -> None:
    found = pair(
        [
            message(call("task")),
            message(call("x"), parent="task"),
            message(result("x", "not mine"), role="user"),
            message(result("x", "mine"), role="user", parent="task"),
            message(result("task", "report"), role="user"),
        ]
    )
    assert found[0].blocks == (done("task", "report"),)
    assert found[1].blocks == (done("x", "mine"),)
    assert found[2].blocks == (result("x", "not mine"),)


def test_calls_that_have_their_status_are_left_alone() -> None:
    finished = ToolCall("a", "edit", {}, "completed", "stored")
    messages = [message(finished, result("a", "other"))]
    assert pair(messages) == messages


def test_empty_ids_are_no_ids() -> None:
    messages = [message(call(""), result(""))]
    assert pair(messages) == messages


def test_a_window_looks_ahead_for_results_and_back_for_calls() -> None:
    nested = [message(TextBlock(str(n)), parent="a") for n in range(120)]
    messages = [
        prompt(),
        message(call("a")),
        *nested,
        message(result("a", "late"), role="user"),
        message(TextBlock("x")),
    ]
    fetch, asked = fetch_from(messages)
    assert paired_window(fetch, 1, 1) == [message(done("a", "late"))]
    assert asked == [(1, 1), (2, 50), (52, 100)]
    asked.clear()
    assert paired_window(fetch, 122, 2) == [message(role="user"), message(TextBlock("x"))]
    assert asked == [(122, 2), (72, 50), (0, 72)]


def test_a_window_that_is_whole_fetches_nothing_else() -> None:
    messages = [prompt(), message(call("a")), message(result("a"), role="user"), message(TextBlock("done"))]
    fetch, asked = fetch_from(messages)
    assert paired_window(fetch, 0, 4) == pair(messages)
    assert asked == [(0, 4)]


def test_nobody_looks_beyond_the_next_prompt() -> None:
    turns = [each for n in range(100) for each in (prompt(str(n)), message(call(f"c{n}")), message(TextBlock("done")))]
    fetch, asked = fetch_from(turns)
    paired_window(fetch, 150, 31)
    assert asked == [(150, 31)]
    asked.clear()
    paired_window(fetch, 150, 2)
    assert asked == [(150, 2), (152, 50)]


def test_a_new_task_ends_the_search_as_a_prompt_does() -> None:
    turns = [each for n in range(100) for each in (message(call(f"c{n}"), task=f"t{n}"), message(task=f"t{n}"))]
    fetch, asked = fetch_from(turns)
    paired_window(fetch, 50, 20)
    assert asked == [(50, 20), (70, 50)]


def test_the_search_is_bounded() -> None:
    messages = [message(call("a")), *(message(TextBlock("x")) for _ in range(100_000))]
    fetch, asked = fetch_from(messages)
    assert paired_window(fetch, 0, 1) == [message(call("a"))]
    assert sum(limit for _, limit in asked) < 4000


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["call", "result", "both", "prompt", "text"]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([None, "p"]),
    ),
    max_size=25,
)


def conversation(steps: list[tuple[str, str, str | None]]) -> list[Message]:
    """A conversation in which a result answers a call of the same turn, as in every store."""
    messages: list[Message] = []
    open_calls: set[tuple[str, str | None]] = set()
    for kind, name, parent in steps:
        if kind == "prompt":
            open_calls.clear()
            messages.append(prompt())
        elif kind == "text":
            messages.append(message(TextBlock("x"), parent=parent))
        elif kind == "both":
            messages.append(message(call(name), result(name), parent=parent))
            open_calls.discard((name, parent))
        elif kind == "call":
            messages.append(message(call(name), parent=parent))
            open_calls.add((name, parent))
        elif (name, parent) in open_calls:
            messages.append(message(result(name, str(len(messages))), role="user", parent=parent))
            open_calls.discard((name, parent))
    return messages


@given(STEPS, st.integers(1, 6))
def test_windows_show_what_the_whole_shows(steps: list[tuple[str, str, str | None]], size: int) -> None:
    messages = conversation(steps)
    fetch, _ = fetch_from(messages)
    shown = [each for start in range(0, len(messages), size) for each in paired_window(fetch, start, size)]
    assert shown == pair(messages)


@pytest.mark.parametrize(
    ("blocks", "text"),
    [
        ((), ""),
        ((TextBlock("one"), TextBlock(""), ThinkingBlock("two"), ThinkingBlock("")), "one\n\ntwo"),
        ((NoticeBlock("compaction", "compacted"), UnknownBlock("new", "{}")), "compacted\n\n{}"),
        ((RequestBlock("permission", "Bash", "denied", "command: ls"),), "Bash\ncommand: ls"),
        ((RequestBlock("input", "Which?", "pending"),), "Which?"),
        ((TextBlock("a"), call("x"), result("x", "hidden"), result("y", "shown")), "a\n\nshown"),
        ((AttachmentBlock("image", "image"),), ""),
    ],
)
def test_readable_text(blocks: tuple[Block, ...], text: str) -> None:
    assert readable_text(message(*blocks)) == text
