"""What this machine has already: databases at the places where programs keep them, and in the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from agor_tui import paths
from agor_tui.config.places import Place, SqlitePlace, describe, short_label
from agor_tui.config.resolve import place_of, resolve
from agor_tui.config.settings import read_entry
from agor_tui.config.urls import expand_path
from agor_tui.errors import AgorError

_VARIABLES = (
    ("AGOR_DB_PATH", ("AGOR_DB_PATH",)),
    ("DATABASE_URL", ("DATABASE_URL",)),
    ("PG*", ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSERVICE")),
)
_AGOR_CONFIG = "~/.agor/config.yaml"
_AGOR_FILE = "~/.agor/agor.db"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A database that may be there. ``title`` says whose, ``source`` what named it; ``name`` is one to call it by."""

    title: str
    source: str
    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Unopened:
    """Sessions of a program whose files this version does not open."""

    title: str
    path: Path


def candidates(environ: Mapping[str, str]) -> tuple[Candidate, ...]:
    """The databases that may be there, each place once; files that are not there are left out. Nothing is opened."""
    found: dict[str, Candidate] = {}
    for candidate in _all(environ):
        place = candidate.place
        if isinstance(place, SqlitePlace):
            key = os.path.realpath(place.path)
            if not os.path.isfile(key):
                continue
        else:
            key = describe(place)
        found.setdefault(key, candidate)
    return tuple(found.values())


def unopened(environ: Mapping[str, str]) -> tuple[Unopened, ...]:
    """The folders of Claude Code and Codex, where they are there."""
    known = (
        ("Claude Code", expand_path(environ.get("CLAUDE_CONFIG_DIR") or "~/.claude", environ) / "projects"),
        ("Codex", expand_path(environ.get("CODEX_HOME") or "~/.codex", environ) / "sessions"),
    )
    return tuple(Unopened(title, path) for title, path in known if os.path.isdir(path))


def _all(environ: Mapping[str, str]) -> Iterator[Candidate]:
    """Every place in the order of preference; what cannot be read names no database."""
    yield from _candidate("agor-tui's own file", "default", "local", lambda: _file(paths.default_database()))
    for source, names in _VARIABLES:
        only = {name: environ[name] for name in (*names, "HOME") if environ.get(name, "").strip()}
        if only.keys() & set(names):
            yield from _candidate("the environment", source, "env", partial(_environment, only))
    yield from _candidate("Agor", _AGOR_CONFIG, "agor", lambda: _agor_config(environ))
    yield from _candidate("Agor", _AGOR_FILE, "agor", lambda: _file(expand_path(_AGOR_FILE, environ)))
    if environ.get("OPENCODE_DB"):
        yield from _candidate(
            "OpenCode", "OPENCODE_DB", "opencode", lambda: _file(expand_path(environ["OPENCODE_DB"], environ))
        )
    for data in (environ.get("XDG_DATA_HOME") or "~/.local/share", "~/.local/share"):
        path = expand_path(data, environ) / "opencode" / "opencode.db"
        yield from _candidate("OpenCode", paths.shown(path), "opencode", partial(_file, path))


def _candidate(title: str, source: str, name: str, find: Callable[[], Place | None]) -> Iterator[Candidate]:
    try:
        place = find()
    except (AgorError, OSError):
        return
    if place is not None:
        yield Candidate(title, source, name, replace(place, label=place.label or short_label(place), origin=source))


def _file(path: Path) -> Place:
    return SqlitePlace(None, "", path, "")


def _environment(only: Mapping[str, str]) -> Place | None:
    """The database that these variables name alone; None where they only complete what another source names."""
    place = resolve(None, config_path=None, environ=only)
    return None if place.origin.startswith("default") else place


def _agor_config(environ: Mapping[str, str]) -> Place | None:
    """The database that Agor's own config names; its other keys, secrets among them, are not looked at."""
    file = expand_path(_AGOR_CONFIG, environ)
    if not file.is_file():
        return None
    from agor_tui.config.document import read_document

    root = read_document(file)
    section = root.section("database") if root else None
    return place_of(read_entry(section, "database", environ), None, _AGOR_CONFIG, environ) if section else None
