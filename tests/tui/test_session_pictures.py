"""Pictures of the session screen: its tabs at two sizes and in both themes, and its states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from agor_tui.config.places import Place
from agor_tui.tui.themes import DARK
from agor_tui.tui.widgets.session_heading import Tab

from .lists import sees
from .session_app import SessionApp, opened
from .stored import MAIN, fill

SNAPSHOTS: list[tuple[Tab, tuple[int, int], str]] = [
    ("conversation", (160, 48), "agor-dark"),
    ("conversation", (80, 24), "agor-light"),
    ("tasks", (160, 48), "agor-light"),
    ("tasks", (80, 24), "agor-dark"),
    ("tree", (160, 48), "agor-dark"),
    ("tree", (80, 24), "agor-light"),
    ("details", (160, 48), "agor-light"),
    ("details", (80, 24), "agor-dark"),
]
READY = {"conversation": "claude  14:02", "tasks": "runtime", "tree": "Retry audit", "details": "SESSION"}
Look = Callable[..., bool]


@pytest.fixture
def look(snap_compare: Any) -> Look:
    """Compares the screen with its picture once it shows ``ready`` and the keys were pressed."""

    def compare(
        place: Place,
        ready: str,
        *keys: str,
        tab: Tab = "conversation",
        size: tuple[int, int] = (80, 24),
        theme: str = DARK.name,
        session_id: str = MAIN,
    ) -> bool:
        async def settle(pilot: Pilot[None]) -> None:
            await sees(pilot, ready)
            await pilot.press(*keys)
            await pilot.pause(0.1)

        with opened(place) as browser:
            app = SessionApp(lambda: browser, tab, theme, session_id)
            return bool(snap_compare(app, terminal_size=size, run_before=settle))

    return compare


@pytest.mark.parametrize(("tab", "size", "theme"), SNAPSHOTS, ids=[f"{t}-{s[0]}-{h}" for t, s, h in SNAPSHOTS])
def test_pictures(look: Look, family: Place, tab: Tab, size: tuple[int, int], theme: str) -> None:
    assert look(family, READY[tab], tab=tab, size=size, theme=theme)


def test_picture_of_everything_unfolded(look: Look, family: Place) -> None:
    assert look(family, READY["conversation"], "Z", "home", size=(120, 140))


def test_picture_of_an_error(look: Look, family: Place) -> None:
    assert look(family, "The nearest is", session_id="0199b73e")


def test_picture_of_an_empty_conversation(look: Look, empty: Place) -> None:
    fill(empty, [], title="見出し" * 40)
    assert look(empty, "No messages yet")
