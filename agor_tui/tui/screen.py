"""What all screens of the app have in common: each answers once, in front, and does nothing when it is gone."""

from __future__ import annotations

from typing import TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.command import CommandList, CommandPalette
from textual.dom import DOMNode, NoScreen
from textual.message import Message
from textual.messages import CloseMessages
from textual.screen import ModalScreen, Screen

T = TypeVar("T")


class AppScreen(Screen[T]):
    """A screen of the app."""

    _dismissed = False
    _dismissal: T | None = None

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Leave the screen with an answer. Only the first one counts; one that is covered leaves when it is uncovered.

        A key may come twice before the first has closed the screen, and what runs in a thread may end under a dialog.
        """
        if self._dismissed:
            return AwaitComplete()
        self._dismissed, self._dismissal = True, result
        return self._go_away()

    def on_screen_resume(self) -> None:
        """Leave now where the answer was given while something else was in front."""
        if self._dismissed:
            self._go_away()

    def _go_away(self) -> AwaitComplete:
        is_in_front = self.is_active and len(self.app.screen_stack) > 1
        return super().dismiss(self._dismissal) if is_in_front else AwaitComplete()

    async def _dispatch_message(self, message: Message) -> None:
        # Keys and messages of widgets that were under way when the screen was closed mean nothing any more.
        if is_gone(self) and (isinstance(message, events.InputEvent) or _of_a_widget(message)):
            return
        await super()._dispatch_message(message)


class Dialog(ModalScreen[T], AppScreen[T]):
    """A screen that lies over another one, and answers it."""


class Palette(CommandPalette, AppScreen[None]):
    """Textual's command palette, as a screen of the app; without an id, since the one before may still be closing."""

    def _action_command_list(self, action: str) -> None:
        # A list without room has no lines, and Textual looks for the one that a page begins at.
        if self.query_one(CommandList).scrollable_content_region:
            super()._action_command_list(action)


def _of_a_widget(message: Message) -> bool:
    return message.bubble and not isinstance(message, events.Event | CloseMessages)


def is_gone(node: DOMNode) -> bool:
    """Whether a node is not there any more: it, its screen or the app was closed, or is being closed."""
    app = node.app
    if app._exit or node._closing or node._pruning:
        return True
    if node is app:
        return False
    try:
        screen = node.screen
    except NoScreen:
        return True
    return all(screen not in stack for stack in app._screen_stacks.values())
