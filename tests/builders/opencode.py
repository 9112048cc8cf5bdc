"""Small databases of OpenCode's shape, with what its own tables can hold and what they should not.

``current`` has the tables of version 1.18; ``older`` lacks the columns of ``session`` that came later, the table
``workspace`` and the index on the time of messages.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

Shape = Literal["current", "older"]

START = 1_792_000_000_000
"""When the first session began, in epoch milliseconds."""

SECRET = "FAKESECRET-opencode"

_TABLES = """
CREATE TABLE project (id TEXT PRIMARY KEY, worktree TEXT NOT NULL, vcs TEXT, name TEXT, icon_color TEXT,
    time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, time_initialized INTEGER, sandboxes TEXT NOT NULL);
CREATE TABLE session (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, parent_id TEXT, slug TEXT NOT NULL,
    directory TEXT NOT NULL, title TEXT NOT NULL, version TEXT NOT NULL, share_url TEXT, summary_additions INTEGER,
    summary_deletions INTEGER, summary_files INTEGER, summary_diffs TEXT, revert TEXT, permission TEXT,
    time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, time_compacting INTEGER{later});
CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, time_created INTEGER NOT NULL,
    time_updated INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT NOT NULL, session_id TEXT NOT NULL,
    time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE todo (session_id TEXT NOT NULL, content TEXT NOT NULL, status TEXT NOT NULL, priority TEXT NOT NULL,
    position INTEGER NOT NULL, time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL,
    PRIMARY KEY (session_id, position));
CREATE TABLE session_share (session_id TEXT PRIMARY KEY, id TEXT NOT NULL, secret TEXT NOT NULL, url TEXT NOT NULL,
    time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL);
CREATE TABLE control_account (email TEXT NOT NULL, url TEXT NOT NULL, access_token TEXT NOT NULL,
    refresh_token TEXT NOT NULL, token_expiry INTEGER, active INTEGER NOT NULL, time_created INTEGER NOT NULL,
    time_updated INTEGER NOT NULL, PRIMARY KEY (email, url));
CREATE INDEX session_project_idx ON session (project_id);
CREATE INDEX session_parent_idx ON session (parent_id);
CREATE INDEX part_session_idx ON part (session_id);
"""
_LATER_COLUMNS = """, workspace_id TEXT, path TEXT, metadata TEXT, cost REAL DEFAULT 0 NOT NULL,
    tokens_input INTEGER DEFAULT 0 NOT NULL, tokens_output INTEGER DEFAULT 0 NOT NULL,
    tokens_reasoning INTEGER DEFAULT 0 NOT NULL, tokens_cache_read INTEGER DEFAULT 0 NOT NULL,
    tokens_cache_write INTEGER DEFAULT 0 NOT NULL, agent TEXT, model TEXT, time_archived INTEGER"""
_CURRENT = """
CREATE TABLE workspace (id TEXT PRIMARY KEY, type TEXT NOT NULL, name TEXT DEFAULT '' NOT NULL, branch TEXT,
    directory TEXT, extra TEXT, project_id TEXT NOT NULL, time_used INTEGER NOT NULL);
CREATE TABLE credential (id TEXT PRIMARY KEY, label TEXT NOT NULL, value TEXT NOT NULL,
    time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL);
CREATE INDEX message_session_time_created_id_idx ON message (session_id, time_created, id);
CREATE INDEX part_message_id_id_idx ON part (message_id, id);
"""
_OLDER = """
CREATE INDEX message_session_idx ON message (session_id);
CREATE INDEX part_message_idx ON part (message_id);
"""


class Builder:
    """Writes rows as the program would: ids of messages and parts ascend with time, those of sessions descend."""

    def __init__(self, path: Path, shape: Shape = "current") -> None:
        self.shape = shape
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(_TABLES.format(later=_LATER_COLUMNS if shape == "current" else ""))
        self._connection.executescript(_CURRENT if shape == "current" else _OLDER)
        self._connection.execute("BEGIN")
        self._made = 0
        self._columns = {
            table: {row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")}
            for (table,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        }

    def finish(self) -> None:
        """Commit and close."""
        self._connection.execute("COMMIT")
        self._connection.close()

    def insert(self, table: str, **values: Any) -> None:
        """Insert a row; columns that this shape has not are left out, so is a table that it has not."""
        kept = {name: value for name, value in values.items() if name in self._columns.get(table, ())}
        if kept:
            marks = ", ".join("?" * len(kept))
            self._connection.execute(f"INSERT INTO {table} ({', '.join(kept)}) VALUES ({marks})", list(kept.values()))

    def project(self, id: str, worktree: str, name: str | None = None) -> str:
        """Add a project; return its id."""
        self.insert(
            "project", id=id, worktree=worktree, name=name, sandboxes="[]", time_created=START, time_updated=START
        )
        return id

    def session(self, title: str, project: str, directory: str, at: int, **others: Any) -> str:
        """Add a session that began ``at`` milliseconds after ``START``; return its id."""
        id = f"ses_{0xFFFF_FFFF_FFFF - self._number():012x}ffeXyz0123456789A"
        values: dict[str, Any] = {
            "slug": "tidy-harbor",
            "version": "1.18.33",
            "agent": "build",
            "model": json.dumps({"id": "fake-coder", "providerID": "fake"}),
            "time_created": START + at,
            "time_updated": START + at,
        }
        self.insert("session", id=id, title=title, project_id=project, directory=directory, **{**values, **others})
        return id

    def user(self, session: str, at: int, parts: Iterable[Any], data: str | None = None) -> str:
        """Add a user message with ``parts`` (values, or texts that are no JSON); return its id."""
        stored = {
            "role": "user",
            "time": {"created": START + at},
            "agent": "build",
            "model": {"providerID": "fake", "modelID": "fake-coder"},
        }
        return self._message(session, at, json.dumps(stored) if data is None else data, parts)

    def assistant(self, session: str, parent: str, at: int, parts: Iterable[Any], **others: Any) -> str:
        """Add an assistant message, finished after 900 ms unless ``completed=None``; return its id."""
        completed = others.pop("completed", START + at + 900)
        stored = {
            "role": "assistant",
            "parentID": parent,
            "modelID": "fake-coder",
            "providerID": "fake",
            "cost": 0.25,
            "tokens": {"input": 100, "output": 10, "reasoning": 0, "total": 115, "cache": {"read": 4, "write": 1}},
            "time": {"created": START + at} | ({} if completed is None else {"completed": completed}),
            **others,
        }
        return self._message(session, at, json.dumps(stored), parts)

    def _message(self, session: str, at: int, data: str, parts: Iterable[Any]) -> str:
        id = f"msg_{self._number():012x}001Xyz0123456789A"
        self.insert("message", id=id, session_id=session, time_created=START + at, time_updated=START + at, data=data)
        for part in parts:
            self.insert(
                "part",
                id=f"prt_{self._number():012x}001Xyz0123456789A",
                message_id=id,
                session_id=session,
                time_created=START + at,
                time_updated=START + at,
                data=part if isinstance(part, str) else json.dumps(part),
            )
        return id

    def _number(self) -> int:
        self._made += 1
        return 0x1000_0000_0000 + self._made * 0x1000


def text(said: str, **others: Any) -> dict[str, Any]:
    """A part of text."""
    return {"type": "text", "text": said, **others}


def tool(name: str, status: str = "completed", **state: Any) -> dict[str, Any]:
    """A part of a tool call with its result."""
    given = {"status": status, "input": {"command": "ls"}, "time": {"start": 5, "end": 17}, **state}
    return {"type": "tool", "tool": name, "callID": f"call_{name}", "state": given}


def build(path: Path, shape: Shape = "current") -> dict[str, str]:
    """Make the database at ``path``; return the ids of its sessions and of some messages by name."""
    b = Builder(path, shape)
    home = "/home/robin/src/lanternctl"
    lantern = b.project("p-lantern", home)
    tidepool = b.project("p-tidepool", "/home/robin/src/tidepool-api/", name="Tidepool")
    loose = b.project("global", "/")
    b.insert("workspace", id="w1", type="worktree", branch="fix/tides", project_id=tidepool, time_used=START)
    ids: dict[str, str] = {}

    ids["main"] = s = b.session(
        "Fix the retry", lantern, home, 0, cost=1.0, tokens_input=400, tokens_output=40, time_updated=START + 90_000
    )
    ids["prompt"] = first = b.user(s, 1000, [text('"Fix retry() and say \\"done\\".\nThen stop."')])
    b.assistant(s, first, 2000, [{"type": "step-start"}, text("Looking."), tool("read", output="source")])
    b.assistant(s, first, 4000, [tool("bash", "error", error="exit 1"), {"type": "step-finish", "reason": "stop"}])
    second = b.user(s, 60_000, [text("Called the Read tool", synthetic=True), text("And a test."), text("Please.")])
    # Asked while the second was still being answered.
    third = b.user(s, 61_000, [{"type": "file", "mime": "text/plain", "filename": "note.txt", "url": "file:///n"}])
    b.assistant(s, second, 62_000, [text("Added.")])
    b.assistant(s, third, 64_000, [text("Read.")])
    ids["waiting"] = b.user(s, 65_000, [text("Not begun yet.")])
    b.insert(
        "todo", session_id=s, content="Add a test", status="completed", priority="high", position=0,
        time_created=START, time_updated=START,
    )  # fmt: skip

    ids["child"] = c = b.session("Survey (@general subagent)", lantern, home, 5000, parent_id=s)
    b.assistant(c, b.user(c, 5100, [text("Survey it.")]), 5200, [text("Surveyed.")])

    ids["archived"] = b.session("Old things", tidepool, "/home/robin/src/tidepool-api", 6000, time_archived=START + 7)
    ids["branch"] = b.session("On a branch", tidepool, "/home/robin/wt/tides", 7000, workspace_id="w1")
    ids["empty"] = b.session("", loose, "/tmp", 8000, model=None, agent=None)

    ids["running"] = s = b.session("Still going", lantern, home, 9000)
    b.assistant(s, b.user(s, 9100, [text("Go on.")]), 9200, [tool("bash", "running")], completed=None)
    ids["stopped"] = s = b.session("Stopped by hand", lantern, home, 10_000)
    aborted = {"name": "MessageAbortedError", "data": {"message": "Aborted"}}
    b.assistant(s, b.user(s, 10_100, [text("Wait.")]), 10_200, [text("Waiting.")], error=aborted)
    ids["failed"] = s = b.session("No key", lantern, home, 11_000)
    refused = {"name": "APIError", "data": {"message": "no such model", "responseBody": SECRET}}
    b.assistant(s, b.user(s, 11_100, [text("Try.")]), 11_200, [], error=refused, completed=None)

    ids["reverted"] = s = b.session("Taken back", lantern, home, 12_000)
    b.assistant(s, b.user(s, 12_100, [text("One.")]), 12_200, [text("First.")])
    ids["undone"] = undone = b.user(s, 12_300, [text("Two.")])
    b.assistant(s, undone, 12_400, [text("Second.")])
    b._connection.execute("UPDATE session SET revert = ? WHERE id = ?", (json.dumps({"messageID": undone}), s))

    ids["compacted"] = s = b.session("Compacted", lantern, home, 13_000)
    b.assistant(s, b.user(s, 13_100, [{"type": "compaction", "auto": True}]), 13_200, [text("So far.")], summary=True)

    ids["broken"] = s = b.session("Broken rows", lantern, home, 14_000, model='{"id": "fa', revert="{")
    good = b.user(s, 14_100, [text("Fine."), '{"type": "te', "\x00", text("a\ud800b")])
    ids["broken prompt"] = b.user(s, 14_200, [text("Whose?")], data='{"role": "us')
    b.assistant(s, good, 14_300, [text("Answered.")], tokens="many", cost="much")
    b.user(s, 14_400, [], data="[]")

    b.insert(
        "session_share", session_id=ids["main"], id="x", secret=SECRET, url="https://e.example/s/x",
        time_created=START, time_updated=START,
    )  # fmt: skip
    b.insert("credential", id="c", label="key", value=SECRET, time_created=START, time_updated=START)
    b.insert(
        "control_account", email="r@e.example", url="https://e.example", access_token=SECRET, refresh_token=SECRET,
        active=1, time_created=START, time_updated=START,
    )  # fmt: skip
    b.finish()
    return ids
