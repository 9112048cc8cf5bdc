"""The databases screen: every database of the settings, what it holds, how it stands, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from agor_tui.config.places import Place, PostgresPlace, describe
from agor_tui.config.resolve import DEFAULT_NAME
from agor_tui.database_records import DatabaseInfo, DatabaseSurvey
from agor_tui.errors import AgorError
from agor_tui.text import printable
from agor_tui.tui.asking import ask
from agor_tui.tui.database_rows import DatabaseRow, database_columns, mark_open, rows_of, targets_of, text_of
from agor_tui.tui.moments import CELLS, RELATIVE_CELLS
from agor_tui.tui.screen import AppScreen
from agor_tui.tui.screens.database_keys import DATABASE_BINDINGS, KEYS, ON_ONE
from agor_tui.tui.widgets.database_panel import DatabasePanel
from agor_tui.tui.widgets.databases_summary import DatabasesSummary
from agor_tui.tui.widgets.find_bar import FindBar
from agor_tui.tui.widgets.header_bar import HeaderBar
from agor_tui.tui.widgets.key_bar import KeyBar
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.table_columns import Column
from agor_tui.tui.widgets.table_pages import ListSource

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser
    from agor_tui.tui.app import AgorApp

FRESH_S = 10.0
"""Answers younger than this are not asked for again when the screen comes back into sight."""
MINUTE = 60

READING = Notice("Reading the settings…", "", "", "muted")
NONE = Notice("No database is named in the config file", "", "w finds or makes one step by step, a adds one")


class DatabasesScreen(AppScreen[None]):
    """All databases at once, each looked at in a thread of its own."""

    CSS_PATH = "databases.tcss"
    HORIZONTAL_BREAKPOINTS = [(110, "-wide")]
    VERTICAL_BREAKPOINTS = [(18, "-tall")]
    AUTO_FOCUS = "RecordTable"

    BINDINGS: ClassVar[list[BindingType]] = DATABASE_BINDINGS

    app: AgorApp

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[DatabaseRow] = []
        self._words = ""
        self._request = 0
        self._asked_at = float("-inf")

    def compose(self) -> ComposeResult:
        """Header, numbers, list, panel, keys."""
        yield HeaderBar()
        yield DatabasesSummary(str(self.app.configuration.file))
        yield FindBar()
        table: RecordTable[DatabaseRow] = RecordTable(self._columns(), lambda row: row.key)
        table.notice = READING
        yield table
        yield DatabasePanel(self._keys_of_current, self.app.moments.text)
        yield KeyBar()

    def on_mount(self) -> None:
        """Follow the app's database."""
        self.watch(self.app, "browser", self._database_opened, init=False)
        self.watch(self.app, "opening", self._redraw, init=False)
        self.watch(self.app, "info", self._redraw, init=False)
        self.watch(self.app, "upkept", self._upkept, init=False)
        self.watch(self.app, "preferences", lambda: self.table.set_columns(self._columns()), init=False)
        self.watch(self.table, "cursor", self._show_current, init=False)
        self.set_interval(MINUTE, self._redraw)

    def on_screen_resume(self) -> None:
        """Ask the databases, unless they were asked a moment ago."""
        if monotonic() - self._asked_at > FRESH_S:
            self.ask_all()

    def _upkept(self) -> None:
        """What was told of the databases may be true no more."""
        self._asked_at = float("-inf")
        if self.is_current:
            self.ask_all()

    @property
    def table(self) -> RecordTable[DatabaseRow]:
        """The list."""
        return self.query_one(RecordTable)

    def _columns(self) -> Sequence[Column[DatabaseRow]]:
        moments = self.app.moments
        return database_columns(moments.cell, RELATIVE_CELLS if moments.relative else CELLS)

    # The databases

    def ask_all(self, key: str | None = None) -> None:
        """Read the settings and look at every database anew; ``key`` is the row to stand on."""
        from agor_tui.services.memory import Memory

        self._request += 1
        self._asked_at = monotonic()
        request, configuration = self._request, self.app.configuration
        opened = self._opened()

        def read() -> list[DatabaseRow]:
            return rows_of(configuration.databases(), Memory().load(), opened)

        def found(rows: list[DatabaseRow]) -> None:
            if request == self._request:
                self._take_rows(rows, key)

        def failed(error: AgorError) -> None:
            if request == self._request:
                self._rows = []
                self.table.say(Notice(error.title, error.message, error.hint, "error"))
                self._redraw()

        ask(self, read, found, failed)

    def _opened(self) -> tuple[DatabaseInfo, Place, str | None] | None:
        browser, info = self.app.browser, self.app.info
        return (info, browser.store.database.place, self.app.target) if browser and info else None

    def _take_rows(self, rows: list[DatabaseRow], key: str | None) -> None:
        """The settings are read: what was known of each database stays until it has answered."""
        before = {row.key: row for row in self._rows}
        for row in rows:
            known = before.get(row.key)
            if known is not None:
                row.marked = known.marked
                if known.place == row.place:
                    row.survey, row.error = known.survey, known.error
        self._rows = rows
        self._show_rows(key)
        for row in rows:
            if row.place is not None:
                self._look_at(row)

    def _look_at(self, row: DatabaseRow) -> None:
        from agor_tui.services.overview import look

        row.asking = True
        find = self._finder(row)

        def answered(survey: DatabaseSurvey) -> None:
            row.survey, row.error, row.asking = survey, None, False
            self._redraw()

        def failed(error: AgorError) -> None:
            row.survey, row.error, row.asking = None, error, False
            self._redraw()

        ask(self, lambda: look(find), answered, failed)

    def _finder(self, row: DatabaseRow) -> Callable[[], Place]:
        """What fetches the place of a database with its password."""
        configuration, database = self.app.configuration, row.database
        place = database.place
        if place is not None and not row.in_file and row.is_open:
            return lambda: place
        return lambda: configuration.place(database.target)

    def _show_rows(self, key: str | None = None) -> None:
        table = self.table
        words = self._words.casefold().split()
        fitting = [row for row in self._rows if all(word in text_of(row) for word in words)]
        table.empty = Notice("No database fits", f"None has {self._words.strip()}", "esc shows all") if words else NONE
        if key is None:
            current = table.current
            opened = next((row for row in fitting if row.is_open), None)
            key = current.key if current else opened.key if opened else None
        table.show(ListSource(fitting), index=table.cursor, key=key)
        self.query_one(FindBar).say(f"{len(fitting)} of {len(self._rows)}" if words else "")
        self._redraw()

    def _redraw(self) -> None:
        self.table.redraw()
        self.query_one(DatabasesSummary).show(self._rows)
        self._show_current()

    def _show_current(self) -> None:
        row, info = self.table.current, self.app.info
        self.query_one(DatabasePanel).show(row, (info.note or "") if row and info and row.is_open else "")
        self.refresh_bindings()

    @on(RecordTable.Highlighted)
    def _highlighted(self, event: RecordTable.Highlighted[DatabaseRow]) -> None:
        event.stop()
        self._show_current()

    def _database_opened(self, browser: Browser | None) -> None:
        """Mark the one that is open now; one without a name has a row only while it is open."""
        opened = self._opened()
        if opened is None or not self._rows:
            return
        mark_open(self._rows, opened[0], opened[1])
        known = any(row.is_open for row in self._rows)
        if known and all(row.in_file or row.database.is_default for row in self._rows):
            now = self.app.clock()
            for row in self._rows:
                row.opened_at = now if row.is_open else row.opened_at
            self._redraw()
        else:
            self.ask_all()

    # Filter

    def action_find(self) -> None:
        """Type words that the databases shown must have."""
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

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What does not apply to the database under the cursor is grey."""
        if not self.is_mounted or (action not in ON_ONE and action != "mark"):
            return True
        row = self.table.current
        return (row is not None and row.may(action)) or None

    def _keys_of_current(self) -> list[tuple[str, str]]:
        """The keys that apply to the database under the cursor, as the panel shows them."""
        row = self.table.current
        if row is None:
            return []
        keys = {"": ("⏎", "switch to it")} if row.may("switch") and not row.is_open else {}
        for active in self.active_bindings.values():
            binding = active.binding
            if binding.action in ON_ONE and binding.group is KEYS and row.may(binding.action):
                keys.setdefault(binding.action, (self.app.get_key_display(binding), binding.description))
        return list(keys.values())

    @on(RecordTable.Selected)
    def _selected(self, event: RecordTable.Selected[DatabaseRow]) -> None:
        event.stop()
        row = event.record
        if row.is_open and self.app.info is not None and row.database.target is None:
            self.notify(f"{printable(row.name)} is open already", markup=False)
        elif row.may("switch"):
            self.app.switch_to(row.database.target)

    def action_read_only(self) -> None:
        """Switch to it for reading only."""
        row = self.table.current
        if row is not None:
            self.app.switch_to(row.database.target, read_only=True)

    def action_add(self) -> None:
        """Add a database to the config."""
        from agor_tui.tui.screens.database_edit import DatabaseEditScreen

        row = self.table.current
        unnamed = row is not None and row.is_open and not row.in_file
        taken = [each.database.name for each in self._rows if each.database.name]
        screen = DatabaseEditScreen(
            self.app.configuration, None, taken=taken, place=row.place if row and unnamed else None
        )
        self.app.push_screen(screen, self._written)

    def action_edit(self) -> None:
        """Edit the settings of a database."""
        from agor_tui.tui.screens.database_edit import DatabaseEditScreen

        row = self.table.current
        if row is not None:
            self.app.push_screen(DatabaseEditScreen(self.app.configuration, row.database), self._written)

    def _written(self, name: str | None) -> None:
        """The config was written, about the database of this name."""
        if name is not None:
            self.ask_all(self._key_of(name))

    def _key_of(self, name: str) -> str | None:
        file = self.app.configuration.file.name
        return f"{file}: databases\n{name}" if name != DEFAULT_NAME else f"{file}: database\n{name}"

    def action_test(self) -> None:
        """Test the connection, each step shown."""
        from agor_tui.tui.screens.database_test import DatabaseTestModal

        row = self.table.current
        if row is not None:
            self.app.push_screen(DatabaseTestModal(row.name, self._finder(row)), lambda _: self._look_at(row))

    def action_remove(self) -> None:
        """Take a database out of the config, after asking."""
        from agor_tui.tui.screens.confirm import ConfirmModal

        row = self.table.current
        if row is None or row.database.name is None:
            return
        configuration, name, seen = self.app.configuration, row.database.name, row.database
        effects = [f"Its entry is taken out of {configuration.file}. The database itself is not touched."]
        if row.database.password.kind == "keyring":
            effects.append("Its password is taken out of the system keyring.")
        if row.is_open:
            effects.append("It stays open until you switch to another one.")

        def answered(yes: bool | None) -> None:
            if yes:
                self._change(lambda: configuration.remove(name, seen=seen), f"{name} is no longer in the config")

        self.app.push_screen(ConfirmModal(f"Remove {name} from the config?", effects, action="remove it"), answered)

    def action_default(self) -> None:
        """Let it open where no database is named."""
        row = self.table.current
        if row is not None and row.database.name is not None:
            configuration, name = self.app.configuration, row.database.name
            self._change(lambda: configuration.use(name), f"{name} opens by default now")

    def action_set_up(self) -> None:
        """Make the tables of agor-tui in an empty database, or make the database, after asking."""
        from agor_tui.tui.screens.confirm import ConfirmModal

        row = self.table.current
        if row is None or row.place is None:
            return
        find, name = self._finder(row), row.name
        effect = "It does not exist yet and is made." if row.absent else "It is empty; nothing in it is lost."

        def init() -> None:
            from agor_tui.services import migrations

            migrations.init(find())

        def answered(yes: bool | None) -> None:
            if yes:
                row.asking, row.survey, row.error = True, None, None
                self._redraw()
                self._change(init, f"{name} is ready", lambda: self._look_at(row))

        title = f"Set up {name} for agor-tui?"
        effects = (effect, f"agor-tui makes its tables in {describe(row.place)}.")
        self.app.push_screen(ConfirmModal(title, effects, action="set it up"), answered)

    def _change(self, work: Callable[[], str | None], done: str, after: Callable[[], None] | None = None) -> None:
        """Change the config or a database in a thread, then say so, and what it warns of, and show what came of it."""

        def changed(warning: str | None) -> None:
            self.notify(printable(done), markup=False)
            if warning:
                self.notify(printable(warning), severity="warning", timeout=10, markup=False)
            (after or self.ask_all)()

        def failed(error: AgorError) -> None:
            (after or self.ask_all)()
            self.app.show_error(error)

        ask(self, work, changed, failed)

    async def action_migrations(self) -> None:
        """Show the revisions of a database, on the screen for that."""
        from agor_tui.tui.screens.migrations import MigrationsScreen

        row = self.table.current
        if row is not None:
            await self.app.action_show("migrations")
            screen = self.app.screen
            if isinstance(screen, MigrationsScreen) and not row.is_open:
                screen.show_target(row.database.target)

    def action_upkeep(self) -> None:
        """Look after a database: copy it, back it up and the like."""
        from agor_tui.tui.upkeep.begin import choose
        from agor_tui.tui.upkeep.task import Subject

        row = self.table.current
        if row is not None and row.place is not None:
            app = self.app
            choose(
                app, Subject(row.name, row.place, self._finder(row), app.configuration, app.moments.now(), row.is_open)
            )

    def action_mark(self) -> None:
        """Mark the database, or take the mark away, and go on to the next."""
        row = self.table.current
        if row is not None:
            row.marked = not row.marked
            self.table.action_cursor(1)
            self._redraw()

    def action_all(self) -> None:
        """The sessions of several databases in one list: of those that are marked, else of all that there are."""
        from agor_tui.tui.screens.all_sessions import AllSessionsScreen

        chosen = [row for row in self._rows if row.marked] or [row for row in self._rows if row.expected]
        if targets := targets_of(chosen):
            self.app.push_screen(AllSessionsScreen(targets))

    def action_copy(self) -> None:
        """Copy where the database is."""
        row = self.table.current
        if row is not None and row.place is not None:
            place = describe(row.place)
            if isinstance(row.place, PostgresPlace) and (row.place.host or "/")[0] != "/":
                place = f"postgresql://{place}"
            self.app.copy_to_clipboard(place)
            self.notify(f"Copied {printable(place)}", markup=False)

    def action_refresh(self) -> None:
        """Ask all databases again."""
        self.ask_all()

    def action_leave(self) -> None:
        """Stop waiting for a database that is being opened; else take the filter away, then the marks."""
        if self.app.opening:
            self.app.leave_opening()
        elif self._words:
            self.query_one(FindBar).close()
        else:
            for row in self._rows:
                row.marked = False
            self._redraw()
