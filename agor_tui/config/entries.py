"""A place as an entry of the settings file, which the reader reads as the same place again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from agor_tui.config.connection import of_place, shown_url
from agor_tui.config.passwords import PasswordHome
from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, Secret, SslOptions
from agor_tui.errors import ConfigError

if TYPE_CHECKING:
    from agor_tui.config.yaml_text import Value

Leaf = str | int | bool
Leaves = dict[tuple[str, ...], Leaf]
"""The values of an entry by their keys, outermost first."""

_ANYWHERE = frozenset({("postgresql", "readOnly"), ("postgresql", "pool")})
"""What a ``url`` cannot say, so that it may stay where only this changes."""


def leaves_of(place: Place, password: PasswordHome) -> Leaves:
    """The keys of a place, without those that have their defaults.

    A password in ``place`` is written only where ``password`` says that the file keeps it.

    Raises:
        ConfigError: the file has no key for this; only PostgreSQL's password can be kept elsewhere.
    """
    values: dict[str, Leaf | None]
    if isinstance(place, PostgresPlace):
        return _present("postgresql", _postgresql(place, password))
    if password.kind not in ("none", "file"):
        raise ConfigError("Only the password of a PostgreSQL database can be kept elsewhere than in the config file.")
    if isinstance(place, LibsqlPlace):
        values = {
            "url": place.url,
            "authToken": _revealed(place.auth_token),
            "syncUrl": place.sync_url,
            "syncInterval": place.sync_interval_s,
            "readOnly": place.read_only or None,
        }
    else:
        values = {
            "path": str(place.path),
            "walMode": None if place.wal_mode else False,
            "busyTimeout": None if place.busy_timeout_ms == 5000 else place.busy_timeout_ms,
            "readOnly": place.read_only or None,
        }
    return _present("sqlite", values)


def changed(old: Leaves, new: Leaves, *, has_url: bool) -> tuple[Leaves, list[tuple[str, ...]]]:
    """What to write and what to take out to make an entry that says ``old`` say ``new``.

    ``has_url``: the entry has a ``postgresql.url``, which comes before the keys beside it.
    """
    put = {path: value for path, value in new.items() if old.get(path) != value or type(old[path]) is not type(value)}
    out = [path for path in old if path not in new and not any(path[: len(each)] == each for each in put)]
    if has_url and any(path[:2] not in _ANYWHERE for path in (*put, *out) if path[0] == "postgresql"):
        put = new
        out = [*out, ("postgresql", "url")] if ("postgresql", "url") not in new else out
    # Of a scalar that becomes a map nothing is left to take out.
    return put, [path for path in out if not any(each[: len(path)] == path for each in put)]


def nested(leaves: Leaves) -> Value:
    """The values as maps in maps."""
    root: dict[str, Value] = {}
    for path, value in leaves.items():
        inner = root
        for key in path[:-1]:
            deeper = inner.setdefault(key, {})
            assert isinstance(deeper, dict)
            inner = deeper
        inner[path[-1]] = value
    return root


def _present(dialect: str, values: Mapping[str, Leaf | None]) -> Leaves:
    leaves: Leaves = {("dialect",): dialect}
    for key, value in values.items():
        if value is not None:
            leaves[(dialect, *key.split("."))] = value
    return leaves


def _postgresql(place: PostgresPlace, password: PasswordHome) -> dict[str, Leaf | None]:
    values: dict[str, Leaf | None]
    if place.embedded:
        values = {"embedded": True, "database": place.database}
    elif place.options or place.service or not _has_keys(place.ssl):
        bare = replace(place, password=None, schema=None, tenant=None)
        values = {"url": shown_url(of_place(bare)), **dict(_password(place, password))}
    else:
        values = {"host": place.host, "port": place.port, "database": place.database, "user": place.user}
        values |= dict(_password(place, password))
        values |= dict(_ssl(place.ssl))
    values |= {"schema": place.schema, "tenant": place.tenant}
    default = PostgresPlace(None, "", "")
    if (place.pool_min, place.pool_max) != (default.pool_min, default.pool_max):
        values |= {"pool.min": place.pool_min, "pool.max": place.pool_max}
    if place.idle_timeout_ms != default.idle_timeout_ms:
        values["pool.idleTimeout"] = place.idle_timeout_ms
    return values | {"readOnly": place.read_only or None}


def _password(place: PostgresPlace, password: PasswordHome) -> Iterator[tuple[str, Leaf | None]]:
    match password.kind:
        case "file":
            yield "password", _revealed(place.password)
        case "variable":
            yield "passwordEnv", password.detail
        case "command":
            yield "passwordCommand", password.detail
        case "keyring":
            yield "passwordKeyring", True


def _has_keys(ssl: SslOptions) -> bool:
    """Whether the keys under ``ssl`` can say this; the rest of libpq's modes stand in a URL."""
    has_files = bool(ssl.cert or ssl.key)
    match ssl.mode:
        case None | "disable":
            return not has_files and not ssl.ca
        case "require":
            return not ssl.ca
        case _:
            return ssl.mode == "verify-full"


def _ssl(ssl: SslOptions) -> Iterator[tuple[str, Leaf | None]]:
    if ssl.mode == "disable" or (ssl.mode == "require" and not ssl.cert and not ssl.key):
        yield "ssl", ssl.mode == "require"
    elif ssl.mode is not None:
        yield "ssl.rejectUnauthorized", ssl.mode == "verify-full"
        for key in ("ca", "cert", "key"):
            yield f"ssl.{key}", getattr(ssl, key)


def _revealed(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None
