"""Make the pictures of this folder again: ``python screenshots/make.py`` runs the app on the demo database.

The demo and its present moment are fixed, so the pictures change only with the app.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agor_tui.services.databases import open_database
from agor_tui.services.demo import REFERENCE, prepare
from agor_tui.tui.app import AgorApp
from agor_tui.tui.themes import DARK, LIGHT

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Picture:
    """A picture: the terminal's size in cells, the theme, and the keys that lead there from the session browser."""

    name: str
    size: tuple[int, int] = (160, 44)
    keys: Sequence[str] = ()
    theme: str = DARK.name


TO_RICH_SESSION = ("slash", *"tool:claude has:children", "enter", "enter")

PICTURES = (
    Picture("sessions"),
    Picture("sessions-light", theme=LIGHT.name),
    Picture("sessions-80x24", (80, 24)),
    Picture("filter", keys=("slash", *"status:awaiting tool:")),
    Picture("go-to-id", keys=("g", *"019")),
    Picture("conversation", keys=TO_RICH_SESSION),
    Picture("conversation-light", keys=TO_RICH_SESSION, theme=LIGHT.name),
    Picture("conversation-80x24", (80, 24), TO_RICH_SESSION),
    Picture("tasks", keys=(*TO_RICH_SESSION, "tab")),
    Picture("tree", keys=("slash", *"has:children", "enter", "t")),
    Picture("details", keys=(*TO_RICH_SESSION, "tab", "tab", "tab")),
    Picture("help", keys=("question_mark",)),
)


async def take(target: str, picture: Picture) -> None:
    """Run the app, press the keys, and write the picture as SVG."""
    app = AgorApp(lambda: open_database(target, environ={}), clock=lambda: REFERENCE, theme=picture.theme)
    async with app.run_test(size=picture.size) as pilot:

        async def rest() -> None:
            for _ in range(6):
                await app.workers.wait_for_complete()
                await pilot.pause(0.1)

        await rest()
        for key in picture.keys:
            await pilot.press(" " if key == "space" else key)
            if len(key) > 1:
                await rest()
        await rest()
        app.save_screenshot(f"{picture.name}.svg", str(FOLDER))


def main() -> None:
    """Take all pictures."""
    os.environ.update(TZ="UTC", TEXTUAL_ANIMATIONS="none")
    time.tzset()
    with prepare() as target:
        for picture in PICTURES:
            asyncio.run(take(target, picture))
            print(f"{picture.name}.svg")


if __name__ == "__main__":
    main()
