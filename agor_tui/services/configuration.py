"""The settings as the app and the commands use them: which databases there are, what the user prefers, and changes.

Light to import and to construct; YAML is loaded where the file has something to say.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agor_tui.config.editing import Document, change, put, take_out
from agor_tui.config.entries import changed, leaves_of, nested
from agor_tui.config.file import is_there
from agor_tui.config.keys import ConfigValue, Located, locate, typed
from agor_tui.config.passwords import (
    KEYRING_SERVICE,
    NO_PASSWORD,
    PasswordHome,
    forget_in_keyring,
    keyring_entry,
)
from agor_tui.config.places import Place, PostgresPlace, SqlitePlace
from agor_tui.config.preferences import DEFAULTS, Preferences, may_have_preferences
from agor_tui.config.resolve import DEFAULT_NAME, chosen, place_of, resolve
from agor_tui.config.settings import LONGEST_NAME, Settings, config_file, is_name, load_settings
from agor_tui.config.urls import quoted_unless_secret
from agor_tui.errors import ConfigChangedError, ConfigError, ConfigKeyError, ConfigMissingError, quoted, suggestion
from agor_tui.hints import own_command

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

__all__ = ["ConfigValue", "Configuration", "NamedDatabase", "PasswordHome", "Preferences"]


@dataclass(frozen=True, slots=True)
class NamedDatabase:
    """A database that the settings know.

    ``name`` is None for the file's ``database`` section, for the default SQLite file, and for what an environment
    variable names; ``target`` is what ``--database`` and ``Configuration.open`` take for it, None for what opens
    without. ``place`` is None where ``error`` says why; a password that is kept elsewhere is not in it.
    ``is_default``: it opens where no database is named. ``origin`` says where it stands, as ``config.yaml: databases``.
    ``password`` says where the file has its password.
    """

    name: str | None
    place: Place | None
    error: str | None
    is_default: bool
    origin: str
    target: str | None = None
    password: PasswordHome = NO_PASSWORD
    seen: str = field(default="", repr=False)
    """The entry as it stood in the file, hashed: a change of it is refused where it is another by then."""


class Configuration:
    """The config file of ``config_path``, else of AGOR_TUI_CONFIG, else of the user's config folder, and ``environ``.

    Nothing is kept in memory: each call reads the file as it is then. ``tenant`` and ``read_only`` are for opening.
    Every method raises ConfigError where the file cannot be read or is wrong.
    """

    def __init__(
        self,
        config_path: Path | None = None,
        environ: Mapping[str, str] | None = None,
        tenant: str | None = None,
        read_only: bool = False,
    ) -> None:
        self._config_path = config_path
        self._environ = os.environ if environ is None else environ
        self._tenant = tenant
        self._read_only = read_only

    @property
    def file(self) -> Path:
        """Where the config file is, or would be."""
        return config_file(self._config_path, self._environ)

    def is_first_run(self) -> bool:
        """Tell whether nothing says what to open: no database in the file, no variable, no default database file."""
        try:
            settings = self._settings_if_there()
            place = chosen(settings, self._environ)
        except ConfigError:
            return False  # there is something, and opening it says what is wrong with it
        is_default = settings.database is None and not settings.databases and place.origin.startswith("default")
        return is_default and isinstance(place, SqlitePlace) and not is_there(place.path)

    def open(self, target: str | None = None, *, read_only: bool = False) -> Browser:
        """Open what ``--database target`` means, None for what the settings say; to be closed by the caller.

        Raises:
            ConfigError: as ``place``. DatabaseError: it cannot be opened, or is of no known kind.
        """
        from agor_tui.services.databases import open_database

        return open_database(
            target,
            config_path=self._config_path,
            tenant=self._tenant,
            read_only=read_only or self._read_only,
            environ=self._environ,
        )

    def place(self, target: str | None = None) -> Place:
        """The place that ``--database target`` means, its password fetched (a command takes up to 10 s).

        Raises:
            ConfigError: the target is unknown, the file is wrong, or a password cannot be fetched.
        """
        return resolve(target, config_path=self._config_path, environ=self._environ, tenant=self._tenant)

    def databases(self) -> tuple[NamedDatabase, ...]:
        """All databases in the order of the file; first what an environment variable names, if one does."""
        settings = self._settings_if_there()
        default, error = self._chosen(settings)
        found = []
        file = settings.file.name
        from_file = default is not None and default.origin.startswith(f"{file}: ")
        if default is None or not (from_file or default.origin == "default"):
            origin = default.origin if default else "the environment"
            found.append(NamedDatabase(None, default, error, True, origin))
        if settings.database is not None:
            is_default = from_file and default is not None and default.name is None
            found.append(self._named(settings, None, f"{file}: database", is_default))
        elif default is not None and isinstance(default, SqlitePlace) and default.origin == "default":
            found.append(NamedDatabase(None, default, None, True, "default", str(default.path)))
        for name in settings.databases:
            is_default = from_file and default is not None and default.name == name
            found.append(self._named(settings, name, f"{file}: databases", is_default))
        return tuple(found)

    def preferences(self) -> Preferences:
        """What the user prefers in the app; the file's ``ui`` section."""
        return self._settings_if_there().preferences if may_have_preferences(self.file) else DEFAULTS

    def add(self, name: str, place: Place, password: PasswordHome, *, make_default: bool = False) -> None:
        """Write a new database into the file, and its password to where it shall be kept.

        Raises:
            ConfigError: the name is taken or is no name, the file cannot be written, or there is no keyring.
        """
        _require_name(name)
        leaves = leaves_of(place, password)

        def edit(document: Document) -> str:
            if name in document.settings.databases or document.has("databases", name):
                raise ConfigKeyError(
                    f"A database is named {quoted(name)} already in {self.file}.", "Choose another name."
                )
            document = put(document, ("databases", name), nested(leaves))
            return put(document, ("active",), name).text if make_default else document.text

        with keyring_entry(name, place, password):
            self._change(edit)

    def replace(self, name: str | None, place: Place, password: PasswordHome, *, seen: NamedDatabase) -> str:
        """Change the database ``seen`` to ``place``; None is the file's ``database`` section. What is the same stays.

        A password that the file keeps stays there where ``place`` has none; one that the keyring had goes from there
        where it is kept elsewhere now. Returns what is to be said of that, mostly nothing.

        Raises:
            ConfigChangedError: the entry is not what was seen any more. ConfigError: as for ``add``.
        """
        above = ("database",) if name is None else ("databases", name)
        if seen.target is None or not seen.seen:
            raise ConfigError(
                f"This database is not in the config file: {seen.origin} names it.",
                "Add it under a name, or change what names it.",
            )
        if isinstance(place, PostgresPlace) and isinstance(seen.place, PostgresPlace) and not place.password:
            place = replace(place, password=seen.place.password)
        new = leaves_of(place, password)
        old = leaves_of(seen.place, seen.password) if seen.place else {}

        def edit(document: Document) -> str:
            self._require_unchanged(document, name, seen)
            written, gone = changed(old, new, has_url=document.has(*above, "postgresql", "url"))
            for path, value in written.items():
                document = put(document, (*above, *path), value)
            for path in gone:
                with suppress(KeyError):
                    document = take_out(document, (*above, *path))
            return document.text

        with keyring_entry(name or DEFAULT_NAME, place, password):
            self._change(edit)
        left_it = seen.password.kind == "keyring" and password.kind != "keyring"
        return forget_in_keyring(name or DEFAULT_NAME) if left_it else ""

    def remove(self, name: str, *, seen: NamedDatabase | None = None) -> str:
        """Take a database out of the file, its password out of the keyring; the database itself is not touched.

        Returns what is to be said of the keyring, mostly nothing.

        Raises:
            ConfigMissingError: no database has this name. ConfigError: the file cannot be written.
            ConfigChangedError: the entry is not what was ``seen`` any more.
        """
        homes = []

        def edit(document: Document) -> str:
            settings = document.settings
            self._require_known(settings, name)
            if seen is not None:
                self._require_unchanged(document, name, seen)
            homes.append(settings.databases[name].home)
            if settings.active == name:
                document = take_out(document, ("active",))
            return take_out(document, ("databases", name)).text

        self._change(edit)
        return forget_in_keyring(name) if homes[-1].kind == "keyring" else ""

    def use(self, name: str) -> None:
        """Make a database the one that opens where none is named; ``database`` means the file's section of that name.

        Raises:
            ConfigMissingError: no database has this name. ConfigError: the file cannot be written.
        """

        def edit(document: Document) -> str:
            settings = document.settings
            if name == DEFAULT_NAME and name not in settings.databases and settings.database is not None:
                return take_out(document, ("active",)).text if document.has("active") else document.text
            self._require_known(settings, name)
            return put(document, ("active",), name).text

        self._change(edit)

    def set_preference(self, key: str, value: str | int | bool | Mapping[str, str] | None) -> None:
        """Set a key below ``ui``, such as ``theme`` or ``keys.browser.filter``; None or an empty map resets it."""
        located = locate(f"ui.{key}", ())
        if value is None or value == {}:
            self._change(partial(_without_if_there, located.path))
        else:
            self._change(lambda document: put(document, located.path, value).text)

    def show(self) -> tuple[ConfigValue, ...]:
        """Every setting that counts, with where it comes from, secrets masked."""
        from agor_tui.config.effective import effective

        return tuple(effective(self.file, self._config_path, self._environ))

    def get(self, key: str) -> ConfigValue:
        """One setting.

        Raises:
            ConfigKeyError: the key is not known, or is a group of keys. ConfigMissingError: it has no value.
        """
        found = next((value for value in self.show() if value.key == key), None)
        if found is not None:
            return found
        self._single(key, self._settings_if_there())
        raise ConfigMissingError(
            f"{quoted(key)} has no value.", f"Set it with: {own_command(f'config set {shlex.quote(key)} VALUE')}"
        )

    def set(self, key: str, text: str) -> None:
        """Set one key of the file to what a user typed.

        Raises:
            ConfigKeyError: the key or the value is not understood. ConfigError: the file cannot be written.
        """

        def edit(document: Document) -> str:
            located = self._single(key, document.settings)
            if not text.strip():
                raise ConfigKeyError(
                    f"The value for {key} is empty.",
                    f"Take it out with: {own_command(f'config unset {shlex.quote(key)}')}",
                )
            if located.path[0] == "databases" and not document.has(*located.path[:2]):
                _require_name(located.path[1])
            assert located.key is not None
            return put(document, located.path, typed(located.key, text)).text

        self._change(edit)

    def unset(self, key: str) -> str:
        """Take a key, or a group of keys, out of the file; also one that is not known and stands there by mistake.

        Returns what is to be said of passwords that the keyring keeps for nobody then, mostly nothing.

        Raises:
            ConfigMissingError: the file has no such key. ConfigKeyError: without it the file would be wrong.
        """

        def edit(document: Document) -> str:
            for path in _readings(key):
                with suppress(KeyError):
                    return take_out(document, path).text
            locate(key, document.settings.databases)
            raise ConfigMissingError(f"{quoted(key)} does not stand in {self.file}.")

        if not is_there(self.file):
            locate(key, ())
            raise ConfigMissingError(f"{quoted(key)} is not set: there is no config file {self.file} yet.")
        before = self._in_keyring()
        self._change(edit)
        return " ".join(
            f"The system keyring may still have the password: keyring del {KEYRING_SERVICE} {name} takes it out."
            for name in before - self._in_keyring()
        )

    def _in_keyring(self) -> frozenset[str]:
        """The names under which the keyring has passwords, as the file says; none where it is wrong."""
        with suppress(ConfigError):
            settings = self._settings_if_there()
            entries = {DEFAULT_NAME: settings.database, **settings.databases}
            return frozenset(n for n, each in entries.items() if each is not None and each.home.kind == "keyring")
        return frozenset()

    def _change(self, edit: Callable[[Document], str]) -> None:
        change(self.file, self._environ, edit)

    def _single(self, key: str, settings: Settings) -> Located:
        located = locate(key, settings.databases)
        if located.key is None:
            raise ConfigKeyError(
                f"{quoted(key)} is a group of keys.", f"See {own_command(f'config show {shlex.quote(key)}')}"
            )
        return located

    def _require_known(self, settings: Settings, name: str) -> None:
        if name not in settings.databases:
            raise ConfigMissingError(
                f"No database is named {quoted(name)} in {self.file}{suggestion(name, settings.databases)}.",
                f"{own_command('databases list')} shows them.",
            )

    def _require_unchanged(self, document: Document, name: str | None, seen: NamedDatabase) -> None:
        settings = document.settings
        entry = settings.database if name is None else settings.databases.get(name)
        what = "The default database" if name is None else f"The database {quoted(name)}"
        if entry is None:
            raise ConfigChangedError(f"{what} was taken out of {self.file} meanwhile.", "Add it anew.")
        if entry.seen != seen.seen:
            raise ConfigChangedError(
                f"{what} was changed in {self.file} by someone else meanwhile.",
                "Look at it as it is now, and try again.",
            )

    def _named(self, settings: Settings, name: str | None, origin: str, is_default: bool) -> NamedDatabase:
        entry = settings.database if name is None else settings.databases[name]
        assert entry is not None
        place, error = None, None
        try:
            place = place_of(entry, name, origin, self._environ)
        except ConfigError as failure:
            error = failure.message
        return NamedDatabase(name, place, error, is_default, origin, name or DEFAULT_NAME, entry.home, entry.seen)

    def _chosen(self, settings: Settings) -> tuple[Place | None, str | None]:
        try:
            return chosen(settings, self._environ), None
        except ConfigError as error:
            return None, error.message

    def _settings_if_there(self) -> Settings:
        """The settings; a file that was named and does not exist yet has none."""
        file = self.file
        return load_settings(self._config_path, self._environ) if is_there(file) else Settings(file)


def _require_name(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise ConfigKeyError(f"The name {quoted_unless_secret(name)} has more than {LONGEST_NAME} characters.")
    if not is_name(name):
        raise ConfigKeyError(
            f"{quoted_unless_secret(name)} is no name for a database.",
            "Use a word such as team, without / or : and without .db at its end.",
        )
    if name == DEFAULT_NAME:
        raise ConfigKeyError(f"{quoted(name)} stands for the config file's own default database.", "Use another name.")


def _without_if_there(path: tuple[str, ...], document: Document) -> str:
    try:
        return take_out(document, path).text
    except KeyError:
        return document.text


def _readings(key: str) -> Iterator[tuple[str, ...]]:
    """The ways to read a dotted key as keys of the file: the names of databases and bindings may have dots."""
    words = key.split(".")
    yield tuple(words)
    for start in (1, 2):
        for end in range(len(words), start, -1):
            yield (*words[:start], ".".join(words[start:end]), *words[end:])
