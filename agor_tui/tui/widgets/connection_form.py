"""The form in which a connection is typed: the URL and the fields fill each other, complaints stand beside them."""

from __future__ import annotations

import getpass
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from agor_tui.config.connection import ConnectionFields, from_url, shown_url, to_place
from agor_tui.config.connection_checks import complaints, file_complaints
from agor_tui.config.places import Place
from agor_tui.errors import AgorError, ConfigError
from agor_tui.tui.asking import ask
from agor_tui.tui.widgets.form_field import ChoiceLine, FormInput, FormRow

SSL_CHOICES = (("disable", "off"), ("prefer", "prefer"), ("require", "require"), ("verify-full", "verify-full"))
_CERTIFIED = ("require", "verify-ca", "verify-full")
_FILE_FIELDS = ("ca", "cert", "key")


class ConnectionForm(Vertical):
    """The fields of one kind of database. ``taken`` are names that others have; None asks for no name.

    ``base`` is the place that is edited: what no field says stays as it is there.
    """

    DEFAULT_CSS = """
    ConnectionForm { height: auto; }
    ConnectionForm .apart { margin-top: 1; }
    ConnectionForm .files { height: auto; display: none; }
    ConnectionForm.-certified .files { display: block; }
    """

    @dataclass
    class Changed(Message):
        """Something was typed."""

        fields: ConnectionFields

    @dataclass
    class Submitted(Message):
        """All fields are well; ``place`` is what they mean."""

        fields: ConnectionFields
        place: Place

    def __init__(
        self,
        fields: ConnectionFields,
        *,
        taken: Collection[str] | None = None,
        base: Place | None = None,
        environ: Mapping[str, str] = os.environ,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._fields = fields if fields.url else replace(fields, url=shown_url(fields))
        self._taken = taken
        self._base = base
        self._environ = environ
        self._request = 0

    @property
    def fields(self) -> ConnectionFields:
        """What is typed."""
        return self._fields

    def compose(self) -> ComposeResult:
        """The rows of this kind."""
        if self._taken is not None:
            yield FormRow(("Name", self._input("name", "team")))
        yield from self._rows()

    def _rows(self) -> Iterable[FormRow | Vertical]:
        match self._fields.kind:
            case "sqlite":
                yield FormRow(("File", self._input("path", "~/agor.db")))
            case "embedded":
                yield FormRow(("Database", self._input("database", "agor")))
            case "libsql":
                yield FormRow(("URL", self._input("url", "libsql://name.turso.io")))
                yield FormRow(("Token", self._input("token", "empty for a server without one")))
                yield FormRow(("Local copy", self._input("replica", "none; a path keeps a copy here")))
            case "postgresql":
                yield from self._postgresql_rows()

    def _postgresql_rows(self) -> Iterable[FormRow | Vertical]:
        yield FormRow(("URL", self._input("url", "postgresql://user@host:5432/agor")))
        host = FormRow(("Host", self._input("host", "localhost")), ("Port", self._input("port", "5432")))
        host.add_class("apart")
        yield host
        yield FormRow(("Database", self._input("database", "agor")), ("Schema", self._input("schema", "public")))
        yield FormRow(("User", self._input("user", _you())), ("Password", self._input("password", "none")))
        known = [value for value, _ in SSL_CHOICES]
        other = () if self._fields.ssl in known else ((self._fields.ssl, self._fields.ssl),)
        yield FormRow(("Encryption", ChoiceLine("ssl", (*SSL_CHOICES, *other), self._fields.ssl)))
        yield Vertical(
            FormRow(("Authority", self._input("ca", "PEM file; empty for the system's"))),
            FormRow(("Certificate", self._input("cert", "PEM file, where the server asks for one"))),
            FormRow(("Its key", self._input("key", "PEM file"))),
            classes="files",
        )

    def _input(self, name: str, placeholder: str) -> FormInput:
        value = getattr(self._fields, name)
        return FormInput(name, value, placeholder, password=name in ("password", "token"), is_url=name == "url")

    def on_mount(self) -> None:
        """Show the fields that the choice of encryption asks for."""
        self._show_files()

    # Typing

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        name, text = event.input.name or "", event.value
        if name == "url" and self._fields.kind == "postgresql":
            self._take_url(text)
        else:
            self._take(name, text)
        row = self._row(name)
        if row.complaint(name):
            row.complain(name, self._complaints().get(name, ""))
        self.post_message(self.Changed(self._fields))

    @on(ChoiceLine.Changed)
    def _chosen(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        self._take(event.name, event.value)
        self._show_files()
        self.post_message(self.Changed(self._fields))

    def _take(self, name: str, text: str) -> None:
        self._fields = _changed(self._fields, name, text)
        if self._fields.kind == "postgresql" and name != "name":
            self._fields = replace(self._fields, url=shown_url(self._fields))
            self._show("url")

    def _take_url(self, text: str) -> None:
        """Fill the other fields, as soon as what is typed can be read."""
        try:
            self._fields = from_url(self._fields, text, self._environ)
        except ConfigError:
            self._fields = replace(self._fields, url=text)
            return
        for name in ("host", "port", "database", "schema", "user", "password", *_FILE_FIELDS):
            self._show(name)
        choice = self.query_one("#field-ssl", ChoiceLine)
        choice.value = self._fields.ssl
        self._show_files()

    def _show(self, name: str) -> None:
        line = self.query_one(f"#field-{name}", FormInput)
        with self.prevent(Input.Changed):
            line.value = getattr(self._fields, name)

    def _show_files(self) -> None:
        named = any(getattr(self._fields, name) for name in _FILE_FIELDS)
        self.set_class(self._fields.ssl in _CERTIFIED or (named and self._fields.ssl != "disable"), "-certified")

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Say what is wrong with what was typed; the URL gives its password away to the field for it."""
        name = event.widget.name or ""
        if name == "url":
            self._settle_url()
        if getattr(self._fields, name, ""):
            self._row(name).complain(name, self._complaints().get(name, ""))

    def _settle_url(self) -> None:
        if self._fields.kind != "postgresql":
            return
        try:
            from_url(self._fields, self._fields.url, self._environ)
        except ConfigError:
            if self._fields.url.strip():
                return  # kept as typed, with its complaint
        self._fields = replace(self._fields, url=shown_url(self._fields))
        self._show("url")

    # Going on

    @on(Input.Submitted)
    @on(ChoiceLine.Submitted)
    def _enter(self, event: Message) -> None:
        event.stop()
        self.submit()

    def submit(self) -> None:
        """Check all fields; ``Submitted`` follows where all are well, else the first wrong one gets the focus."""
        self._settle_url()
        self._request += 1
        request, fields = self._request, self._fields
        wrong = self._complaints()
        self.complain(wrong)
        if wrong:
            return

        def found(wrong: dict[str, str]) -> None:
            if request != self._request:
                return
            self.complain(wrong)
            if not wrong:
                self.post_message(self.Submitted(fields, to_place(fields, self._environ, self._base)))

        def failed(error: AgorError) -> None:
            self.app.notify(error.message, severity="error", markup=False)

        ask(self, lambda: file_complaints(fields, self._environ), found, failed)

    def complain(self, wrong: Mapping[str, str]) -> None:
        """Say what is wrong, and lead to the first such field."""
        first = None
        for row in self.query(FormRow):
            for name in row.names:
                row.complain(name, wrong.get(name, ""))
                first = first or (name if wrong.get(name) else None)
        if first is not None:
            self.query_one(f"#field-{first}").focus()

    def focus_first(self) -> None:
        """Lead to the first field."""
        for line in self.query(FormInput):
            line.focus()
            return

    def _complaints(self) -> dict[str, str]:
        return complaints(self._fields, self._taken)

    def _row(self, name: str) -> FormRow:
        return next(row for row in self.query(FormRow) if name in row.names)


_TEXTS = frozenset(each.name for each in dataclass_fields(ConnectionFields)) - {"kind", "options"}


def _changed(fields: ConnectionFields, name: str, text: str) -> ConnectionFields:
    assert name in _TEXTS
    change: dict[str, Any] = {name: text}
    return replace(fields, **change)


def _you() -> str:
    """The user that PostgreSQL takes where none is given."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
