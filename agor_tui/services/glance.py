"""A first look at a session: its facts, its tasks and the last thing said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agor_tui.records import SessionDetail, Task, TextBlock

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

LOOKED_AT = 12
"""Messages at the end among which one with text is sought; the others called tools."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What there is to see of a session at first. ``last`` is the text of its last message with text, by ``role``."""

    detail: SessionDetail
    tasks: tuple[Task, ...]
    last: str = ""
    role: str = ""


def glance(browser: Browser, session_id: str) -> Glance:
    """Look at a session.

    Raises:
        AgorError: the database does not answer, or the session is gone.
    """
    detail = browser.session_detail(session_id)
    tasks = browser.tasks_of(session_id)
    count = detail.session.message_count
    messages = browser.message_window(session_id, max(0, count - LOOKED_AT), LOOKED_AT) if count else ()
    for message in reversed(messages):
        text = "\n\n".join(block.text for block in message.blocks if isinstance(block, TextBlock))
        if text.strip() and message.parent_tool_id is None and not message.queued:
            return Glance(detail, tasks, text, message.role)
    return Glance(detail, tasks)
