"""A long text before the user: in their pager, or on a screen of its own where a pager cannot run."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import Any

from textual.app import App, SuspendNotSupported


def open_text(app: App[Any], title: str, text: str) -> None:
    """Show ``text`` in $PAGER or less; where there is none, or no terminal to lend it, in a screen.

    The text has gone through ``agor_tui.text.printable``.
    """
    words = shlex.split(os.environ.get("PAGER", "")) or ["less"]
    if words == ["less"]:
        words.append("-+F")  # a text shorter than the screen must not vanish at once
    try:
        with app.suspend():
            subprocess.run(words, input=text.encode("utf-8", "replace"), check=False)
    except (SuspendNotSupported, OSError, ValueError):
        from agor_tui.tui.screens.text import TextScreen

        app.push_screen(TextScreen(title, text))
