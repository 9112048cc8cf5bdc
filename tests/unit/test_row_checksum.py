"""The checksum of rows: what counts in it, and what does not."""

from __future__ import annotations

import json
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agor_tui.db.row_checksum import RowLines, TableChecksum, canonical_json

KINDS = ("id", "instant", "flag", "json", "text")


def joined(text: str) -> str:
    """``text`` with both halves of a pair that stand together as the one character that they are in JSON."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


awkward = [
    "",
    "\0",
    "\ud83d",
    "\udc00\ud800",
    "😀",
    "\ufdd0",
    "\ufdd00000",
    "\ufdd0n15e-1",
    ":1.5",
    "e+1",
    "1.0",
    '"\\/\b',
]
texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=6).map(joined) | st.sampled_from(awkward)
numbers = st.builds(
    lambda whole, exponent: Decimal(whole).scaleb(exponent),
    st.integers(-30, 30) | st.integers(-(10**25), 10**25) | st.sampled_from([2**53 + 1, 2**63, 2**64, -(2**63) - 1]),
    st.sampled_from([0, 0, 1, -1, -3, 5, -17, 30, -400, 400]),
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def same(a: Any, b: Any) -> bool:
    """Whether two documents hold the same, as JSON means it."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and bool(a == b)


def spelled(value: Any, how: Random) -> str:
    """A document in one of its many spellings."""

    def space() -> str:
        return how.choice(["", "", " ", "\n\t"])

    match value:
        case None | bool():
            text = json.dumps(value)
        case Decimal():
            text = number(value, how)
        case str():
            text = json.dumps(value, ensure_ascii=how.random() < 0.5)
            if how.random() < 0.3:
                text = '"' + "".join(f"\\u{ord(c):04X}" if ord(c) < 0x10000 else c for c in value) + '"'
        case list():
            text = "[" + ",".join(spelled(each, how) for each in value) + space() + "]"
        case _:
            pairs = [(key, spelled(each, how)) for key, each in value.items()]
            how.shuffle(pairs)
            if pairs and how.random() < 0.3:
                pairs.insert(0, (pairs[-1][0], how.choice(["1.0", '"gone"', "[]"])))  # the last of two counts
            text = "{" + ",".join(f"{spelled(key, how)}:{each}" for key, each in pairs) + space() + "}"
    return space() + text + space()


def number(value: Decimal, how: Random) -> str:
    """A number in one of its many spellings."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    more = how.randrange(4)
    plain = "".join(map(str, digits)) + "0" * more
    power = exponent - more
    if how.random() < 0.5 and -60 < power < 60:
        text = f"{value:f}"
        return text + ("0" * more if "." in text else "." + "0" * more if more else "")
    return f"{'-' if sign else ''}{plain}{how.choice('eE')}{'+' if power >= 0 and how.random() < 0.5 else ''}{power}"


def line(document: str | None, text: str | None = "") -> bytes:
    return RowLines(KINDS).line(row(document, text))


def has(document: str, line: bytes) -> bool:
    return RowLines(KINDS).has(row(document, ""), line)


def row(document: str | None, text: str | None) -> tuple[Any, ...]:
    return ("0199b73d", 1_700_000_000_000, True, document, text)


@given(values, values, st.integers())
@example(Decimal(1), Decimal("1.0"), 0)
@example(Decimal("1e5"), Decimal(100000), 0)
@example(Decimal("12345678901234567890123"), Decimal("12345678901234567890124"), 0)
@example(Decimal("0.30000000000000004"), Decimal("0.30000000000000003"), 0)
@example(Decimal("18446744073709551616"), Decimal("18446744073709551617"), 0)
@example(Decimal("1e-30"), Decimal("1.00000000000000000001e-30"), 0)
@example(Decimal(10**30), Decimal(10**30 + 1), 0)
@example("\ud800", "\ufdd0d800", 0)
@example("\0", "\ufdd00000", 0)
@example(Decimal("1.5"), "\ufdd0n15e-1", 0)
@example("1", Decimal(1), 0)
@example(False, Decimal(0), 0)
@example({"a": None}, {}, 0)
def test_lines_are_equal_where_documents_are(a: Any, b: Any, seed: int) -> None:
    how = Random(seed)
    first, again, other = spelled(a, how), spelled(a, how), spelled(b, how)
    assert line(first) == line(again)
    assert has(again, line(first))
    assert (line(first) == line(other)) == has(other, line(first)) == same(a, b)


@pytest.mark.parametrize("depth", [200, 300, 2_000, 20_000])
def test_a_deep_document_counts_as_a_flat_one_does(depth: int) -> None:
    inner = '{"b": "x", "a":1.50 , "a": 2.50}'
    deep = canonical_json("[" * depth + inner + "]" * depth)
    flat = canonical_json(inner)
    assert flat is not None
    assert deep == b"[" * depth + flat + b"]" * depth
    assert canonical_json("[" * depth + inner + "]" * (depth - 1)) is None
    assert line("[" * depth + "1.0" + "]" * depth) == line("[" * depth + "1" + "]" * depth + " ")


@given(st.text('[]{},:"\\u0dDeE+-.19 ntrufalsINy\ud800\ufdd0\0', max_size=12))
@example("[1,]")
@example('{"a":1,}')
@example('{"a" 1}')
@example("{1:1}")
@example("[}")
@example("01")
@example("1.")
@example("-")
@example("NaN")
@example('"\\ud800" x')
@example('"\ufdd0')
def test_what_is_no_document_counts_as_its_text(text: str) -> None:
    def refuse(word: str) -> None:
        raise ValueError(word)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        assert canonical_json(text) is None
        assert line(text) != line(text + " ")
        assert line(text) != line(json.dumps(text))
    else:
        assert canonical_json(text) is not None
        assert line(text) == line(text + " ")


def test_kinds_of_nothing_and_of_values_are_told_apart() -> None:
    lines = [line(None), line("null"), line('""'), line(""), line("[]"), line("[null]"), line("{}")]
    lines += [line(None, None), line(None, "null"), line(None, "\ufdd00000"), line("0", "1")]
    assert not RowLines(("integer",)).has((float("inf"),), b"[null]")
    odd: list[Any] = [b"\xff", float("inf"), float("-inf"), 1.5, "\ud800", None, True, 1, "1"]
    lines += [RowLines(("integer",)).line((value,)) for value in odd]
    assert len(set(lines)) == len(lines)


def test_the_checksum_is_the_one_that_files_hold() -> None:
    found = TableChecksum(KINDS)
    assert (found.rows, found.hex) == (0, "0" * 32)
    assert line('{"b": [1.0, 0.15, "\\u00e9"], "a": null}', None) == (
        '["0199b73d",1700000000000,true,[{"a":null,"b":[1,"\ufdd0n15e-2","é"]}],null]'.encode()
    )
    found.add(("0199b73d", 1_700_000_000_000, True, '{"b": [1.0, 0.15, "\\u00e9"], "a": null}', None))
    assert (found.rows, found.hex) == (1, "eb5c3ea9874853a04b1fd68d80ab4313")


@given(st.lists(st.tuples(st.integers(0, 3), texts), min_size=1, max_size=6), st.randoms())
def test_order_does_not_count_and_number_does(rows: list[tuple[int, str]], shuffle: Random) -> None:
    def checksum(some: list[tuple[int, str]]) -> tuple[int, str]:
        total = TableChecksum(("integer", "text"))
        for row in some:
            total.add(row)
        return total.rows, total.hex

    mixed = rows.copy()
    shuffle.shuffle(mixed)
    assert checksum(mixed) == checksum(rows)
    assert checksum([*rows, rows[0]])[1] != checksum(rows)[1] != checksum(rows[1:])[1]
