"""The Conversation tab: the conversation, and the line in which words to find are typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult

from agor_tui.errors import AgorError
from agor_tui.records import SessionDetail, Task, Turn
from agor_tui.text import printable
from agor_tui.tui.moments import Moments
from agor_tui.tui.session_columns import tool_name
from agor_tui.tui.widgets.conversation import Conversation
from agor_tui.tui.widgets.find_bar import FindBar
from agor_tui.tui.widgets.session_pane import SessionPane

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser


class SessionTurns:
    """A session's conversation as a TurnSource."""

    def __init__(self, browser: Browser, session_id: str) -> None:
        self.browser = browser
        self._id = session_id

    def count(self) -> int:
        """How many messages the session has."""
        return self.browser.message_count(self._id)

    def window(self, start: int, limit: int) -> tuple[Turn, ...]:
        """The turns from a position on."""
        return self.browser.conversation(self._id, start, limit)

    def prompts(self) -> tuple[int, ...]:
        """The positions of the user's prompts."""
        return self.browser.prompt_ordinals(self._id)

    def tasks(self) -> tuple[Task, ...]:
        """The session's tasks."""
        return self.browser.tasks_of(self._id)


class ConversationPane(SessionPane):
    """Reads like a chat; ``/`` finds."""

    def __init__(self, moments: Moments, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._moments = moments
        self._turns: SessionTurns | None = None

    def compose(self) -> ComposeResult:
        """The conversation, below it the line for words."""
        talk = Conversation()
        talk.local = self._moments.local
        yield talk
        yield FindBar()

    @property
    def talk(self) -> Conversation:
        """The conversation."""
        return self.query_one(Conversation)

    @property
    def busy(self) -> bool:
        """Whether turns are awaited."""
        return self.talk.busy

    def fill(self, browser: Browser, detail: SessionDetail) -> None:
        """Open the conversation, or read it anew."""
        if self._turns is not None and self.talk.is_open:
            self._turns.browser = browser
            self.talk.reload()
            return
        session = detail.session
        person = printable(detail.created_by_name or "", 40) or "you"
        roots = tuple(root for root in (session.worktree, (session.repo or "").rsplit("/", 1)[-1]) if root)
        self._turns = SessionTurns(browser, session.id)
        self.talk.show(self._turns, agent=tool_name(session.tool), person=person, roots=roots)

    def follow(self, browser: Browser, detail: SessionDetail) -> None:
        """New turns come at the end."""
        self.talk.follow()

    def fail(self, error: AgorError) -> None:
        """Say why there is none."""
        self.talk.fail(error)

    def redraw(self) -> None:
        """Times are shown in another way."""
        self.talk.redraw_times()

    def take_focus(self) -> None:
        """The keys go to the conversation."""
        self.talk.focus()

    def close_inner(self) -> bool:
        """Take the finds away."""
        bar = self.query_one(FindBar)
        if not bar.is_open:
            return False
        bar.close()
        self.talk.focus()
        return True

    @on(Conversation.FindWanted)
    def _find_wanted(self, event: Conversation.FindWanted) -> None:
        event.stop()
        self.query_one(FindBar).open()

    @on(FindBar.Words)
    def _words(self, event: FindBar.Words) -> None:
        event.stop()
        self.talk.find(event.words)

    @on(FindBar.Left)
    def _left(self, event: FindBar.Left) -> None:
        event.stop()
        self.talk.focus()

    @on(Conversation.FindState)
    def _find_state(self, event: Conversation.FindState) -> None:
        event.stop()
        more = "+" if event.running else ""
        if event.found:
            text = f"{event.at:,} of {event.found:,}{more}"
        else:
            text = "searching …" if event.running else "not found" if event.words else ""
        self.query_one(FindBar).say(text)
