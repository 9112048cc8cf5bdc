"""Takes the secrets out of rows before they are exported."""

from __future__ import annotations

from typing import Any

import orjson

from agor_tui.db.row_format import Row, TableFormat
from agor_tui.db.types import keep_json, keep_text, restore_json, restore_text
from agor_tui.redact import (
    HIDDEN,
    decoded_once,
    hidden_words,
    may_hold_secrets,
    redact_broken,
    redact_command,
    redacted,
)

_WHOLE = {"users": ("password",)}
_ADDRESSES_AND_COMMANDS = {
    "worktrees": ("start_command", "stop_command", "health_check_url", "app_url", "logs_command"),
}


class SecretRemover:
    """Hides in the rows of one table what ``redact`` knows for a secret; ``count`` says how many that were so far."""

    def __init__(self, form: TableFormat) -> None:
        self.count = 0
        names = form.names
        self._whole = tuple(names.index(name) for name in _WHOLE.get(form.name, ()))
        self._texts = tuple(names.index(name) for name in _ADDRESSES_AND_COMMANDS.get(form.name, ()))
        self._prose = tuple(place for place in form.at("text") if place not in (*self._whole, *self._texts))
        self._json = form.at("json")

    def without_secrets(self, row: Row) -> tuple[Row, bool]:
        """The row with ``HIDDEN`` in the place of its secrets; and whether all its JSON was found to be sound."""
        changed: dict[int, Any] = {}
        sound = True
        for place in self._whole:
            if row[place]:
                changed[place] = HIDDEN
                self.count += 1
        for place in self._texts:
            value = row[place]
            if isinstance(value, str) and value:
                text = restore_text(value)
                hidden = redact_command(text, HIDDEN)
                if hidden != text:
                    changed[place] = keep_text(hidden)
                    self.count += 1
        for place in self._prose:
            value = row[place]
            if isinstance(value, str):
                text, number = hidden_words(value)
                if number:
                    changed[place] = text
                    self.count += number
        for place in self._json:
            value = row[place]
            if isinstance(value, bytes):
                text = value.decode("utf-8", "backslashreplace")
                changed[place] = redact_broken(text)
                self.count += changed[place] != text
                sound = False
            elif isinstance(value, str):
                without, number, good = _json_without_secrets(value)
                sound = sound and good
                if without is not None:
                    changed[place] = without
                    self.count += number
        if not changed:
            return row, sound
        values = list(row)
        for place, value in changed.items():
            values[place] = value
        return tuple(values), sound


def _json_without_secrets(text: str) -> tuple[str | None, int, bool]:
    """JSON without its secrets, None where it has none; how many were hidden; and whether it is JSON for sure.

    All else in it stays: numbers keep their spelling.
    """
    good = True
    try:
        orjson.loads(text)
        if not may_hold_secrets(text):
            return None, 0, good
    except ValueError:
        good = False
    try:
        kept = keep_json(text)  # what orjson would not write again is marked meanwhile
        value, repeated = decoded_once(kept, parse_float=_literal, parse_int=_integer, parse_constant=_refuse)
        hidden, count = redacted(value)
        count = max(count, int(repeated))  # what stood under a key that is there again
        return (restore_json(orjson.dumps(hidden).decode()) if count else None), count, good
    except (ValueError, TypeError, RecursionError):
        broken = redact_broken(text)
        return (None if broken == text else broken), int(broken != text), False


def _literal(number: str) -> orjson.Fragment:
    return orjson.Fragment(number)


def _integer(number: str) -> int | orjson.Fragment:
    return int(number) if len(number) < 19 else orjson.Fragment(number)


def _refuse(word: str) -> Any:
    raise ValueError(word)  # NaN and Infinity, which Python reads and JSON does not know
