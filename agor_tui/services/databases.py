"""Opening the database that a name, a path, a URL or the settings mean."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser
    from agor_tui.services.configuration import Configuration


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


def open_chosen(configuration: Configuration, target: str | None, *, read_only: bool = False) -> Browser:
    """Open what was chosen in the app, which then says where that stands in the config instead of ``--database``.

    Raises:
        ConfigError, DatabaseError: as ``open_database``.
    """
    from agor_tui.config.resolve import DEFAULT_NAME

    browser = configuration.open(target, read_only=read_only)
    if target is not None:
        file, name = configuration.file.name, browser.info.name
        origin = (
            f"{file}: databases" if name else f"{file}: database" if target == DEFAULT_NAME else "chosen in the app"
        )
        browser.info = replace(browser.info, origin=origin)
    return browser
