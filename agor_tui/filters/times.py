"""The times a filter may name, relative to now or absolute."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"([0-9]+)\s*(m|min|h|d|w|mo|y)")
_UNITS = {
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "mo": timedelta(days=30),
    "y": timedelta(days=365),
}
_DAY = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}")


def parse_time(text: str, now: datetime, *, end_of_day: bool) -> datetime:
    """Read ``30m 12h 7d 3w 2mo 1y`` (before ``now``), ``today``, ``yesterday``, an ISO date or datetime.

    Days, and times without a zone, are of the zone of ``now``; what comes back is in UTC. A day means its first
    moment, or with ``end_of_day`` the moment after its last. Raises ValueError for other text and OverflowError for
    a time outside the years 1 to 9999.
    """
    word = text.strip().lower()
    ago = _AGO.fullmatch(word)
    if ago:
        if len(ago[1]) > 9:
            raise OverflowError(text)
        return now.astimezone(UTC) - int(ago[1]) * _UNITS[ago[2]]
    if word == "now":
        return now.astimezone(UTC)
    if word in ("today", "yesterday"):
        day = now.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0, fold=0)
        day -= timedelta(days=word == "yesterday")
    elif _DAY.fullmatch(word):
        day = datetime.fromisoformat(word)
    else:
        moment = datetime.fromisoformat(text.strip().upper())
        return (moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)).astimezone(UTC)
    # The clock's next midnight, which a change to or from summer time puts 23 or 25 hours later.
    return (day + timedelta(days=end_of_day)).replace(tzinfo=now.tzinfo).astimezone(UTC)
