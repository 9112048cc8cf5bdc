"""Every key of the app can be found, explained and changed: footer, help and palette read the same bindings."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import agor_tui.tui

TAKEN = {"ctrl+b", "ctrl+w", "ctrl+t", "ctrl+n", "ctrl+tab", "ctrl+shift+t", "ctrl+s", "ctrl+z", "f11"}
"""Keys that tmux, a browser's tab or the terminal's flow control keeps for itself."""


def our_classes() -> list[type[DOMNode]]:
    """All screens, dialogs and widgets of the app."""
    for module in pkgutil.walk_packages(agor_tui.tui.__path__, "agor_tui.tui."):
        importlib.import_module(module.name)

    def below(kind: type[Any]) -> Iterator[type[Any]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    ours = {each for each in below(DOMNode) if each.__module__.startswith("agor_tui.")}
    return sorted(ours, key=lambda each: f"{each.__module__}.{each.__qualname__}")


def bindings() -> list[tuple[str, Binding]]:
    """The bindings that each class itself adds, by the class's name."""
    found = []
    for each in our_classes():
        for binding in each.__dict__.get("BINDINGS", ()):
            assert isinstance(binding, Binding), f"{each.__name__}: {binding} is no Binding"
            found.append((each.__name__, binding))
    return found


def test_every_binding_can_be_remapped_by_an_id_that_means_one_thing() -> None:
    actions: dict[str, str] = {}
    for owner, binding in bindings():
        assert binding.id, f"{owner}: {binding.key} has no id"
        known = actions.setdefault(binding.id, binding.action)
        assert known == binding.action, f"{owner}: {binding.id} stands for two things"


def test_every_named_binding_explains_itself() -> None:
    silent = [f"{owner}: {binding.key}" for owner, binding in bindings() if binding.description and not binding.tooltip]
    assert silent == []


def test_no_key_is_one_that_the_terminal_keeps() -> None:
    taken = [f"{owner}: {key}" for owner, binding in bindings() for key in binding.key.split(",") if key in TAKEN]
    assert taken == []


@pytest.mark.parametrize("name", [each.__qualname__ for each in our_classes()])
def test_a_screen_has_no_two_meanings_for_a_key(name: str) -> None:
    cls = next(each for each in our_classes() if each.__qualname__ == name)
    keys: dict[str, str] = {}
    for binding in cls.__dict__.get("BINDINGS", ()):
        for key in binding.key.split(","):
            assert keys.setdefault(key, binding.action) == binding.action, f"{key} has two meanings"
