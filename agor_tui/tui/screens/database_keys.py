"""The keys of the databases screen."""

from __future__ import annotations

from textual.binding import Binding, BindingType

KEYS = Binding.Group("Databases")

ON_ONE = ("switch", "read_only", "edit", "test", "remove", "default", "set_up", "migrations", "copy", "upkeep")
"""Actions that need a database under the cursor."""

DATABASE_BINDINGS: list[BindingType] = [
    # First what the panel does not say: the bar of keys has room for few.
    Binding("a", "add", "add", id="databases.add", tooltip="Add a database to the config", group=KEYS),
    Binding("slash", "find", "filter", key_display="/", id="databases.filter", tooltip="Filter", group=KEYS),
    Binding("A", "all", "all", id="databases.all", tooltip="The sessions of all, or of those marked", group=KEYS),
    Binding("e", "edit", "edit", id="databases.edit", tooltip="Edit its settings", group=KEYS),
    Binding(
        "c", "upkeep", "copy, back up…", id="databases.upkeep",
        tooltip="Copy, compare, export, import, back up, restore, check", group=KEYS,
    ),
    Binding("i", "set_up", "set up", id="databases.set_up", tooltip="Make agor-tui's tables in it", group=KEYS),
    Binding("t", "test", "test", id="databases.test", tooltip="Test the connection step by step", group=KEYS),
    Binding("o", "read_only", "read-only", id="databases.read_only", tooltip="Open it read-only", group=KEYS),
    Binding("m", "migrations", "migrations", id="databases.migrations", tooltip="Its migrations", group=KEYS),
    Binding("u", "default", "default", id="databases.default", tooltip="Open it by default", group=KEYS),
    Binding("space", "mark", "mark", show=False, id="databases.mark", tooltip="Mark it for A", group=KEYS),
    Binding("x,delete", "remove", "remove", show=False, id="databases.remove", tooltip="Take it out", group=KEYS),
    Binding("y", "copy", "copy place", show=False, id="databases.copy", tooltip="Copy where it is", group=KEYS),
    Binding("R", "refresh", "ask again", show=False, id="databases.refresh", tooltip="Ask all again", group=KEYS),
    Binding("escape", "leave", "clear", show=False, id="databases.leave", tooltip="No filter or marks", group=KEYS),
]  # fmt: skip
