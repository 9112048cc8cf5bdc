"""Writing preferences to the config file, one after the other, while the app goes on."""

from __future__ import annotations

from collections.abc import Callable

from textual.dom import DOMNode

from agor_tui.errors import AgorError
from agor_tui.services.configuration import Configuration
from agor_tui.tui.asking import ask

Value = str | int | bool | None


class Saver:
    """``saved`` is called when all is written, ``failed`` with the key and the reason where one could not be."""

    def __init__(
        self,
        node: DOMNode,
        configuration: Configuration,
        saved: Callable[[], None],
        failed: Callable[[AgorError], None],
    ) -> None:
        self._node = node
        self._configuration = configuration
        self._saved = saved
        self._failed = failed
        self._waiting: dict[str, Value] = {}
        self._busy = False
        self.unsaved: dict[str, Value] = {}
        """What could not be written: it holds for this run."""

    def save(self, key: str, value: Value) -> None:
        """Write a key below ``ui``; None takes it out. Of several values for one key only the last is written."""
        self._waiting.pop(key, None)
        self._waiting[key] = value
        self._next()

    def _next(self) -> None:
        if self._busy:
            return
        if not self._waiting:
            self._saved()
            return
        self._busy = True
        key = next(iter(self._waiting))
        value = self._waiting.pop(key)

        def done(_: None) -> None:
            self._busy = False
            self.unsaved.pop(key, None)
            self._next()

        def failed(error: AgorError) -> None:
            self._busy = False
            self.unsaved[key] = value
            self._failed(error)
            if self._waiting:
                self._next()

        ask(self._node, lambda: self._configuration.set_preference(key, value), done, failed)
