"""What an editing tool changed, as lines: from the store's own diff, a patch, or the old and the new text."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agor_tui.records import ToolCall
from agor_tui.services.tools.names import (
    CONTENT_KEYS,
    NEW_KEYS,
    OLD_KEYS,
    PATH_KEYS,
    arguments,
    first_text,
    kind_of,
)

DiffKind = Literal["added", "removed", "context", "hunk", "file"]

_MOST_COMPARED = 4_000
"""Lines that are compared; more are shown as all the old and then all the new, for comparing is quadratic."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a change, without its sign."""

    kind: DiffKind
    text: str


def diff_of(call: ToolCall) -> tuple[DiffLine, ...]:
    """The lines that a call changed; empty for a call that is no edit, or whose change was not stored."""
    if call.diff:
        return unified(call.diff)
    values = arguments(call.input)
    kind = kind_of(call.name, values)
    if kind == "write":
        content = first_text(values, CONTENT_KEYS)
        return tuple(DiffLine("added", line) for line in content.splitlines()) if content else ()
    if kind != "edit":
        return ()
    patch = next((v for k in ("patch", "patchText", "input", "diff") if isinstance(v := values.get(k), str)), None)
    if patch and ("*** Begin Patch" in patch or "\n@@" in patch or patch.startswith(("@@", "--- "))):
        return unified(patch)
    edits = values.get("edits") or values.get("replacements")
    if isinstance(edits, Sequence) and not isinstance(edits, str):
        lines: list[DiffLine] = []
        for edit in edits:
            if isinstance(edit, Mapping):
                lines += _replaced(edit)
        return tuple(lines)
    changes = values.get("changes")
    if changes:
        return _changed_files(changes)
    return tuple(_replaced(values))


def counts(lines: Sequence[DiffLine]) -> tuple[int, int]:
    """How many lines were added and removed."""
    return sum(line.kind == "added" for line in lines), sum(line.kind == "removed" for line in lines)


def unified(text: str) -> tuple[DiffLine, ...]:
    """The lines of a unified diff or of an ``apply_patch`` text."""
    lines: list[DiffLine] = []
    in_hunk = False
    for line in text.splitlines():
        if line.startswith("@@"):
            in_hunk = True
            lines.append(DiffLine("hunk", line))
        elif line.startswith(("*** Update File: ", "*** Add File: ", "*** Delete File: ", "*** Move to: ")):
            in_hunk = line.startswith("*** Add")
            lines.append(DiffLine("file", line.removeprefix("*** ")))
        elif line.startswith(("*** Begin Patch", "*** End Patch", "*** End of File", "\\ No newline", "====")):
            continue
        elif not in_hunk and line.startswith(("--- ", "+++ ", "diff ", "index ", "Index: ")):
            if line.startswith("+++ "):
                lines.append(DiffLine("file", line[4:].split("\t")[0].strip()))
        elif line.startswith("+"):
            lines.append(DiffLine("added", line[1:]))
        elif line.startswith("-") and not (in_hunk and line.startswith("--- a/")):
            lines.append(DiffLine("removed", line[1:]))
        elif line.startswith(("diff --git", "Index: ")):
            in_hunk = False
        else:
            lines.append(DiffLine("context", line[1:] if line.startswith(" ") else line))
    return tuple(lines)


def _replaced(values: Mapping[str, Any]) -> list[DiffLine]:
    old, new = first_text(values, OLD_KEYS), first_text(values, NEW_KEYS)
    if old is None and new is None:
        return []
    before, after = (old or "").splitlines(), (new or "").splitlines()
    if len(before) + len(after) > _MOST_COMPARED:
        return [DiffLine("removed", line) for line in before] + [DiffLine("added", line) for line in after]
    lines: list[DiffLine] = []
    for tag, low, high, start, end in difflib.SequenceMatcher(None, before, after, autojunk=True).get_opcodes():
        if tag == "equal":
            lines += [DiffLine("context", line) for line in before[low:high]]
        else:
            lines += [DiffLine("removed", line) for line in before[low:high]]
            lines += [DiffLine("added", line) for line in after[start:end]]
    return lines


def _changed_files(changes: Any) -> tuple[DiffLine, ...]:
    """Codex's ``changes``: a list of {path, kind}, or a mapping path -> {add | update | delete: {...}}."""
    lines: list[DiffLine] = []
    if isinstance(changes, Mapping):
        for path, change in changes.items():
            kind = next(iter(change), "change") if isinstance(change, Mapping) and change else "change"
            lines.append(DiffLine("file", f"{kind} {path}"))
            body = change.get(kind) if isinstance(change, Mapping) else None
            text = first_text(body, ("unified_diff", "content")) if isinstance(body, Mapping) else None
            if text and kind == "update":
                lines += unified(text)
            elif text:
                lines += [DiffLine("removed" if kind == "delete" else "added", line) for line in text.splitlines()]
    elif isinstance(changes, Sequence) and not isinstance(changes, str):
        for change in changes:
            if isinstance(change, Mapping):
                lines.append(
                    DiffLine(
                        "file",
                        f"{change.get('kind') or 'change'} {first_text(change, PATH_KEYS) or ''}".strip(),
                    )
                )
    return tuple(lines)
