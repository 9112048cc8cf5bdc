"""One session of the demo: its row, its tasks and its messages."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from agor_tui.services.demo.phrases import QUEUED, SHORT_PROMPTS
from agor_tui.services.demo.talk import Row, Talk, dump, make_id
from agor_tui.services.demo.topics import Project, Topic
from agor_tui.services.demo.work import Job, Outcome, do

_MODELS: dict[str, tuple[str, ...]] = {
    "claude-code": ("claude-opus-4-5", "claude-sonnet-4-5"),
    "codex": ("gpt-5.1-codex", "gpt-5.1-codex-mini"),
    "gemini": ("gemini-3-pro", "gemini-2.5-flash"),
    "opencode": ("qwen3-coder", "claude-sonnet-4-5"),
    "copilot": ("gpt-5.1",),
    "cursor": ("composer-1",),
}
_VERSIONS = {
    "claude-code": "2.0.44",
    "codex": "0.63.0",
    "gemini": "0.17.1",
    "opencode": "1.0.82",
    "copilot": "0.0.360",
    "cursor": "2025.11.06",
}
#: Dollars for a million tokens in and out.
_PRICES = {"claude-opus-4-5": (5.0, 25.0), "claude-sonnet-4-5": (3.0, 15.0), "gpt-5.1": (1.25, 10.0)}
_WINDOWS = {"gemini": 1_048_576, "codex": 272_000}
_WAITING = ("running", "awaiting_permission", "awaiting_input")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a session is to be about, and how it ends."""

    title: str
    topic: Topic
    project: Project
    root: str
    worktree_id: str
    ref: str
    start: datetime
    tool: str
    user_id: str
    tasks: int
    end: Outcome | Literal["idle"]
    prompt: str
    answer: str
    scheduled: bool = False
    archived: bool = False
    parent_id: str | None = None
    forked_from_id: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The rows of one session; ``end`` is the time of the last message."""

    session: Row
    tasks: list[Row]
    messages: list[Row]
    end: datetime


def write(plan: Plan, seed: str, queued: int) -> Written:
    """Write the session that ``plan`` describes; ``queued`` prompts wait at its end."""
    rng = random.Random(seed)
    session_id = make_id(rng, plan.start)
    model = rng.choice(_MODELS[plan.tool])
    talk = Talk(rng, session_id, plan.tool, model, plan.start)
    jobs = _jobs(rng, plan)
    tasks = []
    for number, job in enumerate(jobs):
        last = number == len(jobs) - 1
        tasks.append(_task(talk, plan, job, _outcome(rng, plan, last)))
        if not last:
            talk.wait(40, 1500) if rng.random() < 0.85 else talk.wait(3000, 20_000)
    end = talk.clock
    if queued:
        talk.queue(QUEUED[:queued])
        end = talk.clock
    if queued == 2:
        tasks.append(_created(talk, plan))
    return Written(_session(rng, plan, talk, tasks, end), tasks, talk.rows, end)


def _jobs(rng: random.Random, plan: Plan) -> list[Job]:
    follow = [Job(prompt, answer, "follow") for prompt, answer in plan.topic.follow]
    jobs = [Job(plan.prompt, plan.answer, "main")]
    while len(jobs) < plan.tasks:
        if follow and rng.random() < 0.6:
            jobs.append(follow.pop(0))
            continue
        prompt, answer = rng.choice(SHORT_PROMPTS)
        words = {
            "symbol": plan.topic.symbol,
            "file": plan.topic.files[0],
            "other": plan.topic.files[-1],
            "branch": plan.project.default_branch,
            "repo": plan.project.name,
            "title": plan.title,
            "sha": f"{rng.getrandbits(28):07x}",
            "command": plan.topic.run[0],
            "n": rng.randint(8, 240),
        }
        jobs.append(Job(prompt.format(**words), answer.format(**words), "short"))
    return jobs


def _outcome(rng: random.Random, plan: Plan, last: bool) -> Outcome:
    if last:
        return "completed" if plan.end == "idle" else plan.end
    return rng.choices(("completed", "failed", "stopped"), (94, 3, 3))[0]


def _task(talk: Talk, plan: Plan, job: Job, outcome: Outcome) -> Row:
    rng = talk.rng
    start, first, calls = talk.clock, len(talk.rows), talk.calls
    talk.task_id = make_id(rng, start)
    error = do(talk, job, plan.topic, plan.project, plan.root, outcome, plan.user_id)
    over = outcome not in _WAITING
    duration = (talk.clock - start) // timedelta(milliseconds=1)
    data: dict[str, Any] = {
        "description": job.prompt.splitlines()[0][:120],
        "full_prompt": job.prompt,
        "message_range": {
            "start_index": first,
            "end_index": max(len(talk.rows) - 1, first),
            "start_timestamp": start.isoformat(),
            "end_timestamp": talk.clock.isoformat() if over else None,
        },
        "git_state": {"ref_at_start": plan.ref, "sha_at_start": f"{rng.getrandbits(160):040x}"},
        "model": talk.model,
        "tool_use_count": talk.calls - calls,
    }
    if outcome == "completed":
        data["git_state"] |= {
            "sha_at_end": f"{rng.getrandbits(160):040x}",
            "commit_message": f"{plan.topic.symbol}: {plan.title}"[:72],
        }
    if over:
        data["duration_ms"] = duration
        data["normalized_sdk_response"] = _usage(rng, plan.tool, talk.model, job, duration)
    if error:
        data["error_message"] = error
    if outcome == "awaiting_permission":
        data["permission_request"] = {"tool_name": "Bash", "requested_at": talk.clock.isoformat()}
    return {
        "task_id": talk.task_id,
        "session_id": talk.session_id,
        "created_at": start,
        "started_at": start + timedelta(milliseconds=rng.randint(20, 900)),
        "completed_at": talk.clock if over else None,
        "status": outcome,
        "created_by": plan.user_id,
        "data": dump(data),
    }


def _created(talk: Talk, plan: Plan) -> Row:
    """A task that has not begun."""
    talk.wait(2, 9)
    prompt = QUEUED[-1]
    data = {"description": prompt, "full_prompt": prompt, "message_range": {"start_index": -1, "end_index": -1}}
    return {
        "task_id": make_id(talk.rng, talk.clock),
        "session_id": talk.session_id,
        "created_at": talk.clock,
        "started_at": None,
        "completed_at": None,
        "status": "created",
        "created_by": plan.user_id,
        "data": dump(data),
    }


def _usage(rng: random.Random, tool: str, model: str, job: Job, duration_ms: int) -> dict[str, Any]:
    scale = {"main": 4, "follow": 2, "short": 1}[job.size]
    fresh, cached = rng.randint(2_000, 18_000) * scale, rng.randint(8_000, 90_000) * scale
    out = rng.randint(250, 2_600) * scale
    usage: dict[str, Any] = {
        "tokenUsage": {
            "inputTokens": fresh,
            "outputTokens": out,
            "totalTokens": fresh + out + cached,
            "cacheReadTokens": cached,
            "cacheCreationTokens": rng.randint(500, 9_000) if tool == "claude-code" else 0,
        },
        "contextWindowLimit": _WINDOWS.get(tool, 200_000),
        "primaryModel": model,
        "durationMs": duration_ms,
    }
    if tool != "opencode":
        price_in, price_out = _PRICES.get(model, (1.0, 6.0))
        cost = (fresh * price_in + cached * price_in / 10 + out * price_out) / 1_000_000
        usage["costUsd"] = round(cost, 6)
    return usage


def _session(rng: random.Random, plan: Plan, talk: Talk, tasks: list[Row], end: datetime) -> Row:
    limit = _WINDOWS.get(plan.tool, 200_000)
    data: dict[str, Any] = {
        "agentic_tool_version": _VERSIONS[plan.tool],
        "sdk_session_id": make_id(rng, plan.start),
        "description": plan.prompt,
        "git_state": {
            "ref": plan.ref,
            "base_sha": f"{rng.getrandbits(160):040x}",
            "current_sha": f"{rng.getrandbits(160):040x}",
        },
        "genealogy": {
            "parent_session_id": plan.parent_id,
            "forked_from_session_id": plan.forked_from_id,
            "children": [],
        },
        "contextFiles": list(plan.topic.files[:1]),
        "tasks": [task["task_id"] for task in tasks],
        "message_count": len(talk.rows),
        "permission_config": {"mode": rng.choice(("acceptEdits", "default", "plan"))},
        "model_config": {"mode": "alias", "model": talk.model, "thinkingMode": "auto"},
        "current_context_usage": round(limit * rng.uniform(0.06, 0.86)),
        "context_window_limit": limit,
    }
    if rng.random() > 0.06 or plan.parent_id:
        data["title"] = plan.title
    if plan.scheduled:
        data["custom_context"] = {"scheduled_run": {"run_index": rng.randint(1, 140), "cron": "0 3 * * *"}}
    return {
        "session_id": talk.session_id,
        "created_at": plan.start,
        "updated_at": end,
        "created_by": "anonymous" if plan.scheduled else plan.user_id,
        "status": plan.end,
        "agentic_tool": plan.tool,
        "board_id": None,
        "parent_session_id": plan.parent_id,
        "forked_from_session_id": plan.forked_from_id,
        "worktree_id": plan.worktree_id,
        "scheduled_run_at": plan.start.replace(minute=0, second=0, microsecond=0) if plan.scheduled else None,
        "scheduled_from_worktree": plan.scheduled,
        "ready_for_prompt": plan.end == "idle",
        "data": dump(data),
        "archived": plan.archived,
        "archived_reason": "manual" if plan.archived else None,
    }
