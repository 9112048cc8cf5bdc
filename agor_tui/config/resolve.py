"""Which database is meant: the target asked for, else the environment, the settings file, the default."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from agor_tui import paths
from agor_tui.config.places import (
    LibsqlPlace,
    Place,
    PostgresPlace,
    Secret,
    SqlitePlace,
    SslOptions,
    short_label,
)
from agor_tui.config.settings import DIALECTS, Entry, FetchPassword, Settings, load_settings, looks_like_path
from agor_tui.config.urls import (
    dialect_of,
    expand_path,
    is_url,
    parse_ports,
    parse_url,
    plain_part,
    quoted_unless_secret,
)
from agor_tui.errors import ConfigError, UsageError, quoted, suggestion

TARGET = "--database"
TOKEN_VARIABLE = "TURSO_AUTH_TOKEN"
"""The token of libSQL databases that come without one; named as in Turso's own documents."""
DEFAULT_NAME = "database"
"""What ``--database`` takes for the config file's ``database`` section."""
_DIALECT_VARIABLES = ("AGOR_DB_DIALECT", "DB_MODE")
_PG_NAMING = ("PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE")
"""libpq's variables that name a database; a lone PGUSER, say, only completes what another source names."""
_PG_COMPLETING = ("PGPORT", "PGUSER", "PGPASSWORD")
_CREDENTIALS = re.compile(r"\s*[^/\s~.][^/]*:.*@|(?:^|\s)(?:host|dbname|user|password|service)\s*=", re.S)


@dataclass(frozen=True, slots=True)
class _Choice:
    place: Place
    origin: str
    name: str | None = None
    password: FetchPassword | None = field(default=None, repr=False)


def resolve(
    target: str | None, *, config_path: Path | None, environ: Mapping[str, str], tenant: str | None = None
) -> Place:
    """The place of the database to open; nothing is opened, but a ``passwordCommand`` runs (up to 10 s).

    ``target`` is what ``--database`` says: a name from the config file (``database`` for the section of that
    name, which is else without one), a URL or a path. The config
    file is read only where it can matter, or is named by ``config_path``. ``tenant`` comes before those of
    the URL and the config.

    Raises:
        ConfigError: the config file, a variable or a URL is wrong, a name is unknown, or a password cannot be
            fetched.
        UsageError: a tenant for a database that is not PostgreSQL.
    """

    @cache
    def settings() -> Settings:
        return load_settings(config_path, environ)

    if config_path is not None:
        settings()
    choice = _from_target(target, settings, environ) if target is not None else _chosen(settings, environ)
    return _finish(choice, environ, tenant)


def chosen(settings: Settings, environ: Mapping[str, str]) -> Place:
    """The place of what opens where no target is named; a password kept elsewhere is not fetched."""
    return _finish(replace(_chosen(lambda: settings, environ), password=None), environ, None)


def place_of(entry: Entry, name: str | None, origin: str, environ: Mapping[str, str]) -> Place:
    """The place of an entry of the config file; it has the password that stands there, and no other."""
    written = _place(entry, entry.dialect)
    place = _finish(_Choice(written, origin, name), environ, None)
    if isinstance(place, PostgresPlace) and isinstance(written, PostgresPlace):
        return replace(place, password=written.password)
    return place


def named_databases(config_path: Path | None, environ: Mapping[str, str]) -> dict[str, Place]:
    """The config file's ``databases`` by name, in its order; passwords kept elsewhere are not fetched."""
    settings = load_settings(config_path, environ)
    origin = f"{settings.file.name}: databases"
    return {name: place_of(entry, name, origin, environ) for name, entry in settings.databases.items()}


def _chosen(settings: Callable[[], Settings], environ: Mapping[str, str]) -> _Choice:
    return (
        _from_environment(environ, settings) or _from_settings(settings()) or _Choice(_place(None, "sqlite"), "default")
    )


def _from_target(target: str, settings: Callable[[], Settings], environ: Mapping[str, str]) -> _Choice:
    if not target.strip():
        raise ConfigError(f"{TARGET} is empty.", "Give it a name from the config file, a path or a URL.")
    if is_url(target) or looks_like_path(target):
        return _Choice(path_or_url(target, TARGET, environ), TARGET)
    databases = settings().databases
    if target in databases:
        entry = databases[target]
        return _Choice(_place(entry, entry.dialect), TARGET, target, entry.password)
    default = settings().database
    if target == DEFAULT_NAME and default is not None:
        return _Choice(_place(default, default.dialect), TARGET, None, default.password)
    if "." not in target and not os.path.lexists(expand_path(target, environ)):
        _refuse_credentials(target, TARGET)
        known = f"Known are: {', '.join(quoted(name) for name in list(databases)[:8])}. " if databases else ""
        raise ConfigError(
            f"No database is named {quoted(target)} in {settings().file}, and no file here is"
            f"{suggestion(target, databases)}.",
            f"{known}A path or a URL can be given too.",
        )
    return _Choice(path_or_url(target, TARGET, environ), TARGET)


def _from_environment(environ: Mapping[str, str], settings: Callable[[], Settings]) -> _Choice | None:
    variable, dialect = _dialect(environ)
    path = environ.get("AGOR_DB_PATH")
    if path and dialect != "postgresql":
        place = path_or_url(path, "AGOR_DB_PATH", environ)
        if isinstance(place, PostgresPlace):
            raise ConfigError("AGOR_DB_PATH names a PostgreSQL database.", "Put its URL into DATABASE_URL.")
        return _Choice(place, "AGOR_DB_PATH")
    url = environ.get("DATABASE_URL", "").strip()
    if url and (dialect is None or dialect == (dialect_of(url) or "postgresql")):
        return _Choice(parse_url(url, "DATABASE_URL", environ), "DATABASE_URL")
    naming = [name for name in _PG_NAMING if environ.get(name)]
    if naming and dialect != "sqlite":
        return _Choice(_place(None, "postgresql"), naming[0])
    if dialect is None:
        return None
    chosen = _from_settings(settings(), dialect)
    if chosen:
        return replace(chosen, origin=f"{chosen.origin} ({variable})")
    completing = [name for name in _PG_COMPLETING if environ.get(name)]
    if dialect == "postgresql" and not completing:
        raise ConfigError(
            f"{variable} asks for PostgreSQL, but nothing says where that database is.",
            f"Set DATABASE_URL or PGHOST, or write a postgresql section in {settings().file}.",
        )
    return _Choice(_place(None, dialect), completing[0] if dialect == "postgresql" else f"default ({variable})")


def _from_settings(settings: Settings, dialect: str | None = None) -> _Choice | None:
    """What the file names, ``active`` first; with a dialect the first of both that has it."""
    file = settings.file.name
    if settings.active is not None:
        entry = settings.databases[settings.active]
        if dialect is None or entry.has(dialect):
            place = _place(entry, dialect or entry.dialect)
            return _Choice(place, f"{file}: active {settings.active}", settings.active, entry.password)
    default = settings.database
    if default is not None and (dialect is None or default.has(dialect)):
        return _Choice(_place(default, dialect or default.dialect), f"{file}: database", None, default.password)
    return None


def _place(entry: Entry | None, dialect: str) -> Place:
    if dialect == "postgresql":
        return (entry and entry.postgresql) or PostgresPlace(None, "", "")
    return (entry and entry.sqlite) or SqlitePlace(None, "", paths.default_database(), "")


def _dialect(environ: Mapping[str, str]) -> tuple[str, str | None]:
    """The variable that chooses a dialect, and the dialect."""
    chosen: dict[str, str] = {}
    for variable in _DIALECT_VARIABLES:
        word = environ.get(variable, "").strip()
        if not word:
            continue
        if word.lower() not in DIALECTS:
            raise ConfigError(f"{variable} must be sqlite or postgresql, not {quoted_unless_secret(word)}.")
        chosen[variable] = DIALECTS[word.lower()]
    if len(set(chosen.values())) > 1:
        raise ConfigError("AGOR_DB_DIALECT and DB_MODE ask for different dialects.", "Unset one of them.")
    return next(iter(chosen.items()), ("", None))


def path_or_url(text: str, where: str, environ: Mapping[str, str]) -> Place:
    """The place that a path or a URL means, without name, label and origin; ``where`` names the source for errors."""
    if is_url(text):
        return parse_url(text, where, environ)
    path = expand_path(text, environ)
    if not os.path.lexists(path):
        _refuse_credentials(text, where)
    return SqlitePlace(None, "", path, "")


def _refuse_credentials(text: str, where: str) -> None:
    """Refuse connection strings of other forms: taken for a file's name, their passwords would be shown."""
    if _CREDENTIALS.search(text):
        raise ConfigError(
            f"{where} looks like a connection string, but not like a URL.",
            "Write it as postgresql://user:password@host:port/database.",
        )


def _finish(choice: _Choice, environ: Mapping[str, str], tenant: str | None) -> Place:
    place = choice.place
    if isinstance(place, PostgresPlace):
        if choice.password and place.password is None:
            place = replace(place, password=choice.password(environ))
        place = _as_libpq_would(replace(place, tenant=tenant or place.tenant), environ)
    elif tenant:
        raise UsageError(
            "A tenant can be chosen in a PostgreSQL database only.",
            "Leave out --tenant, or open another database.",
        )
    elif isinstance(place, LibsqlPlace) and place.auth_token is None and (token := environ.get(TOKEN_VARIABLE)):
        place = replace(place, auth_token=Secret(token))
    return replace(place, name=choice.name, label=choice.name or short_label(place), origin=choice.origin)


def _as_libpq_would(place: PostgresPlace, environ: Mapping[str, str]) -> PostgresPlace:
    """Fill what is open from PGHOST and its like, as libpq would, so that the place says where it leads.

    With a service it is left to libpq, for which the service's values come before the environment's. The embedded
    server is ours, whatever the environment says of others.
    """
    if place.embedded:
        return place
    for name, value in environ.items():
        if name.startswith("PG") and not _is_utf8(value):
            raise ConfigError(f"The environment variable {name} has a byte that is not UTF-8.", f"Set {name} anew.")
    place = replace(place, ssl=with_authorities(place.ssl, environ))
    service = place.service or environ.get("PGSERVICE")
    if service:
        return place if place.host else replace(place, service=service)
    port, options = place.port, dict(place.options)
    if port is None and "port" not in options and environ.get("PGPORT"):
        port, more = parse_ports(environ["PGPORT"], "PGPORT")
        options |= more
    password = environ.get("PGPASSWORD")
    host = place.host or plain_part(environ.get("PGHOST"), "PGHOST")
    if host and not _may_be_hosts(host):
        raise ConfigError(
            f"The host name {quoted(host)} cannot be one.", "Its parts between the dots have 1 to 63 characters."
        )
    return replace(
        place,
        host=host,
        port=port,
        database=place.database or plain_part(environ.get("PGDATABASE"), "PGDATABASE"),
        user=place.user or plain_part(environ.get("PGUSER"), "PGUSER"),
        password=place.password or (Secret(password) if password else None),
        options=options,
    )


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _may_be_hosts(text: str) -> bool:
    """Whether these, with commas between as in libpq, are paths of sockets or names that can be looked up."""
    try:
        for host in text.split(","):
            if not host.startswith(("/", "@")):
                host.encode("idna")
    except UnicodeError:
        return False
    return True


def with_authorities(ssl: SslOptions, environ: Mapping[str, str]) -> SslOptions:
    """Verifying without a named authority takes the system's, where libpq's own places name none either."""
    if ssl.mode != "verify-full" or ssl.ca or environ.get("PGSSLROOTCERT"):
        return ssl
    return ssl if os.path.exists(expand_path("~/.postgresql/root.crt", environ)) else replace(ssl, ca="system")
