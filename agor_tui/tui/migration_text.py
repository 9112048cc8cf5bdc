"""What the migrations screen says: columns, the line above them, and the sentences of a confirmation."""

from __future__ import annotations

from collections.abc import Sequence

from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, SqlitePlace, describe
from agor_tui.database_records import Loss, MigrationPlan, MigrationStatus, Revision
from agor_tui.statuses import Tone
from agor_tui.text import NOTHING, count, duration, printable
from agor_tui.tui.moments import CELLS, Moments
from agor_tui.tui.widgets.table_columns import Column, Spans

STATES: dict[str, tuple[str, str, Tone]] = {
    "applied": ("✓", "applied", "success"),
    "pending": ("○", "pending", "accent"),
    "changed": ("!", "changed since applied", "warning"),
    "unknown": ("?", "unknown here", "error"),
}
"""The state of a revision: a glyph, a word, a tone."""

MOST_NAMED = 6
"""So many lost tables are named with their rows."""


def revision_columns(moments: Moments) -> Sequence[Column[Revision]]:
    """The columns of the revisions; in a narrow list the checksum and who applied it give way."""
    return (
        Column("state", "STATE", _state, least=9, ideal=23, gives_way=2, fits=True),
        Column("id", "REVISION", lambda row: ((printable(row.id, 80), "text"),), 8, 14, gives_way=1, fits=True),
        Column("name", "NAME", lambda row: ((printable(row.name, 200), "text"),), 18, 32),
        Column("applied", "APPLIED", lambda row: _quiet(moments.cell(row.applied_at)), 7, CELLS, 3, fits=True),
        Column("took", "TOOK", lambda row: _quiet(duration(row.duration_ms)), 4, 8, gives_way=4, right=True, fits=True),
        Column("by", "BY", lambda row: _quiet(row.applied_by), 6, 24, gives_way=6, fits=True),
        Column("version", "VERSION", lambda row: _quiet(row.tool_version), 7, 12, gives_way=7, fits=True),
        Column("checksum", "CHECKSUM", lambda row: _quiet((row.checksum or "")[:12]), 12, 12, gives_way=8),
    )


def _state(row: Revision) -> Spans:
    glyph, word, tone = STATES[row.state]
    return ((f"{glyph} ", tone), (word, "muted"))


def _quiet(text: str | None) -> Spans:
    shown = printable(text or NOTHING, 120)
    return ((shown, "faint" if shown == NOTHING else "muted"),)


def standing(status: MigrationStatus) -> tuple[str, Tone]:
    """Where a database stands: a glyph and words."""
    states = [revision.state for revision in status.revisions]
    if status.kind == "empty":
        return "○ empty", "accent"
    if status.head is None:
        return f"{count(len(states))} applied" if states else "no migrations recorded", "muted"
    if "unknown" in states:
        return "? made by a newer agor-tui", "error"
    pending = states.count("pending")
    if pending:
        return f"○ {pending} pending", "accent"
    if "changed" in states:
        return "! a revision changed since it was applied", "warning"
    if status.drift:
        return f"! {count(len(status.drift))} difference{'' if len(status.drift) == 1 else 's'}", "warning"
    return "✓ current", "success"


def revisions_line(status: MigrationStatus) -> str:
    """The revision it is at, and the newest."""
    if status.head is None:
        return ""
    current = status.current or "base"
    return f"at {current}, the newest" if current == status.head else f"at {current} → {status.head}"


def has_pending(status: MigrationStatus | None) -> bool:
    """Whether there is anything to apply."""
    return status is not None and any(row.state == "pending" for row in status.revisions)


def applied(status: MigrationStatus | None) -> list[str]:
    """The revisions that are applied, oldest first."""
    return [row.id for row in status.revisions if row.state in ("applied", "changed")] if status else []


def earlier(status: MigrationStatus | None) -> list[str]:
    """The revisions that one can go back to, the nearest first, then ``base``."""
    present = applied(status)
    return ["base", *present[:-1]][::-1] if present else []


def owner_sentence(status: MigrationStatus) -> str:
    """Who looks after it, and what that means for the keys; empty for a database of ours."""
    if status.kind == "empty":
        return "There is nothing in it yet: an upgrade makes the tables of agor-tui."
    if status.head is not None:
        return ""
    owner = printable(status.owner, 80)
    if owner == "another program":
        owner = "Another program"
    rest = "These are its own migrations." if status.revisions else "It records no migrations that can be shown."
    return f"{owner} looks after this database, so agor-tui shows it and never changes its tables. {rest}"


def effects_of(plan: MigrationPlan, place: Place) -> list[str]:
    """The sentences of a confirmation: database, revisions, losses, backup."""
    kinds = {SqlitePlace: "SQLite", PostgresPlace: "PostgreSQL", LibsqlPlace: "libSQL"}
    verb = "Applies" if plan.way == "upgrade" else "Undoes"
    named = ", then ".join(f"{each.id} {printable(each.name, 60)}".strip() for each in plan.revisions)
    effects = [
        f"{kinds[type(place)]}: {describe(place)}",
        f"{verb} {named}. It is at {plan.start} now, and {plan.target} then.",
    ]
    if plan.losses:
        effects.append(loss_sentence(plan.losses, "but for the copy" if plan.backup else "for good"))
    elif plan.way == "downgrade":
        effects.append("No table or column is dropped.")
    if plan.backup:
        effects.append(f"The file is copied first, beside it: {plan.backup}")
    elif isinstance(place, SqlitePlace):
        effects.append("It has no rows, so no copy is made.")
    else:
        effects.append("Each revision runs in one transaction. No copy is made of a database on a server.")
    return effects


def loss_sentence(losses: Sequence[Loss], how: str) -> str:
    """The tables and columns that are dropped, those with the most rows first, and how they are lost."""
    full = sorted((loss for loss in losses if loss.rows), key=lambda loss: -loss.rows)
    parts = []
    for loss in full[:MOST_NAMED]:
        what = loss.table if loss.column is None else f"column {loss.table}.{loss.column}"
        parts.append(f"{what} ({_rows(loss.rows)})")
    if len(full) > MOST_NAMED:
        rest = full[MOST_NAMED:]
        parts.append(f"{len(rest)} more with {_rows(sum(loss.rows for loss in rest))}")
    empty = len(losses) - len(full)
    if not full:
        return f"Drops {empty} table{'' if empty == 1 else 's'} or columns, all of them empty."
    if empty:
        parts.append(f"{empty} empty one{'' if empty == 1 else 's'}")
    return f"LOST {how}: {', '.join(parts)}."


def _rows(number: int) -> str:
    return f"{count(number)} row{'' if number == 1 else 's'}"
