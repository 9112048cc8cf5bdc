"""Opening the database that a name, a path, a URL or the settings mean."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser


def open_database(
    target: str | None = None,
    *,
    config_path: Path | None = None,
    tenant: str | None = None,
    read_only: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Browser:
    """Open a database for browsing; ``target`` is a name from the config, a path or a URL, None what the settings say.

    A database that another program owns is opened for reading, whatever ``read_only`` says.

    Raises:
        ConfigError: the settings are wrong. DatabaseError: it cannot be opened, or is of no known kind.
    """
    from agor_tui.config import resolve
    from agor_tui.repositories.store import open_store
    from agor_tui.services.browser import Browser

    place = resolve(target, config_path=config_path, environ=os.environ if environ is None else environ, tenant=tenant)
    return Browser(*open_store(place, tenant=tenant, read_only=read_only))
