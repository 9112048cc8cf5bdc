"""Looking at a database without opening it for use: what it is, what it holds and whether it answers in time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from agor_tui import paths
from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, describe, primary
from agor_tui.database_records import DatabaseSurvey
from agor_tui.errors import AbsentError, AgorError, DatabaseError

if TYPE_CHECKING:
    from agor_tui.db.engine import Database

LIMIT_S = 5.0
"""So long a database has for its answer."""


class NoAnswerError(DatabaseError):
    """A database did not answer in the time that it was given; it may yet."""

    title = "No answer"

    def __init__(self, message: str, hint: str, limit_s: float) -> None:
        super().__init__(message, hint)
        self.limit_s = limit_s


class NotRunningError(DatabaseError):
    """The embedded server sleeps: looking at its databases must not wake it."""

    title = "Not running"


def look(find: Callable[[], Place], limit_s: float | None = None) -> DatabaseSurvey:
    """Look at the database at the place that ``find`` returns, which may take its time too, to fetch a password.

    Of a local copy the server is asked; where that does not answer, the copy is read as it is. Nothing is written and
    no file is made. Blocks ``limit_s`` seconds at most (None: ``LIMIT_S``), for a copy as long again; what still runs
    then is cut off.

    Raises:
        NoAnswerError: it took longer. AgorError: the place cannot be had, or the database not be reached or read.
    """
    limit = LIMIT_S if limit_s is None else limit_s
    looking = _Looking(find)
    try:
        return looking.answer(limit)
    except DatabaseError as error:
        if isinstance(looking.place, LibsqlPlace) and looking.place.sync_url:
            return _copy(looking.place, error, limit)
        raise


def _copy(place: LibsqlPlace, away: DatabaseError, limit: float) -> DatabaseSurvey:
    """Look at the local copy of a database whose server is ``away``, which is raised where there is none to be read."""
    from agor_tui.db.replica import Replica

    replica = Replica(place)
    if not replica.has_copy():
        raise away
    try:
        found = _Looking(lambda: replica.as_it_is).answer(limit)
    except AgorError:
        raise away from None
    info = replace(found.info, place=describe(place), read_only=place.read_only)
    return replace(found, info=info, away=away.message, synced_at=replica.synced_at)


class _Looking(threading.Thread):
    """The thread that looks: a daemon, since a call that hangs must not keep the program."""

    def __init__(self, find: Callable[[], Place]) -> None:
        # Loaded here, before the time counts: where it is slow, that is not the database's fault.
        from agor_tui.db.engine import Database
        from agor_tui.repositories.probe import survey

        super().__init__(daemon=True)
        self._open, self._survey = Database, survey
        self.place: Place | None = None
        self.survey: DatabaseSurvey | None = None
        self.error: AgorError | None = None
        self._find = find
        self._database: Database | None = None
        self._left = False

    def answer(self, limit: float) -> DatabaseSurvey:
        """Look for ``limit`` seconds at most; raises as ``look`` does."""
        self.start()
        self.join(limit)
        if self.is_alive():
            threading.Thread(target=self.leave, daemon=True).start()
            raise NoAnswerError(
                f"{f'{describe(self.place)} gave' if self.place else 'There was'} no answer in {limit:g} s.",
                "Check that the server runs, and its host and port."
                if self.place
                else "Its password is fetched first: check the command or the keyring that has it.",
                limit,
            )
        if self.survey is None:
            raise self.error or DatabaseError("The database was left.")
        return self.survey

    def run(self) -> None:
        try:
            self._look()
        except AgorError as error:
            self.error = error
        except Exception as error:  # whatever it is, the user gets a sentence
            from agor_tui.services.faults import unexpected

            self.error = unexpected(error)

    def _look(self) -> None:
        self.place = self._find()
        if isinstance(self.place, PostgresPlace) and self.place.embedded:
            _require_running()
        if isinstance(self.place, LibsqlPlace) and self.place.sync_url:
            from agor_tui.db.replica import require_extra

            require_extra()
        with self._open(primary(self.place)) as database:  # opening a local copy would bring it up to date
            self._database = database
            if not self._left:
                self.survey = self._survey(database)

    def leave(self) -> None:
        """Stop what the database does for us; the connection is closed by the thread itself, or by its time limit."""
        self._left = True
        if self._database is not None:
            self._database.cancel()


def _require_running() -> None:
    from agor_tui.db.embedded.locks import keeper_lives

    folder = paths.embedded_folder()
    if not (folder / "PG_VERSION").exists():
        raise AbsentError("The embedded server has no databases yet.", "Set it up, and it is made.")
    if not keeper_lives(folder):
        raise NotRunningError("The embedded server is not running.", "It is started when a database of it is opened.")
