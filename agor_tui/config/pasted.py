"""What people paste where a URL is asked for, as the URL that it means.

Known are the line of an env file, quotation marks, the URLs of JDBC and SQLAlchemy, a command line of ``psql``, libpq's
own strings of ``key=value`` (PostgreSQL's manual, section "Connection Strings"), and those of .NET, with semicolons.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from urllib.parse import quote

_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "<": ">"}
_ASSIGNED = re.compile(
    r"(?:export\s+|set\s+|setx\s+|\$env:|-e\s+)?[\"']?[A-Za-z_][A-Za-z0-9_]*[\"']?\s*[=:]\s*(?=\S)", re.I
)
_ADDRESS = re.compile(r"(?:jdbc:|(?:postgresql|postgres|pg|libsql|https?)(?:\+\w+)?://|file:|sqlite)", re.I)
_DRIVER = re.compile(r"(?:jdbc:)?(postgresql|postgres|sqlite|libsql)(?:\+(\w+))?(?=:)", re.I)
_PAIR = re.compile(r"\s*([A-Za-z_]+)\s*=\s*('(?:\\.|[^'\\])*'|(?:\\.|[^\s'\\])*)(?=\s|$)", re.S)
_CONNINFO = ("host", "hostaddr", "dbname", "service")
"""One of these stands in every libpq string that names a database."""
_NET = {
    "server": "host", "host": "host", "data source": "host", "port": "port", "database": "dbname",
    "initial catalog": "dbname", "user id": "user", "userid": "user", "username": "user", "user name": "user",
    "user": "user", "uid": "user", "password": "password", "pwd": "password", "ssl mode": "sslmode",
    "sslmode": "sslmode", "root certificate": "sslrootcert",
}  # fmt: skip
"""Npgsql's keywords, of which the others are ignored: they say nothing of where the server is."""
_NET_PAIR = re.compile(r"""\s*([A-Za-z ]{2,40}?)\s*=\s*("(?:[^"]|"")*"|'(?:[^']|'')*'|[^;]*?)\s*(?:;|$)""")
_COMMAND = re.compile(r"(?:\w+=(?:'[^']*'|\"[^\"]*\"|[^\s'\"])*\s+)*(?:\S*/)?(?:psql|pgcli)\s")
_VALUED = {"h": "host", "p": "port", "U": "user", "d": "dbname"}
_LONG = {"host": "host", "port": "port", "username": "user", "user": "user", "dbname": "dbname"}
_OTHER_VALUED = frozenset("cfvFLoPRTA")
_LONG_VALUED = frozenset({"command", "file", "variable", "set", "log-file", "output", "pset"})
_VARIABLES = {"PGHOST": "host", "PGPORT": "port", "PGDATABASE": "dbname", "PGUSER": "user", "PGPASSWORD": "password"}
_LONGEST = 20_000
"""Characters; nothing longer is a URL."""


def as_url(text: str) -> str:
    """``text`` as a URL where it is one in another form; else as it is, without the spaces around it."""
    found = text.strip(" \t\r\n\f\v\ufeff\u200b\xa0")
    if len(found) > _LONGEST:
        return found
    bare = _unquoted(found)
    assigned = _ASSIGNED.match(bare)
    if assigned and _is_known(value := _unquoted(bare[assigned.end() :])):
        bare = value
    elif not _is_known(bare):
        return found  # quotation marks may belong to a path
    if parameters := _of_command(bare) or _of_conninfo(bare) or _of_net(bare):
        return _url(parameters)
    return _DRIVER.sub(_of_driver, bare, count=1) if _DRIVER.match(bare) else bare


def _unquoted(text: str) -> str:
    while (stripped := text.rstrip(";, \t\r\n"))[:1] in _QUOTES:
        first, last = stripped[0], _QUOTES[stripped[0]]
        if len(stripped) < 2 or stripped[-1] != last or first in stripped[1:-1]:
            return text
        text = stripped[1:-1].strip()
    return text


def _is_known(text: str) -> bool:
    return bool(_ADDRESS.match(text) or _COMMAND.match(text)) or bool(_of_conninfo(text) or _of_net(text))


def _of_driver(found: re.Match[str]) -> str:
    """The scheme alone; SQLAlchemy's ``sqlite+libsql`` is libSQL's."""
    return "libsql" if (found[2] or "").lower() == "libsql" else found[1]


def _of_conninfo(text: str) -> dict[str, str] | None:
    """The parameters of a libpq string; None where it is none."""
    parameters: dict[str, str] = {}
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _PAIR.match(text, at)
        if found is None:
            return None
        value = found[2][1:-1] if found[2].startswith("'") else found[2]
        parameters[found[1]] = re.sub(r"\\(.)", r"\1", value, flags=re.S)
        at = found.end()
    return parameters if any(name in parameters for name in _CONNINFO) else None


def _of_net(text: str) -> dict[str, str] | None:
    """The parameters of a string for .NET, ``Server=h;User Id=u;…``; None where it is none."""
    parameters: dict[str, str] = {}
    at, text = 0, text.strip()
    while at < len(text):
        found = _NET_PAIR.match(text, at)
        if found is None:
            return None
        name, value = _NET.get(found[1].lower()), found[2]
        if value[:1] in ("'", '"') and value[-1:] == value[:1] and len(value) > 1:
            value = value[1:-1].replace(value[0] * 2, value[0])
        if name == "sslmode":
            value = re.sub(r"(?i)^verify-?(?=ca$|full$)", "verify-", value).lower()
        if name and value:
            parameters[name] = value
        at = found.end()
    return parameters if ";" in text and {"host", "dbname"} <= parameters.keys() else None


def _of_command(text: str) -> dict[str, str] | str | None:
    """The parameters of a command line of ``psql``, or the URL in it; None where it is no such line."""
    try:
        words = shlex.split(re.sub(r"\\\r?\n", " ", text)) if _COMMAND.match(text) else []
    except ValueError:
        return None
    variables = {}
    while words and (found := re.fullmatch(r"([A-Z]+)=(.*)", words[0], re.S)):
        variables[found[1]] = found[2]
        words.pop(0)
    if not words:
        return None
    parameters = {_VARIABLES[name]: value for name, value in variables.items() if name in _VARIABLES}
    parameters |= {name[2:].lower(): value for name, value in variables.items() if name in ("PGSSLMODE", "PGSERVICE")}
    url = ""
    for name, value in _options(words[1:]):
        if name == "dbname" and _ADDRESS.match(value):
            url = value
        elif name == "dbname" and "=" in value and (inner := _of_conninfo(value)) is not None:
            parameters |= inner
        else:
            parameters[name] = value
    if url and parameters:
        url += f"{'&' if '?' in url else '?'}{_query(parameters)}"
    return url or parameters or None


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """What the options and words behind ``psql`` say of the connection; the first word is a database, then a user."""
    names = iter(("dbname", "user"))
    rest = iter(words)
    for word in rest:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name in _LONG or (name in _LONG_VALUED and not equals):
                value = value if equals else next(rest, "")
            if name in _LONG:
                yield _LONG[name], value
        elif word.startswith("-") and len(word) > 1:
            letter = word[1]
            if letter in _VALUED:
                yield _VALUED[letter], word[2:] or next(rest, "")
            elif letter in _OTHER_VALUED and len(word) == 2:
                next(rest, "")
        elif name := next(names, ""):
            yield name, word


def _url(parameters: Mapping[str, str] | str) -> str:
    if isinstance(parameters, str):
        return as_url(parameters)
    left = {name: value for name, value in parameters.items() if value}
    host, port, user, password, database = (
        left.pop(name, "") for name in ("host", "port", "user", "password", "dbname")
    )
    if "," in port or ("," in host and port):
        left["port"], port = port, ""
    hosts = ",".join(f"[{each}]" if ":" in each else quote(each, safe="") for each in host.split(","))
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    where = f"{f'{login}@' if login else ''}{hosts}{f':{port}' if port else ''}"
    return f"postgresql://{where}/{quote(database, safe='')}" + (f"?{_query(left)}" if left else "")


def _query(parameters: Mapping[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
