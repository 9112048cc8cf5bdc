"""The files that libpq reads for a connection: one that is no plain file would keep it, and us, for ever."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping

from agor_tui.config.places import PostgresPlace
from agor_tui.errors import DatabaseError

_LARGEST = 16 << 20
"""Bytes; a list of all authorities of a system has a quarter of a megabyte."""


def require_plain_files(place: PostgresPlace, environ: Mapping[str, str]) -> None:
    """Raise a DatabaseError where libpq would read a device, a pipe, a folder or something huge.

    What is not there is left to libpq, which says it well (PostgreSQL's manual, "Environment Variables").
    """
    for what, path in _named(place, environ):
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            continue
        if path == os.devnull:
            continue  # how one says that there is none
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no plain file"
            raise DatabaseError(f"{path} is {kind}, and cannot be read as {what}.", "Name another file.")
        if found.st_size > _LARGEST:
            raise DatabaseError(f"{path} is too large to be {what}.", "Name another file.")


def _named(place: PostgresPlace, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if place.service or environ.get("PGSERVICE"):
        yield "the services (PGSERVICEFILE)", environ.get("PGSERVICEFILE") or _home(".pg_service.conf")
        if folder := environ.get("PGSYSCONFDIR"):
            yield "the services (PGSYSCONFDIR)", os.path.join(folder, "pg_service.conf")
    yield "the passwords (passfile)", place.options.get("passfile") or environ.get("PGPASSFILE") or _home(".pgpass")
    ssl = place.ssl
    for what, named, variable, default in (
        ("the authorities (sslrootcert)", ssl.ca, "PGSSLROOTCERT", "root.crt"),
        ("the client's certificate (sslcert)", ssl.cert, "PGSSLCERT", "postgresql.crt"),
        ("the client's key (sslkey)", ssl.key, "PGSSLKEY", "postgresql.key"),
        ("the revoked certificates (sslcrl)", place.options.get("sslcrl"), "PGSSLCRL", "root.crl"),
    ):
        path = named or environ.get(variable) or _home(os.path.join(".postgresql", default))
        if path != "system":
            yield what, path


def _home(name: str) -> str:
    return os.path.join(os.path.expanduser("~"), name)
