"""Adding a database to the config, and editing one that is there; nothing is written before all of it is well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from agor_tui.config.connection import ConnectionFields, FormKind, of_place
from agor_tui.config.passwords import PasswordHome
from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, Secret, describe
from agor_tui.config.resolve import DEFAULT_NAME
from agor_tui.errors import AgorError, ConfigChangedError, ConfigError
from agor_tui.services.configuration import Configuration, NamedDatabase
from agor_tui.text import printable
from agor_tui.tui.asking import ask
from agor_tui.tui.screen import Dialog
from agor_tui.tui.widgets.connection_form import ConnectionForm
from agor_tui.tui.widgets.form_field import ChoiceLine, FormInput, FormRow

if TYPE_CHECKING:
    from agor_tui.tui.app import AgorApp

KINDS: tuple[tuple[FormKind, str], ...] = (
    ("sqlite", "SQLite"),
    ("postgresql", "PostgreSQL"),
    ("embedded", "PostgreSQL here"),
    ("libsql", "libSQL"),
)
HomeKind = Literal["none", "file", "variable", "command", "keyring"]
HOMES = (
    ("none", "nowhere"),
    ("keyring", "keyring"),
    ("variable", "variable"),
    ("command", "command"),
    ("file", "file"),
)
ACCESS = (("write", "read and write"), ("read", "read-only"))
DETAILS = {"variable": "the variable's name, such as TEAM_PASSWORD", "command": "a command that prints it"}
UNCHANGED = "unchanged"


class DatabaseEditScreen(Dialog[str | None]):
    """Answers with the name of what was written, None when left. ``seen`` is the database to edit; None adds one.

    ``taken`` are the names that there are; ``place`` is where a database to add is, as far as that is known.
    """

    CSS = """
    DatabaseEditScreen { align: center middle; background: $background 60%; }
    DatabaseEditScreen > Vertical {
        width: 90; max-width: 98%; height: auto; max-height: 96%;
        background: $background; border: round $rule; padding: 0 2;
    }
    DatabaseEditScreen VerticalScroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
    DatabaseEditScreen Static { height: auto; }
    DatabaseEditScreen .title { margin-bottom: 1; }
    DatabaseEditScreen #failure { color: $error; display: none; margin-top: 1; }
    DatabaseEditScreen.-failed #failure { display: block; }
    DatabaseEditScreen .keys { margin-top: 1; }
    DatabaseEditScreen .password { height: auto; display: none; }
    DatabaseEditScreen.-with-password .password { display: block; }
    DatabaseEditScreen #row-detail { display: none; }
    DatabaseEditScreen.-with-detail #row-detail { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "cancel", id="database_edit.leave", tooltip="Write nothing"),
        Binding("f5", "test", "test", id="database_edit.test", tooltip="Test the connection", priority=True),
    ]

    app: AgorApp

    def __init__(
        self,
        configuration: Configuration,
        seen: NamedDatabase | None,
        *,
        taken: Sequence[str] = (),
        place: Place | None = None,
    ) -> None:
        super().__init__()
        self._configuration = configuration
        self._seen = seen
        self._fields = _shown(seen.place if seen else place)
        self._taken = tuple(taken)
        self._testing = False
        self._touched = False
        self._busy = False

    @property
    def form(self) -> ConnectionForm:
        """The fields of the connection."""
        return self.query_one(ConnectionForm)

    def compose(self) -> ComposeResult:
        """What it is about, the fields, where the password is kept, the access, what went wrong, the keys."""
        seen = self._seen
        title = ("Edit ", seen.name or DEFAULT_NAME) if seen else ("Add a database to ", self._configuration.file.name)
        home = seen.password if seen else PasswordHome("none")
        reads = bool(seen and seen.place and seen.place.read_only)
        with Vertical():
            words = Content.assemble((title[0], "$muted"), (printable(title[1], 200), "bold"))
            yield Static(words, classes="title")
            with VerticalScroll(can_focus=False):
                if seen is None:
                    yield FormRow(("Kind", ChoiceLine("kind", KINDS, self._fields.kind)))
                yield self._make_form()
                with Vertical(classes="password"):
                    yield FormRow(("Password in", ChoiceLine("home", HOMES, home.kind)))
                    yield FormRow(("", FormInput("detail", home.detail)), id="row-detail")
                yield FormRow(("Access", ChoiceLine("access", ACCESS, "read" if reads else "write")))
                yield Static("", id="failure", markup=False)
            yield Static(self._keys(), classes="keys")

    def _keys(self) -> Content:
        parts = []
        for key, word in (("⏎", "write it"), ("f5", "test"), ("⇥", "next field"), ("esc", "cancel")):
            parts += [(key, "bold $accent"), (f" {word}    ", "$muted")]
        return Content.assemble(*parts)

    def _make_form(self) -> ConnectionForm:
        seen = self._seen
        return ConnectionForm(
            self._fields, taken=self._taken if seen is None else None, base=seen.place if seen else None
        )

    def on_mount(self) -> None:
        """Show the fields that the kind has, and begin in the first one."""
        self._show_rows()
        self.form.focus_first()

    # Typing

    @on(ChoiceLine.Changed)
    async def _chosen(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        self._touched = True
        if event.name == "kind":
            old = self.form
            kind = cast("FormKind", event.value)
            self._fields = ConnectionFields(kind, old.fields.name)
            form = self._make_form()
            await self.query_one(VerticalScroll).mount(form, before=old)
            if self.focused is not None and old in self.focused.ancestors:  # a key came before the new fields did
                form.focus_first()
            await old.remove()
        self._show_rows()

    @on(ConnectionForm.Changed)
    def _typed(self, event: ConnectionForm.Changed) -> None:
        event.stop()
        self._touched = True

    @on(Input.Changed)
    def _detail_typed(self, event: Input.Changed) -> None:
        event.stop()
        self._touched = self._touched or event.input.has_focus

    def _show_rows(self) -> None:
        """Show the fields that this kind of database and this home of its password have."""
        home = self._choice("home")
        self.set_class(self.form.fields.kind == "postgresql", "-with-password")
        self.set_class(home in DETAILS, "-with-detail")
        self.query_one("#field-detail", FormInput).placeholder = DETAILS.get(home, "")
        if self._seen is not None and self._seen.place is not None:
            for name, secret in (("password", _password(self._seen)), ("token", _token(self._seen))):
                for line in self.form.query(f"#field-{name}").results(FormInput):
                    line.placeholder = UNCHANGED if secret else line.placeholder

    def _choice(self, name: str) -> str:
        return self.query_one(f"#field-{name}", ChoiceLine).value

    # Going on

    @on(Input.Submitted)
    @on(ChoiceLine.Submitted)
    def _enter(self, event: Message) -> None:
        event.stop()
        self._testing = False
        self.form.submit()

    def action_test(self) -> None:
        """Test the connection as it is typed."""
        self._testing = True
        self.form.submit()

    @on(ConnectionForm.Submitted)
    def _checked(self, event: ConnectionForm.Submitted) -> None:
        event.stop()
        testing, self._testing = self._testing, False
        place = self._whole(event.place)
        if testing:
            from agor_tui.tui.screens.database_test import DatabaseTestModal

            self.app.push_screen(DatabaseTestModal(place.label, self._finder(place)))
            return
        home = self._home()
        complaint = self._home_complaint(home, event.fields) if isinstance(place, PostgresPlace) else ""
        row = self.query_one("#row-detail", FormRow) if home.kind in DETAILS else self._row_of("home")
        row.complain(row.names[0], complaint)
        if not complaint:
            self._write(place, home)
        else:
            self.query_one(f"#field-{row.names[0]}").focus()

    def _row_of(self, name: str) -> FormRow:
        return next(row for row in self.query(FormRow) if name in row.names)

    def _whole(self, place: Place) -> Place:
        """The place with what the connection's fields do not say: the access, and a token that was not typed anew."""
        place = replace(place, read_only=self._choice("access") == "read")
        if isinstance(place, LibsqlPlace) and place.auth_token is None and self._seen is not None:
            return replace(place, auth_token=_token(self._seen))
        return place

    def _finder(self, place: Place) -> Callable[[], Place]:
        """What fetches the place as it is typed, with the password from where it is kept."""
        seen, configuration = self._seen, self._configuration
        if seen is None or not isinstance(place, PostgresPlace) or place.password is not None:
            return lambda: place

        def find() -> Place:
            kept = configuration.place(seen.target)
            return replace(place, password=kept.password) if isinstance(kept, PostgresPlace) else place

        return find

    def _home(self) -> PasswordHome:
        kind = self._choice("home") if self.form.fields.kind == "postgresql" else "none"
        detail = self.query_one("#field-detail", FormInput).value.strip() if kind in DETAILS else ""
        return PasswordHome(cast("HomeKind", kind), detail)

    def _home_complaint(self, home: PasswordHome, fields: ConnectionFields) -> str:
        if home.kind in DETAILS:
            if not home.detail:
                return f"Give {DETAILS[home.kind]}."
            return "The password is fetched from there: leave its own field empty." if fields.password else ""
        if home.kind == "none":
            return "Say where the password is to be kept, or leave it empty." if fields.password else ""
        before = self._seen.password.kind if self._seen else "none"
        in_file = self._seen is not None and isinstance(self._seen.place, PostgresPlace) and self._seen.place.password
        known = fields.password or before == home.kind or in_file
        return "" if known else "Type the password that is to be kept there."

    def _write(self, place: Place, home: PasswordHome) -> None:
        if self._busy:
            return
        self._busy = True
        configuration, seen = self._configuration, self._seen
        name = seen.name if seen else place.name

        def write() -> str:
            if seen is not None:
                return configuration.replace(seen.name, place, home, seen=seen)
            assert place.name is not None
            configuration.add(place.name, place, home)
            return ""

        def failed(error: AgorError) -> None:
            self._busy = False
            if isinstance(error, ConfigChangedError) and seen is not None:
                ask(self, lambda: configuration.databases(), lambda now: self._changed(error, now), self._fail)
            else:
                self._fail(error)

        def written(warning: str) -> None:
            if warning:
                self.app.notify(printable(warning), severity="warning", timeout=10, markup=False)
            self.dismiss(name or DEFAULT_NAME)

        ask(self, write, written, failed)

    def _changed(self, error: AgorError, now: Sequence[NamedDatabase]) -> None:
        """Someone else changed the entry: say what, and let the user decide."""
        assert self._seen is not None
        present = next((each for each in now if each.seen and each.target == self._seen.target), None)
        if present is None:
            self._fail(error)
            return
        differences = _differences(self._seen, present)
        self._seen = present
        self._fail(ConfigError(f"{error.message} {differences}", "Enter again writes what stands here over it."))

    def _fail(self, error: AgorError) -> None:
        """Say why nothing was written; the form stays as typed."""
        text = "\n".join(printable(part, 600) for part in (f"✗ {error.message}", error.hint) if part)
        self.query_one("#failure", Static).update(text)
        self.add_class("-failed")
        self.query_one(VerticalScroll).scroll_end(animate=False)

    def action_leave(self) -> None:
        """Leave; what was typed is asked about."""
        if not self._touched:
            self.dismiss(None)
            return
        from agor_tui.tui.screens.confirm import ConfirmModal

        def answered(yes: bool | None) -> None:
            if yes:
                self.dismiss(None)

        effects = ("The config stays as it is.",)
        self.app.push_screen(ConfirmModal("Discard what you typed?", effects, action="discard"), answered)


def _shown(place: Place | None) -> ConnectionFields:
    """The fields of a place without its secrets: these stay as they are where nothing is typed."""
    if place is None:
        return ConnectionFields("sqlite")
    fields = replace(of_place(place), password="", token="")
    return replace(fields, url="") if fields.kind == "postgresql" else fields


def _password(seen: NamedDatabase) -> bool:
    """Whether a password is kept for it now."""
    return seen.password.kind != "none" or (isinstance(seen.place, PostgresPlace) and seen.place.password is not None)


def _token(seen: NamedDatabase) -> Secret | None:
    return seen.place.auth_token if isinstance(seen.place, LibsqlPlace) else None


def _differences(was: NamedDatabase, now: NamedDatabase) -> str:
    """What differs between two readings of an entry, in a sentence; of secrets only that they do."""
    if was.place is None or now.place is None:
        return now.error or ""
    before, after = of_place(was.place), of_place(now.place)
    said = []
    for name in ("kind", "path", "host", "port", "database", "schema", "user", "ssl", "ca", "cert", "key", "replica"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            said.append(f"{name} was {old or 'empty'}, now {new or 'empty'}")
    if (before.password, before.token, was.password) != (after.password, after.token, now.password):
        said.append("the password was changed")
    if was.place.read_only != now.place.read_only:
        said.append(f"it is {'read-only' if now.place.read_only else 'read and write'} now")
    place = describe(now.place)
    return f"There: {', '.join(said)}." if said else f"There it leads to {place} now."
