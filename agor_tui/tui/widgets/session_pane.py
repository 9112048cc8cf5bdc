"""What the tabs of the session screen have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container

from agor_tui.errors import AgorError
from agor_tui.records import SessionDetail

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser


class SessionPane(Container):
    """A tab. ``filled`` says that it was given its session."""

    DEFAULT_CSS = "SessionPane { height: 1fr; }"

    filled = False

    @property
    def busy(self) -> bool:
        """Whether it waits for the database."""
        return False

    def fill(self, browser: Browser, detail: SessionDetail) -> None:
        """Read what the tab shows of a session, or read it anew."""
        raise NotImplementedError

    def follow(self, browser: Browser, detail: SessionDetail) -> None:
        """Take in what has changed, without losing what the reader has chosen."""
        self.fill(browser, detail)

    def fail(self, error: AgorError) -> None:
        """Say that the session cannot be shown."""
        raise NotImplementedError

    def take_focus(self) -> None:
        """Let the keys go to the tab's main widget."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw anew: times are shown in another way."""

    def close_inner(self) -> bool:
        """Close what ``escape`` closes before it leaves the screen; False when nothing is open."""
        return False
