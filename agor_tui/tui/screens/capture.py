"""Taking the next key that is pressed."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from agor_tui.text import printable
from agor_tui.tui.key_map import shown_keys
from agor_tui.tui.screen import Dialog


class CaptureModal(Dialog[str | None]):
    """Answers with the name of the key, None after escape. ``check`` says why a key cannot be taken."""

    CSS = """
    CaptureModal { align: center middle; background: $background 60%; }
    CaptureModal > Vertical {
        width: 64; max-width: 94%; height: auto; background: $background; border: round $accent; padding: 1 2;
    }
    CaptureModal Static { height: auto; }
    CaptureModal #complaint { color: $error; min-height: 2; margin-top: 1; }
    """

    def __init__(self, title: str, text: str, *, check: Callable[[str], str | None]) -> None:
        super().__init__()
        self._heading = title
        self._text = text
        self._check = check

    def compose(self) -> ComposeResult:
        """What the key will do, why the last one was not taken, how to leave."""
        with Vertical():
            yield Static(
                Content.assemble(
                    (printable(self._heading, 200), "bold $foreground"),
                    ("\n", ""),
                    (printable(self._text, 300), "$muted"),
                    ("\n\nPress the key.", "$accent"),
                )
            )
            yield Static("", id="complaint", markup=False)
            yield Static(Content.assemble(("esc", "bold $accent"), (" cancel", "$muted")))

    def on_key(self, event: events.Key) -> None:
        """Every key is the answer."""
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss(None)
            return
        complaint = self._check(event.key)
        if complaint is None:
            self.dismiss(event.key)
        else:
            self.query_one("#complaint", Static).update(f"{shown_keys([event.key])} {printable(complaint, 300)}")
