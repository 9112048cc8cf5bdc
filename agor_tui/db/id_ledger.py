"""Which ids were seen, however many: kept in a temporary SQLite database, which takes to the disk when it grows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

_CACHE_KIB = 32_000
_MOST_RECENT = 50_000
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Named:
    """A row that names another: ``column`` of the row ``id`` of ``table``, read at ``line``, names ``wanted``."""

    table: str
    column: str
    id: str
    line: int
    wanted: str


class IdLedger:
    """The ids seen of each table, and the rows that name ids not seen yet. For one thread; ``close`` forgets all."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # a file of its own, which SQLite makes and removes
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE seen (kind TEXT, id TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID")
        self._database.execute(
            "CREATE TABLE named (kind TEXT, wanted TEXT, source TEXT, field TEXT, id TEXT, line INTEGER)"
        )
        self._database.execute("BEGIN")
        self._recent: dict[str, set[str]] = {}

    def add(self, table: str, ids: Iterable[str]) -> None:
        """Note ids of ``table``; quickest where they ascend."""
        self._database.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", ((table, each) for each in ids))

    def missing(self, table: str, wanted: set[str]) -> set[str]:
        """Return those of ``wanted`` that were not seen."""
        recent = self._recent.setdefault(table, set())
        asked = sorted(wanted - recent)
        if not asked:
            return set()
        found: set[str] = set()
        for start in range(0, len(asked), _AT_ONCE):
            some = asked[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            found.update(
                row[0]
                for row in self._database.execute(
                    f"SELECT id FROM seen WHERE kind = ? AND id IN ({marks})", (table, *some)
                )
            )
        if len(recent) > _MOST_RECENT:
            recent.clear()
        recent |= found
        return set(asked) - found

    def defer(self, target: str, naming: Iterable[Named]) -> None:
        """Keep rows that name ids of ``target`` until all of it was seen."""
        self._database.executemany(
            "INSERT INTO named VALUES (?, ?, ?, ?, ?, ?)",
            ((target, each.wanted, each.table, each.column, each.id, each.line) for each in naming),
        )

    def dangling(self) -> Iterator[tuple[str, Sequence[Named]]]:
        """Give the deferred rows whose ids were never seen, in the order of their lines, a few hundred of a target."""
        cursor = self._database.execute(
            "SELECT kind, source, field, id, line, wanted FROM named WHERE NOT EXISTS"
            " (SELECT 1 FROM seen WHERE seen.kind = named.kind AND seen.id = named.wanted) ORDER BY kind, line"
        )
        target, some = "", list[Named]()
        for kind, *rest in cursor:
            if kind != target or len(some) == _AT_ONCE:
                if some:
                    yield target, some
                target, some = kind, []
            some.append(Named(*rest))
        if some:
            yield target, some

    def close(self) -> None:
        """Forget all of it."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
