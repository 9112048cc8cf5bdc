"""The settings: how the app looks and behaves, and its keys. A change counts at once and is written to the config."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from agor_tui.cells import fit_end
from agor_tui.config.preferences import DEFAULTS, PAGE_SIZES, Preferences
from agor_tui.errors import AgorError
from agor_tui.statuses import Tone
from agor_tui.text import printable
from agor_tui.tui.asking import ask
from agor_tui.tui.key_map import RESERVED, KeyRow, all_keys, clash, keys_of
from agor_tui.tui.saving import Saver, Value
from agor_tui.tui.screen import AppScreen
from agor_tui.tui.screens.capture import CaptureModal
from agor_tui.tui.screens.choose import Choice, ChooseModal
from agor_tui.tui.screens.confirm import ConfirmModal
from agor_tui.tui.screens.prompt import PromptModal
from agor_tui.tui.setting_rows import Preference, SettingRow, setting_columns, setting_rows
from agor_tui.tui.widgets.find_bar import FindBar
from agor_tui.tui.widgets.header_bar import HeaderBar
from agor_tui.tui.widgets.key_bar import KeyBar
from agor_tui.tui.widgets.line import Line
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.table_pages import ListSource

if TYPE_CHECKING:
    from agor_tui.tui.app import AgorApp

KEYS = Binding.Group("Settings")
NONE = Notice("No setting fits", "", "esc takes the words away")


class FileLine(Line):
    """Where the settings are kept, and whether the last change could be written there."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self._file = printable(file, 400)
        self._said: tuple[str, Tone] = ("", "muted")

    def say(self, text: str, tone: Tone = "muted") -> None:
        """Say what came of the last change."""
        self._said = (printable(text, 400), tone)
        self.refresh()

    def spans(self, width: int) -> list[tuple[str, Tone]]:
        """The complaint takes the place of the path where there is one."""
        text, tone = self._said
        if tone == "error":
            return [(" ✗ ", "error"), (text, "error")]
        lead = " Settings are kept in "
        end = f"   ✓ {text}" if text else ""
        room = max(12, width - len(lead) - len(end) - 1)
        return [(lead, "muted"), (fit_end(self._file, room), "text"), (end, "success")]


class AboutLine(Line):
    """What the setting under the cursor does, or what is wrong with it."""

    BACKGROUND = "surface"

    def __init__(self) -> None:
        super().__init__()
        self._row: SettingRow | None = None

    def show(self, row: SettingRow | None) -> None:
        """Speak of another row."""
        self._row = row
        self.refresh()

    def spans(self, width: int) -> list[tuple[str, Tone]]:
        """Name and sentence."""
        row = self._row
        if row is None:
            return []
        if row.warning:
            return [(" ! ", "warning"), (row.warning, "warning")]
        return [(f" {row.name}", "strong"), (f"  {printable(row.text, 200)}", "muted")]


class SettingsScreen(AppScreen[None]):
    """Every preference and every key, with its value, its default and where it comes from."""

    AUTO_FOCUS = "RecordTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "right,l",
            "step(1)",
            "next value",
            key_display="←→",
            id="settings.next",
            tooltip="The next value",
            group=KEYS,
        ),
        Binding("left,h", "step(-1)", show=False, id="settings.previous", tooltip="The value before", group=KEYS),
        Binding("r", "reset", "default", id="settings.reset", tooltip="Back to the default", group=KEYS),
        Binding("a", "add_key", "add key", id="settings.add", tooltip="One more key for this", group=KEYS),
        Binding(
            "X", "reset_keys", "default keys", id="settings.reset_keys", tooltip="All keys as they were", group=KEYS
        ),
        Binding("slash", "find", "filter", key_display="/", id="settings.find", tooltip="Words to find", group=KEYS),
        Binding("R", "refresh", "refresh", show=False, id="settings.refresh", tooltip="Read the file anew", group=KEYS),
        Binding(
            "escape", "leave", "clear", show=False, id="settings.leave", tooltip="Take the filter away", group=KEYS
        ),
    ]

    app: AgorApp

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[KeyRow, ...] = ()
        self._origins: dict[str, str] = {}
        self._words = ""
        self._saver: Saver | None = None

    def compose(self) -> ComposeResult:
        """Header, where the file is, the settings, what the one under the cursor does, keys."""
        yield HeaderBar()
        yield FileLine(str(self.app.configuration.file))
        table: RecordTable[SettingRow] = RecordTable(setting_columns(), lambda row: row.key)
        table.empty = NONE
        yield table
        yield FindBar()
        yield AboutLine()
        yield KeyBar()

    def on_mount(self) -> None:
        """Follow the preferences, which a command may change too."""
        self._saver = Saver(self, self.app.configuration, self._saved, self._not_saved)
        self.watch(self.app, "preferences", self._show_rows, init=False)
        self._show_rows()
        ask(self, all_keys, self._keys_found, self._not_read)
        self._read_origins()

    @property
    def table(self) -> RecordTable[SettingRow]:
        """The settings."""
        return self.query_one(RecordTable)

    # What is shown

    def _keys_found(self, keys: tuple[KeyRow, ...]) -> None:
        self._keys = keys
        self._show_rows()

    def _read_origins(self) -> None:
        configuration = self.app.configuration

        def read() -> dict[str, str]:
            return {value.key: value.origin for value in configuration.show()}

        def found(origins: dict[str, str]) -> None:
            self._origins = origins
            self._show_rows()

        ask(self, read, found, self._not_read)

    def _not_read(self, error: AgorError) -> None:
        self.query_one(FileLine).say(error.message, "error")

    def _show_rows(self) -> None:
        table = self.table
        unsaved = self._saver.unsaved if self._saver else {}
        rows = setting_rows(self.app.preferences, self._keys, self._origins, unsaved)
        words = self._words.casefold().split()
        fitting = [
            row
            for row in rows
            if all(word in f"{row.area} {row.name} {row.value} {row.text}".casefold() for word in words)
        ]
        current = table.current
        table.show(ListSource(fitting), index=table.cursor, key=current.key if current else None)
        self.query_one(FindBar).say(f"{len(fitting)} of {len(rows)}" if words else "")
        self._show_about()

    def _show_about(self) -> None:
        self.query_one(AboutLine).show(self.table.current)
        self.refresh_bindings()

    @on(RecordTable.Highlighted)
    def _highlighted(self, event: RecordTable.Highlighted[SettingRow]) -> None:
        event.stop()
        self._show_about()

    @on(RecordTable.Changed)
    def _rows_changed(self, event: RecordTable.Changed) -> None:
        event.stop()
        self._show_about()

    # Changing

    def _set(self, key: str, preferences: Preferences, value: Value) -> None:
        """Apply a change now, and write it."""
        self.app.preferences = preferences
        self.query_one(FileLine).say("")
        if self._saver is not None:
            self._saver.save(key, value)

    def _saved(self) -> None:
        if self._saver is not None and not self._saver.unsaved:
            self.query_one(FileLine).say("saved")
        self._read_origins()

    def _not_saved(self, error: AgorError) -> None:
        self.query_one(FileLine).say(f"Not saved, it holds for this run only: {error.message}", "error")
        self.notify(printable(f"{error.message} {error.hint}"), title="Not saved", severity="error", markup=False)
        self._show_rows()

    def _prefer(self, preference: Preference, value: Any) -> None:
        now = replace(self.app.preferences, **{preference.field: value})
        default = value == getattr(DEFAULTS, preference.field)
        self._set(preference.key, now, None if default else value)

    def _map(self, row_id: str, keys: str | None) -> None:
        mapped = {each: key for each, key in self.app.preferences.keys.items() if each != row_id}
        if keys is not None:
            mapped[row_id] = keys
        self._set(f"keys.{row_id}", replace(self.app.preferences, keys=mapped), keys)

    def action_step(self, by: int) -> None:
        """The next of a preference's values."""
        row = self.table.current
        if row is None or not isinstance(row.of, Preference):
            return
        choices = row.of.choices
        now = getattr(self.app.preferences, row.of.field)
        at = choices.index(now) if now in choices else -1 if by > 0 else 0
        self._prefer(row.of, choices[(at + by) % len(choices)])

    @on(RecordTable.Selected)
    def _selected(self, event: RecordTable.Selected[SettingRow]) -> None:
        event.stop()
        of = event.record.of
        if isinstance(of, KeyRow):
            self._capture(of, lambda key: key)
        elif isinstance(of, Preference) and of.field == "time_zone":
            self._choose_zone(of)
        elif isinstance(of, Preference) and of.field == "page_size":
            self._ask_size(of)
        elif isinstance(of, Preference):
            self.action_step(1)

    def _choose_zone(self, of: Preference) -> None:
        def read() -> list[str]:
            from zoneinfo import available_timezones

            return ["local", "UTC", *sorted(available_timezones() - {"local", "UTC", "localtime"})]

        def found(names: list[str]) -> None:
            choices = [Choice(name, name, "this machine's" if name == "local" else "") for name in names]
            current = self.app.preferences.time_zone
            self.app.push_screen(ChooseModal("Time zone", choices, current=current), partial(self._take, of))

        ask(self, read, found, self._not_read)

    def _ask_size(self, of: Preference) -> None:
        def check(text: str) -> str | None:
            if text.isascii() and text.isdecimal() and len(text) < 9 and int(text) in PAGE_SIZES:
                return None
            return f"A whole number from {PAGE_SIZES[0]} to {PAGE_SIZES[-1]:,}."

        def take(text: str | None) -> None:
            self._take(of, None if text is None else int(text))

        value = str(self.app.preferences.page_size)
        self.app.push_screen(PromptModal("Rows that a list reads at once", value=value, check=check), take)

    def _take(self, of: Preference, value: str | int | None) -> None:
        if value is not None:
            self._prefer(of, value)

    def _capture(self, of: KeyRow, made: Callable[[str], str]) -> None:
        keys, mapped = self._keys, self.app.preferences.keys

        def check(key: str) -> str | None:
            if key in RESERVED:
                return "keeps its meaning everywhere: press another."
            taken = clash(of.id, key, keys, mapped)
            return f"is taken by {taken.id}: {taken.text}. Press another." if taken else None

        def take(key: str | None) -> None:
            if key is not None:
                wanted = made(key)
                self._map(of.id, None if wanted == of.keys else wanted)

        self.app.push_screen(CaptureModal(of.id, of.text, check=check), take)

    def action_add_key(self) -> None:
        """One more key for the binding under the cursor."""
        row = self.table.current
        if row is not None and isinstance(row.of, KeyRow):
            present = keys_of(row.of, self.app.preferences.keys)
            self._capture(row.of, lambda key: ",".join(dict.fromkeys([*present, key])))

    def action_reset(self) -> None:
        """The setting under the cursor back to its default."""
        row = self.table.current
        if row is None:
            return
        if isinstance(row.of, Preference):
            self._prefer(row.of, getattr(DEFAULTS, row.of.field))
        else:
            self._map(row.key.removeprefix("keys."), None)

    def action_reset_keys(self) -> None:
        """All keys back to their defaults, after a question."""
        mapped = self.app.preferences.keys
        if not mapped:
            self.notify("All keys are as they were.", timeout=2)
            return

        def answered(sure: bool | None) -> None:
            if sure:
                self._set("keys", replace(self.app.preferences, keys={}), None)

        effect = f"Takes the keys of {len(mapped)} binding{'' if len(mapped) == 1 else 's'} out of the config."
        self.app.push_screen(ConfirmModal("All keys back to their defaults?", [effect], action="reset"), answered)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Values are stepped through, keys are added to."""
        if not self.is_mounted:
            return True
        row = self.table.current
        if action == "step":
            return row is not None and isinstance(row.of, Preference)
        if action == "add_key":
            return row is not None and isinstance(row.of, KeyRow)
        if action == "reset":
            return (row is not None and row.changed) or None
        return True

    # Filter

    def action_find(self) -> None:
        """Type words that the settings shown must have."""
        self.query_one(FindBar).open()

    @on(FindBar.Words)
    def _filtered(self, event: FindBar.Words) -> None:
        event.stop()
        self._words = event.words
        self._show_rows()

    @on(FindBar.Left)
    def _find_left(self, event: FindBar.Left) -> None:
        event.stop()
        self.set_focus(self.table)

    def action_leave(self) -> None:
        """Take the filter away."""
        self.query_one(FindBar).close()

    def action_refresh(self) -> None:
        """Read the file anew: someone may have edited it."""
        configuration = self.app.configuration

        def found(preferences: Preferences) -> None:
            self.app.preferences = preferences
            self._read_origins()

        ask(self, configuration.preferences, found, self._not_read)
