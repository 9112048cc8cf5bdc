"""The settings file: its published shape, read into places and checked.

Keys of our own beside the published ones: under ``postgresql`` ``readOnly``, ``embedded: true`` for a database on
the server of the extra ``postgres-embedded``, and ``passwordKeyring: true``, which takes the password from the system
keyring (service ``agor-tui``, user: the database's name, or ``database`` for the default one). Relative paths count
from the file's folder.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agor_tui import paths
from agor_tui.config import passwords
from agor_tui.config.file import is_there
from agor_tui.config.passwords import NO_PASSWORD, PasswordHome
from agor_tui.config.places import LibsqlPlace, PostgresPlace, Secret, SqlitePlace, SslOptions
from agor_tui.config.preferences import DEFAULTS, Preferences, read_preferences
from agor_tui.config.urls import dialect_of, expand_path, is_url, parse_url, plain_part, quoted_unless_secret
from agor_tui.errors import ConfigError, suggestion

if TYPE_CHECKING:
    from agor_tui.config.document import Section

CONFIG_VARIABLE = "AGOR_TUI_CONFIG"
EMBEDDED_DATABASE = "agor"
LONGEST_NAME = 100
"""Characters of a new database's name; a longer one would be hard to show, and YAML has a limit too."""
DIALECTS = {"sqlite": "sqlite", "postgresql": "postgresql", "postgres": "postgresql"}

FetchPassword = Callable[[Mapping[str, str]], Secret]


@dataclass(frozen=True, slots=True)
class Entry:
    """One database of the file: places without name, label and origin, and how to fetch the password."""

    dialect: str
    sqlite: SqlitePlace | LibsqlPlace | None = None
    postgresql: PostgresPlace | None = None
    password: FetchPassword | None = field(default=None, repr=False)
    home: PasswordHome = NO_PASSWORD
    seen: str = field(default="", repr=False)
    """A digest of all that the entry says, to tell whether it is still as someone saw it."""

    def has(self, dialect: str) -> bool:
        """Tell whether this entry can be opened as ``dialect``."""
        return self.dialect == dialect or getattr(self, dialect) is not None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file says; ``file`` is its path also where it does not exist."""

    file: Path
    database: Entry | None = None
    databases: Mapping[str, Entry] = field(default_factory=dict)
    active: str | None = None
    preferences: Preferences = DEFAULTS


def config_file(config_path: Path | None, environ: Mapping[str, str]) -> Path:
    """The file of ``--config``, else of AGOR_TUI_CONFIG, else of the user's config folder; it need not exist."""
    named = config_path or environ.get(CONFIG_VARIABLE)
    return expand_path(str(named), environ) if named else paths.config_file()


def load_settings(config_path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the file of ``--config``, else of AGOR_TUI_CONFIG, else of the user's config folder, if there.

    Raises:
        ConfigError: a file that was named is missing, or something in the file is wrong.
    """
    file = config_file(config_path, environ)
    if not is_there(file):
        if config_path or environ.get(CONFIG_VARIABLE):
            raise ConfigError(
                f"The config file {file} does not exist.",
                "Check --config." if config_path else f"Check the environment variable {CONFIG_VARIABLE}.",
            )
        return Settings(file)
    from agor_tui.config.document import read_document  # here, since it imports yaml

    root = read_document(file)
    return Settings(file) if root is None else read_settings(root, environ)


def read_settings(root: Section, environ: Mapping[str, str]) -> Settings:
    """What the outermost section of a file says. Raises ConfigError with the line of whatever is wrong in it."""
    root.check("database", "databases", "active", "ui")
    default = root.section("database")
    named = root.section("databases")
    databases: dict[str, Entry] = {}
    for name, section in named.sections() if named else ():
        if not is_name(name):
            raise ConfigError(
                f"{named.where(name) if named else ''} is no name for a database: it looks like a path.",
                "Use a word such as team, without / or : and without .db at its end.",
            )
        databases[name] = read_entry(section, name, environ)
    active = root.text("active")
    if active is not None and active not in databases:
        raise ConfigError(
            f"{root.where('active')} names {quoted_unless_secret(active)}, which is not among the databases"
            f"{suggestion(active, databases)}."
        )
    return Settings(
        file=root.file,
        database=read_entry(default, "database", environ) if default else None,
        databases=databases,
        active=active,
        preferences=read_preferences(ui) if (ui := root.section("ui")) else DEFAULTS,
    )


def is_name(text: str) -> bool:
    """Tell whether a database may be called ``text``: one that could be meant as a path or a URL is no name."""
    return bool(text) and text == text.strip() and text.isprintable() and not looks_like_path(text)


def looks_like_path(text: str) -> bool:
    """Tell whether ``text`` can only be a path or a URL, so that no database may have it as its name."""
    return bool(re.search(r"[/\\:]|^[.~]|\.(db|db3|sqlite|sqlite3)$", text))


def read_entry(section: Section, name: str, environ: Mapping[str, str]) -> Entry:
    """What one database's section says; ``name`` is what the keyring has its password under."""
    section.check("dialect", "sqlite", "postgresql")
    sqlite, postgresql = section.section("sqlite"), section.section("postgresql")
    word = section.text("dialect")
    if word is None:
        if sqlite and postgresql:
            raise ConfigError(
                f"{section.where('postgresql')} stands beside sqlite, and no dialect says which counts.",
                "Add dialect: sqlite or dialect: postgresql.",
            )
        dialect = "postgresql" if postgresql else "sqlite"
    elif word not in DIALECTS:
        raise ConfigError(f"{section.where('dialect')} must be sqlite or postgresql, not {quoted_unless_secret(word)}.")
    else:
        dialect = DIALECTS[word]
    place = _postgresql(postgresql, environ) if postgresql else None
    return Entry(
        dialect,
        sqlite=_sqlite(sqlite, environ) if sqlite else None,
        postgresql=place,
        password=_password(postgresql, name) if postgresql else None,
        home=_home(postgresql, place) if postgresql and place else NO_PASSWORD,
        seen=section.digest(),
    )


def _sqlite(section: Section, environ: Mapping[str, str]) -> SqlitePlace | LibsqlPlace:
    section.check("path", "url", "walMode", "busyTimeout", "readOnly", "authToken", "syncUrl", "syncInterval")
    base = section.file.parent
    remote = [key for key in ("syncUrl", "authToken", "syncInterval") if section.has(key)]
    place: SqlitePlace | LibsqlPlace
    match section.only_one_of(("path", "url")):
        case "url":
            parsed = _url(section, "sqlite", environ)
            assert not isinstance(parsed, PostgresPlace)
            place = parsed
        case "path":
            text = section.text("path") or ""
            if is_url(text):
                raise ConfigError(f"{section.where('path')} is a URL.", "Give it as url instead.")
            place = SqlitePlace(None, "", expand_path(text, environ, base), "")
        case _:
            place = SqlitePlace(None, "", paths.default_database(), "")
    read_only = section.flag("readOnly")
    if isinstance(place, LibsqlPlace) or section.has("syncUrl"):
        return _libsql(section, place, bool(read_only), environ)
    if remote:
        raise ConfigError(f"{section.where(remote[0])} is for libSQL, and needs a url that begins with libsql://.")
    wal_mode = section.flag("walMode")
    busy_timeout = section.number("busyTimeout", 0, 2**31 - 1)
    return replace(
        place,
        read_only=place.read_only if read_only is None else read_only,
        wal_mode=wal_mode is not False,
        busy_timeout_ms=place.busy_timeout_ms if busy_timeout is None else busy_timeout,
    )


def _libsql(
    section: Section, place: SqlitePlace | LibsqlPlace, read_only: bool, environ: Mapping[str, str]
) -> LibsqlPlace:
    if isinstance(place, SqlitePlace):  # a local copy of the database at syncUrl
        place = LibsqlPlace(None, "", "", place.path.as_uri())
    token = section.text("authToken")
    sync_url = section.text("syncUrl")
    if sync_url is None and section.has("syncInterval"):
        raise ConfigError(f"{section.where('syncInterval')} is for a local copy, and needs a syncUrl.")
    if sync_url is not None:
        if not place.url.startswith("file:"):
            raise ConfigError(
                f"{section.where('syncUrl')} is for a local copy, and url is a server's.",
                "Give the copy's file as path, or leave out syncUrl.",
            )
        source = parse_url(sync_url, section.where("syncUrl"), environ)
        if not isinstance(source, LibsqlPlace):
            raise ConfigError(f"{section.where('syncUrl')} must begin with libsql:// or https://.")
        place = replace(place, sync_url=source.url, auth_token=place.auth_token or source.auth_token)
    return replace(
        place,
        auth_token=Secret(token) if token else place.auth_token,
        sync_interval_s=section.number("syncInterval", 1, 86_400),
        read_only=read_only,
    )


def _url(section: Section, dialect: str, environ: Mapping[str, str]) -> SqlitePlace | LibsqlPlace | PostgresPlace:
    text, where = section.text("url") or "", section.where("url")
    place = parse_url(text, where, environ, section.file.parent)
    if dialect_of(text) != dialect:
        known = "libsql://, https:// or file:" if dialect == "sqlite" else "postgresql://"
        raise ConfigError(f"{where} must begin with {known}.")
    return place


def _postgresql(section: Section, environ: Mapping[str, str]) -> PostgresPlace:
    """A place from url and the other keys; what the url says wins, the keys fill what it leaves open."""
    section.check(
        "url", "host", "port", "database", "user", "password", "passwordEnv", "passwordCommand", "passwordKeyring",
        "schema", "pool", "tenant", "ssl", "readOnly", "embedded",
    )  # fmt: skip
    place = PostgresPlace(None, "", "")
    if section.flag("embedded"):
        return _embedded(section, place)
    if section.has("url"):
        parsed = _url(section, "postgresql", environ)
        assert isinstance(parsed, PostgresPlace)
        place = parsed
    port = section.number("port", 1, 65535)
    password = section.text("password")
    place = _pooled(place, section.section("pool"))
    return replace(
        place,
        host=place.host or _name(section, "host"),
        port=port if place.port is None and "port" not in place.options else place.port,
        database=place.database or _name(section, "database"),
        user=place.user or _name(section, "user"),
        password=place.password or (Secret(password) if password else None),
        schema=place.schema or section.text("schema"),
        tenant=place.tenant or section.text("tenant"),
        ssl=_ssl(section, environ) or place.ssl,
        read_only=bool(section.flag("readOnly")),
    )


def _embedded(section: Section, place: PostgresPlace) -> PostgresPlace:
    """The database on the server that the app itself runs, which asks nobody who they are."""
    for key in ("url", "host", "port", "user", "password", "passwordEnv", "passwordCommand", "passwordKeyring", "ssl"):
        if section.has(key):
            raise ConfigError(
                f"{section.where(key)} is for a server elsewhere, and embedded: true is for the one that the app runs.",
                f"Leave out {key}, or embedded.",
            )
    return replace(
        _pooled(place, section.section("pool")),
        database=_name(section, "database") or EMBEDDED_DATABASE,
        schema=section.text("schema"),
        tenant=section.text("tenant"),
        read_only=bool(section.flag("readOnly")),
        embedded=True,
    )


def _name(section: Section, key: str) -> str | None:
    return plain_part(section.text(key), section.where(key)) if section.has(key) else None


def _pooled(place: PostgresPlace, section: Section | None) -> PostgresPlace:
    if section is None:
        return place
    section.check("min", "max", "idleTimeout")
    least, most = section.number("min", 0, 1000), section.number("max", 1, 1000)
    idle = section.number("idleTimeout", 0, 2**31 - 1)
    if least is not None and most is not None and least > most:
        raise ConfigError(f"{section.where('min')} is {least}, more than max, which is {most}.")
    # A default gives way where only the other end is given.
    return replace(
        place,
        pool_min=min(place.pool_min, most or place.pool_max) if least is None else least,
        pool_max=max(place.pool_max, least or place.pool_min) if most is None else most,
        idle_timeout_ms=place.idle_timeout_ms if idle is None else idle,
    )


def _ssl(section: Section, environ: Mapping[str, str]) -> SslOptions | None:
    if not section.has("ssl"):
        return None
    if not section.is_map("ssl"):
        return SslOptions("require" if section.flag("ssl") else "disable")
    inner = section.section("ssl")
    assert inner is not None
    inner.check("rejectUnauthorized", "ca", "cert", "key")
    files = {}
    for key in ("ca", "cert", "key"):
        text = inner.text(key)
        if text is not None and "-----BEGIN" in text:
            raise ConfigError(f"{inner.where(key)} must be the path of a PEM file, not its content.")
        is_word = key == "ca" and text == "system"  # libpq's word for the system's authorities
        files[key] = text if is_word or not text else str(expand_path(text, environ, section.file.parent))
    # As in the drivers that this shape comes from, a map without rejectUnauthorized verifies.
    if inner.flag("rejectUnauthorized") is False:
        # Given a ca, libpq would verify in spite of "require".
        return SslOptions("require", None, files["cert"], files["key"])
    return SslOptions("verify-full", files["ca"], files["cert"], files["key"])


def _password(section: Section, name: str) -> FetchPassword | None:
    key = section.only_one_of(("password", "passwordEnv", "passwordCommand", "passwordKeyring"))
    match key:
        case "passwordEnv":
            variable = section.text(key) or ""
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
                raise ConfigError(f"{section.where(key)} must be the name of an environment variable.")
            return partial(passwords.from_variable, variable, section.where(key))
        case "passwordCommand":
            return partial(passwords.from_command, section.words(key) or "", section.where(key))
        case "passwordKeyring" if section.flag(key):
            return partial(passwords.from_keyring, name, section.where(key))
        case _:
            return None


def _home(section: Section, place: PostgresPlace) -> PasswordHome:
    if place.password is not None:
        return PasswordHome("file")
    if variable := section.text("passwordEnv"):
        return PasswordHome("variable", variable)
    if command := section.words("passwordCommand"):
        return PasswordHome("command", command if isinstance(command, str) else shlex.join(command))
    if section.flag("passwordKeyring"):
        return PasswordHome("keyring")
    return NO_PASSWORD
