"""Databases of OpenCode's second store (``session_message``), alone, beside the first, and upgraded to version 2."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.builders.opencode import START, Builder, text

ENTRIES = """
CREATE TABLE session_message (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, type TEXT NOT NULL, seq INTEGER,
    time_created INTEGER NOT NULL, time_updated INTEGER NOT NULL, data TEXT NOT NULL);
CREATE UNIQUE INDEX session_message_session_seq_idx ON session_message (session_id, seq);
CREATE INDEX session_message_session_type_seq_idx ON session_message (session_id, type, seq);
"""
INPUTS = """
CREATE TABLE session_input (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, prompt TEXT NOT NULL, delivery TEXT NOT NULL,
    admitted_seq INTEGER NOT NULL, promoted_seq INTEGER, time_created INTEGER NOT NULL);
"""
SESSIONS_V2 = """
CREATE TABLE session_v2 (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, workspace_id TEXT, parent_id TEXT,
    fork_session_id TEXT, fork_boundary TEXT, slug TEXT NOT NULL, directory TEXT NOT NULL, title TEXT, version TEXT,
    revert TEXT, cost REAL DEFAULT 0 NOT NULL, tokens_input INTEGER DEFAULT 0 NOT NULL,
    tokens_output INTEGER DEFAULT 0 NOT NULL, agent TEXT, model TEXT, time_created INTEGER NOT NULL,
    time_updated INTEGER NOT NULL, time_archived INTEGER, time_suspended INTEGER, time_idle INTEGER,
    idle_outcome TEXT);
"""

HOME = "/home/robin/src/lanternctl"


class Entries:
    """Adds rows of the second store to a file."""

    def __init__(self, path: Path, script: str) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.executescript(script)
        self._made = 0

    def finish(self) -> None:
        """Commit and close."""
        self._connection.commit()
        self._connection.close()

    def insert(self, table: str, **values: Any) -> None:
        """Insert a row."""
        marks = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))

    def add(self, session: str, seq: int | None, type: str, data: Any, *, at: int = 0, id: str | None = None) -> str:
        """Add an entry (``data`` a value, or a text that is no JSON); return its id."""
        self._made += 1
        id = id or f"msg_{0x2000_0000_0000 + self._made * 0x1000:012x}001Xyz0123456789A"
        stored = data if isinstance(data, str) else json.dumps(data)
        time = START + 20_000 + at + self._made
        self.insert(
            "session_message", id=id, session_id=session, type=type, seq=seq, data=stored,
            time_created=time, time_updated=time + 500,
        )  # fmt: skip
        return id

    def queue(self, session: str, prompt: str, admitted: int, promoted: int | None = None) -> str:
        """Add a prompt that waits, or waited, in the queue; return its id."""
        id = f"msg_{0x3000_0000_0000 + admitted * 0x1000:012x}001Xyz0123456789A"
        self.insert(
            "session_input", id=id, session_id=session, prompt=json.dumps({"text": prompt}), delivery="queue",
            admitted_seq=admitted, promoted_seq=promoted, time_created=START + 30_000 + admitted,
        )  # fmt: skip
        return id

    def session_v2(self, id: str, title: str | None, **others: Any) -> str:
        """Add a session of version 2; return its id."""
        values: dict[str, Any] = {
            "project_id": "p-lantern", "slug": "tidy-harbor", "directory": HOME, "version": "2.0.12",
            "time_created": START, "time_updated": START + 10, **others,
        }  # fmt: skip
        self.insert("session_v2", id=id, title=title, **values)
        return id


def reply(said: str = "", *, tools: int = 0, completed: bool = True, **others: Any) -> dict[str, Any]:
    """The data of an assistant's entry that used 100 tokens, wrote 10 and cost a quarter."""
    content: list[dict[str, Any]] = [{"type": "text", "text": said}] if said else []
    content += [
        {
            "type": "tool",
            "id": f"call_{number}",
            "name": "bash",
            "state": {
                "status": "completed", "input": {"command": "ls"}, "content": [text("out\n"), text("Exit code 0.")],
            },
            "time": {"created": 5, "ran": 7, "completed": 19},
        }
        for number in range(tools)
    ]  # fmt: skip
    return {
        "agent": "build",
        "model": {"id": "tide-mini", "providerID": "local"},
        "content": content,
        "cost": 0.25,
        "tokens": {"input": 100, "output": 10, "reasoning": 1, "cache": {"read": 4, "write": 1}},
        "time": {"created": START, **({"completed": START + 21_000} if completed else {})},
        **others,
    }


def build_both(path: Path) -> dict[str, str]:
    """A file of version 1.18 whose sessions are in either store, in both, or in none; return the ids by name."""
    b = Builder(path)
    b.project("p-lantern", HOME)
    ids: dict[str, str] = {}
    for at, name in enumerate(
        ("old", "new", "both", "switched", "empty", "unnumbered", "broken", "waiting", "failed", "stopped", "early")
    ):
        title = {
            "new": "New session - 2026-12-01T04:39:08.567Z",
            "switched": "Child session - 2026-12-01T04:39:08.567Z",
        }
        ids[name] = b.session(title.get(name, f"The {name} one"), "p-lantern", HOME, at, agent=None)
    for name in ("old", "both", "switched"):
        first = b.user(ids[name], 100, [text(f"First {name}.")])
        b.assistant(ids[name], first, 200, [text("Done.")])
    b.finish()

    e = Entries(path, ENTRIES + INPUTS)
    s = ids["new"]
    e.add(s, 1, "model-switched", {"model": {"id": "tide-mini"}})
    ids["prompt"] = e.add(s, 3, "user", {"text": '"Why so \\"slow\\"?\nSay it."', "files": [
        {"uri": "file:///src/README.md", "name": "README.md", "mime": "text/markdown"}]}, at=5000)  # fmt: skip
    e.add(s, 4, "assistant", reply("Looking.", tools=2))  # its time is before that of the prompt
    e.add(s, 7, "assistant", reply("It sorts."))
    e.add(s, 9, "shell", {"command": "git status", "output": " M a\n"})
    e.add(s, 10, "compaction", {"reason": "auto", "summary": "So far."})
    e.add(s, 12, "hologram", {"beam": "on"})
    e.add(s, 13, "system", {"text": "Never shown."})
    ids["second"] = e.add(s, 20, "user", {"text": "And now?"})
    e.add(s, 21, "assistant", reply(completed=False))

    s = ids["both"]
    e.add(s, 1, "user", {"text": "Second both."})
    e.add(s, 2, "assistant", reply("Also done."))
    e.add(ids["switched"], 1, "model-switched", {"model": {"id": "tide-mini"}})

    s = ids["unnumbered"]
    e.add(s, None, "user", {"text": "Early?"}, at=1)
    e.add(s, None, "assistant", reply("Yes."), at=2)
    e.add(s, None, "user", {"text": "Late?"}, at=3)

    s = ids["broken"]
    e.add(s, 1, "user", '{"text": "cut of')
    e.add(
        s,
        2,
        "assistant",
        '{"content": [1, {"type": "tool", "id": "c"}, null], "tokens": "many", "cost": "much", "model": 3}',
    )
    e.add(s, 3, "assistant", "[]")
    e.add(s, 4, "user", {"text": {"not": "a text"}})
    e.add(s, 5, "assistant", {"content": "no list", "error": "plain"})
    e.add(s, 6, "mystery", "\x00")

    s = ids["waiting"]
    ids["asked"] = e.queue(s, "Asked first.", 2, 3)
    e.add(s, 3, "user", {"text": "Asked first."}, id=ids["asked"])
    e.add(s, 4, "assistant", reply("Answered."))
    ids["queued 2"] = e.queue(s, "Then this.", 9)
    ids["queued 1"] = e.queue(s, "First this.", 8)

    refused = {"type": "unknown", "message": "no quota"}
    e.add(ids["failed"], 1, "user", {"text": "Deploy."})
    e.add(ids["failed"], 2, "assistant", reply(finish="error", error=refused))
    e.add(ids["stopped"], 1, "user", {"text": "Wait."})
    e.add(ids["stopped"], 2, "assistant", reply("Wai", error={"type": "aborted", "message": "Aborted"}))
    e.add(ids["early"], 1, "shell", {"command": "ls", "output": ""})
    e.add(ids["early"], 2, "user", {"text": "What was that?"})
    e.finish()
    return ids


def build_upgraded(path: Path) -> dict[str, str]:
    """A file that version 2 upgraded: the tables before it are as they were on that day; return the ids by name."""
    b = Builder(path)
    b.project("p-lantern", HOME)
    ids: dict[str, str] = {}
    for at, name in enumerate(("living", "frozen", "kept", "converted", "unfinished")):
        archived = START if name == "kept" else None
        ids[name] = b.session(f"The {name} one, as it was", "p-lantern", HOME, at, time_archived=archived)
    for name in ("living", "frozen", "kept"):
        first = b.user(ids[name], 100, [text(f"First {name}.")])
        b.assistant(ids[name], first, 200, [text("Done.")])
    same = b.user(ids["converted"], 100, [text("The same.")])
    b.finish()

    e = Entries(path, ENTRIES + SESSIONS_V2)
    e.session_v2(ids["living"], "The living one", tokens_input=7, tokens_output=3, cost=0.5)
    e.add(ids["living"], 1, "user", {"text": "First living, now."})
    e.add(ids["living"], 2, "assistant", reply("Done, now."))
    e.add(ids["living"], 3, "user", {"text": "More."})
    e.session_v2(ids["kept"], "The kept one", time_archived=None)  # its messages were not brought over
    e.session_v2(ids["converted"], None)
    e.add(ids["converted"], 1, "user", {"text": "The same."}, id=same)
    e.session_v2(ids["unfinished"], "The unfinished one", time_idle=START + 99_000, idle_outcome="interrupted")
    e.add(ids["unfinished"], 1, "user", {"text": "Go."})
    e.add(ids["unfinished"], 2, "assistant", reply("Goi", completed=False))
    ids["fresh"] = e.session_v2(
        "ses_aaaaaaaaaaaaffeXyz0123456789A", "The fresh one", fork_session_id=ids["living"], fork_boundary="msg_x"
    )
    e.add(ids["fresh"], 1, "user", {"text": "Fresh."})
    e.finish()
    return ids


def run_script(path: Path, script: str) -> None:
    """Run SQL on a file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
