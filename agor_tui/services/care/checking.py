"""Checking a database: what is wrong with it, whoever made it, and nothing is changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agor_tui.config.command_lines import command_for
from agor_tui.config.places import Place, describe, primary
from agor_tui.database_records import MigrationStatus
from agor_tui.errors import Cancelled, DamagedError, DatabaseError
from agor_tui.services import migrations
from agor_tui.transfers import CheckItem, CheckReport, Progress, Tell

if TYPE_CHECKING:
    from agor_tui.db.engine import Database


def check(
    place: Place,
    *,
    now: datetime | None = None,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
) -> CheckReport:
    """Look at all of a database that can be looked at; of another program's, only whether it is whole.

    ``now`` stands for the present time, which times of rows are compared with.

    Raises:
        DatabaseError: the database cannot be read. Cancelled: ``stop`` was set.
    """
    from agor_tui.db.engine import Database
    from agor_tui.db.stopping import stopping

    started = time.monotonic()
    place = primary(place)
    try:
        with Database(place) as database, stopping(stop, database.cancel):
            kind, items = _look(database, now or datetime.now(UTC), _minding(stop, tell))
    except DamagedError:
        kind, items = "damaged", [CheckItem("integrity", False, "SQLite finds damage", count=1)]
    owner = "agor-tui" if kind == "native" else "nobody"
    if kind == "foreign":
        info = migrations.test(place).info
        kind, owner = info.kind, info.owner
    return CheckReport(describe(place), kind, owner, tuple(items), time.monotonic() - started)


def _look(database: Database, now: datetime, tell: Tell) -> tuple[str, list[CheckItem]]:
    from agor_tui.db.catalog import read_catalog
    from agor_tui.db.checks import Looker
    from agor_tui.db.integrity import integrity
    from agor_tui.db.revision import ownership

    owned = database.read(ownership)
    with database.snapshot(ours=owned == "native") as snapshot:
        items = list(integrity(snapshot, tell))
        if owned != "native":
            return owned, items
        catalog = read_catalog(snapshot.connection)
        items += Looker(snapshot, catalog, now, tell).items()
    tell(Progress("check tables", "", 0, None, 0))
    try:
        items += _schema(migrations.status(database.place), database.place)
    except DatabaseError as error:
        items.append(CheckItem("drift", False, f"cannot be looked at: {error.message}", count=1))
    return owned, items


def _minding(stop: threading.Event | None, tell: Tell | None) -> Tell:
    """What is told of a check: raises Cancelled once ``stop`` is set."""

    def say(progress: Progress) -> None:
        if tell:
            tell(progress)
        if stop is not None and stop.is_set():
            raise Cancelled("The check was stopped. Nothing was changed.")

    return say


def _schema(status: MigrationStatus, place: Place) -> Iterator[CheckItem]:
    """Where the tables stand, and what differs between them and the models."""
    changed = tuple(f"{each.id} {each.name}" for each in status.revisions if each.state == "changed")
    unknown = tuple(f"{each.id} {each.name}" for each in status.revisions if each.state == "unknown")
    pending = sum(each.state == "pending" for each in status.revisions)
    at = f"it is at {status.current or 'none'}"
    if unknown:
        yield CheckItem("revision", False, f"{at}: a newer agor-tui made it", count=len(unknown), found=unknown)
    elif pending:
        migrate = command_for(place, "db migrate")
        yield CheckItem("revision", False, f"{at}, and {status.head} is the newest: {migrate}", count=pending)
    elif changed:
        words = "what was applied is not what this agor-tui would apply"
        yield CheckItem("revision", False, words, count=len(changed), found=changed)
    else:
        yield CheckItem("revision", True, f"{at}, the newest")
    if status.drift:
        words = "the tables are not as in the models"
        yield CheckItem("drift", False, words, count=len(status.drift), found=status.drift)
    elif status.current == status.head:
        yield CheckItem("drift", True, "the tables are as in the models")
