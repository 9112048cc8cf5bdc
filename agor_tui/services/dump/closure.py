"""Which rows an export of some sessions takes along: what belongs to them, and what they refer to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agor_tui.db.id_ledger import IdLedger
from agor_tui.db.row_format import FORMATS, Row
from agor_tui.db.row_source import RowSource, Selection

_USERS_IN = {
    "sessions": ("created_by",),
    "tasks": ("created_by",),
    "board_comments": ("created_by",),
    "worktrees": ("created_by", "archived_by"),
    "boards": ("created_by",),
    "mcp_servers": ("owner_user_id",),
}

_CHOSEN = "chosen tasks"
"""Those of the chosen sessions, whether they can be exported or not."""


class Closure:
    """What is exported; ``source`` is read for that once, but for the messages.

    ``selection`` is None for everything. ``ledger`` is told of chosen tasks. ``messages`` are those that comments name.
    """

    def __init__(self, source: RowSource, selection: Selection | None, ledger: IdLedger) -> None:
        self._source = source
        self.selection = selection
        self._ledger = ledger
        self.messages: set[str] = set()
        self._kept: dict[str, set[Any]] = {
            name: set() for name in ("users", "worktrees", "boards", "repos", "mcp_servers")
        }
        if selection is not None:
            self._follow()
        for row in self._rows("board_comments"):
            self.messages.add(row["message_id"])

    def _follow(self) -> None:
        kept = self._kept
        for row in self._rows("sessions"):
            kept["worktrees"].add(row["worktree_id"])
            kept["boards"].add(row["board_id"])
        for row in self._rows("tasks"):
            self._ledger.add(_CHOSEN, [row["task_id"]])
        for row in self._rows("board_comments"):
            kept["boards"].add(row["board_id"])
        for row in self._rows("session_mcp_servers"):
            kept["mcp_servers"].add(row["mcp_server_id"])
        for row in self._rows("board_objects"):
            kept["boards"].add(row["board_id"])
        for row in self._rows("worktrees"):
            kept["repos"].add(row["repo_id"])
            kept["boards"].add(row["board_id"])
        for name in ("mcp_servers", "boards"):
            for _ in self._rows(name):  # for their users
                pass

    def _rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows of ``table`` that are exported, as far as is known by now; their users are noted."""
        if table not in self._source.tables:
            return
        names = FORMATS[table].names
        for batch in self._source.rows(table, selection=self.selection):
            for values in batch:
                if self.has(table, values):
                    row = dict(zip(names, values, strict=True))
                    self._kept["users"].update(row[name] for name in _USERS_IN.get(table, ()))
                    yield row

    def has(self, table: str, values: Row) -> bool:
        """Tell whether a row that the source gives for the selection is exported."""
        if self.selection is None:
            return True
        row = dict(zip(FORMATS[table].names, values, strict=True))
        match table:
            case "board_objects":
                return row["worktree_id"] in self._kept["worktrees"]
            case "board_comments":
                return row["session_id"] is not None or not self._ledger.missing(_CHOSEN, {row["task_id"]})
            case "mcp_servers":
                return row["session_id"] is not None or row["mcp_server_id"] in self._kept["mcp_servers"]
            case "users" | "worktrees" | "boards" | "repos":
                return values[FORMATS[table].key_at or 0] in self._kept[table]
        return True
