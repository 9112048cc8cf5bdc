"""Where agor-tui keeps its files, by the customs of the operating system. Nothing is created here."""

from __future__ import annotations

from pathlib import Path

_APP = "agor-tui"


def config_file() -> Path:
    """The settings file that is read where no other is named: ``config.yaml`` in the user's config folder."""
    import platformdirs

    return platformdirs.user_config_path(_APP, appauthor=False) / "config.yaml"


def default_database() -> Path:
    """The SQLite file that is opened where nothing names another: ``agor.db`` in the user's data folder."""
    import platformdirs

    return platformdirs.user_data_path(_APP, appauthor=False) / "agor.db"


def cache_dir() -> Path:
    """The folder of what can be made again, such as the demo databases."""
    import platformdirs

    return platformdirs.user_cache_path(_APP, appauthor=False)


def log_file() -> Path:
    """The file for diagnostics that have no place on the screen."""
    import platformdirs

    return platformdirs.user_log_path(_APP, appauthor=False) / "agor-tui.log"
