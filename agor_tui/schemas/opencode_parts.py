"""What both stores of OpenCode's conversations write alike: the state of a call, a file, a diff, how long it took."""

from __future__ import annotations

from typing import Any

from agor_tui.db.types import load_json
from agor_tui.records import AttachmentBlock, UnknownBlock
from agor_tui.schemas.json_shapes import base64_size, dump, is_dict, last_part, string

CALL_STATUSES = {"pending": "running", "running": "running", "completed": "completed", "error": "error"}


def loaded(text: Any) -> dict[str, Any] | UnknownBlock:
    """Return the JSON object that ``text`` is; what is none as a block that shows it."""
    try:
        found = load_json(text) if isinstance(text, str) else text
    except ValueError:
        return UnknownBlock("broken JSON", text)
    return found if is_dict(found) else UnknownBlock("part", dump(found))


def attachment(file: dict[str, Any]) -> AttachmentBlock:
    """Return a file, which names where it is or has what is in it as its URL."""
    media_type = string(file.get("mime"))
    url = url_of(file)
    head, comma, data = url.partition(",")
    size = None
    if comma and head.startswith("data:") and head.endswith(";base64"):
        size = base64_size(data)
    return AttachmentBlock(
        kind="image" if media_type.startswith("image/") else "file",
        name=string(file.get("filename")) or string(file.get("name")) or last_part(url) or "file",
        media_type=media_type or None,
        size=size,
    )


def url_of(file: dict[str, Any]) -> str:
    """Return the URL of a file."""
    return string(file.get("url")) or string(file.get("uri"))


def diff_of(metadata: Any) -> str | None:
    """Return the diff that a tool made, of all its files."""
    if not is_dict(metadata):
        return None
    if diff := string(metadata.get("diff")):
        return diff
    files = metadata.get("files")
    diffs = [string(file.get("diff")) for file in files if is_dict(file)] if isinstance(files, list) else []
    return "\n".join(diff.rstrip("\n") for diff in diffs if diff) or None


def duration_of(start: Any, end: Any) -> int | None:
    """Return the milliseconds from ``start`` to ``end``; None where one is no number."""
    return max(0, end - start) if isinstance(start, int) and isinstance(end, int) else None
