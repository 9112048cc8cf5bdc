"""Places in a list as text for ``--after``: all that is needed to go on there, whether the row is still there or not.

A place is ``@`` and base64url of the JSON array [order, key, id]; ``order`` names the order that the key belongs to.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any

from agor_tui.errors import UsageError
from agor_tui.records import Cursor

_MARK = "@"
_LONGEST = 4_000
"""Characters of a place; a longer key would not fit a command line, and the row's id has to do."""


def place_text(cursor: Cursor, order: str) -> str:
    """Return the text for a place in a list that is ordered by ``order``."""
    stored = json.dumps([order, _stored(cursor.key), _stored(cursor.id)], separators=(",", ":"))
    text = _MARK + urlsafe_b64encode(stored.encode()).decode().rstrip("=")
    return text if len(text) <= _LONGEST else str(cursor.id)


def place_of(text: str, order: str) -> Cursor | None:
    """Return the place that a text means; None where it is none but the id of a row.

    Raises:
        UsageError: it is damaged, or belongs to another order.
    """
    if not text.startswith(_MARK):
        return None
    try:
        encoded = text[1:]
        found = json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        of, key, row_id = found
        cursor = Cursor(_value(key), _value(row_id))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UsageError("--after is no place in a list.", "Give it as the list before printed it, or an id.") from None
    if of != order:
        raise UsageError(
            f"--after is a place in a list ordered by {str(of)[:40]!r}, and this one is by {order!r}.",
            "Give the same --sort again, or leave out --after.",
        )
    return cursor


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    return value if value is None or isinstance(value, (int, float, str)) else str(value)


def _value(stored: Any) -> Any:
    if isinstance(stored, dict):
        return datetime.fromisoformat(stored["time"]) if "time" in stored else bytes.fromhex(str(stored["bytes"]))
    if isinstance(stored, list):
        raise TypeError
    return stored
