"""PostgreSQL's own backup program, where there is one that knows the server."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from psycopg.conninfo import make_conninfo

from agor_tui.config.places import PostgresPlace, describe
from agor_tui.db.landing import landing
from agor_tui.db.postgresql_programs import bin_folders, major_version, program_path
from agor_tui.errors import Cancelled, DatabaseError
from agor_tui.redact import redact_text

_LOOK_S = 0.1
_UNSAFE = ("sslpassword", "oauth_client_secret")
"""Secrets for which libpq has no environment variable, so that they would stand on the command line."""


def find_pg_dump(major: int) -> Path | None:
    """Return the first pg_dump that is not older than a server of this version; None where there is none."""
    return next((found for found in _programs() if major_version(found) >= major), None)


def run_pg_dump(program: Path, place: PostgresPlace, target: Path, stop: threading.Event | None = None) -> None:
    """Write the database, or the schema that ``place`` names, to the new file ``target`` in pg_dump's own format.

    The password is in the environment of the program only.

    Raises:
        FileError: ``target`` cannot be written. DatabaseError: pg_dump could not do it. Cancelled: ``stop`` was set.
    """
    parameters = place.conninfo()
    if any(parameters.get(name) for name in _UNSAFE):
        raise DatabaseError(
            "pg_dump was left out: the passphrase of the client's key could not be given to it in secret."
        )
    password = parameters.pop("password", None)
    schema = ['--schema="' + place.schema.replace('"', '""') + '"'] if place.schema else []
    environ = {**os.environ, "PGAPPNAME": "agor-tui", "LC_MESSAGES": "C"}
    if password:
        environ["PGPASSWORD"] = password
    options = ["--format=custom", "--no-password", *schema, "--dbname", make_conninfo("", **parameters)]
    with landing(target) as part:
        process = subprocess.Popen(
            [str(program), *options, f"--file={part}"],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        with process:
            while True:
                try:
                    _, said = process.communicate(timeout=_LOOK_S)
                    break
                except subprocess.TimeoutExpired:
                    if stop is not None and stop.is_set():
                        process.kill()
                        raise Cancelled("The backup was stopped.") from None
                except BaseException:
                    process.kill()
                    raise
        if process.returncode:
            lines = said.decode("utf-8", "replace").strip().splitlines() or [f"it ended with {process.returncode}"]
            first = redact_text(lines[0].removeprefix("pg_dump: ").removeprefix("error: "))
            raise DatabaseError(f"pg_dump could not dump {describe(place)}: {first[:300]}")


def _programs() -> Iterator[Path]:
    if found := shutil.which("pg_dump"):
        yield Path(found)
    yield from (program_path(folder, "pg_dump") for folder in bin_folders().values())
