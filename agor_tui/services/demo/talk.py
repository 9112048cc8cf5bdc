"""How an agent's work becomes messages: each tool has its own names and its own way to keep calls and results."""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from typing import Any, Literal

import orjson

from agor_tui.services.demo.topics import Edit

Row = dict[str, Any]
Block = dict[str, Any]
Style = Literal["apart", "joined", "calls only"]

#: Where a call's result stands: in a later user message, in the same message, or nowhere.
STYLES: dict[str, Style] = {
    "claude-code": "apart",
    "cursor": "apart",
    "codex": "joined",
    "opencode": "joined",
    "copilot": "joined",
    "gemini": "calls only",
}

_NAMES = {
    "gemini": {
        "Read": "read_file",
        "Edit": "replace",
        "Bash": "run_shell_command",
        "Grep": "search_file_content",
        "TodoWrite": "write_todos",
        "WebFetch": "web_fetch",
    },
    "opencode": {"Read": "read", "Edit": "edit", "Bash": "bash", "Grep": "grep", "TodoWrite": "todowrite"},
}
_PREVIEW = 200


def make_id(rng: random.Random, time: datetime) -> str:
    """A UUIDv7 of this time whose other bits come from ``rng``."""
    ms = int(time.timestamp() * 1000)
    value = ms << 80 | 7 << 76 | rng.getrandbits(12) << 64 | 2 << 62 | rng.getrandbits(62)
    return str(uuid.UUID(int=value))


def dump(value: Any) -> str:
    """JSON text."""
    return orjson.dumps(value).decode()


class Talk:
    """The messages of one session as they come; ``clock`` is the time of the last one.

    Text and thinking wait in ``_lead`` for the next call, as agents send them together.
    """

    def __init__(self, rng: random.Random, session_id: str, tool: str, model: str, start: datetime) -> None:
        self.rng = rng
        self.session_id = session_id
        self.tool = tool
        self.model = model
        self.clock = start
        self.rows: list[Row] = []
        self.task_id: str | None = None
        self.calls = 0
        self.parent: str | None = None
        self._lead: list[Block] = []

    def wait(self, low: float, high: float) -> None:
        """Let ``low`` to ``high`` seconds go by."""
        self.clock += timedelta(milliseconds=round(self.rng.uniform(low, high) * 1000))

    def prompt(self, text: str) -> None:
        """The user's words; OpenCode keeps them with the task alone."""
        if self.tool != "opencode":
            self._add("user", "user", text, preview=text)

    def think(self, text: str) -> None:
        """Thoughts before the next call or answer; most tools do not show them."""
        if self.tool in ("claude-code", "gemini", "cursor"):
            self._lead.append({"type": "thinking", "thinking": text, "signature": f"{self.rng.getrandbits(96):024x}"})

    def say(self, text: str) -> None:
        """Words before the next call."""
        self._lead.append({"type": "text", "text": text})

    def answer(self, text: str) -> None:
        """Words that end a turn."""
        self.wait(3, 25)
        self.say(text)
        self._assistant([])

    def call(
        self,
        name: str,
        arguments: dict[str, Any],
        output: str | None,
        *,
        error: bool = False,
        diff: Block | None = None,
    ) -> str:
        """A tool call with its result; without ``output`` it still runs. Returns the call's id."""
        self.calls += 1
        call_id = ("toolu_01" if self.tool == "claude-code" else "call_") + f"{self.rng.getrandbits(80):020x}"
        name = _NAMES.get(self.tool, {}).get(name, name)
        use = {"type": "tool_use", "id": call_id, "name": name, "input": arguments}
        result: Block = {"type": "tool_result", "tool_use_id": call_id, "content": output}
        if error:
            result["is_error"] = True
        if diff:
            result["diff"] = diff
        style = STYLES[self.tool]
        self.wait(1, 8)
        if output is None or style == "calls only":
            self._assistant([use])
        elif style == "joined":
            self._assistant([use, result])
        else:
            self._assistant([use])
            self.wait(0.2, 6)
            self._add("user", "user", [result])
        return call_id

    def begin_agent(self, description: str, prompt: str, kind: str) -> str:
        """Start a sub-agent: what follows is its own traffic, until ``end_agent``. Returns the id of the call."""
        self.calls += 1
        call_id = f"toolu_01{self.rng.getrandbits(80):020x}"
        arguments = {"description": description, "prompt": prompt, "subagent_type": kind}
        self.wait(1, 5)
        self._assistant([{"type": "tool_use", "id": call_id, "name": "Task", "input": arguments}])
        self.parent = call_id
        return call_id

    def end_agent(self, call_id: str, report: str) -> None:
        """The sub-agent's report, as the result of its call."""
        self.parent = None
        self.wait(2, 9)
        text = [{"type": "text", "text": report}]
        self._add("user", "user", [{"type": "tool_result", "tool_use_id": call_id, "content": text}])

    def edit(self, edit: Edit, root: str) -> None:
        """A change of a file, with its diff."""
        arguments = {"file_path": f"{root}/{edit.path}", "old_string": edit.before, "new_string": edit.after}
        if self.tool == "codex":
            self.call("apply_patch", {"input": _patch(edit)}, f"Success. Updated the following files:\nM {edit.path}\n")
        else:
            line = self.rng.randint(12, 240)
            diff = {"structuredPatch": [_hunk(edit, line)]}
            self.call("Edit", arguments, f"The file {edit.path} has been updated.", diff=diff)

    def todos(self, plan: tuple[str, ...], done: int) -> None:
        """The todo list with the first ``done`` entries finished and the next one begun."""
        states = ["completed"] * done + ["in_progress"] + ["pending"] * len(plan)
        if self.tool == "codex":
            steps = [{"step": text, "status": state} for text, state in zip(plan, states, strict=False)]
            self.call("update_plan", {"plan": steps}, "Plan updated")
            return
        entries = [
            {"content": text, "status": state, "activeForm": text} for text, state in zip(plan, states, strict=False)
        ]
        self.call("TodoWrite", {"todos": entries}, "Todos have been modified successfully.")

    def request(self, name: str, arguments: dict[str, Any], status: str, user_id: str) -> None:
        """A permission that is asked for."""
        self.wait(1, 4)
        content: Row = {
            "request_id": make_id(self.rng, self.clock),
            "tool_name": name,
            "tool_input": arguments,
            "status": status,
        }
        if status != "pending":
            content |= {"scope": "once", "approved_by": user_id, "approved_at": self.clock.isoformat()}
        self._add("permission_request", "system", content, preview=f"Permission required: {name}")

    def ask(self, question: str, options: tuple[tuple[str, str], ...]) -> None:
        """A question that waits for the user."""
        self.wait(1, 4)
        choices = [{"label": label, "description": description} for label, description in options]
        content = {
            "request_id": make_id(self.rng, self.clock),
            "status": "pending",
            "questions": [{"question": question, "header": "Choice", "options": choices, "multiSelect": False}],
        }
        self._add("input_request", "system", content, preview=question)

    def compact(self, tokens: int) -> None:
        """The conversation gets compacted."""
        self._add(
            "system",
            "system",
            [{"type": "system_status", "status": "compacting", "text": "Compacting conversation context..."}],
            preview="Compacting conversation context...",
        )
        self.wait(20, 60)
        done = {"type": "system_complete", "systemType": "compaction", "text": "Context compacted successfully"}
        self._add("system", "system", [{**done, "trigger": "auto", "pre_tokens": tokens}])

    def queue(self, prompts: tuple[str, ...]) -> None:
        """Prompts that wait for the present task to end."""
        for position, text in enumerate(prompts, 1):
            self.wait(5, 40)
            self._add("user", "user", text, preview=text, index=-1, queued=position)

    def _assistant(self, blocks: list[Block]) -> None:
        content, self._lead = [*self._lead, *blocks], []
        preview = next((block["text"] for block in content if block["type"] == "text"), "")
        self._add("assistant", "assistant", content, preview=preview)

    def _add(
        self,
        kind: str,
        role: str,
        content: Any,
        *,
        preview: str = "",
        index: int | None = None,
        queued: int | None = None,
    ) -> None:
        data: Row = {"content": content}
        if role == "assistant":
            uses = [{key: block[key] for key in ("id", "name", "input")} for block in content if "input" in block]
            data["tool_uses"] = uses
            tokens = {"input": self.rng.randint(900, 48_000), "output": self.rng.randint(40, 2_400)}
            data["metadata"] = {"model": self.model, "tokens": tokens}
        self.rows.append(
            {
                "message_id": make_id(self.rng, self.clock),
                "created_at": self.clock,
                "session_id": self.session_id,
                "task_id": None if queued else self.task_id,
                "type": kind,
                "role": role,
                "index": len(self.rows) if index is None else index,
                "timestamp": self.clock,
                "content_preview": preview[:_PREVIEW],
                "data": dump(data),
                "parent_tool_use_id": self.parent,
                "status": "queued" if queued else None,
                "queue_position": queued,
            }
        )


def _patch(edit: Edit) -> str:
    """The change in the notation of Codex's ``apply_patch``."""
    lines = "".join(f"{line}\n" for line in _diff_lines(edit))
    return f"*** Begin Patch\n*** Update File: {edit.path}\n@@\n{lines}*** End Patch\n"


def _hunk(edit: Edit, line: int) -> Row:
    lines = _diff_lines(edit)
    old, new = sum(text[0] != "+" for text in lines), sum(text[0] != "-" for text in lines)
    return {"oldStart": line, "oldLines": old, "newStart": line, "newLines": new, "lines": lines}


def _diff_lines(edit: Edit) -> list[str]:
    before, after = edit.before.splitlines(), edit.after.splitlines()
    lines = []
    for tag, low, high, new_low, new_high in SequenceMatcher(None, before, after).get_opcodes():
        if tag == "equal":
            lines += [f" {text}" for text in before[low:high]]
            continue
        lines += [f"-{text}" for text in before[low:high]]
        lines += [f"+{text}" for text in after[new_low:new_high]]
    return lines
