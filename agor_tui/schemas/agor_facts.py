"""What Agor's own pages show of a session beside the common fields: the groups of the Details tab."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, bindparam, or_, select

from agor_tui.db.types import Id
from agor_tui.records import Detail, DetailGroup

if TYPE_CHECKING:
    from agor_tui.schemas.agor_tables import Tables

_OWN = (
    ("Agent", (("version", "agentic_tool_version"), ("session of the agent", "sdk_session_id"))),
    ("Model", (("mode", "model_config.mode"), ("thinking", "model_config.thinkingMode"))),
    (
        "Permissions",
        (("mode", "permission_config.mode"), ("allowed tools", "permission_config.allowedTools")),
    ),
    (
        "Git",
        (("ref", "git_state.ref"), ("base", "git_state.base_sha"), ("current", "git_state.current_sha")),
    ),
    ("Origin", (("fork", "fork_origin"), ("callback", "callback_config"))),
    ("Context", (("custom", "custom_context"), ("files", "contextFiles"))),
)


def details(data: Mapping[str, Any]) -> tuple[DetailGroup, ...]:
    """Return the groups that a session's own ``data`` fills."""
    groups = []
    for title, entries in _OWN:
        found = tuple(
            Detail(label, value) for label, path in entries if (value := _at(data, path)) not in (None, [], {})
        )
        if found:
            groups.append(DetailGroup(title, found))
    return tuple(groups)


def _at(data: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(data, Mapping):
            return None
        data = data.get(part)
    return data


def session_facts(tables: Tables, place: str) -> dict[str, Select[Any]]:
    """Return the queries for what other tables say of one session (bind ``session_id``), by heading.

    A query's first column heads each row where there are several; credentials are never selected.
    """
    key = "branch_id" if place == "branches" else "worktree_id"
    this = bindparam("session_id", type_=Id())
    facts: dict[str, Select[Any]] = {}

    if tables.has(place, key) and tables.has("sessions", key):
        s, w = tables("sessions"), tables(place)
        wanted = (
            "name",
            "ref",
            "start_command",
            "app_url",
            "schedule_cron",
            "filesystem_status",
            "needs_attention",
        )
        found = [w.c[name] for name in wanted if name in w.c]
        facts["Branch" if place == "branches" else "Worktree"] = (
            select(*found, w.c.data).join(s, s.c[key] == w.c[key]).where(s.c.session_id == this)
        )
    if tables.has("session_mcp_servers", "mcp_server_id") and tables.has("mcp_servers"):
        link, server = tables("session_mcp_servers"), tables("mcp_servers")
        facts["MCP servers"] = (
            select(server.c.name, server.c.transport, link.c.enabled)
            .join(link, link.c.mcp_server_id == server.c.mcp_server_id)
            .where(link.c.session_id == this)
            .order_by(server.c.name, link.c.enabled, link.c.added_at)
        )
    if tables.has("session_relationships"):
        r = tables("session_relationships")
        facts["Relationships"] = (
            select(r.c.relationship_type, r.c.source_session_id, r.c.target_session_id, r.c.callback_enabled)
            .where(or_(r.c.source_session_id == this, r.c.target_session_id == this))
            .order_by(r.c.created_at)
        )
    if tables.has("schedules") and tables.has("sessions", "schedule_id"):
        s, schedule = tables("sessions"), tables("schedules")
        facts["Schedule"] = (
            select(schedule.c.name, schedule.c.cron_expression, schedule.c.prompt, schedule.c.enabled)
            .join(s, s.c.schedule_id == schedule.c.schedule_id)
            .where(s.c.session_id == this)
        )
    if tables.has("board_comments", "session_id"):
        comment = tables("board_comments")
        facts["Comments"] = (
            select(comment.c.created_at, comment.c.created_by, comment.c.resolved, comment.c.content)
            .where(comment.c.session_id == this)
            .order_by(comment.c.created_at, comment.c.comment_id)
        )
    return facts
