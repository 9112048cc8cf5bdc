"""JSON that is read to be written again: every number comes back as it was spelt, and a key as often as it was there.

A number as JSON has any size and precision; as a float it would lose what goes beyond.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, NoReturn

import orjson


@dataclass(frozen=True, slots=True)
class Number:
    """A number by its spelling."""

    text: str

    def __str__(self) -> str:
        return self.text


class Again(str):
    """A key of an object that has the same key once more, after it: like no other key, and written as its text."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def is_repeated(value: Mapping[str, Any], name: str) -> bool:
    """Tell whether an object of ``load_exact`` had a key more than once."""
    return any(isinstance(key, Again) and str.__eq__(key, name) for key in value)


def load_exact(text: str, *, repeated: bool = False) -> Any:
    """Decode JSON text, the numbers in it as ``Number``.

    Of a key that an object has twice the last counts; with ``repeated`` the others are kept as ``Again``.

    Raises:
        ValueError: the text is not JSON, or nested too deeply.
    """
    pairs = _all_pairs if repeated else None
    try:
        return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=_refuse, object_pairs_hook=pairs)
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None


def dump_exact(value: Any) -> str:
    """Encode a value that may hold ``Number`` as JSON text that both dialects take."""
    mark = token_hex(16)  # what no text holds
    spelt: list[str] = []

    def stand_in(number: Any) -> str:
        if not isinstance(number, Number):
            raise TypeError
        spelt.append(number.text)
        return f"{mark}{len(spelt) - 1}"

    try:
        text = orjson.dumps(value, default=stand_in, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()
    except (TypeError, ValueError):  # a lone surrogate, an integer beyond 64 bits, or too deep for it
        spelt.clear()
        text = json.dumps(value, separators=(",", ":"), default=stand_in)
    return re.sub(rf'"{mark}([0-9]+)"', lambda found: spelt[int(found[1])], text)


def _all_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    last = {name: at for at, (name, _) in enumerate(pairs)}
    return {name if last[name] == at else Again(name): value for at, (name, value) in enumerate(pairs)}


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
