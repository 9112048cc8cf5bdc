"""JSON that is read to be written again: every number comes back as it was spelt.

A number as JSON has any size and precision; as a float it would lose what goes beyond.
"""

from __future__ import annotations

import json
import re
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


def load_exact(text: str) -> Any:
    """Decode JSON text, the numbers in it as ``Number``.

    Raises:
        ValueError: the text is not JSON, or nested too deeply.
    """
    try:
        return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=_refuse)
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


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
