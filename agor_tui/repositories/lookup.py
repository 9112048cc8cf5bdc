"""Finding a row of any kind by a prefix of its id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Connection

from agor_tui import ids
from agor_tui.errors import UsageError
from agor_tui.records import Ambiguity, Match
from agor_tui.repositories.base import CANDIDATES, Repository


class Lookup:
    """Asks several repositories of one store within one unit of work."""

    def __init__(self, repositories: Sequence[Repository[Any]]) -> None:
        self._repositories = repositories

    def candidates(self, text: str) -> Ambiguity:
        """Return how many rows ``text`` fits, and the first of them; raises UsageError where it is no id."""

        def work(connection: Connection) -> Ambiguity:
            found = list(self._found(connection, text))
            every = [match for each in found for match in each.matches]
            # Where prompts are the tasks, the same row is found twice: as a task and as a message.
            tasks = {match.id for match in every if match.kind == "task"}
            matches = [match for match in every if match.kind != "message" or match.id not in tasks]
            count = sum(each.count for each in found) - len(every) + len(matches)
            return Ambiguity(
                found[0].prefix, count, _set_apart(sorted(matches, key=lambda match: match.id))[:CANDIDATES]
            )

        result: Ambiguity = self._repositories[0].read(work)
        return result

    def _found(self, connection: Connection, text: str) -> Iterator[Ambiguity]:
        """What each repository finds; an id of unknown form is one where any of them has it whole."""
        refused: UsageError | None = None
        known = False
        for each in self._repositories:
            try:
                yield each.candidates_in(connection, text)
                known = True
            except UsageError as error:
                refused = error
        if refused is not None and not known:
            raise refused

    def nearest(self, text: str) -> str:
        """Return a sentence naming the nearest id of the first kind that has any row; empty where there is none."""

        def work(connection: Connection) -> str:
            hints = (each.nearest_hint(connection, text) for each in self._repositories)
            return next((hint for hint in hints if hint), "")

        result: str = self._repositories[0].read(work)
        return result


def _set_apart(matches: Sequence[Match]) -> tuple[Match, ...]:
    """Give rows in id order, of several kinds, prefixes that also tell them from each other."""
    apart = []
    for number, match in enumerate(matches):
        previous = matches[number - 1].id if number else None
        following = matches[number + 1].id if number + 1 < len(matches) else None
        short = ids.shortest(match.id, previous, following, least=len(match.short_id))
        apart.append(replace(match, short_id=short))
    return tuple(apart)
