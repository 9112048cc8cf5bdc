"""A long text before the user: in their pager, or on a screen of its own where a pager cannot run."""

from __future__ import annotations

import os
from typing import Any

from textual.app import App

from agor_tui.text import printable
from agor_tui.tui.terminal.lending import ProgramError, program_words, run_program


def open_text(app: App[Any], title: str, text: str) -> None:
    """Show ``text`` in $PAGER or less; where that cannot show it, or no terminal can be lent, in a screen.

    The text has gone through ``agor_tui.text.printable``.
    """
    try:
        words = program_words(os.environ.get("PAGER", ""), "PAGER") or ["less"]
        if words == ["less"]:
            words.append("-+F")  # a text shorter than the screen must not vanish at once
        if words != ["cat"]:  # "no pager": all of it would vanish at once
            run_program(app, words, text.encode("utf-8", "replace"))
            return
    except ProgramError as error:
        if not app.is_headless:
            app.notify(printable(f"{error.message} {error.hint}".strip()), severity="warning", markup=False)
    from agor_tui.tui.screens.text import TextScreen

    app.push_screen(TextScreen(title, text))
