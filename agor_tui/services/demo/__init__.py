"""The demo database: made once in the cache folder, opened like any other.

Its rows depend on nothing but ``REFERENCE``, the moment at which the demo's story stands, so two machines show the same
demo; an app that shows it takes ``REFERENCE`` for the present time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from agor_tui import paths
from agor_tui.config.places import Place
from agor_tui.scratch import clear_leftovers, make_private, scratch_folder

REFERENCE = datetime(2026, 11, 20, 16, 40, tzinfo=UTC)

_EDITION = 3
"""Goes up with every change of the generator, so that an older demo is not opened."""


@contextmanager
def prepare(dialect: Literal["sqlite", "postgresql"] = "sqlite", folder: Path | None = None) -> Iterator[str]:
    """Give the path or URL of the demo database, made first where it is missing (about a second).

    On PostgreSQL the embedded server runs while the context lasts. ``folder`` stands for the cache folder.

    Raises:
        ConfigError: the embedded server is asked for and not installed.
        DatabaseError: the folder cannot be written, or the server does not start.
    """
    from agor_tui.db.revision import HEAD

    place = (folder or paths.cache_dir()) / "demo" / f"{_EDITION}-{HEAD}"
    if dialect == "sqlite":
        yield str(_sqlite(place))
        return
    from agor_tui.db.embedded.server import embedded_server

    with embedded_server(place / "postgresql") as server:
        with server.making():
            if not server.has("demo"):
                server.drop("demo_making")
                _fill(server.url("demo_making"))
                server.rename("demo_making", "demo")
        yield server.url("demo")


def _sqlite(folder: Path) -> Path:
    """Make the file in another place first: one that was left half-made is never opened."""
    from agor_tui.errors import DatabaseError

    path = folder / "demo.db"
    if path.exists():
        return path
    try:
        make_private(folder)
        clear_leftovers(folder)
        with scratch_folder(folder) as making:
            _fill(str(making / "demo.db"))
            (making / "demo.db").replace(path)
    except OSError as error:
        raise DatabaseError(
            f"The demo database cannot be made in {folder}: {error.strerror}.", "Check that the folder may be written."
        ) from None
    return path


def fill(place: Place, reference: datetime = REFERENCE) -> None:
    """Write the demo's rows, all of them or none, into a native database without rows; none is after ``reference``.

    Raises:
        DatabaseError: it cannot be written.
    """
    from agor_tui.db.engine import Database
    from agor_tui.repositories.bulk import insert_tables
    from agor_tui.services.demo.generator import generate

    with Database(place, writable=True) as database:
        insert_tables(database, generate(reference))


def _fill(target: str) -> None:
    """Make a native database at ``target`` with the demo's rows."""
    from agor_tui import config
    from agor_tui.db import migrator

    place = config.resolve(target, config_path=None, environ={})
    migrator.init(place)
    fill(place)
