"""The rows of a small and nasty Agor database, the same for every generation as far as its tables can hold them.

Times are epoch milliseconds, JSON is its text as it would be stored. What each session is there for, its name says:
``Rows.sessions["stale"]`` and so on give the ids.
"""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

from .agor_tables import Generation

Row = dict[str, Any]

SECRET = "FAKESECRET"
START = 1_760_000_000_000
LONE = "\\ud83e"
"""A lone surrogate as JSON keeps it."""

_HOUR = 3_600_000


@dataclass
class Rows:
    """Table -> rows (branches stand under ``worktrees`` in every generation), and the sessions by what they are for."""

    generation: Generation
    tables: dict[str, list[Row]] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)

    def of(self, table: str, session_id: str) -> list[Row]:
        """The rows of ``tasks`` or ``messages`` that belong to a session."""
        return [row for row in self.tables[table] if row["session_id"] == session_id]

    def session(self, name: str) -> Row:
        """The row of the session of this name."""
        return next(row for row in self.tables["sessions"] if row["session_id"] == self.sessions[name])


Leave = Literal["nothing", "unsound", "unstorable"]


def make_rows(generation: Generation, *, tenant: str = "default", extra: int = 0, leave_out: Leave = "nothing") -> Rows:
    """Make the rows; ``extra`` sessions more than the named ones.

    ``leave_out`` names what a stricter database could not hold: ``unsound`` are broken JSON and links to nothing,
    ``unstorable`` are besides the lone surrogates and NULs that PostgreSQL's jsonb refuses.
    """
    return _Maker(generation, tenant, leave_out).make(extra)


class _Maker:
    def __init__(self, generation: Generation, tenant: str, leave_out: Leave) -> None:
        self.rng = random.Random(f"agor {tenant}")
        self.generation = generation
        self.tenant = tenant
        self.leave_out = leave_out
        self.rows = Rows(generation)
        self.now = START

    def make(self, extra: int) -> Rows:
        names = (
            "repos",
            "users",
            "boards",
            "worktrees",
            "sessions",
            "tasks",
            "messages",
            "mcp_servers",
            "board_objects",
        )
        more = ("session_mcp_servers", "board_comments", "schedules", "session_relationships", "user_api_keys",
                "app_variables", "gateway_channels")  # fmt: skip
        self.rows.tables = {name: [] for name in names + more}
        self._surroundings()
        self._family()
        self._genealogy_gone_wrong()
        self._order_gone_wrong()
        self._content_gone_wrong()
        self._archived()
        self._queued()
        self._twins()
        for number in range(extra):
            self._session(f"extra {number}", title=f"Extra session {number}", tasks=1)
        return self.rows

    # The rows themselves

    def _id(self, version: int = 7, ms: int | None = None) -> str:
        if version == 4:
            return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        value = (ms or self.now) << 80 | 7 << 76 | self.rng.getrandbits(12) << 64 | 2 << 62 | self.rng.getrandbits(62)
        return str(uuid.UUID(int=value))

    def _secret(self, where: str) -> str:
        return f"{SECRET}-{where}-{self.tenant}-{self.rng.getrandbits(48):012x}"

    def _add(self, table: str, **row: Any) -> Row:
        self.rows.tables[table].append(row)
        return row

    def _surroundings(self) -> None:
        who = self._id()
        secrets = {"agentic_tools": {"claude-code": {"ANTHROPIC_API_KEY": self._secret("agentic_tools")}},
                   "env_vars": {"GITHUB_TOKEN": self._secret("env_vars")},
                   "api_keys": {"OPENAI_API_KEY": self._secret("keys")},
                   "preferences": {"theme": "dark"}}  # fmt: skip
        self._add("users", user_id=who, created_at=self.now, updated_at=self.now, email=f"ada@{self.tenant}.example",
                  password=f"$2b$10${self._secret('password')}", name=f"Ada of {self.tenant}", emoji="🦉",
                      role="owner",
                  onboarding_completed=True, data=json.dumps(secrets), unix_username="ada")  # fmt: skip
        self.user = who
        repo = self._id()
        remote = f"https://ada:{self._secret('remote')}@git.example/{self.tenant}/ferry.git"
        self._add("repos", repo_id=repo, created_at=self.now, updated_at=self.now, slug=f"{self.tenant}/ferry",
                  data=json.dumps({"name": "Ferry", "remote_url": remote, "local_path": "/src/ferry",
                                   "default_branch": "main"}))  # fmt: skip
        board, other = self._id(), self._id()
        for key, name, slug in ((board, f"Main of {self.tenant}", "main"), (other, "在庫 [bold]Board[/]", None)):
            self._add("boards", board_id=key, created_at=self.now, updated_at=None, created_by=who, name=name,
                slug=slug,
                      primary_owner_user_id=who, archived=False,
                          data=json.dumps({"description": f"About {name}"}))  # fmt: skip
        self.worktrees: dict[str, str] = {}
        for number, (name, on, archived) in enumerate((("main", board, False), ("placed", None, False),
                                                       ("old", other, True), ("loose", None, False)), 1):  # fmt: skip
            key = self.worktrees[name] = self._id()
            self._add("worktrees", worktree_id=key, branch_id=key, repo_id=repo, created_at=self.now,
                updated_at=self.now,
                      created_by=who, name=name, ref=f"ref/{name}", worktree_unique_id=number,
                          branch_unique_id=number,
                      board_id=on, archived=archived, archived_at=self.now if archived else None,
                          needs_attention=False,
                      schedule_enabled=False, start_command="make up", filesystem_status="ready",
                          storage_mode="worktree",
                      environment_health_claim_token=self._secret("claim"),
                      data=json.dumps({"path": f"/work trees/{name}", "notes": "**Careful**"}))  # fmt: skip
        self._add("board_objects", object_id=self._id(), board_id=other, created_at=self.now,
                  worktree_id=self.worktrees["placed"], branch_id=self.worktrees["placed"],
                  data=json.dumps({"position": {"x": 0, "y": 1}}))  # fmt: skip
        server = self._id()
        self._add("mcp_servers", mcp_server_id=server, created_at=self.now, updated_at=None, name="tracker",
            transport="http",
                  scope="global", enabled=True, owner_user_id=who, source="user",
                  data=json.dumps({"env": {"TOKEN": self._secret("env")}, "headers": {"Authorization":
                                   f"Bearer {self._secret('header')}"}}))  # fmt: skip
        self.server = server
        self._add("user_api_keys", id=self._id(), user_id=who, name="ci", prefix="agor_",
            key_hash=self._secret("hash"),
                  created_at=self.now)  # fmt: skip
        self._add(
            "app_variables", variable_id=self._id(), namespace="kb", key="key", value_encrypted=self._secret("var")
        )
        self._add("gateway_channels", id=self._id(), created_at=self.now, name="chat", channel_type="slack",
                  channel_key=self._secret("channel"),
                      config=json.dumps({"bot_token": self._secret("config")}))  # fmt: skip

    def _session(self, name: str, *, tasks: int = 2, version: int = 7, ms: int | None = None, **given: Any) -> str:
        """Add a session with ordinary tasks; ``given`` are columns, or keys of ``data`` that have no column."""
        self.now += _HOUR
        key = given.pop("session_id", None) or self._id(version, ms)
        data: Row = {
            "mcp_token": self._secret("mcp_token"),
            "sdk_session_id": self._id(4),
            "title": name.capitalize(),
            "description": f"The prompt of {name}",
            "genealogy": {"children": []},
            "model_config": {"mode": "alias", "model": "claude-sonnet-4-5"},
            "git_state": {"ref": "main", "base_sha": "a" * 40, "current_sha": "b" * 40},
            "current_context_usage": 50_000,
            "context_window_limit": 200_000,
            "message_count": 1,  # always wrong: rows are counted
        }
        row: Row = {
            "session_id": key, "created_at": ms or self.now, "updated_at": self.now + 60_000, "created_by": self.user,
            "status": "idle", "agentic_tool": "claude-code", "board_id": None, "parent_session_id": None,
            "forked_from_session_id": None, "worktree_id": self.worktrees["main"], "archived": False,
            "archived_reason": None, "ready_for_prompt": True, "scheduled_run_at": None,
        }  # fmt: skip
        for field_, value in given.items():
            (row if field_ in row else data)[field_] = value
        row["branch_id"] = row["worktree_id"]
        data = {field_: value for field_, value in data.items() if value is not None}
        self.rows.sessions[name] = key
        self._add("sessions", **row, data=json.dumps(data))
        for number in range(tasks):
            self._task(name, key, number)
        return key

    def _task(self, name: str, session_id: str, number: int = 0, status: str = "completed", **given: Any) -> str:
        self.now += 120_000
        key = self._id()
        index = len(self.rows.of("messages", session_id))
        prompt = given.pop("full_prompt", f"Prompt {number} of {name}")
        stamp = _iso(self.now), _iso(self.now + 90_000)
        data: Row = {
            "description": prompt[:120],
            "full_prompt": prompt,
            "message_range": {"start_index": index, "end_index": index + 3, "start_timestamp": stamp[0],
                              "end_timestamp": stamp[1]},
            "git_state": {"ref_at_start": "main", "sha_at_start": "a" * 40, "sha_at_end": "b" * 40},
            "model": "claude-sonnet-4-5",
        }  # fmt: skip
        if self.generation == "2026":
            data["recorded_tool_count"] = 1
            data["normalized_sdk_response"] = {"tokenUsage": {"inputTokens": 1000, "outputTokens": 200,
                "cacheReadTokens": 50,
                                                              "cacheCreationTokens": 7}, "costUsd": 0.25}  # fmt: skip
        else:
            data["tool_use_count"] = 1
            data["raw_sdk_response"] = {"usage": {"input_tokens": 1000, "output_tokens": 200}, "total_cost_usd": 0.25}
        row: Row = {
            "task_id": key, "session_id": session_id, "created_at": self.now, "started_at": None, "completed_at": None,
            "status": status, "created_by": self.user, "queue_position": None,
            "termination_coordination_token": self._secret("termination"),
        }  # fmt: skip
        messages = given.pop("messages", True)
        for field_, value in given.items():
            (row if field_ in row else data)[field_] = value
        self.rows.tasks[f"{name} {number}"] = key
        self._add("tasks", **row, data=json.dumps(data))
        if messages:
            self._exchange(session_id, key, prompt)
        return key

    def _exchange(self, session_id: str, task_id: str, prompt: str) -> None:
        """A prompt, a call with its result in a later message, an answer: four messages."""
        call = f"toolu_{self.rng.getrandbits(48):012x}"
        use = {"type": "tool_use", "id": call, "name": "Read", "input": {"file_path": "/src/ferry/main.py"}}
        self._message(session_id, task_id, "user", prompt)
        self._message(session_id, task_id, "assistant",
                      [{"type": "thinking", "thinking": "Let me see.", "signature": "x"}, use],
                          tool_uses=[use])  # fmt: skip
        self._message(session_id, task_id, "user",
                      [{"type": "tool_result", "tool_use_id": call, "content": "print('hello')"}])  # fmt: skip
        self._message(session_id, task_id, "assistant", [{"type": "text", "text": f"Done: **{prompt}**"}])

    def _message(self, session_id: str, task_id: str | None, role: str, content: Any, **given: Any) -> Row:
        self.now += 500
        data = given.pop("data", None)
        if data is None:
            body: Row = {"content": content, "tool_uses": given.pop("tool_uses", [])}
            if role == "assistant":
                body["metadata"] = {"model": "claude-sonnet-4-5", "tokens": {"input": 10, "output": 2}}
            data = json.dumps(body)
        row: Row = {
            "message_id": self._id(), "created_at": self.now, "session_id": session_id, "task_id": task_id,
            "type": role, "role": role, "index": len(self.rows.of("messages", session_id)), "timestamp": self.now,
            "content_preview": content[:200] if isinstance(content, str) else "", "data": data,
            "parent_tool_use_id": None, "status": None, "queue_position": None,
        }  # fmt: skip
        return self._add("messages", **{**row, **given})

    # What the sessions are there for

    def _family(self) -> None:
        root = self._session("root", title="Root of a family", tasks=3)
        child = self._session("child", parent_session_id=root, agentic_tool="codex", status="completed")
        self._session("grandchild", parent_session_id=child, version=4, agentic_tool="gemini", status="failed")
        self._session("fork", forked_from_session_id=root, worktree_id=self.worktrees["placed"], created_by="anonymous")
        call = "toolu_agent"
        use = {
            "type": "tool_use",
            "id": call,
            "name": "Task",
            "input": {"description": "Look around", "prompt": "Look"},
        }
        self._message(root, self.rows.tasks["root 2"], "assistant", [use], tool_uses=[use])
        self._message(root, self.rows.tasks["root 2"], "assistant", [{"type": "text", "text": "In the sub-agent"}],
                      parent_tool_use_id=call)  # fmt: skip
        self._message(root, self.rows.tasks["root 2"], "user",
                      [{"type": "tool_result", "tool_use_id": call, "content": [{"type": "text",
                          "text": "Found"}]}])  # fmt: skip
        self._add("session_mcp_servers", session_id=root, mcp_server_id=self.server, enabled=True, added_at=self.now)
        if self.generation != "2026":  # where a pair may stand there twice
            self._add(
                "session_mcp_servers", session_id=root, mcp_server_id=self.server, enabled=False, added_at=self.now
            )
        self._add("session_relationships", relationship_id=self._id(), source_session_id=root,
            target_session_id=child,
                  relationship_type="remote_create", created_by=self.user, created_at=self.now, callback_enabled=True,
                  callback_session_id=root, data=json.dumps({"tool": "create"}))  # fmt: skip
        self._add("board_comments", comment_id=self._id(), created_at=self.now,
            board_id=self.rows.tables["boards"][0]["board_id"],
                  created_by=self.user, session_id=root, content="A comment", content_preview="A comment",
                  resolved=False, edited=False, reactions="[]", data="{}")  # fmt: skip

    def _genealogy_gone_wrong(self) -> None:
        root = self.rows.sessions["root"]
        gone = self._id()
        self._session(
            "stale", tasks=1, genealogy={"parent_session_id": root, "forked_from_session_id": root, "children": [gone]}
        )
        one, two = self._id(), self._id()
        self._session("loop one", session_id=one, parent_session_id=two, tasks=0)
        self._session("loop two", session_id=two, parent_session_id=one, tasks=0)
        itself = self._id()
        self._session("own parent", session_id=itself, parent_session_id=itself, tasks=0)
        if self.leave_out == "nothing":
            self._session("orphan", parent_session_id=gone, tasks=0)

    def _order_gone_wrong(self) -> None:
        key = self._session("same index", tasks=0)
        task = self._task("same index", key, messages=False)
        at = self.now
        # Inserted in an order that is not theirs; the index ties, then the timestamp, then created_at, then the id.
        for text, index, timestamp, created in (
            ("third", 1, at + 20, at + 20),
            ("fourth", 1, at + 20, at + 30),
            ("second", 1, at + 10, at + 90),
            ("first", 0, at + 99, at + 99),
            ("fifth", 2, at, at),
        ):
            self._message(key, task, "assistant", [{"type": "text", "text": text}], index=index, timestamp=timestamp,
                          created_at=created)  # fmt: skip

    def _content_gone_wrong(self) -> None:
        key = self._session(
            "awkward", tasks=0, title="Markup [bold]no[/bold] \x1b[31mred 日本語 👨‍👩‍👧‍👦", description=None
        )
        task = self._task("awkward", key, messages=False, full_prompt="Nothing but trouble", status="failed",
                          error_message="Executor exited with code 1")  # fmt: skip
        self._message(key, task, "user", "long " + "x" * 50_000)
        self._message(key, task, "assistant", [{"type": "text", "text": "esc \x1b]0;owned\x07 bell"}])
        self._message(
            key, task, "assistant", [{"type": "invented", "stuff": {"a": 1}}, {"type": "text"}, None, 7, "bare"]
        )
        self._message(key, task, "system", {"request_id": "r", "tool_name": "Bash",
            "tool_input": {"timeout": 5, "command": "rm -rf /"},
                                            "status": "pending"}, type="permission_request")  # fmt: skip
        self._message(key, task, "system", [{"type": "system_complete", "systemType": "compaction",
            "text": "Compacted",
                                             "pre_tokens": 132_060}])  # fmt: skip
        self._session("untitled", title=None, tasks=1)
        self._session("nameless", title=None, description=None, tasks=1, agentic_tool="opencode")
        prompt_only = self._session("prompt in the task", tasks=0, agentic_tool="opencode")
        task = self._task("prompt in the task", prompt_only, messages=False, full_prompt="Said only in the task")
        self._message(prompt_only, task, "assistant", [{"type": "text", "text": "Answered"}])
        if self.leave_out == "unstorable":
            return
        surrogate = self._session("surrogate", tasks=0)
        row = self.rows.session("surrogate")
        row["data"] = row["data"].replace('"Surrogate"', f'"half {LONE} of it"')
        task = self._task("surrogate", surrogate, messages=False)
        self._message(surrogate, task, "user", "", data='{"content": "nul \\u0000 and half \\udc4d end"}')
        if self.leave_out == "unsound":
            return
        self._message(surrogate, task, "assistant", "", data='{"content": [{"type": "text", "text": ')
        self._message(surrogate, task, "assistant", "", data="")
        self._session("broken", tasks=1)
        self.rows.session("broken")["data"] = '{"title": "cut o'

    def _archived(self) -> None:
        if self.generation == "first":
            return
        self._session("archived", archived=True, archived_reason="manual", tasks=1)
        self._session("in an archived worktree", worktree_id=self.worktrees["old"], tasks=1)

    def _queued(self) -> None:
        key = self._session("queue", status="running", tasks=1)
        if self.generation == "2025":
            # Not in the order of their places.
            for place in (2, 1):
                self._message(key, None, "user", f"Queued {place}", index=-1, status="queued", queue_position=place)
        elif self.generation == "2026":
            for place in (2, 1):
                self._task("queue", key, place, status="queued", queue_position=place, messages=False,
                           full_prompt=f"Queued {place}", metadata={"is_agor_callback": place == 2})  # fmt: skip

    def _twins(self) -> None:
        """Ids that share their first 8 digits, two of them all 12 of the time."""
        at = (self.now >> 16 << 16) + 4096
        for name, ms in (("twin one", at), ("twin two", at), ("twin three", at + 1), ("twin four", at + 4000)):
            self._session(name, ms=ms, tasks=0, worktree_id=self.worktrees["loose"])


def _iso(ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
