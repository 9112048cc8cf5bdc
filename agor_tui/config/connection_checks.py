"""What is wrong with the fields of a connection form: a sentence or two for each, to stand beside it.

Nothing here touches the disk but ``file_complaints``, which looks at the files that are named.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from agor_tui.config.connection import FIELDS, ConnectionFields, example_url, file_place, from_url, shown_url
from agor_tui.config.settings import LONGEST_NAME, is_name
from agor_tui.config.urls import SSL_MODES, dialect_of, expand_path, is_url, parse_ports
from agor_tui.errors import ConfigError

_LONGEST_NAME = 63
"""Bytes: PostgreSQL cuts the names of databases, users and schemas there without a word."""


def complaints(fields: ConnectionFields, taken: Collection[str] | None = None) -> dict[str, str]:
    """What is wrong with each field, a sentence or two by the field's name; empty where all is well.

    ``taken`` are the names that other databases have; None: the form asks for no name.
    """
    found = {}
    for name in FIELDS[fields.kind]:
        complaint = _CHECKS[name](fields)
        if complaint:
            found[name] = complaint
    if fields.kind == "postgresql" and "url" in found:
        found = {"url": found["url"]}  # the other fields are as the last URL that could be read filled them
    if taken is not None and (complaint := name_complaint(fields.name, taken)):
        found["name"] = complaint
    return found


def name_complaint(text: str, taken: Collection[str]) -> str:
    """What is wrong with the name of a database; empty where nothing is."""
    name = text.strip()
    if not name:
        return "Give it a name, such as team."
    if name in taken:
        return "Another database has this name already."
    if name == "database":
        return "This word stands for the config's default database. Use another one."
    if len(name) > LONGEST_NAME:
        return f"At most {LONGEST_NAME} characters; these are {len(name):,}."
    if not is_name(name):
        return "Use a word such as team, without / or : and without .db at its end."
    return ""


def file_complaints(fields: ConnectionFields, environ: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with the files that are named. Looks at the disk, which may take its time."""
    if fields.kind == "sqlite":
        complaint = _path_on_disk(file_place(fields.path, environ).path)
        return {"path": complaint} if complaint else {}
    if fields.kind == "libsql" and fields.replica.strip():
        complaint = _path_on_disk(expand_path(fields.replica.strip(), environ))
        return {"replica": complaint} if complaint else {}
    found = {}
    if fields.kind == "postgresql" and fields.ssl != "disable":
        for name in ("ca", "cert", "key"):
            text = getattr(fields, name).strip()
            if text and not (name == "ca" and text == "system"):
                path = expand_path(text, environ)
                if not _is(os.path.isfile, path):
                    found[name] = "This is no file." if _is(os.path.lexists, path) else "There is no such file."
                elif not os.access(path, os.R_OK):
                    found[name] = "This file may not be read by you."
    return found


def _path_on_disk(path: Path) -> str:
    try:
        path.lstat()
    except OSError as error:
        if not isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError):
            return f"This path cannot be looked at: {error.strerror}."
    if _is(os.path.isdir, path):
        return f"This is a folder. Add a file's name, such as {path / 'agor.db'}"
    if _is(os.path.exists, path):
        if not _is(os.path.isfile, path):
            return "This is neither a file nor a folder."
        return "" if os.access(path, os.R_OK) else "This file may not be read by you."
    parent = next((each for each in path.parents if _is(os.path.lexists, each)), Path("/"))
    if not _is(os.path.isdir, parent):
        return f"{parent} is not a folder, so nothing can be made in it."
    if not os.access(parent, os.W_OK | os.X_OK):
        return f"The file is not there, and nothing may be made in {parent}."
    return ""


def _is(test: Callable[[Path], bool], path: Path) -> bool:
    try:
        return test(path)
    except (OSError, ValueError):
        return False


def _control(text: str) -> bool:
    return bool(re.search("[\0-\x1f\x7f\ud800-\udfff]", text))


def _check_url(fields: ConnectionFields) -> str:
    if not fields.url.strip():
        return "" if fields.kind == "postgresql" else f"Give the URL. {example_url(fields.kind)}"
    if fields.kind == "postgresql" and fields.url == shown_url(fields):
        return ""  # what is wrong in it is said of the field it comes from
    try:
        from_url(fields, fields.url, {})
    except ConfigError as error:
        return f"{error.message} {error.hint}".strip()
    return ""


def _check_path(fields: ConnectionFields) -> str:
    text = fields.path.strip()
    return _wrong_path(text) if text else "Give the path of a file, such as ~/agor.db"


def _wrong_path(text: str) -> str:
    if _control(text):
        return "A path has no control characters."
    if is_url(text) and dialect_of(text) != "sqlite":
        return "This is a URL, not a path. Go back and choose PostgreSQL for it."
    try:
        file_place(text, {})
    except ConfigError as error:
        return f"{error.message} {error.hint}".strip()
    return "This is a folder. Add a file's name, such as agor.db" if text.endswith(("/", "\\")) else ""


def _check_host(fields: ConnectionFields) -> str:
    text = fields.host.strip()
    if not text:
        return "" if "service" in fields.options else "Name the server, such as localhost or db.example.com."
    if "://" in text:
        return "This is a URL. It belongs in the line URL, which fills the others."
    if _control(text) or re.search(r"\s", text):
        return "A host has no spaces in its name."
    if text.startswith(("/", "@")):  # the folder of a Unix socket, or one without a file
        return ""
    if "@" in text:
        return "Only the host belongs here; what is before the @ is the user."
    if "/" in text:
        return "Only the host belongs here; what is behind the / is the database."
    for host in text.split(","):
        if ":" in host and not re.fullmatch(r"\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?", host):
            return "Only the host belongs here; the port has a field of its own."
        if "[" in host or "]" in host:
            return "Write an IPv6 address without brackets."
        if not host:
            return "A host is missing before or behind a comma."
    return ""


def _check_port(fields: ConnectionFields) -> str:
    try:
        parse_ports(fields.port.strip(), "The port")
    except ConfigError:
        return "A port is a whole number from 1 to 65535."
    return ""


def _check_database(fields: ConnectionFields) -> str:
    text = fields.database.strip()
    if not text and "service" not in fields.options:
        return "Name the database, such as agor; it may be one that is still to be made."
    return _check_pg_name(text)


def _check_pg_name(text: str) -> str:
    if "://" in text:
        return "This is a URL, not a name." + (" It belongs in the line URL." if text else "")
    if _control(text):
        return "A name has no control characters."
    if re.search(r"(?i)\bpassword\s*=", text):
        return "This is a connection string. Put its parts into the fields of their own."
    if len(text.encode("utf-8", "surrogatepass")) > _LONGEST_NAME:
        return f"PostgreSQL's names are at most {_LONGEST_NAME} bytes long."
    return ""


def _check_password(fields: ConnectionFields) -> str:
    return "A password holds no control characters." if _control(fields.password) else ""


def _check_ssl(fields: ConnectionFields) -> str:
    return "" if fields.ssl in SSL_MODES else f"Known are {', '.join(SSL_MODES)}."


def _check_pem(fields: ConnectionFields, name: str, partner: str) -> str:
    text = getattr(fields, name).strip()
    if fields.ssl == "disable":
        return ""
    if "-----BEGIN" in text:
        return "Give the path of a PEM file, not its content."
    if _control(text):
        return "A path has no control characters."
    if not text and partner and getattr(fields, partner).strip():
        return "A certificate and its key belong together; give both or neither."
    return ""


_CHECKS: dict[str, Callable[[ConnectionFields], str]] = {
    "url": _check_url,
    "path": _check_path,
    "host": _check_host,
    "port": _check_port,
    "database": _check_database,
    "schema": lambda fields: _check_pg_name(fields.schema.strip()),
    "user": lambda fields: _check_pg_name(fields.user.strip()),
    "password": _check_password,
    "ssl": _check_ssl,
    "ca": lambda fields: _check_pem(fields, "ca", ""),
    "cert": lambda fields: _check_pem(fields, "cert", "key"),
    "key": lambda fields: _check_pem(fields, "key", "cert"),
    "replica": lambda fields: _wrong_path(text) if (text := fields.replica.strip()) else "",
    "token": lambda fields: "A token holds no control characters." if _control(fields.token) else "",
}
