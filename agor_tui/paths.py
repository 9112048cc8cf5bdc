"""Where agor-tui keeps its files, by the customs of the operating system. Nothing is created here."""

from __future__ import annotations

import os
from pathlib import Path

_APP = "agor-tui"


def shown(path: Path | str) -> str:
    """A path as it is shown: the user's own folder as ``~``."""
    text, home = str(path), os.path.expanduser("~")
    return f"~{text[len(home) :]}" if home != "/" and text.startswith(f"{home}/") else text


def config_file() -> Path:
    """The settings file that is read where no other is named: ``config.yaml`` in the user's config folder."""
    import platformdirs

    return platformdirs.user_config_path(_APP, appauthor=False) / "config.yaml"


def default_database() -> Path:
    """The SQLite file that is opened where nothing names another: ``agor.db`` in the user's data folder."""
    import platformdirs

    return platformdirs.user_data_path(_APP, appauthor=False) / "agor.db"


def backups_folder() -> Path:
    """Where backups are kept of databases that are no files of our own: ``backups`` in the user's data folder."""
    import platformdirs

    return platformdirs.user_data_path(_APP, appauthor=False) / "backups"


def cache_dir() -> Path:
    """The folder of what can be made again, such as the demo databases."""
    import platformdirs

    return platformdirs.user_cache_path(_APP, appauthor=False)


def state_file() -> Path:
    """The file of what is remembered between runs: ``state.json`` in the user's state folder."""
    import platformdirs

    return platformdirs.user_state_path(_APP, appauthor=False) / "state.json"


def log_file() -> Path:
    """The file for diagnostics that have no place on the screen."""
    import platformdirs

    return platformdirs.user_log_path(_APP, appauthor=False) / "agor-tui.log"


def embedded_folder() -> Path:
    """The data of the embedded PostgreSQL server: a folder of the user's data folder."""
    import platformdirs

    return platformdirs.user_data_path(_APP, appauthor=False) / "postgresql"
