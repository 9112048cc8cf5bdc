"""How a piece of work goes: exploring, changing, testing, answering, and the ways in which it ends otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agor_tui.services.demo.phrases import FAILURES, PERMISSIONS, QUESTIONS, REMARKS
from agor_tui.services.demo.talk import Talk
from agor_tui.services.demo.topics import Project, Topic

Outcome = Literal["completed", "failed", "stopped", "running", "awaiting_permission", "awaiting_input", "timed_out"]


@dataclass(frozen=True, slots=True)
class Job:
    """One task: what was asked, the answer it comes to, and how much work it is."""

    prompt: str
    answer: str
    size: Literal["main", "follow", "short"]


def do(talk: Talk, job: Job, topic: Topic, project: Project, root: str, outcome: Outcome, user_id: str) -> str | None:
    """Let ``talk`` go through a job; returns the error that it failed with."""
    rng = talk.rng
    talk.prompt(job.prompt)
    talk.wait(2, 9)
    if job.size == "main":
        _explore(talk, topic, root)
    elif job.size == "follow" or rng.random() < 0.4:
        talk.say(_remark(talk, topic))
        _read(talk, rng.choice(topic.files), project, root)
    match outcome:
        case "failed" | "timed_out":
            talk.call("Bash", _command(talk, topic.run[0]), f"Error: {rng.choice(topic.files)} is locked\n", error=True)
            return rng.choice(FAILURES)
        case "running":
            talk.say(_remark(talk, topic))
            talk.call("Bash", _command(talk, topic.run[0]), None)
            return None
        case "awaiting_permission":
            name, arguments = rng.choice(PERMISSIONS)
            talk.request(name, dict(arguments), "pending", user_id)
            return None
        case "awaiting_input":
            talk.ask(*rng.choice(QUESTIONS))
            return None
        case "stopped":
            return None
        case "completed":
            if job.size == "main":
                _change(talk, topic, project, root, user_id)
            elif job.size == "follow" and rng.random() < 0.7:
                talk.edit(topic.edit, root)
                talk.call("Bash", _command(talk, topic.run[0]), topic.run[1])
            talk.answer(job.answer)
    return None


def _explore(talk: Talk, topic: Topic, root: str) -> None:
    rng = talk.rng
    talk.think(topic.thinking[0])
    talk.say(_remark(talk, topic))
    talk.todos(topic.plan, 0)
    found = "\n".join(f"{file}:{rng.randint(3, 320)}:  {topic.symbol}" for file in topic.files)
    talk.call("Grep", {"pattern": topic.symbol, "path": ".", "output_mode": "content"}, found)
    _read(talk, topic.files[0], None, root, before=topic.edit.before)
    if talk.tool == "claude-code" and rng.random() < 0.45:
        _delegate(talk, topic, root)


def _delegate(talk: Talk, topic: Topic, root: str) -> None:
    """A sub-agent looks around; its traffic is nested under the call."""
    main_model = talk.model
    talk.say("I'll have a sub-agent look for the same pattern elsewhere.")
    call = talk.begin_agent(
        f"Find uses of {topic.symbol}",
        f"Find every use of `{topic.symbol}` and report file, line and purpose.",
        "Explore",
    )
    talk.model = "claude-haiku-4-5"
    for file in topic.files[: talk.rng.randint(1, 3)]:
        talk.call(
            "Grep", {"pattern": topic.symbol, "path": file}, f"{file}:{talk.rng.randint(3, 200)}:  {topic.symbol}"
        )
    _read(talk, topic.files[-1], None, root)
    talk.model = main_model
    uses = "\n".join(f"- `{file}`: {talk.rng.randint(1, 5)} uses" for file in topic.files)
    talk.end_agent(call, f"`{topic.symbol}` is used in {len(topic.files)} files:\n\n{uses}")


def _change(talk: Talk, topic: Topic, project: Project, root: str, user_id: str) -> None:
    rng = talk.rng
    command = _command(talk, topic.run[0])
    talk.think(topic.thinking[-1])
    talk.edit(topic.edit, root)
    if rng.random() < 0.18:
        name, arguments = rng.choice(PERMISSIONS)
        talk.request(name, dict(arguments), "approved" if rng.random() < 0.7 else "denied", user_id)
    if rng.random() < 0.3:
        talk.call("Bash", command, f"{rng.choice(topic.files)}: 1 failed\nexit status 1\n", error=True)
        talk.say("One test still expects the old behaviour. Fixing the test's set-up, not its expectation.")
        talk.edit(topic.edit, root)
    if rng.random() < 0.06:
        talk.call("Bash", {"command": f"{topic.run[0]} --verbose"}, _long_log(talk, topic, project))
    talk.call("Bash", command, topic.run[1])
    talk.todos(topic.plan, len(topic.plan) if rng.random() < 0.8 else len(topic.plan) - 1)
    if rng.random() < 0.05:
        talk.compact(rng.randint(120_000, 180_000))


def _command(talk: Talk, command: str) -> dict[str, str]:
    return {"command": command} if talk.tool != "claude-code" else {"command": command, "description": "Run the tests"}


def _read(talk: Talk, file: str, project: Project | None, root: str, *, before: str = "") -> None:
    if talk.tool == "codex":
        talk.call("Bash", {"command": f"bash -lc 'sed -n 1,80p {file}'"}, before or _listing(talk, file, project))
        return
    numbered = _number(before, talk.rng.randint(10, 90)) if before else _listing(talk, file, project)
    talk.call("Read", {"file_path": f"{root}/{file}"}, numbered)


def _number(text: str, first: int) -> str:
    return "".join(f"{number:>6}\t{line}\n" for number, line in enumerate(text.splitlines(), first))


def _listing(talk: Talk, file: str, project: Project | None) -> str:
    """A few lines of a file that nobody has written, in its language."""
    name = file.rsplit("/", 1)[-1].split(".")[0]
    language = project.language if project else file.rsplit(".", 1)[-1]
    lines = _SOURCES.get(language) or _SOURCES["python"]
    return _number(lines.format(name=name.replace("-", "_"), n=talk.rng.randint(2, 90)), 1)


_SOURCES = {
    "python": '"""{name}."""\n\nfrom __future__ import annotations\n\nLIMIT = {n}\n\n\ndef load(path):\n    return '
    "path\n",
    "typescript": "import {{ useMemo }} from 'react';\n\nexport const LIMIT = {n};\n\nexport function {name}() "
    "{{\n  return null;\n}}\n",
    "go": "package {name}\n\nconst limit = {n}\n\nfunc New() *Client {{\n\treturn &Client{{}}\n}}\n",
    "rust": "//! {name}\n\nconst LIMIT: usize = {n};\n\npub fn open() -> Result<Log> {{\n    Log::open()\n}}\n",
    "hcl": "# {name}\n\nlocals {{\n  replicas = {n}\n}}\n",
    "swift": "import Foundation\n\nstruct {name} {{\n    static let limit = {n}\n}}\n",
}


def _long_log(talk: Talk, topic: Topic, project: Project) -> str:
    """Some hundred lines, as test runners print them."""
    rng = talk.rng
    lines = []
    for number in range(rng.randint(220, 640)):
        file = rng.choice(topic.files)
        lines.append(f"[{number:>4}] {file}::case_{number % 97:02d}  ok  {rng.randint(1, 240):>4} ms")
    return "\n".join([f"== {project.name}", *lines, f"{len(lines)} passed", ""])


def _remark(talk: Talk, topic: Topic) -> str:
    return talk.rng.choice(REMARKS).format(symbol=topic.symbol, file=topic.files[0])
