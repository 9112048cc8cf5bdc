"""The keys of the migrations screen."""

from __future__ import annotations

from textual.binding import Binding, BindingType

KEYS = Binding.Group("Migrations")

MIGRATION_BINDINGS: list[BindingType] = [
    Binding("v", "preview", "SQL", id="migrations.preview", tooltip="The SQL that would run", group=KEYS),
    Binding("u", "upgrade", "upgrade", id="migrations.upgrade", tooltip="Apply what is pending, to here", group=KEYS),
    Binding("D", "downgrade", "downgrade", id="migrations.downgrade", tooltip="Undo down to a revision", group=KEYS),
    Binding("y", "copy", "copy", id="migrations.copy", tooltip="Copy the id, or the backup's path", group=KEYS),
    Binding("R", "refresh", "refresh", id="migrations.refresh", tooltip="Read anew", group=KEYS),
    Binding(
        "escape",
        "leave",
        "stop, back",
        id="migrations.leave",
        tooltip="Stop; close the log; back to the open database",
        group=KEYS,
    ),
]
