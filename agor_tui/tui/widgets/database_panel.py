"""The database under the cursor in whole: how it stands and what can be done at the left, its facts at the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from agor_tui.cells import wrapped
from agor_tui.config.places import PostgresPlace, describe
from agor_tui.text import NOTHING, byte_size, count, duration, printable
from agor_tui.tui.database_rows import DatabaseRow, dialect_of, is_read_only, latency_text, state_words

MOST = 2_000
"""Characters of a text that are shown."""
LABEL = 8

Keys = Callable[[], Sequence[tuple[str, str]]]
"""The keys that apply to the database shown, and what they do."""


class DatabasePanel(Horizontal):
    """The state, the whole error and the keys; beside them (below them where it is narrow) the facts."""

    DEFAULT_CSS = """
    DatabasePanel { height: auto; border-top: solid $rule; overflow-y: auto; scrollbar-size-vertical: 1; }
    DatabasePanel Static { width: 1fr; height: auto; padding: 0 1; }
    """
    can_focus = False

    def __init__(self, keys: Keys, when: Callable[[datetime], str]) -> None:
        super().__init__()
        self._keys = keys
        self._when = when
        self._row: DatabaseRow | None = None
        self._note = ""
        self._width = 0

    def compose(self) -> ComposeResult:
        """Two texts."""
        yield Static(id="state", markup=False)
        yield Static(id="facts", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        """The keys are wrapped between them, once the parts have their new widths."""
        if event.size.width != self._width:
            self._width = event.size.width
            self.call_after_refresh(lambda: self.show(self._row, self._note))

    def show(self, row: DatabaseRow | None, note: str = "") -> None:
        """Show a database; None shows nothing. ``note`` is what else is to be known of it."""
        self._row, self._note = row, note
        self.set_class(row is None, "-empty")
        facts, state = self.query_one("#facts", Static), self.query_one("#state", Static)
        facts.update(_assembled(self._facts(row), facts.size.width - 2) if row else "")
        state.update(Content.assemble(*self._state(row, state.size.width - 2)) if row else "")

    def _facts(self, row: DatabaseRow) -> list[tuple[str, str]]:
        place, survey = row.place, row.survey
        what = [f"{survey.info.dialect} {survey.info.server_version}" if survey else dialect_of(row) if place else ""]
        if survey is not None:
            what.append(survey.info.kind)
            if survey.info.kind not in ("empty", "unknown"):
                what.append(f"looked after by {survey.info.owner}")
            if survey.size is not None:
                what.append(byte_size(survey.size))
        synced_at = survey.synced_at if survey else None
        tenant = survey.info.tenant if survey else place.tenant if isinstance(place, PostgresPlace) else None
        return [
            ("place", describe(place) if place else NOTHING),
            ("set in", row.database.origin + (" · opens by default" if row.database.is_default else "")),
            ("what", " · ".join(part for part in what if part)),
            ("ssl", _ssl(place) if isinstance(place, PostgresPlace) and not place.embedded else ""),
            ("schema", place.schema or "" if isinstance(place, PostgresPlace) else ""),
            ("tenant", tenant or ""),
            ("access", _access(row)),
            ("copy", f"last up to date: {self._when(synced_at)}" if synced_at else self._note),
            ("opened", self._when(row.opened_at) if row.opened_at else ""),
        ]

    def _state(self, row: DatabaseRow, width: int) -> list[tuple[str, str]]:
        glyph, tone, words = state_words(row)
        message, hint = _failure(row)
        parts: list[tuple[str, str]] = [(f"{glyph} ", f"${tone}"), (message or words, "$foreground")]
        if hint:
            parts.append((f"\n{hint}", "$muted"))
        survey = row.survey
        if survey is not None:
            sessions = survey.sessions
            held = f"{count(sessions.value)}{'' if sessions.exact else '+'} sessions · " if sessions else ""
            answered = f"answers in {latency_text(survey.latency_ms)}, opened in {duration(survey.connect_ms)}"
            parts.append((f"\n{held}{'in the local copy' if survey.away else answered}", "$muted"))
        room = 0
        # Where it is narrow the facts need the lines, and the key bar has the keys.
        for number, (key, word) in enumerate(self._keys() if self.screen.has_class("-wide") else ()):
            cells = cell_len(key) + cell_len(word) + 4
            apart = "\n\n" if not number else "\n" if cells > room else "   "
            room = (width if "\n" in apart else room) - cells
            parts += [(apart, ""), (key, "$accent"), (f" {word}", "$muted")]
        return parts


def _failure(row: DatabaseRow) -> tuple[str, str]:
    """What is wrong, in whole, and what to do."""
    if row.database.error:
        return printable(row.database.error, MOST), "Mend it in the config file."
    if row.error is not None:
        hint = "Set it up here, or check where it should be." if row.may("set_up") else row.error.hint
        return printable(row.error.message, MOST), printable(hint, MOST)
    if row.survey is not None and row.survey.away:
        return printable(row.survey.away, MOST), "Its local copy opens; changes need the server."
    behind = row.survey is not None and row.survey.schema.state == "behind"
    return "", "It opens once it is migrated." if behind else ""


def _access(row: DatabaseRow) -> str:
    if not is_read_only(row):
        return "read and write" if row.survey else ""
    if row.place and row.place.read_only:
        return "read-only, as its settings say"
    if row.survey and row.survey.info.access.obstacle:
        return f"read-only: {row.survey.info.access.obstacle}"
    return "read-only: another program owns it" if row.survey and row.survey.info.kind != "native" else "read-only"


def _ssl(place: PostgresPlace) -> str:
    ssl = place.ssl
    named = [f"{word} {path}" for word, path in (("ca", ssl.ca), ("cert", ssl.cert)) if path]
    return ", ".join((ssl.mode or "if the server offers it", *named))


def _assembled(facts: Sequence[tuple[str, str]], width: int) -> Content:
    parts: list[tuple[str, str]] = []
    for label, text in facts:
        if text:
            shown = f"\n{' ' * LABEL}".join(wrapped(printable(text, MOST), max(LABEL, width - LABEL)))
            parts += [(f"{label:<{LABEL}}", "$faint"), (f"{shown}\n", "$foreground")]
    return Content.assemble(*parts).rstrip()
