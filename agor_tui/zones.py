"""The time zone in which days are counted and times are shown, with its summer time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache


@lru_cache(maxsize=8)
def zone(name: str) -> tzinfo:
    """The zone of the preference ``timeZone``: ``local`` is this machine's own, else ``UTC`` or an IANA name.

    Raises KeyError, OSError or ValueError for another name, as ``zoneinfo.ZoneInfo`` does.
    """
    if name == "local":
        return _MachineZone()
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


class _MachineZone(tzinfo):
    """What the operating system says of any moment; unlike ``datetime.astimezone()`` not of one moment for all."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return _on_machine(dt).utcoffset() if dt else None

    def dst(self, dt: datetime | None) -> timedelta | None:
        return None

    def tzname(self, dt: datetime | None) -> str | None:
        return _on_machine(dt).tzname() if dt else None

    def fromutc(self, dt: datetime) -> datetime:
        return dt.replace(tzinfo=UTC).astimezone().replace(tzinfo=self)


def _on_machine(dt: datetime) -> datetime:
    """The wall clock time ``dt`` in this machine's zone; at the ends of the calendar, where that has none, in UTC."""
    try:
        return dt.replace(tzinfo=None).astimezone()
    except (OverflowError, ValueError, OSError):
        return dt.replace(tzinfo=UTC)
