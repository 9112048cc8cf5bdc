"""Making and migrating native databases.

Each revision runs in one transaction, and all of a new database in one, that takes the database's write lock first (an
advisory lock on PostgreSQL) and then looks at what is to be done: of two programs that migrate at once, one waits and
finds nothing left to do, and whoever is killed leaves the database as it was before.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import exc, exists, inspect, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateSchema

from agor_tui.config.command_lines import command_for
from agor_tui.config.places import Place, PostgresPlace, SqlitePlace, describe, primary
from agor_tui.database_records import Loss, MigrationEvent, MigrationPlan, MigrationRun, MigrationStatus, Revision
from agor_tui.db import scripts, transfer_marks
from agor_tui.db.access import require_access
from agor_tui.db.backup import copy_file, copy_path
from agor_tui.db.drift import differences
from agor_tui.db.engine import Database
from agor_tui.db.failures import explain
from agor_tui.db.foreign import foreign_revisions
from agor_tui.db.migration_lock import transaction
from agor_tui.db.rehearsal import count_losses, rehearse
from agor_tui.db.revision import HEAD, REVISIONS, VERSION_TABLE, current_revision, ownership, require_known
from agor_tui.db.tables import metadata, schema_migrations
from agor_tui.errors import AbsentError, Cancelled, DatabaseError, ForeignDatabaseError, ReadOnlyError, UsageError

_MADE_SOON_S, _PAUSE_S = 10, 0.05
"""So long is waited for a database that the server says is there, and so long between two tries."""

Progress = Callable[[Revision], None]
"""Called with each revision that was applied or undone, when that is in the database for good."""

Tell = Callable[[MigrationEvent], None]
"""Called with all that happens, in the thread that migrates; raising ``Cancelled`` ends it before its next revision."""


def status(place: Place) -> MigrationStatus:
    """Return the state of each revision, and what differs from the models where all are applied.

    Of a database that another program owns (kind ``foreign``), the revisions are those that this program recorded.

    Raises:
        DatabaseError: the database cannot be read.
    """
    with Database(primary(place)) as database:
        return database.read(_status)


def init(place: Place, progress: Progress | None = None) -> MigrationRun:
    """Make a native database: the file with its folders, or the PostgreSQL database and schema where missing.

    A native database that is behind is migrated; one at the newest revision is left as it is.

    Raises:
        DatabaseError: the place cannot be reached or made.
        ForeignDatabaseError: it holds something else.
        ReadOnlyError: the config says that it is for reading only.
        SchemaVersionError: it is a native database made by a newer program.
        MigrationError: a revision failed.
    """
    _refuse_read_only(place)
    if isinstance(place, PostgresPlace):
        _make_room(place)
    with _opened(place, create=True, to_head=True) as database:
        return _run(database, len(REVISIONS), "upgrade", _done(progress))


def upgrade(place: Place, target: str = "head", tell: Tell | None = None) -> MigrationRun:
    """Apply the pending revisions up to ``target``: ``head``, a revision, or ``+1`` and so on.

    An SQLite file with rows is copied first. Where another program has brought it there meanwhile, nothing is done.

    Raises:
        UsageError: there is no such revision, or the database is past it.
        MigrationError and the others: as for ``init``.
    """
    with _opened(place, to_head=True) as database:
        at = _position(database)
        wanted = _resolve(target, at)
        if wanted < at:
            raise UsageError(
                f"{describe(place)} is at revision {_name(at)}, past {_name(wanted)}.",
                f"Use: {command_for(place, 'db downgrade')}",
            )
        return _run(database, wanted, "upgrade", tell)


def downgrade(place: Place, target: str, tell: Tell | None = None) -> MigrationRun:
    """Undo the revisions after ``target``: ``base`` (all of them), a revision, or ``-1`` and so on.

    An SQLite file with rows is copied first. Raises as ``upgrade``.
    """
    with _opened(place) as database:
        at = _position(database)
        wanted = _resolve(target, at)
        if wanted > at:
            raise UsageError(
                f"{describe(place)} is at revision {_name(at)}, before {_name(wanted)}.",
                f"Use: {command_for(place, 'db migrate')}",
            )
        return _run(database, wanted, "downgrade", tell)


def reset(place: Place, progress: Progress | None = None) -> MigrationRun:
    """Drop all tables of a native database, with all their rows, and make them anew; a missing one is made.

    An SQLite file with rows is copied first. Raises as ``init``.
    """
    _refuse_read_only(place)
    if isinstance(place, PostgresPlace):
        _make_room(place)
    with _opened(place, create=True) as database:
        with transaction(database) as connection:
            backup = None
            if ownership(connection) == "native":
                backup = _back_up(database, connection, require_known(connection, place) or "base")
                metadata.drop_all(connection)
                transfer_marks.end(connection)
                connection.exec_driver_sql(f"DROP TABLE {VERSION_TABLE}")
        return replace(_run(database, len(REVISIONS), "upgrade", _done(progress)), backup=backup)


def plan(place: Place, target: str = "head") -> MigrationPlan:
    """Return what moving to ``target``, up or down, would do to this database; nothing is changed.

    Raises: as ``upgrade``, but for read-only places.
    """
    with Database(primary(place)) as database:
        at = _position(database)
        wanted = _resolve(target, at)
        way: scripts.Way = "upgrade" if wanted >= at else "downgrade"
        known = scripts.known()
        steps = known[at:wanted] if way == "upgrade" else known[wanted:at][::-1]
        losses: tuple[Loss, ...] = ()
        sql = backup = ""
        if steps:
            trial = rehearse(way, _name(at), _name(wanted))
            sql = (
                trial.sql
                if database.dialect == "sqlite"
                else scripts.as_sql(way, _name(at), _name(wanted), database.dialect)
            )
            losses = database.read(lambda connection: count_losses(connection, trial))
            if isinstance(place, SqlitePlace) and database.read(_has_rows):
                backup = copy_path(place.path, _name(at), "‹time›").name
        return MigrationPlan(way, _name(at), _name(wanted), tuple(steps), losses, backup, sql)


def _status(connection: Connection) -> MigrationStatus:
    owned = ownership(connection)
    if owned == "foreign":
        return MigrationStatus("foreign", "another program", None, None, foreign_revisions(connection))
    native = owned == "native"
    current = current_revision(connection) if native else None
    recorded: dict[str, Any] = {}
    if native and inspect(connection).has_table(schema_migrations.name):
        rows = connection.execute(select(schema_migrations).order_by(schema_migrations.c.applied_at))
        recorded = {row.revision: row for row in rows}
    known = current is None or current in REVISIONS
    applied = (REVISIONS.index(current) + 1 if current else 0) if known else len(REVISIONS)
    revisions = []
    for number, script in enumerate(scripts.known()):
        row = recorded.pop(script.id, None)
        if number >= applied:
            revisions.append(script)
        elif row is None:
            revisions.append(replace(script, state="applied"))
        else:
            revisions.append(_recorded(row, "applied" if row.checksum == script.checksum else "changed"))
    if not known and current not in recorded:
        revisions.append(Revision(id=str(current), name="", state="unknown"))
    revisions += [_recorded(row, "unknown") for row in recorded.values()]
    return MigrationStatus(
        kind=owned,
        owner="agor-tui" if native else "nobody",
        current=current,
        head=HEAD,
        revisions=tuple(revisions),
        drift=differences(connection) if current == HEAD else (),
    )


def _recorded(row: Any, state: Literal["applied", "changed", "unknown"]) -> Revision:
    return Revision(
        id=row.revision,
        name=row.name,
        state=state,
        applied_at=row.applied_at,
        duration_ms=row.duration_ms if isinstance(row.duration_ms, int) else None,  # SQLite holds anything there
        checksum=row.checksum,
        applied_by=row.applied_by,
        tool_version=row.tool_version,
    )


def _run(database: Database, wanted: int, way: scripts.Way, tell: Tell | None) -> MigrationRun:
    """Step to where ``wanted`` revisions are applied, one transaction a revision.

    A database that is empty is made in one transaction: whoever is killed leaves it empty.
    """
    known = scripts.known()
    done: list[Revision] = []
    backup: Path | None = None
    say: Tell = tell or (lambda _: None)
    try:
        while True:
            steps: list[Revision] = []
            with transaction(database, lambda: say(MigrationEvent("waits"))) as connection:
                at = _index(connection, database.place)
                if at == wanted or (at < wanted) != (way == "upgrade"):
                    return MigrationRun(tuple(done), backup)
                if not done:
                    backup = _back_up(database, connection, _name(at))
                    if backup:
                        say(MigrationEvent("copied", backup=backup))
                if way == "downgrade":
                    ahead = [(known[at - 1], at - 1)]
                else:
                    ahead = [(known[number], number + 1) for number in range(at, at + 1 if at else wanted)]
                for script, target in ahead:
                    say(MigrationEvent("begins", script))
                    steps.append(scripts.run(connection, script, way, _name(target), database.place))
            for step in steps:
                done.append(step)
                say(MigrationEvent("done", step))
    except Cancelled:
        return MigrationRun(tuple(done), backup, stopped=True)


def _done(progress: Progress | None) -> Tell | None:
    """What is told of a run, for who wants to know of the finished revisions only."""

    def tell(event: MigrationEvent) -> None:
        if progress and event.kind == "done" and event.revision:
            progress(event.revision)

    return tell


def _position(database: Database) -> int:
    return database.read(lambda connection: _index(connection, database.place))


def _index(connection: Connection, place: Place) -> int:
    """How many revisions are applied; raises for a database that we must not touch."""
    if _require_ours(connection, place) == "empty":
        return 0
    current = require_known(connection, place)
    return REVISIONS.index(current) + 1 if current else 0


def _name(position: int) -> str:
    return REVISIONS[position - 1] if position else "base"


def _resolve(target: str, at: int) -> int:
    """Return how many revisions are applied at ``target``, coming from where ``at`` are."""
    if target == "head":
        return len(REVISIONS)
    if target == "base":
        return 0
    if target in REVISIONS:
        return REVISIONS.index(target) + 1
    known = f"Known are base, {', '.join(REVISIONS)}, head, and steps such as -1."
    if target[:1] in ("+", "-") and target[1:].isdecimal():
        if 0 <= at + int(target) <= len(REVISIONS):
            return at + int(target)
        raise UsageError(f"There is no revision {target} from {_name(at)}, where the database is.", known)
    raise UsageError(f"There is no revision {target!r}.", known)


def _require_ours(connection: Connection, place: Place) -> Literal["empty", "native"]:
    owned = ownership(connection)
    if owned == "foreign":
        raise ForeignDatabaseError(
            f"{describe(place)} holds tables that agor-tui did not make, so it is left as it is.",
            "Choose an empty database, another schema, or a new file.",
        )
    return owned


def _require_allowed(connection: Connection, place: Place, *, to_head: bool) -> None:
    owned = _require_ours(connection, place)
    if to_head and owned == "native" and current_revision(connection) == HEAD:
        return
    require_access(connection, place, "migrate" if owned == "native" else "make")


def _refuse_read_only(place: Place) -> None:
    if place.read_only:
        raise ReadOnlyError(
            f"{describe(place)} is to be opened for reading only.",
            "Leave out --read-only, or set readOnly: false in the config.",
        )


@contextmanager
def _opened(place: Place, *, create: bool = False, to_head: bool = False) -> Iterator[Database]:
    """Open for writing what is ours or empty: looked at first without a trace, as opening for writing leaves one.

    ``to_head``: where it is there already, nothing is to be done, for which no right is wanted.
    """
    _refuse_read_only(place)
    if not (create and isinstance(place, SqlitePlace) and not place.path.exists()):
        with Database(primary(place)) as database:
            database.read(lambda connection: _require_allowed(connection, place, to_head=to_head))
    with Database(primary(place), writable=True, create=create) as database:
        yield database


def _make_room(place: PostgresPlace) -> None:
    """Make the PostgreSQL database and its schema where they are missing and this user may."""
    try:
        _reach(place)
    except DatabaseError as error:
        if not _create_database(place, error):
            _reach_soon(place)  # it was just being made
    if place.schema is None:
        return
    with Database(place, writable=True) as database, transaction(database) as connection:
        # Asked first: IF NOT EXISTS wants the right to create schemas even where there is nothing to create.
        if not inspect(connection).has_schema(place.schema):
            connection.execute(CreateSchema(place.schema))


def _reach(place: PostgresPlace) -> None:
    with Database(place) as database:
        database.read(lambda connection: connection.exec_driver_sql("SELECT 1"))


def _reach_soon(place: PostgresPlace) -> None:
    """Reach a database that another program was making, or one that was killed, for which the server goes on."""
    end = time.monotonic() + _MADE_SOON_S
    while True:
        try:
            return _reach(place)
        except AbsentError:
            if time.monotonic() > end:
                raise
        time.sleep(_PAUSE_S)


def _create_database(place: PostgresPlace, failure: DatabaseError) -> bool:
    """Make the database; False where the server has it already. Raises ``failure`` where that cannot be asked."""
    if place.database is None:
        raise failure
    present = text("SELECT 1 FROM pg_catalog.pg_database WHERE datname = :name").bindparams(name=place.database)
    with Database(replace(place, database="postgres", schema=None), writable=True) as server:
        try:
            found = server.read(lambda connection: connection.execute(present).scalar())
        except DatabaseError:
            raise failure from None
        if found:
            return False
        with server.engine.connect() as connection:
            name = connection.dialect.identifier_preparer.quote_identifier(place.database)
            try:
                connection.exec_driver_sql(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
            except exc.DBAPIError as error:
                if error.connection_invalidated:
                    raise explain(place, error) from None
                if connection.execute(present).scalar():
                    return False  # another program was quicker
                raise DatabaseError(
                    f"The database {place.database} could not be created: {str(error.orig).splitlines()[0]}.",
                    "Ask the server's administrator to create it.",
                ) from None
    return True


def _back_up(database: Database, connection: Connection, revision: str) -> Path | None:
    """Copy an SQLite file that has rows; the caller's lock keeps others from changing it meanwhile."""
    place = database.place
    if not isinstance(place, SqlitePlace):
        return None
    if not _has_rows(connection):
        return None
    with database.engine.connect() as reader:
        driver = reader.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        return copy_file(driver, place.path, revision)


def _has_rows(connection: Connection) -> bool:
    present = set(inspect(connection).get_table_names())
    tables = [table for table in metadata.sorted_tables if table.name in present and table is not schema_migrations]
    return any(connection.execute(select(exists(table.select()))).scalar() for table in tables)
