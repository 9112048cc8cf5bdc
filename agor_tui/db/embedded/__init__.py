"""A PostgreSQL server of our own: its programs, data and socket, and the process that keeps it while it is used.

``server`` is what the rest of the app calls. ``keeper`` is a program, which starts the server and ends with it.
"""

import sys

from agor_tui.errors import ConfigError

if sys.platform == "win32":
    raise ConfigError(
        "PostgreSQL on this machine is not for Windows: there its server could not be kept from other users.",
        "Run agor-tui in WSL, or use an SQLite file or a server that runs already.",
    )
