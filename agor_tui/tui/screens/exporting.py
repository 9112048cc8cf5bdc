"""How far an export is, while it takes long enough to be looked at."""

from __future__ import annotations

import threading
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from agor_tui.text import byte_size, count, printable
from agor_tui.transfers import Progress
from agor_tui.tui.screen import Dialog

BAR = 40
"""Cells of the bar."""


class ExportModal(Dialog[None]):
    """Shows how far the export is that ``stop`` ends; it closes when that has ended."""

    CSS = """
    ExportModal { align: center middle; background: $background 60%; }
    ExportModal > Vertical {
        width: 64; max-width: 94%; height: auto; background: $background; border: round $rule; padding: 1 2;
    }
    ExportModal Static { height: auto; }
    ExportModal .state { margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "stop", id="export.stop", tooltip="Stop the export; the file is not written")
    ]

    def __init__(self, title: str, stop: threading.Event) -> None:
        super().__init__()
        self._title = title
        self._stop = stop
        self._progress = Progress("export", "messages", 0, None, 0)

    def compose(self) -> ComposeResult:
        """What is exported, the bar, the key."""
        with Vertical():
            yield Static(Content(printable(self._title, 400)).stylize("bold"))
            yield Static(self._state(), classes="state")
            yield Static(Content.assemble(("esc", "bold $accent"), (" stop", "$muted")))

    def _state(self) -> Content:
        progress = self._progress
        total = progress.total or 0
        filled = BAR * progress.rows // total if total else 0
        told = f"{count(progress.rows)} of {count(total)} messages · {byte_size(progress.bytes)}"
        return Content.assemble(
            ("━" * filled, "$accent"),
            ("━" * (BAR - filled), "$rule"),
            (f"\n{'Stopping…' if self._stop.is_set() else told}", "$muted"),
        )

    def take(self, progress: Progress) -> None:
        """Show how far it is now."""
        self._progress = progress
        self._show()

    def _show(self) -> None:
        if self.is_mounted:
            self.query_one(".state", Static).update(self._state())

    def action_stop(self) -> None:
        """Stop it."""
        self._stop.set()
        self._show()

    def end(self) -> None:
        """Close, whatever became of it."""
        self.dismiss()
