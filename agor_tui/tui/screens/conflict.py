"""Someone else changed the same: what it was, what it is now, and what to do."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from agor_tui.cells import cell_len
from agor_tui.errors import EditConflictError
from agor_tui.text import NOTHING, printable
from agor_tui.tui.screen import Dialog

MOST = 200
"""Characters of a value that are shown."""


class ConflictModal(Dialog[bool]):
    """Says that nothing was written and why; True when the user, having seen it, wants the change all the same."""

    CSS = """
    ConflictModal { align: center middle; background: $background 60%; }
    ConflictModal > Vertical {
        width: 72; max-width: 94%; height: auto; max-height: 90%;
        background: $background; border: round $warning; padding: 1 2; overflow-y: auto;
    }
    ConflictModal Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "answer(False)", "keep theirs", id="conflict.keep", tooltip="Leave it as it is now"),
        Binding("o", "answer(True)", "overwrite", id="conflict.overwrite", tooltip="Make your change all the same"),
    ]

    def __init__(self, error: EditConflictError) -> None:
        super().__init__()
        self._error = error

    def compose(self) -> ComposeResult:
        """The sentence, the fields with was and now, the keys."""
        error = self._error
        parts: list[tuple[str, str]] = [(printable(error.title), "bold $warning"), ("\n\n", "")]
        parts.append((f"{printable(error.message, 2 * MOST)} {printable(error.hint)}".rstrip(), "$foreground"))
        width = max((cell_len(field) for field, _, _ in error.differences), default=0)
        for field, was, now in error.differences:
            space = " " * (width - cell_len(field))
            parts += [(f"\n\n{field}{space}  was  ", "$muted"), (_shown(was), "$muted")]
            parts += [(f"\n{' ' * width}  now  ", "$muted"), (_shown(now), "bold $foreground")]
        keys = (("\n\n⏎ esc", "bold $accent"), (" keep theirs", "$foreground"))
        more = (("    o", "bold $accent"), (" overwrite it with yours", "$foreground"))
        with Vertical():
            yield Static(Content.assemble(*parts, *keys, *more))

    def action_answer(self, answer: bool) -> None:
        """Leave with the answer."""
        self.dismiss(answer)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOTHING if value in (None, "") else printable(str(value), MOST)
