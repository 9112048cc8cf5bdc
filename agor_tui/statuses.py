"""How a session's or a task's status looks: a shape of its own, a word, and a tone of the theme."""

from __future__ import annotations

from typing import Literal

Tone = Literal["text", "strong", "muted", "faint", "accent", "success", "warning", "error", "rule"]

_LOOKS: dict[str, tuple[str, str, Tone]] = {
    "idle": ("○", "idle", "muted"),
    "created": ("○", "created", "muted"),
    "running": ("●", "running", "accent"),
    "awaiting_permission": ("!", "permission", "warning"),
    "awaiting_input": ("?", "input", "warning"),
    "completed": ("✓", "completed", "success"),
    "failed": ("✗", "failed", "error"),
    "stopped": ("■", "stopped", "muted"),
}


def status_glyph(status: str) -> str:
    """One cell, of another shape for each status, so that it reads without colour."""
    return _LOOKS.get(status, ("·", "", "muted"))[0]


def status_word(status: str) -> str:
    """The word for people: ``awaiting_permission`` is ``permission``."""
    look = _LOOKS.get(status)
    return look[1] if look else status


def status_tone(status: str) -> Tone:
    """The tone of the theme in which the glyph is drawn."""
    return _LOOKS.get(status, ("·", "", "muted"))[2]
