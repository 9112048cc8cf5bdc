"""The command lines that a hint names for one database: they reach that one, and show no secret."""

from __future__ import annotations

import shlex
from urllib.parse import quote, urlencode

from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, SqlitePlace
from agor_tui.hints import own_command

_SECRET = ("sslpassword", "oauth_client_secret")


def command_for(place: Place, words: str) -> str:
    """``words`` as a command line of this program, for the database at ``place``."""
    return own_command(f"{words}{database_option(place)}")


def database_option(place: Place) -> str:
    """What a command for this database ends in: its name in the config, else its path or URL without a password.

    Empty where it opens anyway.
    """
    if ": active " in place.origin:
        return ""
    if place.name is not None:
        return f" --database {shlex.quote(place.name)}"
    if place.origin in ("", "--database"):
        return f" --database {shlex.quote(_address(place))}"
    return ""


def _address(place: Place) -> str:
    match place:
        case SqlitePlace():
            return str(place.path)
        case LibsqlPlace():
            return place.url
        case PostgresPlace():
            return _url(place)


def _url(place: PostgresPlace) -> str:
    host = place.host or ""
    plain = bool(host) and "," not in host and not host.startswith("/")
    shown = f"[{host}]" if ":" in host else host
    parameters = {
        **{name: value for name, value in place.options.items() if name not in _SECRET},
        "host": None if plain else host,
        "port": place.options.get("port") if plain or place.port is None else place.port,
        "service": place.service,
        "schema": place.schema,
        "tenant": place.tenant,
        "sslmode": place.ssl.mode,
        "sslrootcert": place.ssl.ca,
        "sslcert": place.ssl.cert,
        "sslkey": place.ssl.key,
    }
    user = f"{quote(place.user, safe='')}@" if place.user else ""
    port = f":{place.port}" if plain and place.port is not None else ""
    query = urlencode({name: value for name, value in parameters.items() if value}, quote_via=quote)
    return f"postgresql://{user}{shown if plain else ''}{port}/{quote(place.database or '', safe='')}" + (
        f"?{query}" if query else ""
    )
