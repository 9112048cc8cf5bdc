"""All keys of the app, from the bindings of its classes: what the key map of the settings may change."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import format_key

RESERVED = ("escape", "ctrl+c", "ctrl+q", "tab", "shift+tab")
"""Keys that keep their meaning everywhere: back, leave, and the next field."""

_SHARED = ("app", "table", "lines")
"""The areas whose keys count on many screens."""
_SESSION = ("session", "conversation", "turns", "find", "tasks", "tree", "details")
"""The areas that are on one screen together."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One binding that can be given other keys. ``keys`` are those without the settings, with commas between."""

    id: str
    area: str
    keys: str
    text: str


def all_keys() -> tuple[KeyRow, ...]:
    """Every binding with an id, by area; those of the whole app first. Imports all screens: for a thread.

    Bindings of one id, which stand for keys of one action, are one row.
    """
    import agor_tui.tui

    for module in pkgutil.walk_packages(agor_tui.tui.__path__, "agor_tui.tui."):
        importlib.import_module(module.name)
    found: dict[str, KeyRow] = {}
    for owner in _below(DOMNode):
        own = [each for each in owner.__dict__.get("BINDINGS", ()) if isinstance(each, Binding)]
        texts = {each.action: each.tooltip or each.description for each in reversed(own) if each.description}
        for binding in own:
            if binding.id is None:
                continue
            group = binding.group or next((each.group for each in own if each.group), None)
            area = group.description if group else _area(binding.id).replace("_", " ").title()
            text = binding.tooltip or binding.description or texts.get(binding.action, "")
            found.setdefault(binding.id, KeyRow(binding.id, area, binding.key, text))
    rank = {"app": 0, "table": 1, "lines": 2}
    return tuple(sorted(found.values(), key=lambda row: (rank.get(_area(row.id), 3), _area(row.id), row.id)))


def clash(row_id: str, key: str, rows: Sequence[KeyRow], keys: Mapping[str, str]) -> KeyRow | None:
    """The binding that ``key`` stands for already where ``row_id`` counts; None where it is free."""
    for other in rows:
        if other.id != row_id and _meet(row_id, other.id) and key in keys_of(other, keys):
            return other
    return None


def keys_of(row: KeyRow, keys: Mapping[str, str]) -> list[str]:
    """The keys of a binding, ``keys`` being the settings' key map."""
    return [key.strip() for key in (keys.get(row.id) or row.keys).split(",")]


def shown_keys(keys: Sequence[str]) -> str:
    """Keys as the footer has them: ``^p``, ``?``."""
    shown = []
    for key in keys:
        *modifiers, name = key.split("+")
        text = format_key(name)
        if "ctrl" in modifiers:
            modifiers.remove("ctrl")
            text = f"^{text}"
        shown.append("+".join([*modifiers, text]))
    return " ".join(shown)


def _meet(one: str, other: str) -> bool:
    areas = {_area(one), _area(other)}
    return len(areas) == 1 or bool(areas & set(_SHARED)) or areas <= set(_SESSION)


def _area(row_id: str) -> str:
    return row_id.partition(".")[0]


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        if each.__module__.startswith("agor_tui."):
            yield each
        yield from _below(each)
