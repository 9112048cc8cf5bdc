"""Days and times of the command line are those of the zone that the user chose, else of this machine's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from .conftest import Run


@pytest.fixture
def late_evening(agor_db: Path) -> tuple[str, str, str]:
    """A session's id, and the day of its last change in Kiritimati (UTC+14) and in UTC-12."""
    with sqlite3.connect(f"file:{agor_db}?mode=ro", uri=True) as connection:
        found: tuple[str, str, str] = connection.execute(
            "SELECT session_id, date(updated_at / 1000 + 14 * 3600, 'unixepoch'),"
            " date(updated_at / 1000 - 12 * 3600, 'unixepoch') FROM sessions"
            " WHERE updated_at IS NOT NULL AND NOT archived ORDER BY updated_at LIMIT 1"
        ).fetchone()
    connection.close()
    return found


@pytest.mark.parametrize(("zone_name", "day_at"), [("Pacific/Kiritimati", 1), ("Etc/GMT+12", 2)])
@pytest.mark.parametrize("by", ["machine", "config"])
def test_a_day_in_a_filter_and_in_a_table_is_a_day_of_the_users_zone(
    program: Run,
    tmp_path: Path,
    agor_db: Path,
    late_evening: tuple[str, str, str],
    zone_name: str,
    day_at: int,
    by: str,
) -> None:
    session_id, day = late_evening[0], late_evening[day_at]
    config = tmp_path / "config.yaml"
    config.write_text(f"ui: {{timeZone: {zone_name}}}\n" if by == "config" else "")
    where = ("--config", config, "-d", agor_db)
    env = {"TZ": zone_name} if by == "machine" else {}
    listed = program("session", "list", f"since:{day}", f"until:{day}", "archived:any", *where, env=env)
    assert session_id in listed.out
    row = next(line for line in listed.out.splitlines() if session_id in line)
    assert day in row
    other = late_evening[3 - day_at]
    elsewhere = program("session", "list", f"since:{other}", f"until:{other}", "archived:any", *where, env=env)
    assert session_id not in elsewhere.out
    shown = program("session", "show", session_id, *where, env=env).out.splitlines()
    assert any(line.startswith("updated") and day in line for line in shown)
