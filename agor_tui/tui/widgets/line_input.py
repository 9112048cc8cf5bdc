"""A line to type in."""

from __future__ import annotations

from textual.reactive import reactive
from textual.widgets import Input


class LineInput(Input):
    """An input whose cursor does not blink."""

    cursor_blink = reactive(False, init=False)
