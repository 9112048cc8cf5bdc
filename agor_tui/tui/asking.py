"""Work that blocks, done in a thread; what comes of it is handled where the widgets live."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any, TypeVar

from textual._context import NoActiveAppError
from textual.app import App
from textual.dom import DOMNode

from agor_tui.errors import AgorError
from agor_tui.tui.screen import is_gone

T = TypeVar("T")


def ask(
    node: DOMNode,
    work: Callable[[], T],
    done: Callable[[T], None],
    failed: Callable[[AgorError], None],
) -> None:
    """Call ``work`` in a thread of its own, then ``done`` or ``failed`` in the node's message loop, unless it is gone.

    An answer may come after its question has lost its meaning, so ``done`` and ``failed`` check a request number.
    """

    def run() -> None:
        try:
            outcome = partial(done, work())
        except AgorError as error:
            outcome = partial(failed, error)
        except Exception as error:  # whatever it is, the user gets a sentence
            from agor_tui.services.faults import unexpected

            outcome = partial(failed, unexpected(error))
        with contextlib.suppress(NoActiveAppError):  # it is not a part of the app any more
            node.call_later(lambda: None if is_gone(node) else outcome())

    start_thread(run)


def start_thread(work: Callable[..., None], *arguments: object) -> Thread:
    """Call ``work`` in a thread of its own.

    A daemon, not one of Textual's workers, for which the program waits when it ends: a database that does not answer
    must not keep it.
    """
    thread = Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def let_go(app: App[Any]) -> None:
    """Have the app forget the closed screens and widgets that watched its variables.

    Textual forgets them only when the variable changes next; until then a closed screen stays in memory with all that
    it has read, its database among it.
    """
    for watchers in getattr(app, "__watchers", {}).values():
        watchers[:] = [(node, watcher) for node, watcher in watchers if not node._closing]
