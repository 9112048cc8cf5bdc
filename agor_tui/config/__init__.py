"""Settings, named databases, environment and secrets: from what a user typed or configured to a ``Place``.

Light to import: the YAML parser and platformdirs are loaded where a file or a default place is needed.
"""

from agor_tui.config.places import (
    LibsqlPlace,
    Place,
    PostgresPlace,
    Secret,
    SqlitePlace,
    SslOptions,
    describe,
)
from agor_tui.config.resolve import named_databases, resolve

__all__ = [
    "LibsqlPlace",
    "Place",
    "PostgresPlace",
    "Secret",
    "SqlitePlace",
    "SslOptions",
    "describe",
    "named_databases",
    "resolve",
]
