"""The screens that a digit leads to. Each is a mode: what is opened above it stays there while another one is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from textual.screen import Screen

SESSIONS = "sessions"


@dataclass(frozen=True, slots=True)
class Mode:
    """A main screen: the digit that leads to it, its name and how to make it."""

    key: str
    name: str
    tooltip: str
    screen: Callable[[], Screen[Any]]


def _sessions() -> Screen[Any]:
    from agor_tui.tui.screens.browser import BrowserScreen

    return BrowserScreen()


def _board() -> Screen[Any]:
    from agor_tui.tui.screens.board import BoardScreen

    return BoardScreen()


def _databases() -> Screen[Any]:
    from agor_tui.tui.screens.databases import DatabasesScreen

    return DatabasesScreen()


def _migrations() -> Screen[Any]:
    from agor_tui.tui.screens.migrations import MigrationsScreen

    return MigrationsScreen()


def _settings() -> Screen[Any]:
    from agor_tui.tui.screens.settings import SettingsScreen

    return SettingsScreen()


MAIN_SCREENS = (
    Mode("1", SESSIONS, "The sessions of this database", _sessions),
    Mode("2", "board", "Sessions and tasks as cards in columns", _board),
    Mode("3", "databases", "All databases: switch, add, edit, test", _databases),
    Mode("4", "migrations", "The revisions of this database", _migrations),
    Mode("5", "settings", "Theme, times, keys", _settings),
)
