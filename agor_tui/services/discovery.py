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
class _Program:
    """A program that keeps ``<name>*.db`` in the folder ``<name>`` of the user's data.

    ``variable`` names another file, which counts from that folder where it is relative.
    """

    title: str
    name: str
    variable: str


_PROGRAMS = (_Program("OpenCode", "opencode", "OPENCODE_DB"), _Program("Kilo", "kilo", "KILO_DB"))


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
    for program in _PROGRAMS:
        yield from _of_program(program, environ)


def _of_program(program: _Program, environ: Mapping[str, str]) -> Iterator[Candidate]:
    """The files of a program: the one that its variable names, then all of its data folders, the usual name first."""
    given = (environ.get("XDG_DATA_HOME") or "~/.local/share", "~/.local/share")
    folders = dict.fromkeys(expand_path(data, environ) / program.name for data in given)
    named = environ.get(program.variable, "").strip()
    if named:
        own = next(iter(folders))
        yield from _candidate(
            program.title, program.variable, program.name, lambda: _file(expand_path(named, environ, own))
        )
    for folder in folders:
        for path in _channels(folder, program.name):
            channel = path.stem.removeprefix(program.name).strip("-_. ")
            title = f"{program.title} ({channel})" if channel else program.title
            yield from _candidate(title, paths.shown(path), path.stem, partial(_file, path))


def _channels(folder: Path, name: str) -> list[Path]:
    """The databases of a program in its folder: one for each channel that it was installed from."""
    try:
        found = [each for each in os.listdir(folder) if each.startswith(name) and each.endswith(".db")]
    except OSError:
        return []
    return [folder / each for each in sorted(found, key=lambda each: (each != f"{name}.db", each))]


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
