"""Everything that a database answers, as plain values to be compared and searched."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from agor_tui.filters import Choice, SessionFilter, TaskFilter
from agor_tui.records import Sort
from agor_tui.services import export
from agor_tui.services.browser import Browser

ALL = SessionFilter(archived="any")


def session_ids(browser: Browser, filter: SessionFilter = ALL, sort: Sort | None = None) -> list[str]:
    """The ids of all sessions of a filter, in order."""
    page = browser.session_page(filter, sort or browser.default_sort, limit=0)
    return [session.id for session in page.rows]


def json_answers(browser: Browser) -> dict[str, Any]:
    """What programs get: the lists in every order, and each session, task, tree and conversation, as decoded JSON."""
    answers: dict[str, Any] = {}
    for key in browser.sorts:
        for descending in (True, False):
            page = browser.session_page(ALL, Sort(key, descending), limit=0)
            answers[f"sessions by {key} {descending}"] = [export.session_json(session) for session in page.rows]
    answers["not archived"] = session_ids(browser, SessionFilter())
    answers["archived"] = session_ids(browser, SessionFilter(archived="yes"))
    answers["with tasks"] = session_ids(browser, SessionFilter(archived="any", has=Choice(("tasks",))))
    answers["tasks"] = [export.task_json(task) for task in browser.task_page(TaskFilter(archived="any"), limit=0).rows]
    answers["boards"] = [export.board_json(board) for board in browser.boards()]
    answers["places"] = [asdict(row) for row in (*browser.repos(), *browser.worktrees(), *browser.users())]
    for id in session_ids(browser):
        answers[f"messages of {id}"] = [
            export.message_json(turn.message) | {"prompt": turn.prompt, "task": turn.task and turn.task.id}
            for turn in browser.conversation(id, 0, 0)
        ]
        answers[f"tasks of {id}"] = [export.task_json(task) for task in browser.tasks_of(id)]
        if not browser.ancestors(id):
            answers[f"tree of {id}"] = json.loads(b"".join(export.tree_json(browser.tree(id))))
        answers[f"session {id}"] = export.session_detail_json(
            browser.session_detail(id), browser.ancestors(id), browser.children(id)
        )
        answers[f"prompts of {id}"] = browser.prompt_ordinals(id)
    for task in browser.task_page(TaskFilter(archived="any"), limit=0).rows:
        answers[f"task {task.id}"] = export.task_detail_json(browser.task_detail(task.id))
    return answers


def shown(answers: dict[str, Any]) -> str:
    """All of it as one text, to look for what must not be there."""
    return repr(answers)
