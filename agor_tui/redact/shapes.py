"""Secrets that are known by their own shape: tokens of services, key blocks, logins in addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from agor_tui.redact.keys import HIDDEN


@dataclass(frozen=True, slots=True)
class Secret:
    """Where in a text a secret stands, and of which kind it is; ``text[start:end]`` is all that has to go."""

    kind: str
    start: int
    end: int


# Tokens that say themselves what they are. Sources: the token formats that each service documents.
_TOKEN_CHARACTERS = r"[A-Za-z0-9_-]"
_SHAPES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{16,255}"),
    ("GitHub token", ("github_pat_",), r"github_pat_[A-Za-z0-9_]{16,255}"),
    (
        "GitLab token",
        ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "gloas-", "glimt-", "glagent-"),
        r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|oas|imt|agent)-[A-Za-z0-9_.-]{16,255}",
    ),
    ("Slack token", ("xox", "xapp-"), r"(?:xox[a-z](?:\.xox[a-z])?|xapp)-[A-Za-z0-9-]{8,255}"),
    ("Slack webhook", ("hooks.slack.com",), r"(?<=hooks\.slack\.com/services/)[A-Za-z0-9/]{16,255}"),
    ("AWS key id", ("AKIA", "ASIA", "ABIA", "ACCA"), r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ("Google key", ("AIza",), r"AIza[A-Za-z0-9_-]{30,64}"),
    ("Google token", ("ya29.", "GOCSPX-"), r"(?:ya29\.|GOCSPX-)[A-Za-z0-9_-]{16,2048}"),
    ("Stripe key", ("_live_", "_test_"), r"(?:sk|rk|pk|sess)_(?:live|test)_[A-Za-z0-9]{10,255}"),
    ("webhook secret", ("whsec_",), r"whsec_[A-Za-z0-9+/=_-]{16,255}"),
    # OpenAI, Anthropic and those who took their form; a slug such as sk-learn-tutorial has neither digits nor length.
    (
        "API key",
        ("sk-",),
        r"sk-(?:ant|proj|svcacct|admin|or|lf)-(?=[A-Za-z0-9_-]{0,256}[0-9A-Z])[A-Za-z0-9_-]{16,512}"
        r"|sk-(?=[A-Za-z0-9_-]{0,64}[0-9])(?=[A-Za-z0-9_-]{0,64}[A-Za-z])[A-Za-z0-9_]{16,512}",
    ),
    ("npm token", ("npm_",), r"npm_[A-Za-z0-9]{30,64}"),
    ("PyPI token", ("pypi-",), r"pypi-[A-Za-z0-9_-]{40,512}"),
    ("Hugging Face token", ("hf_",), r"hf_[A-Za-z0-9]{30,64}"),
    ("SendGrid key", ("SG.",), r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,128}"),
    ("Docker token", ("dckr_",), r"dckr_[a-z]{2,8}_[A-Za-z0-9_-]{16,128}"),
    ("DigitalOcean token", ("_v1_",), r"do[opr]_v1_[a-f0-9]{40,80}"),
    ("Shopify token", ("shp",), r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{24,64}"),
    ("Vault token", ("hvs.", "hvb.", "hvr."), r"hv[sbr]\.[A-Za-z0-9_-]{20,512}"),
    ("Databricks token", ("dapi",), r"dapi[a-f0-9]{32}(?:-[0-9])?(?![A-Za-z0-9])"),
    ("Linear key", ("lin_",), r"lin_(?:api|oauth)_[A-Za-z0-9]{16,128}"),
    ("Groq key", ("gsk_",), r"gsk_[A-Za-z0-9]{40,80}"),
    ("xAI key", ("xai-",), r"xai-[A-Za-z0-9]{40,128}"),
    ("Tailscale key", ("tskey-",), r"tskey-[a-z]{2,12}-[A-Za-z0-9-]{10,128}"),
    ("age key", ("AGE-SECRET-KEY-",), r"AGE-SECRET-KEY-1[A-Z0-9]{40,80}"),
    (
        "JSON web token",
        ("eyJ",),
        r"eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{4,16384}(?:\.[A-Za-z0-9_-]{0,4096}){1,3}",
    ),
)
_NEEDLES = tuple(needle for _, needles, _ in _SHAPES for needle in needles)
_AWS_SECRET = re.compile(
    r"(?<![A-Za-z0-9/+=])(?=[^\s]{0,39}[a-z])(?=[^\s]{0,39}[A-Z])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)
_AWS_NEAR = 200
"""A secret key of AWS, 40 characters without a mark of their own, is one so close behind the id of a key."""

_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BLOCK_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
KEY_LINE = re.compile(r"(?<!\\)[A-Za-z0-9+/=]{16,}")
_LONGEST_KEY = 20_000

_BLOCK_MARK, _LOGIN_MARK = "-----BEGIN ", "://"
_SHORTEST_TOKEN = 13
_LONGEST_LOGIN = 1_400
_LOGIN_END = re.compile(r"""[\s"'<>\\`]""")
_PORT = re.compile(r"\d{1,5}(?:[/?#,;)\]]|$)")
_HOST = re.compile(r"[A-Za-z0-9\[._%-]")
_LONG_NAME = 20
"""From here on the name of a login is a token by itself, as in ``https://TOKEN:x-oauth-basic@host``."""

_DIGIT = re.compile(r"[0-9]")
_BEARER = re.compile(r"(?i)(?<![a-z0-9])bearer[ \t]{1,4}([A-Za-z0-9._~+/-]{16,4096}={0,2})")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """One of ``_SHAPES``, compiled when a text first needs it."""
    return re.compile(pattern if "(?<=" in pattern else rf"(?<!{_TOKEN_CHARACTERS})(?:{pattern})")


def may_be_shaped(text: str) -> bool:
    """Whether a text, or the JSON that it is, may have such a secret."""
    if (_LOGIN_MARK in text and "@" in text) or _BLOCK_MARK in text:
        return True
    long = _long_words(text)
    return bool(long) and any(needle in long for needle in _NEEDLES)


def shaped(text: str) -> Iterator[Secret]:
    """The secrets in a text that are known by their shape, kind by kind."""
    long = _long_words(text)
    for kind, needles, pattern in _SHAPES if long and any(needle in long for needle in _NEEDLES) else ():
        if any(needle in long for needle in needles):
            for match in _compiled(pattern).finditer(text):
                found = Secret(kind, *match.span())
                yield found
                if kind == "AWS key id":
                    yield from _aws_secret(text, found)
    if _BLOCK_MARK in text:
        yield from _key_blocks(text)
    if _LOGIN_MARK in text and "@" in text:
        yield from _logins(text)


def _long_words(text: str) -> str:
    """The words of a text in which a token has room: most texts have few of them, and they are soon looked through."""
    return " ".join([word for word in text.split() if len(word) >= _SHORTEST_TOKEN])


def bearers(text: str) -> Iterator[Secret]:
    """Tokens behind the word bearer."""
    for match in _BEARER.finditer(text):
        if _DIGIT.search(match[1]):
            yield Secret("bearer token", *match.span(1))


def _aws_secret(text: str, key_id: Secret) -> Iterator[Secret]:
    match = _AWS_SECRET.search(text, key_id.end, min(len(text), key_id.end + _AWS_NEAR))
    if match:
        yield Secret("AWS secret key", *match.span())


def _key_blocks(text: str) -> Iterator[Secret]:
    at = 0
    while begin := _KEY_BLOCK.search(text, at):
        limit = min(len(text), begin.end() + _LONGEST_KEY)
        end = _KEY_BLOCK_END.search(text, begin.end(), limit)
        at = end.start() if end else limit
        # What is cut off ends with the last line of the key that is there.
        if KEY_LINE.search(text, begin.end(), at):
            yield Secret("private key", begin.end(), at)


def _logins(text: str) -> Iterator[Secret]:
    """Passwords before the @ of an address. A web address ends its login before the first slash; in others a careless
    password may hold one, or an @."""
    at = end = last = 0
    while (at := text.find("://", at)) >= 0:
        at += 3
        if at >= end:
            found = _LOGIN_END.search(text, at)
            end = found.start() if found else len(text)
            last = text.rfind("@", at, end)
        stop = last
        if text[max(0, at - 8) : at - 3].lower().endswith(("http", "https")):
            slash = text.find("/", at, end)
            stop = text.rfind("@", at, slash) if slash >= 0 else last
        if stop <= at or stop - at > _LONGEST_LOGIN or not _HOST.match(text, stop + 1):
            continue
        start = text.find(":", at, stop) + 1
        name = text[at : start - 1 if start else stop]
        if "/" in name or "@" in name:
            continue
        if len(name) >= _LONG_NAME:
            start = at
        if not start or start >= stop or _PORT.match(text, start, end):
            continue
        if not re.match(r"[$<{%*]|\.\.\.", text[start:stop]) and HIDDEN not in text[start:stop]:
            yield Secret("login in a URL", start, stop)
            at = stop
