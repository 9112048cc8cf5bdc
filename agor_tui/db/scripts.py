"""Our migration scripts and how Alembic runs them; Alembic is imported nowhere else but for comparing."""

from __future__ import annotations

import getpass
import hashlib
import io
import os
import platform
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import delete, exc, insert
from sqlalchemy.engine import Connection

import agor_tui
from agor_tui.config.command_lines import command_for
from agor_tui.config.places import Place, describe
from agor_tui.database_records import Revision
from agor_tui.db.tables import schema_migrations
from agor_tui.errors import MigrationError

if TYPE_CHECKING:
    from alembic.config import Config

Way = Literal["upgrade", "downgrade"]

#: Alembic's ``op`` and ``context`` belong to the whole process: one command at a time.
_one_at_a_time = threading.Lock()


def folder() -> Path:
    """Return the folder of the scripts: in the package when installed from a wheel, beside it in the source."""
    package = Path(agor_tui.__file__).parent
    inside = package / "_migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def known() -> list[Revision]:
    """All revisions, oldest first, as pending."""
    from alembic.script import ScriptDirectory

    found = []
    for script in reversed(list(ScriptDirectory(str(folder())).walk_revisions())):
        text = Path(script.path).read_bytes().replace(b"\r\n", b"\n")
        checksum = hashlib.sha256(text).hexdigest()
        found.append(Revision(id=script.revision, name=script.doc, state="pending", checksum=checksum))
    return found


def run(connection: Connection, script: Revision, way: Way, target: str, place: Place) -> Revision:
    """Apply or undo ``script`` in the caller's transaction, which ends at the revision ``target``, and record it.

    Returns the revision as it is now. ``place`` is where the database is, for the error.

    Raises:
        MigrationError: the script failed; the caller must roll back.
    """
    started = time.monotonic()
    result = replace(script, state="pending")

    def record(*, heads: set[str], **_: Any) -> None:
        nonlocal result
        if way == "upgrade":
            result = _applied(script, started)
            values = {column.name: getattr(result, column.name) for column in list(schema_migrations.c)[1:]}
            connection.execute(insert(schema_migrations).values(revision=script.id, **values))
        elif heads:  # undoing the first revision took the table with it
            connection.execute(delete(schema_migrations).where(schema_migrations.c.revision == script.id))

    before = _broken_references(connection)
    try:
        command(way, target, connection=connection, record=record)
    except Exception as error:  # a script is code of any kind, and may fail in any way
        raise _failure(script, way, place, cause(error)) from None
    if _broken_references(connection) > before:
        raise _failure(script, way, place, "it would leave rows that refer to rows which do not exist")
    return result


def cause(error: Exception) -> str:
    """What a script failed of, in one line without a full stop."""
    said = error.orig if isinstance(error, exc.DBAPIError) and error.orig else error
    return (str(said).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def as_sql(way: Way, start: str, target: str, dialect: str) -> str:
    """Return the SQL of moving from one revision to another, for the dialect of that name."""
    output = io.StringIO()
    command(way, f"{start}:{target}", output, dialect=dialect)
    return output.getvalue()


def command(way: Way, target: str, output: io.StringIO | None = None, **attributes: Any) -> None:
    """Run Alembic with the attributes that ``migrations/env.py`` reads; with ``output`` only the SQL is written."""
    from alembic import command as alembic
    from alembic.config import Config

    config: Config = Config(attributes=attributes)
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    if output is not None:
        config.output_buffer = output
    with _one_at_a_time:
        (alembic.upgrade if way == "upgrade" else alembic.downgrade)(config, target, sql=output is not None)


def _failure(script: Revision, way: Way, place: Place, reason: str) -> MigrationError:
    verb = "applied to" if way == "upgrade" else "undone in"
    return MigrationError(
        f"Revision {script.id} could not be {verb} {describe(place)}: {reason}.",
        f"Nothing of it was kept. See where the database stands with: {command_for(place, 'db status')}",
    )


def _broken_references(connection: Connection) -> int:
    """The rows that refer to none: SQLite looks away while a migration copies tables."""
    if connection.dialect.name != "sqlite":
        return 0
    return len(connection.exec_driver_sql("PRAGMA foreign_key_check").all())


def _applied(script: Revision, started: float) -> Revision:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        user = str(os.getuid())
    now = datetime.now(UTC)
    return replace(
        script,
        state="applied",
        applied_at=now.replace(microsecond=now.microsecond // 1000 * 1000),
        duration_ms=round((time.monotonic() - started) * 1000),
        applied_by=f"{user}@{platform.node()}",
        tool_version=agor_tui.__version__,
    )
