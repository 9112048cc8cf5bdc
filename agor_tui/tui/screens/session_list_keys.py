"""The keys of the screens that list sessions."""

from __future__ import annotations

from textual.binding import Binding

KEYS = Binding.Group("Sessions")

LIST_BINDINGS = (
    # Those that open a line to type in come first: the keys that arrive in one go with them belong to it.
    Binding(
        "slash",
        "filter",
        "filter",
        key_display="/",
        id="browser.filter",
        tooltip="Filter",
        group=KEYS,
        priority=True,
    ),
    Binding(
        "g",
        "go_to",
        "go to id",
        id="browser.go_to",
        tooltip="Go to an id or its beginning",
        group=KEYS,
        priority=True,
    ),
    Binding("s", "sort", "sort", id="browser.sort", tooltip="Choose the order", group=KEYS),
    Binding("S", "reverse", "reverse", show=False, id="browser.reverse", tooltip="Reverse the order", group=KEYS),
    Binding("t", "tree", "tree", id="browser.tree", tooltip="The session's family tree", group=KEYS),
    Binding("y", "copy", "copy id", id="browser.copy", tooltip="Copy the session's id", group=KEYS),
    Binding(
        "e,E",
        "export",
        "export",
        show=False,
        id="browser.export",
        tooltip="Export to a file to read or send",
        group=KEYS,
    ),
    Binding("R", "refresh", "refresh", show=False, id="browser.refresh", tooltip="Read anew", group=KEYS),
    Binding(
        "escape",
        "leave",
        "cancel, clear",
        show=False,
        id="browser.leave",
        tooltip="Stop waiting; else take the filter away",
        group=KEYS,
    ),
)
