"""What the agents call their tools, and what they call the parts of a tool's input.

The names are those of Claude Code, Codex, Gemini CLI, OpenCode and Copilot; case and underscores do not count.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

ToolKind = Literal["read", "write", "edit", "shell", "search", "find", "todo", "agent", "web", "other"]

_NAMES: dict[ToolKind, str] = {
    "read": "read readfile readmanyfiles view viewfile viewimage notebookread openfile getfile cat readresource",
    "write": "write writefile createfile create filewrite savefile writetofile",
    "edit": (
        "edit editfile editfiles multiedit replace strreplace strreplaceeditor strreplacebasededittool applypatch patch"
        " replacestringinfile multireplacestringinfile inserteditintofile notebookedit editnotebookfile applydiff"
        " replaceinfile filechange"
    ),
    "shell": (
        "bash shell sh zsh powershell execcommand exec runshellcommand localshell localshellcall runinterminal"
        " runterminalcmd runcommand executecommand terminal command shellcommand containerexec bashoutput writestdin"
    ),
    "search": "grep search searchfilecontent grepsearch codebasesearch semanticsearch ripgrep rg searchfiles",
    "find": "glob ls list listdirectory listdir listfiles filesearch findfiles find folder",
    "todo": "todowrite todoread updateplan plan writetodos managetodolist todo todos updatetodos",
    "agent": "task agent subagent spawnagent delegate dispatchagent runsubagent delegatetoagent delegatetask",
    "web": "webfetch websearch fetch fetchurl googlewebsearch fetchwebpage browse openurl webbrowser urlfetch",
}
_KINDS: dict[str, ToolKind] = {name: kind for kind, names in _NAMES.items() for name in names.split()}
_EDITOR_COMMANDS: dict[str, ToolKind] = {"view": "read", "create": "write"}

PATH_KEYS = (
    "file_path",
    "filePath",
    "absolute_path",
    "notebook_path",
    "path",
    "target_file",
    "filename",
    "file",
    "dir_path",
    "directory",
    "uri",
)
OLD_KEYS = ("old_string", "oldString", "old_str", "oldText", "old_text")
NEW_KEYS = ("new_string", "newString", "new_str", "newText", "new_text")
CONTENT_KEYS = ("content", "contents", "file_text", "text", "new_source")
COMMAND_KEYS = ("command", "cmd", "script", "code", "chars", "input")
TODO_KEYS = ("todos", "plan", "todoList", "items", "tasks")

_LONGEST_JSON = 1_000_000


def kind_of(name: str, input_: Any = None) -> ToolKind:
    """The kind of work that a tool does, by its name; an editor with a ``command`` by that."""
    plain = name.rsplit("__", 1)[-1].rsplit(".", 1)[-1]
    kind = _KINDS.get("".join(plain.lower().split("_")).replace("-", ""), "other")
    if name.startswith("mcp__") and kind not in ("read", "write", "edit"):
        return "other"
    if kind == "edit" and isinstance(input_, Mapping):
        return _EDITOR_COMMANDS.get(str(input_.get("command")), kind)
    return kind


def arguments(input_: Any) -> dict[str, Any]:
    """A tool's input as named values, whatever it was stored as; a text that is no JSON object is its ``input``."""
    if isinstance(input_, Mapping):
        return {str(key): value for key, value in input_.items()}
    if isinstance(input_, str):
        text = input_.strip()
        if text.startswith("{") and len(text) <= _LONGEST_JSON:
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                value = None
            if isinstance(value, dict):
                return value
        return {"input": input_} if text else {}
    if isinstance(input_, Sequence) and not isinstance(input_, bytes):
        return {"items": list(input_)}
    return {} if input_ is None else {"input": str(input_)}


def first_text(values: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    """The first of ``keys`` that holds a text, which may be empty; None without one."""
    for key in keys:
        value = values.get(key)
        if isinstance(value, str):
            return value
    return None


def command_text(values: Mapping[str, Any]) -> str:
    """The command of a shell tool, out of ``bash -lc`` and of a list of words."""
    for key in COMMAND_KEYS:
        value = values.get(key)
        if isinstance(value, str):
            return _unwrapped(value.strip())
        if isinstance(value, Sequence) and value:
            words = [str(word) for word in value]
            if len(words) >= 3 and words[1] in ("-lc", "-c", "-Command", "/c"):
                return words[2].strip()
            return " ".join(words)
    action = values.get("action")
    return command_text(action) if isinstance(action, Mapping) else ""


def _unwrapped(command: str) -> str:
    for shell in (
        "bash -lc ",
        "bash -c ",
        "sh -c ",
        "zsh -lc ",
        "/bin/bash -lc ",
        "/bin/sh -c ",
        "/bin/zsh -lc ",
    ):
        if command.startswith(shell):
            inner = command[len(shell) :].strip()
            if len(inner) >= 2 and inner[0] == inner[-1] and inner[0] in "'\"":
                inner = inner[1:-1]
            return inner.replace("'\\''", "'")
    return command


def todo_items(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The items of a todo list or a plan: (text, pending | in_progress | completed | cancelled)."""
    for key in TODO_KEYS:
        items = values.get(key)
        if isinstance(items, str):
            items = arguments(items).get("items") or arguments(items).get(key)
        if isinstance(items, Sequence) and not isinstance(items, str | bytes):
            return tuple(_todo_item(item) for item in items)
    return ()


def _todo_item(item: Any) -> tuple[str, str]:
    if not isinstance(item, Mapping):
        return str(item), "pending"
    text = first_text(item, ("content", "step", "title", "description", "text", "subject", "activeForm")) or "…"
    status = str(item.get("status") or "pending").lower().replace("-", "_")
    done = item.get("done") is True or item.get("completed") is True
    if done or status in ("completed", "complete", "done"):
        return text, "completed"
    if status in ("in_progress", "running", "active", "doing"):
        return text, "in_progress"
    return text, "cancelled" if status in ("cancelled", "canceled", "deleted") else "pending"
