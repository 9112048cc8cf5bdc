"""What is told of work that moves or checks many rows: how far it is, what it found, what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

OnConflict = Literal["fail", "skip", "newer"]
"""What becomes of a row whose id TO has already: the copy fails, TO's stays, or the newer of both stays."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work on one table is: ``rows`` of ``total`` (None: not known) and their ``bytes``.

    ``stage`` says what is done, as a verb for people: ``copy``, ``verify``, ``export``, ...
    """

    stage: str
    table: str
    rows: int
    total: int | None
    bytes: int


Tell = Callable[[Progress], None]
"""Called about five times a second in the thread that works; what it raises ends the work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a database cannot hold as it is: which value of which row, and what was done about it.

    ``id`` is the row's key as shown to people, ``column`` None where the whole row is meant; ``what`` and ``done`` are
    the halves of a sentence, such as ``the time +294247-01-10 is out of range`` and ``kept as 9999-12-31``.
    """

    table: str
    id: str
    column: str | None
    what: str
    done: str


MOST_COUNTED = 10_000
"""The rows of a table that is not read are counted up to so many: a log of millions is named as soon."""


@dataclass(frozen=True, slots=True)
class LeftAside:
    """A table with rows that is knowingly not read, and why; ``rows`` is at most ``MOST_COUNTED`` + 1."""

    table: str
    rows: int
    reason: str


NOT_COPIED = "not copied"
"""What was done about a table, a column or a row that native rows have no place for (``Finding.done``)."""

UNREAD = "not read"
"""What was done about rows that a damaged file does not give (``Finding.done``)."""


@dataclass(frozen=True, slots=True)
class TableCopied:
    """One table after a copy: rows now in TO that this copy wrote (in all its runs), those it overwrote among them.

    ``skipped`` rows stayed as TO had them, ``left_out`` could not be held. ``bytes`` is the size of texts and JSON that
    passed in this run, ``seconds`` the time that it took.
    """

    table: str
    rows: int
    overwritten: int = 0
    skipped: int = 0
    left_out: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """What of FROM is copied, and how. ``only``: these tables (empty: all); ``since_ms``: the sessions changed then or
    later with what belongs to them, and what belongs to no session; ``dry_run``: nothing is written; ``salvage``: what
    can be read of a damaged SQLite file."""

    only: tuple[str, ...] = ()
    since_ms: int | None = None
    on_conflict: OnConflict = "fail"
    dry_run: bool = False
    salvage: bool = False


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What a copy did, or, with ``dry_run``, would do.

    ``made`` says what was made or initialised at TO, empty where it was there; ``resumed`` that an earlier run was
    continued. The first findings are listed, all are counted. ``left_aside`` are tables of FROM that are knowingly not
    copied. ``verified`` is the comparison after it.
    """

    source: str
    target: str
    source_kind: str
    tables: tuple[TableCopied, ...]
    findings: tuple[Finding, ...] = ()
    finding_count: int = 0
    left_aside: tuple[LeftAside, ...] = ()
    made: str = ""
    resumed: bool = False
    dry_run: bool = False
    on_conflict: OnConflict = "fail"
    seconds: float = 0.0
    verified: CompareReport | None = None

    @property
    def lossless(self) -> bool:
        """Whether TO holds (after a dry run: would hold) all rows as FROM does, those aside that it was to keep."""
        if self.finding_count or self.verified is None or self.on_conflict == "fail":
            return not self.finding_count and (self.verified is None or self.verified.equal)
        kept = {table.table: table.skipped for table in self.tables}
        return all(not table.only_in_a and table.changed <= kept.get(table.table, 0) for table in self.verified.tables)

    @property
    def kept_otherwise(self) -> int:
        """How many rows of both differ, and stay as TO has them: by the rule, or since none of the two is newer."""
        return sum(table.changed for table in self.verified.tables) if self.verified else 0


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """A value that two databases hold differently: where, such as ``status`` or ``data.title``, and both as text.

    The texts are short and fit to be shown: secrets are masked.
    """

    where: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A row that only one of two databases has, or whose ``values`` differ. ``id`` is fit to be shown."""

    id: str
    only_in: Literal["a", "b"] | None
    values: tuple[ValueDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class TableCompared:
    """One table of two databases: rows and checksums (see ``db.row_checksum``), and the rows that differ.

    The first of them are listed, all are counted. A database that has no such table has no rows in it: ``missing_in``.
    """

    table: str
    rows_a: int
    rows_b: int
    checksum_a: str
    checksum_b: str
    only_in_a: int = 0
    only_in_b: int = 0
    changed: int = 0
    differences: tuple[RowDifference, ...] = ()
    missing_in: Literal["a", "b"] | None = None

    @property
    def equal(self) -> bool:
        """Whether both have the same rows."""
        return (self.rows_a, self.checksum_a) == (self.rows_b, self.checksum_b)


@dataclass(frozen=True, slots=True)
class CompareReport:
    """What a comparison of the databases ``a`` and ``b``, named as they are shown, found.

    ``findings_a`` and ``findings_b`` are what those hold that native rows cannot have: it was compared as what was made
    of it, or not at all. The first are listed, all are counted. ``left_aside_a`` and ``left_aside_b`` are their tables
    that are knowingly not compared.
    """

    a: str
    b: str
    tables: tuple[TableCompared, ...]
    findings_a: tuple[Finding, ...] = ()
    findings_b: tuple[Finding, ...] = ()
    finding_count: int = 0
    left_aside_a: tuple[LeftAside, ...] = ()
    left_aside_b: tuple[LeftAside, ...] = ()
    seconds: float = 0.0

    @property
    def equal(self) -> bool:
        """Whether all tables have the same rows."""
        return all(table.equal for table in self.tables)


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A backup that was made: of ``source``, in the file ``path`` of ``size`` bytes.

    ``also`` is what pg_dump made beside it. ``notes`` are whole sentences on what else is to be known.
    """

    source: str
    path: Path
    form: Literal["sqlite", "jsonl", "pg_dump"]
    size: int
    seconds: float
    also: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableExported:
    """One table of an export: its rows and their checksum (see ``db.row_checksum``)."""

    table: str
    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote: ``bytes`` before they were compressed, ``size`` of the file (None: standard output).

    ``secrets`` tells whether they are in it, else ``secrets_hidden`` in how many places they were taken out.

    ``left_empty`` counts by ``table.column`` the references to rows that are not in it. The first findings are listed,
    all are counted. ``left_aside`` are tables that are knowingly not exported.
    """

    source: str
    file: str
    tables: tuple[TableExported, ...]
    left_empty: Mapping[str, int]
    secrets: bool
    bytes: int
    size: int | None = None
    findings: tuple[Finding, ...] = ()
    finding_count: int = 0
    left_aside: tuple[LeftAside, ...] = ()
    seconds: float = 0.0
    secrets_hidden: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. ``secrets`` tells whether the file has them.

    ``verified`` tells whether the rows now in the database were compared with the file: not where it had others before.

    The first findings are listed, all are counted.
    """

    file: str
    target: str
    tables: tuple[TableCopied, ...]
    secrets: bool
    verified: bool
    made: str = ""
    """What was made at the database first; empty where it was there."""
    resumed: bool = False
    findings: tuple[Finding, ...] = ()
    finding_count: int = 0
    differing: tuple[str, ...] = ()
    """The tables whose rows in the database are not those of the file, where findings say why."""
    seconds: float = 0.0

    @property
    def lossless(self) -> bool:
        """Whether the database holds all rows as the file does, those aside that it was to keep."""
        return not self.finding_count and not self.differing


Check = Literal[
    "integrity", "rules", "foreign keys", "references", "JSON", "times", "clock", "words", "types", "pairs", "cycles",
    "copy", "drift", "revision",
]  # fmt: skip
"""What a check looks at: the file or the indexes; the tables' own rules; the foreign keys that the file declares;
whether each row that is named is there; whether JSON is JSON; whether times are times, and near; the words of
enumerations; values of another type than their column's; pairs that stand there twice; sessions that are their own
ancestors; a copy or an import that was not finished; the tables against the models; the revision."""


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """A secret: the table, the row's id, the column with the path in its JSON, and what kind it is."""

    table: str
    id: str
    place: str
    kind: str


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One thing looked at. Where it is not ``well``, ``count`` says how often, and ``found`` lists ids or lines.

    ``table`` and ``column`` are empty where the whole is meant. ``words`` is half a sentence. ``mend`` is the SQL that
    would mend it on a server, empty where nothing would.
    """

    check: Check
    well: bool
    words: str
    table: str = ""
    column: str = ""
    count: int = 0
    found: tuple[str, ...] = ()
    mend: str = ""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check of the database ``source`` found; of another program's (``kind`` is not native) less is known.

    ``kind`` is ``damaged`` where not even the list of its tables can be read.
    """

    source: str
    kind: str
    owner: str
    items: tuple[CheckItem, ...]
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return all(item.well for item in self.items)

    @property
    def unseen(self) -> str:
        """A sentence on what was not looked at; empty where all was."""
        if self.kind == "native":
            return ""
        if self.kind == "empty":
            return "It has no tables."
        if self.kind == "damaged":
            return "Its list of tables cannot be read, so nothing more was looked at."
        if self.kind == "unknown":
            return "The tables are of no known kind: their rows were not looked at."
        return f"The tables are {self.owner}'s: their rows were not looked at."


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """A restore that was done: ``target`` holds what ``backup`` held, ``sessions`` and all.

    ``revision`` is that of its tables, ``behind`` whether it has to be migrated. ``safety`` is the backup made before
    of what was there, None where nothing was.
    """

    target: str
    backup: Path
    sessions: int | None
    revision: str
    behind: bool
    safety: Path | None
    seconds: float


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair made: the mended copy ``path``, and ``removed_to`` with the rows that had to go; None: not made.

    ``emptied`` and ``removed`` count by ``table.column`` what led nowhere there. ``after`` is what a check of the copy
    finds. ``sql`` is what would mend a database on a server.
    """

    path: Path | None = None
    removed_to: Path | None = None
    emptied: Mapping[str, int] = field(default_factory=dict)
    removed: Mapping[str, int] = field(default_factory=dict)
    after: CheckReport | None = None
    sql: tuple[str, ...] = ()
