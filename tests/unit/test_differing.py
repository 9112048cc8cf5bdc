"""What is said of two rows that differ: the place, and short texts without secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agor_tui.db.row_format import FORMATS
from agor_tui.transfer.differing import value_differences

FORM = FORMATS["repos"]


def told(a: Any, b: Any, column: str = "data") -> tuple[str, str, str]:
    """The only difference of two rows that differ in one column."""
    usual = {"repo_id": "r1", "created_at": 0, "updated_at": None, "slug": "x", "data": "{}"}
    first, second = (tuple((usual | {column: value})[name] for name in FORM.names) for value in (a, b))
    (found,) = value_differences(FORM, first, second)
    return found.where, found.a, found.b


BEFORE = "[" * 20
DEEP = "[" * 300 + "{}" + "]" * 300
LONG = "long " * 100


@pytest.mark.parametrize(
    ("a", "b", "where", "shown"),
    [
        ('{"a": {"b": [1, {"c": true}]}}', '{"a": {"b": [1, {"c": 1}]}}', "data.a.b[1].c", ("true", "1")),
        ("[1, 2]", "[1]", "data[1]", ("2", "nothing")),
        ("{}", "[]", "data", ("{}", "[]")),
        ('{"a": [1.5, "\\ud800"]}', '{"a": 0}', "data.a", ('[15e-1,"\\ud800"]', "0")),
        ("1", '"1"', "data", ("1", "“1”")),
        ('{"a": 0.1}', '{"a": 0.10000000000000000001}', "data.a", ("0.1", "0.10000000000000000001")),
        ('{"a": -1e400}', '{"a": 1e-400}', "data.a", ("-1e+400", "1e-400")),
        ('[1e99999999999999999999, 2]', "[2]", "data[0]", ("1e99999999999999999999", "2")),
        ('{"\\u001b[2J": 1}', "{}", "data.␛[2J", ("1", "nothing")),
        ('{"a": "\\ud800"}', '{"a": "\\ufdd0"}', "data.a", ("“�”", "“\ufdd0”")),
        (
            json.dumps({"a": LONG + "one"}),
            json.dumps({"a": LONG + "two"}),
            "data.a",
            ("…long long long long one”", "…long long long long two”"),
        ),
        (DEEP, DEEP.replace("{}", "1"), "data", (f"…{BEFORE}{{}}{']' * 36}…", f"…{BEFORE}1{']' * 37}…")),
        ('{"a": 1}', None, "data", ("“{\"a\": 1}”", "NULL")),
    ],
)  # fmt: skip
def test_documents(a: str, b: str | None, where: str, shown: tuple[str, str]) -> None:
    assert told(a, b) == (where, *shown)


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ('{"api_key": "%s"}', "data.api_key"),
        ('{"auth": {"a": "%s"}}', "data.auth"),
        ('[{"name": "A_TOKEN", "value": "%s"}]', "data[0].value"),
        ('{"url": "https://u:%s@h"}', "data.url"),
        ('{"a": ["postgres://u:%s@h"]}', "data.a[0]"),
        ('{"api_key": "%s"', "data"),
        (f'{{"a": {DEEP}, "b": "token=%s"}}', "data"),
    ],
)
def test_secrets(document: str, where: str) -> None:
    found = told(document % "one-secret", document % "two-secret")
    assert found[0] == where
    assert found[1] == found[2] != ""
    assert "secret" not in found[1]


@pytest.mark.parametrize(
    ("column", "a", "b", "shown"),
    [
        ("slug", "x\ufdd00000", "x", ("“x␀”", "“x”")),
        ("slug", LONG + "\n1", LONG + "\n2", ("…ong long long long 1”", "…ong long long long 2”")),
        ("created_at", 1_763_740_000_123, 10**17, ("2025-11-21T15:46:40.123Z", "100000000000000000")),
        ("created_at", 12, 12.5, ("1970-01-01T00:00:00.012Z", "12.5")),
        ("updated_at", None, 0, ("NULL", "1970-01-01T00:00:00.000Z")),
        ("slug", b"\xff", "", ("bytes ff", "“”")),
    ],
)
def test_values(column: str, a: Any, b: Any, shown: tuple[str, str]) -> None:
    assert told(a, b, column) == (column, *shown)
