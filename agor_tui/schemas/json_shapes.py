"""Reading JSON that other programs wrote: values of any shape to text, never raising."""

from __future__ import annotations

import json
from typing import Any, TypeGuard


def is_dict(value: Any) -> TypeGuard[dict[str, Any]]:
    """Tell whether ``value`` is a JSON object."""
    return isinstance(value, dict)


def string(value: Any) -> str:
    """Return ``value`` where it is a string, a number as its text, else an empty string."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def seconds(milliseconds: Any) -> str:
    """Return milliseconds as a number of seconds; an empty string for anything else."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, (int, float)):
        return ""
    return f"{milliseconds / 1000:.10g}" if abs(milliseconds) < 1e15 else ""


def dump(value: Any) -> str:
    """Return ``value`` as JSON text on one line, in plain characters, a lone surrogate as it is, its keys sorted.

    PostgreSQL's jsonb keeps no order of keys, and both dialects shall show the same.
    """
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    except RecursionError:
        return "nested too deeply to be shown"


def labelled(value: Any) -> str:
    """Return an object as lines ``name: value``, names sorted, a string as it is, else JSON; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if is_dict(value):
        return "\n".join(
            f"{key}: {item if isinstance(item, str) else dump(item)}" for key, item in sorted(value.items())
        )
    return dump(value)


def last_part(path: str) -> str:
    """Return what follows the last slash of a path or a URL (its query left out); nothing for ``data:``."""
    if path.startswith("data:"):
        return ""
    return path.split("?", 1)[0].rstrip("/").rpartition("/")[2]


def base64_size(data: str) -> int:
    """Return the number of bytes that base64 ``data`` stands for."""
    return len(data.rstrip("=")) * 3 // 4


def unified_diff(hunks: Any) -> str:
    """Return ``hunks`` of ``{oldStart, oldLines, newStart, newLines, lines}`` as a unified diff."""
    parts = []
    for hunk in hunks if isinstance(hunks, list) else ():
        if not is_dict(hunk):
            continue
        old, new = (f"{_number(hunk, f'{side}Start')},{_number(hunk, f'{side}Lines')}" for side in ("old", "new"))
        parts.append(f"@@ -{old} +{new} @@")
        lines = hunk.get("lines")
        parts += [line for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
    return "\n".join(parts)


def _number(hunk: dict[str, Any], key: str) -> int:
    value = hunk.get(key)
    return value if isinstance(value, int) else 0
