"""The migrations of a database: where it stands, what would run, and running it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.timer import Timer

from agor_tui.config.places import Place, describe
from agor_tui.database_records import MigrationEvent, MigrationPlan, MigrationRun, MigrationStatus, Revision
from agor_tui.errors import AgorError, ReadOnlyError
from agor_tui.services import migrations
from agor_tui.services.memory import key_of
from agor_tui.tui.asking import ask
from agor_tui.tui.migration_job import MigrationJob
from agor_tui.tui.migration_text import applied, earlier, effects_of, has_pending, revision_columns
from agor_tui.tui.screen import AppScreen
from agor_tui.tui.screens.choose import Choice, ChooseModal
from agor_tui.tui.screens.confirm import ConfirmModal
from agor_tui.tui.screens.migration_keys import MIGRATION_BINDINGS
from agor_tui.tui.widgets.header_bar import HeaderBar
from agor_tui.tui.widgets.key_bar import KeyBar
from agor_tui.tui.widgets.migration_pane import MigrationPane
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.standing_line import StandingLine
from agor_tui.tui.widgets.table_pages import ListSource

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser
    from agor_tui.tui.app import AgorApp

TICK = 0.25
READING = Notice("Reading the migrations…", "", "esc stops waiting", "muted")
OPENING = Notice("Opening the database…", "", "", "muted")
LEFT = Notice("Not read", "You left before the database answered.", "R reads again")
NONE = Notice("No migrations", "This database records none that can be shown.")
_WRITES = ("upgrade", "downgrade")


class MigrationsScreen(AppScreen[None]):
    """The revisions of the open database, or of another one that ``show_target`` names."""

    CSS_PATH = "migrations.tcss"
    AUTO_FOCUS = "RecordTable"
    BINDINGS: ClassVar[list[BindingType]] = MIGRATION_BINDINGS

    app: AgorApp

    def __init__(self) -> None:
        super().__init__()
        self._target: str | None = None
        self._named = False
        self._opens = False
        self._request = 0
        self._place: Place | None = None
        self._status: MigrationStatus | None = None
        self._job: MigrationJob | None = None
        self._asking = False
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Header, where it stands, revisions, details, keys."""
        yield HeaderBar()
        yield StandingLine()
        table: RecordTable[Revision] = RecordTable(revision_columns(self.app.moments), _key)
        table.notice = OPENING
        table.empty = NONE
        yield table
        yield MigrationPane()
        yield KeyBar()

    def on_mount(self) -> None:
        """Follow the app's database, and how times are shown."""
        self.watch(self.app, "browser", self._follow)
        self.watch(self.app, "opening", self._opening_changed, init=False)
        self.watch(self.app, "preferences", self._preferred, init=False)

    @property
    def table(self) -> RecordTable[Revision]:
        """The revisions."""
        return self.query_one(RecordTable)

    @property
    def pane(self) -> MigrationPane:
        """The details, or the log."""
        return self.query_one(MigrationPane)

    @property
    def status(self) -> MigrationStatus | None:
        """What was read last."""
        return self._status

    @property
    def job(self) -> MigrationJob | None:
        """The run whose log is shown."""
        return self._job

    @property
    def asking(self) -> bool:
        """Whether the database is being read."""
        return self._asking

    # Which database

    def show_target(self, target: str | None, *, then_open: bool = False) -> None:
        """Show another database than the open one; ``then_open``: open it once it is at the newest revision."""
        self._target, self._named, self._opens = target, True, then_open
        self._anew()

    def _follow(self, browser: Browser | None) -> None:
        if self._named or (self._job and self._job.running):
            return
        if self._job and (browser is None or self._is_here(browser)):
            self._read()
        else:
            self._anew()

    def _is_here(self, browser: Browser) -> bool:
        """Whether it is the database whose log is shown, opened anew."""
        return self._place is not None and key_of(migrations.place_of(browser)) == key_of(self._place)

    def _opening_changed(self, opening: bool) -> None:
        if not opening and self.app.browser is None and not self._named and self._status is None:
            self._read()

    def _anew(self) -> None:
        self._job = None
        self._status = self._place = None
        self.remove_class("-found")
        self.table.say(READING)
        self._read()

    def _source(self) -> Callable[[], Place] | None:
        """How to find the place that is meant; None while a database is being opened."""
        browser = self.app.browser
        if self._named:
            return partial(self.app.configuration.place, self._target)
        if browser is not None:
            return partial(migrations.place_of, browser)
        place = self._place
        if self._job is not None and place is not None:
            return lambda: place  # a downgrade has closed it
        # What could not be opened may be one that is behind: this is where that is put right.
        return None if self.app.opening else partial(self.app.configuration.place, self.app.target)

    def _read(self) -> None:
        source = self._source()
        if source is None:
            self.table.say(OPENING)
            return
        self._request += 1
        request = self._request
        self._asking = True
        self._tell_standing()

        def work() -> tuple[Place, MigrationStatus]:
            place = source()
            return place, migrations.status(place)

        def found(answer: tuple[Place, MigrationStatus]) -> None:
            if request == self._request:
                self._found(*answer)

        def failed(error: AgorError) -> None:
            if request == self._request:
                self._not_found(error)

        ask(self, work, found, failed)

    def _found(self, place: Place, status: MigrationStatus) -> None:
        self._asking = False
        self._place, self._status = place, status
        table = self.table
        current = table.current
        rows = status.revisions
        last = max((n for n, row in enumerate(rows) if row.state != "pending"), default=0)
        pending = next((len(rows) - 1 for row in rows if row.state == "pending"), None)
        table.show(ListSource(rows), index=last if pending is None else pending, key=_key(current) if current else None)
        table.styles.height = max(2, len(rows)) + 1
        self.add_class("-found")
        if self._job is not None and not self._job.running and self._job.failed:
            self._job.stands(status.current)
        self._show_pane()
        self._tell_standing()

    def _not_found(self, error: AgorError) -> None:
        self._asking = False
        if self._job is None:
            self._status = None
            self.remove_class("-found")
            self.table.styles.height = "1fr"
            self.table.say(Notice(error.title, error.message, error.hint, "error"))
        elif not self._job.running:
            self._job.note_unread(error)
            self._show_pane()
        self._tell_standing()

    def _tell_standing(self) -> None:
        self.refresh_bindings()
        self.query_one(StandingLine).tell(self._place, self._status, self._job, self._asking, self._named)

    def _show_pane(self) -> None:
        if self._job is not None:
            self.pane.show_job(self._job, self.app.moments)
        elif self._status is not None:
            self.pane.show_status(self._status, self.table.current, self.app.moments)

    def _preferred(self) -> None:
        self.table.set_columns(revision_columns(self.app.moments))
        self._show_pane()

    @on(RecordTable.Highlighted)
    def _highlighted(self, event: RecordTable.Highlighted[Revision]) -> None:
        event.stop()
        self.refresh_bindings()
        if self._job is None:
            self._show_pane()

    @on(RecordTable.Changed)
    def _changed(self, event: RecordTable.Changed) -> None:
        event.stop()

    @on(RecordTable.Selected)
    def _selected(self, event: RecordTable.Selected[Revision]) -> None:
        event.stop()
        if self.check_action("preview", ()):
            self.action_preview()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Another program's database has nothing to run; nothing else begins while something runs."""
        status = self._status
        ours = status is not None and status.head is not None
        busy = self._job is not None and self._job.running
        if action in (*_WRITES, "preview"):
            if not ours or status is None:
                return False
            if busy or any(row.id == status.current and row.state == "unknown" for row in status.revisions):
                return None
            if action == "upgrade":
                return has_pending(status) or None
            return bool(earlier(status)) or action == "preview" or None
        if action == "refresh":
            return not busy
        if action == "leave":
            return self._job is not None or self._asking or self._named
        return True

    def action_upgrade(self) -> None:
        """Apply what is pending: to the selected revision, else to the newest."""
        row = self.table.current
        self._plan(row.id if row is not None and row.state == "pending" else "head", self._confirm)

    def action_downgrade(self) -> None:
        """Ask how far to go back, then whether."""
        self._choose_earlier("Undo down to", lambda target: self._plan(target, self._confirm))

    def action_preview(self) -> None:
        """The SQL of going to the selected revision; on the present one, of what is pending, else of going back."""
        row, present = self.table.current, applied(self._status)[-1:]
        if row is not None and row.state != "unknown" and row.id not in present:
            self._plan(row.id, self._show_sql)
        elif has_pending(self._status):
            self._plan("head", self._show_sql)
        else:
            self._choose_earlier("SQL of undoing down to", lambda target: self._plan(target, self._show_sql))

    def _choose_earlier(self, title: str, then: Callable[[str], None]) -> None:
        targets = earlier(self._status)
        if len(targets) == 1:
            then(targets[0])
            return
        names = {row.id: row.name for row in self._status.revisions} if self._status else {}
        choices = [Choice(each, f"{each}  {names.get(each, 'undo all: no table is left')}") for each in targets]
        row = self.table.current
        current = row.id if row is not None and row.id in targets else targets[0]

        def chosen(target: str | None) -> None:
            if target is not None:
                then(target)

        self.app.push_screen(ChooseModal(title, choices, current=current), chosen)

    def action_copy(self) -> None:
        """Copy the path of the backup where one was made, else the id of the revision."""
        row = self.table.current
        text = self._job.backup if self._job is not None and self._job.backup else row.id if row else ""
        if text:
            self.app.copy_to_clipboard(text)
            self.notify(f"Copied {text}", markup=False)

    def action_refresh(self) -> None:
        """Read anew."""
        if self._status is None:
            self._anew()
        else:
            self._read()

    def action_leave(self) -> None:
        """Stop the run, else waiting, else close the log, else go back to the open database."""
        if self._job is not None and self._job.running:
            self._job.stop()
            self._show_pane()
            self._tell_standing()
        elif self._asking:
            self._request += 1
            self._asking = False
            if self._status is None:
                self.table.say(LEFT)
            self._tell_standing()
        elif self._job is not None:
            self._job = None
            self._show_pane()
            self._tell_standing()
        elif self._named:
            self._target, self._named, self._opens = None, False, False
            self._anew()

    # Running

    def _plan(self, target: str, then: Callable[[Place, MigrationPlan], None]) -> None:
        place = self._place
        if place is None:
            return
        self._request += 1
        request = self._request
        self._asking = True
        self._tell_standing()

        def planned(plan: MigrationPlan) -> None:
            if request == self._request:
                self._asking = False
                self._tell_standing()
                then(place, plan)

        def failed(error: AgorError) -> None:
            if request == self._request:
                self._asking = False
                self._tell_standing()
                self.app.show_error(error)

        ask(self, lambda: migrations.plan(place, target), planned, failed)

    def _show_sql(self, place: Place, plan: MigrationPlan) -> None:
        from agor_tui.tui.screens.sql import SqlScreen

        if plan.sql.strip():
            verb = "Upgrade" if plan.way == "upgrade" else "Downgrade"
            title = f"{verb} of {migrations.name_of(place)} from {plan.start} to {plan.target}"
            self.app.push_screen(SqlScreen(title, plan.sql))
        else:
            self.notify(f"Nothing would run: it is at {plan.target}.", markup=False)

    def _confirm(self, place: Place, plan: MigrationPlan) -> None:
        name = migrations.name_of(place)
        if place.read_only:
            self.app.show_error(
                ReadOnlyError(
                    f"{describe(place)} is open for reading only.",
                    "Open it for writing: without --read-only, and with readOnly: false in the config.",
                )
            )
            return
        if not plan.revisions:
            self.notify(f"Nothing to do: it is at {plan.target}.", markup=False)
            self._read()
            return
        verb = "Upgrade" if plan.way == "upgrade" else "Downgrade"
        question = f"{verb} {name} from {plan.start} to {plan.target}?"

        def answered(sure: bool | None) -> None:
            if sure:
                self._start(place, plan)

        self.app.push_screen(ConfirmModal(question, effects_of(plan, place), action=verb.lower(), word=name), answered)

    def _start(self, place: Place, plan: MigrationPlan) -> None:
        job = MigrationJob(plan, place, self.app.clock, self._deliver)
        self._job = job
        self._timer = self.set_interval(TICK, self._tell_standing)
        self._show_pane()
        self._tell_standing()
        ask(self, job.run, partial(self._ended, job), partial(self._failed, job))

    def _deliver(self, job: MigrationJob, event: MigrationEvent) -> None:
        # In the thread of the run.
        self.call_later(self.told, job, event)

    def told(self, job: MigrationJob, event: MigrationEvent) -> None:
        """Something happened in the run."""
        job.take(event)
        if job is self._job:
            self._show_pane()
            self._tell_standing()

    def _ended(self, job: MigrationJob, run: MigrationRun) -> None:
        job.end(run)
        self._over(job, changed=bool(run.revisions))

    def _failed(self, job: MigrationJob, error: AgorError) -> None:
        job.fail(error)
        self._over(job, changed=job.done > 0)

    def _over(self, job: MigrationJob, *, changed: bool) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._show_pane()
        self._read()
        self.refresh_bindings()
        if not changed:
            return
        if self._named:
            if self._opens and not job.failed and job.plan.way == "upgrade":
                self._named = self._opens = False
                self.app.switch_to(self._target)
        else:
            self.app.schema_changed(readable=job.plan.way == "upgrade" and not job.failed)


def _key(revision: Revision) -> str:
    return f"{revision.id} {revision.name} {revision.applied_at}"
