"""The styles in which conversations and JSON are drawn, taken from the theme through a widget's component classes."""

from __future__ import annotations

from dataclasses import dataclass, fields

from rich.style import Style
from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class Ink:
    """One Rich style for each part of a text; colours come from the theme, never from here."""

    text: Style
    muted: Style
    faint: Style
    rule: Style
    accent: Style
    heading: Style
    prompt: Style
    name: Style
    code: Style
    fence: Style
    link: Style
    added: Style
    removed: Style
    success: Style
    warning: Style
    error: Style
    match: Style
    cursor: Style
    keyword: Style
    string: Style
    number: Style
    comment: Style
    function: Style

    @classmethod
    def of(cls, widget: Widget) -> Ink:
        """The ink of a widget whose COMPONENT_CLASSES are :data:`INK_CLASSES` with the rules of ``ink_css``."""
        return cls(**{name: widget.get_component_rich_style(f"ink--{name}", partial=True) for name in _NAMES})


_NAMES = tuple(part.name for part in fields(Ink))

INK_CLASSES = frozenset(f"ink--{name}" for name in _NAMES)
"""For a widget's COMPONENT_CLASSES."""

_RULES = {
    "text": "color: $foreground;",
    "muted": "color: $muted;",
    "faint": "color: $faint;",
    "rule": "color: $rule;",
    "accent": "color: $accent;",
    "heading": "color: $foreground; text-style: bold;",
    "prompt": "color: $foreground; text-style: bold;",
    "name": "color: $muted; text-style: bold;",
    "code": "color: $accent;",
    "fence": "background: $surface;",
    "link": "color: $muted; text-style: underline;",
    "added": "color: $success;",
    "removed": "color: $error;",
    "success": "color: $success;",
    "warning": "color: $warning;",
    "error": "color: $error;",
    "match": "background: $warning; color: $background;",
    "cursor": "background: $cursor;",
    "keyword": "color: $accent;",
    "string": "color: $success;",
    "number": "color: $warning;",
    "comment": "color: $faint; text-style: italic;",
    "function": "color: $foreground; text-style: bold;",
}


def ink_css(widget: str) -> str:
    """The DEFAULT_CSS rules that give a widget class its ink."""
    return "\n".join(f"{widget} > .ink--{name} {{ {rule} }}" for name, rule in _RULES.items())
