"""Testing the connection to a database: each step as it comes, the last one says what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from agor_tui.config.places import Place
from agor_tui.errors import AgorError
from agor_tui.services.examination import Finding, Leash, Outlook, examine
from agor_tui.text import printable
from agor_tui.tui.asking import ask
from agor_tui.tui.screen import Dialog

SIGNS = {"good": ("✓", "$success"), "note": ("!", "$warning"), "bad": ("✗", "$error")}
TOPIC = 10
FETCH_S = 11.0
"""So long fetching a password may take: a command has ten seconds."""
MOST = 600
"""Characters of a finding that are shown."""


class DatabaseTestModal(Dialog[None]):
    """The test of one database. ``find`` returns its place and blocks, since a password may have to be fetched."""

    CSS = """
    DatabaseTestModal { align: center middle; background: $background 60%; }
    DatabaseTestModal > Vertical {
        width: 80; max-width: 92%; height: auto; max-height: 90%;
        background: $background; border: round $rule; padding: 1 2;
    }
    DatabaseTestModal VerticalScroll { height: auto; max-height: 24; scrollbar-size-vertical: 1; }
    DatabaseTestModal Static { height: auto; }
    DatabaseTestModal .steps { margin: 1 0; min-height: 8; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "close", id="test.close", tooltip="Stop the test and close it"),
        Binding("t,R", "again", "test again", id="test.again", tooltip="Test once more"),
        Binding("down,j", "scroll(1)", show=False, id="test.down"),
        Binding("up,k", "scroll(-1)", show=False, id="test.up"),
    ]

    def __init__(self, name: str, find: Callable[[], Place]) -> None:
        super().__init__()
        self._database = name
        self._find = find
        self._leash = Leash()
        self._findings: list[Finding] = []
        self._result: Content | None = None

    def compose(self) -> ComposeResult:
        """Which database, the steps, the keys."""
        keys = ("esc", "bold $accent"), (" close", "$muted"), ("    t", "bold $accent"), (" test again", "$muted")
        with Vertical():
            yield Static(Content.assemble(("Test of ", "$muted"), (printable(self._database, 200), "bold")))
            with VerticalScroll(can_focus=False):
                yield Static("", classes="steps")
            yield Static(Content.assemble(*keys))

    def on_mount(self) -> None:
        """Begin."""
        self._test()

    @property
    def done(self) -> bool:
        """Whether the test has come to its end."""
        return self._result is not None

    def action_again(self) -> None:
        """Test once more, from the beginning."""
        self._leash.cut()
        self._test()

    def action_leave(self) -> None:
        """Stop the test and close."""
        self._leash.cut()
        self.dismiss()

    def action_scroll(self, by: int) -> None:
        """Scroll by a line."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def _test(self) -> None:
        leash, find = Leash(), self._find
        self._leash, self._findings, self._result = leash, [], None
        self._show()

        def work() -> Outlook | None:
            outlook = None
            for step in examine(leash.run(find, "Where its password is kept", FETCH_S), leash):
                if isinstance(step, Outlook):
                    outlook = step
                else:
                    self.call_later(self._take, leash, step)
            return outlook

        def failed(error: AgorError) -> None:
            if leash is self._leash and not leash.is_cut:
                self._take(leash, Finding("settings", "bad", error.message, error.hint))
                self._end(None)

        def done(outlook: Outlook | None) -> None:
            if leash is self._leash and not leash.is_cut:
                self._end(outlook)

        ask(self, work, done, failed)

    def _take(self, leash: Leash, finding: Finding) -> None:
        if leash is self._leash:
            self._findings.append(finding)
            self._show()

    def _end(self, outlook: Outlook | None) -> None:
        self._result = Content.assemble(*_result(outlook))
        self._show()

    def _show(self) -> None:
        parts: list[tuple[str, str]] = []
        for finding in self._findings:
            sign, colour = SIGNS[finding.state]
            parts += [(f"{sign} ", colour), (f"{finding.topic:<{TOPIC}}", "$faint")]
            parts.append((f"{printable(finding.text, MOST)}\n", "$foreground"))
            if finding.hint:
                parts.append((f"  {'':<{TOPIC}}{printable(finding.hint, MOST)}\n", "$muted"))
        steps = Content.assemble(*parts)
        self.query_one(".steps", Static).update(steps + (self._result or Content.assemble(("… testing", "$faint"))))


def _result(outlook: Outlook | None) -> tuple[tuple[str, str], ...]:
    """What the test came to, in a sentence."""
    if outlook is None:
        return (("\nIt cannot be used as it is.", "bold $error"),)
    sentence = {
        "open": "It can be opened" + (", for reading only." if outlook.read_only else "."),
        "make": "It can be set up: agor-tui makes its tables there.",
        "migrate": "It can be opened once it is migrated.",
    }[outlook.action]
    return ((f"\n{sentence}", "bold $success" if outlook.action == "open" else "bold $warning"),)
