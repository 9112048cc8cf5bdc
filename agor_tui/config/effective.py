"""Every setting that counts, with where it comes from: the file's line, a variable, the command line, a default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from agor_tui.config.document import Section, parse_document
from agor_tui.config.file import is_there, read_content
from agor_tui.config.keys import ENTRY, UI, ConfigValue, Key, locate, masked, masked_url
from agor_tui.config.places import PostgresPlace, describe
from agor_tui.config.resolve import chosen
from agor_tui.config.settings import CONFIG_VARIABLE, Entry, Settings, read_settings

DEFAULT = "default"
_PG_KEYS = {
    "host": "PGHOST",
    "port": "PGPORT",
    "database": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
}
_VARIABLES = {
    "AGOR_DB_DIALECT": Key(),
    "DB_MODE": Key(),
    "AGOR_DB_PATH": Key("url"),
    "DATABASE_URL": Key("url"),
    **{
        name: Key()
        for name in ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSFILE", "PGSSLMODE")
    },
    "PGPASSWORD": Key("secret"),
}


def effective(file: Path, config_path: Path | None, environ: Mapping[str, str]) -> Iterator[ConfigValue]:
    """All settings: which file, what opens, then the file's keys and their defaults, then the variables that count.

    Raises:
        ConfigError: the file cannot be read or is wrong, or a variable is.
    """
    root = parse_document(file, read_content(file)) if is_there(file) else None
    settings = read_settings(root, environ) if root else Settings(file)
    opens = chosen(settings, environ)
    option = "--config" if config_path else CONFIG_VARIABLE if environ.get(CONFIG_VARIABLE) else DEFAULT
    yield ConfigValue("file", str(file), option if root or is_there(file) else f"{option}, not there")
    yield ConfigValue("opens", describe(opens), opens.origin)
    written = dict(_written(root, settings)) if root else {}
    if "active" in written:
        yield written["active"]
    if settings.database is not None:
        yield from _entry("database", settings.database, written, environ)
    for name, entry in settings.databases.items():
        yield from _entry(f"databases.{name}", entry, written, environ)
    for word, key in UI.items():
        yield written.get(f"ui.{word}") or ConfigValue(f"ui.{word}", _shown(key.default), DEFAULT)
    yield from (value for dotted, value in written.items() if dotted.startswith("ui.keys."))
    for variable, key in _VARIABLES.items():
        if text := environ.get(variable):
            yield ConfigValue(variable, masked_url(text) if key.type == "url" else masked(key, text), "environment")


def _written(root: Section, settings: Settings) -> Iterator[tuple[str, ConfigValue]]:
    for path, line, text in root.leaves():
        dotted = ".".join(path)
        key = locate(dotted, settings.databases).key or Key()
        yield dotted, ConfigValue(dotted, masked(key, text), f"{settings.file.name}, line {line}")


def _entry(
    above: str, entry: Entry, written: Mapping[str, ConfigValue], environ: Mapping[str, str]
) -> Iterator[ConfigValue]:
    """The keys of one database; of the dialect that it is not, those that stand in the file."""
    place = entry.postgresql or PostgresPlace(None, "", "")
    completed = entry.dialect == "postgresql" and not (place.embedded or place.service or environ.get("PGSERVICE"))
    for word, key in ENTRY.items():
        dotted = f"{above}.{word}"
        dialect, _, field = word.partition(".")
        if dotted in written:
            yield written[dotted]
        elif word == "dialect":
            yield ConfigValue(dotted, entry.dialect, DEFAULT)
        elif dialect != entry.dialect:
            continue
        elif completed and field in _PG_KEYS and not getattr(place, field) and environ.get(_PG_KEYS[field]):
            if field != "password" or entry.password is None:
                yield ConfigValue(dotted, masked(key, environ[_PG_KEYS[field]]), _PG_KEYS[field])
        elif key.default is not None:
            yield ConfigValue(dotted, _shown(key.default), DEFAULT)


def _shown(value: str | int | bool | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
