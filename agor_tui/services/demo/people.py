"""The demo's users, boards and MCP servers: the rows that sessions point to."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from agor_tui.services.demo.talk import Row, dump, make_id

USERS = (
    ("Ada Lindqvist", "ada", "🦉", "owner"),
    ("Noor Haddad", "noor", "🪁", "admin"),
    ("Kenji Sato 佐藤", "kenji", "🐙", "member"),
    ("Marta Oliveira", "marta", "🌊", "member"),
    ("Tom Brandt", "tom", "⚓", "viewer"),
)

BOARDS = (
    ("Main", "main", "Everything that has no board of its own", "⭐", "#1677ff"),
    ("Reliability", "reliability", "What wakes us at night, in order of pain", "🛟", "#fa541c"),
    ("Storefront 予約", "storefront", "Booking, checkout and the app", "⛵", "#eb2f96"),
    ("Platform", "platform", "Databases, clusters, cost", "🏗️", "#13c2c2"),
)

ZONES = ("Ideas", "In progress", "Review", "Done")


def users(rng: random.Random, start: datetime) -> list[Row]:
    """The users' rows; their passwords are no hashes, so none of them can log in anywhere."""
    rows = []
    for day, (name, login, emoji, role) in enumerate(USERS):
        time = start + timedelta(days=day, minutes=rng.randint(1, 500))
        rows.append(
            {
                "user_id": make_id(rng, time),
                "created_at": time,
                "updated_at": time,
                "email": f"{login}@saltmarsh.example",
                "password": "!",
                "name": name,
                "emoji": emoji,
                "role": role,
                "onboarding_completed": True,
                "data": dump({"preferences": {"theme": "dark" if day % 2 else "light"}}),
            }
        )
    return rows


def boards(rng: random.Random, start: datetime, owner: str) -> list[Row]:
    """The boards' rows, each with its zones."""
    rows = []
    for number, (name, slug, description, icon, color) in enumerate(BOARDS):
        time = start + timedelta(hours=number + 1, minutes=rng.randint(1, 50))
        zones = {
            f"zone-{zone.lower().replace(' ', '-')}": {"type": "zone", "label": zone, "x": 640 * column, "y": 0}
            for column, zone in enumerate(ZONES)
        }
        data = {"description": description, "icon": icon, "color": color, "objects": zones}
        rows.append(
            {
                "board_id": make_id(rng, time),
                "created_at": time,
                "updated_at": time,
                "created_by": owner,
                "name": name,
                "slug": slug,
                "data": dump(data),
            }
        )
    return rows


def mcp_servers(rng: random.Random, start: datetime, owner: str, repo_id: str) -> list[Row]:
    """Three MCP servers, one of them for a single repository."""
    entries = (
        ("tracker", "http", "global", None, {"display_name": "Issue tracker", "url": "https://tracker.example/mcp"}),
        ("browser", "stdio", "global", None, {"display_name": "Headless browser", "command": "npx"}),
        ("metrics", "http", "repo", repo_id, {"display_name": "Metrics", "url": "https://metrics.example/mcp"}),
    )
    return [
        {
            "mcp_server_id": make_id(rng, start),
            "created_at": start,
            "updated_at": start,
            "name": name,
            "transport": transport,
            "scope": scope,
            "enabled": True,
            "owner_user_id": owner,
            "team_id": None,
            "repo_id": repo,
            "session_id": None,
            "source": "user",
            "data": dump(data),
        }
        for name, transport, scope, repo, data in entries
    ]
