"""Make the pictures of this folder again: ``python screenshots/make.py`` runs the app on the demo database.

``python screenshots/make.py NAME…`` makes these only.

The demo, its present moment and the home folder are fixed, so the pictures change only with the app, but for the times
that databases take to answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from textual._context import visible_screen_stack

from agor_tui import paths
from agor_tui.services.configuration import Configuration
from agor_tui.services.demo import REFERENCE, prepare
from agor_tui.tui.app import AgorApp
from agor_tui.tui.themes import DARK, LIGHT

FOLDER = Path(__file__).parent
HOME = Path("/tmp/me")
CONFIG = """\
databases:
  laptop:
    dialect: sqlite
    sqlite: {path: ~/laptop.db}
  archive:
    dialect: sqlite
    sqlite: {path: ~/archive.db, readOnly: true}
  team:
    dialect: postgresql
    postgresql: {host: 127.0.0.1, port: 1, database: agor, user: me}
active: laptop
"""


@dataclass(frozen=True)
class Picture:
    """A picture: the terminal's size in cells, the theme, and the keys that lead there from the session browser."""

    name: str
    size: tuple[int, int] = (160, 44)
    keys: Sequence[str] = ()
    theme: str = DARK.name
    setup: bool = False


UNDER_WAY = ("Reading the", "Opening the", "opening…", "… asking", "Making the", "Looking at")
ENOUGH_LOOKS, MOST_LOOKS = 5, 400
"""Looks, a tenth of a second apart: so many alike are rest, and after so many it is given up."""

TO_RICH_SESSION = ("slash", *"tool:claude has:children", "enter", "enter")

PICTURES = (
    Picture("sessions"),
    Picture("sessions-light", theme=LIGHT.name),
    Picture("sessions-80x24", (80, 24)),
    Picture("filter", keys=("slash", *"status:awaiting tool:")),
    Picture("go-to-id", keys=("g", *"01a1f98")),
    Picture("conversation", keys=TO_RICH_SESSION),
    Picture("conversation-light", keys=TO_RICH_SESSION, theme=LIGHT.name),
    Picture("conversation-80x24", (80, 24), TO_RICH_SESSION),
    Picture("tasks", keys=(*TO_RICH_SESSION, "tab")),
    Picture("tree", keys=("slash", *"has:children", "enter", "t")),
    Picture("details", keys=(*TO_RICH_SESSION, "tab", "tab", "tab")),
    Picture("help", keys=("question_mark",)),
    Picture("board", keys=("2",)),
    Picture("databases", keys=("3",)),
    Picture("all-databases", keys=("3", "A")),
    Picture("upkeep", (120, 30), keys=("3", "c")),
    Picture("switcher", (100, 30), keys=("d",)),
    Picture("migrations", (120, 30), keys=("4",)),
    Picture("settings", (120, 30), keys=("5",)),
    Picture("setup", (100, 30), setup=True),
    Picture("setup-postgresql", (100, 30), keys=(*"jj", "enter"), setup=True),
)


async def take(picture: Picture) -> None:
    """Run the app, press the keys, and write the picture as SVG."""
    configuration = Configuration()
    app = AgorApp(
        configuration.open,
        clock=lambda: REFERENCE,
        configuration=configuration,
        theme=picture.theme,
        setup=picture.setup,
    )
    async with app.run_test(size=picture.size) as pilot:

        async def rest() -> None:
            """Wait until nothing is under way and the picture has been the same for a while."""
            before, same = "", 0
            for _ in range(MOST_LOOKS):
                await pilot.pause(0.1)
                visible_screen_stack.set(app._background_screens)  # as Textual does before it draws
                lines = app.screen._compositor.render_strips()
                now = "\n".join("".join(segment.text for segment in line) for line in lines)
                same = same + 1 if now == before and not any(word in now for word in UNDER_WAY) else 0
                if same == ENOUGH_LOOKS:
                    return
                before = now
            raise TimeoutError(f"{picture.name} does not come to rest")

        await rest()
        for key in picture.keys:
            await pilot.press(" " if key == "space" else key)
            if len(key) > 1:
                await rest()
        await rest()
        app.save_screenshot(f"{picture.name}.svg", str(FOLDER))


def main() -> None:
    """Take all pictures."""
    for name in [name for name in os.environ if name.startswith(("XDG_", "PG", "AGOR", "DB_", "DATABASE_"))]:
        del os.environ[name]
    with prepare() as target:
        shutil.rmtree(HOME, ignore_errors=True)
        (HOME / ".config" / "agor-tui").mkdir(parents=True)
        (HOME / ".config" / "agor-tui" / "config.yaml").write_text(CONFIG)
        (HOME / ".agor").mkdir()
        for name in ("laptop.db", "archive.db", ".agor/agor.db"):
            with contextlib.closing(sqlite3.connect(shutil.copy(target, HOME / name))) as copy:
                applied = int((REFERENCE - timedelta(days=90)).timestamp() * 1000)
                copy.execute("UPDATE schema_migrations SET applied_at = ?, applied_by = 'me@laptop'", (applied,))
                copy.commit()
    os.environ.update(HOME=str(HOME), TZ="UTC", TEXTUAL_ANIMATIONS="none")
    time.tzset()
    for picture in [each for each in PICTURES if each.name in sys.argv[1:] or not sys.argv[1:]]:
        paths.state_file().unlink(missing_ok=True)  # else the filter of the last one comes back
        asyncio.run(take(picture))
        print(f"{picture.name}.svg")
    shutil.rmtree(HOME)


if __name__ == "__main__":
    main()
