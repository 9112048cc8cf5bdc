"""One line that says what a tool call did: its name, what it worked on, and how it came out. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agor_tui.records import ToolCall
from agor_tui.services.tools.diff import counts, diff_of
from agor_tui.services.tools.names import (
    PATH_KEYS,
    ToolKind,
    arguments,
    command_text,
    first_text,
    kind_of,
    todo_items,
)

_LONGEST_SUBJECT = 300
_SCANNED_OUTPUT = 200_000
_TEST_COMMAND = re.compile(
    r"\b(pytest|tox|nox|unittest|vitest|jest|mocha|rspec|phpunit|ctest|ruff|mypy|pyright|eslint|tsc|clippy"
    r"|(cargo|go|npm|pnpm|yarn|bun|make|mix|dotnet|gradlew?|mvn|swift|deno|just)( run)? (test|check|lint|vet|verify))\b"
)
_EXIT_CODE = re.compile(r'(?:exit(?:ed)?(?: with)?[ _]code|"exit_code"|exit status)["\s:=]*(-?\d+)', re.IGNORECASE)
_TOTAL_LINES = re.compile(r"total (\d[\d,]*) lines")
_FOUND = re.compile(r"^found (\d+) (?:total )?(file|match|line|result|occurrence)", re.IGNORECASE)
_NOTHING = re.compile(r"^(no (files|matches|results)|0 (files|matches|results))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ToolSummary:
    """What a call did: the tool's own ``name``, the ``subject`` (path, command, query) and ``facts`` about the outcome.

    Texts are as they were stored, one line each, not yet made safe for a terminal.
    """

    kind: ToolKind
    name: str
    subject: str
    facts: tuple[str, ...]
    failed: bool

    @property
    def line(self) -> str:
        """All of it in one line."""
        return " · ".join((f"{self.name} {self.subject}".strip(), *self.facts))


def summarise(call: ToolCall, roots: Sequence[str] = ()) -> ToolSummary:
    """Say what ``call`` did; paths are shortened behind the folders named in ``roots`` (a repository, a worktree)."""
    values = arguments(call.input)
    kind = kind_of(call.name, values)
    subject, facts = _PARTS[kind](call, values, roots) if kind in _PARTS else _other(call, values, roots)
    failed = call.status == "error"
    if failed and not any(fact.startswith(("failed", "exit ")) for fact in facts):
        facts = (*facts, "failed")
    if call.status == "running":
        facts = (*facts, "running")
    return ToolSummary(kind, _shown_name(call.name), _one_line(subject), facts, failed or "failed" in facts)


def short_path(path: str, roots: Sequence[str] = ()) -> str:
    """``path`` behind the innermost of the folder names in ``roots``, or from the home folder."""
    for root in roots:
        if root and f"/{root}/" in path:
            path = path.split(f"/{root}/", 1)[1]
            break
    return re.sub(r"^(/home|/Users)/[^/]+/", "~/", path)


def _shown_name(name: str) -> str:
    if name.startswith("mcp__"):
        server, _, tool = name[5:].partition("__")
        return f"{server}: {tool.removeprefix(server + '_') or tool}" if tool else server
    return _one_line(name) or "tool"


def _one_line(text: str) -> str:
    cut = text[:_LONGEST_SUBJECT]
    line = " ".join(cut.split())
    return f"{line}…" if len(text) > len(cut) else line


def _number(count: int, noun: str, plural: str | None = None) -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def _path(values: Mapping[str, Any], roots: Sequence[str]) -> str:
    path = first_text(values, PATH_KEYS)
    return short_path(path, roots) if path else ""


def _output_lines(call: ToolCall) -> int:
    return len(call.output.splitlines()) if call.output else 0


def _read(call: ToolCall, values: Mapping[str, Any], roots: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    subject = _path(values, roots) or _joined(values.get("paths") or values.get("files"), roots)
    if call.output is None or call.status == "error":
        return subject, ()
    total = _TOTAL_LINES.search(call.output[-200:])
    lines = int(total[1].replace(",", "")) if total else _output_lines(call)
    return subject, (_number(lines, "line"),)


def _write(call: ToolCall, values: Mapping[str, Any], roots: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    added, removed = counts(diff_of(call))
    facts = (f"+{added:,}" if not removed else f"+{added:,} −{removed:,}",) if added or removed else ()
    return _path(values, roots), facts


def _edit(call: ToolCall, values: Mapping[str, Any], roots: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    lines = diff_of(call)
    added, removed = counts(lines)
    subject = _path(values, roots)
    if not subject:
        names = [line.text.split(" ", 1)[-1].removeprefix("File: ") for line in lines if line.kind == "file"]
        subject = _joined(names, roots)
        changes = values.get("changes")
        if isinstance(changes, Sequence) and not isinstance(changes, str) and len(changes) == 1:
            change = changes[0]
            if isinstance(change, Mapping) and change.get("kind") in ("delete", "add"):
                return subject, ("deleted" if change["kind"] == "delete" else "added",)
    return subject, (f"+{added:,} −{removed:,}",) if added or removed else ()


def _shell(call: ToolCall, values: Mapping[str, Any], roots: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    command = command_text(values) or first_text(values, ("bash_id", "description", "session_id")) or ""
    facts: list[str] = []
    code = _exit_code(call.output) if call.output else None
    if call.status == "error" or (code not in (None, 0)):
        facts.append("failed" if code in (None, 0) else f"failed · exit {code}")
    elif call.output is not None and _TEST_COMMAND.search(command[:_LONGEST_SUBJECT]):
        facts.append("passed")
    first_line, _, more = command.strip().partition("\n")
    if more:
        first_line = f"{first_line} …"
    return first_line, tuple(facts)


def _exit_code(output: str) -> int | None:
    """The exit code where a tool wrote one at the beginning or the end of its output."""
    text = output if len(output) < 1_200 else f"{output[:600]}\n{output[-600:]}"
    found = _EXIT_CODE.search(text)
    return int(found[1]) if found else None


def _search(call: ToolCall, values: Mapping[str, Any], roots: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    pattern = first_text(values, ("pattern", "query", "regex", "search", "q", "searchTerm")) or ""
    where = _path(values, roots) or first_text(values, ("glob", "include", "includePattern")) or ""
    subject = f"{pattern} in {where}" if pattern and where and where != "." else pattern or where
    return subject, _found(call, "match", "matches")


def _find(call: ToolCall, values: Mapping[str, Any], roots: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    pattern = first_text(values, ("pattern", "glob_pattern", "query", "globPattern")) or ""
    where = _path(values, roots)
    subject = f"{pattern} in {where}" if pattern and where and where != "." else pattern or where
    return subject, _found(call, "entry", "entries")


def _found(call: ToolCall, noun: str, plural: str) -> tuple[str, ...]:
    if call.output is None or call.status == "error":
        return ()
    head = call.output[:_SCANNED_OUTPUT].strip()
    if not head or _NOTHING.match(head):
        return (f"no {plural}",)
    if said := _FOUND.match(head):
        kind = said[2].lower()
        return (_number(int(said[1]), kind, "matches" if kind == "match" else None),)
    return (_number(sum(1 for line in call.output.splitlines() if line.strip()), noun, plural),)


def _todo(call: ToolCall, values: Mapping[str, Any], roots: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    items = todo_items(values)
    if not items:
        return first_text(values, ("explanation", "content", "subject")) or "", ()
    done = sum(status == "completed" for _, status in items)
    return f"{_number(len(items), 'item')}, {done} done", ()


def _agent(call: ToolCall, values: Mapping[str, Any], roots: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    subject = first_text(values, ("description", "title", "name", "prompt", "task", "instructions")) or ""
    kind = first_text(values, ("subagent_type", "agent", "agent_type", "agentName", "subagentType"))
    return subject, (kind,) if kind and kind != subject else ()


def _web(call: ToolCall, values: Mapping[str, Any], roots: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    urls = values.get("urls")
    subject = first_text(values, ("url", "query", "q", "search_query", "prompt")) or _joined(urls, ())
    return subject, ()


def _other(call: ToolCall, values: Mapping[str, Any], roots: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """A tool that we do not know: its first value, in a word."""
    for value in values.values():
        if isinstance(value, str) and value.strip():
            return short_path(value, roots) if value.startswith("/") else value, ()
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value), ()
    for value in values.values():
        if isinstance(value, Mapping | list):
            try:
                return json.dumps(value, ensure_ascii=False, default=str)[:_LONGEST_SUBJECT], ()
            except RecursionError:
                return "…", ()
    return "", ()


def _joined(paths: Any, roots: Sequence[str]) -> str:
    """The first path of a list, and how many more."""
    if isinstance(paths, str):
        return short_path(paths, roots)
    if not isinstance(paths, Sequence) or not paths:
        return ""
    first = paths[0]
    name = first_text(first, PATH_KEYS) or "" if isinstance(first, Mapping) else str(first)
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{short_path(name, roots)}{more}"


_PARTS = {
    "read": _read,
    "write": _write,
    "edit": _edit,
    "shell": _shell,
    "search": _search,
    "find": _find,
    "todo": _todo,
    "agent": _agent,
    "web": _web,
}
