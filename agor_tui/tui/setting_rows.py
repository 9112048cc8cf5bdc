"""The rows of the settings screen: each preference and each key, its value, its default and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from agor_tui.config.preferences import CONFIRM, DEFAULTS, THEMES, TIMES, Preferences
from agor_tui.text import printable
from agor_tui.tui.key_map import KeyRow, clash, keys_of, shown_keys
from agor_tui.tui.widgets.table_columns import Column, Spans

STEPS = (32, 64, 128, 256, 512)
"""The page sizes that the arrows go through."""


@dataclass(frozen=True, slots=True)
class Preference:
    """A preference: its field, its key in the file below ``ui``, its name, what it does, and what the arrows offer."""

    field: str
    key: str
    name: str
    text: str
    choices: tuple[str | int | bool, ...]


PREFERENCES = (
    Preference("theme", "theme", "Theme", "Colours: dark or light", THEMES),
    Preference("times", "times", "Times", "relative is 3m or 2d, absolute is 2026-11-21 14:02", TIMES),
    Preference("time_zone", "timeZone", "Time zone", "local, UTC, or a place such as Europe/Berlin", ("local", "UTC")),
    Preference("page_size", "pageSize", "Page size", "Rows that a list of sessions reads at once", STEPS),
    Preference(
        "confirm", "confirm", "Ask before", "deletes: before deleting or migrating; changes: before all", CONFIRM
    ),
    Preference("live", "live", "Live", "Whether changes in the database show by themselves", (True, False)),
)


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line. ``key`` is that of the file below ``ui``; ``of`` is what it stands for."""

    key: str
    area: str
    name: str
    value: str
    default: str
    origin: str
    text: str
    of: Preference | KeyRow | None
    warning: str = ""

    @property
    def changed(self) -> bool:
        """Whether it is another than the default."""
        return self.value != self.default


def said(value: object) -> str:
    """A preference as it is shown."""
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def setting_rows(
    preferences: Preferences, keys: Sequence[KeyRow], origins: Mapping[str, str], unsaved: Mapping[str, object]
) -> list[SettingRow]:
    """The preferences, then the keys. ``origins`` is by dotted key; ``unsaved`` holds for this run only."""

    def origin(key: str) -> str:
        return "this run only" if key in unsaved else printable(origins.get(f"ui.{key}", "default"), 200)

    rows = [
        SettingRow(
            each.key,
            "Preferences",
            each.name,
            said(getattr(preferences, each.field)),
            said(getattr(DEFAULTS, each.field)),
            origin(each.key),
            each.text,
            each,
        )
        for each in PREFERENCES
    ]
    mapped = preferences.keys
    for row in keys:
        key = f"keys.{row.id}"
        now = keys_of(row, mapped)
        taken = next((found for each in now if (found := clash(row.id, each, keys, mapped))), None)
        rows.append(
            SettingRow(
                key,
                f"Keys: {row.area}",
                row.id,
                shown_keys(now),
                shown_keys(keys_of(row, {})),
                origin(key),
                row.text,
                row,
                f"The same key is {taken.id}: {taken.text}." if taken and row.id in mapped else "",
            )
        )
    known = {row.id for row in keys}
    for unknown in sorted(set(mapped) - known) if keys else ():
        key = f"keys.{unknown}"
        shown = printable(mapped[unknown], 40)
        text = "No key of this version has this id: r takes it out"
        rows.append(SettingRow(key, "Keys: unknown", printable(unknown, 60), shown, "", origin(key), text, None, text))
    return rows


def setting_columns() -> Sequence[Column[SettingRow]]:
    """The columns; in a narrow list the default and the origin give way, then what it does, the value last."""
    return (
        Column("area", "FOR", lambda row: ((row.area, "faint"),), 12, 24, gives_way=5, fits=True),
        Column("name", "SETTING", lambda row: ((row.name, "text"),), 10, 28, fits=True),
        Column("value", "NOW", _value, 8, 24, gives_way=1, fits=True),
        Column("default", "DEFAULT", lambda row: ((row.default, "faint"),), 7, 18, gives_way=6, fits=True),
        Column("origin", "FROM", lambda row: ((row.origin, "muted"),), 7, 26, gives_way=4, fits=True),
        Column(
            "text",
            "WHAT IT DOES",
            lambda row: ((printable(row.text, 200), "muted"),),
            20,
            40,
            gives_way=3,
            stretches=True,
        ),
    )


def _value(row: SettingRow) -> Spans:
    mark: Spans = (("! ", "warning"),) if row.warning else (("• ", "accent"),) if row.changed else (("  ", "text"),)
    return (*mark, (row.value, "strong" if row.changed else "text"))


assert {each.field for each in PREFERENCES} == {each.name for each in fields(Preferences)} - {"keys"}
