"""Records of databases: what they are, what answers there, and where their migrations stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from agor_tui.records import Count


@dataclass(frozen=True, slots=True)
class Access:
    """What may be changed in a native database: ``obstacle`` is a sentence on why nothing may, empty where much may.

    ``missing`` are the rights that the ``login`` lacks, as table and ``INSERT``, ``UPDATE`` or ``DELETE``.
    """

    obstacle: str = ""
    login: str = ""
    missing: frozenset[tuple[str, str]] = frozenset()

    def refusal(self, table: str, right: str) -> str:
        """A sentence on why rows of ``table`` may not be changed so; empty where they may."""
        if self.obstacle or (table, right) not in self.missing:
            return self.obstacle
        return f"{self.login} has no right to {right} in the table {table}."


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """What is open. ``label`` is the short name for the status bar, ``place`` the path or host/database, no secrets."""

    label: str
    dialect: Literal["sqlite", "postgresql"]
    server_version: str
    kind: str
    place: str
    read_only: bool
    owner: str
    origin: str
    tenant: str | None = None
    capabilities: frozenset[str] = frozenset()
    name: str | None = None
    """Its name in the config, where it has one there."""
    note: str | None = None
    """What else is to be known: of a local copy why it is not up to date, and since when."""
    access: Access = Access()
    """Of a native or an empty database."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One migration; ``state`` is applied, pending, changed (since applied) or unknown (made by a newer program)."""

    id: str
    name: str
    state: Literal["applied", "pending", "changed", "unknown"]
    applied_at: datetime | None = None
    duration_ms: int | None = None
    checksum: str | None = None
    applied_by: str | None = None
    tool_version: str | None = None


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """The revisions of a database in order, and what differs between it and the models (``drift``)."""

    kind: str
    owner: str
    current: str | None
    head: str | None
    revisions: tuple[Revision, ...]
    drift: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class MigrationRun:
    """What a migration did: the revisions applied (or undone, then pending) in order, and the copy made before."""

    revisions: tuple[Revision, ...]
    backup: Path | None = None
    stopped: bool = False
    """Whether the user stopped it before it was where it was to go."""


@dataclass(frozen=True, slots=True)
class MigrationEvent:
    """What a migration does now.

    It ``waits`` for another program, told again and again; it has ``copied`` the file to ``backup``; a revision
    ``begins``, or is ``done`` and in the database for good.
    """

    kind: Literal["waits", "copied", "begins", "done"]
    revision: Revision | None = None
    backup: Path | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """A table, or one column of it, that undoing drops, and the rows that have something there."""

    table: str
    column: str | None
    rows: int


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """What a migration would do. ``start`` and ``target`` are revisions or ``base``; ``revisions`` in their order.

    ``backup`` is the name of the copy that would be made first, ``‹time›`` for the time; empty for none.
    """

    way: Literal["upgrade", "downgrade"]
    start: str
    target: str
    revisions: tuple[Revision, ...]
    losses: tuple[Loss, ...]
    backup: str
    sql: str


@dataclass(frozen=True, slots=True)
class DatabaseTest:
    """What answered: who it is, how long opening and one round trip took, and whether it can be written to."""

    info: DatabaseInfo
    connect_ms: float
    latency_ms: float


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Where the tables of a database stand.

    ``state``: ``current``; ``behind`` by ``number`` revisions; ``newer``, of a revision that this program does not
    know; ``theirs``, another program's, which recorded ``number`` migrations of its own; ``unknown``, nobody's that we
    know; ``empty``. ``revision`` is ours that it is at, None before the first.
    """

    state: Literal["current", "behind", "newer", "theirs", "unknown", "empty"]
    revision: str | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class DatabaseSurvey:
    """What a database said when it was looked at.

    ``sessions`` are those that are not archived; ``size`` is in bytes, of the file with its log, of the whole
    database, or of the tables in the schema that is set. Both are None where they may not be asked for.
    """

    info: DatabaseInfo
    connect_ms: float
    latency_ms: float
    schema: SchemaState
    sessions: Count | None
    size: int | None
    away: str = ""
    """Of a local copy: why the server that it is a copy of does not answer. All else is of the copy then."""
    synced_at: datetime | None = None
    """When the local copy was last up to date, where the server is away."""
