"""Text from databases made fit for a screen, and numbers and times in the few characters a screen has for them."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta

NOTHING = "–"
TAB = 4

_EMOJI = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_MARKS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
# Without a glyph of their own: soft hyphen, joiners, bidirectional marks, overrides and isolates, fillers, variation
# selectors, interlinear anchors, tags.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""A set of characters, as a regular expression has it between brackets."""
_BREAKS = "\n\r\v\f\x85\u2028\u2029"
_SUSPECT = re.compile(f"[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff{INVISIBLE}]|[{_MARKS}]{{5}}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BREAK = re.compile(f"\r\n|[{_BREAKS}]")
_WRAPPED = re.compile(f"[ \t]*[{_BREAKS}\t][{_BREAKS}\t ]*")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\ufffe\uffff]")
_CONTROL_LINED = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
# A run of invisible characters, or in group 1 what stays of it: the joiner of two emoji, a selector of text or emoji
# style behind what it selects, and the non-joiner that Persian and the Indic scripts spell with.
_UNSEEN = re.compile(
    f"((?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])|(?<=[^\\s{INVISIBLE}])[\ufe0e\ufe0f]"
    f"|(?<=[\u0600-\u1cff])\u200c(?=[\u0600-\u1cff]))|[{INVISIBLE}]+"
)
_BLANK = re.compile(f"[\\s{INVISIBLE}]*")
_PATH = re.compile(r"[/\\]|[A-Za-z]:[/\\]")
_PILED = re.compile(f"([{_MARKS}]{{4}})[{_MARKS}]+")


def printable(s: str, limit: int | None = None, *, multiline: bool = False) -> str:
    """The text as it may be written to a terminal; every character of the result can be encoded and moves forward.

    Control characters show as their pictures (``␛``), C1 controls and halves of surrogate pairs as ``�``, a run of
    invisible characters (zero-width, bidirectional, tags) as ``·``; joined emoji stay whole, and of marks piled on
    one letter four stay. ``multiline`` keeps lines, ended by ``\\n``, and expands tabs; else white space around a
    line break or tab becomes one space and the ends are trimmed. Longer text is cut to ``limit`` characters, the last
    of them ``…``, before tabs expand; the cost depends on the limit, not on the text.
    """
    if not multiline and s[:1].isspace():
        s = s.lstrip()
    cut = limit is not None and len(s) > limit
    if cut:
        s = s[: max(0, (limit or 0) - 1)].rstrip("\u200d")
    if s.isascii() and (s.replace("\n", "") if multiline else s).isprintable():
        safe = s
    elif _SUSPECT.search(s):
        safe = _made_safe(s, multiline)
    else:
        safe = s
    if not multiline:
        safe = safe.strip()
    return f"{safe}…" if cut and limit else safe


def title_text(title: str, limit: int | None = None) -> str:
    """A title as ``printable`` shows it; ``untitled`` where nothing of it can be seen."""
    return "untitled" if _BLANK.fullmatch(title) else printable(title, limit)


def _made_safe(s: str, multiline: bool) -> str:
    """The slow way, for text that holds something suspect."""
    if _SURROGATE.search(s):  # both halves of a pair may stand apart: together they are a character
        s = s.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if multiline:
        s = _BREAK.sub("\n", s).expandtabs(TAB)
        s = _CONTROL_LINED.sub(_picture, s)
    else:
        s = _CONTROL.sub(_picture, _WRAPPED.sub(" ", s))
    return _PILED.sub(r"\1", _UNSEEN.sub(lambda found: found[1] or "·", s))


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "�"


def relative_time(time: datetime | None, now: datetime) -> str:
    """How long ago, in one unit: ``now``, ``3m``, ``2h``, ``5d``, then the date in the zone of ``now``.

    A time in the future is ``in 3m``; up to a minute of it is a clock that is off.
    """
    if time is None:
        return NOTHING
    seconds = (now - time) // timedelta(seconds=1)
    distance = abs(seconds)
    if -60 <= seconds < 60:
        return "now"
    if distance >= 7 * 86_400:
        try:
            return f"{time.astimezone(now.tzinfo):%Y-%m-%d}"
        except OverflowError:  # within hours of the years 1 or 9999
            return f"{time:%Y-%m-%d}"
    unit, length = next((u, n) for u, n in (("d", 86_400), ("h", 3_600), ("m", 60)) if distance >= n)
    return f"{'in ' if seconds < 0 else ''}{distance // length}{unit}"


def duration(ms: float | None) -> str:
    """A span of milliseconds in at most two units: ``41 ms``, ``2.1 s``, ``42 s``, ``1m 27s``, ``2h 5m``, ``3d 4h``."""
    if ms is None or not math.isfinite(ms) or ms < 0:
        return NOTHING
    if round(ms) < 1_000:
        return f"{round(ms)} ms"
    if ms < 9_950:
        return f"{ms / 1_000:.1f} s"
    seconds = round(ms / 1_000)
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes}m {seconds}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h {minutes}m"
    days, hours = divmod(hours, 24)
    return f"{days:,}d {hours}h"


def count(n: int | None) -> str:
    """A whole number with its thousands apart: ``1,602``."""
    return NOTHING if n is None else f"{n:,}"


def tokens(n: int | None) -> str:
    """A large number in at most four characters up to a billion: ``950``, ``1.6k``, ``41k``, ``1.2M``."""
    if n is None:
        return NOTHING
    value = float(n)
    for unit in ("", "k", "M"):
        if abs(value) < (999.5 if unit else 1_000):
            break
        value /= 1_000
    else:
        unit = "G"
    return f"{value:.1f}{unit}" if unit and abs(value) < 9.95 else f"{value:,.0f}{unit}"


def byte_size(n: int | None) -> str:
    """A number of bytes in at most seven characters: ``812 B``, ``1.4 MB``, ``38 GB``; a megabyte is a million."""
    if n is None:
        return NOTHING
    value, unit = float(n), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1_000, larger
    return f"{value:.1f} {unit}" if unit != "B" and value < 9.95 else f"{value:,.0f} {unit}"


def place(repo: str | None, worktree: str | None) -> str:
    """Repository and worktree in one, ``harbor-api/fix-retry``: the last part of a slug, the last folder of a path."""
    repo, folder = (repo or "").rpartition("/")[2], worktree or ""
    if _PATH.match(folder):
        folder = re.split(r"[\\/]", folder.rstrip("\\/"))[-1]
        folder = "" if folder == repo else folder
    return "/".join(part for part in (repo, folder) if part)


def money(dollars: float | None) -> str:
    """An amount in dollars: ``$0.83``, ``$1,204.50``; below a cent with two digits that count, as in ``$0.0038``."""
    if dollars is None or not math.isfinite(dollars):
        return NOTHING
    sign, amount = "-" if dollars < 0 else "", abs(dollars)
    if amount >= 0.00995 or amount == 0:
        return f"{sign}${amount:,.2f}"
    if amount < 0.0001:
        return "<$0.0001"
    return f"{sign}${amount:.{1 - math.floor(math.log10(amount))}f}"
