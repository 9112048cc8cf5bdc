"""The command palette: the keys of the screen as 'area: action', and the themes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from textual.app import App, SystemCommand
from textual.screen import Screen

from agor_tui.text import printable
from agor_tui.tui.live import told
from agor_tui.tui.themes import DARK, LIGHT

_IN_PALETTE_ITSELF = ("command_palette",)


def commands_of(app: App[Any], screen: Screen[Any]) -> Iterator[SystemCommand]:
    """What can be done on ``screen`` now. Moving the cursor is left out: that is what its keys are for."""
    seen: set[str] = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        group = binding.group.description if binding.group else ""
        if not active.enabled or not binding.id or not group or group == "Move" or binding.action in seen:
            continue
        seen.add(binding.action)
        if binding.action in _IN_PALETTE_ITSELF:
            continue
        name = f"{_area(group)}: {binding.description}"
        yield SystemCommand(
            name,
            f"{told(app, binding)}  ({app.get_key_display(binding)})",
            partial(app.run_action, binding.action, default_namespace=active.node),
        )
    yield from _upkeep(app)
    for theme, word in ((DARK, "dark"), (LIGHT, "light")):
        if app.theme != theme.name:
            yield SystemCommand(f"view: {word} theme", f"Use the {word} theme", partial(_use_theme, app, theme.name))


def _upkeep(app: App[Any]) -> Iterator[SystemCommand]:
    """Looking after the database that is open."""
    from agor_tui.tui.app import AgorApp
    from agor_tui.tui.upkeep.begin import ALL, begin_with_open, open_subject

    subject = open_subject(app) if isinstance(app, AgorApp) else None
    if isinstance(app, AgorApp) and subject is not None:
        for way in ALL:
            help_text = f"{printable(subject.name, 60)}: {way.told}"
            yield SystemCommand(f"database: {way.word.lower()}", help_text, partial(begin_with_open, app, way))


def _area(group: str) -> str:
    return "app" if group == "Everywhere" else group.lower()


def _use_theme(app: App[Any], name: str) -> None:
    app.theme = name
