"""Conversations made up in memory, for the tests of the conversation widget and the session screen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from agor_tui.records import (
    AttachmentBlock,
    Block,
    Message,
    NoticeBlock,
    RequestBlock,
    Task,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    Turn,
    UnknownBlock,
)

START = datetime(2026, 3, 2, 14, 2, tzinfo=UTC)


class Talk:
    """A conversation in memory that can be read as a TurnSource; ``gate`` holds windows back until it is set."""

    def __init__(self, turns: Sequence[Turn], tasks: Sequence[Task] = ()) -> None:
        self.turns = tuple(turns)
        self.all_tasks = tuple(tasks)
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.asked: list[tuple[int, int]] = []

    def count(self) -> int:
        if self.error:
            raise self.error
        return len(self.turns)

    def window(self, start: int, limit: int) -> tuple[Turn, ...]:
        self.asked.append((start, limit))
        self.gate.wait(10)
        if self.error:
            raise self.error
        return self.turns[start : start + limit]

    def prompts(self) -> tuple[int, ...]:
        return tuple(
            turn.ordinal
            for turn in self.turns
            if turn.prompt or (turn.message.role == "user" and turn.message.blocks and not turn.message.parent_tool_id)
        )

    def tasks(self) -> tuple[Task, ...]:
        return self.all_tasks


class Long(Talk):
    """A conversation of any length whose turns are made when they are asked for."""

    def __init__(self, count: int, make: Callable[[int], Turn] | None = None) -> None:
        super().__init__(())
        self.length = count
        self.make = make or ordinary

    def count(self) -> int:
        return self.length

    def window(self, start: int, limit: int) -> tuple[Turn, ...]:
        self.asked.append((start, limit))
        self.gate.wait(10)
        return tuple(self.make(at) for at in range(start, min(start + limit, self.length)))

    def prompts(self) -> tuple[int, ...]:
        return tuple(range(0, self.length, 10))


def turn(
    ordinal: int, role: str, *blocks: Block, seconds: int | None = None, task: Task | None = None, **more: Any
) -> Turn:
    """A turn ``seconds`` after the beginning, by default 20 for each ordinal."""
    time = START + timedelta(seconds=ordinal * 20 if seconds is None else seconds)
    prompt = more.pop("prompt", None)
    message = Message(f"m{ordinal}", "s1", task.id if task else None, ordinal, role, role, time, blocks, **more)
    return Turn(ordinal, message, task, prompt)


def task(id: str, title: str, status: str = "completed", **more: Any) -> Task:
    """A task that ran for twelve minutes with eighteen tools."""
    values: dict[str, Any] = {
        "created_at": START,
        "started_at": START,
        "completed_at": START + timedelta(minutes=12),
        "duration_ms": 720_000,
        "model": "opus",
        "tool_use_count": 18,
    }
    return Task(id, id[:8], "s1", title, status, status, **(values | more))


def ordinary(ordinal: int) -> Turn:
    """Every tenth turn is a prompt, the others are text or tools."""
    if ordinal % 10 == 0:
        return turn(ordinal, "user", TextBlock(f"Prompt {ordinal}: make the retry loop keep the last error."))
    if ordinal % 3 == 0:
        text = f"Answer {ordinal}. I kept the last exception in `last` and raise it **after** the loop.\n\n- one\n- two"
        return turn(ordinal, "assistant", TextBlock(text))
    call = ToolCall(f"c{ordinal}", "Read", {"file_path": f"lantern/file_{ordinal}.py"}, "completed", "a\nb\nc\n")
    return turn(ordinal, "assistant", call)


_ANSWER = """I kept the last exception in `last` and raise it after the loop.

## What changed

1. The loop **remembers** the error, see [retry.py](lantern/retry.py) and https://example.org/retry
2. After the last attempt it is raised again
   - with its traceback
   - and *without* a new one

| case | before | after |
| --- | ---: | --- |
| all fail | None | raises |
| 日本語 | 0 | ✓ |

```python
def retry(fn, attempts=3):
    last = None
    for _ in range(attempts):  # at least once
        try:
            return fn()
        except Exception as error:
            last = error
    raise last
```

> Retrying is not a cure.
"""


def rich_talk() -> Talk:
    """One of everything that can stand in a conversation."""
    first, second = task("t1", "Make it re-raise"), task("t2", "Add tests", "failed", duration_ms=63_000)
    old, new = "    return None\n", "    raise last\n    # never None\n"
    todos = [
        {"content": "Read the loop", "status": "completed"},
        {"content": "Keep the error", "status": "in_progress"},
        {"content": "Write tests", "status": "pending"},
    ]
    long_output = "\n".join(f"tests/test_retry.py::test_{n} PASSED" for n in range(60))
    turns = [
        turn(0, "user",
             TextBlock("retry() in lantern/retry.py returns None when every attempt fails.\nMake it re-raise."),
             task=first),
        turn(1, "assistant", ThinkingBlock("The loop swallows it.\n\nKeep the last one.", 4_000)),
        turn(2, "assistant", ToolCall("c1", "Read", {"file_path": "/home/mira/src/lanternctl/lantern/retry.py"},
                                      "completed", "x\n" * 88)),
        turn(3, "assistant", ToolCall("c2", "Edit", {"file_path": "lantern/retry.py", "old_string": old,
                                                     "new_string": new}, "completed", "ok")),
        turn(4, "assistant", TextBlock(_ANSWER)),
        turn(5, "assistant", ToolCall("c3", "Bash", {"command": "pytest -q tests/test_retry.py"}, "completed",
                                      long_output, duration_ms=2_100),
             ToolCall("c4", "TodoWrite", {"todos": todos}, "completed", "done")),
        turn(6, "assistant", ToolCall("c5", "Task", {"description": "Survey exception handling", "prompt": "Find all.",
                                                     "subagent_type": "Explore"}, "completed", "One place.")),
        turn(7, "user", TextBlock("Find all."), parent_tool_id="c5"),
        turn(8, "assistant", ToolCall("c6", "Grep", {"pattern": "except", "path": "lantern"}, "completed", "a\nb\n"),
             parent_tool_id="c5"),
        turn(9, "assistant", TextBlock("One place: **retry.py**."), parent_tool_id="c5"),
        turn(10, "system", NoticeBlock("compaction", "context compacted · 155k tokens before")),
        turn(11, "system", RequestBlock("permission", "Bash rm -rf build", "denied", "command: rm -rf build")),
        turn(12, "system",
             RequestBlock("input", "Which database?", "pending", "SQLite: one file\nPostgreSQL: a server")),
        turn(13, "user", TextBlock("Add tests for zero attempts. 日本語のテストも"),
             AttachmentBlock("image", "screen.png", "image/png", 24_576), task=second, seconds=600),
        turn(14, "assistant", ToolCall("c7", "Bash", {"command": "bash -lc 'make test'"}, "error",
                                       "make: *** [test] Error 2"),
             UnknownBlock("quota", '{"left": 3, "type": "quota"}'), seconds=640),
        turn(15, "user", TextBlock("No, take that back."), reverted=True, seconds=700),
        turn(16, "assistant", TextBlock("Taken back."), reverted=True, seconds=710),
        turn(17, "user", TextBlock("Then write the changelog."), queued=True, seconds=720),
    ]  # fmt: skip
    return Talk(turns, (first, second))
