"""Database URLs: ``postgresql://`` (also ``postgres://``, ``pg://``), ``file:``, ``sqlite:///`` and ``libsql://``.

``https://`` and ``http://`` are libSQL's too, with and without encryption. What ``pasted`` knows as a URL in another
form is read as that URL everywhere.

A part of a URL may be a password that was not percent-encoded, so an error repeats nothing of it but the
scheme, and the names of parameters where these are plain.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from agor_tui.config.other_clients import is_other_clients
from agor_tui.config.pasted import as_url
from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, Secret, SqlitePlace, SslOptions
from agor_tui.errors import ConfigError, quoted, suggestion

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SSL_WORDS = {"true": "require", "1": "require", "false": "disable", "0": "disable", "no-verify": "require"}
_OWN = ("user", "password", "host", "port", "dbname", "service", "schema", "tenant")
_SSL = ("ssl", "sslmode", "sslrootcert", "sslcert", "sslkey")
LIBPQ_PARAMETERS = (
    "application_name", "channel_binding", "client_encoding", "connect_timeout", "fallback_application_name",
    "gssdelegation", "gssencmode", "gsslib", "hostaddr", "keepalives", "keepalives_count", "keepalives_idle",
    "keepalives_interval", "krbsrvname", "load_balance_hosts", "max_protocol_version", "min_protocol_version",
    "options", "passfile", "require_auth", "requirepeer", "ssl_max_protocol_version", "ssl_min_protocol_version",
    "sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslnegotiation", "sslpassword", "sslsni",
    "target_session_attrs", "tcp_user_timeout",
)  # fmt: skip
"""libpq's parameters that a URL may carry beside those that have a field of their own."""
_ENCODE = "Write @ / : ? % in a user name or password as %40 %2F %3A %3F %25."
_SCHEMES = "Known are postgresql://, postgres://, pg://, file:, sqlite:///, libsql:// and https://."
_SCHEME = re.compile(
    r"(postgresql|postgres|pg|libsql|https|http)://|(file|sqlite|libsql):|([a-z][a-z0-9+.-]{0,30})://", re.I
)
_HOST = re.compile(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[^:]*))?", re.S)


def is_url(text: str) -> bool:
    """Tell whether ``text`` has the form of a URL, of a known scheme or not."""
    return _SCHEME.match(as_url(text)) is not None


def dialect_of(url: str) -> str | None:
    """The dialect that the scheme of ``url`` means, None of a scheme that is not known."""
    found = _SCHEME.match(as_url(url))
    scheme = (found[1] or found[2] or "").lower() if found else ""
    if scheme in ("postgresql", "postgres", "pg"):
        return "postgresql"
    return "sqlite" if scheme else None


def parse_url(url: str, where: str, environ: Mapping[str, str], base: Path | None = None) -> Place:
    """Read a database URL into a Place whose name, label and origin are still to be filled in.

    ``where`` names the source for errors, as in ``DATABASE_URL`` or ``config.yaml, line 3: url``; relative
    paths of ``file:`` and ``sqlite:`` count from ``base``, else from the current folder.

    Raises:
        ConfigError: an unknown scheme or parameter, a wrong port, broken percent-encoding.
    """
    url = as_url(url)
    if re.search("[\ud800-\udfff]", url):  # how Python shows bytes that are no text
        raise ConfigError(f"{where} has a byte that is not UTF-8.", "Write it percent-encoded, such as %C3%A9 for é.")
    found = _SCHEME.match(url)
    if found is None:
        raise ConfigError(f"{where} is not a database URL.", _SCHEMES)
    scheme = (found[1] or found[2] or "").lower()
    rest = url[found.end() :]
    if scheme in ("postgresql", "postgres", "pg"):
        return _postgresql(rest, where)
    if scheme in ("libsql", "https", "http"):
        return _libsql(scheme, rest if found[1] else rest.removeprefix("//"), where)
    if scheme:
        return _file(scheme, rest, where, environ, base)
    # A password that was put in the wrong place may look like a scheme, but hardly like one in small letters.
    which = f"the scheme {quoted(found[3])}, which" if found[3].islower() else "a scheme that"
    raise ConfigError(f"{where} has {which} is not known.", _SCHEMES)


def expand_path(text: str, environ: Mapping[str, str], base: Path | None = None) -> Path:
    """An absolute path: ``~/`` is the home folder; a relative path counts from ``base``, else from here."""
    if text == "~" or text.startswith("~/"):
        text = (environ.get("HOME") or "~") + text[1:]
    path = Path(os.path.expanduser(text))
    return path if path.is_absolute() else (base or Path()).absolute() / path


def quoted_unless_secret(text: str) -> str:
    """``text`` in quotation marks for an error, or a mask where it could be a connection string."""
    return Secret.MASK if re.search(r"[@=]|://", text) else quoted(text, 96)


def plain_part(text: str | None, where: str) -> str | None:
    """``text`` itself, a host's, user's or database's name; a URL in its place is refused, as it would be shown."""
    if text and ("://" in text or re.search(r":.*@", text)):
        raise ConfigError(f"{where} is a URL, not a name.", "Put a URL into url, DATABASE_URL or --database.")
    return text or None


def parse_ports(text: str, where: str) -> tuple[int | None, dict[str, str]]:
    """A port, or several with commas between as in libpq, as ``port`` and ``options`` of a place."""
    ports = [_port(part, where) for part in text.split(",")]
    if len(set(ports)) == 1:
        return ports[0], {}
    return None, {"port": ",".join("" if port is None else str(port) for port in ports)}


def ssl_mode(word: str, where: str) -> str:
    """Check an sslmode, the words of other drivers among them (``true``, ``no-verify``)."""
    mode = _SSL_WORDS.get(word, word)
    if mode not in SSL_MODES:
        raise ConfigError(f"{where} has an unknown sslmode.", f"Known are {', '.join(SSL_MODES)}.")
    return mode


def _postgresql(rest: str, where: str) -> PostgresPlace:
    body, _, query = rest.partition("?")
    head, _, database = body.partition("/")
    if "@" in database:
        raise ConfigError(f"{where} has an @ behind the first /, which it cannot mean.", _ENCODE)
    userinfo, _, hosts = head.rpartition("@")
    user, has_password, password = userinfo.partition(":")
    ignored: list[str] = []
    parameters = _parameters(query, (*_OWN, *_SSL, *LIBPQ_PARAMETERS), where, ignored)

    host, port, options = _hosts(hosts, where)
    if "port" in parameters:
        port, options = parse_ports(parameters["port"], where)
    options |= {name: value for name, value in parameters.items() if name in LIBPQ_PARAMETERS}
    mode = parameters.get("sslmode", parameters.get("ssl"))
    secret = parameters.get("password", _decode(password, where) if has_password else "")
    return PostgresPlace(
        name=None,
        label="",
        origin="",
        host=parameters.get("host", host) or None,
        port=port,
        database=parameters.get("dbname", _decode(database, where)) or None,
        user=parameters.get("user", _decode(user, where)) or None,
        password=Secret(secret) if secret else None,
        service=parameters.get("service") or None,
        schema=parameters.get("schema") or None,
        tenant=parameters.get("tenant") or None,
        ssl=SslOptions(
            mode=ssl_mode(mode, where) if mode else None,
            ca=parameters.get("sslrootcert"),
            cert=parameters.get("sslcert"),
            key=parameters.get("sslkey"),
        ),
        options=options,
        ignored=tuple(ignored),
    )


def _hosts(text: str, where: str) -> tuple[str | None, int | None, dict[str, str]]:
    names, ports = [], []
    for part in text.split(","):
        found = _HOST.fullmatch(part)
        if found is None:
            raise ConfigError(f"{where} has a host that cannot be read.", f"Put an IPv6 address in [ ]. {_ENCODE}")
        names.append(_decode(found["v6"] or found["name"] or "", where))
        ports.append(found["port"] or "")
    port, options = parse_ports(",".join(ports), where)
    return ",".join(names) or None, port, options


def _port(text: str, where: str) -> int | None:
    if not text:
        return None
    # What stands here may be half a password, so it is not repeated.
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise ConfigError(f"{where} has a port that is not a number from 1 to 65535.", _ENCODE)
    return int(text)


def _libsql(scheme: str, rest: str, where: str) -> LibsqlPlace:
    body, _, query = rest.partition("?")
    authority, _, path = body.rstrip("/").partition("/")
    if "@" in body:
        raise ConfigError(
            f"{where} has a user or password, which libSQL does not know.", "Give the token as authToken."
        )
    host, _, options = _hosts(authority, where)
    if not host:
        raise ConfigError(f"{where} names no host.", "Write it as libsql://host.")
    if options or "," in host or re.search(r"[^!-~]|[#\\]", authority + path):
        raise ConfigError(f"{where} has a host or a path that cannot be read.", "Write it as libsql://host:port/path.")
    parameters = _parameters(query, ("authToken", "tls", "secure"), where)
    token = parameters.pop("authToken", None)
    words = {parameters.get("tls", ""), parameters.get("secure", "")} - {""}
    if not words <= {"0", "1", "true", "false"}:
        raise ConfigError(f"{where} has a tls that is none of 0, 1, true and false.")
    plain = bool(words & {"0", "false"}) or scheme == "http"
    return LibsqlPlace(
        name=None,
        label="",
        origin="",
        url=f"libsql://{authority}{f'/{path}' if path else ''}{'?tls=0' if plain else ''}",
        auth_token=Secret(token) if token else None,
    )


def _file(scheme: str, rest: str, where: str, environ: Mapping[str, str], base: Path | None) -> SqlitePlace:
    body, _, query = rest.partition("?")
    parameters = _parameters(query, ("mode", "immutable"), where)
    if parameters.get("mode", "rw") not in ("ro", "rw", "rwc"):
        raise ConfigError(f"{where} has a mode that is none of ro, rw and rwc.")
    if body.startswith("//"):
        authority, slash, tail = body[2:].partition("/")
        if authority not in ("", "localhost", "~"):
            raise ConfigError(f"{where} names a file on another computer.", "Write it as file:///path or file:path.")
        # SQLAlchemy's convention: behind sqlite: and three slashes a relative path, behind four an absolute.
        body = tail if scheme == "sqlite" and not authority else authority.removeprefix("localhost") + slash + tail
    path = _decode(body, where)
    if not path:
        raise ConfigError(f"{where} names no file.", "Write it as file:///path or file:path.")
    return SqlitePlace(
        name=None,
        label="",
        path=expand_path(path, environ, base),
        origin="",
        read_only=parameters.get("mode") == "ro" or parameters.get("immutable", "0") not in ("0", "false"),
    )


def _parameters(query: str, known: tuple[str, ...], where: str, ignored: list[str] | None = None) -> dict[str, str]:
    """The parameters by name; those that are other clients' go to ``ignored``."""
    values = {}
    for pair in query.split("&") if query else ():
        raw, equals, value = pair.partition("=")
        name = _decode(raw, where)
        if not equals:
            raise ConfigError(f"{where} has a parameter that is not written as name=value.", _ENCODE)
        if name not in known and ignored is not None and is_other_clients(name):
            ignored.append(name)
            continue
        if name not in known:
            if "@" in query:  # then this may be the rest of a password with a ? in it
                raise ConfigError(f"{where} has a parameter that is not known.", _ENCODE)
            raise ConfigError(f"{where} has the unknown parameter {quoted(name)}{suggestion(name, known)}.")
        values[name] = _decode(value, where)
    return values


def _decode(text: str, where: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})|%00", text):
        raise ConfigError(f"{where} has a % that is not followed by two hexadecimal digits.", _ENCODE)
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ConfigError(f"{where} has percent-encoded bytes that are not UTF-8.") from None
