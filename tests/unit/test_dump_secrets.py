"""Secrets are taken out of rows whatever their keys look like, and nothing else of the row changes."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agor_tui.db.row_format import FORMATS
from agor_tui.redact import HIDDEN, may_hold_secrets, redact
from agor_tui.services.dump.secrets import SecretRemover

KEYS = st.sampled_from(
    (
        *("password", "passWord", ":password", "api_key", "API-KEY", 'api"key', "pass\\word", "token", "tokens", "env"),
        *("url", "value", "name", "title", "é", "", "sealed_x", "a b", "mcp_token\n", "key"),
    )
)
STRINGS = st.sampled_from(
    (
        *(
            "",
            "x",
            "API_KEY",
            'a": "b',
            "https://u:p@h/",
            "\\",
            "PASSWORD=hush1 x",
            'run --token "hush hush"',
            "a token",
        ),
        *('{"api_key": "hush"}', "password\t:\thush1234", "mysql -phush x", "ghp_" + "a1" * 18, 'env": {"A": "hush"}'),
        *('{"env": {"A": "hush"}}', "Authorization: Basic hush", "Bearer " + "a1" * 12, "--password \\\n hush"),
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | STRINGS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)


def spelled(value: Any, rng: random.Random) -> str:
    """JSON with some of its characters as escapes, and with space about."""
    if isinstance(value, str):
        some = (rf"\u{ord(c):04x}" if rng.random() < 0.1 else json.dumps(c)[1:-1] for c in value)
        return '"' + "".join(some) + '"'
    if isinstance(value, list):
        return f"[{', '.join(spelled(each, rng) for each in value)}]"
    if isinstance(value, dict):
        colon = rng.choice((":", " : ", "\n:\t"))
        return "{" + ",".join(f"{spelled(key, rng)}{colon}{spelled(each, rng)}" for key, each in value.items()) + "}"
    return json.dumps(value)


@given(VALUES, st.integers(0, 10**6))
def test_what_is_a_secret_is_hidden_and_all_else_stays_as_it_is_spelled(value: Any, seed: int) -> None:
    form = FORMATS["repos"]
    text = spelled(value, random.Random(seed))
    row = ("r", 1, None, "slug", text)
    kept, sound = SecretRemover(form).without_secrets(row)
    assert sound
    hidden = redact(value)
    assert json.loads(kept[4]) == hidden
    if hidden == value:
        assert kept == row
    else:
        assert may_hold_secrets(text)


def test_a_password_and_the_logins_in_addresses_are_hidden() -> None:
    users = FORMATS["users"]
    row = tuple("x" if column.kind == "text" else None for column in users.columns)
    hidden = dict(zip(users.names, SecretRemover(users).without_secrets(row)[0], strict=True))
    assert (hidden["password"], hidden["email"]) == (HIDDEN, "x")
    worktrees = FORMATS["worktrees"]
    text = "run --token=abc https://u:secret@h/"
    row = tuple(text if column.kind == "text" else None for column in worktrees.columns)
    found = dict(zip(worktrees.names, SecretRemover(worktrees).without_secrets(row)[0], strict=True))
    assert found["start_command"] == found["app_url"] == f"run --token={HIDDEN} https://u:{HIDDEN}@h/"
    assert found["name"] == found["app_url"]
