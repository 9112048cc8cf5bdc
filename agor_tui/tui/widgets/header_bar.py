"""The first line of every screen: the app, its screens, and at the right the database that is open."""

from __future__ import annotations

from textual import events
from textual.reactive import reactive

from agor_tui.database_records import DatabaseInfo
from agor_tui.statuses import Tone
from agor_tui.text import printable
from agor_tui.tui.modes import MAIN_SCREENS
from agor_tui.tui.widgets.line import Line, cells_of

Spans = list[tuple[str, Tone]]

BRAND: Spans = [(" agor-tui ", "accent")]
GAP = 3


class HeaderBar(Line):
    """The header. In a narrow terminal the names of the other screens give way first, then parts of the database:
    the kind of its schema, the app's name, write access (read-only stays), where it was set, its version; at last the
    keys of the other screens.
    """

    BACKGROUND = "surface"
    DEFAULT_CSS = "HeaderBar { dock: top; }"

    info: reactive[DatabaseInfo | None] = reactive(None)
    """The database that is open."""
    state: reactive[str] = reactive("opening…")
    """What is said while none is."""

    def __init__(self, shown: DatabaseInfo | str | None = None) -> None:
        """``shown`` is a database other than the app's, or words in the place of one."""
        super().__init__()
        self._shown = shown

    def on_mount(self) -> None:
        """Follow the app's database, unless another one is to be shown."""
        if isinstance(self._shown, str):
            self.state = self._shown
        elif self._shown is not None:
            self.info = self._shown
        else:
            self.watch(self.app, "info", self._take_info)
            self.watch(self.app, "opening", self._take_opening)

    def _take_info(self, info: DatabaseInfo | None) -> None:
        self.info = info

    def _take_opening(self, opening: bool) -> None:
        self.state = "opening…" if opening else "no database open"

    def spans(self, width: int) -> Spans:
        """The screens at the left, the database at the right."""
        brand, tabs, right = self._arranged(width)
        left = [*brand, *(span for tab in tabs for span in tab)]
        room = max(1, width - cells_of(left) - cells_of(right))
        return [*left, (" " * room, "text"), *right]

    def _arranged(self, width: int) -> tuple[Spans, list[Spans], Spans]:
        """The app's name, a tab for each screen and the database, as much of them as fits."""
        parts = self._parts()
        for brand, others, dropped in (
            (BRAND, "names", ()),
            (BRAND, "keys", ()),
            (BRAND, "keys", ("kind",)),
            ([], "keys", ("kind",)),
            ([], "keys", ("kind", "write")),
            ([], "keys", ("kind", "write", "origin")),
            ([], "keys", ("kind", "write", "origin", "version")),
            ([], "", ("kind", "write", "origin", "version")),
        ):
            tabs = self._tabs(others)
            right = self._database([(text, tone) for name, text, tone in parts if name not in dropped])
            if cells_of(brand) + sum(map(cells_of, tabs)) + GAP + cells_of(right) <= width:
                break
        return brand, tabs, right

    def _tabs(self, others: str) -> list[Spans]:
        """A tab for each screen; ``others`` says what those have that are not shown: names, keys or nothing."""
        here = self.app.current_mode
        tabs: list[Spans] = []
        for mode in MAIN_SCREENS:
            if not others and mode.name != here:
                tabs.append([])
                continue
            tab: Spans = [("  ", "text"), (mode.key, "accent" if mode.name == here else "muted")]
            if others == "names" or mode.name == here:
                tab.append((f" {mode.name.title()}", "strong" if mode.name == here else "muted"))
            tabs.append(tab)
        return tabs

    def _database(self, parts: list[tuple[str, Tone]]) -> Spans:
        right: Spans = [("● ", "success") if self.info or self._shown else ("○ ", "faint")]
        for number, part in enumerate(parts):
            right += [(" · ", "faint"), part] if number else [part]
        return [*right, (" ", "text")]

    def _parts(self) -> list[tuple[str, str, Tone]]:
        """What is said of the database: a name for the part, its text and tone."""
        info = self.info
        if info is None:
            return [("state", self.state, "muted")]
        parts: list[tuple[str, str, Tone]] = [
            ("label", info.label, "text"),
            ("note", _warning(info.note or ""), "warning"),
            ("version", f"{info.dialect} {info.server_version}", "muted"),
            ("read-only", "read-only", "muted") if info.read_only else ("write", "read-write", "muted"),
            ("tenant", f"tenant {info.tenant}" if info.tenant else "", "muted"),
            ("kind", f"{info.kind} schema" if info.kind != "native" else "", "muted"),
            ("origin", info.origin.removesuffix(f" {info.label}"), "faint"),
        ]
        return [(name, printable(text), tone) for name, text, tone in parts if text]

    async def on_click(self, event: events.Click) -> None:
        """A click on a screen goes there, one on the database to the other databases."""
        brand, tabs, right = self._arranged(self.size.width)
        if event.x >= self.size.width - cells_of(right):
            await self.run_action("app.switcher")
            return
        x = cells_of(brand)
        for mode, tab in zip(MAIN_SCREENS, tabs, strict=True):
            if x <= event.x < x + cells_of(tab):
                await self.run_action(f"app.show('{mode.name}')")
            x += cells_of(tab)


def _warning(note: str) -> str:
    """What a database's note is about, in two words; the note itself was shown when it came up."""
    if not note:
        return ""
    return (
        "▲ damaged" if " is damaged" in note else "▲ unreadable rows" if "cannot be read as" in note else "▲ old copy"
    )
