"""Which keys are pressed: those of all bindings, and what people type, in an order that a seed decides."""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections.abc import Iterator

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import _character_to_key

import agor_tui.tui

LEAVING = {"q", "ctrl+q", "ctrl+z"}
"""What ends the app or halts it, so is no part of the test of its life."""
OFTEN = ("enter", "escape", "enter", "escape", "tab", "down", "up", "right", "left", "backspace", "space", "x")
MODES = ("1", "2", "3", "4", "5")
FLOWS = (
    "s enter", "s down enter", "s s", "r enter enter", "r x enter enter", "a u", "c down enter", "b down enter",
    "x escape", "x y", "u u", "E enter enter enter", "enter i", "enter a t i c", "enter e enter x enter",
    "enter escape",
    "enter enter", "enter tab tab tab tab", "enter slash x enter n n escape escape", "t enter escape", "d enter",
    "d x enter", "d escape", "slash x enter", "slash r tab enter", "slash escape escape", "g 0 1 9 9 enter",
    "g escape", "question_mark escape", "question_mark question_mark", "ctrl+p x enter", "ctrl+p down enter",
    "ctrl+p escape", "2 b down enter", "2 b enter enter", "2 v v v", "2 n x enter enter", "2 r x enter", "2 m enter",
    "2 m down enter u", "2 enter escape", "2 shift+right u", "3 t escape", "3 t t t", "3 enter 1", "3 e escape",
    "3 e x tab x escape y", "3 a x tab x escape enter", "3 A enter escape", "3 c escape",
    "3 c enter escape", "3 c down down enter escape", "3 m 1", "3 space space A",
    "3 slash x escape", "4 enter", "4 v escape", "4 u escape", "4 D escape", "4 c enter", "4 R R", "5 right left",
    "5 down right right", "5 down down enter x", "5 enter", "5 r r", "5 slash x escape", "5 X enter", "w escape",
    "w enter enter escape escape", "L L", "R R", "space space a u", "escape escape escape", "G home end",
)  # fmt: skip
"""What people do."""
BYTES = {
    "enter": b"\r", "escape": b"\x1b", "tab": b"\t", "shift+tab": b"\x1b[Z", "space": b" ", "backspace": b"\x7f",
    "up": b"\x1b[A", "down": b"\x1b[B", "right": b"\x1b[C", "left": b"\x1b[D", "home": b"\x1b[H", "end": b"\x1b[F",
    "pageup": b"\x1b[5~", "pagedown": b"\x1b[6~", "delete": b"\x1b[3~", "insert": b"\x1b[2~",
    "shift+up": b"\x1b[1;2A", "shift+down": b"\x1b[1;2B", "shift+left": b"\x1b[1;2D", "shift+right": b"\x1b[1;2C",
    "alt+up": b"\x1b[1;3A", "alt+down": b"\x1b[1;3B", "alt+left": b"\x1b[1;3D", "alt+right": b"\x1b[1;3C",
    "ctrl+up": b"\x1b[1;5A", "ctrl+down": b"\x1b[1;5B", "ctrl+left": b"\x1b[1;5D", "ctrl+right": b"\x1b[1;5C",
    "ctrl+home": b"\x1b[1;5H", "ctrl+end": b"\x1b[1;5F",
    "f1": b"\x1bOP", "f2": b"\x1bOQ", "f3": b"\x1bOR", "f4": b"\x1bOS", "f5": b"\x1b[15~", "f6": b"\x1b[17~",
}  # fmt: skip
"""What a terminal sends for a key that is no character."""


def bound_keys() -> list[str]:
    """Every key that a screen, a dialog or a widget of ours is bound to, without those that leave."""
    for module in pkgutil.walk_packages(agor_tui.tui.__path__, "agor_tui.tui."):
        importlib.import_module(module.name)

    def below(kind: type[DOMNode]) -> Iterator[type[DOMNode]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    keys: set[str] = set()
    for cls in below(DOMNode):
        if cls.__module__.startswith("agor_tui."):
            for binding in cls.__dict__.get("BINDINGS", ()):
                keys |= set(binding.key.split(",")) if isinstance(binding, Binding) else set()
    return sorted(keys - LEAVING)


def random_keys(seed: int) -> Iterator[str]:
    """Keys without end, the same ones for a seed: what people do, and between it any key."""
    dice = random.Random(seed)
    bound = bound_keys()
    while True:
        yield from dice.choice(dice.choices((FLOWS, bound, OFTEN, MODES), (4, 4, 3, 1))[0]).split()


def as_bytes(key: str) -> bytes:
    """What a terminal sends for a key."""
    if key in BYTES:
        return BYTES[key]
    if key.startswith("ctrl+") and len(key) == 6:
        return bytes([ord(key[5]) & 31])
    if len(key) == 1:
        return key.encode()
    return _CHARACTERS[key].encode()


_CHARACTERS = {_character_to_key(chr(code)): chr(code) for code in range(33, 127)}
