"""The first line of every screen: the app, its screens, and at the right the database that is open."""

from __future__ import annotations

from textual import events
from textual.reactive import reactive

from agor_tui.records import DatabaseInfo
from agor_tui.statuses import Tone
from agor_tui.text import printable
from agor_tui.tui.widgets.line import Line, cells_of

SCREENS = (("1", "Sessions", "app.show_sessions"),)
"""The screens that there are: key, name, action."""


class HeaderBar(Line):
    """The header. What does not fit gives way from the right: origin, read-only, version, then the database."""

    BACKGROUND = "surface"
    DEFAULT_CSS = "HeaderBar { dock: top; }"

    info: reactive[DatabaseInfo | None] = reactive(None)
    """The database that is open."""
    state: reactive[str] = reactive("opening…")
    """What is said while none is."""

    def on_mount(self) -> None:
        """Follow the app's database."""
        self.watch(self.app, "info", self._take_info)
        self.watch(self.app, "opening", self._take_opening)

    def _take_info(self, info: DatabaseInfo | None) -> None:
        self.info = info

    def _take_opening(self, opening: bool) -> None:
        self.state = "opening…" if opening else "no database open"

    def spans(self, width: int) -> list[tuple[str, Tone]]:
        """The tabs at the left, the database at the right."""
        left: list[tuple[str, Tone]] = [(" agor-tui ", "accent")]
        for key, name, _ in SCREENS:
            left += [("  ", "text"), (key, "accent"), (f" {name}", "strong")]
        parts = self._parts()
        while parts:
            right = parts[:1]
            for part in parts[1:]:
                right += [(" · ", "faint"), part]
            room = width - cells_of(left) - cells_of(right) - 3 - 3
            if room >= 0 or len(parts) == 1:
                bullet: tuple[str, Tone] = ("● ", "success") if self.info else ("○ ", "faint")
                return [*left, (" " * max(1, room + 3), "text"), bullet, *right, (" ", "text")]
            parts.pop()
        return left

    def _parts(self) -> list[tuple[str, Tone]]:
        info = self.info
        if info is None:
            return [(self.state, "muted")]
        version = f"{info.dialect} {info.server_version}"
        kind = f"{info.kind} schema" if info.kind != "native" else ""
        access = "read-only" if info.read_only else "read-write"
        tenant = f"tenant {info.tenant}" if info.tenant else ""
        words: list[tuple[str, Tone]] = [(info.label, "text"), (version, "muted"), (access, "muted")]
        words += [(tenant, "muted"), (kind, "muted"), (info.origin, "faint")]
        return [(printable(text), tone) for text, tone in words if text]

    async def on_click(self, event: events.Click) -> None:
        """A click on a screen's name goes there."""
        x = cells_of([(" agor-tui ", "accent")])
        for key, name, action in SCREENS:
            end = x + cells_of([(f"  {key} {name}", "text")])
            if x <= event.x < end:
                await self.run_action(action)
            x = end
