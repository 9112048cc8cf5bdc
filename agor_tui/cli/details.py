"""One session, one task and a family of sessions as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from agor_tui.cells import cell_len, fit, fit_end, pad
from agor_tui.cli.columns import session_columns, task_columns, where
from agor_tui.cli.moments import local_second_and_age
from agor_tui.cli.streams import Look
from agor_tui.cli.tables import Painter, Table
from agor_tui.records import Session, SessionDetail, Task, TaskDetail, TreeNode
from agor_tui.services.export import compact, iso
from agor_tui.text import count, duration, money, printable, title_text, tokens

_LONGEST_VALUE = 2_000

Fact = tuple[str, str]


def session_lines(
    detail: SessionDetail,
    ancestors: Sequence[Session],
    children: Sequence[Session],
    tasks: Sequence[Task],
    look: Look,
) -> Iterator[str]:
    """A session: what it is, its facts, its tasks and its relatives."""
    paint = Painter(look.colour)
    row = detail.session
    yield paint(title_text(row.title), "strong")
    words = [printable(part) for part in (row.tool, row.model) if part]
    yield " · ".join([paint.status(row.status), *words, *(["archived"] if row.archived else [])])
    yield ""
    yield from fact_lines(_session_facts(detail), paint)
    if detail.description:
        yield from _section("Description", printable(detail.description, multiline=True).split("\n"), paint)
    for group in detail.groups:
        facts = [(fact.label, _shown(fact.value)) for fact in group.details]
        yield from _section(group.title, fact_lines(facts, paint), paint)
    for title, sessions in (("Ancestors", ancestors), ("Children", children)):
        if sessions:
            yield from _section(title, Table(session_columns(), sessions, look).lines(sessions), paint)
    if tasks:
        yield from _section("Tasks", Table(task_columns(with_session=False), tasks, look).lines(tasks), paint)


def _session_facts(detail: SessionDetail) -> list[Fact]:
    row = detail.session
    return [
        ("id", row.id),
        ("status", row.store_status if row.store_status != row.status else ""),
        ("where", where(row)),
        ("branch", row.branch or ""),
        ("board", row.board or ""),
        ("created", local_second_and_age(row.created_at)),
        ("updated", local_second_and_age(row.updated_at)),
        ("by", detail.created_by_name or row.created_by or ""),
        ("parent", row.parent_id or ""),
        ("forked from", row.forked_from_id or ""),
        ("tasks", str(row.task_count)),
        ("messages", str(row.message_count)),
        ("tokens", _tokens((row.tokens_input, "in"), (row.tokens_output, "out"))),
        ("cost", money(row.cost) if row.cost is not None else ""),
        ("context", _context(detail)),
    ]


def _context(detail: SessionDetail) -> str:
    if detail.context_used is None:
        return ""
    if not detail.context_limit:
        return tokens(detail.context_used)
    share = round(100 * detail.context_used / detail.context_limit)
    return f"{share} % ({tokens(detail.context_used)} of {tokens(detail.context_limit)})"


def task_lines(detail: TaskDetail, look: Look) -> Iterator[str]:
    """A task: its facts, the prompt, the error and the report."""
    paint = Painter(look.colour)
    row = detail.task
    yield paint(title_text(row.title), "strong")
    yield " · ".join([paint.status(row.status), *([printable(row.model)] if row.model else [])])
    yield ""
    facts = [
        ("id", row.id),
        ("session", row.session_id),
        ("status", row.store_status if row.store_status != row.status else ""),
        ("queue", "" if row.queue_position is None else str(row.queue_position)),
        ("created", local_second_and_age(row.created_at)),
        ("started", local_second_and_age(row.started_at)),
        ("completed", local_second_and_age(row.completed_at)),
        ("took", "" if row.duration_ms is None else duration(row.duration_ms)),
        ("messages", str(detail.message_count)),
        ("tools used", "" if row.tool_use_count is None else str(row.tool_use_count)),
        (
            "tokens",
            _tokens(
                (detail.tokens_input, "in"),
                (detail.tokens_output, "out"),
                (detail.tokens_cache_read, "read from cache"),
                (detail.tokens_cache_write, "written to cache"),
            ),
        ),
        ("cost", money(detail.cost) if detail.cost is not None else ""),
        ("commits", " → ".join(part for part in (detail.sha_start, detail.sha_end) if part)),
    ]
    yield from fact_lines(facts, paint)
    for title, text in (("Prompt", detail.prompt), ("Error", detail.error), ("Report", detail.report)):
        if text:
            yield from _section(title, printable(text, multiline=True).split("\n"), paint)


def _tokens(*parts: tuple[int | None, str]) -> str:
    return " · ".join(f"{tokens(number)} {word}" for number, word in parts if number is not None)


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return iso(value) or ""
    return value if isinstance(value, str) else compact(value)


def fact_lines(facts: Iterable[Fact], paint: Painter) -> Iterator[str]:
    """Labels and values in two columns; facts without a value are left out."""
    safe = [(printable(label), printable(value, _LONGEST_VALUE)) for label, value in facts if value]
    widest = max((cell_len(label) for label, _ in safe), default=0)
    for label, value in safe:
        yield f"{paint(pad(label, widest), 'muted')}  {value}"


def _section(title: str, lines: Iterable[str], paint: Painter) -> Iterator[str]:
    yield ""
    yield paint(printable(title).upper(), "strong")
    yield from lines


def missing_sentence(root: TreeNode) -> str:
    """How many sessions a tree shows and how many it does not; empty where it shows all."""
    shown = more = 0
    pending = [root]
    while pending:
        node = pending.pop()
        shown += not node.repeated
        more += node.more
        pending += node.children
    parts = [f"{count(root.above)} above"] * (root.above > 0) + [f"{count(more)} more below"] * (more > 0)
    return f"Shown are {_sessions(shown)} of this family; {' and '.join(parts)} are not." if parts else ""


def _sessions(number: int) -> str:
    return f"{count(number)} session{'s' * (number != 1)}"


def tree_lines(root: TreeNode, wanted: str, look: Look) -> Iterator[str]:
    """A family drawn with box characters, to any depth; ``wanted`` is marked."""
    paint = Painter(look.colour)
    if root.above:
        yield paint(f"… {_sessions(root.above)} above", "muted")
    pending: list[tuple[TreeNode | str, str, str]] = [(root, "", "")]
    while pending:
        node, own, below = pending.pop()
        if isinstance(node, str):
            yield paint(f"{own if look.width is None else fit_end(own, look.width // 2)}{node}", "muted")
            continue
        row = node.session
        tail = "" if node.relation == "root" else f"  {node.relation}"
        tail += "  …" if node.repeated else ""
        tail += "  ← this one" if row.id == wanted else ""
        name = printable(row.id if look.width is None else row.short_id)
        title = title_text(row.title)
        if look.width is not None:
            # Deep down the branches lose their beginning, so that the titles keep half of the line.
            own = fit_end(own, look.width // 2)
            title = fit(title, max(look.width - cell_len(f"{own}? {name}  {tail}"), 8))
        yield (f"{paint(own, 'muted')}{paint.glyph(row.status)} {paint(name, 'muted')}  {title}{paint(tail, 'muted')}")
        shown: list[TreeNode | str] = [*node.children, *([f"… {count(node.more)} more"] if node.more else [])]
        for number, child in enumerate(reversed(shown)):
            last = number == 0
            pending.append((child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  ")))
