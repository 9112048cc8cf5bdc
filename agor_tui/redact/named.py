"""Secrets that are known by the name before them: assignments, options, headers, keys of JSON within a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from agor_tui.redact.keys import names_secret
from agor_tui.redact.literals import CALL, CODE, is_literal, looks_made
from agor_tui.redact.shapes import Secret
from agor_tui.redact.written import goes_on, may_be_phrased, phrased, value_written

# Names before a value. What they are part of is looked at in ``keys``; here only where one may stand.
_NAME_NEEDLES = (
    "passw", "passphrase", "passcode", "pwd", "secret", "token", "credential", "authorization", "cookie", "_auth",
    "jwt", "api key", "api.key",
    *(
        f"{first}{joint}key"
        for first in ("api", "access", "private", "account", "signing", "encryption", "master", "auth", "subscription")
        for joint in ("", "_", "-")
    ),
)  # fmt: skip
_MARKS = ("pass", "pwd", "secret", "token", "credential", "auth", "cookie", "jwt", "key")
"""One of them stands in each of ``_NAME_NEEDLES``, so that most texts are soon done with."""
_BY_MARK = {mark: tuple(needle for needle in _NAME_NEEDLES if mark in needle) for mark in _MARKS}
_MAP_IN_JSON = re.compile(r"(?:env|vars|variables|headers)(?:\\{1,7}|(?:')?\s{0,8}:)")
_NAME_END = re.compile(r"[^A-Za-z0-9_.$-]")
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.$")
_LONGEST_NAME = 80
_JOINT = re.compile(r"""(\\{0,3}["'`]\]?)?(?:[ \t]|\x1b\[[0-9;]{0,20}m){0,8}(=>|:=|[=:：](?!=))[ \t]{0,8}""")
_GAP = re.compile(r"[ \t]{1,8}(?:\\\r?\n[ \t]{0,40})?")
_LISTED = re.compile(r"""\\{0,7}["']\s{0,8},\s{0,8}(?=\\{0,7}["'](?!-))""")
_QUOTED = re.compile(r"""(\\{0,3})(["'`])""")
_WORD_END = re.compile(r"""[\s"'`,;&)}\]<>|\\\x1b]""")
_SHELL_WORD_END = re.compile(r"""[\s"'`;|<>\\\x1b]""")
_HEADER_END = re.compile(r"""[\s"'`\\,;\x1b]""")
_ENDS_WORD = ("", "\n", "\r", '"', "'", "n", "r", "t")
"""What a backslash does not make a part of the word before it: a line end, also one of JSON within a text."""
LOOKED_AT = 300
"""So many characters of a value tell whether it is one."""
_ANY_SCHEME = re.compile(r"(?:[A-Za-z][A-Za-z0-9_-]{1,24}[ \t]{1,4})?(?=[^\s\"'`\\,;]{8})(?=[^\s\"'`\\,;]{0,300}[0-9])")
_COLOUR_BEGIN, _COLOUR_END = re.compile(r"\x1b\[[0-9;]{0,18}$"), re.compile(r"[0-9]{0,3}m")
_COLOURS = re.compile(r"(?:\x1b\[[0-9;]{0,20}m[ \t]{0,8}){1,8}")
_SCHEME = re.compile(r"(?i)(?:bearer|basic|digest|token|apikey|negotiate|bot|aws4-hmac-sha256)[ \t]{1,4}")
_REST_OF_LINE = re.compile(r"""[^\r\n"'\\]{1,4096}""")
_FLAG = re.compile(
    r"--?(?:include|with|without|no|show|hide|skip|keep|allow|require|ask|reset|change|forgot|list|check|scan|detect|use)\b"
)
_SENTENCE = frozenset(("option", "options", "flag", "argument", "and", "or", "is", "to", "if", "for", "in", "as", "on"))
_SHORTEST_QUOTED, _LONGEST_QUOTED = 3, 4096
_FOLDER = re.compile(r"[/~.]|[A-Za-z]:[\\/]")
_NETRC = re.compile(r"(?<=\blogin )(\S{1,256}\s{1,8}password[ \t]{1,4})(\S{1,1024})")
_BEGINS_LINE = re.compile(
    r"(?:[ \t]|\x1b\[[0-9;]{0,20}m){0,80}(?:[-+>|][ \t]{0,8}){0,2}(?:export |set |ENV |env )?[\"']?"
)

_MAP = re.compile(
    r"""(?im)(?:["'](?=[a-z_]{1,30}\\{0,7}["'])|^(?=[a-z_]{1,30}:))"""
    r"""(?:env|env_?vars|environment_?variables|(?:[a-z]{1,20}_?)?headers)(?:\\{0,7}["'])?\s{0,8}:\s{0,8}[{\[]"""
)
_MAP_VALUE = re.compile(r"""\s{0,8}(?=\\{0,3}["'])""")
_NAME_BEFORE = re.compile(r"""([A-Za-z0-9_-]{1,50})\\{0,3}["']?\s{0,4}$""")
_BRACE = re.compile(r"[{}\[\]]")
_LONGEST_MAP = 20_000
_PLAIN_HEADERS = frozenset(
    (
        "accept", "accept-encoding", "accept-language", "cache-control", "connection", "content-encoding",
        "content-length", "content-type", "date", "host", "origin", "referer", "user-agent", "node_env", "path", "home",
        "lang", "term", "shell", "tz",
    )
)  # fmt: skip


@cache
def _in_json(needle: str) -> re.Pattern[str]:
    """A name in a string of JSON, and what makes it the name of a value; compiled when a text first needs it."""
    gap = r"(?:[ \t]|\\t|\\{1,3}u001b\[[0-9;]{0,20}m){0,8}"
    ends = rf"""[a-z0-9_.$-]{{0,80}}(?:(?:\\{{1,7}}["'`]|['`])?\]?{gap}=?[=:：,>]|(?P<gap>[ \t\\'`]))"""
    return re.compile(re.escape(needle) + ends)


def _needles_in(low: str) -> Iterator[str]:
    """Those of ``_NAME_NEEDLES`` that stand in a text."""
    for mark in _MARKS:
        if mark in low:
            for needle in _BY_MARK[mark]:
                if needle in low:
                    yield needle


def may_be_named(low: str) -> bool:
    """Whether a string of JSON, given in small letters, may have such a secret.

    Keys of the JSON itself are not looked at: those end in a quotation mark that is not escaped.
    """
    for needle in _needles_in(low):
        for found in _in_json(needle).finditer(low):
            if found["gap"] is None or _is_option(low, found.start()) or goes_on(low, found.end()):
                return True
    if ("login " in low and "password " in low) or may_be_phrased(low):
        return True
    return ("env" in low or "headers" in low) and _MAP_IN_JSON.search(low) is not None


def _is_option(text: str, at: int) -> bool:
    first = max(0, at - _LONGEST_NAME)
    while at > first and text[at - 1] in _NAME_CHARACTERS:
        at -= 1
    return text[at] == "-"


def named(values: Values) -> Iterator[Secret]:
    """The secrets in a text that are known by the name before them."""
    text, low = values.text, values.low
    yield from values.found()
    yield from phrased(text, low)
    if "login " in low:
        yield from (Secret("password", *match.span(2)) for match in _NETRC.finditer(text))
    if "env" in low or "headers" in low:
        yield from _maps(text, values)


def _maps(text: str, values: Values) -> Iterator[Secret]:
    """The values of maps in JSON that hold what nobody can foresee, as in ``"env": {"ANY": "value"}``."""
    passed = 0
    for found in _MAP.finditer(text):
        if found.start() < passed:
            continue
        end = passed = _end_of_map(text, found.end())
        at = found.end()
        while (at := text.find(":", at, end)) >= 0:
            colon, at = at, at + 1
            opening = _MAP_VALUE.match(text, at, end)
            if opening is None:
                continue
            value = values.in_quotes(opening.end(), spaces=True)
            if value is not None:
                name = _NAME_BEFORE.search(text, max(found.end(), colon - 60), colon)
                if not (name and name[1].lower() in _PLAIN_HEADERS):
                    yield Secret("value of a map of secrets", *value)
                at = value[1] + 1


def _end_of_map(text: str, at: int) -> int:
    """Where the map whose first brace ends at ``at`` is closed; where the text is cut off, its end."""
    depth = 1
    limit = min(len(text), at + _LONGEST_MAP)
    for found in _BRACE.finditer(text, at, limit):
        depth += 1 if found[0] in "{[" else -1
        if not depth:
            return found.end()
    return limit


class Values:
    """The values behind names that say they are secret: assignments, options, headers, keys of JSON."""

    def __init__(self, text: str, low: str) -> None:
        self.text = text
        self.low = low
        self._ends: dict[re.Pattern[str], tuple[int, int]] = {}

    def found(self) -> Iterator[Secret]:
        """The secrets, none within another."""
        text = self.text
        passed = 0
        for start, end in self._names():
            if start < passed:
                continue
            first, start = start, self._name_start(start)
            end = self._name_end(end)
            passed = end
            if end - start > _LONGEST_NAME:
                continue
            name = text[start:end]
            if not names_secret(name.strip("-.$")):
                continue
            value = self._value_of(start, end, name) or value_written(text, start, end)
            if value is not None and name[-3:].lower() == "pwd" and _FOLDER.match(text, value[0]):
                continue
            if value is not None and value[0] < value[1]:
                yield Secret(kind_of_name(text[first:end]), *value)
                passed = max(passed, value[1])

    def _names(self) -> list[tuple[int, int]]:
        """Where parts of names stand that may be those of secrets, in order."""
        places: list[tuple[int, int]] = []
        for needle in dict.fromkeys(_needles_in(self.low)):
            at = -1
            while (at := self.low.find(needle, at + 1)) >= 0:
                places.append((at, at + len(needle)))
        return sorted(places)

    def _name_start(self, at: int) -> int:
        text, first = self.text, max(0, at - _LONGEST_NAME - 1)
        begin = at
        while at > first and text[at - 1] in _NAME_CHARACTERS:
            at -= 1
        if at < begin and at and text[at - 1] == "\\" and text[at] in "nrt":  # JSON within a text
            at += 1
        elif (
            at < begin and (colour := _COLOUR_END.match(text, at)) and _COLOUR_BEGIN.search(text[max(0, at - 20) : at])
        ):
            at = colour.end()
        return at

    def _name_end(self, at: int) -> int:
        found = _NAME_END.search(self.text, at)
        return found.start() if found else len(self.text)

    def _value_of(self, start: int, end: int, name: str) -> tuple[int, int] | None:
        """Where the value of the name at ``start`` stands; None where there is none, or none that is one."""
        text = self.text
        option = name.startswith("-") and (start == 0 or text[start - 1] in " \t\r\n\"'`([{,")
        joint = _JOINT.match(text, end)
        if joint is None:
            if option and (listed := _LISTED.match(text, end)):
                return self.in_quotes(listed.end(), spaces=True)
            gap = _GAP.match(text, end) if option and not _FLAG.match(name) else None
            value = self._literal(gap.end(), _SHELL_WORD_END) if gap else None
            return value if value and text[slice(*value)].strip(".,:") not in _SENTENCE else None
        sign, at, quoted_name = joint[2].replace("：", ":"), joint.end(), bool(joint[1])
        close = at == end + len(sign)  # without space around
        if colours := _COLOURS.match(text, at):
            at = colours.end()
        if sign == ":" and name.lower().endswith("authorization"):
            return self._authorization(at)
        if sign == ":" and not quoted_name and name.lower().endswith("cookie"):
            if text.find("=", at, at + LOOKED_AT) < 0:
                return None
            rest = _REST_OF_LINE.match(text, at)
            return rest.span() if rest and "=" in rest[0] else None
        if _QUOTED.match(text, at):
            spaces = quoted_name or option or name.isupper() or (sign == "=" and self._behind_pair(start))
            return self.in_quotes(at, spaces=spaces)
        if quoted_name:  # a number, null, a variable
            return None
        if sign == ":":
            return self._on_its_line(start, at, name)
        if sign != "=" or not (close or self._begins_line(start)):
            return None
        if option or (close and name.upper() == name):
            return self._literal(at, _SHELL_WORD_END)
        value = self._literal(at, _WORD_END)
        if value is None or CALL.search(text, at, min(value[1], at + LOOKED_AT)):
            return None
        if close and (self._in_pairs(start, value[1])):
            return value
        word = text[at : min(value[1], at + LOOKED_AT)]
        return value if looks_made(word) else None

    def _in_pairs(self, start: int, end: int) -> bool:
        """Whether a pair stands among others, as in ``host=h password=p``, ``a=b;password=p;`` or ``?token=t&x=y``."""
        text = self.text
        if start and text[start - 1] in ";?&":
            return True
        if text[end : end + 1] in (";", "&") and text[end : end + 2] not in ("&&", ";\n", ";\r", ";"):
            return True
        return self._behind_pair(start)

    def _behind_pair(self, start: int) -> bool:
        text = self.text
        before = text[max(0, start - 200) : start]
        word = before.rstrip(" \t").rpartition(" ")[2] if before.endswith((" ", "\t")) else ""
        name, equals, value = word.partition("=")
        return bool(equals) and name.isidentifier() and bool(value) and value[0] != "=" and value[-1] not in ",(["

    def _begins_line(self, at: int) -> bool:
        if self.text[max(0, at - 2) : at] == "\\n":
            return True
        line = self.text.rfind("\n", max(0, at - 100), at) + 1
        if line == 0 and at > 100:
            return False
        return _BEGINS_LINE.fullmatch(self.text, line, at) is not None

    def _authorization(self, at: int) -> tuple[int, int] | None:
        text = self.text
        if quote := _QUOTED.match(text, at):
            at = quote.end()
        scheme = _SCHEME.match(text, at)
        at = scheme.end() if scheme else at
        end = self._end(at, _HEADER_END)
        word = text[at : min(end, at + LOOKED_AT)]
        if not is_literal(word):
            return None
        if scheme is None:
            other = _ANY_SCHEME.match(text, at)
            if other is None:
                return None
            at = other.end()
            end = self._end(at, _HEADER_END)
        return at, end

    def _on_its_line(self, start: int, at: int, name: str) -> tuple[int, int] | None:
        """The value of ``name: value``, a header or a line of YAML: one word alone on what is left of the line."""
        text = self.text
        begins = self._begins_line(start)
        header = "-" in name and (begins or (start > 0 and text[start - 1] in " \"'`"))
        if not begins and not header:
            return None
        end = self._end(at, _SHELL_WORD_END)
        word = text[at : min(end, at + LOOKED_AT)]
        if not is_literal(word):
            return None
        rest = text[end : end + 2].lstrip(" ")
        if rest and rest[0] not in "\r\n\"'#\\`|\x1b":
            return None
        return (at, end) if header or looks_made(word) else None

    def _end(self, at: int, ends: re.Pattern[str]) -> int:
        """Where the word at ``at`` ends; looked for once, whatever number of names stand in it."""
        begin, end = self._ends.get(ends, (0, 0))
        if begin <= at < end:
            return end
        found, end = ends.search(self.text, at), at
        while found and found[0] == "\\" and self.text[found.end() : found.end() + 1] not in _ENDS_WORD:
            found = ends.search(self.text, found.end() + 1)  # what is behind a backslash belongs to the word
        end = found.start() if found else len(self.text)
        self._ends[ends] = (at, end)
        return end

    def literal_word(self, at: int) -> tuple[int, int] | None:
        """The word of a shell command at ``at``, if it is a value itself."""
        return self._literal(at, _SHELL_WORD_END)

    def _literal(self, at: int, ends: re.Pattern[str]) -> tuple[int, int] | None:
        """A value at ``at``, in quotation marks or bare, that is no variable, call or word in place of a value."""
        if _QUOTED.match(self.text, at):
            return self.in_quotes(at, spaces=True)
        end = self._end(at, ends)
        word = self.text[at : min(end, at + LOOKED_AT)]
        if not is_literal(word) or word.startswith("-"):
            return None
        if "(" in word and CODE.fullmatch(word.partition("(")[0]):
            return None
        return at, end

    def in_quotes(self, at: int, *, spaces: bool) -> tuple[int, int] | None:
        """What stands between quotation marks, which may be escaped as JSON in JSON has them."""
        text = self.text
        quote = _QUOTED.match(text, at)
        assert quote is not None
        mark, begin = quote[0], quote.end()
        limit = min(len(text), begin + _LONGEST_QUOTED)
        end = text.find(mark, begin, limit)
        while end > 0 and len(mark) == 1 and text[end - 1] == "\\" and text[end - 2] != "\\":
            end = text.find(mark, end + 1, limit)
        line_end = text.find("\n", begin, end if end >= 0 else limit)
        if end < 0:  # cut off, or the mark that ends another string
            end = line_end if line_end >= 0 else limit
            spaces = False
            if ")" in text[begin:end]:
                return None
        elif line_end >= 0:
            return None
        if scheme := _SCHEME.match(text, begin, end):
            begin = scheme.end()
        value = text[begin:end]
        if len(value) < _SHORTEST_QUOTED or (" " in value and not spaces) or not is_literal(value[:LOOKED_AT]):
            return None
        return begin, end


def kind_of_name(name: str) -> str:
    """The kind of secret that stands behind a name."""
    name = name.lower()
    if any(word in name for word in ("passw", "pwd", "passphrase", "passcode")):
        return "password"
    if "cookie" in name:
        return "cookie"
    return "authorization" if "authorization" in name else "token" if "token" in name or "jwt" in name else "secret"
