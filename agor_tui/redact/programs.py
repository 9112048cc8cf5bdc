"""Secrets behind the short options of programs, as in ``mysql -psecret``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agor_tui.redact.literals import is_literal
from agor_tui.redact.named import LOOKED_AT, Values
from agor_tui.redact.shapes import Secret

# Programs whose -p (-a, -u, -P) is followed by a password.
_SHORT = re.compile(
    r"(?<![\w./-])(?:sshpass|mysql|mysqldump|mysqladmin|mariadb|mongo|mongosh|mongodump|redis-cli|curl|zip|unzip|7z|ldapsearch"
    r"|htpasswd|smbclient|sqlcmd|docker|podman|nerdctl|helm|az|oc|cf|npm|skopeo|crane|buildah)(?![\w.-])"
)
_SHORT_NEEDLES = (
    "sshpass", "mysql", "mariadb", "mongo", "redis-cli", "curl", "zip", "7z", "ldapsearch", "htpasswd", "smbclient",
    "sqlcmd", " login", "-u ", "-p ",
)  # fmt: skip
_SHORT_OPTIONS = {
    "sshpass": ("-p",), "mysql": ("-p",), "mysqldump": ("-p",), "mysqladmin": ("-p",), "mariadb": ("-p",),
    "mongo": ("-p",), "mongosh": ("-p",), "mongodump": ("-p",), "redis-cli": ("-a", "--pass"), "zip": ("-P",),
    "unzip": ("-P",), "7z": ("-p",), "ldapsearch": ("-w",), "sqlcmd": ("-P",),
    "curl": ("-u", "--user", "-U", "--proxy-user"), "htpasswd": (),
}  # fmt: skip
_JOINED = ("sshpass", "mysql", "mysqldump", "mysqladmin", "mariadb", "7z")
"""Those whose password follows the option without a space."""
_OPTION_VALUE = re.compile(
    r"(?<=\s)(-[paPwuU]|--user|--proxy-user|--pass|-[a-zA-Z]{1,8}u(?=[ \t]))(=|[ \t]{1,8}|(?=[^\s-]))"
)
_LONGEST_COMMAND = 4096


def may_have_short_options(text: str) -> bool:
    """Whether a text, or the JSON that it is, may have such a secret."""
    return " -" in text and any(needle in text for needle in _SHORT_NEEDLES) and _SHORT.search(text) is not None


def password_options(program: str) -> tuple[str, ...]:
    """The short options of a program behind which a password stands."""
    return _SHORT_OPTIONS.get(program.replace("\\", "/").rpartition("/")[2], ())


def short_options(values: Values) -> Iterator[Secret]:
    """``mysql -psecret``, ``sshpass -p secret``, ``curl -u me:secret``, ``docker login -u me -p secret``."""
    text = values.text
    programs = list(_SHORT.finditer(text)) if may_have_short_options(text) else []
    for number, found in enumerate(programs):
        program = found[0]
        following = programs[number + 1].start() if number + 1 < len(programs) else len(text)
        limit = min(following, found.end() + _LONGEST_COMMAND)
        end = text.find("\n", found.end(), limit)
        while end > 0 and text[end - 1] == "\\":
            end = text.find("\n", end + 1, limit)
        limit = end if end >= 0 else limit
        options = _SHORT_OPTIONS.get(program)
        if options is None:
            options = ("-p",) if " login" in text[found.end() : min(limit, found.end() + 200)] else ()
        for option in _OPTION_VALUE.finditer(text, found.end(), limit) if options else ():
            name = "-u" if program == "curl" and option[1].endswith("u") else option[1]
            if name not in options or (not option[2] and program not in _JOINED):
                continue
            value = values.literal_word(option.end())
            if value is None:
                continue
            start, end = value
            if program == "curl":
                start = text.find(":", start, end) + 1
            if 0 < start < end and is_literal(text[start : min(end, start + LOOKED_AT)]):
                yield Secret("password", start, end)
