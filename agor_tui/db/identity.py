"""Which database a place leads to, however it is named: to tell whether two places are one."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy import exc
from sqlalchemy.engine import Connection

from agor_tui.config.places import LibsqlPlace, Place, SqlitePlace, primary, replica_path
from agor_tui.db.engine import Database

_SERVER = (
    "SELECT pg_catalog.pg_postmaster_start_time()::text, (SELECT oid::text FROM pg_catalog.pg_database "
    "WHERE datname = current_database()), coalesce(current_schema(), '')"
)
_SYSTEM = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"


@dataclass(frozen=True, slots=True)
class Identity:
    """What two names of one database share: ``found`` is one or more facts, of which one in common is enough.

    ``lasting`` is the same the next time, also after the server was started anew.
    """

    found: frozenset[tuple[str, ...]]
    lasting: str

    def same_as(self, other: Identity) -> bool:
        """Tell whether both are one database."""
        return bool(self.found & other.found)


def identity(place: Place) -> Identity:
    """Ask what ``place`` is.

    Raises:
        DatabaseError: a server cannot be asked.
    """
    place = primary(place)
    if isinstance(place, SqlitePlace):
        return _of_file(place)
    if isinstance(place, LibsqlPlace):
        return _of_url(place)
    with Database(place) as database:
        return database.read(_of_server)


def copies(place: Place) -> frozenset[tuple[str, ...]]:
    """What the local copy of an embedded replica is, as ``Identity.found``; empty for all others."""
    if isinstance(place, LibsqlPlace) and place.sync_url:
        return _of_file(SqlitePlace(None, "", replica_path(place), "")).found
    return frozenset()


def _of_file(place: SqlitePlace) -> Identity:
    path = os.path.realpath(place.path)
    found: set[tuple[str, ...]] = {("file", path)}
    try:
        stat = os.stat(path)
    except OSError:
        pass
    else:
        found.add(("inode", str(stat.st_dev), str(stat.st_ino)))
    return Identity(frozenset(found), f"file {path}")


def _of_url(place: LibsqlPlace) -> Identity:
    url = urlsplit(place.url)
    port = str(url.port or (80 if "tls=0" in url.query else 443))
    try:
        addresses = {str(each[4][0]) for each in socket.getaddrinfo(url.hostname, int(port), type=socket.SOCK_STREAM)}
    except OSError:
        addresses = set()
    # Behind one address of the internet a host like Turso keeps the databases of many names.
    own = {each for each in addresses if not ip_address(each.partition("%")[0]).is_global}
    addresses = {"127.0.0.1" if each == "::1" else each for each in own} | {url.hostname or ""}
    return Identity(frozenset(("libsql", each, port, url.path) for each in addresses), f"libsql {place.url}")


def _of_server(connection: Connection) -> Identity:
    started, database, schema = connection.exec_driver_sql(_SERVER).one()
    system = started  # where the lasting identifier may not be asked for
    connection.exec_driver_sql("SAVEPOINT agor_tui_identity")
    try:
        system = str(connection.exec_driver_sql(_SYSTEM).scalar())
    except exc.DBAPIError:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT agor_tui_identity")
    # A copied server has the same identifier, but was not started in the same microsecond.
    return Identity(frozenset({("server", started, database, schema)}), f"server {system} {database} {schema}")
