"""The rows of the demo database: the same ones for the same reference time, on every machine."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from agor_tui.services.demo import people
from agor_tui.services.demo.phrases import CHILDREN, COMMENTS, FORKS, SCHEDULED
from agor_tui.services.demo.projects import PROJECTS
from agor_tui.services.demo.session import Plan, Written, write
from agor_tui.services.demo.talk import Row, dump, make_id
from agor_tui.services.demo.topics import Checkout, Project, Topic
from agor_tui.services.demo.work import Outcome

Tables = dict[str, list[Row]]

_SEED = "agor-tui demo"
_ROOTS = 196
_DAYS = 150
_DEEPEST = 5
#: Minutes since the last message of the sessions that are still alive, and what they wait for.
_LIVE: tuple[tuple[float, Outcome], ...] = (
    (0.4, "running"),
    (1.5, "awaiting_permission"),
    (3, "running"),
    (4, "running"),
    (9, "awaiting_input"),
    (16, "awaiting_permission"),
    (22, "running"),
    (38, "running"),
    (52, "awaiting_permission"),
    (75, "awaiting_input"),
)
_TOOLS = ("claude-code", "codex", "gemini", "opencode", "copilot", "cursor")
_TOOL_WEIGHTS = (44, 22, 12, 8, 8, 6)
_ENDS: tuple[Outcome | Literal["idle"], ...] = ("completed", "idle", "failed", "stopped", "timed_out")
_END_WEIGHTS = (46, 36, 8, 7, 3)


@dataclass(frozen=True, slots=True)
class _Place:
    project: Project
    checkout: Checkout
    worktree_id: str
    path: str


@dataclass(slots=True)
class _World:
    """What has been made so far."""

    reference: datetime
    rng: random.Random
    tables: Tables
    places: list[_Place] = field(default_factory=list)
    titles: dict[str, int] = field(default_factory=dict)
    written: list[Written] = field(default_factory=list)


def generate(reference: datetime) -> Tables:
    """Return table name -> rows, with no time after ``reference`` (aware, UTC)."""
    rng = random.Random(_SEED)
    start = reference - timedelta(days=_DAYS + 20)
    users = people.users(rng, start)
    owner = users[0]["user_id"]
    world = _World(reference, rng, {"users": users, "boards": people.boards(rng, start, owner)})
    _repos(world, start)
    for number in range(_ROOTS):
        _family(world, number)
    tables = world.tables
    tables["sessions"] = [written.session for written in world.written]
    tables["tasks"] = [row for written in world.written for row in written.tasks]
    tables["messages"] = [row for written in world.written for row in written.messages]
    tables["mcp_servers"] = people.mcp_servers(rng, start, owner, tables["repos"][0]["repo_id"])
    tables["session_mcp_servers"] = [
        {
            "session_id": row["session_id"],
            "mcp_server_id": server["mcp_server_id"],
            "enabled": True,
            "added_at": row["created_at"],
        }
        for row in tables["sessions"]
        for server in rng.sample(tables["mcp_servers"][:2], rng.choice((0, 0, 1, 2)))
    ]
    tables["board_comments"] = _comments(world)
    return tables


def _repos(world: _World, start: datetime) -> None:
    rng, tables = world.rng, world.tables
    tables |= {"repos": [], "worktrees": [], "board_objects": []}
    for number, project in enumerate(PROJECTS):
        time = start + timedelta(days=number, minutes=rng.randint(5, 300))
        repo_id = make_id(rng, time)
        data = {
            "name": project.name,
            "remote_url": project.remote_url,
            "local_path": f"/home/ada/src/{project.slug}",
            "default_branch": project.default_branch,
        }
        repo = {"repo_id": repo_id, "created_at": time, "updated_at": time, "slug": project.slug, "data": dump(data)}
        tables["repos"].append(repo)
        for position, checkout in enumerate(project.checkouts):
            _worktree(world, repo_id, project, checkout, time + timedelta(hours=5 * position + 1))


def _worktree(world: _World, repo_id: str, project: Project, checkout: Checkout, time: datetime) -> None:
    rng, tables = world.rng, world.tables
    place = _Place(project, checkout, make_id(rng, time), f"/home/ada/worktrees/{project.slug}/{checkout.name}")
    url = "https://github.com/" + project.slug.replace("saltmarsh/", "saltmarsh-labs/")
    data: Row = {"path": place.path, "base_ref": project.default_branch, "base_sha": f"{rng.getrandbits(160):040x}"}
    if checkout.notes:
        data["notes"] = checkout.notes
    if checkout.issue:
        data["issue_url"] = f"{url}/issues/{checkout.issue}"
    if checkout.pull_request:
        data["pull_request_url"] = f"{url}/pull/{checkout.pull_request}"
    board_id = None if checkout.board is None else tables["boards"][checkout.board]["board_id"]
    world.places.append(place)
    archived_at = world.reference - timedelta(days=40) if checkout.archived else None
    tables["worktrees"].append(
        {
            "worktree_id": place.worktree_id,
            "repo_id": repo_id,
            "created_at": time,
            "updated_at": time,
            "created_by": tables["users"][0]["user_id"],
            "name": checkout.name,
            "ref": checkout.ref,
            "worktree_unique_id": len(tables["worktrees"]) + 1,
            "board_id": board_id,
            "data": dump(data),
            "schedule_enabled": checkout.name == "main" and project.language == "hcl",
            "schedule_cron": "0 3 * * *" if project.language == "hcl" else None,
            "start_command": "make serve",
            "needs_attention": checkout.pull_request is not None and not checkout.archived,
            "archived": checkout.archived,
            "archived_at": archived_at,
        }
    )
    if board_id:
        number = len(tables["board_objects"])
        position = {"x": number % 4 * 640 + 40, "y": number // 4 * 180}
        tables["board_objects"].append(
            {
                "object_id": make_id(rng, time),
                "board_id": board_id,
                "created_at": time,
                "worktree_id": place.worktree_id,
                "data": dump({"position": position} | _zone(checkout)),
            }
        )


def _zone(checkout: Checkout) -> Row:
    """The zone of the board that a worktree's work has come to; main branches stand in none."""
    if checkout.name == "main":
        return {}
    zone = "done" if checkout.archived else "review" if checkout.pull_request else "in-progress"
    return {"zone_id": f"zone-{zone if checkout.issue or checkout.pull_request or checkout.archived else 'ideas'}"}


def _family(world: _World, number: int) -> None:
    """A root session and what came out of it."""
    rng = world.rng
    live = _LIVE[number] if number < len(_LIVE) else None
    place = rng.choice([each for each in world.places if not (live and each.checkout.archived)])
    topic = rng.choice(place.project.topics)
    scheduled = live is None and place.checkout.name == "main" and rng.random() < 0.2
    title = SCHEDULED.format(repo=place.project.name) if scheduled else _title(world, rng.choice(topic.titles), topic)
    days = _DAYS * rng.random() ** 2.2 + 0.3
    start = (world.reference - timedelta(days=days)).replace(hour=3 if scheduled else rng.randint(8, 18))
    if start > world.reference - timedelta(hours=6):
        start -= timedelta(days=1)
    plan = Plan(
        title=title,
        topic=topic,
        project=place.project,
        root=place.path,
        worktree_id=place.worktree_id,
        ref=place.checkout.ref,
        start=start + timedelta(seconds=rng.randint(0, 3500), milliseconds=rng.randint(0, 999)),
        tool=rng.choices(_TOOLS, _TOOL_WEIGHTS)[0],
        user_id=_user(world),
        tasks=_length(rng, scheduled),
        end=live[1] if live else rng.choices(_ENDS, _END_WEIGHTS)[0],
        scheduled=scheduled,
        prompt=topic.prompt,
        answer=topic.answer,
        archived=live is None and days > 20 and rng.random() < 0.12,
    )
    root = _write(world, plan, timedelta(minutes=live[0]) if live else None)
    # One family that goes deep, one that fans out at once; the others as it happens.
    depth = _DEEPEST if number == 40 else 1
    width = 4 if number in (2, 12, 60) else rng.choices((0, 1, 2, 3), (58, 22, 13, 7))[0]
    if not scheduled:
        _descend(world, root, plan, width if number != 40 else 2, depth)


def _descend(world: _World, parent: Written, plan: Plan, width: int, force: int) -> None:
    """Sessions that ``parent`` spawned, and sometimes a fork of it; ``force`` levels more are certain."""
    rng = world.rng
    at_once = width > 2
    delay = timedelta(minutes=rng.uniform(4, 50))
    kinds = rng.sample(CHILDREN, min(width, len(CHILDREN)))
    for name, prompt, answer in kinds:
        words = {
            "title": plan.title,
            "symbol": plan.topic.symbol,
            "file": plan.topic.files[0],
            "other": plan.topic.files[-1],
        }
        delay += timedelta(seconds=7) if at_once else timedelta(minutes=rng.uniform(3, 40))
        child = replace(
            plan,
            title=_title(world, name.format(**words), plan.topic),
            prompt=prompt.format(**words),
            answer=answer.format(**words),
            start=parent.session["created_at"] + delay,
            tool=plan.tool if rng.random() < 0.6 else rng.choices(_TOOLS, _TOOL_WEIGHTS)[0],
            tasks=rng.choice((1, 1, 1, 2, 3)),
            end=rng.choices(_ENDS, _END_WEIGHTS)[0],
            parent_id=parent.session["session_id"],
            forked_from_id=None,
        )
        written = _fit(world, child)
        if written and (force > 1 or rng.random() < 0.2):
            _descend(world, written, child, 1, force - 1)
            force = 0
    if rng.random() < 0.16:
        words = {"title": plan.title, "other": plan.topic.files[-1].rsplit("/", 1)[-1]}
        fork = replace(
            plan,
            title=_title(world, rng.choice(FORKS).format(**words), plan.topic),
            prompt=plan.prompt,
            answer=plan.answer,
            start=parent.session["created_at"] + timedelta(minutes=rng.uniform(30, 400)),
            tool=plan.tool,
            tasks=rng.randint(1, 4),
            end=rng.choices(_ENDS, _END_WEIGHTS)[0],
            parent_id=None,
            forked_from_id=parent.session["session_id"],
        )
        _fit(world, fork)


def _fit(world: _World, plan: Plan) -> Written | None:
    """Write a session unless it would last beyond the reference time."""
    written = write(plan, _seed(world), 0)
    if written.end > world.reference - timedelta(minutes=world.rng.uniform(2, 90)):
        return None
    world.written.append(written)
    return written


def _write(world: _World, plan: Plan, lag: timedelta | None) -> Written:
    """Write a session; with ``lag`` it is alive, and its last message stands that long before the reference time."""
    queued = world.rng.choice((0, 1, 2)) if lag is not None else 0
    written = write(plan, _seed(world), queued)
    over = written.end - (world.reference - (lag or timedelta(hours=2)))
    if lag is not None or over > timedelta():
        written = write(replace(plan, start=plan.start - over), _seed(world), queued)
    world.written.append(written)
    return written


def _seed(world: _World) -> str:
    return f"{_SEED} {len(world.written)}"


def _title(world: _World, title: str, topic: Topic) -> str:
    """``title``, told apart from the sessions that have it already."""
    seen = world.titles[title] = world.titles.get(title, 0) + 1
    if seen == 1:
        return title
    if seen <= 1 + len(topic.files):
        return f"{title} · {topic.files[seen - 2].rsplit('/', 1)[-1]}"
    return f"{title} ({seen})"


def _length(rng: random.Random, scheduled: bool) -> int:
    if scheduled:
        return 1
    return (
        rng.randint(24, 40)
        if rng.random() < 0.03
        else rng.choices((1, 2, 3, 4, 5, 6, 8), (8, 18, 22, 20, 14, 10, 8))[0]
    )


def _user(world: _World) -> str:
    user: Row = world.rng.choices(world.tables["users"], (40, 24, 18, 14, 4))[0]
    return str(user["user_id"])


def _comments(world: _World) -> list[Row]:
    rng = world.rng
    rows: list[Row] = []
    placed = {row["worktree_id"]: row["board_id"] for row in world.tables["worktrees"] if row["board_id"]}
    sessions = [row for row in world.tables["sessions"] if row["worktree_id"] in placed]
    for number in range(26):
        session = rng.choice(sessions)
        time = min(session["updated_at"] + timedelta(minutes=rng.randint(3, 900)), world.reference)
        text = COMMENTS[number % len(COMMENTS)]
        reply = rows[-1] if number % 3 == 2 else None
        rows.append(
            {
                "comment_id": make_id(rng, time),
                "created_at": time,
                "updated_at": time,
                "board_id": reply["board_id"] if reply else placed[session["worktree_id"]],
                "created_by": _user(world),
                "session_id": reply["session_id"] if reply else session["session_id"],
                "content": text,
                "content_preview": text[:200],
                "parent_comment_id": (reply["parent_comment_id"] or reply["comment_id"]) if reply else None,
                "resolved": rng.random() < 0.3,
                "reactions": dump([]),
                "data": dump({}),
            }
        )
    return rows
