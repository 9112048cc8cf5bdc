"""Secrets are hidden by the names of their keys and by their place in URLs, and nothing else is."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.redact import HIDDEN, redact, redact_broken, redact_text

SECRET_KEYS = (
    "password", "Password", "passwd", "passphrase", "apiKey", "api_key", "API-KEY", "apikey", "x-api-key",
    "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "access_token", "refreshToken", "id_token", "token", "authToken",
    "bot_token", "app_token", "mcp_token", "mcpToken", "GITHUB_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN",
    "oauth_access_token",
    "termination_coordination_token", "client_secret", "clientSecret", "oauth_client_secret", "signing_secret",
    "api_secret", "secret", "secrets", "Authorization", "proxy-authorization", "cookie", "Set-Cookie", "credential",
    "credentials", "private_key", "privateKey", "aws_secret_access_key", "bearer", "channel_key", "sealed_material",
    "sealed_access_token", "value_encrypted", "password_hash", "key_hash", "token_hash", "api_keys", "api_tokens",
    "jwt", "authorizationHeader",
)  # fmt: skip

HARMLESS_KEYS = (
    "tokens", "tokenUsage", "token_usage", "input_tokens", "inputTokens", "max_tokens", "maxTokens", "total_tokens",
    "cacheReadTokens", "cache_read_input_tokens", "thinking_tokens", "mcp_server_ids", "mcp_servers", "key", "keys",
    "storage_key", "entry_key", "identity_key", "public_key", "token_type", "token_count", "tokens_valid_after",
    "oauth_authorization_endpoint", "author", "authored", "authorized_by", "title", "description", "content",
    "prompt", "environment", "environment_instance", "model", "signature", "is_secretary", "header", "hash",
    "content_hash", "session_id", "path", "name", "value", "",
)  # fmt: skip


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_a_secret_is_known_by_its_key(key: str) -> None:
    assert redact({"a": [{key: "hush", "title": "t"}]}) == {"a": [{key: HIDDEN, "title": "t"}]}
    assert redact({key: ["hush"]}) == {key: HIDDEN}
    assert redact({key: {"any": "hush"}}) == {key: HIDDEN}


@pytest.mark.parametrize("key", HARMLESS_KEYS)
def test_other_keys_keep_their_values(key: str) -> None:
    for value in ("text", 12, ["text"], {"input": 5, "note": "x"}):
        assert redact({key: value}) == {key: value}


@pytest.mark.parametrize("key", ["env", "env_vars", "envVars", "headers", "http_headers", "auth", "agentic_tools"])
def test_maps_of_anything_are_hidden_whole(key: str) -> None:
    assert redact({key: {"STAGING": "hush"}, "b": 1}) == {key: HIDDEN, "b": 1}
    assert redact({key: ["A=hush"]}) == {key: HIDDEN}
    assert redact({key: "production"}) == {key: "production"}
    assert redact({key: '{"STAGING":"hush"}'}) == {key: HIDDEN}


@pytest.mark.parametrize("value", [None, True, False, "", [], {}])
def test_nothing_is_not_a_secret(value: Any) -> None:
    assert redact({"password": value, "token": value, "env": value}) == {
        "password": value,
        "token": value,
        "env": value,
    }


def test_numbers_of_tokens_are_no_secrets_but_a_number_can_be_a_password() -> None:
    counted = {"token": 5, "tokens": {"input": 3, "output": 4}, "per_token": {"usd": 0.1}}
    assert redact(counted) == counted
    assert redact({"password": 1234}) == {"password": HIDDEN}


def test_a_pair_of_name_and_value_is_judged_by_its_name() -> None:
    assert redact([{"name": "API_KEY", "value": "hush"}, {"key": "Authorization", "value": "hush"}]) == [
        {"name": "API_KEY", "value": HIDDEN},
        {"key": "Authorization", "value": HIDDEN},
    ]
    assert redact({"name": "colour", "value": "red"}) == {"name": "colour", "value": "red"}


def test_addresses_lose_their_passwords() -> None:
    assert redact({"remote_url": "https://ann:hush@host/x.git", "databaseUrl": "postgresql://u:hush@h/d"}) == {
        "remote_url": f"https://ann:{HIDDEN}@host/x.git",
        "databaseUrl": f"postgresql://u:{HIDDEN}@h/d",
    }


def test_commands_lose_what_their_options_give_away() -> None:
    arguments = ["--api-key", "hush", "--token=hush", "postgresql://u:hush@h/d", "--max-tokens", "12", "-v", 1]
    assert redact({"args": arguments, "customHeaders": {"X-Own": "hush"}, "up_command": "x --password hush -v"}) == {
        "args": [
            "--api-key",
            HIDDEN,
            f"--token={HIDDEN}",
            f"postgresql://u:{HIDDEN}@h/d",
            "--max-tokens",
            "12",
            "-v",
            1,
        ],
        "customHeaders": HIDDEN,
        "up_command": f"x --password {HIDDEN} -v",
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(SECRET_KEYS + HARMLESS_KEYS), inner, max_size=4)
    ),
)


@given(json_values)
def test_the_value_itself_is_left_alone_and_no_secret_in_it_comes_out(value: Any) -> None:
    value = {"a": [value, {"api_key": "hush-hush", "b": value}]}
    before = copy.deepcopy(value)
    shown = redact(value)
    assert value == before
    assert "hush-hush" not in str(shown)
    assert shown["a"][1]["b"] == shown["a"][0]


def test_no_depth_is_too_deep() -> None:
    value: list[Any] = []
    for _ in range(20_000):
        value = [value]
    inner = redact({"a": value})["a"]
    while inner:
        inner = inner[0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:p@h/db", "postgresql://u:***@h/db"),
        ("postgresql+psycopg://u:p/w@1#?@h:5/db?x=1", "postgresql+psycopg://u:***@h:5/db?x=1"),
        ("could not open postgresql://:p@h, sorry", "could not open postgresql://:***@h, sorry"),
        ("https://u:p@github.com/a/b", "https://u:***@github.com/a/b"),
        ("https://ghp_abcdefghijklmnopqrst@github.com/a", "https://***@github.com/a"),
        ("postgresql://h/db?user=u&password=p&x=1", "postgresql://h/db?user=u&password=***&x=1"),
        ("libsql://h?authToken=p", "libsql://h?authToken=***"),
        ("host=h password='a b\\'c' user=u", "host=h password=*** user=u"),
        ('Password = "a b" user=u', "Password = *** user=u"),
        ("password=a\\ b user=u", "password=*** user=u"),
        ("PGPASSWORD=p psql", "PGPASSWORD=*** psql"),
    ],
)
def test_passwords_in_text_are_hidden(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://host:8080/a@b", "postgresql://u@h:5432/db", "ssh://git@h:22/x", "git@github.com:a/b.git",
        'password authentication failed for user "ann"', "a = b", "me@example.org: hello", "12:30 @ home",
    ],
)  # fmt: skip
def test_text_without_a_password_stays(text: str) -> None:
    assert redact_text(text) == text


@given(st.text("abc019/?#=&%!:;.,-_", min_size=1, max_size=40))
def test_no_password_of_a_database_url_survives(password: str) -> None:
    assert redact_text(f"postgresql://u:<{password}>@host/db") == "postgresql://u:***@host/db"


@pytest.mark.parametrize("piece", ["://", "a", "password=", "x://a:", "token='", "a:b@", "api_key \\", "https://"])
def test_long_text_takes_no_more_than_its_share(piece: str) -> None:
    started = time.process_time()
    redact_text(piece * (200_000 // len(piece)) + "@=")
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"title": "x", "mcp_token": "abc', f'{{"title": "x", "mcp_token": {HIDDEN}'),
        ('{"a": {"API-KEY" : 5, "b": 1', f'{{"a": {{"API-KEY" : {HIDDEN}'),
        ('{"env": {"A": "b", ', f'{{"env": {HIDDEN}'),
        ('"{\\"password\\": \\"abc', f'"{{\\"password\\": {HIDDEN}'),
        ('{"title": "x", "tokens_input": 5', '{"title": "x", "tokens_input": 5'),
        ("https://u:abc@h/x", "https://u:***@h/x"),
    ],
)
def test_broken_json_ends_where_a_secret_begins(text: str, shown: str) -> None:
    assert redact_broken(text) == shown


@pytest.mark.parametrize("piece", ["a", '"', "a.", "'a' ", "a  ", '"a\\":'])
def test_broken_json_of_any_length_takes_linear_time(piece: str) -> None:
    redact_broken(piece * 500_000)
