"""The shapes that the demo's hand-written material comes in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a file: ``before`` and ``after`` are the lines that differ."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A piece of work that sessions of a project are about.

    ``titles`` are the title and its variations, ``follow`` further prompts with their answers (Markdown), ``run`` a
    command and what it prints.
    """

    titles: tuple[str, ...]
    prompt: str
    symbol: str
    files: tuple[str, ...]
    thinking: tuple[str, ...]
    plan: tuple[str, ...]
    edit: Edit
    run: tuple[str, str]
    answer: str
    follow: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Checkout:
    """A worktree of a project; ``board`` counts into the demo's boards, None for one that stands on no board."""

    name: str
    ref: str
    board: int | None
    notes: str = ""
    issue: int | None = None
    pull_request: int | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """A repository with its worktrees and the work that is done in it."""

    slug: str
    name: str
    remote_url: str
    default_branch: str
    language: str
    checkouts: tuple[Checkout, ...]
    topics: tuple[Topic, ...]
