"""Changing single keys in the text of a YAML file: every other byte stays."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.config.yaml_text import CannotEditError, with_value, without

TEXT = """\
# mine
database: {dialect: sqlite,   sqlite: {path: 'a.db'}}   # the default

databases:
  # the team's
  team:   # shared
      dialect: "postgresql"
      postgresql:
          host:    h     # the host
          port: 5432
  # the end of the databases
active: team
"""

PUTS = [
    # text, path, value -> the text after it
    ("", "a.b", "x", "a:\n  b: x\n"),
    ("# only\n", "a", 1, "# only\na: 1\n"),
    ("a: 1", "b", True, "a: 1\nb: true\n"),
    ("a: 1 # one\n", "a", 2, "a: 2 # one\n"),
    ("a: 'x' # one\n", "a", "it's", "a: 'it''s' # one\n"),
    ('a: "x"\n', "a", "y", 'a: "y"\n'),
    ("a: x\n", "a", "yes", 'a: "yes"\n'),
    ("a: x\n", "a", "1", 'a: "1"\n'),
    ("a: x\n", "a", "~", 'a: "~"\n'),
    ("a: x\n", "a", "p@:/%'\"\\ #x", 'a: "p@:/%\'\\"\\\\ #x"\n'),
    ("a: x\n", "a", "tab\tnul\0\u2028\U0001f600", 'a: "tab\\x09nul\\x00\\u2028\U0001f600"\n'),
    ("a:\n", "a", "x", "a: x\n"),
    ("a:   # empty\n", "a", "x", "a: x   # empty\n"),
    ("a:   # empty\nz: 1\n", "a.b", "x", "a:   # empty\n  b: x\nz: 1\n"),
    ("a: true # c\nz: 1\n", "a.b", "x", "a: # c\n  b: x\nz: 1\n"),
    ("a: # c\n  b: 1\nz: 1\n", "a", "x", "a: x # c\nz: 1\n"),
    ("a: |\n  x\n  y\n\nz: 1\n", "a", "w", "a: w\nz: 1\n"),
    ("a: |\n  x\n", "z", "w", "a: |\n  x\nz: w\n"),
    ("a:\n    b: 1\n\n# next\nz: 1\n", "a.c", 2, "a:\n    b: 1\n    c: 2\n\n# next\nz: 1\n"),
    ("a: 1\r\nb: 2\r\n", "c.d", "x", "a: 1\r\nb: 2\r\nc:\r\n  d: x\r\n"),
    ("{}", "a", "x", "{a: x}"),
    ("{a: {b: 1}}\n", "a.c", "x, y", '{a: {b: 1, c: "x, y"}}\n'),
    ("{a: {b: 1}}\n", "a", "x", "{a: x}\n"),
    ("{a: 1}\n", "a.b.c", "x", "{a: {b: {c: x}}}\n"),
    ("---\na: 1\n...\n", "b", 2, "---\na: 1\nb: 2\n...\n"),
    ("\ufeffa: 1\n", "b", 2, "\ufeffa: 1\nb: 2\n"),
    ("日本: 語\n", "ü", "ß", "日本: 語\nü: ß\n"),
    ("a: &x {b: 1}\nc: *x\n", "d", 2, "a: &x {b: 1}\nc: *x\nd: 2\n"),
]  # fmt: skip

CUTS = [
    ("a: 1 # one\nb: 2\n", "a", "b: 2\n"),
    ("a: 1\n# about b\nb: 2\n# end\n", "b", "a: 1\n# about b\n# end\n"),
    ("a:\n  b:\n    c: 1 # c\nz: 1\n", "a.b.c", "z: 1\n"),
    ("a: |\n  x\n  y\nz: 1\n", "a", "z: 1\n"),
    ("a: 1\nz: 1", "z", "a: 1\n"),
    ("a: 1\n", "a", ""),
    ("{a: 1, b: 2, c: 3}\n", "a", "{b: 2, c: 3}\n"),
    ("{a: 1, b: 2, c: 3}\n", "b", "{a: 1, c: 3}\n"),
    ("{a: 1, b: 2, c: 3}\n", "c", "{a: 1, b: 2}\n"),
    ("{a: {b: 1}, c: 3}\n", "a.b", "{c: 3}\n"),
    ("{a: 1, # one\n # about b\n b: 2 # two\n}\n", "a", "{ # one\n # about b\n b: 2 # two\n}\n"),
    ("{a: 1, # one\n b: 2 # two\n}\n", "b", "{a: 1 # one\n  # two\n}\n"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "path", "value", "after"), PUTS)
def test_putting_a_value(text: str, path: str, value: str | int | bool, after: str) -> None:
    assert with_value(text, path.split("."), value) == after


@pytest.mark.parametrize(("text", "path", "after"), CUTS)
def test_taking_a_key_out(text: str, path: str, after: str) -> None:
    assert without(text, path.split(".")) == after


def test_only_the_line_concerned_changes() -> None:
    changed = with_value(TEXT, ["databases", "team", "postgresql", "host"], "other")
    assert changed == TEXT.replace("host:    h     #", "host:    other     #")
    added = with_value(changed, ["databases", "lap"], {"sqlite": {"path": "x.db", "readOnly": True}})
    lines = "  lap:\n    sqlite:\n      path: x.db\n      readOnly: true\n"
    assert added == changed.replace("          port: 5432\n", f"          port: 5432\n{lines}")
    assert without(added, ["databases", "lap"]) == changed


@pytest.mark.parametrize("path", ["b", "a.c", "a.b.c"])
def test_what_is_not_there_cannot_be_taken_out(path: str) -> None:
    with pytest.raises(KeyError):
        without("a: {b: 1}\n", path.split("."))


@pytest.mark.parametrize(
    ("text", "path"),
    [("a: &x {b: 1}\nc: *x\n", "c.b"), ("a: &x {b: 1}\nc: *x\n", "a.b"), ("- a\n", "b"), ("? [a]\n: 1\nb: 1\n", "a.b")],
)
def test_what_would_change_more_than_it_should_is_refused(text: str, path: str) -> None:
    with pytest.raises((CannotEditError, yaml.YAMLError)):
        with_value(text, path.split("."), 2)


KEYS = st.sampled_from(["a", "b", "key", "日本", "x.y", "1", "yes"])
SCALARS = st.one_of(st.booleans(), st.integers(-9, 10**9), st.text(st.characters(codec="utf-8"), max_size=12))
MAPS: Any = st.recursive(SCALARS, lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3), max_leaves=8)
DOCUMENTS = st.dictionaries(KEYS, MAPS, max_size=4)
STYLES = st.fixed_dictionaries({"flow": st.sampled_from([True, False, None]), "indent": st.sampled_from([2, 4]),
                                "newline": st.sampled_from(["\n", "\r\n"])})  # fmt: skip


@given(DOCUMENTS, STYLES, st.lists(KEYS, min_size=1, max_size=3), st.one_of(SCALARS, st.just({"a": {"b": "c"}})))
def test_what_was_put_is_read_back_and_all_else_is_as_before(
    document: dict[str, Any], style: dict[str, Any], path: list[str], value: Any
) -> None:
    text = "# first\n" + yaml.safe_dump(
        document, default_flow_style=style["flow"], indent=style["indent"], allow_unicode=True
    ).replace("\n...\n", "\n")
    text = (text + "# last\n").replace("\n", style["newline"])
    after = with_value(text, path, value)
    assert after.startswith("# first")
    assert "# last" in after
    inner = document
    for key in path[:-1]:
        if not isinstance(inner.get(key), dict):
            inner[key] = {}
        inner = inner[key]
    inner[path[-1]] = value
    assert yaml.safe_load(after) == document
    gone = without(after, path)
    assert gone.startswith("# first")
    with pytest.raises(KeyError):
        without(gone, path)
