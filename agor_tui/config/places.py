"""Places: all that is needed to open a database, and nothing of how. Their secrets never show in text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final
from urllib.parse import unquote, urlsplit


@final
class Secret:
    """A text that shows itself only when asked: ``str``, ``repr`` and ``format`` give a mask."""

    __slots__ = ("_text",)
    MASK = "‹hidden›"

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the driver alone."""
        return self._text

    def __repr__(self) -> str:
        return self.MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class SslOptions:
    """How a PostgreSQL connection is encrypted, in libpq's words; what is None is left to libpq.

    ``mode`` is an sslmode; ``ca``, ``cert`` and ``key`` are paths of PEM files, ``ca`` also ``system``.
    """

    mode: str | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class SqlitePlace:
    """An SQLite file, which need not exist.

    ``name`` is its name in the config, ``label`` the short name to show; ``origin`` says what chose it, such
    as ``--database`` or ``config.yaml: active team``.
    """

    name: str | None
    label: str
    path: Path
    origin: str
    read_only: bool = False
    wal_mode: bool = True
    busy_timeout_ms: int = 5000


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """A PostgreSQL database; what is None is left to libpq (its defaults, a service file, .pgpass).

    ``embedded``: ``database`` is on the server of the extra ``postgres-embedded``, which runs while it is used; what
    says where a server is, and who logs in, is then None.
    ``host`` is a name, an address, the folder of a Unix socket, or several of them with commas between.
    ``port`` is None too where several hosts have ports of their own: these stand in ``options``, as do all
    libpq parameters without a field here.
    """

    name: str | None
    label: str
    origin: str
    host: str | None = None
    port: int | None = None
    database: str | None = None
    user: str | None = None
    password: Secret | None = None
    service: str | None = None
    schema: str | None = None
    tenant: str | None = None
    pool_min: int = 2
    pool_max: int = 10
    idle_timeout_ms: int = 30_000
    ssl: SslOptions = SslOptions()
    options: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    read_only: bool = False
    embedded: bool = False
    ignored: tuple[str, ...] = field(default=(), compare=False)
    """The names of a URL's parameters that are other clients'."""

    def conninfo(self) -> dict[str, Any]:
        """The libpq parameters of a connection, the password in clear among them: for the driver alone."""
        parameters: dict[str, Any] = {
            **self.options,
            "host": self.host,
            "dbname": self.database,
            "user": self.user,
            "password": self.password.reveal() if self.password else None,
            "service": self.service,
            "sslmode": self.ssl.mode,
            "sslrootcert": self.ssl.ca,
            "sslcert": self.ssl.cert,
            "sslkey": self.ssl.key,
        }
        if self.port is not None:
            parameters["port"] = self.port
        return {name: value for name, value in parameters.items() if value is not None}


@dataclass(frozen=True, slots=True)
class LibsqlPlace:
    """A libSQL or Turso database. ``url`` is ``libsql://host[:port][/path][?tls=0]`` and holds no token.

    An embedded replica has the ``file:`` URL of its local copy there, and in ``sync_url`` the database it is a copy of;
    it is brought up to date each ``sync_interval_s`` seconds (None: when it is opened, and after each change).
    """

    name: str | None
    label: str
    origin: str
    url: str
    auth_token: Secret | None = None
    sync_url: str | None = None
    sync_interval_s: int | None = None
    read_only: bool = False


Place = SqlitePlace | PostgresPlace | LibsqlPlace


def replica_path(place: LibsqlPlace) -> Path:
    """The local file of an embedded replica."""
    return Path(unquote(urlsplit(place.url).path))


def primary(place: Place) -> Place:
    """The database that changes go to: of an embedded replica the one that it is a copy of, else ``place`` itself."""
    if isinstance(place, LibsqlPlace) and place.sync_url:
        return replace(place, url=place.sync_url, sync_url=None, sync_interval_s=None)
    return place


def describe(place: Place) -> str:
    """Say where a database is: the path, the URL of libSQL, or ``user@host:port/database``; never a secret."""
    if isinstance(place, SqlitePlace):
        return str(place.path)
    if isinstance(place, LibsqlPlace):
        return f"{replica_path(place)} (replica of {place.sync_url})" if place.sync_url else place.url
    if place.embedded:
        return f"embedded server/{place.database}"
    if place.service is not None:
        return f"service {place.service}"
    ports = str(place.port) if place.port is not None else place.options.get("port", "")
    hosts = (place.host or "").split(",")
    each = ports.split(",") if "," in ports else [ports] * len(hosts)
    address = ",".join(_address(host, port) for host, port in zip(hosts, each, strict=False))
    user = f"{place.user}@" if place.user else ""
    return f"{user}{address or '[local]'}/{place.database or ''}".removesuffix("/")


def short_label(place: Place) -> str:
    """The file's name, or host and database: what a place without a name is called."""
    if isinstance(place, SqlitePlace):
        return place.path.name or str(place.path)
    if isinstance(place, LibsqlPlace):
        return replica_path(place).name if place.sync_url else place.url.partition("://")[2].partition("?")[0]
    if place.embedded:
        return place.database or "embedded"
    if place.service is not None:
        return place.service
    host = None if (place.host or "").startswith("/") else place.host
    return "/".join(part for part in (host, place.database) if part) or "[local]"


def _address(host: str, port: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if port else shown
