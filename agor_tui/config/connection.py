"""The fields of a connection form, as typed: from and to a URL, from and to the place they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from agor_tui.config.pasted import as_url
from agor_tui.config.places import (
    LibsqlPlace,
    Place,
    PostgresPlace,
    Secret,
    SqlitePlace,
    SslOptions,
    replica_path,
    short_label,
)
from agor_tui.config.resolve import with_authorities
from agor_tui.config.urls import dialect_of, expand_path, is_url, parse_ports, parse_url
from agor_tui.errors import ConfigError

FormKind = Literal["sqlite", "postgresql", "embedded", "libsql"]
FIELDS: dict[FormKind, tuple[str, ...]] = {
    "sqlite": ("path",),
    "postgresql": ("url", "host", "port", "database", "schema", "user", "password", "ssl", "ca", "cert", "key"),
    "embedded": ("database",),
    "libsql": ("url", "token", "replica"),
}
"""The fields that count for each kind, in the order in which a form asks for them."""

BULLET = "•"
MASKED = BULLET * 4
"""What stands in a URL for the password of the password field."""

_ORIGIN = "connection form"
_UNSAFE = re.compile(rf"[%@:/?#&=+,\[\]\s\x00-\x1f\x7f\ud800-\udfff{BULLET}]")
_SECRET = re.compile(
    r"[a-z]+://[^:/?@]*:(?P<password>.*)@|[a-z]+://[^:/?@]*:(?P<begun>(?![0-9]{0,5}(?:[/?]|$)).*)$"
    r"|[?&](?:password|authToken|sslpassword)=(?P<parameter>[^&]*)"
    r"|(?:^|[\s'\"])(?:PG|ssl)?password\s*=\s*(?P<word>'(?:\\.|[^'\\])*'?|[^\s'\"]+)",
    re.I | re.S,
)


@dataclass(frozen=True, slots=True)
class ConnectionFields:
    """What a form holds, as typed. Once it can be read, ``url`` holds ``MASKED`` in place of the password.

    ``ssl`` is an sslmode; ``options`` is what a URL carries that has no field: libpq's parameters, service, tenant.
    """

    kind: FormKind = "postgresql"
    name: str = ""
    path: str = ""
    url: str = field(default="", repr=False)
    host: str = ""
    port: str = ""
    database: str = ""
    schema: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    ssl: str = "prefer"
    ca: str = ""
    cert: str = ""
    key: str = ""
    token: str = field(default="", repr=False)
    replica: str = ""
    options: Mapping[str, str] = field(default_factory=dict, repr=False)


def secret_spans(url: str) -> list[tuple[int, int]]:
    """Where a URL that is being typed may hold a secret: what a screen must not show."""
    spans = []
    for found in _SECRET.finditer(url):
        spans += [found.span(group) for group in ("password", "begun", "parameter", "word") if found[group]]
    return spans


def from_url(fields: ConnectionFields, url: str, environ: Mapping[str, str]) -> ConnectionFields:
    """The fields that a URL means; its password goes to the password field.

    Where it has none, the password stays, unless the URL names another host: there it must not go unasked.

    Raises:
        ConfigError: the URL cannot be read, or is one of another dialect.
    """
    text = url.strip()
    if not is_url(text):
        raise ConfigError("This is not a URL.", example_url(fields.kind))
    if fields.kind == "libsql":
        return _from_libsql(fields, text, environ)
    if dialect_of(text) == "sqlite":
        raise ConfigError("This is the URL of an SQLite or libSQL database.", "Go back and choose that.")
    place = parse_url(text, "The URL", environ)
    assert isinstance(place, PostgresPlace)
    read = of_place(place)
    typed = read.password.replace(BULLET, "")
    stays = BULLET in read.password or fields.host.strip() in ("", read.host)
    return replace(read, name=fields.name, password=typed or (fields.password if stays else ""), url=url)


def shown_url(fields: ConnectionFields) -> str:
    """The URL of the fields, without the password; empty where all are.

    One that cannot be read back is written as far as it goes.
    """
    if fields.kind != "postgresql":
        return fields.url
    if fields == ConnectionFields("postgresql", fields.name, url=fields.url):
        return ""
    user = _encoded(fields.user.strip())
    secret = f":{MASKED}" if fields.password else ""
    hosts = ",".join(_host_in_url(host) for host in fields.host.strip().split(","))
    port, options = fields.port.strip(), dict(fields.options)
    if "," in port or ("," in hosts and port):
        options = {"port": port, **options}
    elif port:
        hosts += f":{_encoded(port)}"
    parameters = {
        "schema": fields.schema.strip(),
        "sslmode": "" if fields.ssl == "prefer" else fields.ssl,
        "sslrootcert": fields.ca.strip(),
        "sslcert": fields.cert.strip(),
        "sslkey": fields.key.strip(),
        **options,
    }
    query = "&".join(f"{name}={_encoded(value)}" for name, value in parameters.items() if value)
    login = f"{user}{secret}@" if user or secret else ""
    return f"postgresql://{login}{hosts}/{_encoded(fields.database.strip())}" + (f"?{query}" if query else "")


def of_place(place: Place) -> ConnectionFields:
    """The fields of a place, its secrets among them; ``url`` is filled in."""
    name = place.name or ""
    if isinstance(place, SqlitePlace):
        return ConnectionFields("sqlite", name, path=str(place.path))
    if isinstance(place, LibsqlPlace):
        token = place.auth_token.reveal() if place.auth_token else ""
        replica = str(replica_path(place)) if place.sync_url else ""
        return ConnectionFields("libsql", name, url=place.sync_url or place.url, token=token, replica=replica)
    if place.embedded:
        return ConnectionFields("embedded", name, database=place.database or "")
    options = dict(place.options)
    ports = options.pop("port", "")
    options |= {key: value for key, value in (("service", place.service), ("tenant", place.tenant)) if value}
    fields = ConnectionFields(
        "postgresql",
        name,
        host=place.host or "",
        port=str(place.port) if place.port is not None else ports,
        database=place.database or "",
        schema=place.schema or "",
        user=place.user or "",
        password=place.password.reveal() if place.password else "",
        ssl=place.ssl.mode or "prefer",
        ca=place.ssl.ca or "",
        cert=place.ssl.cert or "",
        key=place.ssl.key or "",
        options=options,
    )
    return replace(fields, url=shown_url(fields))


def to_place(fields: ConnectionFields, environ: Mapping[str, str], base: Place | None = None) -> Place:
    """The place that the fields mean; what no field says (pool, read-only, ...) is taken from ``base``.

    Raises:
        ConfigError: ``connection_checks.complaints`` has something to say.
    """
    name = fields.name.strip() or None
    place: Place
    if fields.kind == "sqlite":
        place = file_place(fields.path, environ)
        if isinstance(base, SqlitePlace):
            place = replace(base, path=place.path)
    elif fields.kind == "libsql":
        parsed = parse_url(fields.url.strip(), "The URL", environ)
        assert isinstance(parsed, LibsqlPlace)
        token = Secret(fields.token) if fields.token else parsed.auth_token
        place = replace(base if isinstance(base, LibsqlPlace) else parsed, url=parsed.url, auth_token=token)
        replica = fields.replica.strip()
        if replica:
            place = replace(place, url=expand_path(replica, environ).as_uri(), sync_url=parsed.url)
        else:
            place = replace(place, sync_url=None, sync_interval_s=None)
    else:
        place = _postgresql(fields, environ, base if isinstance(base, PostgresPlace) else PostgresPlace(None, "", ""))
    return replace(place, name=name, label=name or short_label(place), origin=_ORIGIN)


def file_place(text: str, environ: Mapping[str, str]) -> SqlitePlace:
    """The place of a typed path or ``file:`` URL. Raises ConfigError for a URL of another kind."""
    typed = text.strip()
    if is_url(typed):
        place = parse_url(typed, "The path", environ)
        if isinstance(place, SqlitePlace):
            return place
        raise ConfigError("This is a URL, not a path.", "Go back and choose PostgreSQL or libSQL for it.")
    return SqlitePlace(None, "", expand_path(typed, environ), "")


def _postgresql(fields: ConnectionFields, environ: Mapping[str, str], base: PostgresPlace) -> PostgresPlace:
    if fields.kind == "embedded":
        return replace(base, embedded=True, database=fields.database.strip() or None)
    options = dict(fields.options)
    service, tenant = options.pop("service", None), options.pop("tenant", None)
    port, more = parse_ports(fields.port.strip(), "The port")
    secure = fields.ssl != "disable"
    ca, cert, key = (
        (str(expand_path(text, environ)) if text != "system" else text) if (text := typed.strip()) and secure else None
        for typed in (fields.ca, fields.cert, fields.key)
    )
    return replace(
        base,
        host=fields.host.strip() or None,
        port=port,
        database=fields.database.strip() or None,
        user=fields.user.strip() or None,
        password=Secret(fields.password) if fields.password else None,
        service=service,
        schema=fields.schema.strip() or None,
        tenant=tenant,
        ssl=with_authorities(SslOptions(None if fields.ssl == "prefer" else fields.ssl, ca, cert, key), environ),
        options=options | more,
    )


def _from_libsql(fields: ConnectionFields, text: str, environ: Mapping[str, str]) -> ConnectionFields:
    text = as_url(text)
    if not text.lower().startswith("libsql:"):
        raise ConfigError("This is not the URL of a libSQL database.", example_url("libsql"))
    place = parse_url(text, "The URL", environ)
    assert isinstance(place, LibsqlPlace)
    typed = place.auth_token.reveal() if place.auth_token else ""
    return replace(fields, url=place.url if typed else text, token=typed or fields.token)


def example_url(kind: FormKind) -> str:
    """A sentence that shows what a URL looks like."""
    return f"It looks like {'libsql://name.turso.io' if kind == 'libsql' else 'postgresql://user@host:5432/agor'}"


def _encoded(text: str) -> str:
    """What would be read as a URL's own sign, percent-encoded; other scripts stay as they are."""
    return _UNSAFE.sub(lambda found: "".join(f"%{b:02X}" for b in found[0].encode("utf-8", "surrogatepass")), text)


def _host_in_url(host: str) -> str:
    return f"[{host}]" if ":" in host and re.fullmatch(r"[0-9A-Fa-f:.]+", host) else _encoded(host)
